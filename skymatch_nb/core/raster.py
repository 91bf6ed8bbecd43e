"""Which pixels of an image have their centre inside a polygon, as spans of rows.

Pixel coordinates are 0-based: the centre of the first pixel is (0, 0), its outer corner (-0.5, -0.5).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skymatch_nb.core.jit import kernel, subkernel

Spans = NDArray[np.int64]


def polygon_spans(
    x: NDArray[np.float64], y: NDArray[np.float64], ring_offsets: NDArray[np.int64], shape: tuple[int, int]
) -> Spans:
    """Pixel centres inside a polygon of one or more rings (even-odd rule).

    Parameters
    ----------
    x, y
        Vertices of all rings, one after another, in 0-based pixels; a ring need not repeat its first vertex.
    ring_offsets
        Where each ring starts in ``x``, and the total number of vertices: ``nrings + 1`` values.
    shape
        ``(ny, nx)`` of the image; spans are cut at its border.

    Returns
    -------
    ndarray of shape (n, 3)
        ``row, start, stop`` of runs of pixels ``start <= column < stop``, by row, then column.
        A centre exactly on a left or lower edge is inside, on a right or upper edge outside, so that
        polygons that share an edge share no pixel.
    """
    spans: Spans = _polygon_spans(
        np.ascontiguousarray(x, float),
        np.ascontiguousarray(y, float),
        np.ascontiguousarray(ring_offsets, np.int64),
        shape[0],
        shape[1],
    )
    return spans


def polygon_cells(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    ring_offsets: NDArray[np.int64],
    rings: NDArray[np.int64],
    cells: int,
) -> NDArray[np.bool_]:
    """Pixels of a square image of ``cells`` a side whose centres are inside each of many polygons.

    Vertices and rings are those of all polygons, one after another; ``rings`` tells where the rings of each start, and
    their total number. Shape (npolygons, cells, cells).
    """
    inside: NDArray[np.bool_] = _polygon_cells(x, y, ring_offsets, rings, cells)
    return inside


def full_spans(shape: tuple[int, int]) -> Spans:
    """Spans that cover a whole image of ``shape`` (ny, nx)."""
    ny, nx = shape
    rows = np.arange(ny, dtype=np.int64)
    return np.column_stack([rows, np.zeros(ny, np.int64), np.full(ny, nx, np.int64)])


def count_pixels(spans: Spans) -> int:
    """Return the number of pixels that spans of shape (n, 3) cover."""
    return int((spans[:, 2] - spans[:, 1]).sum())


@subkernel
def _edge_rows(y0: float, y1: float, ny: int) -> Any:
    """Rows whose centre line the edge crosses (its lower end included, its upper end not)."""
    low, high = min(y0, y1), max(y0, y1)
    first = 0 if low <= 0 else int(np.ceil(min(low, ny)))
    stop = 0 if high <= 0 else int(np.ceil(min(high, ny)))
    return first, stop


@subkernel
def _crossing(x0: float, y0: float, x1: float, y1: float, row: int) -> float:
    """Where an edge crosses a row, the same to the last bit in whichever direction it runs."""
    if y1 < y0:
        x0, y0, x1, y1 = x1, y1, x0, y0
    if row == y0:
        return x0
    return x0 + (row - y0) / (y1 - y0) * (x1 - x0)


@subkernel
def _summed(counts: Any) -> Any:
    """Cumulative sums, in place."""
    for k in range(1, len(counts)):
        counts[k] += counts[k - 1]
    return counts


@subkernel
def _sort_few(values: Any) -> None:
    """Sort in place, by insertion: most rows have two crossings, and numpy's sort takes seconds to compile."""
    for i in range(1, len(values)):
        value, k = values[i], i
        while k > 0 and values[k - 1] > value:
            values[k] = values[k - 1]
            k -= 1
        values[k] = value


@kernel
def _polygon_spans(x: Any, y: Any, ring_offsets: Any, ny: int, nx: int) -> Any:
    crossings = np.zeros(ny + 1, np.int64)
    for ring in range(len(ring_offsets) - 1):
        begin, end = ring_offsets[ring], ring_offsets[ring + 1]
        for k in range(begin, end):
            following = k + 1 if k + 1 < end else begin
            first, stop = _edge_rows(y[k], y[following], ny)
            for row in range(first, stop):
                crossings[row + 1] += 1
    starts = _summed(crossings)
    filled = starts[:-1].copy()
    at = np.empty(starts[-1], np.float64)
    for ring in range(len(ring_offsets) - 1):
        begin, end = ring_offsets[ring], ring_offsets[ring + 1]
        for k in range(begin, end):
            following = k + 1 if k + 1 < end else begin
            first, stop = _edge_rows(y[k], y[following], ny)
            for row in range(first, stop):
                at[filled[row]] = _crossing(x[k], y[k], x[following], y[following], row)
                filled[row] += 1
    spans = np.empty((starts[-1] // 2, 3), np.int64)
    n = 0
    for row in range(ny):
        on_row = at[starts[row] : starts[row + 1]]
        _sort_few(on_row)
        for k in range(0, len(on_row) - 1, 2):
            start = int(np.ceil(min(max(on_row[k], 0.0), float(nx))))
            stop = int(np.ceil(min(max(on_row[k + 1], 0.0), float(nx))))
            if stop > start:
                spans[n, 0], spans[n, 1], spans[n, 2] = row, start, stop
                n += 1
    return spans[:n].copy()


@kernel
def _polygon_cells(x: Any, y: Any, ring_offsets: Any, rings: Any, cells: int) -> Any:
    inside = np.zeros((len(rings) - 1, cells, cells), np.bool_)
    for k in range(len(rings) - 1):
        spans = _polygon_spans(x, y, ring_offsets[rings[k] : rings[k + 1] + 1], cells, cells)
        for n in range(len(spans)):
            for column in range(spans[n, 1], spans[n, 2]):
                inside[k, spans[n, 0], column] = True
    return inside

"""Pixels of two images at the same places of the sky: for each pixel of one the nearest of the other.

The map from one image to the other is given at the nodes of a grid and interpolated bilinearly between them.
Nearest pixels are taken, not interpolated ones: interpolation smooths one side only, which moves the median of
skewed data. What is left to the place is bridged with the slope of the image about there (`skymatch_nb.core.slopes`).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skymatch_nb.core.jit import kernel
from skymatch_nb.core.quality import bad_bits_as_stored, sample_dtype
from skymatch_nb.core.raster import Spans
from skymatch_nb.core.slopes import brought_to_places, even_blocks


@dataclass(frozen=True, eq=False)
class PixelMap:
    """Where pixels of one image lie in another, at the nodes of a grid.

    Node (j, i) is the pixel ``x0 + i * step, y0 + j * step`` of the first image, which lies at ``x[j, i], y[j, i]`` of
    the second one; NaN where it cannot be told.
    """

    x0: int
    y0: int
    step: int
    x: NDArray[np.float64]
    y: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Pixels:
    """An image and what makes its pixels bad: ``data`` (ny, nx), DQ ``flags`` with ``good_bits``, a ``good`` mask."""

    data: NDArray[Any]
    flags: NDArray[Any] | None = None
    good_bits: int = 0
    good: NDArray[np.bool_] | None = None


def aligned_values(first: Pixels, second: Pixels, spans: Spans, pixel_map: PixelMap) -> tuple[NDArray[Any], ...]:
    """Values of the first image's pixels, and of the second at the same places, where both are good and finite.

    The second's are those of the nearest pixels, brought to the places along its local slope.

    Parameters
    ----------
    spans
        Pixels of the first image, shape (n, 3), from `skymatch_nb.core.raster`.
    pixel_map
        From the first image to the second; its nodes must reach beyond the spans.

    Returns
    -------
    two 1-D arrays of equal length
        In native byte order, float32 or float64 as `skymatch_nb.core.quality.gather_good` has it.
    """
    nearest = list(
        _nearest(
            spans,
            pixel_map.x0,
            pixel_map.y0,
            pixel_map.step,
            pixel_map.x,
            pixel_map.y,
            first.data.shape[1],
            second.data.shape,
            *_blocks(spans),
        )
    )
    for image, which in ((first, 0), (second, 1)):
        good = _good(image, nearest[which])
        if good is not None:
            _keep(nearest, good)
    nearest[:2] = _values(first.data, nearest[0]), _values(second.data, nearest[1])
    finite = np.isfinite(nearest[0]) & np.isfinite(nearest[1])
    if not finite.all():
        _keep(nearest, finite)
    a, b, *places = nearest
    return a, brought_to_places(b, *places)


def _keep(parts: list[NDArray[Any]], good: NDArray[np.bool_]) -> None:
    """Keep some of each part; only one of them is in memory twice at a time, which matters for large overlaps."""
    for k in range(len(parts)):
        parts[k] = parts[k][good]


def _blocks(spans: Spans) -> tuple[int, int, int, NDArray[np.int32], NDArray[np.int32]]:
    """Blocks of the first image: first row and column, blocks side by side, the part of each row and of each column."""
    if not len(spans):
        return 0, 0, 0, np.zeros(0, np.int32), np.zeros(0, np.int32)
    row, column = int(spans[:, 0].min()), int(spans[:, 1].min())
    _, of_rows = even_blocks(row, int(spans[:, 0].max()) + 1)
    count, of_columns = even_blocks(column, int(spans[:, 2].max()))
    return row, column, count, of_rows, of_columns


def _good(image: Pixels, at: NDArray[np.int64]) -> NDArray[np.bool_] | None:
    """Which of some pixels DQ and mask call good; None where there is neither."""
    good = None
    if image.flags is not None:
        raw = np.asarray(image.flags).view(f"=u{image.flags.dtype.itemsize}").ravel()
        good = (raw[at] & bad_bits_as_stored(image.good_bits, image.flags.dtype)) == 0
    if image.good is not None:
        mask = image.good.ravel()[at]
        good = mask if good is None else good & mask
    return good


def _values(data: NDArray[Any], at: NDArray[np.int64]) -> NDArray[Any]:
    values: NDArray[Any] = data.ravel()[at].astype(sample_dtype(data.dtype), copy=False)
    return values


@kernel
def _nearest(
    spans: Any,
    x0: int,
    y0: int,
    step: int,
    map_x: Any,
    map_y: Any,
    width: int,
    other_shape: tuple[int, ...],
    first_row: int,
    first_column: int,
    blocks: int,
    block_of_row: Any,
    block_of_column: Any,
) -> Any:
    """Pixels of the first image that lie on the second, and those nearest to them.

    Positions in both flattened images; the second's columns and rows, what is left to the places, and blocks.
    """
    other_height, other_width = other_shape
    total = 0
    for k in range(spans.shape[0]):
        total += spans[k, 2] - spans[k, 1]
    at_first, at_second = np.empty(total, np.int64), np.empty(total, np.int64)
    columns, rows, block_of = np.empty(total, np.int32), np.empty(total, np.int32), np.empty(total, np.int32)
    right, up = np.empty(total, np.float32), np.empty(total, np.float32)
    n = 0
    for k in range(spans.shape[0]):
        row = spans[k, 0]
        j = (row - y0) // step
        v = (row - y0 - j * step) / step
        block_row = block_of_row[row - first_row] * blocks
        for column in range(spans[k, 1], spans[k, 2]):
            i = (column - x0) // step
            u = (column - x0 - i * step) / step
            x = (1 - v) * ((1 - u) * map_x[j, i] + u * map_x[j, i + 1]) + v * (
                (1 - u) * map_x[j + 1, i] + u * map_x[j + 1, i + 1]
            )
            y = (1 - v) * ((1 - u) * map_y[j, i] + u * map_y[j, i + 1]) + v * (
                (1 - u) * map_y[j + 1, i] + u * map_y[j + 1, i + 1]
            )
            if -0.5 <= x < other_width - 0.5 and -0.5 <= y < other_height - 0.5:
                nearest_x, nearest_y = np.floor(x + 0.5), np.floor(y + 0.5)
                columns[n], rows[n] = int(nearest_x), int(nearest_y)
                right[n], up[n] = x - nearest_x, y - nearest_y
                at_first[n] = row * width + column
                at_second[n] = rows[n] * other_width + columns[n]
                block_of[n] = block_row + block_of_column[column - first_column]
                n += 1
    return at_first[:n], at_second[:n], columns[:n], rows[:n], right[:n], up[:n], block_of[:n]

"""From the sky to a member's pixels, and from the pixels of one member to those of another."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skymatch_nb.core.align import PixelMap
from skymatch_nb.core.raster import Spans, polygon_cells, polygon_spans
from skymatch_nb.geometry.sphere import project_each, to_radec
from skymatch_nb.results import Floats, Member, Outline, SkyPolygon

MAP_TOLERANCE = 0.01
"""Largest error in pixels of the interpolated map between members, where finer steps can reach it."""

STEPS = (64, 32, 16, 8, 4)
"""Steps of that map in pixels; the first that is exact enough is used."""


def polygons_to_spans(member: Member, polygons: Sequence[SkyPolygon]) -> list[Spans]:
    """Pixels of a member whose centres lie in each polygon; one call of the WCS for all vertices.

    A polygon with a vertex that the WCS cannot bring back to pixels has none.
    """
    ra, dec = to_radec(np.concatenate([p.vectors for p in polygons]))
    x, y = member.wcs.to_pixels(ra, dec)
    ends = np.cumsum([len(p.vectors) for p in polygons])
    spans = []
    for polygon, end in zip(polygons, ends, strict=True):
        part = slice(end - len(polygon.vectors), end)
        usable = np.isfinite(x[part]).all() and np.isfinite(y[part]).all()
        offsets = polygon.ring_offsets if usable else np.zeros(1, np.int64)
        spans.append(polygon_spans(x[part], y[part], offsets, member.shape))
    return spans


def polygons_to_cells(
    outlines: Sequence[Outline], polygons: Sequence[Sequence[SkyPolygon]], cells: Sequence[int]
) -> Iterator[NDArray[np.bool_]]:
    """Cells of a square grid over each member whose middles lie in its polygons, shape (npolygons, cells, cells) each.

    The grid lies on the plane that touches the sphere in the middle of the member. Every member has a polygon.

    Raises
    ------
    GeometryError
        Where a polygon reaches further than 85 degrees from the middle of its member.
    """
    centers = np.array([outline.center for outline in outlines])
    edges, first = _planar([[outline.vectors] for outline in outlines], centers)
    corner, size = np.minimum.reduceat(edges, first[:-1]), np.maximum.reduceat(edges, first[:-1])
    size -= corner
    vertices, starts = _planar([[polygon.vectors for polygon in of] for of in polygons], centers)
    for k, (of, count) in enumerate(zip(polygons, cells, strict=True)):
        x, y = np.ascontiguousarray(((vertices[starts[k] : starts[k + 1]] - corner[k]) / size[k] * count - 0.5).T)
        lengths = np.concatenate([np.diff(polygon.ring_offsets) for polygon in of])
        rings = np.cumsum([0, *(len(polygon.ring_offsets) - 1 for polygon in of)])
        yield polygon_cells(x, y, np.concatenate([[0], np.cumsum(lengths)]), rings, count)


def _planar(vectors: Sequence[Sequence[Floats]], centers: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """Gnomonic coordinates of all vectors of each centre, one after another, and where those of each start."""
    counts = [sum(map(len, of)) for of in vectors]
    plane = project_each(np.concatenate([part for of in vectors for part in of]), centers, np.array(counts))
    return plane, np.cumsum([0, *counts])


def map_between(member: Member, other: Member, spans: Spans) -> PixelMap:
    """Where the pixels of spans of a member lie in another one.

    It is exact at the nodes of a grid; the grid is made finer until the map interpolated in the middles of its cells is
    within `MAP_TOLERANCE` of the exact one, or its step is 4 pixels.
    """
    y0, y1 = int(spans[:, 0].min()), int(spans[:, 0].max())
    x0, x1 = int(spans[:, 1].min()), int(spans[:, 2].max()) - 1
    for step in STEPS:
        columns, rows = (x1 - x0) // step + 2, (y1 - y0) // step + 2
        nodes_x, nodes_y = x0 + step * np.arange(columns), y0 + step * np.arange(rows)
        x, y = _mapped(member, other, nodes_x, nodes_y)
        exact = np.array(_mapped(member, other, nodes_x[:-1] + step / 2, nodes_y[:-1] + step / 2))
        error = np.abs(np.array([_cell_middles(x), _cell_middles(y)]) - exact)
        if np.nanmax(error, initial=0.0) < MAP_TOLERANCE:
            break
    return PixelMap(x0, y0, step, x, y)


def _mapped(member: Member, other: Member, columns: NDArray[Any], rows: NDArray[Any]) -> tuple[Floats, Floats]:
    """Pixels of the other member, shape (nrows, ncolumns) each, of a grid of pixels of this one."""
    x, y = np.meshgrid(columns.astype(float), rows.astype(float))
    found = other.wcs.to_pixels(*member.wcs.to_sky(x.ravel(), y.ravel()))
    return found[0].reshape(x.shape), found[1].reshape(x.shape)


def _cell_middles(nodes: Floats) -> Floats:
    return np.asarray(0.25 * (nodes[:-1, :-1] + nodes[1:, :-1] + nodes[:-1, 1:] + nodes[1:, 1:]))

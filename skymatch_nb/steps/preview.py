"""A coarse mosaic of all members before and after their levels are taken off: what a preview shows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from skymatch_nb.core.coarse import deposit
from skymatch_nb.core.quality import flagged
from skymatch_nb.executor import Work
from skymatch_nb.geometry.sphere import to_vectors
from skymatch_nb.io.pixels import good_mask, read_flags, read_pixels
from skymatch_nb.results import Floats, Footprints, Loaded, Masks, Member, Solution, Units

Place: TypeAlias = Callable[[Floats], tuple[Floats, Floats]]
"""Offsets in degrees, to the east and to the north, of unit vectors (n, 3)."""

MOST_PIXELS = 100_000_000
"""Pixels up to which all are averaged; of more, every second row and column, and so on."""

_NODES = 33


@dataclass(frozen=True, eq=False)
class CoarseMosaic:
    """Mean brightness on a grid; arrays of shape (height, width), NaN where there is none.

    Cell (j, i) has its lower corner at ``west + i * cell`` to the east and ``south + j * cell`` to the north, in
    degrees. ``difference`` is, where groups overlap, what the last shows less what the first shows after their levels
    are taken off; ``stride`` tells that every so many pixels of a row and column were read.
    """

    west: float
    south: float
    cell: float
    before: Floats
    after: Floats
    difference: Floats
    stride: int


@dataclass(frozen=True)
class _Grid:
    west: float
    south: float
    cell: float
    width: int
    height: int

    def cells(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        return (x - self.west) / self.cell, (y - self.south) / self.cell


@dataclass(frozen=True, eq=False)
class GroupMeans:
    """Mean brightness of every group in the cells of a grid that it fills: what of a mosaic no level changes.

    One entry for each group in each of its cells, in the order of the groups: flat index of the cell, group, and mean.
    """

    grid: _Grid
    cell: NDArray[np.int32]
    group: NDArray[np.int32]
    mean: Floats
    stride: int

    @cached_property
    def before(self) -> Floats:
        """Mean over groups, shape (height, width)."""
        return self.spread(self.cell, self.mean)

    def spread(self, cell: NDArray[np.int32], values: Floats) -> Floats:
        """Mean of the values of each cell, NaN where there are none; shape (height, width)."""
        size = self.grid.width * self.grid.height
        with np.errstate(invalid="ignore"):
            mean = np.bincount(cell, values, size) / np.bincount(cell, minlength=size)
        return mean.reshape(self.grid.height, self.grid.width)


def group_means(
    loaded: Loaded,
    masks: Masks,
    footprints: Footprints,
    units: Units,
    members: Sequence[int],
    place: Place,
    size: int,
    work: Work,
) -> GroupMeans:
    """Average the good pixels of some members onto a grid whose longer side has at most ``size`` cells.

    Cells are at least 1.5 pixels wide, so that no turned image leaves holes.
    """
    edges = {k: place(footprints.outlines[k].vectors) for k in members}
    grid = _grid(edges, footprints, size)
    pixels = sum(int(np.prod(loaded.members[k].shape)) for k in members)
    stride = _stride(grid, footprints, members, pixels)
    of_group: dict[int, list[int]] = {}
    for k in members:
        of_group.setdefault(int(loaded.group_of[k]), []).append(k)

    def one(group: int) -> tuple[NDArray[np.int32], Floats]:
        return _group_mean(group, of_group[group], loaded, masks, units, edges, place, grid, stride)

    cells, means = zip(*work.map(one, of_group, "preview"), strict=True)
    groups = np.repeat(np.array(list(of_group), np.int32), [len(mean) for mean in means])
    return GroupMeans(grid, np.concatenate(cells), groups, np.concatenate(means), stride)


def coarse_mosaic(means: GroupMeans, solution: Solution) -> CoarseMosaic:
    """Mean over groups, before and after, and the last less the first."""
    grid, cell = means.grid, means.cell
    flat = means.mean - solution.sky[means.group]
    known = np.isfinite(flat)
    if not known.all():
        cell, flat = cell[known], flat[known]
    difference = np.full(grid.height * grid.width, np.nan)
    difference[cell] = flat  # where groups overlap, the last one is left
    first = np.empty_like(difference)
    first[cell[::-1]] = flat[::-1]
    difference -= first
    difference[np.bincount(cell, minlength=len(difference)) < 2] = np.nan
    return CoarseMosaic(
        grid.west, grid.south, grid.cell, means.before, means.spread(cell, flat),
        difference.reshape(grid.height, grid.width), means.stride,
    )  # fmt: skip


def _grid(edges: dict[int, tuple[Floats, Floats]], footprints: Footprints, size: int) -> _Grid:
    x = np.concatenate([e[0] for e in edges.values()])
    y = np.concatenate([e[1] for e in edges.values()])
    west, south, extent = np.nanmin(x), np.nanmin(y), max(np.nanmax(x) - np.nanmin(x), np.nanmax(y) - np.nanmin(y))
    cell = max(extent / size, 1.5 * max(_pixel(footprints, k) for k in edges))
    width, height = (int(np.ceil(e / cell)) + 1 for e in (np.nanmax(x) - west, np.nanmax(y) - south))
    return _Grid(float(west), float(south), float(cell), width, height)


def _pixel(footprints: Footprints, k: int) -> float:
    """Size of a member's pixel in degrees."""
    outline = footprints.outlines[k]
    return float(np.degrees(np.sqrt(outline.area / (np.ptp(outline.x) * np.ptp(outline.y)))))


def _stride(grid: _Grid, footprints: Footprints, members: Sequence[int], pixels: int) -> int:
    """Every how many pixels are read: as few as keep to `MOST_PIXELS` and still leave no hole in the grid."""
    largest = max(_pixel(footprints, k) for k in members)
    return int(max(1, min(np.ceil(np.sqrt(pixels / MOST_PIXELS)), grid.cell // (1.5 * largest))))


def _group_mean(
    group: int,
    members: Sequence[int],
    loaded: Loaded,
    masks: Masks,
    units: Units,
    edges: dict[int, tuple[Floats, Floats]],
    place: Place,
    grid: _Grid,
    stride: int,
) -> tuple[NDArray[np.int32], Floats]:
    """Mean brightness of one group: flat indices of the cells of the grid that it fills, and values."""
    x, y = grid.cells(*(np.concatenate([edges[k][axis] for k in members]) for axis in (0, 1)))
    left, bottom = max(int(np.nanmin(x)) - 1, 0), max(int(np.nanmin(y)) - 1, 0)
    right, top = min(int(np.nanmax(x)) + 2, grid.width), min(int(np.nanmax(y)) + 2, grid.height)
    total, count = np.zeros((top - bottom, right - left)), np.zeros((top - bottom, right - left), np.int64)
    for k in members:
        data, good = _read(loaded.members[k], masks, k, stride)
        rows, columns, cx, cy = _nodes(loaded.members[k], place, grid, stride)
        sums = np.zeros_like(total)
        deposit(data, good, rows, columns, cx - left, cy - bottom, sums, count)
        total += sums * units.factor[k]
    row, column = np.nonzero(count)
    mean = total[row, column] / count[row, column]
    filled = ((bottom + row) * grid.width + left + column).astype(np.int32)
    known = np.isfinite(mean)
    return filled[known], mean[known]


def _read(member: Member, masks: Masks, k: int, stride: int) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Every ``stride``-th pixel of a member, and which of them are good."""
    every = (slice(None, None, stride), slice(None, None, stride))
    data = read_pixels(member.pixels)[every]
    data = np.ascontiguousarray(data, data.dtype.newbyteorder("="))
    good = np.ones(data.shape, bool)
    source = masks.quality[k]
    if source is not None:
        good &= ~flagged(read_flags(source)[every], masks.good_bits[k])
    mask = good_mask(masks, k, member.shape)
    if mask is not None:
        good &= mask[every]
    return data, good


def _nodes(member: Member, place: Place, grid: _Grid, stride: int) -> tuple[Floats, Floats, Floats, Floats]:
    """Rows and columns (of the strided image) where the WCS is asked, and the places of these nodes in cells."""
    ny, nx = member.shape
    rows, columns = np.linspace(0, ny - 1, _NODES), np.linspace(0, nx - 1, _NODES)
    px, py = np.meshgrid(columns, rows)
    x, y = grid.cells(*place(to_vectors(*member.wcs.to_sky(px.ravel(), py.ravel()))))
    return rows / stride, columns / stride, x.reshape(px.shape), y.reshape(px.shape)

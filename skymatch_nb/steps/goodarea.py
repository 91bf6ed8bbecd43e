"""Outline the area of an image's good pixels."""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from skymatch_nb.core.runs import to_runs
from skymatch_nb.results import Floats

REACH = 5
"""Gaps of bad pixels up to twice as wide, in pixels, are part of the area."""

PIECE = 0.01
"""Smallest piece that counts, as a fraction of the image; specks of good pixels in a shadow do not."""

SIMPLIFY = 1.0
"""Distance in pixels by which the outline may leave the steps of the pixels; a slanted edge becomes straight."""


@dataclass(frozen=True, eq=False)
class GoodArea:
    """A ring in 0-based pixels, not closed, around good pixels; ``pieces`` tells in how many pieces these fall."""

    x: Floats
    y: Floats
    pieces: int


def good_area(good: NDArray[np.bool_]) -> GoodArea | None:
    """Ring around the good pixels of an image of shape (ny, nx), within its frame; None where no pixel is good.

    Gaps of up to 10 pixels (bad columns, cosmic rays) are closed and holes ignored. Of several pieces, all of at least
    a hundredth of the image, or the largest, are taken together by their convex hull: an outline that is too wide adds
    no pixel to a sample, one that leaves a piece out loses the overlaps of that piece.
    """
    if not good.any():
        return None
    from scipy import ndimage

    label, count = ndimage.label(_closed(good))
    sizes = np.bincount(label.ravel(), minlength=count + 1)[1:]
    kept = 1 + np.flatnonzero(sizes >= min(PIECE * good.size, sizes.max()))
    area = _polygon(np.isin(label, kept))
    ring = area.exterior if shapely.get_type_id(area) == 3 else shapely.convex_hull(area).exterior
    points = np.asarray(shapely.simplify(ring, SIMPLIFY).coords)[:-1]
    return GoodArea(points[:, 0].copy(), points[:, 1].copy(), len(kept))


def is_frame(area: GoodArea, shape: tuple[int, int]) -> bool:
    """Whether an area is all of an image of ``shape`` (ny, nx)."""
    ny, nx = shape
    return bool(shapely.Polygon(np.column_stack([area.x, area.y])).area > nx * ny - 0.5)


def _closed(good: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Good pixels and the gaps between them, as if there were bad pixels all around the image."""
    from scipy import ndimage

    size = 2 * REACH + 1
    grown = ndimage.maximum_filter(np.pad(good, REACH).view(np.uint8), size, mode="constant")
    return ndimage.minimum_filter(grown, size, mode="constant")[REACH:-REACH, REACH:-REACH].astype(np.bool_)


def _polygon(image: NDArray[np.bool_]) -> shapely.Geometry:
    """Union of the squares of the pixels that are True."""
    nx = image.shape[1]
    runs = to_runs(np.pad(image, ((0, 0), (0, 1))))
    rows, start = np.divmod(runs[:, 0], nx + 1)
    stop = runs[:, 1] - rows * (nx + 1)
    return shapely.union_all(shapely.box(start - 0.5, rows - 0.5, stop - 0.5, rows + 0.5))

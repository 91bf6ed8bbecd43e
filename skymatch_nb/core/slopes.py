"""Bring values from the middles of pixels to places beside them, by the slope of the image about there."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skymatch_nb.core.jit import kernel, subkernel

BLOCK = 16
"""Pixels along the side of a block in which an image is taken as a plane, about."""

LEAST_VARIANCE = 4.0
"""Variance in pixels**2 that the positions in a block must have in every direction: that of a block 7 pixels wide."""

CLIPS, WIDTH = 3, 3.0
"""How often, and at how many standard deviations, stars are taken out of a block before its plane is fitted."""

Positions = NDArray[np.int32]
Offsets = NDArray[np.float32]


def brought_to_places(
    values: NDArray[Any], columns: Positions, rows: Positions, right: Offsets, up: Offsets, block_of: NDArray[np.int32]
) -> NDArray[Any]:
    """Values of an image at places that are less than a pixel beside the middles of its pixels.

    In each block of pixels a plane is fitted to the values by least squares, without those far from their mean; its
    slope times the offset is added. The slope does not depend on the mean of the values that it comes from, so no noise
    is smoothed. Blocks too narrow for a slope keep their values.

    Parameters
    ----------
    values, columns, rows
        Pixels of the image, shape (n,).
    right, up
        Columns and rows of the places less those of the pixels, shape (n,).
    block_of
        Number of each pixel's block, shape (n,), from 0.

    Returns
    -------
    array of shape (n,)
        Of the values' dtype.
    """
    if not len(values):
        return values
    slopes = _slopes(values, columns, rows, block_of, int(block_of.max()) + 1)
    moved: NDArray[Any] = _moved(values, right, up, block_of, slopes)
    return moved


def even_blocks(start: int, stop: int) -> tuple[int, NDArray[np.int32]]:
    """How many even parts, about `BLOCK` long, positions from start up to stop make, and the part of each position."""
    extent = stop - start
    count = max(1, round(extent / BLOCK))
    return count, (np.arange(extent) * count // extent).astype(np.int32)


@kernel
def _slopes(values: Any, columns: Any, rows: Any, block_of: Any, blocks: int) -> Any:
    """Slope along columns and rows in each block, shape (blocks, 2), per pixel; 0 where it cannot be told."""
    origin = _first_pixels(values, columns, rows, block_of, blocks)
    limits = _limits(values, block_of, origin)
    sums = np.zeros((blocks, 9))
    for i in range(len(values)):
        b = block_of[i]
        v = np.float64(values[i]) - origin[b, 0]
        if limits[b, 0] <= v <= limits[b, 1]:
            x, y = columns[i] - origin[b, 1], rows[i] - origin[b, 2]
            sums[b, 0] += 1.0
            sums[b, 1] += x
            sums[b, 2] += y
            sums[b, 3] += v
            sums[b, 4] += x * x
            sums[b, 5] += x * y
            sums[b, 6] += y * y
            sums[b, 7] += x * v
            sums[b, 8] += y * v
    slopes = np.zeros((blocks, 2))
    for b in range(blocks):
        n = max(sums[b, 0], 1.0)
        x, y, v = sums[b, 1] / n, sums[b, 2] / n, sums[b, 3] / n
        xx, xy, yy = sums[b, 4] / n - x * x, sums[b, 5] / n - x * y, sums[b, 6] / n - y * y
        xv, yv = sums[b, 7] / n - x * v, sums[b, 8] / n - y * v
        if 0.5 * (xx + yy) - np.hypot(0.5 * (xx - yy), xy) >= LEAST_VARIANCE:
            determinant = xx * yy - xy * xy
            slopes[b, 0] = (yy * xv - xy * yv) / determinant
            slopes[b, 1] = (xx * yv - xy * xv) / determinant
    return slopes


@subkernel
def _first_pixels(values: Any, columns: Any, rows: Any, block_of: Any, blocks: int) -> Any:
    """Value, column and row of the first pixel in each block; sums of what lies about them lose no digits."""
    origin = np.full((blocks, 3), np.nan)
    for i in range(len(values)):
        b = block_of[i]
        if np.isnan(origin[b, 0]):
            origin[b, 0], origin[b, 1], origin[b, 2] = values[i], columns[i], rows[i]
    return origin


@subkernel
def _limits(values: Any, block_of: Any, origin: Any) -> Any:
    """Lowest and highest value less the block's first that count in each block, shape (blocks, 2)."""
    blocks = len(origin)
    limits = np.empty((blocks, 2))
    limits[:, 0], limits[:, 1] = -np.inf, np.inf
    for _ in range(CLIPS):
        sums = np.zeros((blocks, 3))
        for i in range(len(values)):
            b = block_of[i]
            v = np.float64(values[i]) - origin[b, 0]
            if limits[b, 0] <= v <= limits[b, 1]:
                sums[b, 0] += 1.0
                sums[b, 1] += v
                sums[b, 2] += v * v
        for b in range(blocks):
            n = max(sums[b, 0], 1.0)
            mean = sums[b, 1] / n
            width = WIDTH * np.sqrt(max(sums[b, 2] / n - mean * mean, 0.0))
            limits[b, 0], limits[b, 1] = mean - width, mean + width
    return limits


@kernel
def _moved(values: Any, right: Any, up: Any, block_of: Any, slopes: Any) -> Any:
    moved = np.empty_like(values)
    for i in range(len(values)):
        b = block_of[i]
        moved[i] = values[i] + slopes[b, 0] * right[i] + slopes[b, 1] * up[i]
    return moved

"""Images averaged onto a coarse grid of another projection, pixel by pixel."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skymatch_nb.core.jit import kernel


def deposit(
    data: NDArray[Any],
    good: NDArray[np.bool_],
    rows: NDArray[np.float64],
    columns: NDArray[np.float64],
    grid_x: NDArray[np.float64],
    grid_y: NDArray[np.float64],
    total: NDArray[np.float64],
    count: NDArray[np.int64],
) -> None:
    """Add every good, finite pixel to the cell of a grid that its centre lies in.

    Parameters
    ----------
    data, good
        Image of shape (ny, nx) in native byte order, and which of its pixels are used.
    rows, columns
        Evenly spaced pixel positions (n,) and (m,), in rows and columns of ``data``, where the place is known.
    grid_x, grid_y
        Place on the grid of these nodes, shape (n, m), in cells; bilinear between them. Cell (0, 0) holds what lies in
        [0, 1) x [0, 1); pixels off the grid are left out.
    total, count
        Sums and numbers of pixels of every cell, shape (height, width); changed in place.
    """
    _deposit(
        data, good, float(rows[0]), float(rows[1] - rows[0]), float(columns[0]), float(columns[1] - columns[0]),
        grid_x, grid_y, total, count,
    )  # fmt: skip


@kernel
def _deposit(
    data: Any, good: Any, row0: float, row_step: float, column0: float, column_step: float, grid_x: Any, grid_y: Any,
    total: Any, count: Any,
) -> None:  # fmt: skip
    height, width = total.shape
    last_i, last_j = grid_x.shape[0] - 2, grid_x.shape[1] - 2
    for row in range(data.shape[0]):
        at = (row - row0) / row_step
        i = min(max(int(at), 0), last_i)
        v = at - i
        for column in range(data.shape[1]):
            value = data[row, column]
            if not good[row, column] or not np.isfinite(value):
                continue
            at = (column - column0) / column_step
            j = min(max(int(at), 0), last_j)
            u = at - j
            w00, w01, w10, w11 = (1 - v) * (1 - u), (1 - v) * u, v * (1 - u), v * u
            x = w00 * grid_x[i, j] + w01 * grid_x[i, j + 1] + w10 * grid_x[i + 1, j] + w11 * grid_x[i + 1, j + 1]
            y = w00 * grid_y[i, j] + w01 * grid_y[i, j + 1] + w10 * grid_y[i + 1, j] + w11 * grid_y[i + 1, j + 1]
            if 0 <= x < width and 0 <= y < height:
                total[int(y), int(x)] += value
                count[int(y), int(x)] += 1

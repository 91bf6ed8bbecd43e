"""Boolean images as runs of flat pixel numbers: a mask of few edges costs kilobytes instead of a byte per pixel."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skymatch_nb.core.jit import kernel
from skymatch_nb.core.raster import Spans

Runs = NDArray[np.int64]
"""``start, stop`` of runs of True pixels of a flattened (C order) image, ascending and apart; shape (n, 2)."""


def to_runs(image: NDArray[np.bool_]) -> Runs:
    """Runs of the True pixels of an image."""
    flat = np.zeros(image.size + 2, np.bool_)
    flat[1:-1] = image.ravel()
    runs: Runs = np.flatnonzero(flat[1:] != flat[:-1]).astype(np.int64).reshape(-1, 2)
    return runs


def from_runs(runs: Runs, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Image of ``shape`` (ny, nx) that is True in the runs."""
    image = np.zeros(shape, np.bool_)
    _fill_runs(image.reshape(-1), runs)
    return image


def paint_spans(image: NDArray[np.bool_], spans: Spans) -> None:
    """Make an image (C order) True in row spans of `skymatch_nb.core.raster`."""
    _fill_runs(image.reshape(-1), spans[:, 1:] + spans[:, :1] * image.shape[1])


@kernel
def _fill_runs(flat: Any, runs: Any) -> None:
    for k in range(runs.shape[0]):
        flat[runs[k, 0] : runs[k, 1]] = True

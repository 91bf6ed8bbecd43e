"""What iterative clipping did to a sample, one row per iteration."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skymatch_nb.core.sample import SampleSet, clip


def clip_history(
    samples: SampleSet,
    k: int,
    lower: float | None = None,
    upper: float | None = None,
    nclip: int = 5,
    lsigma: float = 4.0,
    usigma: float = 4.0,
) -> NDArray[np.float64]:
    """Limits of every iteration of `skymatch_nb.core.sample.clip` on sample ``k``.

    Returns
    -------
    ndarray of shape (n, 5)
        ``low, high, npix, mean, std``: limits and what they keep, first those of [lower, upper] alone, then those of
        each iteration up to the first that takes nothing away; infinite where there is no limit, NaN where
        nothing is kept.
    """
    floor, ceiling = -np.inf if lower is None else lower, np.inf if upper is None else upper
    low, high = floor, ceiling
    rows: list[tuple[Any, ...]] = []
    for iterations in range(nclip + 1):
        kept = clip(samples, lower, upper, iterations, lsigma, usigma)
        npix, mean, std = int(kept.npix[k]), float(kept.mean[k]), float(kept.std[k])
        unchanged = bool(rows) and npix == rows[-1][2]
        rows.append((low, high, npix, mean, std))
        if unchanged or not npix:
            break
        low, high = max(floor, mean - lsigma * std), min(ceiling, mean + usigma * std)
    return np.array(rows, float)

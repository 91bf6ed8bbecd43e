"""Standard errors of sky levels, from the spread and size of the samples themselves.

Pixels are taken as independent; resampled images have correlated noise, and larger errors than these.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skymatch_nb.core.estimators import MODE_KERNEL_WIDTH, STATISTICS, histogram, smoothed
from skymatch_nb.core.jit import kernel
from skymatch_nb.core.sample import Clipped, SampleSet

BINMODE_SCATTER = 0.75
"""Scatter of ``binmode`` in units of ``d * c**(-1/4)``, c the count of the highest bin, measured on Gaussian samples.

The power follows from where the histogram's parabolic top falls by its own Poisson noise.
"""


def standard_errors(
    samples: SampleSet, clipped: Clipped, statistic: str, levels: NDArray[np.float64], binwidth: float = 0.1
) -> NDArray[np.float64]:
    """Standard error of the level of every sample.

    Parameters
    ----------
    samples, clipped, statistic, binwidth
        As given to `skymatch_nb.core.estimators.estimate`.
    levels
        What it returned, shape (n,).

    Returns
    -------
    ndarray of shape (n,)
        ``d / sqrt(n)`` for the mean; for median and midpt half the distance between the order statistics
        ``sqrt(n) / 2`` to both sides of the middle (Woodruff 1952), which assumes no distribution; for mode that
        of an M-estimator, ``sqrt(sum psi**2) / |sum psi'|`` with the kernel's derivative as psi (Huber 1964); for
        binmode a law measured on Gaussian samples. NaN without a kept value, 0 where all are equal.
    """
    return _standard_errors(  # type: ignore[no-any-return]
        samples.values,
        samples.offsets,
        clipped.first,
        clipped.stop,
        clipped.std,
        levels,
        STATISTICS.index(statistic),
        float(binwidth),
        MODE_KERNEL_WIDTH,
    )


@kernel
def _standard_errors(
    values: Any,
    offsets: Any,
    firsts: Any,
    stops: Any,
    stds: Any,
    levels: Any,
    statistic: int,
    binwidth: float,
    kernel_width: float,
) -> Any:
    out = np.full(len(firsts), np.nan)
    for k in range(len(firsts)):
        n = stops[k] - firsts[k]
        if n <= 0:
            continue
        kept = values[offsets[k] + firsts[k] : offsets[k] + stops[k]]
        width = binwidth * stds[k]
        if kept[0] == kept[n - 1] or not width > 0:
            out[k] = 0.0
        elif statistic == 1:
            out[k] = stds[k] / np.sqrt(n)
        elif statistic == 2 or statistic == 3:
            out[k] = _median_error(kept, stds[k])
        else:
            counts = histogram(kept, width)
            if statistic == 4:
                out[k] = BINMODE_SCATTER * stds[k] * counts.max() ** -0.25
            else:
                at = (levels[k] - np.float64(kept[0])) / width
                out[k] = width * _peak_error(counts, at, kernel_width / binwidth)
    return out


@kernel
def _median_error(kept: Any, std: float) -> float:
    n = len(kept)
    reach = 0.5 * np.sqrt(n)
    low = max(0, int(np.floor(0.5 * (n - 1) - reach)))
    high = min(n - 1, int(np.ceil(0.5 * (n - 1) + reach)))
    error = (np.float64(kept[high]) - np.float64(kept[low])) * float(np.sqrt(n)) / (high - low) / 2.0
    return error if error > 0 else std * float(np.sqrt(0.5 * np.pi / n))


@kernel
def _peak_error(counts: Any, at: float, width: float) -> float:
    """Error in bins of a smoothed histogram's peak at a position in bins."""
    _, _, curvature = smoothed(counts, at, width)
    variance = 0.0
    for index in range(len(counts)):
        u = (index + 0.5 - at) / width
        variance += counts[index] * (u * np.exp(-0.5 * u * u)) ** 2
    return width * np.sqrt(variance) / abs(curvature) if curvature != 0 else np.nan

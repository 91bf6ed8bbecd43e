"""Standard errors of sky levels, from the spread and size of the samples themselves.

Pixels are taken as independent; resampled images have correlated noise, and larger errors than these.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skymatch_nb.core.estimators import (
    BINMODE,
    BIWEIGHT,
    MEAN,
    MEDIAN,
    MIDPT,
    MODE_KERNEL_WIDTH,
    SEXTRACTOR,
    STATISTICS,
    constant,
    histogram,
    smoothed,
)
from skymatch_nb.core.jit import kernel
from skymatch_nb.core.robust import biweight_reach, crowded, middle
from skymatch_nb.core.sample import Clipped, SampleSet, first_not_below

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
        binmode a law measured on Gaussian samples; for biweight and sextractor that of the sum of the influence
        functions of their parts (Hampel 1974), the median's with its Woodruff error. NaN without a kept value, 0
        where all are equal.
    """
    return _standard_errors(  # type: ignore[no-any-return]
        samples.values,
        samples.offsets,
        clipped.first,
        clipped.stop,
        clipped.mean,
        clipped.std,
        levels,
        STATISTICS.index(statistic),
        float(binwidth),
    )


@kernel
def _standard_errors(
    values: Any,
    offsets: Any,
    firsts: Any,
    stops: Any,
    means: Any,
    stds: Any,
    levels: Any,
    statistic: int,
    binwidth: float,
) -> Any:
    out = np.full(len(firsts), np.nan)
    for k in np.flatnonzero(stops > firsts):
        kept = values[offsets[k] + firsts[k] : offsets[k] + stops[k]]
        if constant(kept, binwidth * stds[k]):
            out[k] = 0.0
        else:
            out[k] = _error(kept, means[k], stds[k], levels[k], statistic, binwidth)
    return out


@kernel
def _error(kept: Any, mean: float, std: float, level: float, statistic: int, binwidth: float) -> float:
    if statistic == MEAN:
        return float(std / np.sqrt(len(kept)))
    if statistic in (MEDIAN, MIDPT):
        return _median_error(kept, std)
    if statistic == BIWEIGHT:
        return _biweight_error(kept, std, level)
    if statistic == SEXTRACTOR:
        return _median_error(kept, std) if crowded(kept, mean, std) else _sextractor_error(kept, std)
    width = binwidth * std
    counts = histogram(kept, width)
    if statistic == BINMODE:
        return float(BINMODE_SCATTER * std * counts.max() ** -0.25)
    at = (level - np.float64(kept[0])) / width
    return float(width * _peak_error(counts, at, MODE_KERNEL_WIDTH / binwidth))


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


@kernel
def _biweight_error(kept: Any, std: float, level: float) -> float:
    """Error of a weighted mean of deviations from the median: its own, and the share of the median's that stays."""
    n, centre, reach, median_error = len(kept), middle(kept), biweight_reach(kept), _median_error(kept, std)
    if reach == 0:
        return median_error
    total, variance, covariance, slope = 0.0, 0.0, 0.0, 0.0
    for i in range(first_not_below(kept, 0, n, centre - reach), n):
        u = (kept[i] - centre) / reach
        if u >= 1.0:
            break
        weight, residual = (1.0 - u * u) ** 2, kept[i] - level
        psi = weight * residual
        total += weight
        variance += psi * psi
        covariance += psi if u > 0 else -psi
        slope += u * (1.0 - u * u) * residual
    kept_of_median = 4.0 * slope / reach / total * median_error
    covariance *= kept_of_median / np.sqrt(n) / total
    return float(np.sqrt(variance / total**2 + 2.0 * covariance + kept_of_median**2))


@kernel
def _sextractor_error(kept: Any, std: float) -> float:
    """Error of 2.5 median - 1.5 mean; their correlation is the mean absolute deviation in standard deviations."""
    n, centre = len(kept), middle(kept)
    deviations = 0.0
    for i in range(n):
        deviations += abs(kept[i] - centre)
    correlation = deviations / n / std
    median_part, mean_part = 2.5 * _median_error(kept, std), 1.5 * std / np.sqrt(n)
    return float(np.sqrt((median_part - mean_part) ** 2 + 2.0 * median_part * mean_part * (1.0 - correlation)))

"""Standard errors of sky levels, from the spread and size of the samples themselves.

Pixels are taken as independent; resampled images have correlated noise, and larger errors than these.
"""

from typing import Any

import numpy as np

from skymatch_nb.core.estimators import smoothed
from skymatch_nb.core.jit import subkernel
from skymatch_nb.core.ordered import at

BINMODE_SCATTER = 0.75
"""Scatter of ``binmode`` in units of ``d * c**(-1/4)``, c the count of the highest bin, measured on Gaussian samples.

The power follows from where the histogram's parabolic top falls by its own Poisson noise.
"""


@subkernel
def median_error(kept: Any, std: float) -> float:
    """Half the distance of the order statistics ``sqrt(n) / 2`` to both sides of the middle, per their number."""
    n = kept.size
    reach = 0.5 * np.sqrt(n)
    low = max(0, int(np.floor(0.5 * (n - 1) - reach)))
    high = min(n - 1, int(np.ceil(0.5 * (n - 1) + reach)))
    error = (np.float64(at(kept, high)) - np.float64(at(kept, low))) * float(np.sqrt(n)) / (high - low) / 2.0
    return error if error > 0 else std * float(np.sqrt(0.5 * np.pi / n))


@subkernel
def peak_error(counts: Any, at: float, width: float) -> float:
    """Error in bins of a smoothed histogram's peak at a position in bins."""
    _, _, curvature = smoothed(counts, at, width)
    variance = 0.0
    for index in range(len(counts)):
        u = (index + 0.5 - at) / width
        variance += counts[index] * (u * np.exp(-0.5 * u * u)) ** 2
    return width * np.sqrt(variance) / abs(curvature) if curvature != 0 else np.nan


@subkernel
def biweight_error(kept: Any, std: float, about: float, reach: float, sums: Any) -> float:
    """Error of a weighted mean of deviations from the median: its own, and the share of the median's that stays.

    ``about`` is the median, ``sums`` as from `skymatch_nb.core.robust.biweight_sums`. Deviations are in units of the
    reach: psi is the weight times the deviation from the level.
    """
    error_of_median = median_error(kept, std)
    if reach == 0:
        return error_of_median
    weight, level = sums[0], sums[1] / sums[0]
    variance = max(sums[4] - 2.0 * level * sums[3] + level * level * sums[2], 0.0) * reach * reach
    slope = (sums[7] - level * sums[8]) * reach
    covariance = (sums[6] - level * sums[5]) * reach
    kept_of_median = 4.0 * slope / reach / weight * error_of_median
    covariance *= kept_of_median / np.sqrt(kept.size) / weight
    return float(np.sqrt(variance / weight**2 + 2.0 * covariance + kept_of_median**2))


@subkernel
def sextractor_error(kept: Any, std: float, deviation: float) -> float:
    """Error of 2.5 median - 1.5 mean; their correlation is the mean absolute ``deviation`` in standard deviations."""
    correlation = deviation / std
    median_part, mean_part = 2.5 * median_error(kept, std), 1.5 * std / np.sqrt(kept.size)
    return float(np.sqrt((median_part - mean_part) ** 2 + 2.0 * median_part * mean_part * (1.0 - correlation)))

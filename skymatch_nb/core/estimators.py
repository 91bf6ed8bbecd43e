"""The sky level of clipped, sorted samples, by one of several statistics.

Histograms have bins of ``binwidth * d``, d the ddof=1 deviation of the kept values, and start at the smallest
of them; since the values are sorted, a bin is found by binary search and no pixel is read twice.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skymatch_nb.core.jit import kernel
from skymatch_nb.core.robust import biweight, crowded, middle
from skymatch_nb.core.sample import Clipped, SampleSet

STATISTICS = ("mode", "mean", "median", "midpt", "binmode", "biweight", "sextractor")
MODE, MEAN, MEDIAN, MIDPT, BINMODE, BIWEIGHT, SEXTRACTOR = range(len(STATISTICS))

MODE_KERNEL_WIDTH = 1.0
"""Gaussian width, in deviations of the kept values, of the kernel that smooths the histogram for ``mode``.

Measured (docs/method.md): at 1.0 the peak of 100,000 Gaussian values scatters by 0.004 deviations where that of
the plain histogram scatters by 0.1, and skewed samples still give less than their median; narrower kernels
follow the noise where a galaxy's slope makes the histogram flat.
"""


def estimate(samples: SampleSet, clipped: Clipped, statistic: str, binwidth: float = 0.1) -> NDArray[np.float64]:
    """Sky level of every sample of a set.

    Parameters
    ----------
    samples, clipped
        A set of n sorted samples, and what `skymatch_nb.core.sample.clip` kept of them.
    statistic
        One of `STATISTICS`. ``mean`` and ``median`` of the kept values; ``mode``, the peak of their histogram
        smoothed by a Gaussian of `MODE_KERNEL_WIDTH`; ``binmode``, the peak of the histogram by a parabola
        through its highest bin and the two beside it; ``midpt``, where the cumulative histogram, interpolated
        linearly, reaches one half; ``biweight``, the mean about the median weighted by Tukey's biweight;
        ``sextractor``, 2.5 median - 1.5 mean, or the median in crowded fields.
    binwidth
        Bin width in deviations of the kept values.

    Returns
    -------
    ndarray of shape (n,)
        In the units of the samples; NaN for a sample without a kept value, and the common value where all
        kept values are equal.

    Raises
    ------
    ValueError
        For a statistic that is not in `STATISTICS`.
    """
    if statistic not in STATISTICS:
        raise ValueError(f"statistic {statistic!r} is not one of {', '.join(STATISTICS)}")
    if statistic == "mean":
        return clipped.mean
    levels: NDArray[np.float64] = _estimate(
        samples.values,
        samples.offsets,
        clipped.first,
        clipped.stop,
        clipped.mean,
        clipped.std,
        STATISTICS.index(statistic),
        float(binwidth),
    )
    return levels


@kernel
def _estimate(
    values: Any, offsets: Any, firsts: Any, stops: Any, means: Any, stds: Any, statistic: int, binwidth: float
) -> Any:
    out = np.full(len(firsts), np.nan)
    for k in np.flatnonzero(stops > firsts):
        kept = values[offsets[k] + firsts[k] : offsets[k] + stops[k]]
        if constant(kept, binwidth * stds[k]):
            out[k] = kept[len(kept) // 2]
        else:
            out[k] = _level(kept, means[k], stds[k], statistic, binwidth)
    return out


@kernel
def constant(kept: Any, width: float) -> bool:
    """Whether sorted values are all equal, or so nearly that bins of this width cannot tell them apart."""
    return bool(kept[0] == kept[-1] or not width > 0)


@kernel
def _level(kept: Any, mean: float, std: float, statistic: int, binwidth: float) -> float:
    if statistic == MEDIAN:
        return middle(kept)
    if statistic == BIWEIGHT:
        return biweight(kept)
    if statistic == SEXTRACTOR:
        return middle(kept) if crowded(kept, mean, std) else 2.5 * middle(kept) - 1.5 * mean
    width = binwidth * std
    if statistic == MIDPT:
        return _midpoint(kept, width)
    counts = histogram(kept, width)
    peak = _parabola_peak(counts) if statistic == BINMODE else _smooth_peak(counts, MODE_KERNEL_WIDTH / binwidth)
    return float(np.float64(kept[0]) + width * peak)


@kernel
def _bin(kept: Any, i: int, width: float) -> int:
    return int(np.floor((np.float64(kept[i]) - np.float64(kept[0])) / width))


@kernel
def _bin_start(kept: Any, index: int, width: float, first: int) -> int:
    """Position of the first value, from ``first`` on, whose bin is not below ``index``."""
    stop = len(kept)
    while first < stop:
        middle = (first + stop) // 2
        if _bin(kept, middle, width) < index:
            first = middle + 1
        else:
            stop = middle
    return first


@kernel
def histogram(kept: Any, width: float) -> Any:
    """Counts of sorted values in bins of a width, the first bin starting at the smallest value."""
    nbins = _bin(kept, len(kept) - 1, width) + 1
    counts = np.zeros(nbins, np.float64)
    if nbins * 16 < len(kept):
        first = 0
        for index in range(nbins):
            stop = _bin_start(kept, index + 1, width, first)
            counts[index] = stop - first
            first = stop
    else:
        for i in range(len(kept)):
            counts[_bin(kept, i, width)] += 1
    return counts


@kernel
def _midpoint(kept: Any, width: float) -> float:
    half = 0.5 * len(kept)
    index = _bin(kept, int(np.ceil(half)) - 1, width)
    below = _bin_start(kept, index, width, 0)
    within = _bin_start(kept, index + 1, width, below) - below
    return np.float64(kept[0]) + width * (index + (half - below) / within)


@kernel
def _parabola_peak(counts: Any) -> float:
    """Position of the highest bin in bins, refined by the parabola through it and its neighbours."""
    peak = int(np.argmax(counts))
    if peak == 0 or peak == len(counts) - 1:
        return peak + 0.5
    left, top, right = counts[peak - 1], counts[peak], counts[peak + 1]
    curvature = 2.0 * top - left - right
    return peak + 0.5 + (0.5 * (right - left) / curvature if curvature > 0 else 0.0)


@kernel
def smoothed(counts: Any, at: float, width: float) -> Any:
    """Histogram smoothed by a Gaussian of ``width`` bins at a position in bins, with its first two derivatives."""
    first = max(0, int(at - 5.0 * width))
    stop = min(len(counts), int(at + 5.0 * width) + 2)
    f0, f1, f2 = 0.0, 0.0, 0.0
    for index in range(first, stop):
        u = (index + 0.5 - at) / width
        weight = counts[index] * np.exp(-0.5 * u * u)
        f0 += weight
        f1 += weight * u
        f2 += weight * (u * u - 1.0)
    return f0, f1, f2


@kernel
def _smooth_peak(counts: Any, width: float) -> float:
    """Position in bins of the highest peak of the smoothed histogram (the lowest of equal ones)."""
    steps = max(2, int(np.ceil(len(counts) / (0.25 * width))))
    step = len(counts) / steps
    best, at = -1.0, 0.0
    for i in range(steps + 1):
        f0, _, _ = smoothed(counts, i * step, width)
        if f0 > best:
            best, at = f0, i * step
    low, high = max(0.0, at - step), min(float(len(counts)), at + step)
    for _ in range(60):
        _, slope, curvature = smoothed(counts, at, width)
        if slope > 0:
            low = at
        else:
            high = at
        new = at - width * slope / curvature if curvature < 0 else 0.5 * (low + high)
        if not low <= new <= high:
            new = 0.5 * (low + high)
        if abs(new - at) < 1e-9 * width or high - low < 1e-9 * width:
            return new
        at = new
    return at

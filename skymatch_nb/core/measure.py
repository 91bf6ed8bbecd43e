"""The sky level of clipped, sorted samples by one of several statistics, with its standard error.

There is a kernel for each statistic, so that only the one that is asked for is compiled.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skymatch_nb.core.estimators import MODE_KERNEL_WIDTH, constant, histogram, midpoint, parabola_peak, smooth_peak
from skymatch_nb.core.jit import kernel, subkernel
from skymatch_nb.core.ordered import at, part, position_of, sums_between
from skymatch_nb.core.robust import biweight, biweight_reach, biweight_sums, crowded, middle, within_reach
from skymatch_nb.core.sample import Clipped, Places, SampleSet, sample_at
from skymatch_nb.core.uncertainty import BINMODE_SCATTER, biweight_error, median_error, peak_error, sextractor_error


def measure(
    samples: SampleSet | Places, clipped: Clipped, statistic: str, binwidth: float = 0.1
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sky level of every sample of a set, and its standard error.

    Parameters
    ----------
    samples, clipped
        A set of n sorted samples, or those of several, and what `skymatch_nb.core.sample.clip` kept of them.
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
    levels : ndarray of shape (n,)
        In the units of the samples; NaN for a sample without a kept value, and the common value where all
        kept values are equal.
    errors : ndarray of shape (n,)
        ``d / sqrt(n)`` for the mean; for median and midpt half the distance between the order statistics
        ``sqrt(n) / 2`` to both sides of the middle (Woodruff 1952), which assumes no distribution; for mode that
        of an M-estimator, ``sqrt(sum psi**2) / |sum psi'|`` with the kernel's derivative as psi (Huber 1964); for
        binmode a law measured on Gaussian samples; for biweight and sextractor that of the sum of the influence
        functions of their parts (Hampel 1974), the median's with its Woodruff error. NaN without a kept value, 0
        where all are equal.

    Raises
    ------
    ValueError
        For a statistic that is not in `STATISTICS`.
    """
    if statistic not in _KERNELS:
        raise ValueError(f"statistic {statistic!r} is not one of {', '.join(STATISTICS)}")
    places = samples if isinstance(samples, Places) else Places.of([samples])
    out = np.empty((2, len(places.centres)))
    _KERNELS[statistic](
        places.table,
        places.like,
        places.centres,
        clipped.first,
        clipped.stop,
        clipped.mean,
        clipped.std,
        float(binwidth),
        out,
    )
    return out[0], out[1]


@subkernel
def _is_plain(pixels: Any, firsts: Any, stops: Any, stds: Any, binwidth: float, out: Any, k: int) -> bool:
    """Whether a sample has no kept value, or equal ones: its level and error are written then."""
    if stops[k] <= firsts[k]:
        out[0, k], out[1, k] = np.nan, np.nan
        return True
    kept = part(pixels, firsts[k], stops[k])
    if constant(kept, binwidth * stds[k]):
        out[0, k], out[1, k] = at(kept, kept.size // 2), 0.0
        return True
    return False


@kernel
def _mean(
    table: Any, like: Any, _centres: Any,
    firsts: Any, stops: Any, means: Any, stds: Any, binwidth: float, out: Any,
) -> None:  # fmt: skip
    for k in range(len(firsts)):
        pixels, _ = sample_at(table, k, like)
        if not _is_plain(pixels, firsts, stops, stds, binwidth, out, k):
            out[1, k] = stds[k] / np.sqrt(stops[k] - firsts[k])
        out[0, k] = means[k]


@kernel
def _median(
    table: Any, like: Any, _centres: Any,
    firsts: Any, stops: Any, _means: Any, stds: Any, binwidth: float, out: Any,
) -> None:  # fmt: skip
    for k in range(len(firsts)):
        pixels, _ = sample_at(table, k, like)
        if not _is_plain(pixels, firsts, stops, stds, binwidth, out, k):
            kept = part(pixels, firsts[k], stops[k])
            out[0, k], out[1, k] = middle(kept), median_error(kept, stds[k])


@kernel
def _midpt(
    table: Any, like: Any, _centres: Any,
    firsts: Any, stops: Any, _means: Any, stds: Any, binwidth: float, out: Any,
) -> None:  # fmt: skip
    for k in range(len(firsts)):
        pixels, _ = sample_at(table, k, like)
        if not _is_plain(pixels, firsts, stops, stds, binwidth, out, k):
            kept = part(pixels, firsts[k], stops[k])
            out[0, k], out[1, k] = midpoint(kept, binwidth * stds[k]), median_error(kept, stds[k])


@kernel
def _mode(
    table: Any, like: Any, _centres: Any,
    firsts: Any, stops: Any, _means: Any, stds: Any, binwidth: float, out: Any,
) -> None:  # fmt: skip
    smoothing = MODE_KERNEL_WIDTH / binwidth
    for k in range(len(firsts)):
        pixels, sums = sample_at(table, k, like)
        if not _is_plain(pixels, firsts, stops, stds, binwidth, out, k):
            kept = part(pixels, firsts[k], stops[k])
            start, width = np.float64(at(kept, 0)), binwidth * stds[k]
            counts = histogram(pixels, sums, firsts[k], stops[k], width)
            out[0, k] = start + width * smooth_peak(counts, smoothing)
            out[1, k] = width * peak_error(counts, (out[0, k] - start) / width, smoothing)


@kernel
def _binmode(
    table: Any, like: Any, _centres: Any,
    firsts: Any, stops: Any, _means: Any, stds: Any, binwidth: float, out: Any,
) -> None:  # fmt: skip
    for k in range(len(firsts)):
        pixels, sums = sample_at(table, k, like)
        if not _is_plain(pixels, firsts, stops, stds, binwidth, out, k):
            kept = part(pixels, firsts[k], stops[k])
            width = binwidth * stds[k]
            counts = histogram(pixels, sums, firsts[k], stops[k], width)
            out[0, k] = np.float64(at(kept, 0)) + width * parabola_peak(counts)
            out[1, k] = BINMODE_SCATTER * stds[k] * counts.max() ** -0.25


@kernel
def _biweight(
    table: Any, like: Any, centres: Any,
    firsts: Any, stops: Any, _means: Any, stds: Any, binwidth: float, out: Any,
) -> None:  # fmt: skip
    for k in range(len(firsts)):
        pixels, sums = sample_at(table, k, like)
        if not _is_plain(pixels, firsts, stops, stds, binwidth, out, k):
            first, stop = firsts[k], stops[k]
            kept = part(pixels, first, stop)
            about, reach = middle(kept), biweight_reach(kept)
            first, stop = within_reach(pixels, sums, first, stop, about, reach)
            out[0, k] = biweight(pixels, sums, first, stop, centres[k], about, reach)
            totals = biweight_sums(pixels, sums, first, stop, centres[k], about, reach)
            out[1, k] = biweight_error(kept, stds[k], about, reach, totals)


@kernel
def _sextractor(
    table: Any, like: Any, centres: Any,
    firsts: Any, stops: Any, means: Any, stds: Any, binwidth: float, out: Any,
) -> None:  # fmt: skip
    for k in range(len(firsts)):
        pixels, sums = sample_at(table, k, like)
        if not _is_plain(pixels, firsts, stops, stds, binwidth, out, k):
            first, stop = firsts[k], stops[k]
            kept = part(pixels, first, stop)
            about = middle(kept)
            if crowded(kept, means[k], stds[k]):
                out[0, k], out[1, k] = about, median_error(kept, stds[k])
            else:
                half = position_of(pixels, sums, stop, about, False)
                below = sums_between(pixels, sums, first, half, centres[k])[0]
                above = sums_between(pixels, sums, half, stop, centres[k])[0]
                shift = centres[k] - about
                deviation = (above - below + shift * (stop - 2 * half + first)) / (stop - first)
                out[0, k] = 2.5 * about - 1.5 * means[k]
                out[1, k] = sextractor_error(kept, stds[k], deviation)


_KERNELS = {
    "mode": _mode,
    "mean": _mean,
    "median": _median,
    "midpt": _midpt,
    "binmode": _binmode,
    "biweight": _biweight,
    "sextractor": _sextractor,
}
STATISTICS = tuple(_KERNELS)
"""The names of all statistics."""

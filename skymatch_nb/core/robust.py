"""The median of sorted values, the deviation from it, and the statistics that start from them: biweight, sextractor."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skymatch_nb.core.jit import kernel, subkernel
from skymatch_nb.core.ordered import BLOCK, HEAD, at, position_of, powers_between, powers_of, sums_between
from skymatch_nb.core.sample import Places, SampleSet, sample_at

MAD_TO_DEVIATION = 1.482602218505602
"""Deviation of Gaussian values in units of their median absolute deviation: 1 / Phi**-1(3/4)."""

BIWEIGHT_TUNING = 6.0
"""Median absolute deviations from the median at which the weight of ``biweight`` becomes 0."""

NARROW = 0.04
"""Part of the reach within which values side by side are taken together for the biweight's error."""

NEAR = 8.0
"""Reaches from the centre of prefix sums within which powers about a median follow from those about the centre."""

RUN = 16
"""Values side by side that are taken together where a whole block is too wide for that."""

CROWDED_SKEW = 0.3
"""Deviations by which mean and median must differ for ``sextractor`` to fall back on the median."""


def robust_moments(samples: SampleSet) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Median of every sample, and the deviation that its median absolute deviation means for Gaussian values.

    Both have shape (n,), NaN for a sample without a value.
    """
    places = Places.of([samples])
    medians, deviations = _robust_moments(places.table, places.like)
    return medians, MAD_TO_DEVIATION * deviations


@kernel
def _robust_moments(table: Any, like: Any) -> Any:
    count = len(table)
    medians, deviations = np.full(count, np.nan), np.full(count, np.nan)
    for k in range(count):
        sample, _ = sample_at(table, k, like)
        if sample.size:
            medians[k], deviations[k] = middle(sample), median_deviation(sample)
    return medians, deviations


@subkernel
def middle(kept: Any) -> float:
    """Median of sorted values, in double precision."""
    n = kept.size
    return float(0.5 * (np.float64(at(kept, (n - 1) // 2)) + np.float64(at(kept, n // 2))))


@subkernel
def crowded(kept: Any, mean: float, std: float) -> bool:
    """Whether mean and median differ by so much that ``sextractor`` takes the median."""
    return bool(abs(mean - middle(kept)) >= CROWDED_SKEW * std)


@subkernel
def median_deviation(kept: Any) -> float:
    """Median absolute deviation of sorted values from their median."""
    n, centre = kept.size, middle(kept)
    return float(0.5 * (_nearest(kept, centre, (n - 1) // 2) + _nearest(kept, centre, n // 2)))


@subkernel
def biweight_reach(kept: Any) -> float:
    """Distance from the median at which the weight of the biweight becomes 0; 0 where powers of it are too small."""
    reach = BIWEIGHT_TUNING * median_deviation(kept)
    return reach if reach > 0 and 1.0 / reach**5 < np.inf else 0.0


@kernel
def _nearest(kept: Any, centre: float, rank: int) -> float:
    """Absolute deviation from a centre that ``rank`` sorted values stay below.

    The ``rank + 1`` values nearest to the centre stand side by side: of all such windows it is the one whose larger
    end deviates least. Deviations fall at the left ends and grow at the right ends, so a binary search finds it.
    """
    first, stop = 0, kept.size - rank - 1
    while first < stop:
        window = (first + stop) // 2
        if centre - at(kept, window) > at(kept, window + rank) - centre:
            first = window + 1
        else:
            stop = window
    deviation = max(centre - at(kept, first), at(kept, first + rank) - centre)
    return float(min(deviation, centre - at(kept, first - 1)) if first > 0 else deviation)


@subkernel
def within_reach(pixels: Any, sums: Any, first: int, stop: int, centre: float, reach: float) -> Any:
    """First and last of pixels ``first:stop`` of a sample that lie within a reach of a centre."""
    low = position_of(pixels, sums, stop, centre - reach, False)
    return max(first, low), position_of(pixels, sums, stop, centre + reach, False)


@subkernel
def biweight(
    pixels: Any, sums: Any, first: int, stop: int, sums_centre: float, about: float, reach: float
) -> float:  # fmt: skip
    """Biweight location of pixels that lie within a reach of their median.

    It is the mean about the median ``about``, weighted (1 - u**2)**2, u the deviation over `biweight_reach`. Sums over
    polynomials of u follow from those of its powers, which prefix sums about ``sums_centre`` give.
    """
    if not reach > 0 or first >= stop:
        return about
    if abs(sums_centre - about) <= NEAR * reach:
        p1, p2, p3, p4, p5 = powers_between(pixels, sums, first, stop, sums_centre)
        p1, p2, p3, p4, p5 = _moved(stop - first, p1, p2, p3, p4, p5, sums_centre - about)
    else:
        p1, p2, p3, p4, p5 = powers_of(pixels, first, stop, about)
    square = 1.0 / (reach * reach)
    weights = (stop - first) - 2.0 * p2 * square + p4 * square * square
    return float(about + (p1 - 2.0 * p3 * square + p5 * square * square) / weights)


@kernel
def _moved(n: int, p1: float, p2: float, p3: float, p4: float, p5: float, by: float) -> Any:
    """Sums of powers of ``n`` deviations that all grow by a shift."""
    return (
        p1 + n * by,
        p2 + by * (2 * p1 + n * by),
        p3 + by * (3 * p2 + by * (3 * p1 + n * by)),
        p4 + by * (4 * p3 + by * (6 * p2 + by * (4 * p1 + n * by))),
        p5 + by * (5 * p4 + by * (10 * p3 + by * (10 * p2 + by * (5 * p1 + n * by)))),
    )


@subkernel
def biweight_sums(
    pixels: Any, sums: Any, first: int, stop: int, sums_centre: float, centre: float, reach: float
) -> Any:  # fmt: skip
    """Sums over pixels ``first:stop`` of a sample, which lie within the reach, for the biweight's error; nine numbers.

    With the deviation u from a centre in units of the reach, and the weight w = (1 - u**2)**2, those of w, wu, w**2,
    w**2 u, w**2 u**2, w sign(u), wu sign(u), u**2 (1 - u**2), and u (1 - u**2). Prefix sums are about ``sums_centre``.
    Blocks and runs of values that lie within `NARROW` of the reach count as two values, at their deviation to both
    sides of their mean: sums of smooth functions over them are right to the fourth power of their width.
    """
    total, scale = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0), 1.0 / reach
    width = NARROW * reach
    i = first
    while i < stop:
        size = _narrow(sums, i, stop, centre, width) if i % BLOCK == 0 else 1
        if size > 1:
            s1, s2 = sums_between(pixels, sums, i, i + size, sums_centre)
            total = _with_two(total, (sums_centre - centre + s1 / size) * scale, s1 / size, s2 / size, scale, size)
        else:
            size = min(RUN - i % RUN, stop - i)
            low, high = at(pixels, i), at(pixels, i + size - 1)
            if high - low <= width and (low >= centre or high < centre):
                s1, s2 = 0.0, 0.0
                for j in range(i, i + size):
                    beyond = np.float64(at(pixels, j)) - low
                    s1 += beyond
                    s2 += beyond * beyond
                total = _with_two(total, (low - centre + s1 / size) * scale, s1 / size, s2 / size, scale, size)
            else:
                for j in range(i, i + size):
                    total = _with_biweight(total, (at(pixels, j) - centre) * scale, 1.0)
        i += size
    return total


@subkernel
def _with_two(total: Any, u: float, mean: float, mean_square: float, scale: float, size: int) -> Any:
    """Sums with values about u that become two; their mean and mean square are those about whatever it is."""
    side = np.sqrt(max(mean_square - mean * mean, 0.0)) * scale
    return _with_biweight(_with_biweight(total, u - side, 0.5 * size), u + side, 0.5 * size)


@subkernel
def _with_biweight(total: Any, u: float, count: float) -> Any:
    """Sums of `biweight_sums` with a value that counts so many times; as a tuple they stay in registers."""
    part = 1.0 - u * u
    weight = count * part * part
    squared = weight * part * part
    signed = weight if u > 0 else -weight
    s0, s1, s2, s3, s4, s5, s6, s7, s8 = total
    return (
        s0 + weight,
        s1 + weight * u,
        s2 + squared,
        s3 + squared * u,
        s4 + squared * u * u,
        s5 + signed,
        s6 + signed * u,
        s7 + count * u * u * part,
        s8 + count * u * part,
    )


@subkernel
def _narrow(sums: Any, first: int, stop: int, centre: float, width: float) -> int:
    """How many values from ``first`` on, in whole blocks on one side of a centre, lie within a width; 1 for none."""
    low, size = sums[HEAD, first // BLOCK], 1
    end = centre if low < centre else np.inf
    following = BLOCK
    while first + following <= stop:
        high = sums[HEAD, (first + following) // BLOCK]
        if high - low > width or high >= end:
            break
        size = following
        following *= 2
    return size

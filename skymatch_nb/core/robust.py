"""The median of sorted values, the deviation from it, and the statistics that start from them: biweight, sextractor."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skymatch_nb.core.jit import kernel
from skymatch_nb.core.sample import BLOCK, SampleSet, position_of, sums_between

MAD_TO_DEVIATION = 1.482602218505602
"""Deviation of Gaussian values in units of their median absolute deviation: 1 / Phi**-1(3/4)."""

BIWEIGHT_TUNING = 6.0
"""Median absolute deviations from the median at which the weight of ``biweight`` becomes 0."""

NARROW = 0.005
"""Parts of the reach within which the values of a block are taken together."""

RUN = 16
"""Values side by side that are taken together where a whole block is too wide for that."""

CROWDED_SKEW = 0.3
"""Deviations by which mean and median must differ for ``sextractor`` to fall back on the median."""


def robust_moments(samples: SampleSet) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Median of every sample, and the deviation that its median absolute deviation means for Gaussian values.

    Both have shape (n,), NaN for a sample without a value.
    """
    medians, deviations = _robust_moments(samples.values, samples.offsets)
    return medians, MAD_TO_DEVIATION * deviations


@kernel
def _robust_moments(values: Any, offsets: Any) -> Any:
    count = len(offsets) - 1
    medians, deviations = np.full(count, np.nan), np.full(count, np.nan)
    for k in range(count):
        sample = values[offsets[k] : offsets[k + 1]]
        if len(sample):
            medians[k], deviations[k] = middle(sample), median_deviation(sample)
    return medians, deviations


@kernel
def middle(kept: Any) -> float:
    """Median of sorted values, in double precision."""
    n = len(kept)
    return float(0.5 * (np.float64(kept[(n - 1) // 2]) + np.float64(kept[n // 2])))


@kernel
def crowded(kept: Any, mean: float, std: float) -> bool:
    """Whether mean and median differ by so much that ``sextractor`` takes the median."""
    return bool(abs(mean - middle(kept)) >= CROWDED_SKEW * std)


@kernel
def median_deviation(kept: Any) -> float:
    """Median absolute deviation of sorted values from their median."""
    n, centre = len(kept), middle(kept)
    return float(0.5 * (_nearest(kept, centre, (n - 1) // 2) + _nearest(kept, centre, n // 2)))


@kernel
def biweight_reach(kept: Any) -> float:
    """Distance from the median at which the weight of the biweight becomes 0; 0 where it is too small to divide by."""
    reach = BIWEIGHT_TUNING * median_deviation(kept)
    return reach if reach > 0 and 1.0 / reach < np.inf else 0.0


@kernel
def _nearest(kept: Any, centre: float, rank: int) -> float:
    """Absolute deviation from a centre that ``rank`` sorted values stay below.

    The ``rank + 1`` values nearest to the centre stand side by side: of all such windows it is the one whose larger
    end deviates least. Deviations fall at the left ends and grow at the right ends, so a binary search finds it.
    """
    first, stop = 0, len(kept) - rank - 1
    while first < stop:
        window = (first + stop) // 2
        if centre - kept[window] > kept[window + rank] - centre:
            first = window + 1
        else:
            stop = window
    deviation = max(centre - kept[first], kept[first + rank] - centre)
    return float(min(deviation, centre - kept[first - 1]) if first > 0 else deviation)


@kernel
def biweight_sums(
    values: Any, sums: Any, first: int, stop: int, sums_centre: float, centre: float, reach: float
) -> Any:
    """Sums over ``values[first:stop]``, for the biweight and its error; nine numbers.

    With the deviation u from a centre in units of the reach, and the weight w = (1 - u**2)**2, those of w, wu, w**2,
    w**2 u, w**2 u**2, w sign(u), wu sign(u), u**2 (1 - u**2), and
    u (1 - u**2), of deviations below the reach. Prefix sums
    are about ``sums_centre``. Blocks and runs of values that lie within `NARROW` of the reach count as two
    values, at their deviation to both sides of their mean: sums of smooth functions over them are right to the fourth
    power of their width, 1e-10 and better.
    """
    first = max(first, position_of(values, sums, stop, centre - reach, False))
    stop = position_of(values, sums, stop, centre + reach, False)
    total, scale = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0), 1.0 / reach
    i = first
    while i < stop:
        size = _narrow(sums, i, stop, centre, NARROW * reach) if i % BLOCK == 0 else 1
        if size > 1:
            s1, s2 = sums_between(values, sums, i, i + size, sums_centre)
            total = _with_two(total, (sums_centre - centre + s1 / size) * scale, s1 / size, s2 / size, scale, size)
        else:
            size = min(RUN - i % RUN, stop - i)
            low, high = values[i], values[i + size - 1]
            if high - low <= NARROW * reach and (low >= centre or high < centre):
                s1, s2 = 0.0, 0.0
                for j in range(i, i + size):
                    beyond = np.float64(values[j]) - low
                    s1 += beyond
                    s2 += beyond * beyond
                total = _with_two(total, (low - centre + s1 / size) * scale, s1 / size, s2 / size, scale, size)
            else:
                for j in range(i, i + size):
                    total = _with_biweight(total, (values[j] - centre) * scale, 1.0)
        i += size
    return total


@kernel
def _with_two(total: Any, u: float, mean: float, mean_square: float, scale: float, size: int) -> Any:
    """Sums with values about u that become two; their mean and mean square are those about whatever it is."""
    side = np.sqrt(max(mean_square - mean * mean, 0.0)) * scale
    return _with_biweight(_with_biweight(total, u - side, 0.5 * size), u + side, 0.5 * size)


@kernel
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


@kernel
def _narrow(sums: Any, first: int, stop: int, centre: float, width: float) -> int:
    """How many values from ``first`` on, in whole blocks on one side of a centre, lie within a width; 1 for none."""
    low, size = sums[first // BLOCK, 2], 1
    end = centre if low < centre else np.inf
    following = BLOCK
    while first + following <= stop:
        high = sums[(first + following) // BLOCK, 2]
        if high - low > width or high >= end:
            break
        size = following
        following *= 2
    return size


@kernel
def biweight(about: float, reach: float, sums: Any) -> float:
    """Biweight location: one mean about the median, weighted (1 - u**2)**2, u the deviation over `biweight_reach`.

    ``about`` is the median, ``sums`` as from `biweight_sums`.
    """
    return about + reach * sums[1] / sums[0] if reach > 0 else about

"""The median of sorted values, and the statistics that start from it: Tukey's biweight and SExtractor's mode."""

from typing import Any

import numpy as np

from skymatch_nb.core.jit import kernel
from skymatch_nb.core.sample import first_not_below

BIWEIGHT_TUNING = 6.0
"""Median absolute deviations from the median at which the weight of ``biweight`` becomes 0."""

CROWDED_SKEW = 0.3
"""Deviations by which mean and median must differ for ``sextractor`` to fall back on the median."""


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
def biweight_reach(kept: Any) -> float:
    """Distance from the median at which the weight of the biweight becomes 0."""
    n, centre = len(kept), middle(kept)
    low, high = _nearest(kept, centre, (n - 1) // 2), _nearest(kept, centre, n // 2)
    return BIWEIGHT_TUNING * 0.5 * (low + high)


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
def biweight(kept: Any) -> float:
    """Biweight location: one mean about the median, weighted (1 - u**2)**2, u the deviation over `biweight_reach`."""
    centre, reach = middle(kept), biweight_reach(kept)
    if reach == 0:
        return centre
    moment, total = 0.0, 0.0
    for i in range(first_not_below(kept, 0, len(kept), centre - reach), len(kept)):
        deviation = kept[i] - centre
        if deviation >= reach:
            break
        weight = (1.0 - (deviation / reach) ** 2) ** 2
        moment += weight * deviation
        total += weight
    return centre + moment / total

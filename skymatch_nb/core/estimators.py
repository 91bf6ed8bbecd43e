"""Levels of clipped, sorted samples that come from their histograms: mode, binmode and midpt.

Histograms have bins of ``binwidth * d``, d the ddof=1 deviation of the kept values, and start at the smallest
of them; since the values are sorted, a bin is found by binary search and no pixel is read twice.
"""

from typing import Any

import numpy as np

from skymatch_nb.core.jit import subkernel
from skymatch_nb.core.ordered import BLOCK, HEAD, at, part

MODE_KERNEL_WIDTH = 1.0
"""Gaussian width, in deviations of the kept values, of the kernel that smooths the histogram for ``mode``.

Measured (docs/method.md): at 1.0 the peak of 100,000 Gaussian values scatters by 0.004 deviations where that of
the plain histogram scatters by 0.1, and skewed samples still give less than their median; narrower kernels
follow the noise where a galaxy's slope makes the histogram flat.
"""


@subkernel
def constant(kept: Any, width: float) -> bool:
    """Whether sorted values are all equal, or so nearly that bins of this width cannot tell them apart."""
    return bool(at(kept, 0) == at(kept, kept.size - 1) or not width > 0)


@subkernel
def _bin(kept: Any, i: int, width: float) -> int:
    return int(np.floor((np.float64(at(kept, i)) - np.float64(at(kept, 0))) / width))


@subkernel
def _bin_start(kept: Any, index: int, width: float, first: int) -> int:
    """Position of the first value, from ``first`` on, whose bin is not below ``index``."""
    stop = kept.size
    while first < stop:
        middle = (first + stop) // 2
        if _bin(kept, middle, width) < index:
            first = middle + 1
        else:
            stop = middle
    return first


@subkernel
def histogram(pixels: Any, sums: Any, first: int, stop: int, width: float) -> Any:
    """Counts of pixels ``first:stop`` of a sorted sample in bins of a width, the first bin starting at the smallest.

    Bins are found by comparing values with their edges, and where rounding of the bin's number matters by that number.
    """
    kept = part(pixels, first, stop)
    n = kept.size
    nbins = _bin(kept, n - 1, width) + 1
    counts = np.zeros(nbins, np.float64)
    if nbins * 16 < n:
        ends = _ends(pixels, sums, first, stop, width, nbins)
        before = 0
        for index in range(nbins):
            end = ends[index]
            if _bin(kept, end - 1, width) > index or (end < n and _bin(kept, end, width) <= index):
                end = _bin_start(kept, index + 1, width, before)
            counts[index] = end - before
            before = end
    else:
        for i in range(n):
            counts[_bin(kept, i, width)] += 1
    return counts


@subkernel
def _ends(pixels: Any, sums: Any, first: int, stop: int, width: float, nbins: int) -> Any:
    """Numbers of values in ``first:stop`` of a sorted sample that lie below the upper edge of each bin.

    All edges are sought together, one halving of their blocks after another, so that they wait for memory together.
    """
    start = np.float64(at(pixels, first))
    places = np.empty(nbins, np.int64)
    block, last = first // BLOCK, (stop - 1) // BLOCK
    for index in range(nbins):
        block = _block_before(sums, block, last, start + (index + 1) * width)
        places[index] = block * BLOCK + 1
    half = BLOCK // 2
    while half > 0:
        for index in range(nbins):
            place = places[index] + half
            below = at(pixels, min(place, stop) - 1) < start + (index + 1) * width
            places[index] += half * int(below & (place <= stop))
        half //= 2
    return places - first


@subkernel
def _block_before(sums: Any, block: int, last: int, edge: float) -> int:
    """Last block from ``block`` up to ``last`` whose first value is below an edge; that of ``block`` is."""
    step = 1
    while block + step <= last and sums[HEAD, block + step] < edge:
        block += step
        step *= 2
    while step > 0:
        if block + step <= last and sums[HEAD, block + step] < edge:
            block += step
        step //= 2
    return block


@subkernel
def midpoint(kept: Any, width: float) -> float:
    """Where the cumulative histogram of sorted values, interpolated linearly, reaches one half."""
    half = 0.5 * kept.size
    index = _bin(kept, int(np.ceil(half)) - 1, width)
    below = _bin_start(kept, index, width, 0)
    within = _bin_start(kept, index + 1, width, below) - below
    return float(np.float64(at(kept, 0)) + width * (index + (half - below) / within))


@subkernel
def parabola_peak(counts: Any) -> float:
    """Position of the highest bin in bins, refined by the parabola through it and its neighbours."""
    peak = int(np.argmax(counts))
    if peak == 0 or peak == len(counts) - 1:
        return peak + 0.5
    left, top, right = counts[peak - 1], counts[peak], counts[peak + 1]
    curvature = 2.0 * top - left - right
    return peak + 0.5 + (0.5 * (right - left) / curvature if curvature > 0 else 0.0)


@subkernel
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


@subkernel
def _height(counts: Any, at: float, width: float) -> float:
    """Height of the smoothed histogram; the Gaussian at bin after bin is a product, which is faster than exp."""
    first = max(0, int(at - 5.0 * width))
    stop = min(len(counts), int(at + 5.0 * width) + 2)
    u, step = (first + 0.5 - at) / width, 1.0 / width
    weight, ratio, change = np.exp(-0.5 * u * u), np.exp(-step * (u + 0.5 * step)), np.exp(-step * step)
    height = 0.0
    for index in range(first, stop):
        height += counts[index] * weight
        weight *= ratio
        ratio *= change
    return height


@subkernel
def smooth_peak(counts: Any, width: float) -> float:
    """Position in bins of the highest peak of the smoothed histogram (the lowest of equal ones)."""
    steps = max(2, int(np.ceil(len(counts) / (0.25 * width))))
    step = len(counts) / steps
    best, at = -1.0, 0.0
    for i in range(steps + 1):
        height = _height(counts, i * step, width)
        if height > best:
            best, at = height, i * step
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

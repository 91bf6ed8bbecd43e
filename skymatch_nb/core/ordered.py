"""Sorted pixels of one sample as kernels see them, with prefix sums: any part of them is found and summed in a moment.

Sums of the first five powers of v - c, c the sample's median, are kept at every `BLOCK` sorted pixels and run outwards
from the median, so that far outliers do not cost precision in the core of the distribution.
"""

from typing import Any, NamedTuple

import numpy as np

from skymatch_nb.core.jit import subkernel, summing

BLOCK = 128

HEAD = 0
"""Row of prefix sums with the value at every block's start; row k has the sums of the k-th power."""

ROWS = 6
"""Rows of prefix sums."""


class Ordered(NamedTuple):
    """Pixels ``first:first + size`` of a sorted sample.

    Values are ``stored`` one for each pixel, but from pixel ``core`` to pixel ``beyond`` of the sample only one for
    ``2**shift`` pixels side by side. A sample with a value for each has them both at its end.
    """

    stored: Any
    first: int
    size: int
    core: int
    beyond: int
    shift: int


@subkernel
def at(pixels: Any, i: int) -> Any:
    """Value of pixel ``i``."""
    place = pixels.first + i
    if place >= pixels.core:
        place = _place(pixels, place)
    return pixels.stored[place]


@subkernel
def _place(pixels: Any, pixel: int) -> int:
    if pixel < pixels.beyond:
        return int(pixels.core + ((pixel - pixels.core) >> pixels.shift))
    shared = pixels.beyond - pixels.core
    return int(pixel - shared + stored_for(shared, pixels.shift))


@subkernel
def stored_for(count: int, shift: int) -> int:
    """Number of values that are stored for so many pixels, of which ``2**shift`` share one."""
    return (count + (1 << shift) - 1) >> shift


@subkernel
def part(pixels: Any, first: int, stop: int) -> Any:
    """Pixels ``first:stop`` of some that are sorted."""
    return Ordered(
        pixels.stored, pixels.first + first, stop - first, pixels.core, pixels.beyond, pixels.shift
    )  # fmt: skip


@subkernel
def put_sums(pixels: Any, sums: Any) -> float:
    """Write the prefix sums of a sample, shape (ROWS, n // BLOCK + 1); return what they are centred on."""
    n = pixels.size
    centre = np.float64(at(pixels, n // 2)) if n > 0 else 0.0
    blocks = n // BLOCK
    middle = blocks // 2
    for block in range(blocks + 1):
        sums[HEAD, block] = at(pixels, block * BLOCK) if block * BLOCK < n else np.inf
    sums[1:, middle] = 0.0
    for block in range(middle, blocks):
        powers = powers_of(pixels, block * BLOCK, (block + 1) * BLOCK, centre)
        for k in range(1, ROWS):
            sums[k, block + 1] = sums[k, block] + powers[k - 1]
    for block in range(middle - 1, -1, -1):
        powers = powers_of(pixels, block * BLOCK, (block + 1) * BLOCK, centre)
        for k in range(1, ROWS):
            sums[k, block] = sums[k, block + 1] - powers[k - 1]
    return centre


@summing
def powers_of(pixels: Any, first: int, stop: int, centre: float) -> Any:
    """Sums of the first five powers of ``v - centre``, pixel by pixel, or by those that share a value."""
    s1, s2, s3, s4, s5 = 0.0, 0.0, 0.0, 0.0, 0.0
    for i in range(first, min(stop, pixels.core)):
        d = pixels.stored[i] - centre
        squared = d * d
        s1 += d
        s2 += squared
        s3 += squared * d
        s4 += squared * squared
        s5 += squared * squared * d
    i = max(first, pixels.core)
    while i < stop:
        count, place = _sharing(pixels, i, stop)
        d = pixels.stored[place] - centre
        s1 += count * d
        s2 += count * d * d
        s3 += count * d * d * d
        s4 += count * d * d * d * d
        s5 += count * d * d * d * d * d
        i += count
    return s1, s2, s3, s4, s5


@subkernel
def _sharing(pixels: Any, i: int, stop: int) -> Any:
    """How many pixels from ``i`` on, up to ``stop``, share a value, and its place."""
    place = _place(pixels, i)
    if i >= pixels.beyond:
        return 1, place
    end = pixels.core + ((place + 1 - pixels.core) << pixels.shift)
    return min(stop, pixels.beyond, end) - i, place


@summing
def _sums(pixels: Any, first: int, stop: int, centre: float) -> Any:
    """The first two of `powers_of`."""
    s1, s2 = 0.0, 0.0
    for i in range(first, min(stop, pixels.core)):
        d = pixels.stored[i] - centre
        s1 += d
        s2 += d * d
    i = max(first, pixels.core)
    while i < stop:
        count, place = _sharing(pixels, i, stop)
        d = pixels.stored[place] - centre
        s1 += count * d
        s2 += count * d * d
        i += count
    return s1, s2


@subkernel
def position_of(pixels: Any, sums: Any, n: int, limit: float, above: bool) -> int:
    """Position in a sample of the first of its ``n`` values that is not below a limit, or is ``above`` it.

    The block is sought among the values at block boundaries, then the place in it: pages that are far apart in memory
    take longer to reach than all else.
    """
    first, count = 0, (n + BLOCK - 1) // BLOCK
    while count > 0:
        half = count // 2
        head = sums[HEAD, first + half]
        before = head < limit or (above and head == limit)
        first = first + half + 1 if before else first
        count = count - half - 1 if before else half
    stop = min(first * BLOCK, n)
    place = max((first - 1) * BLOCK, 0)
    count = stop - place
    while count > 0:
        half = count // 2
        value = at(pixels, place + half)
        before = value < limit or (above and value == limit)
        place = place + half + 1 if before else place
        count = count - half - 1 if before else half
    return place


@subkernel
def sums_between(pixels: Any, sums: Any, first: int, stop: int, centre: float) -> Any:
    """Sums of ``v - centre`` and of its square over pixels ``first:stop`` of a sample."""
    begin, end = (first + BLOCK - 1) // BLOCK, stop // BLOCK
    if begin >= end:
        return _sums(pixels, first, stop, centre)
    head1, head2 = _sums(pixels, first, begin * BLOCK, centre)
    tail1, tail2 = _sums(pixels, end * BLOCK, stop, centre)
    return head1 + tail1 + sums[1, end] - sums[1, begin], head2 + tail2 + sums[2, end] - sums[2, begin]


@subkernel
def powers_between(pixels: Any, sums: Any, first: int, stop: int, centre: float) -> Any:
    """Sums of the first five powers of ``v - centre`` over pixels ``first:stop`` of a sample."""
    begin, end = (first + BLOCK - 1) // BLOCK, stop // BLOCK
    if begin >= end:
        return powers_of(pixels, first, stop, centre)
    h1, h2, h3, h4, h5 = powers_of(pixels, first, begin * BLOCK, centre)
    t1, t2, t3, t4, t5 = powers_of(pixels, end * BLOCK, stop, centre)
    return (
        h1 + t1 + sums[1, end] - sums[1, begin],
        h2 + t2 + sums[2, end] - sums[2, begin],
        h3 + t3 + sums[3, end] - sums[3, begin],
        h4 + t4 + sums[4, end] - sums[4, begin],
        h5 + t5 + sums[5, end] - sums[5, begin],
    )

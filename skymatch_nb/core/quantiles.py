"""Samples of very many pixels, which are counted in narrow bins instead of sorted, and kept as quantiles.

Within `REACH` deviations of the middle bins are some ten-thousandths of a deviation wide, and so many pixels side by
side share their mean as will leave `QUANTILES` values. The few pixels beyond, where limits of clipping mostly lie, are
kept as they are.
"""

from collections.abc import Iterable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from skymatch_nb.core.jit import kernel
from skymatch_nb.core.ordered import stored_for
from skymatch_nb.core.robust import robust_moments
from skymatch_nb.core.sample import SampleSet, joined, sorted_samples, taken_samples, with_sums

LARGE = 2**20
"""Good pixels above which a sample is kept as quantiles."""

QUANTILES = 2**18
"""At most so many values are kept of those inside the bins."""

BINS_PER_DEVIATION = 2**12
"""Bins in one deviation, at least, and at most twice as many."""

REACH = 3.0
"""Deviations to which bins go on each side of the middle."""

BEYOND = 4
"""At most this part of the pixels may lie beyond the bins."""


ENDS = 256
"""Pixels at both ends of the bins that have a value each, at least: histograms begin at the smallest."""


class PixelSource(Protocol):
    """Where the pixels of several samples come from: at most ``sizes`` of them, of a floating type."""

    @property
    def sizes(self) -> list[int]:
        """Number of pixels of every sample, or more."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the pixels, float32 or float64."""

    def take(self, k: int, out: NDArray[Any]) -> NDArray[Any]:
        """Put all pixels of sample ``k`` at the start of an array that has room, and return that part."""

    def pieces(self, k: int) -> Iterable[NDArray[Any]]:
        """Pixels of sample ``k`` in pieces that are used one after another, and may share memory."""

    def probe(self, k: int) -> NDArray[Any]:
        """Some pixels of sample ``k``, from all over it."""


PIECE = 2**16
"""Pixels that are used at once, which the processor's cache holds until they are counted."""

PROBE = 2**17
"""Pixels, about, that tell where most of a sample lie."""


def take_samples(source: PixelSource) -> SampleSet:
    """Samples from a source: those of more than `LARGE` pixels as quantiles, others with all their pixels."""
    if max(source.sizes, default=0) <= LARGE:
        return taken_samples(source.sizes, source.dtype, source.take)
    return joined([take_sample(source, k) for k in range(len(source.sizes))])


def take_sample(source: PixelSource, k: int) -> SampleSet:
    """Sample ``k`` of a source alone."""
    size = source.sizes[k]
    sample = _counted(source.probe(k), source.pieces(k), size) if size > LARGE else None
    if sample is None:
        sample = taken_samples([size], source.dtype, lambda _, out: source.take(k, out))
        sample = _shared(sample) if sample.npix[0] > LARGE else sample
    return sample


def kept_values(size: int) -> int:
    """Number of values that are kept of a sample of at most so many pixels, but for those far from the others."""
    return QUANTILES if size > LARGE else size


def _counted(probe: NDArray[Any], pieces: Iterable[NDArray[Any]], most: int) -> SampleSet | None:
    """Quantiles of the finite values of some pieces; ``probe`` tells where most of them lie.

    Within a bin values are taken to be spread evenly, unless all are multiples of the bins' width, which is a power of
    two (as integers are): those are counted exactly.

    Returns None where there are not more than `LARGE`, or where bins do not suit them: most are equal, or many lie far
    from the others.
    """
    start, scale, nbins = _bins(probe)
    if not nbins:
        return None
    counts, beyond = np.zeros(nbins, np.uint32), np.empty(most // BEYOND, probe.dtype)
    used, between = 0, False
    for piece in pieces:
        used, off_grid = _count(piece, start, scale, counts, beyond, used)
        between = between or off_grid
        if used > len(beyond):
            return None
    if int(counts.sum(dtype=np.int64)) + used <= LARGE:
        return None
    far = np.sort(beyond[:used])
    core = int(np.searchsorted(far, start / scale))
    first, stop = _without_ends(counts)
    below, above = (_at_middles(counts, start, scale, part, probe.dtype) for part in (slice(first), slice(stop, None)))
    counts[:first] = counts[stop:] = 0
    inside = int(counts.sum(dtype=np.int64))
    shift = _shift(inside)
    shared = np.empty(stored_for(inside, shift), probe.dtype)
    _draw(counts, start, scale, between, 1 << shift, shared)
    return _with_shared(
        np.concatenate([far[:core], below]), shared, np.concatenate([above, far[core:]]), inside, shift
    )  # fmt: skip


def _without_ends(counts: NDArray[np.uint32]) -> tuple[int, int]:
    """Bins left when the outermost `ENDS` pixels are taken from both sides."""
    total = np.cumsum(counts, dtype=np.int64)
    return int(np.searchsorted(total, ENDS)) + 1, int(np.searchsorted(total, total[-1] - ENDS, side="right"))


def _at_middles(
    counts: NDArray[np.uint32], start: float, scale: float, part: slice, dtype: np.dtype[Any]
) -> NDArray[Any]:  # fmt: skip
    """Each pixel of some bins, at the bin's middle."""
    middles = (start + np.arange(len(counts))) / scale
    return np.repeat(middles[part], counts[part]).astype(dtype)


def _shared(samples: SampleSet) -> SampleSet:
    """One sorted sample as quantiles; a quarter of the pixels that it may keep stays as it is at both ends."""
    values, ends = samples.values, QUANTILES // 4
    inside = values[ends:-ends]
    shift = _shift(len(inside))
    starts = np.arange(0, len(inside), 1 << shift)
    sizes = np.diff(np.append(starts, len(inside)))
    shared = (np.add.reduceat(inside, starts, dtype=np.float64) / sizes).astype(values.dtype)
    return _with_shared(values[:ends], shared, values[-ends:], len(inside), shift)


def _with_shared(
    below: NDArray[Any], shared: NDArray[Any], above: NDArray[Any], inside: int, shift: int
) -> SampleSet:  # fmt: skip
    """One sample whose ``inside`` pixels share values."""
    values = np.concatenate([below, shared, above])
    core, beyond = len(below), len(below) + inside
    return with_sums(values, np.array([0, len(values)]), np.array([[beyond + len(above), core, beyond, shift]]))


def _shift(count: int) -> int:
    """Smallest s with which ``2**s`` of so many pixels side by side leave at most `QUANTILES` values."""
    shift = 0
    while stored_for(count, shift) > QUANTILES:
        shift += 1
    return shift


def _bins(probe: NDArray[Any]) -> tuple[float, float, int]:
    """Number of the first bin, bins per unit (a power of two), and how many there are; none without a deviation."""
    (median,), (deviation,) = robust_moments(sorted_samples([probe]))
    if not deviation > 0:
        return 0.0, 0.0, 0
    scale = 2.0 ** np.ceil(np.log2(BINS_PER_DEVIATION / deviation))
    reach = np.rint(REACH * deviation * scale)
    return float(np.rint(median * scale) - reach), float(scale), int(2 * reach) + 1


@kernel
def _count(values: Any, start: float, scale: float, counts: Any, beyond: Any, used: int) -> Any:
    """Count values in bins, put those beyond them, and return how many there are and whether any is off the grid.

    One more than there is room for means that they are too many.
    """
    between = False
    for i in range(len(values)):
        place = np.float64(values[i]) * scale - start + 0.5
        if place >= 0 and place < len(counts):
            index = int(place)
            counts[index] += 1
            between |= place != index + 0.5
        elif np.isfinite(values[i]):
            if used == len(beyond):
                return used + 1, between
            beyond[used] = values[i]
            used += 1
    return used, between


@kernel
def _draw(counts: Any, start: float, scale: float, between: bool, size: int, values: Any) -> None:
    """Means of ``size`` values side by side each, counted in bins and spread evenly in them, or at their middle."""
    done, total, room = 0, 0.0, size
    spread = 1.0 / scale if between else 0.0
    for index in range(len(counts)):
        low, count = (start + index) / scale - 0.5 * spread, int(counts[index])
        taken = 0
        while taken < count:
            more = room if room < count - taken else count - taken
            total += more * (low + spread * (taken + 0.5 * more) / count)
            taken, room = taken + more, room - more
            if room == 0:
                values[done] = total / size
                done, total, room = done + 1, 0.0, size
    if room < size:
        values[done] = total / (size - room)

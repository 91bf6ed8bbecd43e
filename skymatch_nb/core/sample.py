"""Pixels sorted once, with prefix sums: clipped moments under any limits in microseconds.

Sums of (v - c) and (v - c)^2, c the sample's median, are kept at every `BLOCK` sorted values and run
outwards from the median, so that far outliers do not cost precision in the core of the distribution.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Self, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skymatch_nb.core.jit import array_at, kernel

BLOCK = 128

_SUMS = np.zeros(0)

Take: TypeAlias = Callable[[int, NDArray[Any]], NDArray[Any]]
"""Puts sample k at the start of an array that has room for it, and returns that part."""


@dataclass(frozen=True, eq=False)
class SampleSet:
    """Sorted samples of one member, one after another in one array.

    Attributes
    ----------
    values
        All samples, each in ascending order, finite; float32 or float64.
    offsets
        Sample k is ``values[offsets[k]:offsets[k + 1]]``; shape (n + 1,).
    centres
        The value that each sample's prefix sums are centred on; shape (n,).
    block_offsets
        Where the prefix sums of each sample start in ``sums``; shape (n + 1,).
    sums
        Prefix sums of ``v - centre`` and ``(v - centre)**2`` at block boundaries, and the value there (infinite where
        no more follow); shape (m, 3). Searches begin with these values, which stay in the processor's cache.
    """

    values: NDArray[Any]
    offsets: NDArray[np.int64]
    centres: NDArray[np.float64]
    block_offsets: NDArray[np.int64]
    sums: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.centres)

    def sample(self, k: int) -> NDArray[Any]:
        """Return the sorted values of sample ``k``."""
        return self.values[self.offsets[k] : self.offsets[k + 1]]

    @property
    def npix(self) -> NDArray[np.int64]:
        """Number of pixels of each sample, shape (n,)."""
        return np.diff(self.offsets)


@dataclass(frozen=True, eq=False)
class Clipped:
    """The kept part of every sample of a set: positions ``first:stop`` in it, its mean and ddof=1 deviation."""

    first: NDArray[np.int64]
    stop: NDArray[np.int64]
    mean: NDArray[np.float64]
    std: NDArray[np.float64]

    @property
    def npix(self) -> NDArray[np.int64]:
        """Number of kept pixels of each sample, shape (n,)."""
        return self.stop - self.first


def sorted_samples(samples: Sequence[NDArray[Any]]) -> SampleSet:
    """Sort copies of samples (1-D floating arrays), drop non-finite values, add prefix sums."""

    def take(k: int, out: NDArray[Any]) -> NDArray[Any]:
        part = out[: len(samples[k])]
        part[:] = samples[k]
        return part

    dtype = np.result_type(*samples) if samples else np.dtype(np.float32)
    return taken_samples([len(sample) for sample in samples], dtype, take)


def taken_samples(sizes: Sequence[int], dtype: np.dtype[Any], take: Take) -> SampleSet:
    """Set of samples that are put, and sorted, where they stay; each has at most the number of values of ``sizes``."""
    values = np.empty(sum(sizes), dtype)
    offsets = np.zeros(len(sizes) + 1, np.int64)
    for k in range(len(sizes)):
        offsets[k + 1] = offsets[k] + _sort_finite(take(k, values[offsets[k] :]))
    values = values[: offsets[-1]]
    block_offsets = np.append(0, np.cumsum(np.diff(offsets) // BLOCK + 1))
    centres, sums = np.zeros(len(sizes)), np.zeros((block_offsets[-1], 3))
    _prefix_sums(values, offsets, centres, block_offsets, sums)
    return SampleSet(values, offsets, centres, block_offsets, sums)


def with_places(sets: Sequence[SampleSet], values: NDArray[Any], sums: NDArray[np.float64]) -> SampleSet:
    """Return all samples of several sets in one, of which the values and sums, one after another, are given."""

    def ends(of_sets: list[NDArray[np.int64]]) -> NDArray[np.int64]:
        lengths = [np.zeros(1, np.int64), *(np.diff(places) for places in of_sets)]
        return np.cumsum(np.concatenate(lengths), dtype=np.int64)

    centres = np.concatenate([np.zeros(0), *(s.centres for s in sets)])
    return SampleSet(values, ends([s.offsets for s in sets]), centres, ends([s.block_offsets for s in sets]), sums)


@dataclass(frozen=True, eq=False)
class Places:
    """Where the samples of several sets, one after another, lie in memory.

    Kernels get all of them at once, so that threads need not wait for each other between samples.

    Attributes
    ----------
    table
        Address and number of each sample's values, address and number of rows of its prefix sums; shape (n, 4).
    centres
        As those of `SampleSet`, shape (n,).
    like
        An empty array of the type of the values.
    sets
        The sets, which must live as long as the addresses are used.
    """

    table: NDArray[np.int64]
    centres: NDArray[np.float64]
    like: NDArray[Any]
    sets: tuple[SampleSet, ...]

    @classmethod
    def of(cls, sets: Sequence[SampleSet]) -> Self:
        """Places of sets whose values are of one type.

        Raises
        ------
        ValueError
            Where there are several.
        """
        types = {samples.values.dtype for samples in sets} or {np.dtype(np.float32)}
        if len(types) > 1:
            raise ValueError(f"samples of {len(types)} types cannot be taken together")
        like = np.zeros(0, types.pop())
        tables = [_table(samples) for samples in sets]
        table = np.concatenate(tables) if tables else np.zeros((0, 4), np.int64)
        return cls(table, np.concatenate([np.zeros(0), *(s.centres for s in sets)]), like, tuple(sets))


def _table(samples: SampleSet) -> NDArray[np.int64]:
    starts, blocks = samples.offsets, samples.block_offsets
    table = np.empty((len(samples), 4), np.int64)
    table[:, 0] = starts[:-1] * samples.values.itemsize + samples.values.ctypes.data
    table[:, 2] = blocks[:-1] * samples.sums.strides[0] + samples.sums.ctypes.data
    np.subtract(starts[1:], starts[:-1], out=table[:, 1])
    np.subtract(blocks[1:], blocks[:-1], out=table[:, 3])
    return table


def clip(
    samples: SampleSet | Places,
    lower: ArrayLike | None = None,
    upper: ArrayLike | None = None,
    nclip: int = 5,
    lsigma: float = 4.0,
    usigma: float = 4.0,
) -> Clipped:
    """Clip every sample iteratively about its mean.

    Start with the values in [lower, upper], each one number or one per sample; ``nclip`` times take their mean m
    and ddof=1 deviation d and keep, of all the values, those in [max(lower, m - lsigma d), min(upper, m + usigma
    d)]. A sample that loses every value has ``npix`` 0.
    """
    places = samples if isinstance(samples, Places) else Places.of([samples])
    count = len(places.centres)
    limits = np.empty((2, count))
    limits[0] = -np.inf if lower is None else lower
    limits[1] = np.inf if upper is None else upper
    positions, moments = np.empty((2, count), np.int64), np.empty((2, count))
    _clip(places.table, places.like, places.centres, limits, nclip, float(lsigma), float(usigma), positions, moments)
    return Clipped(positions[0], positions[1], moments[0], moments[1])


def _sort_finite(sample: NDArray[Any]) -> int:
    """Sort a sample with its finite values first, and return their number."""
    sample.sort()
    first = int(np.searchsorted(sample, -np.inf, side="right"))
    stop = int(np.searchsorted(sample, np.inf, side="left"))
    if first:
        sample[: stop - first] = sample[first:stop].copy()
    return stop - first


@kernel
def _prefix_sums(values: Any, offsets: Any, centres: Any, block_offsets: Any, sums: Any) -> None:
    for k in range(len(centres)):
        n, base, at = offsets[k + 1] - offsets[k], offsets[k], block_offsets[k]
        if n > 0:
            centres[k] = values[base + n // 2]
        blocks = n // BLOCK
        middle = blocks // 2
        for block in range(blocks + 1):
            sums[at + block, 2] = values[base + block * BLOCK] if block * BLOCK < n else np.inf
        for block in range(middle, blocks):
            s1, s2 = 0.0, 0.0
            for i in range(base + block * BLOCK, base + (block + 1) * BLOCK):
                deviation = values[i] - centres[k]
                s1 += deviation
                s2 += deviation * deviation
            sums[at + block + 1, 0] = sums[at + block, 0] + s1
            sums[at + block + 1, 1] = sums[at + block, 1] + s2
        for block in range(middle - 1, -1, -1):
            s1, s2 = 0.0, 0.0
            for i in range(base + block * BLOCK, base + (block + 1) * BLOCK):
                deviation = values[i] - centres[k]
                s1 += deviation
                s2 += deviation * deviation
            sums[at + block, 0] = sums[at + block + 1, 0] - s1
            sums[at + block, 1] = sums[at + block + 1, 1] - s2


@kernel
def position_of(values: Any, sums: Any, n: int, limit: float, above: bool) -> int:
    """Position in a sample of the first of its ``n`` values that is not below a limit, or is ``above`` it.

    The block is sought among the values at block boundaries, then the place in it: pages that are far apart in memory
    take longer to reach than all else.
    """
    first, count = 0, (n + BLOCK - 1) // BLOCK
    while count > 0:
        half = count // 2
        head = sums[first + half, 2]
        before = head < limit or (above and head == limit)
        first = first + half + 1 if before else first
        count = count - half - 1 if before else half
    stop = min(first * BLOCK, n)
    place = max((first - 1) * BLOCK, 0)
    count = stop - place
    while count > 0:
        half = count // 2
        value = values[place + half]
        before = value < limit or (above and value == limit)
        place = place + half + 1 if before else place
        count = count - half - 1 if before else half
    return place


@kernel
def sums_between(values: Any, sums: Any, first: int, stop: int, centre: float) -> Any:
    """Sums of ``v - centre`` and of its square over ``values[first:stop]``."""
    begin, end = (first + BLOCK - 1) // BLOCK, stop // BLOCK
    s1, s2 = 0.0, 0.0
    head, tail = stop, stop
    if begin < end:
        s1 = sums[end, 0] - sums[begin, 0]
        s2 = sums[end, 1] - sums[begin, 1]
        head, tail = begin * BLOCK, end * BLOCK
    for i in range(first, head):
        deviation = values[i] - centre
        s1 += deviation
        s2 += deviation * deviation
    for i in range(tail, stop):
        deviation = values[i] - centre
        s1 += deviation
        s2 += deviation * deviation
    return s1, s2


@kernel
def _moments(values: Any, sums: Any, first: int, stop: int, centre: float) -> Any:
    """Mean and ddof=1 deviation of ``values[first:stop]`` (at least one value)."""
    if values[first] == values[stop - 1]:
        return np.float64(values[first]), 0.0
    s1, s2 = sums_between(values, sums, first, stop, centre)
    n = stop - first
    variance = (s2 - s1 * s1 / n) / (n - 1)
    return centre + s1 / n, np.sqrt(max(variance, 0.0))


@kernel
def sample_at(table: Any, k: int, like: Any) -> Any:
    """Values of sample ``k`` of `Places`, and its prefix sums."""
    return array_at(table[k, 0], table[k, 1], like), array_at(table[k, 2], 3 * table[k, 3], _SUMS).reshape(-1, 3)


@kernel
def _clip(
    table: Any,
    like: Any,
    centres: Any,
    limits: Any,
    nclip: int,
    lsigma: float,
    usigma: float,
    positions: Any,
    moments: Any,
) -> None:
    for k in range(len(centres)):
        values, sums = sample_at(table, k, like)
        n, centre = len(values), centres[k]
        lower, upper = limits[0, k], limits[1, k]
        first = position_of(values, sums, n, lower, False)
        stop = position_of(values, sums, n, upper, True)
        mean, std = np.nan, np.nan
        if stop > first:
            mean, std = _moments(values, sums, first, stop, centre)
            for _ in range(nclip):
                low, high = max(lower, mean - lsigma * std), min(upper, mean + usigma * std)
                new_first = position_of(values, sums, n, low, False)
                new_stop = position_of(values, sums, n, high, True)
                if new_first == first and new_stop == stop:
                    break
                first, stop = new_first, new_stop
                if stop <= first:
                    mean, std = np.nan, np.nan
                    break
                mean, std = _moments(values, sums, first, stop, centre)
        positions[0, k], positions[1, k] = first, max(first, stop)
        moments[0, k], moments[1, k] = mean, std

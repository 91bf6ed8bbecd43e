"""Sets of samples, pixels sorted once with prefix sums: clipped moments under any limits in microseconds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skymatch_nb.core.jit import array_at, kernel, subkernel
from skymatch_nb.core.ordered import BLOCK, ROWS, Ordered, at, position_of, put_sums, sums_between

_SUMS = np.zeros(0)

Take: TypeAlias = Callable[[int, NDArray[Any]], NDArray[Any]]
"""Puts sample k at the start of an array that has room for it, and returns that part."""


@dataclass(frozen=True, eq=False)
class SampleSet:
    """Sorted samples of one member, one after another in one array.

    Attributes
    ----------
    values
        What is stored of all samples, each in ascending order, finite; float32 or float64.
    offsets
        That of sample k is ``values[offsets[k]:offsets[k + 1]]``; shape (n + 1,).
    layout
        Number of pixels of each sample, and the pixels ``core`` and ``beyond`` between which ``2**shift`` share one
        value, and that ``shift`` (`skymatch_nb.core.ordered`); shape (n, 4).
    centres
        The value that each sample's prefix sums are centred on; shape (n,).
    block_offsets
        How many block boundaries samples before each have; shape (n + 1,).
    sums
        The value at block boundaries (infinite where no more follow), where searches begin, and prefix sums of the
        first five powers of ``v - centre``: those of sample k are ``ROWS`` rows of ``block_offsets[k + 1] -
        block_offsets[k]`` numbers, one row after another, and the sample's after those of the one before.
    """

    values: NDArray[Any]
    offsets: NDArray[np.int64]
    layout: NDArray[np.int64]
    centres: NDArray[np.float64]
    block_offsets: NDArray[np.int64]
    sums: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.centres)

    def sample(self, k: int) -> NDArray[Any]:
        """Return the sorted values of all pixels of sample ``k``."""
        stored = self.values[self.offsets[k] : self.offsets[k + 1]]
        npix, core, beyond, shift = self.layout[k].tolist()
        if beyond == core:
            return stored
        far = npix - beyond
        shared = np.repeat(stored[core : len(stored) - far], 1 << shift)[: beyond - core]
        return np.concatenate([stored[:core], shared, stored[len(stored) - far :]])

    @property
    def npix(self) -> NDArray[np.int64]:
        """Number of pixels of each sample, shape (n,)."""
        return self.layout[:, 0]


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
    npix = np.diff(offsets)
    return with_sums(values[: offsets[-1]], offsets, np.stack([npix, npix, npix, np.zeros_like(npix)], axis=1))


def with_sums(values: NDArray[Any], offsets: NDArray[np.int64], layout: NDArray[np.int64]) -> SampleSet:
    """Set of sorted samples that are stored in this way, with their prefix sums."""
    block_offsets = np.append(0, np.cumsum(layout[:, 0] // BLOCK + 1))
    centres, sums = np.zeros(len(layout)), np.empty(ROWS * block_offsets[-1])
    _put_sums(values, offsets, layout, block_offsets, centres, sums)
    return SampleSet(values, offsets, layout, centres, block_offsets, sums)


def with_places(sets: Sequence[SampleSet], values: NDArray[Any], sums: NDArray[np.float64]) -> SampleSet:
    """Return all samples of several sets in one, of which the values and sums, one after another, are given."""

    def ends(of_sets: list[NDArray[np.int64]]) -> NDArray[np.int64]:
        lengths = [np.zeros(1, np.int64), *(np.diff(places) for places in of_sets)]
        return np.cumsum(np.concatenate(lengths), dtype=np.int64)

    layout = np.concatenate([np.zeros((0, 4), np.int64), *(s.layout for s in sets)])
    centres = np.concatenate([np.zeros(0), *(s.centres for s in sets)])
    offsets, block_offsets = ends([s.offsets for s in sets]), ends([s.block_offsets for s in sets])
    return SampleSet(values, offsets, layout, centres, block_offsets, sums)


def joined(sets: Sequence[SampleSet]) -> SampleSet:
    """Return all samples of several sets, at least one, in one."""
    if len(sets) == 1:
        return sets[0]
    return with_places(sets, np.concatenate([s.values for s in sets]), np.concatenate([s.sums for s in sets]))


@dataclass(frozen=True, eq=False)
class Places:
    """Where the samples of several sets, one after another, lie in memory.

    Kernels get all of them at once, so that threads need not wait for each other between samples.

    Attributes
    ----------
    table
        Address and number of what is stored of each sample, address of its prefix sums and number of its block
        boundaries, and its layout as in `SampleSet`; shape (n, 8).
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
        table = np.concatenate(tables) if tables else np.zeros((0, 8), np.int64)
        return cls(table, np.concatenate([np.zeros(0), *(s.centres for s in sets)]), like, tuple(sets))

    def __len__(self) -> int:
        return len(self.centres)

    def shares(self, count: int) -> list[Self]:
        """As many parts, or fewer, of nearly as many samples each."""
        size = max(1, -(-len(self) // count))
        parts = [slice(first, first + size) for first in range(0, len(self), size)]
        return [replace(self, table=self.table[part], centres=self.centres[part]) for part in parts]


def _table(samples: SampleSet) -> NDArray[np.int64]:
    starts, blocks = samples.offsets, samples.block_offsets
    table = np.empty((len(samples), 8), np.int64)
    table[:, 0] = starts[:-1] * samples.values.itemsize + samples.values.ctypes.data
    table[:, 2] = blocks[:-1] * ROWS * samples.sums.itemsize + samples.sums.ctypes.data
    np.subtract(starts[1:], starts[:-1], out=table[:, 1])
    np.subtract(blocks[1:], blocks[:-1], out=table[:, 3])
    table[:, 4:] = samples.layout
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
def _put_sums(values: Any, offsets: Any, layout: Any, block_offsets: Any, centres: Any, sums: Any) -> None:
    for k in range(len(centres)):
        pixels = _ordered(values[offsets[k] : offsets[k + 1]], layout[k])
        of_sample = sums[ROWS * block_offsets[k] : ROWS * block_offsets[k + 1]]
        centres[k] = put_sums(pixels, of_sample.reshape(ROWS, -1))


@subkernel
def _ordered(stored: Any, layout: Any) -> Any:
    return Ordered(stored, 0, layout[0], layout[1], layout[2], layout[3])


@subkernel
def _moments(pixels: Any, sums: Any, first: int, stop: int, centre: float) -> Any:
    """Mean and ddof=1 deviation of pixels ``first:stop`` (at least one)."""
    if at(pixels, first) == at(pixels, stop - 1):
        return np.float64(at(pixels, first)), 0.0
    s1, s2 = sums_between(pixels, sums, first, stop, centre)
    n = stop - first
    variance = (s2 - s1 * s1 / n) / (n - 1)
    return centre + s1 / n, np.sqrt(max(variance, 0.0))


@subkernel
def sample_at(table: Any, k: int, like: Any) -> Any:
    """Sorted pixels of sample ``k`` of `Places`, and its prefix sums."""
    pixels = _ordered(array_at(table[k, 0], table[k, 1], like), table[k, 4:])
    return pixels, array_at(table[k, 2], ROWS * table[k, 3], _SUMS).reshape(ROWS, -1)


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
        pixels, sums = sample_at(table, k, like)
        n, centre = pixels.size, centres[k]
        lower, upper = limits[0, k], limits[1, k]
        first = position_of(pixels, sums, n, lower, False)
        stop = position_of(pixels, sums, n, upper, True)
        mean, std = np.nan, np.nan
        if stop > first:
            mean, std = _moments(pixels, sums, first, stop, centre)
            for _ in range(nclip):
                low, high = max(lower, mean - lsigma * std), min(upper, mean + usigma * std)
                new_first = position_of(pixels, sums, n, low, False)
                new_stop = position_of(pixels, sums, n, high, True)
                if new_first == first and new_stop == stop:
                    break
                first, stop = new_first, new_stop
                if stop <= first:
                    mean, std = np.nan, np.nan
                    break
                mean, std = _moments(pixels, sums, first, stop, centre)
        positions[0, k], positions[1, k] = first, max(first, stop)
        moments[0, k], moments[1, k] = mean, std

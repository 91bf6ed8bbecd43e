"""Good pixels of overlaps and of whole members, sorted, before anything is measured."""

from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skymatch_nb.core.sample import Places, SampleSet
from skymatch_nb.results.base import Integers, Result


@dataclass(frozen=True, eq=False)
class Samples(Result):
    """Sets of sorted pixels."""

    sets: tuple[SampleSet, ...]

    @cached_property
    def places(self) -> tuple[Places, ...]:
        """Where the samples lie in memory, one after another: sets side by side with values of one type together."""
        runs = groupby(self.sets, lambda samples: samples.values.dtype)
        return tuple(Places.of(list(sets)) for _, sets in runs)

    def __getstate__(self) -> dict[str, Any]:
        """All but addresses, which hold in this process alone."""
        return {name: value for name, value in self.__dict__.items() if name != "places"}


@dataclass(frozen=True, eq=False)
class OverlapSamples(Samples):
    """Sorted good pixels of every member, one sample per overlap.

    That of overlap i is number ``at_a[i]`` in member a's set and ``at_b[i]`` in member b's.
    """

    at_a: Integers
    at_b: Integers


@dataclass(frozen=True, eq=False)
class MemberSamples(Samples):
    """Sorted good pixels of every whole member: sets of one sample each."""


@dataclass(frozen=True, eq=False)
class AlignedPixels(Result):
    """Values of both members of every overlap at the same places, where both are good, in data units.

    The arrays of an overlap have equal length. Places are the pixels of the member with the coarser ones.
    """

    values_a: tuple[NDArray[Any], ...]
    values_b: tuple[NDArray[Any], ...]


@dataclass(frozen=True, eq=False)
class DifferenceSamples(Samples):
    """Sorted brightness differences, a minus b, of every overlap, in sets of overlaps with the same member a.

    ``good`` (noverlaps,) counts pixels that are good on both sides, before the limits.
    """

    good: Integers

    def place(self, overlap: int) -> tuple[SampleSet, int]:
        """Set that holds the sample of an overlap, and its number there."""
        ends = np.cumsum([len(s) for s in self.sets])
        which = int(np.searchsorted(ends, overlap, side="right"))
        return self.sets[which], overlap - (int(ends[which - 1]) if which else 0)

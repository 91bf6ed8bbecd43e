"""Gather the good pixels of every overlap, or of every whole member, sorted once."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from skymatch_nb.core.quality import gather_good, sample_dtype
from skymatch_nb.core.quantiles import PIECE, PROBE, take_samples
from skymatch_nb.core.raster import Spans, count_pixels, full_spans
from skymatch_nb.core.sample import SampleSet, sorted_samples
from skymatch_nb.executor import Work
from skymatch_nb.io.pixels import good_mask, read_flags, read_pixels
from skymatch_nb.io.spill import Store
from skymatch_nb.params import SkyMatchParams
from skymatch_nb.pixelmaps import polygons_to_spans
from skymatch_nb.results import (
    Integers,
    Loaded,
    MaskedMember,
    Masks,
    MemberSamples,
    Overlaps,
    OverlapSamples,
    SkyPolygon,
)


def sample_overlaps(
    key: str, loaded: Loaded, masks: Masks, overlaps: Overlaps, params: SkyMatchParams, work: Work
) -> OverlapSamples:
    """Samples of both sides of every overlap; of each file only the pages that hold such pixels are read."""
    mine, at_a, at_b = _overlaps_of_members(len(loaded), overlaps)
    store, mapped = Store.for_mode(params.optimize), params.optimize != "inmemory"
    parts = [
        _Part(MaskedMember.of(loaded, masks, k), tuple(overlaps.polygons[i] for i in mine[k]), mapped)
        for k in range(len(loaded))
    ]
    return OverlapSamples(key, _samples(parts, "sample", store, work), at_a, at_b)


def sample_members(key: str, loaded: Loaded, masks: Masks, params: SkyMatchParams, work: Work) -> MemberSamples:
    """One sample per member: all of its good pixels."""
    store, mapped = Store.for_mode(params.optimize), params.optimize != "inmemory"

    parts = [_Part(MaskedMember.of(loaded, masks, k), None, mapped) for k in range(len(loaded))]
    return MemberSamples(key, _samples(parts, "sample whole members", store, work))


@dataclass(frozen=True, eq=False)
class _Part:
    """Polygons of a member; None for all of it."""

    masked: MaskedMember
    polygons: tuple[SkyPolygon, ...] | None
    mapped: bool


def _samples(parts: list[_Part], message: str, store: Store, work: Work) -> tuple[SampleSet, ...]:
    """Sorted pixels of every part; here they go to the store one overlap after another, from elsewhere all at once."""

    def here(part: _Part) -> SampleSet:
        return sorted_samples([]) if part.polygons == () else store.collect(_Pixels.of(part))

    return tuple(work.map(_sample, parts, message, keep=store.keep, sent=_in_files, here=here))


def _in_files(part: _Part) -> bool:
    return part.masked.in_files


def _sample(part: _Part) -> SampleSet:
    return sorted_samples([]) if part.polygons == () else take_samples(_Pixels.of(part))


@dataclass(frozen=True, eq=False)
class _Pixels:
    """Good pixels of an image within each of some spans, as `skymatch_nb.core.quantiles.PixelSource` gives them."""

    data: NDArray[Any]
    flags: NDArray[Any] | None
    good_bits: int
    good: NDArray[np.bool_] | None
    spans: list[Spans]

    @classmethod
    def of(cls, part: _Part) -> Self:
        """Pixels within every polygon of a part."""
        member, masks = part.masked.member, part.masked.masks
        whole = [full_spans(member.shape)]
        spans = whole if part.polygons is None else polygons_to_spans(member, part.polygons)
        source = masks.quality[0]
        flags = None if source is None else read_flags(source, part.mapped)
        data: NDArray[Any] = read_pixels(member.pixels, part.mapped)
        return cls(data, flags, masks.good_bits[0], good_mask(masks, 0, member.shape), spans)

    @property
    def sizes(self) -> list[int]:
        return [count_pixels(of_one) for of_one in self.spans]

    @property
    def dtype(self) -> np.dtype[Any]:
        return sample_dtype(self.data.dtype)

    def take(self, k: int, out: NDArray[Any]) -> NDArray[Any]:
        return self._gather(self.spans[k], out)

    def pieces(self, k: int) -> Iterator[NDArray[Any]]:
        spans = self.spans[k]
        ends = np.cumsum(spans[:, 2] - spans[:, 1])
        cuts = np.searchsorted(ends, np.arange(PIECE, ends[-1], PIECE))
        stops = np.unique(np.append(cuts + 1, len(spans)))
        lengths = np.diff(np.append(0, ends[stops - 1]))
        out = np.empty(lengths.max(initial=0), self.dtype)
        for first, stop in pairwise([0, *stops.tolist()]):
            yield self._gather(spans[first:stop], out)

    def probe(self, k: int) -> NDArray[Any]:
        spans = self.spans[k]
        some = spans[:: max(1, count_pixels(spans) // PROBE)]
        return self._gather(some, np.empty(count_pixels(some), self.dtype))

    def _gather(self, spans: Spans, out: NDArray[Any]) -> NDArray[Any]:
        return gather_good(self.data, spans, self.flags, self.good_bits, self.good, out)


def _overlaps_of_members(nmembers: int, overlaps: Overlaps) -> tuple[list[Integers], Integers, Integers]:
    """Overlaps that each member takes part in, and the place of each overlap in its two members' lists."""
    members = np.concatenate([overlaps.member_a, overlaps.member_b])
    order = np.argsort(members, kind="stable")
    starts = np.searchsorted(members[order], np.arange(nmembers + 1))
    place = np.empty(len(members), np.int64)
    place[order] = np.arange(len(members)) - starts[members[order]]
    count = len(overlaps)
    mine = [order[a:b] % max(count, 1) for a, b in pairwise(starts)]
    return mine, place[:count], place[count:]

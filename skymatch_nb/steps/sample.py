"""Gather the good pixels of every overlap, or of every whole member, sorted once."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skymatch_nb.core.quality import gather_good
from skymatch_nb.core.raster import Spans, full_spans
from skymatch_nb.core.sample import SampleSet, sorted_samples
from skymatch_nb.executor import Work
from skymatch_nb.io.pixels import good_mask, read_flags, read_pixels
from skymatch_nb.io.spill import Store
from skymatch_nb.params import SkyMatchParams
from skymatch_nb.pixelmaps import polygons_to_spans
from skymatch_nb.results import (
    Integers,
    Loaded,
    Masks,
    Member,
    MemberSamples,
    Overlaps,
    OverlapSamples,
)


def sample_overlaps(
    key: str, loaded: Loaded, masks: Masks, overlaps: Overlaps, params: SkyMatchParams, work: Work
) -> OverlapSamples:
    """Samples of both sides of every overlap; of each file only the pages that hold such pixels are read."""
    mine, at_a, at_b = _overlaps_of_members(len(loaded), overlaps)
    store, mapped = Store.for_mode(params.optimize), params.optimize != "inmemory"

    def one(k: int) -> SampleSet:
        if not len(mine[k]):
            return sorted_samples([])
        member = loaded.members[k]
        spans = polygons_to_spans(member, [overlaps.polygons[i] for i in mine[k]])
        return store.collect(_gather(member, masks, k, spans, mapped))

    return OverlapSamples(key, tuple(work.map(one, range(len(loaded)), "sample")), at_a, at_b)


def sample_members(key: str, loaded: Loaded, masks: Masks, params: SkyMatchParams, work: Work) -> MemberSamples:
    """One sample per member: all of its good pixels."""
    store, mapped = Store.for_mode(params.optimize), params.optimize != "inmemory"

    def one(k: int) -> SampleSet:
        member = loaded.members[k]
        return store.collect(_gather(member, masks, k, [full_spans(member.shape)], mapped))

    return MemberSamples(key, tuple(work.map(one, range(len(loaded)), "sample whole members")))


def _gather(member: Member, masks: Masks, k: int, spans: list[Spans], mapped: bool) -> Iterator[NDArray[Any]]:
    """Good pixels of one overlap after another."""
    data: NDArray[Any] = read_pixels(member.pixels, mapped)
    source = masks.quality[k]
    flags = None if source is None else read_flags(source, mapped)
    good = good_mask(masks, k, member.shape)
    for of_overlap in spans:
        yield gather_good(data, of_overlap, flags, masks.good_bits[k], good)


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

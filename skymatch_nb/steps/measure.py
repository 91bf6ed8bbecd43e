"""Take the sky statistic of samples, and combine overlaps of members into pairs of groups."""

import numpy as np

from skymatch_nb.core.equations import Pairs, pair_levels
from skymatch_nb.core.estimators import estimate
from skymatch_nb.core.sample import Clipped, SampleSet, clip
from skymatch_nb.params import SkyMatchParams
from skymatch_nb.results import (
    Floats,
    GroupPairs,
    Integers,
    Loaded,
    MemberLevels,
    MemberSamples,
    OverlapLevels,
    Overlaps,
    OverlapSamples,
    Units,
)


def measure_overlaps(key: str, overlaps: Overlaps, samples: OverlapSamples, params: SkyMatchParams) -> OverlapLevels:
    """Sky of both sides of every overlap, in data units."""
    measured = [_measure(s, params) for s in samples.sets]
    starts = np.cumsum([0] + [len(s) for s in samples.sets])
    sky = np.concatenate([level for level, _ in measured])
    kept = np.concatenate([clipped.npix for _, clipped in measured])
    good = np.concatenate([s.npix for s in samples.sets])
    a, b = starts[overlaps.member_a] + samples.at_a, starts[overlaps.member_b] + samples.at_b
    return OverlapLevels(key, sky[a], sky[b], kept[a], kept[b], good[a], good[b])


def measure_members(key: str, samples: MemberSamples, params: SkyMatchParams) -> MemberLevels:
    """Sky of every whole member, in data units."""
    measured = [_measure(s, params) for s in samples.sets]
    sky: Floats = np.concatenate([level for level, _ in measured])
    npix: Integers = np.concatenate([clipped.npix for _, clipped in measured])
    return MemberLevels(key, sky, npix)


def pair_groups(key: str, loaded: Loaded, units: Units, overlaps: Overlaps, levels: OverlapLevels) -> GroupPairs:
    """Brightness of both groups of every pair that has a usable overlap."""
    a, b = overlaps.member_a, overlaps.member_b
    pairs: Pairs = pair_levels(
        loaded.group_of[a],
        loaded.group_of[b],
        levels.sky_a * units.factor[a],
        levels.sky_b * units.factor[b],
        levels.npix_a,
        levels.npix_b,
    )
    return GroupPairs(key, pairs)


def _measure(samples: SampleSet, params: SkyMatchParams) -> tuple[Floats, Clipped]:
    clipped = clip(samples, params.lower, params.upper, params.nclip, params.lsigma, params.usigma)
    return estimate(samples, clipped, params.skystat, params.binwidth), clipped

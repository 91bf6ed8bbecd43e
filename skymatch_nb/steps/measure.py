"""Take the sky statistic of samples, and combine overlaps of members into pairs of groups."""

import numpy as np

from skymatch_nb.core.estimators import estimate
from skymatch_nb.core.pairs import Pairs, pair_levels
from skymatch_nb.core.sample import Clipped, SampleSet, clip
from skymatch_nb.core.uncertainty import standard_errors
from skymatch_nb.params import SkyMatchParams
from skymatch_nb.results import (
    Floats,
    GroupPairs,
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
    sky, err = (np.concatenate([m[k] for m in measured]) for k in (0, 1))
    kept = np.concatenate([m[2].npix for m in measured])
    good = np.concatenate([s.npix for s in samples.sets])
    a, b = starts[overlaps.member_a] + samples.at_a, starts[overlaps.member_b] + samples.at_b
    return OverlapLevels(key, sky[a], sky[b], err[a], err[b], kept[a], kept[b], good[a], good[b])


def measure_members(key: str, samples: MemberSamples, params: SkyMatchParams) -> MemberLevels:
    """Sky of every whole member, in data units."""
    measured = [_measure(s, params) for s in samples.sets]
    sky, err = (np.concatenate([m[k] for m in measured]) for k in (0, 1))
    return MemberLevels(key, sky, err, np.concatenate([m[2].npix for m in measured]))


def pair_groups(key: str, loaded: Loaded, units: Units, overlaps: Overlaps, levels: OverlapLevels) -> GroupPairs:
    """Brightness difference of every pair of groups that has a usable overlap."""
    a, b = overlaps.member_a, overlaps.member_b
    pairs: Pairs = pair_levels(
        loaded.group_of[a],
        loaded.group_of[b],
        levels.sky_a * units.factor[a],
        levels.sky_b * units.factor[b],
        levels.npix_a,
        levels.npix_b,
        levels.err_a * units.factor[a],
        levels.err_b * units.factor[b],
    )
    return GroupPairs(key, pairs)


def _measure(samples: SampleSet, params: SkyMatchParams) -> tuple[Floats, Floats, Clipped]:
    """Level and standard error of every sample, and what clipping kept."""
    clipped = clip(samples, params.lower, params.upper, params.nclip, params.lsigma, params.usigma)
    levels = estimate(samples, clipped, params.skystat, params.binwidth)
    return levels, standard_errors(samples, clipped, params.skystat, levels, params.binwidth), clipped

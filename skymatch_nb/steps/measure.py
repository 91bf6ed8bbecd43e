"""Take the sky statistic of samples."""

from collections.abc import Sequence

import numpy as np

from skymatch_nb.core.measure import measure
from skymatch_nb.core.robust import robust_moments
from skymatch_nb.core.sample import Clipped, SampleSet, clip
from skymatch_nb.executor import Work
from skymatch_nb.params import SkyMatchParams
from skymatch_nb.params.limits import Limit, in_sigma
from skymatch_nb.params.per_member import per_member
from skymatch_nb.results import (
    DifferenceLevels,
    DifferenceSamples,
    Floats,
    Loaded,
    MemberLevels,
    MemberSamples,
    OverlapLevels,
    Overlaps,
    OverlapSamples,
)


def measure_overlaps(
    key: str, loaded: Loaded, overlaps: Overlaps, samples: OverlapSamples, params: SkyMatchParams, work: Work
) -> OverlapLevels:
    """Sky of both sides of every overlap, in data units."""
    measured = _measure_members(loaded, samples.sets, params, work)
    starts = np.cumsum([0] + [len(s) for s in samples.sets])
    sky, err = (np.concatenate([m[k] for m in measured]) for k in (0, 1))
    kept = np.concatenate([m[2].npix for m in measured])
    good = np.concatenate([s.npix for s in samples.sets])
    a, b = starts[overlaps.member_a] + samples.at_a, starts[overlaps.member_b] + samples.at_b
    return OverlapLevels(key, sky[a], sky[b], err[a], err[b], kept[a], kept[b], good[a], good[b])


def measure_members(
    key: str, loaded: Loaded, samples: MemberSamples, params: SkyMatchParams, work: Work
) -> MemberLevels:
    """Sky of every whole member, in data units."""
    measured = _measure_members(loaded, samples.sets, params, work)
    sky, err = (np.concatenate([m[k] for m in measured]) for k in (0, 1))
    return MemberLevels(key, sky, err, np.concatenate([m[2].npix for m in measured]))


def measure_differences(key: str, samples: DifferenceSamples, params: SkyMatchParams, work: Work) -> DifferenceLevels:
    """Brightness difference of every overlap; clipping and the statistic act on the differences of its pixels."""
    measured = _measured(samples.sets, [(None, None)] * len(samples.sets), params, work)
    sky, err = (np.concatenate([np.zeros(0), *(m[k] for m in measured)]) for k in (0, 1))
    npix = np.concatenate([np.zeros(0, np.int64), *(m[2].npix for m in measured)])
    return DifferenceLevels(key, sky, err, npix, samples.good)


Measured = tuple[Floats, Floats, Clipped]
"""Level and standard error of every sample of a set, and what clipping kept."""


Bound = float | Floats | None
"""A limit in data units: one number, one for every sample of a set, or None."""


def limits_of_sets(loaded: Loaded, sets: Sequence[SampleSet], params: SkyMatchParams) -> list[tuple[Bound, Bound]]:
    """Lower and upper limit, in data units, of the sample set of every member."""
    names = [member.known_as for member in loaded.members]
    lower, upper = (per_member(name, getattr(params, name), names, None) for name in ("lower", "upper"))
    return [(_in_data_units(low, s), _in_data_units(high, s)) for s, low, high in zip(sets, lower, upper, strict=True)]


def _measure_members(loaded: Loaded, sets: Sequence[SampleSet], params: SkyMatchParams, work: Work) -> list[Measured]:
    return _measured(sets, limits_of_sets(loaded, sets, params), params, work)


def _measured(
    sets: Sequence[SampleSet], limits: Sequence[tuple[Bound, Bound]], params: SkyMatchParams, work: Work
) -> list[Measured]:
    """Measure every set; threads take a share of them each, since a single one takes less than changing threads."""

    def share(first: int) -> list[Measured]:
        chosen = slice(first, first + size)
        return [_measure(*one, params) for one in zip(sets[chosen], limits[chosen], strict=True)]

    size = max(1, -(-len(sets) // work.workers))
    shares = Work(work.workers).map(share, range(0, len(sets), size), "measure")
    return [measured for of_share in shares for measured in of_share]


def _measure(samples: SampleSet, limits: tuple[Bound, Bound], params: SkyMatchParams) -> Measured:
    clipped = clip(samples, *limits, params.nclip, params.lsigma, params.usigma)
    return *measure(samples, clipped, params.skystat, params.binwidth), clipped


def _in_data_units(limit: Limit, samples: SampleSet) -> Bound:
    """Limit for every sample of a set; one in sigma is about each sample's median."""
    if not isinstance(limit, str):
        return limit
    median, deviation = robust_moments(samples)
    return np.nan_to_num(median + (in_sigma(limit) or 0.0) * deviation)

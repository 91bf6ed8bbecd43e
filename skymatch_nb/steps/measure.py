"""Take the sky statistic of samples."""

from collections.abc import Sequence

import numpy as np

from skymatch_nb.core.measure import measure
from skymatch_nb.core.robust import robust_moments
from skymatch_nb.core.sample import SampleSet, clip
from skymatch_nb.executor import Work
from skymatch_nb.params import SkyMatchParams
from skymatch_nb.params.limits import Limit, in_sigma
from skymatch_nb.params.per_member import per_member
from skymatch_nb.results import (
    DifferenceLevels,
    DifferenceSamples,
    Floats,
    Integers,
    Loaded,
    MemberLevels,
    MemberSamples,
    OverlapLevels,
    Overlaps,
    OverlapSamples,
    Samples,
)


def measure_overlaps(
    key: str, loaded: Loaded, overlaps: Overlaps, samples: OverlapSamples, params: SkyMatchParams, work: Work
) -> OverlapLevels:
    """Sky of both sides of every overlap, in data units."""
    sky, err, kept = _measured(samples, limits_of_sets(loaded, samples.sets, params), params, work)
    good = np.concatenate([s.npix for s in samples.sets])
    starts = np.cumsum([0] + [len(s) for s in samples.sets])
    a, b = starts[overlaps.member_a] + samples.at_a, starts[overlaps.member_b] + samples.at_b
    return OverlapLevels(key, sky[a], sky[b], err[a], err[b], kept[a], kept[b], good[a], good[b])


def measure_members(
    key: str, loaded: Loaded, samples: MemberSamples, params: SkyMatchParams, work: Work
) -> MemberLevels:
    """Sky of every whole member, in data units."""
    return MemberLevels(key, *_measured(samples, limits_of_sets(loaded, samples.sets, params), params, work))


def measure_differences(key: str, samples: DifferenceSamples, params: SkyMatchParams, work: Work) -> DifferenceLevels:
    """Brightness difference of every overlap; clipping and the statistic act on the differences of its pixels."""
    measured = _measured(samples, [(None, None)] * len(samples.sets), params, work)
    return DifferenceLevels(key, *measured, samples.good)


Bound = float | Floats | None
"""A limit in data units: one number, one for every sample of a set, or None."""


def limits_of_sets(loaded: Loaded, sets: Sequence[SampleSet], params: SkyMatchParams) -> list[tuple[Bound, Bound]]:
    """Lower and upper limit, in data units, of the sample set of every member."""
    names = [member.known_as for member in loaded.members]
    lower, upper = (per_member(name, getattr(params, name), names, None) for name in ("lower", "upper"))
    return [(_in_data_units(low, s), _in_data_units(high, s)) for s, low, high in zip(sets, lower, upper, strict=True)]


def _measured(
    samples: Samples, limits: Sequence[tuple[Bound, Bound]], params: SkyMatchParams, work: Work
) -> tuple[Floats, Floats, Integers]:
    """Level, standard error and number of kept pixels of every sample; threads take a share of them each."""
    shares = [share for places in samples.places for share in places.shares(work.workers)]
    ends = np.cumsum([len(share) for share in shares[:-1]], dtype=np.int64)
    bounds = np.split(_bounds(samples.sets, limits), ends, axis=1)

    def measured(k: int) -> tuple[Floats, Floats, Integers]:
        lower, upper = bounds[k]
        clipped = clip(shares[k], lower, upper, params.nclip, params.lsigma, params.usigma)
        return *measure(shares[k], clipped, params.skystat, params.binwidth), clipped.npix

    found = Work(work.workers).map(measured, range(len(shares)), "measure")
    sky, err = (np.concatenate([np.zeros(0), *(of_share[k] for of_share in found)]) for k in (0, 1))
    return sky, err, np.concatenate([np.zeros(0, np.int64), *(of_share[2] for of_share in found)])


def _bounds(sets: Sequence[SampleSet], limits: Sequence[tuple[Bound, Bound]]) -> Floats:
    """Limits of every sample, infinite for none, shape (2, n)."""
    starts = np.cumsum([0] + [len(samples) for samples in sets])
    bounds = np.empty((2, starts[-1]))
    for side, endless in ((0, -np.inf), (1, np.inf)):
        bounds[side] = endless
        for k, of_set in enumerate(limits):
            if of_set[side] is not None:
                bounds[side, starts[k] : starts[k + 1]] = of_set[side]
    return bounds


def _in_data_units(limit: Limit, samples: SampleSet) -> Bound:
    """Limit for every sample of a set; one in sigma is about each sample's median."""
    if not isinstance(limit, str):
        return limit
    median, deviation = robust_moments(samples)
    return np.nan_to_num(median + (in_sigma(limit) or 0.0) * deviation)

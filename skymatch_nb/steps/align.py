"""Bring both sides of every overlap to the same places, and take the differences of their pixels."""

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skymatch_nb.core.align import Pixels, aligned_values
from skymatch_nb.core.differences import Differences
from skymatch_nb.core.robust import robust_moments
from skymatch_nb.core.sample import SampleSet, sorted_samples
from skymatch_nb.executor import Work
from skymatch_nb.io.pixels import good_mask, read_flags, read_pixels
from skymatch_nb.io.spill import Store
from skymatch_nb.params import SkyMatchParams
from skymatch_nb.params.limits import Limit, in_sigma
from skymatch_nb.params.per_member import per_member
from skymatch_nb.pixelmaps import map_between, polygons_to_spans
from skymatch_nb.results import (
    AlignedPixels,
    DifferenceSamples,
    Loaded,
    MaskedMember,
    Masks,
    Overlaps,
    SkyPolygon,
    Units,
)

COARSER = 1.01
"""Ratio of pixel scales from which on the second member's pixels are the places of comparison, not the first's."""

Values = NDArray[Any]


def align(
    key: str, loaded: Loaded, masks: Masks, overlaps: Overlaps, params: SkyMatchParams, work: Work
) -> AlignedPixels:
    """Pixels of both members of every overlap that are good at the same place; of plain files only these are read."""
    store, mapped = Store.for_mode(params.optimize), params.optimize != "inmemory"

    members = [MaskedMember.of(loaded, masks, k) for k in range(len(loaded))]
    sides = zip(overlaps.member_a.tolist(), overlaps.member_b.tolist(), overlaps.polygons, strict=True)
    found = work.map(
        _Aligner(2 * work.workers + 2, mapped),
        [_Overlap(members[a], members[b], polygon) for a, b, polygon in sides],
        "align",
        keep=lambda values: (store.keep_array(values[0]), store.keep_array(values[1])),
        sent=_in_files,
    )
    return AlignedPixels(key, tuple(a for a, _ in found), tuple(b for _, b in found))


def difference_samples(
    key: str,
    loaded: Loaded,
    units: Units,
    overlaps: Overlaps,
    aligned: AlignedPixels,
    params: SkyMatchParams,
    work: Work,
) -> DifferenceSamples:
    """Sorted brightness differences of the pixels that are within the limits on both sides."""
    names = [member.known_as for member in loaded.members]
    limits = list(
        zip(per_member("lower", params.lower, names, None), per_member("upper", params.upper, names, None), strict=True)
    )
    store = Store.for_mode(params.optimize)
    sides = overlaps.member_a, overlaps.member_b
    starts = np.searchsorted(overlaps.member_a, np.arange(len(loaded) + 1))

    def one(bounds: tuple[int, int]) -> SampleSet:
        of_a, of_b = (values[slice(*bounds)] for values in (aligned.values_a, aligned.values_b))
        members = [(int(a), int(b)) for a, b in zip(*(m[slice(*bounds)] for m in sides), strict=True)]
        within = [
            (_interval(limits[a], values_a), _interval(limits[b], values_b))
            for (a, b), values_a, values_b in zip(members, of_a, of_b, strict=True)
        ]
        factors = [(float(units.factor[a]), float(units.factor[b])) for a, b in members]
        return store.collect(Differences(of_a, of_b, factors, within))

    sets = work.map(one, [(int(i), int(j)) for i, j in pairwise(starts) if j > i], "differences")
    return DifferenceSamples(key, tuple(sets), np.array([len(values) for values in aligned.values_a], np.int64))


@dataclass(frozen=True, eq=False)
class _Overlap:
    """Two members and what both see."""

    a: MaskedMember
    b: MaskedMember
    polygon: SkyPolygon


def _in_files(overlap: _Overlap) -> bool:
    return overlap.a.in_files and overlap.b.in_files


class _Aligner:
    """Brings both sides of an overlap to the same places; members that were read last are kept.

    In another process it starts with none.
    """

    def __init__(self, kept: int, mapped: bool) -> None:
        self._kept, self._mapped = kept, mapped
        self._read = lru_cache(maxsize=kept)(_read)

    def __reduce__(self) -> tuple[Any, ...]:
        return _Aligner, (self._kept, self._mapped)

    def __call__(self, overlap: _Overlap) -> tuple[Values, Values]:
        """Values of members a and b; the places are pixels of the one with the coarser ones."""
        a, b = overlap.a, overlap.b
        swapped = b.member.nominal_scale > COARSER * a.member.nominal_scale
        grid, other = (b, a) if swapped else (a, b)
        (spans,) = polygons_to_spans(grid.member, [overlap.polygon])
        first, second = self._read(grid, self._mapped), self._read(other, self._mapped)
        if not len(spans):
            return np.zeros(0, np.float32), np.zeros(0, np.float32)
        pixel_map = map_between(grid.member, other.member, spans)
        values = aligned_values(first, second, spans, pixel_map)
        return (values[1], values[0]) if swapped else (values[0], values[1])


def _read(masked: MaskedMember, mapped: bool) -> Pixels:
    member, masks = masked.member, masked.masks
    flags = None if masks.quality[0] is None else read_flags(masks.quality[0], mapped)
    return Pixels(read_pixels(member.pixels, mapped), flags, masks.good_bits[0], good_mask(masks, 0, member.shape))


def _interval(limits: tuple[Limit, Limit], values: Values) -> tuple[float, float]:
    """Lower and upper limit in data units; those in sigma are about the median of the values."""
    sigmas = [in_sigma(limit) if isinstance(limit, str) else None for limit in limits]
    if sigmas != [None, None]:
        (median,), (deviation,) = robust_moments(sorted_samples([values]))
    low, high = (
        endless if limit is None else float(limit) if sigma is None else median + sigma * deviation
        for limit, sigma, endless in zip(limits, sigmas, (-np.inf, np.inf), strict=True)
    )
    return low, high

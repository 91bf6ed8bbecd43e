"""Compare the two sides of every overlap, and combine overlaps of members into pairs of groups."""

from collections.abc import Sequence

import numpy as np

from skymatch_nb.core.equations import Pairs, pair_levels
from skymatch_nb.params import SkyMatchParams
from skymatch_nb.results import (
    USED,
    Comparison,
    DifferenceLevels,
    GroupPairs,
    Integers,
    Loaded,
    OverlapLevels,
    Overlaps,
    Units,
)


def compare_regions(
    key: str, units: Units, overlaps: Overlaps, levels: OverlapLevels, params: SkyMatchParams
) -> Comparison:
    """Compare the levels that both sides have over the whole overlap."""
    factor_a, factor_b = units.factor[overlaps.member_a], units.factor[overlaps.member_b]
    sky_a, sky_b = levels.sky_a * factor_a, levels.sky_b * factor_b
    err_a, err_b = levels.err_a * factor_a, levels.err_b * factor_b
    sides = (("a", levels.good_a, levels.npix_a), ("b", levels.good_b, levels.npix_b))
    status = [_side_status(sides, k) for k in range(len(overlaps))]
    status = _without_small(status, levels.npix_a, levels.npix_b, params)
    difference, error = sky_a - sky_b, np.hypot(err_a, err_b)
    return Comparison(key, sky_a, sky_b, err_a, err_b, difference, error, levels.npix_a, levels.npix_b, tuple(status))


def compare_pixels(key: str, overlaps: Overlaps, levels: DifferenceLevels, params: SkyMatchParams) -> Comparison:
    """Compare by the differences of pixels at the same places."""
    unknown = np.full(len(overlaps), np.nan)
    sides = (("both at the same place", levels.good, levels.npix),)
    status = _without_small([_side_status(sides, k) for k in range(len(overlaps))], levels.npix, levels.npix, params)
    return Comparison(
        key,
        sky_a=unknown,
        sky_b=unknown,
        err_a=unknown,
        err_b=unknown,
        difference=levels.difference,
        difference_err=levels.err,
        npix_a=levels.npix,
        npix_b=levels.npix,
        status=tuple(status),
    )


def pair_groups(key: str, loaded: Loaded, overlaps: Overlaps, compared: Comparison) -> GroupPairs:
    """Brightness difference of every pair of groups that has a usable overlap."""
    used = np.array([status == USED for status in compared.status], bool)
    group_a, group_b = loaded.group_of[overlaps.member_a[used]], loaded.group_of[overlaps.member_b[used]]
    sides = compared.sky_a, compared.sky_b, compared.npix_a, compared.npix_b, compared.err_a, compared.err_b
    if not np.isfinite(compared.sky_a).any():
        zero = np.zeros(len(overlaps))
        sides = compared.difference, zero, compared.npix_a, compared.npix_b, compared.difference_err, zero
    pairs: Pairs = pair_levels(group_a, group_b, *(side[used] for side in sides))
    return GroupPairs(key, pairs)


def _side_status(sides: Sequence[tuple[str, Integers, Integers]], k: int) -> str:
    for side, good, kept in sides:
        if good[k] == 0:
            return f"no good pixels in {side}"
        if kept[k] == 0:
            return f"all pixels of {side} clipped"
    return USED


def _without_small(status: list[str], npix_a: Integers, npix_b: Integers, params: SkyMatchParams) -> list[str]:
    """Status of overlaps, where those that are too small are not used."""
    used = np.array([s == USED for s in status], bool)
    if not used.any():
        return status
    smaller = np.minimum(npix_a, npix_b)
    least = max(params.min_overlap_pixels, params.min_overlap_fraction * float(smaller[used].mean()))
    small = used & (smaller < least)
    return [f"too small (below {least:.0f} pixels)" if tiny else s for s, tiny in zip(status, small, strict=True)]

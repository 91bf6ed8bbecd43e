"""Compare the two sides of every overlap, and combine overlaps of members into pairs of groups."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from skymatch_nb.core.noise import common_fraction, noise_matrix, noise_shares
from skymatch_nb.core.pairs import Pairs, pair_differences, pair_levels
from skymatch_nb.params import SkyMatchParams
from skymatch_nb.results import (
    USED,
    Comparison,
    Coverage,
    DifferenceLevels,
    Floats,
    GroupPairs,
    Integers,
    Loaded,
    OverlapLevels,
    Overlaps,
    Units,
)
from skymatch_nb.steps import standing

Side = tuple[str, Integers, Integers]
"""What a side is called, and its good pixels and those kept of every overlap."""

Errors = tuple[Floats, Floats, Floats | None]
"""Standard errors of both sides of every overlap, and what belongs to the pair of them alone."""


def compare_regions(
    key: str, loaded: Loaded, units: Units, overlaps: Overlaps, levels: OverlapLevels, params: SkyMatchParams
) -> Comparison:
    """Compare the levels that both sides have over the whole overlap."""
    factor_a, factor_b = units.factor[overlaps.member_a], units.factor[overlaps.member_b]
    sky_a, sky_b = levels.sky_a * factor_a, levels.sky_b * factor_b
    err_a, err_b = levels.err_a * factor_a, levels.err_b * factor_b
    sides = (("a", levels.good_a, levels.npix_a), ("b", levels.good_b, levels.npix_b))
    status = _status(loaded, overlaps, sides, params)
    status = _without_small(status, levels.npix_a, levels.npix_b, params)
    difference, error = sky_a - sky_b, np.hypot(err_a, err_b)
    return Comparison(key, sky_a, sky_b, err_a, err_b, difference, error, levels.npix_a, levels.npix_b, tuple(status))


def compare_pixels(
    key: str, loaded: Loaded, overlaps: Overlaps, levels: DifferenceLevels, params: SkyMatchParams
) -> Comparison:
    """Compare by the differences of pixels at the same places."""
    unknown = np.full(len(overlaps), np.nan)
    sides = (("both at the same place", levels.good, levels.npix),)
    status = _without_small(_status(loaded, overlaps, sides, params), levels.npix, levels.npix, params)
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


def pair_groups(
    key: str, loaded: Loaded, overlaps: Overlaps, compared: Comparison, shared: Coverage, skystat: str
) -> GroupPairs:
    """Brightness difference of every pair of groups that has a usable overlap, and the noise that pairs share."""
    used = np.array([status == USED for status in compared.status], bool)
    group_a, group_b = loaded.group_of[overlaps.member_a], loaded.group_of[overlaps.member_b]
    npix = compared.npix_a, compared.npix_b
    if np.isfinite(compared.sky_a[used]).any():
        sides = compared.sky_a, compared.sky_b, *npix, compared.err_a, compared.err_b
        pairs = pair_levels(group_a[used], group_b[used], *(side[used] for side in sides))
        errors: Errors = compared.err_a, compared.err_b, None
    else:
        measured = compared.difference, *npix, compared.difference_err
        pairs = pair_differences(group_a[used], group_b[used], *(side[used] for side in measured))
        errors = _errors_of_sides(overlaps, compared, len(loaded), skystat)
    noise = _shared_noise(pairs, used, group_a, group_b, npix, errors, shared)
    return GroupPairs(key, replace(pairs, noise=noise), compared.status)


def _errors_of_sides(overlaps: Overlaps, compared: Comparison, nmembers: int, skystat: str) -> Errors:
    """What each side, and both together, give to the error of a difference measured pixel by pixel."""
    of_pixel = compared.difference_err**2 * compared.npix_a
    share = noise_shares(overlaps.member_a, overlaps.member_b, of_pixel, nmembers)
    common = common_fraction(share, skystat), common_fraction(1 - share, skystat)
    parts = common[0], common[1], np.maximum(1 - common[0] - common[1], 0)
    of_a, of_b, of_both = (compared.difference_err * np.sqrt(part) for part in parts)
    return of_a, of_b, np.nan_to_num(of_both)


def _shared_noise(
    pairs: Pairs,
    used: np.ndarray[Any, Any],
    group_a: Integers,
    group_b: Integers,
    npix: tuple[Integers, Integers],
    errors: Errors,
    shared: Coverage,
) -> Any:
    """Sources of noise of the pairs; see `skymatch_nb.core.noise`."""
    size = int(max(group_a.max(initial=0), group_b.max(initial=0))) + 1
    codes = pairs.first * size + pairs.second
    a_first = group_a < group_b
    code = np.minimum(group_a, group_b) * size + np.maximum(group_a, group_b)
    pair_of = np.where(used, np.searchsorted(codes, code), -1)
    total_first, total_second = (np.append(n, 1)[pair_of] for n in (pairs.npix_first, pairs.npix_second))
    total = np.where(a_first, total_first, total_second), np.where(a_first, total_second, total_first)
    weight = npix[0] / total[0], npix[1] / total[1]
    return noise_matrix(shared.parts, pair_of, a_first, weight, errors[:2], len(pairs), errors[2])


def _status(loaded: Loaded, overlaps: Overlaps, sides: Sequence[Side], params: SkyMatchParams) -> list[str]:
    """Status of every overlap by what its sides have, and whether its groups take part."""
    status = np.full(len(overlaps), USED, object)
    for side, good, kept in reversed(sides):
        status[kept == 0] = f"all pixels of {side} {standing.CLIPPED}"
        status[good == 0] = f"{standing.NO_PIXELS} in {side}"
    left_out = loaded.groups_of("leave_out", params.leave_out)[loaded.group_of]
    status[left_out[overlaps.member_a] | left_out[overlaps.member_b]] = standing.LEFT_OUT
    return list(status)


def _without_small(status: list[str], npix_a: Integers, npix_b: Integers, params: SkyMatchParams) -> list[str]:
    """Status of overlaps, where those that are too small are not used."""
    used = np.array([s == USED for s in status], bool)
    if not used.any():
        return status
    smaller = np.minimum(npix_a, npix_b)
    least = max(params.min_overlap_pixels, params.min_overlap_fraction * float(smaller[used].mean()))
    small = used & (smaller < least)
    return [
        f"{standing.TOO_SMALL} (below {least:.0f} pixels)" if tiny else s for s, tiny in zip(status, small, strict=True)
    ]

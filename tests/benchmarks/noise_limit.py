"""The error that pixel noise alone leaves in a match, from ERR arrays and the pixels that overlaps compare.

docs/accuracy.md derives it. Nothing here looks at the values of the images.
"""

from dataclasses import replace
from typing import Any

import numpy as np
from astropy.io import fits
from mosaics import Mosaic
from scipy import sparse

from skymatch_nb import SkyMatchSession
from skymatch_nb.core.align import Pixels, aligned_values
from skymatch_nb.core.equations import solve_levels
from skymatch_nb.core.level_errors import level_errors
from skymatch_nb.core.pairs import Pairs, pair_differences
from skymatch_nb.pixelmaps import map_between, polygons_to_spans

STATISTICS = ("mean", "median")


def noise_limits(session: SkyMatchSession, mosaic: Mosaic) -> dict[str, float]:
    """Rms over exposures, in data units, of the error that noise leaves about the mean, for mean and median.

    The session has solved with ``overlap_stat='difference'``.
    """
    compared, loaded = session.fresh_result("compare"), session.fresh_result("group")
    errors = _errors_of_overlaps(session, mosaic, compared.npix_a)
    factor = float(np.mean(session.fresh_result("units").factor))
    limits = {}
    for name, error in zip(STATISTICS, errors, strict=True):
        pairs = _with_errors(session, error)
        levels = solve_levels(len(loaded.groups), pairs, session.params.weighting)
        limits[name] = float(np.sqrt(np.mean(level_errors(pairs, levels) ** 2))) / factor
    return limits


def _errors_of_overlaps(session: SkyMatchSession, mosaic: Mosaic, counts: Any) -> Any:
    """Standard error of every overlap's mean and median difference (brightness), shape (2, noverlaps).

    With s the deviation of a pixel's difference, n pixels have the mean's error ``sqrt(mean(s**2) / n)`` and the
    median's ``sqrt(pi / 2) / (sqrt(n) mean(1 / s))``, the density at the middle being ``mean(1 / s) / sqrt(2 pi)``.
    """
    members = session.fresh_result("group").members
    overlaps, factor = session.fresh_result("overlap"), session.fresh_result("units").factor
    images = [_error_image(mosaic, member) for member in members]
    found = []
    for a, b, polygon, n in zip(overlaps.member_a, overlaps.member_b, overlaps.polygons, counts, strict=True):
        (spans,) = polygons_to_spans(members[a], [polygon])
        if not n or not len(spans):
            found.append((np.nan, np.nan))
            continue
        err_a, err_b = aligned_values(images[a], images[b], spans, map_between(members[a], members[b], spans))
        s = np.hypot(factor[a] * err_a, factor[b] * err_b)
        found.append((np.sqrt(np.mean(s**2) / n), np.sqrt(np.pi / 2 / n) / np.mean(1 / s)))
    return np.array(found).T


def _error_image(mosaic: Mosaic, member: Any) -> Pixels:
    version = int(member.ext.split(",")[1])
    with fits.open(mosaic.folder / member.file) as hdus:
        return Pixels(np.array(hdus["ERR", version].data), np.array(hdus["DQ", version].data))


def _with_errors(session: SkyMatchSession, error: Any) -> Pairs:
    """The session's pairs with other errors of overlaps; what pairs share of them stays."""
    loaded, overlaps = session.fresh_result("group"), session.fresh_result("overlap")
    compared, pairs = session.fresh_result("compare"), session.fresh_result("pair").pairs
    used = np.array([status == "used" for status in compared.status])
    sides = loaded.group_of[overlaps.member_a], loaded.group_of[overlaps.member_b]
    measured = compared.difference, compared.npix_a, compared.npix_b, error
    given = pair_differences(*(side[used] for side in (*sides, *measured)))
    ratio = given.difference_err / np.sqrt((pairs.noise.power(2)).sum(axis=0))
    return replace(pairs, difference_err=given.difference_err, noise=pairs.noise @ sparse.diags_array(ratio))

"""Levels that were measured in samples, and how the two sides of overlaps compare."""

from dataclasses import dataclass

from skymatch_nb.results.base import Floats, Integers, Result


@dataclass(frozen=True, eq=False)
class OverlapLevels(Result):
    """Sky in data units and pixels kept on both sides of every overlap; NaN and 0 where there is no good pixel.

    ``err_a`` and ``err_b`` are the standard errors of the levels; ``good_a`` and ``good_b`` count the good pixels
    before clipping.
    """

    sky_a: Floats
    sky_b: Floats
    err_a: Floats
    err_b: Floats
    npix_a: Integers
    npix_b: Integers
    good_a: Integers
    good_b: Integers


@dataclass(frozen=True, eq=False)
class DifferenceLevels(Result):
    """Brightness difference of every overlap, its standard error, and the pixels kept; NaN and 0 without a pixel."""

    difference: Floats
    err: Floats
    npix: Integers
    good: Integers


@dataclass(frozen=True, eq=False)
class MemberLevels(Result):
    """Sky in data units of every whole member, NaN without a good pixel, its standard error, and the pixels kept."""

    sky: Floats
    err: Floats
    npix: Integers


@dataclass(frozen=True, eq=False)
class Comparison(Result):
    """How the two sides of every overlap compare, in brightness.

    ``sky_a`` and ``sky_b`` are the levels of both sides and ``err_a``, ``err_b`` their errors, NaN where differences
    were measured pixel by pixel; ``difference`` is a minus b. Overlaps whose ``status`` is not `USED` do not count.
    """

    sky_a: Floats
    sky_b: Floats
    err_a: Floats
    err_b: Floats
    difference: Floats
    difference_err: Floats
    npix_a: Integers
    npix_b: Integers
    status: tuple[str, ...]


USED = "used"
"""Status of an overlap that counts."""

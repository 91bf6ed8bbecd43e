"""What the text of a data unit (BUNIT) means: counts, a rate, a flux, a surface brightness, or nothing that is known.

Spellings that instruments use are turned into those of astropy.units, and what it makes of them is decided by its
physical type. What it cannot read is decided by the published rule: counts where there is no '/', else unknown.
"""

import re
import warnings
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
from astropy import units as u

from skymatch_nb.errors import UnitsError

MAGGY = u.def_unit("maggy", 3631 * u.Jy)
NANOMAGGY = u.def_unit("nanomaggy", 1e-9 * MAGGY)

_COUNTED = {u.electron: "electron", u.count: "count", u.DN: "DN", u.adu: "adu", u.photon: "photon"}
"""What can be counted, and its name in the unit of sky levels."""

_FLUXES = (
    u.Jy,
    u.erg / u.s / u.cm**2 / u.AA,
    u.W / u.m**2,
    u.photon / u.s / u.cm**2,
    u.photon / u.s / u.cm**2 / u.Hz,
    u.photon / u.s / u.cm**2 / u.AA,
)

_SPELLINGS = (
    ("electron", r"electrons?|e"),
    ("ct", r"counts?|cts?"),
    ("ct/s", r"cps"),
    ("DN", r"dns?"),
    ("adu", r"adus?"),
    ("ph", r"photons?|ph"),
    ("s", r"s|secs?|seconds?"),
    ("min", r"mins?|minutes?"),
    ("h", r"hrs?|hours?"),
    ("pix", r"pix|pixels?|px"),
    ("nmgy", r"nanomagg(?:y|ies)|nmagg(?:y|ies)|nmgys?"),
    ("mgy", r"magg(?:y|ies)|mgys?"),
    ("arcsec", r"arcsecs?|arcseconds?"),
    ("sr", r"sr|sterad|steradians?"),
    ("erg", r"ergs?"),
    ("cm", r"cm"),
    ("Hz", r"hz"),
)
"""Names of astropy.units and how else they are written, in any case."""

_ASTROPY = [(name, re.compile(pattern, re.IGNORECASE)) for name, pattern in _SPELLINGS]
_WORD = re.compile(r"(?<![A-Za-z0-9.])[A-Za-z]+")
_ELECTRON = re.compile(r"(?<![A-Za-z0-9.])e-(?![0-9])", re.IGNORECASE)
_PER = re.compile(r"\s+per\s+", re.IGNORECASE)
_JANSKY = re.compile(r"([MmKkUuNn]?)[Jj][Yy]")
_ANGSTROM = re.compile(r"A|AA|[Aa]ng|[Aa]ngstroms?|ANGSTROMS?")
_LOGARITHMIC = re.compile(
    r"(?<![A-Za-z])(?:(?:AB|ST|Vega)[ _-]?)?m?mag(?:s|nitudes?)?(?![A-Za-z])|(?<![A-Za-z])log(?:10)?(?![A-Za-z])",
    re.IGNORECASE,
)
_SQUARE = re.compile(r"\(([^()]+)\)(?:\*\*|\^)?2")


@dataclass(frozen=True)
class DataUnit:
    """What a data unit means.

    Parameters
    ----------
    data_type
        ``counts``, ``rate``, ``brightness`` or ``unknown``; a flux is a rate.
    counted
        What is counted (electron, count, DN, adu, photon), empty for other units.
    scale
        How many of these, or of these per second, one data unit is.
    brightness, flux
        The astropy unit of a surface brightness or of a flux per pixel, None for others.
    doubt
        What was taken for granted, empty where nothing was.
    """

    data_type: str
    counted: str = ""
    scale: float = 1.0
    brightness: Any = None
    flux: Any = None
    doubt: str = ""


@cache
def classify_unit(text: str) -> DataUnit:
    """Decide what a unit means.

    Raises
    ------
    UnitsError
        For units in which sky levels mean nothing: logarithmic ones, such as magnitudes, and squares, as of variances.
    """
    plain = text.strip()
    unit = None if _LOGARITHMIC.search(plain) else _parsed(plain)
    if _LOGARITHMIC.search(plain) or _is_logarithmic(unit):
        raise UnitsError(f"unit {text!r} is logarithmic: sky levels need linear pixels")
    known = None if unit is None else _physical(unit)
    if known is not None:
        return replace(known, doubt=known.doubt and f"unit {plain!r} {known.doubt}")
    if _is_square(plain, unit):
        raise UnitsError(f"unit {text!r} is a square, as of variances: sky levels need pixels in the unit itself")
    if "/" in _PER.sub("/", plain) or (unit is not None and any(power < 0 for power in unit.powers)):
        return DataUnit("unknown", doubt=f"unit {plain!r} is not known: taken as a rate")
    return DataUnit("counts", doubt=f"unit {plain!r} is not known: taken as counts, as it has no '/'")


def _parsed(text: str) -> Any:
    """Unit that astropy makes of a text, None where it cannot read it."""
    spelled = _WORD.sub(lambda word: _in_astropy(word[0]), _ELECTRON.sub("electron", _PER.sub("/", text)))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", u.UnitsWarning)
            unit = u.Unit(spelled)
    except (ValueError, TypeError, ArithmeticError):
        return None
    return unit


def _in_astropy(word: str) -> str:
    for name, pattern in _ASTROPY:
        if pattern.fullmatch(word):
            return name
    jansky = _JANSKY.fullmatch(word)
    if jansky:
        prefix = jansky[1]
        return f"{prefix if prefix == 'M' else prefix.lower()}Jy"
    return "Angstrom" if _ANGSTROM.fullmatch(word) else word


def _is_logarithmic(unit: Any) -> bool:
    if unit is None:
        return False
    return not isinstance(unit, u.UnitBase) or u.dex in unit.decompose().bases


def _physical(unit: Any) -> DataUnit | None:
    """What a unit is by its physical type, None where it is none of those that images have."""
    unit = _without_pixels(_with_maggies(unit))
    plain = unit.decompose()
    if not (np.isreal(plain.scale) and 0 < plain.scale < np.inf):
        return None
    powers = dict(zip(plain.bases, plain.powers, strict=True))
    if powers.get(u.rad) == -2 or powers.get(u.sr) == -1:
        core = _physical(unit * (u.sr if u.sr in powers else u.rad**2))
        doubt = "" if core is not None else "is of no kind that is known: taken as a surface brightness"
        return DataUnit("brightness", brightness=unit, doubt=doubt)
    for counted, name in _COUNTED.items():
        if powers == {counted: 1}:
            return DataUnit("counts", name, float(plain.scale))
        if powers == {counted: 1, u.s: -1}:
            return DataUnit("rate", name, float(plain.scale))
    return DataUnit("rate", flux=unit) if _is_flux(unit) else None


def _is_flux(unit: Any) -> bool:
    """Whether a unit is a flux; Jy/s is none, although its dimensions are those of W/m2."""
    spectral = [base for base in unit.bases if base.is_equivalent(u.Jy)]
    if spectral:
        return bool(unit.is_equivalent(spectral[0]))
    return any(unit.is_equivalent(flux) for flux in _FLUXES)


def _with_maggies(unit: Any) -> Any:
    """Unit with maggies as the fluxes that they are, which astropy leaves to its user."""
    fluxes = {u.Unit("mgy"): MAGGY, u.Unit("nmgy"): NANOMAGGY}
    if not any(base in fluxes for base in unit.bases):
        return unit
    return u.CompositeUnit(unit.scale, [fluxes.get(base, base) for base in unit.bases], unit.powers)


def _without_pixels(unit: Any) -> Any:
    """Unit without "per pixel", which all data units are."""
    power = dict(zip(unit.bases, unit.powers, strict=True)).get(u.pix)
    return unit * u.pix ** (-power) if power in (-1, -2) else unit


def _is_square(text: str, unit: Any) -> bool:
    """Whether a unit is the square of one that images have."""
    inner = _SQUARE.fullmatch(text)
    root = _parsed(inner[1]) if inner else None if unit is None else unit**0.5
    known = _physical(root) if isinstance(root, u.UnitBase) else None
    return known is not None and not known.doubt

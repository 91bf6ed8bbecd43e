"""Decide what the pixels are (counts, rates, brightness) and what turns them into one common surface brightness."""

import re
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from astropy import units as u

from skymatch_nb.core.brightness import brightness_factor
from skymatch_nb.errors import UnitsError
from skymatch_nb.executor import Work
from skymatch_nb.io import instruments
from skymatch_nb.io.pixels import read_cards
from skymatch_nb.params import SkyMatchParams
from skymatch_nb.results import Loaded, Member, Units

_COUNT = re.compile(r"(?P<name>electrons?|e-|counts?|cts?|dn|adu)(?P<rest>.*)", re.IGNORECASE)
_SECOND = re.compile(r"(/ ?|[ .*])\(?(s|sec|secs|second|seconds)\)?(\^|\*\*)?(?P<power>\(?-1\)?)?", re.IGNORECASE)
_JANSKY = re.compile(r"\b([MmkKuUnN]?)JY\b")
_STERADIAN = re.compile(r"\bSR\b")
_FLUX = re.compile(r"n(ano)?m(a)?gg(y|ies)|nmgy|mgy|magg(y|ies)", re.IGNORECASE)
_COUNTED = {"e": "electron", "c": "count", "d": "DN", "a": "adu"}
"""Name of what is counted, by the first letter of a unit that counts."""


@dataclass(frozen=True)
class _Decision:
    data_type: str
    exptime: float
    time: float
    inv_sensitivity: float
    data_unit: str
    brightness: Any
    flux: Any
    why: str
    notes: tuple[str, ...]


def units(key: str, loaded: Loaded, params: SkyMatchParams, work: Work) -> Units:
    """Conversion of every member; the formula is in `skymatch_nb.core.brightness.brightness_factor`.

    Raises
    ------
    UnitsError
        Where surface brightness is mixed with counts or rates, or surface brightnesses cannot be converted into
        each other; it lists the files of each kind.
    """
    decisions = work.map(lambda member: _decide(member, params), loaded.members, "units", threads=False)
    bright = [d.brightness is not None for d in decisions]
    if any(bright) and not all(bright):
        raise UnitsError(
            "surface brightness cannot be matched with counts or rates: "
            f"{_list(loaded.members, bright)} against {_list(loaded.members, [not b for b in bright])}"
        )
    scale = np.array([member.nominal_scale for member in loaded.members])
    inv_sensitivity = np.array([d.inv_sensitivity for d in decisions])
    flux = [d.flux is not None for d in decisions]
    if any(flux) and not all(flux):
        raise UnitsError(
            "fluxes cannot be matched with counts or rates: "
            f"{_list(loaded.members, flux)} against {_list(loaded.members, [not f for f in flux])}"
        )
    if all(bright):
        factor, unit = _convert(loaded.members, decisions)
    elif all(flux):
        common = decisions[0].flux
        factor = brightness_factor(scale, 1.0, inv_sensitivity) * np.array([d.flux.to(common) for d in decisions])
        unit = f"{common} / arcsec2"
    else:
        factor = brightness_factor(scale, np.array([d.time for d in decisions]), inv_sensitivity)
        unit = _brightness_unit(decisions, params.invsens_kwd if (inv_sensitivity != 1).any() else None)
    return Units(
        key,
        tuple(d.data_type for d in decisions),
        np.array([d.exptime for d in decisions]),
        inv_sensitivity,
        scale,
        factor,
        tuple(d.data_unit for d in decisions),
        unit,
        tuple(d.why for d in decisions),
        notes=_gather_notes(loaded.members, decisions) + _different_counts(loaded.members, decisions),
    )


@cache
def classify_unit(text: str) -> tuple[str, Any]:
    """Data type that a unit means, and the astropy unit where it is a surface brightness (else None).

    Words for counts, alone or per second, are known in any case and spelling; other units are decided by what
    astropy.units makes of them, and the rest by the published rule: counts without a '/', else unknown.

    Raises
    ------
    UnitsError
        For logarithmic units, such as magnitudes.
    """
    plain = text.strip()
    counted = _COUNT.fullmatch(plain)
    if counted:
        rest = counted["rest"].strip()
        per = _SECOND.fullmatch(rest if rest.startswith("/") else f" {rest}")
        if not rest:
            return "counts", None
        if per and (rest.startswith("/") != bool(per["power"])):
            return "rate", None
    if _FLUX.fullmatch(plain) or plain.lower() == "cps":
        return "rate", None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", u.UnitsWarning)
            unit = u.Unit(_JANSKY.sub(lambda m: f"{m[1]}Jy", _STERADIAN.sub("sr", plain)))
    except (ValueError, TypeError):
        return ("counts" if "/" not in plain else "unknown"), None
    if not isinstance(unit, u.UnitBase) or u.mag in unit.bases:
        raise UnitsError(f"unit {text!r} is logarithmic: sky levels need linear pixels")
    powers = dict(zip(unit.decompose().bases, unit.decompose().powers, strict=True))
    if powers.get(u.rad) == -2 or powers.get(u.sr) == -1:
        return "brightness", unit
    if any(base in powers for base in (u.electron, u.count, u.adu, u.DN)):
        return ("rate" if powers.get(u.s) == -1 else "counts"), None
    if unit.is_equivalent(u.Jy) or unit.is_equivalent(u.Jy / u.pix):
        return "rate", None
    return ("counts" if "/" not in plain else "unknown"), None


@cache
def _flux_unit(text: str) -> Any:
    """Unit of a flux per pixel (Jy, say), as astropy has it; None for other units."""
    if _FLUX.fullmatch(text.strip()):
        return (
            u.def_unit("nanomaggy", 3.631e-6 * u.Jy)
            if text.strip().lower().startswith("n")
            else u.def_unit("maggy", 3631 * u.Jy)
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", u.UnitsWarning)
            unit = u.Unit(_JANSKY.sub(lambda m: f"{m[1]}Jy", text.strip()))
    except (ValueError, TypeError):
        return None
    return unit if isinstance(unit, u.UnitBase) and unit.is_equivalent(u.Jy) else None


def _decide(member: Member, params: SkyMatchParams) -> _Decision:
    telescope, instrument = member.telescope.upper(), member.instrument.upper()
    named = {params.units_kwd, "EXPTIME", "UNITCORR"} | ({params.invsens_kwd} if params.invsens_kwd else set())
    switches = {facts.switch for facts in instruments.HST.values()} if params.invsens_kwd else set()
    cards = read_cards(member.pixels, sorted(named | switches))

    def extension_first(name: str) -> Any:
        extension, primary = cards.get(name, (None, None))
        return extension if extension not in (None, "") else primary

    notes = []
    data_unit = str(extension_first(params.units_kwd) or "").strip()
    flux, why = None, params.units_kwd
    if data_unit:
        try:
            data_type, brightness = classify_unit(data_unit)
        except UnitsError as error:
            raise UnitsError(f"{member.name}: {error}") from None
        flux = _flux_unit(data_unit)
    else:
        why = f"{telescope} {instrument}".strip() if telescope == "HST" and instrument in instruments.HST else "default"
        data_type, brightness = (
            instruments.default_data_type(telescope, instrument, member.detector.upper(), extension_first),
            None,
        )
        notes.append(f"no unit in {params.units_kwd}: taken as {data_type}")
    if data_type == "unknown":
        notes.append(f"unit {data_unit!r} is not known: taken as a rate")
    elif data_type == "counts" and data_unit and not _COUNT.fullmatch(data_unit):
        notes.append(f"unit {data_unit!r} is not known: taken as counts, as it has no '/'")
    exptime = _first_positive(cards["EXPTIME"][1], cards["EXPTIME"][0])
    time = 1.0
    if data_type == "counts":
        time = exptime if exptime > 0 else 1.0
        if not exptime > 0:
            notes.append(f"counts without a positive EXPTIME (it is {_shown(exptime)}): taken as 1 s")
    sensitivity, why_not = _inverse_sensitivity(member, params.invsens_kwd, extension_first, brightness is not None)
    notes += why_not
    return _Decision(data_type, exptime, time, sensitivity, data_unit, brightness, flux, why, tuple(notes))


def _inverse_sensitivity(
    member: Member, keyword: str | None, card: Callable[[str], Any], is_brightness: bool
) -> tuple[float, list[str]]:
    if keyword is None:
        return 1.0, []
    if is_brightness:
        return 1.0, [f"{keyword} is not used: the data are surface brightness"]
    value = _number(card(keyword))
    if not value > 0:
        return 1.0, [f"{keyword} is {_shown(value)}: taken as 1"]
    if not instruments.photometry_done(member.telescope.upper(), member.instrument.upper(), card):
        return 1.0, [f"{keyword} is not used: the header does not say that the photometric correction was done"]
    return value, []


def _number(*candidates: Any) -> float:
    """First finite number, else NaN."""
    for value in candidates:
        if isinstance(value, int | float) and not isinstance(value, bool) and np.isfinite(value):
            return float(value)
    return float("nan")


def _first_positive(*candidates: Any) -> float:
    """First positive number, else the first number, else NaN."""
    positive = (value for value in map(_number, candidates) if value > 0)
    return next(positive, _number(*candidates))


def _shown(value: float) -> str:
    return "missing" if np.isnan(value) else f"{value:g}"


def _convert(members: Sequence[Member], decisions: Sequence[_Decision]) -> tuple[np.ndarray[Any, Any], str]:
    common = decisions[0].brightness
    try:
        factor = np.array([d.brightness.to(common) for d in decisions], float)
    except u.UnitConversionError:
        kinds: dict[str, list[bool]] = {}
        for d in decisions:
            kinds.setdefault(d.data_unit, [o.data_unit == d.data_unit for o in decisions])
        listed = "; ".join(f"{unit}: {_list(members, which)}" for unit, which in kinds.items())
        raise UnitsError(f"surface brightnesses cannot be converted into each other: {listed}") from None
    return factor, common.to_string()


def _brightness_unit(decisions: Sequence[_Decision], sensitivity: str | None) -> str:
    """Unit of brightness in words: by what is counted, else by the unit that all data have."""
    counted = {_counted(d.data_unit) for d in decisions}
    given = {(d.data_unit, d.data_type == "counts") for d in decisions}
    unit = "data unit / (s arcsec2)"
    if len(counted) == 1 and "" not in counted:
        unit = f"{counted.pop()} / (s arcsec2)"
    elif len(given) == 1:
        text, is_counts = given.pop()
        if text:
            unit = f"{text} / (s arcsec2)" if is_counts else f"{f'({text})' if '/' in text else text} / arcsec2"
    return f"{sensitivity} {unit}" if sensitivity else unit


def _list(members: Sequence[Member], which: Sequence[bool]) -> str:
    files = list(dict.fromkeys(m.file for m, w in zip(members, which, strict=True) if w))
    return ", ".join(files[:5]) + (f" and {len(files) - 5} more" if len(files) > 5 else "")


def _counted(data_unit: str) -> str:
    """Name of what a unit counts (electron, count, DN, adu); empty for other units."""
    match = _COUNT.fullmatch(data_unit)
    return _COUNTED[match["name"][0].lower()] if match else ""


def _different_counts(members: Sequence[Member], decisions: Sequence[_Decision]) -> tuple[str, ...]:
    """Note where counts of different things, electrons and ADU say, are matched as if they were the same."""
    counted = [_counted(d.data_unit) for d in decisions]
    kinds = sorted(set(counted) - {""})
    if len(kinds) < 2:
        return ()
    listed = "; ".join(f"{kind}: {_list(members, [c == kind for c in counted])}" for kind in kinds)
    return (f"counts of different things are matched as if they were the same: {listed}",)


def _gather_notes(members: Sequence[Member], decisions: Sequence[_Decision]) -> tuple[str, ...]:
    """One note for all members that it is true of."""
    about: dict[str, list[bool]] = {}
    for k, d in enumerate(decisions):
        for note in d.notes:
            about.setdefault(note, [False] * len(decisions))[k] = True
    return tuple(f"{note} ({_list(members, which)})" for note, which in about.items())

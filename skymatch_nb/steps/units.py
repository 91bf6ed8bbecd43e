"""Decide what the pixels are (counts, rates, brightness) and what turns them into one common surface brightness."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from astropy import units as u

from skymatch_nb.core.brightness import brightness_factor
from skymatch_nb.errors import UnitsError
from skymatch_nb.executor import Work
from skymatch_nb.io import instruments
from skymatch_nb.io.bunit import DataUnit, classify_unit
from skymatch_nb.io.pixels import read_cards
from skymatch_nb.params import SkyMatchParams
from skymatch_nb.results import Loaded, Member, Units


@dataclass(frozen=True)
class _Decision:
    data_type: str
    exptime: float
    time: float
    inv_sensitivity: float
    data_unit: str
    unit: DataUnit
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
    each = [(member, params.units_kwd, params.invsens_kwd) for member in loaded.members]
    decisions = work.map(_decide, each, "units", threads=False, sent=lambda item: item[0].in_files)
    bright = [d.unit.brightness is not None for d in decisions]
    flux = [d.unit.flux is not None for d in decisions]
    for kind, which in (("surface brightness", bright), ("fluxes", flux)):
        if any(which) and not all(which):
            raise UnitsError(
                f"{kind} cannot be matched with counts or rates: "
                f"{_list_units(loaded.members, which, decisions)} against "
                f"{_list_units(loaded.members, [not w for w in which], decisions)}"
            )
    scale = np.array([member.nominal_scale for member in loaded.members])
    inv_sensitivity = np.array([d.inv_sensitivity for d in decisions])
    if all(bright):
        factor, unit = _convert(loaded.members, decisions, "brightness", "surface brightnesses")
    elif all(flux):
        converted, common = _convert(loaded.members, decisions, "flux", "fluxes")
        factor, unit = brightness_factor(scale, 1.0, inv_sensitivity) * converted, f"{common} / arcsec2"
    else:
        counted = np.array([d.unit.scale for d in decisions])
        factor = brightness_factor(scale, np.array([d.time for d in decisions]), inv_sensitivity) * counted
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


def _decide(item: tuple[Member, str, str | None]) -> _Decision:
    member, units_kwd, invsens_kwd = item
    telescope, instrument = member.telescope.upper(), member.instrument.upper()
    times = ("EFFEXPTM", "EXPTIME") if telescope == "JWST" else ("EXPTIME",)
    named = {units_kwd, *times, "UNITCORR"} | ({invsens_kwd} if invsens_kwd else set())
    switches = {facts.switch for facts in instruments.HST.values()} if invsens_kwd else set()
    cards = read_cards(member.pixels, sorted(named | switches))

    def extension_first(name: str) -> Any:
        extension, primary = cards.get(name, (None, None))
        return extension if extension not in (None, "") else primary

    notes = []
    data_unit = str(extension_first(units_kwd) or "").strip()
    why = units_kwd
    if data_unit:
        try:
            unit = classify_unit(data_unit)
        except UnitsError as error:
            raise UnitsError(f"{member.name}: {units_kwd}: {error}") from None
        notes += [unit.doubt] if unit.doubt else []
    else:
        why = f"{telescope} {instrument}".strip() if telescope == "HST" and instrument in instruments.HST else "default"
        unit = DataUnit(instruments.default_data_type(telescope, instrument, member.detector.upper(), extension_first))
        notes.append(f"no unit in {units_kwd}: taken as {unit.data_type}")
    exptime = _first_positive(*(value for name in times for value in reversed(cards.get(name, (None, None)))))
    time = 1.0
    if unit.data_type == "counts":
        time = exptime if exptime > 0 else 1.0
        if not exptime > 0:
            notes.append(f"counts without a positive EXPTIME (it is {_shown(exptime)}): taken as 1 s")
    sensitivity, why_not = _inverse_sensitivity(member, invsens_kwd, extension_first, unit)
    notes += why_not
    return _Decision(unit.data_type, exptime, time, sensitivity, data_unit, unit, why, tuple(notes))


def _inverse_sensitivity(
    member: Member, keyword: str | None, card: Callable[[str], Any], unit: DataUnit
) -> tuple[float, list[str]]:
    if keyword is None:
        return 1.0, []
    if unit.brightness is not None or unit.flux is not None:
        kind = "a flux" if unit.brightness is None else "surface brightness"
        return 1.0, [f"{keyword} is not used: the data are {kind}"]
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


def _convert(
    members: Sequence[Member], decisions: Sequence[_Decision], kind: str, plural: str
) -> tuple[np.ndarray[Any, Any], str]:
    """Factors that convert brightnesses or fluxes to the unit of the first, and that unit without a number."""
    own = [getattr(d.unit, kind) for d in decisions]
    common = u.CompositeUnit(1, own[0].bases, own[0].powers)
    try:
        return np.array([unit.to(common) for unit in own], float), common.to_string()
    except u.UnitConversionError:
        kinds: dict[str, list[bool]] = {}
        for d in decisions:
            kinds.setdefault(d.data_unit, [o.data_unit == d.data_unit for o in decisions])
        listed = "; ".join(f"{unit}: {_list(members, which)}" for unit, which in kinds.items())
        raise UnitsError(f"{plural} cannot be converted into each other: {listed}") from None


def _brightness_unit(decisions: Sequence[_Decision], sensitivity: str | None) -> str:
    """Unit of brightness in words: by what is counted, else by the unit that all data have."""
    counted = {d.unit.counted for d in decisions}
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


def _list_units(members: Sequence[Member], which: Sequence[bool], decisions: Sequence[_Decision]) -> str:
    """Files, and the units that they have."""
    units = dict.fromkeys(d.data_unit or "no unit" for d, w in zip(decisions, which, strict=True) if w)
    return f"{_list(members, which)} ({', '.join(units)})"


def _different_counts(members: Sequence[Member], decisions: Sequence[_Decision]) -> tuple[str, ...]:
    """Note where counts of different things, electrons and ADU say, are matched as if they were the same."""
    counted = [d.unit.counted for d in decisions]
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

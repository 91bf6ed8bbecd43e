"""Plan what is written for every member, report it, and write it; nothing else in the package writes to inputs."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from skymatch_nb.errors import InputError, SkyMatchError
from skymatch_nb.executor import Work
from skymatch_nb.io.convert import converted_file
from skymatch_nb.io.inputs import ImageSpec, Spec
from skymatch_nb.io.objects import edited_object, object_notes
from skymatch_nb.io.pixels import check_unchanged
from skymatch_nb.io.writer import ExtensionEdit, FileEdit, Outcome, foretold, write_files
from skymatch_nb.params import SkyMatchParams
from skymatch_nb.results import (
    NOT_A_NUMBER,
    Applied,
    HeaderSky,
    Loaded,
    MemoryImage,
    Plan,
    Solution,
    Units,
    companion_keyword,
)
from skymatch_nb.steps.background import background_cards

SUBTRACTED, COMPUTED = "subtracted", "computed"
_LEFT_ALONE, _REPORTED, _REFUSED = "left alone: no level", "reported, nothing written", "would be refused: "


def plan(key: str, loaded: Loaded, units: Units, header: HeaderSky, solution: Solution, params: SkyMatchParams) -> Plan:
    """Header values and what is subtracted from the pixels.

    With ``subtractsky`` the level is added to the old value (a running total; missing counts as 0), else it
    replaces it. Where the old value was made in the other way, ``conflict`` says so.
    """
    level = solution.sky[loaded.group_of] / units.factor
    known = np.isfinite(level)
    new = np.nan_to_num(header.value, nan=0.0) + level if params.subtractsky else level
    conflict = tuple(
        "" if not k or params.allow_mixed else _conflict(params, made)
        for k, made in zip(known, header.made, strict=True)
    )
    return Plan(
        key,
        params.skyuser_kwd,
        header.value,
        np.where(known, new, header.value),
        np.where(known & params.subtractsky, level, 0.0),
        level,
        conflict,
        notes=_unknown_origin(loaded, header, known, params) + _left_in_primary(loaded, header, known, params),
    )


def report(key: str, specs: Sequence[Spec], loaded: Loaded, planned: Plan, params: SkyMatchParams) -> Applied:
    """Report the plan, and what the writing run would note of each file; nothing is written.

    Raises
    ------
    InputError
        Where a file has changed since its headers were read.
    """
    for member in loaded.members:
        if not isinstance(member.pixels, MemoryImage):
            check_unchanged(member.pixels)
    edits = _edits(specs, loaded, planned, params)
    said = {file: _foretold(spec, file, edits[file], params) for file, spec in zip(loaded.files, specs, strict=True)}
    status = tuple(
        _LEFT_ALONE if np.isnan(level) else f"{_REFUSED}{why}" if why else said[member.file]
        for member, level, why in zip(loaded.members, planned.level, planned.conflict, strict=True)
    )
    return Applied(key, planned, ("",) * len(loaded), status, ())


def write(
    key: str,
    specs: Sequence[Spec],
    loaded: Loaded,
    planned: Plan,
    params: SkyMatchParams,
    about: Mapping[str, Any],
    work: Work,
) -> Applied:
    """Write the plan to the files, all or nothing for each, and edit objects in memory or copies of them.

    Files of old formats are converted to FITS first; the converted file is edited, not the original.

    Raises
    ------
    SkyMatchError
        Where a keyword's old value was made in the other way, or a file cannot be written; nothing is changed then.
    """
    for member, why in zip(loaded.members, planned.conflict, strict=True):
        if why:
            raise SkyMatchError(f"{member.name}: {why}; allow_mixed=True (--allow-mixed True) writes all the same")
    edits = _edits(specs, loaded, planned, params)
    given = dict(zip(loaded.files, specs, strict=True))
    stamps = {m.file: m.pixels.stamp for m in loaded.members if not isinstance(m.pixels, MemoryImage)}
    files = {
        file: _file_edit(spec.path, converted_file(spec.path, params.clobber), edits[file], stamps.get(file))
        for file, spec in given.items()
        if isinstance(spec, ImageSpec) and edits[file]
    }
    held = {file: spec for file, spec in given.items() if not isinstance(spec, ImageSpec)}
    made = "edited in place" if params.in_place else "a new object was made"
    outcomes = {
        file: Outcome(Path(file), made, "", object_notes(s, edits[file], params.in_place)) for file, s in held.items()
    }
    written = write_files(list(files.values()), backup=params.backup, about=about, progress=work.progress)
    outcomes |= zip(files, written, strict=True)
    objects = tuple(edited_object(spec, edits[file], params.in_place) for file, spec in held.items())
    rows = [
        ("", _LEFT_ALONE) if np.isnan(level) else (outcomes[m.file].backup, _said(outcomes[m.file], m.file))
        for m, level in zip(loaded.members, planned.level, strict=True)
    ]
    backups, status = tuple(b for b, _ in rows), tuple(s for _, s in rows)
    return Applied(key, planned, backups, status, objects, tuple(str(o.path) for o in written))


def _file_edit(path: Path, written: Path, edits: tuple[ExtensionEdit, ...], stamp: tuple[int, int] | None) -> FileEdit:
    """Edits of a file as it was when it was loaded; of its converted form where that is what is written."""
    return FileEdit(written, edits, stamp if written == path else None)


def _foretold(spec: Spec, file: str, edits: tuple[ExtensionEdit, ...], params: SkyMatchParams) -> str:
    """Status of a file's members that have a level."""
    try:
        if not edits:
            return _LEFT_ALONE
        if not isinstance(spec, ImageSpec):
            return _said(Outcome(Path(file), _REPORTED, "", object_notes(spec, edits, params.in_place)), file)
        outcome = foretold(FileEdit(spec.path, edits), params.clobber)
        return _said(replace(outcome, status=_REPORTED), file, "; would go to")
    except InputError as error:
        return f"{_REFUSED}{error}"


def _said(outcome: Outcome, file: str, elsewhere: str = " to") -> str:
    """Status of a member: what was done, to which file where it is another, and notes."""
    place = "" if outcome.path.name == Path(file).name else f"{elsewhere} {outcome.path.name}"
    return "; ".join((outcome.status + place, *outcome.notes))


def _edits(
    specs: Sequence[Spec], loaded: Loaded, planned: Plan, params: SkyMatchParams
) -> dict[str, tuple[ExtensionEdit, ...]]:
    """Edits of every file and object, none where no member has a level: what is reported is what is written."""
    members: dict[str, list[int]] = {file: [] for file in loaded.files}
    for k, member in enumerate(loaded.members):
        if np.isfinite(planned.level[k]):
            members[member.file].append(k)
    return {file: _extension_edits(loaded, planned, known, params) for file, known in members.items()}


def _extension_edits(
    loaded: Loaded, planned: Plan, members: Sequence[int], params: SkyMatchParams
) -> tuple[ExtensionEdit, ...]:
    """Edits of one file: the cards and pixels of its members, and a word in the primary header's history."""
    edits: dict[int, ExtensionEdit] = {}
    how = SUBTRACTED if params.subtractsky else COMPUTED
    made = how if len(planned.keyword) < 8 else f"{how} {planned.keyword}"
    comment = "sky subtracted in all, data units" if params.subtractsky else "sky computed, not subtracted"
    stamp = f"skymatch_nb {version('skymatch_nb')} {_now().isoformat(timespec='seconds')}"
    for k in members:
        hdu = loaded.members[k].hdu
        cards = (
            (planned.keyword, float(planned.new[k]), comment),
            (companion_keyword(planned.keyword), made, f"how {planned.keyword} was made (skymatch_nb)"),
        )
        history = (stamp, f"sky {planned.level[k]:.9g} {how}, {params.skymethod}, {params.skystat}")
        subtract = float(planned.level[k]) if params.subtractsky else None
        edits[hdu] = ExtensionEdit(hdu, cards, history, subtract)
    if edits and 0 not in edits:
        edits[0] = ExtensionEdit(0, (), (f"{stamp} {how} sky", f"see {planned.keyword} in the extensions"), None)
    if len(members) == 1:
        member, level = loaded.members[members[0]], float(planned.level[members[0]])
        told = background_cards(member, level, subtract=params.subtractsky, method=params.skymethod)
        edits[0] = replace(edits[0], cards=edits[0].cards + told)
    return tuple(edits[hdu] for hdu in sorted(edits))


def _now() -> datetime:
    """Present time, or the one that SOURCE_DATE_EPOCH fixes so that equal runs write equal files."""
    fixed = os.environ.get("SOURCE_DATE_EPOCH", "")
    return datetime.fromtimestamp(int(fixed), UTC) if fixed.isdigit() else datetime.now(UTC)


def _conflict(params: SkyMatchParams, made: str) -> str:
    if made.startswith(NOT_A_NUMBER):
        return f"its {params.skyuser_kwd} is {made}"
    if params.subtractsky and made == COMPUTED:
        return f"its {params.skyuser_kwd} was computed, not subtracted, so that a level cannot be added to it"
    if not params.subtractsky and made == SUBTRACTED:
        return f"its {params.skyuser_kwd} tells what was subtracted and would be lost"
    return ""


def _unknown_origin(loaded: Loaded, header: HeaderSky, known: Any, params: SkyMatchParams) -> tuple[str, ...]:
    """Note on values that were there before and do not tell how they were made."""
    if not params.subtractsky:
        return ()
    which = [
        member.name
        for member, value, made, k in zip(loaded.members, header.value, header.made, known, strict=True)
        if k and np.isfinite(value) and value != 0 and not made
    ]
    if not which:
        return ()
    return (f"{params.skyuser_kwd} of {_first(which)} is of unknown origin; levels are added to it",)


def _left_in_primary(loaded: Loaded, header: HeaderSky, known: Any, params: SkyMatchParams) -> tuple[str, ...]:
    """Note on values that stay in primary headers, where they are no longer true."""
    beside = zip(loaded.members, header.primary, known, strict=True)
    files = list(dict.fromkeys(member.file for member, primary, k in beside if primary and k))
    if not files:
        return ()
    keyword = params.skyuser_kwd
    return (f"{keyword} in the primary header of {_first(files)} stays as it is; new values go to the extensions",)


def _first(names: Sequence[str]) -> str:
    return f"{names[0]} and {len(names) - 1} more" if len(names) > 1 else names[0]

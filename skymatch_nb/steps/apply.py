"""Plan what is written for every member, report it, and write it; nothing else in the package writes to inputs."""

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from skymatch_nb.errors import SkyMatchError
from skymatch_nb.executor import Work
from skymatch_nb.io.convert import converted_file
from skymatch_nb.io.inputs import ImageSpec, Spec
from skymatch_nb.io.objects import edited_object
from skymatch_nb.io.writer import ExtensionEdit, FileEdit, Outcome, write_files
from skymatch_nb.params import SkyMatchParams
from skymatch_nb.results import NOT_A_NUMBER, Applied, HeaderSky, Loaded, Plan, Solution, Units, companion_keyword

SUBTRACTED, COMPUTED = "subtracted", "computed"


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
        notes=_unknown_origin(loaded, header, known, params),
    )


def report(key: str, loaded: Loaded, planned: Plan) -> Applied:
    """Report the plan; nothing is written."""
    status = tuple(
        "left alone: no level"
        if np.isnan(level)
        else f"would be refused: {why}"
        if why
        else "reported, nothing written"
        for level, why in zip(planned.level, planned.conflict, strict=True)
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
    """Write the plan to the files, all or nothing for each, and make edited copies of objects in memory.

    Files of old formats are converted to FITS first; the converted file is edited, not the original.

    Raises
    ------
    SkyMatchError
        Where a keyword's old value was made in the other way, or a file cannot be written; nothing is changed then.
    """
    for member, why in zip(loaded.members, planned.conflict, strict=True):
        if why:
            raise SkyMatchError(f"{member.name}: {why}; allow_mixed=True writes all the same")
    edits: dict[str, FileEdit] = {}
    objects = []
    for file, spec in zip(loaded.files, specs, strict=True):
        members = [k for k, m in enumerate(loaded.members) if m.file == file and np.isfinite(planned.level[k])]
        made = _extension_edits(loaded, planned, members, params)
        if not isinstance(spec, ImageSpec):
            objects.append(edited_object(spec, made))
        elif made:
            edits[file] = FileEdit(converted_file(spec.path, params.clobber), made)
    written = write_files(list(edits.values()), backup=params.backup, about=about, progress=work.progress)
    outcomes = dict(zip(edits, written, strict=True))
    rows = [_row(planned, k, m.file, outcomes.get(m.file)) for k, m in enumerate(loaded.members)]
    backups, status = tuple(b for b, _ in rows), tuple(s for _, s in rows)
    return Applied(key, planned, backups, status, tuple(objects), tuple(str(o.path) for o in written))


def _row(planned: Plan, k: int, file: str, outcome: Outcome | None) -> tuple[str, str]:
    """Backup and status of a member."""
    if np.isnan(planned.level[k]):
        return "", "left alone: no level"
    if outcome is None:
        return "", "a new object was made"
    status = outcome.status if outcome.path.name == Path(file).name else f"{outcome.status} to {outcome.path.name}"
    return outcome.backup, "; ".join((status, *outcome.notes))


def _extension_edits(
    loaded: Loaded, planned: Plan, members: Sequence[int], params: SkyMatchParams
) -> tuple[ExtensionEdit, ...]:
    """Edits of one file: the cards and pixels of its members, and a word in the primary header's history."""
    edits: dict[int, ExtensionEdit] = {}
    how = SUBTRACTED if params.subtractsky else COMPUTED
    comment = "sky subtracted in all, data units" if params.subtractsky else "sky computed, not subtracted"
    stamp = f"skymatch_nb {version('skymatch_nb')} {_now().isoformat(timespec='seconds')}"
    for k in members:
        hdu = loaded.members[k].hdu
        cards = (
            (planned.keyword, float(planned.new[k]), comment),
            (companion_keyword(planned.keyword), how, f"how {planned.keyword} was made (skymatch_nb)"),
        )
        history = (stamp, f"sky {planned.level[k]:.9g} {how}, {params.skymethod}, {params.skystat}")
        subtract = float(planned.level[k]) if params.subtractsky else None
        edits[hdu] = ExtensionEdit(hdu, cards, history, subtract)
    if edits and 0 not in edits:
        edits[0] = ExtensionEdit(0, (), (f"{stamp} {how} sky", f"see {planned.keyword} in the extensions"), None)
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
    more = f" and {len(which) - 1} more" if len(which) > 1 else ""
    return (f"{params.skyuser_kwd} of {which[0]}{more} is of unknown origin; levels are added to it",)

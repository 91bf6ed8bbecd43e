"""Read headers: which images there are, where they point, and which belong to one exposure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from skymatch_nb.errors import InputError
from skymatch_nb.executor import Work
from skymatch_nb.io.fits import open_members
from skymatch_nb.io.inputs import ImageSpec, Spec, picked, telling
from skymatch_nb.io.instruments import holds_science
from skymatch_nb.io.objects import object_members
from skymatch_nb.io.recovery import interrupted
from skymatch_nb.results import Loaded, Member


def load(key: str, specs: Sequence[Spec], work: Work, wcs_key: str = "") -> Loaded:
    """Members of all files and objects; those of one form a group. ``wcs_key`` chooses an alternate WCS.

    Raises
    ------
    InputError
        As `skymatch_nb.io.fits.open_members`.
    """
    names = short_names([spec.path if isinstance(spec, ImageSpec) else Path(spec.name) for spec in specs])
    names = _numbered(names)

    each = [(spec, name, wcs_key) for spec, name in zip(specs, names, strict=True)]
    opened = work.map(_open, each, "load", threads=False, sent=lambda item: isinstance(item[0], ImageSpec))
    _require_all(specs, opened)
    members = tuple(member for of_file in opened if isinstance(of_file, list) for member in of_file)
    groups = tuple(dict.fromkeys(member.group for member in members))
    number = {group: k for k, group in enumerate(groups)}
    group_of = np.array([number[member.group] for member in members], np.int64)
    return Loaded(
        key,
        members,
        groups,
        group_of,
        tuple(names),
        notes=_no_science(specs, names) + _interrupted(specs) + _different_filters(members) + _member_notes(members),
    )


def _open(item: tuple[Spec, str, str]) -> list[Member] | InputError:
    """Members of a file or object, its name in tables and the key of its WCS; errors of a wildcard are returned."""
    spec, name, wcs_key = item
    if not isinstance(spec, ImageSpec):
        return object_members(spec, name, wcs_key)
    try:
        return open_members(replace(spec, origin="") if spec.wildcard else spec, name, wcs_key)
    except InputError as error:
        if not spec.wildcard:
            raise
        return error


def _require_all(specs: Sequence[Spec], opened: Sequence[list[Member] | InputError]) -> None:
    """Raise one error for the files that a wildcard picked, masks among images, say, and that cannot be used."""
    failed = {k: error for k, error in enumerate(opened) if isinstance(error, InputError)}
    if not failed:
        return
    files = {k: spec for k, spec in enumerate(specs) if isinstance(spec, ImageSpec)}
    first = files[min(failed)]
    alike = [k for k, spec in files.items() if (spec.wildcard, spec.origin) == (first.wildcard, first.origin)]
    with telling(first.origin):
        errors = [str(failed[k]) for k in alike if k in failed]
        raise InputError(picked(errors, first.wildcard, len(alike))) from failed[min(failed)]


def short_names(paths: Sequence[Path]) -> list[str]:
    """Names that tell files apart: the last part of each path, with the folders above it only where needed."""
    depth = [1] * len(paths)
    while True:
        names = ["/".join(path.parts[-d:]) for path, d in zip(paths, depth, strict=True)]
        counts = Counter(names)
        longer = [
            min(d + 1, len(path.parts)) if counts[name] > 1 else d
            for path, d, name in zip(paths, depth, names, strict=True)
        ]
        if longer == depth:
            return names
        depth = longer


def _numbered(names: Sequence[str]) -> list[str]:
    """Names, with a number where one occurs again (objects may come from the same file)."""
    seen: Counter[str] = Counter()
    unique = []
    for name in names:
        seen[name] += 1
        unique.append(f"{name}#{seen[name]}" if seen[name] > 1 else name)
    return unique


def _member_notes(members: Sequence[Member]) -> tuple[str, ...]:
    """What readers noted, one note for all members that it is true of."""
    about: dict[str, list[str]] = {}
    for member in members:
        for note in member.notes:
            about.setdefault(note, []).append(member.name)
    return tuple(
        f"{note} ({names[0]}{f' and {len(names) - 1} more' if len(names) > 1 else ''})" for note, names in about.items()
    )


def _no_science(specs: Sequence[Spec], names: Sequence[str]) -> tuple[str, ...]:
    """Note files that a wildcard may have picked by mistake."""
    odd = {
        name: spec.wildcard
        for spec, name in zip(specs, names, strict=True)
        if isinstance(spec, ImageSpec) and not holds_science(spec.path)
    }
    if not odd:
        return ()
    more = f" and {len(odd) - 3} more" if len(odd) > 3 else ""
    wildcards = ", ".join(dict.fromkeys(repr(w) for w in odd.values() if w))
    picked_by = f", which {wildcards} matches" if wildcards else ""
    return (f"data quality or weights by their names are taken as images: {', '.join(list(odd)[:3])}{more}{picked_by}",)


def _interrupted(specs: Sequence[Spec]) -> tuple[str, ...]:
    """Notes on folders whose files may be old or new, as a run is writing there or was interrupted."""
    folders = interrupted(spec.path for spec in specs if isinstance(spec, ImageSpec))
    return tuple(
        f"{folder}: a run is writing there, or was interrupted, so that some files may have been written and others "
        "not; undo() or skymatch-nb undo clears up after an interrupted one"
        for folder in folders
    )


def _different_filters(members: Sequence[Member]) -> tuple[str, ...]:
    files: dict[str, set[str]] = {}
    for member in members:
        files.setdefault(member.filter or "unnamed", set()).add(member.file)
    if len(files) < 2:
        return ()
    named = ", ".join(f"{name} ({len(of_filter)})" for name, of_filter in sorted(files.items()))
    return (f"exposures through different filters are matched with each other: {named}",)

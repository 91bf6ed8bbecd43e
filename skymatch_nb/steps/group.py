"""Form groups: the members that share one sky."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from skymatch_nb.errors import InputError, ParameterError
from skymatch_nb.executor import Work
from skymatch_nb.io.pixels import read_cards
from skymatch_nb.params import SkyMatchParams
from skymatch_nb.results import Loaded, Member


def group(key: str, loaded: Loaded, params: SkyMatchParams, work: Work) -> Loaded:
    """Members with the groups that ``group_by`` gives them.

    Raises
    ------
    InputError
        Where headers lack the keyword that tells the group; it names the files.
    ParameterError
        Where a mapping leaves members out or names others, or a function returns no name.
    """
    names = _group_names(loaded.members, params.group_by, work)
    groups = tuple(dict.fromkeys(names))
    number = {name: k for k, name in enumerate(groups)}
    members = tuple(replace(member, group=name) for member, name in zip(loaded.members, names, strict=True))
    return Loaded(key, members, groups, np.array([number[name] for name in names], np.int64), loaded.files)


def regrouped(loaded: Loaded, changes: Mapping[str, str]) -> dict[str, str]:
    """Group of every member by its name, after some were given another: by names of members, files or groups.

    Raises
    ------
    ParameterError
        Where a name is no member, file or group.
    """
    _check_known(loaded.members, changes, lambda m: (m.name, m.file, m.group))
    return {m.name: _given(changes, (m.name, m.file, m.group)) or m.group for m in loaded.members}


def _group_names(members: Sequence[Member], group_by: Any, work: Work) -> list[str]:
    if group_by == "exposure":
        return _by_exposure(members)
    if group_by == "chip":
        return [member.name for member in members]
    if isinstance(group_by, str):
        return _by_keyword(members, group_by, work)
    if isinstance(group_by, Mapping):
        return _by_mapping(members, group_by)
    return [_returned(group_by, member) for member in members]


def _by_exposure(members: Sequence[Member]) -> list[str]:
    """Groups of members of one exposure, where headers tell, else of one file.

    Images through different filters at the same time see different skies; their groups have the filter in their name.
    Where an exposure has a detector twice, in different files, these are not what its headers say.
    """
    filters: dict[str, set[str]] = {}
    files: dict[tuple[str, str, str], set[str]] = {}
    for m in members:
        filters.setdefault(m.exposure, set()).add(m.filter)
        files.setdefault((m.exposure, m.detector, m.filter), set()).add(m.file)
    twice = {exposure for (exposure, _, _), of_detector in files.items() if len(of_detector) > 1}

    def name(m: Member) -> str:
        if not m.exposure or m.exposure in twice:
            return m.file
        return f"{m.exposure} {m.filter}" if len(filters[m.exposure]) > 1 else m.exposure

    return [name(m) for m in members]


def _by_keyword(members: Sequence[Member], keyword: str, work: Work) -> list[str]:
    """Groups of members whose header (the extension's, else the primary) has the same value."""
    cards = work.map(lambda m: read_cards(m.pixels, [keyword])[keyword], members, "group", threads=False)
    values = [next((v for v in card if v is not None and str(v).strip()), None) for card in cards]
    lacking = list(dict.fromkeys(m.file for m, value in zip(members, values, strict=True) if value is None))
    if lacking:
        more = f" and {len(lacking) - 5} more" if len(lacking) > 5 else ""
        raise InputError(f"group_by={keyword!r}: no such header keyword in {', '.join(lacking[:5])}{more}")
    return [f"{keyword}={str(value).strip()}" for value in values]


def _by_mapping(members: Sequence[Member], mapping: Mapping[str, str]) -> list[str]:
    _check_known(members, mapping, lambda m: (m.name, m.file))
    names = [_given(mapping, (m.name, m.file)) for m in members]
    missed = [m.name for m, name in zip(members, names, strict=True) if name is None]
    if missed:
        more = f" and {len(missed) - 5} more" if len(missed) > 5 else ""
        raise ParameterError(f"parameter group_by: the mapping has no group for {', '.join(missed[:5])}{more}")
    return [str(name) for name in names]


def _returned(function: Callable[[Member], Any], member: Member) -> str:
    name = function(member)
    if name is None or not str(name).strip():
        raise ParameterError(f"parameter group_by: the function returned {name!r} for {member.name}")
    return str(name)


def _given(mapping: Mapping[str, str], names: Sequence[str]) -> str | None:
    """Group of the first of some names that a mapping has."""
    return next((mapping[name] for name in names if name in mapping), None)


def _check_known(
    members: Sequence[Member], mapping: Mapping[str, str], names_of: Callable[[Member], Sequence[str]]
) -> None:
    known = {name for member in members for name in names_of(member)}
    unknown = next((name for name in mapping if name not in known), None)
    if unknown is not None:
        listed = ", ".join(member.name for member in members[:5])
        raise ParameterError(f"a group was given for {unknown!r}, which is no member and no file ({listed}, ...)")

"""Form groups: the members that share one sky."""

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from skymatch_nb.errors import InputError, ParameterError
from skymatch_nb.executor import Work
from skymatch_nb.io.pixels import read_cards
from skymatch_nb.params import SkyMatchParams
from skymatch_nb.params.groups import RULES
from skymatch_nb.params.per_member import REST
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
    names = _group_names(loaded, params.group_by, work)
    groups = tuple(dict.fromkeys(names))
    number = {name: k for k, name in enumerate(groups)}
    members = tuple(replace(member, group=name) for member, name in zip(loaded.members, names, strict=True))
    return Loaded(key, members, groups, np.array([number[name] for name in names], np.int64), loaded.files)


def regrouped(loaded: Loaded, changes: Mapping[str, str]) -> dict[str, str]:
    """Group of every member by its name, after some were given another: by names of members, files or groups.

    A group that is named by a file means that of the file's members, where it is one.

    Raises
    ------
    ParameterError
        Where a name is no member, file or group.
    """
    groups: dict[str, set[str]] = {}
    for member in loaded.members:
        groups.setdefault(member.file, set()).add(member.group)
    one = {file: next(iter(names)) for file, names in groups.items() if len(names) == 1}
    given = _of_members(loaded, {name: one.get(group, group) for name, group in changes.items()})
    return {m.name: given.get(k, m.group) for k, m in enumerate(loaded.members)}


def _group_names(loaded: Loaded, group_by: Any, work: Work) -> list[str]:
    members = loaded.members
    if group_by == "exposure":
        return _by_exposure(members)
    if group_by == "chip":
        return [member.name for member in members]
    if isinstance(group_by, str):
        return _by_keyword(members, group_by, work)
    if isinstance(group_by, Mapping):
        return _by_mapping(loaded, group_by)
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
    each = [(m, keyword) for m in members]
    cards = work.map(_card, each, "group", threads=False, sent=lambda item: item[0].in_files)
    values = [next((v for v in card if v is not None and str(v).strip()), None) for card in cards]
    lacking = list(dict.fromkeys(m.file for m, value in zip(members, values, strict=True) if value is None))
    if lacking:
        more = f" and {len(lacking) - 5} more" if len(lacking) > 5 else ""
        close = difflib.get_close_matches(keyword.lower(), RULES, 1, 0.7)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise InputError(f"group_by={keyword!r}: no such header keyword in {', '.join(lacking[:5])}{more}{hint}")
    return [f"{keyword}={str(value).strip()}" for value in values]


def _card(item: tuple[Member, str]) -> tuple[Any, Any]:
    member, keyword = item
    return read_cards(member.pixels, [keyword])[keyword]


def _by_mapping(loaded: Loaded, mapping: Mapping[str, str]) -> list[str]:
    given = _of_members(loaded, {name: of for name, of in mapping.items() if name != REST})
    names = [given.get(k, mapping.get(REST)) for k in range(len(loaded))]
    missed = [m.name for m, name in zip(loaded.members, names, strict=True) if name is None]
    if missed:
        more = f" and {len(missed) - 5} more" if len(missed) > 5 else ""
        listed = f"{', '.join(missed[:5])}{more}"
        raise ParameterError(f"parameter group_by: the mapping has no group for {listed} ('*' means the rest)")
    return [str(name) for name in names]


def _of_members(loaded: Loaded, groups: Mapping[str, str]) -> dict[int, str]:
    """Group of every member that a mapping names; a member's own name goes before those that mean several."""
    meant = {name: loaded.meant("group_by", name) for name in groups}
    several_first = sorted(
        groups, key=lambda name: (len(meant[name]) == 1, name == loaded.members[meant[name][0]].name)
    )
    return {k: groups[name] for name in several_first for k in meant[name]}


def _returned(function: Callable[[Member], Any], member: Member) -> str:
    try:
        name = function(member)
    except Exception as error:
        what = f"{type(error).__name__}: {error}"
        raise ParameterError(f"parameter group_by: the function failed for {member.name}: {what}") from error
    if name is None or not str(name).strip():
        raise ParameterError(f"parameter group_by: the function returned {name!r} for {member.name}")
    return str(name)

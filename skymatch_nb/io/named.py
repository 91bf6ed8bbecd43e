"""Which member is meant by a name that masks or DQ arrays are given for."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from skymatch_nb.errors import InputError
from skymatch_nb.io.grammar import Extension, parse_words
from skymatch_nb.io.names import is_file
from skymatch_nb.params.per_member import full_name
from skymatch_nb.results import Member


def member_named(members: Sequence[Member], name: Any, what: str) -> int:
    """Number of the member that is meant by a name.

    Parameters
    ----------
    name
        Of the member as in the members table, or of its file where that has one member; the file may be given by its
        path, the extension in any form that input strings have (``'x.fits[1]'``).
    what
        What is given for it, for the error.

    Raises
    ------
    InputError
        Where it is no member's, or a file's with several members.
    """
    meant = _meant(members, name)
    if len(meant) == 1:
        return meant[0]
    if not meant:
        known = ", ".join(member.name for member in members[:5]) + (", ..." if len(members) > 5 else "")
        raise InputError(f"a {what} was given for {str(name)!r}, which is no member (members are {known})")
    names = [members[k].name for k in meant]
    listed = ", ".join(names[:4]) + (", ..." if len(names) > 4 else "")
    raise InputError(
        f"one {what} was given for {str(name)!r}, which has {len(names)} members ({listed}): give one for each, "
        f"{{{names[0]!r}: ..., {names[1]!r}: ...}}"
    )


def members_named(members: Sequence[Member], names: Iterable[Any]) -> set[int]:
    """Numbers of all members that names mean; names that mean none are left out."""
    return {k for name in names for k in _meant(members, name)}


def _meant(members: Sequence[Member], name: Any) -> list[int]:
    text = os.fspath(name) if isinstance(name, str | os.PathLike) else ""
    for known in ([m.name for m in members], [m.file for m in members]):
        if text in known:
            return [k for k, other in enumerate(known) if other == text]
    path, extension = full_name(text), None
    if isinstance(name, str) and not is_file(Path(text)):
        try:
            (word,) = parse_words(text)
            (extension,) = word.extensions or (None,)
        except (InputError, ValueError):
            return []
        text, path = word.name, full_name(word.name)
    return [
        k
        for k, m in enumerate(members)
        if (text == m.file or (text and m.path == path)) and (extension is None or _is_extension(m, extension))
    ]


def _is_extension(member: Member, extension: Extension) -> bool:
    if extension.number is not None:
        return extension.number == member.hdu
    label, _, version = member.ext.partition(",")
    return extension.name == label.upper() and (extension.version is None or str(extension.version) == version)

"""Parameters that may differ from member to member: mappings by the names in `KINDS`."""

import os
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from skymatch_nb.errors import ParameterError

KINDS = "member, file, group, detector, instrument or telescope"
"""What mappings can name."""

REST = "*"
"""Name under which a mapping gives the value of all members that it does not name."""


def per_member(parameter: str, value: Any, names: Sequence[Sequence[str]], default: Any) -> list[Any]:
    """Value of a parameter for every member.

    Parameters
    ----------
    parameter
        Its name, for errors.
    value
        One value for all, or a mapping of names to values.
    names
        What each member is known as, the most specific name first.
    default
        Value of members that a mapping neither names nor gives a value for as ``'*'``.

    Raises
    ------
    ParameterError
        Where a mapping names something that no member is known as.
    """
    if not isinstance(value, Mapping):
        return [value] * len(names)
    known = {name for of_member in names for name in of_member}
    by_name = {name if name in known else full_name(name): of_name for name, of_name in value.items() if name != REST}
    unknown = next((name for name in value if name != REST and not {name, full_name(name)} & known), None)
    if unknown is not None:
        listed = ", ".join(sorted(known - {""}, key=lambda name: (len(name), name))[:8])
        raise ParameterError(f"parameter {parameter}: {unknown!r} is no {KINDS} ({listed}, ...)")
    rest = value.get(REST, default)
    return [next((by_name[name] for name in of_member if name in by_name), rest) for of_member in names]


def full_name(name: str) -> str:
    """Name of a file, or of a member (``'file[ext]'``), with the full path of the file."""
    extension = re.search(r"(\[[^\]]*\])?$", name)
    at = extension.start() if extension else len(name)
    path = Path(name[:at])
    with suppress(RuntimeError):  # ~ and no user's name
        path = path.expanduser()
    return os.path.normpath(path.absolute()) + name[at:]

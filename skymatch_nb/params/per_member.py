"""Parameters that may differ from member to member: mappings by member, file, group, detector or instrument."""

from collections.abc import Mapping, Sequence
from typing import Any

from skymatch_nb.errors import ParameterError

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
    unknown = next((name for name in value if name != REST and name not in known), None)
    if unknown is not None:
        listed = ", ".join(sorted(known - {""})[:8])
        raise ParameterError(
            f"parameter {parameter}: {unknown!r} is no member, file, group, detector or instrument ({listed}, ...)"
        )
    rest = value.get(REST, default)
    return [next((value[name] for name in of_member if name in value), rest) for of_member in names]

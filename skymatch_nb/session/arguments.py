"""What arguments of the session's methods must be, beyond their types."""

from numbers import Integral
from typing import Any

from skymatch_nb.errors import ParameterError


def is_whole(value: Any) -> bool:
    """Whether a value is an integer, of Python or numpy, and no bool."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def which_samples(which: Any) -> str | int | tuple[str, str]:
    """What `plot_samples` was asked for: the name of a member, a row number, or a pair of names.

    Raises
    ------
    ParameterError
        Where it is none of these.
    """
    if isinstance(which, str):
        return which
    if is_whole(which):
        return int(which)
    names = tuple(which) if isinstance(which, list | tuple) else ()
    if len(names) == 2 and all(isinstance(name, str) for name in names):
        return names[0], names[1]
    raise ParameterError(
        f"which={which!r}: must be a row number of the overlaps table, a pair of names of members or groups, or the "
        "name of one member"
    )

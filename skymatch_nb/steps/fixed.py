"""Known skies by name become levels of groups."""

from collections.abc import Mapping

import numpy as np

from skymatch_nb.errors import ParameterError
from skymatch_nb.results import Floats, Loaded, Units

AGREEMENT = 1e-6
"""Relative difference in brightness up to which what is given for the members of a group is one value."""


def fixed_levels(loaded: Loaded, units: Units, values: Mapping[str, float] | None) -> Floats:
    """Brightness at which groups are held, NaN for the others, shape (ngroups,).

    A value is in data units of the members that its name means: one, those of a file, or those of a group.

    Raises
    ------
    ParameterError
        For a name that means no member, and where values of one group differ in brightness; it names the members.
    """
    levels = np.full(len(loaded.groups), np.nan)
    given: dict[int, list[tuple[str, float]]] = {}
    for name, value in (values or {}).items():
        for k in loaded.meant("fixed", name):
            told = f"{loaded.members[k].name} ({value:g} in data units)", value * float(units.factor[k])
            given.setdefault(int(loaded.group_of[k]), []).append(told)
    for group, told_of_group in given.items():
        first, level = told_of_group[0]
        for other, brightness in told_of_group:
            if abs(brightness - level) > AGREEMENT * max(abs(brightness), abs(level)):
                raise ParameterError(
                    f"parameter fixed: {first} and {other} share the sky of {loaded.groups[group]!r}, "
                    f"but have brightness {level:.9g} and {brightness:.9g} {units.unit}"
                )
        levels[group] = level
    return levels

"""What is to be written to files, and what became of it."""

from dataclasses import dataclass
from typing import Any

from skymatch_nb.results.base import Floats, Result


@dataclass(frozen=True, eq=False)
class Plan(Result):
    """What is to be written for every member, in data units.

    The keyword, its old value (NaN: none) and its new one, what is subtracted from the pixels, and the level itself.
    A member without a level keeps its old value. ``conflict`` tells where the old value was made in another way.
    """

    keyword: str
    old: Floats
    new: Floats
    subtracted: Floats
    level: Floats
    conflict: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Applied(Result):
    """What became of the plan: per member the backup kept, if any, and what was done.

    ``objects`` are the edited copies of objects in memory, ``paths`` the files that were written.
    """

    plan: Plan
    backup: tuple[str, ...]
    status: tuple[str, ...]
    objects: tuple[Any, ...] = ()
    paths: tuple[str, ...] = ()

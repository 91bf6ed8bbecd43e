"""What became of every group of a match, in words: its status, and notes on those that stand apart."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from skymatch_nb.core.equations import Levels
from skymatch_nb.results import Integers, Loaded, Overlaps

NO_OVERLAP, NO_PIXELS = "no overlap", "no good pixels"
MATCHED, REFERENCE, FIXED = "matched", "reference", "fixed"
LEFT_OUT = "left out"
OWN_SKY, LOWEST_SKY, BASELINE = "own sky", "lowest sky", "baseline"


def is_alone(status: str) -> bool:
    """Whether a group's status tells that it could be matched with none, or measured not at all."""
    return status.startswith("no ") or ", no " in status


def match_status(loaded: Loaded, overlaps: Overlaps, levels: Levels, references: Integers) -> NDArray[np.object_]:
    """Status of every group before groups without a pair get a level, shape (ngroups,)."""
    touches = np.zeros(len(loaded.groups), bool)
    touches[loaded.group_of[overlaps.member_a]] = touches[loaded.group_of[overlaps.member_b]] = True
    alone = np.where(touches, NO_PIXELS, NO_OVERLAP)
    status = np.where(levels.held, FIXED, np.where(levels.component >= 0, MATCHED, alone)).astype(object)
    status[references] = REFERENCE
    return status


def apart_notes(
    loaded: Loaded, overlaps: Overlaps, levels: Levels, status: Sequence[str], consequence: str
) -> list[str]:
    """Notes on groups without a pair, from their first statuses, and on components where there are several.

    Where no group has a pair, one note that tells the ``consequence``.
    """
    if not levels.ncomponents:
        return [f"{why_no_pairs(loaded, overlaps)}: nothing was matched, {consequence}"]
    return _alone(loaded, status) + _components(loaded, levels)


def _alone(loaded: Loaded, status: Sequence[str]) -> list[str]:
    notes = []
    for reason in (NO_OVERLAP, NO_PIXELS):
        alone = [g for g, s in zip(loaded.groups, status, strict=True) if s == reason]
        where = "overlap no other" if reason == NO_OVERLAP else "have no good pixels in their overlaps"
        if alone:
            notes.append(f"{len(alone)} of {len(status)} {loaded.noun}s {where}: {listed(alone)}")
    return notes


def _components(loaded: Loaded, levels: Levels) -> list[str]:
    if levels.ncomponents < 2:
        return []
    order = np.argsort(levels.component, kind="stable")
    starts = np.searchsorted(levels.component[order], np.arange(levels.ncomponents + 1))
    sets = [
        f"set {k + 1}: {listed([loaded.groups[g] for g in order[starts[k] : starts[k + 1]]], 3)}"
        for k in range(min(5, levels.ncomponents))
    ]
    more = [f"and {levels.ncomponents - 5} more"] if levels.ncomponents > 5 else []
    which = "; ".join(sets + more)
    return [f"the {loaded.noun}s form {levels.ncomponents} sets that do not overlap each other ({which})"]


def why_no_pairs(loaded: Loaded, overlaps: Overlaps) -> str:
    """Reason why there is no pair, in words."""
    if len(loaded.groups) < 2:
        return f"there is only one {loaded.noun} ({loaded.groups[0]})"
    if not len(overlaps):
        return f"none of the {len(loaded.groups)} {loaded.noun}s overlap"
    which = "the only overlap has no" if len(overlaps) == 1 else f"none of the {len(overlaps)} overlaps has"
    return f"{which} good pixels on both sides"


def listed(names: Sequence[str], most: int = 5) -> str:
    """Names in words, the first few of many."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")

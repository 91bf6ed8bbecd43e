"""What became of every group of a match, in words: its status, and notes on those that stand apart."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from skymatch_nb.core.equations import Levels
from skymatch_nb.results import Integers, Loaded, Overlaps

NO_OVERLAP, NO_PIXELS = "no overlap", "no good pixels"
MATCHED, REFERENCE, FIXED = "matched", "reference", "fixed"
LEFT_OUT = "left out"
CLIPPED, TOO_SMALL = "clipped", "too small"
ALL_CLIPPED, ALL_SMALL = "all pixels clipped", "overlaps too small"
OWN_SKY, LOWEST_SKY, BASELINE = "own sky", "lowest sky", "baseline"

_REASONS = (ALL_SMALL, ALL_CLIPPED, NO_PIXELS)
"""Why overlaps of a group are not used, the one that is told last."""
_WHERE = {
    NO_OVERLAP: "overlap no other",
    NO_PIXELS: "have no good pixels in their overlaps",
    ALL_CLIPPED: "have overlaps of which all pixels are clipped",
    ALL_SMALL: "have overlaps that are all too small",
}
_OF_OVERLAPS = {
    NO_PIXELS: "without good pixels on both sides",
    ALL_CLIPPED: "with all pixels clipped",
    ALL_SMALL: "too small",
    LEFT_OUT: "left out",
}


def is_alone(status: str) -> bool:
    """Whether a group's status tells that it could be matched with none, or measured not at all."""
    return any(reason in _WHERE for reason in (status, status.partition(", ")[2]))


def alone_status(loaded: Loaded, overlaps: Overlaps, statuses: Sequence[str]) -> NDArray[np.object_]:
    """Status that every group has where it is in no pair, by those of its overlaps, shape (ngroups,)."""
    alone = np.full(len(loaded.groups), NO_OVERLAP, object)
    reason_of = {status: _reason(status) for status in set(statuses)}
    reasons = np.array([reason_of[status] for status in statuses], object)
    for reason in _REASONS:
        concerned = reasons == reason
        for side in (overlaps.member_a, overlaps.member_b):
            alone[loaded.group_of[side[concerned]]] = reason
    return alone


def match_status(alone: NDArray[np.object_], levels: Levels, references: Integers) -> NDArray[np.object_]:
    """Status of every group before groups without a pair get a level, shape (ngroups,)."""
    status = np.where(levels.held, FIXED, np.where(levels.component >= 0, MATCHED, alone)).astype(object)
    status[references] = REFERENCE
    return status


def apart_notes(
    loaded: Loaded, statuses: Sequence[str], levels: Levels, status: Sequence[str], consequence: str
) -> list[str]:
    """Notes on groups without a pair, from their first statuses, and on components where there are several.

    Where no group has a pair, one note that tells the ``consequence``. ``statuses`` are those of the overlaps.
    """
    if not levels.ncomponents:
        return [f"{why_no_pairs(loaded, statuses)}: nothing was matched, {consequence}"]
    return _alone(loaded, status) + _components(loaded, levels)


def _alone(loaded: Loaded, status: Sequence[str]) -> list[str]:
    notes = []
    for reason, where in _WHERE.items():
        alone = [g for g, s in zip(loaded.groups, status, strict=True) if s == reason]
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


def why_no_pairs(loaded: Loaded, statuses: Sequence[str]) -> str:
    """Reason why there is no pair, in words; ``statuses`` are those of the overlaps."""
    if len(loaded.groups) < 2:
        return f"there is only one {loaded.noun} ({loaded.groups[0]})"
    if not statuses:
        return f"none of the {len(loaded.groups)} {loaded.noun}s overlap"
    reasons = Counter(_reason(status) for status in statuses)
    if list(reasons) == [NO_PIXELS]:
        which = "the only overlap has no" if len(statuses) == 1 else f"none of the {len(statuses)} overlaps has"
        return f"{which} good pixels on both sides"
    which = "the only overlap cannot" if len(statuses) == 1 else f"none of the {len(statuses)} overlaps can"
    return f"{which} be used ({', '.join(f'{n} {_OF_OVERLAPS[reason]}' for reason, n in reasons.items())})"


def _reason(status: str) -> str:
    """Why an overlap is not used, as the status of a group that has only such."""
    if status == LEFT_OUT:
        return LEFT_OUT
    return ALL_CLIPPED if status.endswith(CLIPPED) else ALL_SMALL if status.startswith(TOO_SMALL) else NO_PIXELS


def listed(names: Sequence[str], most: int = 5) -> str:
    """Names in words, the first few of many."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")

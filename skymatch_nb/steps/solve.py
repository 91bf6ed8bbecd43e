"""From measured levels to the sky of every group, by any of the four methods."""

from collections.abc import Sequence

import numpy as np

from skymatch_nb.core.equations import Levels, anchored, solve_levels
from skymatch_nb.errors import NoOverlapError, ParameterError
from skymatch_nb.params import SkyMatchParams
from skymatch_nb.results import Floats, GroupPairs, Integers, Loaded, MemberLevels, Overlaps, Solution, Units

NO_OVERLAP, NO_PIXELS = "no overlap", "no good pixels"


def solve_local(key: str, loaded: Loaded, units: Units, levels: MemberLevels, params: SkyMatchParams) -> Solution:
    """'localmin': each group's own sky, the lowest of its members; 'globalmin': the lowest of these for all."""
    _reference(loaded, params)
    local, member = _lowest_of_group(loaded, levels.sky * units.factor)
    known = np.isfinite(local)
    error = np.where(known, (levels.err * units.factor)[member], np.nan)
    status = np.where(known, "own sky", NO_PIXELS)
    sky = local
    if params.skymethod == "globalmin" and known.any():
        lowest = int(np.nanargmin(local))
        sky, error = np.full(len(local), local[lowest]), np.full(len(local), error[lowest])
        status = np.full(len(local), "lowest sky")
    notes = _unusable(loaded, ~known)
    return Solution(key, sky, error, np.full(len(local), -1), tuple(map(str, status)), 0.0, notes=notes)


def solve_match(
    key: str,
    loaded: Loaded,
    units: Units,
    overlaps: Overlaps,
    pairs: GroupPairs,
    whole: MemberLevels | None,
    params: SkyMatchParams,
) -> Solution:
    """'match', and with ``whole`` (the levels of whole members) 'globalmin+match'.

    Raises
    ------
    NoOverlapError
        In 'match', where no two groups have a usable overlap.
    ParameterError
        Where ``reference`` is no group, or one without a pair.
    """
    reference = _reference(loaded, params)
    levels = solve_levels(len(loaded.groups), pairs.pairs)
    if not len(pairs.pairs) and whole is None:
        raise NoOverlapError(f"{_why_no_pairs(loaded, overlaps)}, so that no sky can be matched")
    if reference is not None and not np.isfinite(levels.level[reference]):
        raise ParameterError(f"parameter reference={params.reference!r}: that group has no usable overlap")
    sky = anchored(levels.level, params.match_down, reference)
    status = _match_status(loaded, overlaps, levels, sky)
    notes = _match_notes(loaded, overlaps, pairs, levels, status)
    error = np.full(len(sky), np.nan) if levels.error is None else levels.error
    if whole is None:
        return Solution(key, sky, error, levels.component, tuple(status), 0.0, notes=notes)
    matched = np.nan_to_num(sky, nan=0.0)
    remaining = _lowest_of_group(loaded, whole.sky * units.factor)[0] - matched
    baseline = float(np.nanmin(remaining)) if np.isfinite(remaining).any() else float("nan")
    if np.isfinite(baseline):
        status = [f"baseline, {s}" if s in (NO_OVERLAP, NO_PIXELS) else s for s in status]
    else:
        status = [NO_PIXELS] * len(status)
        notes = (*notes[:0], "no exposure has a good pixel: there is no level for any")
    return Solution(key, matched + baseline, error, levels.component, tuple(status), baseline, notes=notes)


def _lowest_of_group(loaded: Loaded, brightness: Floats) -> tuple[Floats, Integers]:
    """Lowest brightness of each group's members (NaN where none is known), and the member that has it."""
    order = np.lexsort((brightness, loaded.group_of))
    first = np.searchsorted(loaded.group_of[order], np.arange(len(loaded.groups)))
    return brightness[order[first]], order[first]


def _reference(loaded: Loaded, params: SkyMatchParams) -> int | None:
    if params.reference is None:
        return None
    if params.reference not in loaded.groups:
        raise ParameterError(f"parameter reference={params.reference!r}: no such group ({_listed(loaded.groups)})")
    return loaded.groups.index(params.reference)


def _match_status(loaded: Loaded, overlaps: Overlaps, levels: Levels, sky: Floats) -> list[str]:
    touches = np.zeros(len(loaded.groups), bool)
    touches[loaded.group_of[overlaps.member_a]] = touches[loaded.group_of[overlaps.member_b]] = True
    status = np.where(levels.component >= 0, "matched", np.where(touches, NO_PIXELS, NO_OVERLAP))
    zeros = np.flatnonzero(sky == 0)
    return [str("reference" if k in zeros[:1] else s) for k, s in enumerate(status)]


def _match_notes(
    loaded: Loaded, overlaps: Overlaps, pairs: GroupPairs, levels: Levels, status: Sequence[str]
) -> tuple[str, ...]:
    if not len(pairs.pairs):
        return (f"{_why_no_pairs(loaded, overlaps)}: nothing was matched, every exposure gets the same sky",)
    notes = []
    for reason in (NO_OVERLAP, NO_PIXELS):
        alone = [g for g, s in zip(loaded.groups, status, strict=True) if s == reason]
        where = "overlap no other" if reason == NO_OVERLAP else "have no good pixels in their overlaps"
        if alone:
            notes.append(f"{len(alone)} of {len(status)} exposures {where}: {_listed(alone)}")
    if levels.ncomponents > 1:
        sizes = np.bincount(levels.component[levels.component >= 0])
        first = [loaded.groups[int(np.argmax(levels.component == k))] for k in range(levels.ncomponents)]
        named = "; ".join(f"{n} with {name}" for n, name in zip(sizes[:5], first, strict=False))
        notes.append(f"the exposures form {levels.ncomponents} sets that do not overlap each other: {named}")
    return tuple(notes)


def _why_no_pairs(loaded: Loaded, overlaps: Overlaps) -> str:
    if len(loaded.groups) < 2:
        return f"there is only one exposure ({loaded.groups[0]})"
    if not len(overlaps):
        return f"none of the {len(loaded.groups)} exposures overlap"
    which = "the only overlap has no" if len(overlaps) == 1 else f"none of the {len(overlaps)} overlaps has"
    return f"{which} good pixels on both sides"


def _unusable(loaded: Loaded, which: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> tuple[str, ...]:
    names = [g for g, bad in zip(loaded.groups, which, strict=True) if bad]
    return (f"{len(names)} of {len(loaded.groups)} exposures have no good pixels: {_listed(names)}",) if names else ()


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")

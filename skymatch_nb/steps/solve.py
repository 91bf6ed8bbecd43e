"""From measured differences to the sky of every group, by any of the four methods."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from skymatch_nb.core.equations import Levels, solve_levels
from skymatch_nb.core.level_errors import cheap_errors, level_errors
from skymatch_nb.core.pairs import Pairs
from skymatch_nb.errors import NoOverlapError, ParameterError
from skymatch_nb.params import SkyMatchParams
from skymatch_nb.results import Floats, GroupPairs, Loaded, MemberLevels, Overlaps, Solution, Units
from skymatch_nb.steps import standing
from skymatch_nb.steps.fixed import fixed_levels
from skymatch_nb.steps.matched import Match
from skymatch_nb.steps.misfit import misfit_notes

MOST_FOR_ERRORS = 20_000
"""Groups up to which errors are computed under any weights: the work grows with the square of their number."""
MOST_FOR_CHEAP_ERRORS = 200_000
"""The same where errors take no more work than the levels."""


def solve_local(key: str, loaded: Loaded, units: Units, levels: MemberLevels, params: SkyMatchParams) -> Solution:
    """'localmin': each group's own sky, the lowest of its members; 'globalmin': the lowest of these for all.

    Groups in ``fixed`` keep their values, and have no part in the lowest.
    """
    _reference(loaded, params)
    fixed = fixed_levels(loaded, units, params.fixed)
    left_out = loaded.groups_of("leave_out", params.leave_out)
    fixed[left_out] = np.nan
    sky, error = _own_sky(loaded, units, levels, left_out)
    free, known = np.isnan(fixed), np.isfinite(sky)
    status = np.where(known, standing.OWN_SKY, standing.NO_PIXELS).astype(object)
    notes = _unusable(loaded, free & ~known & ~left_out)
    if params.skymethod == "globalmin" and (free & known).any():
        lowest = int(np.nanargmin(np.where(free, sky, np.nan)))
        sky, error = np.full(len(sky), sky[lowest]), np.full(len(sky), error[lowest])
        status[:] = standing.LOWEST_SKY
    sky, error = (np.where(left_out, np.nan, values) for values in (sky, error))
    status[~free] = standing.FIXED
    status[left_out] = standing.LEFT_OUT
    nothing = np.full(len(sky), np.nan)
    return Solution(
        key,
        np.where(free, sky, fixed),
        np.where(free, error, 0.0),
        np.full(len(sky), -1),
        tuple(map(str, status)),
        baseline=nothing,
        baseline_err=nothing,
        pair_weight=np.zeros(0),
        pair_factor=np.zeros(0),
        notes=notes,
    )


def solve_match(
    key: str,
    loaded: Loaded,
    units: Units,
    overlaps: Overlaps,
    pairs: GroupPairs,
    whole: MemberLevels | None,
    params: SkyMatchParams,
) -> Solution:
    """'match' and 'globalmin+match'.

    ``whole``, the levels of whole members, is needed for the second and for ``isolated='own'``.

    Raises
    ------
    NoOverlapError
        In 'match', where no two groups have a usable overlap and isolated ones do not keep their own skies.
    ParameterError
        Where ``reference`` is no group, has no pair, or is tied to a group in ``fixed``; where ``fixed`` names
        nothing, or gives members of one group different values.
    """
    reference = _reference(loaded, params)
    fixed = fixed_levels(loaded, units, params.fixed)
    left_out = loaded.groups_of("leave_out", params.leave_out)
    fixed[left_out] = np.nan
    if not len(pairs.pairs) and params.skymethod == "match" and params.isolated != "own":
        raise NoOverlapError(f"{standing.why_no_pairs(loaded, pairs.statuses)}, so that no sky can be matched")
    used, notes = _usable(pairs.pairs, params)
    levels = solve_levels(len(loaded.groups), used, params.weighting, params.robust == "huber", fixed)
    _check_reference(levels, reference, params)
    error, skipped = _errors(used, levels, loaded.noun)
    match = Match(
        standing.alone_status(loaded, overlaps, pairs.statuses),
        levels,
        error,
        match_down=params.match_down,
        reference=reference,
        shared=params.anchor == "shared",
    )
    match.leave_out(left_out)
    apart = standing.apart_notes(loaded, pairs.statuses, levels, list(match.status), _consequence(params, loaded.noun))
    if whole is not None:
        own = _own_sky(loaded, units, whole, left_out)
        if params.isolated == "own":
            match.keep_own(*own)
        if params.skymethod == "globalmin+match":
            match.add_baselines(*own, isolated_too=params.isolated == "baseline")
            if not np.isfinite(match.sky).any() and params.isolated != "leave":
                apart = [f"no {loaded.noun} has a good pixel: there is no level for any"]
    unsettled = [] if levels.converged else ["robust='huber' did not converge; the last of its levels are used"]
    bad = misfit_notes(loaded, units, pairs.pairs, levels, params)
    return match.solution(key, tuple(apart + notes + skipped + unsettled + bad))


def _own_sky(loaded: Loaded, units: Units, levels: MemberLevels, left_out: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Lowest brightness of each group's members, NaN where none is known, and its standard error."""
    brightness, error = levels.sky * units.factor, levels.err * units.factor
    order = np.lexsort((brightness, loaded.group_of))
    lowest = order[np.searchsorted(loaded.group_of[order], np.arange(len(loaded.groups)))]
    own = np.where(left_out, np.nan, brightness[lowest])
    return own, np.where(np.isfinite(own), error[lowest], np.nan)


def _usable(pairs: Pairs, params: SkyMatchParams) -> tuple[Pairs, list[str]]:
    """Pairs as the weights need them, and what had to be estimated for that."""
    unknown = int(pairs.unknown_errors.sum())
    if not unknown or (params.weighting != "variance" and params.robust is None):
        return pairs, []
    note = f"{unknown} of {len(pairs)} pairs have no standard error, or 0: theirs are estimated from their pixels"
    return replace(pairs, difference_err=pairs.completed_err), [note]


def _errors(pairs: Pairs, levels: Levels, noun: str) -> tuple[Floats, list[str]]:
    """Standard errors of the levels, and why there are none."""
    ngroups = int((levels.component >= 0).sum())
    most = MOST_FOR_CHEAP_ERRORS if cheap_errors(pairs, levels) else MOST_FOR_ERRORS
    if ngroups <= most:
        return level_errors(pairs, levels), []
    return np.where(levels.held, 0.0, np.nan), [f"no standard errors of levels for more than {most} {noun}s"]


def _reference(loaded: Loaded, params: SkyMatchParams) -> int | None:
    if params.reference is None:
        return None
    return int(loaded.group_of[loaded.meant("reference", params.reference)[0]])


def _check_reference(levels: Levels, reference: int | None, params: SkyMatchParams) -> None:
    """Raise `ParameterError` where the reference cannot be at 0."""
    if reference is None:
        return
    component = levels.component[reference]
    if component < 0 and not levels.held[reference]:
        raise ParameterError(f"parameter reference={params.reference!r}: that group has no usable overlap")
    if component < 0 or levels.held_components[component]:
        raise ParameterError(
            f"parameter reference={params.reference!r}: the level of that group is given by 'fixed' already"
        )


def _consequence(params: SkyMatchParams, noun: str) -> str:
    """What groups get where none overlaps another, in words."""
    if params.isolated == "leave":
        return f"no {noun} gets a level"
    own = params.isolated == "own" or params.anchor == "component"
    return f"every {noun} gets {'its own' if own else 'the same'} sky"


def _unusable(loaded: Loaded, which: NDArray[np.bool_]) -> tuple[str, ...]:
    names = [g for g, bad in zip(loaded.groups, which, strict=True) if bad]
    number = f"{len(names)} of {len(loaded.groups)}"
    return (f"{number} {loaded.noun}s have no good pixels: {standing.listed(names)}",) if names else ()

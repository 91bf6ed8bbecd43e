"""A match in the making: levels about their zero points, what groups without a pair get, and baselines."""

import numpy as np
from numpy.typing import NDArray

from skymatch_nb.core.equations import Levels, anchors
from skymatch_nb.results import Floats, Integers, Solution
from skymatch_nb.steps import standing


class Match:
    """Sky, error and status of every group, taken from solved levels and then completed.

    Components with held groups have absolute levels; the others are put at 0 by one of their groups. ``alone`` has the
    status of every group where it is in none, see `skymatch_nb.steps.standing.alone_status`.

    Attributes
    ----------
    sky, error, baseline, baseline_err
        Brightness, shape (ngroups,), NaN where there is none.
    status
        In words, shape (ngroups,).
    isolated
        Which groups have neither a pair nor a held value, shape (ngroups,).
    """

    def __init__(
        self,
        alone: NDArray[np.object_],
        levels: Levels,
        error: Floats,
        *,
        match_down: bool,
        reference: int | None,
        shared: bool,
    ) -> None:
        self._levels, self._shared = levels, shared
        self._free = (levels.component >= 0) & ~np.append(levels.held_components, False)[levels.component]
        counted = np.where(self._free, levels.level, np.nan)
        at = anchors(counted, levels.component, match_down, reference, shared)
        zero = np.append(levels.level[at], 0.0)[levels.component]
        self.sky: Floats = np.where(self._free, levels.level - zero, levels.level)
        self.error = error
        self.status = standing.match_status(alone, levels, at[at >= 0])
        self.isolated = (levels.component < 0) & ~levels.held
        self.baseline = self.baseline_err = np.full(len(self.sky), np.nan)

    def leave_out(self, groups: NDArray[np.bool_]) -> None:
        """Give groups nothing, whatever isolated ones get; they have no pairs."""
        self.isolated &= ~groups
        self.status[groups] = standing.LEFT_OUT

    def keep_own(self, own: Floats, own_err: Floats) -> None:
        """Give isolated groups their own skies."""
        self.sky = np.where(self.isolated, own, self.sky)
        self.error = np.where(self.isolated, own_err, self.error)
        self._complete(self.isolated, standing.OWN_SKY, np.isfinite(own))

    def add_baselines(self, own: Floats, own_err: Floats, isolated_too: bool) -> None:
        """Add to groups without a known zero point the lowest of what their levels leave of their own skies.

        That is the lowest of all, or of each component; an isolated group is a component by itself.
        """
        joins = self._free | (self.isolated & isolated_too)
        matched = np.where(self.isolated, 0.0, self.sky)
        numbers = np.arange(len(matched)) + self._levels.ncomponents
        sets = np.zeros_like(numbers) if self._shared else np.where(self.isolated, numbers, self._levels.component)
        lowest = _lowest_of_set(np.where(joins, own - matched, np.nan), sets)
        of_lowest = np.hypot(own_err, np.where(self.isolated, 0.0, self.error))[lowest]
        self.baseline = np.where(joins, (own - matched)[lowest], np.nan)
        self.baseline_err = np.where(joins, of_lowest, np.nan)
        self.sky = np.where(joins, matched + self.baseline, self.sky)
        known = np.isfinite(self.baseline)
        self._complete(joins & self.isolated, standing.BASELINE, known)
        self.status[joins & ~known] = standing.NO_PIXELS

    def solution(self, key: str, notes: tuple[str, ...]) -> Solution:
        """The result of the step."""
        weight = self._levels.weight
        return Solution(
            key,
            self.sky,
            self.error,
            self._levels.component,
            tuple(map(str, self.status)),
            baseline=self.baseline,
            baseline_err=self.baseline_err,
            pair_weight=weight / weight.max(initial=np.finfo(float).tiny),
            pair_factor=self._levels.factor,
            notes=notes,
        )

    def _complete(self, which: NDArray[np.bool_], what: str, known: NDArray[np.bool_]) -> None:
        """Put what groups got before the reason why they were not matched."""
        for k in np.flatnonzero(which):
            self.status[k] = f"{what}, {self.status[k]}" if known[k] else standing.NO_PIXELS


def _lowest_of_set(values: Floats, sets: Integers) -> Integers:
    """Group with the lowest value in each group's set, shape (ngroups,); a NaN is higher than any number."""
    order = np.lexsort((values, sets))
    _, first, of_set = np.unique(sets[order], return_index=True, return_inverse=True)
    lowest = np.empty(len(sets), np.int64)
    lowest[order] = order[first][of_set]
    return lowest

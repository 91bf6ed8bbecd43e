"""Pairs of groups, and the sky of each group that follows from them."""

from dataclasses import dataclass

from skymatch_nb.core.pairs import Pairs
from skymatch_nb.results.base import Floats, Integers, Result


@dataclass(frozen=True, eq=False)
class GroupPairs(Result):
    """Brightness difference and pixels of both groups of every pair; ``statuses`` has that of every overlap."""

    pairs: Pairs
    statuses: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Solution(Result):
    """Brightness to take off each group; NaN where there is none, with the reason in ``status``.

    ``error`` is its standard error: of matched groups about the mean of their component, or about the groups that
    were fixed in it; without the baseline's.

    ``component`` counts from 0, -1 for none. ``baseline`` is what globalmin+match added to each group and
    ``baseline_err`` its standard error; NaN where nothing was added. ``pair_weight`` is the weight of each pair in the
    equations, in units of the largest, 0 for one between two fixed groups; ``pair_factor`` what robust fitting left of
    it; both are empty where no pairs were used.
    """

    sky: Floats
    error: Floats
    component: Integers
    status: tuple[str, ...]
    baseline: Floats
    baseline_err: Floats
    pair_weight: Floats
    pair_factor: Floats

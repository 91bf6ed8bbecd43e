"""Pair differences to sky levels: weighted least squares on the graph of pairs, sparse throughout.

For pairs (g, h) with levels s_gh (g's, in the overlap with h) and s_hg the solution minimises
``sum W_gh**2 ((x_g - x_h) - (s_gh - s_hg))**2`` with ``W_gh = (n_gh + n_hg) / 2``, n in pixels. In every
connected component it is fixed up to a constant; here the component's mean is 0 (the minimum-norm solution).
Errors are those of the weighted sums that the levels are (the sandwich formula), whatever the weights.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import splu

from skymatch_nb.core.tree import SpanningTree

REFINEMENTS = 20


@dataclass(frozen=True, eq=False)
class Pairs:
    """Pairs of groups, all arrays of shape (npairs,); ``first < second`` are group numbers.

    ``level_first`` is the first group's brightness in the overlap, from ``npix_first`` pixels; ``difference_err``
    the standard error of `difference`, where it is known.
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    level_first: NDArray[np.float64]
    level_second: NDArray[np.float64]
    npix_first: NDArray[np.int64]
    npix_second: NDArray[np.int64]
    difference_err: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.first)

    @property
    def difference(self) -> NDArray[np.float64]:
        """First group's level minus the second's, shape (npairs,)."""
        return self.level_first - self.level_second

    @property
    def weight(self) -> NDArray[np.float64]:
        """Mean number of pixels of the two sides, the W of the equations, shape (npairs,)."""
        return np.asarray(0.5 * (self.npix_first + self.npix_second), np.float64)


@dataclass(frozen=True, eq=False)
class Levels:
    """Solution per group: ``level`` (NaN without a pair) and ``component`` (from 0; -1 without a pair).

    ``error`` is the level's standard error about the mean of its component, where those of the pairs are known.
    """

    level: NDArray[np.float64]
    component: NDArray[np.int64]
    error: NDArray[np.float64] | None = None

    @property
    def ncomponents(self) -> int:
        """Number of connected components of two groups or more."""
        return int(self.component.max(initial=-1)) + 1


def pair_levels(
    group_a: NDArray[np.int64],
    group_b: NDArray[np.int64],
    level_a: NDArray[np.float64],
    level_b: NDArray[np.float64],
    npix_a: NDArray[np.int64],
    npix_b: NDArray[np.int64],
    err_a: NDArray[np.float64] | None = None,
    err_b: NDArray[np.float64] | None = None,
) -> Pairs:
    """Combine overlaps of members into pairs of groups.

    A pair's level is the mean of its member overlaps' levels, weighted by their pixels. All arguments have
    shape (noverlaps,); only overlaps with a finite level and a pixel on both sides count. Pairs come back
    ordered by first, then second group.
    """
    used = np.isfinite(level_a) & np.isfinite(level_b) & (npix_a > 0) & (npix_b > 0)
    swap = group_a > group_b
    first, second = np.where(swap, group_b, group_a)[used], np.where(swap, group_a, group_b)[used]
    size = int(max(first.max(initial=0), second.max(initial=0))) + 1
    codes, of_pair = np.unique(first * size + second, return_inverse=True)

    def total(on_a: NDArray[Any], on_b: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        left, right = np.where(swap, on_b, on_a)[used], np.where(swap, on_a, on_b)[used]
        return (
            np.asarray(np.bincount(of_pair, left, len(codes)), np.float64),
            np.asarray(np.bincount(of_pair, right, len(codes)), np.float64),
        )

    n_first, n_second = total(npix_a, npix_b)
    sum_first, sum_second = total(level_a * npix_a, level_b * npix_b)
    error = None
    if err_a is not None and err_b is not None:
        var_first, var_second = total((err_a * npix_a) ** 2, (err_b * npix_b) ** 2)
        error = np.sqrt(var_first / n_first**2 + var_second / n_second**2)
    return Pairs(
        codes // size,
        codes % size,
        sum_first / n_first,
        sum_second / n_second,
        n_first.astype(np.int64),
        n_second.astype(np.int64),
        error,
    )


def solve_levels(ngroups: int, pairs: Pairs) -> Levels:
    """Levels of ``ngroups`` groups that make the pairs agree; each component has mean 0."""
    weight = pairs.weight**2
    links = sparse.coo_array((np.ones(len(pairs)), (pairs.first, pairs.second)), shape=(ngroups, ngroups))
    label = np.asarray(connected_components(links, directed=False)[1], np.int64)
    paired = np.zeros(ngroups, bool)
    paired[pairs.first] = paired[pairs.second] = True
    component = np.full(ngroups, -1, np.int64)
    component[paired] = _numbered_by_first(label[paired])
    level = np.full(ngroups, np.nan)
    if not len(pairs):
        return Levels(level, component)
    weight = weight / _largest_in_component(weight, component[pairs.first])[component[pairs.first]]
    network = _Network(pairs, weight, component)
    level[paired] = network.levels(pairs.difference)[paired]
    if pairs.difference_err is None:
        return Levels(level, component)
    return Levels(level, component, np.where(paired, network.errors(pairs.difference_err), np.nan))


def anchored(levels: NDArray[np.float64], match_down: bool, reference: int | None = None) -> NDArray[np.float64]:
    """Shift all levels (shape (ngroups,), NaN = none) so that one group is at 0.

    That is the ``reference`` group where given, else the lowest (``match_down``) or the highest of all.
    """
    zero = 0.0
    if reference is not None and np.isfinite(levels[reference]):
        zero = float(levels[reference])
    elif np.isfinite(levels).any():
        zero = float(np.nanmin(levels) if match_down else np.nanmax(levels))
    return np.asarray(levels - zero, np.float64)


def _numbered_by_first(label: NDArray[np.int64]) -> NDArray[np.int64]:
    """Renumber labels 0, 1, 2, ... in the order in which they first appear."""
    _, first, inverse = np.unique(label, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return np.asarray(rank[inverse], np.int64)


def _largest_in_component(weight: NDArray[np.float64], component: NDArray[np.int64]) -> NDArray[np.float64]:
    largest = np.zeros(int(component.max()) + 1)
    np.maximum.at(largest, component, weight)
    return largest


class _Network:
    """The normal equations with one group of each component held at 0, factored once."""

    def __init__(self, pairs: Pairs, weight: NDArray[np.float64], component: NDArray[np.int64]) -> None:
        self._first, self._second, self._weight, self._component = pairs.first, pairs.second, weight, component
        degree = self._onto_groups(weight, np.add)
        self._free = np.flatnonzero((component >= 0) & ~_heaviest_of_component(degree, component))
        column = np.full(len(component), -1)
        column[self._free] = np.arange(len(self._free))
        inner = (column[pairs.first] >= 0) & (column[pairs.second] >= 0)
        rows, columns, off = column[pairs.first[inner]], column[pairs.second[inner]], -weight[inner]
        diagonal = np.arange(len(self._free))
        values = np.concatenate([degree[self._free], off, off])
        places = np.concatenate([diagonal, rows, columns]), np.concatenate([diagonal, columns, rows])
        matrix = sparse.csc_array((values, places), shape=(len(self._free),) * 2)
        try:
            self._factor: Any = splu(
                matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True}
            )
        except RuntimeError:  # weights so far apart that the weaker are lost in the stronger
            self._factor = None

    def levels(self, difference: NDArray[np.float64]) -> NDArray[np.float64]:
        """Levels about the mean of each component, shape (ngroups,).

        They start from the differences along the heaviest spanning tree. Residuals are formed from differences along
        pairs, not from the matrix product, and fed back until they stop shrinking. Where weights are so far apart
        that this does not converge, the equations are solved in the variables of the tree instead.
        """
        tree = SpanningTree(self._first, self._second, self._weight, len(self._component))
        x = tree.levels(difference[tree.pairs])
        refined = self._refine(x, difference)
        if refined is None:
            refined = tree.least_squares(difference, x)
        known = self._component >= 0
        mean = np.bincount(self._component[known], refined[known]) / np.bincount(self._component[known])
        return np.asarray(refined - mean[self._component], np.float64)

    def _refine(self, start: NDArray[np.float64], difference: NDArray[np.float64]) -> NDArray[np.float64] | None:
        """Solution from a start, None where it does not converge."""
        if self._factor is None:
            return None
        x, last = start.copy(), np.inf
        enough = 1e-13 * max(float(np.abs(difference).max()), float(np.ptp(start)))
        for _ in range(REFINEMENTS):
            pull = self._weight * (difference - (x[self._first] - x[self._second]))
            step = self._factor.solve(self._onto_groups(pull, np.subtract)[self._free])
            size = float(np.abs(step).max(initial=0.0))
            if not size < last:
                break
            x[self._free] += step
            last = size
        return x if last <= max(enough, 1e-300) else None

    def errors(self, difference_err: NDArray[np.float64], block: int = 256) -> NDArray[np.float64]:
        """Standard errors of the levels, shape (ngroups,), from those of the pairs taken as independent.

        Each level is a weighted sum of the differences; its coefficients come from one solve per group.
        """
        if self._factor is None:
            return np.full(len(self._component), np.nan)
        members = np.bincount(self._component[self._component >= 0])
        variance = np.zeros(len(self._component))
        for begin in range(0, len(self._component), block):
            groups = np.arange(begin, min(begin + block, len(self._component)))
            same = self._component[:, None] == self._component[groups]
            target = np.where(same, -1.0 / members[self._component[groups]], 0.0)
            target[groups, groups - begin] += 1.0
            z = np.zeros_like(target)
            z[self._free] = self._factor.solve(np.ascontiguousarray(target[self._free]))
            coefficients = self._weight[:, None] * (z[self._first] - z[self._second])
            variance[groups] = ((coefficients * difference_err[:, None]) ** 2).sum(axis=0)
        return np.sqrt(variance)

    def _onto_groups(self, of_pairs: NDArray[np.float64], combine: Any) -> NDArray[np.float64]:
        """What the pairs give to their first groups, combined with what they give to their second ones."""
        n = len(self._component)
        onto = combine(np.bincount(self._first, of_pairs, n), np.bincount(self._second, of_pairs, n))
        return np.asarray(onto, np.float64)


def _heaviest_of_component(degree: NDArray[np.float64], component: NDArray[np.int64]) -> NDArray[np.bool_]:
    order = np.lexsort((-degree, component))
    heaviest = np.zeros(len(degree), bool)
    heaviest[order[np.flatnonzero(np.diff(component[order], prepend=-2))]] = True
    return heaviest & (component >= 0)

"""The graph of pairs and its normal equations, a weighted Laplacian, factored sparsely."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from skymatch_nb.core.factor import SymmetricFactor
from skymatch_nb.core.tree import SpanningTree

REFINEMENTS = 20


def components(ngroups: int, first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.int64]:
    """Connected component of every group, numbered from 0 in the order of their first groups; -1 without a pair."""
    links = sparse.coo_array((np.ones(len(first)), (first, second)), shape=(ngroups, ngroups))
    label = np.asarray(connected_components(links, directed=False)[1], np.int64)
    paired = np.zeros(ngroups, bool)
    paired[first] = paired[second] = True
    component = np.full(ngroups, -1, np.int64)
    component[paired] = _numbered_by_first(label[paired])
    return component


class Network:
    """The normal equations of weighted pairs, with one node of each component grounded, factored once.

    A node is a group, but groups that are held at known values are one node in each component: pairs between two of
    them drop out, and the others see differences to a group at 0. That node is its component's zero point; the
    mean of all nodes is that of a component without.

    Parameters
    ----------
    first, second
        Groups of the pairs, shape (npairs,).
    weight
        Weight of each squared residual, positive, shape (npairs,).
    component
        Component of every group as from `components`, shape (ngroups,).
    held
        Which groups are held, shape (ngroups,).

    Attributes
    ----------
    node
        Node of every group, shape (ngroups,); nodes are numbered by their first group.
    component
        Component of every node, -1 for numbers that are no node, shape (ngroups,).
    grounded
        The held node of every component, -1 where there is none.
    inner
        Which pairs take part, shape (npairs,).
    nfree
        Number of unknowns.
    """

    def __init__(
        self,
        first: NDArray[np.int64],
        second: NDArray[np.int64],
        weight: NDArray[np.float64],
        component: NDArray[np.int64],
        held: NDArray[np.bool_],
    ) -> None:
        self.grounded = _first_of_component(component, held)
        numbers = np.arange(len(component))
        self.node = np.where(held & (component >= 0), self.grounded[component], numbers)
        self.component = np.where(self.node == numbers, component, -1)
        self.inner = self.node[first] != self.node[second]
        self._first, self._second = self.node[first[self.inner]], self.node[second[self.inner]]
        self._scale = _largest_in_component(weight[self.inner], component[self._first], len(self.grounded))
        self._weight = weight[self.inner] / self._scale[component[self._first]]
        degree = self._onto_nodes(self._weight, np.add)
        zero = np.where(self.grounded >= 0, self.grounded, _heaviest_of_component(degree, self.component))
        self._free = np.setdiff1d(np.flatnonzero(self.component >= 0), zero)
        self.nfree = len(self._free)
        self._factor = self._factored(degree)

    def levels(self, difference: NDArray[np.float64]) -> NDArray[np.float64]:
        """Levels of all groups about their component's zero point, shape (ngroups,); those of held groups are 0.

        They start from the differences along the heaviest spanning tree. Residuals are formed from differences along
        pairs, not from the matrix product, and fed back until they stop shrinking. Where weights are so far apart
        that this does not converge, the equations are solved in the variables of the tree instead.
        """
        used = difference[self.inner]
        tree = SpanningTree(self._first, self._second, self._weight, len(self.component))
        x = tree.levels(used[tree.pairs])
        refined = self._refine(x, used) if self.nfree else x
        if refined is None:
            refined = tree.least_squares(used, x)
        known = self.component >= 0
        zero = np.bincount(self.component[known], refined[known]) / np.bincount(self.component[known])
        zero = np.where(self.grounded >= 0, refined[self.grounded], zero)
        return np.asarray((refined - zero[self.component])[self.node], np.float64)

    def solve(self, target: NDArray[np.float64]) -> NDArray[np.float64]:
        """Solve the normal equations for right-hand sides of shape (nnodes, n); NaN where there is no factor."""
        z = np.zeros_like(target)
        if self._factor is None:
            z[self._free] = np.nan
        else:
            z[self._free] = self._factor.solve_block(target[self._free])
        return z

    def weighted_incidence(self) -> Any:
        """Sparse array (npairs, nnodes): what each pair, times its weight, takes from the levels of the nodes.

        Weights are those of `solve` and `inverse_diagonal`: in units of the largest one of their component, `scale`.
        """
        at, weight = np.flatnonzero(self.inner), self._weight
        places = np.concatenate([at, at]), np.concatenate([self._first, self._second])
        shape = len(self.inner), len(self.component)
        return sparse.csr_array((np.concatenate([weight, -weight]), places), shape=shape)

    def inverse_diagonal(self) -> NDArray[np.float64] | None:
        """Diagonal of the inverse of the normal equations, shape (nnodes,); None where it cannot be had."""
        out = np.zeros(len(self.component))
        found = None if self._factor is None else self._factor.inverse_diagonal()
        if found is None:
            return None
        out[self._free] = found
        return out

    @property
    def scale(self) -> NDArray[np.float64]:
        """Largest weight of each node's component, shape (nnodes,); 1 for one without a pair that takes part."""
        return np.where(self.component >= 0, self._scale[self.component], 1.0)

    def _factored(self, degree: NDArray[np.float64]) -> SymmetricFactor | None:
        """Factor of the equations; None where weights are so far apart that the weaker are lost in the stronger."""
        if not self.nfree:
            return None
        column = np.full(len(self.component), -1)
        column[self._free] = np.arange(self.nfree)
        inner = (column[self._first] >= 0) & (column[self._second] >= 0)
        rows, columns, off = column[self._first[inner]], column[self._second[inner]], -self._weight[inner]
        diagonal = np.arange(self.nfree)
        values = np.concatenate([degree[self._free], off, off])
        places = np.concatenate([diagonal, rows, columns]), np.concatenate([diagonal, columns, rows])
        matrix = sparse.csc_array((values, places), shape=(self.nfree, self.nfree))
        try:
            return SymmetricFactor(matrix)
        except RuntimeError:
            return None

    def _refine(self, start: NDArray[np.float64], difference: NDArray[np.float64]) -> NDArray[np.float64] | None:
        """Solution from a start, None where it does not converge."""
        if self._factor is None:
            return None
        x, last = start.copy(), np.inf
        enough = 1e-13 * max(float(np.abs(difference).max()), float(np.ptp(start)))
        for _ in range(REFINEMENTS):
            pull = self._weight * (difference - (x[self._first] - x[self._second]))
            step = self._factor.solve(self._onto_nodes(pull, np.subtract)[self._free])
            size = float(np.abs(step).max(initial=0.0))
            if not size < last:
                break
            x[self._free] += step
            last = size
        return x if last <= max(enough, 1e-300) else None

    def _onto_nodes(self, of_pairs: NDArray[np.float64], combine: Any) -> NDArray[np.float64]:
        """What the pairs give to their first nodes, combined with what they give to their second ones."""
        n = len(self.component)
        onto = combine(np.bincount(self._first, of_pairs, n), np.bincount(self._second, of_pairs, n))
        return np.asarray(onto, np.float64)


def _numbered_by_first(label: NDArray[np.int64]) -> NDArray[np.int64]:
    """Renumber labels 0, 1, 2, ... in the order in which they first appear."""
    _, first, inverse = np.unique(label, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return np.asarray(rank[inverse], np.int64)


def _first_of_component(component: NDArray[np.int64], which: NDArray[np.bool_]) -> NDArray[np.int64]:
    """First of some groups in every component, -1 where none of them is in it."""
    first = np.full(int(component.max(initial=-1)) + 1, -1, np.int64)
    groups = np.flatnonzero(which & (component >= 0))[::-1]
    first[component[groups]] = groups
    return first


def _largest_in_component(
    weight: NDArray[np.float64], component: NDArray[np.int64], ncomponents: int
) -> NDArray[np.float64]:
    largest = np.zeros(ncomponents)
    np.maximum.at(largest, component, weight)
    return np.where(largest > 0, largest, 1.0)


def _heaviest_of_component(degree: NDArray[np.float64], component: NDArray[np.int64]) -> NDArray[np.int64]:
    """Node of the largest degree in every component."""
    order = np.lexsort((-degree, component))
    order = order[component[order] >= 0]
    return order[np.flatnonzero(np.diff(component[order], prepend=-1))]

"""The heaviest spanning tree of a graph of pairs, and least squares in its variables.

Take as unknowns the differences along the tree's pairs, each multiplied by its weight's root. The tree's own
equations become the identity, and since no pair outside the tree is heavier than one on the path it closes, all
other coefficients are at most 1: the problem is well conditioned however far apart the weights are.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.sparse.linalg import LinearOperator, lsmr

from skymatch_nb.core.jit import kernel


class SpanningTree:
    """Heaviest spanning tree of each connected part; ``pairs`` are its pairs, one for each group but the roots.

    Several pairs may link the same two groups; the heaviest of them counts.
    """

    def __init__(
        self, first: NDArray[np.int64], second: NDArray[np.int64], weight: NDArray[np.float64], ngroups: int
    ) -> None:
        self._first, self._second, self._root_weight = first, second, np.sqrt(weight)
        order = np.argsort(-weight, kind="stable")
        code = np.minimum(first, second)[order] * ngroups + np.maximum(first, second)[order]
        rank = np.sort(np.unique(code, return_index=True)[1])
        low, high = np.divmod(code[rank], ngroups)
        graph = sparse.csr_array((rank + 1.0, (low, high)), shape=(ngroups, ngroups))
        self.pairs = order[minimum_spanning_tree(graph).data.astype(np.int64) - 1]
        self._group, self._parent, self._sign, self._of_tree = _grow(first[self.pairs], second[self.pairs], ngroups)

    def levels(self, difference: NDArray[np.float64]) -> NDArray[np.float64]:
        """Levels, shape (ngroups,), that have the given differences along the tree's pairs; 0 at each root."""
        return np.asarray(_down(self._group, self._parent, self._sign, self._of_tree, difference, len(self._parent)))

    def least_squares(self, difference: NDArray[np.float64], start: NDArray[np.float64]) -> NDArray[np.float64]:
        """Levels that minimise the weighted squares of all pairs' residuals (LSMR, Fong and Saunders 2011)."""
        tree_root = self._root_weight[self.pairs]

        def forward(z: NDArray[np.float64]) -> NDArray[np.float64]:
            x = self.levels(z.ravel() / tree_root)
            return np.asarray(self._root_weight * (x[self._first] - x[self._second]))

        def backward(r: NDArray[np.float64]) -> NDArray[np.float64]:
            pull = self._root_weight * r.ravel()
            n = len(self._parent)
            onto = np.bincount(self._first, pull, n) - np.bincount(self._second, pull, n)
            return np.asarray(_up(self._group, self._parent, self._sign, self._of_tree, onto) / tree_root)

        shape = (len(self._first), len(self.pairs))
        operator = LinearOperator(shape, matvec=forward, rmatvec=backward, dtype=np.float64)
        residual = self._root_weight * (difference - (start[self._first] - start[self._second]))
        z = lsmr(operator, residual, atol=1e-15, btol=1e-15, conlim=0.0, maxiter=20_000)[0]
        return start + self.levels(z / tree_root)


def _grow(first: NDArray[np.int64], second: NDArray[np.int64], ngroups: int) -> Any:
    """Order in which groups can be reached from the roots of their trees.

    Returns the groups in that order (roots left out), each group's parent (-1 for a root), the sign and the number
    of the tree's pair that leads to it from there.
    """
    links = np.concatenate([second, first]), np.concatenate([first, second])
    order = np.argsort(links[0], kind="stable")
    starts = np.searchsorted(links[0][order], np.arange(ngroups + 1))
    return _walk(starts, links[1][order], order % max(len(first), 1), order >= len(first), ngroups)


@kernel
def _walk(starts: Any, neighbour: Any, of_tree: Any, from_first: Any, ngroups: int) -> Any:
    parent = np.full(ngroups, -2, np.int64)
    sign = np.zeros(ngroups, np.float64)
    pair = np.zeros(ngroups, np.int64)
    reached = np.empty(ngroups, np.int64)
    n = 0
    for root in range(ngroups):
        if parent[root] != -2:
            continue
        parent[root] = -1
        todo = n
        current = root
        while True:
            for k in range(starts[current], starts[current + 1]):
                other = neighbour[k]
                if parent[other] == -2:
                    parent[other] = current
                    sign[other] = -1.0 if from_first[k] else 1.0
                    pair[other] = of_tree[k]
                    reached[n] = other
                    n += 1
            if todo == n:
                break
            current = reached[todo]
            todo += 1
    return reached[:n].copy(), parent, sign, pair


@kernel
def _down(group: Any, parent: Any, sign: Any, of_tree: Any, difference: Any, ngroups: int) -> Any:
    x = np.zeros(ngroups, np.float64)
    for g in group:
        x[g] = x[parent[g]] + sign[g] * difference[of_tree[g]]
    return x


@kernel
def _up(group: Any, parent: Any, sign: Any, of_tree: Any, onto: Any) -> Any:
    total = onto.copy()
    out = np.zeros(len(group), np.float64)
    for k in range(len(group) - 1, -1, -1):
        g = group[k]
        out[of_tree[g]] = sign[g] * total[g]
        total[parent[g]] += total[g]
    return out

"""Pair differences to sky levels: weighted least squares on the graph of pairs, sparse throughout.

For pairs (g, h) with differences d_gh and weights w_gh the solution minimises
``sum w_gh ((x_g - x_h) - d_gh)**2``, exactly with x at the values of groups that are held. A connected component
without such a group is fixed up to a constant; here its mean is 0 (the minimum-norm solution).
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from skymatch_nb.core.network import Network, components
from skymatch_nb.core.pairs import Pairs
from skymatch_nb.core.weights import Weighting, huber_factors, huber_scale, pair_weights

HUBER_ITERATIONS = 100
HUBER_SCALES = 30
"""Iterations in which the scale is estimated anew; then it is kept, since a median may jump to and fro for ever."""
HUBER_TOLERANCE = 1e-3
"""Iterations end when no residual changes by more than this part of the scale."""


@dataclass(frozen=True, eq=False)
class Levels:
    """Solution: per group ``level`` (NaN without a pair), ``component`` (from 0; -1 without a pair), ``held``.

    Per pair ``weight``, that of its squared residual in the last equations (0 between two held groups), and
    ``factor``, the part of it that robust fitting left. ``converged`` tells whether that came to an end, and
    ``network`` has the last equations (None without a pair).
    """

    level: NDArray[np.float64]
    component: NDArray[np.int64]
    held: NDArray[np.bool_]
    weight: NDArray[np.float64]
    factor: NDArray[np.float64]
    converged: bool = True
    network: Network | None = field(default=None, repr=False)

    @property
    def ncomponents(self) -> int:
        """Number of connected components of two groups or more."""
        return int(self.component.max(initial=-1)) + 1

    @property
    def held_components(self) -> NDArray[np.bool_]:
        """Which components have a held group, and so a zero point of their own; shape (ncomponents,)."""
        found = np.zeros(self.ncomponents, bool)
        found[self.component[self.held & (self.component >= 0)]] = True
        return found


def solve_levels(
    ngroups: int,
    pairs: Pairs,
    weighting: Weighting = "pixels",
    robust: bool = False,
    fixed: NDArray[np.float64] | None = None,
) -> Levels:
    """Levels that make the pairs agree.

    Parameters
    ----------
    ngroups
        Number of groups.
    pairs
        Differences between them.
    weighting
        How much each pair counts, see `skymatch_nb.core.weights.pair_weights`.
    robust
        Whether pairs that disagree with the rest lose weight (Huber 1964), by iteratively reweighted least squares:
        residuals are taken in units of their errors and of a scale common to all, estimated from their median size.
    fixed
        Levels of groups that are held, NaN for the others, shape (ngroups,).

    Returns
    -------
    Levels
        Absolute in components with a held group, about the mean in the others.
    """
    known = np.full(ngroups, np.nan) if fixed is None else fixed
    held = np.isfinite(known)
    base = np.where(held, known, 0.0)
    component = components(ngroups, pairs.first, pairs.second)
    weight = pair_weights(pairs, weighting)
    if not len(pairs):
        return Levels(np.where(held, known, np.nan), component, held, weight, np.ones(0))
    difference = pairs.difference - (base[pairs.first] - base[pairs.second])
    solver = _Solver(pairs, difference, component, held)
    x, factor, converged = solver.robust(weight) if robust else (solver.levels(weight), np.ones(len(pairs)), True)
    level = np.where(held, known, np.where(component >= 0, base + x, np.nan))
    inner = ~(held[pairs.first] & held[pairs.second])
    weight = np.where(inner, weight * factor, 0.0)
    return Levels(level, component, held, weight, factor, converged, solver.network)


def anchors(
    levels: NDArray[np.float64], component: NDArray[np.int64], match_down: bool, reference: int | None, shared: bool
) -> NDArray[np.int64]:
    """Group of every component that is to be at 0, or of all components together (``shared``).

    That is the ``reference`` group where given, else the lowest (``match_down``) or the highest one.

    Parameters
    ----------
    levels
        Levels of the groups that count, NaN for others, shape (ngroups,).
    component
        Their components, shape (ngroups,).

    Returns
    -------
    ndarray of shape (ncomponents,)
        -1 for a component of which no group counts.
    """
    counts = np.flatnonzero(np.isfinite(levels) & (component >= 0))
    label = np.zeros(len(counts), np.int64) if shared else component[counts]
    order = np.lexsort((counts, levels[counts] if match_down else -levels[counts], label))
    first = order[np.flatnonzero(np.diff(label[order], prepend=-1))]
    found = np.full(int(component.max(initial=-1)) + 1, -1, np.int64)
    if shared:
        found[component[counts]] = counts[first]
    else:
        found[label[first]] = counts[first]
    if reference is not None and reference in counts:
        found[component[counts] if shared else component[reference]] = reference
    return found


class _Solver:
    """The equations of one set of pairs, under any weights; ``network`` has those of the last ones."""

    def __init__(
        self,
        pairs: Pairs,
        difference: NDArray[np.float64],
        component: NDArray[np.int64],
        held: NDArray[np.bool_],
    ) -> None:
        self._pairs, self._difference, self._component, self._held = pairs, difference, component, held
        self.network: Network | None = None

    def levels(self, weight: NDArray[np.float64]) -> NDArray[np.float64]:
        return self._network(weight).levels(self._difference)

    def robust(self, weight: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64], bool]:
        """Levels, factors of the weights, and whether they converged."""
        pairs, err = self._pairs, self._pairs.completed_err
        network = self._network(weight)
        freedom = int(network.inner.sum()) - network.nfree
        smallest = 1e-12 * float(np.abs(self._difference / err).max())
        factor, last, scale = np.ones(len(pairs)), np.full(len(pairs), np.inf), 0.0
        for iteration in range(HUBER_ITERATIONS):
            x = network.levels(self._difference)
            residual = (self._difference - (x[pairs.first] - x[pairs.second])) / err
            if iteration < HUBER_SCALES:
                scale = huber_scale(residual[network.inner], freedom, smallest)
            if scale <= smallest or float(np.abs(residual - last).max()) <= HUBER_TOLERANCE * scale:
                return x, factor, True
            factor, last = np.where(network.inner, huber_factors(residual, scale), 1.0), residual
            network = self._network(weight * factor)
        return network.levels(self._difference), factor, False

    def _network(self, weight: NDArray[np.float64]) -> Network:
        self.network = Network(self._pairs.first, self._pairs.second, weight, self._component, self._held)
        return self.network

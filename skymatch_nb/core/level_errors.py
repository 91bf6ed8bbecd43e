"""Standard errors of levels: those of the weighted sums of differences that the levels are.

Levels are ``x = B d`` with ``B = inv(N) A.T W`` (N the normal equations ``A.T W A``, in the gauge of the solution),
so that their covariance is ``B S B.T`` with S the covariance of the differences, whatever the weights: the sandwich
formula (White 1980). Where W is the inverse of S, that is the inverse of N itself.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from skymatch_nb.core.equations import Levels
from skymatch_nb.core.factor import squares_of_rows
from skymatch_nb.core.network import Network
from skymatch_nb.core.pairs import Pairs

BLOCK = 64
"""Groups whose errors are computed at once: their right-hand sides should fit the processor's cache."""


def level_errors(pairs: Pairs, levels: Levels) -> NDArray[np.float64]:
    """Standard errors of levels, shape (ngroups,).

    They are about the mean of the component, or where groups are held, about these, which have 0. Groups without a
    pair have NaN, and so have all where the pairs' errors are not known or their weights are so far apart that the
    equations cannot be factored.

    Parameters
    ----------
    pairs
        Differences with ``difference_err`` or ``noise``.
    levels
        What `skymatch_nb.core.equations.solve_levels` made of them.
    """
    paired = levels.component >= 0
    alone = np.where(levels.held, 0.0, np.nan)
    sources = _sources(pairs)
    network = levels.network
    if network is None or sources is None:
        return alone
    variance = _of_best_weights(network, pairs, levels) if pairs.noise is None else None
    if variance is None:
        variance = _sandwich(network, sources)
    return np.where(levels.held | ~paired, alone, np.sqrt(variance)[network.node])


def cheap_errors(pairs: Pairs, levels: Levels) -> bool:
    """Whether errors take no more work than the levels: pairs are independent and weighted by their variances."""
    return pairs.noise is None and _common_ratio(pairs, levels) is not None


def _sources(pairs: Pairs) -> Any:
    """The sources of noise, a sparse array (nsources, npairs); None where they are not known."""
    if pairs.noise is not None:
        return sparse.csr_array(pairs.noise)
    if pairs.difference_err is None:
        return None
    places = np.arange(len(pairs))
    return sparse.csr_array((pairs.difference_err, (places, places)), shape=(len(pairs), len(pairs)))


def _common_ratio(pairs: Pairs, levels: Levels) -> float | None:
    """What the weights are, in units of the inverse variances, where that is the same for all pairs."""
    if pairs.difference_err is None:
        return None
    ratio = (levels.weight * pairs.difference_err**2)[levels.weight > 0]
    if not len(ratio) or not np.ptp(ratio) <= 1e-12 * ratio[0]:
        return None
    return float(ratio[0])


def _of_best_weights(network: Network, pairs: Pairs, levels: Levels) -> NDArray[np.float64] | None:
    """Variances of the nodes where weights are inverse variances: diagonal of the inverse, in the right gauge.

    About the mean m of a component's nodes that is ``Z_ii - 2 mean_j(Z_ij) + mean_jk(Z_jk)``.
    """
    ratio = _common_ratio(pairs, levels)
    diagonal = None if ratio is None else network.inverse_diagonal()
    if ratio is None or diagonal is None:
        return None
    free = (network.component >= 0) & (network.grounded[network.component] < 0)
    size = np.bincount(network.component[free], minlength=len(network.grounded))
    share = np.divide(1.0, size, out=np.zeros(len(size)), where=size > 0)
    to_mean = network.solve(np.where(free, share[network.component], 0.0)[:, None])[:, 0]
    mean = np.bincount(network.component[free], to_mean[free], len(size)) * share
    variance = np.where(free, diagonal - 2.0 * to_mean + mean[network.component], diagonal)
    return np.maximum(variance, 0.0) * ratio / network.scale


def _sandwich(network: Network, sources: Any) -> NDArray[np.float64]:
    """Variances of the nodes: the squares of what each source of noise does to them, summed."""
    given = sparse.csr_array(sources @ network.weighted_incidence())
    size = np.bincount(network.component[network.component >= 0])
    variance = np.zeros(len(network.component))
    nodes = np.flatnonzero(network.component >= 0)
    for begin in range(0, len(nodes), BLOCK):
        chosen = nodes[begin : begin + BLOCK]
        of_chosen = network.component[chosen]
        about_mean = np.where(network.grounded[of_chosen] < 0, -1.0 / size[of_chosen], 0.0)
        target = np.where(network.component[:, None] == of_chosen, about_mean, 0.0)
        target[chosen, np.arange(len(chosen))] += 1.0
        variance[chosen] = squares_of_rows(given.indptr, given.indices, given.data, network.solve(target))
    return variance

"""The noise that pair differences share: where overlaps of a member lie on each other, its pixels are in both.

Each member is cut into parts that lie in the same overlaps. The noise of a part is one source; the level of an overlap
is the mean of its parts, so that its variance is spread over them by their share of its area, and two overlaps have
the covariance ``err_1 err_2 n_12 / sqrt(n_1 n_2)``, n_12 being the pixels that they share.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import lsqr

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

LEAST_SHARE = 0.02
"""Smallest share of a difference's variance that is given to one of its sides."""


@dataclass(frozen=True, eq=False)
class SharedParts:
    """Which parts of members lie in which overlaps; all arrays of shape (n,).

    Part ``part`` (numbered over all members) makes up ``fraction`` of overlap ``overlap``, on its side a or b.
    """

    part: Integers
    overlap: Integers
    on_a: NDArray[np.bool_]
    fraction: Floats

    @property
    def nparts(self) -> int:
        """Number of parts of all members."""
        return int(self.part.max(initial=-1)) + 1


def distinct_parts(inside: NDArray[np.bool_]) -> tuple[Integers, Integers, Floats]:
    """Parts of one member that lie in the same overlaps.

    Parameters
    ----------
    inside
        Which cells of a grid over the member lie in which of its overlaps, shape (noverlaps, ncells).

    Returns
    -------
    part, overlap, fraction
        Arrays of shape (n,): part `part` makes up that fraction of the overlap. An overlap in which no cell lies
        is a part of its own.
    """
    patterns, counts = _distinct_columns(np.packbits(inside, axis=0))
    members = np.unpackbits(patterns, axis=0, count=len(inside)).astype(bool)
    overlap, part = np.nonzero(members)
    total = members @ counts
    fraction = counts[part] / total[overlap]
    thin = np.flatnonzero(total == 0)
    alone = members.shape[1] + np.arange(len(thin))
    return (
        np.concatenate([part, alone]).astype(np.int64),
        np.concatenate([overlap, thin]).astype(np.int64),
        np.concatenate([fraction, np.ones(len(thin))]),
    )


def _distinct_columns(packed: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], Integers]:
    """Distinct columns of bytes in their order, and how often each occurs; up to eight bytes are sorted as numbers."""
    rows, columns = packed.shape
    if rows > 8:
        return np.unique(packed, axis=1, return_counts=True)
    words = np.zeros((columns, 8), np.uint8)
    words[:, :rows] = packed.T
    numbers, counts = np.unique(words.view(">u8")[:, 0].astype(np.uint64), return_counts=True)
    return numbers.astype(">u8").view(np.uint8).reshape(-1, 8).T[:rows], counts


def noise_shares(member_a: Integers, member_b: Integers, variance: Floats, nmembers: int) -> Floats:
    """Share of side a in the variance per pixel of each overlap's differences, shape (noverlaps,).

    The variances are explained as sums of one for each member, by least squares; what they cannot tell (a single
    overlap, say) is shared equally.
    """
    known = np.isfinite(variance)
    if not known.any():
        return np.full(len(variance), 0.5)
    mean = 0.5 * float(variance[known].mean())
    rows = np.arange(int(known.sum()))
    ones = np.ones(len(rows))
    places = np.concatenate([rows, rows]), np.concatenate([member_a[known], member_b[known]])
    design = sparse.csr_array((np.concatenate([ones, ones]), places), shape=(len(rows), nmembers))
    own = mean + lsqr(design, variance[known] - 2 * mean, atol=1e-6, btol=1e-6)[0]
    own = np.maximum(own, LEAST_SHARE * max(mean, 1e-300))
    share = own[member_a] / (own[member_a] + own[member_b])
    return np.asarray(np.clip(share, LEAST_SHARE, 1 - LEAST_SHARE), np.float64)


def common_fraction(share: Floats, statistic: str) -> Floats:
    """Part of a difference's variance that another difference with the same side has in common with it.

    For the mean of differences that is the ``share`` r of the side in their variance. A statistic that is not linear
    keeps less, the correlation of its influence functions for Gaussian variables of correlation r: with signs (median,
    midpt) ``(2 / pi) arcsin(r)``; with ``u exp(-u**2 / 2)`` (mode, whose kernel is as wide as the deviation)
    ``r (3 / (4 - r**2))**1.5``. The biweight is taken as linear, binmode as the median.
    """
    if statistic in ("median", "midpt", "binmode"):
        return np.asarray(2 / np.pi * np.arcsin(share), np.float64)
    if statistic == "mode":
        return np.asarray(share * (3 / (4 - share**2)) ** 1.5, np.float64)
    return share


def noise_matrix(
    parts: SharedParts,
    pair_of: Integers,
    a_is_first: NDArray[np.bool_],
    weight: tuple[Floats, Floats],
    error: tuple[Floats, Floats],
    npairs: int,
    private: Floats | None = None,
) -> Any:
    """Sources of noise of pair differences, of unit variance each: a sparse array (nsources, npairs).

    The covariance of the differences is ``M.T @ M``.

    Parameters
    ----------
    pair_of
        Pair that each overlap counts in, -1 for none.
    a_is_first
        Whether side a of the overlap belongs to the pair's first group.
    weight, error
        For side a and side b: the weight of the overlap's level in the pair's, and the level's standard error.
    private
        Standard error of each overlap's difference that no other has a part in.
    """
    i = parts.overlap
    used = pair_of[i] >= 0
    i, part, on_a, fraction = i[used], parts.part[used], parts.on_a[used], parts.fraction[used]
    scale = np.where(on_a, weight[0][i] * error[0][i], weight[1][i] * error[1][i])
    sign = np.where(on_a == a_is_first[i], 1.0, -1.0)
    values = sign * np.nan_to_num(scale) * np.sqrt(fraction)
    matrix = sparse.coo_array((values, (part, pair_of[i])), shape=(parts.nparts, npairs)).tocsr()
    if private is None:
        return matrix
    counted = pair_of >= 0
    alone = np.bincount(pair_of[counted], (weight[0] * private)[counted] ** 2, npairs)
    return sparse.vstack([matrix, sparse.diags_array(np.sqrt(alone))], format="csr")

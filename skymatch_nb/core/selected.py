"""Selected entries of the inverse of a symmetric sparse matrix, from its factor (Takahashi's equations).

With ``A = L D L.T``, L of unit diagonal, the inverse Z obeys ``Z = inv(D) inv(L) + (I - L.T) Z``. Read from the last
column to the first, it gives the entries of Z at the places of L from one another alone (Takahashi, Fagan and Chin
1973; Erisman and Tinney 1975): as much work as the factorisation, where solving for each column takes n times a solve.

Neighbouring columns that have their rows in common, a supernode, are taken at once, so that the entries of Z that they
need are gathered once for all of them. With J the columns and R the rows below them, those of Z are
``Z_RJ = -Z_RR U`` and ``Z_JJ = inv(L_JJ.T) inv(D_J) inv(L_JJ) - U.T Z_RJ`` with ``U = L_RJ inv(L_JJ)``.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skymatch_nb.core.jit import kernel, subkernel


def diagonal_of_inverse(
    starts: NDArray[np.int32], rows: NDArray[np.int32], lower: NDArray[Any], pivots: NDArray[Any]
) -> NDArray[Any] | None:
    """Diagonal of the inverse of ``L D L.T``, real or complex (symmetric, not Hermitian).

    Parameters
    ----------
    starts, rows, lower
        L by columns, each with its diagonal first and its rows in order.
    pivots
        Diagonal of D, shape (n,).

    Returns
    -------
    ndarray of shape (n,), or None
        None where L has not all the places that the equations need.
    """
    first = _supernodes(starts, rows)
    widest = int(np.max(np.diff(starts), initial=0))
    found = _diagonal(starts, rows, lower, pivots, first, widest)
    return None if found is None else np.asarray(found)


def _supernodes(starts: NDArray[np.int32], rows: NDArray[np.int32]) -> NDArray[np.int64]:
    """First columns of the supernodes, and the number of columns.

    A column whose first row below the diagonal is the next column has all its other rows in common with that one,
    where L has all its places; it has no fewer rows then, and where it has as many, the two have the same.
    """
    count = np.diff(starts)
    inner = np.flatnonzero(count[:-1] == count[1:] + 1)
    joined = inner[rows[starts[inner] + 1] == inner + 1]
    apart = np.ones(len(count) + 1, bool)
    apart[joined + 1] = False
    return np.flatnonzero(apart)


@kernel
def _diagonal(starts: Any, rows: Any, lower: Any, pivots: Any, first: Any, widest: int) -> Any:
    """Diagonal of Z. The entries of a supernode are kept by columns, of all its rows, from ``begin`` on."""
    n, count = len(pivots), len(first) - 1
    node = np.empty(n, np.int64)
    begin = np.zeros(count + 1, np.int64)
    for s in range(count):
        node[first[s] : first[s + 1]] = s
        begin[s + 1] = begin[s] + (first[s + 1] - first[s]) * (starts[first[s] + 1] - starts[first[s]])
    z = np.empty(begin[count], lower.dtype)
    inverse = np.empty((widest, widest), lower.dtype)
    out = np.empty(n, lower.dtype)
    for s in range(count - 1, -1, -1):
        width = first[s + 1] - first[s]
        height = starts[first[s] + 1] - starts[first[s]]
        own = rows[starts[first[s]] : starts[first[s] + 1]]
        block = z[begin[s] : begin[s + 1]].reshape(width, height)
        if not _gather(own[width:], starts, rows, z, node, first, begin, inverse):
            return None
        factor = np.zeros((width, height), lower.dtype)
        for c in range(width):
            column = first[s] + c
            factor[c, c:] = lower[starts[column] : starts[column + 1]]
        _apply_inverse(factor)
        _fill(block, factor, inverse, pivots[first[s] : first[s + 1]])
        for c in range(width):
            out[first[s] + c] = block[c, c]
    return out


@kernel
def _gather(below: Any, starts: Any, rows: Any, z: Any, node: Any, first: Any, begin: Any, inverse: Any) -> bool:
    """Entries of Z among some rows, from those that are known; False where one of them is not."""
    size, k = len(below), 0
    while k < size:
        s = node[below[k]]
        there = rows[starts[first[s]] : starts[first[s] + 1]]
        height = len(there)
        stop = k
        while stop < size and below[stop] < first[s + 1]:
            stop += 1
        at = below[k] - first[s]
        for i in range(k, size):
            while at < height and there[at] < below[i]:
                at += 1
            if at == height or there[at] != below[i]:
                return False
            for j in range(k, min(stop, i + 1)):
                value = z[begin[s] + (below[j] - first[s]) * height + at]
                inverse[i, j] = value
                inverse[j, i] = value
        k = stop
    return True


@subkernel
def _apply_inverse(factor: Any) -> None:
    """Replace the columns of a supernode, ``L_JJ`` above ``L_RJ``, by those of ``inv(L_JJ)`` above ``U``."""
    width, height = factor.shape
    for c in range(width - 1, -1, -1):
        weights = factor[c, :width].copy()
        factor[c, c + 1 : width] = 0.0
        for k in range(c + 1, width):
            for i in range(k, height):
                factor[c, i] -= weights[k] * factor[k, i]


@subkernel
def _fill(block: Any, factor: Any, inverse: Any, pivots: Any) -> None:
    """Entries of Z in the columns of a supernode, of ``factor`` with ``inv(L_JJ)`` above ``U``."""
    width, height = factor.shape
    size = height - width
    for c in range(width):
        column, weights = block[c, width:], factor[c, width:]
        column[:] = 0.0
        whole = size - size % 4
        for j in range(0, whole, 4):
            w0, w1, w2, w3 = weights[j], weights[j + 1], weights[j + 2], weights[j + 3]
            r0, r1, r2, r3 = inverse[j], inverse[j + 1], inverse[j + 2], inverse[j + 3]
            for i in range(size):
                column[i] -= w0 * r0[i] + w1 * r1[i] + w2 * r2[i] + w3 * r3[i]
        for j in range(whole, size):
            for i in range(size):
                column[i] -= weights[j] * inverse[j, i]
    for c in range(width):
        for d in range(c, width):
            total = factor[c, 0] * 0.0
            for k in range(d, width):
                total += factor[c, k] * factor[d, k] / pivots[k]
            for i in range(width, height):
                total -= factor[d, i] * block[c, i]
            block[c, d] = total
            block[d, c] = total

"""Selected entries of the inverse of a symmetric sparse matrix, from its factor (Takahashi's equations).

With ``A = L D L.T``, L of unit diagonal, the inverse Z obeys ``Z = inv(D) inv(L) + (I - L.T) Z``. Read from the last
column to the first, it gives the entries of Z at the places of L from one another alone (Takahashi, Fagan and Chin
1973; Erisman and Tinney 1975): as much work as the factorisation, where solving for each column takes n times a solve.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skymatch_nb.core.jit import kernel


def diagonal_of_inverse(
    starts: NDArray[np.int32], rows: NDArray[np.int32], lower: NDArray[np.float64], pivots: NDArray[np.float64]
) -> NDArray[np.float64] | None:
    """Diagonal of the inverse of ``L D L.T``.

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
    found = _diagonal(starts, rows, lower, pivots)
    return None if found is None else np.asarray(found, np.float64)


@kernel
def _diagonal(starts: Any, rows: Any, lower: Any, pivots: Any) -> Any:
    """Diagonal of Z; every column of L begins with its diagonal."""
    n = len(pivots)
    z = np.zeros(len(lower), np.float64)
    place = np.full(n, -1, np.int64)
    total = np.zeros(n, np.float64)
    for j in range(n - 1, -1, -1):
        begin, end = starts[j] + 1, starts[j + 1]
        for p in range(begin, end):
            place[rows[p]] = p
            total[p - begin] = 0.0
        seen = 0
        for p in range(begin, end):
            k = rows[p]
            for q in range(starts[k], starts[k + 1]):
                at = place[rows[q]]
                if at < 0:
                    continue
                seen += 1
                total[at - begin] += z[q] * lower[p]
                if at != p:
                    total[p - begin] += z[q] * lower[at]
        size = end - begin
        if 2 * seen != size * (size + 1):
            return None
        diagonal = 1.0 / pivots[j]
        for p in range(begin, end):
            z[p] = -total[p - begin]
            diagonal -= lower[p] * z[p]
            place[rows[p]] = -1
        z[begin - 1] = diagonal
    return z[starts[:n]]

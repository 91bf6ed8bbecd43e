"""Differences of aligned pixels within limits, as samples: they are formed where they are sorted or counted."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from skymatch_nb.core.jit import kernel
from skymatch_nb.core.quantiles import PIECE, PROBE

Interval: TypeAlias = tuple[float, float]
"""Lower and upper limit of values, inclusive, in data units."""


@dataclass(frozen=True, eq=False)
class Differences:
    """Differences ``factor_first * first - factor_second * second`` of pairs of arrays, a sample each.

    A pixel counts where both of its values are within their limits. Differences are formed in double precision, and
    rounded to single where all arrays are single. This is a source of pixels for `skymatch_nb.core.quantiles`.

    Attributes
    ----------
    first, second
        Values at the same places, pairs of equal length, in native byte order.
    factors
        Factors of both sides of each pair.
    limits
        Limits of both sides of each pair.
    """

    first: Sequence[NDArray[Any]]
    second: Sequence[NDArray[Any]]
    factors: Sequence[tuple[float, float]]
    limits: Sequence[tuple[Interval, Interval]]

    @property
    def sizes(self) -> list[int]:
        """Number of values of each side, before the limits."""
        return [len(values) for values in self.first]

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the differences."""
        return np.result_type(*self.first, *self.second) if self.first else np.dtype(np.float32)

    def take(self, k: int, out: NDArray[Any]) -> NDArray[Any]:
        """Put the differences of pair ``k`` at the start of an array, and return that part."""
        return self._put(k, slice(None), out)

    def pieces(self, k: int) -> Iterator[NDArray[Any]]:
        """Differences of pair ``k`` in pieces, which share memory."""
        room = np.empty(PIECE, self.dtype)
        for first in range(0, len(self.first[k]), PIECE):
            yield self._put(k, slice(first, first + PIECE), room)

    def probe(self, k: int) -> NDArray[Any]:
        """Return some differences of pair ``k``, from all over it."""
        some = slice(None, None, max(1, len(self.first[k]) // PROBE))
        return self._put(k, some, np.empty(len(self.first[k][some]), self.dtype))

    def _put(self, k: int, part: slice, out: NDArray[Any]) -> NDArray[Any]:
        first, second = (np.ascontiguousarray(side[k][part]) for side in (self.first, self.second))
        of_first, of_second = self.limits[k]
        return out[: _put_differences(out, first, second, self.factors[k], of_first, of_second)]


@kernel
def _put_differences(out: Any, first: Any, second: Any, factors: Any, of_first: Any, of_second: Any) -> int:
    factor_first, factor_second = factors
    (low_first, high_first), (low_second, high_second) = of_first, of_second
    n = 0
    for k in range(len(first)):
        a, b = np.float64(first[k]), np.float64(second[k])
        out[n] = factor_first * a - factor_second * b  # the next one takes its place where it is without
        n += (low_first <= a) & (a <= high_first) & (low_second <= b) & (b <= high_second)
    return n

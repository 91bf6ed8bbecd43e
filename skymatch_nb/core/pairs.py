"""Overlaps of members combined into pairs of groups."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Pairs:
    """Pairs of groups, all arrays of shape (npairs,); ``first < second`` are group numbers.

    ``difference`` is the first group's level minus the second's, from ``npix_first`` and ``npix_second`` pixels;
    ``difference_err`` its standard error, where that is known. ``noise``, where given, tells how the errors of pairs
    hang together: a scipy sparse array M of shape (nsources, npairs), one row for each independent source of noise of
    unit variance, so that the covariance of the differences is ``M.T @ M``. Without it pairs are independent.
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    difference: NDArray[np.float64]
    npix_first: NDArray[np.int64]
    npix_second: NDArray[np.int64]
    difference_err: NDArray[np.float64] | None = None
    noise: Any = None

    def __len__(self) -> int:
        return len(self.first)

    @property
    def npix(self) -> NDArray[np.float64]:
        """Mean number of pixels of the two sides, shape (npairs,)."""
        return np.asarray(0.5 * (self.npix_first + self.npix_second), np.float64)

    @property
    def unknown_errors(self) -> NDArray[np.bool_]:
        """Which pairs have no error that a weight could come from: none, not finite, or 0; shape (npairs,)."""
        if self.difference_err is None:
            return np.ones(len(self), bool)
        return ~(np.isfinite(self.difference_err) & (self.difference_err > 0))

    @property
    def completed_err(self) -> NDArray[np.float64]:
        """Standard errors, unknown ones estimated from the number of pixels, shape (npairs,).

        The others tell, by the median of ``difference_err**2 * npix``, the variance of one pixel; where no error is
        known at all, it is 1.
        """
        unknown = self.unknown_errors
        err = np.ones(len(self)) if self.difference_err is None else self.difference_err
        if not unknown.any():
            return err
        known = ~unknown
        of_one_pixel = float(np.median(err[known] ** 2 * self.npix[known])) if known.any() else 1.0
        return np.where(unknown, np.sqrt(of_one_pixel / self.npix), err)


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
    """Combine overlaps of members, of which the levels of both sides are known, into pairs of groups.

    A pair's level, on either side, is the mean of its member overlaps' levels, weighted by their pixels. All arguments
    have shape (noverlaps,); only overlaps with a finite level and a pixel on both sides count. Pairs come back
    ordered by first, then second group.
    """
    used = np.isfinite(level_a) & np.isfinite(level_b) & (npix_a > 0) & (npix_b > 0)
    sums = _Sums(group_a, group_b, used)
    n_first, n_second = sums.of(npix_a, npix_b)
    sum_first, sum_second = sums.of(level_a * npix_a, level_b * npix_b)
    error = None
    if err_a is not None and err_b is not None:
        var_first, var_second = sums.of((err_a * npix_a) ** 2, (err_b * npix_b) ** 2)
        error = np.sqrt(var_first / n_first**2 + var_second / n_second**2)
    return sums.pairs(sum_first / n_first - sum_second / n_second, n_first, n_second, error)


def pair_differences(
    group_a: NDArray[np.int64],
    group_b: NDArray[np.int64],
    difference: NDArray[np.float64],
    npix_a: NDArray[np.int64],
    npix_b: NDArray[np.int64],
    err: NDArray[np.float64] | None = None,
) -> Pairs:
    """Combine overlaps of members, of which the differences (a minus b) are known, into pairs of groups.

    A pair's difference is the mean of its member overlaps' differences, weighted by the mean pixels of both sides. All
    arguments have shape (noverlaps,); only overlaps with a finite difference and a pixel on both sides count. Pairs
    come back ordered by first, then second group.
    """
    used = np.isfinite(difference) & (npix_a > 0) & (npix_b > 0)
    sums = _Sums(group_a, group_b, used)
    weight = 0.5 * (npix_a + npix_b)
    n_first, n_second = sums.of(npix_a, npix_b)
    total = 0.5 * (n_first + n_second)
    sum_difference = sums.of(difference * weight, -difference * weight)[0]
    error = None if err is None else np.sqrt(sums.of((err * weight) ** 2, (err * weight) ** 2)[0]) / total
    return sums.pairs(sum_difference / total, n_first, n_second, error)


class _Sums:
    """Sums over the overlaps of each pair; ``a`` may be the pair's first group or its second."""

    def __init__(self, group_a: NDArray[np.int64], group_b: NDArray[np.int64], used: NDArray[np.bool_]) -> None:
        self._used, self._swap = used, group_a > group_b
        first, second = self._sorted(group_a, group_b)
        self._size = int(max(first.max(initial=0), second.max(initial=0))) + 1
        self._codes, self._of_pair = np.unique(first * self._size + second, return_inverse=True)

    def of(self, on_a: NDArray[Any], on_b: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Sums for the first groups and for the second ones, of values on the sides a and b."""
        first, second = (np.bincount(self._of_pair, v, len(self._codes)) for v in self._sorted(on_a, on_b))
        return np.asarray(first, np.float64), np.asarray(second, np.float64)

    def pairs(
        self,
        difference: NDArray[np.float64],
        n_first: NDArray[np.float64],
        n_second: NDArray[np.float64],
        error: NDArray[np.float64] | None,
    ) -> Pairs:
        first, second = self._codes // self._size, self._codes % self._size
        return Pairs(first, second, difference, n_first.astype(np.int64), n_second.astype(np.int64), error)

    def _sorted(self, on_a: NDArray[Any], on_b: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        return np.where(self._swap, on_b, on_a)[self._used], np.where(self._swap, on_a, on_b)[self._used]

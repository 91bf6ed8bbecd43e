"""What levels leave of the differences of pairs, and whether that is far more than errors allow."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skymatch_nb.core.pairs import Pairs

OUTLIER = 5.0
"""Size of a pull beyond which a pair is marked in figures and named in reports."""

LARGEST_TYPICAL = 5.0
"""Median size of all pulls beyond which levels do not describe the differences; 0.7 is expected of sound errors."""

LARGEST_WORST = 10.0
"""Size of one pull beyond which that pair contradicts the others, or the levels that are given."""


@dataclass(frozen=True, eq=False)
class Left:
    """What is left of each pair's difference, its standard error (NaN where unknown), and their ratio; (npairs,)."""

    difference: NDArray[np.float64]
    error: NDArray[np.float64]
    pull: NDArray[np.float64]

    @property
    def typical(self) -> float:
        """Median size of the pulls; NaN where none is known."""
        known = np.abs(self.pull[np.isfinite(self.pull)])
        return float(np.median(known)) if len(known) else float("nan")

    @property
    def worst(self) -> int:
        """Pair with the largest pull; -1 where none is known."""
        return int(np.nanargmax(np.abs(self.pull))) if np.isfinite(self.pull).any() else -1

    @property
    def is_gross(self) -> bool:
        """Whether that is far more than the errors allow: by `LARGEST_TYPICAL`, or for one pair by `LARGEST_WORST`."""
        worst = self.worst
        return worst >= 0 and (self.typical > LARGEST_TYPICAL or abs(float(self.pull[worst])) > LARGEST_WORST)


def left_in_pairs(pairs: Pairs, level: NDArray[np.float64]) -> Left:
    """What levels, shape (ngroups,), leave of the differences of pairs."""
    left = pairs.difference - (level[pairs.first] - level[pairs.second])
    error = np.full(len(pairs), np.nan) if pairs.difference_err is None else pairs.difference_err
    return Left(left, error, np.divide(left, error, out=np.full(len(pairs), np.nan), where=error > 0))

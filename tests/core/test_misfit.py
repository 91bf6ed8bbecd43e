"""What is left of pairs, and when it is far too much."""

from dataclasses import replace

import numpy as np
import pytest

from skymatch_nb.core.misfit import LARGEST_TYPICAL, LARGEST_WORST, left_in_pairs
from skymatch_nb.core.pairs import Pairs


def chain(pulls, error=0.5):
    """Pairs of neighbours whose differences are off by so many errors, and the levels that they are off from."""
    count = len(pulls)
    first, level = np.arange(count), np.arange(count + 1.0) ** 2
    difference = level[:-1] - level[1:] + error * np.asarray(pulls)
    n = np.full(count, 100)
    return Pairs(first, first + 1, difference, n, n, np.full(count, error)), level


def test_pulls_are_what_was_planted():
    pulls = np.array([0.5, -2.0, 1.0])
    left = left_in_pairs(*chain(pulls))
    assert left.pull == pytest.approx(pulls)
    assert left.difference == pytest.approx(0.5 * pulls)
    assert left.worst == 1
    assert left.typical == pytest.approx(1.0)
    assert not left.is_gross


@pytest.mark.parametrize(
    ("pulls", "gross"),
    [
        ([3.0] * 9, False),
        ([-0.9 * LARGEST_TYPICAL] * 9, False),
        ([1.1 * LARGEST_TYPICAL, -1.1 * LARGEST_TYPICAL, 1.1 * LARGEST_TYPICAL, 0.0], True),
        ([0.1] * 8 + [0.9 * LARGEST_WORST], False),
        ([0.1] * 8 + [-1.1 * LARGEST_WORST], True),
    ],
)
def test_gross_is_a_large_median_or_a_very_large_one(pulls, gross):
    assert left_in_pairs(*chain(pulls)).is_gross is gross


def test_pairs_without_an_error_do_not_count():
    pairs, level = chain([1e6, 1.0])
    pairs.difference_err[0] = 0.0
    left = left_in_pairs(pairs, level)
    assert np.isnan(left.pull[0])
    assert not left.is_gross
    none = left_in_pairs(replace(pairs, difference_err=None), level)
    assert none.worst == -1
    assert np.isnan(none.typical)
    assert not none.is_gross

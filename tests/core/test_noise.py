"""Shared noise: parts of overlaps, shares of sides, and the covariance they make."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skymatch_nb.core.noise import SharedParts, common_fraction, distinct_parts, noise_matrix, noise_shares


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 100), st.integers(0, 10**6))
def test_parts_have_the_covariance_of_shared_cells(count, seed):
    """Overlaps 1 and 2 share sqrt(f1 f2) summed over common parts = n12 / sqrt(n1 n2)."""
    rng = np.random.default_rng(seed)
    inside = rng.random((count, 100)) < rng.random((count, 1))
    part, overlap, fraction = distinct_parts(inside)
    matrix = np.zeros((part.max() + 1, count))
    matrix[part, overlap] = np.sqrt(fraction)
    n = inside.sum(axis=1).astype(float)
    shared = inside.astype(float) @ inside.T
    expected = np.divide(shared, np.sqrt(np.outer(n, n)), out=np.eye(count), where=np.outer(n, n) > 0)
    expected[(n == 0)[:, None] & ~np.eye(count, dtype=bool)] = 0
    expected[:, n == 0] = np.eye(count)[:, n == 0]
    np.testing.assert_allclose(matrix.T @ matrix, expected, atol=1e-12)


def test_equal_patterns_are_one_part():
    inside = np.array([[1, 1, 1, 0, 0, 0], [0, 1, 1, 1, 0, 0]], bool)
    part, overlap, fraction = distinct_parts(inside)
    assert part.max() + 1 <= 4
    of_both = np.intersect1d(part[overlap == 0], part[overlap == 1])
    assert len(of_both) == 1
    assert fraction[(part == of_both[0]) & (overlap == 0)] == pytest.approx(2 / 3)


def test_shares_follow_the_members_own_noise():
    a, b = np.triu_indices(6, 1)
    own = np.array([1.0, 2.0, 1.0, 4.0, 1.0, 0.5])
    share = noise_shares(a, b, own[a] + own[b], 6)
    np.testing.assert_allclose(share, own[a] / (own[a] + own[b]), rtol=1e-3)


@pytest.mark.parametrize("variance", [np.array([3.0]), np.array([np.nan]), np.array([0.0])])
def test_a_single_overlap_is_shared_equally(variance):
    assert noise_shares(np.array([0]), np.array([1]), variance, 2) == pytest.approx([0.5])


def test_shares_stay_positive():
    a, b = np.array([0, 1, 0]), np.array([1, 2, 2])
    share = noise_shares(a, b, np.array([1.0, 1.0, 100.0]), 3)
    assert ((share > 0) & (share < 1)).all()


def test_differences_that_share_pixels_have_the_covariance_of_their_means():
    """Means over overlapping stretches of three noisy rows, against their exact covariance."""
    noise = np.array([1.0, 2.0, 0.5])
    stretches = {0: slice(0, 60), 1: slice(20, 80), 2: slice(40, 100)}  # overlaps 0-1, 0-2, 1-2 on all three rows
    a, b = np.array([0, 0, 1]), np.array([1, 2, 2])
    inside = np.zeros((3, 100), bool)
    for k, stretch in stretches.items():
        inside[k, stretch] = True
    columns = [[], [], [], []]
    count = 0
    for member in range(3):
        mine = np.flatnonzero((a == member) | (b == member))
        part, overlap, fraction = distinct_parts(inside[mine])
        for column, values in zip(
            columns, (count + part, mine[overlap], a[mine[overlap]] == member, fraction), strict=True
        ):
            column.extend(values)
        count += part.max() + 1
    parts = SharedParts(*(np.array(column) for column in columns))
    n = inside.sum(axis=1)
    errors = noise[a] / np.sqrt(n), noise[b] / np.sqrt(n)
    ones = np.ones(3)
    matrix = noise_matrix(parts, np.arange(3), np.ones(3, bool), (ones, ones), errors, 3)
    weights = np.zeros((3, 3, 100))
    for k in range(3):
        weights[k, a[k], stretches[k]] = noise[a[k]] / n[k]
        weights[k, b[k], stretches[k]] = -noise[b[k]] / n[k]
    flat = weights.reshape(3, -1)
    np.testing.assert_allclose((matrix.T @ matrix).toarray(), flat @ flat.T, rtol=1e-12, atol=1e-15)


def test_overlaps_that_do_not_count_give_no_noise():
    parts = SharedParts(np.array([0, 1]), np.array([0, 1]), np.array([True, True]), np.array([1.0, 1.0]))
    ones = np.ones(2)
    matrix = noise_matrix(parts, np.array([0, -1]), np.ones(2, bool), (ones, ones), (ones, ones), 1)
    np.testing.assert_array_equal(matrix.toarray(), [[1.0], [0.0]])


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
@pytest.mark.parametrize("statistic", ["mean", "median", "mode"])
def test_the_common_part_is_that_of_simulated_statistics(statistic, share):
    """Statistics of differences that have one side in common, over 4,000 samples of 400 pixels."""
    rng = np.random.default_rng(7)
    own, first, second = rng.normal(size=(3, 4000, 400)) * np.sqrt([[[share]], [[1 - share]], [[1 - share]]])

    def level(x):
        if statistic == "mean":
            return x.mean(axis=1)
        if statistic == "median":
            return np.median(x, axis=1)
        return (x * np.exp(-0.5 * x**2)).sum(axis=1)  # the mode's influence function

    found = np.corrcoef(level(own + first), level(own + second))[0, 1]
    assert found == pytest.approx(common_fraction(np.array(share), statistic), abs=0.04)


def test_private_noise_is_added_to_each_pair_alone():
    parts = SharedParts(np.array([0, 0]), np.array([0, 1]), np.array([True, True]), np.array([1.0, 1.0]))
    ones = np.ones(2)
    matrix = noise_matrix(
        parts, np.array([0, 1]), np.ones(2, bool), (ones, ones), (ones, ones), 2, np.array([2.0, 3.0])
    )
    np.testing.assert_allclose((matrix.T @ matrix).toarray(), [[5.0, 1.0], [1.0, 10.0]])

"""Errors of levels equal dense algebra, and are the scatter of levels over many draws of the noise."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from skymatch_nb.core.equations import solve_levels
from skymatch_nb.core.level_errors import cheap_errors, level_errors
from skymatch_nb.core.pairs import Pairs

WEIGHTINGS = ("pixels", "npix", "variance", "uniform")
NGROUPS = 12


def network(seed, shared=False):
    """Two connected sets, three isolated groups, random weights and errors, and noise shared by pairs of a group."""
    rng = np.random.default_rng(seed)
    edges = [(0, 1), (1, 2), (2, 3), (3, 4), (0, 3), (1, 4), (5, 6), (6, 7), (7, 8), (5, 8), (6, 8)]
    a, b = np.array(edges).T
    npix = rng.integers(1, 10_000, (2, len(a)))
    err = rng.uniform(0.1, 2.0, len(a))
    noise = None
    if shared:
        of_group = np.zeros((NGROUPS, len(a)))
        numbers = np.arange(len(a))
        of_group[a, numbers], of_group[b, numbers] = rng.uniform(0.1, 1, (2, len(a))) * [[1], [-1]]
        noise = sparse.csr_array(np.vstack([np.diag(rng.uniform(0.05, 0.5, len(a))), of_group]))
        err = np.sqrt(np.diag((noise.T @ noise).toarray()))
    return Pairs(a, b, rng.normal(size=len(a)), *npix, err, noise)


def dense_errors(pairs, levels):
    """The sandwich by pseudo-inverses: held groups are taken out of the equations."""
    rows = np.arange(len(pairs))
    ngroups = len(levels.held)
    incidence = np.zeros((len(pairs), ngroups))
    incidence[rows, pairs.first], incidence[rows, pairs.second] = 1.0, -1.0
    root = np.sqrt(levels.weight)
    free = ~levels.held
    solver = np.zeros((ngroups, len(pairs)))
    solver[free] = np.linalg.pinv(incidence[:, free] * root[:, None], rcond=1e-12) * root  # weights span eight decades
    noise = np.diag(pairs.difference_err) if pairs.noise is None else pairs.noise.toarray()
    return np.sqrt(np.diag(solver @ noise.T @ noise @ solver.T))


FIXED = {
    "none": {},
    "one": {2: 5.0},
    "two of a set": {0: 1.0, 3: -1.0},
    "in both sets and alone": {1: 1.0, 4: 2.0, 7: 3.0, 10: 4.0},
    "a whole set": {5: 1.0, 6: 2.0, 7: 3.0, 8: 4.0},
}


@pytest.mark.parametrize("shared", [False, True], ids=["independent pairs", "shared noise"])
@pytest.mark.parametrize("robust", [False, True], ids=["", "huber"])
@pytest.mark.parametrize("held", FIXED)
@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_errors_equal_the_dense_sandwich(weighting, held, robust, shared):
    """With the weights of the last iteration where they are robust."""
    for seed in range(3):
        pairs = network(seed, shared)
        fixed = np.full(NGROUPS, np.nan)
        fixed[list(FIXED[held])] = list(FIXED[held].values())
        levels = solve_levels(NGROUPS, pairs, weighting, robust, fixed)
        errors = level_errors(pairs, levels)
        expected = np.where(levels.held, 0.0, dense_errors(pairs, levels))
        expected[(levels.component < 0) & ~levels.held] = np.nan
        np.testing.assert_allclose(errors, expected, rtol=1e-8, atol=1e-12)
        assert (errors[levels.held] == 0).all()


@settings(deadline=None, max_examples=150)
@given(st.integers(2, 40), st.floats(0.02, 0.5), st.floats(0, 0.5), st.sampled_from(WEIGHTINGS), st.integers(0, 10**6))
def test_errors_equal_the_dense_sandwich_on_any_graph(ngroups, density, share_fixed, weighting, seed):
    """Sets of any number and size, groups alone, groups linked more than once, and held ones anywhere."""
    rng = np.random.default_rng(seed)
    a, b = np.nonzero(np.triu(rng.random((ngroups, ngroups)) < density, 1))
    twice = rng.random(len(a)) < 0.2
    a, b = np.concatenate([a, b[twice]]), np.concatenate([b, a[twice]])
    npix = rng.integers(1, 10_000, (2, len(a)))
    pairs = Pairs(a, b, rng.normal(size=len(a)), *npix, rng.uniform(0.1, 2.0, len(a)))
    fixed = np.where(rng.random(ngroups) < share_fixed, rng.normal(size=ngroups), np.nan)
    levels = solve_levels(ngroups, pairs, weighting, fixed=fixed)
    expected = np.where(levels.held, 0.0, dense_errors(pairs, levels)) if len(pairs) else np.zeros(ngroups)
    expected[(levels.component < 0) & ~levels.held] = np.nan
    np.testing.assert_allclose(level_errors(pairs, levels), expected, rtol=1e-8, atol=1e-12)


def test_best_weights_take_the_short_way_and_it_gives_the_same():
    """Weighted by variances the inverse is enough; noise in one source for each pair makes it take the long one."""
    pairs = network(1)
    long = replace(pairs, noise=sparse.diags_array(pairs.difference_err))
    for fixed in (None, np.where(np.arange(NGROUPS) == 3, 7.0, np.nan)):
        levels = solve_levels(NGROUPS, pairs, "variance", fixed=fixed)
        assert cheap_errors(pairs, levels)
        assert not cheap_errors(long, levels)
        np.testing.assert_allclose(level_errors(pairs, levels), level_errors(long, levels), rtol=1e-10)
    assert not cheap_errors(pairs, solve_levels(NGROUPS, pairs, "npix"))


def test_variance_weights_give_the_smallest_errors():
    """No other weighting does better for any difference of levels; summed over groups neither."""
    for seed in range(10):
        pairs = network(seed)
        total = {w: np.nansum(level_errors(pairs, solve_levels(NGROUPS, pairs, w)) ** 2) for w in WEIGHTINGS}
        assert min(total, key=total.get) == "variance"


@pytest.mark.parametrize("held", ["none", "two of a set"])
def test_errors_are_the_scatter_of_levels_with_shared_noise(held):
    """Over 4,000 draws of the sources; with pairs taken as independent they would be wrong."""
    rng = np.random.default_rng(5)
    pairs = network(2, shared=True)
    fixed = np.full(NGROUPS, np.nan)
    fixed[list(FIXED[held])] = list(FIXED[held].values())
    draws = rng.standard_normal((4000, pairs.noise.shape[0])) @ pairs.noise
    found = np.array(
        [solve_levels(NGROUPS, replace(pairs, difference=d), "variance", fixed=fixed).level for d in draws]
    )
    levels = solve_levels(NGROUPS, pairs, "variance", fixed=fixed)
    errors = level_errors(pairs, levels)
    some = errors > 0
    np.testing.assert_allclose(found.std(axis=0)[some], errors[some], rtol=0.05)
    independent = level_errors(replace(pairs, noise=None), levels)
    assert np.abs(independent[some] / errors[some] - 1).max() > 0.1


def test_unknown_errors_give_no_errors_and_fixed_groups_have_none():
    pairs = replace(network(0), difference_err=None)
    fixed = np.where(np.isin(np.arange(NGROUPS), [1, 11]), 2.0, np.nan)
    errors = level_errors(pairs, solve_levels(NGROUPS, pairs, fixed=fixed))
    np.testing.assert_array_equal(np.flatnonzero(errors == 0), [1, 11])
    assert np.isnan(np.delete(errors, [1, 11])).all()
    nothing = Pairs(*(np.zeros(0, np.int64),) * 2, np.zeros(0), *(np.zeros(0, np.int64),) * 2, np.zeros(0))
    assert np.isnan(level_errors(nothing, solve_levels(3, nothing))).all()


@pytest.mark.parametrize(("most", "tolerance"), [(10**3, 1e-6), (10**6, 1e-2)])
def test_weights_far_apart_keep_the_errors_of_a_chain(most, tolerance):
    """No loop: every difference is met, and errors are sums of those of the pairs, whatever the weights."""
    n = 12
    a = np.arange(n - 1)
    npix = np.where(a % 2, 1, most)
    err = np.random.default_rng(0).uniform(0.5, 2.0, n - 1)
    pairs = Pairs(a, a + 1, np.zeros(n - 1), npix, npix, err)
    fixed = np.full(n, np.nan)
    fixed[0] = 0.0
    errors = level_errors(pairs, solve_levels(n, pairs, fixed=fixed))
    np.testing.assert_allclose(errors[1:], np.sqrt(np.cumsum(err**2)), rtol=tolerance)

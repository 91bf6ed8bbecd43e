"""Pair differences to levels: planted skies come back, and dense least squares agrees."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skymatch_nb.core.equations import anchors, solve_levels
from skymatch_nb.core.pairs import Pairs

SKIES = np.array([100.0, 120.0, 105.0, 110.0, 95.0, 90.0, 100.0])
LINKED = [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3), (4, 5), (4, 6), (5, 6)]


def pairs_of(links, difference, npix_first, npix_second=None):
    """Pairs of groups with the differences asked."""
    first, second = np.array(links, np.int64).reshape(-1, 2).T
    npix_first = np.broadcast_to(np.asarray(npix_first, np.int64), first.shape)
    npix_second = npix_first if npix_second is None else npix_second
    return Pairs(first, second, difference, npix_first, npix_second)


def consistent(links, skies, npix_first=100, npix_second=None):
    first, second = np.array(links).T
    return pairs_of(links, skies[first] - skies[second], npix_first, npix_second)


def centred(skies, component):
    """Skies less the mean of their component."""
    found = skies.astype(float)
    for label in set(component.tolist()) - {-1}:
        found[component == label] -= found[component == label].mean()
    return found


def lstsq(ngroups, pairs):
    """Minimum-norm solution of the dense equations, rows multiplied by W = (n_gh + n_hg) / 2."""
    rows = np.arange(len(pairs))
    incidence = np.zeros((len(pairs), ngroups))
    incidence[rows, pairs.first] = 1.0
    incidence[rows, pairs.second] = -1.0
    weight = (pairs.npix_first + pairs.npix_second) / 2
    return np.linalg.lstsq(incidence * weight[:, None], pairs.difference * weight, rcond=None)[0]


def at_zero(level, component, match_down=True, reference=None, shared=True):
    """Levels about their anchors, and the rest as it is."""
    at = anchors(level, component, match_down, reference, shared)
    return level - np.where((component < 0) | (at[component] < 0), 0.0, level[at[component]])


def random_graph(rng, ngroups, probability):
    return [(g, h) for g in range(ngroups) for h in range(g + 1, ngroups) if rng.random() < probability]


def test_truth_table():
    """Four linked skies and three others: mean 0 in either set, 0 for the lowest of all after anchoring."""
    solution = solve_levels(7, consistent(LINKED, SKIES))
    assert solution.component.tolist() == [0, 0, 0, 0, 1, 1, 1]
    assert solution.ncomponents == 2
    np.testing.assert_allclose(solution.level, [-8.75, 11.25, -3.75, 1.25, 0, -5, 5], rtol=0, atol=1e-9)
    matched = at_zero(solution.level, solution.component)
    np.testing.assert_allclose(matched, [0, 20, 5, 10, 8.75, 3.75, 13.75], rtol=0, atol=1e-9)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("blocks", [(6,), (5, 4, 7), (2, 2, 2, 2), (30, 12)])
def test_noisy_differences_are_solved_like_dense_least_squares(blocks, seed):
    """Random graphs of one or several components, unequal pixel numbers on the two sides, loops that do not close."""
    rng = np.random.default_rng(seed)
    ngroups = sum(blocks)
    block = rng.permutation(np.repeat(np.arange(len(blocks)), blocks))
    links = [(g, h) for g, h in random_graph(rng, ngroups, 0.6) if block[g] == block[h]] or [(0, 1)]
    npix = rng.integers(1, 1000, (2, len(links)))
    pairs = pairs_of(links, rng.normal(0, 10, len(links)), *npix)
    solution = solve_levels(ngroups, pairs)
    paired = np.unique(links)
    assert np.isfinite(solution.level[paired]).all()
    np.testing.assert_allclose(solution.level[paired], lstsq(ngroups, pairs)[paired], rtol=0, atol=1e-8)


def test_weight_is_the_mean_number_of_pixels():
    """Three groups, a loop that misses by 1: each pair takes a share in inverse proportion to W**2."""
    pairs = pairs_of([(0, 1), (0, 2), (1, 2)], np.array([0.0, 1.0, 0.0]), [1, 10, 4], [3, 0, 0])
    assert pairs.npix.tolist() == [2.0, 5.0, 2.0]
    level = solve_levels(3, pairs).level
    residual = pairs.difference - (level[pairs.first] - level[pairs.second])
    shares = 1 / pairs.npix**2 / np.sum(1 / pairs.npix**2)
    np.testing.assert_allclose(np.abs(residual), shares, atol=1e-12)


@pytest.mark.parametrize("seed", range(10))
def test_consistent_differences_are_recovered_under_any_weights(seed):
    """W**2 from 1 to 1e12 at random over 40 groups: the planted skies to 1e-9."""
    rng = np.random.default_rng(seed)
    links = [(g, g + 1) for g in range(39)] + [(g, h) for g, h in random_graph(rng, 40, 0.1) if h > g + 1]
    skies = rng.uniform(50, 500, 40)
    npix = np.rint(10 ** rng.uniform(0, 6, len(links)))
    npix[:2] = 1, 10**6
    solution = solve_levels(40, consistent(links, skies, npix))
    np.testing.assert_allclose(solution.level, skies - skies.mean(), rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    ("nclusters", "npix"),
    [(2, 10**6), (10, 10**6), (20, 10**6), (2, 10**7), (10, 10**7), (40, 16 * 10**6), (5, 10**9)],
)
def test_clusters_that_hang_on_pairs_of_one_pixel_are_recovered(nclusters, npix):
    """Groups well linked among themselves, in a chain of clusters joined by single pixels."""
    rng = np.random.default_rng(1)
    links, weights = [], []
    for cluster in range(nclusters):
        inner = [(5 * cluster + g, 5 * cluster + h) for g in range(5) for h in range(g + 1, 5)]
        links += inner
        weights += [npix] * len(inner)
        if cluster:
            links.append((5 * cluster - 3, 5 * cluster + 2))
            weights.append(1)
    skies = rng.uniform(50, 500, 5 * nclusters)
    solution = solve_levels(5 * nclusters, consistent(links, skies, weights))
    assert solution.ncomponents == 1
    np.testing.assert_allclose(solution.level, skies - skies.mean(), rtol=0, atol=1e-8)


@pytest.mark.parametrize("ngroups", [4, 30, 100, 300])
def test_chain_alternating_between_one_and_a_million_pixels_is_recovered(ngroups):
    """No loop closes: every difference is met, whatever its weight."""
    skies = np.random.default_rng(2).uniform(0, 1000, ngroups)
    links = [(g, g + 1) for g in range(ngroups - 1)]
    solution = solve_levels(ngroups, consistent(links, skies, np.where(np.arange(ngroups - 1) % 2, 1, 10**6)))
    np.testing.assert_allclose(solution.level, skies - skies.mean(), rtol=0, atol=1e-8)


def test_components_of_very_different_weight_do_not_disturb_each_other():
    """A component of 1-pixel pairs beside one of 10-million-pixel pairs."""
    skies = np.array([3.0, 1.0, 2.0, 30.0, 10.0, 20.0])
    links = [(0, 1), (1, 2), (0, 2), (3, 4), (4, 5), (3, 5)]
    solution = solve_levels(6, consistent(links, skies, [1, 1, 1, 10**7, 10**7, 10**7]))
    np.testing.assert_allclose(solution.level, [1, -1, 0, 10, -10, 0], rtol=0, atol=1e-12)


@settings(deadline=None, max_examples=200)
@given(st.integers(2, 12), st.floats(0.05, 0.9), st.integers(0, 10**6))
def test_every_component_of_a_planted_mosaic_is_recovered(ngroups, probability, seed):
    """Any graph: differences are met, means are 0, lonely groups have no level."""
    rng = np.random.default_rng(seed)
    links = random_graph(rng, ngroups, probability) or [(0, 1)]
    skies = rng.uniform(-100, 100, ngroups)
    solution = solve_levels(ngroups, consistent(links, skies, rng.integers(1, 10**6, len(links))))
    paired = np.isin(np.arange(ngroups), np.unique(links))
    np.testing.assert_array_equal(solution.component >= 0, paired)
    np.testing.assert_array_equal(np.isfinite(solution.level), paired)
    expected = centred(skies, solution.component)
    np.testing.assert_allclose(solution.level[paired], expected[paired], rtol=0, atol=1e-9)


def test_group_without_a_pair_has_no_level_and_no_component():
    """Groups 0 and 3 of 5 stand alone."""
    solution = solve_levels(5, consistent([(1, 4), (2, 4)], np.array([9.0, 1.0, 2.0, 9.0, 3.0])))
    assert solution.component.tolist() == [-1, 0, 0, -1, 0]
    np.testing.assert_array_equal(np.isnan(solution.level), [True, False, False, True, False])
    np.testing.assert_allclose(solution.level[[1, 2, 4]], [-1, 0, 1], atol=1e-12)


def test_components_are_numbered_by_their_first_group():
    """0 for that of the first paired group, and so on, whatever the order of the pairs."""
    links = [(3, 5), (1, 6), (2, 4)]
    solution = solve_levels(8, consistent(links, np.arange(8.0)))
    assert solution.component.tolist() == [-1, 0, 1, 2, 1, 2, 0, -1]
    assert solution.ncomponents == 3


@pytest.mark.parametrize("ngroups", [0, 1, 4])
def test_without_pairs_nobody_has_a_level(ngroups):
    """Nothing overlaps."""
    solution = solve_levels(ngroups, pairs_of([], np.zeros(0), 1))
    assert np.isnan(solution.level).tolist() == [True] * ngroups
    assert solution.component.tolist() == [-1] * ngroups
    assert solution.ncomponents == 0


def test_result_does_not_depend_on_the_order_of_the_pairs():
    """Shuffled pairs give the same levels."""
    rng = np.random.default_rng(4)
    links = np.array(random_graph(rng, 15, 0.5))
    difference, npix = rng.normal(0, 5, len(links)), rng.integers(1, 500, len(links))
    order = rng.permutation(len(links))
    one = solve_levels(15, pairs_of(links, difference, npix))
    other = solve_levels(15, pairs_of(links[order], difference[order], npix[order]))
    np.testing.assert_allclose(one.level, other.level, rtol=0, atol=1e-10)


def test_grid_of_ten_thousand_groups_is_solved_without_a_dense_matrix():
    """100 x 100 groups with four neighbours each: planted skies come back, in far less than 800 MB."""
    rng = np.random.default_rng(5)
    number = np.arange(10_000).reshape(100, 100)
    links = np.concatenate(
        [np.column_stack([number[:, :-1].ravel(), number[:, 1:].ravel()]),
         np.column_stack([number[:-1].ravel(), number[1:].ravel()])]
    )  # fmt: skip
    skies = rng.uniform(50, 500, 10_000)
    pairs = consistent(links, skies, rng.integers(1000, 100_000, len(links)))
    tracemalloc.start()
    try:
        solution = solve_levels(10_000, pairs)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert solution.ncomponents == 1
    np.testing.assert_allclose(solution.level, skies - skies.mean(), rtol=0, atol=1e-8)
    assert peak < 300e6


LEVELS = np.array([3.0, np.nan, -1.0, 7.0, 2.0, 2.5])
TWO_SETS = np.array([0, -1, 0, 0, 1, 1])


@pytest.mark.parametrize(
    ("match_down", "reference", "shared", "expected"),
    [
        (True, None, True, [2, 2]),
        (False, None, True, [3, 3]),
        (True, 0, True, [0, 0]),
        (False, 4, True, [4, 4]),
        (True, 1, True, [2, 2]),
        (True, None, False, [2, 4]),
        (False, None, False, [3, 5]),
        (True, 0, False, [0, 4]),
        (False, 4, False, [3, 4]),
    ],
)
def test_anchor_is_the_lowest_the_highest_or_the_reference(match_down, reference, shared, expected):
    """Of all groups or of each component; one without a level cannot be it."""
    assert anchors(LEVELS, TWO_SETS, match_down, reference, shared).tolist() == expected


def test_components_whose_groups_do_not_count_have_no_anchor():
    """Nor has anybody where no group counts."""
    level = np.where(TWO_SETS == 1, np.nan, LEVELS)
    for shared in (True, False):
        assert anchors(level, TWO_SETS, True, None, shared).tolist() == [2, -1]
        assert anchors(level, TWO_SETS, True, 4, shared).tolist() == [2, -1]
        assert anchors(np.full(6, np.nan), TWO_SETS, True, None, shared).tolist() == [-1, -1]
        assert len(anchors(np.full(3, np.nan), np.full(3, -1), True, None, shared)) == 0


def test_first_of_equal_levels_is_the_anchor():
    """Whichever way the match goes."""
    level = np.array([5.0, 1.0, 1.0, 5.0])
    assert anchors(level, np.zeros(4, int), True, None, True).tolist() == [1]
    assert anchors(level, np.zeros(4, int), False, None, False).tolist() == [0]


def test_shared_anchoring_keeps_what_is_between_components_and_own_anchoring_starts_each_at_zero():
    """The truth table's second set starts at 3.75 of the first, or at 0."""
    solution = solve_levels(7, consistent(LINKED, SKIES))
    shared = at_zero(solution.level, solution.component, match_down=False)
    np.testing.assert_allclose(shared, [-20, 0, -15, -10, -11.25, -16.25, -6.25], rtol=0, atol=1e-9)
    apart = at_zero(solution.level, solution.component, shared=False)
    np.testing.assert_allclose(apart, [0, 20, 5, 10, 5, 0, 10], rtol=0, atol=1e-9)


def dense_weighted(ngroups, pairs, weight, fixed=None):
    """Least squares of the dense equations for the groups that are not fixed, component means 0 where none is."""
    held = np.zeros(ngroups, bool) if fixed is None else np.isfinite(fixed)
    rows = np.arange(len(pairs))
    incidence = np.zeros((len(pairs), ngroups))
    incidence[rows, pairs.first], incidence[rows, pairs.second] = 1.0, -1.0
    level = np.where(held, 0.0 if fixed is None else np.nan_to_num(fixed), 0.0)
    root = np.sqrt(weight)
    left = (pairs.difference - incidence @ level) * root
    level[~held] = np.linalg.lstsq(incidence[:, ~held] * root[:, None], left, rcond=None)[0]
    return level


WEIGHTS = {
    "pixels": lambda p: (0.5 * (p.npix_first + p.npix_second)) ** 2,
    "npix": lambda p: 0.5 * (p.npix_first + p.npix_second),
    "variance": lambda p: p.difference_err**-2.0,
    "uniform": lambda p: np.ones(len(p)),
}


def noisy_pairs(seed, ngroups=9, probability=0.5):
    rng = np.random.default_rng(seed)
    links = np.array(random_graph(rng, ngroups, probability) or [(0, 1)])
    npix = rng.integers(1, 1000, (2, len(links)))
    err = rng.uniform(0.1, 2.0, len(links))
    return Pairs(links[:, 0], links[:, 1], rng.normal(0, 3, len(links)), *npix, err)


@pytest.mark.parametrize("weighting", WEIGHTS)
@pytest.mark.parametrize("seed", range(5))
def test_every_weighting_solves_its_dense_equations(weighting, seed):
    """And tells the weights that it used."""
    pairs = noisy_pairs(seed)
    weight = WEIGHTS[weighting](pairs)
    solution = solve_levels(9, pairs, weighting)
    paired = solution.component >= 0
    np.testing.assert_allclose(solution.level[paired], dense_weighted(9, pairs, weight)[paired], atol=1e-9)
    np.testing.assert_allclose(solution.weight, weight)
    assert (solution.factor == 1).all()


@settings(deadline=None, max_examples=100)
@given(st.integers(2, 12), st.floats(0.1, 0.9), st.integers(0, 10**6), st.sampled_from(list(WEIGHTS)), st.booleans())
def test_offsets_of_groups_shift_levels_by_themselves_under_every_weighting(n, probability, seed, weighting, robust):
    """Differences plus those of a potential give levels plus the potential, means removed."""
    pairs = noisy_pairs(seed, n, probability)
    potential = np.random.default_rng(seed).uniform(-100, 100, n)
    shifted = replace(pairs, difference=pairs.difference + potential[pairs.first] - potential[pairs.second])
    before, after = solve_levels(n, pairs, weighting, robust), solve_levels(n, shifted, weighting, robust)
    expected = before.level + centred(potential, before.component)
    paired = before.component >= 0
    np.testing.assert_allclose(after.level[paired], expected[paired], rtol=0, atol=1e-8)
    np.testing.assert_allclose(after.factor, before.factor, atol=1e-7)


@settings(deadline=None, max_examples=60)
@given(st.integers(8, 14), st.integers(0, 10**6), st.floats(10, 1e6), st.sampled_from(list(WEIGHTS)))
def test_huber_ignores_one_wild_pair_among_many(ngroups, seed, wild, weighting):
    """Planted skies come back to a few times the noise, however far off the wild pair is; it is the one marked."""
    rng = np.random.default_rng(seed)
    links = np.array([(g, h) for g in range(ngroups) for h in range(g + 1, ngroups)])
    skies = rng.uniform(0, 10, ngroups)
    err = np.full(len(links), 0.1)
    difference = skies[links[:, 0]] - skies[links[:, 1]] + 0.02 * rng.standard_normal(len(links))
    bad = rng.integers(len(links))
    difference[bad] += wild
    npix = np.full(len(links), 100)
    pairs = Pairs(links[:, 0], links[:, 1], difference, npix, npix, err)
    solution = solve_levels(ngroups, pairs, weighting, robust=True)
    assert np.argmin(solution.factor) == bad
    assert solution.factor[bad] < 0.1
    assert np.abs(solution.level - (skies - skies.mean())).max() < 0.1
    plain = solve_levels(ngroups, pairs, weighting)
    assert np.abs(plain.level - (skies - skies.mean())).max() > 0.4 * wild / ngroups


def test_huber_leaves_pairs_alone_that_agree():
    """Consistent differences, a tree, and a triangle, of which nobody can tell which pair is wrong."""
    for pairs in (
        consistent(LINKED, SKIES),
        consistent([(0, 1), (1, 2), (2, 3)], SKIES[:4]),
        pairs_of([(0, 1), (0, 2), (1, 2)], np.array([0.0, 50.0, 0.0]), 100),
    ):
        solution = solve_levels(7, pairs, "uniform", robust=True)
        np.testing.assert_allclose(solution.factor, 1, atol=1e-12)
        assert solution.converged


def test_huber_meets_the_condition_of_its_minimum():
    """The sum of clipped residuals vanishes at every group, residuals in units of error and the scale found."""
    rng = np.random.default_rng(3)
    links = np.array(random_graph(rng, 30, 0.4))
    npix = rng.integers(10, 1000, (2, len(links)))
    err = rng.uniform(0.05, 0.2, len(links))
    pairs = Pairs(links[:, 0], links[:, 1], err * rng.standard_t(2, len(links)), *npix, err)
    solution = solve_levels(30, pairs, "variance", robust=True)
    assert solution.converged
    u = (pairs.difference - (solution.level[pairs.first] - solution.level[pairs.second])) / err
    scale = (solution.factor * np.abs(u))[solution.factor < 0.99].mean()
    force = np.clip(u, -scale, scale) / err
    at_groups = np.bincount(pairs.first, force, 30) - np.bincount(pairs.second, force, 30)
    assert np.abs(at_groups).max() < 0.02 * np.abs(force).max()
    assert 0.05 < (solution.factor < 1).mean() < 0.6


def test_huber_gives_the_same_answer_each_time():
    """To the last bit."""
    one, other = (solve_levels(9, noisy_pairs(4), "variance", robust=True) for _ in range(2))
    np.testing.assert_array_equal(one.level, other.level)


@pytest.mark.parametrize("weighting", WEIGHTS)
@pytest.mark.parametrize("seed", range(8))
def test_fixed_groups_are_held_exactly_and_the_others_follow_the_dense_equations(weighting, seed):
    """One, two or three of nine, with values that contradict the differences and each other."""
    pairs = noisy_pairs(seed)
    rng = np.random.default_rng(100 + seed)
    fixed = np.full(9, np.nan)
    chosen = rng.choice(9, 1 + seed % 3, replace=False)
    fixed[chosen] = rng.uniform(-50, 50, len(chosen))
    solution = solve_levels(9, pairs, weighting, fixed=fixed)
    np.testing.assert_array_equal(solution.level[chosen], fixed[chosen])
    paired = solution.component >= 0
    expected = dense_weighted(9, pairs, WEIGHTS[weighting](pairs), fixed)
    np.testing.assert_allclose(solution.level[paired], expected[paired], atol=1e-8)
    both = np.isfinite(fixed[pairs.first]) & np.isfinite(fixed[pairs.second])
    np.testing.assert_array_equal(solution.weight == 0, both)


def test_component_without_a_fixed_group_keeps_its_mean_of_zero():
    """The truth table with one group of the first set fixed: absolute there, about the mean in the second."""
    fixed = np.full(7, np.nan)
    fixed[2] = 105.0
    solution = solve_levels(7, consistent(LINKED, SKIES), fixed=fixed)
    np.testing.assert_allclose(solution.level, [100, 120, 105, 110, 0, -5, 5], rtol=0, atol=1e-9)
    assert solution.held_components.tolist() == [True, False]


def test_fixed_group_without_a_pair_has_its_level_and_no_component():
    """Also where nobody has a pair, and where all groups of a component are fixed."""
    pairs = consistent([(0, 1)], SKIES)
    solution = solve_levels(4, pairs, fixed=np.array([np.nan, np.nan, 7.0, np.nan]))
    np.testing.assert_array_equal(solution.level, [-10, 10, 7, np.nan])
    assert solution.component.tolist() == [0, 0, -1, -1]
    np.testing.assert_array_equal(solve_levels(2, pairs_of([], np.zeros(0), 1), fixed=np.array([3.0, np.nan])).level,
                                  [3.0, np.nan])  # fmt: skip
    for robust in (False, True):
        solution = solve_levels(2, pairs, robust=robust, fixed=np.array([3.0, 4.0]))
        assert solution.level.tolist() == [3.0, 4.0]
        assert solution.weight.tolist() == [0.0]


@settings(deadline=None, max_examples=100)
@given(st.integers(2, 12), st.floats(0.2, 0.9), st.integers(0, 10**6), st.sampled_from(list(WEIGHTS)), st.booleans())
def test_planted_skies_come_back_absolute_where_one_group_is_fixed(n, probability, seed, weighting, robust):
    """Any graph, weights and choice of fixed groups, all at their planted skies."""
    pairs = noisy_pairs(seed, n, probability)
    rng = np.random.default_rng(seed)
    skies = rng.uniform(-100, 100, n)
    pairs = replace(pairs, difference=skies[pairs.first] - skies[pairs.second])
    fixed = np.where(rng.random(n) < 0.3, skies, np.nan)
    solution = solve_levels(n, pairs, weighting, robust, fixed)
    absolute = np.append(solution.held_components, False)[solution.component]
    np.testing.assert_allclose(solution.level[absolute], skies[absolute], rtol=0, atol=1e-8)


def test_far_apart_weights_keep_full_precision_with_fixed_groups():
    """A chain that alternates between 1 and a million pixels, fixed at both ends."""
    skies = np.random.default_rng(2).uniform(0, 1000, 60)
    links = [(g, g + 1) for g in range(59)]
    fixed = np.full(60, np.nan)
    fixed[[0, 59]] = skies[[0, 59]]
    pairs = consistent(links, skies, np.where(np.arange(59) % 2, 1, 10**6))
    np.testing.assert_allclose(solve_levels(60, pairs, fixed=fixed).level, skies, rtol=0, atol=1e-8)

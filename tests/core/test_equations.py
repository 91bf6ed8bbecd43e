"""Pair differences to levels: planted skies come back, and dense least squares agrees."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skymatch_nb.core.equations import Pairs, anchored, pair_levels, solve_levels

SKIES = np.array([100.0, 120.0, 105.0, 110.0, 95.0, 90.0, 100.0])
LINKED = [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3), (4, 5), (4, 6), (5, 6)]


def pairs_of(links, difference, npix_first, npix_second=None):
    """Pairs of groups with the differences asked; the common level of a pair is anything."""
    first, second = np.array(links, np.int64).reshape(-1, 2).T
    npix_first = np.broadcast_to(np.asarray(npix_first, np.int64), first.shape)
    npix_second = npix_first if npix_second is None else npix_second
    base = 10.0 + np.arange(len(first))
    return Pairs(first, second, base + difference, base, npix_first, npix_second)


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
    difference = pairs.level_first - pairs.level_second
    return np.linalg.lstsq(incidence * weight[:, None], difference * weight, rcond=None)[0]


def random_graph(rng, ngroups, probability):
    return [(g, h) for g in range(ngroups) for h in range(g + 1, ngroups) if rng.random() < probability]


def test_truth_table():
    """Four linked skies and three others: mean 0 in either set, 0 for the lowest of all after anchoring."""
    solution = solve_levels(7, consistent(LINKED, SKIES))
    assert solution.component.tolist() == [0, 0, 0, 0, 1, 1, 1]
    assert solution.ncomponents == 2
    np.testing.assert_allclose(solution.level, [-8.75, 11.25, -3.75, 1.25, 0, -5, 5], rtol=0, atol=1e-9)
    matched = anchored(solution.level, match_down=True)
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
    assert pairs.weight.tolist() == [2.0, 5.0, 2.0]
    level = solve_levels(3, pairs).level
    residual = pairs.difference - (level[pairs.first] - level[pairs.second])
    shares = 1 / pairs.weight**2 / np.sum(1 / pairs.weight**2)
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


def overlaps(rows):
    """Columns of (group_a, group_b, level_a, level_b, npix_a, npix_b) rows, in the types that steps use."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * 6
    types = [np.int64, np.int64, float, float, np.int64, np.int64]
    return [np.array(column, dtype) for column, dtype in zip(columns, types, strict=True)]


def as_rows(pairs):
    columns = (
        pairs.first,
        pairs.second,
        pairs.level_first,
        pairs.level_second,
        pairs.npix_first,
        pairs.npix_second,
    )
    return [tuple(row) for row in zip(*(c.tolist() for c in columns), strict=True)]


def test_pair_level_is_the_pixel_weighted_mean_of_member_overlaps():
    """Two chips on two: (10 x 1 + 20 x 3) / 4 on one side, (5 x 2 + 8 x 2) / 4 on the other."""
    pairs = pair_levels(*overlaps([(0, 1, 10.0, 5.0, 1, 2), (0, 1, 20.0, 8.0, 3, 2)]))
    assert as_rows(pairs) == [(0, 1, 17.5, 6.5, 4, 4)]
    assert pairs.difference.tolist() == [11.0]
    assert pairs.weight.tolist() == [4.0]
    assert len(pairs) == 1


def test_sides_may_come_in_any_order():
    """An overlap of (b, a) counts as one of (a, b), also within one pair."""
    pairs = pair_levels(*overlaps([(2, 1, 7.0, 3.0, 10, 30), (1, 2, 5.0, 9.0, 10, 10)]))
    assert as_rows(pairs) == [(1, 2, 3.5, 8.0, 40, 20)]


def test_pairs_are_ordered_by_first_then_second_group():
    """Whatever order the overlaps have."""
    rows = [(5, 2, 1.0, 2.0, 1, 1), (0, 9, 1.0, 2.0, 1, 1), (2, 3, 1.0, 2.0, 1, 1), (1, 0, 1.0, 2.0, 1, 1)]
    pairs = pair_levels(*overlaps(rows))
    assert list(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True)) == [(0, 1), (0, 9), (2, 3), (2, 5)]


@pytest.mark.parametrize(
    "spoiled",
    [
        (0, 1, np.nan, 5.0, 10, 10),
        (0, 1, 5.0, np.nan, 10, 10),
        (0, 1, np.inf, 5.0, 10, 10),
        (0, 1, 5.0, 5.0, 0, 10),
        (0, 1, 5.0, 5.0, 10, 0),
        (0, 1, np.nan, np.nan, 0, 0),
    ],
)
def test_overlap_without_a_value_on_both_sides_does_not_count(spoiled):
    """Neither side of it enters; where it is all, there is no pair."""
    good = (0, 1, 4.0, 3.0, 7, 9)
    assert as_rows(pair_levels(*overlaps([good, spoiled]))) == [good]
    assert len(pair_levels(*overlaps([spoiled]))) == 0


def test_no_overlaps_no_pairs():
    """Empty arrays are welcome."""
    assert len(pair_levels(*overlaps([]))) == 0


sides = st.tuples(st.integers(0, 4), st.floats(-100, 100) | st.just(np.nan), st.integers(0, 50))


@settings(deadline=None)
@given(st.lists(st.tuples(sides, sides).filter(lambda s: s[0][0] != s[1][0]), max_size=20), st.randoms())
def test_pair_levels_equal_sums_over_overlaps_in_any_order(overlap_sides, random):
    """The definition by plain loops; swapping sides and shuffling overlaps changes nothing."""
    sums = {}
    for (g, level_g, n_g), (h, level_h, n_h) in overlap_sides:
        if n_g and n_h and not np.isnan(level_g + level_h):
            low, high = sorted([(g, level_g * n_g, n_g), (h, level_h * n_h, n_h)])
            total = sums.setdefault((low[0], high[0]), np.zeros(4))
            total += [low[1], high[1], low[2], high[2]]
    rows = [
        (a[0], b[0], a[1], b[1], a[2], b[2])
        for a, b in (sides if random.random() < 0.5 else sides[::-1] for sides in overlap_sides)
    ]
    random.shuffle(rows)
    found = as_rows(pair_levels(*overlaps(rows)))
    expected = [(*key, s[0] / s[2], s[1] / s[3], s[2], s[3]) for key, s in sorted(sums.items())]
    np.testing.assert_allclose(np.reshape(found, (-1, 6)), np.reshape(expected, (-1, 6)), rtol=1e-12, atol=1e-9)


LEVELS = np.array([3.0, np.nan, -1.0, 7.0])


@pytest.mark.parametrize(
    ("match_down", "reference", "expected"),
    [
        (True, None, [4.0, np.nan, 0.0, 8.0]),
        (False, None, [-4.0, np.nan, -8.0, 0.0]),
        (True, 0, [0.0, np.nan, -4.0, 4.0]),
        (False, 0, [0.0, np.nan, -4.0, 4.0]),
        (True, 1, [4.0, np.nan, 0.0, 8.0]),
        (False, 1, [-4.0, np.nan, -8.0, 0.0]),
    ],
    ids=["lowest", "highest", "reference", "reference, up", "reference without a level", "the same, up"],
)
def test_anchored_group_is_at_zero(match_down, reference, expected):
    """The lowest, the highest or the reference; one without a level cannot be it."""
    np.testing.assert_array_equal(anchored(LEVELS, match_down, reference), expected)


def test_anchoring_leaves_the_input_alone_and_no_level_is_no_level():
    """A new array, also where all are NaN."""
    before = LEVELS.copy()
    anchored(LEVELS, True)
    np.testing.assert_array_equal(LEVELS, before)
    assert np.isnan(anchored(np.full(3, np.nan), True)).all()
    assert np.isnan(anchored(np.full(3, np.nan), False, 1)).all()


def test_anchoring_is_over_all_components():
    """One zero point, not one per component: the truth table's second set starts at 3.75."""
    level = solve_levels(7, consistent(LINKED, SKIES)).level
    np.testing.assert_allclose(anchored(level, False)[:4], [-20, 0, -15, -10], rtol=0, atol=1e-9)
    np.testing.assert_allclose(anchored(level, False)[4:], [-11.25, -16.25, -6.25], rtol=0, atol=1e-9)

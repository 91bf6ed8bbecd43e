"""Overlaps of members combined into pairs of groups."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skymatch_nb.core.pairs import Pairs, pair_differences, pair_levels


def overlaps(rows):
    """Columns of (group_a, group_b, level_a, level_b, npix_a, npix_b) rows, in the types that steps use."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * 6
    types = [np.int64, np.int64, float, float, np.int64, np.int64]
    return [np.array(column, dtype) for column, dtype in zip(columns, types, strict=True)]


def as_rows(pairs):
    columns = (pairs.first, pairs.second, pairs.difference, pairs.npix_first, pairs.npix_second)
    return [tuple(row) for row in zip(*(c.tolist() for c in columns), strict=True)]


def test_pair_level_is_the_pixel_weighted_mean_of_member_overlaps():
    """Two chips on two: (10 x 1 + 20 x 3) / 4 on one side, (5 x 2 + 8 x 2) / 4 on the other."""
    pairs = pair_levels(*overlaps([(0, 1, 10.0, 5.0, 1, 2), (0, 1, 20.0, 8.0, 3, 2)]))
    assert as_rows(pairs) == [(0, 1, 11.0, 4, 4)]
    assert pairs.npix.tolist() == [4.0]
    assert len(pairs) == 1


def test_sides_may_come_in_any_order():
    """An overlap of (b, a) counts as one of (a, b), also within one pair."""
    pairs = pair_levels(*overlaps([(2, 1, 7.0, 3.0, 10, 30), (1, 2, 5.0, 9.0, 10, 10)]))
    assert as_rows(pairs) == [(1, 2, -4.5, 40, 20)]


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
    assert as_rows(pair_levels(*overlaps([good, spoiled]))) == [(0, 1, 1.0, 7, 9)]
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
    expected = [(*key, s[0] / s[2] - s[1] / s[3], s[2], s[3]) for key, s in sorted(sums.items())]
    np.testing.assert_allclose(np.reshape(found, (-1, 5)), np.reshape(expected, (-1, 5)), rtol=1e-12, atol=1e-9)


def test_pair_errors_are_those_of_the_weighted_mean():
    a, b = np.array([0, 1]), np.array([1, 0])
    pairs = pair_levels(
        a,
        b,
        np.array([1.0, 2.0]),
        np.array([3.0, 4.0]),
        np.array([100, 300]),
        np.array([200, 200]),
        np.array([0.1, 0.2]),
        np.array([0.3, 0.4]),
    )
    first = np.hypot(100 * 0.1, 200 * 0.4) / 300
    second = np.hypot(200 * 0.3, 300 * 0.2) / 500
    assert pairs.difference_err == pytest.approx([np.hypot(first, second)])


def test_pair_difference_is_the_pixel_weighted_mean_of_member_overlaps():
    """(1 x 3 - 5 x 1) / 4, the second overlap given from the other side; pixels are the mean of both sides."""
    pairs = pair_differences(
        np.array([0, 1]),
        np.array([1, 0]),
        np.array([1.0, 5.0]),
        np.array([2, 1]),
        np.array([4, 1]),
        np.array([0.1, 0.2]),
    )
    assert as_rows(pairs) == [(0, 1, -0.5, 3, 5)]
    assert pairs.difference_err == pytest.approx([np.hypot(3 * 0.1, 1 * 0.2) / 4])


@pytest.mark.parametrize("spoiled", [(np.nan, 5, 5), (np.inf, 5, 5), (1.0, 0, 5), (1.0, 5, 0)])
def test_overlap_without_a_difference_does_not_count(spoiled):
    """A pair of it alone is no pair."""
    value, *npix = spoiled
    columns = np.array([value, 2.0]), *(np.array([n, 7]) for n in npix)
    assert as_rows(pair_differences(np.array([0, 0]), np.array([1, 2]), *columns)) == [(0, 2, 2.0, 7, 7)]
    assert pair_differences(np.array([0, 0]), np.array([1, 2]), *columns).difference_err is None


halves = st.tuples(st.integers(0, 4), st.integers(0, 4)).filter(lambda g: g[0] != g[1])


@settings(deadline=None)
@given(st.lists(st.tuples(halves, st.floats(-100, 100), st.integers(1, 50), st.integers(1, 50)), max_size=20))
def test_differences_and_levels_make_the_same_pairs_where_both_sides_have_equal_pixels(rows):
    """Levels are the differences on one side and 0 on the other."""
    a, b = np.array([r[0] for r in rows], np.int64).reshape(-1, 2).T
    difference = np.array([r[1] for r in rows], float)
    npix = np.array([r[2] for r in rows], np.int64)
    zero, err = np.zeros(len(rows)), np.full(len(rows), 0.5)
    one = pair_differences(a, b, difference, npix, npix, err)
    other = pair_levels(a, b, difference, zero, npix, npix, err, zero)
    np.testing.assert_allclose(np.reshape(as_rows(one), (-1, 5)), np.reshape(as_rows(other), (-1, 5)), atol=1e-12)
    np.testing.assert_allclose(one.difference_err, other.difference_err)


def errors_of(err, npix):
    npix = np.array(npix)
    numbers = np.arange(len(npix))
    return Pairs(numbers, numbers + 1, np.zeros(len(npix)), npix, npix, None if err is None else np.array(err))


def test_unknown_errors_are_estimated_from_pixels():
    """0, NaN and infinity are unknown; the median variance of one pixel of the others, 4, is theirs."""
    pairs = errors_of([2.0, 0.2, np.nan, 0.0, np.inf, 1.0], [1, 100, 400, 4, 1, 400])
    assert pairs.unknown_errors.tolist() == [False, False, True, True, True, False]
    assert pairs.completed_err == pytest.approx([2.0, 0.2, 0.1, 1.0, 2.0, 1.0])


def test_errors_that_are_known_stay_and_where_none_is_pixels_alone_count():
    """One pixel has the error 1 then."""
    assert errors_of([2.0, 0.2], [1, 4]).completed_err.tolist() == [2.0, 0.2]
    for err in (None, [0.0, np.nan]):
        assert errors_of(err, [1, 4]).completed_err.tolist() == [1.0, 0.5]

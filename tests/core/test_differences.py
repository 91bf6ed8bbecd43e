"""Differences of aligned pixels as samples, against whole-array numpy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skymatch_nb.core.differences import Differences
from skymatch_nb.core.quantiles import LARGE, PIECE, take_samples

EVERYTHING = (-np.inf, np.inf)

values = st.lists(st.tuples(st.floats(-100, 100, width=32), st.floats(-100, 100, width=32)), max_size=50)
limits = st.tuples(st.floats(-120, 120), st.floats(-120, 120)).map(sorted).map(tuple)


def taken(source, k=0):
    return source.take(k, np.empty(source.sizes[k] + 3, source.dtype))


@settings(max_examples=200, deadline=None)
@given(values, limits, limits, st.floats(0.01, 100), st.floats(0.01, 100))
def test_differences_are_of_values_within_both_limits(pairs, of_first, of_second, f, g):
    a, b = np.array(pairs, np.float64).reshape(-1, 2).T.copy()
    kept = (a >= of_first[0]) & (a <= of_first[1]) & (b >= of_second[0]) & (b <= of_second[1])
    source = Differences([a], [b], [(f, g)], [(of_first, of_second)])
    np.testing.assert_allclose(taken(source), f * a[kept] - g * b[kept], rtol=1e-12, atol=1e-10)


@pytest.mark.parametrize(
    ("first", "second", "wanted"), [("f4", "f4", "f4"), ("f4", "f8", "f8"), ("f8", "f4", "f8"), ("f8", "f8", "f8")]
)
def test_they_are_rounded_to_single_where_all_values_are_single(first, second, wanted):
    rng = np.random.default_rng(1)
    a, b = rng.normal(1e4, 1, 1000).astype(first), rng.normal(1e4, 1, 1000).astype(second)
    source = Differences([a], [b], [(1.1, 0.9)], [(EVERYTHING, EVERYTHING)])
    assert source.dtype == np.dtype(wanted)
    np.testing.assert_array_equal(taken(source), (1.1 * a.astype("f8") - 0.9 * b.astype("f8")).astype(wanted))


def test_each_pair_has_its_own_factors_and_limits():
    a, b = [np.arange(5.0), np.arange(4.0)], [np.ones(5), np.full(4, 2.0)]
    source = Differences(a, b, [(1, 1), (2, 3)], [((1, 3), EVERYTHING), (EVERYTHING, (2.5, 9))])
    assert source.sizes == [5, 4]
    assert taken(source).tolist() == [0, 1, 2]
    assert taken(source, 1).tolist() == []


def test_pieces_are_what_is_taken_at_once():
    rng = np.random.default_rng(2)
    a, b = (rng.normal(size=2 * PIECE + 77).astype("f4") for _ in range(2))
    source = Differences([a], [b], [(1, 1)], [((-1, 2), (-2, 1))])
    pieces = [piece.copy() for piece in source.pieces(0)]
    assert len(pieces) == 3
    np.testing.assert_array_equal(np.concatenate(pieces), taken(source))


def test_a_probe_is_from_all_over_a_large_pair():
    a = np.arange(2.0**20)
    probe = Differences([a], [np.zeros_like(a)], [(1, 1)], [(EVERYTHING, EVERYTHING)]).probe(0)
    assert 2**16 < len(probe) < 2**18
    assert probe[0] == 0
    assert probe[-1] > a[-100]
    assert len(set(np.diff(probe))) == 1


def test_large_pairs_are_counted_and_small_ones_sorted():
    rng = np.random.default_rng(3)
    sizes = (LARGE + 5000, 100)
    a, b = ([rng.normal(level, 1, n).astype("f4") for n in sizes] for level in (5, 2))
    samples = take_samples(Differences(a, b, [(1, 1)] * 2, [((0, 20), EVERYTHING)] * 2))
    wanted = [np.sort((x - y)[x >= 0]) for x, y in zip(a, b, strict=True)]
    assert samples.npix.tolist() == [len(w) for w in wanted]
    assert len(samples.values) < len(wanted[0])
    np.testing.assert_array_equal(samples.sample(1), wanted[1])
    shares = np.linspace(0.01, 0.99, 99)
    np.testing.assert_allclose(*(np.quantile(s, shares) for s in (samples.sample(0), wanted[0])), atol=1e-3)

"""Median and median absolute deviation of sorted samples, against numpy's of unsorted ones."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skymatch_nb.core.robust import MAD_TO_DEVIATION, robust_moments
from skymatch_nb.core.sample import sorted_samples

samples = st.lists(st.lists(st.floats(-1e6, 1e6, width=32), max_size=40), min_size=1, max_size=4)


@settings(max_examples=300, deadline=None)
@given(samples)
def test_moments_are_those_of_numpy(lists):
    medians, deviations = robust_moments(sorted_samples([np.array(values, np.float64) for values in lists]))
    for values, median, deviation in zip(lists, medians, deviations, strict=True):
        if not values:
            assert np.isnan(median)
            assert np.isnan(deviation)
            continue
        assert median == pytest.approx(np.median(values), rel=1e-12)
        expected = MAD_TO_DEVIATION * np.median(np.abs(np.array(values) - np.median(values)))
        assert deviation == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_the_deviation_of_gaussian_values_is_theirs():
    (_,), (deviation,) = robust_moments(sorted_samples([np.random.default_rng(3).normal(5, 2, 100_000)]))
    assert deviation == pytest.approx(2, rel=0.01)

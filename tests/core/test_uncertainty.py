"""Standard errors tell how far levels scatter."""

import numpy as np
import pytest

from skymatch_nb.core.measure import STATISTICS, measure
from skymatch_nb.core.sample import clip, sorted_samples


def gaussian(rng, n):
    return rng.normal(3.0, 2.0, n)


def skewed(rng, n):
    return np.concatenate([rng.normal(size=n - n // 3), rng.normal(size=n // 3) + rng.exponential(3, n // 3)])


@pytest.mark.parametrize("statistic", STATISTICS)
@pytest.mark.parametrize(("draw", "low", "high"), [(gaussian, 0.85, 1.15), (skewed, 0.4, 1.4)])
def test_errors_are_the_scatter_of_levels(statistic, draw, low, high):
    rng = np.random.default_rng(8)
    samples = sorted_samples([draw(rng, 10_000) for _ in range(300)])
    clipped = clip(samples)
    levels, errors = measure(samples, clipped, statistic)
    assert low < levels.std() / errors.mean() < high


@pytest.mark.parametrize("statistic", ["biweight", "sextractor"])
@pytest.mark.parametrize("draw", [gaussian, skewed])
def test_errors_of_composed_statistics_agree_with_the_bootstrap(statistic, draw):
    """1,000 resamples of one sample: levels of which parts are correlated scatter by what is stated."""
    rng = np.random.default_rng(3)
    values = draw(rng, 4001)
    samples = sorted_samples([values.copy(), *(rng.choice(values, len(values)) for _ in range(1000))])
    clipped = clip(samples, nclip=0)
    levels, errors = measure(samples, clipped, statistic)
    assert errors[0] == pytest.approx(levels[1:].std(), rel=0.15)


def test_sextractor_errors_are_those_of_the_median_in_crowded_fields():
    """Mean and median differ by half a deviation."""
    values = np.concatenate([np.linspace(0.0, 1.0, 60), np.linspace(5.0, 6.0, 40)])
    samples = sorted_samples([values])
    clipped = clip(samples, nclip=0)
    assert clipped.mean[0] - np.median(values) > 0.3 * clipped.std[0]
    median, sextractor = (measure(samples, clipped, name)[1] for name in ("median", "sextractor"))
    assert sextractor == median


@pytest.mark.parametrize("statistic", STATISTICS)
def test_no_pixels_have_no_error_and_equal_pixels_none_at_all(statistic):
    samples = sorted_samples([np.zeros(0), np.full(50, 4.0), np.array([7.0])])
    clipped = clip(samples)
    _, errors = measure(samples, clipped, statistic)
    assert np.isnan(errors[0])
    assert list(errors[1:]) == [0.0, 0.0]


def test_integer_pixels_still_have_an_error_of_the_median():
    samples = sorted_samples([np.repeat([3.0, 4.0, 5.0], [300, 4000, 300])])
    clipped = clip(samples)
    _, error = measure(samples, clipped, "median")
    assert error[0] > 0

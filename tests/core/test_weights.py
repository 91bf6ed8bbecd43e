"""Weights of pairs, and the factors that robust fitting takes off them."""

import numpy as np
import pytest

from skymatch_nb.core.pairs import Pairs
from skymatch_nb.core.weights import huber_factors, huber_scale, pair_weights


@pytest.mark.parametrize(
    ("weighting", "expected"),
    [("pixels", [4.0, 9.0]), ("npix", [2.0, 3.0]), ("variance", [4.0, 0.25]), ("uniform", [1.0, 1.0])],
)
def test_weights_are_those_of_the_definition(weighting, expected):
    one = np.array([0, 0])
    pairs = Pairs(one, np.array([1, 2]), np.zeros(2), np.array([1, 3]), np.array([3, 3]), np.array([0.5, 2.0]))
    assert pair_weights(pairs, weighting).tolist() == expected


@pytest.mark.parametrize("err", [0.0, np.nan])
def test_pair_without_an_error_weighs_what_its_pixels_do(err):
    """Neither nothing nor infinitely much."""
    npix = np.array([100, 100, 400])
    pairs = Pairs(np.zeros(3, int), np.arange(1, 4), np.zeros(3), npix, npix, np.array([0.1, 0.1, err]))
    assert pair_weights(pairs, "variance") == pytest.approx([100.0, 100.0, 400.0])


def test_scale_is_the_deviation_of_gaussian_residuals_whatever_a_tenth_of_them_is():
    rng = np.random.default_rng(1)
    u = 3.0 * rng.standard_normal(20_000)
    assert huber_scale(u, len(u)) == pytest.approx(3.0, rel=0.03)
    u[:2000] = 1e9
    assert huber_scale(u, len(u)) == pytest.approx(3.0, rel=0.2)


def test_pairs_that_are_met_exactly_do_not_make_the_scale_small():
    """Bridges have no residual; the rest tells, and more so the fewer degrees of freedom it has."""
    u = np.concatenate([np.zeros(100), [1.0, -1.0, 1.0]])
    assert huber_scale(u, 3) == pytest.approx(1 / 0.6744897501960817)
    assert huber_scale(u, 1) == pytest.approx(np.sqrt(3) / 0.6744897501960817)


@pytest.mark.parametrize("u", [np.zeros(5), np.zeros(0)])
def test_no_residuals_no_scale(u):
    assert huber_scale(u, 5) == 0.0


def test_factors_are_one_up_to_the_limit_and_fall_as_its_ratio():
    u = np.array([0.0, 2.69, -2.69, 5.38, -26.9])
    assert huber_factors(u, 2.0) == pytest.approx([1, 1, 1, 0.5, 0.1])

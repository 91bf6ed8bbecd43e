"""Data units to surface brightness."""

import numpy as np
import pytest

from skymatch_nb.core.brightness import brightness_factor


@pytest.mark.parametrize(
    ("scale", "exptime", "sensitivity", "expected"),
    [(0.5, 1, 1, 4.0), (0.05, 1, 1, 400.0), (0.5, 100, 1, 0.04), (2, 10, 3e-20, 7.5e-22), (1, 1, 1, 1.0)],
)
def test_factor_is_sensitivity_over_pixel_area_and_time(scale, exptime, sensitivity, expected):
    """S / (p^2 t), worked out by hand."""
    assert brightness_factor(scale, exptime, sensitivity) == pytest.approx(expected, rel=1e-15)


def test_time_and_sensitivity_default_to_one():
    """Rates without a sensitivity: one over the area of a pixel."""
    assert brightness_factor(0.25) == 16.0


def test_arguments_broadcast():
    """Scales along one axis, times along the other, one sensitivity: every combination."""
    scale, exptime = np.array([0.1, 0.2, 0.4]), np.array([[1], [50]])
    factors = brightness_factor(scale, exptime, 2.0)
    assert factors.shape == (2, 3)
    for i, j in np.ndindex(2, 3):
        assert factors[i, j] == pytest.approx(2.0 / (scale[j] ** 2 * exptime[i, 0]), rel=1e-15)


def test_lists_and_integers_become_float64():
    """What a table holds."""
    factors = brightness_factor([1, 2], [2, 2], [1, 1])
    assert factors.dtype == np.float64
    assert factors.tolist() == [0.5, 0.125]

"""Averaging onto a coarse grid, against numpy's two-dimensional histogram."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skymatch_nb.core.coarse import deposit


def run(data, good, rows, columns, grid_x, grid_y, shape):
    total, count = np.zeros(shape), np.zeros(shape, np.int64)
    deposit(data, good, rows, columns, grid_x, grid_y, total, count)
    return total, count


@given(st.integers(0, 2**32 - 1), st.floats(0, 6.2), st.floats(0.1, 2), st.floats(-5, 20), st.floats(-5, 20))
def test_affine_image_lands_where_numpy_says(seed, angle, scale, dx, dy):
    rng = np.random.default_rng(seed)
    data = rng.standard_normal((17, 23)).astype(np.float32)
    data[rng.random(data.shape) < 0.1] = np.nan
    good = rng.random(data.shape) < 0.8
    rows, columns = np.linspace(0, 16, 5), np.linspace(0, 22, 4)

    def place(row, column):
        c, s = scale * np.cos(angle), scale * np.sin(angle)
        return c * column - s * row + dx, s * column + c * row + dy

    nodes = np.meshgrid(rows, columns, indexing="ij")
    total, count = run(data, good, rows, columns, *place(*nodes), (12, 15))
    used = good & np.isfinite(data)
    x, y = place(*np.nonzero(used))
    near = np.abs(np.concatenate([x - np.rint(x), y - np.rint(y)])).min(initial=1.0) < 1e-9  # rounding may move it
    edges = (np.arange(13), np.arange(16))
    inside = (x >= 0) & (x < 15) & (y >= 0) & (y < 12)
    expected, *_ = np.histogram2d(y[inside], x[inside], edges)
    sums, *_ = np.histogram2d(y[inside], x[inside], edges, weights=data[used][inside])
    if not near:
        np.testing.assert_array_equal(count, expected)
        np.testing.assert_allclose(total, sums, atol=1e-5)


@pytest.mark.parametrize("dtype", ["f4", "f8", "i2", "u1", "i4"])
def test_types_of_pixels(dtype):
    data = np.arange(12, dtype=dtype).reshape(3, 4)
    nodes = np.meshgrid([0.0, 2.0], [0.0, 3.0], indexing="ij")
    total, count = run(
        data, np.ones(data.shape, bool), np.array([0.0, 2]), np.array([0.0, 3]), nodes[1] / 2, nodes[0] / 2, (2, 2)
    )
    np.testing.assert_array_equal(count, [[4, 4], [2, 2]])
    np.testing.assert_array_equal(total, [[0 + 1 + 4 + 5, 2 + 3 + 6 + 7], [8 + 9, 10 + 11]])


def test_places_that_are_none_are_left_out():
    data = np.ones((4, 4), np.float32)
    x, y = np.meshgrid([0.0, 3.0], [0.0, 3.0])
    x[0, 0] = np.nan
    total, count = run(data, data > 0, np.array([0.0, 3]), np.array([0.0, 3]), x, y, (5, 5))
    assert count.sum() < 16
    assert np.isfinite(total).all()

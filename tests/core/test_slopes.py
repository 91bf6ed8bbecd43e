"""Values brought to places beside their pixels, against planes fitted by numpy and scenes that are known everywhere."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from planes import block_numbers, on_planes

from skymatch_nb.core.slopes import brought_to_places, even_blocks


def pixels(shape, seed=0):
    """Positions of an image's pixels, its blocks, and offsets of all sizes."""
    rows, columns = (v.ravel().astype(np.int32) for v in np.indices(shape))
    right, up = np.random.default_rng(seed).uniform(-0.5, 0.5, (2, len(rows))).astype(np.float32)
    return columns, rows, right, up, block_numbers(columns, rows).astype(np.int32)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_plane_is_followed_exactly(dtype):
    columns, rows, right, up, blocks = pixels((40, 50))
    moved = brought_to_places((0.25 * columns - 0.5 * rows + 7).astype(dtype), columns, rows, right, up, blocks)
    expected = 0.25 * (columns + right) - 0.5 * (rows + up) + 7
    np.testing.assert_allclose(moved, expected, atol=1e-5 if dtype == np.float32 else 1e-9)
    assert moved.dtype == dtype


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 50), st.integers(1, 50), st.floats(0.1, 1))
def test_a_twin_in_numpy_agrees(seed, height, width, share):
    rng = np.random.default_rng(seed)
    columns, rows, right, up, _ = pixels((height, width), seed)
    some = rng.random(len(columns)) < share
    some[0] = True
    columns, rows, right, up = columns[some], rows[some], right[some], up[some]
    values = rng.normal(100, 2, len(columns)) + 0.3 * columns + 50 * (rng.random(len(columns)) < 0.02)
    blocks = block_numbers(columns, rows).astype(np.int32)
    moved = brought_to_places(values, columns, rows, right, up, blocks)
    np.testing.assert_allclose(moved, on_planes(values, columns, rows, right, up, blocks), rtol=1e-9)


def test_stars_do_not_tilt_the_sky_about_them():
    columns, rows, right, up, blocks = pixels((16, 16))
    values = 10 + 0.1 * columns
    values[20] = 5000.0
    moved = brought_to_places(values, columns, rows, right, up, blocks)
    np.testing.assert_allclose(np.delete(moved - 0.1 * right, 20), np.delete(values, 20), atol=1e-9)


def test_noise_is_not_smoothed_and_places_at_pixels_stay():
    columns, rows, right, up, blocks = pixels((160, 160))
    noise = np.random.default_rng(3).normal(0, 1, len(columns))
    moved = brought_to_places(noise, columns, rows, right, up, blocks)
    assert np.std(moved) == pytest.approx(np.std(noise), rel=0.002)
    np.testing.assert_array_equal(brought_to_places(noise, columns, rows, 0 * right, 0 * up, blocks), noise)


def test_narrow_strips_and_constants_keep_their_values():
    for shape in ((3, 100), (100, 3), (1, 1), (1, 30)):
        columns, rows, right, up, blocks = pixels(shape)
        values = 3.0 * columns + rows
        np.testing.assert_array_equal(brought_to_places(values, columns, rows, right, up, blocks), values)
    columns, rows, right, up, blocks = pixels((30, 30))
    constant = np.full(900, 0.1, np.float32)
    np.testing.assert_array_equal(brought_to_places(constant, columns, rows, right, up, blocks), constant)
    empty = np.zeros(0, np.float32)
    assert len(brought_to_places(empty, *(columns[:0], rows[:0], right[:0], up[:0], blocks[:0]))) == 0


@given(st.integers(-100, 100), st.integers(1, 500))
def test_blocks_share_a_side_evenly(start, extent):
    count, part = even_blocks(start, start + extent)
    assert len(part) == extent
    assert (np.diff(part) >= 0).all()
    sizes = np.bincount(part, minlength=count)
    assert np.ptp(sizes) <= 1
    assert count == 1 or 10 <= sizes.min() <= sizes.max() <= 24

"""Pixels at the same places of two images, against whole-array numpy."""

import numpy as np
import pytest
from planes import block_numbers, on_planes

from skymatch_nb.core.align import PixelMap, Pixels, aligned_values
from skymatch_nb.core.raster import full_spans

SHAPE, OTHER = (40, 60), (50, 45)


def affine_map(matrix, shift, step=16):
    """Map of an affine transform, with nodes beyond the image."""
    y, x = np.mgrid[: SHAPE[0] + 2 * step : step, : SHAPE[1] + 2 * step : step].astype(float)
    return PixelMap(
        0,
        0,
        step,
        matrix[0][0] * x + matrix[0][1] * y + shift[0],
        matrix[1][0] * x + matrix[1][1] * y + shift[1],
    )


def twin(first, second, matrix, shift):
    """Values at the same places, by transforming the centres of all pixels and rounding."""
    y, x = (v.ravel() for v in np.mgrid[: SHAPE[0], : SHAPE[1]])
    block_of = block_numbers(x, y)
    place_x = matrix[0][0] * x + matrix[0][1] * y + shift[0]
    place_y = matrix[1][0] * x + matrix[1][1] * y + shift[1]
    i, j = np.floor(place_x + 0.5).astype(int), np.floor(place_y + 0.5).astype(int)
    good = (i >= 0) & (i < OTHER[1]) & (j >= 0) & (j < OTHER[0])
    for image, row, column in ((first, y, x), (second, j, i)):
        row, column = row[good], column[good]
        own = np.isfinite(image.data[row, column].astype(float))
        if image.flags is not None:
            own &= (image.flags[row, column].astype(int) & ~image.good_bits) == 0
        if image.good is not None:
            own &= image.good[row, column]
        good[good] = own
    x, y, i, j = x[good], y[good], i[good], j[good]
    a, b = first.data[y, x].astype(float), second.data[j, i].astype(float)
    return a, on_planes(b, i, j, place_x[good] - i, place_y[good] - j, block_of[good])


ROTATED = [[np.cos(0.321), -np.sin(0.321)], [np.sin(0.321), np.cos(0.321)]]


@pytest.mark.parametrize("matrix", [[[1, 0], [0, 1]], [[-1, 0], [0, 1]], ROTATED, [[0.5, 0], [0, 0.5]]])
@pytest.mark.parametrize("dtypes", [("f4", ">f4"), (">f8", "f4"), (">i2", "u1"), (">i4", ">f4")])
@pytest.mark.parametrize("flag_type", [None, ">i2", "u1", ">i4"])
def test_values_are_of_the_nearest_pixels_that_are_good_on_both_sides_along_their_planes(matrix, dtypes, flag_type):
    rng = np.random.default_rng(4)
    images = []
    for shape, dtype in zip((SHAPE, OTHER), dtypes, strict=True):
        data = rng.normal(100, 20, shape).astype(dtype)
        if data.dtype.kind == "f":
            data[rng.random(shape) < 0.02] = np.nan
        flags = None if flag_type is None else rng.choice([0, 0, 0, 4, 16, 20], shape).astype(flag_type)
        images.append(Pixels(data, flags, 4, rng.random(shape) < 0.9))
    shift = (4.2137, 10.7391) if matrix[0][0] > 0 else (50.3, -3.1)
    found = aligned_values(*images, full_spans(SHAPE), affine_map(matrix, shift))
    expected = twin(*images, matrix, shift)
    assert len(expected[0]) > 100
    np.testing.assert_array_equal(found[0], expected[0])
    for mine, theirs, dtype in zip(found, expected, dtypes, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=2e-6)
        assert mine.dtype == (np.float64 if np.dtype(dtype).newbyteorder("=") in ("f8", "i4") else np.float32)


def test_a_slope_leaves_nothing_between_images_that_are_shifted_by_part_of_a_pixel():
    rng = np.random.default_rng(8)
    y, x = np.mgrid[:50, :60].astype(float)
    scene = lambda x, y: 100 + 3 * x - 2 * y + 20 * np.sin(x / 15) * np.cos(y / 20)
    first = scene(x, y)[: SHAPE[0]] + rng.normal(0, 0.5, SHAPE)
    second = scene(x - 4.37, y - 3.21)[:, : OTHER[1]] + rng.normal(0, 0.5, OTHER)
    a, b = aligned_values(Pixels(first), Pixels(second), full_spans(SHAPE), affine_map([[1, 0], [0, 1]], (4.37, 3.21)))
    error = 0.5 * np.sqrt(2 / len(a))
    assert abs(np.mean(a - b)) < 4 * error < 0.1
    assert abs(np.mean(first[: SHAPE[0] - 3, :41] - second[3 : SHAPE[0], 4:45])) > 20 * error


def test_an_image_lies_on_itself():
    data = np.arange(2400.0).reshape(SHAPE)
    a, b = aligned_values(Pixels(data), Pixels(data), full_spans(SHAPE), affine_map([[1, 0], [0, 1]], (0, 0)))
    np.testing.assert_array_equal(a, data.ravel())
    np.testing.assert_array_equal(b, data.ravel())


def test_pixels_whose_place_is_not_known_are_left_out():
    data = np.zeros(SHAPE)
    pixel_map = affine_map([[1, 0], [0, 1]], (0, 0))
    pixel_map.x[0, 0] = np.nan
    a, _ = aligned_values(Pixels(data), Pixels(data), full_spans(SHAPE), pixel_map)
    assert len(a) == 40 * 60 - 16 * 16


def test_no_spans_and_no_common_pixel_give_no_value():
    data = np.zeros(SHAPE, np.float32)
    for spans, shift in ((np.zeros((0, 3), np.int64), (0, 0)), (full_spans(SHAPE), (1000, 0))):
        a, b = aligned_values(Pixels(data), Pixels(data), spans, affine_map([[1, 0], [0, 1]], shift))
        assert len(a) == len(b) == 0

"""Runs of pixels: the image comes back, whatever it is."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from skymatch_nb.core.raster import full_spans
from skymatch_nb.core.runs import from_runs, paint_spans, to_runs

IMAGES = st.tuples(st.integers(1, 9), st.integers(1, 9)).flatmap(lambda shape: arrays(np.bool_, shape))


@settings(deadline=None)
@given(IMAGES)
def test_an_image_comes_back_from_its_runs(image):
    np.testing.assert_array_equal(from_runs(to_runs(image), image.shape), image)


@settings(deadline=None)
@given(IMAGES)
def test_runs_are_few_ascending_and_apart(image):
    edges = to_runs(image).ravel()
    assert (np.diff(edges) > 0).all()
    assert len(to_runs(image)) == np.sum(np.diff(np.concatenate([[False], image.ravel()]).astype(int)) == 1)


def test_runs_of_a_transposed_view_are_in_row_order():
    image = np.zeros((3, 4), bool)
    image[1, 2] = True
    np.testing.assert_array_equal(to_runs(image.T), [[7, 8]])


def test_spans_are_painted_over_what_is_there():
    image = np.zeros((3, 5), bool)
    image[0, 0] = True
    paint_spans(image, np.array([[1, 2, 4], [2, 0, 5]]))
    np.testing.assert_array_equal(image, [[1, 0, 0, 0, 0], [0, 0, 1, 1, 0], [1, 1, 1, 1, 1]])
    paint_spans(image, full_spans(image.shape))
    assert image.all()

"""The history of clipping: by hand, and that it ends where clipping ends."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from skymatch_nb.core.clipping import clip_history
from skymatch_nb.core.sample import clip, sorted_samples

NUMBERS = st.lists(st.floats(-1e3, 1e3, width=32), min_size=1, max_size=60)


@given(
    NUMBERS,
    NUMBERS,
    st.integers(0, 8),
    st.floats(0.5, 4),
    st.floats(0.5, 4),
    st.one_of(st.none(), st.floats(-500, 0)),
    st.one_of(st.none(), st.floats(1, 500)),
)
def test_history_ends_where_clip_ends(one, two, nclip, lsigma, usigma, lower, upper):
    samples = sorted_samples([np.array(v, np.float32) for v in (one, two)])
    ended = clip(samples, lower, upper, nclip, lsigma, usigma)
    for k in (0, 1):
        rows = clip_history(samples, k, lower, upper, nclip, lsigma, usigma)
        assert len(rows) <= nclip + 1
        assert rows[-1, 2] == ended.npix[k]
        np.testing.assert_array_equal(rows[-1, 3:], [ended.mean[k], ended.std[k]])
        values = samples.sample(k).astype(float)
        for low, high, npix, *_ in rows:
            assert npix == ((values >= low) & (values <= high)).sum()


def test_limits_are_those_of_the_definition():
    values = np.array([0.0, 1, 2, 3, 4, 5, 6, 7, 8, 100])
    rows = clip_history(sorted_samples([values.copy()]), 0, None, 90.0, 3, 1.5, 2.0)
    inside = values[:-1]
    np.testing.assert_allclose(rows[0], [-np.inf, 90, 9, inside.mean(), inside.std(ddof=1)])
    low, high = inside.mean() - 1.5 * inside.std(ddof=1), inside.mean() + 2 * inside.std(ddof=1)
    np.testing.assert_allclose(rows[1, :2], [low, high])


def test_a_sample_that_loses_all_says_so():
    rows = clip_history(sorted_samples([np.array([5.0, 6.0])]), 0, 10.0, None, 5)
    assert rows.shape == (1, 5)
    assert rows[0, 2] == 0
    assert np.isnan(rows[0, 3])

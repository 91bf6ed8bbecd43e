"""Sorted samples and their clipping: the same as with whole-array masks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skymatch_nb.core.sample import BLOCK, Places, clip, sorted_samples
from skymatch_nb.io.spill import Store

SIZES = [1, 2, 3, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 1000, 10000]
KINDS = ["gaussian", "skewed", "galaxies", "high outlier", "low outlier", "both outliers", "offset 1e9", "integers"]


def pixels(kind, size, dtype=np.float64, seed=0):
    rng = np.random.default_rng([seed, size])
    values = rng.normal(100.0, 3.0, size)
    if kind == "skewed":
        values = rng.lognormal(1.0, 0.8, size)
    elif kind == "galaxies":
        values = np.where(rng.random(size) < 0.3, values + rng.exponential(30.0, size), values)
    elif kind.endswith(("outlier", "outliers")):
        bright = rng.permutation(size)[: max(1, size // 300)]
        sign = {"high outlier": 1.0, "low outlier": -1.0}.get(kind, rng.choice([-1.0, 1.0], len(bright)))
        values[bright] += sign * 3e6
    elif kind == "offset 1e9":
        values += 1e9
    elif kind == "integers":
        values = np.rint(values)
    return values.astype(dtype)


def clip_one(values, *args, **kwargs):
    return clip(sorted_samples([values.copy()]), *args, **kwargs)


def kept_of(samples, clipped, k=0):
    return samples.sample(k)[clipped.first[k] : clipped.stop[k]]


def assert_same(twins, values, relative=1e-6, **limits):
    """What is kept is what the twin keeps, and the moments agree to a part of a deviation."""
    samples = sorted_samples([values.copy()])
    clipped = clip(samples, **limits)
    expected = twins.clipped(values, **limits)
    np.testing.assert_array_equal(kept_of(samples, clipped), expected)
    if len(expected) == 0:
        assert np.isnan(clipped.mean[0])
        assert np.isnan(clipped.std[0])
        return
    mean, std = twins.moments(expected)
    assert clipped.mean[0] == pytest.approx(mean, rel=1e-15, abs=relative * std)
    assert clipped.std[0] == pytest.approx(std, rel=relative, abs=0)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", KINDS)
def test_clipping_equals_whole_array_masks(twins, kind, size):
    """Kept values, mean and deviation for every kind of data, at and around the block size."""
    assert_same(twins, pixels(kind, size), 1e-6)


@pytest.mark.parametrize("nclip", range(11))
@pytest.mark.parametrize("kind", KINDS)
def test_every_number_of_iterations_is_that_many(twins, kind, nclip):
    """0 to 10 iterations with tight, unequal limits, which do not settle at once."""
    assert_same(twins, pixels(kind, 3000), 1e-6, nclip=nclip, lsigma=1.7, usigma=2.3)


@pytest.mark.parametrize(("lsigma", "usigma"), [(4.0, 4.0), (0.7, 6.0), (6.0, 0.7), (1000.0, 2.0), (0.01, 0.01)])
@pytest.mark.parametrize("kind", KINDS)
def test_each_side_has_its_own_limit(twins, kind, lsigma, usigma):
    """Asymmetric sigmas."""
    assert_same(twins, pixels(kind, 1500), 1e-6, lsigma=lsigma, usigma=usigma)


@pytest.mark.parametrize(("lower", "upper"), [(95.0, None), (None, 104.0), (98.5, 101.5), (101.0, 1e9), (200.0, 300.0)])
@pytest.mark.parametrize("nclip", [0, 3])
@pytest.mark.parametrize("size", [2, 127, 128, 129, 5000])
def test_limits_hold_in_every_iteration(twins, lower, upper, nclip, size):
    """lower, upper, both, on one side of the median, and around no value at all."""
    assert_same(twins, pixels("gaussian", size), lower=lower, upper=upper, nclip=nclip, lsigma=2.0, usigma=2.5)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", ["gaussian", "galaxies", "both outliers"])
def test_single_precision_samples_have_double_precision_moments(twins, kind, dtype):
    """The moments of float32 pixels are those of the same values in float64."""
    values = pixels(kind, 20000, dtype)
    assert_same(twins, values, relative=1e-9 if kind != "both outliers" else 1e-6)
    assert sorted_samples([values]).values.dtype == dtype


def test_limits_are_inclusive():
    """Pixels equal to lower or upper are kept."""
    clipped = clip_one(np.array([1.0, 2.0, 3.0, 4.0, 5.0]), 2.0, 4.0, nclip=0)
    assert (clipped.first[0], clipped.stop[0]) == (1, 4)


def test_sigma_limits_are_inclusive():
    """-1, 0, 1 have a deviation of 1: limits of one sigma keep all three."""
    assert clip_one(np.array([-1.0, 0.0, 1.0]), nclip=5, lsigma=1.0, usigma=1.0).npix[0] == 3


def test_clipped_pixels_can_come_back():
    """Limits apply to all the values each time: two pixels that the first pass drops are kept by the second."""
    values = np.array([2.0, 2.0, 3.0, 5.0, 5.0, 7.0, 22.0, 24.0, 25.0, 26.0, 27.0])
    once, twice = (clip_one(values, nclip=n, lsigma=1.0, usigma=1.0) for n in (1, 2))
    assert (once.first[0], once.stop[0]) == (2, 8)
    assert (twice.first[0], twice.stop[0]) == (0, 6)


@pytest.mark.parametrize("outlier", [1e6, 1e9, 1e30, 3.4e38])
@pytest.mark.parametrize("side", [1, -1])
def test_far_outliers_do_not_cost_precision(twins, side, outlier):
    """Once clipped, saturated or fill values leave no trace in the moments of the rest."""
    rest = pixels("gaussian", 1000)
    clipped = clip_one(np.append(rest, side * outlier), nclip=1)
    mean, std = twins.moments(np.sort(rest))
    assert clipped.npix[0] == 1000
    assert clipped.mean[0] == pytest.approx(mean, abs=1e-9 * std, rel=0)
    assert clipped.std[0] == pytest.approx(std, rel=1e-9)


@pytest.mark.parametrize("bad", [[np.nan], [np.inf], [-np.inf], [np.nan, np.inf, -np.inf] * 50])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_non_finite_pixels_are_dropped(bad, dtype):
    """The sample is what remains, sorted."""
    values = pixels("gaussian", 300, dtype)
    mixed = np.random.default_rng(1).permutation(np.concatenate([values, np.array(bad, dtype)]))
    samples = sorted_samples([mixed])
    np.testing.assert_array_equal(samples.sample(0), np.sort(values))
    assert samples.npix.tolist() == [300]


@pytest.mark.parametrize("values", [[], [np.nan], [np.inf, -np.inf, np.nan]])
def test_sample_without_a_finite_pixel_is_empty(values):
    """No pixel kept, no mean, no deviation."""
    clipped = clip_one(np.array(values))
    assert clipped.npix.tolist() == [0]
    assert np.isnan(clipped.mean).all()
    assert np.isnan(clipped.std).all()


@pytest.mark.parametrize("value", [0.0, 0.1, -1e9, 3e38])
@pytest.mark.parametrize("size", [1, 2, 127, 128, 1000])
@pytest.mark.parametrize("nclip", [0, 5])
def test_constant_sample_keeps_all_pixels_at_their_value(value, size, nclip):
    """Deviation exactly 0, mean exactly the value."""
    clipped = clip_one(np.full(size, value), nclip=nclip)
    assert (clipped.npix[0], clipped.mean[0], clipped.std[0]) == (size, value, 0.0)


def test_set_of_samples_is_clipped_like_each_alone():
    """Samples of all kinds in one set, empty ones at the start, between and at the end."""
    parts = [np.zeros(0)]
    for kind in KINDS:
        parts += [pixels(kind, 700), np.zeros(0), pixels(kind, 129)]
    parts += [np.full(5, np.nan), np.zeros(0)]
    alone = [clip_one(part) for part in parts]
    samples = sorted_samples([part.copy() for part in parts])
    together = clip(samples)
    assert len(samples) == len(parts)
    for name in ("first", "stop", "mean", "std", "npix"):
        np.testing.assert_array_equal(getattr(together, name), [getattr(one, name)[0] for one in alone])
    for k, part in enumerate(parts):
        np.testing.assert_array_equal(samples.sample(k), np.sort(part[np.isfinite(part)]))


def test_set_of_no_samples_is_empty():
    """No overlap at all."""
    samples = sorted_samples([])
    assert len(samples) == 0
    assert clip(samples).npix.shape == (0,)


def test_samples_can_be_clipped_again_under_other_limits(twins):
    """One sorting serves any limits: clipping does not change the set."""
    values = pixels("galaxies", 4000)
    samples = sorted_samples([values.copy()])
    for limits in ({"nclip": 0}, {"nclip": 4, "lsigma": 2.0}, {"lower": 99.0}, {"nclip": 0}):
        expected = twins.clipped(values, **limits)
        np.testing.assert_array_equal(kept_of(samples, clip(samples, **limits)), expected)


@settings(deadline=None, max_examples=200)
@given(
    st.lists(st.integers(-50, 50) | st.sampled_from([3000, -3000]), max_size=400),
    st.integers(0, 10),
    st.floats(0.5, 6).map(lambda s: s + np.pi / 1e3),
    st.none() | st.integers(-40, 0),
    st.none() | st.integers(0, 40),
)
def test_clipping_of_repeated_values_equals_whole_array_masks(twins, values, nclip, sigma, lower, upper):
    """Small integers, so that many pixels are equal and limits fall on pixel values."""
    values = np.array(values, float)
    assert_same(twins, values, nclip=nclip, lsigma=sigma, usigma=2 * sigma, lower=lower, upper=upper)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sets_taken_together_are_clipped_as_each_alone(dtype):
    """Sets in memory and in a file, with and without samples."""
    parts = [[pixels(kind, size, dtype) for kind in KINDS] for size in (3, 129, 1000)]
    sets = [sorted_samples(part) for part in parts]
    sets = [sets[0], sorted_samples([np.zeros(0, dtype)]), Store(0).keep(sets[1]), sets[2]]
    together = clip(Places.of(sets), lower=95.0, nclip=3)
    alone = [clip(samples, lower=95.0, nclip=3) for samples in sets]
    for name in ("first", "stop", "mean", "std", "npix"):
        np.testing.assert_array_equal(getattr(together, name), np.concatenate([getattr(one, name) for one in alone]))


def test_sets_of_two_types_are_not_taken_together():
    sets = [sorted_samples([np.ones(2, dtype)]) for dtype in (np.float32, np.float64)]
    with pytest.raises(ValueError, match="samples of 2 types"):
        Places.of(sets)


def test_no_sets_are_clipped_to_nothing():
    assert clip(Places.of([])).npix.shape == (0,)

"""Sky levels of clipped samples: equal to plain numpy, close to stsci.imagestats, and free of its scatter."""

import numpy as np
import pytest
from astropy.stats import biweight_location
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from stsci.imagestats import ImageStats

from skymatch_nb.core.estimators import MODE_KERNEL_WIDTH
from skymatch_nb.core.measure import STATISTICS, measure
from skymatch_nb.core.sample import clip, sorted_samples

KINDS = ["gaussian", "skewed", "exponential", "uniform", "two peaks", "single precision", "offset 1e9"]
CLIPPING = {"nclip": 5, "lsigma": 4.0, "usigma": 4.0}


def pixels(kind, size=5000, seed=0):
    rng = np.random.default_rng([seed, size])
    values = rng.normal(0, 1, size)
    if kind == "skewed":
        values += np.where(rng.random(size) < 0.3, rng.exponential(3.0, size), 0.0)
    elif kind == "exponential":
        values = rng.exponential(1.0, size)
    elif kind == "uniform":
        values = rng.uniform(-1.0, 1.0, size)
    elif kind == "two peaks":
        values += np.where(rng.random(size) < 0.35, 6.0, 0.0)
    elif kind == "single precision":
        values = (10 + 7 * values).astype(np.float32)
    elif kind == "offset 1e9":
        values += 1e9
    return values


def levels(parts, statistic, binwidth=0.1, **limits):
    samples = sorted_samples([part.copy() for part in parts])
    return measure(samples, clip(samples, **limits), statistic, binwidth)[0]


def level(values, statistic, binwidth=0.1, **limits):
    return levels([values], statistic, binwidth, **limits)[0]


@pytest.mark.parametrize("size", [2, 3, 10, 127, 128, 129, 5000])
@pytest.mark.parametrize("kind", KINDS)
def test_mean_and_median_are_those_of_the_kept_values(twins, kind, size):
    """numpy's mean and median after clipping."""
    values = pixels(kind, size)
    kept = twins.clipped(values, **CLIPPING)
    mean, std = twins.moments(kept)
    assert level(values, "mean", **CLIPPING) == pytest.approx(mean, rel=1e-15, abs=1e-6 * std)
    assert level(values, "median", **CLIPPING) == pytest.approx(np.median(kept), rel=1e-15, abs=1e-6 * std)


@pytest.mark.parametrize("values", [[1.0, 1.0 + 2.0**-23], [16777215.0, 16777216.0], [2e38, 3e38]])
def test_median_of_single_precision_pixels_is_in_double_precision(values):
    """Half-way between two neighbouring float32 values, and no overflow near the largest."""
    assert level(np.array(values, np.float32), "median") == np.mean(np.float32(values).astype(float))


@pytest.mark.parametrize("binwidth", [0.01, 0.1, 0.37, 2.0])
@pytest.mark.parametrize("size", [2, 3, 10, 128, 5000])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("statistic", ["midpt", "binmode"])
def test_histogram_statistics_equal_plain_numpy(twins, statistic, kind, size, binwidth):
    """The same histogram by numpy.bincount, the same rule on its counts."""
    values = pixels(kind, size)
    kept = twins.clipped(values, **CLIPPING)
    expected = getattr(twins, statistic)(kept, binwidth)
    tolerance = 1e-6 * twins.moments(kept)[1]
    assert level(values, statistic, binwidth, **CLIPPING) == pytest.approx(expected, rel=1e-15, abs=tolerance)


@pytest.mark.parametrize("binwidth", [0.02, 0.1, 0.37, 2.0])
@pytest.mark.parametrize("size", [2, 3, 10, 128, 5000])
@pytest.mark.parametrize("kind", KINDS)
def test_mode_is_the_peak_of_the_smoothed_histogram(twins, kind, size, binwidth):
    """Brute force: one Gaussian per bin, summed on a fine grid."""
    values = pixels(kind, size)
    kept = twins.clipped(values, **CLIPPING)
    expected = twins.smoothed_peak(kept, binwidth, MODE_KERNEL_WIDTH)
    tolerance = 1e-3 * twins.moments(kept)[1]
    assert level(values, "mode", binwidth, **CLIPPING) == pytest.approx(expected, rel=1e-15, abs=tolerance)


@pytest.mark.parametrize("statistic", STATISTICS)
def test_limits_reach_every_statistic(twins, statistic):
    """What is estimated is what clipping kept: lower, upper and unequal sigmas."""
    values = pixels("skewed", 4000)
    limits = {"lower": -1.5, "upper": 4.0, "nclip": 3, "lsigma": 2.0, "usigma": 2.5}
    kept = twins.clipped(values, **limits)
    assert 1000 < len(kept) < 4000
    assert level(values, statistic, **limits) == pytest.approx(level(kept, statistic, nclip=0), abs=1e-9)


REFERENCE_CLIPPING = [
    {"nclip": 0},
    {"nclip": 1},
    {"nclip": 3},
    {"nclip": 5, "lsigma": 4.0, "usigma": 4.0},
    {"nclip": 3, "lsigma": 2.0, "usigma": 3.0},
    {"nclip": 10, "lsigma": 1.5, "usigma": 1.5},
    {"nclip": 2, "lower": -1.0, "upper": 2.5},
]


def imagestats(values, lsigma=4.0, usigma=4.0, binwidth=0.1, **limits):
    """The reference takes float32; its ``nclip`` counts clipping iterations as ours does."""
    return ImageStats(
        values, "npix,mean,median,midpt,stddev", lsig=lsigma, usig=usigma, binwidth=binwidth, **limits
    )  # fmt: skip


@pytest.mark.parametrize("limits", REFERENCE_CLIPPING, ids=str)
@pytest.mark.parametrize("kind", ["gaussian", "skewed", "exponential"])
def test_clipped_moments_and_median_agree_with_imagestats(kind, limits):
    """The same pixels are kept; mean and median agree within single precision."""
    values = pixels(kind, 20000).astype(np.float32)
    reference = imagestats(values, **limits)
    samples = sorted_samples([values.copy()])
    clipped = clip(samples, **limits)
    assert clipped.npix[0] == reference.npix
    assert clipped.std[0] == pytest.approx(reference.stddev, rel=1e-6)
    assert clipped.mean[0] == pytest.approx(reference.mean, abs=1e-5)
    assert measure(samples, clipped, "median")[0][0] == pytest.approx(reference.median, abs=1e-6)


@pytest.mark.parametrize("binwidth", [0.1, 0.3])
@pytest.mark.parametrize("limits", REFERENCE_CLIPPING, ids=str)
@pytest.mark.parametrize("kind", ["gaussian", "skewed", "exponential"])
def test_midpt_agrees_with_imagestats_within_a_bin(kind, limits, binwidth):
    """Its bins are filled a little wider than the width its positions are computed with: off by less than one bin."""
    values = pixels(kind, 20000).astype(np.float32)
    reference = imagestats(values, binwidth=binwidth, **limits)
    assert level(values, "midpt", binwidth, **limits) == pytest.approx(
        reference.midpt, abs=binwidth * float(reference.stddev)
    )


def test_median_respects_limits_without_clipping(twins):
    """Unlike imagestats, whose median with nclip=0 is that of all the pixels."""
    values = pixels("skewed", 5000)
    found = level(values, "median", lower=-1.0, upper=1.0, nclip=0)
    assert found == pytest.approx(np.median(values[np.abs(values) <= 1.0]), abs=1e-12)


def test_mode_of_gaussian_pixels_scatters_by_less_than_a_hundredth():
    """30 samples of 100,000 pixels: scatter and bias under 0.01 deviations; the plain histogram's is far larger."""
    parts = [pixels("gaussian", 100_000, seed) for seed in range(30)]
    modes = levels(parts, "mode")
    assert np.std(modes) < 0.01
    assert abs(np.mean(modes)) < 0.01
    assert np.std(levels(parts, "binmode")) > 3 * np.std(modes)


def test_mode_of_skewed_pixels_lies_between_binmode_and_median():
    """70 % N(0, 1) and 30 % with an exponential tail: by average over 20 samples of 100,000, and 0 is planted."""
    parts = [pixels("skewed", 100_000, seed) for seed in range(20)]
    binmode, mode, median = (np.mean(levels(parts, statistic)) for statistic in ("binmode", "mode", "median"))
    assert 0 < binmode < mode - 0.05
    assert mode < median - 0.05
    assert np.std(levels(parts, "mode")) < 0.01


def test_binmode_with_the_peak_in_the_first_bin_is_its_centre():
    """An exponential's highest bin is the first: half a bin above the smallest value."""
    values = pixels("exponential", 100_000)
    expected = values.min() + 0.05 * values.std(ddof=1)
    assert level(values, "binmode", nclip=0) == pytest.approx(expected, rel=1e-9)


def test_binmode_with_the_peak_in_the_last_bin_is_its_centre(twins):
    """The mirrored exponential."""
    values = -pixels("exponential", 100_000)
    counts, start, width = twins.histogram(np.sort(values), 0.3)
    assert counts.argmax() == len(counts) - 1
    assert level(values, "binmode", 0.3, nclip=0) == pytest.approx(start + (len(counts) - 0.5) * width, abs=1e-9)


def test_binmode_of_equal_peaks_is_the_lowest():
    """Two spikes of the same height, each alone between empty bins: the centre of the lower one's bin."""
    values = np.array([-30.0] + [0.0] * 20 + [10.0] * 20 + [30.0])
    width = 0.1 * values.std(ddof=1)
    expected = -30.0 + width * (np.floor(30.0 / width) + 0.5)
    assert level(values, "binmode", nclip=0) == pytest.approx(expected, abs=1e-9)


def test_binmode_refines_the_peak_by_a_parabola():
    """Counts 10, 30, 20 in bins 1 to 3: the vertex is 1/6 of a bin right of the middle one's centre."""
    values = np.repeat([0.0, 1.5, 2.5, 3.5, 5.0], [1, 10, 30, 20, 1])
    found = level(values, "binmode", 1.0 / values.std(ddof=1), nclip=0)
    assert found == pytest.approx(2.5 + 1 / 6, abs=1e-9)


def test_midpt_interpolates_within_the_middle_bin():
    """Counts 2, 6, 2 in bins of width 1: half of the pixels lie below the middle of the second bin."""
    values = np.repeat([0.0, 1.1, 2.9], [2, 6, 2])
    assert level(values, "midpt", 1.0 / values.std(ddof=1), nclip=0) == pytest.approx(1.5, abs=1e-9)


@pytest.mark.parametrize("size", [2, 3, 4, 10, 127, 128, 5000, 300_000])
@pytest.mark.parametrize("kind", KINDS)
def test_biweight_equals_that_of_astropy(twins, kind, size):
    """On the kept values, by its sort, mask and sums."""
    values = pixels(kind, size)
    kept = twins.clipped(values, **CLIPPING)
    tolerance = 1e-11 * twins.moments(kept)[1]
    assert level(values, "biweight", **CLIPPING) == pytest.approx(biweight_location(kept), rel=1e-15, abs=tolerance)


@settings(deadline=None)
@given(
    values=st.lists(st.integers(-20, 20) | st.floats(-1e6, 1e6).map(lambda v: round(v, 6)), min_size=1, max_size=100)
)
def test_biweight_equals_that_of_astropy_on_any_values(values):
    """Repeated values, far outliers, a median absolute deviation of 0."""
    values = np.array(values, float)
    slack = 1e-12 * (1 + np.abs(values).max())
    assert level(values, "biweight", nclip=0) == pytest.approx(biweight_location(values), rel=1e-12, abs=slack)


@pytest.mark.parametrize("kept_part", [0.5, 0.1, 0.001])
def test_biweight_far_from_the_median_of_all_pixels(kept_part):
    """Limits that leave a narrow part of the lowest values, a thousand deviations of it from the others."""
    rng = np.random.default_rng(5)
    low = rng.normal(10.0, 0.01, 2000)
    values = np.concatenate([low, rng.normal(20.0, 1.0, 8000)])
    upper = np.quantile(low, kept_part)
    expected = biweight_location(low[low <= upper])
    found = level(values, "biweight", upper=upper, nclip=0)
    assert found == pytest.approx(expected, rel=0, abs=1e-11 * low.std())


def test_biweight_of_single_precision_pixels_is_in_double_precision():
    """A million float32 values: sums of that type would be wrong in the fifth digit of the deviation."""
    values = (1000 + 5 * np.random.default_rng(4).standard_normal(1_000_000)).astype(np.float32)
    expected = biweight_location(values.astype(float))
    assert level(values, "biweight", nclip=0) == pytest.approx(expected, rel=0, abs=1e-9)


def test_biweight_is_the_median_where_most_values_are_equal():
    """A median absolute deviation of 0 leaves no scale for weights."""
    assert level(np.array([1.0, 2.0, 2.0, 2.0, 9.0]), "biweight", nclip=0) == 2.0


def test_biweight_gives_no_weight_to_outliers():
    """Beyond six median absolute deviations a value moves nothing, however far it is, but the order of the rest."""
    values = pixels("gaussian", 1000)
    near, far = (level(np.append(values, outlier), "biweight", nclip=0) for outlier in (30.0, 1e12))
    assert near == far
    assert abs(near - level(values, "biweight", nclip=0)) < 0.01


@pytest.mark.parametrize("size", [2, 3, 10, 127, 128, 5000])
@pytest.mark.parametrize("kind", KINDS)
def test_sextractor_equals_that_of_photutils(twins, kind, size):
    """On the kept values: both branches of the rule are met."""
    background = pytest.importorskip("photutils.background").SExtractorBackground(sigma_clip=None)
    values = pixels(kind, size)
    kept = twins.clipped(values, **CLIPPING)
    tolerance = 1e-6 * twins.moments(kept)[1]
    expected = background(kept - kept[0]) + kept[0]
    assert level(values, "sextractor", **CLIPPING) == pytest.approx(expected, rel=1e-15, abs=tolerance)


def test_sextractor_is_the_median_of_crowded_fields_only():
    """Mean 4, median 0, deviation 12.6; then mean 2.5, median 2."""
    crowded, plain = np.array([0.0] * 9 + [40.0]), np.array([1.0, 1.0, 2.0, 2.0, 2.0, 7.0])
    assert level(crowded, "sextractor", nclip=0) == 0.0
    assert level(plain, "sextractor", nclip=0) == pytest.approx(2.5 * 2.0 - 1.5 * 2.5, abs=1e-12)


@settings(deadline=None)
@given(values=st.lists(st.integers(-1000, 1000), min_size=2, max_size=100, unique=True))
def test_sextractor_follows_its_published_rule(values):
    """2.5 median - 1.5 mean where these differ by less than 0.3 deviations, else the median."""
    values = np.array(values, float)
    mean, median, std = values.mean(), np.median(values), values.std(ddof=1)
    skew = abs(mean - median) / std
    assume(abs(skew - 0.3) > 1e-9)
    expected = 2.5 * median - 1.5 * mean if skew < 0.3 else median
    assert level(values, "sextractor", nclip=0) == pytest.approx(expected, abs=1e-9)


scales = st.integers(-20, 20).map(lambda n: 2.0**n)
shifts = st.integers(-(10**6), 10**6)


@pytest.mark.parametrize("statistic", STATISTICS)
@settings(deadline=None)
@given(values=st.lists(st.integers(-1000, 1000), min_size=1, max_size=300), scale=scales, shift=shifts)
def test_every_statistic_follows_scale_and_shift(statistic, values, scale, shift):
    """The level of scale * (pixels + shift) is scale * (level + shift)."""
    values = np.array(values, float)
    found = level(scale * (values + shift), statistic, nclip=3, lsigma=2.7, usigma=3.3)
    expected = scale * (level(values, statistic, nclip=3, lsigma=2.7, usigma=3.3) + shift)
    assert found == pytest.approx(expected, rel=1e-12, abs=1e-6 * scale)


@pytest.mark.parametrize("statistic", STATISTICS)
@settings(deadline=None)
@given(values=st.lists(st.integers(-1000, 1000), min_size=2, max_size=300), seed=st.integers(0, 99))
def test_order_of_the_pixels_does_not_matter(statistic, values, seed):
    """Any permutation gives the same level to the last bit."""
    values = np.array(values, float)
    shuffled = np.random.default_rng(seed).permutation(values)
    assert level(shuffled, statistic) == level(values, statistic)


@pytest.mark.parametrize("statistic", ["mean", "median", "midpt", "biweight"])
@settings(deadline=None)
@given(values=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=100))
def test_level_lies_within_the_kept_values(statistic, values):
    """Between the smallest and the largest kept pixel, within a bin for the histogram's."""
    values = np.array(values)
    slack = 1e-9 * (1 + np.abs(values).max()) + (0.1 * values.std() if statistic == "midpt" else 0.0)
    assert values.min() - slack <= level(values, statistic, nclip=0) <= values.max() + slack


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [1, 2, 1000])
@pytest.mark.parametrize("statistic", STATISTICS)
def test_constant_sample_gives_its_value(statistic, size, dtype):
    """Deviation 0: every statistic is that value, to the last bit."""
    value = dtype(0.1)
    assert level(np.full(size, value), statistic) == float(value)


@pytest.mark.parametrize("statistic", STATISTICS)
def test_sample_that_clipping_makes_constant_gives_its_value(statistic):
    """A constant sky with one hot pixel that is clipped."""
    assert level(np.append(np.full(500, 7.25), 1e5), statistic) == 7.25


@pytest.mark.parametrize("statistic", STATISTICS)
def test_empty_samples_give_nan(statistic):
    """No pixel, no finite pixel, and none between lower and upper; neighbours in the set keep their level."""
    values = pixels("gaussian", 500)
    found = levels([np.zeros(0), values, np.full(3, np.nan), values - 100.0], statistic, lower=-50.0)
    assert np.isnan(found[[0, 2, 3]]).all()
    assert found[1] == level(values, statistic)


@pytest.mark.parametrize("statistic", STATISTICS)
def test_set_of_no_samples_gives_no_level(statistic):
    """An exposure without an overlap."""
    assert levels([], statistic).shape == (0,)


@pytest.mark.parametrize("statistic", ["Mode", "average", "", "MEDIAN"])
def test_unknown_statistic_is_an_error_that_names_the_known(statistic):
    """The text holds what was asked and what there is."""
    with pytest.raises(ValueError, match=r"mode, mean, median, midpt, binmode, biweight, sextractor") as error:
        level(pixels("gaussian", 10), statistic)
    assert repr(statistic) in str(error.value)


@pytest.mark.parametrize("statistic", STATISTICS)
def test_planted_sky_is_recovered(statistic):
    """1,000 and noise of 5 in 100,000 single-precision pixels, 1 % of them stars: within a tenth of the noise."""
    rng = np.random.default_rng(11)
    values = rng.normal(1000.0, 5.0, 100_000)
    values[:1000] += rng.exponential(2000.0, 1000)
    found = level(values.astype(np.float32), statistic)
    assert found == pytest.approx(1000.0, abs=0.5 if statistic != "binmode" else 1.5)

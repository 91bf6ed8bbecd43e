"""Masked sources: planted stars are found and grown, noise and bad pixels are not."""

import sys

import numpy as np
import pytest
from scipy import ndimage

from skymatch_nb import ParameterError, SkyMatchSession

pytest.importorskip("photutils")
from skymatch_nb.steps.sources import source_mask

SHAPE = (200, 260)
STARS = [(40, 50), (60, 200), (150, 130), (120, 30)]
Y, X = np.mgrid[: SHAPE[0], : SHAPE[1]]


def field(seed=1, flux=60.0, sigma=1.5):
    """Noise of 1 on a slanted background, with stars of a known peak."""
    image = 100 + 0.05 * X + np.random.default_rng(seed).standard_normal(SHAPE)
    for y, x in STARS:
        image += flux * np.exp(-((Y - y) ** 2 + (X - x) ** 2) / (2 * sigma**2))
    return image.astype(np.float32)


def distance_to_stars():
    return np.min([np.hypot(Y - y, X - x) for y, x in STARS], axis=0)


def test_stars_are_masked_and_nothing_else():
    found = source_mask(field(), np.ones(SHAPE, bool), 3.0, 5, 3)
    apart = distance_to_stars()
    assert found[apart < 5].all()
    assert not found[apart > 14].any()
    assert ndimage.label(found)[1] == len(STARS)


def test_an_empty_field_has_none():
    assert source_mask(field(flux=0.0), np.ones(SHAPE, bool), 3.0, 5, 3) is None


def test_sources_grow_by_the_radius():
    image, good = field(), np.ones(SHAPE, bool)
    plain, grown = (source_mask(image, good, 3.0, 5, radius) for radius in (0, 3))
    y, x = np.mgrid[-3:4, -3:4]
    np.testing.assert_array_equal(grown, ndimage.binary_dilation(plain, x**2 + y**2 <= 9))


def test_a_higher_threshold_masks_less():
    image, good = field(), np.ones(SHAPE, bool)
    masked = [source_mask(image, good, nsigma, 5, 0).sum() for nsigma in (2.0, 5.0, 15.0)]
    assert masked[0] > masked[1] > masked[2] > 0
    assert source_mask(image, good, 15.0, 60, 0) is None


def test_bad_pixels_are_no_sources_and_do_not_harm():
    """NaN, infinity and hot pixels that are flagged."""
    image, good = field(), np.ones(SHAPE, bool)
    good[100:110, 200:210] = False
    image[100:110, 200:210] = [np.nan, np.inf, 1e9, -1e9, 500] * 2
    found = source_mask(image, good, 3.0, 5, 0)
    assert not found[95:115, 195:215].any()
    assert ndimage.label(found)[1] == len(STARS)


@pytest.mark.parametrize("good", [0.0, 0.001])
def test_images_without_enough_good_pixels_have_none(good):
    usable = np.random.default_rng(0).random(SHAPE) < good
    assert source_mask(field(), usable, 3.0, 5, 3) is None


def test_images_smaller_than_a_box_are_searched():
    image = field()[140:162, 115:147]
    assert source_mask(image, np.ones(image.shape, bool), 3.0, 5, 0)[10, 15]


@pytest.mark.parametrize("dtype", [">f4", ">i2", "f8"])
def test_pixels_of_any_type_are_searched(dtype):
    image = (10 * field()).astype(dtype)
    image.flags.writeable = False
    assert ndimage.label(source_mask(image, np.ones(SHAPE, bool), 3.0, 5, 3))[1] == len(STARS)


@pytest.fixture
def pair(write_image):
    paths = [write_image(f"{n}.fits", data=field(seed=k), ra=10.0 + k * 5e-3) for k, n in enumerate("ab")]
    return SkyMatchSession(paths, skymethod="match", skystat="mean", nclip=0, verbose=False)


def test_masked_sources_are_counted_and_not_measured(pair):
    pair.configure(mask_sources=3.0)
    masks = pair.masks
    assert (masks.bad_source > 300).all()
    assert (masks.good == masks.pixels - masks.bad_source).all()
    pair.configure(skymethod="localmin")
    masked = pair.sky.sky_data
    plain = pair.configure(mask_sources=None).sky.sky_data
    noise_only = 100 + 0.05 * X.mean()
    np.testing.assert_allclose(masked, noise_only, atol=0.05)
    assert (plain > noise_only + 0.05).all()
    assert (pair.masks.bad_source == 0).all()


def test_detection_is_kept_until_it_would_change(pair):
    pair.configure(mask_sources=3.0).solve()
    kept = pair.fresh_result("sources")
    pair.configure(skystat="median", nclip=3).solve()
    assert pair.fresh_result("sources") is kept
    pair.configure(mask_sources_dilate=4)
    assert pair.fresh_result("sources") is None
    pair.configure(mask_sources=None).solve()
    assert "sources" not in pair._pipeline.wanted("mask")


def test_without_photutils_an_error_names_the_extra(pair, monkeypatch):
    monkeypatch.setitem(sys.modules, "photutils", None)
    with pytest.raises(ParameterError, match=r"mask_sources=3.0: .*skymatch_nb\[sources\]"):
        pair.configure(mask_sources=3.0).masks  # noqa: B018
    pair.configure(mask_sources=None).masks  # noqa: B018

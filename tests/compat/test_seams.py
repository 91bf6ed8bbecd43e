"""Planted steps are found with their size, and where there is none none is found."""

import numpy as np
import pytest
from astropy.io import fits
from scipy.ndimage import gaussian_filter

from skymatch_nb import InputError, ParameterError, SkyMatchWarning
from skymatch_nb.compat.seams import seams, seams_of


def mosaic(steps=(0.0, 0.0), noise=1.0, seed=1):
    """Chips on the left and on the right of a mosaic, which overlap in the middle, and what each adds there."""
    x = np.arange(400) + np.zeros((300, 1), int)
    left, right = x < 250, x >= 150
    levels = np.where(left & right, steps[0], 0) + np.where(right & ~left, steps[1], 0)
    image = levels + noise * np.random.default_rng(seed).standard_normal(x.shape)
    return image.astype(np.float32), left.astype(np.int64) | right.astype(np.int64) << 1


def test_planted_steps_are_recovered():
    table = seams_of(*mosaic(steps=(2.0, 5.0)))
    assert table.chips_a.tolist() == ["1", "2"]
    assert table.chips_b.tolist() == ["1, 2", "1, 2"]
    assert (np.abs(table.step - [2.0, -3.0]) < 4 * table.step_err).all()
    assert (table.pull.abs() > 20).all()


def test_errors_are_those_of_repeated_mosaics():
    tables = [seams_of(*mosaic(seed=seed)) for seed in range(40)]
    steps = np.array([table.step for table in tables])
    errors = np.array([table.step_err for table in tables])
    assert 0.7 < (steps / errors).std() < 1.5
    assert abs(steps.mean()) < 4 * errors.mean() / np.sqrt(steps.size)


def test_bad_pixels_are_not_edges_and_nan_is_left_out():
    image, context = mosaic()
    rng = np.random.default_rng(5)
    lost = rng.random(image.shape) < 0.02
    context[lost] &= 1
    image[rng.random(image.shape) < 0.02] = np.nan
    table = seams_of(image, context)
    assert len(table) == 2
    assert (table.pull.abs() < 4).all()


def structured(steps=(0.0, 0.0)):
    """A mosaic on bright, smooth structure, in which a step of the noise is lost."""
    image, context = mosaic(steps)
    blobs = gaussian_filter(np.random.default_rng(7).standard_normal(image.shape), 8)
    return image + (8 * blobs / blobs.std()).astype(np.float32), context


def test_the_noise_of_a_pixel_is_what_must_not_be_missed():
    table = seams_of(*mosaic(noise=2.0))
    assert table.attrs["sensitivity"] == pytest.approx(2.0, rel=0.05)
    assert not table.blind.any()
    assert seams_of(*structured()).attrs["sensitivity"] == pytest.approx(1.0, rel=1.0)


def test_a_step_that_is_lost_in_structure_is_not_taken_for_none():
    table = seams_of(*structured(steps=(2.0, 0.0)))
    assert (table.pull.abs() < 3).all()
    assert table.blind.all()
    assert not seams_of(*structured(steps=(2.0, 0.0)), sensitivity=100.0).blind.any()


def test_a_step_that_is_found_is_no_blind_edge():
    table = seams_of(*structured(steps=(100.0, 0.0)))
    assert (table.pull.abs() > 3).all()
    assert not table.blind.any()


def test_sensitivity_is_in_units_of_the_product():
    image, context = mosaic()
    limit = 3 * seams_of(image, context).step_err
    assert seams_of(image, context, sensitivity=limit.max() * 1.01).blind.tolist() == [False, False]
    assert seams_of(image, context, sensitivity=limit.min() * 0.99).blind.tolist() == [True, True]


@pytest.mark.parametrize("sensitivity", [0, -1.0, np.nan, np.inf])
def test_sensitivities_that_cannot_be_used(sensitivity):
    with pytest.raises(ParameterError, match=r"sensitivity=.*: must be a positive number"):
        seams_of(*mosaic(), sensitivity=sensitivity)


def test_what_is_not_proved_is_warned_of(tmp_path):
    path = written(tmp_path / "m_drz.fits", made=structured())
    with pytest.warns(
        SkyMatchWarning, match=r"m_drz.fits: at 2 of 2 edges a step of \S+ ELECTRONS/S would not be seen"
    ):
        seams(path)
    seams(path, sensitivity=100.0)
    image, context = mosaic()
    path = written(tmp_path / "one_drz.fits", made=(image, np.ones_like(context)))
    with pytest.warns(SkyMatchWarning, match=r"one_drz.fits: no edge of an overlap is long enough"):
        assert seams(path).empty


def written(path, context_planes=1, leave_out="", made=None):
    image, context = mosaic((3.0, 0.0)) if made is None else made
    planes = np.array([context] * context_planes, np.int32)
    hdus = [fits.ImageHDU(image, name="SCI"), fits.ImageHDU(planes, name="CTX")]
    hdus[0].header["BUNIT"] = "ELECTRONS/S"
    fits.HDUList([fits.PrimaryHDU(), *(hdu for hdu in hdus if hdu.name != leave_out)]).writeto(path)
    return path


def test_products_are_read(tmp_path):
    table = seams(written(tmp_path / "mosaic_drz.fits"))
    assert table.step.to_numpy() == pytest.approx([3.0, 3.0], abs=0.3)
    assert table.attrs["units"] == {"step": "ELECTRONS/S", "step_err": "ELECTRONS/S"}


@pytest.mark.parametrize(
    ("made", "text"),
    [
        ({"leave_out": "CTX"}, r"m_drz.fits: no CTX extension; build=True"),
        ({"leave_out": "SCI"}, r"m_drz.fits: no SCI extension"),
        ({"context_planes": 2}, r"m_drz.fits\[CTX\]: 2 planes"),
    ],
)
def test_products_that_cannot_be_used(tmp_path, made, text):
    with pytest.raises(InputError, match=text):
        seams(written(tmp_path / "m_drz.fits", **made))


def test_no_file(tmp_path):
    with pytest.raises(InputError, match="none_drz"):
        seams(tmp_path / "none_drz.fits")

"""Planted steps are found with their size, and where there is none none is found."""

import numpy as np
import pytest
from astropy.io import fits

from skymatch_nb import InputError
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


def written(path, context_planes=1, leave_out=""):
    image, context = mosaic((3.0, 0.0))
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

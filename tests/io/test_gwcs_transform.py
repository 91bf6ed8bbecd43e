"""gwcs objects: there and back, where they end, what is refused."""

import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from astropy.wcs import WCS
from webb_files import asdf, imaging_gwcs

from skymatch_nb.errors import GeometryError, InputError
from skymatch_nb.geometry.outlines import trace_outline, within_bounds
from skymatch_nb.io.gwcs_transform import GwcsTransform
from skymatch_nb.io.scales import local_scale, nominal_scale
from skymatch_nb.io.wcs import FitsTransform

SHAPE = (300, 400)


def transform(**changes) -> GwcsTransform:
    return GwcsTransform(imaging_gwcs(shape=SHAPE, **changes), SHAPE, "x")


@pytest.mark.parametrize("changes", [{}, {"inverse": False}, {"bend": 20.0}, {"dec": 89.9999}, {"ra": 0.0}])
def test_to_pixels_inverts_to_sky(changes):
    """Though the inverse that the object carries misses, or there is none."""
    t = transform(**changes)
    x, y = np.random.default_rng(3).uniform(-20, 320, (2, 2000))
    back = t.to_pixels(*t.to_sky(x, y))
    assert np.abs(np.array(back) - [x, y]).max() < 1e-5


def test_the_inverse_that_the_object_carries_is_worse():
    t = transform()
    sky = t.to_sky(np.array([10.0]), np.array([20.0]))
    assert abs(float(np.ravel(t.wcs.invert(*sky, with_bounding_box=False))[0]) - 10.0) > 0.01


def test_what_the_sky_is_agrees_with_an_astropy_wcs():
    t = GwcsTransform(imaging_gwcs(ra=34.0, dec=-5.0, bend=0.0, roll=0.0, shape=SHAPE), SHAPE, "x")
    fits_wcs = WCS(naxis=2)
    fits_wcs.wcs.ctype, fits_wcs.wcs.crval = ["RA---TAN", "DEC--TAN"], [34.0, -5.0]
    fits_wcs.wcs.crpix, fits_wcs.wcs.cdelt = [200.5, 150.5], [-0.063 / 3600, 0.063 / 3600]
    x, y = np.array([0.0, 399.0, 17.3]), np.array([0.0, 250.0, 299.0])
    assert np.allclose(t.to_sky(x, y), FitsTransform(fits_wcs).to_sky(x, y), rtol=0, atol=1e-10)


def test_positions_behind_or_far_away_do_no_harm():
    t = transform()
    behind, far = t.to_pixels(np.array([214.45, 34.6]), np.array([5.25, -5.25]))[0]
    assert np.isnan(behind)
    assert abs(far) > 1000
    assert t.to_pixels(np.zeros(0), np.zeros(0))[0].shape == (0,)


def test_threads_and_copies_give_the_same():
    t = pickle.loads(pickle.dumps(transform()))
    x, y = np.random.default_rng(0).uniform(0, 300, (2, 500))
    alone = np.array(t.to_pixels(*t.to_sky(x, y)))
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda _: np.array(t.to_pixels(*t.to_sky(x, y))), range(40)):
            assert np.array_equal(found, alone)


def test_outlines_end_at_the_bounding_box():
    t = transform(box=((3.5, 250.5), (-0.5, 299.5)))
    outline = trace_outline(t, SHAPE)
    assert (outline.x.min(), outline.x.max()) == (3.5, 250.5)
    assert (outline.y.min(), outline.y.max()) == (-0.5, 299.5)
    held = within_bounds(t, SHAPE)
    assert held.sum() == 247 * 300
    assert not held[:, :4].any()


def test_without_a_bounding_box_the_frame_is_the_outline():
    t = transform(box=False)
    outline = trace_outline(t, SHAPE)
    assert (outline.x.min(), outline.x.max(), outline.y.max()) == (-0.5, 399.5, 299.5)
    assert within_bounds(t, SHAPE) is None


def test_a_bounding_box_wider_than_the_image_adds_nothing():
    t = transform(box=((-100.0, 1000.0), (-100.0, 1000.0)))
    assert trace_outline(t, SHAPE).x.max() == 399.5


def test_a_bounding_box_beside_the_image_is_an_error():
    t = transform(box=((500.0, 600.0), (0.0, 299.5)))
    with pytest.raises(GeometryError, match="no pixel lies in the bounding box of its WCS, x 500 to 600"):
        trace_outline(t, SHAPE)


def test_pixel_bounds_of_an_astropy_wcs_count_too():
    fits_wcs = WCS(naxis=2)
    fits_wcs.wcs.ctype, fits_wcs.wcs.cdelt = ["RA---TAN", "DEC--TAN"], [-1e-4, 1e-4]
    fits_wcs.pixel_bounds = [(10.5, 200.5), (-0.5, 299.5)]
    assert trace_outline(FitsTransform(fits_wcs), SHAPE).x.min() == 10.5


def test_scales():
    t = transform(scale=0.063, bend=0.0)
    assert local_scale(t, *t.middle) == pytest.approx([0.063], rel=1e-6)
    assert nominal_scale(t, {}, {}) == pytest.approx(0.063, rel=1e-6)
    assert nominal_scale(t, {}, {"PIXAR_A2": 0.0036}) == pytest.approx(0.06)
    bent = transform(bend=20.0)
    assert np.ptp(local_scale(bent, np.array([0.0, 399.0]), np.array([0.0, 299.0]))) > 0.001


def test_labels():
    t = transform()
    assert (t.label, t.distortion) == ("gwcs", "v2v3")


class TestOfTheAgencies:
    """Real gwcs objects."""

    @pytest.mark.parametrize(
        ("name", "shape"),
        [
            ("miriwcs", (1024, 1032)), ("nircamwcs", (2048, 2048)), ("nrcb1-wcs", (2048, 2048)),
            ("nrcb5-wcs", (2048, 2048)), ("roman_base_image_wcs", (4088, 4088)), ("miri_i2d_lonlat_gwcs", (1068, 1062)),
            ("mosaic_long_i2d_gwcs", (2070, 2077)),
        ],
    )  # fmt: skip
    def test_there_and_back(self, realdata, name, shape):
        with asdf.open(realdata / "gwcs" / f"{name}.asdf") as file:
            t = GwcsTransform(file["wcs"], shape, name)
        x, y = np.random.default_rng(1).uniform(-0.5, np.array([shape[1], shape[0]])[:, None] - 0.5, (2, 3000))
        assert np.abs(np.array(t.to_pixels(*t.to_sky(x, y))) - [x, y]).max() < 1e-5

    def test_the_reference_columns_of_miri_are_outside(self, realdata):
        with asdf.open(realdata / "gwcs" / "miriwcs.asdf") as file:
            t = GwcsTransform(file["wcs"], (1024, 1032), "miri")
        outline = trace_outline(t, (1024, 1032))
        assert (outline.x.min(), outline.x.max()) == (3.5, 1027.5)

    def test_a_spectroscopic_one_is_refused(self, realdata):
        with asdf.open(realdata / "gwcs" / "miri_lrs_wcs.asdf") as file, pytest.raises(InputError) as refused:
            GwcsTransform(file["wcs"], (397, 347), "lrs_cal.fits[SCI,1]")
        assert str(refused.value) == (
            "lrs_cal.fits[SCI,1]: its gwcs is not that of an image: "
            "it makes (pos.eq.ra, pos.eq.dec, em.wl) of 2 pixel axes"
        )

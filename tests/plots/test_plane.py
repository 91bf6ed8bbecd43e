"""The plane of the sky: against astropy's projections, at the poles and across RA 0."""

import numpy as np
import pytest
from astropy.wcs import WCS
from hypothesis import given, settings
from hypothesis import strategies as st

from skymatch_nb.geometry.sphere import to_radec, to_vectors
from skymatch_nb.plots.plane import SkyPlane, graticule, poles_inside

POINTS = st.tuples(st.floats(0, 360), st.floats(-90, 90))


def field(ra, dec, size):
    """Directions around one, within ``size`` degrees."""
    center = SkyPlane(to_vectors(np.array([ra]), np.array([dec])))
    x, y = np.meshgrid(np.linspace(-size, size, 5), np.linspace(-size, size, 5))
    return center.vectors(x.ravel(), y.ravel())


@settings(deadline=None)
@given(POINTS, st.floats(1e-3, 20))
def test_offsets_are_those_of_a_tan_projection(place, size):
    vectors = field(*place, size)
    plane = SkyPlane(vectors)
    assert plane.tangent
    (ra,), (dec,) = to_radec(plane.center[None])
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval, wcs.wcs.cdelt = ["RA---TAN", "DEC--TAN"], [ra, dec], [1, 1]
    x, y = plane.offsets(vectors)
    expected = wcs.wcs_world2pix(*to_radec(vectors), 0)
    wcs_x, wcs_y = expected[0] + 1, expected[1] + 1
    if abs(dec) < 89.9999:
        np.testing.assert_allclose(x, wcs_x, atol=1e-7)
        np.testing.assert_allclose(y, wcs_y, atol=1e-7)
    np.testing.assert_allclose(plane.vectors(x, y), vectors, atol=1e-12)


def test_wide_fields_keep_true_distances():
    vectors = to_vectors(np.array([0.0, 100.0, 250.0]), np.array([10.0, -40.0, 60.0]))
    plane = SkyPlane(vectors)
    assert not plane.tangent
    x, y = plane.offsets(vectors)
    np.testing.assert_allclose(np.hypot(x, y), np.degrees(np.arccos(vectors @ plane.center)))
    np.testing.assert_allclose(plane.vectors(x, y), vectors, atol=1e-12)


def test_opposite_directions_still_have_a_plane():
    vectors = to_vectors(np.array([0.0, 180.0]), np.array([30.0, -30.0]))
    assert np.isfinite(SkyPlane(vectors).offsets(vectors)).all()


@pytest.mark.parametrize(("ra", "dec"), [(0.0, 0.0), (359.99, 60.0), (12.0, 90.0), (200.0, -89.99), (100.0, -30.0)])
def test_north_is_up_and_east_is_positive(ra, dec):
    center = to_vectors(np.array([ra]), np.array([dec]))[0]
    plane = SkyPlane(np.vstack([center, field(ra, dec, 0.02)]))
    x, y = plane.offsets(to_vectors(np.full(2, ra), np.array([dec - 0.01, min(dec + 0.01, 90.0)])))
    assert y[1] > y[0]
    if abs(dec) < 80:
        east, _ = plane.offsets(to_vectors(np.array([ra + 0.01]), np.array([dec])))
        assert east[0] > x[0]


@pytest.mark.parametrize(
    ("ra", "dec", "size"), [(0.0, 5.0, 0.1), (150.0, 2.0, 0.01), (40.0, 89.96, 0.2), (10.0, -90.0, 1.0)]
)
def test_lines_are_of_round_ra_or_dec_and_cross_the_window(ra, dec, size):
    plane = SkyPlane(field(ra, dec, size))
    lines = graticule(plane, (-size, size), (-size, size))
    inside = 0
    for x, y in zip(lines["xs"], lines["ys"], strict=True):
        line_ra, line_dec = plane.radec(np.asarray(x), np.asarray(y))
        turned = (line_ra - line_ra[0] + 180) % 360 - 180
        off_pole = np.abs(line_dec) < 89.9999
        constant = [np.ptp(turned[off_pole]) < 1e-6, np.ptp(line_dec) < 1e-8]
        assert any(constant)
        round_to = line_ra[off_pole][0] * 240 if constant[0] else line_dec[0] * 3600
        assert abs(round_to / 0.01 - round(round_to / 0.01)) < 1e-4
        inside += bool(((np.abs(x) <= size) & (np.abs(y) <= size)).any())
    assert inside >= 4


def test_poles_are_found():
    assert [name for name, *_ in poles_inside(SkyPlane(field(40.0, 89.96, 0.2)), (-0.2, 0.2), (-0.2, 0.2))] == [
        "north pole"
    ]
    assert [name for name, *_ in poles_inside(SkyPlane(field(0.0, -89.9, 0.2)), (-0.2, 0.2), (-0.2, 0.2))] == [
        "south pole"
    ]
    assert not poles_inside(SkyPlane(field(0.0, 80.0, 0.2)), (-0.2, 0.2), (-0.2, 0.2))

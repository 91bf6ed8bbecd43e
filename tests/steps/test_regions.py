"""Sky regions on pixels: the same as the package ``regions`` finds on a plain WCS, and as brute force on others."""

from types import SimpleNamespace

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.wcs import WCS

from skymatch_nb.core.runs import from_runs
from skymatch_nb.datasets import make_mosaic
from skymatch_nb.errors import InputError
from skymatch_nb.executor import Work
from skymatch_nb.io.inputs import resolve_inputs
from skymatch_nb.io.wcs import FitsTransform
from skymatch_nb.params.regions import parse_regions
from skymatch_nb.steps.load import load
from skymatch_nb.steps.regions import region_runs

regions = pytest.importorskip("regions")
NY, NX = SHAPE = (150, 200)
Y, X = np.mgrid[:NY, :NX]
PLACES = [(150.0, 2.0), (0.0, 45.0), (359.999, -30.0), (20.0, 89.99), (200.0, -89.995)]
SHAPES = [
    'circle({r},{d},19.9")',
    'annulus({r},{d},9.9",19.9")',
    'box({r},{d},30.1",10.1",35)',
    'ellipse({r},{d},29.9",10.1",35)',
    'ellipse({r},{d},15.1",5.1",30.1",10.1",35)',
    'box({r},{d},15.1",5.1",30.1",10.1",-70)',
    'circle({r},{d},61")',
    "polygon({v})",
]
FAR = 'icrs; circle(10,-70,5")'


def member(ra, dec, rotation=20.0, scale=0.5, name="m"):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval, wcs.wcs.crpix = ("RA---TAN", "DEC--TAN"), (ra, dec), (100, 75)
    t = np.radians(rotation)
    wcs.wcs.cd = scale / 3600 * np.array([[-np.cos(t), np.sin(t)], [np.sin(t), np.cos(t)]])
    return SimpleNamespace(name=name, wcs=FitsTransform(wcs), shape=SHAPE, nominal_scale=scale)


def bad_image(one, exclude=None, include=None):
    (runs,), notes = region_runs([one], parse_regions(exclude), parse_regions(include), Work())
    return np.zeros(SHAPE, bool) if runs is None else from_runs(runs, SHAPE), notes


@pytest.fixture(scope="module")
def here():
    """A member, and text of a region about a place on it."""
    one = member(150.0, 2.0)
    ra, dec = one.wcs.to_sky(np.array([90.3]), np.array([70.4]))
    return one, lambda shape, frame="icrs": f"{frame}; {shape.format(r=float(ra[0]), d=float(dec[0]))}"


@pytest.mark.parametrize(("ra", "dec"), PLACES)
@pytest.mark.parametrize("shape", SHAPES)
def test_pixels_are_those_of_the_regions_package(ra, dec, shape):
    """Across RA 0 and at both poles, too; a pixel may differ where the edge passes within 0.05 of its centre."""
    one = member(ra, dec)
    centre = one.wcs.wcs.pixel_to_world(90.3, 70.4)
    corners = one.wcs.wcs.pixel_to_world([20.2, 150.3, 120.1, 60.7], [30.1, 20.2, 120.3, 90.4])
    vertices = ",".join(f"{a:.12f},{b:.12f}" for a, b in zip(corners.ra.deg, corners.dec.deg, strict=True))
    text = "icrs; " + shape.format(r=centre.ra.deg, d=centre.dec.deg, v=vertices)
    planar = regions.Regions.parse(text, format="ds9")[0].to_pixel(one.wcs.wcs)
    expected = planar.contains(regions.PixCoord(X, Y))
    shifted = [
        planar.contains(regions.PixCoord(X + a, Y + b))
        for a, b in 0.05
        * np.array([(1, 0), (-1, 0), (0, 1), (0, -1), (0.7, 0.7), (0.7, -0.7), (-0.7, 0.7), (-0.7, -0.7)])
    ]
    near = np.any(shifted, axis=0) & ~np.all(shifted, axis=0)
    found, notes = bad_image(one, text)
    assert ((found == expected) | near).all()
    assert 800 < found.sum() < found.size
    assert (near & ~expected).sum() < 40
    assert notes == ()


@pytest.mark.parametrize("frame", ["galactic", "ecliptic", "fk4"])
@pytest.mark.parametrize("shape", ["box", "ellipse"])
def test_a_shape_in_another_frame_is_turned_with_that_frame(here, frame, shape):
    """The same pixels as those whose offsets in that frame are inside."""
    one, _ = here
    names = {"galactic": "galactic", "ecliptic": "barycentricmeanecliptic", "fk4": "fk4"}
    sky = SkyCoord(*one.wcs.to_sky(X.ravel().astype(float), Y.ravel().astype(float)), unit="deg").transform_to(
        names[frame]
    )
    centre = SkyCoord(*one.wcs.to_sky(np.array([90.3]), np.array([70.4])), unit="deg").transform_to(names[frame])[0]
    east, north = (v.to_value("arcsec") for v in centre.spherical_offsets_to(sky))
    t = np.radians(25)
    along, across = -east * np.cos(t) + north * np.sin(t), east * np.sin(t) + north * np.cos(t)
    lon, lat = centre.spherical.lon.deg, centre.spherical.lat.deg
    if shape == "box":
        text, value = f'box({lon},{lat},30",12",25)', np.maximum(np.abs(along) / 15, np.abs(across) / 6)
    else:
        text, value = f'ellipse({lon},{lat},15",6",25)', np.hypot(along / 15, across / 6)
    found, _ = bad_image(one, f"{frame}; {text}")
    near = np.abs(value - 1) < 0.01
    assert ((found.ravel() == (value < 1)) | near).all()
    assert near.sum() < 60


def test_distorted_members_are_mapped_through_their_own_wcs(tmp_path):
    """Every pixel centre taken to the sky by the WCS, and compared with the circle there."""
    mosaic = make_mosaic(tmp_path, rows=1, cols=2, shape=(96, 160), overlap=0.4, rotation=25.0, distortion=5.0, seed=3)
    members = load("", resolve_inputs(list(mosaic.paths)), Work()).members
    centre = SkyCoord(*members[0].wcs.to_sky(np.array([150.0]), np.array([60.0])), unit="deg")[0]
    text = f'icrs; circle({centre.ra.deg},{centre.dec.deg},5")'
    runs, _ = region_runs(members, parse_regions(text), None, Work())
    touched = 0
    for one, bad in zip(members, runs, strict=True):
        y, x = np.mgrid[:96, :160].astype(float)
        apart = SkyCoord(*one.wcs.to_sky(x.ravel(), y.ravel()), unit="deg").separation(centre).arcsec
        found = np.zeros(apart.size, bool) if bad is None else from_runs(bad, one.shape).ravel()
        near = np.abs(apart - 5) < 0.06 * mosaic.pixel_scale
        assert ((found == (apart < 5)) | near).all()
        touched += found.any()
    assert touched >= 2


def test_what_is_excluded_stays_bad_in_what_is_included(here):
    one, text = here
    circle, _ = bad_image(one, text('circle({r},{d},19.9")'))
    box, _ = bad_image(one, text('box({r},{d},50",10",35)'))
    both, _ = bad_image(one, text('circle({r},{d},19.9")'), text('box({r},{d},50",10",35)'))
    np.testing.assert_array_equal(both, circle | ~box)
    assert (box & ~circle).any()


def test_regions_of_one_text_are_added_and_taken_away(here):
    one, text = here
    outer, _ = bad_image(one, text('circle({r},{d},19.9")'))
    inner, _ = bad_image(one, text('circle({r},{d},9.9")'))
    box, _ = bad_image(one, text('box({r},{d},50",10",35)'))
    plus = text('circle({r},{d},19.9"); box({r},{d},50",10",35)')
    np.testing.assert_array_equal(bad_image(one, plus)[0], outer | box)
    minus = text('circle({r},{d},19.9"); -circle({r},{d},9.9"); box({r},{d},50",10",35)')
    np.testing.assert_array_equal(bad_image(one, minus)[0], (outer | box) & ~inner)
    apart = [text('circle({r},{d},19.9"); -circle({r},{d},9.9")'), text('circle({r},{d},9.9")')]
    np.testing.assert_array_equal(bad_image(one, apart)[0], outer)


def test_a_region_far_larger_than_the_member_covers_it(here):
    """Though its own edge has no pixels."""
    one, _ = here
    for text in (
        "icrs; circle(150,2,70)",
        "icrs; polygon(100,-40,200,-40,200,40,100,40)",
        "galactic; box(236,42,60,60,0)",
    ):
        found, notes = bad_image(one, text)
        assert found.all()
        assert notes == ("regions leave no pixel of m",)
    found, notes = bad_image(one, None, "icrs; circle(150,2,70)")
    assert not found.any()
    assert notes == ()


def test_half_a_sky_is_cut_at_its_edge(here):
    """A great circle through the member splits it where astropy says it does."""
    one, _ = here
    found, _ = bad_image(one, [(90.0, 2.0), (150.0, 2.0), (210.0, 2.0), (150.0, 60.0)])
    _, dec = one.wcs.to_sky(X.ravel().astype(float), Y.ravel().astype(float))
    assert found.mean() == pytest.approx((dec > 2).mean(), abs=0.02)


def test_regions_that_touch_no_member_are_noted(here):
    one, text = here
    found, notes = bad_image(one, [FAR, text('circle({r},{d},9.9")')])
    assert found.any()
    (note,) = notes
    assert note.startswith("no member is touched by regions 'icrs; circle(10,-70")
    found, notes = bad_image(one, None, FAR)
    assert found.all()
    assert len(notes) == 2


def test_points_are_noted(here, tmp_path):
    one, text = here
    path = tmp_path / "a.reg"
    path.write_text(text('circle({r},{d},9.9"); point({r},{d})'))
    found, notes = bad_image(one, path)
    assert found.any()
    assert notes == (f"region file {path}: 1 points, lines or texts have no area and are not used",)


def test_members_that_no_region_touches_cost_nothing():
    runs, _ = region_runs([member(150, 2), member(170, 2)], parse_regions('icrs; circle(150,2,9")'), None, Work())
    assert runs[1] is None
    assert runs[0].nbytes < 16 * 2 * NY
    assert region_runs([member(150, 2)], None, None, Work()) == ((), ())


def test_a_member_whose_edge_is_not_on_the_sky_is_named():
    one = member(150, 2, scale=3600 * 20, name="wide.fits[0]")
    with pytest.raises(InputError, match=r"wide.fits\[0\]: regions cannot be mapped"):
        bad_image(one, 'icrs; circle(150,2,9")')

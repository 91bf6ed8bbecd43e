"""Footprints that follow the good pixels: planted areas come back, and defects do not fragment them."""

import numpy as np
import pytest
import shapely
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st

from skymatch_nb import SkyMatchSession, SkyMatchWarning
from skymatch_nb.geometry.clipping import clip_to_outline
from skymatch_nb.geometry.outlines import outline_polygon
from skymatch_nb.steps.goodarea import good_area, is_frame

NY, NX = SHAPE = (300, 500)
Y, X = np.mgrid[:NY, :NX]
AREAS = {
    "left third flagged": (X >= 166, [(165.5, -0.5), (499.5, -0.5), (499.5, 299.5), (165.5, 299.5)]),
    "corner of a coronagraph": (
        ~((X < 120) & (Y >= 210)),
        [(-0.5, -0.5), (499.5, -0.5), (499.5, 299.5), (119.5, 299.5), (119.5, 209.5), (-0.5, 209.5)],
    ),
    "shadow along two slanted sides": (
        (X > 40 + 0.1 * Y) & (Y > 30 + 0.05 * X),
        [(43.2, 32.2), (499.5, 55.0), (499.5, 299.5), (70.0, 299.5)],
    ),
    "wedge": (X > Y, [(0, -0.5), (499.5, -0.5), (499.5, 299.5), (300, 299.5)]),
}


def polygon(area):
    return shapely.Polygon(np.column_stack([area.x, area.y]))


def with_defects(good, seed=0):
    """Good pixels with 2 % of them bad at random, cosmic rays, and bad columns that cross all of the image."""
    rng = np.random.default_rng(seed)
    found = good & (rng.random(good.shape) > 0.02)
    found[:, [200, 201, 202, 350]] = False
    for y, x in rng.integers(0, (NY - 8, NX - 8), (40, 2)):
        found[y : y + 2, x : x + 8] = False
    return found


@pytest.mark.parametrize("name", AREAS)
@pytest.mark.parametrize("defects", [False, True])
def test_planted_areas_come_back(name, defects):
    """Within 1.5 pixels: a step of pixels and the simplification. Defects at the very edge may notch it by more."""
    good, corners = AREAS[name]
    area = good_area(with_defects(good) if defects else good)
    planted = shapely.Polygon(corners)
    assert area.pieces == 1
    assert polygon(area).is_valid
    assert shapely.hausdorff_distance(polygon(area).exterior, planted.exterior, densify=0.01) < (6 if defects else 1.5)
    assert polygon(area).symmetric_difference(planted).area < 1.0 * planted.length
    assert len(area.x) < (100 if defects else 30)
    assert not is_frame(area, SHAPE)


def test_defects_alone_leave_the_frame():
    assert is_frame(good_area(np.ones(SHAPE, bool)), SHAPE)
    good = with_defects(np.ones(SHAPE, bool))
    good[[0, 0, -1, -1], [0, -1, 0, -1]] = True
    assert is_frame(good_area(good), SHAPE)


def test_specks_of_good_pixels_in_a_shadow_do_not_count():
    good, corners = AREAS["left third flagged"]
    good = good.copy()
    good[40:44, 40:44] = good[200:202, 90:100] = True
    area = good_area(good)
    assert area.pieces == 1
    assert polygon(area).equals(shapely.Polygon(corners))


def test_several_pieces_are_taken_together():
    """By their hull, which loses no good pixel."""
    good = (np.abs(X - 250) > 40) & (Y > 100)
    area = good_area(good)
    assert area.pieces == 2
    assert polygon(area).equals(shapely.box(-0.5, 100.5, 499.5, 299.5))


def test_no_good_pixel_has_no_area():
    assert good_area(np.zeros(SHAPE, bool)) is None


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.floats(0.0, 1.0))
def test_an_outline_never_leaves_the_frame(seed, fraction):
    """Whatever is good, and it is a simple ring with an area."""
    rng = np.random.default_rng(seed)
    good = rng.random((40, 60)) < fraction
    good[rng.integers(40) :, rng.integers(60) :] = False
    area = good_area(good)
    if area is not None:
        assert min(area.x.min(), area.y.min()) >= -0.5
        assert area.x.max() <= 59.5
        assert area.y.max() <= 39.5
        assert polygon(area).is_valid
        assert polygon(area).area > 0


@pytest.fixture
def pair(write_image):
    """Two images that overlap by 20 columns of 60; and one DQ array, a third of it flagged from either side."""
    ra = 10.0 - 40 / 3600 / np.cos(np.radians(20.0))
    paths = [write_image("a.fits", level=5.0, seed=1), write_image("b.fits", ra=ra, level=7.0, seed=2)]
    flags = np.zeros((40, 60), np.int16)
    flags[:, :20] = 4
    return paths, flags


def areas(session):
    return session.footprints.area_arcsec2.to_numpy()


def test_footprints_and_overlaps_follow_the_flags(pair):
    paths, flags = pair
    given = {"a.fits": flags}
    s = SkyMatchSession(paths, dq=given, skymethod="match", skystat="mean", verbose=False)
    whole, overlap = areas(s), s.overlaps.area_arcsec2[0]
    s.configure(footprint_from="good")
    np.testing.assert_allclose(areas(s), whole * [2 / 3, 1], rtol=1e-3)
    east_is_left = s.footprints.overlaps.sum() == 2
    assert east_is_left
    assert s.overlaps.area_arcsec2[0] == pytest.approx(overlap, rel=1e-3)
    assert s.sky.sky.diff().iloc[-1] == pytest.approx(2.0, abs=0.1)


def test_members_whose_good_areas_do_not_touch_do_not_pair(pair):
    paths, flags = pair
    dq = {"a.fits": np.maximum(flags, np.roll(flags, 2, axis=1))[:, ::-1].copy()}
    s = SkyMatchSession(paths, dq=dq, verbose=False, footprint_from="good")
    assert len(s.overlaps) == 0
    assert len(s.configure(footprint_from="frame").overlaps) == 1
    assert len(s.configure(footprint_from="good", dq_bits=4).overlaps) == 1


def test_pieces_and_empty_members_are_noted(pair):
    paths, flags = pair
    split, none = np.zeros_like(flags), np.ones_like(flags)
    split[:, 20:35] = 1
    s = SkyMatchSession(paths, dq={"a.fits": split, "b.fits": none}, verbose=False, footprint_from="good")
    with pytest.warns(SkyMatchWarning) as caught:
        s.footprints  # noqa: B018
    assert [str(w.message).split(": ")[-1] for w in caught] == ["a.fits[0]", "b.fits[0]"]


def test_outlines_of_distorted_members_are_true_between_vertices(tmp_path):
    """Points of the planted edge, taken to the sky by the WCS, are within 0.1 pixel of the outline."""
    from skymatch_nb.datasets import make_mosaic

    mosaic = make_mosaic(tmp_path, rows=1, cols=2, shape=(256, 512), chips=1, overlap=0.4, distortion=5.0, seed=3)
    masks = {}
    for path in mosaic.paths:
        masks[path.name] = np.ones((256, 512), np.uint8)
        masks[path.name][:100, :200] = 0
    s = SkyMatchSession(mosaic.paths, masks=masks, verbose=False, footprint_from="good", dq_bits=None)
    loaded, footprints = s._pipeline.require("load", "footprint")
    for member, outline in zip(loaded.members, footprints.outlines, strict=True):
        mid = outline.vectors + np.roll(outline.vectors, -1, axis=0)
        ra = np.degrees(np.arctan2(mid[:, 1], mid[:, 0]))
        dec = np.degrees(np.arctan2(mid[:, 2], np.hypot(mid[:, 0], mid[:, 1])))
        x, y = member.wcs.to_pixels(ra, dec)
        ring = shapely.LinearRing(
            [(199.5, -0.5), (511.5, -0.5), (511.5, 255.5), (-0.5, 255.5), (-0.5, 99.5), (199.5, 99.5)]
        )
        assert shapely.distance(shapely.points(x, y), ring).max() < 0.1
        assert clip_to_outline(outline_polygon(outline), outline) is not None


def test_wfpc2_outlines_leave_the_shadow_of_the_pyramid_out(realdata):
    """The chips share a corner on the pyramid; their flagged edges leave only thin overlaps of chips side by side."""
    path = realdata / "wfpc2_waiver" / "u40x010hm_c0f.fits.gz"
    s = SkyMatchSession(path, group_by="chip", verbose=False)
    with pytest.warns(SkyMatchWarning, match="BUNIT"):
        frame, frames = s.overlaps, areas(s)
    s.configure(footprint_from="good")
    good = s.overlaps
    assert len(frame) == 6
    assert len(good) == 4
    assert good.area_arcsec2.sum() < 0.5 * frame.area_arcsec2.sum()
    with fits.open(path.with_name("u40x010hm_c1f.fits.gz")) as hdus:
        fraction = (hdus[0].data == 0).mean(axis=(1, 2))
    np.testing.assert_allclose(areas(s) / frames, fraction, atol=0.05)
    assert ((areas(s) / frames) > fraction - 0.01).all()

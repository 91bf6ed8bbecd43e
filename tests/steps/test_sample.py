"""Which pixels belong to overlaps, and the samples gathered from them, against brute force."""

from dataclasses import replace

import numpy as np
import pytest
import shapely
from astropy.io import fits
from astropy.wcs import WCS

from skymatch_nb.core.raster import count_pixels
from skymatch_nb.datasets import make_mosaic
from skymatch_nb.executor import Work
from skymatch_nb.geometry.outlines import outline_polygon
from skymatch_nb.geometry.sphere import to_radec, to_vectors
from skymatch_nb.io.inputs import resolve_inputs
from skymatch_nb.io.wcs import FitsTransform
from skymatch_nb.params import SkyMatchParams
from skymatch_nb.pixelmaps import polygons_to_spans
from skymatch_nb.results import SkyPolygon
from skymatch_nb.steps.footprint import footprint
from skymatch_nb.steps.load import load
from skymatch_nb.steps.mask import mask
from skymatch_nb.steps.overlap import overlap
from skymatch_nb.steps.sample import sample_members, sample_overlaps

NY, NX = SHAPE = (96, 160)
WORK = Work()
PARAMS = SkyMatchParams()
BAND = 0.05
"""Pixels closer than this to an edge may fall on either side of it."""


class Mosaic:
    """Two by two rotated and distorted exposures of two chips, and what the steps before make of them."""

    def __init__(self, folder):
        mosaic = make_mosaic(
            folder, rows=2, cols=2, shape=SHAPE, overlap=0.4, rotation=25.0, distortion=5.0, seed=3, center=(0.0, 50.0)
        )
        self.loaded = load("", resolve_inputs(list(mosaic.paths)), WORK)
        self.paths = {path.name: path for path in mosaic.paths}
        self.masks = mask("", self.loaded, {}, {}, PARAMS)
        self.outlines = footprint("", self.loaded, WORK).outlines
        self.overlaps = overlap("", self.loaded, footprint("", self.loaded, WORK), WORK)

    def read(self, k, name="SCI"):
        member = self.loaded.members[k]
        return fits.getdata(self.paths[member.file], (name, int(member.ext.split(",")[1])))

    def sampled(self, masks=None, params=PARAMS, work=WORK):
        return sample_overlaps("", self.loaded, masks or self.masks, self.overlaps, params, work)


@pytest.fixture(scope="module")
def mosaic(tmp_path_factory):
    return Mosaic(tmp_path_factory.mktemp("mosaic"))


def brute_force(member, polygon):
    """Pixels whose centre lies in a sky polygon, and those within 0.05 pixel of its edge, as images.

    Every centre is taken to the sky by astropy and compared with the polygon on a tangent plane.
    """
    ny, nx = member.shape
    y, x = (v.ravel() for v in np.mgrid[:ny, :nx])
    frame = WCS(naxis=2)
    frame.wcs.ctype = "RA---TAN", "DEC--TAN"
    frame.wcs.crval = [v[0] for v in to_radec(polygon.vectors.mean(axis=0)[None])]
    frame.wcs.crpix, frame.wcs.cdelt = (1, 1), (member.nominal_scale / 3600,) * 2
    points = shapely.points(*frame.wcs_world2pix(*member.wcs.wcs.all_pix2world(x, y, 0), 0))
    region = shapely.union_all(
        [shapely.Polygon(np.column_stack(frame.wcs_world2pix(*to_radec(ring), 0))) for ring in polygon.rings]
    )
    near = shapely.distance(points, region.boundary) < BAND
    return shapely.contains(region, points).reshape(ny, nx), near.reshape(ny, nx)


def as_image(spans, shape):
    """Image that counts how often each pixel is in spans."""
    image = np.zeros(shape, int)
    for row, start, stop in spans:
        image[row, start:stop] += 1
    return image


class TestPolygonsToSpans:
    def test_pixels_are_those_whose_centre_lies_in_the_polygon(self, mosaic):
        """On every overlap of distorted, rotated images across RA 0, from both sides."""
        partial = 0
        for k, polygon in enumerate(mosaic.overlaps.polygons):
            for side in (mosaic.overlaps.member_a[k], mosaic.overlaps.member_b[k]):
                member = mosaic.loaded.members[side]
                (spans,) = polygons_to_spans(member, [polygon])
                inside, near = brute_force(member, polygon)
                found = as_image(spans, member.shape)
                assert ((found == inside) | near).all()
                assert near.sum() < 0.01 * near.size
                partial += 0.02 < inside.mean() < 0.98
        assert partial > 10

    def test_many_polygons_at_once_are_as_one_by_one(self, mosaic):
        member = mosaic.loaded.members[2]
        together = polygons_to_spans(member, list(mosaic.overlaps.polygons))
        assert len(together) == len(mosaic.overlaps)
        for spans, polygon in zip(together, mosaic.overlaps.polygons, strict=True):
            np.testing.assert_array_equal(spans, polygons_to_spans(member, [polygon])[0])

    def test_a_members_own_outline_holds_all_its_pixels(self, mosaic):
        for member, outline in zip(mosaic.loaded.members, mosaic.outlines, strict=True):
            (spans,) = polygons_to_spans(member, [outline_polygon(outline)])
            assert count_pixels(spans) == NY * NX

    def test_polygons_that_share_an_edge_share_no_pixel(self, mosaic):
        """And miss none: a grid of sky polygons over a member covers each of its pixels once."""
        member = mosaic.loaded.members[0]
        ra, dec = to_radec(mosaic.outlines[0].center[None])
        steps = np.linspace(-2.5, 2.5, 11) * NX * member.nominal_scale / 3600
        east, north = np.meshgrid(steps / np.cos(np.radians(dec[0])), steps)
        grid = to_vectors((ra[0] + east).ravel(), (dec[0] + north).ravel()).reshape(11, 11, 3)
        cells = [
            SkyPolygon(np.array([grid[i, j], grid[i, j + 1], grid[i + 1, j + 1], grid[i + 1, j]]), np.array([0, 4]))
            for i in range(10)
            for j in range(10)
        ]
        covered = sum(as_image(spans, member.shape) for spans in polygons_to_spans(member, cells))
        assert (covered == 1).all()

    def test_a_polygon_of_two_rings_has_the_pixels_of_both(self, mosaic):
        member = mosaic.loaded.members[0]
        x = np.array([10.2, 40.3, 40.3, 10.2, 100.1, 130.4, 130.4, 100.1])
        y = np.array([5.3, 5.3, 30.2, 30.2, 50.3, 50.3, 90.2, 90.2])
        vectors = to_vectors(*member.wcs.to_sky(x, y))
        (spans,) = polygons_to_spans(member, [SkyPolygon(vectors, np.array([0, 4, 8]))])
        expected = np.zeros(SHAPE, int)
        expected[6:31, 11:41] = expected[51:91, 101:131] = 1
        np.testing.assert_array_equal(as_image(spans, SHAPE), expected)

    def test_a_polygon_off_the_image_has_no_pixel(self, mosaic):
        member = mosaic.loaded.members[0]
        vectors = to_vectors(*member.wcs.to_sky(np.array([200.0, 230.0, 230.0]), np.array([5.0, 5.0, 30.0])))
        (spans,) = polygons_to_spans(member, [SkyPolygon(vectors, np.array([0, 3]))])
        assert spans.shape == (0, 3)

    def test_a_polygon_that_cannot_be_brought_to_pixels_has_none_and_harms_no_other(self, mosaic):
        plain = WCS(naxis=2)
        plain.wcs.ctype, plain.wcs.crval = ("RA---TAN", "DEC--TAN"), (10.0, 20.0)
        plain.wcs.crpix, plain.wcs.cdelt = (80.5, 48.5), (-0.001, 0.001)
        member = replace(mosaic.loaded.members[0], wcs=FitsTransform(plain))
        behind = SkyPolygon(
            to_vectors(np.array([190.0, 191.0, 10.0]), np.array([-20.0, -21.0, 20.0])), np.array([0, 3])
        )
        vectors = to_vectors(*member.wcs.to_sky(np.array([9.5, 19.5, 19.5, 9.5]), np.array([4.5, 4.5, 9.5, 9.5])))
        nothing, something = polygons_to_spans(member, [behind, SkyPolygon(vectors, np.array([0, 4]))])
        assert count_pixels(nothing) == 0
        assert count_pixels(something) == 50


class TestOverlapSamples:
    def test_a_sample_is_the_good_pixels_of_each_side_sorted(self, mosaic):
        samples = mosaic.sampled()
        assert len(mosaic.overlaps) >= 8
        for k, polygon in enumerate(mosaic.overlaps.polygons):
            sides = (mosaic.overlaps.member_a[k], samples.at_a[k]), (mosaic.overlaps.member_b[k], samples.at_b[k])
            for side, place in sides:
                inside, near = brute_force(mosaic.loaded.members[side], polygon)
                data, good = mosaic.read(side), mosaic.read(side, "DQ") == 0
                found = samples.sets[side].sample(place)
                assert (np.diff(found) >= 0).all()
                certain, possible = data[inside & ~near & good], data[(inside | near) & good]
                assert np.isin(certain, found).all()
                assert np.isin(found, possible).all()
                assert len(certain) <= len(found) <= len(possible)

    def test_flags_and_masks_decide_what_is_good(self, mosaic):
        odd = np.arange(NX) % 2 * np.ones(SHAPE)
        user = {mosaic.loaded.members[0].name: odd}
        samples = mosaic.sampled(mask("", mosaic.loaded, user, {}, SkyMatchParams(dq_bits="16,4096")))
        k = int(np.flatnonzero(mosaic.overlaps.member_a == 0)[0])
        inside, near = brute_force(mosaic.loaded.members[0], mosaic.overlaps.polygons[k])
        data, flags = mosaic.read(0), mosaic.read(0, "DQ")
        good = ((flags & ~(16 | 4096)) == 0) & (odd == 1)
        certain = inside & ~near & good
        assert (flags[certain] > 0).any()
        found = samples.sets[0].sample(samples.at_a[k])
        assert np.isin(data[certain], found).all()
        assert np.isin(found, data[(inside | near) & good]).all()

    def test_dq_none_takes_every_pixel(self, mosaic):
        everything = mosaic.sampled(mask("", mosaic.loaded, {}, {}, SkyMatchParams(dq_bits=None)))
        usual = mosaic.sampled()
        for k in range(len(mosaic.loaded)):
            assert (everything.sets[k].npix >= usual.sets[k].npix).all()
        polygon, a = mosaic.overlaps.polygons[0], mosaic.overlaps.member_a[0]
        (spans,) = polygons_to_spans(mosaic.loaded.members[a], [polygon])
        assert everything.sets[a].npix[everything.at_a[0]] == count_pixels(spans)

    def test_each_member_has_a_sample_for_each_of_its_overlaps(self, mosaic):
        samples, overlaps = mosaic.sampled(), mosaic.overlaps
        for k in range(len(mosaic.loaded)):
            places = np.concatenate([samples.at_a[overlaps.member_a == k], samples.at_b[overlaps.member_b == k]])
            assert sorted(places) == list(range(len(samples.sets[k])))

    @pytest.mark.parametrize("workers", [2, 3])
    @pytest.mark.parametrize("optimize", ["balanced", "speed", "inmemory"])
    def test_neither_threads_nor_memory_change_a_sample(self, mosaic, workers, optimize):
        serial = mosaic.sampled()
        other = mosaic.sampled(params=SkyMatchParams(optimize=optimize), work=Work(workers))
        for one, two in zip(serial.sets, other.sets, strict=True):
            np.testing.assert_array_equal(one.values, two.values)
            np.testing.assert_array_equal(one.offsets, two.offsets)

    def test_a_member_without_an_overlap_has_no_sample(self, mosaic):
        only = replace(
            mosaic.overlaps,
            member_a=mosaic.overlaps.member_a[:1],
            member_b=mosaic.overlaps.member_b[:1],
            polygons=mosaic.overlaps.polygons[:1],
            area=mosaic.overlaps.area[:1],
        )
        samples = sample_overlaps("key", mosaic.loaded, mosaic.masks, only, PARAMS, WORK)
        taking_part = {int(only.member_a[0]), int(only.member_b[0])}
        assert [len(s) for s in samples.sets] == [int(k in taking_part) for k in range(len(mosaic.loaded))]
        assert samples.key == "key"

    def test_no_overlap_at_all(self, mosaic):
        none = replace(
            mosaic.overlaps, member_a=np.zeros(0, int), member_b=np.zeros(0, int), polygons=(), area=np.zeros(0)
        )
        samples = sample_overlaps("", mosaic.loaded, mosaic.masks, none, PARAMS, WORK)
        assert [len(s) for s in samples.sets] == [0] * len(mosaic.loaded)
        assert len(samples.at_a) == len(samples.at_b) == 0


class TestMemberSamples:
    def test_all_good_pixels_of_every_member(self, mosaic):
        samples = sample_members("key", mosaic.loaded, mosaic.masks, PARAMS, WORK)
        assert samples.key == "key"
        for k, found in enumerate(samples.sets):
            assert len(found) == 1
            np.testing.assert_array_equal(found.sample(0), np.sort(mosaic.read(k)[mosaic.read(k, "DQ") == 0]))

    def test_pixels_that_are_no_number_are_left_out(self, mosaic, tmp_path):
        path = tmp_path / "holes.fits"
        with fits.open(mosaic.paths["demo_01_flt.fits"]) as hdus:
            data, flags = hdus["SCI", 1].data, hdus["DQ", 1].data
            data[5, :7], data[6, :3], data[7, :2] = np.nan, np.inf, -np.inf
            hdus.writeto(path)
            expected = np.sort(data[np.isfinite(data) & (flags == 0)])
        loaded = load("", resolve_inputs(path), WORK)
        samples = sample_members("", loaded, mask("", loaded, {}, {}, PARAMS), PARAMS, WORK)
        np.testing.assert_array_equal(samples.sets[0].sample(0), expected)

    @pytest.mark.parametrize(("dtype", "expected"), [("i2", "f4"), ("f4", "f4"), ("f8", "f8"), ("i4", "f8")])
    def test_the_type_loses_nothing(self, mosaic, tmp_path, dtype, expected):
        path = tmp_path / "typed.fits"
        with fits.open(mosaic.paths["demo_01_flt.fits"]) as hdus:
            data = (hdus["SCI", 1].data * 1e3).astype(dtype)
            fits.HDUList([hdus[0], fits.ImageHDU(data, hdus["SCI", 1].header)]).writeto(path)
        loaded = load("", resolve_inputs(path), WORK)
        samples = sample_members("", loaded, mask("", loaded, {}, {}, PARAMS), PARAMS, WORK)
        assert samples.sets[0].values.dtype == np.dtype(expected)
        np.testing.assert_array_equal(samples.sets[0].sample(0), np.sort(data, axis=None))

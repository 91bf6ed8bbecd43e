"""Outlines, overlaps and unions on the sphere, against analytic values, brute force and spherical_geometry."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.wcs import WCS, Sip
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation
from spherical_geometry.polygon import SphericalPolygon

from skymatch_nb import geometry
from skymatch_nb.errors import GeometryError
from skymatch_nb.geometry import (
    EDGE_TOLERANCE,
    bounding_caps,
    candidate_pairs,
    clip_pairs,
    clip_to_outline,
    outline_polygon,
    to_radec,
    to_spherical_polygon,
    to_vectors,
    trace_outline,
    trace_ring,
    union_polygons,
)
from skymatch_nb.io.wcs import FitsTransform
from skymatch_nb.results import SkyPolygon

SIZE, SCALE = 1000, 0.05 / 3600
SIDE = SIZE * SCALE
SHAPE = (SIZE, SIZE)
PLACES = {"middle": (150.1, 2.2), "RA 0": (0.001, -45.0), "north pole": (10.0, 89.999), "south pole": (200.0, -90.0)}
at_places = pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)


def make_transform(projection, place, scale=SCALE, shape=SHAPE, rotation=0.0, crpix=None, bend=0.0):
    """World coordinates; ``bend`` is a SIP distortion in pixels at the corner, ``rotation`` in degrees."""
    ny, nx = shape
    wcs = WCS(naxis=2)
    suffix = "-SIP" if bend else ""
    wcs.wcs.ctype = f"RA---{projection}{suffix}", f"DEC--{projection}{suffix}"
    wcs.wcs.crval = place
    wcs.wcs.crpix = crpix or ((nx + 1) / 2, (ny + 1) / 2)
    cos, sin = np.cos(np.radians(rotation)), np.sin(np.radians(rotation))
    wcs.wcs.cd = scale * np.array([[-cos, sin], [sin, cos]])
    if bend:
        half = np.hypot(nx, ny) / 2
        a, b = np.zeros((4, 4)), np.zeros((4, 4))
        a[2, 0], a[1, 1], a[0, 3] = bend / half**2, -0.6 * bend / half**2, 0.2 * bend / half**3
        b[0, 2], b[1, 1], b[2, 1] = -bend / half**2, 0.5 * bend / half**2, 0.1 * bend / half**3
        wcs.sip = Sip(a, b, None, None, wcs.wcs.crpix)
    wcs.wcs.set()
    return FitsTransform(wcs)


def tan_outline(place, rotation=0.0, shape=SHAPE, scale=SCALE, crpix=None):
    return trace_outline(make_transform("TAN", place, scale, shape, rotation, crpix), shape)


def displaced(place, east, north):
    """Position that is ``east`` and ``north`` degrees away on the tangent plane at a place."""
    frame = WCS(naxis=2)
    frame.wcs.ctype, frame.wcs.crval, frame.wcs.crpix = ("RA---TAN", "DEC--TAN"), place, (1, 1)
    return tuple(float(v) for v in frame.wcs_pix2world(east, north, 0))


def edge_pixels(shape, count):
    """Pixel positions along the outer edge of an image, ``count`` on every side."""
    ny, nx = shape
    t = np.linspace(-0.5, 0.5, count)
    x = np.concatenate([t * nx, np.full(count, nx / 2), t * nx, np.full(count, -nx / 2)]) + (nx - 1) / 2
    y = np.concatenate([np.full(count, -ny / 2), t * ny, np.full(count, ny / 2), t * ny]) + (ny - 1) / 2
    return x, y


def distance_to_arcs(points, ring):
    """Angle between points and the nearest of the great-circle arcs between a ring's vertices."""
    nearest = np.full(len(points), np.inf)
    for start, stop in zip(ring, np.roll(ring, -1, axis=0), strict=True):
        normal = np.cross(start, stop)
        normal /= np.linalg.norm(normal)
        beside = (points @ np.cross(normal, start) >= 0) & (points @ np.cross(stop, normal) >= 0)
        to_ends = np.minimum(np.linalg.norm(points - start, axis=1), np.linalg.norm(points - stop, axis=1))
        nearest = np.minimum(nearest, np.where(beside, np.abs(np.arcsin(points @ normal)), to_ends))
    return nearest


def pixel_size(transform, x, y):
    """Smaller side of the pixels at positions, in radians."""
    here = to_vectors(*transform.to_sky(x, y))
    right, up = to_vectors(*transform.to_sky(x + 0.01, y)), to_vectors(*transform.to_sky(x, y + 0.01))
    return 100 * np.minimum(np.linalg.norm(right - here, axis=1), np.linalg.norm(up - here, axis=1))


def worst_edge_error(transform, shape, outline, count=1000):
    """Largest distance of the true edge to an outline, in pixels."""
    x, y = edge_pixels(shape, count)
    edge = to_vectors(*transform.to_sky(x, y))
    return float((distance_to_arcs(edge, outline.vectors) / pixel_size(transform, x, y)).max())


def spherical(outline):
    """Return an outline as spherical_geometry's polygon, made without the package."""
    closed = np.vstack([outline.vectors, outline.vectors[:1]])
    return SphericalPolygon(closed, inside=outline.center)


def clip_two(a, b):
    return clip_pairs([a, b], np.array([[0, 1]]))


IMAGES = {
    "TAN": (make_transform("TAN", (150.1, 2.2), rotation=20), SHAPE),
    "TAN across RA 0": (make_transform("TAN", (0.0, 40.0)), SHAPE),
    "TAN on the pole": (make_transform("TAN", (10.0, 89.999), 0.5 / 3600, (200, 400)), (200, 400)),
    "TAN of 60 degrees": (make_transform("TAN", (10.0, 20.0), 0.06), SHAPE),
    "SIP": (make_transform("TAN", (150.1, 2.2), rotation=50, bend=12.0), SHAPE),
    "SIP, weak": (make_transform("TAN", (150.1, 2.2), bend=0.2), SHAPE),
    "SIP, strong": (make_transform("TAN", (0.0, 70.0), rotation=-33, shape=(2048, 4096), bend=100.0), (2048, 4096)),
    "SIP on the pole": (make_transform("TAN", (30.0, 90.0), rotation=10, bend=20.0), SHAPE),
    "CAR of 60 degrees": (make_transform("CAR", (10.0, 0.0), 0.06), SHAPE),
    "CAR to declination 45": (
        make_transform("CAR", (10.0, 0.0), 0.06, (500, 1000), crpix=(500.5, -250.0)),
        (500, 1000),
    ),
    "ARC of 60 degrees": (make_transform("ARC", (359.9, 50.0), 0.06), SHAPE),
    "ARC around the pole": (make_transform("ARC", (10.0, 89.0), 0.06), SHAPE),
    "AIT of 100 degrees": (make_transform("AIT", (0.01, 0.0), 0.1), SHAPE),
}
for_images = pytest.mark.parametrize(("transform", "shape"), IMAGES.values(), ids=IMAGES)


class TestTraceOutline:
    @for_images
    def test_the_true_edge_is_within_a_twentieth_of_a_pixel(self, transform, shape):
        assert EDGE_TOLERANCE == 0.05
        assert worst_edge_error(transform, shape, trace_outline(transform, shape)) < EDGE_TOLERANCE

    @for_images
    def test_vertices_lie_on_the_edge_in_order(self, transform, shape):
        outline = trace_outline(transform, shape)
        ny, nx = shape
        np.testing.assert_allclose(outline.vectors, to_vectors(*transform.to_sky(outline.x, outline.y)), atol=1e-12)
        off_x = np.minimum(np.abs(outline.x + 0.5), np.abs(outline.x - nx + 0.5))
        off_y = np.minimum(np.abs(outline.y + 0.5), np.abs(outline.y - ny + 0.5))
        np.testing.assert_allclose(np.minimum(off_x, off_y), 0.0, atol=1e-9)
        steps = np.abs(np.roll(outline.x, -1) - outline.x) + np.abs(np.roll(outline.y, -1) - outline.y)
        assert steps.sum() == pytest.approx(2 * (nx + ny))

    @pytest.mark.parametrize("place", [*PLACES.values(), (33.0, 60.0)])
    @pytest.mark.parametrize("scale", [SCALE, 0.03])
    def test_an_undistorted_tangent_plane_image_needs_four_vertices(self, place, scale):
        outline = tan_outline(place, 17.0, scale=scale)
        assert len(outline.x) == 4
        assert len(outline.vectors) == 4

    def test_stronger_distortion_needs_more_vertices(self):
        counts = [
            len(trace_outline(make_transform("TAN", (150.1, 2.2), bend=bend), SHAPE).x) for bend in (0.01, 1, 10, 100)
        ]
        assert counts[0] == 4
        assert counts == sorted(set(counts))

    @at_places
    def test_area_is_that_of_spherical_geometry(self, place):
        outline = tan_outline(place, 25.0)
        assert outline.area == pytest.approx(spherical(outline).area(), rel=1e-6)

    @pytest.mark.parametrize("scale", [1e-5, 1e-3, 0.03])
    def test_area_of_a_tangent_plane_image_is_that_of_a_pyramid(self, scale):
        outline = tan_outline((150.1, 2.2), 12.0, (600, 1000), scale)
        a, b = np.radians(scale) * 500, np.radians(scale) * 300
        assert outline.area == pytest.approx(4 * np.arcsin(a * b / np.sqrt((1 + a * a) * (1 + b * b))), rel=1e-7)

    def test_area_of_a_wide_cylindrical_image_is_that_of_a_zone(self):
        transform, shape = IMAGES["CAR to declination 45"]
        edge = transform.to_sky(np.array([499.5, 499.5]), np.array([-0.5, 499.5]))[1]
        zone = np.radians(60.0) * np.diff(np.sin(np.radians(edge)))[0]
        assert trace_outline(transform, shape).area == pytest.approx(zone, rel=1e-4)

    def test_mirrored_image_has_the_same_area(self):
        plain, mirrored = make_transform("TAN", (150.1, 2.2)), make_transform("TAN", (150.1, 2.2))
        mirrored.wcs.wcs.cd = mirrored.wcs.wcs.cd * [[-1], [1]]
        assert trace_outline(mirrored, SHAPE).area == pytest.approx(trace_outline(plain, SHAPE).area, rel=1e-9)
        assert trace_outline(mirrored, SHAPE).area > 0

    @for_images
    def test_the_bounding_cap_contains_the_whole_edge(self, transform, shape):
        outline = trace_outline(transform, shape)
        assert np.linalg.norm(outline.center) == pytest.approx(1.0)
        angles = 2 * np.arcsin(np.linalg.norm(outline.vectors - outline.center, axis=1) / 2)
        assert angles.max() == pytest.approx(outline.radius, rel=1e-9)
        x, y = edge_pixels(shape, 200)
        edge = to_vectors(*transform.to_sky(x, y))
        away = 2 * np.arcsin(np.linalg.norm(edge - outline.center, axis=1) / 2)
        slack = EDGE_TOLERANCE * pixel_size(transform, x, y).max()
        assert away.max() <= outline.radius + slack

    def test_an_image_of_the_whole_sky_is_refused(self):
        whole = make_transform("CAR", (0.0, 0.0), 1.0, (180, 360))
        with pytest.raises(GeometryError, match="85 degrees"):
            trace_outline(whole, (180, 360))

    def test_an_edge_off_the_sky_is_refused(self):
        with pytest.raises(GeometryError, match="not on the sky"):
            trace_outline(make_transform("AIT", (0.0, 0.0), 1.0, (300, 500)), (300, 500))

    @pytest.mark.filterwarnings("ignore::RuntimeWarning")
    def test_an_image_whose_edge_is_the_pole_is_accurate_elsewhere_or_refused(self):
        shape = (300, 600)
        transform = make_transform("CAR", (10.0, 0.0), 0.1, shape, crpix=(300.5, -599.5))
        try:
            outline = trace_outline(transform, shape)
        except GeometryError:
            return
        x = np.linspace(-0.5, 599.5, 1001)
        y = np.full_like(x, -0.5)
        errors = distance_to_arcs(to_vectors(*transform.to_sky(x, y)), outline.vectors)
        assert (errors / pixel_size(transform, x, y)).max() < EDGE_TOLERANCE
        assert outline.straight > 0


class TestCandidatePairs:
    @settings(max_examples=150, deadline=None)
    @given(
        seed=st.integers(0, 2**32 - 1),
        count=st.integers(1, 60),
        few=st.sampled_from([0, 64]),
        spread=st.floats(-4, 1),
        sizes=st.tuples(st.floats(-7, 0.1), st.floats(0, 5)),
        groups=st.integers(1, 60),
    )
    def test_equals_brute_force_over_all_pairs(self, seed, count, few, spread, sizes, groups):
        """Caps of radii over many orders of magnitude, in clusters or over the whole sky; no pair is missed.

        That holds of few members, and of many, whose pairs trees find.
        """
        rng = np.random.default_rng(seed)
        centers = rng.normal(size=3) + 10.0**spread * rng.normal(size=(count, 3))
        centers /= np.linalg.norm(centers, axis=1, keepdims=True)
        radii = np.minimum(10.0 ** (sizes[0] + sizes[1] * rng.uniform(-1, 0, count)), 1.4)
        group_of = rng.integers(0, groups, count)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(geometry, "_FEW", few)
            found = {tuple(pair) for pair in candidate_pairs(centers, radii, group_of)}
        for a in range(count):
            for b in range(a + 1, count):
                cross = np.linalg.norm(np.cross(centers[a], centers[b]))
                gap = np.arctan2(cross, centers[a] @ centers[b]) - radii[a] - radii[b]
                if abs(gap) > 1e-14 + 1e-7 * (radii[a] + radii[b]):  # beyond rounding
                    assert ((a, b) in found) == (gap < 0 and group_of[a] != group_of[b])

    def test_pairs_are_sorted_and_unique(self):
        rng = np.random.default_rng(3)
        centers = to_vectors(rng.uniform(0, 1, 50), rng.uniform(0, 1, 50))
        pairs = candidate_pairs(centers, 10 ** rng.uniform(-4, -1, 50), np.arange(50))
        assert pairs.shape[1] == 2
        assert len(pairs) > 100
        assert (pairs[:, 0] < pairs[:, 1]).all()
        assert [tuple(p) for p in pairs] == sorted({tuple(p) for p in pairs})

    @pytest.mark.parametrize("few", [0, 64])
    def test_one_member_has_no_pair(self, few, monkeypatch):
        monkeypatch.setattr(geometry, "_FEW", few)
        assert candidate_pairs(np.array([[0.0, 0.0, 1.0]]), np.array([0.1]), np.array([0])).shape == (0, 2)


class TestClipPairs:
    @at_places
    def test_areas_are_those_of_spherical_geometry(self, place):
        rng = np.random.default_rng(8)
        centers = [displaced(place, *rng.uniform(-0.7 * SIDE, 0.7 * SIDE, 2)) for _ in range(16)]
        outlines = [tan_outline(center, rng.uniform(0, 360)) for center in centers]
        pairs = np.arange(16).reshape(8, 2)
        kept, polygons, areas, failed = clip_pairs(outlines, pairs)
        expected = [spherical(outlines[a]).intersection(spherical(outlines[b])).area() for a, b in pairs]
        found = np.zeros(len(pairs))
        found[kept[:, 0] // 2] = areas
        np.testing.assert_allclose(found, expected, rtol=1e-4)
        assert np.count_nonzero(found) >= 5
        assert len(polygons) == len(kept)
        assert not failed

    def test_polygons_have_the_areas_they_come_with(self):
        place = PLACES["middle"]
        outlines = [tan_outline(displaced(place, k * SIDE / 3, k * SIDE / 5), 20.0 * k) for k in range(3)]
        _, polygons, areas, _ = clip_pairs(outlines, np.array([[0, 1], [0, 2], [1, 2]]))
        assert len(areas) == 3
        np.testing.assert_allclose([to_spherical_polygon([p]).area() for p in polygons], areas, rtol=1e-6)

    @at_places
    def test_identical_outlines_overlap_by_their_own_area(self, place):
        a, b = tan_outline(place, 17.0), tan_outline(place, 17.0)
        kept, _, areas, failed = clip_two(a, b)
        assert kept.tolist() == [[0, 1]]
        assert areas[0] == pytest.approx(a.area, rel=1e-9)
        assert not failed

    @pytest.mark.parametrize("bend", [0.0, 12.0])
    @pytest.mark.parametrize("shift", [1e-9, 1e-6, 1e-3, 0.1])
    def test_nearly_identical_outlines_lose_a_sliver(self, shift, bend):
        """A shift by a small part of a pixel along x costs that many columns, and a distorted image about that."""
        placed = [
            make_transform("TAN", (150.1, 2.2), rotation=17, crpix=(500.5 + dx, 500.5), bend=bend) for dx in (0, shift)
        ]
        a, b = (trace_outline(transform, SHAPE) for transform in placed)
        _, _, areas, failed = clip_two(a, b)
        assert not failed
        assert 1 - areas[0] / a.area == pytest.approx(shift / SIZE, rel=0.1 if bend else 1e-3, abs=1e-11)

    @pytest.mark.parametrize("rotation", [0.0, 33.0])
    @pytest.mark.parametrize("slide", [0, 300])
    @at_places
    def test_images_that_share_an_edge_do_not_overlap(self, place, slide, rotation):
        a = tan_outline(place, rotation)
        b = tan_outline(place, rotation, crpix=(500.5 - SIZE, 500.5 - slide))
        kept, polygons, areas, failed = clip_two(a, b)
        assert len(kept) == len(polygons) == len(areas) == 0
        assert not failed

    @at_places
    def test_an_image_inside_another_overlaps_by_its_own_area(self, place):
        large, small = tan_outline(place, 10.0), tan_outline(displaced(place, 0.001, 0.002), 70.0, (300, 200))
        _, _, areas, _ = clip_two(large, small)
        assert areas[0] == pytest.approx(small.area, rel=1e-7)

    def test_a_small_image_inside_one_over_60_degrees_wide(self):
        wide = trace_outline(*IMAGES["CAR of 60 degrees"])
        small = tan_outline((-15.0, 25.0), 30.0)
        _, _, areas, failed = clip_two(wide, small)
        assert not failed
        assert areas[0] == pytest.approx(small.area, rel=1e-7)

    def test_a_small_image_on_the_edge_of_one_over_60_degrees_wide(self):
        """The wide image's sides are meridians: an image centred on one is cut into halves."""
        wide = trace_outline(*IMAGES["CAR of 60 degrees"])
        small = tan_outline((40.0, 20.0), scale=0.002)
        kept, _, areas, _ = clip_pairs(
            [wide, small, tan_outline((42.0, 20.0), scale=0.001)], np.array([[0, 1], [0, 2]])
        )
        assert kept.tolist() == [[0, 1]]
        assert areas[0] == pytest.approx(small.area / 2, rel=1e-4)

    def test_a_small_image_on_the_curved_edge_of_a_wide_one(self):
        """The wide image ends at declination 30, a small circle: compare with the pixels south of it."""
        wide, shape = trace_outline(*IMAGES["CAR of 60 degrees"]), (400, 400)
        transform = make_transform("TAN", (10.0, 30.0), 0.02, shape, rotation=25)
        small = trace_outline(transform, shape)
        y, x = np.mgrid[: shape[0], : shape[1]]
        south = transform.to_sky(x.ravel(), y.ravel())[1] < 30.0
        cosines = (1 + np.radians(0.02) ** 2 * ((x - 199.5) ** 2 + (y - 199.5) ** 2)).ravel() ** -1.5
        _, _, areas, _ = clip_two(wide, small)
        assert areas[0] / small.area == pytest.approx(cosines[south].sum() / cosines.sum(), rel=2e-3)

    @pytest.mark.parametrize("bends", [(0, 60), (60, 0), (20, 20)])
    def test_overlap_edges_are_straight_in_the_pixels_of_both_images(self, bends):
        """Between two vertices of an overlap, a great circle stays within 0.05 pixel of the line in either image."""
        placed = [
            make_transform("TAN", displaced((0.0, 60.0), k * SIDE / 3, 0), rotation=40 * k, bend=bends[k])
            for k in range(2)
        ]
        _, polygons, _, _ = clip_two(*(trace_outline(transform, SHAPE) for transform in placed))
        for ring in polygons[0].rings:
            for transform in placed:
                start = np.column_stack(transform.to_pixels(*to_radec(ring)))
                stop = np.roll(start, -1, axis=0)
                along = (stop - start) / np.linalg.norm(stop - start, axis=1, keepdims=True)
                for part in (0.25, 0.5, 0.75):
                    between = (1 - part) * ring + part * np.roll(ring, -1, axis=0)
                    offset = np.column_stack(transform.to_pixels(*to_radec(between))) - start
                    assert np.abs(along[:, 0] * offset[:, 1] - along[:, 1] * offset[:, 0]).max() < 0.05

    def test_overlaps_lie_in_both_images(self):
        placed = [
            make_transform("TAN", displaced((0.0, -60.0), k * SIDE / 3, 0), rotation=60 * k, bend=20) for k in range(2)
        ]
        _, polygons, _, _ = clip_two(*(trace_outline(transform, SHAPE) for transform in placed))
        for transform in placed:
            x, y = transform.to_pixels(*to_radec(polygons[0].vectors))
            assert min(x.min(), y.min()) > -0.5 - 0.1
            assert max(x.max(), y.max()) < SIZE - 0.5 + 0.1

    @at_places
    def test_is_symmetric(self, place):
        a, b = tan_outline(place, 5.0), tan_outline(displaced(place, 0.004, 0.006), 50.0)
        (_, (one,), there, _), (_, (other,), back, _) = clip_two(a, b), clip_two(b, a)
        assert there[0] == pytest.approx(back[0], rel=1e-9)
        assert len(one.vectors) == len(other.vectors)
        nearest = np.linalg.norm(one.vectors[:, None] - other.vectors, axis=2).min(axis=1)
        assert nearest.max() < 1e-12

    @pytest.mark.parametrize("far", [110.0, 179.9, 180.0])
    def test_a_pair_too_far_apart_for_one_projection_is_reported(self, far):
        """Nor does it take another pair with it."""
        wide = [tan_outline((ra, 0.0), scale=0.13) for ra in (0.0, far, 20.0)]
        kept, polygons, _, failed = clip_pairs(wide, np.array([[0, 1], [0, 2]]))
        assert [(a, b) for a, b, _ in failed] == [(0, 1)]
        assert failed[0][2]
        assert kept.tolist() == [[0, 2]]
        assert len(polygons) == 1

    def test_many_pairs_are_clipped_in_parts(self, monkeypatch):
        outlines = [tan_outline(displaced((0.0, 30.0), 0.1 * SIDE * k, 0), 9.0 * k) for k in range(6)]
        pairs = np.array([(a, b) for a in range(6) for b in range(a + 1, 6)])
        kept, polygons, areas, _ = clip_pairs(outlines, pairs)
        monkeypatch.setattr(geometry, "_CHUNK", 4)
        in_parts = clip_pairs(outlines, pairs)
        np.testing.assert_array_equal(in_parts[0], kept)
        np.testing.assert_array_equal(in_parts[2], areas)
        for one, other in zip(in_parts[1], polygons, strict=True):
            np.testing.assert_array_equal(one.vectors, other.vectors)

    def test_no_pairs(self):
        kept, polygons, areas, failed = clip_pairs([tan_outline((10.0, 20.0))], np.zeros((0, 2), np.int64))
        assert kept.shape == (0, 2)
        assert (polygons, list(areas), failed) == ([], [], [])

    @pytest.mark.filterwarnings("ignore::RuntimeWarning")
    def test_an_image_whose_edge_is_the_pole_breaks_no_pair(self):
        shape = (300, 600)
        transform = make_transform("CAR", (10.0, 0.0), 0.1, shape, crpix=(300.5, -599.5))
        small = tan_outline((10.0, 75.0), scale=0.001)
        _, _, areas, _ = clip_two(trace_outline(transform, shape), small)
        assert areas[0] == pytest.approx(small.area, rel=1e-6)


def sky_of_chips(number):
    """Chips that cover the sky, at random places and orientations, and on the poles and right ascension 0."""
    transform, shape = make_transform("TAN", (10.0, 20.0), 0.052, (400, 800)), (400, 800)
    one = trace_outline(transform, shape)
    turned = Rotation.random(number, rng=np.random.default_rng(4)).as_matrix()
    places = [tan_outline(place, 30.0, shape, 0.052) for place in ((0, 90), (77, -90), (0, 0), (359.9, 40))]
    return places + [replace(one, vectors=one.vectors @ m.T, center=m @ one.center) for m in turned]


class TestWholeSky:
    def test_overlaps_are_those_of_all_pairs(self):
        """By spherical_geometry, which sees every pair whose centres are not too far apart."""
        chips = sky_of_chips(40)
        centers = np.array([o.center for o in chips])
        candidates = candidate_pairs(centers, np.array([o.radius for o in chips]), np.arange(len(chips)))
        kept, _, areas, failed = clip_pairs(chips, candidates)
        found = dict(zip(map(tuple, kept.tolist()), areas, strict=True))
        expected = {}
        near = centers @ centers.T > np.cos(2.01 * chips[0].radius)
        for a, b in zip(*np.nonzero(np.triu(near, 1)), strict=True):
            area = spherical(chips[a]).intersection(spherical(chips[b])).area()
            if area > 1e-7:
                expected[int(a), int(b)] = area
        assert not failed
        assert len(expected) > 1.5 * len(chips)
        assert all(any(k in pair for pair in expected) for k in range(4))
        assert {pair for pair, area in found.items() if area > 1e-7} == expected.keys()
        np.testing.assert_allclose([found[pair] for pair in expected], list(expected.values()), rtol=1e-5, atol=1e-9)

    def test_threads_find_the_same(self, monkeypatch):
        """In parts of some pairs each, in any order of work."""
        chips = sky_of_chips(300)
        monkeypatch.setattr(geometry, "_CHUNK", 100)
        pairs = candidate_pairs(
            np.array([o.center for o in chips]), np.array([o.radius for o in chips]), np.arange(len(chips))
        )
        with ThreadPoolExecutor(4) as pool:
            threaded = clip_pairs(chips, pairs, pool.map)
        plain = clip_pairs(chips, pairs)
        np.testing.assert_array_equal(threaded[0], plain[0])
        np.testing.assert_array_equal(threaded[2], plain[2])
        assert len(plain[0]) > 1000


def ring_of_images(place, count=8):
    """Images around a hole, each overlapping only its two neighbours, and their centres."""
    angles = 2 * np.pi * np.arange(count) / count
    centers = [displaced(place, 1.175 * SIDE * np.cos(a), 1.175 * SIDE * np.sin(a)) for a in angles]
    return [tan_outline(center, 7.0 * k) for k, center in enumerate(centers)], centers


def overlap_area(outlines):
    count = len(outlines)
    pairs = np.array([(a, b) for a in range(count) for b in range(a + 1, count)])
    _, _, areas, failed = clip_pairs(outlines, pairs)
    assert not failed
    return areas.sum(), len(areas)


def contains(polygon, place):
    return polygon.contains_lonlat(*place)


class TestUnion:
    @pytest.mark.parametrize("count", [2, 3])
    @at_places
    def test_area_is_that_of_spherical_geometry(self, place, count):
        centers = [displaced(place, 0.4 * SIDE * k, 0.3 * SIDE * k * k) for k in range(count)]
        outlines = [tan_outline(center, 31.0 * k) for k, center in enumerate(centers)]
        expected = SphericalPolygon.multi_union([spherical(o) for o in outlines])
        union = to_spherical_polygon(union_polygons(outlines))
        assert isinstance(union, SphericalPolygon)
        assert union.area() == pytest.approx(expected.area(), rel=1e-5)
        assert all(contains(union, center) for center in centers)
        assert not contains(union, displaced(place, -2 * SIDE, 0))

    @at_places
    def test_a_hole_stays_a_hole(self, place):
        outlines, centers = ring_of_images(place)
        shared, pairs = overlap_area(outlines)
        assert pairs == 8
        polygons = union_polygons(outlines)
        union = to_spherical_polygon(polygons)
        assert union.area() == pytest.approx(sum(o.area for o in outlines) - shared, rel=1e-6)
        assert not contains(union, place)
        assert not contains(union, displaced(place, 0.3 * SIDE, 0.2 * SIDE))
        assert all(contains(union, center) for center in centers)
        assert all(len(p.rings) == 1 for p in polygons)

    def test_pieces_around_a_hole_are_disjoint(self):
        polygons = union_polygons(ring_of_images(PLACES["middle"])[0])
        assert len(polygons) == 2
        a, b = (to_spherical_polygon([p]) for p in polygons)
        rng = np.random.default_rng(2)
        places = [displaced(PLACES["middle"], *rng.uniform(-2 * SIDE, 2 * SIDE, 2)) for _ in range(150)]
        assert sum(bool(contains(a, p)) for p in places) > 10
        assert not any(contains(a, p) and contains(b, p) for p in places)

    @at_places
    def test_images_apart_stay_apart(self, place):
        centers = [displaced(place, 0, 0), displaced(place, 3 * SIDE, 0), displaced(place, 0, -50.0)]
        outlines = [tan_outline(center, 12.0) for center in centers]
        polygons = union_polygons(outlines)
        assert len(polygons) == 3
        union = to_spherical_polygon(polygons)
        assert union.area() == pytest.approx(sum(o.area for o in outlines), rel=1e-6)
        assert all(contains(union, center) for center in centers)
        assert not contains(union, displaced(place, 1.5 * SIDE, 0))

    @at_places
    def test_two_chips_of_one_detector(self, place):
        outlines = [tan_outline(place, 20.0, (500, 1000), crpix=(500.5, 250.5 - k * 550)) for k in range(2)]
        union = to_spherical_polygon(union_polygons(outlines))
        assert union.area() == pytest.approx(sum(o.area for o in outlines), rel=1e-6)
        assert all(contains(union, tuple(float(v[0]) for v in to_radec(o.center[None]))) for o in outlines)

    @pytest.mark.filterwarnings("ignore::RuntimeWarning")
    def test_chips_that_touch(self):
        """Also two that share an edge have the area of both, however they lie."""
        place = PLACES["middle"]
        for rotation in range(0, 90, 10):
            outlines = [tan_outline(place, rotation, (500, 1000), crpix=(500.5, 250.5 - 500 * k)) for k in range(2)]
            union = to_spherical_polygon(union_polygons(outlines))
            assert union.area() == pytest.approx(sum(o.area for o in outlines), rel=1e-6), rotation

    @pytest.mark.filterwarnings("ignore::RuntimeWarning")
    def test_tiles_apart_by_next_to_nothing(self):
        """Three by three images with gaps of up to 4e-4 pixel: the centre of each is inside."""
        tiles = [(j, k) for j in range(3) for k in range(3)]
        outlines = [
            tan_outline(
                (150.1, 2.2), 0.0, (500, 500), crpix=(250.5 - j * (500 + 1e-4 * (k - j)), 250.5 - k * (500 + 1e-4 * j))
            )
            for j, k in tiles
        ]
        union = to_spherical_polygon(union_polygons(outlines))
        assert all(contains(union, tuple(float(v[0]) for v in to_radec(o.center[None]))) for o in outlines)

    def test_one_distorted_image(self):
        transform, shape = IMAGES["SIP, strong"]
        outline = trace_outline(transform, shape)
        (polygon,) = union_polygons([outline])
        assert to_spherical_polygon([polygon]).area() == pytest.approx(outline.area, rel=1e-5)
        assert to_spherical_polygon([outline_polygon(outline)]).area() == pytest.approx(outline.area, rel=1e-5)

    def test_contained_images_add_nothing(self):
        place = PLACES["middle"]
        outlines = [tan_outline(place), tan_outline(place, 30.0, (300, 300)), tan_outline(place)]
        (polygon,) = union_polygons(outlines)
        assert to_spherical_polygon([polygon]).area() == pytest.approx(outlines[0].area, rel=1e-6)

    def test_connected_images_beyond_a_hemisphere_are_refused(self):
        around = [tan_outline((ra, 0.0), scale=0.08) for ra in range(0, 360, 45)]
        with pytest.raises(GeometryError):
            union_polygons(around)

    def test_area_of_a_mosaic_with_a_small_hole(self):
        place = (10.0, 20.0)
        offsets = [(0.3, 0.29), (0.02, -0.06), (-0.08, 1.16), (0.69, -0.74), (-0.9, -0.3), (-0.37, -0.63)]
        rotations = (9.0, 2.0, 11.0, 38.0, 57.0, 79.0)
        outlines = [
            tan_outline((10 + x * 0.0139 / np.cos(np.radians(20.0)), 20 + y * 0.0139), rotation)
            for (x, y), rotation in zip(offsets, rotations, strict=True)
        ]
        union = to_spherical_polygon(union_polygons(outlines))
        assert contains(union, place)
        assert union.area() < sum(o.area for o in outlines)


class TestConversions:
    @settings(max_examples=50, deadline=None)
    @given(ra=st.floats(0, 359.999), dec=st.floats(-89.9, 89.9))
    def test_vectors_and_positions_are_inverse(self, ra, dec):
        vectors = to_vectors(np.array([ra]), np.array([dec]))
        sky = SkyCoord(ra * u.deg, dec * u.deg).cartesian.xyz.value
        np.testing.assert_allclose(vectors[0], sky, atol=1e-14)
        back_ra, back_dec = to_radec(vectors)
        assert (back_ra[0] - ra + 180) % 360 - 180 == pytest.approx(0, abs=1e-9)
        assert back_dec[0] == pytest.approx(dec, abs=1e-9)


def ring_around(place, radius, count=64):
    """Unit vectors on a circle; ``radius`` in degrees."""
    turns = np.linspace(0, 360, count, endpoint=False)
    sky = SkyCoord(*place, unit="deg").directional_offset_by(turns * u.deg, radius * u.deg)
    return sky.cartesian.xyz.value.T


class TestClipToOutline:
    @at_places
    def test_a_disc_at_a_corner_keeps_the_part_that_spherical_geometry_keeps(self, place):
        outline = tan_outline(place, rotation=20)
        corner = [v[0] for v in to_radec(outline.vectors[:1])]
        disc = ring_around(corner, 0.3 * SIDE)
        clipped = clip_to_outline(SkyPolygon(disc, np.array([0, len(disc)])), outline)
        other = SphericalPolygon(
            np.vstack([disc, disc[:1]]), inside=disc.mean(axis=0) / np.linalg.norm(disc.mean(axis=0))
        )
        expected = spherical(outline).intersection(other).area()
        assert to_spherical_polygon([clipped]).area() == pytest.approx(expected, rel=1e-6)

    @at_places
    def test_rings_count_by_even_odd(self, place):
        outline = tan_outline(place)
        rings = [ring_around(place, r * SIDE) for r in (0.3, 0.1)]
        annulus = SkyPolygon(np.concatenate(rings), np.array([0, 64, 128]))
        clipped = clip_to_outline(annulus, outline)
        assert len(clipped.rings) == 2
        sizes = [max(np.linalg.norm(ring - ring.mean(axis=0), axis=1)) / np.radians(SIDE) for ring in clipped.rings]
        assert sizes == pytest.approx([0.3, 0.1], rel=1e-6)

    def test_what_holds_the_outline_gives_all_of_it(self):
        outline = tan_outline((0.001, -45.0))
        disc = ring_around((0.0, -45.0), 60.0)
        clipped = clip_to_outline(SkyPolygon(disc, np.array([0, 64])), outline)
        assert to_spherical_polygon([clipped]).area() == pytest.approx(outline.area, rel=1e-6)

    def test_what_is_elsewhere_gives_nothing(self):
        disc = ring_around((150.0, 2.0), SIDE)
        assert clip_to_outline(SkyPolygon(disc, np.array([0, 64])), tan_outline((150.1, 2.2))) is None

    def test_too_wide_is_an_error(self):
        disc = ring_around((300.0, 2.0), 60.0)
        with pytest.raises(GeometryError, match="85 degrees"):
            clip_to_outline(SkyPolygon(disc, np.array([0, 64])), tan_outline((150.1, 2.2)))

    @at_places
    def test_caps_hold_their_polygons(self, place):
        (centre,), (radius,) = bounding_caps([outline_polygon(tan_outline(place))])
        assert radius == pytest.approx(np.radians(SIDE) / np.sqrt(2), rel=1e-3)
        assert centre == pytest.approx(to_vectors(*np.array(place)[:, None])[0], abs=1e-7)
        assert [len(part) for part in bounding_caps([])] == [0, 0]


class TestTraceRing:
    @for_images
    def test_the_frames_own_corners_give_the_frames_outline(self, transform, shape):
        ny, nx = shape
        frame = trace_outline(transform, shape)
        x, y = np.array([[-0.5, nx - 0.5, nx - 0.5, -0.5], [-0.5, -0.5, ny - 0.5, ny - 0.5]])
        ring = trace_ring(transform, x, y, frame)
        assert worst_edge_error(transform, shape, ring) < EDGE_TOLERANCE
        assert ring.area == pytest.approx(frame.area, rel=1e-4)

    def test_a_concave_part_has_its_own_area(self):
        transform = make_transform("TAN", (150.1, 2.2))
        x, y = np.array([[-0.5, 999.5, 999.5, 499.5, 499.5, -0.5], [-0.5, -0.5, 999.5, 999.5, 499.5, 499.5]])
        frame = trace_outline(transform, SHAPE)
        ring = trace_ring(transform, x, y, frame)
        assert ring.area == pytest.approx(0.75 * frame.area, rel=1e-6)
        assert np.arccos(ring.vectors @ ring.center).max() <= ring.radius * (1 + 1e-9)

"""Unions, against spherical_geometry and the areas of what they are made of."""

import numpy as np
import pytest
from sky_images import IMAGES, PLACES, SIDE, at_places, displaced, spherical, tan_outline
from spherical_geometry.polygon import SphericalPolygon

from skymatch_nb.errors import GeometryError
from skymatch_nb.geometry.clipping import clip_pairs
from skymatch_nb.geometry.outlines import outline_polygon, trace_outline
from skymatch_nb.geometry.sphere import to_radec
from skymatch_nb.geometry.unions import to_spherical_polygon, union_polygons


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

"""Overlaps, against analytic values, all pairs and spherical_geometry."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from scipy.spatial.transform import Rotation
from sky_images import IMAGES, PLACES, SHAPE, SIDE, SIZE, at_places, displaced, make_transform, spherical, tan_outline
from spherical_geometry.polygon import SphericalPolygon

from skymatch_nb.errors import GeometryError
from skymatch_nb.geometry import packed
from skymatch_nb.geometry.candidates import candidate_pairs
from skymatch_nb.geometry.clipping import clip_pairs, clip_to_outline
from skymatch_nb.geometry.outlines import trace_outline
from skymatch_nb.geometry.sphere import to_radec
from skymatch_nb.geometry.unions import to_spherical_polygon
from skymatch_nb.results import SkyPolygon


def clip_two(a, b):
    return clip_pairs([a, b], np.array([[0, 1]]))


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
        monkeypatch.setattr(packed, "_CHUNK", 4)
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
        monkeypatch.setattr(packed, "_CHUNK", 100)
        pairs = candidate_pairs(
            np.array([o.center for o in chips]), np.array([o.radius for o in chips]), np.arange(len(chips))
        )
        with ThreadPoolExecutor(4) as pool:
            threaded = clip_pairs(chips, pairs, pool.map)
        plain = clip_pairs(chips, pairs)
        np.testing.assert_array_equal(threaded[0], plain[0])
        np.testing.assert_array_equal(threaded[2], plain[2])
        assert len(plain[0]) > 1000


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

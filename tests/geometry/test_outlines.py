"""Outlines of images, against their true edges, analytic areas and spherical_geometry."""

import numpy as np
import pytest
from sky_images import IMAGES, PLACES, SCALE, SHAPE, at_places, for_images, make_transform, spherical, tan_outline

from skymatch_nb.errors import GeometryError
from skymatch_nb.geometry.outlines import EDGE_TOLERANCE, trace_outline, trace_ring
from skymatch_nb.geometry.sphere import to_vectors


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

"""Pixel centres inside polygons: the same pixels as exact point-in-polygon tests."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from skymatch_nb.core.raster import count_pixels, full_spans, polygon_cells, polygon_spans

SHAPE = (11, 9)
quarters = st.integers(-12, 52).map(lambda n: n / 4)
halves = st.integers(-6, 26).map(lambda n: n / 2)
anywhere = st.integers(-8_000_000, 20_000_000).map(lambda n: n / 1e6)
quick = settings(deadline=None)
SQUARE = [(1, 1), (6, 1), (6, 7), (1, 7)]
HOLE = [(2.5, 2.5), (4.5, 2.5), (4.5, 5.5), (2.5, 5.5)]


def rings_of(coordinate, rings=2, vertices=7):
    ring = st.lists(st.tuples(coordinate, coordinate), min_size=3, max_size=vertices)
    return st.lists(ring, min_size=1, max_size=rings)


def spans_of(rings, shape=SHAPE):
    x, y = np.array([vertex for ring in rings for vertex in ring], float).reshape(-1, 2).T
    return polygon_spans(x, y, np.cumsum([0, *map(len, rings)]), shape)


def covered(spans, shape=SHAPE):
    """How many spans cover each pixel."""
    image = np.zeros(shape, int)
    for row, start, stop in spans:
        image[row, start:stop] += 1
    return image


def image_of(rings, shape=SHAPE):
    return covered(spans_of(rings, shape), shape)


def crossings_left_of(column, row, rings):
    """Number of edges that a pixel's row meets at or left of the pixel's centre, in exact arithmetic."""
    count = 0
    for ring in rings:
        for (x0, y0), (x1, y1) in zip(ring, [*ring[1:], ring[0]], strict=True):
            if min(y0, y1) <= row < max(y0, y1):
                at = Fraction(x0) + (row - Fraction(y0)) * (Fraction(x1) - Fraction(x0)) / (Fraction(y1) - Fraction(y0))
                count += at <= column
    return count


def inside(rings, shape):
    """Even-odd rule for every pixel centre; left and lower edges inside, right and upper edges outside."""
    return np.array([[crossings_left_of(i, j, rings) % 2 == 1 for i in range(shape[1])] for j in range(shape[0])])


def clear_of_edges(rings, shape, distance):
    """Pixels whose centre is farther than that from every edge."""
    edges = shapely.union_all([shapely.LinearRing(ring) for ring in rings])
    y, x = np.indices(shape)
    return shapely.distance(edges, shapely.points(x, y)) > distance


@quick
@given(rings_of(st.one_of(quarters, anywhere), rings=3, vertices=9))
def test_pixels_are_those_of_the_even_odd_rule(rings):
    """Any rings, self-crossing, nested or beyond the image: exactly the even-odd pixels, off the edges."""
    clear = clear_of_edges(rings, SHAPE, 1e-9)
    np.testing.assert_array_equal(image_of(rings)[clear], inside(rings, SHAPE)[clear])


@quick
@given(st.lists(st.tuples(st.integers(-3, 12), st.integers(-3, 14)), min_size=2, max_size=8))
def test_pixels_on_axis_parallel_edges_follow_the_left_and_lower_rule(corners):
    """Staircase rings with every vertex on a pixel centre: left and lower edges in, right and upper out."""
    ring = []
    for (x, y), (_, following) in zip(corners, [*corners[1:], corners[0]], strict=True):
        ring += [(x, y), (x, following)]
    np.testing.assert_array_equal(image_of([ring]), inside([ring], SHAPE))


@quick
@given(rings_of(anywhere, rings=1, vertices=6))
def test_pixels_agree_with_shapely(rings):
    """Convex hulls of random points: shapely finds the same pixel centres away from edges."""
    hull = shapely.convex_hull(shapely.MultiPoint(rings[0]))
    assume(hull.geom_type == "Polygon" and hull.area > 1e-3)
    ring = list(hull.exterior.coords)
    y, x = np.indices(SHAPE)
    clear = clear_of_edges([ring], SHAPE, 1e-6)
    np.testing.assert_array_equal(image_of([ring])[clear], shapely.contains_xy(hull, x, y)[clear])


@pytest.mark.parametrize("seed", range(5))
def test_concave_polygon_with_a_hole_agrees_with_shapely(seed):
    """A star of 40 random spikes with a hole in a 200 x 300 image."""
    rng = np.random.default_rng(seed)
    angle = np.sort(rng.uniform(0, 2 * np.pi, 40))
    radius = rng.uniform(40, 160, 40)
    star = np.column_stack([150 + radius * np.cos(angle), 100 + radius * np.sin(angle)])
    hole = np.column_stack([150 + 20 * np.cos(angle), 100 + 20 * np.sin(angle)])
    polygon = shapely.Polygon(star, [hole])
    y, x = np.indices((200, 300))
    clear = clear_of_edges([star, hole], (200, 300), 1e-9)
    image = image_of([star, hole], (200, 300))
    np.testing.assert_array_equal(image[clear], shapely.contains_xy(polygon, x, y)[clear])


@quick
@given(rings_of(anywhere, rings=3))
def test_spans_are_ordered_within_the_image_and_disjoint(rings):
    """Rows ascend, columns ascend within a row, no span is empty, overlaps another or leaves the image."""
    row, start, stop = spans = spans_of(rings).T
    assert spans.dtype == np.int64
    assert np.all((row >= 0) & (row < SHAPE[0]) & (start >= 0) & (start < stop) & (stop <= SHAPE[1]))
    assert np.all((np.diff(row) > 0) | ((np.diff(row) == 0) & (start[1:] >= stop[:-1])))


def test_hole_takes_its_pixels_away():
    """The second ring, inside the first, is a hole; 5 x 6 pixels less 2 x 3."""
    image = image_of([SQUARE, HOLE])
    assert image.sum() == 30 - 6
    assert not image[3:6, 3:5].any()


def test_separate_rings_are_both_covered():
    """Two rings apart are two parts."""
    image = image_of([[(0, 0), (2, 0), (2, 2), (0, 2)], [(5, 5), (8, 5), (8, 8), (5, 8)]])
    assert image.sum() == 4 + 9
    assert image[:2, :2].all()
    assert image[5:8, 5:8].all()


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("closed", [False, True])
def test_orientation_and_a_repeated_first_vertex_do_not_matter(order, closed):
    """Clockwise or not, closed or not: the same pixels."""
    ring = SQUARE[::order]
    np.testing.assert_array_equal(image_of([ring + ring[:1] * closed]), image_of([SQUARE]))


@pytest.mark.parametrize(
    "ring",
    [
        [(2.2, 3.2), (2.8, 3.2), (2.8, 3.8)],
        [(2.2, 2.9), (2.8, 2.9), (2.5, 3.1)],
        [(3.0, 3.0), (3.0, 3.0), (3.0, 3.0)],
        [(1.0, 2.0), (5.0, 2.0), (3.0, 2.0)],
    ],
    ids=["between rows", "across a row", "one point", "flat"],
)
def test_polygon_that_holds_no_centre_has_no_span(ring):
    """Slivers between pixel centres and polygons without area."""
    assert spans_of([ring]).shape == (0, 3)


def test_tiny_polygon_around_one_centre_is_one_pixel():
    """A millionth of a pixel wide, around (4, 3)."""
    e = 1e-6
    spans = spans_of([[(4 - e, 3 - e), (4 + e, 3 - e), (4 + e, 3 + e), (4 - e, 3 + e)]])
    assert spans.tolist() == [[3, 4, 5]]


@pytest.mark.parametrize("far", [50.0, 1e6, 1e15])
def test_polygon_around_the_image_covers_all_of_it(far):
    """Vertices far outside do not harm."""
    assert np.array_equal(spans_of([[(-far, -far), (far, -far), (far, far), (-far, far)]]), full_spans(SHAPE))


@pytest.mark.parametrize(("dx", "dy"), [(100, 0), (-100, 0), (0, 100), (0, -100)])
def test_polygon_beside_the_image_has_no_span(dx, dy):
    """Left, right, above, below."""
    assert len(spans_of([[(x + dx, y + dy) for x, y in SQUARE]])) == 0


def test_image_corners_are_half_a_pixel_beyond_the_outer_centres():
    """Pixel (0, 0) is centred on (0, 0): the outline from -0.5 to n - 0.5 holds every pixel."""
    ny, nx = SHAPE
    ring = [(-0.5, -0.5), (nx - 0.5, -0.5), (nx - 0.5, ny - 0.5), (-0.5, ny - 0.5)]
    assert np.array_equal(spans_of([ring]), full_spans(SHAPE))


@quick
@given(st.lists(quarters, min_size=1, max_size=4, unique=True), st.lists(quarters, min_size=1, max_size=4, unique=True))
def test_rectangles_that_tile_the_plane_cover_every_pixel_once(xs, ys):
    """Cuts anywhere, also through pixel centres: no pixel twice, none left out."""
    xs, ys = sorted({-5.0, 20.0, *xs}), sorted({-5.0, 20.0, *ys})
    total = sum(
        image_of([[(left, low), (right, low), (right, high), (left, high)]])
        for left, right in pairwise(xs)
        for low, high in pairwise(ys)
    )
    assert np.all(total == 1)


def fan(x, y, turn):
    """Five triangles about a point that together hold the image."""
    angles = turn + np.arange(5) * 2 * np.pi / 5
    rim = [(4 + 60 * np.cos(a), 5 + 60 * np.sin(a)) for a in angles]
    return [[(x, y), rim[k], rim[(k + 1) % 5]] for k in range(5)]


@quick
@given(quarters, quarters, st.floats(0.01, 6.27))
def test_fan_of_triangles_about_an_inner_point_covers_every_pixel_once(x, y, turn):
    """Slanted shared edges: off them, every pixel is in one triangle."""
    triangles = fan(x, y, turn)
    total = sum(image_of([triangle]) for triangle in triangles)
    assert np.all(total == 1)


def test_triangles_that_share_a_vertex_on_a_centre_cover_it_once():
    """The centre (4, 9) itself is in one of five triangles about it."""
    assert np.all(sum(image_of([triangle]) for triangle in fan(4.0, 9.0, 1.5876177585371785)) == 1)


def shared_edge_total(lower, upper, shape):
    """Coverage, between the rows of an edge, by the polygons left and right of it, each in its own direction."""
    (_, low), (_, high) = lower, upper
    left = image_of([[(-5, low), lower, upper, (-5, high)]], shape)
    right = image_of([[(45, high), upper, lower, (45, low)]], shape)
    return (left + right)[low:high]


@pytest.mark.parametrize(
    ("lower", "upper"), [((1, 0), (4, 9)), ((0, 0), (10, 10)), ((9, 1), (3, 13)), ((7, 2), (7, 9))]
)
def test_polygons_that_share_a_slanted_edge_through_centres_share_no_pixel(lower, upper):
    """Edges with exact slopes through pixel centres."""
    assert np.all(shared_edge_total(lower, upper, (14, 14)) == 1)


def test_polygons_that_share_any_edge_between_centres_share_no_pixel():
    """Every edge from (0, 0) or (13, 0) to a pixel centre of a 40 x 40 image."""
    ends = [(x, y) for x in range(0, 40, 3) for y in range(2, 40)]
    wrong = [
        (start, end)
        for start in ((0, 0), (13, 0))
        for end in ends
        if not np.all(shared_edge_total(start, end, (40, 40)) == 1)
    ]
    assert not wrong


def test_no_rings_no_spans():
    """Empty input is an empty result of the same shape and type."""
    spans = polygon_spans(np.zeros(0), np.zeros(0), np.zeros(1, np.int64), SHAPE)
    assert spans.shape == (0, 3)
    assert spans.dtype == np.int64


@pytest.mark.parametrize("shape", [(0, 5), (5, 0), (0, 0)])
def test_image_without_pixels_has_no_spans(shape):
    """Nothing to cover."""
    assert len(spans_of([SQUARE], shape)) == 0
    assert count_pixels(full_spans(shape)) == 0


@pytest.mark.parametrize("shape", [(1, 1), (3, 7), (7, 3)])
def test_full_spans_cover_every_pixel_once(shape):
    """One span a row."""
    spans = full_spans(shape)
    assert len(spans) == shape[0]
    assert np.all(covered(spans, shape) == 1)


@quick
@given(rings_of(halves))
def test_count_pixels_is_the_number_of_covered_pixels(rings):
    """Counted without an image."""
    spans = spans_of(rings)
    assert count_pixels(spans) == covered(spans).sum()


def test_vertices_of_any_type_and_stride_are_read():
    """Integer lists' arrays and strided views give what contiguous floats give."""
    vertices = np.array(SQUARE)
    spans = polygon_spans(vertices[:, 0], vertices[:, 1], np.array([0, 4], np.int32), SHAPE)
    np.testing.assert_array_equal(spans, spans_of([SQUARE]))


@quick
@given(st.lists(rings_of(anywhere), min_size=1, max_size=4), st.integers(1, 12))
def test_cells_of_many_polygons_are_those_of_each(polygons, cells):
    rings = [ring for polygon in polygons for ring in polygon]
    x, y = np.array([vertex for ring in rings for vertex in ring], float).reshape(-1, 2).T.copy()
    starts = np.cumsum([0, *map(len, polygons)])
    found = polygon_cells(x, y, np.cumsum([0, *map(len, rings)]), starts, cells)
    assert found.shape == (len(polygons), cells, cells)
    for inside_one, polygon in zip(found, polygons, strict=True):
        np.testing.assert_array_equal(inside_one, image_of(polygon, (cells, cells)) > 0)

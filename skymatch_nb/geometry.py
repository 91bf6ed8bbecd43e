"""Outlines, overlaps and unions on the sphere.

Edges between vertices are great circles. Regions are clipped in a gnomonic projection about a centre of their
own, where great circles are straight lines and shapely's planar operations are exact.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial, reduce
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from skymatch_nb.errors import GeometryError
from skymatch_nb.results import Bounds, Floats, Integers, Outline, SkyPolygon, SkyTransform

EDGE_TOLERANCE = 0.05
"""Largest distance in pixels between a member's true edge and its outline."""

WIDEST = np.radians(85.0)
"""Angle from the centre of projection beyond which a region is too wide for it."""

_CHUNK = 8192

_FEW = 64
"""Members up to which all their pairs are candidates before their distance is known."""

_SNAP = 1e-7
"""Grid on which vertices of unions are put, in sizes of the smallest image: it closes seams of rounding."""


def to_vectors(ra: Floats, dec: Floats) -> Floats:
    """Unit vectors, shape (n, 3), of positions in degrees."""
    a, d = np.radians(ra), np.radians(dec)
    return np.column_stack([np.cos(d) * np.cos(a), np.cos(d) * np.sin(a), np.sin(d)])


def to_radec(vectors: Floats) -> tuple[Floats, Floats]:
    """Right ascension in [0, 360) and declination in degrees of vectors of shape (n, 3)."""
    ra = np.degrees(np.arctan2(vectors[:, 1], vectors[:, 0])) % 360.0
    return ra, np.degrees(np.arctan2(vectors[:, 2], np.hypot(vectors[:, 0], vectors[:, 1])))


def trace_outline(transform: SkyTransform, shape: tuple[int, int]) -> Outline:
    """Outline of an image of ``shape`` (ny, nx), with as many vertices as its distortion needs.

    It ends at the bounds of the transform, where it has some.

    Raises
    ------
    GeometryError
        Where its edge is not on the sky or reaches further than 85 degrees from its centre, or no pixel is within the
        bounds.
    """
    x0, x1, y0, y1 = bounds = image_bounds(transform, shape)
    for intervals in (64, 512, 2048):
        x, y = _test_lines(bounds, intervals)
        xs, ys = np.append(x, (x0 + x1) / 2), np.append(y, (y0 + y1) / 2)
        vectors = _vectors_of(transform, xs, ys)
        center = vectors[-1]
        plane = project(vectors[:-1], center).reshape(*x.shape, 2)
        pixel = _smallest_pixel(plane, x, y)
        stride, reached = _longest_stride(plane, EDGE_TOLERANCE * pixel)
        if reached:
            break
    xs, ys = x[:4, :-1:stride].ravel(), y[:4, :-1:stride].ravel()
    corners = plane[:4, ::stride]
    vectors = _deproject(corners[:, :-1].reshape(-1, 2), center)
    middle = vectors.sum(axis=0)
    middle /= np.linalg.norm(middle)
    chords = np.linalg.norm(np.diff(corners, axis=1), axis=2)
    straight = float(chords[chords > pixel].min(initial=chords.max()))
    apart = np.linalg.norm(vectors - np.roll(vectors, 1, axis=0), axis=1) > 1e-3 * pixel
    return _outline(xs[apart], ys[apart], vectors[apart], middle, straight)


def within_bounds(transform: SkyTransform, shape: tuple[int, int]) -> NDArray[np.bool_] | None:
    """Image of the pixels whose centres the bounds of a transform leave; None where these are all."""
    if transform.bounds is None:
        return None
    x0, x1, y0, y1 = transform.bounds
    y, x = np.ogrid[: shape[0], : shape[1]]
    return np.asarray((x >= x0) & (x <= x1) & (y >= y0) & (y <= y1))


def trace_ring(transform: SkyTransform, x: Floats, y: Floats, frame: Outline) -> Outline:
    """Outline of part of an image: a ring in 0-based pixels, not closed, inside the image's own outline ``frame``.

    Raises
    ------
    GeometryError
        Where the ring is not on the sky.
    """
    pixel = np.sqrt(frame.area / (np.ptp(frame.x) * np.ptp(frame.y)))
    dense = shapely.segmentize(shapely.LinearRing(np.column_stack([x, y])), 0.9 * frame.straight / pixel)
    xs, ys = np.asarray(dense.coords)[:-1].T
    vectors = _vectors_of(transform, xs, ys)
    middle = vectors.sum(axis=0)
    return _outline(xs.copy(), ys.copy(), vectors, middle / np.linalg.norm(middle), frame.straight)


def _outline(x: Floats, y: Floats, vectors: Floats, center: Floats, straight: float) -> Outline:
    area = abs(float(_ring_areas(vectors, np.array([0, len(vectors)]))[0]))
    return Outline(x, y, vectors, center, float(_angle(vectors, center).max()), straight, area)


def candidate_pairs(centers: Floats, radii: Floats, group_of: Integers) -> NDArray[np.int64]:
    """Pairs (a < b) of members of different groups whose bounding caps touch.

    ``centers`` are unit vectors (n, 3), ``radii`` angles in radians (n,). Members are sorted into classes of
    radius, so that one wide image among many small ones does not make all of them candidates. Returns (m, 2).
    """
    few = len(centers) <= _FEW
    pairs = np.column_stack(np.triu_indices(len(centers), 1)) if few else _near_pairs(centers, radii)
    a, b = pairs[:, 0], pairs[:, 1]
    apart = np.linalg.norm(centers[a] - centers[b], axis=1)
    touching = (apart <= _chord(radii[a] + radii[b]) * (1 + 1e-9)) & (group_of[a] != group_of[b])
    pairs = pairs[touching]
    return np.asarray(pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))], np.int64)


def _near_pairs(centers: Floats, radii: Floats) -> NDArray[np.int64]:
    """Pairs (a < b) of members not further apart than the widest of their class of radius and of another's reach."""
    from scipy.spatial import KDTree

    size_class = np.floor(np.log2(np.maximum(radii, 1e-12))).astype(int)
    classes = [np.flatnonzero(size_class == k) for k in np.unique(size_class)]
    trees = [KDTree(centers[members]) for members in classes]
    found = []
    for i, (members, tree) in enumerate(zip(classes, trees, strict=True)):
        reach = _chord(2 * radii[members].max())
        found.append(members[tree.query_pairs(reach, output_type="ndarray")].reshape(-1, 2))
        for others, other_tree in zip(classes[i + 1 :], trees[i + 1 :], strict=True):
            reach = _chord(radii[members].max() + radii[others].max())
            near = other_tree.query_ball_point(centers[members], reach)
            counts = np.array([len(n) for n in near])
            there = np.concatenate([np.asarray(n, int) for n in near])
            found.append(np.column_stack([np.repeat(members, counts), others[there]]))
    return np.asarray(np.sort(np.concatenate(found), axis=1), np.int64)


def clip_pairs(
    outlines: Sequence[Outline], pairs: NDArray[np.int64], over: Callable[..., Iterable[Any]] = map
) -> tuple[NDArray[np.int64], list[SkyPolygon], Floats, list[tuple[int, int, str]]]:
    """Overlaps of pairs of outlines.

    Parameters
    ----------
    outlines
        Those of all members.
    pairs
        Members a < b, shape (n, 2).
    over
        How a function is called for each of several thousand pairs, like `map`; that may be in several threads.

    Returns
    -------
    pairs
        Those of the given pairs, shape (m, 2), that have an overlap.
    polygons, areas
        Their common regions, and the areas in steradian. Vertices are dense enough for the region's edge to be
        straight, within 0.05 pixel, between them in the pixels of both members.
    failed
        ``(a, b, reason)`` of pairs that could not be clipped.
    """
    packed = _Packed(outlines)
    parts = list(over(partial(_clip_chunk, packed), [pairs[k : k + _CHUNK] for k in range(0, len(pairs), _CHUNK)]))
    kept = np.concatenate([p[0] for p in parts]) if parts else np.zeros((0, 2), np.int64)
    areas = np.concatenate([p[2] for p in parts]) if parts else np.zeros(0)
    return kept, [s for p in parts for s in p[1]], areas, [f for p in parts for f in p[3]]


def clip_to_outline(polygon: SkyPolygon, outline: Outline) -> SkyPolygon | None:
    """Part of a polygon (its rings by the even-odd rule) within an outline, None where there is nothing.

    Vertices are as dense as those of `clip_pairs`.

    Raises
    ------
    GeometryError
        Where the polygon reaches further than 85 degrees from the outline's centre.
    """
    rings = [shapely.Polygon(project(ring, outline.center)) for ring in (outline.vectors, *polygon.rings)]
    frame, *planar = shapely.make_valid(np.array(rings))
    region = shapely.intersection(reduce(shapely.symmetric_difference, planar), frame)
    region = shapely.segmentize(np.array([region]), outline.straight)
    center = outline.center[None]
    return _unpack_regions(region, center, _tangent_basis(center))[0][0]


def bounding_caps(polygons: Sequence[SkyPolygon]) -> tuple[Floats, Floats]:
    """Centre (n, 3) and radius (n,) in radians of a cap around each polygon."""
    centers = np.array([p.vectors.sum(axis=0) for p in polygons]).reshape(-1, 3)
    centers /= np.linalg.norm(centers, axis=1, keepdims=True)
    radii = [float(_angle(p.vectors, c).max()) for p, c in zip(polygons, centers, strict=True)]
    return centers, np.array(radii)


def union_polygons(outlines: Sequence[Outline]) -> list[SkyPolygon]:
    """Union of outlines as disjoint polygons without holes: where there is a hole, the region is cut through it.

    Raises
    ------
    GeometryError
        Where connected outlines reach further than 85 degrees from their common centre.
    """
    centers = np.array([o.center for o in outlines])
    pairs = candidate_pairs(centers, np.array([o.radius for o in outlines]), np.arange(len(outlines)))
    links = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(outlines),) * 2)
    label = connected_components(links, directed=False)[1]
    return [
        p
        for k in range(label.max() + 1)
        for p in _union_connected([outlines[int(i)] for i in np.flatnonzero(label == k)])
    ]


def to_spherical_polygon(polygons: Sequence[SkyPolygon]) -> Any:
    """Return disjoint hole-free polygons as one `spherical_geometry.polygon.SphericalPolygon`."""
    from spherical_geometry.polygon import SphericalPolygon

    rings = [ring for polygon in polygons for ring in polygon.rings]
    centers = [ring.sum(axis=0) / np.linalg.norm(ring.sum(axis=0)) for ring in rings]
    return SphericalPolygon(
        [s for r, c in zip(rings, centers, strict=True) for s in _spherical_pieces(shapely.Polygon(project(r, c)), c)]
    )


def _spherical_pieces(plane: Any, center: Floats) -> list[Any]:
    """Planar polygon about a centre as pieces that spherical_geometry does not take for their complement.

    It judges a ring's direction by a point that, for some concave rings, is not inside; such a ring is cut in two.
    """
    from spherical_geometry.polygon import SingleSphericalPolygon

    inside = plane.representative_point()
    ring = _deproject(np.asarray(plane.exterior.coords), center)
    single = SingleSphericalPolygon(ring, inside=_deproject(np.array([[inside.x, inside.y]]), center)[0])
    if single.area() < 2 * np.pi:
        return [single]
    west, _, east, _ = plane.bounds
    halves = _cut(plane, (west + east) / 2)
    return [piece for half in halves for piece in _spherical_pieces(half, center)]


def outline_polygon(outline: Outline) -> SkyPolygon:
    """Return a member's outline as a polygon of one ring."""
    return SkyPolygon(outline.vectors, np.array([0, len(outline.vectors)]))


def _vectors_of(transform: SkyTransform, x: Floats, y: Floats) -> Floats:
    vectors = to_vectors(*transform.to_sky(x, y))
    if not np.isfinite(vectors).all():
        raise GeometryError("part of the image's edge is not on the sky")
    return vectors


def image_bounds(transform: SkyTransform, shape: tuple[int, int]) -> Bounds:
    """Edges of an image of ``shape`` (ny, nx), or of the part that the bounds of its transform leave.

    Raises
    ------
    GeometryError
        Where these leave nothing.
    """
    ny, nx = shape
    x0, x1, y0, y1 = transform.bounds or (-0.5, nx - 0.5, -0.5, ny - 0.5)
    within = max(x0, -0.5), min(x1, nx - 0.5), max(y0, -0.5), min(y1, ny - 0.5)
    if not (within[0] < within[1] and within[2] < within[3]):
        raise GeometryError(f"no pixel lies in the bounding box of its WCS, x {x0:g} to {x1:g} and y {y0:g} to {y1:g}")
    return within


def _test_lines(bounds: Bounds, intervals: int) -> tuple[Floats, Floats]:
    """Eight lines across an image, shape (8, intervals + 1): its four sides in turn, then a cross and the diagonals."""
    x0, x1, y0, y1 = bounds
    xm, ym = (x0 + x1) / 2, (y0 + y1) / 2
    ends = np.array(
        [
            [x0, y0, x1, y0], [x1, y0, x1, y1], [x1, y1, x0, y1], [x0, y1, x0, y0],
            [xm, y0, xm, y1], [x0, ym, x1, ym], [x0, y0, x1, y1], [x0, y1, x1, y0],
        ]
    )  # fmt: skip
    t = np.linspace(0, 1, intervals + 1)
    return ends[:, :1] * (1 - t) + ends[:, 2:3] * t, ends[:, 1:2] * (1 - t) + ends[:, 3:] * t


def _smallest_pixel(plane: Floats, x: Floats, y: Floats) -> float:
    """Smallest size of a pixel along test lines, in radians; lines that the sky draws into a point do not count."""
    length = np.hypot(*np.moveaxis(np.diff(plane, axis=1), 2, 0))
    pixels = np.hypot(np.diff(x, axis=1), np.diff(y, axis=1))
    size = (length / pixels)[length > 1e-6 * np.median(length)]
    return float(size.min())


def _longest_stride(plane: Floats, tolerance: float) -> tuple[int, bool]:
    """Longest stride, a power of 2, whose chords stay within the tolerance of the lines (8, n + 1, 2) between.

    False tells that even the lines' own points may be too far apart: the chords over two of them deviate by
    four times what those over one do.
    """
    stride = plane.shape[1] - 1
    while stride > 1 and _chord_deviation(plane, stride) > 0.8 * tolerance:
        stride //= 2
    return stride, stride > 1 or _chord_deviation(plane, 2) / 4 < 0.8 * tolerance


def _chord_deviation(plane: Floats, stride: int) -> float:
    x, y = plane[..., 0], plane[..., 1]
    along_x, along_y = (v[:, stride::stride, None] - v[:, :-1:stride, None] for v in (x, y))
    x, y = (v[:, :-1].reshape(len(v), -1, stride) - v[:, :-1:stride, None] for v in (x, y))
    cross = np.abs(along_x * y - along_y * x)
    length = np.hypot(along_x, along_y)
    if length.all():
        return float((cross / length).max())
    return float(np.divide(cross, length, out=np.hypot(x, y), where=length > 0).max())


def _tangent_basis(centers: Floats) -> tuple[Floats, Floats]:
    """Two unit vectors that span the tangent plane at each centre, shape (n, 3) both."""
    axis = np.where(np.abs(centers[:, 2:3]) < 0.9, [[0.0, 0.0, 1.0]], [[1.0, 0.0, 0.0]])
    east = _cross(axis, centers)
    east /= np.linalg.norm(east, axis=1, keepdims=True)
    return east, _cross(centers, east)


def _cross(a: Floats, b: Floats) -> Floats:
    """Cross products of vectors (n, 3), as those of numpy but quicker where they are few."""
    (ax, ay, az), (bx, by, bz) = a.T, b.T
    return np.column_stack([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx])


def project(vectors: Floats, center: Floats) -> Floats:
    """Gnomonic coordinates (n, 2) of vectors about one centre."""
    depth = vectors @ center
    if depth.min() < np.cos(WIDEST):
        raise GeometryError("it reaches further than 85 degrees from its centre")
    east, north = _tangent_basis(center[None])
    return np.column_stack([vectors @ east[0], vectors @ north[0]]) / depth[:, None]


def project_each(vectors: Floats, centers: Floats, counts: Integers) -> Floats:
    """Gnomonic coordinates (n, 2) of vectors, ``counts`` of them about each of many centres (m, 3).

    Raises
    ------
    GeometryError
        Where some reach further than 85 degrees from theirs.
    """
    owner = np.repeat(np.arange(len(centers)), counts)
    depth = np.einsum("ij,ij->i", vectors, centers[owner])
    if depth.min(initial=1.0) < np.cos(WIDEST):
        raise GeometryError("it reaches further than 85 degrees from its centre")
    return np.column_stack([np.einsum("ij,ij->i", vectors, axis[owner]) / depth for axis in _tangent_basis(centers)])


def _deproject(plane: Floats, center: Floats) -> Floats:
    east, north = _tangent_basis(center[None])
    vectors = center + plane[:, :1] * east + plane[:, 1:] * north
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def _angle(vectors: Floats, center: Floats) -> Floats:
    return np.asarray(2 * np.arcsin(np.clip(np.linalg.norm(vectors - center, axis=1) / 2, 0, 1)))


def _chord(angle: Any) -> Any:
    """Distance between two points of the unit sphere that are an angle apart."""
    return 2 * np.sin(np.minimum(angle, np.pi) / 2)


def _ring_areas(vectors: Floats, offsets: Integers) -> Floats:
    """Signed areas in steradian of rings packed one after another: the triangles from each ring's first vertex."""
    counts = np.diff(offsets)
    first = np.repeat(vectors[offsets[:-1]], counts, axis=0)
    following = np.roll(vectors, -1, axis=0)
    following[offsets[1:] - 1] = vectors[offsets[:-1]]
    triple = np.einsum("ij,ij->i", first, _cross(vectors - first, following - first))
    dots = np.einsum("ij,ij->i", first, vectors) + np.einsum("ij,ij->i", vectors, following)
    excess = 2 * np.arctan2(triple, 1 + dots + np.einsum("ij,ij->i", first, following))
    return np.asarray(np.add.reduceat(excess, offsets[:-1]))


class _Packed:
    """Outlines as arrays: all vertices one after another, each member's cap and straight length, and which are simple.

    One that does not cross itself on the sky does so in no projection; others are looked at in each of theirs.
    """

    def __init__(self, outlines: Sequence[Outline]) -> None:
        self.vectors = np.concatenate([o.vectors for o in outlines])
        self.counts = np.array([len(o.vectors) for o in outlines])
        self.starts = np.cumsum(self.counts) - self.counts
        self.centers = np.array([o.center for o in outlines])
        self.radii = np.array([o.radius for o in outlines])
        self.straight = np.array([o.straight for o in outlines])
        self.pixels = np.array([o.area / (np.ptp(o.x) * np.ptp(o.y)) for o in outlines])
        self.simple = np.zeros(len(outlines), bool)
        held = np.flatnonzero(self.radii < WIDEST)
        for members in (held[k : k + _CHUNK] for k in range(0, len(held), _CHUNK)):
            centers = self.centers[members]
            self.simple[members] = shapely.is_valid(_planar_polygons(self, members, centers, _tangent_basis(centers)))

    def vertices(self, members: Integers) -> tuple[Floats, Integers]:
        """Vertices of many members, and for each the position in ``members`` that it belongs to."""
        counts = self.counts[members]
        owner = np.repeat(np.arange(len(members)), counts)
        places = np.arange(len(owner)) + np.repeat(self.starts[members] - (np.cumsum(counts) - counts), counts)
        return self.vectors[places], owner


def _clip_chunk(
    packed: _Packed, pairs: NDArray[np.int64]
) -> tuple[NDArray[np.int64], list[SkyPolygon], Floats, list[tuple[int, int, str]]]:
    a, b = pairs[:, 0], pairs[:, 1]
    centers = _projection_centers(packed, pairs)
    usable = np.isfinite(centers[:, 0])
    failed = [(int(i), int(j), "too far apart for one projection") for i, j in pairs[~usable]]
    pairs, a, b, centers = pairs[usable], a[usable], b[usable], centers[usable]
    basis = _tangent_basis(centers)
    regions = shapely.intersection(*(_valid_polygons(packed, side, centers, basis) for side in (a, b)))
    regions = shapely.segmentize(regions, np.minimum(packed.straight[a], packed.straight[b]))
    polygons, areas = _unpack_regions(regions, centers, basis)
    real = areas > 1e-6 * np.minimum(packed.pixels[a], packed.pixels[b])
    return (
        pairs[real],
        [p for p, r in zip(polygons, real, strict=True) if r and p is not None],
        areas[real],
        failed,
    )


def _projection_centers(packed: _Packed, pairs: NDArray[np.int64]) -> Floats:
    """Centre for each pair from which both outlines are within reach: midway, else one of theirs, else NaN."""
    a, b = packed.centers[pairs[:, 0]], packed.centers[pairs[:, 1]]
    midway = a + b
    midway /= np.linalg.norm(midway, axis=1, keepdims=True)
    centers = np.full(midway.shape, np.nan)
    reach = np.maximum(*(_angle(midway, side) + packed.radii[m] for side, m in zip((a, b), pairs.T, strict=True)))
    centers[reach < WIDEST] = midway[reach < WIDEST]
    for candidate in (midway, a, b):
        open_ = np.flatnonzero(np.isnan(centers[:, 0]))
        if not len(open_):
            break
        nearest = np.full(len(open_), 1.0)
        for side in (0, 1):
            vectors, owner = packed.vertices(pairs[open_, side])
            np.minimum.at(nearest, owner, np.einsum("ij,ij->i", vectors, candidate[open_][owner]))
        reached = open_[nearest > np.cos(WIDEST)]
        centers[reached] = candidate[reached]
    return centers


def _planar_polygons(packed: _Packed, members: Integers, centers: Floats, basis: tuple[Floats, Floats]) -> Any:
    vectors, owner = packed.vertices(members)
    depth = np.einsum("ij,ij->i", vectors, centers[owner])
    plane = np.column_stack([np.einsum("ij,ij->i", vectors, axis[owner]) / depth for axis in basis])
    return shapely.polygons(shapely.linearrings(plane, indices=owner))


def _valid_polygons(packed: _Packed, members: Integers, centers: Floats, basis: tuple[Floats, Floats]) -> Any:
    """Those of `_planar_polygons`, mended where they cross themselves."""
    polygons = _planar_polygons(packed, members, centers, basis)
    doubtful = np.flatnonzero(~packed.simple[members])
    broken = doubtful[~shapely.is_valid(polygons[doubtful])]
    polygons[broken] = shapely.make_valid(polygons[broken])
    return polygons


def _unpack_regions(
    regions: Any, centers: Floats, basis: tuple[Floats, Floats]
) -> tuple[list[SkyPolygon | None], Floats]:
    """Planar regions to polygons on the sky (None for an empty one) and areas, keeping only what has an area."""
    parts, of_region = shapely.get_parts(regions, return_index=True)
    if (shapely.get_type_id(parts) == 7).any():
        parts, inner = shapely.get_parts(parts, return_index=True)
        of_region = of_region[inner]
    flat = shapely.get_type_id(parts) == 3
    parts, of_region = shapely.orient_polygons(parts[flat]), of_region[flat]
    rings, of_part = shapely.get_rings(parts, return_index=True)
    coordinates, of_ring = shapely.get_coordinates(rings, return_index=True)
    last = np.flatnonzero(np.diff(of_ring, append=-1))
    coordinates, of_ring = np.delete(coordinates, last, axis=0), np.delete(of_ring, last)
    region_of_ring = of_region[of_part] if len(rings) else np.zeros(0, int)
    owner = region_of_ring[of_ring] if len(rings) else np.zeros(0, int)
    east, north = basis
    vectors = centers[owner] + coordinates[:, :1] * east[owner] + coordinates[:, 1:] * north[owner]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    ring_offsets = np.concatenate([[0], np.cumsum(np.bincount(of_ring, minlength=len(rings)))]).astype(np.int64)
    areas = np.zeros(len(regions))
    if len(rings):
        np.add.at(areas, region_of_ring, _ring_areas(vectors, ring_offsets))
    first = np.searchsorted(region_of_ring, np.arange(len(regions)))
    stop = np.searchsorted(region_of_ring, np.arange(len(regions)), side="right")
    polygons: list[SkyPolygon | None] = [None] * len(regions)
    for k in np.flatnonzero(stop > first):
        offsets = ring_offsets[first[k] : stop[k] + 1]
        polygons[k] = SkyPolygon(vectors[offsets[0] : offsets[-1]], offsets - offsets[0])
    return polygons, areas


def _union_connected(outlines: Sequence[Outline]) -> list[SkyPolygon]:
    center = np.sum([o.center for o in outlines], axis=0)
    center = center / np.linalg.norm(center)
    planar = shapely.polygons([shapely.linearrings(project(o.vectors, center)) for o in outlines])
    size = float(np.sqrt(min(o.area for o in outlines)))
    merged = shapely.union_all(shapely.make_valid(planar), grid_size=_SNAP * size)
    merged = shapely.simplify(merged, 2 * _SNAP * size)
    pieces = [piece for part in shapely.get_parts(merged) for piece in _without_holes(part)]
    pieces = [piece for piece in pieces if piece.area > 1e-6 * size * size]
    return [_ring_polygon(np.asarray(p.exterior.coords)[:-1], center) for p in pieces]


def _ring_polygon(plane: Floats, center: Floats) -> SkyPolygon:
    vectors = _deproject(plane, center)
    return SkyPolygon(vectors, np.array([0, len(vectors)]))


def _without_holes(polygon: Any) -> list[Any]:
    """Cut a planar polygon into pieces without holes, through the middle of a hole."""
    if shapely.get_type_id(polygon) != 3:
        return []
    if not len(polygon.interiors):
        return [polygon]
    return [piece for part in _cut(polygon, polygon.interiors[0].centroid.x) for piece in _without_holes(part)]


def _cut(polygon: Any, x: float) -> list[Any]:
    """Parts of a planar polygon on both sides of a vertical line."""
    west, south, east, north = polygon.bounds
    halves = [shapely.box(west, south, x, north), shapely.box(x, south, east, north)]
    parts = shapely.get_parts(shapely.intersection(polygon, np.array(halves)))
    return [part for part in parts if shapely.get_type_id(part) == 3]

"""Unions of outlines, as polygons without holes and in the type of spherical_geometry."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from skymatch_nb.geometry.candidates import candidate_pairs
from skymatch_nb.geometry.sphere import deproject, project
from skymatch_nb.results import Floats, Outline, SkyPolygon

_SNAP = 1e-7
"""Grid on which vertices of unions are put, in sizes of the smallest image: it closes seams of rounding."""


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
    ring = deproject(np.asarray(plane.exterior.coords), center)
    single = SingleSphericalPolygon(ring, inside=deproject(np.array([[inside.x, inside.y]]), center)[0])
    if single.area() < 2 * np.pi:
        return [single]
    west, _, east, _ = plane.bounds
    halves = _cut(plane, (west + east) / 2)
    return [piece for half in halves for piece in _spherical_pieces(half, center)]


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
    vectors = deproject(plane, center)
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

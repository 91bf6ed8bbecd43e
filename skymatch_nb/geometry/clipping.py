"""Common regions of outlines, each clipped in a gnomonic projection about a centre of its own."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial, reduce
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from skymatch_nb.geometry.packed import Packed, chunks, unpack_regions, valid_polygons
from skymatch_nb.geometry.sphere import WIDEST, angle, project, tangent_basis
from skymatch_nb.results import Floats, Outline, SkyPolygon


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
    packed = Packed(outlines)
    parts = list(over(partial(_clip_chunk, packed), chunks(pairs)))
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
    return unpack_regions(region, center, tangent_basis(center))[0][0]


def _clip_chunk(
    packed: Packed, pairs: NDArray[np.int64]
) -> tuple[NDArray[np.int64], list[SkyPolygon], Floats, list[tuple[int, int, str]]]:
    a, b = pairs[:, 0], pairs[:, 1]
    centers = _projection_centers(packed, pairs)
    usable = np.isfinite(centers[:, 0])
    failed = [(int(i), int(j), "too far apart for one projection") for i, j in pairs[~usable]]
    pairs, a, b, centers = pairs[usable], a[usable], b[usable], centers[usable]
    basis = tangent_basis(centers)
    regions = shapely.intersection(*(valid_polygons(packed, side, centers, basis) for side in (a, b)))
    regions = shapely.segmentize(regions, np.minimum(packed.straight[a], packed.straight[b]))
    polygons, areas = unpack_regions(regions, centers, basis)
    real = areas > 1e-6 * np.minimum(packed.pixels[a], packed.pixels[b])
    return (
        pairs[real],
        [p for p, r in zip(polygons, real, strict=True) if r and p is not None],
        areas[real],
        failed,
    )


def _projection_centers(packed: Packed, pairs: NDArray[np.int64]) -> Floats:
    """Centre for each pair from which both outlines are within reach: midway, else one of theirs, else NaN."""
    a, b = packed.centers[pairs[:, 0]], packed.centers[pairs[:, 1]]
    midway = a + b
    midway /= np.linalg.norm(midway, axis=1, keepdims=True)
    centers = np.full(midway.shape, np.nan)
    reach = np.maximum(*(angle(midway, side) + packed.radii[m] for side, m in zip((a, b), pairs.T, strict=True)))
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

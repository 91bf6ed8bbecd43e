"""Outlines packed into arrays, and as polygons in the planes that they are clipped in."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely

from skymatch_nb.geometry.sphere import WIDEST, ring_areas, tangent_basis
from skymatch_nb.results import Floats, Integers, Outline, SkyPolygon

_CHUNK = 8192


def chunks(items: Integers) -> list[Integers]:
    """Pieces of an array, so many that work on them can be shared out and what it takes meanwhile stays small."""
    return [items[k : k + _CHUNK] for k in range(0, len(items), _CHUNK)]


class Packed:
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
        for members in chunks(held):
            centers = self.centers[members]
            self.simple[members] = shapely.is_valid(planar_polygons(self, members, centers, tangent_basis(centers)))

    def vertices(self, members: Integers) -> tuple[Floats, Integers]:
        """Vertices of many members, and for each the position in ``members`` that it belongs to."""
        counts = self.counts[members]
        owner = np.repeat(np.arange(len(members)), counts)
        places = np.arange(len(owner)) + np.repeat(self.starts[members] - (np.cumsum(counts) - counts), counts)
        return self.vectors[places], owner


def planar_polygons(packed: Packed, members: Integers, centers: Floats, basis: tuple[Floats, Floats]) -> Any:
    """Outlines of many members, each in the gnomonic projection about a centre of its own."""
    vectors, owner = packed.vertices(members)
    depth = np.einsum("ij,ij->i", vectors, centers[owner])
    plane = np.column_stack([np.einsum("ij,ij->i", vectors, axis[owner]) / depth for axis in basis])
    return shapely.polygons(shapely.linearrings(plane, indices=owner))


def valid_polygons(packed: Packed, members: Integers, centers: Floats, basis: tuple[Floats, Floats]) -> Any:
    """Those of `planar_polygons`, mended where they cross themselves."""
    polygons = planar_polygons(packed, members, centers, basis)
    doubtful = np.flatnonzero(~packed.simple[members])
    broken = doubtful[~shapely.is_valid(polygons[doubtful])]
    polygons[broken] = shapely.make_valid(polygons[broken])
    return polygons


def unpack_regions(
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
        np.add.at(areas, region_of_ring, ring_areas(vectors, ring_offsets))
    first = np.searchsorted(region_of_ring, np.arange(len(regions)))
    stop = np.searchsorted(region_of_ring, np.arange(len(regions)), side="right")
    polygons: list[SkyPolygon | None] = [None] * len(regions)
    for k in np.flatnonzero(stop > first):
        offsets = ring_offsets[first[k] : stop[k] + 1]
        polygons[k] = SkyPolygon(vectors[offsets[0] : offsets[-1]], offsets - offsets[0])
    return polygons, areas

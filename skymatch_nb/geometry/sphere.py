"""Positions as unit vectors, gnomonic projections, in which great circles are straight, angles and areas."""

from typing import Any

import numpy as np

from skymatch_nb.errors import GeometryError
from skymatch_nb.results import Floats, Integers

WIDEST = np.radians(85.0)
"""Angle from the centre of projection beyond which a region is too wide for it."""


def to_vectors(ra: Floats, dec: Floats) -> Floats:
    """Unit vectors, shape (n, 3), of positions in degrees."""
    a, d = np.radians(ra), np.radians(dec)
    return np.column_stack([np.cos(d) * np.cos(a), np.cos(d) * np.sin(a), np.sin(d)])


def to_radec(vectors: Floats) -> tuple[Floats, Floats]:
    """Right ascension in [0, 360) and declination in degrees of vectors of shape (n, 3)."""
    ra = np.degrees(np.arctan2(vectors[:, 1], vectors[:, 0])) % 360.0
    return ra, np.degrees(np.arctan2(vectors[:, 2], np.hypot(vectors[:, 0], vectors[:, 1])))


def project(vectors: Floats, center: Floats) -> Floats:
    """Gnomonic coordinates (n, 2) of vectors about one centre."""
    depth = vectors @ center
    if depth.min() < np.cos(WIDEST):
        raise GeometryError("it reaches further than 85 degrees from its centre")
    east, north = tangent_basis(center[None])
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
    return np.column_stack([np.einsum("ij,ij->i", vectors, axis[owner]) / depth for axis in tangent_basis(centers)])


def deproject(plane: Floats, center: Floats) -> Floats:
    """Unit vectors (n, 3) of gnomonic coordinates (n, 2) about one centre."""
    east, north = tangent_basis(center[None])
    vectors = center + plane[:, :1] * east + plane[:, 1:] * north
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def tangent_basis(centers: Floats) -> tuple[Floats, Floats]:
    """Two unit vectors that span the tangent plane at each centre, shape (n, 3) both."""
    axis = np.where(np.abs(centers[:, 2:3]) < 0.9, [[0.0, 0.0, 1.0]], [[1.0, 0.0, 0.0]])
    east = cross(axis, centers)
    east /= np.linalg.norm(east, axis=1, keepdims=True)
    return east, cross(centers, east)


def cross(a: Floats, b: Floats) -> Floats:
    """Cross products of vectors (n, 3), as those of numpy but quicker where they are few."""
    (ax, ay, az), (bx, by, bz) = a.T, b.T
    return np.column_stack([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx])


def angle(vectors: Floats, center: Floats) -> Floats:
    """Angle in radians of unit vectors (n, 3) from one direction."""
    return np.asarray(2 * np.arcsin(np.clip(np.linalg.norm(vectors - center, axis=1) / 2, 0, 1)))


def chord(angle: Any) -> Any:
    """Distance between two points of the unit sphere that are an angle apart."""
    return 2 * np.sin(np.minimum(angle, np.pi) / 2)


def ring_areas(vectors: Floats, offsets: Integers) -> Floats:
    """Signed areas in steradian of rings packed one after another: the triangles from each ring's first vertex."""
    counts = np.diff(offsets)
    first = np.repeat(vectors[offsets[:-1]], counts, axis=0)
    following = np.roll(vectors, -1, axis=0)
    following[offsets[1:] - 1] = vectors[offsets[:-1]]
    triple = np.einsum("ij,ij->i", first, cross(vectors - first, following - first))
    dots = np.einsum("ij,ij->i", first, vectors) + np.einsum("ij,ij->i", vectors, following)
    excess = 2 * np.arctan2(triple, 1 + dots + np.einsum("ij,ij->i", first, following))
    return np.asarray(np.add.reduceat(excess, offsets[:-1]))

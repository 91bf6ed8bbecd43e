"""Which pairs of members may overlap, from the caps that bound them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from skymatch_nb.geometry.sphere import angle, chord
from skymatch_nb.results import Floats, Integers, SkyPolygon

_FEW = 64
"""Members up to which all their pairs are candidates before their distance is known."""


def candidate_pairs(centers: Floats, radii: Floats, group_of: Integers) -> NDArray[np.int64]:
    """Pairs (a < b) of members of different groups whose bounding caps touch.

    ``centers`` are unit vectors (n, 3), ``radii`` angles in radians (n,). Members are sorted into classes of
    radius, so that one wide image among many small ones does not make all of them candidates. Returns (m, 2).
    """
    few = len(centers) <= _FEW
    pairs = np.column_stack(np.triu_indices(len(centers), 1)) if few else _near_pairs(centers, radii)
    a, b = pairs[:, 0], pairs[:, 1]
    apart = np.linalg.norm(centers[a] - centers[b], axis=1)
    touching = (apart <= chord(radii[a] + radii[b]) * (1 + 1e-9)) & (group_of[a] != group_of[b])
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
        reach = chord(2 * radii[members].max())
        found.append(members[tree.query_pairs(reach, output_type="ndarray")].reshape(-1, 2))
        for others, other_tree in zip(classes[i + 1 :], trees[i + 1 :], strict=True):
            reach = chord(radii[members].max() + radii[others].max())
            near = other_tree.query_ball_point(centers[members], reach)
            counts = np.array([len(n) for n in near])
            there = np.concatenate([np.asarray(n, int) for n in near])
            found.append(np.column_stack([np.repeat(members, counts), others[there]]))
    return np.asarray(np.sort(np.concatenate(found), axis=1), np.int64)


def bounding_caps(polygons: Sequence[SkyPolygon]) -> tuple[Floats, Floats]:
    """Centre (n, 3) and radius (n,) in radians of a cap around each polygon."""
    centers = np.array([p.vectors.sum(axis=0) for p in polygons]).reshape(-1, 3)
    centers /= np.linalg.norm(centers, axis=1, keepdims=True)
    radii = [float(angle(p.vectors, c).max()) for p, c in zip(polygons, centers, strict=True)]
    return centers, np.array(radii)

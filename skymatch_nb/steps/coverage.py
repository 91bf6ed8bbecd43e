"""Find where the overlaps of a member lie on each other, so that their noise is the same."""

from itertools import pairwise

import numpy as np

from skymatch_nb.core.noise import SharedParts, distinct_parts
from skymatch_nb.pixelmaps import polygons_to_cells
from skymatch_nb.results import Coverage, Footprints, Overlaps

CELLS = 32
"""Cells along each side of the grid on which overlaps are compared; half as many where they are many."""

MANY = 64


def coverage(key: str, footprints: Footprints, overlaps: Overlaps) -> Coverage:
    """Parts of every member that lie in the same overlaps."""
    members = np.concatenate([overlaps.member_a, overlaps.member_b])
    order = np.argsort(members, kind="stable")
    ends = np.searchsorted(members[order], np.arange(len(footprints.outlines) + 1))
    mine = [order[start:stop] for start, stop in pairwise(ends)]
    used = [k for k, of in enumerate(mine) if len(of)]
    grids = polygons_to_cells(
        [footprints.outlines[k] for k in used],
        [[overlaps.polygons[i] for i in mine[k] % len(overlaps)] for k in used],
        [CELLS if len(mine[k]) <= MANY else CELLS // 2 for k in used],
    )
    found, count = [], 0
    for k, cells in zip(used, grids if used else (), strict=True):
        part, overlap, fraction = distinct_parts(cells.reshape(len(cells), -1))
        which = mine[k][overlap]
        found.append((count + part, which % len(overlaps), which < len(overlaps), fraction))
        count += int(part.max()) + 1
    if not found:
        none = np.zeros(0, np.int64)
        return Coverage(key, SharedParts(none, none, np.zeros(0, bool), np.zeros(0)))
    return Coverage(key, SharedParts(*(np.concatenate(columns) for columns in zip(*found, strict=True))))

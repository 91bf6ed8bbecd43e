"""Find where members of different groups overlap."""

from functools import partial

import numpy as np

from skymatch_nb.executor import Work
from skymatch_nb.geometry.candidates import candidate_pairs
from skymatch_nb.geometry.clipping import clip_pairs
from skymatch_nb.results import Footprints, Loaded, Overlaps


def overlap(key: str, loaded: Loaded, footprints: Footprints, work: Work) -> Overlaps:
    """Overlaps of all pairs of members whose bounding caps touch; the work grows with their number."""
    outlines = footprints.outlines
    candidates = candidate_pairs(
        np.array([o.center for o in outlines]), np.array([o.radius for o in outlines]), loaded.group_of
    )
    pairs, polygons, areas, failed = clip_pairs(outlines, candidates, partial(work.map, message="overlap"))
    notes = tuple(
        f"the overlap of {loaded.members[a].name} and {loaded.members[b].name} could not be found: {reason}"
        for a, b, reason in failed
    )
    return Overlaps(key, pairs[:, 0], pairs[:, 1], tuple(polygons), areas, tuple(failed), notes=notes)

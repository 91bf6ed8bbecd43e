"""What the map of footprints shows, as columns of its data sources."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from skymatch_nb.plots.plane import SkyPlane
from skymatch_nb.plots.theme import Theme, category_colors, level_text, sequential_colors
from skymatch_nb.results import Comparison, Floats, Footprints, Integers, Loaded, Overlaps, Solution, Units
from skymatch_nb.steps.standing import (
    ALL_CLIPPED,
    ALL_SMALL,
    BASELINE,
    FIXED,
    LEFT_OUT,
    LOWEST_SKY,
    MATCHED,
    NO_OVERLAP,
    NO_PIXELS,
    OWN_SKY,
    REFERENCE,
    is_alone,
)

MOST_OVERLAPS = 1500
"""Overlaps that a map draws; of more, those with the largest differences."""

HATCHED = "right_diagonal_line"
"""Pattern of members without a level that is theirs."""

_STATUS = {MATCHED: 0, OWN_SKY: 0, LOWEST_SKY: 0, NO_OVERLAP: 1, REFERENCE: 2, FIXED: 3, ALL_CLIPPED: 4, NO_PIXELS: 5,
           ALL_SMALL: 6, BASELINE: 6, LEFT_OUT: 7}  # fmt: skip
"""Category whose colour a status has."""


def footprints_plane(footprints: Footprints) -> SkyPlane:
    """Plane on which all footprints are drawn."""
    return SkyPlane(np.concatenate([o.vectors for o in footprints.outlines]))


def member_data(
    plane: SkyPlane,
    loaded: Loaded,
    footprints: Footprints,
    units: Units | None,
    solution: Solution | None,
    theme: Theme,
    color: str = "sky",
    drawn: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Columns of the members: outline, names, the sky where it is known, and a colour for every kind of fill.

    ``drawn`` are columns with the outlines of these footprints, where they were made before.
    """
    if drawn is None:
        outlines = [_thinned(*plane.offsets(o.vectors)) for o in footprints.outlines]
        drawn = {"xs": [x for x, _ in outlines], "ys": [y for _, y in outlines]}
    of = loaded.group_of
    unit = units.unit if units is not None else ""
    sky = np.full(len(loaded), np.nan) if solution is None else solution.sky[of]
    error = np.full(len(loaded), np.nan) if solution is None else solution.error[of]
    status = ["not solved"] * len(loaded) if solution is None else [solution.status[g] for g in of]
    component = np.full(len(loaded), -1) if solution is None else solution.component[of]
    unmatched = [is_alone(s) for s in status]
    fills = {
        "by_sky": sequential_colors(sky, theme.sequential),
        "by_group": category_colors(of.tolist(), theme.categories, theme.plain),
        "by_component": category_colors(component.tolist(), theme.categories, "#ffffff00"),
        "by_status": category_colors([_status_number(s) for s in status], theme.categories, theme.plain),
    }
    if solution is None:
        fills["by_sky"] = [theme.plain] * len(loaded)
    return {
        "xs": drawn["xs"],
        "ys": drawn["ys"],
        "member": [m.name for m in loaded.members],
        "file": [m.file for m in loaded.members],
        "group": [m.group for m in loaded.members],
        "filter": [m.filter or "-" for m in loaded.members],
        "sky": sky.tolist(),
        "shown": [level_text(s, e, unit) for s, e in zip(sky, error, strict=True)],
        "component": ["-" if c < 0 else str(c + 1) for c in component],
        "status": status,
        "edge": [theme.alert if alone else theme.ink for alone in unmatched],
        "width": [2.5 if alone else 1.0 for alone in unmatched],
        "hatch": [HATCHED if alone else "blank" for alone in unmatched],
        **fills,
        "fill": fills[f"by_{color}"],
    }


def overlap_data(
    plane: SkyPlane,
    loaded: Loaded,
    overlaps: Overlaps,
    units: Units | None = None,
    compared: Comparison | None = None,
    solution: Solution | None = None,
    drawn: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Columns of the overlaps: regions, names, differences before and after, and ``shade``: |after| as opacity.

    ``drawn`` are columns of the same overlaps that were made before.
    """
    a, b = overlaps.member_a, overlaps.member_b
    before = after = error = np.full(len(overlaps), np.nan)
    pixels = [("?", "?")] * len(overlaps)
    unit = units.unit if units is not None else ""
    if compared is not None:
        before, error = compared.difference, compared.difference_err
        pixels = [(f"{n:,}", f"{m:,}") for n, m in zip(compared.npix_a, compared.npix_b, strict=True)]
    if solution is not None:
        after = before - (solution.sky[loaded.group_of[a]] - solution.sky[loaded.group_of[b]])
    size = np.abs(after if np.isfinite(after).any() else before)
    largest = np.nanmax(size, initial=0.0, where=np.isfinite(size))
    kept = np.sort(np.argsort(-np.nan_to_num(size), kind="stable")[:MOST_OVERLAPS])
    if drawn is None or list(drawn["index"]) != kept.tolist():
        regions = [_joined(plane, overlaps.polygons[k].rings) for k in kept]
        drawn = {"xs": [x for x, _ in regions], "ys": [y for _, y in regions]}
    names = [m.name for m in loaded.members]
    return {
        "xs": drawn["xs"],
        "ys": drawn["ys"],
        "index": kept.tolist(),
        "pair": [pair_key(loaded.group_of[a[k]], loaded.group_of[b[k]]) for k in kept],
        "member_a": [names[a[k]] for k in kept],
        "member_b": [names[b[k]] for k in kept],
        "of_a": [loaded.groups[loaded.group_of[a[k]]] for k in kept],
        "of_b": [loaded.groups[loaded.group_of[b[k]]] for k in kept],
        "before": [level_text(before[k], error[k], unit) for k in kept],
        "after": [level_text(after[k], error[k], unit) for k in kept],
        "pixels": [" and ".join(pixels[k]) for k in kept],
        "shade": [0.08 + (0.5 * size[k] / largest if largest > 0 and np.isfinite(size[k]) else 0.0) for k in kept],
    }


def _status_number(status: str) -> int:
    """Category of a status, by what follows its comma, where it has one; -1 for others."""
    head, _, why = status.partition(", ")
    return _STATUS.get(why or head, -1)


def pair_key(first: int, second: int) -> str:
    """Short name of a pair of groups, the same whichever comes first."""
    return f"{min(first, second)} {max(first, second)}"


def field_parts(loaded: Loaded, overlaps: Overlaps) -> list[Integers]:
    """Members of each part of the field: groups that are connected by overlaps, usable or not."""
    a, b = loaded.group_of[overlaps.member_a], loaded.group_of[overlaps.member_b]
    count = len(loaded.groups)
    of = connected_components(coo_array((np.ones(len(a)), (a, b)), shape=(count, count)), directed=False)[1]
    return [np.flatnonzero(of[loaded.group_of] == k) for k in range(int(of.max()) + 1)]


def _thinned(x: Floats, y: Floats) -> tuple[list[float], list[float]]:
    """Ring without the vertices and digits that a map cannot show."""
    size = float(max(np.ptp(x), np.ptp(y)))
    if not size > 0 or not np.isfinite(size):
        return x.tolist(), y.tolist()
    ring = shapely.get_coordinates(shapely.simplify(shapely.LinearRing(np.column_stack([x, y])), 1e-3 * size))
    rounded = np.round(ring[:-1], int(np.ceil(4 - np.log10(size))))
    return rounded[:, 0].tolist(), rounded[:, 1].tolist()


def _joined(plane: SkyPlane, rings: Sequence[Floats]) -> tuple[list[float], list[float]]:
    """Rings of a region one after another, NaN between them."""
    parts = [_thinned(*plane.offsets(ring)) for ring in rings]
    x, y = ([v for part in parts for v in (*part[axis], float("nan"))][:-1] for axis in (0, 1))
    return x, y

"""Turn sky regions into the pixels of each member that they make bad."""

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from skymatch_nb.core.raster import polygon_spans
from skymatch_nb.core.runs import Runs, paint_spans, to_runs
from skymatch_nb.errors import GeometryError, InputError
from skymatch_nb.executor import Work
from skymatch_nb.geometry.candidates import bounding_caps
from skymatch_nb.geometry.clipping import clip_to_outline
from skymatch_nb.geometry.outlines import EDGE_TOLERANCE, trace_outline
from skymatch_nb.geometry.sphere import to_radec
from skymatch_nb.io.regions import Region, RegionSet, read_region_sets
from skymatch_nb.results import Floats, Integers, Member, Outline, SkyPolygon

Bad = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class _Packed:
    """Regions of all sets one after another, with their caps; ``set_of`` tells the set of each."""

    sets: tuple[RegionSet, ...]
    regions: tuple[Region, ...]
    set_of: Integers
    centers: Floats
    radii: Floats

    @classmethod
    def of(cls, sets: tuple[RegionSet, ...]) -> "_Packed":
        regions = tuple(r for s in sets for r in s.regions)
        set_of = np.repeat(np.arange(len(sets)), [len(s.regions) for s in sets])
        return cls(sets, regions, set_of, *bounding_caps([r.polygon for r in regions]))

    def near(self, outline: Outline) -> Integers:
        """Numbers of the regions whose cap touches that of an outline."""
        apart = np.arccos(np.clip(self.centers @ outline.center, -1, 1))
        return np.flatnonzero(apart <= (self.radii + outline.radius) * (1 + 1e-6) + 1e-9)


def region_runs(
    members: Sequence[Member], exclude: Sequence[str] | None, include: Sequence[str] | None, work: Work
) -> tuple[tuple[Runs | None, ...], tuple[str, ...]]:
    """Runs of the pixels of every member that are inside ``exclude`` or outside ``include``, and notes.

    A pixel is inside a region when its centre is. Within a file or text, regions with a minus sign are taken away from
    the others. Empty where no regions are given.

    Raises
    ------
    InputError
        Where regions cannot be read, or brought into a member's pixels.
    """
    if not exclude and not include:
        return (), ()
    tolerance = EDGE_TOLERANCE * np.radians(min(m.nominal_scale for m in members) / 3600)
    excluded, included = (_Packed.of(read_region_sets(entries or (), tolerance)) for entries in (exclude, include))

    each = [_Covering(member, excluded, included, bool(include)) for member in members]
    found = work.map(_runs, each, "regions", threads=False, sent=attrgetter("member.in_files"))
    runs = tuple(f[0] for f in found)
    notes = [*_notes(excluded, [f[1] for f in found]), *_notes(included, [f[2] for f in found])]
    return runs, (*notes, *_nothing_left(members, runs))


@dataclass(frozen=True, eq=False)
class _Covering:
    """A member, and the regions whose pixels, or all pixels outside of which, are bad (``limits``)."""

    member: Member
    excluded: _Packed
    included: _Packed
    limits: bool


def _runs(item: _Covering) -> tuple[Runs | None, Integers, Integers]:
    """Runs of bad pixels, and the numbers of the regions that touch the member."""
    member, outline = item.member, _outline(item.member)
    bad, touched_out = _covered(member, outline, item.excluded)
    inside, touched_in = _covered(member, outline, item.included)
    if item.limits:
        outside = np.ones(member.shape, np.bool_) if inside is None else ~inside
        bad = outside if bad is None else bad | outside
    return None if bad is None or not bad.any() else to_runs(bad), touched_out, touched_in


def _outline(member: Member) -> Outline:
    try:
        return trace_outline(member.wcs, member.shape)
    except GeometryError as error:
        raise InputError(f"{member.name}: regions cannot be mapped: {error}") from error


def _covered(member: Member, outline: Outline, packed: _Packed) -> tuple[Bad | None, Integers]:
    """Pixels of a member inside any set, None where no region touches it, and the numbers of those that do."""
    clipped = {int(i): _clipped(packed.regions[i], outline, member) for i in packed.near(outline)}
    touching = {i: polygon for i, polygon in clipped.items() if polygon is not None}
    covered: Bad | None = None
    for k in np.unique(packed.set_of[list(touching)]) if touching else ():
        own = {i: polygon for i, polygon in touching.items() if packed.set_of[i] == k}
        inside = _painted(member, [p for i, p in own.items() if packed.regions[i].adds])
        inside &= ~_painted(member, [p for i, p in own.items() if not packed.regions[i].adds])
        covered = inside if covered is None else covered | inside
    return covered, np.array(list(touching), np.int64)


def _clipped(region: Region, outline: Outline, member: Member) -> SkyPolygon | None:
    try:
        return clip_to_outline(region.polygon, outline)
    except GeometryError as error:
        raise InputError(f"{region.name}: cannot be mapped into {member.name}: {error}") from error


def _painted(member: Member, polygons: Sequence[SkyPolygon]) -> Bad:
    """Image of the pixels inside any of some polygons, all of which lie on the member."""
    image = np.zeros(member.shape, np.bool_)
    for polygon in polygons:
        x, y = member.wcs.to_pixels(*to_radec(polygon.vectors))
        paint_spans(image, polygon_spans(x, y, polygon.ring_offsets, member.shape))
    return image


def _notes(packed: _Packed, touched: Sequence[Integers]) -> list[str]:
    """What a user should know of regions that do nothing."""
    idle = np.setdiff1d(np.arange(len(packed.regions)), np.concatenate([[], *touched]).astype(int))
    notes = []
    if len(idle):
        more = f" and {len(idle) - 3} more" if len(idle) > 3 else ""
        notes.append(f"no member is touched by {', '.join(packed.regions[i].name for i in idle[:3])}{more}")
    notes += [
        f"{s.name}: {s.without_area} points, lines or texts have no area and are not used"
        for s in packed.sets
        if s.without_area
    ]
    return notes


def _nothing_left(members: Sequence[Member], runs: Sequence[Runs | None]) -> list[str]:
    """Note on members all of whose pixels are bad."""
    gone = [
        member.name
        for member, bad in zip(members, runs, strict=True)
        if bad is not None and int((bad[:, 1] - bad[:, 0]).sum()) == member.shape[0] * member.shape[1]
    ]
    more = f" and {len(gone) - 3} more" if len(gone) > 3 else ""
    return [f"regions leave no pixel of {', '.join(gone[:3])}{more}"] if gone else []

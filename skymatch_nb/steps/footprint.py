"""Trace the outline of every member on the sky."""

from collections.abc import Sequence

from skymatch_nb.errors import GeometryError, InputError
from skymatch_nb.executor import Work
from skymatch_nb.geometry.outlines import trace_outline, trace_ring, within_bounds
from skymatch_nb.io.pixels import good_pixels, read_pixels
from skymatch_nb.results import Footprints, Loaded, Masks, Member, Outline
from skymatch_nb.steps.goodarea import GoodArea, good_area, is_frame


def footprint(key: str, loaded: Loaded, work: Work, masks: Masks | None = None) -> Footprints:
    """Outlines of all members: of their frames, or with ``masks`` of the area of their good pixels.

    Raises
    ------
    InputError
        Where a member's edge is not on the sky or spans more than the projections here can hold.
    """
    good = [None if masks is None else masks.of(k) for k in range(len(loaded))]
    each = list(zip(loaded.members, good, strict=True))
    found = work.map(_trace, each, "footprint", threads=masks is not None, sent=_in_files)
    notes = () if masks is None else _notes(loaded, [area for _, area in found])
    return Footprints(key, tuple(outline for outline, _ in found), notes=notes)


def _in_files(item: tuple[Member, Masks | None]) -> bool:
    return all(part is None or part.in_files for part in item)


def _trace(item: tuple[Member, Masks | None]) -> tuple[Outline, GoodArea | None]:
    member, masks = item
    try:
        frame = trace_outline(member.wcs, member.shape)
        if masks is None:
            return frame, None
        good, held = good_pixels(read_pixels(member.pixels), masks, 0), within_bounds(member.wcs, member.shape)
        area = good_area(good if held is None else good & held)
        if area is None or is_frame(area, member.shape):
            return frame, area
        return trace_ring(member.wcs, area.x, area.y, frame), area
    except GeometryError as error:
        raise InputError(f"{member.name}: no footprint: {error}") from error


def _notes(loaded: Loaded, areas: Sequence[GoodArea | None]) -> tuple[str, ...]:
    """What a user should know of members whose good pixels have no outline of their own."""
    names = [member.name for member in loaded.members]
    split = [name for name, area in zip(names, areas, strict=True) if area is not None and area.pieces > 1]
    empty = [name for name, area in zip(names, areas, strict=True) if area is None]
    notes = []
    if split:
        notes.append(f"good pixels fall in several pieces, whose convex hull is the footprint: {_listed(split)}")
    if empty:
        notes.append(f"there is no good pixel, and the frame is the footprint: {_listed(empty)}")
    return tuple(notes)


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"{', '.join(names[:3])}{more}"

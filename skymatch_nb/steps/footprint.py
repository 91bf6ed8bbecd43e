"""Trace the outline of every member on the sky."""

from skymatch_nb.errors import GeometryError, InputError
from skymatch_nb.executor import Work
from skymatch_nb.geometry import trace_outline
from skymatch_nb.results import Footprints, Loaded, Member, Outline


def footprint(key: str, loaded: Loaded, work: Work) -> Footprints:
    """Outlines of all members.

    Raises
    ------
    InputError
        Where a member's edge is not on the sky or spans more than the projections here can hold.
    """

    def one(member: Member) -> Outline:
        try:
            return trace_outline(member.wcs, member.shape)
        except GeometryError as error:
            raise InputError(f"{member.name}: no footprint: {error}") from error

    return Footprints(key, tuple(work.map(one, loaded.members, "footprint", threads=False)))

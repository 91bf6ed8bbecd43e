"""What a session covers on the sky."""

from typing import Any

from skymatch_nb.errors import InputError
from skymatch_nb.geometry.outlines import outline_polygon
from skymatch_nb.geometry.unions import to_spherical_polygon, union_polygons
from skymatch_nb.session.state import SessionState


class SessionOutlines(SessionState):
    """Outlines of members, groups and the whole mosaic."""

    def outline(self, name: str) -> Any:
        """Outline of a member or a group as a `spherical_geometry.polygon.SphericalPolygon`.

        A group's outline is the union of its members.

        Raises
        ------
        InputError
            Where no member or group has that name.
        """
        loaded, footprints = self._pipeline.require("group", "footprint")
        chosen = [k for k, m in enumerate(loaded.members) if name in (m.name, m.group)]
        if not chosen:
            raise InputError(f"{name!r} is no member and no group")
        outlines = [footprints.outlines[k] for k in chosen]
        return to_spherical_polygon(union_polygons(outlines) if len(chosen) > 1 else [outline_polygon(outlines[0])])

    def mosaic_outline(self) -> Any:
        """Union of all members as a `spherical_geometry.polygon.SphericalPolygon`.

        A region with a hole is given as pieces without one, cut through the hole.
        """
        (footprints,) = self._pipeline.require("footprint")
        return to_spherical_polygon(union_polygons(footprints.outlines))

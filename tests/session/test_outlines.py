"""Outlines of a session, as polygons on the sphere."""

import numpy as np
import pytest
from spherical_geometry.polygon import SphericalPolygon

from skymatch_nb import InputError


def test_outlines_are_spherical_polygons(session, mosaic):
    member = session.outline(f"{mosaic.paths[0].name}[SCI,1]")
    group = session.outline(mosaic.paths[0].name)
    everything = session.mosaic_outline()
    assert all(isinstance(p, SphericalPolygon) for p in (member, group, everything))
    areas = session.footprints.area_arcsec2
    steradian = (180 * 3600 / np.pi) ** 2
    assert member.area() * steradian == pytest.approx(areas.iloc[0], rel=1e-5)
    assert group.area() * steradian == pytest.approx(areas.iloc[:2].sum(), rel=1e-5)
    assert group.area() < everything.area() < sum(areas) / steradian
    with pytest.raises(InputError, match="'nobody' is no member"):
        session.outline("nobody")

"""Images at places of the sky that are hard on geometry, and their outlines."""

import numpy as np
import pytest
from astropy.wcs import WCS, Sip
from spherical_geometry.polygon import SphericalPolygon

from skymatch_nb.geometry.outlines import trace_outline
from skymatch_nb.io.wcs import FitsTransform

SIZE, SCALE = 1000, 0.05 / 3600
SIDE = SIZE * SCALE
SHAPE = (SIZE, SIZE)
PLACES = {"middle": (150.1, 2.2), "RA 0": (0.001, -45.0), "north pole": (10.0, 89.999), "south pole": (200.0, -90.0)}
at_places = pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)


def make_transform(projection, place, scale=SCALE, shape=SHAPE, rotation=0.0, crpix=None, bend=0.0):
    """World coordinates; ``bend`` is a SIP distortion in pixels at the corner, ``rotation`` in degrees."""
    ny, nx = shape
    wcs = WCS(naxis=2)
    suffix = "-SIP" if bend else ""
    wcs.wcs.ctype = f"RA---{projection}{suffix}", f"DEC--{projection}{suffix}"
    wcs.wcs.crval = place
    wcs.wcs.crpix = crpix or ((nx + 1) / 2, (ny + 1) / 2)
    cos, sin = np.cos(np.radians(rotation)), np.sin(np.radians(rotation))
    wcs.wcs.cd = scale * np.array([[-cos, sin], [sin, cos]])
    if bend:
        half = np.hypot(nx, ny) / 2
        a, b = np.zeros((4, 4)), np.zeros((4, 4))
        a[2, 0], a[1, 1], a[0, 3] = bend / half**2, -0.6 * bend / half**2, 0.2 * bend / half**3
        b[0, 2], b[1, 1], b[2, 1] = -bend / half**2, 0.5 * bend / half**2, 0.1 * bend / half**3
        wcs.sip = Sip(a, b, None, None, wcs.wcs.crpix)
    wcs.wcs.set()
    return FitsTransform(wcs)


def tan_outline(place, rotation=0.0, shape=SHAPE, scale=SCALE, crpix=None):
    return trace_outline(make_transform("TAN", place, scale, shape, rotation, crpix), shape)


def displaced(place, east, north):
    """Position that is ``east`` and ``north`` degrees away on the tangent plane at a place."""
    frame = WCS(naxis=2)
    frame.wcs.ctype, frame.wcs.crval, frame.wcs.crpix = ("RA---TAN", "DEC--TAN"), place, (1, 1)
    return tuple(float(v) for v in frame.wcs_pix2world(east, north, 0))


def spherical(outline):
    """Return an outline as spherical_geometry's polygon, made without the package."""
    closed = np.vstack([outline.vectors, outline.vectors[:1]])
    return SphericalPolygon(closed, inside=outline.center)


IMAGES = {
    "TAN": (make_transform("TAN", (150.1, 2.2), rotation=20), SHAPE),
    "TAN across RA 0": (make_transform("TAN", (0.0, 40.0)), SHAPE),
    "TAN on the pole": (make_transform("TAN", (10.0, 89.999), 0.5 / 3600, (200, 400)), (200, 400)),
    "TAN of 60 degrees": (make_transform("TAN", (10.0, 20.0), 0.06), SHAPE),
    "SIP": (make_transform("TAN", (150.1, 2.2), rotation=50, bend=12.0), SHAPE),
    "SIP, weak": (make_transform("TAN", (150.1, 2.2), bend=0.2), SHAPE),
    "SIP, strong": (make_transform("TAN", (0.0, 70.0), rotation=-33, shape=(2048, 4096), bend=100.0), (2048, 4096)),
    "SIP on the pole": (make_transform("TAN", (30.0, 90.0), rotation=10, bend=20.0), SHAPE),
    "CAR of 60 degrees": (make_transform("CAR", (10.0, 0.0), 0.06), SHAPE),
    "CAR to declination 45": (
        make_transform("CAR", (10.0, 0.0), 0.06, (500, 1000), crpix=(500.5, -250.0)),
        (500, 1000),
    ),
    "ARC of 60 degrees": (make_transform("ARC", (359.9, 50.0), 0.06), SHAPE),
    "ARC around the pole": (make_transform("ARC", (10.0, 89.0), 0.06), SHAPE),
    "AIT of 100 degrees": (make_transform("AIT", (0.01, 0.0), 0.1), SHAPE),
}
for_images = pytest.mark.parametrize(("transform", "shape"), IMAGES.values(), ids=IMAGES)

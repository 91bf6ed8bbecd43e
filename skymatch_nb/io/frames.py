"""Celestial frames of world coordinate systems, to ICRS and back."""

from typing import Any

import numpy as np
from astropy.coordinates import FK5, ICRS, SkyCoord

from skymatch_nb.results import Floats


def other_frame(frame: Any) -> Any:
    """Return the frame where it is neither ICRS nor, what is the same to 0.03 arcsec, FK5 of J2000; else None."""
    j2000 = isinstance(frame, ICRS) or (isinstance(frame, FK5) and abs(frame.equinox.jyear - 2000) < 0.01)
    return None if frame is None or j2000 else frame


def to_icrs(frame: Any, longitude: Floats, latitude: Floats) -> tuple[Floats, Floats]:
    """Right ascension and declination in degrees; None as frame is ICRS, and so is what has no position."""
    if frame is None or not np.isfinite(longitude + latitude).all():
        return longitude, latitude
    sky = SkyCoord(longitude, latitude, unit="deg", frame=frame).icrs
    return sky.ra.deg, sky.dec.deg


def from_icrs(frame: Any, ra: Floats, dec: Floats) -> tuple[Floats, Floats]:
    """Longitude and latitude in degrees in a frame, None being ICRS."""
    if frame is None:
        return ra, dec
    sky = SkyCoord(ra, dec, unit="deg", frame="icrs").transform_to(frame)
    return sky.spherical.lon.deg, sky.spherical.lat.deg

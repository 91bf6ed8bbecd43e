"""Pixel scales: what headers call nominal, and what a WCS has at a place."""

from typing import Any

import numpy as np
from astropy.io import fits
from astropy.wcs.utils import proj_plane_pixel_area

from skymatch_nb.io.gwcs_transform import GwcsTransform
from skymatch_nb.io.wcs import FitsTransform
from skymatch_nb.results import Floats, SkyTransform


def nominal_scale(transform: FitsTransform | GwcsTransform, primary: fits.Header, header: fits.Header) -> float:
    """Nominal pixel scale in arcsec.

    That is HSTWCS.idcscale, else PAMSCALE or IDCSCALE, else the root of the pixel area PIXAR_A2, else that of an
    astropy WCS's linear part, else the local one in the middle of the image.
    """
    scales = [getattr(transform.wcs, "idcscale", None)]
    scales += [h.get(name) for name in ("PAMSCALE", "IDCSCALE") for h in (header, primary)]
    areas = [h.get("PIXAR_A2") for h in (header, primary)]
    found = [_positive(scale) for scale in scales] + [_positive(area) ** 0.5 for area in areas]
    known = next((scale for scale in found if scale > 0), 0.0)
    if known > 0:
        return known
    if isinstance(transform, FitsTransform):
        return float(np.sqrt(_pixel_area(transform.wcs)) * 3600.0)
    return float(local_scale(transform, *transform.middle)[0])


def _pixel_area(wcs: Any) -> float:
    """Pixel area of the linear part; astropy copies the WCS for it, which axes in order do not need."""
    if wcs.naxis == 2 and wcs.wcs.lng == 0:
        return float(np.abs(np.linalg.det(wcs.pixel_scale_matrix)))
    return float(proj_plane_pixel_area(wcs))


def local_scale(transform: SkyTransform, x: Floats, y: Floats) -> Floats:
    """Pixel scale in arcsec at pixel positions of shape (n,): the root of the area that a pixel covers there."""
    across, up = (
        _vectors(*transform.to_sky(x + dx, y + dy)) - _vectors(*transform.to_sky(x - dx, y - dy))
        for dx, dy in ((0.5, 0.0), (0.0, 0.5))
    )
    area = np.linalg.norm(np.cross(across, up), axis=1)
    return np.asarray(np.degrees(np.sqrt(area)) * 3600.0)


def _vectors(ra: Floats, dec: Floats) -> Floats:
    a, d = np.radians(ra), np.radians(dec)
    return np.column_stack([np.cos(d) * np.cos(a), np.cos(d) * np.sin(a), np.sin(d)])


def _positive(value: Any) -> float:
    """Return the value where it is a positive number, else 0."""
    usable = isinstance(value, int | float) and not isinstance(value, bool) and np.isfinite(value) and value > 0
    return float(value) if usable else 0.0

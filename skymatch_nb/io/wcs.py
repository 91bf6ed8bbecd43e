"""World coordinate systems behind one face: HSTWCS and astropy WCS with every distortion that they know."""

import io
import logging
import warnings
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import Any

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS, FITSFixedWarning
from astropy.wcs.utils import proj_plane_pixel_area

from skymatch_nb.errors import InputError
from skymatch_nb.results import Floats


@dataclass(frozen=True, eq=False)
class FitsTransform:
    """An astropy WCS (an HSTWCS is one) with SIP, NPOL and D2IM applied."""

    wcs: Any

    @property
    def distorted(self) -> bool:
        """Whether there is more than the linear part and the projection."""
        return bool(self.wcs.has_distortion)

    def to_sky(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """See `skymatch_nb.results.SkyTransform`."""
        ra, dec = self.wcs.all_pix2world(x, y, 0)
        return ra, dec

    def to_pixels(self, ra: Floats, dec: Floats) -> tuple[Floats, Floats]:
        """See `skymatch_nb.results.SkyTransform`; distortions are inverted to 1e-4 pixel."""
        if len(ra) == 0:
            return np.zeros(0), np.zeros(0)
        if self.distorted:
            x, y = self.wcs.all_world2pix(ra, dec, 0, quiet=True, tolerance=1e-4)
        else:
            x, y = self.wcs.wcs_world2pix(ra, dec, 0)
        return x, y


def read_transform(hdus: fits.HDUList, hdu: int, where: str) -> FitsTransform:
    """World coordinates of an image extension.

    Parameters
    ----------
    hdus
        The open file, which distortion tables are read from.
    hdu
        Number of the extension.
    where
        Name of the member, for the error.

    Raises
    ------
    InputError
        Where the header has no celestial WCS, or one that cannot be used.
    """
    header = hdus[hdu].header
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FITSFixedWarning)
            wcs = _hst_wcs(hdus, hdu) if _is_hst(hdus) else WCS(header, fobj=hdus)
            celestial = wcs.has_celestial and wcs.naxis == 2
    except Exception as error:  # wcslib, stwcs and astropy raise many types for a bad header
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise InputError(f"{where}: its WCS cannot be used: {reason[-1]}") from error
    if not celestial:
        axes = ", ".join(str(header.get(f"CTYPE{k}", "none")) for k in (1, 2))
        raise InputError(f"{where}: no celestial WCS (CTYPE1, CTYPE2 = {axes})")
    return FitsTransform(wcs)


def nominal_scale(transform: FitsTransform, primary: fits.Header, header: fits.Header) -> float:
    """Nominal pixel scale in arcsec: HSTWCS.idcscale, else PAMSCALE or IDCSCALE, else that of the WCS's linear part."""
    candidates = [getattr(transform.wcs, "idcscale", None)]
    candidates += [h.get(name) for name in ("PAMSCALE", "IDCSCALE") for h in (header, primary)]
    for value in candidates:
        if isinstance(value, int | float) and np.isfinite(value) and value > 0:
            return float(value)
    return float(np.sqrt(proj_plane_pixel_area(transform.wcs)) * 3600.0)


def _is_hst(hdus: fits.HDUList) -> bool:
    return str(hdus[0].header.get("TELESCOP", "")).strip().upper() == "HST"


def _hst_wcs(hdus: fits.HDUList, hdu: int) -> Any:
    from stwcs.wcsutil import HSTWCS

    silence = logging.getLogger("stwcs")
    level = silence.level
    silence.setLevel(logging.ERROR)
    try:
        with redirect_stdout(io.StringIO()):
            return HSTWCS(hdus, ext=hdu)
    finally:
        silence.setLevel(level)

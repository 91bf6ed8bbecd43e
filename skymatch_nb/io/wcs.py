"""World coordinate systems behind one face: HSTWCS and astropy WCS with every distortion that they know."""

import io
import logging
import re
import warnings
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from astropy.coordinates import FK5, ICRS, SkyCoord
from astropy.io import fits
from astropy.wcs import WCS, FITSFixedWarning
from astropy.wcs.utils import proj_plane_pixel_area, wcs_to_celestial_frame

from skymatch_nb.errors import InputError
from skymatch_nb.results import Floats

_NPOL_CARD = re.compile(r"(CPDIS|DP|CPERR)\d.*")
_D2IM_CARD = re.compile(r"(D2IMDIS|D2IM|D2IMERR|AXISCORR|D2IMEXT)\d?.*")


@dataclass(eq=False)
class FitsTransform:
    """An astropy WCS (an HSTWCS is one) with SIP, NPOL and D2IM applied."""

    wcs: Any

    @property
    def distorted(self) -> bool:
        """Whether there is more than the linear part and the projection."""
        return bool(self.wcs.has_distortion)

    @cached_property
    def _frame(self) -> Any:
        """Frame of the coordinates where it is not ICRS or, what is the same to 0.03 arcsec, FK5 of J2000."""
        frame = wcs_to_celestial_frame(self.wcs)
        j2000 = isinstance(frame, ICRS) or (isinstance(frame, FK5) and abs(frame.equinox.jyear - 2000) < 0.01)
        return None if j2000 else frame

    def to_sky(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """See `skymatch_nb.results.SkyTransform`."""
        world = self.wcs.all_pix2world(x, y, 0)
        longitude, latitude = world[self.wcs.wcs.lng], world[self.wcs.wcs.lat]
        if self._frame is None or not np.isfinite(longitude + latitude).all():
            return longitude, latitude
        sky = SkyCoord(longitude, latitude, unit="deg", frame=self._frame).icrs
        return sky.ra.deg, sky.dec.deg

    def to_pixels(self, ra: Floats, dec: Floats) -> tuple[Floats, Floats]:
        """See `skymatch_nb.results.SkyTransform`; distortions are inverted to 1e-4 pixel."""
        if len(ra) == 0:
            return np.zeros(0), np.zeros(0)
        if self._frame is not None:
            sky = SkyCoord(ra, dec, unit="deg", frame="icrs").transform_to(self._frame)
            ra, dec = sky.spherical.lon.deg, sky.spherical.lat.deg
        world = (ra, dec) if self.wcs.wcs.lng < self.wcs.wcs.lat else (dec, ra)
        if self.distorted:
            x, y = self.wcs.all_world2pix(*world, 0, quiet=True, tolerance=1e-4)
        else:
            x, y = self.wcs.wcs_world2pix(*world, 0)
        return x, y


def read_transform(hdus: fits.HDUList, hdu: int, where: str) -> tuple[FitsTransform, tuple[str, ...]]:
    """World coordinates of an image extension, and notes on what could not be used.

    Where the distortion tables that a header names are missing, the WCS without them is taken, with a note.

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
    first: Exception | None = None
    for hst, tables in _ways(hdus):
        try:
            source, dropped = (hdus, []) if tables else _without_tables(hdus, hdu)
            if tables or dropped:
                wcs = _read(source, hdu, hst)
                break
        except Exception as error:  # wcslib, stwcs and astropy raise many types for a bad header
            first = first or error
    else:
        raise _unusable(first or ValueError("no way to read it"), where) from first
    check_celestial(wcs, where)
    notes = [] if tables else [f"distortion tables ({', '.join(dropped)}) are missing: the WCS is used without them"]
    if _is_hst(hdus) and not hst:
        notes.append("stwcs cannot read the header: astropy's WCS is used")
    return FitsTransform(wcs), tuple(notes)


def _ways(hdus: fits.HDUList) -> list[tuple[bool, bool]]:
    """Ways to read a WCS, the best first: whether through stwcs, and whether with distortion tables."""
    ways = [(False, True), (False, False)]
    return [(True, True), (True, False), *ways] if _is_hst(hdus) else ways


def _read(hdus: fits.HDUList, hdu: int, hst: bool) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FITSFixedWarning)
        wcs = _hst_wcs(hdus, hdu) if hst else WCS(hdus[hdu].header, fobj=hdus)
        return wcs.celestial if wcs.naxis > 2 and wcs.has_celestial else wcs


def _unusable(error: Exception, where: str) -> InputError:
    reason = str(error).strip().splitlines() or [type(error).__name__]
    return InputError(f"{where}: its WCS cannot be used: {reason[-1]}")


def _without_tables(hdus: fits.HDUList, hdu: int) -> tuple[fits.HDUList, list[str]]:
    """Headers without the cards that name lookup tables, and which of NPOL and D2IM there were."""
    headers = [other.header.copy() for other in hdus]
    dropped = []
    for name, pattern in (("NPOL", _NPOL_CARD), ("D2IM", _D2IM_CARD)):
        cards = [keyword for keyword in set(headers[hdu]) if pattern.fullmatch(keyword)]
        for keyword in cards:
            headers[hdu].remove(keyword, remove_all=True)
        dropped += [name] if cards else []
    bare = [fits.PrimaryHDU(header=headers[0])]
    bare += [fits.ImageHDU(np.zeros((1, 1), np.uint8) if k != hdu else None, h) for k, h in enumerate(headers) if k]
    for made, header in zip(bare, headers, strict=True):
        made.header.update({k: v for k, v in header.items() if k.startswith("NAXIS") and k != "NAXIS"})
    return fits.HDUList(bare), dropped


def check_celestial(wcs: WCS, where: str) -> None:
    """Raise `InputError` where a WCS does not give two celestial coordinates of two pixel axes."""
    if not (wcs.has_celestial and wcs.naxis == 2):
        axes = ", ".join(str(name) or "none" for name in wcs.wcs.ctype)
        raise InputError(f"{where}: no celestial WCS (CTYPE = {axes})")


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

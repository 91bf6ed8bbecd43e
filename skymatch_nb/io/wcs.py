"""World coordinate systems behind one face: HSTWCS and astropy WCS with every distortion that they know."""

import io
import logging
import re
import threading
import warnings
from collections.abc import Iterable, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS, FITSFixedWarning
from astropy.wcs.utils import wcs_to_celestial_frame

from skymatch_nb.errors import InputError
from skymatch_nb.io.frames import from_icrs, other_frame, to_icrs
from skymatch_nb.results import Bounds, Floats

_POLYNOMIAL = re.compile(r"CTYPE\d.? *= '[^' ]*-(TPV|TPD|TPU|TNX|ZPX|DSS) *'")
"""Projections that hold a distortion."""

_AXIS = re.compile(r"CTYPE\d([A-Z]?)")

_CELESTIAL = re.compile(r"(RA|DEC|.LON|.LAT|..LN|..LT)(-|$)")
"""Type of an axis of the sky."""

_PLACE = (
    (re.compile(r"(CD|PC)\d_\d|(CD|PC)00\d00\d|CDELT\d|PLTRAH"), "pixel scale (CDi_j or CDELTi)"),
    (re.compile(r"CRVAL\d|PLTRAH"), "position (CRVALi)"),
)
"""Cards without which an image is nowhere; plate solutions have others."""

_TABLE_CARDS = {
    "NPOL": re.compile(r"(CPDIS|DP|CPERR)\d.*"),
    "D2IM": re.compile(r"(D2IMDIS|D2IM|D2IMERR|AXISCORR|D2IMEXT)\d?.*"),
}


@dataclass(eq=False)
class FitsTransform:
    """An astropy WCS (an HSTWCS is one) with SIP, NPOL and D2IM applied.

    ``polynomial`` names its projection where that holds a distortion, None where that is not known yet.
    It may be used by several threads: wcslib works in buffers of the WCS itself, so that calls wait for each other.
    """

    wcs: Any
    polynomial: str | None = None
    _lock: Any = field(default_factory=threading.RLock, init=False, repr=False, compare=False)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _lock=threading.RLock())

    @property
    def distorted(self) -> bool:
        """Whether there is more than the linear part and the projection."""
        return bool(self.wcs.has_distortion)

    @property
    def label(self) -> str:
        """Which of the header's WCS it is: ``primary`` or the letter of an alternate one, and its name."""
        key, name = self.wcs.wcs.alt.strip() or "primary", self.wcs.wcs.name.strip()
        return f"{key}: {name}" if name else key

    @property
    def distortion(self) -> str:
        """What there is besides the linear part and the projection: SIP, NPOL, D2IM, or a polynomial projection."""
        tables = {
            "SIP": self.wcs.sip,
            "NPOL": self.wcs.cpdis1 or self.wcs.cpdis2,
            "D2IM": self.wcs.det2im1 or self.wcs.det2im2,
        }
        if self.polynomial is None:
            found = _POLYNOMIAL.search(self.wcs.wcs.to_header())  # wcslib keeps it apart from CTYPE
            self.polynomial = found[1] if found else ""
        return ", ".join([name for name, used in tables.items() if used] + [self.polynomial] * bool(self.polynomial))

    @cached_property
    def _frame(self) -> Any:
        """Frame of the coordinates where it is not ICRS or, what is the same to 0.03 arcsec, FK5 of J2000."""
        frame = self.wcs.wcs.radesys.strip()
        if self.wcs.wcs.lngtyp == "RA" and (frame == "ICRS" or (frame == "FK5" and self.wcs.wcs.equinox == 2000.0)):
            return None
        return other_frame(wcs_to_celestial_frame(self.wcs))

    @property
    def bounds(self) -> Bounds | None:
        """See `skymatch_nb.results.SkyTransform`: the ``pixel_bounds`` of the WCS object."""
        box = self.wcs.pixel_bounds
        if box is None or None in box:
            return None
        (x0, x1), (y0, y1) = box
        return float(x0), float(x1), float(y0), float(y1)

    def to_sky(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """See `skymatch_nb.results.SkyTransform`."""
        with self._lock:
            world = self.wcs.all_pix2world(x, y, 0)
        return to_icrs(self._frame, world[self.wcs.wcs.lng], world[self.wcs.wcs.lat])

    def to_pixels(self, ra: Floats, dec: Floats) -> tuple[Floats, Floats]:
        """See `skymatch_nb.results.SkyTransform`; distortions are inverted to 1e-4 pixel."""
        if len(ra) == 0:
            return np.zeros(0), np.zeros(0)
        ra, dec = from_icrs(self._frame, ra, dec)
        world = (ra, dec) if self.wcs.wcs.lng < self.wcs.wcs.lat else (dec, ra)
        with self._lock:
            if self.distorted:
                x, y = self.wcs.all_world2pix(*world, 0, quiet=True, tolerance=1e-4)
            else:
                x, y = self.wcs.wcs_world2pix(*world, 0)
        return x, y


def wcs_keys(header: fits.Header) -> list[str]:
    """Keys of the WCS that a header has: letters, and '' for the primary one."""
    found = (_AXIS.fullmatch(keyword) for keyword in header)
    return sorted({match[1] for match in found if match})


def check_key(keys: Sequence[str], key: str, where: str) -> None:
    """Raise `InputError` where an alternate WCS is asked for that is not among the keys."""
    if key and key not in keys:
        known = ", ".join(k or "the primary one" for k in keys) or "none"
        raise InputError(f"{where}: no WCS with the key {key!r} (it has {known})")


def read_transform(hdus: fits.HDUList, hdu: int, where: str, key: str = "") -> tuple[FitsTransform, tuple[str, ...]]:
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
    key
        Letter of an alternate WCS, empty for the primary one. Lookup tables belong to all of them.

    Raises
    ------
    InputError
        Where the header has no celestial WCS, none of that key, or one that cannot be used.
    """
    header = hdus[hdu].header
    check_key(wcs_keys(header), key, where)
    check_axes(header, key, where)
    first: Exception | None = None
    for hst, without in _ways(hdus):
        try:
            source, dropped = _without_tables(hdus, hdu, without)
            if dropped == list(without):
                wcs = _read(source, hdu, hst, key or " ")
                break
        except Exception as error:  # wcslib, stwcs and astropy raise many types for a bad header
            first = first or error
    else:
        raise _unusable(first or ValueError("no way to read it"), where) from first
    check_celestial(wcs, where)
    check_place(header, wcs, key, where)
    notes = [f"distortion tables ({', '.join(dropped)}) are missing: the WCS is used without them"] if dropped else []
    if _is_hst(hdus) and not hst:
        notes.append("stwcs cannot read the header: astropy's WCS is used")
    return FitsTransform(wcs), tuple(notes)


def _ways(hdus: fits.HDUList) -> list[tuple[bool, tuple[str, ...]]]:
    """Ways to read a WCS, the best first: whether through stwcs, and without which distortion tables."""
    tables = ((), ("D2IM",), ("NPOL",), ("NPOL", "D2IM"))
    return [(hst, without) for hst in ((True, False) if _is_hst(hdus) else (False,)) for without in tables]


def _read(hdus: fits.HDUList, hdu: int, hst: bool, key: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FITSFixedWarning)
        wcs = _hst_wcs(hdus, hdu, key) if hst else WCS(hdus[hdu].header, fobj=hdus, key=key)
        return wcs.celestial if wcs.naxis > 2 and wcs.has_celestial else wcs


def _unusable(error: Exception, where: str) -> InputError:
    reason = str(error).strip().splitlines() or [type(error).__name__]
    return InputError(f"{where}: its WCS cannot be used: {reason[-1]}")


def _without_tables(hdus: fits.HDUList, hdu: int, names: Sequence[str]) -> tuple[fits.HDUList, list[str]]:
    """Return the file without the cards that name some lookup tables, and which of these it had."""
    if not names:
        return hdus, []
    header = hdus[hdu].header.copy()
    dropped = []
    for name in names:
        cards = [keyword for keyword in set(header) if _TABLE_CARDS[name].fullmatch(keyword)]
        for keyword in cards:
            header.remove(keyword, remove_all=True)
        dropped += [name] if cards else []
    bare = fits.ImageHDU(header=header) if hdu else fits.PrimaryHDU(header=header)
    bare.header.update({name: header[name] for name in ("NAXIS1", "NAXIS2") if name in header})
    return fits.HDUList([bare if k == hdu else other for k, other in enumerate(hdus)]), dropped


def check_axes(header: fits.Header, key: str, where: str) -> None:
    """Raise `InputError` where a header's axes are not two of the sky: wcslib's words for that help nobody."""
    types = [str(header.get(f"CTYPE{k}{key}", "") or "").strip() for k in (1, 2)]
    if not all(map(_CELESTIAL.match, types)) and not (any(map(_CELESTIAL.match, types)) and f"CTYPE3{key}" in header):
        raise _not_celestial(types, where)


def check_celestial(wcs: WCS, where: str) -> None:
    """Raise `InputError` where a WCS does not give two celestial coordinates of two pixel axes."""
    if not (wcs.has_celestial and wcs.naxis == 2):
        raise _not_celestial([str(name) for name in wcs.wcs.ctype], where)


def _not_celestial(types: Sequence[str], where: str) -> InputError:
    axes = ", ".join(name or "none" for name in types)
    return InputError(f"{where}: no celestial WCS (CTYPE = {axes}; needed are two axes of the sky: RA---TAN, DEC--TAN)")


def check_place(header: Iterable[str], wcs: WCS, key: str, where: str) -> None:
    """Raise `InputError` where a header gives no pixel scale or position, or only placeholders for them.

    The standard's defaults are 1 degree and 0. Hubble's spectrographs fill in unit matrices, and 0 or -1 degrees.
    """
    names = [keyword.removesuffix(key) for keyword in header]
    for pattern, what in _PLACE:
        if not any(map(pattern.fullmatch, names)):
            raise InputError(f"{where}: no celestial WCS: its header has no {what}")
    first, second = wcs.wcs.crval
    unit_matrix = np.array_equal(wcs.pixel_scale_matrix, np.eye(2))
    if unit_matrix and first == second in (0, -1) and str(wcs.wcs.ctype[0]).endswith("TAN"):
        raise InputError(
            f"{where}: no celestial WCS: its cards are placeholders (CRVAL = {first:g}, {second:g}; pixels of 1 degree)"
        )


def _is_hst(hdus: fits.HDUList) -> bool:
    return str(hdus[0].header.get("TELESCOP", "")).strip().upper() == "HST"


def _hst_wcs(hdus: fits.HDUList, hdu: int, key: str) -> Any:
    from stwcs.wcsutil import HSTWCS

    silence = logging.getLogger("stwcs")
    level = silence.level
    silence.setLevel(logging.ERROR)
    try:
        with redirect_stdout(io.StringIO()):
            return HSTWCS(hdus, ext=hdu, wcskey=key)
    finally:
        silence.setLevel(level)

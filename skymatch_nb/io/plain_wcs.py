"""World coordinates of plain headers: gnomonic, with or without SIP, made of the cards that matter alone.

wcslib reads the same cards as when astropy gives it all of a header, so that positions are the same to the last bit.
"""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from astropy.wcs import WCS, Sip, Wcsprm

from skymatch_nb.io.plain import NotPlainError, PlainHDU, PlainHeader
from skymatch_nb.io.wcs import FitsTransform, check_celestial, check_place

_CTYPES = {("RA---TAN", "DEC--TAN"): False, ("RA---TAN-SIP", "DEC--TAN-SIP"): True}
"""Types of axes that are plain, and whether they have SIP."""

_CARDS = re.compile(
    rb"(?P<linear>(?:(?:CTYPE|CRVAL|CRPIX|CUNIT|CDELT|CROTA|NAXIS)[12]|(?:CD|PC)[12]_[12]|NAXIS|WCSAXES|WCSNAME"
    rb"|RADESYS|RADECSYS|EQUINOX|EPOCH|LONPOLE|LATPOLE) *)"
    rb"|(?P<sip>[AB]P?_(?:ORDER|\d_\d) *)"
    rb"|(?P<others>(?:CTYPE|CRVAL|CRPIX|CUNIT|CDELT|CROTA|NAXIS|CD|PC|PV|PS)\d[\d_]* *|(?:CNAME|CRDER|CSYER)[3-9] *"
    rb"|(?:C[PQ]DIS|C[PQ]ERR|D[PQ])\d.*|(?:D2IM|AXISCORR|DVERR).*)"
)
"""Cards that wcslib makes such a WCS of, those of SIP, and those of more axes, parameters and lookup tables."""

_TELESCOPES = ("HST", "JWST")
"""Those whose files have more to tell: stwcs and the gwcs read it."""


def plain_transform(hdus: Sequence[PlainHDU], number: int, where: str, key: str = "") -> FitsTransform:
    """World coordinates of an image of a plain file; ``key`` is that of an alternate WCS, none of which is plain.

    Raises
    ------
    NotPlainError
        Where they are of another kind.
    InputError
        As `skymatch_nb.io.wcs.read_transform`.
    """
    header, primary = hdus[number].header, hdus[0].header
    types = header.get("CTYPE1"), header.get("CTYPE2")
    telescope = str(primary.get("TELESCOP", "")).strip().upper()
    if key or types not in _CTYPES or telescope in _TELESCOPES or any(hdu.name.upper() == "ASDF" for hdu in hdus):
        raise NotPlainError
    cards = header.sorted_by(_CARDS)
    linear, polynomials = cards["linear"], cards["sip"]
    if cards["others"] or header.get("WCSAXES", 2) != 2 or bool(polynomials) != _CTYPES[types]:
        raise NotPlainError
    wcs = WCS(naxis=2)
    wcs.wcs = Wcsprm(b"".join(linear.values()), relax=True, warnings=False)
    if wcs.wcs.naxis != 2:
        raise NotPlainError
    wcs.sip = _sip(header) if polynomials else None
    wcs.wcs.fix()
    wcs.wcs.set()
    wcs.pixel_shape = header["NAXIS1"], header["NAXIS2"]
    check_celestial(wcs, where)
    check_place(linear, wcs, "", where)
    return FitsTransform(wcs, "")


def _sip(header: PlainHeader) -> Sip:
    """Polynomials of both axes; those of the inverse where there are some."""
    forward = [_coefficients(header, name) for name in ("A", "B")]
    if any(found is None for found in forward):
        raise NotPlainError
    inverse = [_coefficients(header, name) for name in ("AP", "BP")]
    if (inverse[0] is None) != (inverse[1] is None):
        raise NotPlainError
    return Sip(*forward, *inverse, (header["CRPIX1"], header["CRPIX2"]))


def _coefficients(header: PlainHeader, name: str) -> np.ndarray[Any, Any] | None:
    order = header.get(f"{name}_ORDER")
    if order is None:
        return None
    if type(order) is not int or not 2 <= order <= 9:
        raise NotPlainError
    found = np.zeros((order + 1, order + 1))
    for i in range(order + 1):
        for j in range(order + 1 - i):
            if (value := header.get(f"{name}_{i}_{j}")) is not None:
                found[i, j] = value
    return found

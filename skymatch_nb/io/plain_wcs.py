"""World coordinates of plain headers: gnomonic, alone, with SIP, or as TPV, made of the cards that matter alone.

wcslib reads the same cards as when astropy gives it all of a header, so that positions are the same to the last bit.
"""

import re
from collections.abc import Iterable, Sequence

import numpy as np
from astropy.wcs import WCS, Sip, Wcsprm

from skymatch_nb.io.plain import NotPlainError, PlainHDU, PlainHeader
from skymatch_nb.io.wcs import FitsTransform, check_celestial, check_place

_CTYPES = {("RA---TAN", "DEC--TAN"): "", ("RA---TAN-SIP", "DEC--TAN-SIP"): "SIP", ("RA---TPV", "DEC--TPV"): "TPV"}
"""Types of axes that are plain, and the distortion that they have."""

_CARDS = re.compile(
    rb"(?P<linear>(?:(?:CTYPE|CRVAL|CRPIX|CUNIT|CDELT|CROTA|NAXIS)[12]|(?:CD|PC)[12]_[12]|NAXIS|WCSAXES|WCSNAME"
    rb"|RADESYS|RADECSYS|EQUINOX|EPOCH|LONPOLE|LATPOLE) *)"
    rb"|(?P<sip>[AB]P?_(?:ORDER|\d_\d) *)"
    rb"|(?P<tpv>PV[12]_\d\d? *)"
    rb"|(?P<others>(?:CTYPE|CRVAL|CRPIX|CUNIT|CDELT|CROTA|NAXIS|CD|PC|PV|PS)\d[\d_]* *|(?:CNAME|CRDER|CSYER)[3-9] *"
    rb"|(?:C[PQ]DIS|C[PQ]ERR|D[PQ])\d.*|(?:D2IM|AXISCORR|DVERR).*)"
)
"""Cards that wcslib makes such a WCS of, those of SIP and of TPV, and those of more axes, parameters and tables."""

_AXES = ("A", "B", "AP", "BP")
"""Polynomials of SIP, by the first letters of their cards."""

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
    linear, polynomials, distortion = cards["linear"], cards["sip"], _CTYPES[types]
    has = "SIP" * bool(polynomials) + "TPV" * bool(cards["tpv"])
    if cards["others"] or header.get("WCSAXES", 2) != 2 or has != distortion:
        raise NotPlainError
    wcs = WCS(naxis=2)
    wcs.wcs = Wcsprm(b"".join((*linear.values(), *cards["tpv"].values())), relax=True, warnings=False)
    if wcs.wcs.naxis != 2:
        raise NotPlainError
    wcs.sip = _sip(header, polynomials) if polynomials else None
    wcs.wcs.fix()
    wcs.wcs.set()
    wcs.pixel_shape = header["NAXIS1"], header["NAXIS2"]
    check_celestial(wcs, where)
    check_place(linear, wcs, "", where)
    return FitsTransform(wcs, "TPV" if distortion == "TPV" else "")


def _sip(header: PlainHeader, names: Iterable[str]) -> Sip:
    """Polynomials of both axes; those of the inverse where there are some."""
    orders = {name: header[f"{name}_ORDER"] for name in _AXES if f"{name}_ORDER" in header}
    if tuple(orders) not in (_AXES[:2], _AXES) or any(type(m) is not int or not 2 <= m <= 9 for m in orders.values()):
        raise NotPlainError
    found = {name: np.zeros((m + 1, m + 1)) for name, m in orders.items()}
    for name in names:
        axis, i, j = name.split("_") if name.count("_") == 2 else ("", "", "")
        if axis in found and int(i) + int(j) <= orders[axis]:
            found[axis][int(i), int(j)] = header[name]
    return Sip(*(found.get(name) for name in _AXES), (header["CRPIX1"], header["CRPIX2"]))

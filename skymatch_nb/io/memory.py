"""Images that people hold in a notebook: HDU lists, CCDData and NDData, arrays with a WCS or a header."""

import copy
import sys
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from astropy import units as u
from astropy.io import fits
from astropy.utils.exceptions import AstropyWarning
from astropy.utils.masked import Masked
from astropy.wcs import WCS, FITSFixedWarning

from skymatch_nb.errors import InputError
from skymatch_nb.io.grammar import Extension
from skymatch_nb.io.gwcs_transform import is_gwcs
from skymatch_nb.io.wcs import check_axes, check_celestial, check_key, check_place, wcs_keys


@dataclass(frozen=True, eq=False)
class ObjectSpec:
    """An object in memory that holds one image or more; ``number`` counts such objects from 1.

    Of an HDU list, ``extensions`` are the images wanted (without any, its content decides) and ``masks`` their user
    masks by position: arrays in which non-zero pixels are good, or None.
    """

    payload: Any
    number: int
    extensions: tuple[Extension, ...] = ()
    masks: tuple[Any, ...] = ()

    @property
    def name(self) -> str:
        """The file it came from, else what its header calls it, else its number."""
        if isinstance(self.payload, fits.HDUList):
            own = self.payload[0].header.get("FILENAME") if len(self.payload) else None
            known = (self.payload.filename() if len(self.payload) else None) or own
        else:
            known = cards_of(self.payload).get("FILENAME")
        return Path(str(known)).name if known else f"image{self.number}"

    def content(self) -> tuple[Any, ...]:
        """What a change of the object would change: its pixels, masks and cards."""
        if isinstance(self.payload, fits.HDUList):
            held = [(str(hdu.header), _hdu_content(hdu)) for hdu in self.payload]
            return (self.name, held, [str(extension) for extension in self.extensions], self.masks)
        data, _, mask = array_of(self.payload)
        wcs = getattr(self.payload, "wcs", None) if is_nddata(self.payload) else self.payload[1]
        return (self.name, data, mask, _wcs_content(wcs), str(cards_of(self.payload)))


def _hdu_content(hdu: Any) -> Any:
    """Pixels of an image; the rows of an ASCII table, which in WAIVER form hold each group's header."""
    if isinstance(hdu, fits.TableHDU):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AstropyWarning)
            return str(hdu.data.tolist())
    return np.asarray(hdu.data) if _holds_image(hdu) else None


def is_image_object(item: Any) -> bool:
    """Whether an input is an HDU list, an NDData or a pair of an array and a WCS or header."""
    if isinstance(item, fits.HDUList) or is_nddata(item):
        return True
    if not isinstance(item, tuple) or len(item) != 2:
        return False
    return isinstance(item[0], np.ndarray) and (isinstance(item[1], fits.Header | WCS | Mapping) or is_gwcs(item[1]))


def is_nddata(item: Any) -> bool:
    """Whether an object is an NDData; where nobody has imported its module, which takes a while, there is none."""
    module = sys.modules.get("astropy.nddata")
    return module is not None and isinstance(item, module.NDData)


def array_of(payload: Any) -> tuple[np.ndarray[Any, Any], str, np.ndarray[Any, Any] | None]:
    """Pixels, unit (empty: unknown) and mask of bad pixels (None: none) of an NDData or a pair."""
    data = payload.data if is_nddata(payload) else payload[0]
    unit = getattr(payload, "unit", None)
    mask = getattr(payload, "mask", None)
    if isinstance(data, u.Quantity):
        unit, data = data.unit, data.value
    if isinstance(data, Masked):
        mask = data.mask if mask is None else data.mask | np.asarray(mask, bool)
        data = data.unmasked
    if isinstance(data, np.ma.MaskedArray):
        own = np.ma.getmaskarray(data)
        mask = own if mask is None else own | np.asarray(mask, bool)
        data = data.data
    pixels = np.asarray(data)
    bad = None if mask is None else np.asarray(mask, bool)
    if bad is not None and bad.ndim == 0:
        bad = np.broadcast_to(bad, pixels.shape)
    return pixels, "" if unit is None else str(unit), bad


def cards_of(payload: Any) -> Mapping[str, Any]:
    """Header cards of an NDData or of a pair, by keyword."""
    cards = payload.meta if is_nddata(payload) else payload[1]
    return cards if isinstance(cards, fits.Header | Mapping) else {}


def wcs_of(payload: Any, where: str, key: str = "") -> Any:
    """WCS or gwcs of an NDData or of a pair; ``key`` chooses an alternate WCS of a header.

    Raises
    ------
    InputError
        Where there are none.
    """
    wcs = payload.wcs if is_nddata(payload) else payload[1]
    if wcs is None:
        raise InputError(f"{where}: it has no WCS")
    if isinstance(wcs, Mapping | fits.Header):
        header = fits.Header(wcs)
        check_key(wcs_keys(header), key, where)
        check_axes(header, key, where)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", FITSFixedWarning)
                wcs = WCS(header, key=key or " ")
        except Exception as error:  # wcslib raises many types
            raise InputError(f"{where}: its header's WCS cannot be used: {str(error).splitlines()[-1]}") from error
        check_celestial(wcs, where)
        check_place(header, wcs, key, where)
    wcs = getattr(wcs, "low_level_wcs", wcs)
    if is_gwcs(wcs):
        check_key([""], key, where)
        return copy.deepcopy(wcs)
    if not isinstance(wcs, WCS):
        raise InputError(f"{where}: a WCS of type {type(wcs).__name__} cannot be read")
    check_key([wcs.wcs.alt.strip()], key, where)
    return copy.deepcopy(wcs)  # wcslib completes a WCS when it is used


def _wcs_content(wcs: Any) -> str:
    """All that a WCS or header is made of, as text."""
    wcs = getattr(wcs, "low_level_wcs", wcs)
    if is_gwcs(wcs):
        forward = wcs.forward_transform
        return f"{wcs.available_frames} {forward} {forward.parameters.tolist()} {wcs.bounding_box}"
    if not isinstance(wcs, WCS):
        return str(wcs)
    own = copy.deepcopy(wcs)
    sip = [None if c is None else c.tolist() for c in (own.sip.a, own.sip.b)] if own.sip is not None else None
    return f"{own.to_header_string(relax=True)} {sip}"


def _holds_image(hdu: Any) -> bool:
    return isinstance(hdu, fits.PrimaryHDU | fits.ImageHDU | fits.CompImageHDU) and hdu.header.get("NAXIS", 0) > 0

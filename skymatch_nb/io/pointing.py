"""World coordinates of an image in an HDU list: the gwcs of JWST's ASDF extension, or those of the FITS header."""

import io
from typing import Any

from astropy.io import fits

from skymatch_nb.errors import InputError
from skymatch_nb.io.asdf_files import NEEDED, asdf_package, first_line, opened_asdf
from skymatch_nb.io.gwcs_transform import GwcsTransform, is_gwcs
from skymatch_nb.io.wcs import FitsTransform, read_transform

_COLUMN = "ASDF_METADATA"


def find_transform(
    hdus: fits.HDUList, number: int, where: str, key: str = ""
) -> tuple[GwcsTransform | FitsTransform, tuple[str, ...]]:
    """World coordinates of an image extension, and notes on what could not be used.

    The gwcs of a file with one image and an ASDF extension goes before the FITS header, which has a fit to it at best;
    an alternate WCS (``key``) is always the header's.

    Raises
    ------
    InputError
        Where there is none, or it is none of an image.
    """
    if key or not _has_own_gwcs(hdus, number):
        return read_transform(hdus, number, where, key)
    found, why = _own_gwcs(hdus, where)
    header = hdus[number].header
    if found is not None:
        return GwcsTransform(found, (int(header["NAXIS2"]), int(header["NAXIS1"])), where), ()
    try:
        transform, notes = read_transform(hdus, number, where)
    except InputError as error:
        raise InputError(f"{error}; and {why}") from error
    kind = f"with {transform.distortion}" if transform.distortion else "without distortion"
    return transform, (f"{why}: the WCS of the FITS header is used, {kind}", *notes)


def _has_own_gwcs(hdus: fits.HDUList, number: int) -> bool:
    """Whether an image may have a gwcs in the file."""
    names = [hdu.name for hdu in hdus]
    return hdus[number].name == "SCI" and names.count("SCI") == 1 and names.count("ASDF") == 1


def _own_gwcs(hdus: fits.HDUList, where: str) -> tuple[Any, str]:
    """Gwcs object of the ASDF extension; None where there is none, and why."""
    try:
        asdf_package()
    except ImportError:
        return None, f"its gwcs cannot be read ({NEEDED})"
    try:
        raw = hdus["ASDF"].data[_COLUMN].tobytes()
        with opened_asdf(io.BytesIO(raw), where) as file:
            found = file.tree.get("meta", {}).get("wcs")
    except (InputError, KeyError, TypeError, ValueError, OSError) as error:
        return None, f"its ASDF extension cannot be read ({first_line(error)})"
    if not is_gwcs(found):
        return None, "there is no gwcs in its ASDF extension"
    return found, ""

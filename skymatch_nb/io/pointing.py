"""World coordinates of an image in an HDU list: the gwcs of JWST's ASDF extension, or those of the FITS header."""

import io
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from astropy.io import fits

from skymatch_nb.errors import InputError
from skymatch_nb.io.asdf_files import NEEDED, asdf_package, first_line, opened_asdf
from skymatch_nb.io.gwcs_transform import GwcsTransform, is_gwcs
from skymatch_nb.io.opened import opened
from skymatch_nb.io.plain import NOT_READ, PlainHDU, read_plain
from skymatch_nb.io.plain_wcs import plain_transform
from skymatch_nb.io.wcs import FitsTransform, read_transform

_EXTENSION, _COLUMN = "ASDF", "ASDF_METADATA"
"""Where JWST's files keep their gwcs."""


def find_transform(
    hdus: fits.HDUList | Sequence[PlainHDU], number: int, where: str, key: str = ""
) -> tuple[GwcsTransform | FitsTransform, tuple[str, ...]]:
    """World coordinates of an image extension, and notes on what could not be used.

    The gwcs of a file with one image and an ASDF extension goes before the FITS header, which has a fit to it at best;
    an alternate WCS (``key``) is always the header's. A note tells where the header's is used for an image of JWST.

    Raises
    ------
    InputError
        Where there is none, or it is none of an image.
    NotPlainError
        Where only astropy can read it, of HDUs of a plain file.
    """
    if not isinstance(hdus, fits.HDUList):
        return plain_transform(hdus, number, where, key), ()
    if key:
        return read_transform(hdus, number, where, key)
    found, why = _own_gwcs(hdus, number, where)
    if found is not None:
        return found, ()
    try:
        transform, notes = read_transform(hdus, number, where)
    except InputError as error:
        if not why:
            raise
        raise InputError(f"{error}; and {why}") from error
    if not why or (hdus[number].name != "SCI" and not transform.distortion):  # mosaics of others have no other WCS
        return transform, notes
    kind = f"with {transform.distortion}" if transform.distortion else "without distortion"
    return transform, (f"{why}: the WCS of the FITS header is used, {kind}", *notes)


def transform_in_file(path: Path, number: int, where: str, key: str = "") -> GwcsTransform | FitsTransform:
    """World coordinates of an image in a FITS or GEIS file, read as when it was loaded.

    Raises
    ------
    InputError
        As `find_transform`.
    """
    plain = read_plain(path)
    if plain is not None:
        with suppress(*NOT_READ):
            return find_transform(plain, number, where, key)[0]
    with opened(path) as hdus:
        return find_transform(hdus, number, where, key)[0]


def _own_gwcs(hdus: fits.HDUList, number: int, where: str) -> tuple[GwcsTransform | None, str]:
    """Gwcs of an image in the file's ASDF extension; None where there is none, and why there ought to be one."""
    why = _no_place(hdus, number)
    if why is not None:
        return None, why
    try:
        asdf_package()
    except ImportError:
        return None, f"its gwcs cannot be read ({NEEDED})"
    header = hdus[number].header
    try:
        raw = hdus[_EXTENSION].data[_COLUMN].tobytes()
        with opened_asdf(io.BytesIO(raw), where) as file:
            found = file.tree.get("meta", {}).get("wcs")
    except Exception as error:  # what is damaged makes astropy, asdf and its converters raise many types
        cause = error.__cause__ if isinstance(error, InputError) and error.__cause__ else error
        return None, f"its ASDF extension cannot be read ({first_line(cause)})"
    if not is_gwcs(found):
        return None, "there is no gwcs in its ASDF extension"
    try:
        return GwcsTransform(found, (int(header["NAXIS2"]), int(header["NAXIS1"])), where), ""
    except InputError:
        raise
    except Exception as error:  # as above: parts of it may be converted only now
        return None, f"the gwcs of its ASDF extension cannot be used ({first_line(error)})"


def _no_place(hdus: fits.HDUList, number: int) -> str | None:
    """Why an image cannot have a gwcs in the file, empty where none is expected; None where it may have one."""
    names = [hdu.name for hdu in hdus]
    images, places = names.count("SCI"), names.count(_EXTENSION)
    if hdus[number].name == "SCI" and images == places == 1:
        return None
    if str(hdus[0].header.get("TELESCOP", "")).strip() != "JWST":
        return ""
    if places == 1 and images > 1:
        return f"which of its {images} images its gwcs belongs to is not known"
    return f"the file has {places or 'no'} {_EXTENSION} extension{'s' if places > 1 else ''}"

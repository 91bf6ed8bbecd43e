"""WAIVER FITS, a GEIS file in FITS form: one array of all groups, and a table of the values of each group's cards.

The last axis of the primary array (the first in numpy's order) counts groups, where there are several. The ASCII table
has a row for each group and a column for each card; a card of the table's header with the column's name holds the
card's comment.
"""

import re
import warnings
from typing import Any

import numpy as np
from astropy.io import fits
from astropy.io.fits.verify import VerifyWarning
from numpy.typing import NDArray

from skymatch_nb.errors import InputError

_GROUP_TABLE = re.compile(r"\.[a-z]\dh\.tab$", re.IGNORECASE)
"""Name of the table of group parameters: that of the GEIS file it came from."""

_OF_THE_ARRAY = re.compile(
    r"ORIGIN|FITSDATE|FILENAME|ALLG-M(AX|IN)|ODATTYPE|SDASMGNU|OPSIZE|B(SCALE|ZERO)|(CTYPE|CUNIT|CRVAL|CRPIX|CDELT)\d|CD\d_\d"
)
"""Cards of the primary header that tell of the array of all groups, or of how it was made."""

_WCS = re.compile(r"(CTYPE|CUNIT|CRVAL|CRPIX|CDELT|CROTA)[12]|CD[12]_[12]")


def is_waiver(hdus: fits.HDUList) -> bool:
    """Whether an HDU list is of this form."""
    return len(hdus) == 2 and isinstance(hdus[1], fits.TableHDU) and bool(_GROUP_TABLE.search(hdus[1].name))


def decode_waiver(hdus: fits.HDUList, where: str) -> fits.HDUList:
    """Groups as image extensions, in memory; the list that was given stays as it is.

    Extensions are named by FILETYPE (SCI, SDQ) and numbered from 1. What the table does not say of the WCS comes from
    the primary header.

    Parameters
    ----------
    where
        Name of the file or object, for the error.

    Raises
    ------
    InputError
        Where array and table do not belong together, a value cannot be read, or one of the WCS is missing.
    """
    broken = f"{where}: cannot be read: its groups cannot be decoded (WAIVER FITS)"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", VerifyWarning)  # formats for showing logical columns
            return _decoded(hdus)
    except InputError as error:
        raise InputError(f"{broken}: {error}") from None
    except (ValueError, TypeError, KeyError, IndexError, fits.VerifyError) as error:
        raise InputError(f"{broken}: {(str(error).splitlines() or [type(error).__name__])[0]}") from error


def _decoded(hdus: fits.HDUList) -> fits.HDUList:
    primary, table = hdus[0].header, hdus[1]
    images = _images(hdus[0].data, len(table.data))
    kept = primary.copy(strip=True)
    for name in set(kept):
        if name in table.columns.names or _OF_THE_ARRAY.fullmatch(name):
            kept.remove(name, remove_all=True)
    kept["NEXTEND"] = (len(images), "number of standard extensions")
    made = fits.HDUList([fits.PrimaryHDU(header=kept)])
    for k, image in enumerate(images):
        extension = fits.ImageHDU(
            image, _group_header(primary, table, k), name=str(primary.get("FILETYPE", "")).strip()
        )
        extension.ver = k + 1
        made.append(extension)
    return made


def _images(data: NDArray[Any] | None, groups: int) -> list[NDArray[Any]]:
    """Image of each group."""
    if data is None:
        raise InputError("it has no array")
    stack = data[np.newaxis] if groups == 1 and data.ndim < 3 else data
    if len(stack) != groups:
        raise InputError(f"{len(stack)} images and {groups} rows of the table")
    return list(stack)


def _group_header(primary: fits.Header, table: fits.TableHDU, row: int) -> fits.Header:
    """Cards of one group."""
    made = fits.Header()
    for name, unit in zip(table.columns.names, table.columns.units, strict=True):
        value = _value(table.data.field(name)[row], str(unit or ""))
        if isinstance(value, float) and not np.isfinite(value):
            if _WCS.fullmatch(name):
                raise InputError(f"group {row + 1} has no value of {name}")
            continue
        made[name] = (value, table.header.get(name, ""))
    for card in primary.cards:
        if _WCS.fullmatch(card.keyword) and card.keyword not in made:
            made[card.keyword] = (card.value, card.comment)
    if "ROOTNAME" in primary:
        made["EXPNAME"] = made["ROOTNAME"] = (primary["ROOTNAME"], primary.comments["ROOTNAME"])
    made["INHERIT"] = (True, "inherit the primary header")
    return made


def _value(stored: Any, unit: str) -> bool | int | float | str:
    """Value of a card; the unit of a logical column tells that it is one."""
    if isinstance(stored, str):
        return stored.strip() == "T" if unit.startswith("LOGICAL") else stored.strip()
    plain = stored.item()
    return plain if isinstance(plain, bool | int | float) else str(plain)

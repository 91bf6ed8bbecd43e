"""Association tables: the exposures that they list, as the calibrated files beside them."""

import re
from pathlib import Path

from astropy.io import fits

from skymatch_nb.errors import InputError
from skymatch_nb.io.opened import opened

SUFFIXES = ("_flc.fits", "_flt.fits", "_c0h.fits", "_c0f.fits", ".c0h")
"""What may follow a root name, the better calibrated first."""

_NAME = re.compile(r"_as[nc]\.fits(\.gz)?$", re.IGNORECASE)


def is_association(path: Path) -> bool:
    """Whether a file's name is that of an association table (``_asn.fits``, ``_asc.fits``)."""
    return bool(_NAME.search(path.name))


def association_files(path: Path) -> list[Path]:
    """Files of the exposures that a table lists as present; products are left out.

    Raises
    ------
    InputError
        Where the file has no such table, lists no exposure, or an exposure's file is missing.
    """
    with opened(path) as hdus:
        table = next((hdu for hdu in hdus if _is_association_table(hdu)), None)
        if table is None:
            raise InputError(f"{path}: no association table (a table with MEMNAME and MEMTYPE)")
        rows = table.data
        present = rows["MEMPRSNT"] if "MEMPRSNT" in rows.names else [True] * len(rows)
        listed = [
            str(name).strip()
            for name, kind, here in zip(rows["MEMNAME"], rows["MEMTYPE"], present, strict=True)
            if here and not str(kind).strip().upper().startswith("PROD")
        ]
    if not listed:
        raise InputError(f"{path}: the association lists no exposure that is present")
    return [_file_of(path, name) for name in listed]


def _is_association_table(hdu: object) -> bool:
    names = [name.upper() for name in hdu.columns.names] if isinstance(hdu, fits.BinTableHDU) else []
    return "MEMNAME" in names and "MEMTYPE" in names


def _file_of(table: Path, name: str) -> Path:
    """File of an exposure: its name as listed, else its root name with the first suffix that exists."""
    candidates = [name + end for end in ("", ".fits", *SUFFIXES)]
    for candidate in dict.fromkeys([*(c.lower() for c in candidates), *candidates]):
        for compressed in ("", ".gz"):
            path = table.parent / f"{candidate}{compressed}"
            if path.is_file():
                return path
    raise InputError(f"{table}: no file of the exposure {name!r} beside it (looked for {', '.join(SUFFIXES)})")

"""GEIS files of the early Hubble cameras: a text header (``.c0h``), and its data beside it (``.c0d``).

The header has a card of 80 characters on each line. The data hold GCOUNT groups; each is an array of NAXIS axes,
followed by PSIZE bits of group parameters, which PTYPEn, PDTYPEn and PSIZEn describe. All is big-endian.
"""

import re
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from skymatch_nb.errors import InputError

_NAME = re.compile(r"\.[a-z]\d[hH]$", re.IGNORECASE)
_TYPES = {
    ("REAL", 4): ">f4",
    ("REAL", 8): ">f8",
    ("INTEGER", 2): ">i2",
    ("INTEGER", 4): ">i4",
    ("LOGICAL", 4): ">i4",
}
_STRUCTURE = re.compile(r"SIMPLE|BITPIX|NAXIS\d*|DATATYPE|GROUPS|GCOUNT|PCOUNT|PSIZE\d*|PTYPE\d+|PDTYPE\d+|END|EXTEND")
_WCS = re.compile(r"CTYPE\d|CUNIT\d|CRVAL\d|CRPIX\d|CD\d_\d|CDELT\d|CROTA\d|EQUINOX|RADESYS")


def is_geis(path: Path) -> bool:
    """Whether a file's name is that of a GEIS header (``.c0h``, ``.d0h``, ``.q0h``, ...)."""
    return bool(_NAME.search(path.name))


def geis_data_file(path: Path) -> Path:
    """File that holds the data of a GEIS header."""
    return path.with_name(path.name[:-1] + ("d" if path.name[-1] == "h" else "D"))


def read_geis(path: Path) -> fits.HDUList:
    """Groups of a GEIS file as image extensions, SCI for science and DQ for quality, in memory.

    Raises
    ------
    InputError
        Where header or data are missing, do not belong together, have types that GEIS does not know, or are in
        another byte order.
    """
    header = _read_header(path)
    record, names = _record_type(header, path)
    data_path = geis_data_file(path)
    try:
        raw = data_path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: its data file {data_path.name}: {error.strerror or error}") from None
    groups = int(header.get("GCOUNT", 1))
    if groups < 1:
        raise InputError(f"{path}: GCOUNT = {groups} is no number of groups")
    if len(raw) < groups * record.itemsize:
        raise InputError(f"{data_path}: {len(raw)} bytes where {groups} groups need {groups * record.itemsize}")
    records = np.frombuffer(raw, record, groups)
    _check_byte_order(records, data_path)
    primary = fits.PrimaryHDU(header=_without_structure(header))
    kind = "SCI" if path.name[-3].lower() in "cd" and path.name[-2] == "0" else "DQ"
    hdus = [primary]
    for version, group in enumerate(records, 1):
        cards = _group_header(header, group, names, f"{path}: group {version}")
        extension = fits.ImageHDU(np.array(group["data"]), cards, name=kind)
        extension.ver = version
        hdus.append(extension)
    return fits.HDUList(hdus)


def _read_header(path: Path) -> fits.Header:
    try:
        lines = path.read_bytes().decode("ascii").splitlines()
        if not lines:
            raise ValueError("it is empty")
        header = fits.Header.fromstring("".join(line[:80].ljust(80) for line in lines if line.strip()))
        if str(lines[0][:6]) != "SIMPLE" or "BITPIX" not in header:
            raise ValueError("it does not begin as one")
    except (UnicodeDecodeError, ValueError, IndexError, fits.VerifyError) as error:
        raise InputError(f"{path}: not a GEIS header ({str(error).splitlines()[0]})") from None
    return header


def _record_type(header: fits.Header, path: Path) -> tuple[np.dtype[Any], list[str]]:
    """Layout of one group: its array, then its parameters by name."""
    axes = [int(header[f"NAXIS{k}"]) for k in range(int(header["NAXIS"]), 0, -1)]
    fields: list[Any] = [
        ("data", _element_type(str(header.get("DATATYPE", "REAL*4")), int(header["BITPIX"]) // 8, path), tuple(axes))
    ]
    names = []
    for k in range(1, int(header.get("PCOUNT", 0)) + 1):
        name, kind, size = (header.get(f"{word}{k}") for word in ("PTYPE", "PDTYPE", "PSIZE"))
        if name is None or kind is None or size is None:
            raise InputError(f"{path}: group parameter {k} is not described (PTYPE{k}, PDTYPE{k}, PSIZE{k})")
        fields.append((f"p{k}", _element_type(str(kind), int(size) // 8, path)))
        names.append(str(name).strip())
    record = np.dtype(fields)
    parameters = record.itemsize - record.fields["data"][0].itemsize  # type: ignore[index]
    declared = int(header.get("PSIZE", 0)) // 8
    if declared < parameters:
        raise InputError(f"{path}: PSIZE is {declared} bytes, the group parameters need {parameters}")
    if declared > parameters:
        record = np.dtype([*fields, ("unused", f"V{declared - parameters}")])
    return record, names


def _element_type(name: str, size: int, path: Path) -> str:
    kind = name.split("*")[0].strip().upper()
    if kind.startswith("CHAR"):
        return f"S{size}"
    kind = "INTEGER" if kind.startswith(("INT", "UNSIGNED")) else kind
    if (kind, size) not in _TYPES:
        raise InputError(f"{path}: data of type {name.strip()!r} with {size} bytes are not known")
    return ">u2" if name.strip().upper().startswith("UNSIGNED") and size == 2 else _TYPES[kind, size]


def _check_byte_order(records: NDArray[Any], path: Path) -> None:
    """Raise where pixels, or floating group parameters, make sense only when their bytes are swapped."""
    for name in records.dtype.names or ():
        values = records[name].ravel()[:4096]
        if values.dtype.kind != "f" and (name != "data" or values.size < 2):
            continue
        sensible = _plausible if values.dtype.kind == "f" else _smooth
        if values.size and not sensible(values) and sensible(values.byteswap()):
            raise InputError(f"{path}: written in another byte order; GEIS files must be big-endian")


def _smooth(values: NDArray[Any]) -> bool:
    """Whether neighbouring integers mostly differ by less than their lower bytes hold; swapped ones do not."""
    jumps = np.median(np.abs(np.diff(values.astype(np.float64))))
    return bool(jumps < 2 ** (4 * values.dtype.itemsize - 2))


def _plausible(values: NDArray[Any]) -> bool:
    with np.errstate(all="ignore"):
        size = np.abs(values.astype(np.float64))
        ordinary = (size == 0) | ((size > 1e-20) & (size < 1e20))
    return bool(ordinary.mean() > 0.9)


def _without_structure(header: fits.Header) -> fits.Header:
    kept = header.copy()
    for name in {card.keyword for card in header.cards}:
        if _STRUCTURE.fullmatch(name):
            kept.remove(name, remove_all=True)
    return kept


def _group_header(header: fits.Header, group: Any, names: list[str], where: str) -> fits.Header:
    """Group parameters as cards, and the file's WCS cards that are not among them."""
    made = fits.Header()
    for k, name in enumerate(names, 1):
        value = group[f"p{k}"]
        value = value.decode("ascii", "replace").strip() if isinstance(value, bytes) else value.item()
        if isinstance(value, float) and not np.isfinite(value):
            if _WCS.fullmatch(name):
                raise InputError(f"{where} has no value of {name}")
            continue
        if str(header[f"PDTYPE{k}"]).upper().startswith("LOGICAL"):
            value = bool(value)
        made[name] = (value, header.comments[f"PTYPE{k}"])
    for card in header.cards:
        if _WCS.fullmatch(card.keyword) and card.keyword not in made:
            made[card.keyword] = (card.value, card.comment)
    return made

"""Open a file of any supported format as an HDU list; whatever is wrong with it becomes one `InputError`."""

import bz2
import gzip
import lzma
import os
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from astropy.io import fits
from astropy.utils.exceptions import AstropyWarning

from skymatch_nb.errors import InputError
from skymatch_nb.io.asdf_files import MAGIC
from skymatch_nb.io.geis import geis_data_file, is_geis, read_geis
from skymatch_nb.io.instruments import sibling_quality
from skymatch_nb.io.waiver import decode_waiver, is_waiver

_STREAMS: dict[str, Callable[..., Any]] = {"gzip": gzip.open, "bzip2": bz2.open, "lzma": lzma.open}
"""How to read compressed files, by astropy's names."""


@contextmanager
def opened(path: str | os.PathLike[str], *, decode: bool = False) -> Iterator[fits.HDUList]:
    """Open a file and read its headers; GEIS and WAIVER files are decoded into image extensions in memory.

    With ``decode`` pixels are read into memory, not mapped, as scaled ones must be.

    Raises
    ------
    InputError
        Where the file cannot be read, is of no supported format, or is truncated.
    """
    try:
        if is_geis(Path(path)):
            yield read_geis(Path(path))
            return
        with warnings.catch_warnings(record=True) as caught, fits.open(path, memmap=not decode) as hdus:
            warnings.simplefilter("always", AstropyWarning)
            len(hdus)
            _check_whole(path, hdus, [str(w.message) for w in caught])
            if not is_waiver(hdus):
                yield hdus
                return
        with fits.open(path, memmap=False) as hdus:  # scaled pixels cannot be mapped
            yield decode_waiver(hdus, str(path))
    except InputError:
        raise
    except (OSError, EOFError, ValueError, TypeError, KeyError, fits.VerifyError) as error:
        if isinstance(error, PermissionError):
            raise InputError(f"{path}: no permission to read it") from error
        raise InputError(f"{path}: {_what_is_wrong(Path(path), error)}") from error


def related_files(path: Path) -> list[Path]:
    """Files that an image's pixels and quality come from: itself, a GEIS data file, a quality file beside it."""
    found = [path]
    sibling = sibling_quality(path)
    if sibling is not None:
        found.append(sibling[0])
    return found + [data for file in found if is_geis(file) and (data := geis_data_file(file)).is_file()]


def _check_whole(path: str | os.PathLike[str], hdus: fits.HDUList, warned: list[str]) -> None:
    """Raise where the file ends before its last extension, padding included, does: more may be lost than padding."""
    last = hdus[-1].fileinfo()
    needed = last["datLoc"] + last["datSpan"]
    status = Path(path).stat()
    packed = _STREAMS.get(last["file"].compression)
    size = _unpacked_size(str(path), packed, status.st_size, status.st_mtime_ns) if packed else status.st_size
    if needed > size and (packed or last["file"].compression is None):
        raise InputError(f"{path}: the file is truncated: it has {size} bytes of at least {needed}")
    for text in warned:
        if "corrupted" in text:
            raise InputError(f"{path}: the file is truncated or damaged after its extension {len(hdus) - 1}")


@lru_cache(maxsize=4096)
def _unpacked_size(path: str, stream: Callable[..., Any], *_stamp: int) -> int:
    """Bytes that a compressed file holds, read to its end once, so that its checksums are tested.

    Raises
    ------
    InputError
        Where it is truncated or damaged.
    """
    size = 0
    try:
        with stream(path, "rb") as unpacked:
            while block := unpacked.read(1 << 20):
                size += len(block)
    except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise InputError(f"{path}: the compressed file is truncated or damaged: {error}") from error
    return size


def _what_is_wrong(path: Path, error: Exception) -> str:
    """Why a file cannot be read, told by its first bytes where they are none of FITS."""
    try:
        with path.open("rb") as stream:
            start = stream.read(9)
    except OSError:
        start = None
    if start == b"":
        return "the file is empty"
    if ".asdf" in path.suffixes[:-1]:
        return "an ASDF file that is compressed as a whole; unpack it"
    if start is None or start.startswith((b"SIMPLE  =", b"\x1f\x8b", b"BZh", b"PK")):
        first = str(error).strip().splitlines()
        return f"cannot be read: {first[0] if first else repr(error)}"
    if path.suffix.lower() == ".asdf":
        return f"not an ASDF file (it begins with {start!r}, not with {MAGIC!r})"
    return "not a FITS file"

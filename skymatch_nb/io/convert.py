"""Files of old formats as multi-extension FITS beside them, as Hubble's tools name those."""

import io
import re
from pathlib import Path
from typing import BinaryIO

from skymatch_nb.errors import InputError
from skymatch_nb.io.asdf_files import is_asdf
from skymatch_nb.io.geis import is_geis
from skymatch_nb.io.instruments import sibling_quality
from skymatch_nb.io.opened import opened

_WAIVER_NAME = re.compile(r"_([a-z]\d)f\.fits(\.gz)?$", re.IGNORECASE)


def converted_path(path: Path) -> Path | None:
    """Where the converted form of a file belongs (``x_c0f.fits`` to ``x_c0h.fits``, ``x.c0h`` to ``x_c0h.fits``).

    None for a file that needs no conversion.
    """
    if is_asdf(path):
        return None
    if is_geis(path):
        return path.with_name(f"{path.stem}_{path.suffix[1:]}.fits")
    with opened(path) as hdus:
        if hdus[0].fileinfo() is not None:
            return None
    name, count = _WAIVER_NAME.subn(r"_\1h.fits", path.name)
    return path.with_name(name if count else f"{path.stem}_mef.fits")


def intended_path(path: Path, clobber: bool) -> Path:
    """Where a file is to be edited: itself, or, of an old format, the converted form that is to be made.

    Raises
    ------
    InputError
        Where the file cannot be read, or the converted form is there, is not what the file gives, and ``clobber`` is
        not set: it may have had its sky subtracted, while the levels were measured on the original.
    """
    target = converted_path(path)
    if target is None:
        return path
    if target.exists() and not clobber and not _is_unchanged(path, target):
        raise InputError(f"{target} exists: give it as input in place of {path.name}, or replace it with clobber=True")
    return target


def write_converted(path: Path, target: Path | BinaryIO) -> None:
    """Write the converted form of an old file to a file or stream."""
    with opened(path) as hdus:
        hdus.writeto(target, overwrite=True, output_verify="silentfix+ignore")


def converted_at_once(path: Path, clobber: bool) -> Path:
    """Converted form of an old file, and of its quality file: those that are there unless ``clobber`` is set.

    A file that needs no conversion is returned as it is.

    Raises
    ------
    InputError
        Where a file cannot be read or written.
    """
    target = converted_path(path)
    if target is None:
        return path
    sibling = sibling_quality(path)
    for file, made in [(path, target), *([(sibling[0], converted_path(sibling[0]))] if sibling else [])]:
        if made is not None and (clobber or not made.exists()):
            converted_file(file, clobber)
    return target


def converted_file(path: Path, clobber: bool) -> Path:
    """Return the file itself, or its converted form, which is made beside it with that of its quality file.

    The converted file is written under another name first and then renamed, so that it is whole or not there.

    Raises
    ------
    InputError
        As `intended_path`, and where the converted file cannot be written.
    """
    target = intended_path(path, clobber)
    if target == path or (target.exists() and not clobber):
        return target
    partial = target.with_name(f".{target.name}.partial")
    try:
        write_converted(path, partial)
        partial.replace(target)
    except OSError as error:
        raise InputError(f"{target}: the converted file cannot be written: {error}") from error
    finally:
        partial.unlink(missing_ok=True)
    quality = sibling_quality(path)
    if quality is not None and (beside := converted_path(quality[0])) is not None and not beside.exists():
        converted_file(quality[0], clobber)
    return target


def _is_unchanged(path: Path, target: Path) -> bool:
    """Whether a converted file holds what the old one gives: nothing was subtracted from it, or it was taken back."""
    write_converted(path, stream := io.BytesIO())
    return stream.getvalue() == target.read_bytes()

"""FITS files: which extensions are images, where their pixels are, and reading only those that are asked for."""

import mmap
import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from astropy.utils.exceptions import AstropyWarning
from numpy.typing import NDArray

from skymatch_nb.errors import InputError
from skymatch_nb.io.inputs import Extension, ImageSpec
from skymatch_nb.io.instruments import NOT_SCIENCE
from skymatch_nb.io.wcs import nominal_scale, read_transform
from skymatch_nb.results import Member, PixelSource

BITPIX = {8: ">u1", 16: ">i2", 32: ">i4", 64: ">i8", -32: ">f4", -64: ">f8"}


def open_members(spec: ImageSpec, file: str) -> list[Member]:
    """Members of one file; ``file`` is the name that tables show for it.

    Raises
    ------
    InputError
        Where the file is not FITS or truncated, an extension is missing or not a 2-D image, no image is found, or
        one has no celestial WCS. The text names file and extension.
    """
    with opened(spec.path) as hdus:
        chosen, rule = _choose(hdus, spec.extensions, file)
        return [_member(hdus, number, spec.path, file, rule) for number in chosen]


@contextmanager
def opened(path: str | os.PathLike[str]) -> Iterator[fits.HDUList]:
    """Open a file and read its headers; whatever is wrong with it becomes an `InputError`."""
    try:
        with warnings.catch_warnings(record=True) as caught, fits.open(path, memmap=True) as hdus:
            warnings.simplefilter("always", AstropyWarning)
            len(hdus)
            _check_whole(path, hdus, [str(w.message) for w in caught])
            yield hdus
    except InputError:
        raise
    except (OSError, EOFError, ValueError, TypeError, KeyError, fits.VerifyError) as error:
        if isinstance(error, PermissionError):
            raise InputError(f"{path}: no permission to read it") from error
        first = str(error).strip().splitlines()
        reason = "not a FITS file" if _is_not_fits(path) else f"cannot be read: {first[0] if first else error!r}"
        raise InputError(f"{path}: {reason}") from error


def read_pixels(source: PixelSource) -> NDArray[Any]:
    """Return the image of a source, shape (ny, nx): a read-only memory map where the file allows it, else decoded.

    Raises
    ------
    InputError
        Where the file has changed since its headers were read, or cannot be read.
    """
    check_unchanged(source)
    if source.offset is not None:
        with Path(source.path).open("rb") as stream:
            buffer = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        ny, nx = source.shape
        return np.frombuffer(buffer, np.dtype(source.dtype), ny * nx, source.offset).reshape(ny, nx)
    with opened(source.path) as hdus:
        data = hdus[source.hdu].data
        return np.array(data, copy=True)


def read_flags(source: PixelSource) -> NDArray[Any]:
    """Data quality flags of a source as integers, shape (ny, nx).

    Raises
    ------
    InputError
        As `read_pixels`, and where the array holds values that are no integers.
    """
    flags = read_pixels(source)
    if flags.dtype.kind in "iu":
        return flags
    whole = flags.astype(np.int64)
    if not (whole == flags).all():
        raise InputError(
            f"{source.path}[{source.hdu}]: a DQ array must hold integers, it has {flags.dtype.name} values"
        )
    return whole


def read_cards(source: PixelSource, names: Sequence[str]) -> dict[str, tuple[Any, Any]]:
    """Values of header cards, per name: in the extension and in the primary header; None where absent.

    Raises
    ------
    InputError
        Where the file has changed since its headers were read, or cannot be read.
    """
    check_unchanged(source)
    if source.cards is None:
        with opened(source.path) as hdus:
            extension, primary = hdus[source.hdu].header, hdus[0].header
            return {name: (extension.get(name), primary.get(name)) for name in names}
    blocks = []
    with Path(source.path).open("rb") as stream:
        for start, stop in source.cards:
            stream.seek(start)
            blocks.append(stream.read(stop - start))
    primary_cards, extension_cards = (_find_cards(block, names) for block in blocks)
    return {name: (extension_cards.get(name), primary_cards.get(name)) for name in names}


def check_unchanged(source: PixelSource) -> None:
    """Raise `InputError` where the file is gone or is not the one whose headers were read."""
    try:
        same = file_stamp(source.path) == source.stamp
    except OSError as error:
        raise InputError(f"{source.path}: {error.strerror or error}") from error
    if not same:
        raise InputError(f"{source.path}: the file has changed since it was loaded; call load() again")


def file_stamp(path: str | os.PathLike[str]) -> tuple[int, int]:
    """Size in bytes and modification time in nanoseconds."""
    status = Path(path).stat()
    return status.st_size, status.st_mtime_ns


def _find_cards(block: bytes, names: Sequence[str]) -> dict[str, Any]:
    wanted = {name.encode().ljust(8): name for name in names}
    found: dict[str, Any] = {}
    for at in range(0, len(block), 80):
        name = wanted.get(block[at : at + 8])
        if name is not None and name not in found:
            value = fits.Card.fromstring(block[at : at + 80]).value
            found[name] = None if isinstance(value, fits.card.Undefined) else value
    return found


def _check_whole(path: str | os.PathLike[str], hdus: fits.HDUList, warned: list[str]) -> None:
    """Raise where the file ends before its last extension, padding included, does: more may be lost than padding."""
    last = hdus[-1].fileinfo()
    needed = last["datLoc"] + last["datSpan"]
    size = Path(path).stat().st_size
    if last["file"].compression is None and needed > size:
        raise InputError(f"{path}: the file is truncated: it has {size} bytes of at least {needed}")
    for text in warned:
        if "corrupted" in text:
            raise InputError(f"{path}: the file is truncated or damaged after its extension {len(hdus) - 1}")


def _is_not_fits(path: str | os.PathLike[str]) -> bool:
    try:
        with Path(path).open("rb") as stream:
            start = stream.read(9)
    except OSError:
        return False
    return not start.startswith((b"SIMPLE  =", b"\x1f\x8b", b"BZh", b"PK"))


def _choose(hdus: fits.HDUList, extensions: Sequence[Extension], file: str) -> tuple[list[int], str]:
    """Numbers of the extensions to use, and the rule that chose them."""
    if extensions:
        return [_find(hdus, extension, file) for extension in extensions], "given"
    science = [k for k, hdu in enumerate(hdus) if hdu.name == "SCI" and _is_image(hdu)]
    if science:
        return science, "SCI"
    if _is_image(hdus[0]) and hdus[0].header.get("NAXIS", 0) > 0:
        return [0], "primary"
    images = [k for k, hdu in enumerate(hdus) if k and _dimensions(hdu) == 2 and hdu.name not in NOT_SCIENCE]
    if images:
        return images, "every image"
    found = ", ".join(f"[{k}] {hdu.name or 'unnamed'}, {_dimensions(hdu)}-D" for k, hdu in enumerate(hdus))
    raise InputError(f"{file}: no image that can be used (it has {found})")


def _find(hdus: fits.HDUList, extension: Extension, file: str) -> int:
    try:
        number = hdus.index_of(
            extension.number if extension.number is not None else (extension.name, extension.version)
        )
        hdus[number]
    except (KeyError, IndexError):
        known = ", ".join(_label(hdu, k) for k, hdu in enumerate(hdus))
        raise InputError(f"{file}[{extension}]: no such extension (it has {known})") from None
    return int(number)


def _is_image(hdu: Any) -> bool:
    return isinstance(hdu, fits.PrimaryHDU | fits.ImageHDU | fits.CompImageHDU)


def _dimensions(hdu: Any) -> int:
    return int(hdu.header.get("NAXIS", 0)) if _is_image(hdu) else 0


def _label(hdu: Any, number: int) -> str:
    return f"{hdu.name},{hdu.ver}" if number and hdu.name else str(number)


def _member(hdus: fits.HDUList, number: int, path: Path, file: str, rule: str) -> Member:
    hdu, primary = hdus[number], hdus[0].header
    label = _label(hdu, number)
    where = f"{file}[{label}]"
    if not _is_image(hdu):
        raise InputError(f"{where}: not an image but a {type(hdu).__name__}")
    if _dimensions(hdu) != 2:
        raise InputError(f"{where}: {_dimensions(hdu)}-D data where a 2-D image is needed")
    transform = read_transform(hdus, number, where)

    def text(*names: str) -> str:
        values = (str(h.get(name, "") or "").strip() for name in names for h in (hdu.header, primary))
        return next((value for value in values if value), "")

    return Member(
        name=where,
        file=file,
        ext=label,
        group=file,
        selected_by=rule,
        telescope=text("TELESCOP"),
        instrument=text("INSTRUME"),
        detector=text("DETECTOR"),
        filter=text("FILTER") or _filter_wheels(primary),
        date_obs=text("DATE-OBS"),
        nominal_scale=nominal_scale(transform, primary, hdu.header),
        wcs=transform,
        pixels=_source(hdus, number, path, where),
        quality=_quality(hdus, number, path, where),
    )


def _filter_wheels(primary: fits.Header) -> str:
    """Filters of two wheels, those that are clear left out."""
    wheels = [str(primary.get(f"FILTER{k}", "") or "").strip() for k in (1, 2)]
    return ",".join(name for name in wheels if name and not name.upper().startswith("CLEAR"))


def _quality(hdus: fits.HDUList, number: int, path: Path, where: str) -> PixelSource | None:
    """The DQ array that belongs to a SCI extension: same version, next in the same file."""
    hdu = hdus[number]
    if hdu.name != "SCI":
        return None
    found = [
        k for k, other in enumerate(hdus) if other.name == "DQ" and other.ver == hdu.ver and _dimensions(other) == 2
    ]
    return _source(hdus, found[0], path, f"{where}'s DQ") if found else None


def _source(hdus: fits.HDUList, number: int, path: Path, where: str) -> PixelSource:
    hdu, stamp = hdus[number], file_stamp(path)
    header = hdu.header
    shape = (int(header["NAXIS2"]), int(header["NAXIS1"]))
    if 0 in shape:
        raise InputError(f"{where}: the image has no pixels (shape {shape})")
    info, first = hdu.fileinfo(), hdus[0].fileinfo()
    if info["file"].compression is not None:
        return PixelSource(str(path), number, shape, "", None, None, stamp)
    cards = ((first["hdrLoc"], first["datLoc"]), (info["hdrLoc"], info["datLoc"]))
    plain = not isinstance(hdu, fits.CompImageHDU) and "BLANK" not in header
    plain = plain and header.get("BSCALE", 1) == 1 and header.get("BZERO", 0) == 0
    if isinstance(hdu, fits.CompImageHDU):
        return PixelSource(str(path), number, shape, "", None, None, stamp)
    return PixelSource(
        str(path), number, shape, BITPIX[header["BITPIX"]], info["datLoc"] if plain else None, cards, stamp
    )

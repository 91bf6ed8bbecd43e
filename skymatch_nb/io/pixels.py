"""Pixels and header cards of a source, read only when they are asked for."""

import mmap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from skymatch_nb.core.quality import flagged
from skymatch_nb.core.runs import Runs, from_runs
from skymatch_nb.errors import InputError
from skymatch_nb.io.opened import opened
from skymatch_nb.io.plain import PlainHeader
from skymatch_nb.io.roman import read_array
from skymatch_nb.io.stamps import file_stamp
from skymatch_nb.results import ArraySource, Masks, MemoryImage, PixelSource, Source


def read_pixels(source: Source, mapped: bool = True) -> NDArray[Any]:
    """Return the image of a source, shape (ny, nx).

    It is a read-only memory map where the file allows it and ``mapped`` is set, else it is read.

    Raises
    ------
    InputError
        Where the file has changed since its headers were read, or cannot be read.
    """
    if isinstance(source, MemoryImage):
        return source.data
    check_unchanged(source)
    if isinstance(source, ArraySource):
        return read_array(source)
    if source.offset is not None:
        ny, nx = source.shape
        with Path(source.path).open("rb") as stream:
            if not mapped:
                values = np.fromfile(stream, np.dtype(source.dtype), ny * nx, offset=source.offset)
                if values.size < ny * nx:
                    raise InputError(f"{source.path}: the file has been cut short since it was loaded")
                return values.reshape(ny, nx)
            buffer = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        return np.frombuffer(buffer, np.dtype(source.dtype), ny * nx, source.offset).reshape(ny, nx)
    with opened(source.path, decode=True) as hdus:
        return np.array(hdus[source.hdu].data, copy=True)


def read_flags(source: Source, mapped: bool = True) -> NDArray[Any]:
    """Data quality flags of a source as integers, shape (ny, nx); mapped or read as by `read_pixels`.

    Raises
    ------
    InputError
        As `read_pixels`, and where the array holds values that are no integers.
    """
    flags = read_pixels(source, mapped)
    if flags.dtype.kind in "iu":
        return flags
    with np.errstate(invalid="ignore"):
        whole = flags.astype(np.int64)
    if not (whole == flags).all():
        where = f"{source.path}[{source.hdu}]" if isinstance(source, PixelSource) else "the DQ array in memory"
        raise InputError(f"{where}: a DQ array must hold integers, it has {flags.dtype.name} values")
    return whole


def read_good(sources: Sequence[Source]) -> NDArray[np.bool_] | None:
    """Mask of what all sources call good (non-zero), shape (ny, nx); None where there is no source.

    Raises
    ------
    InputError
        As `read_pixels`.
    """
    good: NDArray[np.bool_] | None = None
    for source in sources:
        values = read_pixels(source)
        this = (values != 0) & ~np.isnan(values) if values.dtype.kind == "f" else values != 0
        good = this if good is None else good & this
    return good


def good_mask(masks: Masks, k: int, shape: tuple[int, int]) -> NDArray[np.bool_] | None:
    """Mask of what user masks, sky regions and detected sources leave good of member ``k``, of ``shape`` (ny, nx).

    None where all of it is good. DQ arrays and non-finite pixels are apart.

    Raises
    ------
    InputError
        As `read_pixels`.
    """
    good = read_good(masks.user[k])
    for kind in (masks.regions, masks.sources):
        bad = bad_pixels(kind, k, shape)
        if bad is not None:
            good = ~bad if good is None else good & ~bad
    return good


def good_pixels(pixels: NDArray[Any], masks: Masks, k: int) -> NDArray[np.bool_]:
    """Image of the good pixels of member ``k``: finite, not flagged, and good by every mask.

    Raises
    ------
    InputError
        As `read_pixels`.
    """
    good: NDArray[np.bool_] = np.isfinite(pixels)
    source, mask = masks.quality[k], good_mask(masks, k, good.shape)
    if source is not None:
        good &= ~flagged(read_flags(source), masks.good_bits[k])
    return good if mask is None else good & mask


def bad_pixels(kind: Sequence[Runs | None], k: int, shape: tuple[int, int]) -> NDArray[np.bool_] | None:
    """Image of the bad pixels of member ``k`` of ``Masks.regions`` or ``Masks.sources``; None where there are none."""
    runs = kind[k] if kind else None
    return None if runs is None else from_runs(runs, shape)


def read_cards(source: Source, names: Sequence[str]) -> dict[str, tuple[Any, Any]]:
    """Values of header cards, per name: in the extension and in the primary header; None where absent.

    Raises
    ------
    InputError
        Where the file has changed since its headers were read, or cannot be read.
    """
    if isinstance(source, MemoryImage):
        return {name: (source.header.get(name), source.primary.get(name)) for name in names}
    check_unchanged(source)
    if isinstance(source, ArraySource):
        return {name: (source.header.get(name), None) for name in names}
    if source.cards is None:
        with opened(source.path) as hdus:
            extension, primary = hdus[source.hdu].header, hdus[0].header
            return {name: (extension.get(name), primary.get(name)) for name in names}
    blocks = []
    with Path(source.path).open("rb") as stream:
        for start, stop in source.cards:
            stream.seek(start)
            blocks.append(stream.read(stop - start))
    try:
        primary_cards, extension_cards = (_find_cards(block, names) for block in blocks)
    except fits.VerifyError as error:
        raise InputError(f"{source.path}[{source.hdu}]: a bad header card: {str(error).splitlines()[0]}") from error
    return {name: (extension_cards.get(name), primary_cards.get(name)) for name in names}


def check_unchanged(source: PixelSource | ArraySource) -> None:
    """Raise `InputError` where the file is gone or is not the one whose headers were read."""
    if file_stamp(source.path) != source.stamp:
        raise InputError(f"{source.path}: the file has changed since it was loaded; call load() again")


def _find_cards(block: bytes, names: Sequence[str]) -> dict[str, Any]:
    header = PlainHeader(block)
    return {name: header[name] for name in names if name in header}

"""Edit FITS files byte for byte: what is not asked for stays as it is.

Headers are edited as 80-byte cards, plain pixels in chunks as they stream past; astropy makes new cards and
compressed tiles, and rewrites nothing else.
"""

import bz2
import gzip
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np

from skymatch_nb.errors import InputError
from skymatch_nb.io.cards import SUMS, edited_cards, header_with_sums, keyword_of, renumbered
from skymatch_nb.io.checksum import ones_complement_sum
from skymatch_nb.io.edits import Check, ExtensionEdit, FileEdit, primary_notes
from skymatch_nb.io.fits_layout import BLOCK, CARD, Layout, RawHDU, open_layout, padding, read_range
from skymatch_nb.io.fits_pixels import SCALING, PixelChange, pixel_change
from skymatch_nb.io.fits_verify import verify_edited
from skymatch_nb.io.tiles import decode, encode_lossless

__all__ = ["Check", "ExtensionEdit", "FileEdit", "check_edit", "check_layout", "verify_edited", "write_edited"]


@dataclass(frozen=True)
class _Part:
    """An HDU to write: its cards, and padded data that can be read any number of times."""

    cards: list[bytes]
    data: Callable[[], Iterator[bytes]]


def write_edited(edit: FileEdit, target: Path) -> None:
    """Write the edited copy of a file to a new file, to the disk.

    Raises
    ------
    InputError
        Where the file is not FITS, or what is asked for cannot be done to it.
    """
    with open_layout(edit.path) as (stream, layout), target.open("xb") as raw:
        wanted = _edits_by_hdu(edit, layout)
        with _compressor(raw, layout.compression) as out:
            for hdu in layout.hdus:
                if hdu.number in wanted:
                    _write_hdu(edit.path, stream, hdu, wanted[hdu.number], out)
                else:
                    _write_all(out, read_range(stream, hdu.start, hdu.end))
            _write_all(out, read_range(stream, layout.hdus[-1].end, layout.size))
        raw.flush()
        os.fsync(raw.fileno())


def check_edit(edit: FileEdit) -> Check:
    """Find out what an edit needs and does, and what of it cannot be done, without anything being written.

    Headers tell all of it; data are read only where a DATASUM is to be compared with them.

    Raises
    ------
    InputError
        Where the file is not FITS, or what is asked for cannot be done to it.
    """
    with open_layout(edit.path) as (stream, layout):
        return check_layout(edit, stream, layout)


def check_layout(edit: FileEdit, stream: BinaryIO, layout: Layout) -> Check:
    """As `check_edit`, of a file that is open."""
    by_hdu = _edits_by_hdu(edit, layout)
    needed, notes = layout.size, list(primary_notes(edit.edits, layout.hdus[0].value))
    for number, wanted in sorted(by_hdu.items()):
        hdu = layout.hdus[number]
        change = _change(edit.path, hdu, wanted)
        cards = _new_cards(edit.path, hdu, wanted, change)
        needed += max(len(cards) + 1 - len(hdu.cards), 0) * CARD + BLOCK
        if change is not None:
            pixels = _pixel_count(hdu, change) * change.new_type.itemsize
            needed += max(pixels + pixels // 8 + (1 << 16) if hdu.kind == "tiles" else pixels - hdu.size, 0)
        notes += [f"{hdu.label}: {note}" for note in (*_old_sum_note(stream, hdu), *_pixel_notes(hdu, change))]
    return Check(needed, tuple(notes))


def _edits_by_hdu(edit: FileEdit, layout: Layout) -> dict[int, ExtensionEdit]:
    wanted: dict[int, ExtensionEdit] = {}
    for extension in edit.edits:
        number = extension.hdu
        if number in wanted:
            raise InputError(f"{edit.path}[{number}]: two edits of one extension")
        if not 0 <= number < len(layout.hdus):
            raise InputError(f"{edit.path}[{number}]: no such extension (the last is {len(layout.hdus) - 1})")
        hdu = layout.hdus[number]
        if hdu.kind == "other":
            raise InputError(f"{edit.path}[{hdu.label}]: not an image but {hdu.value('XTENSION', 'random groups')}")
        wanted[number] = extension
    return wanted


def _write_hdu(path: Path, stream: BinaryIO, hdu: RawHDU, edit: ExtensionEdit, out: BinaryIO) -> None:
    part = _edited(path, stream, hdu, edit)
    summed = any(keyword_of(card) in SUMS for card in part.cards)
    datasum = ones_complement_sum(part.data()) if summed else 0
    out.write(header_with_sums(part.cards, datasum))
    _write_all(out, part.data())


def _edited(path: Path, stream: BinaryIO, hdu: RawHDU, edit: ExtensionEdit) -> _Part:
    change = _change(path, hdu, edit)
    cards = _new_cards(path, hdu, edit, change)
    if change is None:
        return _Part(cards, lambda: read_range(stream, hdu.data, hdu.end))
    if hdu.kind == "image":
        return _Part(cards, lambda: _subtracted(stream, hdu, change))
    pixels = change.apply(decode(stream, hdu, f"{path}[{hdu.label}]"))
    cards, data = encode_lossless(pixels, cards)
    return _Part(cards, lambda: iter([data]))


def _new_cards(path: Path, hdu: RawHDU, edit: ExtensionEdit, change: PixelChange | None) -> list[bytes]:
    removed = {"ZHECKSUM"}  # that of the header before it was compressed, which no longer exists
    if change is not None:
        removed |= {"ZDATASUM"} | (set(SCALING) if change.promoted else set())
    try:
        cards = edited_cards(hdu.cards, edit.cards, edit.history, removed)
    except InputError as error:
        raise InputError(f"{path}[{hdu.label}]: {error}") from error
    if change is not None and hdu.kind == "image":
        cards = [renumbered(c, change.new_bitpix) if keyword_of(c) == "BITPIX" else c for c in cards]
    return cards


def _change(path: Path, hdu: RawHDU, edit: ExtensionEdit) -> PixelChange | None:
    return None if edit.subtract is None else pixel_change(hdu, edit.subtract, f"{path}[{hdu.label}]")


def _subtracted(stream: BinaryIO, hdu: RawHDU, change: PixelChange) -> Iterator[bytes]:
    for chunk in read_range(stream, hdu.data, hdu.data + hdu.size):
        yield change.apply(np.frombuffer(chunk, change.old_type)).tobytes()
    yield bytes(padding(hdu.size // change.old_type.itemsize * change.new_type.itemsize))


def _pixel_count(hdu: RawHDU, change: PixelChange) -> int:
    if hdu.kind == "image":
        return hdu.size // change.old_type.itemsize
    return int(np.prod([hdu.value(f"ZNAXIS{k}") for k in range(1, hdu.value("ZNAXIS") + 1)]))


def _pixel_notes(hdu: RawHDU, change: PixelChange | None) -> Iterator[str]:
    """Tell what becomes of the type and the compression of pixels."""
    if change is not None and change.note:
        yield change.note
    if change is not None and hdu.kind == "tiles":
        yield f"compressed without loss (GZIP_2, was {str(hdu.value('ZCMPTYPE', 'RICE_1')).strip()})"


def _old_sum_note(stream: BinaryIO, hdu: RawHDU) -> tuple[str, ...]:
    """Say where the data did not match their DATASUM before the edit, which makes it match."""
    old = hdu.value("DATASUM")
    if old is None:
        return ()
    right = ones_complement_sum(read_range(stream, hdu.data, hdu.end))
    same = str(old).strip().isdigit() and int(old) % 0xFFFFFFFF == right % 0xFFFFFFFF
    return () if same else (f"DATASUM was {str(old).strip()!r} where the data had {right}",)


def _write_all(out: BinaryIO, chunks: Iterable[bytes]) -> None:
    for chunk in chunks:
        out.write(chunk)


@contextmanager
def _compressor(raw: BinaryIO, compression: str) -> Iterator[BinaryIO]:
    """Stream that compresses what is written as the original was; ``raw`` stays open."""
    if compression == "gzip":
        with gzip.GzipFile("", "wb", 6, raw, mtime=0) as zipped:
            yield cast(BinaryIO, zipped)
    elif compression == "bzip2":
        with bz2.BZ2File(raw, "wb") as packed:
            yield cast(BinaryIO, packed)
    else:
        yield raw

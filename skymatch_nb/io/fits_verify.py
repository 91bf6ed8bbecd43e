"""Read an edited FITS file back, and compare all of it with the original and with what was asked for."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from skymatch_nb.errors import SkyMatchError
from skymatch_nb.io.cards import SUMS, history_cards, keyword_of, same_value, without, without_spare
from skymatch_nb.io.checksum import ones_complement_sum
from skymatch_nb.io.edits import ExtensionEdit, FileEdit
from skymatch_nb.io.fits_layout import CHUNK, Layout, RawHDU, open_layout, read_exactly, read_range
from skymatch_nb.io.fits_pixels import SCALING, PixelChange, pixel_change
from skymatch_nb.io.tiles import CODING, decode


def verify_edited(edit: FileEdit, original: Path, target: Path) -> None:
    """Read an edited copy back.

    Untouched HDUs are compared byte for byte, cards with those asked for and those that were there, pixels with
    the original's less the number within one rounding, checksums with their data.

    Raises
    ------
    SkyMatchError
        Where anything differs; the text names file and extension.
    """
    wanted = {extension.hdu: extension for extension in edit.edits}
    with open_layout(original) as (old_stream, old), open_layout(target) as (new_stream, new):
        _require(len(old.hdus) == len(new.hdus), edit.path, "the number of extensions")
        _require(old.compression == new.compression, edit.path, "the compression")
        for before, after in zip(old.hdus, new.hdus, strict=True):
            where = f"{edit.path}[{before.label}]"
            if before.number in wanted:
                _check_hdu(old_stream, new_stream, before, after, wanted[before.number], where)
            else:
                ranges = (before.start, before.end), (after.start, after.end)
                _require(_same_bytes(old_stream, new_stream, *ranges), where, "its bytes")
        ends = (_tail(old), _tail(new))
        _require(_same_bytes(old_stream, new_stream, *ends), edit.path, "what follows the last extension")


def _check_hdu(old: BinaryIO, new: BinaryIO, before: RawHDU, after: RawHDU, edit: ExtensionEdit, where: str) -> None:
    change = None if edit.subtract is None else pixel_change(before, edit.subtract, where)
    _check_cards(before, after, edit, change, where)
    if change is None:
        ranges = (before.data, before.end), (after.data, after.end)
        _require(_same_bytes(old, new, *ranges), where, "its pixels, which were not to change,")
    else:
        for raw, pixels in _pixels(old, new, before, after, change, where):
            _require(raw.shape == pixels.shape and change.holds(raw, pixels), where, "its pixels")
    _check_sums(new, after, where)


def _check_cards(before: RawHDU, after: RawHDU, edit: ExtensionEdit, change: PixelChange | None, where: str) -> None:
    for keyword, value, _ in edit.cards:
        found = next((c for c in after.cards if keyword_of(c) == keyword.upper()), None)
        _require(found is not None and _holds(found, value), where, f"card {keyword}")
    _require(before.kind == after.kind, where, "the kind of extension")
    cards = without_spare(after.cards)
    history = history_cards(edit.history)
    if history:
        _require(list(cards[-len(history) :]) == history, where, "its HISTORY")
        cards = cards[: -len(history)]
    changed = {keyword.upper() for keyword, _, _ in edit.cards} | {*SUMS, "ZHECKSUM"}
    if change is not None:
        changed |= {"ZDATASUM", "BITPIX"} | (set(SCALING) if change.promoted else set())
    kept = [_without_coding(without(c, changed), before, change) for c in (before.cards, cards)]
    _require(kept[0] == kept[1], where, "a card that was not to change")
    bitpix = "ZBITPIX" if before.kind == "tiles" else "BITPIX"
    right = before.value(bitpix) if change is None else change.new_bitpix
    _require(after.value(bitpix) == right, where, bitpix)


def _holds(card: bytes, value: Any) -> bool:
    try:
        return same_value(value, fits.Card.fromstring(card).value)
    except (fits.VerifyError, ValueError):
        return False


def _without_coding(cards: list[bytes], hdu: RawHDU, change: PixelChange | None) -> list[bytes]:
    if hdu.kind != "tiles" or change is None:
        return cards
    return [card for card in cards if not CODING.fullmatch(keyword_of(card))]


def _pixels(
    old: BinaryIO, new: BinaryIO, before: RawHDU, after: RawHDU, change: PixelChange, where: str
) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
    """Stored pixels before and after, in chunks."""
    if before.kind == "tiles":
        yield decode(old, before, where), decode(new, after, where)
        return
    sizes = change.old_type.itemsize, change.new_type.itemsize
    count = before.size // sizes[0]
    _require(after.size == count * sizes[1], where, "the number of its pixels")
    step = CHUNK // 8
    for at in range(0, count, step):
        n = min(step, count - at)
        yield (
            np.frombuffer(read_exactly(old, before.data + at * sizes[0], n * sizes[0]), change.old_type),
            np.frombuffer(read_exactly(new, after.data + at * sizes[1], n * sizes[1]), change.new_type),
        )


def _check_sums(stream: BinaryIO, hdu: RawHDU, where: str) -> None:
    datasum, checksum = hdu.value("DATASUM"), hdu.value("CHECKSUM")
    if datasum is not None:
        right = ones_complement_sum(read_range(stream, hdu.data, hdu.end))
        _require(str(datasum).strip() == str(right), where, "DATASUM")
    if checksum is not None:
        total = ones_complement_sum(read_range(stream, hdu.start, hdu.end))
        _require(total in (0, 0xFFFFFFFF), where, "CHECKSUM")


def _same_bytes(old: BinaryIO, new: BinaryIO, there: tuple[int, int], here: tuple[int, int]) -> bool:
    if there[1] - there[0] != here[1] - here[0]:
        return False
    chunks = zip(read_range(old, *there), read_range(new, *here), strict=True)
    return all(a == b for a, b in chunks)


def _tail(layout: Layout) -> tuple[int, int]:
    return layout.hdus[-1].end, layout.size


def _require(condition: bool, where: Path | str, what: str) -> None:
    if not condition:
        raise SkyMatchError(f"{where}: {what} did not come out as asked when the new file was read back")

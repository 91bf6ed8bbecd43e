"""Where the HDUs of a FITS file are, byte for byte, and the cards of their headers as they stand there."""

import bz2
import gzip
import io
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

from astropy.io import fits

from skymatch_nb.errors import InputError

BLOCK, CARD, CHUNK = 2880, 80, 1 << 22
_END = b"END".ljust(CARD)


@dataclass(frozen=True)
class RawHDU:
    """An HDU: its first byte, that of its data, bytes of data, its end, and its cards of 80 bytes before END."""

    number: int
    start: int
    data: int
    size: int
    end: int
    cards: tuple[bytes, ...]

    def value(self, keyword: str, default: Any = None) -> Any:
        """Value of the first card of a keyword of up to eight letters; the default where none can be read."""
        name = keyword.encode().ljust(8)
        card = next((card for card in self.cards if card[:8] == name), None)
        if card is None:
            return default
        try:
            return fits.Card.fromstring(card).value
        except (fits.VerifyError, ValueError):
            return default

    @property
    def label(self) -> str:
        """Name and version, else number, as the package's tables show it."""
        name = str(self.value("EXTNAME", "")).strip().upper()
        return f"{name},{self.value('EXTVER', 1)}" if self.number and name else str(self.number)

    @property
    def kind(self) -> str:
        """Return "image", "tiles" (an image in a compressed table), or "other"."""
        if self.number == 0:
            return "other" if self.value("GROUPS", False) is True and self.value("NAXIS1") == 0 else "image"
        extension = str(self.value("XTENSION", "")).strip()
        if extension == "BINTABLE" and self.value("ZIMAGE", False) is True:
            return "tiles"
        return "image" if extension in ("IMAGE", "IUEIMAGE") else "other"


@dataclass(frozen=True)
class Layout:
    """The HDUs of a file, its size once decompressed, and how it is compressed: "", "gzip" or "bzip2"."""

    hdus: tuple[RawHDU, ...]
    size: int
    compression: str


@contextmanager
def open_layout(path: Path) -> Iterator[tuple[BinaryIO, Layout]]:
    """Open a FITS file to read its bytes, decompressed in memory where it is compressed.

    Raises
    ------
    InputError
        Where the file is not FITS, damaged or truncated.
    """
    with path.open("rb") as raw:
        magic = raw.read(3)
        raw.seek(0)
        compression = "gzip" if magic[:2] == b"\x1f\x8b" else "bzip2" if magic == b"BZh" else ""
        stream = io.BytesIO(_decompressed(raw.read(), compression, path)) if compression else raw
        yield stream, read_layout(stream, path, compression)


def read_layout(stream: BinaryIO, path: Path, compression: str = "") -> Layout:
    """Layout of a file that is open; ``path`` is for messages.

    Raises
    ------
    InputError
        Where it is not FITS, damaged or truncated.
    """
    size = stream.seek(0, os.SEEK_END)
    return Layout(tuple(_read_hdus(stream, size, path)), size, compression)


def read_range(stream: BinaryIO, start: int, stop: int) -> Iterator[bytes]:
    """Bytes of a range, in chunks of a whole number of 8-byte words but for the last."""
    for at in range(start, stop, CHUNK):
        yield read_exactly(stream, at, min(CHUNK, stop - at))


def read_exactly(stream: BinaryIO, start: int, count: int) -> bytes:
    """``count`` bytes from ``start``; OSError where the file has become shorter."""
    stream.seek(start)
    found = stream.read(count)
    if len(found) != count:
        raise OSError(f"ends at byte {start + len(found)} where {start + count} are needed")
    return found


def padding(size: int) -> int:
    """Bytes from ``size`` to the next whole block."""
    return -size % BLOCK


def header_bytes(cards: list[bytes]) -> bytes:
    """Cards, END, and blanks up to a whole block."""
    joined = b"".join(cards) + _END
    return joined + b" " * padding(len(joined))


def part_sums(path: Path) -> dict[str, str]:
    """CRC-32 of every header and every data unit, by a name such as "header of SCI,1"."""
    sums: dict[str, str] = {}
    with open_layout(path) as (stream, layout):
        for hdu in layout.hdus:
            name = hdu.label if hdu.label.isdigit() else f"{hdu.label} ({hdu.number})"
            sums[f"header of {name}"] = _crc(stream, hdu.start, hdu.data)
            sums[f"data of {name}"] = _crc(stream, hdu.data, hdu.end)
        sums["bytes after the last HDU"] = _crc(stream, layout.hdus[-1].end, layout.size)
    return sums


def _crc(stream: BinaryIO, start: int, stop: int) -> str:
    value = 0
    for chunk in read_range(stream, start, stop):
        value = zlib.crc32(chunk, value)
    return f"{value:08x}"


def _decompressed(raw: bytes, compression: str, path: Path) -> bytes:
    try:
        return gzip.decompress(raw) if compression == "gzip" else bz2.decompress(raw)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise InputError(f"{path}: damaged or truncated {compression} file: {error}") from error


def _read_hdus(stream: BinaryIO, size: int, path: Path) -> Iterator[RawHDU]:
    if read_exactly(stream, 0, min(size, 9)) != b"SIMPLE  =":
        raise InputError(f"{path}: not a FITS file")
    at, number = 0, 0
    while number == 0 or (size - at >= BLOCK and read_exactly(stream, at, 8) == b"XTENSION"):
        hdu = _read_hdu(stream, at, number, size, path)
        yield hdu
        at, number = hdu.end, number + 1


def _read_hdu(stream: BinaryIO, start: int, number: int, size: int, path: Path) -> RawHDU:
    cards: list[bytes] = []
    at = start
    while not cards or cards[-1] != _END:
        if at + BLOCK > size:
            raise InputError(f"{path}: the file is damaged or truncated: the header of extension {number} has no END")
        block = read_exactly(stream, at, BLOCK)
        at += BLOCK
        for k in range(0, BLOCK, CARD):
            cards.append(block[k : k + CARD])
            if cards[-1] == _END:
                break
    hdu = RawHDU(number, start, at, 0, 0, tuple(cards[:-1]))
    count = _data_size(hdu, path)
    end = at + count + padding(count)
    if end > size:
        raise InputError(f"{path}: the file is truncated: it has {size} bytes of at least {end}")
    return RawHDU(number, start, at, count, end, hdu.cards)


def _data_size(hdu: RawHDU, path: Path) -> int:
    def whole(keyword: str, default: int | None = None) -> int:
        value = hdu.value(keyword, default)
        if not isinstance(value, int) or (keyword != "BITPIX" and value < 0):
            raise InputError(f"{path}[{hdu.number}]: {keyword} is {value!r} where a whole number is needed")
        return int(value)

    axes = [whole(f"NAXIS{k}") for k in range(1, whole("NAXIS") + 1)]
    if axes and axes[0] == 0 and hdu.value("GROUPS", False) is True:
        axes = axes[1:]
    if not axes:
        return 0
    return abs(whole("BITPIX")) // 8 * whole("GCOUNT", 1) * (whole("PCOUNT", 0) + prod(axes))

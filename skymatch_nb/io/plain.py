"""Plain FITS files, read from their bytes: a card is parsed when it is asked for.

What is not plain (compressed or truncated files, tiles, groups, bytes after the last extension, headers that break a
rule) is left to astropy, which also knows what is wrong with it.
"""

import os
import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

from astropy.io import fits

from skymatch_nb.errors import InputError

BLOCK, CARD, CHUNK = 2880, 80, 6 * 2880

_END = b"END".ljust(CARD)
_PRINTABLE = re.compile(rb"[ -~]*")
_WHOLE = re.compile(rb"= +([+-]?(?:0|[1-9]\d*)) *(?:/.*)?")
_REAL = re.compile(rb"= +([+-]?\d+(?:\.\d*(?:E[+-]?\d+)?|E[+-]?\d+)) *(?:/.*)?")
_LOGICAL = re.compile(rb"= +([TF]) *(?:/.*)?")
_TEXT = re.compile(rb"= '([^'&]*)' *(?:/.*)?")

_KINDS = {b"IMAGE": True, b"BINTABLE": False}
"""Extensions by the name in XTENSION: whether they are images. Those with ASCII tables may be of WAIVER form."""


class NotPlainError(Exception):
    """What only astropy can read."""


NOT_READ = (NotPlainError, InputError, OSError, ValueError, TypeError, KeyError, IndexError, fits.VerifyError)
"""What the reading of a plain file raises where astropy is to read it, or to say what is wrong."""


class PlainHeader(Mapping[str, Any]):
    """Cards of a header by keyword, the first of each; values are those that astropy gives."""

    def __init__(self, cards: bytes) -> None:
        self._cards = cards
        self._values: dict[str, Any] = {}
        self._places = {cards[at : at + 8]: at for at in range(len(cards) - CARD, -CARD, -CARD)}

    def __getitem__(self, keyword: str) -> Any:
        if keyword not in self._values:
            self._values[keyword] = _value(self._cards, self._places[keyword.encode().ljust(8)])
        return self._values[keyword]

    def get(self, keyword: str, default: Any = None) -> Any:
        """Value of a keyword's card, else the default: most of what is asked for is not there."""
        if keyword not in self:
            return default
        return self[keyword]

    def __contains__(self, keyword: object) -> bool:
        return isinstance(keyword, str) and keyword.encode().ljust(8) in self._places

    def __iter__(self) -> Iterator[str]:
        return (name.decode().rstrip() for name in self._places)

    def __len__(self) -> int:
        return len(self._places)

    def sorted_by(self, pattern: re.Pattern[bytes]) -> dict[str | None, dict[str, bytes]]:
        """Cards as they stand there, by keyword, for each named group of a pattern that keywords (eight bytes) match.

        Raises
        ------
        NotPlainError
            Where one of them occurs twice: readers differ in which they take.
        """
        found: dict[str | None, dict[str, bytes]] = {group: {} for group in pattern.groupindex}
        for at in range(0, len(self._cards), CARD):
            name = self._cards[at : at + 8]
            if match := pattern.fullmatch(name):
                if self._places[name] != at:
                    raise NotPlainError
                found[match.lastgroup][name.decode().rstrip()] = self._cards[at : at + CARD]
        return found


@dataclass(frozen=True)
class PlainHDU:
    """An HDU: the first byte of its header and of its data, where it ends, and whether it is an image."""

    start: int
    data: int
    end: int
    image: bool
    header: PlainHeader

    @cached_property
    def name(self) -> str:
        """As astropy has it."""
        return str(self.header.get("EXTNAME", "" if self.start else "PRIMARY"))

    @cached_property
    def ver(self) -> Any:
        """As astropy has it."""
        return self.header.get("EXTVER", 1)


def read_plain(path: Path) -> list[PlainHDU] | None:
    """HDUs of a plain FITS file; None where it is none."""
    try:
        with path.open("rb", buffering=0) as stream:
            return list(_hdus(stream))
    except NOT_READ:
        return None


def _hdus(stream: BinaryIO) -> Iterator[PlainHDU]:
    size, at = stream.seek(0, os.SEEK_END), 0
    while at < size:
        cards, data = _header(stream, at, size)
        header = PlainHeader(cards)
        image = _is_image(cards, header, first=at == 0)
        end = data + _data_size(header)
        if end > size:
            raise NotPlainError
        yield PlainHDU(at, data, end, image, header)
        at = end
    if at == 0:
        raise NotPlainError


def _header(stream: BinaryIO, start: int, size: int) -> tuple[bytes, int]:
    """Cards of a header before END, and where its last block ends."""
    found, at = b"", -1
    while at < 0:
        stream.seek(start + len(found))
        more = stream.read(max(CHUNK, len(found)))
        if not more or (not found and more[:8] not in (b"SIMPLE  ", b"XTENSION")):
            raise NotPlainError
        found += more
        at = found.find(_END)
        while at % CARD and at > 0:
            at = found.find(_END, at + 1)
    stop = at + CARD + -(at + CARD) % BLOCK
    if start + stop > size or found[at + CARD : stop].strip(b" ") or not _PRINTABLE.fullmatch(found, 0, at):
        raise NotPlainError
    return found[:at], start + stop


def _is_image(cards: bytes, header: PlainHeader, first: bool) -> bool:
    """Whether an HDU is an image; whatever is not by the book is not plain."""
    if first:
        if header["SIMPLE"] is not True or "GROUPS" in header:
            raise NotPlainError
        return True
    kind = _TEXT.fullmatch(cards[8:CARD])
    if kind is None or kind[1].rstrip() not in _KINDS or "ZIMAGE" in header:
        raise NotPlainError
    image = _KINDS[kind[1].rstrip()]
    if image and (header.get("PCOUNT", 0), header.get("GCOUNT", 1)) != (0, 1):
        raise NotPlainError
    return image


def _data_size(header: PlainHeader) -> int:
    """Bytes of an HDU's data with their padding."""
    axes = [_whole(header, f"NAXIS{k + 1}") for k in range(_whole(header, "NAXIS"))]
    if not isinstance(header.get("EXTNAME", ""), str) or type(header.get("EXTVER", 1)) is not int:
        raise NotPlainError
    if header["BITPIX"] not in (8, 16, 32, 64, -32, -64):
        raise NotPlainError
    count = 1 if axes else 0
    for axis in axes:
        count *= axis
    size = abs(header["BITPIX"]) // 8 * header.get("GCOUNT", 1) * (count + header.get("PCOUNT", 0))
    return int(size + -size % BLOCK)


def _whole(header: PlainHeader, keyword: str) -> int:
    value = header[keyword]
    if type(value) is not int or value < 0:
        raise NotPlainError
    return value


def _value(cards: bytes, at: int) -> Any:
    """Value of the card at a place, as astropy reads it."""
    card = cards[at + 8 : at + CARD]
    if match := _TEXT.fullmatch(card):
        return match[1].decode().rstrip(" ")
    if match := _WHOLE.fullmatch(card):
        return int(match[1])
    if match := _REAL.fullmatch(card):
        return float(match[1])
    if match := _LOGICAL.fullmatch(card):
        return match[1] == b"T"
    end = at + CARD
    while cards[end : end + 8] == b"CONTINUE":
        end += CARD
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = fits.Card.fromstring(cards[at:end])
        value = found.value if found.field_specifier is None else found.rawvalue
    return None if isinstance(value, fits.card.Undefined) else value

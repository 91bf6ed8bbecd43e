"""Edit the 80-byte cards of a FITS header: what is not asked for keeps its bytes and its place."""

import math
import re
import warnings
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any

from astropy.io import fits
from astropy.io.fits.verify import VerifyWarning

from skymatch_nb.errors import InputError
from skymatch_nb.io.checksum import encode, ones_complement_sum
from skymatch_nb.io.fits_layout import CARD, header_bytes

SUMS = ("CHECKSUM", "DATASUM")
_BLANK = b" " * CARD
_STRUCTURE = re.compile(
    r"SIMPLE|XTENSION|EXTEND|BITPIX|NAXIS\d*|PCOUNT|GCOUNT|GROUPS|BSCALE|BZERO|BLANK|END|CONTINUE|HISTORY|COMMENT|"
    r"CHECKSUM|DATASUM|TFIELDS|THEAP|T(TYPE|FORM|DIM|SCAL|ZERO|NULL)\d+|Z(IMAGE|BITPIX|NAXIS\d*|TILE\d+|CMPTYPE|"
    r"NAME\d+|VAL\d+|QUANTIZ|DITHER0|BLANK|SCALE|ZERO|HECKSUM|DATASUM|TENSION|SIMPLE)|"
)
_SUM_CARD = re.compile(rb"(CHECKSUM|DATASUM )= *('[^']*'|[^/']*)( *)(/.*)?$", re.DOTALL)
_TIME = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")


def make_card(keyword: str, value: Any, comment: str) -> bytes:
    """One card of 80 bytes; a comment that is too long is cut.

    Raises
    ------
    InputError
        Where the keyword describes the structure of the file, or keyword and value do not make one card.
    """
    if _STRUCTURE.fullmatch(keyword.upper()):
        raise InputError(f"keyword {keyword!r}: it belongs to the structure of the file and cannot be set")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", VerifyWarning)
            image = str(fits.Card(keyword, value, comment)).encode("ascii")
    except (ValueError, TypeError, fits.VerifyError) as error:
        raise InputError(f"keyword {keyword!r}: {value!r} cannot be its value: {error}") from error
    if len(image) != CARD:
        raise InputError(f"keyword {keyword!r}: the value {value!r} is too long for one card")
    return image


def keyword_of(card: bytes) -> str:
    """Keyword of a card, that of a HIERARCH card without this word."""
    if card.startswith(b"HIERARCH ") and b"=" in card:
        return " ".join(card[9 : card.index(b"=")].decode("latin-1").upper().split())
    return card[:8].decode("latin-1").rstrip()


def edited_cards(
    cards: Sequence[bytes], new: Sequence[tuple[str, Any, str]], history: Sequence[str], removed: Collection[str] = ()
) -> list[bytes]:
    """Cards with some replaced in their place and the rest added at the end, where spare blank cards are used up."""
    out = [card for card in cards if keyword_of(card) not in removed]
    added = []
    for keyword, value, comment in new:
        card = make_card(keyword, value, comment)
        at = next((k for k, old in enumerate(out) if keyword_of(old) == keyword.upper()), None)
        if at is None:
            added.append(card)
        else:
            out[at : _after(out, at)] = [card]
    added += history_cards(history)
    last = len(without_spare(out))
    return out[:last] + added + out[last + len(added) :]


def history_cards(lines: Sequence[str]) -> list[bytes]:
    """HISTORY cards of 72 characters each.

    Raises
    ------
    InputError
        Where a line has characters that FITS headers cannot hold.
    """
    out = []
    for line in lines:
        if not (line.isascii() and line.isprintable()):
            raise InputError(f"HISTORY {line!r}: only printable ASCII characters can be written")
        out += [f"HISTORY {line[k : k + 72]}".ljust(CARD).encode("ascii") for k in range(0, max(len(line), 1), 72)]
    return out


def without_spare(cards: Sequence[bytes]) -> Sequence[bytes]:
    """Cards up to the last that is not blank."""
    last = len(cards)
    while last and cards[last - 1] == _BLANK:
        last -= 1
    return cards[:last]


def without(cards: Sequence[bytes], keywords: Collection[str]) -> list[bytes]:
    """Cards without the first of each keyword and its continuations, and without spare blank cards at the end."""
    out = list(without_spare(cards))
    for keyword in keywords:
        at = next((k for k, card in enumerate(out) if keyword_of(card) == keyword.upper()), None)
        if at is not None:
            del out[at : _after(out, at)]
    return list(without_spare(out))


def renumbered(card: bytes, value: int) -> bytes:
    """Card of a number in fixed format, such as BITPIX, with another value."""
    return card[:10] + f"{value:>20}".encode() + card[30:]


def header_with_sums(cards: Sequence[bytes], datasum: int) -> bytes:
    """Return the header, its CHECKSUM and DATASUM cards, where it has them, made right for data of a sum."""
    out, checksum = list(cards), None
    for at, card in enumerate(out):
        if keyword_of(card) == "DATASUM":
            out[at] = _with_sum(card, str(datasum))
        elif keyword_of(card) == "CHECKSUM" and checksum is None:
            out[at], checksum = _with_sum(card, "0" * 16), at
    if checksum is not None:
        total = ones_complement_sum([header_bytes(out)], datasum)
        out[checksum] = out[checksum].replace(b"0" * 16, encode(total).encode(), 1)
    return header_bytes(out)


def same_value(asked: Any, found: Any) -> bool:
    """Whether a card holds a value, floats to the digits that a card has room for."""
    if isinstance(asked, float) and isinstance(found, int | float):
        return math.isclose(asked, found, rel_tol=1e-11)
    if isinstance(asked, str) and isinstance(found, str):
        return asked.rstrip() == found.rstrip()
    return bool(asked == found) or (asked is None and isinstance(found, fits.card.Undefined))


def _after(cards: Sequence[bytes], at: int) -> int:
    """Place after a card and its CONTINUE cards."""
    stop = at + 1
    while stop < len(cards) and cards[stop].startswith(b"CONTINUE  "):
        stop += 1
    return stop


def _with_sum(card: bytes, value: str) -> bytes:
    """CHECKSUM or DATASUM card with another value; its comment stays, but for the time that it may tell."""
    match = _SUM_CARD.match(card)
    comment = (match[4] if match else None) or b""
    column = card.index(comment) if comment else CARD
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S").encode()
    start = card[:8] + f"= '{value:<8}'".encode()
    start = start.ljust(column) if len(start) < column else start + b" "
    return (start + _TIME.sub(now, comment))[:CARD].ljust(CARD)

"""The FITS checksum convention: 32-bit one's complement sums of HDUs, and their 16 characters in CHECKSUM."""

from collections.abc import Iterable

import numpy as np

_PUNCTUATION = frozenset(range(0x3A, 0x41)) | frozenset(range(0x5B, 0x61))
_CHUNK = 1 << 22


def ones_complement_sum(chunks: Iterable[bytes], start: int = 0) -> int:
    """Sum of big-endian 32-bit words, carries added back; every chunk is a multiple of four bytes."""
    total = start
    for chunk in chunks:
        for at in range(0, len(chunk), _CHUNK):
            words = np.frombuffer(chunk[at : at + _CHUNK], ">u4")
            total = _fold(total + int(words.sum(dtype=np.uint64)))
    return _fold(total)


def encode(total: int) -> str:
    """Sixteen letters and digits which, put in the CHECKSUM card, make an HDU's sum -0.

    ``total`` is the sum of the HDU with sixteen ASCII zeros there.
    """
    complement = 0xFFFFFFFF - total
    characters = bytearray(16)
    for byte in range(4):
        characters[byte::4] = _four_characters(complement >> (24 - 8 * byte) & 0xFF)
    return (characters[-1:] + characters[:-1]).decode("ascii")


def _four_characters(value: int) -> bytes:
    """Four letters or digits whose sum is a byte's value and four times ASCII zero."""
    quotient, remainder = divmod(value, 4)
    out = [0x30 + quotient + remainder, *[0x30 + quotient] * 3]
    while any(c in _PUNCTUATION for c in out):
        for k in (0, 2):
            if out[k] in _PUNCTUATION or out[k + 1] in _PUNCTUATION:
                out[k] += 1
                out[k + 1] -= 1
    return bytes(out)


def _fold(total: int) -> int:
    while total >> 32:
        total = (total & 0xFFFFFFFF) + (total >> 32)
    return total

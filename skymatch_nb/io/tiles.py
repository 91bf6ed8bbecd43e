"""Tile-compressed images: decode their pixels, and encode others without loss."""

import io
import re
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from skymatch_nb.errors import InputError
from skymatch_nb.io.cards import keyword_of
from skymatch_nb.io.fits_layout import RawHDU, padding, read_exactly, read_layout

CODING = re.compile(
    r"XTENSION|BITPIX|NAXIS[12]?|PCOUNT|GCOUNT|TFIELDS|THEAP|T(TYPE|FORM|DIM|SCAL|ZERO|NULL|DISP|UNIT)\d+|"
    r"Z(BITPIX|TILE\d+|CMPTYPE|NAME\d+|VAL\d+|QUANTIZ|DITHER0|BLANK|SCALE|ZERO|MASKCMP)"
)
"""Keywords that tell how the pixels are encoded."""


def decode(stream: BinaryIO, hdu: RawHDU, where: str) -> NDArray[Any]:
    """Stored pixels of a tile-compressed image: integers without their scaling, floats as they are.

    Raises
    ------
    InputError
        Where the tiles are damaged or of an unknown compression.
    """
    raw = fits.PrimaryHDU().header.tostring().encode() + read_exactly(stream, hdu.start, hdu.end - hdu.start)
    try:
        with (
            warnings.catch_warnings(),
            fits.open(io.BytesIO(raw), do_not_scale_image_data=True, uint=False) as hdus,
        ):
            warnings.simplefilter("ignore")
            return np.array(hdus[1].data)
    except Exception as error:
        raise InputError(f"{where}: its compressed pixels cannot be read: {error}") from error


def encode_lossless(pixels: NDArray[Any], cards: Iterable[bytes]) -> tuple[list[bytes], bytes]:
    """Cards that tell how floats are encoded, followed by the others given, and the padded data of the table.

    The tiles keep their shape.
    """
    others = list(cards)
    image = fits.CompImageHDU(pixels, compression_type="GZIP_2", tile_shape=_tile_shape(others), quantize_level=0.0)
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fits.HDUList([fits.PrimaryHDU(), image]).writeto(buffer)
    table = read_layout(buffer, Path("memory")).hdus[1]
    coding = [card for card in table.cards if CODING.fullmatch(keyword_of(card))]
    kept = [card for card in others if not CODING.fullmatch(keyword_of(card))]
    data = read_exactly(buffer, table.data, table.size)
    return coding + kept, data + bytes(padding(table.size))


def _tile_shape(cards: Iterable[bytes]) -> tuple[int, ...] | None:
    """Shape of the tiles, slowest axis first; None where the header does not tell it (a row each)."""
    sizes = {}
    for card in cards:
        match = re.fullmatch(r"ZTILE(\d+)", keyword_of(card))
        if match:
            sizes[int(match[1])] = int(fits.Card.fromstring(card).value)
    return tuple(sizes[k] for k in sorted(sizes, reverse=True)) or None

"""Subtract a number from the pixels of a FITS image: in float64, rounded once to the type that is stored."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skymatch_nb.errors import InputError
from skymatch_nb.io.fits_layout import RawHDU

TYPES = {8: ">u1", 16: ">i2", 32: ">i4", 64: ">i8", -32: ">f4", -64: ">f8"}
SCALING = ("BSCALE", "BZERO", "BLANK")
_ROOM = 2.0**20
"""Steps of BSCALE that float32 holds with a sixteenth of a step to spare."""


@dataclass(frozen=True)
class PixelChange:
    """Stored pixels of a type and scaling, and the type in which they are stored after the subtraction.

    Integers become floats without scaling, and their BLANK becomes NaN; floats keep type and scaling.
    """

    subtract: float
    bitpix: int
    scale: float = 1.0
    zero: float = 0.0
    blank: int | None = None

    @property
    def promoted(self) -> bool:
        """Whether the pixels are integers, which cannot hold the difference."""
        return self.bitpix > 0

    @property
    def new_bitpix(self) -> int:
        """BITPIX after the subtraction."""
        if not self.promoted:
            return self.bitpix
        largest = abs(self.zero) + abs(self.scale) * 2.0**self.bitpix
        return -32 if self.bitpix <= 16 and largest <= _ROOM * abs(self.scale) else -64

    @property
    def old_type(self) -> "np.dtype[Any]":
        """Type of the stored pixels."""
        return np.dtype(TYPES[self.bitpix])

    @property
    def new_type(self) -> "np.dtype[Any]":
        """Type that is stored after the subtraction."""
        return np.dtype(TYPES[self.new_bitpix])

    @property
    def note(self) -> str:
        """What becomes of the type; empty where it stays."""
        if not self.promoted:
            return ""
        offset = -128.0 if self.bitpix == 8 else 2.0 ** (self.bitpix - 1)
        unsigned = self.bitpix == 8
        if self.scale == 1 and self.zero == offset:
            unsigned = not unsigned
            name = f"{'u' * unsigned}int{self.bitpix}"
        else:
            name = f"{'scaled ' * ((self.scale, self.zero) != (1, 0))}{'u' * unsigned}int{self.bitpix}"
        return f"{name} pixels become float{-self.new_bitpix}"

    def wanted(self, raw: NDArray[Any]) -> NDArray[np.float64]:
        """Pixels to store, before they are rounded."""
        if not self.promoted:
            return raw.astype(np.float64) - self.subtract / self.scale
        if self.bitpix == 64 and (self.scale, self.zero) == (1.0, 2.0**63):
            values = (raw.astype(np.int64).view(np.uint64) ^ np.uint64(1 << 63)).astype(np.float64)
        else:
            values = raw.astype(np.float64) * self.scale + self.zero
        values -= self.subtract
        if self.blank is not None:
            values[raw == self.blank] = np.nan
        return values

    def apply(self, raw: NDArray[Any]) -> NDArray[Any]:
        """Pixels to store; those that are NaN keep their bits."""
        with np.errstate(all="ignore"):
            new = self.wanted(raw).astype(self.new_type)
        if not self.promoted:
            nan = np.isnan(raw)
            bits = f">u{self.old_type.itemsize}"
            new.view(bits)[nan] = raw.astype(self.old_type, copy=False).view(bits)[nan]
        return new

    def holds(self, raw: NDArray[Any], new: NDArray[Any]) -> bool:
        """Whether ``new`` is what ``raw`` should have become, within one rounding of its type."""
        with np.errstate(all="ignore"):
            want = self.wanted(raw)
            found = new.astype(np.float64)
            rounding = np.spacing(np.abs(new.astype(self.new_type.newbyteorder("=")))).astype(np.float64)
            same = (np.abs(found - want) <= rounding) | (found == want.astype(self.new_type).astype(np.float64))
        nan = np.isnan(want)
        if not self.promoted and nan.any():
            bits = f">u{self.old_type.itemsize}"
            old, now = (a.astype(self.old_type, copy=False).view(bits)[nan] for a in (raw, new))
            if not np.array_equal(old, now):
                return False
        return bool((same | (nan & np.isnan(found))).all())


def pixel_change(hdu: RawHDU, subtract: float, where: str) -> PixelChange:
    """How the pixels of an image, plain or in tiles, are stored, and what they become.

    Raises
    ------
    InputError
        Where the HDU is no image with pixels, its scaling cannot be understood, or the number is not finite.
    """
    prefix = "Z" if hdu.kind == "tiles" else ""
    bitpix, scale, zero = hdu.value(f"{prefix}BITPIX"), hdu.value("BSCALE", 1.0), hdu.value("BZERO", 0.0)
    blank = hdu.value("BLANK", hdu.value("ZBLANK") if prefix else None)
    if hdu.kind == "other" or not hdu.value(f"{prefix}NAXIS") or not hdu.size:
        raise InputError(f"{where}: no image with pixels to subtract from")
    if not np.isfinite(subtract):
        raise InputError(f"{where}: {subtract} cannot be subtracted")
    numbers = all(isinstance(v, int | float) and np.isfinite(v) for v in (scale, zero))
    if bitpix not in TYPES or not numbers or scale == 0:
        raise InputError(f"{where}: pixels with BITPIX={bitpix}, BSCALE={scale}, BZERO={zero} cannot be understood")
    if prefix == "" and hdu.size % np.dtype(TYPES[bitpix]).itemsize:
        raise InputError(f"{where}: the size of the data does not fit BITPIX={bitpix}")
    blank = int(blank) if bitpix > 0 and isinstance(blank, int) else None
    return PixelChange(float(subtract), int(bitpix), float(scale), float(zero), blank)

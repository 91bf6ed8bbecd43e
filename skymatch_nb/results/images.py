"""Where an image's pixels are: in a FITS file, in an ASDF file, or in memory; and what maps them to the sky."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from numpy.typing import NDArray

from skymatch_nb.results.base import Floats

Bounds: TypeAlias = tuple[float, float, float, float]
"""Lowest and highest x, lowest and highest y, in 0-based pixels; the edges of pixels lie at halves."""


class SkyTransform(Protocol):
    """A world coordinate system as the package uses it: 0-based pixels to ICRS-like degrees and back."""

    @property
    def bounds(self) -> Bounds | None:
        """Where it holds; None for everywhere. Outlines end there."""
        ...

    def to_sky(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Right ascension and declination in degrees of 0-based pixel positions, all of shape (n,)."""
        ...

    def to_pixels(self, ra: Floats, dec: Floats) -> tuple[Floats, Floats]:
        """0-based pixel positions of sky positions in degrees; NaN where there is none."""
        ...


@dataclass(frozen=True)
class PixelSource:
    """Where an image's pixels and header cards are in a file.

    ``offset`` is the byte at which plain, unscaled pixels start, None where a reader must decode them;
    ``cards`` are the byte ranges of the primary and of the extension's header, None likewise; ``stamp`` is
    the file's size in bytes and its modification time in nanoseconds.
    """

    path: str
    hdu: int
    shape: tuple[int, int]
    dtype: str
    offset: int | None
    cards: tuple[tuple[int, int], tuple[int, int]] | None
    stamp: tuple[int, int]


@dataclass(frozen=True, eq=False)
class MemoryImage:
    """An image that is in memory: its pixels, and the cards of its own and of the primary header by keyword."""

    data: NDArray[Any] = field(repr=False)
    header: Mapping[str, Any] = field(default_factory=dict, repr=False)
    primary: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def shape(self) -> tuple[int, int]:
        """``(ny, nx)``."""
        ny, nx = self.data.shape
        return ny, nx


@dataclass(frozen=True, eq=False)
class ArraySource:
    """An array of an ASDF file, by its name there; ``header`` holds what other files have as cards."""

    path: str
    array: str
    shape: tuple[int, int]
    stamp: tuple[int, int]
    header: Mapping[str, Any] = field(default_factory=dict, repr=False)


Source: TypeAlias = PixelSource | ArraySource | MemoryImage

"""What the tests of input share: a celestial header and small FITS files."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

from skymatch_nb.io.fits import open_members
from skymatch_nb.io.grammar import parse_words
from skymatch_nb.io.inputs import ImageSpec
from skymatch_nb.results import Member


@pytest.fixture
def celestial() -> fits.Header:
    """Header of a tangent-plane image around RA 10, Dec 20 with pixels of 3.6 arcsec."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = "RA---TAN", "DEC--TAN"
    wcs.wcs.crval, wcs.wcs.crpix, wcs.wcs.cdelt = (10.0, 20.0), (20.5, 15.5), (-1e-3, 1e-3)
    return wcs.to_header()


@pytest.fixture
def image(celestial: fits.Header) -> Callable[..., fits.ImageHDU]:
    """Make an image extension with a celestial WCS."""

    def make(name: str = "SCI", ver: int = 1, data: np.ndarray | None = None, **cards: object) -> fits.ImageHDU:
        data = np.zeros((30, 40), np.float32) if data is None else data
        hdu = fits.ImageHDU(data, celestial, name=name, ver=ver)
        hdu.header.update(cards)
        return hdu

    return make


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write HDUs to a file in a temporary folder; a first one that is no primary gets an empty primary before it."""

    def write_file(name: str, hdus: Sequence[object], **cards: object) -> Path:
        hdus = list(hdus)
        if not hdus or not isinstance(hdus[0], fits.PrimaryHDU):
            hdus.insert(0, fits.PrimaryHDU())
        hdus[0].header.update(cards)
        fits.HDUList(hdus).writeto(tmp_path / name)
        return tmp_path / name

    return write_file


@pytest.fixture(scope="session")
def members_of() -> Callable[..., list[Member]]:
    """Open the members of a file; extensions as between brackets."""

    def open_file(path: Path, *extensions: str) -> list[Member]:
        return open_members(
            ImageSpec(path, tuple(parse_words(f"x[{text}]")[0].extensions[0] for text in extensions)), path.name
        )

    return open_file

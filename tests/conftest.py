"""What tests share: small mosaics with a planted sky, and files made from one image."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from hypothesis import settings

from skymatch_nb.datasets import PlantedMosaic, make_mosaic

# No test is timed: the first example of a kernel compiles it, and machines have other things to do.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def mosaic(tmp_path_factory: pytest.TempPathFactory) -> PlantedMosaic:
    """Six overlapping two-chip exposures; read-only."""
    made = make_mosaic(tmp_path_factory.mktemp("mosaic"), rows=2, cols=3, shape=(128, 256), overlap=0.3, seed=5)
    for path in made.paths:
        path.chmod(0o444)
    return made


@pytest.fixture(scope="session")
def realdata() -> Path:
    """Folder of archive data that the environment variable SKYMATCH_REALDATA names."""
    folder = os.environ.get("SKYMATCH_REALDATA", "")
    if not folder or not Path(folder).is_dir():
        pytest.skip("SKYMATCH_REALDATA names no folder of archive data")
    return Path(folder)


Writer = Callable[..., Path]


@pytest.fixture
def write_image(tmp_path: Path) -> Writer:
    """Write a single-image FITS file of constant sky plus noise, pointing where asked."""

    def write(
        name: str,
        *,
        ra: float = 10.0,
        dec: float = 20.0,
        level: float = 5.0,
        shape: tuple[int, int] = (40, 60),
        scale: float = 1.0,
        noise: float = 0.1,
        seed: int = 0,
        data: np.ndarray | None = None,
        projection: str = "TAN",
        **cards: object,
    ) -> Path:
        if data is None:
            data = level + noise * np.random.default_rng(seed).standard_normal(shape)
        wcs = WCS(naxis=2)
        wcs.wcs.ctype = [f"RA---{projection}", f"DEC--{projection}"]
        wcs.wcs.crval = [ra, dec]
        wcs.wcs.crpix = [(shape[1] + 1) / 2, (shape[0] + 1) / 2]
        wcs.wcs.cdelt = [-scale / 3600, scale / 3600]
        header = wcs.to_header()
        header["BUNIT"] = "electron/s"
        header["EXPTIME"] = 100.0
        for key, value in cards.items():
            if value is None:
                header.remove(key, ignore_missing=True)
            else:
                header[key] = value
        path = tmp_path / name
        fits.PrimaryHDU(np.asarray(data, np.float32) if data.dtype.kind == "f" else data, header).writeto(path)
        return path

    return write

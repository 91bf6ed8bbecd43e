"""Mosaics for AstroDrizzle, and how to run it; for where drizzlepac is installed."""

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from astropy.io import fits

from skymatch_nb.datasets import PlantedMosaic, make_mosaic

OFFLINE = {"updatewcs": False, "mdriztab": False, "num_cores": 1, "preserve": False, "clean": True, "build": True}
"""Settings of AstroDrizzle that ask for no reference file and leave one product."""

ONE_PASS = {"static": False, "driz_separate": False, "median": False, "blot": False, "driz_cr": False}
"""Settings that leave out the search for cosmic rays."""
SKY_ONLY = ONE_PASS | {"driz_combine": False}
"""Settings that leave only the sky step."""


def simulated(folder: Path, camera: str = "ACS/WFC") -> PlantedMosaic:
    """Four overlapping exposures of 400 x 400 pixels with stars, as that camera would write them."""
    chips = 2 if camera == "ACS/WFC" else 1
    return make_mosaic(
        folder, rows=2, cols=2, shape=(400 // chips, 400), chips=chips, overlap=0.3, seed=3, camera=camera,
        units="ELECTRONS", exptimes=(500.0,), stars=20, galaxy=False,
    )  # fmt: skip


def subframes(exposure: Path, folder: Path, skies: Mapping[str, float], noise: float = 3.0) -> list[Path]:
    """Four overlapping quarters of an exposure, each with a sky (electrons) and noise of its own added."""
    with fits.open(exposure) as hdus:
        size, step = 600, hdus["SCI"].header["NAXIS1"] - 600
        for k, (name, sky) in enumerate(skies.items()):
            y, x = step * (k // 2), step * (k % 2)
            parts = fits.HDUList([hdus[0].copy(), *(hdus[ext].copy() for ext in ("SCI", "ERR", "DQ"))])
            parts[0].header.update(ROOTNAME=name.removesuffix("_flt.fits"), FILENAME=name, NEXTEND=3)
            for part in parts[1:]:
                part.data = part.data[y : y + size, x : x + size].copy()
                for axis, offset in (("1", x), ("2", y)):
                    if f"CRPIX{axis}" in part.header:
                        part.header[f"CRPIX{axis}"] -= offset
            random = np.random.default_rng(k).standard_normal((size, size))
            parts["SCI"].data += (sky + noise * random).astype(np.float32)
            parts.writeto(folder / name)
    return [folder / name for name in skies]


def drizzled(run, paths, output: str, **settings) -> Path:
    """Product of AstroDrizzle, or of a function like it, run on files in the folder that they are in."""
    before = Path.cwd()
    os.chdir(paths[0].parent)
    try:
        run([path.name for path in paths], output=output, runfile=output, **(OFFLINE | settings))
    finally:
        os.chdir(before)
    return paths[0].parent / f"{output}_drz.fits"

"""Mosaics of exposures in FITS files like Hubble's, made through the astropy WCS of their headers."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from astropy import units as u
from astropy.coordinates import offset_by, position_angle
from astropy.io import fits
from astropy.wcs import WCS

from skymatch_nb.datasets.checks import is_whole, require
from skymatch_nb.datasets.detector import cosmic_rays, detector_of, persistence_of
from skymatch_nb.datasets.layout import Layout
from skymatch_nb.datasets.planted import PlantedMosaic, require_absent
from skymatch_nb.datasets.scene import Scene, tangent_frame

READ_NOISE = 5.0  # electrons


def _expose(
    rng: np.random.Generator, layout: Layout, scene: Scene, index: int, detector_seed: int
) -> tuple[list[fits.ImageHDU], float, float]:
    """Image extensions, sky (electrons per second and pixel) and exposure time of one exposure."""
    sky, exptime = float(rng.uniform(*layout.sky_range)), float(rng.choice(layout.exptimes))
    dither = rng.uniform(-1, 1, 2) * min(0.02, layout.overlap / 5) * layout.field_size
    offset = layout.offset(index) + dither
    pointing, north = scene.frame.wcs_pix2world([offset, offset + np.array([0, 1])], 0)
    angle = position_angle(*np.radians(pointing), *np.radians(north)).rad
    angle += np.radians(rng.uniform(-layout.rotation, layout.rotation))
    unit = 1 if layout.units == "ELECTRONS" else exptime
    hdus = []
    for chip in range(layout.chips):
        header = layout.chip_header(pointing, angle, chip)
        dark, response, flags = detector_of(np.random.default_rng([detector_seed, chip]), layout.shape)
        charge, tracks = cosmic_rays(rng, layout.shape, exptime)
        if layout.persistence:
            glow, glowing = persistence_of(rng, layout.shape, layout.persistence)
            dark, flags = dark + glow, flags | glowing
        expected = ((scene.image(WCS(header), layout) + sky) * response + dark) * exptime + charge
        error = np.sqrt(expected + READ_NOISE**2)
        data = expected + error * rng.standard_normal(layout.shape)
        hdus.append(fits.ImageHDU((data / unit).astype(np.float32), header, name="SCI", ver=chip + 1))
        beside = None if layout.camera == "SKYCAM" else header
        hdus.append(fits.ImageHDU((error / unit).astype(np.float32), beside, name="ERR", ver=chip + 1))
        hdus.append(fits.ImageHDU(flags | tracks, beside, name="DQ", ver=chip + 1))
    return hdus, sky, exptime


_READOUT = [("ATODGN", 2.0), ("READNSE", READ_NOISE)]


def _primary(path: Path, index: int, exptime: float, layout: Layout) -> fits.PrimaryHDU:
    started = np.datetime64("2024-03-01T00:00:00") + np.timedelta64(20 * index, "m")
    cards = {"TELESCOP": "SIMULATED", "INSTRUME": "SKYCAM", "DETECTOR": "CCD", "FILTER": "F814W"}
    cards |= {"DATE-OBS": str(started), "ROOTNAME": path.stem.removesuffix("_flt")}
    if layout.camera != "SKYCAM":
        cards |= _hubble_cards(path, exptime, layout)
    return fits.PrimaryHDU(header=fits.Header([*cards.items(), ("EXPTIME", exptime)]))


def _hubble_cards(path: Path, exptime: float, layout: Layout) -> dict[str, Any]:
    """Primary cards that Hubble's pipeline tasks ask of a camera of ACS; amplifier C reads its chips."""
    instrument, detector = layout.camera.split("/")
    cards: dict[str, Any] = {"TELESCOP": "HST", "INSTRUME": instrument, "DETECTOR": detector, "FILENAME": path.name}
    cards |= {"FILTER1": "F814W", "FILTER2": "CLEAR2S", "CCDAMP": "C", "CCDGAIN": 2.0, "PA_V3": 0.0}
    cards |= {f"{word}{amp}": value * (amp == "C") for word, value in _READOUT for amp in "ABCD"}
    cards |= {"NEXTEND": 3 * layout.chips, "EXPSTART": 60370.0, "EXPEND": 60370.0 + exptime / 86400}
    return cards


def make_mosaic(
    folder: str | Path,
    *,
    rows: int = 2,
    cols: int = 3,
    shape: tuple[int, int] = (512, 1024),
    chips: int = 2,
    overlap: float = 0.2,
    seed: int = 1,
    center: tuple[float, float] = (150.1, 2.2),
    pixel_scale: float = 0.05,
    units: str = "ELECTRONS/S",
    exptimes: Sequence[float] = (350.0, 500.0, 700.0),
    sky_range: tuple[float, float] = (0.05, 0.25),
    rotation: float = 4.0,
    distortion: float = 1.0,
    stars: int = 40,
    galaxy: bool = True,
    nebula: bool | float = False,
    persistence: float = 0.0,
    camera: str = "SKYCAM",
    separate: Sequence[int] = (),
    overwrite: bool = False,
) -> PlantedMosaic:
    """Write a mosaic of simulated exposures of one scene, each with a sky background of its own.

    Each exposure is a file ``demo_NN_flt.fits`` with SCI, ERR and DQ extensions for every chip. DQ
    bits: 4 bad column, 16 hot pixel, 32 persistence, 4096 cosmic ray (half of the tracks are left unflagged).

    Parameters
    ----------
    folder : str or Path
        Where to write; made if missing.
    rows, cols : int
        Number of exposures along declination and right ascension.
    shape : tuple of int
        Height and width (ny, nx) of a chip in pixels, 32 or more each.
    chips : int
        Chips in an exposure, side by side along y.
    overlap : float
        Fraction of an exposure's width and height shared with its neighbour, between 0 and 0.9.
    seed : int
        Seed of every random draw, 0 or more.
    center : tuple of float
        RA and Dec of the mosaic's centre in degrees.
    pixel_scale : float
        Pixel scale in arcsec.
    units : {"ELECTRONS/S", "ELECTRONS"}
        Units of the SCI and ERR data.
    exptimes : sequence of float
        Exposure times to draw from, in seconds.
    sky_range : tuple of float
        Lowest and highest sky to draw, in electrons per second and pixel.
    rotation : float
        Largest rotation of an exposure in degrees.
    distortion : float
        Strength of the distortion, 0 to 5; 1 displaces the corner of a 2048 pixel chip by 10 pixels.
    stars : int
        Mean number of stars in the area of an exposure.
    galaxy : bool
        Whether a spiral galaxy lies in the middle of the mosaic.
    nebula : bool or float
        Whether a structured nebula brighter than the sky covers the mosaic; a number from 0 to 1 is the part of the
        mosaic's diagonal that it covers, from the south-western corner.
    persistence : float
        Fraction of each chip under afterglow of earlier exposures, flagged, elsewhere in every exposure.
    camera : {"SKYCAM", "ACS/HRC", "ACS/WFC"}
        Camera that the headers tell of: an invented one, or one of Hubble's, with the cards that AstroDrizzle asks for.
        HRC has one chip, WFC at most two.
    separate : sequence of int
        Indices, from 0, of exposures moved 10 mosaic widths to the east, onto a scene of their own.
    overwrite : bool
        Whether to replace files that exist.

    Returns
    -------
    PlantedMosaic
        The files and their planted sky.

    Raises
    ------
    ParameterError
        An argument is not valid; this is a ValueError.
    FileExistsError
        A file exists and `overwrite` is false; nothing is written.
    """
    layout = Layout(
        rows, cols, shape, chips, overlap, center, pixel_scale, units, exptimes, sky_range, rotation,
        distortion, stars, persistence, float(nebula), camera,
    )  # fmt: skip
    count = rows * cols
    require(is_whole(seed, 0), "seed", seed, "an integer of at least 0")
    known = all(is_whole(k, 0) and k < count for k in separate)
    require(known, "separate", separate, f"indices from 0 to {count - 1}")
    paths = tuple(Path(folder) / f"demo_{k + 1:02d}_flt.fits" for k in range(count))
    require_absent(paths, overwrite)
    Path(folder).mkdir(parents=True, exist_ok=True)

    rngs = [np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(2 + count)]
    ra, dec = offset_by(*(center * u.deg), 90 * u.deg, 10 * layout.mosaic_size[0] * u.arcsec)
    here = Scene.draw(rngs[0], layout, tangent_frame(*center), galaxy=galaxy)
    away = Scene.draw(rngs[1], layout, tangent_frame(ra.deg, dec.deg), galaxy=False)
    sky, brightness = {}, {}
    for index, path in enumerate(paths):
        scene = away if index in separate else here
        hdus, rate, exptime = _expose(rngs[2 + index], layout, scene, index, seed)
        fits.HDUList([_primary(path, index, exptime, layout), *hdus]).writeto(path, overwrite=overwrite)
        sky[path.name] = rate * exptime if units == "ELECTRONS" else rate
        brightness[path.name] = rate / pixel_scale**2
    return PlantedMosaic(paths, sky, brightness, pixel_scale)


def demo_mosaic(folder: str | Path, *, seed: int = 2024) -> PlantedMosaic:
    """Write the mosaic of ``skymatch-nb demo``: 2 by 3 exposures of a galaxy, two 1024 by 512 chips each.

    Parameters
    ----------
    folder : str or Path
        Where to write; made if missing.
    seed : int
        Seed of every random draw, 0 or more.

    Returns
    -------
    PlantedMosaic
        The files and their planted sky.

    Raises
    ------
    ParameterError
        `seed` is not valid; this is a ValueError.
    FileExistsError
        A file exists; nothing is written.
    """
    return make_mosaic(folder, rows=2, cols=3, shape=(512, 1024), chips=2, seed=seed)

"""Exposures like those of JWST: ``_cal.fits`` files with a gwcs in their ASDF extension."""

import io
import warnings
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits

from skymatch_nb.datasets.checks import check_common, require, require_gwcs
from skymatch_nb.datasets.exposing import DO_NOT_USE, NON_SCIENCE, Frame, blank_border, expose, offsets, unit_of
from skymatch_nb.datasets.imaging_gwcs import Field
from skymatch_nb.datasets.planted import PlantedMosaic, require_absent
from skymatch_nb.datasets.telescope_sky import TelescopeSky


@dataclass(frozen=True)
class Camera:
    """A camera of JWST: where its detectors lie, in units of a detector's width, and what headers say."""

    detectors: dict[str, tuple[float, float]]
    width: float  # of the field
    scale: float  # arcsec
    instrument: str
    filter_name: str
    pupil: str


CAMERAS = {
    "NIRCAM": Camera(
        {"NRCB1": (0.04, 0.04), "NRCB2": (0.04, -1.04), "NRCB3": (-1.04, 0.04), "NRCB4": (-1.04, -1.04)},
        2.08, 0.031, "NIRCAM", "F200W", "CLEAR",
    ),
    "MIRI": Camera({"MIRIMAGE": (-0.5, -0.5)}, 1.0, 0.11, "MIRI", "F770W", ""),
}  # fmt: skip
DITHERS = (
    (0.0, 0.0),
    (0.37, 0.29),
    (-0.31, 0.42),
    (0.45, -0.36),
    (-0.4, -0.33),
    (0.12, 0.55),
    (0.6, 0.1),
    (-0.58, 0.06),
)
"""Offsets of exposures in detectors' widths."""

STRUCTURE = ("SIMPLE", "BITPIX", "NAXIS", "EXTEND", "PCOUNT", "GCOUNT")
"""Beginnings of the keywords of a header that tell of its array."""

ROLL = 20.0  # degrees


def make_webb_mosaic(
    folder: str | Path,
    *,
    camera: str = "NIRCAM",
    exposures: int = 3,
    shape: tuple[int, int] = (320, 320),
    seed: int = 1,
    center: tuple[float, float] = (83.82, -5.39),
    sky_range: tuple[float, float] = (0.2, 0.5),
    pedestal: float = 0.0,
    noise: float = 0.02,
    cloud: float = 0.6,
    overwrite: bool = False,
) -> PlantedMosaic:
    """Write simulated exposures like those of JWST, each with a sky background of its own.

    A file ``jw..._cal.fits`` for every exposure and detector, with SCI, ERR and DQ extensions, the gwcs in the ASDF
    extension and a fit to it in the header, as the pipeline's have; stdatamodels opens them. Units are MJy/sr. The
    scene has galaxies, stars with six spikes and a cloud of gas. Flags are those of JWST: hot and dead pixels,
    reference pixels, jumps by cosmic rays (which are corrected, mostly), saturated stars.

    Parameters
    ----------
    folder : str or Path
        Where to write; made if missing.
    camera : {"NIRCAM", "MIRI"}
        Four detectors of NIRCam, side by side; or that of MIRI, on which coronagraphs take most of the left
        third, flagged as NON_SCIENCE and brighter than the sky.
    exposures : int
        Number of dithered exposures, 1 to 8.
    shape : tuple of int
        Height and width (ny, nx) of a detector in pixels, 64 or more each.
    seed : int
        Seed of every random draw, 0 or more.
    center : tuple of float
        RA and Dec of the field in degrees.
    sky_range : tuple of float
        Lowest and highest sky to draw, in MJy/sr.
    pedestal : float
        Standard deviation of what each detector adds to the sky in each exposure, in MJy/sr.
    noise : float
        Standard deviation of a pixel on empty sky, in MJy/sr.
    cloud : float
        Brightness of the brightest gas in MJy/sr, 0 for none.
    overwrite : bool
        Whether to replace files that exist.

    Returns
    -------
    PlantedMosaic
        The files, by exposure and detector, and what was planted in each: its sky, with what its detector added.

    Raises
    ------
    ParameterError
        An argument is not valid; this is a ValueError.
    FileExistsError
        A file exists and `overwrite` is false; nothing is written.
    ImportError
        asdf or gwcs is not installed (extra ``jwst``).
    """
    require(camera in CAMERAS, "camera", camera, f"one of {', '.join(CAMERAS)}")
    check_common(exposures, len(DITHERS), shape, seed, center, sky_range, pedestal, noise, cloud)
    chosen = CAMERAS[camera]
    names = [
        f"jw09999001001_02101_{number + 1:05d}_{detector.lower()}_cal.fits"
        for number in range(exposures)
        for detector in chosen.detectors
    ]
    paths = tuple(Path(folder) / name for name in names)
    require_absent(paths, overwrite)
    require_gwcs()
    Path(folder).mkdir(parents=True, exist_ok=True)

    scene_rng, *rngs = (np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(1 + exposures))
    width = max(shape)
    field = Field(half=chosen.width * width / 2, scale=chosen.scale)
    extent = (chosen.width + 1.5) * width * chosen.scale
    angle = np.radians(30 - ROLL)
    sky = TelescopeSky.draw(
        scene_rng, extent, 1.3 * chosen.scale, unit=unit_of(sky_range), cloud=cloud, spikes=6, angle=angle
    )
    planted: dict[str, float] = {}
    for number, rng in enumerate(rngs):
        common = float(rng.uniform(*sky_range))
        dither = np.array(DITHERS[number]) * width * chosen.scale / 3600
        pointing = center[0] + dither[0] / np.cos(np.radians(center[1])), center[1] + dither[1]
        for k, (detector, corner) in enumerate(chosen.detectors.items()):
            path = paths[number * len(chosen.detectors) + k]
            wcs = field.gwcs((corner[0] * width, corner[1] * width), shape, pointing, ROLL)
            level = common + pedestal * float(rng.standard_normal())
            flaws = np.random.default_rng([seed, k])
            frame = expose(rng, sky, offsets(wcs, shape, center), level, noise, flaws)
            if camera == "MIRI":
                _cover(frame, level)
            blank_border(frame, sides="lr" if camera == "MIRI" else "lrbt")
            _hdus(path, frame, wcs, chosen, detector, number).writeto(path, overwrite=overwrite)
            planted[path.name] = level
    return PlantedMosaic(paths, planted, dict(planted), chosen.scale)


def _cover(frame: Frame, level: float) -> None:
    """Put coronagraphs on the left of an image: three quarters of its height, a third of its width, brighter."""
    ny, nx = frame.data.shape
    area = np.s_[: 3 * ny // 4, : nx // 3]
    frame.data[area] += 0.5 * level
    frame.dq[area] |= DO_NOT_USE | NON_SCIENCE


def _hdus(path: Path, frame: Frame, wcs: Any, camera: Camera, detector: str, number: int) -> fits.HDUList:
    """File of an exposure, with the cards that the pipeline's have."""
    area = camera.scale**2
    primary = {"FILENAME": path.name, "DATAMODL": "ImageModel", "TELESCOP": "JWST", "TITLE": "Simulated by skymatch_nb"}
    primary |= {"DATE-OBS": "2024-03-01", "PROGRAM": "09999", "OBSERVTN": "001", "VISIT": "001", "VISITGRP": "02"}
    primary |= {"SEQ_ID": "1", "ACT_ID": "01", "EXPOSURE": str(number + 1), "INSTRUME": camera.instrument}
    primary |= {"DETECTOR": detector, "FILTER": camera.filter_name} | ({"PUPIL": camera.pupil} if camera.pupil else {})
    primary |= {"EXP_TYPE": "MIR_IMAGE" if camera.instrument == "MIRI" else "NRC_IMAGE"}
    science = {"BUNIT": "MJy/sr", "PIXAR_A2": area, "PIXAR_SR": area * np.radians(1 / 3600) ** 2}
    header = fits.Header([*science.items()])
    header.update(_fits_cards(wcs))
    return fits.HDUList(
        [
            fits.PrimaryHDU(header=fits.Header([*primary.items(), ("EFFEXPTM", 500.0)])),
            fits.ImageHDU(frame.data.astype(np.float32), header, name="SCI", ver=1),
            fits.ImageHDU(frame.err.astype(np.float32), fits.Header([("BUNIT", "MJy/sr")]), name="ERR", ver=1),
            fits.ImageHDU(frame.dq, name="DQ", ver=1),
            _asdf_extension(wcs),
        ]
    )


def _fits_cards(wcs: Any) -> fits.Header:
    """FITS WCS with SIP that fits a gwcs, as far as it can."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cards = wcs.to_fits_sip(degree=3, npoints=12)
    return fits.Header([card for card in cards.cards if not card.keyword.startswith(STRUCTURE)])


def _asdf_extension(wcs: Any) -> fits.BinTableHDU:
    """Extension with a gwcs, where the pipeline puts it."""
    stream = io.BytesIO()
    import_module("asdf").AsdfFile({"meta": {"wcs": wcs}}).write_to(stream)
    raw = np.frombuffer(stream.getvalue(), np.uint8)
    column = fits.Column(name="ASDF_METADATA", format=f"{len(raw)}B", array=raw[None])
    return fits.BinTableHDU.from_columns([column], name="ASDF")

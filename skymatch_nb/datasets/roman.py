"""Exposures like Roman's: calibrated images (L2) in ASDF files."""

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from skymatch_nb.datasets.checks import check_common, is_whole, require, require_gwcs
from skymatch_nb.datasets.exposing import BORDER, Frame, expose, offsets, unit_of
from skymatch_nb.datasets.imaging_gwcs import Field
from skymatch_nb.datasets.planted import PlantedMosaic, require_absent
from skymatch_nb.datasets.roman_tree import TAG, l2_tree
from skymatch_nb.datasets.telescope_sky import TelescopeSky

SCALE = 0.11  # arcsec
ROLL = -15.0  # degrees
CONVERSION = 0.6  # MJy/sr for a DN/s
DETECTORS = {
    "WFI01": (0.07, 0.05), "WFI02": (0.07, -1.12), "WFI04": (-1.07, 0.05), "WFI05": (-1.07, -1.12),
}  # fmt: skip
"""Where detectors lie in the field, in widths of one."""

DITHERS = ((0.0, 0.0), (0.3, -0.35), (-0.4, 0.25), (0.55, 0.4), (-0.25, -0.5), (0.1, 0.6))
"""Offsets of exposures in detectors' widths."""


def make_roman_mosaic(
    folder: str | Path,
    *,
    exposures: int = 3,
    detectors: int = 2,
    shape: tuple[int, int] = (320, 320),
    seed: int = 1,
    center: tuple[float, float] = (269.7, -27.9),
    units: str = "DN/s",
    sky_range: tuple[float, float] = (0.2, 0.5),
    pedestal: float = 0.0,
    noise: float = 0.02,
    cloud: float = 0.0,
    overwrite: bool = False,
) -> PlantedMosaic:
    """Write simulated exposures like Roman's, each with a sky background of its own.

    A file ``r..._cal.asdf`` for every exposure and detector, with the arrays of a calibrated image (L2) and a gwcs;
    roman_datamodels opens them. The scene has galaxies, stars with twelve spikes and, where asked for, a cloud of gas.
    Flags are those of Roman: hot and dead pixels, jumps by cosmic rays (which are corrected, mostly), saturated stars.

    Parameters
    ----------
    folder : str or Path
        Where to write; made if missing.
    exposures : int
        Number of dithered exposures, 1 to 6.
    detectors : int
        Number of detectors of the Wide Field Instrument, 1 to 4.
    shape : tuple of int
        Height and width (ny, nx) of a detector in pixels, 64 or more each.
    seed : int
        Seed of every random draw, 0 or more.
    center : tuple of float
        RA and Dec of the field in degrees.
    units : {"DN/s", "MJy/sr"}
        Units of the pixels; MJy/sr is what the pipeline's step ``flux`` makes.
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
    check_common(exposures, len(DITHERS), shape, seed, center, sky_range, pedestal, noise, cloud)
    known = is_whole(detectors, 1) and detectors <= len(DETECTORS)
    require(known, "detectors", detectors, f"1 to {len(DETECTORS)}")
    require(units in ("DN/s", "MJy/sr"), "units", units, "DN/s or MJy/sr")
    chosen = list(DETECTORS.items())[:detectors]
    names = [
        f"r0999901001001001001_{number + 1:04d}_{name.lower()}_f158_cal.asdf"
        for number in range(exposures)
        for name, _ in chosen
    ]
    paths = tuple(Path(folder) / name for name in names)
    require_absent(paths, overwrite)
    require_gwcs()
    Path(folder).mkdir(parents=True, exist_ok=True)

    scene_rng, *rngs = (np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(1 + exposures))
    width = max(shape)
    field = Field(half=1.12 * width, scale=SCALE, parity=1)
    angle = np.radians(15 - ROLL)
    sky = TelescopeSky.draw(
        scene_rng, 3.9 * width * SCALE, 1.3 * SCALE, unit=unit_of(sky_range), cloud=cloud, spikes=12, angle=angle
    )
    per_unit = 1.0 if units == "MJy/sr" else 1 / CONVERSION
    brightness: dict[str, float] = {}
    for number, rng in enumerate(rngs):
        common = float(rng.uniform(*sky_range))
        dither = np.array(DITHERS[number]) * width * SCALE / 3600
        pointing = center[0] + dither[0] / np.cos(np.radians(center[1])), center[1] + dither[1]
        for k, (detector, corner) in enumerate(chosen):
            path = paths[number * detectors + k]
            wcs = field.gwcs((corner[0] * width, corner[1] * width), shape, pointing, ROLL)
            level = common + pedestal * float(rng.standard_normal())
            frame = expose(rng, sky, offsets(wcs, shape, center), level, noise, np.random.default_rng([seed, k]))
            scaled = Frame(frame.data * per_unit, frame.err * per_unit, frame.dq)
            tree = l2_tree(
                path.name, scaled, wcs, detector, number + 1, calibrated=units == "MJy/sr", border=BORDER,
                area=SCALE**2, conversion=CONVERSION, pointing=pointing,
            )  # fmt: skip
            _write(path, tree)
            brightness[path.name] = level
    return PlantedMosaic(paths, {name: level * per_unit for name, level in brightness.items()}, brightness, SCALE)


def _write(path: Path, tree: dict[str, Any]) -> None:
    """Write an image, the same whether or not roman_datamodels is installed."""
    asdf, tagged = import_module("asdf"), import_module("asdf.tagged")
    with asdf.config_context() as config:
        config.remove_extension(package="roman_datamodels")
        file = asdf.AsdfFile({"roman": tagged.TaggedDict(tree, TAG)})
        file.write_to(path, all_array_compression="lz4")

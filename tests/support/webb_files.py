"""Files of JWST and Roman, written by the agencies' own packages, with gwcs objects like theirs and a planted sky."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

asdf = pytest.importorskip("asdf")
gwcs = pytest.importorskip("gwcs")

from astropy import coordinates, units  # noqa: E402
from astropy.modeling import models  # noqa: E402

DO_NOT_USE, JUMP_DET, NON_SCIENCE = 1, 4, 512


def imaging_gwcs(
    ra: float = 34.45, dec: float = -5.25, scale: float = 0.063, shape: tuple[int, int] = (300, 300),
    bend: float = 1.0, roll: float = 30.0, box: Any = True, inverse: bool = True,
) -> Any:  # fmt: skip
    """Gwcs like JWST's: a polynomial of third degree to v2v3 with an inexact inverse or none, then to the sky.

    ``bend`` is about the displacement in pixels that the distortion makes at the corners.
    """
    ny, nx = shape
    x0, y0 = (nx - 1) / 2, (ny - 1) / 2
    half = max(nx, ny) / 2
    terms = {"c2_0": 0.4 / half, "c1_1": -0.3 / half, "c0_2": 0.2 / half, "c3_0": 0.1 / half**2, "c1_2": 0.2 / half**2}
    bent = {name: bend * value / half for name, value in terms.items()}
    px = models.Polynomial2D(3, c1_0=1, **bent)
    py = models.Polynomial2D(3, c0_1=1, **{k: -0.7 * v for k, v in bent.items()})
    distortion = models.Mapping((0, 1, 0, 1)) | px & py
    distortion.inverse = models.Mapping((0, 1, 0, 1)) | models.Polynomial2D(1, c1_0=1) & models.Polynomial2D(1, c0_1=1)
    to_v2v3 = (models.Shift(-x0) & models.Shift(-y0)) | distortion
    a = np.radians(roll)
    turn = models.AffineTransformation2D([[-np.cos(a), np.sin(a)], [np.sin(a), np.cos(a)]])
    to_sky = (
        turn
        | (models.Scale(scale / 3600) & models.Scale(scale / 3600))
        | models.Pix2Sky_TAN()
        | models.RotateNative2Celestial(ra, dec, 180.0)
    )
    if not inverse:
        to_v2v3 = (models.Shift(-x0) & models.Shift(-y0)) | models.Mapping((0, 1, 0, 1)) | px & py
    detector = gwcs.coordinate_frames.Frame2D(name="detector", unit=(units.pix, units.pix))
    v2v3 = gwcs.coordinate_frames.Frame2D(name="v2v3", unit=(units.arcsec, units.arcsec))
    world = gwcs.coordinate_frames.CelestialFrame(
        name="world", reference_frame=coordinates.ICRS(), unit=(units.deg, units.deg)
    )
    wcs = gwcs.WCS([(detector, to_v2v3), (v2v3, to_sky), (world, None)])
    if box:
        wcs.bounding_box = ((-0.5, nx - 0.5), (-0.5, ny - 0.5)) if box is True else box
    return wcs


def window(wcs: Any, x0: float, y0: float, shape: tuple[int, int]) -> Any:
    """Gwcs of a window of a detector: its pixel (0, 0) lies at (x0, y0) of the detector, which need not be whole."""
    first, *others = wcs.pipeline
    moved = (models.Shift(x0) & models.Shift(y0)) | first.transform
    made = gwcs.WCS([(first.frame, moved), *[(step.frame, step.transform) for step in others]])
    made.bounding_box = ((-0.5, shape[1] - 0.5), (-0.5, shape[0] - 0.5))
    return made


def write_jwst(
    path: Path,
    wcs: Any,
    data: np.ndarray,
    dq: np.ndarray | None = None,
    *,
    exposure: int = 1,
    detector: str = "NRCBLONG",
    instrument: str = "NIRCAM",
    filter_name: str = "F444W",
    pupil: str | None = "CLEAR",
    unit: str = "MJy/sr",
    pixel_area: float | None = 0.00397,
    background: tuple[float, bool] | None = None,
) -> Path:
    """Write a ``_cal`` file through stdatamodels; ``wcs`` None leaves it without a gwcs."""
    datamodels = pytest.importorskip("stdatamodels.jwst.datamodels")
    model = datamodels.ImageModel(data.shape)
    model.data = np.asarray(data, np.float32)
    model.dq = np.zeros(data.shape, np.uint32) if dq is None else np.asarray(dq, np.uint32)
    model.err = np.ones(data.shape, np.float32)
    meta = model.meta
    meta.telescope, meta.bunit_data, meta.photometry.pixelarea_arcsecsq = "JWST", unit, pixel_area
    meta.instrument.name, meta.instrument.detector = instrument, detector
    meta.instrument.filter, meta.instrument.pupil = filter_name, pupil
    seen = meta.observation
    seen.program_number, seen.observation_number, seen.visit_number = "01837", "004", "001"
    seen.visit_group, seen.sequence_id, seen.activity_id, seen.exposure_number = "02", "1", "01", str(exposure)
    seen.date, meta.exposure.exposure_time = "2022-12-28", 100.0
    if wcs is not None:
        meta.wcs = wcs
    if background is not None:
        meta.background.level, meta.background.subtracted = background
    model.save(str(path))
    return path


def write_roman(
    path: Path,
    wcs: Any,
    data: np.ndarray,
    dq: np.ndarray | None = None,
    *,
    exposure: int = 1,
    detector: str = "WFI01",
    element: str = "F158",
    tag: str | None = None,
    **defaults: Any,
) -> Path:
    """Write an L2 image through roman_datamodels."""
    datamodels = pytest.importorskip("roman_datamodels.datamodels")
    named = {} if tag is None else {"tag": tag}
    model = datamodels.ImageModel.create_fake_data(shape=data.shape, **named)
    model.data = np.asarray(data, np.float32)
    model.dq = np.zeros(data.shape, np.uint32) if dq is None else np.asarray(dq, np.uint32)
    meta = model.meta
    meta.filename, meta.wcs = type(meta.filename)(path.name), wcs
    meta.instrument.detector, meta.instrument.optical_element = detector, element
    meta.observation.update(
        {"program": 3, "execution_plan": 1, "pass": 2, "segment": 4, "observation": 5, "visit": 6, "exposure": exposure}
    )
    meta.exposure.exposure_time = 107.0
    for name, value in defaults.items():
        section, _, key = name.partition("__")
        meta[section][key] = value
    model.save(str(path))
    return path


def planted(
    wcs: Any, shape: tuple[int, int], level: float, *, seed: int, noise: float = 0.02, scene: Any = None
) -> np.ndarray:
    """Pixels with a level, a scene that is a function of the sky, and noise."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(float)
    data = level + noise * np.random.default_rng(seed).standard_normal(shape)
    if scene is not None:
        data += scene(*wcs(x, y, with_bounding_box=False))
    return data


def levels_of(table: Any, files: Sequence[str]) -> np.ndarray:
    """Sky of files in their data units, relative to the first."""
    sky = np.array([table.loc[table.index.str.startswith(name), "sky_data"].iloc[0] for name in files])
    return sky - sky[0]

"""Exposures that detectors take of a field through their gwcs: pixels, errors and flags."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import RectBivariateSpline

from skymatch_nb.datasets.detector import cosmic_rays
from skymatch_nb.datasets.scene import tangent_frame
from skymatch_nb.datasets.telescope_sky import TelescopeSky

Floats = NDArray[np.float64]
Flags = NDArray[np.uint32]

DO_NOT_USE, SATURATED, JUMP_DET, NON_SCIENCE, DEAD, HOT = 1, 2, 4, 512, 1024, 2048
REFERENCE_PIXEL = 1 << 31
"""Flags that JWST and Roman have in common."""

BORDER = 4  # pixels around an image that see no light
RAYS = 500.0  # seconds in which as many cosmic rays come as an exposure has
CHARGE = 3e-4  # what an electron of a cosmic ray makes, in the field's unit of brightness
STRONG = 4000.0  # electrons, above which a jump cannot be taken out
STEP = 16  # pixels between positions that are computed through the gwcs
FULL_WELL = 30.0  # in the field's unit of brightness


@dataclass(frozen=True)
class Frame:
    """What a detector gives: pixels and errors in MJy/sr, and flags, each (ny, nx)."""

    data: Floats
    err: Floats
    dq: Flags


def unit_of(sky_range: tuple[float, float]) -> float:
    """Brightness of a usual source over a sky, in MJy/sr."""
    return 2 * max(sky_range[1], 0.05)


def offsets(wcs: Any, shape: tuple[int, int], center: tuple[float, float]) -> tuple[Floats, Floats]:
    """Offsets (east, north) in arcsec from a centre (RA and Dec in degrees), of all pixels, each (ny, nx)."""
    ys, xs = (np.arange(0.0, n + STEP, STEP) for n in shape)
    sky = wcs(*np.meshgrid(xs, ys), with_bounding_box=False)
    rows, cols = (np.arange(n) for n in shape)
    plane = tangent_frame(*center).wcs_world2pix(*sky, 0)
    xi, eta = (np.asarray(RectBivariateSpline(ys, xs, axis)(rows, cols)) for axis in plane)
    return xi, eta


def expose(
    rng: np.random.Generator,
    sky: TelescopeSky,
    places: tuple[Floats, Floats],
    level: float,
    noise: float,
    flaws: np.random.Generator,
) -> Frame:
    """Take an exposure: the scene on a level, with noise, the detector's own flaws, and jumps by cosmic rays.

    Most cosmic rays were found and taken out of the ramps (JUMP_DET, with more noise); where one saturated its pixels
    they are DO_NOT_USE, and some were missed. ``flaws`` draws what the same detector has in every exposure.
    """
    scene = sky.at(*places)
    shape = scene.shape
    err = noise * np.sqrt(1 + scene / max(level, 1e-3))
    found, missed = (cosmic_rays(rng, (shape[0], shape[1]), part * RAYS)[0] for part in (0.85, 0.15))
    dq = np.where(scene > FULL_WELL * sky.unit, SATURATED | DO_NOT_USE, 0).astype(np.uint32)
    dq[found > 0] |= JUMP_DET
    dq[found > STRONG] |= DO_NOT_USE
    err[found > 0] *= 1.5
    data = level + scene + err * rng.standard_normal(shape)
    data += (np.where(found > STRONG, found, 0) + missed) * CHARGE * sky.unit
    hot = flaws.choice(data.size, data.size // 400, replace=False)
    data.flat[hot] += flaws.uniform(0.5, 20, hot.size) * sky.unit
    dq.flat[hot] |= HOT | DO_NOT_USE
    row, column = flaws.integers(0, shape, 2)
    ys, xs = np.ogrid[: shape[0], : shape[1]]
    dead: NDArray[np.bool_] = np.hypot(ys - float(row), xs - float(column)) < 0.03 * min(shape)
    data[dead] = level
    dq[dead] |= DEAD | DO_NOT_USE
    return Frame(data, err, dq)


def blank_border(frame: Frame, width: int = BORDER, *, sides: str = "lrbt") -> None:
    """Make reference pixels of the sides of an image (left, right, bottom, top): no numbers, and flagged."""
    every = slice(None)
    first, last = slice(width), slice(-width, None)
    edges = {"l": (every, first), "r": (every, last), "b": (first, every), "t": (last, every)}
    for side in sides:
        frame.data[edges[side]] = np.nan
        frame.dq[edges[side]] = DO_NOT_USE | NON_SCIENCE | REFERENCE_PIXEL

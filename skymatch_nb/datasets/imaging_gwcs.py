"""Gwcs objects of imaging detectors: a distorted field that all detectors share, then the sky."""

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from astropy import coordinates, units
from astropy.modeling import fitting, models
from numpy.typing import NDArray

Floats = NDArray[np.float64]

BEND = {"c2_0": 0.4, "c1_1": -0.3, "c0_2": 0.2, "c3_0": 0.1, "c1_2": 0.2}
"""Terms of the distortion along x, in units of the displacement at the edge of the field; y has -0.7 of them."""


@dataclass(frozen=True)
class Field:
    """Field of view of a camera.

    Attributes
    ----------
    half : float
        Half of its width in pixels.
    scale : float
        Pixel scale in arcsec.
    bend : float
        Displacement by the distortion at the edge of the field, in pixels.
    parity : int
        -1 where east is to the left when north is up, else 1.
    """

    half: float
    scale: float
    bend: float = 3.0
    parity: int = -1

    def gwcs(
        self, corner: tuple[float, float], shape: tuple[int, int], center: tuple[float, float], roll: float
    ) -> Any:
        """Gwcs of a detector whose pixel (0, 0) lies at `corner` of the field, as x and y in pixels from its centre.

        The field's centre points to `center` (RA and Dec in degrees); `roll` turns it by degrees.

        Raises
        ------
        ImportError
            Where gwcs is not installed.
        """
        gwcs = import_module("gwcs")
        frames = gwcs.coordinate_frames
        ny, nx = shape
        to_field = models.Shift(corner[0]) & models.Shift(corner[1])
        distortion = self._distortion()
        turned = np.radians(roll)
        turn = models.AffineTransformation2D(
            [[self.parity * np.cos(turned), np.sin(turned)], [-self.parity * np.sin(turned), np.cos(turned)]]
        )
        size = self.scale / 3600
        to_sky = turn | (models.Scale(size) & models.Scale(size)) | models.Pix2Sky_TAN()
        to_sky |= models.RotateNative2Celestial(center[0] % 360, center[1], 180.0)
        detector = frames.Frame2D(name="detector", unit=(units.pix, units.pix))
        v2v3 = frames.Frame2D(name="v2v3", unit=(units.arcsec, units.arcsec))
        degrees = (units.deg, units.deg)
        world = frames.CelestialFrame(name="world", reference_frame=coordinates.ICRS(), unit=degrees)
        made = gwcs.WCS([(detector, to_field | distortion), (v2v3, to_sky), (world, None)])
        made.bounding_box = ((-0.5, nx - 0.5), (-0.5, ny - 0.5))
        return made

    def _distortion(self) -> Any:
        """Displacement within the field, with an inverse that is a fit, as that of real files is."""
        powers = {name: sum(int(digit) for digit in name[1:].split("_")) for name in BEND}
        terms = {name: self.bend * value / self.half ** powers[name] for name, value in BEND.items()}
        forward = [
            models.Polynomial2D(3, c1_0=1, **terms),
            models.Polynomial2D(3, c0_1=1, **{name: -0.7 * value for name, value in terms.items()}),
        ]
        x, y = (axis.ravel() for axis in np.meshgrid(*[np.linspace(-1, 1, 21) * self.half] * 2))
        bent = [model(x, y) for model in forward]
        fit = fitting.LinearLSQFitter()
        inverse = [fit(models.Polynomial2D(4), *bent, axis) for axis in (x, y)]
        distortion = models.Mapping((0, 1, 0, 1)) | forward[0] & forward[1]
        distortion.inverse = models.Mapping((0, 1, 0, 1)) | inverse[0] & inverse[1]
        return distortion

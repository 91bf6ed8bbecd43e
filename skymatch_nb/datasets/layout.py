"""Where the exposures of a mosaic lie, and the headers that tell so."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from skymatch_nb.datasets.checks import is_whole, require, within

Floats = NDArray[np.float64]

CHIP_GAP = 50  # pixels
CAMERAS = {"SKYCAM": 99, "ACS/HRC": 1, "ACS/WFC": 2}  # chips of an exposure at most
MAX_EXTENT = 8.0  # degrees, up to which one tangent plane serves
# Powers of x and y (in half diagonals of the field) and relative displacement along each axis.
SIP_SHAPE = {
    "A": [(2, 0, 1.0), (1, 1, -0.6), (0, 2, 0.25), (3, 0, -0.03), (1, 2, 0.02)],
    "B": [(2, 0, -0.2), (1, 1, 0.7), (0, 2, -0.85), (2, 1, 0.02), (0, 3, -0.04)],
}


@dataclass(frozen=True)
class Layout:
    """The checked arguments of `make_mosaic` and the geometry that follows from them."""

    rows: int
    cols: int
    shape: tuple[int, int]
    chips: int
    overlap: float
    center: tuple[float, float]
    pixel_scale: float
    units: str
    exptimes: Sequence[float]
    sky_range: tuple[float, float]
    rotation: float
    distortion: float
    stars: int
    persistence: float
    nebula: float
    camera: str

    def __post_init__(self) -> None:
        for name, least in (("rows", 1), ("cols", 1), ("chips", 1), ("stars", 0)):
            value = getattr(self, name)
            require(is_whole(value, least), name, value, f"an integer of at least {least}")
        shape, center, scale = self.shape, self.center, self.pixel_scale
        times, sky = self.exptimes, self.sky_range
        pair = len(shape) == 2 and all(is_whole(n, 32) for n in shape)
        require(pair, "shape", shape, "(ny, nx), integers of at least 32")
        require(0 < self.overlap < 0.9, "overlap", self.overlap, "a fraction between 0 and 0.9")
        pair = len(center) == 2 and within(center, -360, 360)
        require(pair and abs(center[1]) <= 90, "center", center, "RA and Dec in degrees")
        require(within([scale], 0) and scale > 0, "pixel_scale", scale, "a size above 0 arcsec")
        require(self.units in ("ELECTRONS/S", "ELECTRONS"), "units", self.units, "ELECTRONS/S or ELECTRONS")
        positive = len(times) > 0 and within(times, 0) and min(times) > 0
        require(positive, "exptimes", times, "one or more times above 0 seconds")
        pair = len(sky) == 2 and within(sky, 0)
        require(pair and sky[0] <= sky[1], "sky_range", sky, "(low, high), not below 0")
        require(within([self.rotation], 0, 180), "rotation", self.rotation, "0 to 180 degrees")
        require(within([self.distortion], 0, 5), "distortion", self.distortion, "0 to 5")
        require(0 <= self.nebula <= 1, "nebula", self.nebula, "True, False or a fraction from 0 to 1")
        require(0 <= self.persistence < 1, "persistence", self.persistence, "a fraction from 0 to below 1")
        require(self.camera in CAMERAS, "camera", self.camera, f"one of {', '.join(CAMERAS)}")
        most = CAMERAS[self.camera]
        require(self.chips <= most, "chips", self.chips, f"at most {most} for {self.camera}")
        small = max(self.mosaic_size) <= 3600 * MAX_EXTENT
        require(small, "pixel_scale", scale, f"a mosaic of at most {MAX_EXTENT:g} degrees")

    @property
    def field_pixels(self) -> Floats:
        """Width and height of an exposure with the gaps between its chips, in pixels."""
        ny, nx = self.shape
        return np.array([nx, self.chips * ny + (self.chips - 1) * CHIP_GAP], dtype=float)

    @property
    def field_size(self) -> Floats:
        """Width and height of an exposure, in arcsec."""
        return self.pixel_scale * self.field_pixels

    @property
    def mosaic_size(self) -> Floats:
        """Width and height of the mosaic, in arcsec."""
        return self.field_size * (1 + (1 - self.overlap) * np.array([self.cols - 1, self.rows - 1]))

    @property
    def displacement(self) -> float:
        """Largest distortion, at a corner of the field, in pixels."""
        return 10 * self.distortion * max(self.shape) / 2048

    def offset(self, index: int) -> Floats:
        """Offset (east, north) of an exposure from the mosaic's centre before dithering, in arcsec."""
        row, col = divmod(index, self.cols)
        steps = np.array([col - (self.cols - 1) / 2, row - (self.rows - 1) / 2])
        return steps * (1 - self.overlap) * self.field_size

    def sip_keywords(self) -> dict[str, float]:
        """SIP coefficients about the centre of the field, which all chips share."""
        half = 0.5 * float(np.hypot(*self.field_pixels))
        x, y = np.meshgrid(*(np.array([-0.5, 0.5]) * n / half for n in self.field_pixels))
        dx, dy = (np.sum([c * x**p * y**q for p, q, c in SIP_SHAPE[axis]], axis=0) for axis in "AB")
        scale = self.displacement / np.max(np.hypot(dx, dy))
        terms = ((axis, *term) for axis in "AB" for term in SIP_SHAPE[axis])
        return {f"{axis}_{p}_{q}": float(scale * c / half ** (p + q)) for axis, p, q, c in terms}

    def chip_header(self, pointing: Floats, angle: float, chip: int) -> fits.Header:
        """Image header of a chip; `pointing` is in degrees, `angle` in radians from north to the y axis."""
        ny, nx = self.shape
        below = (chip - (self.chips - 1) / 2) * (ny + CHIP_GAP)
        scale, cos, sin = self.pixel_scale / 3600, float(np.cos(angle)), float(np.sin(angle))
        cards: dict[str, str | float] = {"BUNIT": self.units, "IDCSCALE": self.pixel_scale, "WCSAXES": 2}
        cards |= {"CTYPE1": "RA---TAN-SIP", "CTYPE2": "DEC--TAN-SIP", "CUNIT1": "deg", "CUNIT2": "deg"}
        cards |= {"CRVAL1": float(pointing[0]) % 360, "CRVAL2": float(pointing[1]), "RADESYS": "ICRS"}
        cards |= {"CRPIX1": (nx + 1) / 2, "CRPIX2": (ny + 1) / 2 - below, "A_ORDER": 3, "B_ORDER": 3}
        cards |= {"CD1_1": -scale * cos, "CD1_2": scale * sin, "CD2_1": scale * sin, "CD2_2": scale * cos}
        if self.camera != "SKYCAM":
            cards |= {"OCX10": 0.0, "OCX11": self.pixel_scale, "OCY10": self.pixel_scale, "OCY11": 0.0, "IDCTHETA": 0.0}
            cards |= {"ORIENTAT": float(np.degrees(angle)), "CCDCHIP": self.chips - chip, "MEANDARK": 0.0}
            cards |= {"NGOODPIX": nx * ny, "EXPNAME": "simulated"}
        return fits.Header((cards | self.sip_keywords()).items())

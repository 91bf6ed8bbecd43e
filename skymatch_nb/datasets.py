"""Synthetic mosaics of overlapping exposures with a planted sky background."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from astropy import units as u
from astropy.coordinates import offset_by, position_angle
from astropy.io import fits
from astropy.wcs import WCS
from numpy.typing import NDArray
from scipy.interpolate import RectBivariateSpline
from scipy.special import expit

from skymatch_nb.errors import ParameterError

__all__ = ["PlantedMosaic", "demo_mosaic", "make_mosaic"]

Floats = NDArray[np.float64]
Flags = NDArray[np.int16]

READ_NOISE = 5.0  # electrons
CHIP_GAP = 50  # pixels
PSF_FWHM, PSF_BETA, STAMP_RADIUS = 2.2, 3.0, 25  # pixels, Moffat exponent, pixels
BAD_COLUMN, HOT_PIXEL, PERSISTENCE, COSMIC_RAY = 4, 16, 32, 4096
CAMERAS = {"SKYCAM": 99, "ACS/HRC": 1, "ACS/WFC": 2}  # chips of an exposure at most
BLOBS = 6  # persistence blobs of a chip
COSMIC_RAY_RATE = 2e-6  # tracks per pixel and second
MAX_EXTENT = 8.0  # degrees, up to which one tangent plane serves
# Powers of x and y (in half diagonals of the field) and relative displacement along each axis.
SIP_SHAPE = {
    "A": [(2, 0, 1.0), (1, 1, -0.6), (0, 2, 0.25), (3, 0, -0.03), (1, 2, 0.02)],
    "B": [(2, 0, -0.2), (1, 1, 0.7), (0, 2, -0.85), (2, 1, 0.02), (0, 3, -0.04)],
}


@dataclass(frozen=True)
class PlantedMosaic:
    """A synthetic mosaic on disk and the sky that was planted in it.

    Attributes
    ----------
    paths : tuple of Path
        The FITS files: rows from south to north, each from west to east.
    sky : dict of str to float
        File name to planted sky per pixel, in the data units of the file.
    sky_brightness : dict of str to float
        File name to planted sky in counts per second and square arcsecond.
    pixel_scale : float
        Pixel scale in arcsec.
    """

    paths: tuple[Path, ...]
    sky: dict[str, float]
    sky_brightness: dict[str, float]
    pixel_scale: float


def _require(condition: object, name: str, value: object, expected: str) -> None:
    if not condition:
        raise ParameterError(f"{name}={value!r}: expected {expected}")


def _is_whole(value: object, least: int) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and bool(value >= least)


def _within(values: Sequence[float], low: float, high: float = np.inf) -> bool:
    return all(np.isfinite(v) and low <= v <= high for v in values)


@dataclass(frozen=True)
class _Layout:
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
            _require(_is_whole(value, least), name, value, f"an integer of at least {least}")
        shape, center, scale = self.shape, self.center, self.pixel_scale
        times, sky = self.exptimes, self.sky_range
        pair = len(shape) == 2 and all(_is_whole(n, 32) for n in shape)
        _require(pair, "shape", shape, "(ny, nx), integers of at least 32")
        _require(0 < self.overlap < 0.9, "overlap", self.overlap, "a fraction between 0 and 0.9")
        pair = len(center) == 2 and _within(center, -360, 360)
        _require(pair and abs(center[1]) <= 90, "center", center, "RA and Dec in degrees")
        _require(_within([scale], 0) and scale > 0, "pixel_scale", scale, "a size above 0 arcsec")
        _require(self.units in ("ELECTRONS/S", "ELECTRONS"), "units", self.units, "ELECTRONS/S or ELECTRONS")
        positive = len(times) > 0 and _within(times, 0) and min(times) > 0
        _require(positive, "exptimes", times, "one or more times above 0 seconds")
        pair = len(sky) == 2 and _within(sky, 0)
        _require(pair and sky[0] <= sky[1], "sky_range", sky, "(low, high), not below 0")
        _require(_within([self.rotation], 0, 180), "rotation", self.rotation, "0 to 180 degrees")
        _require(_within([self.distortion], 0, 5), "distortion", self.distortion, "0 to 5")
        _require(0 <= self.nebula <= 1, "nebula", self.nebula, "True, False or a fraction from 0 to 1")
        _require(0 <= self.persistence < 1, "persistence", self.persistence, "a fraction from 0 to below 1")
        _require(self.camera in CAMERAS, "camera", self.camera, f"one of {', '.join(CAMERAS)}")
        most = CAMERAS[self.camera]
        _require(self.chips <= most, "chips", self.chips, f"at most {most} for {self.camera}")
        small = max(self.mosaic_size) <= 3600 * MAX_EXTENT
        _require(small, "pixel_scale", scale, f"a mosaic of at most {MAX_EXTENT:g} degrees")

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


def _tangent_frame(ra: float, dec: float) -> WCS:
    """Tangent plane at a point in degrees, whose pixel coordinates are offsets (east, north) in arcsec."""
    frame = WCS(naxis=2)
    frame.wcs.ctype = "RA---TAN", "DEC--TAN"
    frame.wcs.crval = ra % 360, dec
    frame.wcs.crpix = 1, 1
    frame.wcs.cdelt = 1 / 3600, 1 / 3600
    return frame


def _spiral_galaxy(xi: Floats, eta: Floats, scale: float) -> Floats:
    """Brightness of an inclined two-armed spiral with a bulge; offsets and scale length in arcsec."""
    axis_ratio, angle, pitch = 0.5, 0.6, 0.32
    x = (xi * np.cos(angle) + eta * np.sin(angle)) / scale
    y = (eta * np.cos(angle) - xi * np.sin(angle)) / scale
    r, phi = np.hypot(x, y / axis_ratio) + 1e-6, np.arctan2(y / axis_ratio, x)
    wave = np.cos(2 * phi - 2 * np.log(r) / np.tan(pitch))
    clumps = 0.4 * np.sin(9 * r + 5 * phi) * np.sin(4 * r**1.5 - 7 * phi)
    arms = 1 + 0.7 * wave * (1 - np.exp(-4 * r**2)) + clumps * (1 + wave) * (1 - np.exp(-(r**2)))
    bulge = 3 * (1 + (x**2 + (y / 0.8) ** 2) / 0.12**2) ** -1.5
    return np.asarray(0.9 * np.exp(-r) * arms + bulge)


def _ridges(xi: Floats, eta: Floats, ridges: Floats) -> Floats:
    """Brightness of wavy Gaussian ridges; `ridges` is (n, 6), see `_draw_nebula`."""
    total = np.zeros_like(xi)
    for x, y, angle, length, width, peak in ridges:
        along = ((xi - x) * np.cos(angle) + (eta - y) * np.sin(angle)) / length
        across = (eta - y) * np.cos(angle) - (xi - x) * np.sin(angle)
        across -= 0.15 * length * np.sin(4 * along + 7 * angle)
        total += peak * np.exp(-0.5 * (along**2 + (across / width) ** 2))
    return total


def _draw_nebula(rng: np.random.Generator, layout: _Layout, box: Floats) -> Floats:
    """Filaments and knots: offsets (arcsec), angle (radians), two sigmas (arcsec), peak; shape (n, 6)."""
    n = 20 + 8 * layout.rows * layout.cols
    length = np.mean(layout.field_size) * 10 ** rng.uniform(-1.3, -0.3, n)
    width = length * np.where(np.arange(n) % 2, 0.1, 0.7)
    peak = max(layout.sky_range[1], 0.05) * rng.uniform(1, 6, n)
    middle, angle = rng.uniform(-0.5, 0.5, (n, 2)) * box, rng.uniform(0, np.pi, n)
    return np.column_stack([middle, angle, length, width, peak])


@dataclass(frozen=True)
class _Scene:
    """The sources around one point of the sky."""

    frame: WCS
    stars: Floats  # (n, 3): RA and Dec in degrees, electrons per second
    galaxy_scale: float  # arcsec; 0 for no galaxy
    ridges: Floats  # see `_draw_nebula`
    edge: float  # arcsec north-east of the middle, beyond which the nebula fades

    @classmethod
    def draw(cls, rng: np.random.Generator, layout: _Layout, frame: WCS, *, galaxy: bool) -> "_Scene":
        """Draw the sources in and around the area of a mosaic."""
        box = 1.1 * layout.mosaic_size
        count = round(layout.stars * float(np.prod(box / layout.field_size)))
        places = frame.wcs_pix2world(rng.uniform(-0.5, 0.5, (count, 2)) * box, 0)
        stars = np.column_stack([places, 3 * np.minimum((1 - rng.random(count)) ** -1.4, 1000)])
        scale = 0.12 * float(min(layout.mosaic_size)) if galaxy else 0.0
        ridges = _draw_nebula(rng, layout, box) if layout.nebula else np.empty((0, 6))
        edge = np.inf if layout.nebula == 1 else (layout.nebula - 0.5) * float(np.sum(box)) / np.sqrt(2)
        return cls(frame, stars, scale, ridges, edge)

    def image(self, chip: WCS, layout: _Layout) -> Floats:
        """Scene on a chip in electrons per second and pixel, (ny, nx)."""
        image = np.zeros(layout.shape)
        if self.galaxy_scale or len(self.ridges):
            step = int(np.clip(min(layout.shape) // 32, 2, 8))
            ys, xs = (np.arange(0.0, n + step, step) for n in layout.shape)
            xi, eta = self.frame.wcs_world2pix(*chip.all_pix2world(*np.meshgrid(xs, ys), 0), 0)
            smooth = _ridges(xi, eta, self.ridges) * self._fading(xi, eta, layout)
            if self.galaxy_scale:
                smooth += _spiral_galaxy(xi, eta, self.galaxy_scale)
            rows, cols = (np.arange(n) for n in layout.shape)
            image += np.maximum(RectBivariateSpline(ys, xs, smooth)(rows, cols), 0)
        self._add_stars(image, chip, STAMP_RADIUS + 2 * layout.displacement)
        return image

    def _fading(self, xi: Floats, eta: Floats, layout: _Layout) -> Floats:
        """Factor from 1 to 0 across the nebula's edge, which runs from north-west to south-east."""
        beyond = (xi + eta) / np.sqrt(2) - self.edge
        return np.asarray(expit(-beyond / (0.04 * float(np.mean(layout.field_size)))))

    def _add_stars(self, image: Floats, chip: WCS, reach: float) -> None:
        """Add the stars on `image` (ny, nx) and up to `reach` pixels around it."""
        ny, nx = image.shape
        x, y = chip.wcs_world2pix(self.stars[:, :2], 0).T
        near = (np.abs(x - nx / 2) < nx / 2 + reach) & (np.abs(y - ny / 2) < ny / 2 + reach)
        places = chip.all_world2pix(self.stars[near, :2], 0, quiet=True) if near.any() else []
        core = PSF_FWHM / (2 * np.sqrt(2 ** (1 / PSF_BETA) - 1))
        for (px, py), flux in zip(places, self.stars[near, 2], strict=True):
            edges = [py - STAMP_RADIUS, py + STAMP_RADIUS + 1, px - STAMP_RADIUS, px + STAMP_RADIUS + 1]
            bottom, top, left, right = np.maximum(edges, 0).astype(int)
            stamp = slice(bottom, top), slice(left, right)
            ys, xs = np.arange(ny)[stamp[0], None], np.arange(nx)[stamp[1]]
            r2 = ((xs - px) ** 2 + (ys - py) ** 2) / core**2
            image[stamp] += flux * (PSF_BETA - 1) / (np.pi * core**2) * (1 + r2) ** -PSF_BETA


def _detector(rng: np.random.Generator, shape: tuple[int, int]) -> tuple[Floats, Floats, Flags]:
    """Dark current (electrons per second), response and flags of a chip, all (ny, nx)."""
    ny, nx = shape
    dark, response, flags = np.zeros(shape), np.ones(shape), np.zeros(shape, dtype=np.int16)
    hot = rng.choice(dark.size, dark.size // 500, replace=False)
    dark.flat[hot] = rng.uniform(1, 30, hot.size)
    flags.flat[hot] |= HOT_PIXEL
    for column in rng.choice(nx, 1 + nx // 400, replace=False):
        rows = slice(int(rng.integers(0, ny // 2)), ny)
        response[rows, column] = rng.uniform(0.1, 0.6)
        flags[rows, column] |= BAD_COLUMN
    return dark, response, flags


def _cosmic_rays(rng: np.random.Generator, shape: tuple[int, int], exptime: float) -> tuple[Floats, Flags]:
    """Charge of cosmic-ray tracks in electrons, and flags of every other track; both (ny, nx)."""
    charge, flags = np.zeros(shape), np.zeros(shape, dtype=np.int16)
    count = int(rng.poisson(COSMIC_RAY_RATE * charge.size * exptime))
    angle, length = rng.uniform(0, 2 * np.pi, (count, 1)), rng.integers(1, 12, (count, 1))
    start, step = rng.random((count, 2)) * shape, np.arange(12)
    ys = np.rint(start[:, :1] + np.sin(angle) * step).astype(int)
    xs = np.rint(start[:, 1:] + np.cos(angle) * step).astype(int)
    hit = (step < length) & (ys >= 0) & (ys < shape[0]) & (xs >= 0) & (xs < shape[1])
    deposit = rng.uniform(300, 5000, (count, 1)) * rng.uniform(0.5, 1.5, hit.shape)
    np.add.at(charge, (ys[hit], xs[hit]), deposit[hit])
    hit[1::2] = False
    flags[ys[hit], xs[hit]] = COSMIC_RAY
    return charge, flags


def _persistence(rng: np.random.Generator, shape: tuple[int, int], fraction: float) -> tuple[Floats, Flags]:
    """Afterglow of bright stars of earlier exposures (electrons per second) and its flags, both (ny, nx)."""
    y, x = np.ogrid[: shape[0], : shape[1]]
    glow, flags = np.zeros(shape), np.zeros(shape, dtype=np.int16)
    radius = np.sqrt(fraction * glow.size / (BLOBS * np.pi))
    for row, column, peak in rng.random((BLOBS, 3)) * (*shape, 2.0):
        r2 = ((x - column) ** 2 + (y - row) ** 2) / max(radius, 1e-9) ** 2
        glow += peak * np.exp(-2 * r2)
        flags[r2 < 1] = PERSISTENCE
    return glow * (flags > 0), flags


def _expose(
    rng: np.random.Generator, layout: _Layout, scene: _Scene, index: int, detector_seed: int
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
        dark, response, flags = _detector(np.random.default_rng([detector_seed, chip]), layout.shape)
        charge, tracks = _cosmic_rays(rng, layout.shape, exptime)
        if layout.persistence:
            glow, glowing = _persistence(rng, layout.shape, layout.persistence)
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


def _primary(path: Path, index: int, exptime: float, layout: _Layout) -> fits.PrimaryHDU:
    started = np.datetime64("2024-03-01T00:00:00") + np.timedelta64(20 * index, "m")
    cards = {"TELESCOP": "SIMULATED", "INSTRUME": "SKYCAM", "DETECTOR": "CCD", "FILTER": "F814W"}
    cards |= {"DATE-OBS": str(started), "ROOTNAME": path.stem.removesuffix("_flt")}
    if layout.camera != "SKYCAM":
        cards |= _hubble_cards(path, exptime, layout)
    return fits.PrimaryHDU(header=fits.Header([*cards.items(), ("EXPTIME", exptime)]))


def _hubble_cards(path: Path, exptime: float, layout: _Layout) -> dict[str, Any]:
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
    layout = _Layout(
        rows, cols, shape, chips, overlap, center, pixel_scale, units, exptimes, sky_range, rotation,
        distortion, stars, persistence, float(nebula), camera,
    )  # fmt: skip
    count = rows * cols
    _require(_is_whole(seed, 0), "seed", seed, "an integer of at least 0")
    known = all(_is_whole(k, 0) and k < count for k in separate)
    _require(known, "separate", separate, f"indices from 0 to {count - 1}")
    paths = tuple(Path(folder) / f"demo_{k + 1:02d}_flt.fits" for k in range(count))
    for path in paths:
        if path.exists() and not overwrite:
            raise FileExistsError(f"{path} exists; choose another folder or overwrite")
    Path(folder).mkdir(parents=True, exist_ok=True)

    rngs = [np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(2 + count)]
    ra, dec = offset_by(*(center * u.deg), 90 * u.deg, 10 * layout.mosaic_size[0] * u.arcsec)
    here = _Scene.draw(rngs[0], layout, _tangent_frame(*center), galaxy=galaxy)
    away = _Scene.draw(rngs[1], layout, _tangent_frame(ra.deg, dec.deg), galaxy=False)
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

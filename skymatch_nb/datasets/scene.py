"""The sources of a mosaic: stars, a galaxy, a nebula."""

from dataclasses import dataclass

import numpy as np
from astropy.wcs import WCS
from numpy.typing import NDArray
from scipy.interpolate import RectBivariateSpline
from scipy.special import expit

from skymatch_nb.datasets.layout import Layout

Floats = NDArray[np.float64]

PSF_FWHM, PSF_BETA, STAMP_RADIUS = 2.2, 3.0, 25  # pixels, Moffat exponent, pixels


def tangent_frame(ra: float, dec: float) -> WCS:
    """Tangent plane at a point in degrees, whose pixel coordinates are offsets (east, north) in arcsec."""
    frame = WCS(naxis=2)
    frame.wcs.ctype = "RA---TAN", "DEC--TAN"
    frame.wcs.crval = ra % 360, dec
    frame.wcs.crpix = 1, 1
    frame.wcs.cdelt = 1 / 3600, 1 / 3600
    return frame


def spiral_galaxy(xi: Floats, eta: Floats, scale: float, axis_ratio: float = 0.5, angle: float = 0.6) -> Floats:
    """Brightness of an inclined two-armed spiral with a bulge; offsets and scale length in arcsec, angle in radians."""
    pitch = 0.32
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


def _draw_nebula(rng: np.random.Generator, layout: Layout, box: Floats) -> Floats:
    """Filaments and knots: offsets (arcsec), angle (radians), two sigmas (arcsec), peak; shape (n, 6)."""
    n = 20 + 8 * layout.rows * layout.cols
    length = np.mean(layout.field_size) * 10 ** rng.uniform(-1.3, -0.3, n)
    width = length * np.where(np.arange(n) % 2, 0.1, 0.7)
    peak = max(layout.sky_range[1], 0.05) * rng.uniform(1, 6, n)
    middle, angle = rng.uniform(-0.5, 0.5, (n, 2)) * box, rng.uniform(0, np.pi, n)
    return np.column_stack([middle, angle, length, width, peak])


@dataclass(frozen=True)
class Scene:
    """The sources around one point of the sky."""

    frame: WCS
    stars: Floats  # (n, 3): RA and Dec in degrees, electrons per second
    galaxy_scale: float  # arcsec; 0 for no galaxy
    ridges: Floats  # see `_draw_nebula`
    edge: float  # arcsec north-east of the middle, beyond which the nebula fades

    @classmethod
    def draw(cls, rng: np.random.Generator, layout: Layout, frame: WCS, *, galaxy: bool) -> "Scene":
        """Draw the sources in and around the area of a mosaic."""
        box = 1.1 * layout.mosaic_size
        count = round(layout.stars * float(np.prod(box / layout.field_size)))
        places = frame.wcs_pix2world(rng.uniform(-0.5, 0.5, (count, 2)) * box, 0)
        stars = np.column_stack([places, 3 * np.minimum((1 - rng.random(count)) ** -1.4, 1000)])
        scale = 0.12 * float(min(layout.mosaic_size)) if galaxy else 0.0
        ridges = _draw_nebula(rng, layout, box) if layout.nebula else np.empty((0, 6))
        edge = np.inf if layout.nebula == 1 else (layout.nebula - 0.5) * float(np.sum(box)) / np.sqrt(2)
        return cls(frame, stars, scale, ridges, edge)

    def image(self, chip: WCS, layout: Layout) -> Floats:
        """Scene on a chip in electrons per second and pixel, (ny, nx)."""
        image = np.zeros(layout.shape)
        if self.galaxy_scale or len(self.ridges):
            step = int(np.clip(min(layout.shape) // 32, 2, 8))
            ys, xs = (np.arange(0.0, n + step, step) for n in layout.shape)
            xi, eta = self.frame.wcs_world2pix(*chip.all_pix2world(*np.meshgrid(xs, ys), 0), 0)
            smooth = _ridges(xi, eta, self.ridges) * self._fading(xi, eta, layout)
            if self.galaxy_scale:
                smooth += spiral_galaxy(xi, eta, self.galaxy_scale)
            rows, cols = (np.arange(n) for n in layout.shape)
            image += np.maximum(RectBivariateSpline(ys, xs, smooth)(rows, cols), 0)
        self._add_stars(image, chip, STAMP_RADIUS + 2 * layout.displacement)
        return image

    def _fading(self, xi: Floats, eta: Floats, layout: Layout) -> Floats:
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

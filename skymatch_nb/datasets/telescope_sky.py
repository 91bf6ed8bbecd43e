"""A field as infrared telescopes in space see it: galaxies, stars with spikes, a cloud of gas."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from skymatch_nb.datasets.scene import spiral_galaxy

Floats = NDArray[np.float64]

CLOUD_GRID = 512  # pixels of the cloud's map along each side
CLOUD_SLOPE = -3.2  # of the power spectrum of the cloud's logarithm
GALAXY_REACH = 7.0  # scale lengths


@dataclass(frozen=True)
class TelescopeSky:
    """Sources around a point; positions are offsets (east, north) from it in arcsec, brightness is in MJy/sr."""

    cloud: Floats  # (n, n): brightness on a square of `extent`
    extent: float  # arcsec, side of the cloud's map
    galaxies: Floats  # (n, 6): offsets, scale length, axis ratio, angle, brightness; the first `spirals` have arms
    spirals: int
    stars: Floats  # (n, 3): offsets, peak brightness
    unit: float  # MJy/sr, what is as bright as a usual source
    core: float  # arcsec, radius of a star's core
    spikes: int
    angle: float  # radians, of the first spike

    @classmethod
    def draw(
        cls,
        rng: np.random.Generator,
        extent: float,
        core: float,
        *,
        unit: float,
        cloud: float,
        spikes: int,
        angle: float,
    ) -> "TelescopeSky":
        """Draw the sources of a square of side `extent`, of stars whose cores have a radius of `core`, in arcsec.

        Brightness of galaxies and stars is relative to ``unit``; ``cloud`` is that of the brightest gas, 0 for none.
        """
        spirals, galaxies, stars = 6, 90, 45
        half = extent / 2
        places = rng.uniform(-half, half, (galaxies, 2))
        scale = core * 1.5 * (1 + rng.pareto(2.5, galaxies))
        scale[:spirals] = extent * rng.uniform(0.012, 0.03, spirals)
        shape = np.column_stack([rng.uniform(0.35, 1, galaxies), rng.uniform(0, np.pi, galaxies)])
        bright = 0.15 * (1 + rng.pareto(1.5, galaxies))
        bright[:spirals] = rng.uniform(0.25, 0.6, spirals)
        drawn = np.column_stack([places, scale, shape, unit * np.minimum(bright, 3)])
        peaks = np.minimum(0.5 * (1 + rng.pareto(0.7, stars)), 60)
        points = np.column_stack([rng.uniform(-half, half, (stars, 2)), unit * peaks])
        return cls(cloud * _cloud(rng), extent, drawn, spirals, points, unit, core, spikes, angle)

    def at(self, xi: Floats, eta: Floats) -> Floats:
        """Brightness at offsets of the shape of an image, (ny, nx), in MJy/sr."""
        image = self._gas(xi, eta)
        for k, (x, y, scale, ratio, angle, peak) in enumerate(self.galaxies):
            near = _around(xi, eta, x, y, GALAXY_REACH * scale)
            if near is None:
                continue
            dx, dy = xi[near] - x, eta[near] - y
            if k < self.spirals:
                image[near] += peak * np.maximum(spiral_galaxy(dx, dy, scale, ratio, angle), 0)
            else:
                image[near] += peak * _disk(dx, dy, scale, ratio, angle)
        for x, y, peak in self.stars:
            near = _around(xi, eta, x, y, self.core * min(12 + 5 * peak / self.unit, 150))
            if near is not None:
                image[near] += peak * self._point(xi[near] - x, eta[near] - y)
        return image

    def _gas(self, xi: Floats, eta: Floats) -> Floats:
        n = len(self.cloud)
        places = [(v / self.extent + 0.5) * (n - 1) for v in (eta, xi)]
        return np.asarray(map_coordinates(self.cloud, places, order=1, mode="nearest"), float)

    def _point(self, dx: Floats, dy: Floats) -> Floats:
        """Core, halo and spikes of a star."""
        r2 = (dx**2 + dy**2) / self.core**2
        light = np.exp(-0.7 * r2) + 0.02 * (1 + r2 / 4) ** -1.5
        for turn in self.angle + np.arange(self.spikes // 2) * 2 * np.pi / self.spikes:
            along = (dx * np.cos(turn) + dy * np.sin(turn)) / self.core
            across = (dy * np.cos(turn) - dx * np.sin(turn)) / self.core
            light += 0.04 * np.exp(-np.abs(along) / 12 - 0.8 * across**2)
        return np.asarray(light)


def _cloud(rng: np.random.Generator) -> Floats:
    """Turbulent gas: the exponential of a random field with a steep spectrum, from 0 to 1, (n, n)."""
    n = CLOUD_GRID
    kx, ky = np.meshgrid(np.fft.fftfreq(n), np.fft.fftfreq(n))
    k = np.hypot(kx, ky)
    k[0, 0] = np.inf
    waves = np.fft.fft2(rng.standard_normal((n, n))) * k ** (CLOUD_SLOPE / 2)
    field = np.real(np.fft.ifft2(waves))
    gas = np.exp(1.1 * (field - field.mean()) / field.std())
    return np.asarray(np.minimum(gas / np.quantile(gas, 0.998), 1.2))


def _around(xi: Floats, eta: Floats, x: float, y: float, reach: float) -> tuple[slice, slice] | None:
    """Rows and columns of an image that lie within `reach` of a place; None where no pixel does."""
    near = np.hypot(xi - x, eta - y) < reach
    rows, cols = np.flatnonzero(near.any(axis=1)), np.flatnonzero(near.any(axis=0))
    return (slice(rows[0], rows[-1] + 1), slice(cols[0], cols[-1] + 1)) if len(rows) else None


def _disk(dx: Floats, dy: Floats, scale: float, ratio: float, angle: float) -> Floats:
    """Exponential disk with a bulge and two clumps, 1 in the middle."""
    u = (dx * np.cos(angle) + dy * np.sin(angle)) / scale
    v = (dy * np.cos(angle) - dx * np.sin(angle)) / (scale * ratio)
    r = np.hypot(u, v)
    clumps = sum(0.3 * np.exp(-8 * ((u - a) ** 2 + (v - b) ** 2)) for a, b in ((0.9, 0.3), (-0.6, -0.8)))
    return np.asarray(0.6 * np.exp(-r) + 0.4 * np.exp(-4 * r) + clumps)

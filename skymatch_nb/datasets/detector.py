"""What a detector adds: flaws, cosmic rays, afterglow, and their flags."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.int16]

BAD_COLUMN, HOT_PIXEL, PERSISTENCE, COSMIC_RAY = 4, 16, 32, 4096
BLOBS = 6  # persistence blobs of a chip
COSMIC_RAY_RATE = 2e-6  # tracks per pixel and second


def detector_of(rng: np.random.Generator, shape: tuple[int, int]) -> tuple[Floats, Floats, Flags]:
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


def cosmic_rays(rng: np.random.Generator, shape: tuple[int, int], exptime: float) -> tuple[Floats, Flags]:
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


def persistence_of(rng: np.random.Generator, shape: tuple[int, int], fraction: float) -> tuple[Floats, Flags]:
    """Afterglow of bright stars of earlier exposures (electrons per second) and its flags, both (ny, nx)."""
    y, x = np.ogrid[: shape[0], : shape[1]]
    glow, flags = np.zeros(shape), np.zeros(shape, dtype=np.int16)
    radius = np.sqrt(fraction * glow.size / (BLOBS * np.pi))
    for row, column, peak in rng.random((BLOBS, 3)) * (*shape, 2.0):
        r2 = ((x - column) ** 2 + (y - row) ** 2) / max(radius, 1e-9) ** 2
        glow += peak * np.exp(-2 * r2)
        flags[r2 < 1] = PERSISTENCE
    return glow * (flags > 0), flags

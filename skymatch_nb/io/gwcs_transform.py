"""gwcs objects behind the package's face of a world coordinate system."""

import threading
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from astropy import units as u
from numpy.polynomial import legendre

from skymatch_nb.errors import InputError
from skymatch_nb.io.frames import other_frame, to_icrs
from skymatch_nb.results import Bounds, Floats

DEGREE = 5
"""Degree of the polynomials that start the inversion."""

MARGIN = 0.1
"""How far beyond the image, in parts of it, positions are inverted through the WCS; further out a plane is used."""

TOLERANCE = 1e-5
"""Error in pixels at which an inverse is exact enough."""


def is_gwcs(item: Any) -> bool:
    """Whether an object is a gwcs, told by its face, as the package need not be installed."""
    return callable(item) and hasattr(item, "available_frames") and hasattr(item, "forward_transform")


@dataclass(eq=False)
class GwcsTransform:
    """A gwcs from two pixel axes to the sky, for an image of ``shape`` (ny, nx).

    The forward transform is the truth; its inverse is found numerically, because the inverses that files carry are
    fits that miss by up to a tenth of a pixel, and some carry none. Threads wait for each other.

    Raises
    ------
    InputError
        Where the gwcs is not one of an image; ``where`` names it.
    """

    wcs: Any
    shape: tuple[int, int]
    where: str
    _lock: Any = field(default_factory=threading.RLock, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        kinds = [str(kind) for kind in self.wcs.world_axis_physical_types]
        ends = [kind.rsplit(".", 1)[-1] for kind in kinds if kind.startswith("pos.")]
        if self.wcs.pixel_n_dim != 2 or len(kinds) != 2 or sorted(ends) not in (["dec", "ra"], ["lat", "lon"]):
            raise InputError(
                f"{self.where}: its gwcs is not that of an image: it makes ({', '.join(kinds)}) of "
                f"{self.wcs.pixel_n_dim} pixel axes"
            )
        self._longitude = next(k for k, end in enumerate(ends) if end in ("ra", "lon"))
        self._frame = other_frame(getattr(self.wcs.output_frame, "reference_frame", None))
        if not np.isfinite(self._center).all():
            raise InputError(f"{self.where}: its gwcs has no sky position for the middle of the image")

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _lock=threading.RLock())

    @property
    def label(self) -> str:
        """Which WCS it is: gwcs, and its name where it has one."""
        name = str(self.wcs.name or "").strip()
        return f"gwcs: {name}" if name else "gwcs"

    @property
    def distortion(self) -> str:
        """Frames between the detector and the sky, where there are any: v2v3 and its corrections."""
        return ", ".join(str(name) for name in self.wcs.available_frames[1:-1])

    @cached_property
    def bounds(self) -> Bounds | None:
        """See `skymatch_nb.results.SkyTransform`: the bounding box."""
        box = self.wcs.bounding_box
        if box is None:
            return None
        box = box.bounding_box(order="F") if hasattr(box, "bounding_box") else box
        (x0, x1), (y0, y1) = ([float(getattr(edge, "value", edge)) for edge in axis] for axis in box)
        return x0, x1, y0, y1

    def to_sky(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """See `skymatch_nb.results.SkyTransform`; the bounding box is not applied."""
        with self._lock:
            world = self.wcs(*self._pixels(x, y), with_bounding_box=False)
        longitude, latitude = (_degrees(world[k]) for k in (self._longitude, 1 - self._longitude))
        return to_icrs(self._frame, longitude, latitude)

    def to_pixels(self, ra: Floats, dec: Floats) -> tuple[Floats, Floats]:
        """See `skymatch_nb.results.SkyTransform`; inverted to 1e-5 pixel in the image and its surroundings."""
        plane = self._plane(ra, dec)
        pixels = self._inverse.linear(plane)
        near = np.flatnonzero(self._inverse.covers(pixels))
        if len(near):
            pixels[:, near] = self._refined(plane[:, near])
        return pixels[0], pixels[1]

    def _refined(self, plane: Floats) -> Floats:
        """Pixels of plane positions, both of shape (2, n): the polynomials correct themselves by the forward transform.

        With P the polynomials and F the forward transform, p <- p + P(plane) - P(F(p)) shrinks errors as much as P is
        exact, some thousandfold at a time.
        """
        goal = self._inverse.polynomial(plane)
        found = goal.copy()
        left = np.arange(plane.shape[1])
        for _ in range(20):
            step = goal[:, left] - self._inverse.polynomial(self._plane(*self.to_sky(*found[:, left])))
            found[:, left] += step
            left = left[~(np.abs(step).max(axis=0) < TOLERANCE)]
            if not len(left):
                break
        found[:, left] = np.nan
        return found

    @cached_property
    def _box(self) -> Bounds:
        """Part of the image that the bounding box leaves."""
        ny, nx = self.shape
        whole = (-0.5, nx - 0.5, -0.5, ny - 0.5)
        x0, x1, y0, y1 = self.bounds or whole
        box = max(x0, -0.5), min(x1, nx - 0.5), max(y0, -0.5), min(y1, ny - 0.5)
        return box if box[0] < box[1] and box[2] < box[3] else whole

    @property
    def middle(self) -> tuple[Floats, Floats]:
        """Pixel in the middle of the image, or of the part that the bounding box leaves, each of shape (1,)."""
        x0, x1, y0, y1 = self._box
        return np.array([(x0 + x1) / 2]), np.array([(y0 + y1) / 2])

    @cached_property
    def _center(self) -> Floats:
        """Sky position of the middle, in radians, shape (2,)."""
        return np.radians(np.ravel(self.to_sky(*self.middle)))

    @cached_property
    def _inverse(self) -> "_Inverse":
        x0, x1, y0, y1 = self._box
        x, y = (np.linspace(a - MARGIN * (b - a), b + MARGIN * (b - a), 25) for a, b in ((x0, x1), (y0, y1)))
        pixels = np.array([axis.ravel() for axis in np.meshgrid(x, y)])
        return _Inverse(pixels, self._plane(*self.to_sky(*pixels)))

    def _plane(self, ra: Floats, dec: Floats) -> Floats:
        """Gnomonic projection about the middle in radians, shape (2, n); NaN where it has none."""
        a, d = np.radians(ra) - self._center[0], np.radians(dec)
        sin0, cos0 = np.sin(self._center[1]), np.cos(self._center[1])
        depth = sin0 * np.sin(d) + cos0 * np.cos(d) * np.cos(a)
        depth = np.where(depth > 0.01, depth, np.nan)
        return np.array([np.cos(d) * np.sin(a), cos0 * np.sin(d) - sin0 * np.cos(d) * np.cos(a)]) / depth

    def _pixels(self, x: Floats, y: Floats) -> tuple[Any, Any]:
        if not getattr(self.wcs.forward_transform, "uses_quantity", False):
            return x, y
        return x * u.pix, y * u.pix


class _Inverse:
    """Pixels as a linear function and as polynomials of plane positions, both fitted to a grid around an image."""

    def __init__(self, pixels: Floats, plane: Floats) -> None:
        known = np.isfinite(plane).all(axis=0)
        pixels, plane = pixels[:, known], plane[:, known]
        self._low, self._high = pixels.min(axis=1), pixels.max(axis=1)
        self._matrix = np.linalg.lstsq(np.vstack([plane, np.ones(plane.shape[1])]).T, pixels.T, rcond=None)[0].T
        terms = self._terms(self.linear(plane))
        self._coefficients = np.linalg.lstsq(terms, pixels.T, rcond=None)[0].T

    def linear(self, plane: Floats) -> Floats:
        """Pixels by the linear function, all of shape (2, n)."""
        return np.asarray(self._matrix[:, :2] @ plane + self._matrix[:, 2:])

    def polynomial(self, plane: Floats) -> Floats:
        """Pixels by the polynomials."""
        return np.asarray(self._coefficients @ self._terms(self.linear(plane)).T)

    def covers(self, pixels: Floats) -> "np.ndarray[Any, np.dtype[np.bool_]]":
        """Which pixels lie in the area of the grid, shape (n,)."""
        inside = (pixels >= self._low[:, None]) & (pixels <= self._high[:, None])
        return np.asarray(inside.all(axis=0))

    def _terms(self, pixels: Floats) -> Floats:
        """Products of Legendre polynomials of positions scaled to -1 ... 1, shape (n, terms)."""
        x, y = 2 * (pixels - self._low[:, None]) / (self._high - self._low)[:, None] - 1
        terms = legendre.legvander2d(x, y, [DEGREE, DEGREE])
        kept = np.add.outer(np.arange(DEGREE + 1), np.arange(DEGREE + 1)).ravel() <= DEGREE
        return np.asarray(terms[:, kept])


def _degrees(values: Any) -> Floats:
    return np.asarray(values.to_value(u.deg) if isinstance(values, u.Quantity) else values, float)

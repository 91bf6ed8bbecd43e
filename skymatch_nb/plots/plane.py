"""The sky as a plane: offsets from the middle of a field, and axes that tell RA and Dec on it."""

from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from bokeh.models import CustomJSTicker, CustomJSTickFormatter
from bokeh.plotting import figure

from skymatch_nb.geometry.sphere import to_radec, to_vectors
from skymatch_nb.results import Floats

WIDEST = np.radians(70.0)
"""Angle from the middle up to which the plane is tangent; wider fields are drawn with true distances instead."""

STEPS_RA = np.array(
    [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600,
     7200, 14400, 21600]
)  # fmt: skip
"""Steps of lines of right ascension, in seconds of time."""

STEPS_DEC = np.array(
    [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 18000, 36000,
     108000]
)  # fmt: skip
"""Steps of lines of declination, in arcsec."""


class SkyPlane:
    """Plane that touches the sky in the middle of a set of directions (gnomonic projection).

    Where they reach further than `WIDEST` from it, distances from the middle are true instead (zenithal
    equidistant). East is +x, north +y, in degrees.

    Parameters
    ----------
    vectors
        Unit vectors, shape (n, 3).
    """

    def __init__(self, vectors: Floats) -> None:
        center = vectors.sum(axis=0)
        norm = float(np.linalg.norm(center))
        self.center = center / norm if norm > 1e-9 else vectors[0]
        flat = np.hypot(*self.center[:2])
        east = [-self.center[1] / flat, self.center[0] / flat, 0.0] if flat > 1e-12 else [0.0, 1.0, 0.0]
        self.east = np.array(east)
        self.north = np.cross(self.center, self.east)
        self.tangent = bool((vectors @ self.center).min(initial=1.0) > np.cos(WIDEST))

    def offsets(self, vectors: Floats) -> tuple[Floats, Floats]:
        """Offsets east and north in degrees, shape (n,) each, of unit vectors (n, 3); NaN where there is none."""
        x, y, depth = vectors @ self.east, vectors @ self.north, vectors @ self.center
        if self.tangent:
            depth = np.where(depth > 1e-6, depth, np.nan)
            return np.degrees(x / depth), np.degrees(y / depth)
        sine = np.hypot(x, y)
        angle = np.arctan2(sine, depth)
        stretch = np.degrees(np.divide(angle, sine, out=np.ones_like(sine), where=sine > 1e-12))
        return x * stretch, y * stretch

    def vectors(self, x: Floats, y: Floats) -> Floats:
        """Unit vectors, shape (n, 3), of offsets in degrees: the inverse of `offsets`."""
        radius = np.radians(np.hypot(x, y))
        angle = np.arctan(radius) if self.tangent else radius
        part = np.divide(np.sin(angle), radius, out=np.ones_like(radius), where=radius > 1e-12)
        a, b = np.radians(x) * part, np.radians(y) * part
        out = a[:, None] * self.east + b[:, None] * self.north + np.cos(angle)[:, None] * self.center
        return np.asarray(out, float)

    def radec(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Right ascension and declination in degrees of offsets in degrees."""
        return to_radec(self.vectors(x, y))


def set_sky_axes(plot: figure, plane: SkyPlane) -> None:
    """Label a map's axes with the RA and Dec that its lower and its left edge have, wherever it is moved.

    The ticks are found in the browser, so that they follow pan and zoom.
    """
    for axis, along in ((plot.xaxis[0], "ra"), (plot.yaxis[0], "dec")):
        args = {
            "center": plane.center.tolist(), "east": plane.east.tolist(), "north": plane.north.tolist(),
            "tangent": plane.tangent, "along": along, "x_range": plot.x_range, "y_range": plot.y_range,
            "wanted": max(2, plot.frame_width // 95 if along == "ra" else plot.frame_height // 50),
            "steps": (STEPS_RA if along == "ra" else STEPS_DEC).tolist(), "found": {},
        }  # fmt: skip
        axis.ticker = CustomJSTicker(args=args, major_code=f"{_script()}\nreturn edge_ticks().map((t) => t.at)")
        axis.formatter = CustomJSTickFormatter(args=args, code=f"{_script()}\nreturn edge_label(tick)")
    plot.xaxis.axis_label, plot.yaxis.axis_label = "RA (ICRS)", "Dec (ICRS)"


@cache
def _script() -> str:
    return (files("skymatch_nb.plots") / "ticks.js").read_text(encoding="utf-8")


def graticule(plane: SkyPlane, x: tuple[float, float], y: tuple[float, float], lines: int = 5) -> dict[str, list[Any]]:
    """Lines of equal RA and Dec inside a window of offsets in degrees, as columns ``xs``, ``ys``."""
    side = np.linspace(0, 1, 65)
    gx, gy = np.meshgrid(x[0] + side * (x[1] - x[0]), y[0] + side * (y[1] - y[0]))
    ra, dec = plane.radec(gx.ravel(), gy.ravel())
    middle = np.degrees(np.arctan2(plane.center[1], plane.center[0]))
    ra = (ra - middle + 180) % 360 + middle - 180
    poles = [d for d in (90.0, -90.0) if _inside(plane, d, x, y)]
    low, high = max(dec.min(), -90.0), min(dec.max(), 90.0)
    for pole in poles:
        low, high = min(low, pole), max(high, pole)
    first, last = (middle - 180, middle + 180) if poles else (ra.min(), ra.max())
    step_ra = _step(STEPS_RA / 240, (last - first) / (8 if poles else lines))
    step_dec = _step(STEPS_DEC / 3600, (high - low) / lines)
    t = np.linspace(0, 1, 181)
    found = [(np.full_like(t, a), low + t * (high - low)) for a in _multiples(first, last, step_ra)]
    parallels = [d for d in _multiples(low, high, step_dec) if abs(d) < 90 - 1e-9]
    found += [(first + t * (last - first), np.full_like(t, d)) for d in parallels]
    curves = [plane.offsets(to_vectors(a, d)) for a, d in found]
    return {"xs": [c[0] for c in curves], "ys": [c[1] for c in curves]}


def _inside(plane: SkyPlane, dec: float, x: tuple[float, float], y: tuple[float, float]) -> bool:
    px, py = plane.offsets(np.array([[0.0, 0.0, np.sign(dec)]]))
    return bool(x[0] <= px[0] <= x[1] and y[0] <= py[0] <= y[1])


def poles_inside(plane: SkyPlane, x: tuple[float, float], y: tuple[float, float]) -> list[tuple[str, float, float]]:
    """Celestial poles inside a window: name and offsets."""
    found = []
    for name, dec in (("north pole", 90.0), ("south pole", -90.0)):
        if _inside(plane, dec, x, y):
            px, py = plane.offsets(np.array([[0.0, 0.0, np.sign(dec)]]))
            found.append((name, float(px[0]), float(py[0])))
    return found


def _step(steps: Floats, wanted: float) -> float:
    return float(steps[min(int(np.searchsorted(steps, wanted)), len(steps) - 1)])


def _multiples(low: float, high: float, step: float) -> Floats:
    return np.asarray(np.arange(np.ceil(low / step - 1e-9), np.floor(high / step + 1e-9) + 1) * step)

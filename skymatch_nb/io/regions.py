"""Regions of the sky from DS9 files and text: outlines on the unit sphere, whatever frame they were given in."""

import importlib.util
import re
import warnings
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from astropy.coordinates import SkyCoord, UnitSphericalRepresentation

from skymatch_nb.errors import InputError
from skymatch_nb.io.pixels import file_stamp
from skymatch_nb.params.regions import ds9_lines, is_region_file
from skymatch_nb.results import Floats, SkyPolygon

NO_AREA = ("Point", "Line", "Text")
"""Shapes without an area; they cover no pixel."""

LARGEST = np.radians(80.0)
"""Largest distance of a region's edge from its centre: half a sky has no outline in one projection."""

_NUMBER = r"-?\d+(?:\.\d+)?(?:e-?\d+)?"
_OWN_POLYGON = re.compile(rf"icrs; polygon\(({_NUMBER}(?:,{_NUMBER})+)\)")


@dataclass(frozen=True, eq=False)
class Region:
    """A region with a name for messages; ``adds`` False where it was marked to be taken away (a minus sign)."""

    name: str
    adds: bool
    polygon: SkyPolygon


@dataclass(frozen=True, eq=False)
class RegionSet:
    """Regions of one file or text, and how many shapes of it have no area."""

    name: str
    regions: tuple[Region, ...]
    without_area: int = 0


def regions_content(entries: Sequence[str] | None) -> tuple[Any, ...]:
    """What a change of region files would change: their hashes; a file that is missing stands for itself."""
    return tuple((entry, _hash(entry)) for entry in entries or () if is_region_file(entry))


def read_region_sets(entries: Sequence[str], tolerance: float) -> tuple[RegionSet, ...]:
    """Regions of files and texts, as `skymatch_nb.params.regions.parse_regions` gives them.

    Parameters
    ----------
    tolerance
        Largest distance, in radians, between a curved edge and its polygon.

    Raises
    ------
    InputError
        Where a file cannot be read, a line is no region in sky coordinates or of a shape that is not supported, only
        regions with a minus sign are given, or the package ``regions`` is needed and missing. It names file and line.
    """
    return tuple(_read_set(entry, tolerance) for entry in entries)


def _read_set(entry: str, tolerance: float) -> RegionSet:
    own = _OWN_POLYGON.fullmatch(entry)
    name = entry if is_region_file(entry) else f"region text {entry[:60]!r}"
    if own is not None:
        ra, dec = np.array(own[1].split(","), float).reshape(-1, 2).T
        vectors = _vectors(SkyCoord(ra, dec, unit="deg", frame="icrs"))
        return RegionSet(name, (Region(name, True, _polygon([vectors])),))
    _require_package(name)
    lines = ds9_lines(_file_text(entry) if is_region_file(entry) else entry.replace(";", "\n"))
    shapes = _parse(lines, name)
    found = []
    for number, shape in enumerate(shapes, 1):
        kind = type(shape).__name__.removesuffix("SkyRegion")
        if kind in NO_AREA:
            continue
        where = f"{name}, region {number} ({kind.lower()})"
        polygon = _polygon(_rings(shape, kind, tolerance, where))
        found.append(Region(where, str(shape.meta.get("include", 1)) == "1", polygon))
    if not any(region.adds for region in found) and found:
        raise InputError(f"{name}: every region has a minus sign; there is nothing that they are taken away from")
    return RegionSet(name, tuple(found), len(shapes) - len(found))


def _parse(lines: Sequence[str], name: str) -> Any:
    """Region objects of all lines; the first line that is none in sky coordinates is an error."""
    shapes, problem = _try("\n".join(lines))
    if problem is None:
        return shapes
    bad = bisect_left(range(len(lines)), True, key=lambda k: _try("\n".join(lines[: k + 1]))[1] is not None)
    _, problem = _try("\n".join(lines[: bad + 1]))
    where = f"{name}, line {bad + 1}" if is_region_file(name) else name
    raise InputError(f"{where}: {lines[bad].strip()[:80]!r}: {problem}")


def _try(text: str) -> tuple[Any, str | None]:
    """Regions of a text, and what is wrong with it."""
    from regions import PixelRegion, Regions

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            shapes = Regions.parse(text, format="ds9")
            broken = next((s for s in shapes if type(s).__name__ == "PolygonSkyRegion" and s.vertices.size < 3), None)
        except Exception as error:  # the parser raises whatever its parts do
            return None, str(error).splitlines()[0] if str(error) else type(error).__name__
    if any(isinstance(shape, PixelRegion) for shape in shapes):
        return shapes, "pixel coordinates; regions must be in sky coordinates (fk5, icrs, galactic, ...)"
    if broken is not None:
        return shapes, "a polygon needs three vertices"
    for warning in caught:
        message = str(warning.message)
        if "frame was not found" in message:
            return shapes, "no sky coordinates (fk5, icrs, galactic, ...) are named before it"
        if not re.match(r'"(vector|ruler|compass|projection)"', message):
            return shapes, message.split(";")[0].split(", skipping")[0]
    return shapes, None


def _rings(shape: Any, kind: str, tolerance: float, where: str) -> list[Floats]:
    """Boundary of a region: unit vectors of each ring."""
    if kind == "Polygon":
        return [_vectors(shape.vertices)]
    sizes = _sizes(shape, kind)
    if sizes is None:
        raise InputError(f"{where}: this shape is not supported; circle, ellipse, box, polygon and annuli are")
    if max(max(size) for size in sizes) > LARGEST:
        raise InputError(f"{where}: it reaches further than {np.degrees(LARGEST):.0f} degrees from its centre")
    angle = shape.angle.to_value("rad") if hasattr(shape, "angle") else 0.0
    extents = [(float(np.tan(a)), float(np.tan(b))) for a, b in sizes]
    if kind.startswith("Rectangle"):
        return [_on_sky(shape.center, angle, _box(a, b)) for a, b in extents]
    return [_on_sky(shape.center, angle, _ellipse(a, b, tolerance)) for a, b in extents]


def _sizes(shape: Any, kind: str) -> list[tuple[float, float]] | None:
    """Half sizes in radians of the outer and, for annuli, the inner ring."""
    names = {
        "Circle": [("radius", "radius")],
        "CircleAnnulus": [("outer_radius", "outer_radius"), ("inner_radius", "inner_radius")],
        "Ellipse": [("width", "height")],
        "EllipseAnnulus": [("outer_width", "outer_height"), ("inner_width", "inner_height")],
        "Rectangle": [("width", "height")],
        "RectangleAnnulus": [("outer_width", "outer_height"), ("inner_width", "inner_height")],
    }.get(kind)
    if names is None:
        return None
    half = 1.0 if kind.startswith("Circle") else 0.5
    return [(half * getattr(shape, a).to_value("rad"), half * getattr(shape, b).to_value("rad")) for a, b in names]


def _ellipse(a: float, b: float, tolerance: float) -> Floats:
    """Vertices in a tangent plane: with n of them, chords deviate by a (pi / n)**2 / 2."""
    n = max(16, int(np.ceil(np.pi * np.sqrt(max(a, b) / (2 * tolerance)))))
    t = 2 * np.pi * np.arange(n) / n
    return np.column_stack([a * np.cos(t), b * np.sin(t)])


def _box(a: float, b: float) -> Floats:
    """Corners; its sides are great circles."""
    return np.array([[-a, -b], [a, -b], [a, b], [-a, b]])


def _on_sky(center: SkyCoord, angle: float, points: Floats) -> Floats:
    """Points of the tangent plane at a centre as vectors.

    The first axis points west along the frame's circles of latitude, turned by ``angle`` towards north.
    """
    lon, lat = center.spherical.lon.rad, center.spherical.lat.rad
    middle = np.array([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
    west = np.array([np.sin(lon), -np.cos(lon), 0.0])
    north = np.cross(middle, -west)
    first = np.cos(angle) * west + np.sin(angle) * north
    second = -np.sin(angle) * west + np.cos(angle) * north
    own = middle + points[:, :1] * first + points[:, 1:] * second
    longitude, latitude = np.arctan2(own[:, 1], own[:, 0]), np.arctan2(own[:, 2], np.hypot(own[:, 0], own[:, 1]))
    return _vectors(SkyCoord(longitude, latitude, unit="rad", frame=center.frame.replicate_without_data()))


def _vectors(positions: SkyCoord) -> Floats:
    vectors: Floats = positions.icrs.represent_as(UnitSphericalRepresentation).to_cartesian().xyz.value.T
    return np.ascontiguousarray(vectors)


def _polygon(rings: Sequence[Floats]) -> SkyPolygon:
    return SkyPolygon(np.concatenate(rings), np.cumsum([0, *map(len, rings)]).astype(np.int64))


def _file_text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"region file {path}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise InputError(f"region file {path}: not a text file") from None


def _require_package(name: str) -> None:
    try:
        found = importlib.util.find_spec("regions") is not None
    except ValueError:  # what Python says of a module that was blocked
        found = False
    if not found:
        raise InputError(
            f"{name}: reading it needs the package 'regions', which is not installed: "
            "python -m pip install 'skymatch_nb[regions]'"
        )


def _hash(path: str) -> str:
    try:
        return _hash_of(path, file_stamp(path))
    except (InputError, OSError):
        return "missing"


@cache
def _hash_of(path: str, stamp: tuple[int, int]) -> str:
    return sha256(Path(path).read_bytes()).hexdigest()

"""Regions of the sky from DS9 files and text: outlines on the unit sphere, whatever frame they were given in."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from astropy.coordinates import SkyCoord

from skymatch_nb.errors import InputError
from skymatch_nb.io.ds9 import parse_ds9, require_package
from skymatch_nb.io.stamps import file_stamp
from skymatch_nb.params.regions import ds9_lines, is_region_file
from skymatch_nb.results import Floats, SkyPolygon

LARGEST = np.radians(80.0)
"""Largest distance of a region's edge from its centre: half a sky has no outline in one projection."""

_TOO_LARGE = f"it reaches further than {np.degrees(LARGEST):.0f} degrees from its centre"
_NO_AREA = ("Point", "Line", "Text")
_HALF_SIZES = {
    "Circle": (("radius", "radius", 1.0),),
    "CircleAnnulus": (("outer_radius", "outer_radius", 1.0), ("inner_radius", "inner_radius", 1.0)),
    "Ellipse": (("width", "height", 0.5),),
    "EllipseAnnulus": (("outer_width", "outer_height", 0.5), ("inner_width", "inner_height", 0.5)),
    "Rectangle": (("width", "height", 0.5),),
    "RectangleAnnulus": (("outer_width", "outer_height", 0.5), ("inner_width", "inner_height", 0.5)),
}
"""Attributes of each shape that give the half sizes of its outer ring, and of its inner one."""

_NUMBER = r"-?\d+(?:\.\d+)?(?:e[-+]?\d+)?"
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
        Where a file cannot be read, a line is no region in sky coordinates or of a shape that is not supported, there
        is no region, or only such with a minus sign, or the package ``regions`` is missing. It names file and line.
    """
    return tuple(_read_set(entry, tolerance) for entry in entries)


def check_package(entries: Sequence[str]) -> None:
    """Raise `InputError` where entries need the package ``regions`` and it is missing; no file is opened."""
    for entry in entries:
        if _OWN_POLYGON.fullmatch(entry) is None:
            require_package(_name(entry))


def _name(entry: str) -> str:
    return f"region file {entry}" if is_region_file(entry) else f"regions {entry[:60]!r}"


def _read_set(entry: str, tolerance: float) -> RegionSet:
    own = _OWN_POLYGON.fullmatch(entry)
    if own is not None:
        lon, lat = np.radians(np.array(own[1].split(","), float).reshape(-1, 2).T)
        vectors, name = _vectors(lon, lat), _name(entry)
        _check_extent(vectors, name)
        return RegionSet(name, (Region(name, True, _polygon([vectors])),))
    file = is_region_file(entry)
    name = _name(entry)
    shapes = list(parse_ds9(ds9_lines(_file_text(entry)) if file else entry.split("; "), name))
    if not shapes:
        raise InputError(f"{name}: there is no region in it")
    kinds = [type(shape).__name__.removesuffix("SkyRegion") for shape in shapes]
    names = [f"{name}, region {k} ({kind.lower()})" for k, kind in enumerate(kinds, 1)]
    used = [k for k, kind in enumerate(kinds) if kind not in _NO_AREA]
    adds = [str(shapes[k].meta.get("include", 1)) == "1" for k in used]
    if used and not any(adds):
        raise InputError(f"{name}: every region has a minus sign; there is nothing that they are taken away from")
    rings = [_rings(shapes[k], kinds[k], tolerance, names[k]) for k in used]
    polygons = _to_icrs([_polygon(r) for r in rings], [_position(shapes[k]) for k in used])
    regions = (Region(names[k], plus, p) for k, plus, p in zip(used, adds, polygons, strict=True))
    return RegionSet(name, tuple(regions), len(shapes) - len(used))


def _rings(shape: Any, kind: str, tolerance: float, where: str) -> list[Floats]:
    """Boundary of a region in its own frame: unit vectors of each ring."""
    if kind == "Polygon":
        vectors = _vectors(shape.vertices.data.lon.rad, shape.vertices.data.lat.rad)
        _check_extent(vectors, where)
        return [vectors]
    if kind not in _HALF_SIZES:
        raise InputError(f"{where}: the shape is not supported; circle, ellipse, box, polygon and annuli are")
    sizes = [[f * getattr(shape, name).to_value("rad") for name in (a, b)] for a, b, f in _HALF_SIZES[kind]]
    if not np.max(sizes) <= LARGEST:
        raise InputError(f"{where}: {_TOO_LARGE}")
    angle = shape.angle.to_value("rad") if hasattr(shape, "angle") else 0.0
    center = shape.center.data
    return [
        _on_sphere(
            center.lon.rad, center.lat.rad, angle, _box(a, b) if "Rectangle" in kind else _ellipse(a, b, tolerance)
        )
        for a, b in np.tan(sizes)
    ]


def _check_extent(vectors: Floats, where: str) -> None:
    """Raise `InputError` where a polygon is too large to tell its inside from its outside."""
    middle = vectors.sum(axis=0)
    if (vectors @ middle).min() < np.cos(LARGEST) * np.linalg.norm(middle):
        raise InputError(f"{where}: {_TOO_LARGE}")


def _ellipse(a: float, b: float, tolerance: float) -> Floats:
    """Vertices in a tangent plane: with n of them, chords deviate by a (pi / n)**2 / 2."""
    n = max(16, int(np.ceil(np.pi * np.sqrt(max(a, b) / (2 * tolerance)))))
    t = 2 * np.pi * np.arange(n) / n
    return np.column_stack([a * np.cos(t), b * np.sin(t)])


def _box(a: float, b: float) -> Floats:
    """Corners in a tangent plane; the sides are great circles."""
    return np.array([[-a, -b], [a, -b], [a, b], [-a, b]])


def _on_sphere(lon: float, lat: float, angle: float, points: Floats) -> Floats:
    """Unit vectors of points of the tangent plane at a centre.

    The first axis points west along the circle of latitude, turned by ``angle`` towards north: DS9's convention.
    """
    middle = _vectors(np.array([lon]), np.array([lat]))[0]
    west = np.array([np.sin(lon), -np.cos(lon), 0.0])
    north = np.cross(middle, -west)
    first = np.cos(angle) * west + np.sin(angle) * north
    second = np.cos(angle) * north - np.sin(angle) * west
    vectors = middle + points[:, :1] * first + points[:, 1:] * second
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def _position(shape: Any) -> Any:
    return shape.vertices if hasattr(shape, "vertices") else shape.center


def _to_icrs(polygons: Sequence[SkyPolygon], positions: Sequence[SkyCoord]) -> list[SkyPolygon]:
    """Polygons whose vectors are in the frames of some positions, in ICRS: one transformation for each frame."""
    found = list(polygons)
    for frame in dict.fromkeys(p.frame.name for p in positions):
        own = [k for k, p in enumerate(positions) if p.frame.name == frame]
        x, y, z = np.concatenate([polygons[k].vectors for k in own]).T
        sky = SkyCoord(np.arctan2(y, x), np.arctan2(z, np.hypot(x, y)), unit="rad", frame=frame).icrs
        parts = np.split(_vectors(sky.ra.rad, sky.dec.rad), np.cumsum([len(polygons[k].vectors) for k in own])[:-1])
        for k, vectors in zip(own, parts, strict=True):
            found[k] = SkyPolygon(vectors, polygons[k].ring_offsets)
    return found


def _vectors(lon: Floats, lat: Floats) -> Floats:
    return np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])


def _polygon(rings: Sequence[Floats]) -> SkyPolygon:
    return SkyPolygon(np.concatenate(rings), np.cumsum([0, *map(len, rings)]).astype(np.int64))


def _file_text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"region file {path}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise InputError(f"region file {path}: not a text file") from None


def _hash(path: str) -> str:
    try:
        return _hash_of(path, file_stamp(path))
    except (InputError, OSError):
        return "missing"


@cache
def _hash_of(path: str, stamp: tuple[int, int]) -> str:
    return sha256(Path(path).read_bytes()).hexdigest()

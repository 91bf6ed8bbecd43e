"""The values of ``exclude_regions`` and ``include_regions``: region files and DS9 text, as JSON can hold them."""

import re
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

SEPARATOR = "|"
"""What stands between region files and texts in one string."""

_EXCLUDED = re.compile(r"\binclude=0\b")
_SHAPE = re.compile(r"[a-z]\w*\s*\(", re.IGNORECASE)


def parse_regions(value: Any) -> tuple[str, ...] | None:
    """Region files as absolute paths, everything else as DS9 text of one line; None for no regions.

    Parameters
    ----------
    value
        A path, DS9 text, an object of the package ``regions`` in sky coordinates, vertices of a polygon as an array of
        right ascension and declination in degrees, shape (n, 2), or a list of these. A string may hold several paths
        between commas, and paths and texts between ``|``. No file is read.

    Raises
    ------
    ValueError
        For anything else, for pixel regions, and for vertices that are no polygon.
    """
    entries: list[str] | None
    if isinstance(value, str):
        entries = _split(value)
    elif isinstance(value, list | tuple) and not _is_vertices(value):
        entries = [entry for item in value for entry in _entries(item)]
    else:
        entries = None if value is None else _entries(value)
    return tuple(dict.fromkeys(entries)) if entries else None


def is_region_file(entry: str) -> bool:
    """Whether an entry of `parse_regions` is a path (else it is DS9 text)."""
    return Path(entry).is_absolute()


def ds9_lines(text: str) -> list[str]:
    """Lines of DS9 text without comments and drawing attributes; ``include=0`` among these becomes a minus sign."""
    lines = []
    for line in text.splitlines():
        commands, _, attributes = line.partition("#")
        commands = "" if commands.lstrip().startswith("global") else commands.strip()
        if commands and _EXCLUDED.search(attributes):
            commands = "-" + commands.lstrip("+-")
        lines.append(commands)
    return lines


def polygon_text(vertices: Any) -> str:
    """DS9 text of a polygon with vertices (n, 2) in degrees, ICRS.

    Raises
    ------
    ValueError
        Where there are fewer than three vertices, or they are no positions on the sky.
    """
    points = np.asarray(vertices, float)
    if points.ndim != 2 or points.shape[1] != 2 or len(points) < 3:
        raise ValueError(f"vertices must have the shape (n, 2), n of 3 or more, not {points.shape}")
    if not np.isfinite(points).all() or np.abs(points[:, 1]).max() > 90:
        raise ValueError("vertices must be right ascension and declination in degrees")
    return f"icrs; polygon({','.join(repr(float(v)) for v in points.ravel())})"


def _split(text: str) -> list[str]:
    word = text.strip()
    if word.lower() in ("", "none", "indef"):
        return []
    if _exists(word):
        return _entries(word)
    pieces = (p for part in re.split(r"(?<!\|)\|(?!\|)", word) for p in ([part] if _is_ds9(part) else part.split(",")))
    return [entry for piece in pieces if piece.strip() for entry in _entries(piece.strip())]


def _entries(item: Any) -> list[str]:
    if isinstance(item, PathLike):
        return [str(Path(item).absolute())]
    if isinstance(item, str):
        if _is_ds9(item) and not _exists(item):
            return [_one_line(item)]
        return [str(Path(item).expanduser().absolute())]
    if _is_vertices(item):
        return [polygon_text(item)]
    if hasattr(item, "serialize"):
        return [_one_line("\n".join(_serialized(r) for r in (item if hasattr(item, "__len__") else [item])))]
    raise ValueError(
        "must be region files, DS9 text, objects of the package 'regions', or an array of vertices in degrees"
    )


def _is_vertices(value: Any) -> bool:
    """Whether a value is an array, or a list of lists of numbers."""
    if isinstance(value, np.ndarray):
        return True
    lists = isinstance(value, list | tuple) and len(value) > 0
    return lists and all(isinstance(v, list | tuple | np.ndarray) and _are_numbers(v) for v in value)


def _are_numbers(values: Any) -> bool:
    return all(isinstance(v, int | float | np.number) for v in values)


def _is_ds9(text: str) -> bool:
    return not Path(text).is_absolute() and _SHAPE.search(text) is not None


def _exists(text: str) -> bool:
    try:
        return Path(text).expanduser().is_file()
    except (OSError, ValueError, RuntimeError):
        return False


def _one_line(text: str) -> str:
    """DS9 text with its commands in one line."""
    commands = [command.strip() for line in ds9_lines(text) for command in line.split(";")]
    if not any(commands):
        raise ValueError("the text has no region")
    return "; ".join(command for command in commands if command)


def _serialized(region: Any) -> str:
    """DS9 text of one object of the package ``regions``."""
    kind = type(region).__name__
    if not kind.endswith("SkyRegion") or kind.startswith("Compound"):
        raise ValueError(f"a {kind} cannot be used: regions must be plain shapes in sky coordinates")
    excluded = str(region.meta.get("include", 1)) in ("0", "False", "-")
    lines = region.copy(meta={}, visual={}).serialize(format="ds9", precision=12).strip().splitlines()
    frame, shape = lines[-2:]
    return f"{frame}; {'-' if excluded else ''}{shape}"

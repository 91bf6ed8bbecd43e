"""Read DS9 region text by the package ``regions``, and name the line that cannot be read."""

import importlib.util
import re
import warnings
from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

import numpy as np

from skymatch_nb.errors import InputError, installed_with

_NO_FRAME = "no sky coordinates; regions must be in fk5, icrs, galactic or ecliptic ones"
_FRAME_OR_SHAPE = re.compile(r'"(\w+)" frame or shape is not')
_LINES = ("vector", "ruler", "compass", "projection")
"""Shapes without an area that the package skips."""


def parse_ds9(lines: Sequence[str], where: str) -> Any:
    """Region objects of DS9 text in sky coordinates.

    Raises
    ------
    InputError
        Where a line is not a region or not in sky coordinates, or the package is missing; it begins with ``where``.
    """
    require_package(where)
    shapes, problem = _try("\n".join(lines))
    if problem is None:
        return shapes
    bad = bisect_left(range(len(lines)), True, key=lambda k: _try("\n".join(lines[: k + 1]))[1] is not None)
    _, problem = _try("\n".join(lines[: bad + 1]))
    raise InputError(f"{where}, line {bad + 1}: {lines[bad].strip()[:80]!r}: {problem}")


def require_package(where: str) -> None:
    """Raise `InputError`, which begins with ``where``, unless the package ``regions`` is installed."""
    if not _has_package():
        raise InputError(
            f"{where}: reading it needs the package 'regions', which is not installed; " + installed_with("regions")
        )


def _try(text: str) -> tuple[Any, str | None]:
    """Region objects of a text, and what is wrong with the first that is wrong."""
    from regions import Regions

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            shapes = Regions.parse(text, format="ds9")
        except TypeError:
            return None, "too few or too many values"
        except KeyError:
            return None, "a value cannot be read"
        except Exception as error:  # the parser raises whatever its parts do
            return None, (str(error).splitlines() or [""])[0] or type(error).__name__
    problems = (*(_shape_problem(shape) for shape in shapes), *(_warning_problem(str(w.message)) for w in caught))
    return shapes, next((problem for problem in problems if problem is not None), None)


def _shape_problem(shape: Any) -> str | None:
    kind = type(shape).__name__
    if not kind.endswith("SkyRegion"):
        return f"pixel coordinates are {_NO_FRAME}"
    position = getattr(shape, "vertices", None) if kind == "PolygonSkyRegion" else getattr(shape, "center", None)
    if position is None:
        return None
    if not np.isfinite(position.data.lon.value + position.data.lat.value).all():
        return "a coordinate is not a number"
    return "a polygon needs three vertices" if kind == "PolygonSkyRegion" and position.size < 3 else None


def _warning_problem(message: str) -> str | None:
    """What a warning of the parser means, None where it does not matter."""
    if "frame was not found" in message:
        return _NO_FRAME
    named = _FRAME_OR_SHAPE.match(message)
    if named is None:
        return message
    if named[1] in _LINES:
        return None
    if named[1].endswith("panda"):
        return f"the shape {named[1]} is not supported"
    if "not a valid" in message:
        return f"{named[1]} is no shape and no frame"
    return f"{named[1]} coordinates are {_NO_FRAME}"


def _has_package() -> bool:
    try:
        return importlib.util.find_spec("regions") is not None
    except ValueError:  # what Python says of a module that was blocked
        return False

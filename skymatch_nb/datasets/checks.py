"""Checks of the arguments of the makers of mosaics."""

from collections.abc import Sequence

import numpy as np

from skymatch_nb.errors import ParameterError
from skymatch_nb.io.asdf_files import NEEDED, asdf_package


def require(condition: object, name: str, value: object, expected: str) -> None:
    """Raise `ParameterError` where a condition on an argument does not hold."""
    if not condition:
        raise ParameterError(f"{name}={value!r}: expected {expected}")


def is_whole(value: object, least: int) -> bool:
    """Whether a value is an integer of at least so much."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and bool(value >= least)


def within(values: Sequence[float], low: float, high: float = np.inf) -> bool:
    """Whether all values are finite and within limits, which belong to them."""
    return all(np.isfinite(v) and low <= v <= high for v in values)


def require_gwcs() -> None:
    """Raise `ImportError`, which names the extra to install, where asdf or gwcs is not installed."""
    try:
        asdf_package()
    except ImportError as error:
        raise ImportError(NEEDED) from error


def check_common(
    exposures: object,
    most: int,
    shape: Sequence[int],
    seed: object,
    center: Sequence[float],
    sky_range: Sequence[float],
    pedestal: float,
    noise: float,
    cloud: float,
) -> None:
    """Raise `ParameterError` where an argument that makers for both telescopes have is not valid."""
    require(is_whole(exposures, 1) and exposures <= most, "exposures", exposures, f"1 to {most}")  # type: ignore[operator]
    require(
        _is_pair(shape) and all(is_whole(n, 64) for n in shape), "shape", shape, "(ny, nx), integers of at least 64"
    )
    require(is_whole(seed, 0), "seed", seed, "an integer of at least 0")
    away = _is_pair(center) and within(center, -360, 360) and abs(center[1]) <= 85
    require(away, "center", center, "RA and Dec in degrees, no nearer than 5 to a pole")
    rising = _is_pair(sky_range) and within(sky_range, 0) and sky_range[0] <= sky_range[1]
    require(rising, "sky_range", sky_range, "(low, high), not below 0")
    for name, value in (("pedestal", pedestal), ("cloud", cloud)):
        require(within([value], 0), name, value, "a brightness that is not below 0 MJy/sr")
    require(within([noise], 0) and noise > 0, "noise", noise, "a brightness above 0 MJy/sr")


def _is_pair(value: object) -> bool:
    return isinstance(value, tuple | list) and len(value) == 2

"""The values of ``lower`` and ``upper``: numbers in data units, or in sigma about each sample's own sky."""

import math
import re
from collections.abc import Mapping
from typing import TypeAlias

Limit: TypeAlias = float | str | None
"""A number, ``'-3 sigma'``, or None for no limit."""

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_SIGMA = re.compile(rf"({_NUMBER.pattern}) ?\*?(?:sigma|sig)", re.IGNORECASE)
_NONE = ("", "none", "indef")


def parse_limit(value: object) -> Limit | dict[str, Limit]:
    """Limit that a number, a text such as ``'-3 sigma'``, None, or a mapping of names to these means.

    Raises
    ------
    ValueError
        For anything else.
    """
    if isinstance(value, Mapping):
        if not value or not all(isinstance(name, str) and name.strip() for name in value):
            raise ValueError("a mapping must give limits for names of members, files, groups or instruments")
        return {str(name): _one(limit) for name, limit in value.items()}
    return _one(value)


def in_sigma(limit: Limit) -> float | None:
    """Number of sigma that a limit means; None for one in data units."""
    found = _SIGMA.fullmatch(limit) if isinstance(limit, str) else None
    return float(found[1]) if found else None


def _one(value: object) -> Limit:
    if value is None or (isinstance(value, str) and value.strip().lower() in _NONE):
        return None
    if isinstance(value, int | float) and not isinstance(value, bool):
        if not math.isfinite(value):
            raise ValueError("must be a finite number")
        return float(value)
    found = _SIGMA.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None and isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        return float(value)
    if found is None:
        raise ValueError("must be a valid number, such as 0.5, or a number of sigma, such as '-3 sigma'")
    return f"{float(found[1]):g} sigma"

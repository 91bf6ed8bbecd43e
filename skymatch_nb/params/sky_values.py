"""The values of ``fixed``: known skies by name, as a mapping, as text, or in a two-column sky file."""

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from numbers import Real
from os import PathLike
from pathlib import Path
from typing import Any

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_ITEM = re.compile(rf"\s*(.+?)\s*=\s*({_NUMBER})\s*(?:,|$)")
_COMMENT = re.compile(r"(^|\s)#.*")


class SkyValues(Mapping[str, float]):
    """Skies in data units by name of file, group or member; a copy that cannot be changed."""

    def __init__(self, values: Mapping[str, float]) -> None:
        self._values = dict(values)

    def __getitem__(self, name: str) -> float:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __hash__(self) -> int:
        return hash(frozenset(self._values.items()))

    def __repr__(self) -> str:
        return repr(self._values)


def parse_sky_values(value: Any) -> SkyValues | None:
    """Skies by name that a mapping, ``'name=value,name=value'`` or the path of a sky file gives; None for nothing.

    Names may hold commas and equals signs, as ``'a.fits[SCI,1]=0.5,VISIT=12=0.7'`` does.

    Raises
    ------
    ValueError
        For anything else; errors in a file name the file and the line.
    """
    if value is None:
        return None
    if isinstance(value, Mapping):
        return _checked(value.items()) if value else None
    if isinstance(value, PathLike):
        return read_sky_file(Path(value))
    if not isinstance(value, str):
        raise ValueError("must be a mapping of names to skies, 'name=value,name=value', or the path of a sky file")
    text = value.strip()
    if text.lower() in ("", "none", "indef"):
        return None
    items = _items(text)
    if items is None and "=" in text and not Path(text).exists():
        raise ValueError("must be 'name=value,name=value', with a number for each name, or the path of a sky file")
    return read_sky_file(Path(text)) if items is None else _checked(items)


def read_sky_file(path: Path) -> SkyValues:
    """Read a sky file: a name and a number on every line, comments after ``#``, as AstroDrizzle's ``skyfile`` is.

    Raises
    ------
    ValueError
        Where the file cannot be read or a line is of another form; it names the file and the line.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a text file"
        raise ValueError(f"{path}: {reason[0].lower()}{reason[1:]}; must be a sky file or 'name=value,...'") from None
    found: dict[str, float] = {}
    for number, line in enumerate(lines, 1):
        words = _COMMENT.sub("", line).strip().rsplit(maxsplit=1)
        if not words:
            continue
        if len(words) < 2 or not re.fullmatch(_NUMBER, words[1]) or not math.isfinite(float(words[1])):
            raise ValueError(f"{path}, line {number}: {line.strip()!r} is not a name and a number")
        if words[0] in found:
            raise ValueError(f"{path}, line {number}: {words[0]!r} has a value already")
        found[words[0]] = float(words[1])
    if not found:
        raise ValueError(f"{path}: no line has a name and a number")
    return SkyValues(found)


def _items(text: str) -> list[tuple[str, float]] | None:
    """Names and values of a text that is all ``name=value,...``, else None."""
    found, at = [], 0
    while at < len(text):
        item = _ITEM.match(text, at)
        if item is None:
            return None
        found.append((item[1], float(item[2])))
        at = item.end()
    return found


def _checked(items: Iterable[tuple[Any, Any]]) -> SkyValues:
    found: dict[str, float] = {}
    for name, value in items:
        if not isinstance(name, str) or not name.strip():
            raise ValueError(f"{name!r} is not the name of a file, group or member")
        if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value):
            raise ValueError(f"{name!r}: {value!r} is not a finite number")
        if name.strip() in found:
            raise ValueError(f"{name!r} has two values")
        found[name.strip()] = float(value)
    return SkyValues(found)

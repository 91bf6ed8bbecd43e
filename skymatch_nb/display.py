"""Records as a few lines of text or a small HTML table: for terminals and notebooks, with nothing to load."""

from collections.abc import Mapping, Sized
from dataclasses import fields, is_dataclass
from html import escape
from typing import Any

import numpy as np

LONGEST = 60
"""Characters of one value that are shown."""


class Shown:
    """Base of dataclasses that are shown by `record_text` and `record_html`."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.__repr__ = record_text  # type: ignore[method-assign]  # dataclass keeps one that is there

    def _repr_html_(self) -> str:
        return record_html(self)


def record_text(record: Any) -> str:
    """Name of a dataclass's type and what its fields hold, in one line each."""
    lines = [f"  {name}: {text}" for name, text in described(record).items()]
    return "\n".join([type(record).__name__, *lines])


def record_html(record: Any) -> str:
    """Return the same as a table, every text escaped."""
    cell = "<td style='text-align:left'>"
    rows = "".join(
        f"<tr>{cell}<b>{escape(name)}</b></td>{cell}{escape(text)}</td></tr>"
        for name, text in described(record).items()
    )
    return f"<div><b>{escape(type(record).__name__)}</b><table>{rows}</table></div>"


def described(record: Any) -> dict[str, str]:
    """What each field of a dataclass holds, in a few words; a result's key is left out."""
    names = [f.name for f in fields(record) if f.repr and f.name != "key"]
    values = {name: getattr(record, name) for name in names}
    return {name: summary(value) for name, value in values.items() if name != "notes" or value}


def summary(value: Any) -> str:
    """One value in a few words: of an array its shape and range, of a sequence its length and beginning."""
    if isinstance(value, np.ndarray):
        return _array(value)
    if isinstance(value, tuple | list):
        return _sequence(value)
    if isinstance(value, Mapping):
        return f"{len(value)} entries"
    if is_dataclass(value) and not isinstance(value, type):
        return f"{type(value).__name__} of {len(value)}" if isinstance(value, Sized) else type(value).__name__
    return _cut(f"{value:.6g}" if isinstance(value, float) else str(value))


def _array(value: Any) -> str:
    text = f"{value.dtype.name} {value.shape}"
    if value.dtype.kind not in "iuf" or not value.size:
        return text
    known = value[np.isfinite(value)]
    if not known.size:
        return f"{text}, none finite"
    missing = value.size - known.size
    rest = f", {missing} not finite" if missing else ""
    return f"{text}, {known.min():.6g} to {known.max():.6g}{rest}"


def _sequence(value: Any) -> str:
    if not value:
        return "none"
    if isinstance(value[0], str | int | float):
        return _cut(f"{len(value)}: {', '.join(str(part) for part in dict.fromkeys(value))}")
    kinds = dict.fromkeys(type(part).__name__ for part in value if part is not None)
    return f"{len(value)}: {', '.join(kinds) or 'none'}"


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"

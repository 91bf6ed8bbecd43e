"""What is to be changed in FITS files."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class ExtensionEdit:
    """Changes to one extension (0: the primary).

    ``cards`` are keyword, value and comment: replaced where the keyword is, else added at the end of the header,
    followed by the lines of ``history``. ``subtract`` is taken off the pixels; None leaves them alone.
    """

    hdu: int
    cards: tuple[tuple[str, Any, str], ...] = ()
    history: tuple[str, ...] = ()
    subtract: float | None = None


@dataclass(frozen=True)
class FileEdit:
    """Changes to the extensions of one file; all else in it stays byte for byte.

    ``stamp`` is the file's size in bytes and modification time in nanoseconds when it was measured: a file that has
    others by the time its folder is locked is not written. None asks for no such check.
    """

    path: Path
    edits: tuple[ExtensionEdit, ...]
    stamp: tuple[int, int] | None = None


def primary_notes(edits: Sequence[ExtensionEdit], primary: Callable[[str], Any]) -> Iterator[str]:
    """Tell which keywords the primary header keeps beside new values in extensions; ``primary`` looks a value up."""
    own = {keyword for edit in edits if edit.hdu == 0 for keyword, _, _ in edit.cards}
    for keyword in dict.fromkeys(keyword for edit in edits for keyword, _, _ in edit.cards):
        old = primary(keyword)
        if keyword not in own and isinstance(old, int | float | str):
            yield f"{keyword} = {old!r} stays in the primary header, the extensions have the new values"

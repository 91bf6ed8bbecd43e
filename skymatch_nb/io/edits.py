"""What is to be changed in FITS files."""

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
    """Changes to the extensions of one file; all else in it stays byte for byte."""

    path: Path
    edits: tuple[ExtensionEdit, ...]

"""File names as people write them, turned into the files that exist."""

import glob
import os
import re
from collections.abc import Sequence
from pathlib import Path

from skymatch_nb.errors import InputError
from skymatch_nb.io.grammar import Word

_SCHEME = re.compile(r"(?!file:)[A-Za-z][\w+.-]+:/{1,2}")
"""How the address of a remote file starts; paths lose one of its slashes."""


def with_variables(name: str) -> str:
    """Name with ``~`` and variables replaced by what they stand for, without the ``file://`` of an address."""
    name = name.removeprefix("file://")
    try:
        return os.path.expandvars(os.path.expanduser(name))  # noqa: PTH111 - variables come before paths
    except ValueError:  # a character that no user's name can have
        return name


def files_named(word: Word, places: Sequence[Path]) -> tuple[list[Path], str]:
    """Existing files that a name stands for, in sorted order, and the wildcard that found them (else "").

    Raises
    ------
    InputError
        With the column, where there is none in any of the folders.
    """
    name = with_variables(word.name)
    for place in places:
        if is_file(place / name):
            return [place / name], ""
    for place in places:
        matched = [Path(m) for m in _matching(str(place / name))] if glob.has_magic(name) else []
        if any(map(is_file, matched)):
            return [path for path in matched if is_file(path)], word.name
    for place in places:
        if _is_folder(place / name):
            raise InputError(f"column {word.column}: {name} is a folder, not a file")
    if _SCHEME.match(name):
        raise InputError(
            f"column {word.column}: {name} is not on a file system: fetch it first, or give the HDU list "
            "astropy.io.fits.open(url, use_fsspec=True)"
        )
    reason = "no file matches" if glob.has_magic(name) else "no such file:"
    raise InputError(f"column {word.column}: {reason} {word.name!r}")


def _matching(pattern: str) -> list[str]:
    try:
        return sorted(glob.glob(pattern))  # noqa: PTH207 - relative names stay relative
    except (ValueError, OSError):
        return []


def existing(path: Path) -> Path:
    """Return a path to a file.

    Raises
    ------
    InputError
        Where there is no such file.
    """
    if _is_folder(path):
        raise InputError(f"{path} is a folder, not a file")
    if _SCHEME.match(str(path)) and not is_file(path):
        raise InputError(f"{path} is not on a file system: fetch it first, or give the HDU list that astropy opens")
    if not is_file(path):
        raise InputError(f"no such file: {str(path)!r}")
    return path


def is_file(path: Path) -> bool:
    """Whether there is such a file; never an error."""
    try:
        return path.exists() and not path.is_dir()
    except (OSError, ValueError):  # a name that is too long, or has a character that no file name can have
        return False


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False

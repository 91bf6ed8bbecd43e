"""Words to image specifications: paths, wildcards and ``file[ext]`` as a user types them."""

import glob
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from skymatch_nb.errors import InputError


@dataclass(frozen=True)
class Extension:
    """One extension: by ``number``, or by ``name`` (upper case) and ``version``."""

    number: int | None = None
    name: str = ""
    version: int = 1

    def __str__(self) -> str:
        return f"{self.name},{self.version}" if self.number is None else str(self.number)


@dataclass(frozen=True)
class ImageSpec:
    """A file and the extensions wanted of it; none means that the file's content decides."""

    path: Path
    extensions: tuple[Extension, ...] = ()


Input = str | os.PathLike[str] | ImageSpec
_WORD = re.compile(r"(?P<name>.+?)\[(?P<extension>[^\[\]]*)\]$")
_EXTENSION = re.compile(r"(?:(?P<number>\d+)|['\"]?(?P<name>[A-Za-z_][\w-]*)['\"]?(?:\s*,\s*(?P<version>\d+))?)$")


def resolve_inputs(inputs: Input | Iterable[Input]) -> tuple[ImageSpec, ...]:
    """Image specifications of what a user gave, one per file, in the order given (a wildcard's files sorted).

    Parameters
    ----------
    inputs
        A string such as ``'j*_flt.fits'``, ``'a.fits[1]'`` or ``'a.fits[sci,2]'`` (``~`` and ``$VAR`` are expanded),
        a path (taken literally), an `ImageSpec`, or several of them.

    Raises
    ------
    InputError
        Where nothing was given, a name or wildcard matches no file, or an extension cannot be read.
    """
    words = [inputs] if isinstance(inputs, str | os.PathLike | ImageSpec) else list(inputs)
    if not words:
        raise InputError("no input was given")
    merged: dict[Path, tuple[Extension, ...]] = {}
    for word in words:
        for spec in _resolve(word):
            known = merged.get(spec.path)
            if known is None:
                merged[spec.path] = spec.extensions
            elif known and spec.extensions:
                merged[spec.path] = tuple(dict.fromkeys(known + spec.extensions))
            else:
                merged[spec.path] = ()
    return tuple(ImageSpec(path, extensions) for path, extensions in merged.items())


def parse_extension(text: str) -> Extension:
    """Extension of the text between brackets: ``1``, ``sci`` or ``sci,2``.

    Raises
    ------
    InputError
        For any other text.
    """
    found = _EXTENSION.match(text.strip())
    if not found:
        raise InputError(f"cannot read the extension [{text}]: expected a number, a name, or a name and a version")
    if found["number"]:
        return Extension(number=int(found["number"]))
    return Extension(name=found["name"].upper(), version=int(found["version"] or 1))


def _resolve(word: Input) -> list[ImageSpec]:
    if isinstance(word, ImageSpec):
        return [ImageSpec(_existing(word.path), word.extensions)]
    if not isinstance(word, str):
        if not isinstance(word, os.PathLike):
            raise InputError(f"cannot read input of type {type(word).__name__}: {word!r}")
        return [ImageSpec(_existing(Path(word)))]
    name = os.path.expandvars(os.path.expanduser(word.strip()))  # noqa: PTH111 - wildcards are not paths yet
    if not name:
        raise InputError("an input name is empty")
    if Path(name).exists():
        return [ImageSpec(_existing(Path(name)))]
    extensions: tuple[Extension, ...] = ()
    matched = _matching(name)
    if not matched and (found := _WORD.match(name)):
        name, extensions = found["name"], (parse_extension(found["extension"]),)
        matched = [name] if Path(name).exists() else _matching(name)
    if not matched:
        raise InputError(f"no file matches {word!r}" if glob.has_magic(name) else f"no such file: {word!r}")
    return [ImageSpec(_existing(Path(m)), extensions) for m in matched]


def _matching(pattern: str) -> list[str]:
    return sorted(glob.glob(pattern)) if glob.has_magic(pattern) else []  # noqa: PTH207 - keeps relative names


def _existing(path: Path) -> Path:
    if path.is_dir():
        raise InputError(f"{path} is a folder, not a file")
    if not path.exists():
        raise InputError(f"no such file: {str(path)!r}")
    return path

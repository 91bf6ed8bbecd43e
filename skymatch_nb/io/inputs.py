"""What can be given as input, turned into image specifications; docs/inputs.md has every form with an example.

`parse_cs_line`, `parse_at_line` and `parse_at_file` read strings; `resolve_inputs` takes those, paths, objects that
people hold in a notebook, and lists of them.
"""

import glob
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias

from skymatch_nb.errors import InputError, InputTypeError
from skymatch_nb.io.asn import association_files, is_association
from skymatch_nb.io.grammar import Extension, Word, parse_words
from skymatch_nb.io.memory import ObjectSpec, is_image_object

__all__ = [
    "Extension",
    "ImageSpec",
    "MaskSpec",
    "parse_at_file",
    "parse_at_line",
    "parse_cs_line",
    "resolve_inputs",
    "resolve_mask",
]


PRIMARY = Extension(number=0)
"""The extension of a mask where none is given."""


@dataclass(frozen=True)
class MaskSpec:
    """A mask: a file and one of its extensions; non-zero pixels are good.

    ``origin`` tells where it was named (@-file, line and column), for errors that are found when it is opened.
    """

    path: Path
    extension: Extension = PRIMARY
    origin: str = field(default="", compare=False, repr=False)


@dataclass(frozen=True)
class ImageSpec:
    """A file, the extensions wanted of it, and their masks by position.

    Without extensions the file's content decides. There may be fewer masks than extensions; None is no mask.
    ``origin`` is as in `MaskSpec`.
    """

    path: Path
    extensions: tuple[Extension, ...] = ()
    masks: tuple[MaskSpec | None, ...] = ()
    origin: str = field(default="", compare=False, repr=False)

    def absolute(self) -> "ImageSpec":
        """Return the same with absolute paths, which hold wherever the working directory goes."""
        masks = (None if m is None else replace(m, path=m.path.absolute()) for m in self.masks)
        return replace(self, path=self.path.absolute(), masks=tuple(masks))


@contextmanager
def telling(origin: str) -> Iterator[None]:
    """Put the place where a file was named before what is found wrong with it; an empty one changes nothing."""
    try:
        yield
    except InputError as error:
        if not origin:
            raise
        raise InputError(f"{origin}: {error}") from error


Spec: TypeAlias = ImageSpec | ObjectSpec
Input: TypeAlias = Any
"""A string, a path, an `ImageSpec` or `ObjectSpec`, an HDUList, a CCDData or NDData, or a pair of an array and a WCS or
header."""


def resolve_inputs(inputs: Input | Iterable[Input]) -> tuple[Spec, ...]:
    """Image specifications of what a user gave, one per file or object, in the order given.

    Parameters
    ----------
    inputs
        One input or several. A string is read by `parse_cs_line` unless it names an existing file; a path is taken
        literally. A file named twice is read once, with the extensions of both.

    Raises
    ------
    InputError
        Where nothing was given, a string cannot be read, or a name or wildcard matches no file.
    """
    single = isinstance(inputs, str | os.PathLike | ImageSpec | ObjectSpec) or is_image_object(inputs)
    if not single and not isinstance(inputs, Iterable):
        raise InputTypeError(f"cannot read input of type {type(inputs).__name__}: {_shown(inputs)}")
    items = [inputs] if single else list(inputs)
    if not items:
        raise InputError("no input was given")
    files: dict[tuple[int, int], ImageSpec] = {}
    objects: dict[int, ObjectSpec] = {}
    order: list[tuple[int, int] | int] = []
    for item in items:
        for spec in _resolve(item, len(objects) + 1):
            if isinstance(spec, ObjectSpec):
                order.append(len(objects))
                objects[len(objects)] = spec
                continue
            status = spec.path.stat()
            place = (status.st_dev, status.st_ino)
            if place not in files:
                order.append(place)
            files[place] = _merged(files[place], spec) if place in files else spec
    return tuple(objects[key] if isinstance(key, int) else files[key] for key in order)


def parse_cs_line(text: str) -> tuple[ImageSpec, ...]:
    """Read comma-separated file names, each with an optional extension specification, or one ``@file``.

    Names may hold wildcards, ``~`` and ``$VAR``, and may be association tables; an extension specification after one
    of these applies to each file.

    Raises
    ------
    InputError
        With the column, where the text cannot be read or a name matches no file.
    """
    try:
        if text.strip().startswith("@"):
            return parse_at_file(_at_file_name(text))
        words = parse_words(text)
        empty = next((word for word in words if not word.name), None)
        if empty is not None:
            raise InputError(f"column {empty.column}: a file name is empty")
        return tuple(spec for word in words for spec in _images(word, None))
    except InputError as error:
        raise InputError(f"in {text[:200]!r}: {error}") from None


def parse_at_line(text: str, folder: Path | None = None) -> tuple[ImageSpec, ...]:
    """Read one line of an @-file: an image, then masks of its extensions by position.

    An empty mask or ``None`` is no mask; a mask's extension is 0 unless it is given. Relative names are looked for in
    the working directory, then in ``folder``.

    Raises
    ------
    InputError
        With the column, where the line cannot be read, a name matches no file, there are more masks than extensions, or
        masks are given for several files at once.
    """
    first, *rest = parse_words(text)
    if not first.name:
        raise InputError(f"column {first.column}: the image's file name is empty")
    images = _images(first, folder)
    masks = [_mask(word, folder) for word in rest]
    if len(images) > 1 and any(masks):
        raise InputError(f"column {rest[0].column}: masks cannot be given for several files ({first.name!r}) at once")
    counted = images[0].extensions and all(e.number is not None or e.version is not None for e in images[0].extensions)
    if counted and len(masks) > len(images[0].extensions):
        extra = rest[len(images[0].extensions)]
        raise InputError(f"column {extra.column}: {len(masks)} masks for {len(images[0].extensions)} extensions")
    given = tuple(masks) if any(masks) else ()
    return tuple(replace(image, masks=given, origin=f"column {first.column}") for image in images)


def parse_at_file(path: str | os.PathLike[str]) -> tuple[ImageSpec, ...]:
    """Read a text file with a line for each image, as `parse_at_line`; blank lines and ``#`` comments are skipped.

    Raises
    ------
    InputError
        With file, line and column, where a line cannot be read; nothing is skipped.
    """
    file = Path(path)
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a text file"
        raise InputError(f"@-file {str(path)!r}: {reason}") from None
    specs: list[ImageSpec] = []
    for number, line in enumerate(lines, 1):
        text = _without_comment(line)
        if not text.strip():
            continue
        try:
            specs += (_placed(spec, f"{path}, line {number}, ") for spec in parse_at_line(text, file.parent))
        except InputError as error:
            raise InputError(f"{path}, line {number}, {error}") from None
    if not specs:
        raise InputError(f"@-file {str(path)!r} names no image")
    return tuple(specs)


def _placed(spec: ImageSpec, before: str) -> ImageSpec:
    """Specification whose origins begin with a place."""
    masks = (None if m is None else replace(m, origin=before + m.origin) for m in spec.masks)
    return replace(spec, masks=tuple(masks), origin=before + spec.origin)


def resolve_mask(text: str | os.PathLike[str]) -> MaskSpec:
    """Mask that a string (``'mask.fits[1]'``) or a path names.

    Raises
    ------
    InputError
        Where the string cannot be read or there is no such file.
    """
    if isinstance(text, os.PathLike):
        return MaskSpec(_existing(Path(text)))
    words = parse_words(text)
    mask = _mask(words[0], None) if len(words) == 1 else None
    if mask is None:
        raise InputError(f"{text!r} does not name one mask file")
    return replace(mask, origin="")


def _resolve(item: Input, number: int) -> tuple[Spec, ...]:
    if isinstance(item, ImageSpec):
        return (replace(item, path=_existing(Path(item.path))),)
    if is_image_object(item):
        return (ObjectSpec(item, number),)
    if isinstance(item, ObjectSpec):
        return (replace(item, number=number),)
    if isinstance(item, os.PathLike):
        return tuple(ImageSpec(path) for path in _files_of(_existing(Path(item))))
    if not isinstance(item, str):
        raise InputTypeError(f"cannot read input of type {type(item).__name__}: {_shown(item)}")
    if not item.strip():
        raise InputError("an input name is empty")
    if _is_file(Path(item)):
        return tuple(ImageSpec(path) for path in _files_of(Path(item)))
    return parse_cs_line(item)


def _shown(item: Any) -> str:
    """Start of an object's text."""
    return (str(item).splitlines() or [""])[0][:80]


def _merged(one: ImageSpec, other: ImageSpec) -> ImageSpec:
    """One specification of a file that was named twice."""
    if one.masks or other.masks:
        first = f" (first in {one.origin})" if one.origin else ""
        with telling(other.origin):
            raise InputError(f"{one.path} is named twice, with masks{first}: give its extensions and masks in one line")
    origin = f"{one.origin} and {other.origin}" if one.origin and other.origin else ""
    if not one.extensions or not other.extensions:
        return ImageSpec(one.path, origin=origin)
    return ImageSpec(one.path, tuple(dict.fromkeys(one.extensions + other.extensions)), origin=origin)


def _images(word: Word, folder: Path | None) -> list[ImageSpec]:
    if word.name.startswith("@") and not word.quoted:
        raise InputError(f"column {word.column}: an @-file must stand alone: {word.name!r}")
    paths = _expand(word, folder)
    with telling(f"column {word.column}"):
        return [ImageSpec(file, word.extensions) for path in paths for file in _files_of(path)]


def _mask(word: Word, folder: Path | None) -> MaskSpec | None:
    if not word.quoted and word.name in ("", "None"):
        return None
    paths = _expand(word, folder)
    if len(paths) > 1:
        raise InputError(f"column {word.column}: {word.name!r} matches {len(paths)} files where one mask is needed")
    origin = f"column {word.column}"
    if not word.extensions:
        return MaskSpec(paths[0], origin=origin)
    if len(word.extensions) > 1 or word.extensions[0].version is None:
        raise InputError(f"column {word.column}: a mask must be one extension of {word.name!r}")
    return MaskSpec(paths[0], word.extensions[0], origin)


def _at_file_name(text: str) -> str:
    words = parse_words(text, text.index("@") + 1)
    if len(words) > 1:
        raise InputError(f"column {words[1].column}: an @-file must stand alone")
    if words[0].extensions:
        raise InputError(f"column {words[0].column}: an @-file takes no extension specification")
    if not words[0].name:
        raise InputError(f"column {words[0].column}: the name of the @-file is missing")
    return _expanded(words[0].name)


def _expanded(name: str) -> str:
    """Name with ``~`` and variables replaced by what they stand for."""
    try:
        return os.path.expandvars(os.path.expanduser(name))  # noqa: PTH111 - variables come before paths
    except ValueError:  # a character that no user's name can have
        return name


def _without_comment(line: str) -> str:
    """Line up to a ``#`` that begins it or follows a blank, outside quotes."""
    quote = ""
    for at, character in enumerate(line):
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character == "#" and (at == 0 or line[at - 1].isspace()):
            return line[:at]
    return line


def _expand(word: Word, folder: Path | None) -> list[Path]:
    """Existing files that a name stands for, in sorted order."""
    name = _expanded(word.name)
    places = [Path(), *([] if folder is None else [folder])]
    for place in places:
        if _is_file(place / name):
            return [place / name]
    for place in places:
        matched = [Path(m) for m in _matching(str(place / name))] if glob.has_magic(name) else []
        if any(map(_is_file, matched)):
            return [path for path in matched if _is_file(path)]
    for place in places:
        if _is_folder(place / name):
            raise InputError(f"column {word.column}: {name} is a folder, not a file")
    reason = "no file matches" if glob.has_magic(name) else "no such file:"
    raise InputError(f"column {word.column}: {reason} {word.name!r}")


def _matching(pattern: str) -> list[str]:
    try:
        return sorted(glob.glob(pattern))  # noqa: PTH207 - relative names stay relative
    except (ValueError, OSError):
        return []


def _files_of(path: Path) -> list[Path]:
    """A file itself, or the exposures of an association table."""
    return association_files(path) if is_association(path) else [path]


def _existing(path: Path) -> Path:
    if _is_folder(path):
        raise InputError(f"{path} is a folder, not a file")
    if not _is_file(path):
        raise InputError(f"no such file: {str(path)!r}")
    return path


def _is_file(path: Path) -> bool:
    try:
        return path.exists() and not path.is_dir()
    except (OSError, ValueError):  # a name that is too long, or has a character that no file name can have
        return False


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False

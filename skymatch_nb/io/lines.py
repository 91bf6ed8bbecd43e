"""Input strings and @-files, turned into image specifications."""

import os
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from skymatch_nb.errors import InputError, InputTypeError
from skymatch_nb.io.asn import association_files, is_association
from skymatch_nb.io.grammar import Word, parse_words
from skymatch_nb.io.names import existing, files_named, with_variables
from skymatch_nb.io.specs import ImageSpec, MaskSpec, telling

HERE = (Path(),)

_LINE_END = re.compile(rb"\r\n|\n|\r")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def parse_cs_line(text: str) -> tuple[ImageSpec, ...]:
    """Read comma-separated file names, each with an optional extension specification, or one ``@file``.

    Names may hold wildcards, ``~`` and ``$VAR``, and may be association tables; an extension specification after one
    of these applies to each file.

    Raises
    ------
    InputError
        With the column, where the text cannot be read or a name matches no file.
    InputTypeError
        Where it is no text.
    """
    _require_text(text)
    try:
        if text.strip().startswith("@"):
            listed = _at_file_name(text)
        else:
            words = parse_words(text)
            empty = next((word for word in words if not word.name), None)
            if empty is not None:
                raise InputError(f"column {empty.column}: a file name is empty")
            return tuple(spec for word in words for spec in _images(word, HERE))
    except InputError as error:
        raise InputError(f"in {text[:200]!r}: {error}") from None
    return parse_at_file(listed)


def parse_at_line(text: str, folder: Path | None = None) -> tuple[ImageSpec, ...]:
    """Read one line of an @-file, ``text``: an image, then masks of its extensions by position.

    An empty mask or ``None`` is no mask; a mask's extension is 0 unless it is given. Relative names are looked for in
    the working directory, then in ``folder``.

    Raises
    ------
    InputError
        With the column, where the line cannot be read, a name matches no file, there are more masks than extensions, or
        masks are given for several files at once.
    """
    _require_text(text)
    return _line(text, HERE if folder is None else (*HERE, folder))


def _line(text: str, places: Sequence[Path]) -> tuple[ImageSpec, ...]:
    """Images and masks of a line, whose relative names are looked for in some folders, one after the other."""
    first, *rest = parse_words(text)
    if not first.name:
        raise InputError(f"column {first.column}: the image's file name is empty")
    images = _images(first, places)
    masks = [_mask(word, places) for word in rest]
    if len(images) > 1 and any(masks):
        masked = next(word for word, mask in zip(rest, masks, strict=True) if mask)
        raise InputError(
            f"column {masked.column}: masks cannot be given for several files at once: {first.name!r} stands for "
            f"{len(images)} files, and each needs a line of its own"
        )
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
    if not isinstance(path, str | os.PathLike):
        raise InputTypeError(f"an @-file must be a path, not of type {type(path).__name__}")
    file = Path(path)
    return read_at_file(file, (*HERE, file.parent), str(path))


def read_at_file(file: Path, places: Sequence[Path], shown: str) -> tuple[ImageSpec, ...]:
    """Images of an @-file, whose relative names are looked for in some folders; ``shown`` names it in errors.

    Raises
    ------
    InputError
        As `parse_at_file`.
    """
    try:
        content = file.read_bytes()
    except (OSError, ValueError) as error:
        raise InputError(f"@-file {shown!r}: {getattr(error, 'strerror', None) or error}") from None
    specs: list[ImageSpec] = []
    for number, raw in enumerate(_LINE_END.split(content.removeprefix(_BYTE_ORDER_MARK)), 1):
        where = f"{shown}, line {number}"
        line = _without_comment(_decoded(raw, where))
        if not line.strip():
            continue
        try:
            specs += (_placed(spec, f"{where}, ", shown) for spec in _line(line, places))
        except InputError as error:
            raise InputError(f"{where}, {error}") from None
    if not specs:
        raise InputError(f"@-file {shown!r} names no image")
    return tuple(specs)


def _decoded(raw: bytes, where: str) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        column = len(raw[: error.start].decode("utf-8")) + 1
        raise InputError(
            f"{where}, column {column}: not a text file in UTF-8 (byte 0x{raw[error.start]:02x})"
        ) from None


def _placed(spec: ImageSpec, before: str, listed_in: str) -> ImageSpec:
    """Specification of an @-file, whose origins begin with a place in it."""
    masks = (None if m is None else replace(m, origin=before + m.origin) for m in spec.masks)
    return replace(spec, masks=tuple(masks), origin=before + spec.origin, listed_in=listed_in)


def resolve_mask(text: str | os.PathLike[str]) -> MaskSpec:
    """Mask that a string (``'mask.fits[1]'``) or a path names.

    Raises
    ------
    InputError
        Where the string cannot be read or there is no such file.
    """
    if isinstance(text, os.PathLike):
        return MaskSpec(existing(Path(text)))
    _require_text(text)
    with telling(f"in {text[:200]!r}"):
        words = parse_words(text)
        mask = _mask(words[0], HERE) if len(words) == 1 else None
    if mask is None:
        raise InputError(f"{text!r} does not name one mask file")
    return replace(mask, origin="")


def shown(item: Any) -> str:
    """Start of an object's text."""
    return (str(item).splitlines() or [""])[0][:80].rstrip()


def _require_text(text: Any) -> None:
    if not isinstance(text, str):
        raise InputTypeError(f"a text is needed, not one of type {type(text).__name__}: {shown(text)}")


def _images(word: Word, places: Sequence[Path]) -> list[ImageSpec]:
    if word.name.startswith("@") and not word.quoted:
        raise InputError(f"column {word.column}: an @-file must stand alone: {word.name!r}")
    paths, wildcard = files_named(word, places)
    with telling(f"column {word.column}"):
        files = [file for path in paths for file in _files_picked(path, wildcard)]
    return [ImageSpec(file, word.extensions, wildcard=wildcard) for file in files]


def _files_picked(path: Path, wildcard: str) -> list[Path]:
    """Files that a path stands for; an association that a wildcard picked and that is none is told of when opened."""
    try:
        return files_of(path)
    except InputError:
        if not wildcard:
            raise
        return [path]


def picked(errors: Sequence[str], wildcard: str, count: int) -> str:
    """What is wrong with files, with a hint at the wildcard, if any, that picked them out of ``count`` in all.

    What is wrong with several files is said once, after their names.
    """
    files_by_reason: dict[str, list[str]] = {}
    for error in errors:
        file, _, reason = error.partition(": ")
        files_by_reason.setdefault(reason, []).append(file)
    told = [f"{_listed(files)}: {reason}" if reason else _listed(files) for reason, files in files_by_reason.items()]
    text = "; ".join(told[:5]) + (f"; and {len(told) - 5} more" if len(told) > 5 else "")
    if not wildcard:
        return text
    return f"{len(errors)} of {count} files that {wildcard!r} matches cannot be used: {text}"


def _listed(names: Sequence[str]) -> str:
    """First three names, and how many more there are."""
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _mask(word: Word, places: Sequence[Path]) -> MaskSpec | None:
    if not word.quoted and word.name in ("", "None"):
        return None
    paths, _ = files_named(word, places)
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
    return with_variables(words[0].name)


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


def files_of(path: Path) -> list[Path]:
    """A file itself, or the exposures of an association table."""
    return association_files(path) if is_association(path) else [path]

"""What can be given as input, turned into image specifications; docs/inputs.md has every form with an example.

`parse_cs_line`, `parse_at_line` and `parse_at_file` read strings; `resolve_inputs` takes those, paths, objects that
people hold in a notebook, and lists of them.
"""

import io
import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from astropy.io import fits

from skymatch_nb.errors import InputError, InputTypeError
from skymatch_nb.io.grammar import Extension
from skymatch_nb.io.lines import files_of, parse_at_file, parse_at_line, parse_cs_line, picked, resolve_mask, shown
from skymatch_nb.io.memory import ObjectSpec, is_image_object
from skymatch_nb.io.names import existing, is_file
from skymatch_nb.io.specs import ImageSpec, MaskSpec, telling

__all__ = [
    "Extension",
    "ImageSpec",
    "MaskSpec",
    "Spec",
    "combined",
    "parse_at_file",
    "parse_at_line",
    "parse_cs_line",
    "picked",
    "resolve_inputs",
    "resolve_mask",
    "telling",
]

_HINTS: tuple[tuple[Any, str], ...] = (
    (np.ndarray, " (an array needs a WCS or a header: give the pair (array, header))"),
    ((fits.PrimaryHDU, fits.ImageHDU, fits.CompImageHDU), " (give an HDU list, or the pair (hdu.data, hdu.header))"),
    (list, " (lists are not nested; an array and its WCS or header are a tuple)"),
)
"""What may have been meant by something that is no input."""


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
    items = [inputs] if single or not _is_several(inputs) else list(inputs)
    if not items:
        raise InputError("no input was given")
    specs: list[Spec] = []
    objects = 0
    for item in items:
        specs += _resolve(item, objects + 1)
        objects = sum(isinstance(spec, ObjectSpec) for spec in specs)
    return combined(specs)


def combined(specs: Iterable[Spec]) -> tuple[Spec, ...]:
    """Specifications with one for each file, where it was named first.

    Raises
    ------
    InputError
        Where a file is named twice, with masks.
    """
    made: dict[Any, Spec] = {}
    for spec in specs:
        if isinstance(spec, ObjectSpec):
            made[id(spec)] = spec
            continue
        status = spec.path.stat()
        place = (status.st_dev, status.st_ino)
        before = made.get(place)
        made[place] = _merged(before, spec) if isinstance(before, ImageSpec) else spec
    return tuple(made.values())


def _resolve(item: Input, number: int) -> tuple[Spec, ...]:
    if isinstance(item, ImageSpec):
        return (replace(item, path=existing(Path(item.path))),)
    if is_image_object(item):
        return (ObjectSpec(item, number),)
    if isinstance(item, ObjectSpec):
        return (replace(item, number=number),)
    if isinstance(item, os.PathLike):
        return tuple(ImageSpec(path) for path in files_of(existing(Path(item))))
    if not isinstance(item, str):
        hint = _hint_of_model(item) or next((hint for kind, hint in _HINTS if isinstance(item, kind)), "")
        raise InputTypeError(f"cannot read input of type {type(item).__name__}: {shown(item)}{hint}")
    if not item.strip():
        raise InputError("an input name is empty")
    if is_file(Path(item)):
        return tuple(ImageSpec(path) for path in files_of(Path(item)))
    return parse_cs_line(item)


def _hint_of_model(item: Any) -> str:
    """What to give for a datamodel of JWST or Roman, or an open ASDF file; empty for anything else."""
    module = type(item).__module__.partition(".")[0]
    if module in ("stdatamodels", "jwst", "roman_datamodels") and hasattr(item, "meta"):
        return " (give the name of its file, or the pair (model.data, model.meta.wcs))"
    return " (give the name of its file)" if module == "asdf" and hasattr(item, "tree") else ""


def _is_several(inputs: Any) -> bool:
    """Whether something holds several inputs; what gives lines, keys or rows when it is looped over does not."""
    single = isinstance(inputs, Mapping | bytes | io.IOBase | fits.Header) or hasattr(inputs, "columns")
    single = single or _hint_of_model(inputs) != ""
    array = isinstance(inputs, np.ndarray) and inputs.dtype.kind not in "OUT"
    return isinstance(inputs, Iterable) and not single and not array


def _merged(one: ImageSpec, other: ImageSpec) -> ImageSpec:
    """One specification of a file that was named twice."""
    if one.masks or other.masks:
        first = f" (first in {one.origin})" if one.origin else ""
        with telling(other.origin):
            raise InputError(f"{one.path} is named twice, with masks{first}: give its extensions and masks in one line")
    whole = not one.extensions or not other.extensions
    return ImageSpec(
        one.path,
        () if whole else tuple(dict.fromkeys(one.extensions + other.extensions)),
        origin=f"{one.origin} and {other.origin}" if one.origin and other.origin else "",
        listed_in=one.listed_in if one.listed_in == other.listed_in else "",
        wildcard=one.wildcard and other.wildcard,
    )

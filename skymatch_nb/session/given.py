"""What a session was given: whether files, masks and arrays are still those that were read."""

import os
from collections.abc import Iterable, Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from skymatch_nb.errors import InputTypeError
from skymatch_nb.io.inputs import ImageSpec, Spec, resolve_mask, telling
from skymatch_nb.io.opened import related_files
from skymatch_nb.io.stamps import file_stamp
from skymatch_nb.saved import absolute_mask


def file_content(spec: ImageSpec) -> tuple[Any, ...]:
    """What tells whether a file, those that belong to it, and its masks are still those that were read."""
    with telling(spec.origin):
        related = [(str(path), file_stamp(path)) for path in related_files(spec.path)]
    masks: list[tuple[Any, ...] | None] = []
    for mask in spec.masks:
        with telling(mask.origin if mask else ""):
            masks.append(None if mask is None else (str(mask.path), file_stamp(mask.path), str(mask.extension)))
    return (related, [str(e) for e in spec.extensions], masks)


def files_beside(specs: Iterable[Spec], masks: Mapping[str, Any], dq: Mapping[str, Any]) -> list[Path]:
    """Files that are read besides the images: data and quality that belong to them, masks, DQ arrays given apart."""
    images = [spec for spec in specs if isinstance(spec, ImageSpec)]
    found = [path for spec in images for path in related_files(spec.path)[1:]]
    found += [mask.path.absolute() for spec in images for mask in spec.masks if mask is not None]
    given = [value for value in (*masks.values(), *dq.values()) if isinstance(value, str | PathLike)]
    found += [resolve_mask(value).path.absolute() for value in given]
    return [path for path in dict.fromkeys(found) if path not in {spec.path for spec in images}]


def with_full_paths(given: Mapping[str, Any], what: str) -> dict[str, Any]:
    """Masks by name, those of files with their full paths; ``what`` names them in the error.

    Raises
    ------
    InputTypeError
        Where they are not given by name.
    """
    if not isinstance(given, Mapping):
        raise InputTypeError(f"{what} must be a mapping of members' names, not of type {type(given).__name__}")
    return {
        os.fspath(name) if isinstance(name, PathLike) else name: absolute_mask(v)
        if isinstance(v, str | PathLike)
        else v
        for name, v in given.items()
    }


def copied(given: Mapping[str, Any]) -> dict[str, Any]:
    """Masks by name, arrays copied: what is changed afterwards does not change the session."""
    return {name: np.array(value) if isinstance(value, np.ndarray) else value for name, value in given.items()}


def contents_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """What a change of masks or DQ arrays would change; a function stands for itself."""
    return {name: _content(value) for name, value in given.items()}


def _content(value: Any) -> Any:
    if isinstance(value, np.ndarray | list | tuple):
        return np.asarray(value)
    if not isinstance(value, str | PathLike):
        return (str(value), id(value))
    mask = resolve_mask(value)
    return (str(mask.path), file_stamp(mask.path), str(mask.extension))

"""Inputs as stsci.skypac holds them: objects with an open image, a list of its extensions, and a mask for each.

They are known by what they have, and neither stsci.skypac nor drizzlepac is imported.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits

from skymatch_nb.errors import InputError, InputTypeError
from skymatch_nb.io.grammar import Extension
from skymatch_nb.io.inputs import ImageSpec, MaskSpec, Spec
from skymatch_nb.io.memory import ObjectSpec

_ATTRIBUTES = ("image", "fext", "mask_images", "maskext")


@dataclass(frozen=True)
class OpenImage:
    """An open HDU list, which of its extensions are used, and the mask of each (None: no mask; non-zero is good)."""

    hdus: fits.HDUList
    extensions: tuple[Extension, ...]
    masks: "tuple[OpenMask | None, ...]"

    @property
    def name(self) -> str:
        """File name, without its folder."""
        return Path(self.hdus.filename() or "image in memory").name

    def headers(self) -> list[fits.Header]:
        """Headers of the extensions."""
        return [self.hdus[_key(extension)].header for extension in self.extensions]

    def spec(self, in_memory: bool = False) -> Spec:
        """Where pixels are read: the files, where these still hold what was opened, else the open images.

        Pixels that are read from an open image stay in memory until it is closed, and are written to its file again
        where it is open for update.
        """
        if (
            not in_memory
            and _is_as_on_disk(self.hdus, self.extensions)
            and all(m is None or m.file for m in self.masks)
        ):
            masks = [None if m is None else MaskSpec(Path(m.file), m.extension) for m in self.masks]
            return ImageSpec(Path(self.hdus.filename() or ""), self.extensions, tuple(masks))
        return ObjectSpec(self.hdus, 1, self.extensions, tuple(None if m is None else m.pixels() for m in self.masks))


@dataclass(frozen=True)
class OpenMask:
    """An open mask."""

    hdus: fits.HDUList
    extension: Extension

    @property
    def file(self) -> str:
        """File that holds it, empty where none does."""
        name = self.hdus.filename() or ""
        if _is_as_on_disk(self.hdus, (self.extension,)):
            return name
        if not Path(name).is_file():
            return ""
        with fits.open(name) as there:  # AstroDrizzle's masks were read when they were opened
            return name if np.array_equal(there[_key(self.extension)].data, self.pixels()) else ""

    def pixels(self) -> Any:
        """Pixels, which stay in memory."""
        return self.hdus[_key(self.extension)].data


def open_images(infos: Iterable[Any]) -> list[OpenImage]:
    """Open images of ``FileExtMaskInfo`` objects, or of others that have the same attributes.

    Raises
    ------
    InputTypeError
        Where one lacks an attribute or holds names instead of open images.
    InputError
        Where an image is closed, no extension of it is named, one is missing, or there are more masks than extensions.
    """
    return [_open_image(info, number) for number, info in enumerate(infos, 1)]


def _open_image(info: Any, number: int) -> OpenImage:
    lacking = [name for name in _ATTRIBUTES if not hasattr(info, name)]
    if lacking:
        raise InputTypeError(f"input {number}: a {type(info).__name__} has no {' and no '.join(lacking)}")
    hdus = _opened(info.image, f"input {number}")
    name = hdus.filename() or f"input {number}"
    extensions = tuple(_extension(ext, name) for ext in info.fext)
    if not extensions:
        raise InputError(f"{name}: no extension of it is named")
    for extension in extensions:
        try:
            hdus[_key(extension)]
        except (KeyError, IndexError):
            raise InputError(f"{name}[{extension}]: no such extension") from None
    if len(info.mask_images) > len(extensions):
        raise InputError(f"{name}: {len(info.mask_images)} masks for {len(extensions)} extensions")
    pairs = zip(info.mask_images, info.maskext, strict=True)
    masks = [_open_mask(image, ext, f"{name}[{extensions[k]}]: its mask") for k, (image, ext) in enumerate(pairs)]
    return OpenImage(hdus, extensions, tuple(masks))


def _open_mask(image: Any, ext: Any, where: str) -> OpenMask | None:
    if image is None or getattr(image, "closed", False):
        return None
    return OpenMask(_opened(image, where), _extension(0 if ext is None else ext, where))


def _opened(image: Any, where: str) -> fits.HDUList:
    """HDU list of an image, given as such or as an object that holds one as ``hdu``."""
    hdus = getattr(image, "hdu", image)
    if hdus is None or getattr(image, "closed", False):
        raise InputError(f"{where}: the image is closed")
    if not isinstance(hdus, fits.HDUList):
        raise InputTypeError(f"{where}: a {type(hdus).__name__} where an open image is needed")
    return hdus


def _extension(ext: Any, where: str) -> Extension:
    if isinstance(ext, int) and not isinstance(ext, bool):
        return Extension(number=ext)
    if isinstance(ext, str):
        return Extension(name=ext.upper())
    if isinstance(ext, Sequence) and len(ext) == 2 and isinstance(ext[0], str) and isinstance(ext[1], int):
        return Extension(name=ext[0].upper(), version=ext[1])
    raise InputError(f"{where}: {ext!r} is no extension")


def _key(extension: Extension) -> Any:
    """Extension as astropy looks it up."""
    return (extension.name, extension.version) if extension.number is None else extension.number


def _is_as_on_disk(hdus: fits.HDUList, extensions: Iterable[Extension]) -> bool:
    """Whether the file of an HDU list holds its images as they are: none was read or changed since it was opened.

    astropy has no public word for either; without its private ones the answer is no.
    """
    name = hdus.filename()
    if not name or not Path(name).is_file():
        return False
    used = [hdus[_key(extension)] for extension in extensions]
    read = any(getattr(hdu, "_data_loaded", True) for hdu in used)
    return not read and not any(getattr(hdu.header, "_modified", True) for hdu in (hdus[0], *used))

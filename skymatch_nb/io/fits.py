"""Which extensions of a file or HDU list are the images asked for, and the members that they make."""

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias, TypedDict, TypeVar

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from skymatch_nb.errors import InputError
from skymatch_nb.io.asdf_files import is_asdf
from skymatch_nb.io.grammar import Extension
from skymatch_nb.io.inputs import ImageSpec, MaskSpec, telling
from skymatch_nb.io.instruments import DQ_NAMES, NOT_SCIENCE, sibling_quality, sibling_quality_name
from skymatch_nb.io.jwst import exposure_id, filter_and_pupil, is_single_exposure
from skymatch_nb.io.lines import files_of
from skymatch_nb.io.opened import opened
from skymatch_nb.io.plain import NOT_READ, PlainHDU, read_plain
from skymatch_nb.io.pointing import find_transform
from skymatch_nb.io.reopened import FileTransform, Place
from skymatch_nb.io.roman import roman_members
from skymatch_nb.io.scales import nominal_scale
from skymatch_nb.io.stamps import file_stamp
from skymatch_nb.results import Member, MemoryImage, PixelSource, Source

T = TypeVar("T")
HDUs: TypeAlias = fits.HDUList | Sequence[PlainHDU]
"""The HDUs of a file: as astropy reads them, or those of a plain file."""

BITPIX = {8: ">u1", 16: ">i2", 32: ">i4", 64: ">i8", -32: ">f4", -64: ">f8"}


def open_members(spec: ImageSpec, file: str, wcs_key: str = "") -> list[Member]:
    """Members of one file; ``file`` is the name that tables show for it, ``wcs_key`` as in `read_transform`.

    Raises
    ------
    InputError
        Where the file cannot be read or is truncated, an extension is missing or not a 2-D image, no image is found,
        one has no celestial WCS, or masks are more than the images or of another shape. The text names file and
        extension, and where an @-file names them.
    """
    with telling(spec.origin):
        files_of(spec.path)  # of an association that is none, what is wrong with it
        members = [_placed(member, spec.path, wcs_key) for member in _members(spec, file, wcs_key)]
    if len(spec.masks) > len(members):
        extra = next((mask for mask in spec.masks[len(members) :] if mask is not None), None)
        with telling(extra.origin if extra else spec.origin):
            raise InputError(f"{file}: {len(spec.masks)} masks for {len(members)} images")
    masks = [*spec.masks, *[None] * (len(members) - len(spec.masks))]
    return [
        member if mask is None else replace(member, mask=_mask_of(member, mask))
        for member, mask in zip(members, masks, strict=True)
    ]


def _members(spec: ImageSpec, file: str, wcs_key: str) -> list[Member]:
    if is_asdf(spec.path):
        if wcs_key:
            raise InputError(f"{file}: no WCS with the key {wcs_key!r} (it has a gwcs)")
        return roman_members(spec.path, file, spec.extensions)

    def chosen_members(hdus: HDUs) -> list[Member]:
        chosen, rule = choose_images(hdus, spec.extensions, file)
        return [make_member(hdus, number, spec.path, file, rule, wcs_key) for number in chosen]

    return _read(spec.path, chosen_members)


def _read(path: Path, what: Callable[[HDUs], T]) -> T:
    """Read something from a file, from its bytes where that goes; astropy reads, or tells what is wrong, where not."""
    plain = read_plain(path)
    if plain is not None:
        with suppress(*NOT_READ):
            return what(plain)
    with opened(path) as hdus:
        return what(hdus)


def _placed(member: Member, path: Path, wcs_key: str) -> Member:
    """Member whose world coordinates know where they were read."""
    place = Place(os.path.normpath(path.absolute()), member.hdu, member.name, wcs_key, file_stamp(path))
    return replace(member, wcs=FileTransform(place, member.wcs))


def _mask_of(member: Member, spec: MaskSpec) -> Source:
    """Mask of a member, which must have the member's shape."""
    with telling(spec.origin):
        mask = open_mask(spec)
        if mask.shape != member.shape:
            raise InputError(
                f"{member.name}: its user mask {spec.path}[{spec.extension}] has shape {mask.shape}, the image "
                f"{member.shape}"
            )
    return mask


def open_mask(spec: MaskSpec) -> Source:
    """Where a mask's (or a DQ array's) pixels are.

    Raises
    ------
    InputError
        Where the file cannot be read, or the extension is not a 2-D image.
    """
    where = f"{spec.path}[{spec.extension}]"

    def mask(hdus: HDUs) -> Source:
        (number,) = _find(hdus, spec.extension, str(spec.path))
        if _dimensions(hdus[number]) != 2:
            raise InputError(f"mask {where}: {_dimensions(hdus[number])}-D data where a 2-D image is needed")
        return _source(hdus, number, spec.path, where)

    return _read(spec.path, mask)


def choose_images(hdus: HDUs, extensions: Sequence[Extension], file: str) -> tuple[list[int], str]:
    """Numbers of the extensions to use, and the rule that chose them.

    Raises
    ------
    InputError
        Where an extension is missing, or none is an image that can be used.
    """
    if not len(hdus):
        raise InputError(f"{file}: an HDU list without an HDU")
    if extensions:
        found = (number for extension in extensions for number in _find(hdus, extension, file))
        return list(dict.fromkeys(found)), "given"
    science = [k for k, hdu in enumerate(hdus) if hdu.name == "SCI" and _is_image(hdu)]
    if science:
        return science, "SCI"
    if _is_image(hdus[0]) and hdus[0].header.get("NAXIS", 0) > 0:
        return [0], "primary"
    images = [k for k, hdu in enumerate(hdus) if k and _dimensions(hdu) == 2 and hdu.name.upper() not in NOT_SCIENCE]
    pointed = [k for k in images if "CTYPE1" in hdus[k].header]
    if images:
        return pointed or images, "every image"
    listed = ", ".join(f"[{k}] {hdu.name or 'unnamed'}, {_dimensions(hdu)}-D" for k, hdu in enumerate(hdus[:8]))
    listed += ", ..." if len(hdus) > 8 else ""
    raise InputError(f"{file}: no image that can be used (it has {listed})")


def make_member(hdus: HDUs, number: int, path: Path | None, file: str, rule: str, wcs_key: str = "") -> Member:
    """Member of one extension; ``path`` is None for an HDU list that a user holds in memory.

    Raises
    ------
    InputError
        Where the extension is not a 2-D image with a celestial WCS.
    """
    hdu, primary = hdus[number], hdus[0].header
    label = label_of(hdu, number)
    where = f"{file}[{label}]"
    if not _is_image(hdu):
        raise InputError(f"{where}: not an image but a {type(hdu).__name__}")
    if _dimensions(hdu) != 2:
        axes = " x ".join(str(hdu.header.get(f"NAXIS{k + 1}", "?")) for k in range(_dimensions(hdu)))
        shown = f" ({axes} pixels)" if axes else ""
        raise InputError(f"{where}: {_dimensions(hdu)}-D data where a 2-D image is needed{shown}")
    transform, notes = find_transform(hdus, number, where, wcs_key)
    quality, quality_from, codes = _quality(hdus, number, path, where)
    return Member(
        name=where,
        file=file,
        ext=label,
        hdu=number,
        group=file,
        selected_by=rule,
        **describe(hdu.header, primary),
        nominal_scale=nominal_scale(transform, primary, hdu.header),
        path="" if path is None else os.path.normpath(path.absolute()),
        wcs=transform,
        wcs_name=transform.label,
        distortion=transform.distortion,
        pixels=_source(hdus, number, path, where),
        quality=quality,
        quality_from="" if quality is None else quality_from,
        quality_missing=quality_from if quality is None else "",
        quality_codes=codes,
        mask=None,
        notes=notes,
        exposure=exposure_id(hdu.header, primary),
    )


class Labels(TypedDict):
    """What headers say an image was taken with."""

    telescope: str
    instrument: str
    detector: str
    filter: str
    date_obs: str


def describe(header: Mapping[str, Any], primary: Mapping[str, Any]) -> Labels:
    """Telescope, instrument, detector, filter and date of an image: from its own, else the primary header."""

    def text(name: str) -> str:
        values = (str(h.get(name, "") or "").strip() for h in (header, primary))
        return next((value for value in values if value), "")

    return {
        "telescope": text("TELESCOP"),
        "instrument": text("INSTRUME"),
        "detector": text("DETECTOR"),
        "filter": filter_and_pupil(text) or text("FILTER") or _filter_wheels(primary),
        "date_obs": text("DATE-OBS"),
    }


def memory_image(data: NDArray[Any], header: Mapping[str, Any], primary: Mapping[str, Any], where: str) -> MemoryImage:
    """Image in memory, its pixels not to be written to.

    Raises
    ------
    InputError
        Where the array is not 2-D, is empty, or holds no real numbers.
    """
    pixels = np.asarray(data)
    if pixels.ndim != 2 or not pixels.size:
        raise InputError(f"{where}: an array of shape {pixels.shape} where a 2-D image is needed")
    if pixels.dtype.kind not in "buif":
        raise InputError(f"{where}: pixels of type {pixels.dtype} are not real numbers")
    if pixels.dtype.kind == "b" or pixels.dtype.itemsize > 8:
        pixels = pixels.astype(np.uint8 if pixels.dtype.kind == "b" else np.float64)
    view = np.ascontiguousarray(pixels).view()
    view.flags.writeable = False
    return MemoryImage(view, header, primary)


def _find(hdus: HDUs, extension: Extension, file: str) -> list[int]:
    """Numbers of the extensions that a specification means."""
    if extension.number is None:
        versions = (None,) if extension.version is None else (extension.version,)
        found = [
            k
            for k, hdu in enumerate(hdus)
            if hdu.name.upper() == extension.name and (versions == (None,) or hdu.ver in versions)
        ]
    else:
        found = [extension.number] if extension.number < len(hdus) else []
    if not found:
        known = ", ".join(label_of(hdu, k) for k, hdu in enumerate(hdus))
        raise InputError(f"{file}[{extension}]: no such extension (it has {known})")
    return found


def _is_image(hdu: Any) -> bool:
    if isinstance(hdu, PlainHDU):
        return hdu.image
    return isinstance(hdu, fits.PrimaryHDU | fits.ImageHDU | fits.CompImageHDU)


def _dimensions(hdu: Any) -> int:
    return int(hdu.header.get("NAXIS", 0)) if _is_image(hdu) else 0


def label_of(hdu: Any, number: int) -> str:
    """Name and version of an extension as tables show it, else its number."""
    return f"{hdu.name},{hdu.ver}" if number and hdu.name else str(number)


def _filter_wheels(primary: fits.Header) -> str:
    """Filters of two wheels, those that are clear left out."""
    wheels = [str(primary.get(f"FILTNAM{k}") or primary.get(f"FILTER{k}") or "").strip() for k in (1, 2)]
    named = (name for name in wheels if name and not name.replace(".", "").isdigit())
    return ",".join(name for name in named if not name.upper().startswith("CLEAR"))


def _quality(hdus: HDUs, number: int, path: Path | None, where: str) -> tuple[Source | None, str, bool]:
    """DQ array of an image, where it was found or ought to be, and whether its values are codes.

    It is the DQ extension of the same version in the same file, else the image of the file beside it that the
    observatory's names tell.
    """
    hdu = hdus[number]
    own = [(k, other) for k, other in enumerate(hdus) if other.name in DQ_NAMES and _dimensions(other) == 2]
    for k, other in own:
        if hdu.name == "SCI" and other.ver == hdu.ver:
            return _source(hdus, k, path, f"{where}'s DQ"), f"[{label_of(other, k)}]", False
    if hdu.name == "SCI" and (own or is_single_exposure(hdus[0].header)):
        return None, f"[{own[0][1].name if own else 'DQ'},{hdu.ver}]", False
    sibling = None if path is None else sibling_quality(path)
    if path is None or sibling is None:
        return None, "" if path is None else sibling_quality_name(path), False
    beside, codes = sibling

    def quality(others: HDUs) -> tuple[Source | None, str, bool]:
        same = [
            k
            for k, o in enumerate(others)
            if _dimensions(o) == 2 and hdu.name and (o.name, o.ver) == (hdu.name, hdu.ver)
        ]
        place = same[0] if same else number
        if place >= len(others) or _dimensions(others[place]) != 2:
            return None, f"{beside.name}[{label_of(hdu, number)}]", False
        found = f"{beside.name}[{label_of(others[place], place)}]"
        return _source(others, place, beside, f"{where}'s DQ"), found, codes

    return _read(beside, quality)


def _source(hdus: HDUs, number: int, path: Path | None, where: str) -> Source:
    """Where an extension's pixels are; those of decoded formats and of HDU lists in memory are already there."""
    hdu: Any = hdus[number]
    header = hdu.header
    places = _places(hdus, number)
    if path is None or places is None:
        if hdu.data is None:
            raise InputError(f"{where}: the image has no pixels")
        return memory_image(hdu.data, header, hdus[0].header, where)
    stamp = file_stamp(path)
    shape = (int(header["NAXIS2"]), int(header["NAXIS1"]))
    if 0 in shape:
        raise InputError(f"{where}: the image has no pixels (shape {shape})")
    if not places:
        return PixelSource(str(path), number, shape, "", None, None, stamp)
    first, cards = places
    plain = header.get("BSCALE", 1) == 1 and header.get("BZERO", 0) == 0 and "BLANK" not in header
    offset = cards[1] if plain else None
    return PixelSource(str(path), number, shape, BITPIX[header["BITPIX"]], offset, (first, cards), stamp)


def _places(hdus: HDUs, number: int) -> tuple[tuple[int, int], ...] | None:
    """Bytes of the primary and of an extension's header; nothing where they are packed, None where there is no file."""
    primary: Any = hdus[0]
    hdu: Any = hdus[number]
    if isinstance(primary, PlainHDU):
        return (primary.start, primary.data), (hdu.start, hdu.data)
    found = [primary.fileinfo(), hdu.fileinfo()]
    if None in found:
        return None
    if found[1]["file"].compression is not None or isinstance(hdu, fits.CompImageHDU):
        return ()
    return tuple((info["hdrLoc"], info["datLoc"]) for info in found)

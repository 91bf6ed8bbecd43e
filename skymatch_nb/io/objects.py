"""Members of objects in memory."""

import copy
from collections.abc import MutableMapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from astropy.io import fits

from skymatch_nb.core.quality import sample_dtype
from skymatch_nb.errors import InputError
from skymatch_nb.io.edits import ExtensionEdit, primary_notes
from skymatch_nb.io.fits import choose_images, describe, label_of, make_member, memory_image
from skymatch_nb.io.gwcs_transform import GwcsTransform, is_gwcs
from skymatch_nb.io.memory import ObjectSpec, array_of, cards_of, is_nddata, wcs_of
from skymatch_nb.io.scales import nominal_scale
from skymatch_nb.io.waiver import decode_waiver, is_waiver
from skymatch_nb.io.wcs import FitsTransform, check_celestial
from skymatch_nb.results import Member


def object_members(spec: ObjectSpec, name: str, wcs_key: str = "") -> list[Member]:
    """Members of an object; ``name`` is what tables show for it, ``wcs_key`` as in `skymatch_nb.io.wcs.read_transform`.

    An HDU list is read like a file, one of WAIVER form by its groups. The mask of an NDData or a masked array marks
    bad pixels (True = bad, as everywhere in astropy); its unit counts as BUNIT.

    Raises
    ------
    InputError
        As `skymatch_nb.io.fits.open_members`.
    """
    payload = spec.payload
    if isinstance(payload, fits.HDUList):
        payload = _decoded(payload, name)
        chosen, rule = choose_images(payload, spec.extensions, name)
        members = [make_member(payload, number, None, name, rule, wcs_key) for number in chosen]
        return _with_masks(members, spec.masks)
    pixels, unit, bad = array_of(payload)
    where = f"{name}[0]"
    cards: dict[str, Any] = dict(cards_of(payload))
    if unit:
        cards["BUNIT"] = unit
    transform = _transform(wcs_of(payload, where, wcs_key), pixels, where)
    if bad is not None and bad.shape != pixels.shape:
        raise InputError(f"{where}: its mask has shape {bad.shape}, the image {pixels.shape}")
    return [
        Member(
            name=where,
            file=name,
            ext="0",
            hdu=0,
            group=name,
            selected_by="object",
            **describe(cards, cards),
            nominal_scale=nominal_scale(transform, fits.Header(), _scale_cards(cards)),
            pixels=memory_image(pixels, cards, {}, where),
            quality=None,
            quality_from="",
            quality_codes=False,
            mask=None if bad is None else memory_image(np.logical_not(bad), {}, {}, f"{where}'s mask"),
            wcs=transform,
            wcs_name=transform.label,
            distortion=transform.distortion,
        )
    ]


def _transform(wcs: Any, pixels: np.ndarray[Any, Any], where: str) -> FitsTransform | GwcsTransform:
    if is_gwcs(wcs) and pixels.ndim == 2:
        return GwcsTransform(wcs, (pixels.shape[0], pixels.shape[1]), where)
    check_celestial(wcs, where)
    return FitsTransform(wcs)


def _with_masks(members: Sequence[Member], masks: Sequence[Any]) -> list[Member]:
    """Members with their user masks by position, which must have their shapes."""
    if len(masks) > len(members):
        raise InputError(f"{members[0].file}: {len(masks)} masks for {len(members)} images")
    given = [*masks, *[None] * (len(members) - len(masks))]
    masked = []
    for member, mask in zip(members, given, strict=True):
        if mask is not None and np.shape(mask) != member.shape:
            raise InputError(f"{member.name}: its user mask has shape {np.shape(mask)}, the image {member.shape}")
        image = None if mask is None else memory_image(mask, {}, {}, f"{member.name}'s mask")
        masked.append(member if image is None else replace(member, mask=image))
    return masked


def _scale_cards(cards: dict[str, Any]) -> fits.Header:
    """Cards that tell a nominal pixel scale."""
    return fits.Header({name: cards[name] for name in ("PAMSCALE", "IDCSCALE", "PIXAR_A2") if name in cards})


def edited_object(spec: ObjectSpec, edits: Sequence[ExtensionEdit], in_place: bool) -> Any:
    """Edit cards and pixels of an object, or of a copy of it where ``in_place`` is not set; return what was edited.

    The copy of an HDU list of WAIVER form has an extension for each group.
    """
    payload = spec.payload if in_place else _copied(spec)
    for edit in edits:
        hdus = payload if isinstance(payload, fits.HDUList) else None
        cards = cards_of(payload) if hdus is None else hdus[edit.hdu].header
        if isinstance(cards, MutableMapping | fits.Header):
            _edit_cards(cards, edit)
        if edit.subtract is None:
            continue
        if hdus is not None:
            hdus[edit.hdu].data = _subtracted(hdus[edit.hdu].data, edit.subtract)
            continue
        payload = _promoted(payload)
        pixels = array_of(payload)[0]
        pixels[...] = _subtracted(pixels, edit.subtract)
    return payload


def object_notes(spec: ObjectSpec, edits: Sequence[ExtensionEdit], in_place: bool) -> tuple[str, ...]:
    """What an edit does to an object besides what was asked for, as `skymatch_nb.io.fits_edit.Check` tells of files.

    Raises
    ------
    InputError
        Where an array that is to be edited in place cannot hold the difference.
    """
    hdus = _decoded(spec.payload, spec.name) if isinstance(spec.payload, fits.HDUList) else None
    if in_place and hdus is not spec.payload and hdus is not None:
        raise InputError(f"{spec.name}: an HDU list of WAIVER form cannot be edited in place")
    notes = [] if hdus is None else list(primary_notes(edits, hdus[0].header.get))
    for edit in edits:
        if edit.subtract is None:
            continue
        pixels = array_of(spec.payload)[0] if hdus is None else hdus[edit.hdu].data
        old, new = pixels.dtype, _type_after(pixels.dtype)
        if in_place and hdus is None and not (old == new and pixels.flags.writeable):
            kind = f"of type {old.name}" if old != new else "that cannot be written to"
            raise InputError(f"{spec.name}: an array {kind} cannot be edited in place")
        if old != new:
            where = "0" if hdus is None else label_of(hdus[edit.hdu], edit.hdu)
            notes.append(f"{where}: {old.name} pixels become {new.name}")
    return tuple(notes)


def _copied(spec: ObjectSpec) -> Any:
    if isinstance(spec.payload, fits.HDUList):
        return fits.HDUList([hdu.copy() for hdu in _decoded(spec.payload, spec.name)])
    return copy.deepcopy(spec.payload)


def _decoded(hdus: fits.HDUList, name: str) -> fits.HDUList:
    """HDU list with an extension for each image, which one of WAIVER form has not."""
    return decode_waiver(hdus, name) if is_waiver(hdus) else hdus


def _edit_cards(header: Any, edit: ExtensionEdit) -> None:
    for keyword, value, comment in edit.cards:
        header[keyword] = (value, comment) if isinstance(header, fits.Header) else value
    for text in edit.history:
        if isinstance(header, fits.Header):
            header.add_history(text)


def _subtracted(data: np.ndarray[Any, Any], level: float) -> np.ndarray[Any, Any]:
    """Pixels minus a level, in a floating type that holds them."""
    return (data - np.float64(level)).astype(_type_after(data.dtype))


def _type_after(dtype: "np.dtype[Any]") -> "np.dtype[Any]":
    return dtype if dtype.kind == "f" else sample_dtype(dtype)


def _promoted(payload: Any) -> Any:
    """Object whose pixels are of a type that holds differences; masks and units are kept."""
    data = payload.data if is_nddata(payload) else payload[0]
    if _type_after(data.dtype) == data.dtype:
        return payload
    data = data.astype(_type_after(data.dtype))
    if is_nddata(payload):
        from astropy.nddata import NDData, NDDataArray

        if isinstance(payload, NDDataArray):
            payload.data = data
            return payload
        return NDData(data, payload.uncertainty, payload.mask, payload.wcs, payload.meta, payload.unit)
    return (data, payload[1])

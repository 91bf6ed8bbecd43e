"""Roman's calibrated images (L2) in ASDF: members of them, and their arrays."""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from astropy import units as u
from numpy.typing import NDArray

from skymatch_nb.errors import InputError
from skymatch_nb.io.asdf_files import first_line, opened_asdf
from skymatch_nb.io.grammar import Extension
from skymatch_nb.io.gwcs_transform import GwcsTransform, is_gwcs
from skymatch_nb.io.instruments import NOMINAL_SCALES
from skymatch_nb.io.stamps import file_stamp
from skymatch_nb.results import ArraySource, Member

OWN = "skymatch_nb"
"""Name in ``meta`` of what this package keeps there: the sky keyword, and how its value was made."""

PLACES = {
    "BKGLEVEL": ("background", "level"),
    "BKGSUB": ("background", "subtracted"),
    "BKGMETH": ("background", "method"),
    "S_SKYMAT": ("cal_step", "skymatch"),
}
"""Parts of ``meta``, and names in them, of what JWST's headers have as cards."""

_TAG = re.compile(r"asdf://stsci\.edu/datamodels/roman/tags/(?P<name>\w+)-(?P<version>\d+(\.\d+)*)$")
_KNOWN = re.compile(r"[12]\.\d+(\.\d+)?")
_EXPOSURE = (
    ("program", 5), ("execution_plan", 2), ("pass", 3), ("segment", 3), ("observation", 3), ("visit", 3),
    ("exposure", 4),
)  # fmt: skip
_STERADIAN = np.degrees(1) ** 2 * 3600.0**2
_FILLER = -999999
IMAGE = "data"
"""Name of the array of pixels."""


def roman_members(path: Path, file: str, extensions: Sequence[Extension] = ()) -> list[Member]:
    """Member of one L2 file; ``file`` is the name that tables show for it.

    Raises
    ------
    InputError
        Where asdf is not installed; where the file cannot be read, holds no Roman image, one of an unknown version of
        its schema, or another extension than ``data`` is asked for; where its gwcs is missing or none of an image.
    """
    where = f"{file}[{IMAGE}]"
    for extension in extensions:
        if extension.number != 0 and (extension.name.upper(), extension.version) not in (("DATA", 1), ("DATA", None)):
            raise InputError(f"{file}[{extension}]: no such image (it has {IMAGE})")
    stamp = file_stamp(path)
    with opened_asdf(path, file) as opened:
        roman = roman_tree(opened.tree, file)
        meta = _part(roman, "meta")
        try:
            shapes = {name: _shape(roman, name, file) for name in (IMAGE, "dq") if name in roman}
            wcs = meta.get("wcs")
        except InputError:
            raise
        except Exception as error:  # what is converted only now may be damaged
            raise InputError(f"{file}: its ASDF cannot be read: {first_line(error)}") from error
    if IMAGE not in shapes:
        raise InputError(f"{where}: no such array in the file")
    if not is_gwcs(wcs):
        raise InputError(f"{where}: it has no gwcs (meta.wcs)")
    transform = GwcsTransform(wcs, shapes[IMAGE], where)
    cards = _cards(meta)
    sources = {name: ArraySource(str(path), name, shape, stamp, cards) for name, shape in shapes.items()}
    area = cards.get("PIXAR_A2")
    instrument = _part(meta, "instrument")
    return [
        Member(
            name=where,
            file=file,
            ext=IMAGE,
            hdu=0,
            group=file,
            selected_by="given" if extensions else "data",
            telescope=str(meta.get("telescope", "ROMAN")),
            instrument=str(instrument.get("name", "")),
            detector=str(instrument.get("detector", "")),
            filter=str(instrument.get("optical_element", "")),
            date_obs=str(_part(meta, "exposure").get("start_time", ""))[:10],
            nominal_scale=area**0.5 if area else NOMINAL_SCALES["ROMAN", "WFI"],
            pixels=sources[IMAGE],
            quality=sources.get("dq"),
            quality_from="[dq]" if "dq" in sources else "",
            quality_missing="" if "dq" in sources else "[dq]",
            quality_codes=False,
            mask=None,
            wcs=transform,
            wcs_name=transform.label,
            distortion=transform.distortion,
            path=os.path.normpath(path.absolute()),
            exposure=_exposure_id(_part(meta, "observation")),
        )
    ]


def read_array(source: ArraySource) -> NDArray[Any]:
    """Array of a file, decompressed, shape (ny, nx).

    Raises
    ------
    InputError
        Where it cannot be read.
    """
    with opened_asdf(Path(source.path), source.path) as opened:
        try:
            return np.array(array_values(opened.tree["roman"][source.array]))
        except Exception as error:  # asdf raises many types for damaged blocks
            raise InputError(f"{source.path}[{source.array}]: it cannot be read: {first_line(error)}") from error


def roman_tree(tree: Mapping[str, Any], file: str) -> Any:
    """Return what is under ``roman`` in a tree: an L2 image of a version that is known here.

    Raises
    ------
    InputError
        Where it is anything else.
    """
    roman = tree.get("roman")
    if not isinstance(roman, Mapping) and not hasattr(roman, "keys"):
        listed = ", ".join(str(key) for key in tree if key not in ("asdf_library", "history")) or "nothing"
        raise InputError(f"{file}: not a Roman file: no 'roman' in its tree (it has {listed})")
    tag = str(getattr(roman, "_tag", None) or "no tag")
    known = _TAG.match(tag)
    if known is None or known["name"] != "wfi_image":
        raise InputError(f"{file}: a Roman file of another kind than an L2 image: its tag is {tag}")
    if not _KNOWN.fullmatch(known["version"]):
        raise InputError(
            f"{file}: a Roman image of a version of its schema that is not known here: its tag is {tag}, known are "
            "wfi_image-1 and wfi_image-2"
        )
    return roman


def _cards(meta: Any) -> dict[str, Any]:
    """What other telescopes have as header cards."""
    photometry, exposure = (_part(meta, name) for name in ("photometry", "exposure"))
    calibrated = _part(meta, "cal_step").get("flux") == "COMPLETE"
    cards = {
        "BUNIT": "MJy/sr" if calibrated else "DN/s",
        "EXPTIME": _number(exposure.get("effective_exposure_time")) or _number(exposure.get("exposure_time")),
        "PHOTMJSR": _number(photometry.get("conversion_megajanskys")),
        "PIXAR_A2": (_number(photometry.get("pixel_area")) or 0.0) * _STERADIAN or None,
    }
    cards |= {keyword: _part(meta, part).get(name) for keyword, (part, name) in PLACES.items()}
    cards |= {str(key): value for key, value in _part(meta, OWN).items() if isinstance(value, int | float | str)}
    return {keyword: value for keyword, value in cards.items() if value is not None}


def _exposure_id(observation: Any) -> str:
    """Name of an exposure as file names have it, the same for all detectors; empty where a number is missing."""
    numbers = [_number(observation.get(name)) for name, _ in _EXPOSURE]
    if any(number is None for number in numbers):
        return ""
    digits = [f"{int(n or 0):0{width}d}" for n, (_, width) in zip(numbers, _EXPOSURE, strict=True)]
    return f"r{''.join(digits[:-1])}_{digits[-1]}"


def _part(node: Any, name: str) -> Any:
    """Part of a tree by name, an empty one where there is none."""
    part = node.get(name)
    return part if hasattr(part, "get") else {}


def _number(value: Any) -> float | None:
    """Return a number; None for what is none, and for Roman's filler."""
    value = getattr(value, "value", value)
    usable = isinstance(value, int | float) and not isinstance(value, bool) and np.isfinite(value) and value != _FILLER
    return float(value) if usable else None


def array_values(node: Any) -> Any:
    """Array of a node, not yet read; older files have quantities, which may still be mappings."""
    if isinstance(node, Mapping) and "value" in node:
        return node["value"]
    return node.value if isinstance(node, u.Quantity) else node


def _shape(roman: Any, name: str, file: str) -> tuple[int, int]:
    shape = tuple(getattr(array_values(roman[name]), "shape", ()))
    if len(shape) != 2 or 0 in shape:
        raise InputError(f"{file}[{name}]: an array of shape {shape} where a 2-D image is needed")
    return int(shape[0]), int(shape[1])

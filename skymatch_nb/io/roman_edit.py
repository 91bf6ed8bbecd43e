"""Edit Roman's L2 files through asdf, and compare all of what was written with the original."""

import os
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from skymatch_nb.errors import InputError, SkyMatchError
from skymatch_nb.io.asdf_files import asdf_package, opened_asdf
from skymatch_nb.io.edits import Check, ExtensionEdit, FileEdit
from skymatch_nb.io.roman import IMAGE, OWN, PLACES, array_values, roman_tree

_LIBRARY = ("asdf_library", "history")
_TAGGED_BACKGROUND = re.compile(r"wfi_image-1\.[0-3]\.")
_BACKGROUND_TAG = "asdf://stsci.edu/datamodels/roman/tags/sky_background-1.0.0"
_TREE_END = b"\n...\n"


def write_edited(edit: FileEdit, target: Path) -> None:
    """Write the edited copy of a file to a new file, to the disk.

    Cards of a background (BKGLEVEL, BKGSUB, BKGMETH) go to ``meta.background``, S_SKYMAT to ``meta.cal_step``, others
    to ``meta.skymatch_nb``, history to that of the file. Arrays keep their compression.

    Raises
    ------
    InputError
        Where the file is no Roman image, or what is asked for cannot be done to it.
    """
    change = _change(edit)
    with opened_asdf(edit.path, str(edit.path), raw=True) as file, target.open("xb") as raw:
        roman = roman_tree(file.tree, str(edit.path))
        meta = roman["meta"]
        for name, values in _sections(change, meta).items():
            meta.setdefault(name, _empty(name, roman)).update(values)  # in place: it may have a tag
        if change.subtract is not None:
            node, key = (roman[IMAGE], "value") if isinstance(roman[IMAGE], Mapping) else (roman, IMAGE)
            compression = file.get_array_compression(node[key])
            node[key] = _subtracted(np.asarray(node[key]), change.subtract)
            file.set_array_compression(node[key], compression)
        for line in change.history:
            file.add_history_entry(line)
        file.write_to(raw)
        raw.flush()
        os.fsync(raw.fileno())


def check_edit(edit: FileEdit) -> Check:
    """As `skymatch_nb.io.fits_edit.check_edit`: what the edited copy needs at most; there is nothing to note.

    Raises
    ------
    InputError
        Where the file is no Roman image, or its pixels are not those that can be edited.
    """
    change = _change(edit)
    with opened_asdf(edit.path, str(edit.path)) as file:
        values = array_values(roman_tree(file.tree, str(edit.path))[IMAGE])
        if change.subtract is not None and np.dtype(values.dtype).kind != "f":
            raise InputError(f"{edit.path}[{IMAGE}]: {values.dtype} pixels cannot hold what is left of them")
        size = int(np.prod(values.shape)) * np.dtype(values.dtype).itemsize
    return Check(edit.path.stat().st_size + size + (1 << 16), ())


def verify_edited(edit: FileEdit, original: Path, target: Path) -> None:
    """Read an edited copy back, and compare its tree and all arrays with those of the original and what was asked for.

    Raises
    ------
    SkyMatchError
        Where anything differs; the text names file and place in the tree.
    """
    change = _change(edit)
    load = asdf_package().util.load_yaml
    before, after = (dict(load(str(path), tagged=True)) for path in (original, target))
    sections = _sections(change, before["roman"]["meta"])
    meta = after["roman"]["meta"]
    for name, values in sections.items():
        found = meta.get(name, {})
        for key, value in values.items():
            _require(found.get(key) == value, edit.path, f"roman.meta.{name}.{key}")
    _require(
        _tree_text(before, sections) == _tree_text(after, sections), edit.path, "what was not to change of its tree"
    )
    with opened_asdf(original, str(original), raw=True) as old, opened_asdf(target, str(target), raw=True) as new:
        fresh = dict(_arrays(new.tree))
        for place, array in _arrays(old.tree):
            wanted = np.asarray(array)
            if place in (f"roman.{IMAGE}", f"roman.{IMAGE}.value") and change.subtract is not None:
                wanted = _subtracted(wanted, change.subtract)
            got = np.asarray(fresh.get(place))
            same = got.dtype == wanted.dtype and np.array_equal(got, wanted, equal_nan=wanted.dtype.kind == "f")
            _require(same, edit.path, place)


def part_sums(path: Path) -> dict[str, str]:
    """CRC-32 of the tree and of all that follows it.

    Raises
    ------
    InputError
        Where the file has no whole tree.
    """
    raw = path.read_bytes()
    end = raw.find(_TREE_END)
    if end < 0:
        raise InputError(f"{path}: the tree of the ASDF file has no end")
    return {"tree": f"{zlib.crc32(raw[:end]):08x}", "arrays": f"{zlib.crc32(raw[end:]):08x}"}


def _change(edit: FileEdit) -> ExtensionEdit:
    """Return the one edit of a file."""
    if len(edit.edits) != 1 or edit.edits[0].hdu != 0:
        numbers = ", ".join(str(extension.hdu) for extension in edit.edits)
        raise InputError(f"{edit.path}: edits of extensions {numbers} where the file has one image")
    return edit.edits[0]


def _sections(change: ExtensionEdit, meta: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What is to be set in parts of ``meta``; steps of a pipeline only where all of them are, as the schema asks."""
    sections: dict[str, dict[str, Any]] = {}
    for keyword, value, _ in change.cards:
        part, name = PLACES.get(keyword, (OWN, keyword))
        if part != "cal_step" or part in meta:
            sections.setdefault(part, {})[name] = value
    return sections


def _empty(name: str, roman: Any) -> dict[str, Any]:
    """Part of ``meta`` to be filled; images before version 1.4 want a tag on backgrounds."""
    if name != "background" or not _TAGGED_BACKGROUND.search(str(getattr(roman, "_tag", ""))):
        return {}
    return cast(dict[str, Any], import_module("asdf.tagged").TaggedDict({}, _BACKGROUND_TAG))


def _subtracted(pixels: NDArray[Any], level: float) -> NDArray[Any]:
    """Pixels minus a level in their own type."""
    return (pixels - np.float64(level)).astype(pixels.dtype)


def _tree_text(tree: Mapping[str, Any], sections: Mapping[str, Mapping[str, Any]]) -> str:
    """All of a tree as text, but what is set by an edit, the places of arrays, and what asdf says of itself."""
    return _text({name: node for name, node in tree.items() if name not in _LIBRARY}, "", sections)


def _text(node: Any, place: str, sections: Mapping[str, Mapping[str, Any]]) -> str:
    tag = str(getattr(node, "_tag", ""))
    if isinstance(node, Mapping):
        if "core/ndarray" in tag:
            return tag  # its values are compared apart
        left_out = set()
        if place == "roman.meta":
            left_out |= {name for name in sections if not set(node.get(name, ())) - set(sections[name])}
        if place.startswith("roman.meta."):
            left_out |= set(sections.get(place.removeprefix("roman.meta."), ()))
        inner = ((str(k), _text(v, f"{place}.{k}".lstrip("."), sections)) for k, v in node.items() if k not in left_out)
        return f"{tag}{{{', '.join(f'{key}: {text}' for key, text in sorted(inner))}}}"
    if isinstance(node, Sequence) and not isinstance(node, str):
        return f"{tag}[{', '.join(_text(inner, place, sections) for inner in node)}]"
    return f"{tag} {node!s}"


def _arrays(node: Any, place: str = "") -> Iterator[tuple[str, NDArray[Any]]]:
    """Arrays in a tree, with their places."""
    if isinstance(node, Mapping):
        for key, inner in node.items():
            yield from _arrays(inner, f"{place}.{key}".lstrip("."))
    elif isinstance(node, list | tuple):
        for k, inner in enumerate(node):
            yield from _arrays(inner, f"{place}[{k}]")
    elif hasattr(node, "shape") and hasattr(node, "dtype"):
        yield place, node


def _require(condition: bool, path: Path, what: str) -> None:
    if not condition:
        raise SkyMatchError(f"{path}: {what} did not come out as asked when the new file was read back")

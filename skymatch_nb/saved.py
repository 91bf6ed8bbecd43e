"""Sessions as text: JSON documents that reopen them, and the Python script or shell command that repeats them."""

import hashlib
import json
import shlex
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from os import PathLike
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from skymatch_nb.errors import InputError
from skymatch_nb.io.grammar import Extension
from skymatch_nb.io.inputs import ImageSpec, MaskSpec, Spec, combined, resolve_mask
from skymatch_nb.io.lines import read_at_file
from skymatch_nb.io.stamps import file_stamp
from skymatch_nb.params import SkyMatchParams, specs
from skymatch_nb.params.specs import spec as spec_of

FORMAT = "skymatch_nb session"
FORMAT_VERSION = 1

SOLVE_LINE = "print(s.solve())\n"
"""Last line of a script."""


Stamps: TypeAlias = Mapping[Path, tuple[int, int]]
"""Size and modification time of files when they were loaded."""


def provenance(inputs: Sequence[Spec], params: SkyMatchParams, stamps: Stamps, beside: Stamps) -> dict[str, Any]:
    """Where results come from: version, time, parameters, and the files, as loaded, with their sizes and hashes.

    ``beside`` are files that are read besides the images, such as masks.
    """
    return {
        "program": f"skymatch_nb {version('skymatch_nb')}",
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "params": params.model_dump(mode="json"),
        "inputs": [_input_record(spec, stamps) for spec in inputs],
        "files_beside": [_file_record(path, stamp) for path, stamp in beside.items()],
    }


def session_document(
    inputs: Sequence[Spec],
    masks: Mapping[str, Any],
    dq: Mapping[str, Any],
    provenance: Callable[[], dict[str, Any]],
    tables: Any,
) -> dict[str, Any]:
    """Session as plain values for JSON.

    Raises
    ------
    InputError
        Where it was given objects, arrays or functions, which a document cannot hold.
    """
    _require_files(inputs, masks, dq, "saved")
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        **provenance(),
        "masks": {name: _mask_record(value) for name, value in masks.items()},
        "dq": {name: _mask_record(value) for name, value in dq.items()},
        "tables": tables,
    }


def read_document(path: Path) -> tuple[list[ImageSpec], dict[str, dict[str, str]], dict[str, Any], list[str]]:
    """Inputs of a saved session, masks and DQ arrays given apart, the document, and the files that have changed since.

    A file that is no longer at its place is looked for beside the document.

    Raises
    ------
    InputError
        Where the document cannot be read, or a file is gone.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["format"] != FORMAT or document["format_version"] > FORMAT_VERSION:
            raise InputError(f"{path}: a session of another format ({document['format']} {document['format_version']})")
        inputs = [_spec(record, path.parent) for record in document["inputs"]]
        apart = {kind: {k: _found_mask(v, path.parent) for k, v in document[kind].items()} for kind in ("masks", "dq")}
        read = [(_find(r["path"], path.parent), r["sha256"]) for r in (*document["inputs"], *document["files_beside"])]
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from None
    except (ValueError, KeyError, TypeError) as error:
        raise error if isinstance(error, InputError) else InputError(f"{path}: not a saved session") from None
    changed = [str(file) for file, digest in read if file_hash(file, file_stamp(file)) != digest]
    return inputs, apart, document, changed


def differences(document: Mapping[str, Any], sky: pd.DataFrame) -> str:
    """Tell where levels differ from those of a saved session by more than the rounding of another processor."""
    saved = pd.DataFrame(document["tables"]["sky"]).set_index("member")["sky"].astype(float)
    now = sky["sky"]
    if set(saved.index) == set(now.index):
        same = np.isclose(now, saved[now.index], rtol=1e-9, atol=1e-9 * now.abs().max(), equal_nan=True)
        differing = now.index[~same].tolist()
    else:
        differing = sorted(set(saved.index) ^ set(now.index))
    if not differing:
        return ""
    more = f" and {len(differing) - 1} more" if len(differing) > 1 else ""
    return f"the sky of {differing[0]}{more} differs from the one that {document['program']} saved"


def python_script(
    inputs: Sequence[Spec], masks: Mapping[str, Any], dq: Mapping[str, Any], params: SkyMatchParams
) -> str:
    """Python code that makes the same tables.

    Raises
    ------
    InputError
        Where it was given objects, arrays or functions, which code cannot name.
    """
    _require_files(inputs, masks, dq, "written as code")
    given = ",\n".join(f"    {_python_input(spec)}" for spec in inputs)
    apart = {name: dict(value) for name, value in (("masks", masks), ("dq", dq)) if value}
    chosen = {name: value for name, value in _changed(params).items() if name != "executor"}  # the tables are the same
    changed = "".join(f"    {name}={value!r},\n" for name, value in [*apart.items(), *chosen.items()])
    needs_specs = any(isinstance(spec, ImageSpec) and spec.masks for spec in inputs)
    more = "from pathlib import Path\n\nfrom skymatch_nb import Extension, ImageSpec, MaskSpec, SkyMatchSession"
    first = more if needs_specs else "from skymatch_nb import SkyMatchSession"
    return f"{first}\n\ninputs = [\n{given},\n]\ns = SkyMatchSession(\n    inputs,\n{changed})\n{SOLVE_LINE}"


def shell_command(
    inputs: Sequence[Spec], masks: Mapping[str, Any], dq: Mapping[str, Any], params: SkyMatchParams
) -> str:
    """Shell command that prints the same sky table.

    Masks that an @-file gave are given by it again; it changes to the folder that names in it are relative to, where
    that is not the @-file's own.

    Raises
    ------
    InputError
        For objects in memory, for masks and DQ arrays given apart, and for masks that no @-file gives (any more).
    """
    _require_files(inputs, masks, dq, "written as a command")
    for name in [*masks, *dq]:
        raise InputError(f"{name} has a mask or DQ array of its own: a command can give masks in an @-file only")
    words = ["skymatch-nb", "match"]
    folder: Path | None = None
    files = [spec for spec in inputs if isinstance(spec, ImageSpec)]
    while files:
        listed = [spec for spec in files if spec.listed_in and spec.listed_in == files[0].listed_in]
        if not any(spec.masks for spec in listed):
            _require_no_masks(files[0])
            words.append(_input_text(files.pop(0)))
            continue
        folder = _folder_of_list(listed, files) or folder
        words.append(f"@{_bare(Path(files[0].listed_in))}")
        files = files[len(listed) :]
    for name, value in _changed(params).items():
        words += [f"--{name.replace('_', '-')}", spec_of(name).format(value)]
    command = shlex.join(words)
    return command if folder is None else f"cd {shlex.quote(str(folder))} && {command}"


def _require_no_masks(spec: ImageSpec) -> None:
    if spec.masks:
        raise InputError(f"{spec.path} has masks: a command can give them in an @-file only")


def _folder_of_list(listed: Sequence[ImageSpec], files: Sequence[ImageSpec]) -> Path | None:
    """Folder to read an @-file in so that it gives the images that it gave; None where any will do.

    Raises
    ------
    InputError
        Where it does not give them, in any.
    """
    file = Path(listed[0].listed_in)
    for places, folder in (((file.parent,), None), ((Path(), file.parent), Path().absolute())):
        try:
            found = combined(spec.absolute() for spec in read_at_file(file, places, str(file)))
        except InputError:
            continue
        if list(found) == list(listed) == list(files[: len(listed)]):
            return folder
    raise InputError(f"@-file {str(file)!r} gives other images or masks than when it was read, and a command needs it")


def notebook(script: str, params: SkyMatchParams) -> dict[str, Any]:
    """Jupyter notebook (format 4.5) that runs a session's script and shows what came of it."""
    setup = script.removesuffix(SOLVE_LINE)
    text = (
        "# Sky match\n\nMethod `{}`, statistic `{}`. Written by skymatch_nb {}; running it gives the same levels "
        "from the same files."
    ).format(params.skymethod, params.skystat, version("skymatch_nb"))
    sources = [text, setup.rstrip(), "s.solve()", "s.residuals", "s.panel()"]
    cells = [_notebook_cell(k, source) for k, source in enumerate(sources)]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}


def _notebook_cell(number: int, source: str) -> dict[str, Any]:
    """First cell as text, the others as code."""
    cell = {"id": f"cell-{number}", "metadata": {}, "source": source.splitlines(keepends=True)}
    if number == 0:
        return {"cell_type": "markdown", **cell}
    return {"cell_type": "code", "execution_count": None, "outputs": [], **cell}


def absolute_mask(value: str | PathLike[str]) -> str:
    """Text that means the same mask file in any working folder.

    Raises
    ------
    InputError
        Where it cannot be read, or there is no such file.
    """
    mask = resolve_mask(value)
    return _mask_text(mask.path, mask.extension)


@cache
def file_hash(path: Path, stamp: tuple[int, int]) -> str:
    """SHA-256, in hexadecimal, of a file as it was when it had a stamp.

    Raises
    ------
    InputError
        Where it has another stamp by now, and its hash was not taken before.
    """
    if file_stamp(path) != stamp:
        raise InputError(f"{path}: the file has changed since it was loaded; call load() again")
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _changed(params: SkyMatchParams) -> dict[str, Any]:
    return {s.name: getattr(params, s.name) for s in specs() if getattr(params, s.name) != s.default}


def _require_files(inputs: Sequence[Spec], masks: Mapping[str, Any], dq: Mapping[str, Any], what: str) -> None:
    """Raise `InputError` where something is in memory and not in a file."""
    for spec in inputs:
        if not isinstance(spec, ImageSpec):
            raise InputError(f"{spec.name} is in memory: only sessions of files can be {what}")
    for name, value in [*masks.items(), *dq.items()]:
        if not isinstance(value, str | Path):
            raise InputError(f"the mask or DQ array of {name} is in memory: only those of files can be {what}")


def _input_record(spec: Spec, stamps: Stamps) -> dict[str, Any]:
    if not isinstance(spec, ImageSpec):
        return {"object": spec.name}
    return {
        **_file_record(spec.path, stamps[spec.path]),
        "extensions": [_extension_record(e) for e in spec.extensions],
        "masks": [
            None if m is None else {"path": str(m.path.absolute()), "extension": _extension_record(m.extension)}
            for m in spec.masks
        ],
    }


def _file_record(path: Path, stamp: tuple[int, int]) -> dict[str, Any]:
    return {"path": str(path.absolute()), "size": stamp[0], "sha256": file_hash(path, stamp)}


def _extension_record(extension: Extension) -> dict[str, Any]:
    return {"number": extension.number, "name": extension.name, "version": extension.version}


def _mask_record(value: Any) -> dict[str, Any]:
    mask = resolve_mask(value)
    return {"path": str(mask.path.absolute()), "extension": _extension_record(mask.extension)}


def _mask_text(path: Path, extension: Extension) -> str:
    return f"{_quoted(path.absolute())}[{extension}]"


def _quoted(path: Path) -> str:
    quote = '"' if "'" in str(path) else "'"
    return f"{quote}{path}{quote}"


def _bare(path: Path) -> str:
    """Path as an input string has it, in quotes where it must be."""
    return _quoted(path) if set(str(path)) & set(",[]{}'\"") or str(path) != str(path).strip() else str(path)


def _spec(record: Mapping[str, Any], folder: Path) -> ImageSpec:
    masks = (
        None if m is None else MaskSpec(_find(m["path"], folder), Extension(**m["extension"])) for m in record["masks"]
    )
    extensions = tuple(Extension(**e) for e in record["extensions"])
    return ImageSpec(_find(record["path"], folder), extensions, tuple(masks))


def _found_mask(record: Mapping[str, Any], folder: Path) -> str:
    return _mask_text(_find(record["path"], folder), Extension(**record["extension"]))


def _find(name: str, folder: Path) -> Path:
    for path in (Path(name), folder / Path(name).name):
        if path.is_file():
            return path
    raise InputError(f"no such file: {name!r}, of a saved session")


def _input_text(spec: ImageSpec) -> str:
    """Input string that means a specification."""
    if not spec.extensions:
        return str(spec.path)
    elements = (str(e.number) if e.number is not None else f"('{e.name}',{e.version or '*'})" for e in spec.extensions)
    return f"{_quoted(spec.path)}{{{','.join(elements)}}}"


def _python_input(spec: Spec) -> str:
    if not isinstance(spec, ImageSpec):
        return repr(spec.name)
    if not spec.masks:
        return repr(_input_text(spec))
    masks = ", ".join("None" if m is None else f"MaskSpec(Path({str(m.path)!r}), {m.extension!r})" for m in spec.masks)
    return f"ImageSpec(Path({str(spec.path)!r}), {spec.extensions!r}, ({masks},))"

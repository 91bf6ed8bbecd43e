"""Sessions as text: JSON documents that reopen them, and the Python script or shell command that repeats them."""

import hashlib
import json
import shlex
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from skymatch_nb.errors import InputError
from skymatch_nb.io.grammar import Extension
from skymatch_nb.io.inputs import ImageSpec, MaskSpec, Spec
from skymatch_nb.io.pixels import file_stamp
from skymatch_nb.params import SkyMatchParams, specs
from skymatch_nb.params.bits import format_good_bits

FORMAT = "skymatch_nb session"
FORMAT_VERSION = 1


def provenance(inputs: Sequence[Spec], params: SkyMatchParams) -> dict[str, Any]:
    """Where results come from: version, time, parameters, and the files with their sizes and hashes."""
    return {
        "program": f"skymatch_nb {version('skymatch_nb')}",
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "params": params.model_dump(mode="json"),
        "inputs": [_input_record(spec) for spec in inputs],
    }


def session_document(
    inputs: Sequence[Spec], masks: Mapping[str, Any], dq: Mapping[str, Any], params: SkyMatchParams, tables: Any
) -> dict[str, Any]:
    """Session as plain values for JSON.

    Raises
    ------
    InputError
        Where it was given objects, arrays or functions, which a document cannot hold.
    """
    for spec in inputs:
        if not isinstance(spec, ImageSpec):
            raise InputError(f"{spec.name} is in memory: only sessions of files can be saved")
    for name, value in [*masks.items(), *dq.items()]:
        if not isinstance(value, str | Path):
            raise InputError(f"the mask or DQ array of {name} is in memory: only those of files can be saved")
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        **provenance(inputs, params),
        "masks": {name: str(Path(value).absolute()) for name, value in masks.items()},
        "dq": {name: str(Path(value).absolute()) for name, value in dq.items()},
        "tables": tables,
    }


def read_document(path: Path) -> tuple[list[ImageSpec], dict[str, Any], list[str]]:
    """Inputs of a saved session, the document, and the files that have changed since.

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
        records = [(_spec(record, path.parent), record["sha256"]) for record in document["inputs"]]
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from None
    except (ValueError, KeyError, TypeError) as error:
        raise error if isinstance(error, InputError) else InputError(f"{path}: not a saved session") from None
    changed = [str(spec.path) for spec, digest in records if file_hash(spec.path) != digest]
    return [spec for spec, _ in records], document, changed


def python_script(inputs: Sequence[Spec], params: SkyMatchParams) -> str:
    """Python code that makes the same tables."""
    given = ",\n".join(f"    {_python_input(spec)}" for spec in inputs)
    changed = "".join(f"    {name}={value!r},\n" for name, value in _changed(params).items())
    needs_specs = any(isinstance(spec, ImageSpec) and spec.masks for spec in inputs)
    more = "from pathlib import Path\n\nfrom skymatch_nb import Extension, ImageSpec, MaskSpec, SkyMatchSession"
    first = more if needs_specs else "from skymatch_nb import SkyMatchSession"
    return f"{first}\n\ninputs = [\n{given},\n]\ns = SkyMatchSession(\n    inputs,\n{changed})\nprint(s.solve())\n"


def shell_command(inputs: Sequence[Spec], params: SkyMatchParams) -> str:
    """Shell command that prints the same sky table.

    Raises
    ------
    InputError
        For objects in memory, and for images with masks: those need an @-file.
    """
    words = ["skymatch-nb", "match"]
    for spec in inputs:
        if not isinstance(spec, ImageSpec):
            raise InputError(f"{spec.name} is in memory: a command can name files only")
        if spec.masks:
            raise InputError(f"{spec.path} has masks: a command can give them in an @-file only")
        words.append(_input_text(spec))
    for name, value in _changed(params).items():
        words += [f"--{name.replace('_', '-')}", format_good_bits(value) if name == "dq_bits" else str(value)]
    return shlex.join(words)


def file_hash(path: Path) -> str:
    """SHA-256 of a file's content, in hexadecimal."""
    return _file_hash(path, file_stamp(path))


@cache
def _file_hash(path: Path, stamp: tuple[int, int]) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _changed(params: SkyMatchParams) -> dict[str, Any]:
    return {s.name: getattr(params, s.name) for s in specs() if getattr(params, s.name) != s.default}


def _input_record(spec: Spec) -> dict[str, Any]:
    if not isinstance(spec, ImageSpec):
        return {"object": spec.name}
    return {
        "path": str(spec.path.absolute()),
        "size": file_stamp(spec.path)[0],
        "sha256": file_hash(spec.path),
        "extensions": [_extension_record(e) for e in spec.extensions],
        "masks": [
            None if m is None else {"path": str(m.path.absolute()), "extension": _extension_record(m.extension)}
            for m in spec.masks
        ],
    }


def _extension_record(extension: Extension) -> dict[str, Any]:
    return {"number": extension.number, "name": extension.name, "version": extension.version}


def _spec(record: Mapping[str, Any], folder: Path) -> ImageSpec:
    masks = (
        None if m is None else MaskSpec(_find(m["path"], folder), Extension(**m["extension"])) for m in record["masks"]
    )
    extensions = tuple(Extension(**e) for e in record["extensions"])
    return ImageSpec(_find(record["path"], folder), extensions, tuple(masks))


def _find(name: str, folder: Path) -> Path:
    for path in (Path(name), folder / Path(name).name):
        if path.is_file():
            return path
    raise InputError(f"no such file: {name!r}, of a saved session")


def _input_text(spec: ImageSpec) -> str:
    """Input string that means a specification."""
    if not spec.extensions:
        return str(spec.path)
    quote = '"' if "'" in str(spec.path) else "'"
    elements = (str(e.number) if e.number is not None else f"('{e.name}',{e.version or '*'})" for e in spec.extensions)
    return f"{quote}{spec.path}{quote}{{{','.join(elements)}}}"


def _python_input(spec: Spec) -> str:
    if not isinstance(spec, ImageSpec):
        return f"{spec.name}  # in memory"
    if not spec.masks:
        return repr(_input_text(spec))
    masks = ", ".join("None" if m is None else f"MaskSpec(Path({str(m.path)!r}), {m.extension!r})" for m in spec.masks)
    return f"ImageSpec(Path({str(spec.path)!r}), {spec.extensions!r}, ({masks},))"

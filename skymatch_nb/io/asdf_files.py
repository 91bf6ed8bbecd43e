"""Open ASDF, in files of its own or inside FITS; the packages for it are asked for only here."""

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO

from skymatch_nb.errors import InputError, installed_with

MAGIC = b"#ASDF"
_CORE = "asdf://asdf-format.org/core/"
_FILTERS = threading.Lock()
"""Filters of warnings belong to all threads."""

NEEDED = f"the packages asdf, gwcs and lz4 are needed; {installed_with('jwst')}"


def is_asdf(path: Path) -> bool:
    """Whether a file is ASDF, by its first bytes."""
    try:
        with path.open("rb") as stream:
            return stream.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


def asdf_package() -> ModuleType:
    """Return the package asdf, once gwcs can be imported too.

    Raises
    ------
    ImportError
        Where one of them is not installed.
    """
    import_module("gwcs")  # without it WCS objects stay dictionaries
    return import_module("asdf")


@contextmanager
def opened_asdf(source: Path | BinaryIO, where: str, *, raw: bool = False) -> Iterator[Any]:
    """Open an ASDF file for reading; Roman's nodes come as dictionaries that keep their tags.

    So what is read is the same whether or not roman_datamodels is installed. With ``raw`` arrays are all that is
    converted, as is right for a file that is to be written again; else parts of the tree are when they are used.

    Raises
    ------
    InputError
        Where asdf or gwcs is not installed (it names the extra to install), or the file cannot be read.
    """
    try:
        asdf = asdf_package()
    except ImportError as error:
        raise InputError(f"{where}: {NEEDED}") from error
    try:
        with _FILTERS, warnings.catch_warnings(), asdf.config_context() as config:
            warnings.simplefilter("ignore")
            for extension in config.extensions if raw else ():
                if not str(extension.extension_uri or "").startswith(_CORE):
                    config.remove_extension(extension)
            config.remove_extension(package="roman_datamodels")
            config.validate_on_read = False
            file = asdf.open(source, lazy_tree=not raw, memmap=False, ignore_unrecognized_tag=True)
    except Exception as error:  # asdf, yaml and converters raise many types
        raise InputError(f"{where}: its ASDF cannot be read: {first_line(error)}") from error
    with file:
        yield file


def first_line(error: BaseException) -> str:
    """First line of an error's text, else its type."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__

"""The module of drizzlepac that matches skies: where it is, whether its version is known, and warnings beside it."""

import logging
import re
import warnings
from importlib import import_module
from types import ModuleType

from skymatch_nb.errors import SkyMatchError, installed_with
from skymatch_nb.pipeline import warn_caller

OLDEST, NEWEST = (3, 10), (3, 11)
"""Versions of drizzlepac that were tried: all from the first to the second."""


def drizzlepac_sky() -> ModuleType:
    """Module whose function ``skymatch`` AstroDrizzle calls.

    Raises
    ------
    SkyMatchError
        Where drizzlepac is not installed.
    """
    try:
        return import_module("drizzlepac.sky")
    except ImportError as error:
        text = f"AstroDrizzle cannot be loaded ({error}); {installed_with('drizzlepac')}"
        raise SkyMatchError(text) from error


def check_version(module: ModuleType) -> None:
    """Raise `SkyMatchError` where drizzlepac is too old or calls no ``skymatch``; warn where it is newer than known."""
    version = str(import_module("drizzlepac").__version__)
    numbers = tuple(int(part) for part in re.findall(r"\d+", version)[:2])
    if numbers < OLDEST:
        raise SkyMatchError(f"drizzlepac {version} is too old: 3.10 or newer is needed")
    if not callable(getattr(module, "skymatch", None)):
        raise SkyMatchError(f"drizzlepac {version} does not call skymatch() any more, so that it cannot be replaced")
    if numbers > NEWEST:
        warn(f"drizzlepac {version} is newer than what was tried with this package (3.10 to 3.11): check MDRIZSKY")


def warn(text: str) -> None:
    """Give a `SkyMatchWarning` that is seen: importing drizzlepac sends warnings to a logger that nobody may read."""
    before = warnings.showwarning
    if not _is_read(logging.getLogger("py.warnings")):
        logging.captureWarnings(False)
    diverted = warnings.showwarning is not before
    try:
        warn_caller(text)
    finally:
        if diverted:
            logging.captureWarnings(True)


def _is_read(logger: logging.Logger) -> bool:
    """Whether what a logger is told goes anywhere."""
    above: logging.Logger | None = logger
    while above is not None:
        if any(not isinstance(handler, logging.NullHandler) for handler in above.handlers):
            return True
        above = above.parent if above.propagate else None
    return False

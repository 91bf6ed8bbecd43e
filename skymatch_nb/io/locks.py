"""Locks of folders: no two runs write into one folder at once."""

import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from skymatch_nb.errors import InputError, SkyMatchError
from skymatch_nb.io.durable import HOME

if TYPE_CHECKING:
    from filelock import FileLock

PATIENCE = 3.0
"""Seconds to wait for a run that is writing to the same folder."""


@contextmanager
def locked(folders: Iterable[Path]) -> Iterator[None]:
    """Hold the locks of folders, taken in sorted order; what is empty afterwards is removed.

    Raises
    ------
    SkyMatchError
        Where another run holds one of them.
    """
    with ExitStack() as stack:
        for folder in sorted(set(folders)):
            stack.enter_context(_locked(folder))
        yield


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    lock = _acquire(folder)
    try:
        yield
    finally:
        home = folder / HOME
        with suppress(OSError):
            if [entry.name for entry in os.scandir(home)] == ["lock"]:
                (home / "lock").unlink()
                home.rmdir()
        lock.release()


def _acquire(folder: Path) -> "FileLock":
    """Lock of a folder; taken again where its file was removed by the run that held it before."""
    from filelock import FileLock, Timeout

    path = folder / HOME / "lock"
    until = monotonic() + PATIENCE
    while True:
        try:
            path.parent.mkdir(exist_ok=True)
            lock = FileLock(path)
            lock.acquire(timeout=max(until - monotonic(), 0.0))
        except (Timeout, OSError) as error:
            removed = isinstance(error, FileNotFoundError) and folder.is_dir()  # by the run that held it
            if removed and monotonic() < until:
                continue
            if removed or isinstance(error, Timeout):
                text = f"{folder}: another run is writing there; try again when it has finished"
                raise SkyMatchError(text) from None
            raise InputError(f"{folder}: cannot be locked for writing: {error.strerror or error}") from error
        if _is_current(path):
            return lock
        lock.release()


def _is_current(path: Path) -> bool:
    """Whether the lock held is that of the file which has the name now: then nobody can take it."""
    from filelock import FileLock, Timeout

    probe = FileLock(path)
    try:
        probe.acquire(timeout=0)
    except (Timeout, OSError):
        return path.exists()
    probe.release()
    return False

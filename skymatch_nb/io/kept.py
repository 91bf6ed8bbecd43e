"""Runs whose originals are kept: what they hold, and forgetting them."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from skymatch_nb.errors import InputError
from skymatch_nb.io.journal import Journal, read_journals, remove_home
from skymatch_nb.io.recovery import locked_and_recovered, warn_of
from skymatch_nb.io.undoing import UNFINISHED


@dataclass(frozen=True)
class KeptRun:
    """A run in a folder: its name, which begins with its time (UTC), its files, and the bytes that it keeps.

    ``state`` is "applied", "undone", "undone in part", "running or interrupted", or "changed since" where a crash met
    files that had been changed. Bytes shared with the files themselves (hard links) are not counted.
    """

    folder: Path
    name: str
    state: str
    files: tuple[str, ...]
    size: int


def kept_runs(folders: Sequence[Path]) -> list[KeptRun]:
    """Runs that have left something in folders, the oldest first.

    Raises
    ------
    InputError
        Where a folder is missing.
    """
    return [_kept(journal) for folder in _folders(folders) for journal in read_journals(folder)[0]]


def forget(folders: Sequence[Path]) -> list[KeptRun]:
    """Remove the kept originals and journals of finished runs in folders: these can no longer be undone.

    Interrupted runs are finished or rolled back first, with a warning.

    Raises
    ------
    InputError
        Where a folder is missing.
    SkyMatchError
        Where another run is writing there.
    """
    real = _folders(folders)
    with locked_and_recovered(real) as recovered:
        warn_of(recovered)
        runs = [(journal, _kept(journal)) for folder in real for journal in read_journals(folder)[0]]
        for journal, _ in runs:
            remove_home(journal.home)
    return [run for _, run in runs]


def _folders(paths: Sequence[Path]) -> list[Path]:
    real = [Path(os.path.realpath(path)) for path in paths]
    for given, path in zip(paths, real, strict=True):
        if not path.is_dir():
            raise InputError(f"{given}: {'is no folder' if path.exists() else 'no such folder'}")
    return list(dict.fromkeys(real))


def _kept(journal: Journal) -> KeptRun:
    states = {entry.state for entry in journal.entries}
    state = "applied"
    if journal.state in UNFINISHED:
        state = "running or interrupted"
    elif "left" in states:
        state = "changed since"
    elif "undone" in states:
        state = "undone in part" if "written" in states else "undone"
    found = [path.stat() for entry in journal.entries if (path := journal.kept(entry)).exists()]
    size = sum(status.st_size for status in found if status.st_nlink == 1)
    return KeptRun(journal.folder, journal.run, state, tuple(entry.name for entry in journal.entries), size)

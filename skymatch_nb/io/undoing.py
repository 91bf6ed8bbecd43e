"""Undo finished runs: the originals back bit for bit, unless a file has changed since."""

import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from skymatch_nb.errors import InputError, SkyMatchError
from skymatch_nb.io.durable import HOME, access_problems, sha256
from skymatch_nb.io.editing import part_sums
from skymatch_nb.io.journal import Entry, Journal, Outcome, read_journals
from skymatch_nb.io.recovery import finish_undo, locked_and_recovered


def undo(paths: Sequence[Path]) -> list[Outcome]:
    """Bring back the originals of files, or of the last run in folders, bit for bit.

    A file's last run that was not undone is undone, so that undoing again goes one further back. Of a run over
    several folders, only what is in the folders given is undone.

    Raises
    ------
    InputError
        Where there is nothing to undo, or a file or what was kept of it has changed since; the text names all such
        files and what differs, and nothing is changed at all.
    SkyMatchError
        Where another run is writing to a folder, or the system refuses midway: then the next run finishes.
    """
    real = [Path(os.path.realpath(path)) for path in paths]
    folders = {path if path.is_dir() else path.parent for path in real}
    _refuse([f"{folder}: no run has kept anything there" for folder in sorted(folders) if not _has_home(folder)])
    with locked_and_recovered(folders):
        chosen = _chosen(real)
        _refuse([problem for journal in chosen for problem in _problems(journal)])
        try:
            marked = [journal.save() for journal in chosen]
            return [outcome for journal in marked for outcome in finish_undo(journal, checked=True)]
        except OSError as error:
            where = error.filename or ", ".join(str(journal.folder) for journal in chosen)
            text = f"{where}: cannot be undone: {error.strerror or error}; the next run or undo there will finish it"
            raise SkyMatchError(text) from error


def _has_home(folder: Path) -> bool:
    return (folder / HOME).is_dir()


def _chosen(paths: Sequence[Path]) -> list[Journal]:
    """Journals with the entries to undo marked so."""
    names: dict[tuple[Path, str], set[str]] = {}
    journals: dict[tuple[Path, str], Journal] = {}
    problems = []
    for path in dict.fromkeys(paths):
        folder = path if path.is_dir() else path.parent
        journal = next(
            (
                j
                for j in reversed(read_journals(folder)[0])
                if j.state == "done" and any(e.state == "written" and path in (folder, j.file(e)) for e in j.entries)
            ),
            None,
        )
        if journal is None:
            problems.append(f"{path}: no run that wrote it is left to undo")
            continue
        key = (folder, journal.run)
        journals[key] = journal
        wanted = {e.name for e in journal.entries if e.state == "written" and path in (folder, journal.file(e))}
        names.setdefault(key, set()).update(wanted)
    _refuse(problems)
    return [_marked(journal, names[key]) for key, journal in journals.items()]


def _marked(journal: Journal, names: set[str]) -> Journal:
    entries = tuple(replace(e, state="undoing") if e.name in names else e for e in journal.entries)
    return replace(journal, state="undoing", entries=entries)


def _problems(journal: Journal) -> list[str]:
    """Why entries of a run cannot be undone."""
    problems = []
    for entry in journal.entries:
        if entry.state != "undoing":
            continue
        path, kept = journal.file(entry), journal.kept(entry)
        access = access_problems([path])
        if access:
            problems += access
        elif sha256(path) != entry.new_sha256:
            problems.append(
                f"{path}: it has changed since run {journal.run}: {_difference(path, entry)} (original: {kept})"
            )
        elif sha256(kept) != entry.sha256:
            state = "has been changed" if kept.exists() else "is gone"
            problems.append(f"{path}: its original {kept} {state}")
    return problems


def _difference(path: Path, entry: Entry) -> str:
    """What of a file is not as it was written."""
    status = path.stat()
    time = datetime.fromtimestamp(status.st_mtime, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    size = f"{status.st_size} bytes" + (f", were {entry.new_size}" if status.st_size != entry.new_size else "")
    try:
        now = part_sums(path)
    except InputError:
        return f"it is no longer a whole FITS file ({size}, of {time})"
    parts = [f"{n} {'is gone' if n not in now else 'differs'}" for n, v in entry.parts.items() if now.get(n) != v]
    parts += [f"{name} is new" for name in now if name not in entry.parts]
    return f"{', '.join(parts) or 'the compressed bytes differ'} ({size}, of {time})"


def _refuse(problems: Sequence[str]) -> None:
    if problems:
        raise InputError(f"nothing was undone: {'; '.join(problems)}")

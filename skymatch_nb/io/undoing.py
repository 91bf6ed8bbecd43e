"""Undo finished runs: the originals back bit for bit, unless a file has changed since."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from skymatch_nb.errors import InputError, SkyMatchError
from skymatch_nb.io.convert import converted_path
from skymatch_nb.io.durable import HOME, access_problems, sha256
from skymatch_nb.io.editing import part_sums
from skymatch_nb.io.journal import Entry, Journal, Outcome, read_journals
from skymatch_nb.io.recovery import finish_undo, locked_and_recovered, warn_of

UNFINISHED = ("writing", "replacing", "undoing")
"""States of a run that was interrupted, or is at work."""

_NOTHING = "nothing was undone: "


def undo(paths: Sequence[Path], *, everything: bool = False) -> list[Outcome]:
    """Bring back the originals of files, or of the last run in folders, bit for bit.

    A file's last run that was not undone is undone, so that undoing again goes one further back; a note tells where
    an earlier run is still applied. Of a run over several folders, only what is in the folders given is undone. Where
    a run was interrupted and nothing else is to be undone, what was done about that run is returned.

    Parameters
    ----------
    paths
        Files and folders.
    everything
        Whether to go back over all runs whose originals are kept, to the oldest.

    Raises
    ------
    InputError
        Where there is nothing to undo, or a file or what was kept of it has changed since; the text names all such
        files and what differs, and nothing is changed at all.
    SkyMatchError
        Where another run is writing to a folder, or the system refuses midway: then the next run finishes.
    """
    real = [_as_written(Path(os.path.realpath(path))) for path in paths]
    folders = {path if path.is_dir() else path.parent for path in real}
    _refuse([f"{path}: {_no_run(path)}" for path in real if not _has_home(path if path.is_dir() else path.parent)])
    with locked_and_recovered(folders) as recovered:
        cleared = {outcome.path: outcome for outcome in recovered}
        runs = _Runs(folders)
        interrupted = [path for path in real if not runs.of(path) and _within(path, cleared)]
        outcomes = _undo_last([path for path in real if path not in interrupted], runs)
        while everything and (left := [path for path in real if (runs := _Runs(folders)).of(path)]):
            outcomes |= _undo_earlier(left, runs)
        outcomes |= {path: o for path, o in cleared.items() if path in interrupted or path.parent in interrupted}
        warn_of([outcome for outcome in recovered if outcome.path not in outcomes])
        runs = _Runs(folders)
    return [_telling_of_earlier(outcome, runs.of(outcome.path)) for outcome in outcomes.values()]


def has_written(paths: Sequence[Path]) -> bool:
    """Whether a run that wrote any of these files, or files of these folders, is left to undo or was interrupted."""
    real = [_as_written(Path(os.path.realpath(path))) for path in paths]
    folders = {path if path.is_dir() else path.parent for path in real}
    kept = {folder for folder in folders if _has_home(folder)}
    found = [read_journals(folder) for folder in kept]
    if any(lost or any(journal.state in UNFINISHED for journal in journals) for journals, lost in found):
        return True
    runs = _Runs(kept)
    return any(runs.of(path) for path in real if (path if path.is_dir() else path.parent) in kept)


class _Runs:
    """Finished runs in some folders, as their journals tell now."""

    def __init__(self, folders: Iterable[Path]) -> None:
        self._journals = {folder: [j for j in read_journals(folder)[0] if j.state == "done"] for folder in folders}

    def of(self, path: Path) -> list[Journal]:
        """Runs that wrote a file, or a file of a folder, and can be undone; the last one first."""
        folder = path if path in self._journals else path.parent
        return [journal for journal in reversed(self._journals[folder]) if _written_names(journal, path)]


def _undo_last(paths: Sequence[Path], runs: _Runs) -> dict[Path, Outcome]:
    """Undo the last run of every path, whose folders are locked; outcomes by file."""
    chosen = _chosen(paths, runs)
    _refuse([problem for journal in chosen for problem in _problems(journal)])
    try:
        marked = [journal.save() for journal in chosen]
        return {outcome.path: outcome for journal in marked for outcome in finish_undo(journal, checked=True)}
    except OSError as error:
        where = error.filename or ", ".join(str(journal.folder) for journal in chosen)
        text = f"{where}: cannot be undone: {error.strerror or error}; the next run or undo there will finish it"
        raise SkyMatchError(text) from error


def _undo_earlier(paths: Sequence[Path], runs: _Runs) -> dict[Path, Outcome]:
    """Undo one run more, after later ones have been undone."""
    try:
        return _undo_last(paths, runs)
    except InputError as error:
        why = str(error).removeprefix(_NOTHING)
        raise InputError(f"the last run was undone, but not the ones before: {why}") from None


def _as_written(path: Path) -> Path:
    """The path, or the converted form of a file of an old format, which is what runs write."""
    try:
        target = None if path.is_dir() or not path.exists() else converted_path(path)
    except InputError:
        return path
    return target if target is not None and target.exists() else path


def _no_run(path: Path) -> str:
    """Why there is nothing to undo of a path in whose folder no run has kept anything."""
    return "no run has kept anything there" if path.exists() else "no such file or folder"


def _has_home(folder: Path) -> bool:
    return (folder / HOME).is_dir()


def _within(path: Path, files: Iterable[Path]) -> bool:
    """Whether a path is one of some files, or their folder."""
    return any(path in (file, file.parent) for file in files)


def _written_names(journal: Journal, path: Path) -> set[str]:
    """Names of a run's files that it wrote and that are a path, or in it."""
    return {e.name for e in journal.entries if e.state == "written" and path in (journal.folder, journal.file(e))}


def _telling_of_earlier(outcome: Outcome, earlier: Sequence[Journal]) -> Outcome:
    """Outcome with a note where an earlier run is still applied to the file."""
    if not earlier:
        return outcome
    note = f"an earlier run is still applied ({earlier[0].run}): undo again takes it back"
    return replace(outcome, notes=(*outcome.notes, note))


def _chosen(paths: Sequence[Path], runs: _Runs) -> list[Journal]:
    """Journals with the entries to undo marked so."""
    names: dict[tuple[Path, str], set[str]] = {}
    journals: dict[tuple[Path, str], Journal] = {}
    problems = []
    for path in dict.fromkeys(paths):
        journal = next(iter(runs.of(path)), None)
        if journal is None:
            folder = path if path.is_dir() else path.parent
            lost = "".join(f"; the journal of {home} cannot be read" for home in read_journals(folder)[1])
            problems.append(f"{path}: no run that wrote it is left to undo{lost}")
            continue
        key = (journal.folder, journal.run)
        journals[key] = journal
        names.setdefault(key, set()).update(_written_names(journal, path))
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
            problems += [f"{text} (original: {kept})" for text in access]
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
        return f"it is no longer a whole {'ASDF' if path.suffix == '.asdf' else 'FITS'} file ({size}, of {time})"
    parts = [f"{n} {'is gone' if n not in now else 'differs'}" for n, v in entry.parts.items() if now.get(n) != v]
    parts += [f"{name} is new" for name in now if name not in entry.parts]
    return f"{', '.join(parts) or 'the compressed bytes differ'} ({size}, of {time})"


def _refuse(problems: Sequence[str]) -> None:
    if problems:
        raise InputError(_NOTHING + "; ".join(problems))

"""Finish or roll back the runs that a crash left, and undo finished ones."""

import os
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from skymatch_nb.errors import SkyMatchError, SkyMatchWarning
from skymatch_nb.io.durable import HOME, sha256, sync_folder
from skymatch_nb.io.journal import COMMITTED, Entry, Journal, Outcome, read_journals, remove_home
from skymatch_nb.io.locks import locked

_OPEN = ("writing", "replacing", "undoing")


@contextmanager
def locked_and_recovered(folders: Iterable[Path]) -> Iterator[list[Outcome]]:
    """Hold the locks of folders, what crashes left in them being cleared; give what was done.

    The other folders of unfinished runs are locked and cleared too.
    """
    wanted = set(folders)
    while True:
        wanted |= _related(wanted)
        with locked(wanted):
            if _related(wanted) <= wanted:
                try:
                    outcomes = _recover(wanted)
                except OSError as error:
                    where = error.filename or ", ".join(map(str, sorted(wanted)))
                    text = f"{where}: an earlier run cannot be cleared: {error.strerror or error}"
                    raise SkyMatchError(text) from error
                yield outcomes
                return


def interrupted(files: Iterable[Path]) -> list[Path]:
    """Folders of files in which a run is writing, or was interrupted."""
    folders = sorted({Path(os.path.realpath(file)).parent for file in files})
    homes = [folder for folder in folders if (folder / HOME).is_dir()]
    return [folder for folder in homes if any(journal.state in _OPEN for journal in read_journals(folder)[0])]


def roll_back(journals: Sequence[Journal]) -> list[Outcome]:
    """Bring the originals of an unfinished run back, and remove its temporaries and journals, the lead's last.

    A file that has changed since is left alone; then its original and the journal stay.
    """
    outcomes, left = [], []
    for journal in journals:
        entries = []
        for entry in journal.entries:
            outcome = _roll_back_file(journal, entry)
            entries.append(replace(entry, state="left") if outcome.status == "left alone" else entry)
            outcomes.append(outcome)
        sync_folder(journal.folder)
        left.append(replace(journal, state="rolled back", entries=tuple(entries)))
    for journal in sorted(left, key=lambda j: j.folder == j.lead_folder):
        if any(entry.state == "left" for entry in journal.entries):
            journal.save()
            for entry in journal.entries:
                if entry.state != "left":
                    journal.kept(entry).unlink(missing_ok=True)
        else:
            remove_home(journal.home)
    return outcomes


def warn_of(outcomes: Sequence[Outcome]) -> None:
    """Warn of what was done about interrupted runs, once for each thing that was done."""
    said: dict[str, list[Path]] = {}
    for outcome in outcomes:
        said.setdefault("; ".join((outcome.status, *outcome.notes)), []).append(outcome.path)
    for what, paths in said.items():
        more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
        warnings.warn(f"{paths[0]}{more}: {what}", SkyMatchWarning, stacklevel=2)


def finish_undo(journal: Journal, *, checked: bool) -> list[Outcome]:
    """Bring back the originals of the entries that are to be undone; without ``checked`` only over what was written."""
    outcomes, entries = [], []
    for entry in journal.entries:
        if entry.state == "undoing":
            outcome = _undo_file(journal, entry, checked)
            outcomes.append(outcome)
            entry = replace(entry, state="left" if outcome.status == "left alone" else "undone")
        entries.append(entry)
    sync_folder(journal.folder)
    state = "done" if any(e.state == "written" for e in entries) else "undone"
    replace(journal, state=state, entries=tuple(entries)).save()
    return outcomes


def _related(folders: Iterable[Path]) -> set[Path]:
    """Folders of the runs that are unfinished in some folders."""
    found = set()
    for folder in folders:
        for journal in read_journals(folder)[0]:
            if journal.state in _OPEN or (journal.state == "done" and not journal.backup):
                found |= {f for f in journal.all_folders if (f / HOME / journal.run).is_dir()}
    return found


def _recover(folders: Iterable[Path]) -> list[Outcome]:
    runs: dict[str, list[Journal]] = {}
    outcomes: list[Outcome] = []
    for folder in sorted(folders):
        journals, without = read_journals(folder)
        for home in without:
            outcomes += _clear_without_journal(home)
        for journal in journals:
            (journal.home / "journal.json.new").unlink(missing_ok=True)
            runs.setdefault(journal.run, []).append(journal)
    for run in sorted(runs):
        outcomes += _recover_run(runs[run])
    return outcomes


def _recover_run(journals: list[Journal]) -> list[Outcome]:
    outcomes: list[Outcome] = []
    unfinished = [j for j in journals if j.state in ("writing", "replacing")]
    if unfinished:
        if any(j.run == unfinished[0].run and j.state in COMMITTED for j in read_journals(journals[0].lead_folder)[0]):
            for journal in unfinished:
                journals.remove(journal)
                journals.append(journal.changed("done", "written").save())
                outcomes += [_outcome(journal, e, "written", "finished an interrupted run") for e in journal.entries]
        else:
            outcomes += roll_back(unfinished)
    for journal in journals:
        if journal.state == "undoing":
            outcomes += finish_undo(journal, checked=False)
    for journal in sorted(journals, key=lambda j: j.folder == j.lead_folder):
        if journal.state == "done" and not journal.backup:
            remove_home(journal.home)
    return outcomes


def _clear_without_journal(home: Path) -> list[Outcome]:
    """Remove a run folder that a crash left before there was a journal; leave one that holds anything else."""
    if any(path.name != "journal.json.new" for path in home.iterdir()):
        return [Outcome(home, "left alone", "", ("its journal cannot be read",))]
    remove_home(home)
    return []


def _roll_back_file(journal: Journal, entry: Entry) -> Outcome:
    journal.temporary(entry).unlink(missing_ok=True)
    path, kept = journal.file(entry), journal.kept(entry)
    found = entry.sha256 if journal.state == "writing" else sha256(path)
    if found == entry.sha256:
        return _outcome(journal, entry, "unchanged", "an interrupted run had not replaced it")
    if found == entry.new_sha256 and not kept.exists():
        return _outcome(journal, entry, "written", "an interrupted run had replaced it and kept no original")
    if found == entry.new_sha256 and sha256(kept) == entry.sha256:
        kept.replace(path)
        return _outcome(journal, entry, "restored", "an interrupted run was rolled back")
    return _left_alone(journal, entry)


def _undo_file(journal: Journal, entry: Entry, checked: bool) -> Outcome:
    path, kept = journal.file(entry), journal.kept(entry)
    found = entry.new_sha256 if checked else sha256(path)
    if found == entry.new_sha256 and kept.exists():
        kept.replace(path)
    elif found != entry.sha256:
        return _left_alone(journal, entry)
    return _outcome(journal, entry, "restored", f"undid run {journal.run}")


def _left_alone(journal: Journal, entry: Entry) -> Outcome:
    kept = str(journal.kept(entry)) if journal.kept(entry).exists() else ""
    note = f"it has changed since an interrupted run; its original is {f'kept as {kept}' if kept else 'not kept'}"
    return Outcome(journal.file(entry), "left alone", kept, (note,))


def _outcome(journal: Journal, entry: Entry, status: str, note: str) -> Outcome:
    return Outcome(journal.file(entry), status, "", (note,))

"""Write edited FITS files so that a crash leaves each either old or new, and undo it.

A run writes and verifies the new versions of all files beside them, keeps the originals under
``.skymatch/<run>/`` beside a journal, and renames the new versions over. An error up to the last rename brings every
original back; after a crash the next run, `recover` or `undo` does.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

from skymatch_nb.errors import InputError, SkyMatchError
from skymatch_nb.io.durable import (
    HOME,
    access_problems,
    copy,
    copy_owner,
    link,
    loss_notes,
    sha256,
    sync_file,
    sync_folder,
)
from skymatch_nb.io.edits import ExtensionEdit, FileEdit
from skymatch_nb.io.fits_edit import verify_edited, write_edited
from skymatch_nb.io.fits_layout import part_sums
from skymatch_nb.io.journal import Entry, Journal, Outcome, new_run, relative, remove_home
from skymatch_nb.io.preflight import Job, check_room, doubles, file_state, foretold, make_jobs, refuse
from skymatch_nb.io.recovery import locked_and_recovered, roll_back, warn_of
from skymatch_nb.io.undoing import undo

__all__ = ["ExtensionEdit", "FileEdit", "Outcome", "foretold", "recover", "undo", "write_files"]

Progress: TypeAlias = Callable[[int, int, str], None]


def write_files(
    edits: Sequence[FileEdit],
    *,
    backup: bool = True,
    about: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> list[Outcome]:
    """Write edited files: all of them, or after an error none.

    Parameters
    ----------
    edits : sequence of FileEdit
        The changes; a symbolic link stays, and the file that it leads to is edited.
    backup : bool
        Whether to keep the originals, so that the run can be undone.
    about : mapping, optional
        What the journal is to tell about the run; JSON values.
    progress : callable, optional
        Called with files done, all files, and a message.

    Returns
    -------
    list of Outcome
        One per edit, in their order.

    Raises
    ------
    InputError
        Where files or folders are missing or read-only, a file is given twice, is not FITS, or what is asked for
        cannot be done to it: all such problems in one text, before anything is written.
    SkyMatchError
        Where another run is writing to a folder, the disk has no room, or an error occurred midway, after which
        the originals are back.
    """
    paths = [Path(os.path.realpath(edit.path)) for edit in edits]
    refuse(access_problems(paths) + doubles(edits, paths))
    with locked_and_recovered(path.parent for path in paths) as recovered:
        warn_of(recovered)
        jobs = make_jobs(edits, paths)
        return _Run(jobs, backup, about or {}, progress).execute() if jobs else []


def recover(folder: Path) -> list[Outcome]:
    """Finish or roll back what a crash left of a run in a folder (and in the others of that run).

    Files that were replaced get their originals back where these are kept, else stay; temporaries are removed.
    `write_files` and `undo` do this first.
    """
    folder = Path(os.path.realpath(folder))
    if not (folder / HOME).is_dir():
        return []
    with locked_and_recovered([folder]) as outcomes:
        return outcomes


class _Run:
    """One run over files whose folders are locked."""

    def __init__(self, jobs: list[Job], backup: bool, about: Mapping[str, Any], progress: Progress | None) -> None:
        self.jobs, self.backup, self.progress = jobs, backup, progress
        folders = sorted({job.path.parent for job in jobs})
        run = new_run(folders)
        self.journals = [
            Journal(
                folder=folder,
                run=run,
                state="writing",
                lead=relative(folders[0], folder),
                folders=tuple(relative(f, folder) for f in folders),
                backup=backup,
                about=about,
                entries=tuple(Entry(job.path.name, *job.stamp[:2]) for job in jobs if job.path.parent == folder),
            )
            for folder in folders
        ]
        self.by_path = {job.path: job for job in jobs}
        self.linked: set[Path] = set()
        self.committed = False

    def execute(self) -> list[Outcome]:
        """Write all files; bring everything back where that fails."""
        try:
            self.begin()
            self.prepare()
            self.keep()
            self.replace()
        except BaseException as error:
            if self.committed:
                raise
            failed = self.bring_back()
            if isinstance(error, Exception):
                raise _as_one_line(error, failed) from error
            raise
        self.clean()
        entries = {journal.file(entry): (journal, entry) for journal in self.journals for entry in journal.entries}
        return [self.outcome(job, *entries[job.path]) for job in self.jobs]

    def begin(self) -> None:
        """Write the journals, link the originals, and see whether the disk has room for the rest."""
        for journal in self.journals:
            journal.home.mkdir()
            journal.save()
        for journal in self.journals:
            self.linked |= {journal.file(e) for e in journal.entries if link(journal.file(e), journal.kept(e))}
        check_room(self.jobs, self.linked, self.backup)

    def prepare(self) -> None:
        """Write the new versions beside the files, and read them back."""
        done = 0
        for at, journal in enumerate(self.journals):
            entries = []
            for entry in journal.entries:
                if self.progress is not None:
                    self.progress(done, len(self.jobs), f"write {entry.name}")
                entries.append(_prepared(self.by_path[journal.file(entry)], journal, entry))
                done += 1
            self.journals[at] = replace(journal, entries=tuple(entries))
        if self.progress is not None:
            self.progress(done, len(self.jobs), "write")

    def keep(self) -> None:
        """Copy the originals that could not be linked; from here on the journal has what a recovery needs."""
        for at, journal in enumerate(self.journals):
            for entry in journal.entries:
                path, kept = journal.file(entry), journal.kept(entry)
                if self.backup and path not in self.linked:
                    with _named(path):
                        copy(path, kept)
                        if sha256(kept) != entry.sha256:
                            raise OSError("the copy of its original could not be verified")
            for folder in (journal.home, journal.home.parent, journal.folder):
                sync_folder(folder)
            self.journals[at] = journal.changed("replacing").save()

    def replace(self) -> None:
        """Rename the new versions over the files, and say in the lead's journal that all is done."""
        for journal in self.journals:
            for entry in journal.entries:
                path = journal.file(entry)
                with _named(path):
                    if file_state(path) != self.by_path[path].stamp:
                        raise OSError("it has been changed by something else in the meantime")
                    journal.temporary(entry).replace(path)
            sync_folder(journal.folder)
        done = [journal.changed("done", "written") for journal in self.journals]
        done[0].save()
        self.journals, self.committed = done, True

    def clean(self) -> None:
        """Write the other journals, and remove what is not to be kept; a recovery can do the same."""
        for journal in self.journals[1:]:
            with suppress(OSError):
                journal.save()
        for journal in () if self.backup else reversed(self.journals):
            with suppress(OSError):
                remove_home(journal.home)

    def bring_back(self) -> str:
        """Roll the run back; why that failed, where it did."""
        begun = [journal for journal in self.journals if journal.home.is_dir()]
        try:
            left = [str(o.path) for o in roll_back(begun) if o.status in ("left alone", "written")]
        except OSError as error:
            return f"; the run could not be rolled back ({error}), recover() will do it"
        return f"; not brought back: {', '.join(left)}" if left else ""

    def outcome(self, job: Job, journal: Journal, entry: Entry) -> Outcome:
        """Say what became of a file that was written."""
        kept = str(journal.kept(entry)) if self.backup else ""
        return Outcome(job.given, "written", kept, entry.notes)


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Name the file in any error from the code inside."""
    try:
        yield
    except SkyMatchError:
        raise
    except Exception as error:
        raise SkyMatchError(f"{path}: cannot be written: {_reason(error)}") from error


def _prepared(job: Job, journal: Journal, entry: Entry) -> Entry:
    """Write a new version and read it back; the entry with the sums of both."""
    path, temporary = job.path, journal.temporary(entry)
    with _named(path):
        old = sha256(path)
        write_edited(job.edit, temporary)
        verify_edited(job.edit, path, temporary)
        owner_kept = copy_owner(path, temporary)
        links = path.stat().st_nlink - 1 - journal.kept(entry).exists()
        sync_file(temporary)
        return replace(
            entry,
            sha256=old,
            new_size=temporary.stat().st_size,
            new_sha256=sha256(temporary),
            parts=part_sums(temporary),
            notes=job.check.notes + loss_notes(owner_kept=owner_kept, links=links),
        )


def _as_one_line(error: Exception, failed: str) -> SkyMatchError:
    """Return the error to raise after a roll-back."""
    kind = type(error) if isinstance(error, InputError) else SkyMatchError
    text = str(error) if isinstance(error, SkyMatchError) else f"the run failed: {_reason(error)}"
    return kind(f"{text}; {'the run was rolled back' if failed else 'every file is as it was'}{failed}")


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror + (f" ({error.filename})" if error.filename else "")
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__

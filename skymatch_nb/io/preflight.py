"""What is checked before the first byte is written: permissions, files given twice, the edits, room on the disk."""

import io
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import disk_usage

from skymatch_nb.errors import InputError, SkyMatchError
from skymatch_nb.io.convert import intended_path, write_converted
from skymatch_nb.io.durable import access_problems, can_keep_owner, loss_notes
from skymatch_nb.io.editing import check_edit
from skymatch_nb.io.edits import Check, FileEdit
from skymatch_nb.io.fits_edit import check_layout
from skymatch_nb.io.fits_layout import read_layout
from skymatch_nb.io.journal import Outcome

_JOURNAL_ROOM = 1 << 16


@dataclass(frozen=True)
class Job:
    """A file to write: its path as given, the edit of the file that it leads to, what was found, and what it was."""

    given: Path
    edit: FileEdit
    check: Check
    stamp: tuple[int, int, int]

    @property
    def path(self) -> Path:
        """Path of the file itself."""
        return self.edit.path


def make_jobs(edits: Sequence[FileEdit], paths: Sequence[Path]) -> list[Job]:
    """Check what is asked for on every file, once earlier runs have been cleared."""
    jobs, problems = [], []
    for edit, path in zip(edits, paths, strict=True):
        real = replace(edit, path=path)
        try:
            stamp = file_state(path)
            if edit.stamp not in (None, stamp[:2]):
                problems.append(f"{edit.path}: the file has changed since it was loaded; call load() again")
                continue
            jobs.append(Job(edit.path, real, check_edit(real), stamp))
        except OSError as error:
            problems.append(f"{path}: {error.strerror or error}")
        except InputError as error:
            problems.append(str(error))
    refuse(problems)
    return jobs


def foretold(given: FileEdit, clobber: bool) -> Outcome:
    """What `write_files` would do to a file, or to its converted form where it is of an old format.

    Raises
    ------
    InputError
        Where the file cannot be read, or what is asked for cannot be done to it.
    """
    target = intended_path(given.path, clobber)
    try:
        if target != given.path:
            write_converted(given.path, stream := io.BytesIO())
            return Outcome(target, "", "", check_layout(given, stream, read_layout(stream, target)).notes)
        path = Path(os.path.realpath(target))
        if problems := access_problems([path]):
            raise InputError("; ".join(problems))
        losses = loss_notes(owner_kept=can_keep_owner(path), links=path.stat().st_nlink - 1)
        return Outcome(target, "", "", check_edit(replace(given, path=path)).notes + losses)
    except OSError as error:
        raise InputError(f"{given.path}: {error.strerror or error}") from error


def doubles(edits: Sequence[FileEdit], paths: Sequence[Path]) -> list[str]:
    """Files given twice, under whatever names."""
    seen: dict[tuple[int, int], Path] = {}
    problems = []
    for edit, path in zip(edits, paths, strict=True):
        with suppress(OSError):
            status = path.stat()
            first = seen.get((status.st_dev, status.st_ino))
            seen[status.st_dev, status.st_ino] = edit.path
            if first is not None:
                problems.append(f"{edit.path}: given twice" + (f" (it is {first})" if first != edit.path else ""))
    return problems


def check_room(jobs: Sequence[Job], linked: set[Path], backup: bool) -> None:
    """Raise where a disk has no room for the new versions and the originals to be copied."""
    needed: dict[int, int] = {}
    folder: dict[int, Path] = {}
    for job in jobs:
        disk = job.path.parent.stat().st_dev
        copied = job.stamp[0] if backup and job.path not in linked else 0
        needed[disk] = needed.get(disk, _JOURNAL_ROOM) + job.check.needed + copied
        folder[disk] = job.path.parent
    for disk, size in needed.items():
        usage = disk_usage(folder[disk])
        if usage.total and usage.free < size:
            raise SkyMatchError(f"{folder[disk]}: the disk has {usage.free} bytes free where {size} are needed")


def file_state(path: Path) -> tuple[int, int, int]:
    """Size, modification time in nanoseconds, and inode of a file."""
    status = path.stat()
    return status.st_size, status.st_mtime_ns, status.st_ino


def refuse(problems: Sequence[str]) -> None:
    """Raise one `InputError` that tells all problems, where there are any."""
    if problems:
        raise InputError(f"nothing was written: {'; '.join(problems)}")

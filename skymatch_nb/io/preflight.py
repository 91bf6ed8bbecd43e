"""What is checked before the first byte is written: permissions, files given twice, the edits, room on the disk."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import disk_usage

from skymatch_nb.errors import InputError, SkyMatchError
from skymatch_nb.io.edits import FileEdit
from skymatch_nb.io.fits_edit import check_edit

_JOURNAL_ROOM = 1 << 16


@dataclass(frozen=True)
class Job:
    """A file to write: its path as given, the edit of the file that it leads to, and what it needs and was."""

    given: Path
    edit: FileEdit
    needed: int
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
            jobs.append(Job(edit.path, real, check_edit(real), stamp))
        except OSError as error:
            problems.append(f"{path}: {error.strerror or error}")
        except InputError as error:
            problems.append(str(error))
    refuse(problems)
    return jobs


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
        needed[disk] = needed.get(disk, _JOURNAL_ROOM) + job.needed + copied
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

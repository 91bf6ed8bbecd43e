"""Journals of writing runs: what was to be written in a folder, how far it came, and what was kept."""

import json
import os
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from skymatch_nb.io.durable import HOME, write_whole

VERSION = 1
COMMITTED = ("done", "undoing", "undone")
_NAME, _TIME = "journal.json", "%Y%m%dT%H%M%S.%f"


@dataclass(frozen=True)
class Outcome:
    """What became of a file: its path, a word or two, where its original is kept ("" for nowhere), and notes."""

    path: Path
    status: str
    backup: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Entry:
    """A file of a run: its original and its new version (``parts``: sums of its headers and data units).

    ``state`` is "planned", "written", "undoing", "undone", or "left" where a roll-back found it changed.
    """

    name: str
    size: int
    mtime_ns: int
    sha256: str = ""
    new_size: int = 0
    new_sha256: str = ""
    parts: Mapping[str, str] = field(default_factory=dict)
    state: str = "planned"
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Journal:
    """A run in one folder.

    ``state`` is "writing" (new versions beside the files), "replacing", "done", "undoing", "undone" or
    "rolled back". A run in several folders is done when the journal of its first folder, ``lead``, says so.
    Folders are relative to this one.
    """

    folder: Path
    run: str
    state: str
    lead: str
    folders: tuple[str, ...]
    backup: bool
    about: Mapping[str, Any]
    entries: tuple[Entry, ...]

    @property
    def home(self) -> Path:
        """Folder of the run."""
        return self.folder / HOME / self.run

    @property
    def lead_folder(self) -> Path:
        """Folder whose journal decides whether the run is done."""
        return _absolute(self.folder, self.lead)

    @property
    def all_folders(self) -> tuple[Path, ...]:
        """Every folder of the run."""
        return tuple(_absolute(self.folder, name) for name in self.folders)

    def file(self, entry: Entry) -> Path:
        """Path of a file."""
        return self.folder / entry.name

    def kept(self, entry: Entry) -> Path:
        """Path under which its original is kept."""
        return self.home / entry.name

    def temporary(self, entry: Entry) -> Path:
        """Path of its new version before it takes the file's place."""
        return self.folder / f".{entry.name}.skymatch-{self.run}"

    def changed(self, state: str, entry_state: str = "") -> "Journal":
        """Journal in another state, and its entries too where one is given."""
        entries = tuple(replace(e, state=entry_state) for e in self.entries) if entry_state else self.entries
        return replace(self, state=state, entries=entries)

    def save(self) -> "Journal":
        """Write the journal to the disk, whole or not at all."""
        content = {"version": VERSION} | {k: v for k, v in asdict(self).items() if k != "folder"}
        write_whole(self.home / _NAME, json.dumps(content, indent=1, default=str).encode())
        return self


def read_journals(folder: Path) -> tuple[list[Journal], list[Path]]:
    """Journals of a folder's runs, the oldest first, and the run folders in which none can be read."""
    journals, without = [], []
    for home in sorted(p for p in (folder / HOME).glob("*") if p.is_dir()):
        try:
            content = json.loads((home / _NAME).read_bytes())
            if content.pop("version") != VERSION:
                raise ValueError("unknown version")
            entries = tuple(Entry(**{**e, "notes": tuple(e["notes"])}) for e in content.pop("entries"))
            folders = tuple(content.pop("folders"))
            journals.append(Journal(folder=folder, entries=entries, folders=folders, **content))
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            without.append(home)
    return journals, without


def new_run(folders: Iterable[Path]) -> str:
    """Name of a run: the time, later than that of all runs in the folders, and a random end."""
    now = datetime.now(UTC).replace(tzinfo=None)
    for folder in folders:
        for home in (folder / HOME).glob("*-*"):
            try:
                now = max(now, datetime.strptime(home.name.rsplit("-", 1)[0], _TIME) + timedelta(microseconds=1))
            except ValueError:
                continue
    return f"{now.strftime(_TIME)}-{secrets.token_hex(3)}"


def relative(folder: Path, start: Path) -> str:
    """Folder as seen from another, so that runs are understood after both have moved."""
    try:
        return os.path.relpath(folder, start)
    except ValueError:  # another drive
        return str(folder)


def remove_home(home: Path) -> None:
    """Remove a run's folder, its journal last."""
    if not home.is_dir():
        return
    for path in sorted(home.iterdir(), key=lambda p: p.name == _NAME):
        path.unlink()
    home.rmdir()


def _absolute(folder: Path, name: str) -> Path:
    return Path(os.path.normpath(folder / name))

"""Files that survive a crash: written to the disk, hashed, copied, checked for permission."""

import hashlib
import os
import shutil
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

HOME = ".skymatch"
"""Folder beside the files in which runs keep their journals and the originals."""


def sync_folder(folder: Path) -> None:
    """Bring a folder's names to the disk, where the system can."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_file(path: Path) -> None:
    """Bring a file's content and mode to the disk."""
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())


def write_whole(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, to the disk."""
    beside = path.with_name(f"{path.name}.new")
    with beside.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    beside.replace(path)
    sync_folder(path.parent)


def sha256(path: Path) -> str:
    """SHA-256 of a file in hexadecimal; empty where there is no such file."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except FileNotFoundError:
        return ""


def link(original: Path, kept: Path) -> bool:
    """Give a file a second name; False where the file system cannot, or where the file has other names already.

    A file with other names is not linked because what changes it under those would change what is kept.
    """
    if original.stat().st_nlink > 1:
        return False
    try:
        os.link(original, kept)
    except OSError:
        return False
    return True


def copy(original: Path, kept: Path) -> None:
    """Copy a file to the disk with its mode, times and owner."""
    with original.open("rb") as source, kept.open("xb") as target:
        shutil.copyfileobj(source, target, 1 << 22)
    copy_owner(original, kept)
    shutil.copystat(original, kept)
    sync_file(kept)


def copy_owner(original: Path, new: Path) -> bool:
    """Give a file the mode, owner and extended attributes of another; False where the owner could not be given."""
    status = original.stat()
    kept = True
    if hasattr(os, "chown"):
        try:
            os.chown(new, status.st_uid, status.st_gid)
        except OSError:
            kept = (status.st_uid, status.st_gid) == (new.stat().st_uid, new.stat().st_gid)
    if hasattr(os, "listxattr"):
        with suppress(OSError):
            for name in os.listxattr(original):
                os.setxattr(new, name, os.getxattr(original, name))
    new.chmod(stat.S_IMODE(status.st_mode))
    return kept


def can_keep_owner(path: Path) -> bool:
    """Whether a new file can be given the owner and group of another."""
    if not hasattr(os, "geteuid") or os.geteuid() == 0:
        return True
    status = path.stat()
    return status.st_uid == os.geteuid() and status.st_gid in (os.getegid(), *os.getgroups())


def loss_notes(*, owner_kept: bool, links: int) -> tuple[str, ...]:
    """Tell what a file loses when a new one takes its place; ``links`` is how many other names it has."""
    owner = () if owner_kept else ("its owner could not be kept",)
    return (*owner, "its other hard links keep the old version") if links else owner


def access_problems(paths: Iterable[Path]) -> list[str]:
    """Why files cannot be replaced: files and folders that are missing or read-only, each told once.

    What lacks its owner's permission to write counts as read-only, whoever asks.
    """
    problems = []
    folders: dict[Path, None] = {}
    for path in paths:
        problems += _problem(path, folder=False)
        if path.parent.is_dir():
            folders[path.parent] = None
    for folder in folders:
        problems += _problem(folder, folder=True)
        if os.path.lexists(folder / HOME):
            problems += _problem(folder / HOME, folder=True)
    return problems


def _problem(path: Path, *, folder: bool) -> list[str]:
    try:
        status = path.stat()
    except OSError as error:
        return [f"{path}: {error.strerror or error}"]
    if not (stat.S_ISDIR if folder else stat.S_ISREG)(status.st_mode):
        return [f"{path}: not a {'folder' if folder else 'regular file'}"]
    if not os.access(path, os.R_OK):
        return [f"{path}: no permission to read {'the folder' if folder else 'it'}"]
    if not status.st_mode & stat.S_IWUSR or not os.access(path, os.W_OK | (os.X_OK if folder else 0)):
        return [f"{path}: {'the folder' if folder else 'the file'} is read-only"]
    return []

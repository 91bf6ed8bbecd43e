"""Kill the writer at many moments, and see that no file is lost and everything can be brought back.

Makes six two-chip files, and again and again starts `skymatch-nb match ... --apply` on them, killed (SIGKILL) at each
operation of the writer in turn (in the middle of writes), then at random times between the first write and the last
rename. After each kill every file must be bit-identical to its old or its new version, recovery or undo must restore
all old versions, and nothing but journals may be left.

    python tests/kill_writer.py --kills 200
"""

import argparse
import contextlib
import hashlib
import io
import logging
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from skymatch_nb.cli import main as main_of_package
from skymatch_nb.datasets import make_mosaic
from skymatch_nb.io.writer import ExtensionEdit, FileEdit, recover, undo, write_files

os.environ["SOURCE_DATE_EPOCH"] = "1700000000"  # so that every run writes the same bytes
SCIENCE = (1, 4)
CALLS = ("replace", "rename", "link", "unlink", "rmdir", "mkdir", "fsync", "open", "chmod", "chown", "setxattr")


@dataclass
class Report:
    """What a process said before it ended.

    Operations, whether it wrote to a new version, files that it replaced, and the time between the two.
    """

    operations: int = 0
    wrote: bool = False
    replaced: int = 0
    killed: bool = False
    seconds: float = 0.0

    def inside(self, files: int) -> bool:
        """Whether it ended between the first write and the last rename."""
        return self.wrote and self.replaced < files


@dataclass
class Operations:
    """Counts what the writer asks of the system; kills the process at one of them, tells a pipe about each."""

    names: frozenset[str]
    pipe: int
    kill_at: int = 0
    count: int = 0
    told: set[str] = field(default_factory=set)

    def step(self, halfway: Callable[[], object] | None = None) -> None:
        """Count an operation that is about to begin."""
        self.count += 1
        os.write(self.pipe, b".")
        if self.count == self.kill_at:
            if halfway is not None:
                halfway()
            os.kill(os.getpid(), signal.SIGKILL)

    def install(self) -> None:
        """Put the counter in front of the calls that change files."""
        for name in CALLS:
            if hasattr(os, name):
                setattr(os, name, self._counted(name, getattr(os, name)))
        plain_open, counter = io.open, self

        class Raw(io.FileIO):
            def write(self, content) -> int:
                if ".skymatch-" in str(self.name) and "w" not in counter.told:
                    counter.told.add("w")
                    os.write(counter.pipe, b"w")
                raw = super()
                counter.step(lambda: raw.write(bytes(content)[: len(bytes(content)) // 2]))
                return raw.write(content)

        def counted_open(file, mode="r", *args, **kwargs):
            if "b" not in mode or not set(mode) & set("wxa+") or "opener" in kwargs:
                return plain_open(file, mode, *args, **kwargs)
            self.step()
            raw = Raw(file, mode.replace("b", ""))
            return io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)

        io.open = counted_open

    def _counted(self, name: str, call: Callable[..., object]) -> Callable[..., object]:
        def counted(*args: object, **kwargs: object) -> object:
            self.step()
            out = call(*args, **kwargs)
            if name in ("replace", "rename") and Path(str(args[1])).name in self.names:
                os.write(self.pipe, b"r")
            return out

        return counted


def run_and_kill(
    work: Callable[[], object], names: Iterable[str], kill_at: int = 0, after: float | None = None
) -> Report:
    """Do some work in a process of its own.

    It is killed at an operation, or some seconds after its first write; with neither it comes to its end.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(reading)
            Operations(frozenset(names), writing, kill_at).install()
            work()
            status = 0
        finally:
            os._exit(status)
    os.close(writing)
    told, first, last = b"", 0.0, 0.0
    while got := os.read(reading, 4096):
        told += got
        if b"w" in got:
            first = time.perf_counter()
            if after is not None:
                time.sleep(after)
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)
        if b"r" in got:
            last = time.perf_counter()
    os.close(reading)
    _, status = os.waitpid(child, 0)
    killed = os.WIFSIGNALED(status)
    if not killed and os.WEXITSTATUS(status):
        raise AssertionError("the process that writes failed by itself")
    return Report(told.count(b"."), b"w" in told, told.count(b"r"), killed, last - first)


def edits_of(paths: Iterable[Path], value: float = 0.125) -> list[FileEdit]:
    """Subtract a sky from both chips of each file."""
    chips = tuple(ExtensionEdit(k, (("SKYUSER", value, "sky subtracted"),), (f"sky {value}",), value) for k in SCIENCE)
    return [FileEdit(path, (ExtensionEdit(0, (), ("sky subtracted",)), *chips)) for path in paths]


def digests(paths: Iterable[Path]) -> list[str]:
    """SHA-256 of files."""
    return [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]


def strays(folder: Path, paths: Iterable[Path]) -> list[Path]:
    """What is in a folder but the files themselves, journals, and the lock."""
    allowed = {*paths, folder / ".skymatch"}
    left = [path for path in folder.iterdir() if path not in allowed]
    return left + [
        p for p in (folder / ".skymatch").rglob("*") if p.is_file() and p.name not in ("journal.json", "lock")
    ]


class Trial:
    """Six files, their old and new versions, and the kills so far."""

    def __init__(self, folder: Path, shape: tuple[int, int] = (128, 256), seed: int = 1, command: bool = False) -> None:
        self.folder, self.random, self.command = folder, random.Random(seed), command
        self.paths = make_mosaic(folder, shape=shape, seed=seed, stars=4).paths
        self.names = [path.name for path in self.paths]
        if command:  # compile first, so that every run does the same
            assert main_of_package(self.words()) == 0
        self.old = digests(self.paths)
        whole = run_and_kill(self.write, self.names)
        self.seconds = whole.seconds
        self.new = digests(self.paths)
        assert whole.replaced == len(self.paths)
        assert not set(self.old) & set(self.new)
        self.operations = whole.operations
        self.kills = self.inside = self.all_old = self.all_new = self.mixed = 0
        self.restore()

    def write(self) -> None:
        """What the process does that is killed: the command line with --apply, or only the writer."""
        if not self.command:
            write_files(edits_of(self.paths))
            return
        assert main_of_package([*self.words(), "--subtractsky", "True", "--apply"]) == 0

    def words(self) -> list[str]:
        """The command that matches the files, without writing."""
        return ["match", *map(str, self.paths), "--skymethod", "match", "--quiet"]

    def kill(self, kill_at: int = 0, after: float | None = None) -> Report:
        """One kill, and all that must hold after it."""
        report = run_and_kill(self.write, self.names, kill_at, after)
        found = digests(self.paths)
        for path, is_now, old, new in zip(self.paths, found, self.old, self.new, strict=True):
            assert is_now in (old, new), f"{path} is neither old nor new"
        if report.killed:
            self.kills += 1
            self.inside += report.inside(len(self.paths))
            self.all_old += found == self.old
            self.all_new += found == self.new
            self.mixed += found not in (self.old, self.new)
        self.restore()
        return report

    def restore(self) -> None:
        """Recover, undo what was finished, and check that all is as it was."""
        recover(self.folder)
        found = digests(self.paths)
        assert found in (self.old, self.new), "recovery left some files old and some new"
        if found == self.new:
            undo([self.folder])
        assert digests(self.paths) == self.old, "not all files were restored"
        assert not strays(self.folder, self.paths), f"left behind: {strays(self.folder, self.paths)}"
        shutil.rmtree(self.folder / ".skymatch", ignore_errors=True)

    def moments(self, kills: int) -> Iterator[int]:
        """Operations to kill at: each, or so many spread evenly over all."""
        count = min(kills, self.operations)
        return (1 + k * (self.operations - 1) // max(count - 1, 1) for k in range(count))

    def summary(self) -> str:
        """Numbers of what was seen."""
        return (
            f"{self.kills} kills, {self.inside} between the first write and the last rename "
            f"(a run has {self.operations} operations, and these are {self.seconds:.3f} s apart): afterwards all old "
            f"{self.all_old}, all new {self.all_new}, some of each {self.mixed}; every file was old or new, "
            f"all were restored, nothing was left behind"
        )


def kill_many(folder: Path, kills: int, seed: int = 1, command: bool = False) -> Trial:
    """Kill at every operation (at most three quarters of the kills), then at random times."""
    trial = Trial(folder, seed=seed, command=command)
    for moment in trial.moments(3 * kills // 4):
        trial.kill(kill_at=moment)
    tries = 0
    while trial.kills < kills and tries < 10 * kills:
        trial.kill(after=trial.random.uniform(0, trial.seconds))
        tries += 1
    return trial


def main() -> int:
    """Run from the shell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--folder", type=Path, help="where to make the files; a temporary folder if not given")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--writer-only", action="store_true", help="kill the writer alone, not the command line")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        logging.disable()
        trial = kill_many(Path(folder).resolve(), options.kills, options.seed, not options.writer_only)
    print(trial.summary())
    return 0 if trial.kills >= options.kills else 1


if __name__ == "__main__":
    sys.exit(main())

import errno
import hashlib
import importlib.util
import json
import multiprocessing
import os
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from skymatch_nb.errors import InputError, SkyMatchError, SkyMatchWarning
from skymatch_nb.io import locks, writer
from skymatch_nb.io.writer import ExtensionEdit, FileEdit, recover, undo, write_files

SKY = ("SKYUSER", 1.25, "sky subtracted")
FLOATS = np.random.default_rng(3).normal(5, 1, (30, 40)).astype(np.float32)
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="processes cannot be forked here")


def make(folder, *names):
    folder.mkdir(exist_ok=True)
    paths = [folder / name for name in names]
    for k, path in enumerate(paths):
        fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(FLOATS + k, name="SCI")]).writeto(path)
    return paths


@pytest.fixture
def files(tmp_path):
    return make(tmp_path / "data", "a.fits", "b.fits", "c.fits")


def edits(paths, value=1.25):
    return [FileEdit(p, (ExtensionEdit(0, (), ("sky",)), ExtensionEdit(1, (SKY,), ("sky",), value))) for p in paths]


def digests(paths):
    return [hashlib.sha256(p.read_bytes()).hexdigest() for p in paths]


def everything(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*"))


def test_files_are_written_and_originals_kept(files):
    old, names = digests(files), everything(files[0].parent)
    seen = []
    outcomes = write_files(edits(files), about={"version": "1"}, progress=lambda *a: seen.append(a))
    assert [(o.path, o.status, o.notes) for o in outcomes] == [(p, "written", ()) for p in files]
    assert digests([Path(o.backup) for o in outcomes]) == old
    assert [fits.getheader(p, 1)["SKYUSER"] for p in files] == [1.25] * 3
    assert np.array_equal(fits.getdata(files[0], 1), FLOATS - np.float32(1.25))
    assert seen[0][:2] == (0, 3)
    assert seen[-1][:2] == (3, 3)
    run = Path(outcomes[0].backup).parent
    journal = json.loads((run / "journal.json").read_text())
    assert journal["about"] == {"version": "1"}
    assert journal["state"] == "done"
    assert [e["sha256"] for e in journal["entries"]] == old
    assert [e["new_sha256"] for e in journal["entries"]] == digests(files)
    assert [n for n in everything(files[0].parent) if not n.startswith(".skymatch")] == names


def test_undo_restores_bit_for_bit(files):
    old, times = digests(files), [p.stat().st_mtime_ns for p in files]
    write_files(edits(files))
    outcomes = undo(files)
    assert [(o.path, o.status) for o in outcomes] == [(p, "restored") for p in files]
    assert digests(files) == old
    assert [p.stat().st_mtime_ns for p in files] == times
    assert [p for p in files[0].parent.rglob("*.fits") if p not in files] == []
    with pytest.raises(InputError, match="left to undo"):
        undo(files)
    with pytest.raises(InputError, match="left to undo"):
        undo([files[0].parent])


def test_undo_of_a_folder_goes_back_run_by_run(files):
    versions = [digests(files)]
    for value in (1.0, 2.0):
        write_files(edits(files, value))
        versions.append(digests(files))
    for version in reversed(versions[:-1]):
        undo([files[0].parent])
        assert digests(files) == version


def test_undo_of_some_files_leaves_the_others(files):
    old = digests(files)
    write_files(edits(files))
    new = digests(files)
    undo(files[1:2])
    assert digests(files) == [new[0], old[1], new[2]]
    undo([files[0].parent])
    assert digests(files) == old


def test_undo_refuses_after_a_change_and_tells_it(files):
    write_files(edits(files))
    fits.setval(files[1], "OBSERVER", value="someone", ext=1)
    with files[2].open("r+b") as stream:
        stream.seek(5760 + 8)
        stream.write(b"\1\2\3\4")
    now = digests(files)
    with pytest.raises(InputError) as caught:
        undo([files[0].parent])
    text = str(caught.value)
    assert digests(files) == now
    assert "a.fits: it has changed" not in text
    assert "b.fits: it has changed" in text
    assert "header of SCI,1 (1) differs" in text
    assert "data of SCI,1 (1) differs" in text.split("c.fits")[1]
    assert "\n" not in text
    assert undo(files[:1])[0].status == "restored"


def test_undo_refuses_what_is_gone(files):
    outcomes = write_files(edits(files))
    now = digests(files)
    Path(outcomes[0].backup).unlink()
    with pytest.raises(InputError, match=r"its original .* is gone"):
        undo(files)
    Path(outcomes[1].backup).write_bytes(b"other")
    with pytest.raises(InputError, match=r"its original .* has been changed"):
        undo(files[1:2])
    assert digests(files) == now
    files[2].write_bytes(b"no longer FITS")
    with pytest.raises(InputError, match="no longer a whole FITS file"):
        undo(files[2:])
    files[2].unlink()
    with pytest.raises(InputError, match="No such file"):
        undo(files[2:])


def test_undo_without_any_run(files):
    with pytest.raises(InputError, match="no run has kept anything"):
        undo([files[0]])
    assert not (files[0].parent / ".skymatch").exists()


def test_without_backup_nothing_is_kept(files):
    names = everything(files[0].parent)
    outcomes = write_files(edits(files), backup=False)
    assert [o.backup for o in outcomes] == [""] * 3
    assert everything(files[0].parent) == names
    with pytest.raises(InputError):
        undo(files)


def test_files_of_several_folders(tmp_path):
    files = make(tmp_path / "one", "a.fits", "b.fits") + make(tmp_path / "two", "a.fits")
    old = digests(files)
    outcomes = write_files(edits(reversed(files)))
    assert [o.path for o in outcomes] == files[::-1]
    assert len({Path(o.backup).parent.name for o in outcomes}) == 1
    assert len({Path(o.backup).parent for o in outcomes}) == 2
    undo([tmp_path / "two"])
    assert digests(files)[2] == old[2]
    assert digests(files)[:2] != old[:2]
    undo(files[:2])
    assert digests(files) == old


def test_undo_after_the_folder_moved(files, tmp_path):
    old = digests(files)
    write_files(edits(files))
    moved = files[0].parent.rename(tmp_path / "elsewhere")
    undo([moved])
    assert digests([moved / p.name for p in files]) == old


def test_symbolic_links_stay(files, tmp_path):
    other = tmp_path / "links"
    other.mkdir()
    link = other / "link.fits"
    link.symlink_to(files[0])
    old = digests(files)
    (outcome,) = write_files(edits([link]))
    assert outcome.path == link
    assert link.is_symlink()
    assert fits.getheader(files[0], 1)["SKYUSER"] == 1.25
    assert everything(other) == ["link.fits"]
    undo([link])
    assert digests(files) == old
    assert link.is_symlink()


def test_mode_is_kept(files):
    files[0].chmod(0o640)
    write_files(edits(files))
    assert files[0].stat().st_mode & 0o777 == 0o640
    undo(files)
    assert files[0].stat().st_mode & 0o777 == 0o640


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away")
def test_owner_is_kept(files):
    os.chown(files[0], 1234, 1234)
    write_files(edits(files))
    assert (files[0].stat().st_uid, files[0].stat().st_gid) == (1234, 1234)


def test_hard_links_are_told_and_originals_copied(files, tmp_path):
    other = tmp_path / "other.fits"
    os.link(files[0], other)
    old = digests(files)
    outcomes = write_files(edits(files))
    assert outcomes[0].notes == ("its other hard links keep the old version",)
    assert outcomes[1].notes == ()
    with other.open("ab") as stream:
        stream.write(b"changed under its other name")
    undo(files)
    assert digests(files) == old


def test_file_systems_without_hard_links(files, monkeypatch):
    def refuse(*_):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    old, times = digests(files), [p.stat().st_mtime_ns for p in files]
    write_files(edits(files))
    undo(files)
    assert digests(files) == old
    assert [p.stat().st_mtime_ns for p in files] == times
    names = everything(files[0].parent)
    write_files(edits(files), backup=False)
    assert everything(files[0].parent) == names


def test_the_same_file_twice(files, tmp_path):
    link, hard = tmp_path / "link.fits", tmp_path / "hard.fits"
    link.symlink_to(files[0])
    os.link(files[0], hard)
    old = digests(files)
    for again in (files[0], link, hard):
        with pytest.raises(InputError, match="given twice"):
            write_files(edits([*files, again]))
    assert digests(files) == old
    assert not (files[0].parent / ".skymatch").exists()


def test_every_problem_is_told_before_anything_is_written(files, tmp_path):
    (locked,) = make(tmp_path / "locked", "d.fits")
    files[1].chmod(0o444)
    locked.parent.chmod(0o555)
    old = digests(files)
    with pytest.raises(InputError) as caught:
        write_files(edits([*files, locked, tmp_path / "missing.fits"]))
    locked.parent.chmod(0o755)
    text = str(caught.value)
    assert "\n" not in text
    assert f"{files[1]}: the file is read-only" in text
    assert f"{locked.parent}: the folder is read-only" in text
    assert f"{tmp_path / 'missing.fits'}: No such file" in text
    assert digests(files) == old
    assert not list(tmp_path.rglob(".*"))


def test_bad_edits_and_files_are_told_before_anything_is_written(files):
    files[2].write_text("no FITS")
    old = digests(files)
    with pytest.raises(InputError) as caught:
        write_files([*edits(files[:1]), FileEdit(files[1], (ExtensionEdit(5),)), *edits(files[2:])])
    assert "b.fits[5]: no such extension" in str(caught.value)
    assert "c.fits: not a FITS file" in str(caught.value)
    assert digests(files) == old
    assert not (files[0].parent / ".skymatch").exists()


def test_no_room_is_found_before_the_first_byte(files, monkeypatch):
    opened = []
    monkeypatch.setattr("skymatch_nb.io.preflight.disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9, 999))
    monkeypatch.setattr(writer, "write_edited", lambda *a: opened.append(a))
    old = digests(files)
    with pytest.raises(SkyMatchError, match="the disk has 999 bytes free where"):
        write_files(edits(files))
    assert opened == []
    assert digests(files) == old
    assert not (files[0].parent / ".skymatch").exists()


@pytest.mark.parametrize("backup", [True, False])
@pytest.mark.parametrize("fault", ["write_edited", "verify_edited", "replace", "changed meanwhile"])
def test_an_error_midway_brings_everything_back(files, monkeypatch, fault, backup):
    old, calls = digests(files), []
    names = everything(files[0].parent)

    def failing(real):
        def call(*args):
            calls.append(args)
            if len(calls) == 3:
                raise OSError(errno.EIO, "Input/output error")
            return real(*args)

        return call

    if fault == "replace":
        plain, renamed = os.replace, []

        def replace(source, target):
            if "journal" not in str(target) and ".skymatch-" in str(source):
                renamed.append(target)
                if len(renamed) == 3:
                    raise OSError(errno.EIO, "Input/output error")
            return plain(source, target)

        monkeypatch.setattr(os, "replace", replace)
    elif fault == "changed meanwhile":
        plain_verify = writer.verify_edited

        def verify(edit, original, target):
            plain_verify(edit, original, target)
            os.utime(files[1], ns=(1, 1))

        monkeypatch.setattr(writer, "verify_edited", verify)
    else:
        monkeypatch.setattr(writer, fault, failing(getattr(writer, fault)))
    with pytest.raises(SkyMatchError) as caught:
        write_files(edits(files), backup=backup)
    name, cause = ("b", "changed by something else") if fault == "changed meanwhile" else ("c", "Input/output error")
    assert f"{name}.fits: cannot be written: " in str(caught.value)
    assert cause in str(caught.value)
    assert str(caught.value).endswith("every file is as it was")
    assert "\n" not in str(caught.value)
    assert digests(files) == old
    assert everything(files[0].parent) == names


def test_an_interrupt_brings_everything_back(files):
    old, names = digests(files), everything(files[0].parent)

    def stop(done, *_):
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_files(edits(files), progress=stop)
    assert digests(files) == old
    assert everything(files[0].parent) == names


def test_about_that_json_cannot_hold(files):
    old = digests(files)
    with pytest.raises(SkyMatchError, match="the run failed"):
        write_files(edits(files), about={(1, 2): 3})
    assert digests(files) == old
    assert write_files(edits(files), about={"path": Path("x"), "number": np.float32(1)})


def hold(path, ready, release):
    def wait(done, *_):
        if done == 1:
            ready.set()
            release.wait(30)

    write_files(edits(path), progress=wait)


@needs_fork
def test_two_runs_do_not_interleave(files, monkeypatch):
    monkeypatch.setattr("skymatch_nb.io.locks.PATIENCE", 0.3)
    context = multiprocessing.get_context("fork")
    ready, release = context.Event(), context.Event()
    other = context.Process(target=hold, args=(files, ready, release))
    other.start()
    assert ready.wait(30)
    start = time.monotonic()
    for call in (lambda: write_files(edits(files, 2.0)), lambda: undo(files), lambda: recover(files[0].parent)):
        with pytest.raises(SkyMatchError, match="another run is writing there"):
            call()
    assert time.monotonic() - start < 5
    release.set()
    other.join(30)
    assert other.exitcode == 0
    assert [fits.getheader(p, 1)["SKYUSER"] for p in files] == [1.25] * 3
    write_files(edits(files, 2.0))
    undo(files)
    undo(files)
    assert np.array_equal(fits.getdata(files[0], 1), FLOATS)


def add_one(paths, count):
    for _ in range(count):
        write_files([FileEdit(p, (ExtensionEdit(1, (), (), -1.0),)) for p in paths], backup=False)


@needs_fork
def test_many_runs_that_wait_for_each_other(tmp_path, monkeypatch):
    monkeypatch.setattr(locks, "PATIENCE", 60.0)
    (path,) = make(tmp_path / "data", "a.fits")
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=add_one, args=([path], 6)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    want = FLOATS
    for _ in range(18):
        want = want + np.float32(1)
    assert np.array_equal(fits.getdata(path, 1), want)
    assert everything(path.parent) == ["a.fits"]


def _script():
    path = Path(__file__).parents[1] / "kill_writer.py"
    spec = importlib.util.spec_from_file_location("kill_writer", path)
    module = sys.modules.setdefault("kill_writer", importlib.util.module_from_spec(spec))
    if not hasattr(module, "run_and_kill"):
        spec.loader.exec_module(module)
    return module


def tree(folder):
    return [p for p in everything(folder) if not p.endswith((".skymatch/lock", ".skymatch"))]


@needs_fork
@pytest.mark.parametrize("links", [True, False])
@pytest.mark.parametrize("backup", [True, False])
def test_recovery_from_a_crash_at_every_operation(tmp_path, monkeypatch, backup, links):
    """Two folders, one file each; also the crash of the recovery itself."""
    monkeypatch.setattr("skymatch_nb.io.locks.PATIENCE", 0.5)
    if not links:
        monkeypatch.setattr("skymatch_nb.io.writer.link", lambda *_: False)
    run_and_kill = _script().run_and_kill
    kept = tmp_path / "kept"
    files = make(tmp_path / "one", "a.fits") + make(tmp_path / "two", "b.fits")
    folders = [p.parent for p in files]
    old = digests(files)
    for folder in folders:
        shutil.copytree(folder, kept / folder.name)

    def work():
        write_files(edits(files), backup=backup)

    total = run_and_kill(work, []).operations
    new = digests(files)
    for at in range(1, total + 1):
        for folder in folders:
            shutil.rmtree(folder)
            shutil.copytree(kept / folder.name, folder)
        assert run_and_kill(work, [], at).killed
        found = digests(files)
        assert all(f in pair for f, pair in zip(found, zip(old, new, strict=True), strict=True))
        start = folders[at % 2]
        run_and_kill(lambda start=start: recover(start), [], 1 + at % 23)
        recover(start)
        recover(folders[1 - at % 2])
        now = digests(files)
        if backup or links:
            assert now in (old, new), at
        if now == new != old and backup and found == new:
            undo(files)
            assert digests(files) == old
        left = [p for p in tree(tmp_path) if not p.startswith("kept")]
        assert not [p for p in left if "skymatch-" in p or p.endswith(".new")], at
        if now == old or not backup:
            assert [p for p in left if ".skymatch" in p] == [], at


@needs_fork
def test_recovery_from_a_crash_of_undo(files, monkeypatch):
    run_and_kill = _script().run_and_kill
    old = digests(files)
    write_files(edits(files))
    new = digests(files)
    kept = files[0].parent.with_name("kept")
    shutil.copytree(files[0].parent, kept, symlinks=True)
    total = run_and_kill(lambda: undo(files), []).operations
    for at in range(1, total + 1):
        shutil.rmtree(files[0].parent)
        shutil.copytree(kept, files[0].parent)
        run_and_kill(lambda: undo(files), [], at)
        found = digests(files)
        assert all(f in pair for f, pair in zip(found, zip(old, new, strict=True), strict=True))
        recover(files[0].parent)
        now = digests(files)
        assert now in (old, new)
        if now == new:
            undo(files)
        assert digests(files) == old


@needs_fork
def test_recovery_leaves_alone_what_was_changed_after_the_crash(files):
    old = digests(files)
    run_and_kill = _script().run_and_kill
    renames = {p.name for p in files}
    at = next(k for k in range(1, 500) if _replaced(run_and_kill, files, renames, k) == 2)
    assert at
    fits.setval(files[0], "OBSERVER", value="someone", ext=1)
    changed = digests(files)[0]
    outcomes = recover(files[0].parent)
    assert [o.status for o in outcomes] == ["left alone", "restored", "unchanged"]
    assert digests([Path(outcomes[0].backup)]) == old[:1]
    assert digests(files) == [changed, *old[1:]]
    assert recover(files[0].parent) == []
    write_files(edits(files))


def _replaced(run_and_kill, files, names, at):
    """Files replaced after a kill at an operation; all is brought back unless it is two."""
    report = run_and_kill(lambda: write_files(edits(files)), names, at)
    if report.replaced != 2:
        recover(files[0].parent)
    return report.replaced


def test_recover_without_anything_to_do(files):
    assert recover(files[0].parent) == []
    assert not (files[0].parent / ".skymatch").exists()
    write_files(edits(files))
    now = digests(files)
    assert recover(files[0].parent) == []
    assert digests(files) == now


def test_an_unreadable_journal_is_left_alone(files):
    outcomes = write_files(edits(files))
    run = Path(outcomes[0].backup).parent
    (run / "journal.json").write_text("{")
    assert [(o.path, o.status) for o in recover(files[0].parent)] == [(run, "left alone")]
    assert Path(outcomes[0].backup).exists()
    with pytest.warns(SkyMatchWarning, match="its journal cannot be read"):
        write_files(edits(files, 2.0))


@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "small"
    folder.mkdir()
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        pytest.skip("only root on Linux can mount a small disk")
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", folder], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"a small disk cannot be mounted: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", folder], check=True)


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("backup", [True, False])
def test_full_disk(small_disk, monkeypatch, known, backup):
    """Found before the first byte, or, where the free room is told wrong, when the disk is full."""
    data = np.ones((200, 200), np.float32)
    files = [small_disk / f"{k}.fits" for k in range(4)]
    for path in files:
        fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(data)]).writeto(path)
    if not known:
        usage = shutil._ntuple_diskusage(10**9, 0, 10**9)
        monkeypatch.setattr("skymatch_nb.io.preflight.disk_usage", lambda _: usage)
    old, names = digests(files), everything(small_disk)
    with pytest.raises(SkyMatchError) as caught:
        write_files(edits(files), backup=backup)
    assert ("bytes free where" if known else "No space left on device") in str(caught.value)
    assert str(caught.value).endswith("every file is as it was")
    assert digests(files) == old
    assert everything(small_disk) == names


def test_a_file_that_is_not_as_it_was_measured_is_not_written(files):
    old = digests(files)
    stamps = [(p.stat().st_size, p.stat().st_mtime_ns) for p in files]
    marked = [replace(edit, stamp=stamp) for edit, stamp in zip(edits(files), stamps, strict=True)]
    wrong = [*marked[:1], replace(marked[1], stamp=(stamps[1][0], 1)), *marked[2:]]
    with pytest.raises(InputError, match=r"b\.fits: the file has changed since it was loaded"):
        write_files(wrong)
    assert digests(files) == old
    assert [o.status for o in write_files(marked)] == ["written"] * 3


@needs_fork
def test_undo_after_a_crash_tells_what_was_done_about_it(files):
    old = digests(files)
    run_and_kill = _script().run_and_kill
    total = run_and_kill(lambda: write_files(edits(files)), []).operations
    undo(files)
    assert run_and_kill(lambda: write_files(edits(files)), [], total // 2).killed
    outcomes = undo(files)
    assert [o.path for o in outcomes] == files
    assert all("an interrupted run" in o.notes[0] for o in outcomes)
    assert digests(files) == old


@needs_fork
def test_writing_after_a_crash_warns_of_what_was_done_about_it(files):
    run_and_kill = _script().run_and_kill
    total = run_and_kill(lambda: write_files(edits(files)), []).operations
    undo(files)
    assert run_and_kill(lambda: write_files(edits(files)), [], total // 2).killed
    with pytest.warns(SkyMatchWarning, match="an interrupted run"):
        write_files(edits(files))

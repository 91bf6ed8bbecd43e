"""Saved sessions, scripts and commands give the same tables again."""

import contextlib
import hashlib
import io
import json
import re
import shlex
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits

from skymatch_nb import (
    Extension,
    ImageSpec,
    InputError,
    MaskSpec,
    ParameterError,
    SkyMatchError,
    SkyMatchSession,
    SkyMatchWarning,
)
from skymatch_nb.cli import main


@pytest.fixture
def files(mosaic, tmp_path):
    copies = []
    for path in mosaic.paths[:3]:
        copies.append(tmp_path / path.name)
        copies[-1].write_bytes(path.read_bytes())
    return copies


@pytest.fixture
def session(files):
    return SkyMatchSession(files, skymethod="match", skystat="median", dq_bits="~4096", lower=-50, verbose=False)


@pytest.fixture
def with_fixed(session, files):
    """The session with known skies, of a file and of a member, and the other parameters of the solution."""
    fixed = {files[0].name: 0.1, f"{files[1].name}[SCI,1]": 1 / 3}
    return session.configure(fixed=fixed, weighting="variance", robust="huber", isolated="own", anchor="component")


@pytest.mark.filterwarnings("ignore:pairs disagree")
def test_known_skies_survive_document_script_command_and_cfg(with_fixed, tmp_path, capsys):
    assert with_fixed.sky.sky_data.iloc[0] == pytest.approx(0.1, rel=1e-15)
    again = SkyMatchSession.open(with_fixed.save(tmp_path / "s.json"))
    space = {}
    with contextlib.redirect_stdout(io.StringIO()):
        exec(with_fixed.to_script(), space)
    with_fixed.params.to_cfg(tmp_path / "p.cfg")
    for params in (again.params, space["s"].params, type(again.params).from_cfg(tmp_path / "p.cfg")):
        assert params == with_fixed.params
    assert main([*shlex.split(with_fixed.to_command())[1:], "--table", str(tmp_path / "t.json")]) == 0
    rows = json.loads((tmp_path / "t.json").read_text())["sky"]
    assert [row["sky"] for row in rows] == with_fixed.sky.sky.tolist()


@pytest.mark.parametrize("table", ["members", "masks", "footprints", "overlaps", "sky", "residuals"])
def test_reopened_session_gives_identical_tables(session, tmp_path, table):
    again = SkyMatchSession.open(session.save(tmp_path / "s.json"))
    assert again.params == session.params
    pd.testing.assert_frame_equal(getattr(again, table), getattr(session, table), check_exact=True)


def test_document_is_json_with_hashes_and_tables(session, tmp_path, files):
    document = json.loads(session.save(tmp_path / "s.json").read_text())
    assert [record["path"] for record in document["inputs"]] == [str(f) for f in files]
    assert all(len(record["sha256"]) == 64 for record in document["inputs"])
    assert [row["sky"] for row in document["tables"]["sky"]] == session.sky.sky.tolist()
    assert document["params"]["dq_bits"] == ~4096


def test_levels_that_differ_from_the_saved_ones_are_named(session, tmp_path):
    path = session.save(tmp_path / "s.json")
    document = json.loads(path.read_text())
    document["tables"]["sky"][2]["sky"] += 1e-4
    document["program"] = "skymatch_nb 0.0"
    path.write_text(json.dumps(document))
    again = SkyMatchSession.open(path, workers=1)
    name = document["tables"]["sky"][2]["member"]
    with pytest.warns(SkyMatchWarning, match=f"sky of {re.escape(name)} differs .* skymatch_nb 0.0 saved"):
        again.solve()
    SkyMatchSession.open(path).configure(nclip=2).solve()


def test_missing_levels_are_kept(files, write_image, tmp_path):
    s = SkyMatchSession([*files, write_image("far.fits", ra=200.0, FILTER="F814W")], skymethod="match", verbose=False)
    with pytest.warns(SkyMatchWarning, match="overlap no other"):
        path = s.save(tmp_path / "s.json")
    with pytest.warns(SkyMatchWarning) as caught:
        pd.testing.assert_frame_equal(SkyMatchSession.open(path).sky, s.sky, check_exact=True)
    assert not any("differs" in str(w.message) for w in caught)


def test_extensions_and_masks_are_kept(files, tmp_path):
    mask = tmp_path / "m.fits"
    good = np.ones((128, 256), np.uint8)
    good[:60] = 0
    fits.PrimaryHDU(good).writeto(mask)
    spec = ImageSpec(files[0], (Extension(name="SCI", version=2),), (MaskSpec(mask),))
    s = SkyMatchSession([spec, files[1]], skymethod="match", masks={}, verbose=False)
    again = SkyMatchSession.open(s.save(tmp_path / "s.json"))
    assert again.masks.bad_user.iloc[0] == 60 * 256
    pd.testing.assert_frame_equal(again.sky, s.sky)
    space = {}
    with contextlib.redirect_stdout(io.StringIO()):
        exec(s.to_script(), space)
    pd.testing.assert_frame_equal(space["s"].sky, s.sky)
    with pytest.raises(InputError, match="@-file"):
        s.to_command()


@pytest.fixture
def listed(files, tmp_path, monkeypatch):
    """Folder with an @-file that masks rows of the first chip, by names relative to it; its name needs quotes."""
    good = np.ones((128, 256), np.uint8)
    good[:60] = 0
    fits.PrimaryHDU(good).writeto(tmp_path / "m.fits")
    monkeypatch.chdir(tmp_path)
    lines = [f"{files[0].name}{{('sci',*)}}, m.fits", f"{files[1].name}  # no mask", f"{files[1].name}[sci,1]"]
    (tmp_path / "it's a, list.txt").write_text("\n".join(lines))
    return tmp_path


def repeated(command, table):
    """Sky levels that a command prints, run by a shell where it is not one word list."""
    program = f"{shlex.quote(sys.executable)} -m skymatch_nb.cli"
    script = command.replace("skymatch-nb", program, 1) + f" --table {shlex.quote(str(table))} --quiet"
    subprocess.run(["sh", "-c", script], check=True)
    return [row["sky"] for row in json.loads(table.read_text())["sky"]]


def test_masks_of_an_at_file_are_in_the_command_as_that_file(listed, files, tmp_path_factory, monkeypatch):
    s = SkyMatchSession(['@"it\'s a, list.txt"', files[2]], skymethod="match", verbose=False)
    assert s.masks.bad_user.tolist()[:2] == [60 * 256, 0]
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    words = shlex.split(s.to_command())
    assert words[:4] == ["skymatch-nb", "match", f'@"{listed}/it\'s a, list.txt"', str(files[2])]
    assert repeated(s.to_command(), listed / "t.json") == s.sky.sky.tolist()
    space = {}
    with contextlib.redirect_stdout(io.StringIO()):
        exec(s.to_script(), space)
    pd.testing.assert_frame_equal(space["s"].sky, s.sky)
    assert space["s"].masks.bad_user.tolist() == s.masks.bad_user.tolist()


def test_a_command_goes_to_the_folder_that_names_of_an_at_file_are_relative_to(listed, files):
    (listed / "deep dir").mkdir()
    (listed / "it's a, list.txt").rename("deep dir/list.txt")
    s = SkyMatchSession("@deep dir/list.txt", skymethod="match", verbose=False)
    command = s.to_command()
    assert command.startswith(f"cd {listed} && skymatch-nb match '@{listed}/deep dir/list.txt' ")
    assert repeated(command, listed / "t.json") == s.sky.sky.tolist()


@pytest.mark.parametrize("lines", ["", "none.fits", None])
def test_an_at_file_with_masks_that_has_changed_is_named(listed, lines):
    s = SkyMatchSession('@"it\'s a, list.txt"', verbose=False)
    path = listed / "it's a, list.txt"
    path.unlink() if lines is None else path.write_text(lines)
    with pytest.raises(InputError, match=r"it's a, list\.txt\" gives other images or masks than when it was read"):
        s.to_command()


def test_changed_and_missing_files_are_named(session, tmp_path, files):
    path = session.save(tmp_path / "s.json")
    with fits.open(files[1], mode="update") as hdus:
        hdus["SCI", 1].data += 1
    with pytest.warns(SkyMatchWarning, match=f"{files[1].name} has changed"):
        SkyMatchSession.open(path)
    files[1].unlink()
    with pytest.raises(InputError, match=f"no such file.*{files[1].name}"):
        SkyMatchSession.open(path)


def test_files_that_moved_with_the_document_are_found(session, tmp_path):
    path = session.save(tmp_path / "s.json")
    moved = tmp_path.parent / f"{tmp_path.name}_moved"
    tmp_path.rename(moved)
    again = SkyMatchSession.open(moved / path.name)
    assert again.sky.sky.notna().all()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "other", "format_version": 1}', "\x00"])
def test_what_is_no_saved_session_is_refused(tmp_path, text):
    path = tmp_path / "s.json"
    path.write_text(text)
    with pytest.raises(InputError, match=r"s\.json"):
        SkyMatchSession.open(path)


def test_objects_cannot_be_saved(files, tmp_path):
    with fits.open(files[0]) as hdus:
        s = SkyMatchSession([hdus, files[1]], skymethod="match", verbose=False)
        with pytest.raises(InputError, match="in memory"):
            s.save(tmp_path / "s.json")
    assert not (tmp_path / "s.json").exists()


def test_script_makes_the_same_table(session, tmp_path):
    script = tmp_path / "again.py"
    script.write_text(session.to_script() + f"s.sky.to_pickle({str(tmp_path / 'sky.pkl')!r})\n")
    subprocess.run([sys.executable, str(script)], check=True, capture_output=True)
    pd.testing.assert_frame_equal(pd.read_pickle(tmp_path / "sky.pkl"), session.sky)


def test_command_makes_the_same_table(session, tmp_path, capsys):
    words = shlex.split(session.to_command())
    assert words[:2] == ["skymatch-nb", "match"]
    assert main([*words[1:], "--table", str(tmp_path / "t.json")]) == 0
    rows = json.loads((tmp_path / "t.json").read_text())["sky"]
    assert [row["sky"] for row in rows] == session.sky.sky.tolist()


def test_masks_given_apart_are_kept_hashed_and_found_again(files, tmp_path, monkeypatch):
    good = np.ones((128, 256), np.uint8)
    good[:60] = 0
    mask = tmp_path / "it's [1].fits"
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(good), fits.ImageHDU(1 - good)]).writeto(mask)
    first, second = f"{files[0].name}[SCI,1]", f"{files[1].name}[SCI,2]"
    monkeypatch.chdir(tmp_path)
    given = {"masks": {first: '"it\'s [1].fits"[1]'}, "dq": {second: '"it\'s [1].fits"[2]'}}
    s = SkyMatchSession(files, skymethod="match", verbose=False, **given)
    (record,) = s.provenance()["files_beside"]
    assert record["path"] == str(mask)
    assert record["sha256"] == hashlib.sha256(mask.read_bytes()).hexdigest()
    path = s.save(tmp_path / "s.json")
    monkeypatch.chdir(tmp_path.parent)
    again = SkyMatchSession.open(path)
    pd.testing.assert_frame_equal(again.masks, s.masks)
    pd.testing.assert_frame_equal(again.sky, s.sky, check_exact=True)
    assert again.masks.bad_user[first] == again.masks.bad_dq[second] == 60 * 256
    space = {}
    with contextlib.redirect_stdout(io.StringIO()):
        exec(s.to_script(), space)
    pd.testing.assert_frame_equal(space["s"].sky, s.sky, check_exact=True)
    with fits.open(mask, mode="update") as hdus:
        hdus[1].data[0] = 1
    with pytest.warns(SkyMatchWarning, match="has changed since the session was saved"):
        SkyMatchSession.open(path)
    with pytest.raises(InputError, match="has changed since it was loaded"):
        s.configure(readonly=False).apply()


def test_sky_file_has_two_columns(session, tmp_path):
    lines = session.write_skyfile(tmp_path / "sky.txt").read_text().splitlines()
    levels = {name: float(value) for name, value in (line.split() for line in lines)}
    first = session.sky.groupby("group").sky_data.first()
    assert levels == pytest.approx(first.to_dict())


def test_provenance_names_version_parameters_and_files(session, files):
    told = session.provenance()
    assert told["program"].startswith("skymatch_nb ")
    assert told["params"]["skystat"] == "median"
    assert [record["path"] for record in told["inputs"]] == [str(f) for f in files]


def test_hashes_are_those_of_the_files_as_loaded(session, files, tmp_path):
    sky = session.sky
    before = [record["sha256"] for record in session.provenance()["inputs"]]
    session.configure(readonly=False, subtractsky=True).apply()
    assert [record["sha256"] for record in session.provenance()["inputs"]] == before
    path = session.save(tmp_path / "s.json")
    with pytest.warns(SkyMatchWarning, match="has changed since the session was saved"):
        SkyMatchSession.open(path)
    pd.testing.assert_series_equal(session.sky.sky, sky.sky)


def test_file_that_changed_after_loading_cannot_be_told(session, tmp_path, files):
    session.solve()
    with fits.open(files[1], mode="update") as hdus:
        hdus["SCI", 1].data += 1
    with pytest.raises(InputError, match="has changed since it was loaded"):
        session.save(tmp_path / "s.json")


def test_masks_of_files_are_in_the_script_and_arrays_are_refused(files, tmp_path):
    mask = tmp_path / "m.fits"
    good = np.ones((128, 256), np.uint8)
    good[:60] = 0
    fits.PrimaryHDU(good).writeto(mask)
    name = f"{files[0].name}[SCI,1]"
    s = SkyMatchSession(files, skymethod="match", masks={name: str(mask)}, verbose=False)
    space = {}
    with contextlib.redirect_stdout(io.StringIO()):
        exec(s.to_script(), space)
    pd.testing.assert_frame_equal(space["s"].sky, s.sky)
    with pytest.raises(InputError, match="@-file"):
        s.to_command()
    s = SkyMatchSession(files, masks={name: good}, verbose=False)
    for write in (s.to_script, s.to_command):
        with pytest.raises(InputError, match="in memory"):
            write()


def test_a_sky_file_cannot_hold_names_with_blanks(mosaic, tmp_path):
    path = tmp_path / "a b.fits"
    path.write_bytes(mosaic.paths[0].read_bytes())
    with pytest.raises(SkyMatchError, match=r"'a b\.fits': names in a sky file cannot have blanks"):
        SkyMatchSession(path, skymethod="localmin", verbose=False).write_skyfile(tmp_path / "sky.txt")
    with pytest.raises(ParameterError, match="no"):
        SkyMatchSession(path, skymethod="localmin", verbose=False).save(tmp_path / "no" / "s.json")

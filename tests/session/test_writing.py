"""apply: the only step that writes; numbers that cannot be mistaken, and a way back."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from astropy import units as u
from astropy.io import fits
from astropy.nddata import CCDData, NDData
from astropy.utils.masked import Masked
from astropy.wcs import WCS

from skymatch_nb import InputError, SkyMatchError, SkyMatchSession, SkyMatchWarning, skymatch
from skymatch_nb.cli import main
from skymatch_nb.io.undoing import has_written
from skymatch_nb.io.writer import undo


@pytest.fixture
def files(mosaic, tmp_path):
    copies = []
    for path in mosaic.paths[:3]:
        copies.append(tmp_path / path.name)
        copies[-1].write_bytes(path.read_bytes())
    return copies


def session(files, **params):
    defaults = {"skymethod": "match", "skystat": "median", "readonly": False, "verbose": False}
    return SkyMatchSession(files, **(defaults | params))


def hashes(files):
    return [hashlib.sha256(f.read_bytes()).hexdigest() for f in files]


def changed_cards(before, after):
    """Keywords of cards that differ between two files, by extension."""
    found = {}
    with fits.open(before) as old, fits.open(after) as new:
        for k, (a, b) in enumerate(zip(old, new, strict=True)):
            one, other = ([str(c) for c in h.header.cards if str(c).strip()] for h in (a, b))
            extra = {line[:8].strip() for line in set(other) ^ set(one)}
            if extra:
                found[k] = extra
    return found


def test_readonly_reports_and_writes_nothing(files):
    before = hashes(files)
    applied = session(files, readonly=True).apply()
    assert set(applied.status) == {"reported, nothing written"}
    assert hashes(files) == before
    assert [p.name for p in files[0].parent.iterdir() if p not in files] == []


def test_computed_level_is_written_to_the_keyword_alone(files, mosaic):
    s = session(files)
    sky = s.solve()
    applied = s.apply()
    assert (applied.new == sky.sky_data).all()
    assert (applied.subtracted == 0).all()
    for original, file in zip(mosaic.paths, files, strict=False):
        assert changed_cards(original, file) == {
            0: {"HISTORY"},
            1: {"SKYUSER", "SKYUSERM", "HISTORY"},
            4: {"SKYUSER", "SKYUSERM", "HISTORY"},
        }
        with fits.open(file) as hdus, fits.open(original) as old:
            assert hdus["SCI", 2].header["SKYUSER"] == sky.sky_data[f"{file.name}[SCI,2]"]
            assert hdus["SCI", 2].header["SKYUSERM"] == "computed"
            assert "not subtracted" in hdus["SCI", 2].header.comments["SKYUSER"]
            assert all(np.array_equal(a.data, b.data) for a, b in zip(hdus, old, strict=True) if a.data is not None)


def test_subtraction_takes_the_level_off_within_one_rounding(files, mosaic):
    s = session(files, subtractsky=True)
    sky = s.solve()
    s.apply()
    for original, file in zip(mosaic.paths, files, strict=False):
        with fits.open(file) as hdus, fits.open(original) as old:
            for version in (1, 2):
                level = sky.sky_data[f"{file.name}[SCI,{version}]"]
                expected = (old["SCI", version].data.astype(float) - level).astype(np.float32)
                assert np.array_equal(hdus["SCI", version].data, expected)
                assert hdus["SCI", version].header["SKYUSERM"] == "subtracted"


def test_subtracting_twice_adds_up_and_leaves_nothing(files):
    first = skymatch(files, "match", skystat="median", readonly=False, subtractsky=True, flog=None, verbose=False)
    second = skymatch(files, "match", skystat="median", readonly=False, subtractsky=True, flog=None, verbose=False)
    assert first.sky_data.max() > 0.01
    assert second.sky_data.abs().max() < 1e-3 * first.sky_data.max() + 2e-4
    with fits.open(files[1]) as hdus:
        total = hdus["SCI", 1].header["SKYUSER"]
    name = f"{files[1].name}[SCI,1]"
    assert total == pytest.approx(first.sky_data[name] + second.sky_data[name], abs=1e-12)


def test_undo_restores_every_bit(files):
    before = hashes(files)
    s = session(files, subtractsky=True)
    s.apply()
    assert hashes(files) != before
    restored = s.undo()
    assert set(restored.status) == {"restored"}
    assert hashes(files) == before
    with pytest.raises(InputError, match="no run that wrote it is left to undo"):
        s.undo()


def test_a_new_session_can_undo_what_another_wrote(files):
    before = hashes(files)
    session(files).apply()
    assert set(session(files).undo().status) == {"restored"}
    assert hashes(files) == before


def test_file_that_changed_since_the_solution_is_not_written(files):
    s = session(files, subtractsky=True)
    s.solve()
    with fits.open(files[1], mode="update") as hdus:
        hdus["SCI", 1].data += 1
    before = hashes(files)
    with pytest.raises(InputError, match=f"{files[1].name}: the file has changed since it was loaded"):
        s.apply()
    assert hashes(files) == before


@pytest.mark.parametrize("subtractsky", [True, False])
def test_text_in_the_keyword_is_not_replaced(files, subtractsky):
    with fits.open(files[1], mode="update") as hdus:
        hdus["SCI", 1].header["SKYUSER"] = "by eye"
    with pytest.raises(SkyMatchError, match=r"SKYUSER is not a number \('by eye'\)"):
        session(files, subtractsky=subtractsky).apply()


def test_what_is_left_to_undo_is_known(files, tmp_path):
    assert not has_written(files)
    s = session(files[:2])
    s.apply()
    assert has_written(files[:1])
    assert has_written([tmp_path])
    assert not has_written(files[2:])
    s.undo()
    assert not has_written(files)
    assert not has_written([tmp_path / "missing" / "a.fits"])


def test_undo_refuses_when_a_file_has_changed_since(files):
    s = session(files)
    s.apply()
    with fits.open(files[1], mode="update") as hdus:
        hdus[0].header["OBSERVER"] = "someone"
    after = hashes(files)
    with pytest.raises(InputError, match=files[1].name):
        s.undo()
    assert hashes(files) == after


def test_same_solution_is_not_applied_twice(files):
    s = session(files, subtractsky=True)
    s.apply()
    after = hashes(files)
    with pytest.raises(SkyMatchError, match="applied before"):
        s.apply()
    assert hashes(files) == after
    s.load()
    s.apply()
    assert hashes(files) != after


def test_tables_stay_and_new_pixels_need_a_load(files):
    s = session(files, subtractsky=True)
    sky = s.solve()
    s.apply()
    pd.testing.assert_frame_equal(s.sky, sky)
    assert set(s.applied.status) == {"written"}
    with pytest.raises(InputError, match="changed since it was loaded"):
        s.configure(dq_bits=None).solve()
    s.load()
    assert s.solve().sky_data.abs().max() < 1e-2


@pytest.mark.parametrize("first", [True, False])
def test_the_two_meanings_of_the_keyword_are_not_mixed(files, first):
    session(files, subtractsky=first).apply()
    before = hashes(files)
    again = session(files, subtractsky=not first)
    assert again.configure(readonly=True).apply().status.str.startswith("would be refused").all()
    with pytest.raises(SkyMatchError, match="allow_mixed=True"):
        again.configure(readonly=False).apply()
    assert hashes(files) == before
    again.configure(allow_mixed=True).apply()
    assert hashes(files) != before


def test_value_of_unknown_origin(files):
    for file in files:
        with fits.open(file, mode="update") as hdus:
            hdus[0].header["MDRIZSKY"] = 2.5
    s = session(files, skyuser_kwd="MDRIZSKY", subtractsky=True)
    stays = r"MDRIZSKY in the primary header of demo_01_flt\.fits and 2 more stays as it is"
    with (
        pytest.warns(SkyMatchWarning, match=r"MDRIZSKY of .* and 5 more is of unknown origin"),
        pytest.warns(SkyMatchWarning, match=stays),
    ):
        applied = s.apply()
    assert np.allclose(applied.new - applied.subtracted, 2.5)
    s.undo()
    s = session(files, skyuser_kwd="MDRIZSKY")
    with pytest.warns(SkyMatchWarning, match=stays):
        applied = s.apply()
    assert (applied.old == 2.5).all()
    assert (applied.new == s.sky.sky_data).all()
    told = "MDRIZSKY = 2.5 stays in the primary header, the extensions have the new values"
    assert applied.status.str.endswith(told).all()
    with fits.open(files[0]) as hdus:
        assert hdus[0].header["MDRIZSKY"] == 2.5
        assert hdus["SCI", 2].header["MDRIZSKY"] == applied.new.iloc[1]
    with pytest.warns(SkyMatchWarning, match=stays):
        again = session(files, skyuser_kwd="MDRIZSKY", readonly=True).apply()
    assert (again.old == applied.new).all()


def test_groups_without_a_level_are_left_alone(files, write_image):
    alone = write_image("alone.fits", ra=200.0, FILTER="F814W")
    before = hashes([alone])
    s = session([*files, alone])
    with pytest.warns(SkyMatchWarning, match="overlap no other"):
        applied = s.apply()
    assert applied.status["alone.fits[0]"] == "left alone: no level"
    assert hashes([alone]) == before


def test_integer_pixels_are_promoted_and_said_to_be(write_image):
    data = np.random.default_rng(1).normal(500, 10, (40, 60)).astype(np.int16)
    paths = [write_image("a.fits", data=data), write_image("b.fits", data=data + np.int16(30))]
    applied = session(paths, subtractsky=True).apply()
    assert "float32" in applied.status["b.fits[0]"]
    with fits.open(paths[1]) as hdus:
        assert hdus[0].data.dtype == ">f4"
        assert np.array_equal(hdus[0].data, (data + 30.0 - applied.subtracted["b.fits[0]"]).astype(np.float32))


def as_int16(path):
    with fits.open(path) as hdus:
        for version in (1, 2):
            hdus["SCI", version].data = (hdus["SCI", version].data * 1000).astype(np.int16)
        hdus.writeto(path, overwrite=True)


def as_wide_integers(path):
    with fits.open(path) as hdus:
        hdus["SCI", 1].data = (hdus["SCI", 1].data * 1000).clip(0).astype(np.uint32)
        hdus["SCI", 2].data = (hdus["SCI", 2].data * 1000).astype(np.int64)
        hdus.writeto(path, overwrite=True)


def as_scaled(path):
    as_int16(path)
    with fits.open(path, mode="update", do_not_scale_image_data=True) as hdus:
        hdus["SCI", 2].header["BSCALE"], hdus["SCI", 2].header["BZERO"] = 1e-3, 1e5


def as_quantised_tiles(path):
    with fits.open(path) as hdus:
        packed = [fits.CompImageHDU(h.data, h.header, name=h.name) if h.name == "SCI" else h.copy() for h in hdus]
        fits.HDUList(packed).writeto(path, overwrite=True)


def with_a_wrong_datasum(path):
    with fits.open(path) as hdus:
        hdus.writeto(path, overwrite=True, checksum=True)
    with fits.open(path) as hdus:
        place = hdus["SCI", 2].fileinfo()["datLoc"] + 3
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


def with_values_in_the_primary_header(path):
    with fits.open(path, mode="update") as hdus:
        hdus[0].header["SKYUSER"] = 1.5


def with_another_name(path):
    (path.parent / "elsewhere").mkdir(exist_ok=True)
    (path.parent / "elsewhere" / path.name).hardlink_to(path)


@pytest.mark.filterwarnings("ignore:SKYUSER")
@pytest.mark.parametrize("subtractsky", [True, False])
@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda path: None, ""),
        (as_int16, "SCI,1: int16 pixels become float32; SCI,2: int16 pixels become float32"),
        (as_wide_integers, "SCI,1: uint32 pixels become float64; SCI,2: int64 pixels become float64"),
        (as_scaled, "SCI,1: int16 pixels become float32; SCI,2: scaled int16 pixels become float64"),
        (as_quantised_tiles, "SCI,1: compressed without loss (GZIP_2, was RICE_1)"),
        (with_a_wrong_datasum, "; SCI,2: DATASUM was '"),
        (with_values_in_the_primary_header, "SKYUSER = 1.5 stays in the primary header"),
        (with_another_name, "its other hard links keep the old version"),
    ],
)
def test_the_report_tells_what_writing_then_tells(files, change, told, subtractsky):
    for file in files:
        change(file)
    before = hashes(files)
    s = session(files, subtractsky=subtractsky, readonly=True)
    reported = s.apply()
    assert hashes(files) == before
    written = s.configure(readonly=False).apply()
    notes = reported.status.str.removeprefix("reported, nothing written")
    assert notes.tolist() == written.status.str.removeprefix("written").tolist()
    if subtractsky or ("become" not in told and "compressed" not in told):
        assert notes.str.contains(told, regex=False).all()
        assert (notes == "").all() == (told == "")
    else:
        assert (notes == "").all()
    numbers = ["keyword", "old", "new", "subtracted"]
    pd.testing.assert_frame_equal(reported[numbers], written[numbers])


@pytest.mark.filterwarnings("ignore:SKYUSER")
def test_the_report_of_objects_tells_what_editing_then_tells(files):
    as_int16(files[0])
    data, header = fits.getdata(files[1], ("SCI", 1)), fits.getheader(files[1], ("SCI", 1))
    header["FILTER"] = fits.getval(files[1], "FILTER")
    with fits.open(files[0]) as hdus:
        hdus[0].header["SKYUSER"] = 1.5
        s = session([hdus, ((data * 1000).astype(np.int32), header)], subtractsky=True, readonly=True)
        reported = s.apply()
        written = s.configure(readonly=False).apply()
    notes = reported.status.str.removeprefix("reported, nothing written").tolist()
    assert notes == written.status.str.removeprefix("a new object was made").tolist()
    assert notes[0].startswith("; SKYUSER = 1.5 stays in the primary header")
    assert notes[0].endswith("; SCI,1: int16 pixels become float32; SCI,2: int16 pixels become float32")
    assert notes[2] == "; 0: int32 pixels become float64"
    assert s.edited_objects[1][0].dtype == np.float64


def test_what_cannot_be_written_is_reported(files):
    with fits.open(files[1], mode="update") as hdus:
        hdus["SCI", 1].header["SKYUSERM"] = "computed"
        hdus["SCI", 1].header["SKYUSER"] = 1.0
    reported = session(files, readonly=True, subtractsky=True).apply()
    refused = reported.status.str.startswith("would be refused: its SKYUSER was computed")
    assert refused.tolist() == [False, False, True, False, False, False]


def test_the_report_needs_the_files_that_were_measured(files):
    s = session(files, readonly=True)
    s.solve()
    as_int16(files[1])
    with pytest.raises(InputError, match=f"{files[1].name}: the file has changed since it was loaded"):
        s.apply()


def test_read_only_file_stops_all_before_anything_is_written(files):
    files[1].chmod(0o444)
    before = hashes(files)
    with pytest.raises(InputError, match=files[1].name):
        session(files).apply()
    assert hashes(files) == before
    assert sorted(files[0].parent.glob(".*")) == []


def test_without_backup_there_is_no_way_back(files):
    s = session(files, backup=False)
    assert set(s.apply().backup) == {""}
    with pytest.raises(InputError, match="nothing was undone"):
        s.undo()


def test_objects_in_memory_get_new_objects(files):
    given = [
        CCDData(fits.getdata(f, ("SCI", 1)), unit="electron/s", wcs=WCS(fits.getheader(f, ("SCI", 1))))
        for f in files[:2]
    ]
    pair = (fits.getdata(files[2], ("SCI", 1)), fits.getheader(files[2], ("SCI", 1)))
    hdus = fits.open(files[0])
    kept = [c.data.copy() for c in given] + [pair[0].copy()]
    s = session([*given, pair], subtractsky=True)
    sky = s.solve().sky_data.to_numpy()
    s.apply()
    for new, old, level in zip(s.edited_objects, kept, sky, strict=True):
        data = new.data if isinstance(new, CCDData) else new[0]
        assert np.allclose(data, old - level, atol=1e-6)
    assert all(np.array_equal(c.data, k) for c, k in zip([*given, CCDData(pair[0], unit="adu")], kept, strict=True))
    assert s.edited_objects[0].meta["SKYUSER"] == sky[0]
    assert "SKYUSER" not in given[0].meta
    assert "SKYUSER" not in pair[1]
    s = session([hdus, *files[1:]], subtractsky=True)
    s.apply()
    (new,) = s.edited_objects
    assert new["SCI", 1].header["SKYUSERM"] == "subtracted"
    assert "SKYUSERM" not in hdus["SCI", 1].header
    hdus.close()


def held(path, kind):
    """Chip 1 of a file as an object in memory, and a function that looks at the pixels of such an object."""
    data, header = fits.getdata(path, ("SCI", 1)), fits.getheader(path, ("SCI", 1))
    header["FILTER"] = fits.getval(path, "FILTER")
    bad = np.zeros(data.shape, bool)
    bad[:4] = True
    unit = u.electron / u.s
    return {
        "list": fits.HDUList([fits.PrimaryHDU(data, header)]),
        "ccd": CCDData(data, unit=unit, wcs=WCS(header), mask=bad, meta={"FILTER": header["FILTER"]}),
        "nddata": NDData(data, unit=unit, wcs=WCS(header), meta={"FILTER": header["FILTER"]}),
        "array": (data.astype(np.float64), header),
        "masked": (np.ma.masked_array(data, bad), header),
        "quantity": (data * unit, header),
        "masked quantity": (Masked(data * unit, bad), header),
    }[kind]


def pixels_of(item):
    data = item[0].data if isinstance(item, fits.HDUList) else item.data if isinstance(item, NDData) else item[0]
    data = getattr(data, "unmasked", data)
    return np.array(getattr(data, "value", np.ma.getdata(data)), np.float64)


@pytest.mark.parametrize("in_place", [False, True])
@pytest.mark.parametrize("kind", ["list", "ccd", "nddata", "array", "masked", "quantity", "masked quantity"])
def test_objects_of_every_kind_are_edited_or_copied(files, kind, in_place):
    item = held(files[1], kind)
    before = pixels_of(item)
    s = session([files[0], item], subtractsky=True, in_place=in_place)
    applied = s.apply()
    (new,) = s.edited_objects
    level = applied.subtracted.iloc[-1]
    assert level != 0
    exact = before - level
    assert np.array_equal(pixels_of(new), exact if kind == "array" else exact.astype(np.float32))
    assert (new is item) == in_place
    assert type(new) is type(item)
    assert np.array_equal(pixels_of(item), before) != in_place
    assert applied.status.iloc[-1] == ("edited in place" if in_place else "a new object was made")
    if kind == "masked":
        assert np.ma.getmaskarray(new[0]).sum() == 4 * 256
    if kind == "masked quantity":
        assert new[0].mask.sum() == 4 * 256
        assert new[0].unit == u.electron / u.s
    if in_place:
        s.load()
        assert s.solve().sky_data.abs().max() < 1e-3


def test_objects_edited_in_place_are_not_edited_twice(files):
    item = held(files[1], "array")
    before = hashes(files)
    s = session([files[0], item], subtractsky=True, in_place=True)
    s.apply()
    after = pixels_of(item)
    assert [Path(name).name for name in s.undo().index] == [files[0].name]
    assert hashes(files) == before
    with pytest.raises(InputError, match="edited in place stay as they are"):
        s.undo()
    with pytest.raises(SkyMatchError, match="applied before"):
        s.apply()
    assert np.array_equal(pixels_of(item), after)


def test_journal_tells_where_the_levels_come_from(files):
    s = session(files, skystat="mean")
    told = s.provenance()
    s.apply()
    (journal,) = files[0].parent.glob(".skymatch/*/journal.json")
    about = json.loads(journal.read_text())["about"]
    assert about.pop("time") >= told.pop("time")
    assert about == told


def test_arrays_that_cannot_hold_the_difference_are_refused_before_files_are_written(files):
    data, header = held(files[1], "array")
    before = hashes(files)
    for array, why in (((data * 1000).astype(np.int16), "of type int16"), (np.array(data), "cannot be written to")):
        array.flags.writeable = why.startswith("of")
        s = session([files[0], (array, header)], subtractsky=True, in_place=True, readonly=True)
        assert s.apply().status.iloc[-1].startswith("would be refused: image1: an array ")
        with pytest.raises(InputError, match=why):
            s.configure(readonly=False).apply()
    assert hashes(files) == before


def test_command_line_applies_and_undoes(files, capsys):
    before = hashes(files)
    words = ["match", *map(str, files), "--skymethod", "match", "--subtractsky", "True"]
    assert main([*words, "--apply"]) == 0
    assert "written" in capsys.readouterr().out
    assert hashes(files) != before
    assert main(["undo", str(files[0].parent)]) == 0
    assert "restored" in capsys.readouterr().out
    assert hashes(files) == before
    assert main(["undo", str(files[0])]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.filterwarnings("ignore:.*a run is writing there, or was interrupted")
def test_killed_command_leaves_files_old_or_new(files):
    """The command is killed when it renames its second file; undo brings back the first."""
    before = hashes(files)
    code = (
        "import os, signal, sys\n"
        "real, seen = os.replace, []\n"
        "def replace(a, b, **k):\n"
        "    seen.append(str(b))\n"
        "    if sum(s.endswith('.fits') for s in seen) == 2: os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return real(a, b, **k)\n"
        "os.replace = replace\n"
        "from skymatch_nb.cli import main\n"
        f"main(['match', *{[str(f) for f in files]!r}, '--skymethod', 'match', '--apply', '--quiet'])\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    assert hashes(files) != before
    session(files, readonly=True).solve()
    main(["undo", str(files[0].parent)])
    assert hashes(files) == before


def test_old_formats_are_converted_once_and_the_originals_kept(realdata, tmp_path):
    for name in ("c0f", "c1f"):
        source = realdata / f"wfpc2_waiver/u40x010hm_{name}.fits.gz"
        (tmp_path / source.name).write_bytes(source.read_bytes())
    original = tmp_path / "u40x010hm_c0f.fits.gz"
    before = hashes([original])
    s = session([original], skymethod="localmin", subtractsky=True, readonly=True)
    with pytest.warns(SkyMatchWarning, match="no unit"):
        reported = s.apply()
    assert set(reported.status) == {"reported, nothing written; would go to u40x010hm_c0h.fits"}
    assert not (tmp_path / "u40x010hm_c0h.fits").exists()
    applied = s.configure(readonly=False).apply()
    assert set(applied.status) == {"written to u40x010hm_c0h.fits"}
    assert hashes([original]) == before
    with fits.open(tmp_path / "u40x010hm_c0h.fits") as hdus, fits.open(original) as old:
        for group in range(4):
            assert hdus["SCI", group + 1].header["SKYUSER"] == applied.new.iloc[group]
            level = applied.subtracted.iloc[group]
            assert np.array_equal(hdus["SCI", group + 1].data, (old[0].data[group] - level).astype(np.float32))
    s = session([original], skymethod="localmin", subtractsky=True, readonly=True)
    with pytest.warns(SkyMatchWarning):
        assert s.apply().status.str.contains(r"would be refused: .*c0h\.fits exists: give it as input").all()
    with pytest.raises(InputError, match=r"c0h\.fits exists: give it as input"):
        s.configure(readonly=False).apply()
    assert (tmp_path / "u40x010hm_c1h.fits").exists()
    assert main(["undo", str(original)]) == 0
    again = session([original], skymethod="localmin", subtractsky=True)
    with pytest.warns(SkyMatchWarning, match="no unit"):
        assert (again.apply().new == applied.new).all()


def test_a_file_written_between_the_check_and_the_lock_is_not_written_again(files, monkeypatch):
    first, second = session(files, subtractsky=True), session(files, subtractsky=True)
    first.solve(), second.solve()
    told = second.provenance()

    def provenance():
        first.apply()
        return told

    monkeypatch.setattr(second, "provenance", provenance)
    with pytest.raises(InputError, match=f"nothing was written: .*{files[0].name}: the file has changed since"):
        second.apply()
    expected = first.applied
    for file in files:
        header = fits.getheader(file, "SCI", 1)
        assert header["SKYUSER"] == expected.new[f"{file.name}[SCI,1]"]
    first.undo()
    with pytest.raises(InputError, match="left to undo"):
        first.undo()


def test_commands_started_together_subtract_what_they_record(files):
    before = {file: fits.getdata(file, "SCI", 1).astype(float) for file in files}
    command = [sys.executable, "-m", "skymatch_nb", "match", *map(str, files), "--skymethod", "match", "--quiet"]
    command += ["--skystat", "median", "--apply", "--subtractsky", "True"]
    started = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate(timeout=300)[1] for process in started]
    for process, text in zip(started, said, strict=True):
        assert process.returncode == 0 or "changed since" in text or "another run is writing" in text
    assert 0 in [process.returncode for process in started]
    for file, pixels in before.items():
        with fits.open(file) as hdus:
            taken = np.nanmedian(pixels - hdus["SCI", 1].data)
            assert hdus["SCI", 1].header["SKYUSER"] == pytest.approx(taken, abs=1e-6)


def test_applying_again_with_other_parameters_asks_for_a_load(files):
    s = session(files)
    s.apply()
    with pytest.raises(InputError, match=r"was written by this session's last apply\(\); call load\(\) again"):
        s.configure(skystat="mean").apply()


def test_undo_tells_of_an_earlier_run_and_can_take_all_back(files, capsys):
    before = hashes(files)
    for value in ("median", "mean"):
        session(files, subtractsky=True, skystat=value).apply()
    once = session(files).undo()
    assert once.notes.str.contains("an earlier run is still applied").all()
    session(files, subtractsky=True).apply()
    assert main(["undo", str(files[0].parent), "--all"]) == 0
    assert "still applied" not in capsys.readouterr().out
    assert hashes(files) == before


def test_kept_runs_are_listed_and_forgotten(files, capsys):
    folder = str(files[0].parent)
    session(files, subtractsky=True).apply()
    assert main(["runs", folder]) == 0
    listed = capsys.readouterr().out
    assert "applied, 3 files" in listed
    assert f"{sum(f.stat().st_size for f in files) / 1e6:.0f}." in listed
    after = hashes(files)
    assert main(["runs", folder, "--forget"]) == 0
    assert not (files[0].parent / ".skymatch").exists()
    assert hashes(files) == after
    assert main(["undo", folder]) == 2
    assert main(["runs", folder]) == 0
    assert "no run has kept anything" in capsys.readouterr().out
    assert main(["runs", str(files[0])]) == 2


def test_keywords_that_share_a_companion_do_not_speak_for_each_other(files):
    """The two differ in the letter that the companion leaves out."""
    session(files, skyuser_kwd="SKYUSEA1").apply()
    session(files, skyuser_kwd="SKYUSEB1", subtractsky=True).apply()
    assert fits.getheader(files[0], 1)["SKYUSE1M"] == "subtracted SKYUSEB1"
    session(files, skyuser_kwd="SKYUSEA1").apply()
    with pytest.raises(SkyMatchError, match="SKYUSEA1 was computed, not subtracted"):
        session(files, skyuser_kwd="SKYUSEA1", subtractsky=True).apply()


def killed_while_writing(files):
    """Kill a run after it has replaced one file; the folder is as a crash leaves it."""
    script = f"""
import os, signal
from pathlib import Path
from skymatch_nb import SkyMatchSession
before, replaced = Path.replace, []
def replace(self, target):
    before(self, target)
    if str(target).endswith(".fits"):
        os.kill(os.getpid(), signal.SIGKILL)
Path.replace = replace
SkyMatchSession({[str(f) for f in files]!r}, skymethod="match", readonly=False, subtractsky=True, verbose=False).apply()
"""
    assert subprocess.run([sys.executable, "-c", script], check=False, timeout=300).returncode == -9


def test_an_interrupted_run_is_told_and_cleared_before_files_are_read(files, capsys):
    before = hashes(files)
    killed_while_writing(files)
    assert hashes(files) != before
    assert main(["runs", str(files[0].parent)]) == 0
    assert "running or interrupted" in capsys.readouterr().out
    with pytest.warns(SkyMatchWarning, match="a run is writing there, or was interrupted"):
        session(files, readonly=True).load()
    with (
        pytest.warns(SkyMatchWarning, match="restored; an interrupted run was rolled back"),
        pytest.warns(SkyMatchWarning, match="unchanged; an interrupted run had not replaced it"),
    ):
        cleared = session(files, subtractsky=True)
    assert hashes(files) == before
    cleared.apply()
    cleared.undo()
    assert hashes(files) == before


def test_undo_names_what_is_missing_and_where_its_original_is(files, tmp_path):
    s = session(files)
    kept = s.apply().backup.iloc[0]
    files[0].unlink()
    with pytest.raises(InputError, match=rf"{files[0].name}: No such file or directory \(original: {kept}\)"):
        s.undo()
    with pytest.raises(InputError, match="nosuch: no such file or folder"):
        undo([tmp_path / "elsewhere" / "nosuch"])


def test_the_report_foretells_that_a_file_is_read_only(files):
    files[1].chmod(0o444)
    status = session(files, readonly=True).apply().status
    assert status[f"{files[1].name}[SCI,1]"].startswith("would be refused: ")
    assert "read-only" in status[f"{files[1].name}[SCI,1]"]


def test_command_line_says_that_readonly_alone_does_not_write(files, capsys):
    before = hashes(files)
    assert main(["match", *map(str, files), "--skymethod", "match", "--readonly", "False", "--quiet"]) == 0
    assert "--apply does that" in capsys.readouterr().err
    assert hashes(files) == before

"""The published functions: same names, order and defaults; logs of every kind."""

import inspect
import io

import pandas as pd
import pytest

from skymatch_nb import ParameterError, SkyMatchParams, SkyMatchSession, SkyMatchWarning, skymatch
from skymatch_nb.compat import TEAL_SkyMatch, run

PUBLISHED = {
    "skymethod": "globalmin+match",
    "match_down": True,
    "skystat": "mode",
    "lower": None,
    "upper": None,
    "nclip": 5,
    "lsigma": 4.0,
    "usigma": 4.0,
    "binwidth": 0.1,
    "skyuser_kwd": "SKYUSER",
    "units_kwd": "BUNIT",
    "invsens_kwd": None,
    "readonly": True,
    "subtractsky": False,
    "dq_bits": None,
    "optimize": "balanced",
    "clobber": False,
    "clean": True,
    "verbose": True,
}


@pytest.fixture
def pattern(mosaic):
    return str(mosaic.paths[0].parent / "*_flt.fits")


@pytest.mark.parametrize(
    ("function", "last"), [(skymatch, ("flog", "skymatch_log.txt")), (TEAL_SkyMatch, ("logfile", "skymatch.log"))]
)
def test_signature_is_the_published_one(function, last):
    parameters = inspect.signature(function).parameters
    defaults = {name: p.default for name, p in list(parameters.items())[1:]}
    assert next(iter(parameters)) == "input"
    assert list(defaults.items()) == [*PUBLISHED.items(), last]


def test_table_is_the_sessions(pattern):
    sky = skymatch(pattern, "match", True, "median", flog=None, verbose=False)
    session = SkyMatchSession(pattern, skymethod="match", skystat="median", dq_bits=None, verbose=False)
    pd.testing.assert_frame_equal(sky, session.sky, check_exact=True)


@pytest.mark.parametrize("skystat", ["biweight", "sextractor"])
def test_statistics_that_the_reference_lacks_are_taken(pattern, skystat):
    sky = skymatch(pattern, "localmin", skystat=skystat, flog=None, verbose=False)
    session = SkyMatchSession(pattern, skymethod="localmin", skystat=skystat, dq_bits=None, verbose=False)
    pd.testing.assert_frame_equal(sky, session.sky, check_exact=True)
    assert (sky.sky != session.configure(skystat="median").sky.sky).all()


def test_log_goes_to_a_path_again_and_again(pattern, tmp_path):
    path = tmp_path / "sky.log"
    path.write_text("before\n")
    for _ in range(2):
        skymatch(pattern, flog=path, verbose=False)
    text = path.read_text()
    assert text.startswith("before\n")
    assert text.count("***** skymatch_nb") == 2
    for part in (
        "skystat = 'mode'",
        " ignored, ELECTRONS/S (rate: BUNIT)",
        "Pairs (",
        "demo_06_flt.fits[SCI,2]:",
        "Run time:",
    ):
        assert part in text


def test_log_goes_to_a_stream_that_stays_open(pattern):
    stream = io.StringIO()
    skymatch(pattern, flog=stream, verbose=False)
    assert "***** skymatch_nb" in stream.getvalue()
    assert not stream.closed


def test_log_goes_to_objects_with_logentry(pattern):
    class Entries:
        def __init__(self):
            self.entries = []

        def logentry(self, text):
            self.entries.append(text)

    log = Entries()
    skymatch(pattern, flog=log, verbose=False)
    assert log.entries[0].startswith("***** skymatch_nb")


@pytest.mark.parametrize("nothing", [None, ""])
def test_no_log(pattern, nothing, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    skymatch(pattern, flog=nothing, verbose=False)
    assert list(tmp_path.iterdir()) == []
    assert capsys.readouterr().out == ""


def test_verbose_prints_the_log(pattern, capsys):
    skymatch(pattern, flog=None)
    assert "***** skymatch_nb" in capsys.readouterr().out


def test_teal_writes_its_own_log(pattern, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    TEAL_SkyMatch(pattern, verbose=False)
    assert "***** skymatch_nb" in (tmp_path / "skymatch.log").read_text()
    TEAL_SkyMatch(pattern, *list(PUBLISHED.values())[:-1], False, "other.log")
    assert (tmp_path / "other.log").exists()


@pytest.mark.parametrize("what", [3, None, object(), {"a": 1}, b"a.fits"])
def test_input_of_another_type_is_a_type_error(what):
    with pytest.raises(TypeError, match="cannot read input of type"):
        skymatch(what, flog=None)


def test_log_of_another_type_is_a_type_error_before_anything_runs(pattern):
    with pytest.raises(TypeError, match="a log must be"):
        skymatch(pattern, flog=3)


def test_missing_levels_and_warnings_stand_in_the_log(write_image):
    paths = [write_image("a.fits", FILTER="F606W"), write_image("b.fits", FILTER="F814W", ra=30.0)]
    stream = io.StringIO()
    with pytest.warns(SkyMatchWarning) as caught:
        skymatch(paths, flog=stream, verbose=False)
    assert len(caught) == 2
    assert "Warning: exposures through different filters" in stream.getvalue()
    assert "nothing was matched" in stream.getvalue()


def test_log_tells_what_was_written(mosaic, tmp_path):
    paths = []
    for path in mosaic.paths[:2]:
        paths.append(tmp_path / path.name)
        paths[-1].write_bytes(path.read_bytes())
    stream = io.StringIO()
    skymatch(paths, readonly=False, subtractsky=True, flog=stream, verbose=False)
    assert "Applied:" in stream.getvalue()
    assert "subtracted; written; original kept as" in stream.getvalue()


@pytest.mark.parametrize("log", [io.BytesIO(), "nowhere/sky.log"])
def test_log_that_cannot_be_written_stops_before_anything_runs(pattern, log):
    with pytest.raises((TypeError, ValueError)):
        skymatch(pattern, flog=log, verbose=False)


def test_log_that_fails_midway_is_an_error(pattern):
    class Full(io.StringIO):
        def write(self, text):
            if text:
                raise OSError("disk full")
            return 0

    with pytest.raises(OSError, match="disk full"):
        skymatch(pattern, flog=Full(), verbose=False)


@pytest.mark.filterwarnings("ignore:no unit")
def test_old_formats_are_converted_at_once_and_then_used(realdata, tmp_path):
    for name in ("c0f", "c1f"):
        source = realdata / f"wfpc2_waiver/u40x010hm_{name}.fits.gz"
        (tmp_path / source.name).write_bytes(source.read_bytes())
    given, made = tmp_path / "u40x010hm_c0f.fits.gz", tmp_path / "u40x010hm_c0h.fits"
    common = {"skymethod": "localmin", "dq_bits": 0, "flog": None, "verbose": False}
    first = skymatch(given, **common)
    assert made.exists()
    assert (tmp_path / "u40x010hm_c1h.fits").exists()
    assert first.index[0] == "u40x010hm_c0h.fits[SCI,1]"
    written = skymatch(given, readonly=False, subtractsky=True, **common)
    assert written.sky_data.tolist() == first.sky_data.tolist()
    again = skymatch(given, **common)
    assert again.header_old.tolist() == pytest.approx(written.sky_data.tolist())
    assert again.sky_data.abs().max() < 0.05 * first.sky_data.max()
    anew = skymatch(given, clobber=True, **common)
    assert anew.sky_data.tolist() == first.sky_data.tolist()
    assert anew.header_old.isna().all()


def test_parameter_file_is_run(pattern, tmp_path):
    log = tmp_path / "m.log"
    SkyMatchParams(skymethod="match", skystat="median", dq_bits=None, verbose=False, logfile=str(log)).to_cfg(
        tmp_path / "p.cfg", pattern
    )
    expected = skymatch(pattern, "match", skystat="median", flog=None, verbose=False)
    for made in (run(tmp_path / "p.cfg"), TEAL_SkyMatch(str(tmp_path / "p.cfg"))):
        pd.testing.assert_frame_equal(made, expected, check_exact=True)
    assert log.read_text().count("*****") == 4


def test_parameters_that_only_we_have_count_in_a_parameter_file(pattern, tmp_path):
    params = SkyMatchParams(skymethod="localmin", group_by="chip", verbose=False, logfile=None)
    params.to_cfg(tmp_path / "p.cfg", pattern)
    assert run(tmp_path / "p.cfg")["group"].nunique() == 12


def test_parameter_file_without_input(tmp_path):
    (tmp_path / "p.cfg").write_text("skymethod = match\n")
    with pytest.raises(ParameterError, match=r"p\.cfg: 'input' names no files"):
        run(tmp_path / "p.cfg")
    with pytest.raises(ParameterError, match="parameters: 'input' names no files"):
        run({"skymethod": "match"})


def test_a_mapping_as_teal_gives_it_is_run(pattern):
    given = {"_task_name_": "skymatch", "input": pattern, "skymethod": "localmin", "verbose": False, "logfile": ""}
    expected = skymatch(pattern, "localmin", flog=None, verbose=False)
    pd.testing.assert_frame_equal(run(given), expected, check_exact=True)


def test_log_that_fails_after_writing_is_a_warning_and_the_table_is_there(mosaic, tmp_path):
    path = tmp_path / "a.fits"
    path.write_bytes(mosaic.paths[0].read_bytes())

    class Full(io.StringIO):
        def write(self, text):
            if "Parameters" in text:
                raise OSError("disk full")
            return 0

    with pytest.warns(SkyMatchWarning, match="written to the files, but the log could not be written: disk full"):
        sky = skymatch(path, "localmin", readonly=False, flog=Full(), verbose=False)
    assert len(sky) == 2

"""The command line: what it prints and writes, and its exit codes."""

import json
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from astropy.table import Table

from skymatch_nb import SkyMatchSession, cli
from skymatch_nb.cli import EXAMPLES, main
from skymatch_nb.params import SkyMatchParams


@pytest.fixture
def pattern(mosaic):
    return str(mosaic.paths[0].parent / "*_flt.fits")


def run(capsys, *words):
    code = main([str(w) for w in words])
    return code, *capsys.readouterr()


def test_match_prints_the_sky_of_every_member(capsys, pattern, mosaic):
    code, out, err = run(capsys, "match", pattern, "--skymethod", "match", "--skystat", "median")
    assert code == 0
    assert err == ""
    assert all(f"{path.name}[SCI,2]" in out for path in mosaic.paths)
    assert "rms difference of" in out


def test_json_table_holds_every_table_of_the_session(capsys, pattern, tmp_path):
    path = tmp_path / "t.json"
    code, out, _ = run(
        capsys, "match", pattern, "--skymethod", "match", "--skystat", "mean", "--table", path, "--quiet"
    )
    assert code == 0
    assert out == ""
    content = json.loads(path.read_text())
    assert list(content) == ["version", "params", "members", "overlaps", "sky", "residuals", "components"]
    session = SkyMatchSession(pattern, skymethod="match", skystat="mean", verbose=False)
    assert [row["sky"] for row in content["sky"]] == session.sky.sky.tolist()
    assert [row["member"] for row in content["members"]] == list(session.members.index)
    residual = {"group_a", "group_b", "before", "after", "err", "pull", "npix", "weight", "status"}
    assert set(content["residuals"][0]) == residual
    assert content["params"]["skystat"] == "mean"
    assert content["components"] == [{"component": 1, "groups": list(session.sky.group.unique())}]
    assert content["sky"][0]["header_old"] is None


@pytest.mark.parametrize("suffix", ["csv", "ecsv"])
def test_sky_table_files(capsys, pattern, tmp_path, suffix):
    path = tmp_path / f"sky.{suffix}"
    assert run(capsys, "match", pattern, "--table", path)[0] == 0
    expected = SkyMatchSession(pattern, verbose=False).sky
    read = pd.read_csv(path).set_index("member") if suffix == "csv" else Table.read(path).to_pandas("member")
    assert np.allclose(read.sky, expected.sky)
    assert list(read.index) == list(expected.index)


def test_report_is_one_page_without_requests(capsys, pattern, tmp_path):
    path = tmp_path / "r.html"
    assert run(capsys, "match", pattern, "--report", path)[0] == 0
    page = path.read_text()
    assert "Sky match of 6 files" in page
    without_scripts = re.sub(r"(<script[^>]*>).*?</script>", r"\1", page, flags=re.DOTALL)
    assert not re.search(r"<(script|link|img|iframe)[^>]*\b(src|href)=", without_scripts)
    assert path.stat().st_size < 5e6


def test_every_parameter_is_an_option_with_either_spelling(capsys, pattern):
    words = ["--skystat", "median", "--dq-bits", "~4+8", "--match_down", "False", "--lower", "None"]
    assert run(capsys, "match", pattern, "--skymethod", "match", *words)[0] == 0


USAGE = [
    (["--skystat", "Median"], "parameter skystat='Median': must be 'mode'"),
    (["--nclip", "many"], "parameter nclip='many': must be a valid integer"),
    (["--lsigma", "0"], "parameter lsigma=0.0: must be greater than 0"),
    (["--workers", "0"], "workers=0: must be an integer of 1 or more"),
    (["--table", "t.txt"], "must end in .csv, .ecsv or .json"),
    (["--table", "nowhere/t.csv"], "there is no folder"),
    (["--apply", "--readonly", "True"], "--apply means readonly=False"),
    (["--reference", "nobody"], "parameter reference: 'nobody' is no file, group or member"),
    (["--fixed", "nobody=1"], "parameter fixed: 'nobody' is no file, group or member"),
    (["--fixed", "no.txt"], "parameter fixed='no.txt': no.txt: no such file"),
]


@pytest.mark.parametrize(("words", "message"), USAGE, ids=lambda v: v[0] if isinstance(v, list) else "")
def test_bad_usage_is_one_line_and_exit_code_2(capsys, pattern, words, message):
    code, out, err = run(capsys, "match", pattern, *words)
    assert code == 2
    assert out == ""
    assert message in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("words", [["match"], ["match", "x", "--nosuch", "1"], [], ["unknown"]])
def test_argparse_errors_are_exit_code_2(words):
    with pytest.raises(SystemExit) as stop:
        main(words)
    assert stop.value.code == 2


def test_bad_input_is_exit_code_2_and_no_overlap_1(capsys, write_image, tmp_path):
    assert run(capsys, "match", tmp_path / "none.fits")[0] == 2
    paths = [write_image("a.fits"), write_image("b.fits", ra=50.0)]
    code, _, err = run(capsys, "match", *paths, "--skymethod", "match")
    assert code == 1
    assert "none of the 2 exposures overlap" in err
    code, _, err = run(capsys, "match", *paths)
    assert code == 0
    assert err.startswith("skymatch-nb: warning: none of the 2 exposures overlap")


def test_failed_run_leaves_no_table(capsys, write_image, tmp_path):
    paths = [write_image("a.fits"), write_image("b.fits", ra=50.0)]
    assert run(capsys, "match", *paths, "--skymethod", "match", "--table", tmp_path / "t.json")[0] == 1
    assert not list(tmp_path.glob("*t.json*"))


def test_the_script_and_the_module_run_the_command_line():
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())
    module, _, function = project["project"]["scripts"]["skymatch-nb"].partition(":")
    script = f"import sys, {module}; sys.exit({module}.{function}())"
    for words in (["-c", script, "--version"], ["-m", "skymatch_nb", "--version"]):
        run = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=True)
        assert run.stdout.startswith("skymatch-nb ")
    run = subprocess.run([sys.executable, "-c", script, "match", "none.fits"], capture_output=True, text=True)
    assert run.returncode == 2
    assert "none.fits" in run.stderr


def test_demo_recovers_the_planted_sky_and_writes_its_report(tmp_path):
    run = subprocess.run(
        [sys.executable, "-m", "skymatch_nb.cli", "demo"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    lines = run.stdout.splitlines()
    error = float(next(line for line in lines if "error against the planted sky" in line).split()[0])
    spread = float(next(line for line in lines if "planted skies differ" in line).split()[5])
    assert error < 0.02 * spread
    assert (tmp_path / "report.html").stat().st_size > 1e5
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]


def test_help_names_every_parameter(capsys):
    with pytest.raises(SystemExit):
        main(["match", "--help"])
    out = capsys.readouterr().out
    from skymatch_nb.params import specs

    assert all(f"--{s.name.replace('_', '-')}" in out for s in specs())


@pytest.mark.parametrize("command", [[], *([name] for name in EXAMPLES)], ids=" ".join)
def test_help_ends_with_exit_codes_and_what_is_typed(capsys, command):
    with pytest.raises(SystemExit):
        main([*command, "--help"])
    out = capsys.readouterr().out
    assert "130 stopped with Ctrl-C" in out.replace("\n", " ")
    for name in command:
        assert all(f"  {example}\n" in out for example in EXAMPLES[name])


def test_every_command_has_examples_that_it_takes():
    parser = cli._parser()
    (commands,) = (action.choices for action in parser._actions if action.dest == "==SUPPRESS==")
    assert set(commands) == set(EXAMPLES)
    for name, examples in EXAMPLES.items():
        for example in examples:
            program, *words = shlex.split(example)
            options = parser.parse_args(words)
            assert (program, words[0]) == ("skymatch-nb", name)
            if name in ("match", "panel"):
                SkyMatchParams.checked(cli._params(options))


def test_mappings_are_typed_as_the_help_says(capsys, pattern, mosaic):
    first, second = (path.name for path in mosaic.paths[:2])
    limits = ["--lower", f"{first}=-3 sigma,{second}=0.01,*=None", "--dq-bits", f"{first}=4+8;*=0"]
    options = cli._parser().parse_args(["match", pattern, *limits])
    params = SkyMatchParams.checked(cli._params(options))
    assert params.lower == {first: "-3 sigma", second: 0.01, "*": None}
    assert params.dq_bits == {first: 12, "*": 0}
    assert run(capsys, "match", pattern, "--skymethod", "match", "--quiet", *limits)[0] == 0


def test_workers_are_those_that_are_asked_for(capsys, pattern, monkeypatch):
    made = []

    class Seen(SkyMatchSession):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            made.append(self)

    monkeypatch.setattr(cli, "SkyMatchSession", Seen)
    outputs = [run(capsys, "match", pattern, "--workers", n) for n in (1, 3)]
    assert [session._pipeline.workers for session in made] == [1, 3]
    assert outputs[0] == outputs[1]
    assert outputs[0][0] == 0


@pytest.mark.parametrize("limit", ["-3sigma", "-3 sigma", "-2.5 SIGMA"])
def test_a_negative_limit_in_sigma_is_no_option(capsys, pattern, limit):
    code, out, err = run(capsys, "match", pattern, "--lower", limit, "--quiet")
    assert (code, out) == (0, "")
    assert "error" not in err


def test_the_panel_names_a_missing_file_before_it_serves(capsys):
    code, out, err = run(capsys, "panel", "nothing.fits", "--no-browser")
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert "nothing.fits" in err


def test_the_panel_names_the_extra_that_it_needs(capsys, pattern, monkeypatch):
    monkeypatch.setitem(sys.modules, "voila", None)
    code, out, err = run(capsys, "panel", pattern, "--no-browser")
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert "skymatch_nb[app]" in err


@pytest.mark.parametrize("port", ["0", "65536", "x", "-1"])
def test_the_panel_refuses_what_is_no_port(capsys, pattern, port):
    with pytest.raises(SystemExit) as ended:
        main(["panel", pattern, "--no-browser", f"--port={port}"])
    assert ended.value.code == 2
    assert "port" in capsys.readouterr().err

"""Every tutorial runs, tells what it promises, and is the notebook of its script. The docs show what came out here."""

import json
import os
import re
from importlib.util import find_spec

import notebook_runs
import pytest

SCRIPTS = notebook_runs.scripts()
NAMES = [script.stem for script in SCRIPTS]


def needed(module):
    """Module that the extra ``docs`` brings; without it tests are skipped, or fail where SKYMATCH_DOCS=required."""
    if os.environ.get("SKYMATCH_DOCS") == "required":
        return __import__(module)
    return pytest.importorskip(module)


def cells_of(path):
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


def text_of(cell):
    return "".join(cell["source"])


def test_there_are_tutorials():
    assert [name[:2] for name in NAMES] == sorted(name[:2] for name in NAMES)
    assert len(NAMES) >= 8


@pytest.mark.parametrize("script", SCRIPTS, ids=NAMES)
def test_notebook_is_that_of_its_script(script):
    needed("jupytext")
    kept = script.with_suffix(".ipynb").read_text(encoding="utf-8")
    assert kept == notebook_runs.paired(script), "python notebooks/notebook_runs.py --pair makes it anew"


@pytest.mark.parametrize("script", SCRIPTS, ids=NAMES)
def test_opens_with_goals_and_ends_with_help(script):
    cells = cells_of(script.with_suffix(".ipynb"))
    first, last = text_of(cells[0]), text_of(cells[-1])
    assert first.startswith("# ")
    assert "**You will learn**" in first
    assert "## Troubleshooting" in last
    assert "## About this notebook" in last
    assert all(not cell.get("outputs") for cell in cells)


@pytest.mark.parametrize("script", SCRIPTS, ids=NAMES)
def test_runs(script):
    """Execute it, once for tests and docs, and look at what came out."""
    needed("nbclient")
    cells = cells_of(notebook_runs.executed(script.with_suffix(".ipynb")))
    outputs = [output for cell in cells if cell["cell_type"] == "code" for output in cell["outputs"]]
    assert outputs
    texts = ["".join(o.get("text", "")) for o in outputs]
    assert [o for o in outputs if o["output_type"] == "error"] == []
    assert [t for t in texts if "Warning" in t and "SkyMatchWarning: pairs disagree" not in t] == []


def outputs_after(name, start):
    """Texts of the outputs of the code cell of a tutorial that begins so."""
    needed("nbclient")
    (script,) = [s for s in SCRIPTS if s.stem == name]
    for cell in cells_of(notebook_runs.executed(script.with_suffix(".ipynb"))):
        if cell["cell_type"] == "code" and start in text_of(cell):
            found = [o.get("text") or o.get("data", {}).get("text/plain", "") for o in cell["outputs"]]
            return "\n".join("".join(part) for part in found)
    raise AssertionError(f"no cell of {name} has {start!r}")


def numbers(table, row):
    """Numbers of a row of a printed table."""
    (line,) = [line for line in table.splitlines() if line.startswith(row + " ")]
    return [float(word) for word in line[len(row) :].split()]


def test_the_nebula_fools_three_methods_of_four():
    table = outputs_after("05_methods", "scores = pd.DataFrame")
    errors = {m: numbers(table, m)[2] for m in ("localmin", "globalmin", "match", "globalmin+match")}
    assert errors["globalmin+match"] < 0.005
    assert min(errors[m] for m in ("localmin", "globalmin", "match")) > 0.04


def test_the_quickstart_recovers_the_planted_sky():
    words = outputs_after("01_quickstart", "spread = ").split()
    spread, error = float(words[3]), float(words[-1])
    assert spread > 0.03
    assert error < spread / 20


def test_threads_do_not_change_the_answer():
    assert outputs_after("07_large_mosaics", "for workers in").splitlines()[-1] == "True"


def test_a_cluster_does_not_change_the_answer():
    assert outputs_after("07_large_mosaics", "far = SkyMatchSession").splitlines()[-1] == "True"


def test_leaving_the_bad_exposure_out_mends_the_rest():
    table = outputs_after("07_large_mosaics", "leave_out=bad.name")
    assert numbers(table, "leave_out")[0] < 0.2 * numbers(table, "least squares")[0]


def test_detectors_with_pedestals_want_a_level_each():
    table = outputs_after("08_webb_and_roman", "by_exposure = ")
    (spread,), (by_exposure,), (by_detector,) = (
        numbers(table, row) for row in ("skies differ by", "error, a level per exposure", "error, a level per detector")
    )
    assert by_detector < 0.02 * by_exposure < 0.02 * spread


def test_the_pipelines_keywords_are_written_and_taken_back():
    assert outputs_after("08_webb_and_roman", "keywords = ").count("COMPLETE") == 4
    assert "skymatch: COMPLETE" in outputs_after("08_webb_and_roman", "import asdf")
    (line,) = [t for t in outputs_after("08_webb_and_roman", "m.undo()").splitlines() if t.startswith("restored")]
    assert line.split() == ["restored", "10"]


def test_without_drizzlepac_the_tutorial_says_so_and_shows_the_stored_picture():
    name = "09_from_skypac"
    if find_spec("drizzlepac"):
        pytest.skip("drizzlepac is installed")
    said = outputs_after(name, "find_spec(")
    assert "drizzlepac is not installed: the cells of this section drizzle nothing." in said
    (script,) = [s for s in SCRIPTS if s.stem == name]
    pictures = re.findall(r"!\[[^]]+\]\((.+?)\)", script.read_text(encoding="utf-8"))
    assert pictures
    assert all((script.parent / picture).exists() for picture in pictures)

"""Every tutorial runs, tells what it promises, and is the notebook of its script. The docs show what came out here."""

import ast
import builtins
import json
import os
import re
from fnmatch import fnmatch
from functools import cache
from importlib.util import find_spec
from itertools import product

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


def about(script):
    """Text of the section that says what a tutorial needs and writes."""
    return text_of(cells_of(script.with_suffix(".ipynb"))[-1]).split("## About this notebook")[1]


def told_problems(script):
    """What the headings of a tutorial's troubleshooting quote."""
    help_ = text_of(cells_of(script.with_suffix(".ipynb"))[-1]).split("## Troubleshooting")[1]
    headings = re.findall(r"^\* \*\*(.+?)\*\*", help_.split("## About")[0], re.MULTILINE)
    return [quote for heading in headings for quote in re.findall(r"`(.+?)`", heading)]


@cache
def source_of_package():
    """All of the package's source, and the texts in it that are no docstrings; f-strings in parts."""
    sources = [path.read_text(encoding="utf-8") for path in (notebook_runs.ROOT / "skymatch_nb").rglob("*.py")]
    texts = set()
    for source in sources:
        nodes = list(ast.walk(ast.parse(source)))
        docstrings = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
        constants = [n for n in nodes if isinstance(n, ast.Constant) and id(n) not in docstrings]
        texts |= {" ".join(n.value.split()) for n in constants if isinstance(n.value, str)}
    return "\n".join(sources), texts


def is_printed(message):
    """Whether a text of the package has a message; two words before and after may be what a gap of an f-string gets."""
    source, texts = source_of_package()
    words = message.split()
    if len(words) == 1:
        return message in source
    for before, after in product(range(3), repeat=2):
        run = " ".join(words[before : len(words) - after])
        if len(run.split()) < min(3, len(words)):
            continue
        if any(run in t and (not before or t.startswith(run)) and (not after or t.endswith(run)) for t in texts):
            return True
    return False


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


def test_each_tutorial_makes_its_data_in_folders_of_its_own():
    """Followed in one folder, none reads what another has left."""
    made = {}
    for script in SCRIPTS:
        text = script.read_text(encoding="utf-8")
        own = set(re.findall(r"\b(?:make_\w*mosaic|four_exposures)\(\s*\"(\w+)\"", text))
        assert own, script.name
        assert not [f for f in re.findall(r"[\"'](\w+)/\S*\*\S*[\"']", text) if f not in own], script.name
        made |= {folder: [*made.get(folder, ()), script.name] for folder in own}
    assert {folder: names for folder, names in made.items() if len(names) > 1} == {}


FOREIGN = ['Reverting sky computation to "localmin"']
"""Messages of AstroDrizzle that a tutorial explains."""


@pytest.mark.parametrize("script", SCRIPTS, ids=NAMES)
def test_messages_that_are_explained_are_those_of_the_package(script):
    parts = {part.strip() for quote in told_problems(script) if quote not in FOREIGN for part in quote.split("...")}
    parts -= {"", "NaN", *vars(builtins)}
    assert [part for part in parts if not is_printed(part)] == []


@pytest.mark.parametrize("script", SCRIPTS, ids=NAMES)
def test_tells_the_extras_that_it_needs(script):
    text = script.read_text(encoding="utf-8")
    signs = {"sources": "mask_sources=", "dask": "dask.distributed", "jwst": "make_webb_mosaic", "regions": "exclude('"}
    needs = {extra for extra, sign in signs.items() if any(sign in text_of(c) for c in code_of(script))}
    assert set(re.findall(r"`(sources|dask|jwst|regions)`", about(script))) == needs, text[:40]


@pytest.mark.parametrize("script", SCRIPTS, ids=NAMES)
def test_tells_what_it_writes_and_how_much(script):
    """Git ignores all of it, in notebooks/."""
    needed("nbclient")
    sizes = notebook_runs.written(notebook_runs.executed(script.with_suffix(".ipynb")))
    ignored = (notebook_runs.ROOT / ".gitignore").read_text(encoding="utf-8").split()
    assert [n for n in sizes if not any(fnmatch(f"/notebooks/{n}", i) or n == i for i in ignored)] == []
    assert [n for n in sizes if f"`{n}`" not in about(script)] == []
    told = [int(words) for words in re.findall(r"\((\d+) MB", about(script))]
    if "With drizzlepac" in about(script) and not find_spec("drizzlepac"):
        told = told[:1]
    assert sum(sizes.values()) / 1e6 == pytest.approx(sum(told), rel=0.1, abs=0.6)


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


def code_of(script):
    return [cell for cell in cells_of(script.with_suffix(".ipynb")) if cell["cell_type"] == "code"]


def test_the_quickstart_is_a_mosaic_in_five_cells():
    (script,) = [s for s in SCRIPTS if s.stem == "01_quickstart"]
    assert len(code_of(script)) == 5


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
    text = outputs_after("01_quickstart", "spread = ")
    spread, error = map(float, re.search(r"skies differ by (\S+) .*the levels is (\S+)", text).groups())
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

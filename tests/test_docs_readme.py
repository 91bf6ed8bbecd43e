"""Examples of the README, the start page, the gallery and the page on clusters run as they stand."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from skymatch_nb import SkyMatchSession
from skymatch_nb.datasets import make_mosaic
from skymatch_nb.plots import export

ROOT = Path(__file__).parents[1]
LOOK = """
from astropy.io import fits
from glob import glob
print("taken off:", sum(abs(fits.getval(name, "SKYUSER", 1)) for name in glob("j*_flt.fits")))
"""


def text_of(page):
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page):
    """Examples in Python of a page."""
    return re.findall(r"^```python\n(.*?)^```", text_of(page), re.MULTILINE | re.DOTALL)


def commands(page):
    """Lines for the shell that match something."""
    return re.findall(r"^(?:    )?(skymatch-nb match .*)$", text_of(page), re.MULTILINE)


@pytest.fixture
def exposures(tmp_path):
    """Four exposures, named as the pages name them."""
    made = make_mosaic(tmp_path, rows=2, cols=2, shape=(64, 128), overlap=0.3, seed=3)
    return [path.rename(path.with_name(f"j{path.name}")) for path in made.paths]


def run(cells, folder):
    """Texts that each cell of a notebook prints and shows; any error ends it."""
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    resources = {"metadata": {"path": str(folder)}}
    nbclient.NotebookClient(book, timeout=300, kernel_name="python3", resources=resources).execute()
    return ["".join(str(o.get("text", o.get("data", ""))) for o in cell.outputs) for cell in book.cells]


@pytest.mark.skipif(not any(map(shutil.which, export.BROWSERS)), reason="no Chromium on this machine")
def test_python_of_the_readme_start_page_and_gallery(exposures, tmp_path):
    pytest.importorskip("playwright")
    before = [path.read_bytes() for path in exposures]
    first, sweep, panel, write, drizzle = blocks("README.md")
    assert "astrodrizzle" in drizzle  # run where drizzlepac is installed
    together, selected = blocks("docs/gallery.md")
    write, undo = write.split("s.undo()")
    (start,) = blocks("docs/index.md")
    cells = {"first": first, "together": together, "selected": selected, "sweep": sweep, "panel": panel}
    cells |= {"write": write, "look": LOOK, "undo": f"s.undo(){undo}", "start": start}
    shown = dict(zip(cells, run(cells.values(), tmp_path), strict=True))
    assert "application/vnd.jupyter.widget-view+json" in shown["panel"]
    assert "application/vnd.bokehjs_exec.v0+json" in shown["first"]
    assert "application/vnd.bokehjs_exec.v0+json" in shown["together"]
    assert shown["sweep"].count("median") >= 4
    assert float(re.search(r"taken off: (\S+)", shown["look"])[1]) > 0
    assert [path.read_bytes() for path in exposures] == before
    assert (tmp_path / "sky.png").read_bytes().startswith(b"\x89PNG")
    assert "<html" in (tmp_path / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("command", [*commands("README.md"), *commands("docs/howto/cluster.md")])
def test_commands(exposures, tmp_path, command):
    if "--executor dask" in command:
        pytest.importorskip("distributed")
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        command, shell=True, cwd=tmp_path, capture_output=True, text=True, env=os.environ | {"PATH": path}
    )
    assert done.returncode == 0, done.stderr
    written = re.findall(r"(?:--table|--report) (\S+)", command)
    assert [name for name in written if not (tmp_path / name).stat().st_size] == []
    assert "usage: skymatch-nb match" in done.stdout if "--help" in command else "jdemo_04_flt.fits" in done.stdout


def test_python_of_the_page_on_clusters(exposures, tmp_path):
    pytest.importorskip("distributed")
    client, own, remote = blocks("docs/howto/cluster.md")
    urls = f"urls = {[path.as_uri() for path in exposures]}"
    tell = 'print("levels:", *map(repr, map(float, s.sky["sky"])))'
    shown = run([client, tell, "client.close()", f"{own}    {tell}", urls, remote, tell], tmp_path)
    found = [[float(word) for word in line.split()] for line in re.findall("levels: (.*)", "\n".join(shown))]
    given = {"skymethod": "match", "verbose": False}
    median = SkyMatchSession(exposures, skystat="median", **given).sky["sky"].to_numpy()
    plain = SkyMatchSession(exposures, verbose=False).sky["sky"].to_numpy()
    np.testing.assert_array_equal(found, [median, plain, plain])

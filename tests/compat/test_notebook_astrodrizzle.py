"""The tutorial for skypac's users drizzles where drizzlepac is installed, and the docs store its picture."""

import io
import json
import os
import re
from importlib.util import find_spec

import notebook_runs
import numpy as np
import pytest

pytestmark = pytest.mark.skipif(
    find_spec("drizzlepac") is None and os.environ.get("SKYMATCH_DRIZZLEPAC") != "required",
    reason="drizzlepac is not installed: python -m pip install -e '.[drizzlepac]'",
)
NOTEBOOK = notebook_runs.HERE / "09_from_skypac.ipynb"
STORED = notebook_runs.ROOT / "docs" / "images" / "astrodrizzle.png"


@pytest.fixture(scope="module")
def done():
    return notebook_runs.executed(NOTEBOOK)


@pytest.fixture(scope="module")
def outputs(done):
    """Texts that the cells of the section on AstroDrizzle put out."""
    cells = [cell for cell in json.loads(done.read_text("utf-8"))["cells"] if cell["cell_type"] == "code"]
    (first,) = [k for k, cell in enumerate(cells) if "find_spec(" in "".join(cell["source"])]
    found = [o.get("text") or o.get("data", {}).get("text/plain", "") for c in cells[first:] for o in c["outputs"]]
    return "\n".join("".join(text) for text in found)


def test_it_tells_the_fallback_and_says_that_ours_has_no_seam(outputs):
    assert "drizzlepac 3." in outputs
    assert 'Reverting sky computation to "localmin" from "globalmin+match' in outputs
    assert "MDRIZSKY within 3 sky_err of the planted sky: True" in outputs
    assert "no seam with ours, all steps below 3 errors: True" in outputs
    assert "Warning" not in outputs


def test_its_numbers(outputs):
    (released,) = re.findall(r"^as_released +\d+\.0 +([\d.]+)", outputs, re.MULTILINE)
    (ours,) = re.findall(r"^ours +\d+\.0 +([\d.]+)", outputs, re.MULTILINE)
    assert float(released) > 20 * float(ours)
    text = NOTEBOOK.with_suffix(".py").read_text("utf-8")
    told = re.search(r"largest step is ([\d.]+) .*; with ours it is ([\d.]+),", text)
    assert [float(word) for word in told.groups()] == pytest.approx([float(released), float(ours)], abs=2e-4)


def test_the_docs_store_its_picture(done):
    from PIL import Image

    made = notebook_runs.pictures(done)["astrodrizzle.png"]
    drawn, stored = (np.asarray(Image.open(file).convert("RGB"), float) for file in (io.BytesIO(made), STORED))
    assert drawn.shape == stored.shape
    assert np.abs(drawn - stored).mean() < 6, "python notebooks/notebook_runs.py --pictures 09 stores it anew"


def test_the_site_shows_the_run_that_drizzled(done, tmp_path, monkeypatch):
    monkeypatch.setattr(notebook_runs, "executed", None)  # nothing is executed for it
    assert notebook_runs.shown(NOTEBOOK) == done
    notebook_runs.for_site(done, tmp_path / "pages" / NOTEBOOK.name)
    page = (tmp_path / "pages" / NOTEBOOK.name).read_text("utf-8")
    assert STORED.name not in "".join(re.findall(r"!\[.*?\)", page))
    assert '"image/png"' in page


def test_the_stored_picture_is_shown_elsewhere(tmp_path, done):
    """Without drizzlepac the notebook's own cells say so, and its Markdown has the picture."""
    plain = tmp_path / "plain" / NOTEBOOK.name
    plain.parent.mkdir()
    plain.write_text(done.read_text("utf-8"), encoding="utf-8")
    notebook_runs.for_site(plain, tmp_path / "pages" / NOTEBOOK.name)
    assert STORED.name in "".join(re.findall(r"!\[.*?\)", (tmp_path / "pages" / NOTEBOOK.name).read_text("utf-8")))

"""What leaves the panel by its buttons."""

import ast
import json

import nbclient
import nbformat
import pandas as pd
import pytest
from panel_page import REVEAL, choose, press, type_into

from skymatch_nb import SkyMatchSession
from skymatch_nb.datasets import make_mosaic

pytestmark = pytest.mark.xdist_group("lab")

TELL = "import json\nprint(json.dumps(s.sky.reset_index().to_dict('list'), default=str))"


def exposures(folder):
    return make_mosaic(folder, rows=2, cols=2, shape=(128, 256), overlap=0.3, seed=5).paths


@pytest.fixture
def changed(desk):
    """The sky table after some parameters were changed on the page."""
    choose(desk.page, "skymethod", "match")
    type_into(desk.page, "nclip", "2")
    return desk.check(skymethod="match", nclip=2)


def write_into(desk, folder):
    field = desk.page.locator(".skymatch-left input[type=text]").last
    field.evaluate(REVEAL)
    field.fill(str(folder))
    field.press("Enter")


def wait_written(desk, path):
    desk.page.locator(".skymatch-status").get_by_text(f"wrote {path}").wait_for()


def test_the_notebook_gives_the_same_table_when_it_is_run(desk, changed, tmp_path):
    write_into(desk, tmp_path)
    press(desk.page, "notebook")
    path = tmp_path / "skymatch.ipynb"
    wait_written(desk, path)
    notebook = nbformat.read(path, 4)
    nbformat.validate(notebook)
    notebook.cells.append(nbformat.v4.new_code_cell(TELL))
    nbclient.NotebookClient(notebook, timeout=300, store_widget_state=False).execute()
    told = json.loads("".join(output.text for output in notebook.cells[-1].outputs if output.output_type == "stream"))
    assert told["member"] == list(changed.index)
    for column in ("sky", "sky_err", "sky_data"):
        assert told[column] == changed[column].tolist(), column


def test_a_file_that_jupyterlab_shows_is_linked(desk, tmp_path):
    folder = desk.root / "kept here"
    folder.mkdir()
    write_into(desk, folder)
    press(desk.page, "session")
    wait_written(desk, folder / "skymatch.json")
    link = desk.page.locator(".skymatch-written a")
    assert link.inner_text() == str(folder / "skymatch.json")
    assert link.evaluate("(link) => link.pathname") == "/lab/tree/kept%20here/skymatch.json"
    write_into(desk, tmp_path)
    press(desk.page, "session")
    wait_written(desk, tmp_path / "skymatch.json")
    desk.wait_for(f"document.querySelector('.skymatch-written').innerText.includes({str(tmp_path)!r})")
    assert link.count() == 0


def test_a_saved_session_opens_with_the_same_table(desk, changed, tmp_path):
    write_into(desk, tmp_path)
    press(desk.page, "session")
    wait_written(desk, tmp_path / "skymatch.json")
    assert SkyMatchSession.open(tmp_path / "skymatch.json").sky.equals(changed)


def test_the_report_names_every_member(desk, changed, tmp_path):
    write_into(desk, tmp_path)
    press(desk.page, "report")
    wait_written(desk, tmp_path / "skymatch_report.html")
    text = (tmp_path / "skymatch_report.html").read_text()
    assert all(member in text for member in changed.index)


def test_copied_code_makes_the_same_table(desk, changed):
    desk.page.get_by_role("button", name="Copy code").click()
    code = desk.page.locator(".skymatch-code textarea")
    code.wait_for()
    desk.wait_for("document.querySelector('.skymatch-code textarea').value.includes('SkyMatchSession')")
    source = code.input_value()
    ast.parse(source)
    names = {}
    exec(source, names)
    pd.testing.assert_frame_equal(names["s"].sky, changed)

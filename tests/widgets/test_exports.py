"""What leaves the panel: texts to the clipboard, files to a folder, and errors to the messages."""

import json

import pytest
from astropy.io import fits

from skymatch_nb import SkyMatchSession
from skymatch_nb.widgets.exports import CopyButton

from .conftest import message, press, within


def copy_buttons(panel):
    return {w.description: w for w in within(panel) if isinstance(w, CopyButton)}


@pytest.mark.parametrize(("label", "make"), [("Copy code", "to_script"), ("Copy command", "to_command")])
def test_texts_are_copied_and_shown(panel, session, monkeypatch, label, make):
    sent = []
    button = copy_buttons(panel)[label]
    monkeypatch.setattr(button, "send", sent.append)
    session.configure(lsigma=2.5)
    message(button, {"kind": "copy"})
    assert sent == [{"kind": "copy", "text": getattr(session, make)()}]
    assert "2.5" in sent[0]["text"]
    assert panel._exports._text.value == sent[0]["text"]
    assert panel._exports._text.layout.display == ""


def test_files_are_written_into_the_folder(panel, session, tmp_path):
    panel._exports._folder.value = str(tmp_path)
    for name in ("session", "notebook", "report"):
        press(panel, name)
        assert panel.messages.error == ""
    assert SkyMatchSession.open(tmp_path / "skymatch.json").params == session.params
    notebook = json.loads((tmp_path / "skymatch.ipynb").read_text())
    assert any("panel()" in "".join(cell["source"]) for cell in notebook["cells"])
    assert "<title>Sky match</title>" in (tmp_path / "skymatch_report.html").read_text()
    assert panel._exports._links.path == str(tmp_path.resolve() / "skymatch_report.html")


def test_files_that_are_there_stay(panel, session, tmp_path):
    panel._exports._folder.value = str(tmp_path)
    names = {"session": "skymatch.json", "notebook": "skymatch.ipynb", "report": "skymatch_report.html"}
    for name in names.values():
        (tmp_path / name).write_text("mine")
    (tmp_path / "skymatch_2.json").write_text("mine too")
    for name in names:
        press(panel, name)
    assert panel.messages.error == ""
    assert [(tmp_path / name).read_text() for name in names.values()] == ["mine"] * 3
    assert (tmp_path / "skymatch_2.json").read_text() == "mine too"
    assert SkyMatchSession.open(tmp_path / "skymatch_3.json").params == session.params
    assert (tmp_path / "skymatch_2.ipynb").exists()
    assert panel.messages._status.value == f"wrote {tmp_path}/skymatch_report_2.html"


def test_the_full_path_is_told(panel, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    press(panel, "session")
    assert panel._exports._links.path == str(tmp_path.resolve() / "skymatch.json")


def test_a_missing_folder_is_told(panel, tmp_path):
    panel._exports._folder.value = str(tmp_path / "none")
    press(panel, "session")
    assert "none" in panel.messages.error


def test_what_cannot_be_written_as_code_is_told(mosaic, monkeypatch):
    with fits.open(mosaic.paths[0]) as opened:
        s = SkyMatchSession(opened, verbose=False)
    panel = s.panel(run=False)
    sent = []
    button = copy_buttons(panel)["Copy command"]
    monkeypatch.setattr(button, "send", sent.append)
    message(button, {"kind": "copy"})
    assert panel.messages.error
    assert sent == []

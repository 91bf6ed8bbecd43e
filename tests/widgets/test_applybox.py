"""Applying: a preview writes nothing, the second click writes what it showed, undo restores every byte."""

import shutil

import pytest
from astropy.io import fits

from skymatch_nb import SkyMatchSession
from skymatch_nb.report_page import table_html

from .conftest import press, settle, within


@pytest.fixture
def writable(mosaic, tmp_path):
    """A panel on files that may be written, and what they hold."""
    paths = [shutil.copy(p, tmp_path / p.name) for p in mosaic.paths]
    for path in paths:
        path.chmod(0o644)
    s = SkyMatchSession(paths, skymethod="match", skystat="median", verbose=False)
    panel = s.panel()
    settle(panel)
    return panel, s, {path: path.read_bytes() for path in paths}


def button(panel, name):
    return next(w for w in within(panel) if f"skymatch-{name}" in w._dom_classes)


def unchanged(contents):
    return all(path.read_bytes() == content for path, content in contents.items())


def test_a_preview_writes_nothing_and_the_second_click_does(writable):
    panel, s, before = writable
    levels = s.sky.sky_data
    assert button(panel, "write").disabled
    press(panel, "preview")
    assert unchanged(before)
    assert "SKYUSER in 6 files" in panel._apply._question.value
    assert panel._apply._table.value == table_html(s.applied)
    press(panel, "write")
    assert panel.messages.error == ""
    assert not unchanged(before)
    for member, level in levels.items():
        name, _, ext = member.partition("[SCI,")
        path = next(p for p in before if p.name == name)
        assert fits.getval(path, "SKYUSER", ("SCI", int(ext.rstrip("]")))) == pytest.approx(level)
    assert s.params.readonly
    assert button(panel, "write").disabled
    press(panel, "undo")
    assert panel.messages.error == ""
    assert unchanged(before)
    assert "restored 6 files" in panel._apply._question.value


def test_a_preview_is_forgotten_when_anything_changes(writable):
    panel, s, before = writable
    press(panel, "preview")
    s.configure(skystat="mean")
    assert button(panel, "write").disabled
    settle(panel)
    press(panel, "preview")
    s._pipeline.params = s.params.changed(subtractsky=True)  # behind the panel's back
    press(panel, "write")
    assert "has changed since the preview" in panel._apply._question.value
    assert unchanged(before)


def test_what_cannot_be_written_is_told_and_files_stay(writable):
    panel, s, before = writable
    press(panel, "preview")
    first = next(iter(before))
    first.write_bytes(first.read_bytes()[:2880])
    cut = {**before, first: first.read_bytes()}
    press(panel, "write")
    settle(panel)
    assert first.name in panel.messages.error  # and steps that run meanwhile do not take it away
    assert unchanged(cut)
    assert s.params.readonly


def test_undo_without_anything_written_is_told(writable):
    panel, _, before = writable
    press(panel, "undo")
    assert unchanged(before)
    assert panel.messages.error

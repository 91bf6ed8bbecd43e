"""Applying: a preview writes nothing, the second click writes what it showed, undo restores every byte."""

import shutil

import pytest
from astropy.io import fits

from skymatch_nb import SkyMatchSession
from skymatch_nb.report_page import table_html

from .conftest import given, press, settle, within


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


def untick_readonly(panel):
    given(panel.form.controls["readonly"].input, value=False)
    settle(panel)


def unchanged(contents):
    return all(path.read_bytes() == content for path, content in contents.items())


def test_a_preview_writes_nothing_and_the_second_click_does(writable):
    panel, s, before = writable
    levels = s.sky.sky_data
    untick_readonly(panel)
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
    assert panel.messages._status.value == "written to 6 files"
    settle(panel)
    assert panel.messages._status.value == "written to 6 files"
    assert button(panel, "write").disabled
    press(panel, "undo")
    assert panel.messages.error == ""
    assert unchanged(before)
    assert "restored 6 files" in panel._apply._question.value


def test_nothing_is_written_while_readonly_is_ticked_and_code_agrees(writable):
    panel, s, before = writable
    assert "Untick <b>readonly</b> to write" in panel._apply._readonly.value
    press(panel, "preview")
    assert button(panel, "write").disabled
    panel._apply.write()  # even if a page asked for it
    assert unchanged(before)
    assert "readonly=False" not in s.to_script()
    untick_readonly(panel)
    assert panel._apply._readonly.value == ""
    assert "Nothing is written yet" in panel._apply._question.value  # the same preview
    press(panel, "write")
    assert not unchanged(before)
    assert not s.params.readonly
    assert "readonly=False" in s.to_script()
    given(panel.form.controls["readonly"].input, value=True)
    settle(panel)
    assert button(panel, "write").disabled
    press(panel, "undo")
    assert unchanged(before)


def test_a_session_that_may_write_shows_no_such_line(mosaic):
    panel = SkyMatchSession(mosaic.paths, readonly=False, verbose=False).panel(run=False)
    assert panel._apply._readonly.layout.display == "none"


def test_a_preview_is_forgotten_when_anything_changes(writable):
    panel, s, before = writable
    untick_readonly(panel)
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
    panel, _, before = writable
    untick_readonly(panel)
    press(panel, "preview")
    first = next(iter(before))
    first.write_bytes(first.read_bytes()[:2880])
    cut = {**before, first: first.read_bytes()}
    press(panel, "write")
    settle(panel)
    assert first.name in panel.messages.error  # and steps that run meanwhile do not take it away
    assert unchanged(cut)


def test_undo_without_anything_written_is_told_in_a_line(writable):
    panel, _, before = writable
    press(panel, "undo")
    assert unchanged(before)
    assert panel.messages.error == ""
    assert panel._apply._question.value == "<b>Nothing to undo: no writing of these files is kept.</b>"


def test_what_an_earlier_session_wrote_is_undone(writable):
    panel, _, before = writable
    SkyMatchSession(list(before), skymethod="match", readonly=False, verbose=False).apply()
    assert not unchanged(before)
    press(panel, "undo")
    assert unchanged(before)


def test_a_file_that_was_changed_after_writing_is_told_by_undo(writable):
    panel, _, before = writable
    untick_readonly(panel)
    press(panel, "preview")
    press(panel, "write")
    first = next(iter(before))
    first.write_bytes(first.read_bytes() + bytes(2880))
    press(panel, "undo")
    assert f"{first}: it has changed since run" in panel.messages.error

"""Applying from a panel: a preview that writes nothing, a second click that does, and undo beside it."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from skymatch_nb.io.inputs import ImageSpec
from skymatch_nb.io.undoing import has_written
from skymatch_nb.report import number_of
from skymatch_nb.report_page import table_html
from skymatch_nb.widgets.guard import Guard

if TYPE_CHECKING:
    from skymatch_nb.session import SkyMatchSession

READONLY = "<b>readonly</b> is ticked below: files are only looked at. Untick <b>readonly</b> to write."


class ApplyBox:
    """Buttons 'preview', 'write' and 'undo', and the table of what would be or was done.

    As in code nothing is written while ``readonly`` is set; the button is disabled then, and a line tells why.

    Parameters
    ----------
    session
        What is applied.
    guard
        Does things, and reports what they raise.
    done
        Called with what was done: looked at, written, restored.
    """

    def __init__(
        self,
        session: "SkyMatchSession",
        guard: Guard,
        done: Callable[[str], None],
    ) -> None:
        self._session, self._guard, self._done = session, guard, done
        self._preview = widgets.Button(description="Preview", icon="eye", tooltip="Show what would be written")
        self._write = widgets.Button(description="Write to files", icon="save", button_style="danger", disabled=True)
        self._undo = widgets.Button(description="Undo", icon="undo", tooltip="Restore the files of the last writing")
        for button, name in ((self._preview, "preview"), (self._write, "write"), (self._undo, "undo")):
            button.add_class(f"skymatch-{name}")
        self._preview.on_click(guard.handler(lambda _: self.preview()))
        self._write.on_click(guard.handler(lambda _: self.write()))
        self._undo.on_click(guard.handler(lambda _: self.undo()))
        self._question = widgets.HTML()
        self._question.add_class("skymatch-question")
        self._table = widgets.HTML()
        self._table.add_class("skymatch-table")
        self._previewed: Any = None
        self._readonly = widgets.HTML()
        self._readonly.add_class("skymatch-readonly")
        row = widgets.HBox([self._preview, self._write, self._undo])
        self.widget = widgets.VBox([row, self._readonly, self._question, self._table])
        self.refresh()

    def refresh(self) -> None:
        """Forget a preview of what is no longer so, and tell whether files can be written."""
        if self._previewed is not None and self._previewed != self._now():
            self.forget()
        readonly = self._session.params.readonly
        self._readonly.value = READONLY if readonly else ""
        self._readonly.layout.display = "" if readonly else "none"
        self._write.disabled = readonly or self._previewed is None
        self._write.tooltip = "Untick readonly to write" if readonly else "Write what the preview shows"

    def forget(self) -> None:
        """Take back the preview: what it showed is no longer what would be written."""
        self._previewed = None
        self._write.disabled = True
        self._question.value = ""

    def _now(self) -> Any:
        """What a preview is of; ``readonly`` changes nothing about what would be written."""
        return self._session.params.changed(readonly=True), self._session.fresh_result("solve")

    def preview(self) -> None:
        """Show what would be written, and let it be."""
        applied = self._guard.attempt(lambda: self._session.applied)
        if applied is None:
            return
        params = self._session.params
        what = (
            "subtract these levels from the pixels and add them to" if params.subtractsky else "write these levels to"
        )
        self._question.value = (
            f"<b>Writing would {what} {params.skyuser_kwd} in {_files_of(applied)}.</b> Nothing is written yet."
        )
        self._table.value = table_html(applied)
        self._previewed = self._now()
        self.refresh()
        self._done("preview: nothing is written yet")

    def write(self) -> None:
        """Write what the preview showed, where that is still what would be written."""
        if self._session.params.readonly:
            self.refresh()
            return
        if self._previewed != self._now():
            self.forget()
            self._question.value = "The solution has changed since the preview: look at it again."
            return
        applied = self._guard.attempt(self._session.apply)
        self.forget()
        if applied is not None:
            self._table.value = table_html(applied)
            self._tell(f"written to {_files_of(applied)}")

    def undo(self) -> None:
        """Restore the files as they were before the last writing."""
        paths = [spec.path for spec in self._session.inputs if isinstance(spec, ImageSpec)]
        if not self._session.edited_objects and not has_written(paths):
            self._tell("Nothing to undo: no writing of these files is kept.")
            return
        restored = self._guard.attempt(self._session.undo)
        if restored is not None:
            self.forget()
            self._table.value = table_html(restored)
            self._tell(f"restored {number_of(len(restored), 'file')}")

    def _tell(self, text: str) -> None:
        """Say what was done, here as well as in the status, which soon tells of other things."""
        self._question.value = f"<b>{text}</b>"
        self._done(text)


def _files_of(applied: Any) -> str:
    """How many files the members of a table are in, in words."""
    return number_of(applied.index.str.replace(r"\[[^\]]*\]$", "", regex=True).nunique(), "file")

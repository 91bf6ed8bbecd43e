"""What a panel has to say: a status line, progress, and warnings and errors that stay until they are gone."""

from collections.abc import Sequence
from html import escape

import ipywidgets as widgets


class Messages:
    """Status, progress and messages of a panel.

    Attributes
    ----------
    bar
        Status line and progress, for the head of the panel.
    box
        Warnings and errors.
    """

    def __init__(self) -> None:
        self._status = widgets.HTML()
        self._status.add_class("skymatch-status")
        self._progress = widgets.IntProgress(min=0, max=1, layout={"width": "120px", "display": "none"})
        self.bar = widgets.HBox([self._progress, self._status])
        self.box = widgets.HTML()
        self.box.add_class("skymatch-messages")
        self._error = self._refused = ""
        self._notes: tuple[str, ...] = ()
        self._also: dict[str, None] = {}

    @property
    def error(self) -> str:
        """The errors that are shown, '' for none."""
        return "\n".join(filter(None, (self._error, self._refused)))

    def say(self, text: str) -> None:
        """Show a status in place of the last one."""
        self._status.value = escape(text)

    def progress(self, done: int, total: int, message: str) -> None:
        """Show how far work has come."""
        self._progress.max = max(total, 1)
        self._progress.value = done
        self._progress.layout.display = ""
        self.say(f"{message}: {done} of {total}" if total > 1 else message)

    def finish(self, text: str) -> None:
        """Hide the progress and show a status."""
        self._progress.layout.display = "none"
        self.say(text)

    def fail(self, text: str) -> None:
        """Show why a step failed until `clear_error`."""
        self._error = text
        self._show()

    def clear_error(self) -> None:
        """Take the error of a step away."""
        self._error = ""
        self._show()

    def refuse(self, text: str) -> None:
        """Show why something else could not be done until `clear_refused`; steps that run meanwhile leave it."""
        self._refused = text
        self._show()

    def clear_refused(self) -> None:
        """Take that away."""
        if self._refused:
            self._refused = ""
            self._show()

    def warn(self, notes: Sequence[str]) -> None:
        """Show these warnings, in place of earlier ones."""
        self._notes = tuple(notes)
        self._show()

    def warn_also(self, text: str) -> None:
        """Show a warning besides, until `forget_warnings`: Python gives it only once."""
        self._also[text] = None
        self._show()

    def forget_warnings(self) -> None:
        """Show no warnings any more."""
        self._notes, self._also = (), {}
        self._show()

    def _show(self) -> None:
        parts = [("failed", f"✗ {text}") for text in dict.fromkeys((self._error, self._refused)) if text]
        parts += [("", f"⚠ {note}") for note in dict.fromkeys((*self._notes, *self._also))]
        self.box.value = "".join(f"<div class='skymatch-message {kind}'>{escape(text)}</div>" for kind, text in parts)

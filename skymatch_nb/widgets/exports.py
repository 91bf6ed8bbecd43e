"""What leaves a panel: code and command to the clipboard, the session, a notebook and the report to files."""

from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anywidget
import ipywidgets as widgets
import traitlets

from skymatch_nb.widgets.guard import Guard

if TYPE_CHECKING:
    from skymatch_nb.session import SkyMatchSession


class CopyButton(anywidget.AnyWidget):
    """A button that copies the text that ``make`` returns, and hands it to ``made`` too."""

    _esm = Path(__file__).with_name("clipboard.js")
    description = traitlets.Unicode().tag(sync=True)
    tooltip = traitlets.Unicode().tag(sync=True)

    def __init__(self, make: Callable[[], str | None], **options: Any) -> None:
        super().__init__(**options)
        self._make = make
        self.on_msg(self._asked)

    def _asked(self, _widget: Any, content: dict[str, Any], _buffers: Any) -> None:
        text = self._make() if content.get("kind") == "copy" else None
        if text is not None:
            self.send({"kind": "copy", "text": text})


class FileLink(anywidget.AnyWidget):
    """The full path of a file; in JupyterLab a link, where the file lies below the folder that the server shows."""

    _esm = Path(__file__).with_name("filelink.js")
    path = traitlets.Unicode().tag(sync=True)
    home = traitlets.Unicode().tag(sync=True)

    def show(self, path: Path) -> None:
        """Show the path of a file that was written."""
        self.home, self.path = str(Path.home()), str(path.resolve())


class Exports:
    """The row of buttons, and the text that was made last.

    Parameters
    ----------
    session
        What is written.
    guard
        Does things, and reports what they raise.
    say
        Tells the user what was done.
    """

    def __init__(
        self,
        session: "SkyMatchSession",
        guard: Guard,
        say: Callable[[str], None],
    ) -> None:
        self._session, self._guard, self._say = session, guard, say
        self._folder = widgets.Text(value=".", description="in folder", continuous_update=False)
        self._folder.add_class("skymatch-folder")
        self._text = widgets.Textarea(rows=8, layout={"width": "98%", "display": "none"})
        self._text.add_class("skymatch-code")
        copies = [
            CopyButton(lambda: self._shown(session.to_script), description="Copy code", tooltip="Python code"),
            CopyButton(lambda: self._shown(session.to_command), description="Copy command", tooltip="Shell command"),
        ]
        writes = [
            self._button("Save session", "skymatch.json", session.save),
            self._button("Export notebook", "skymatch.ipynb", session.to_notebook),
            self._button("Report", "skymatch_report.html", session.report),
        ]
        self._links = FileLink()
        row = widgets.HBox([*copies, *writes], layout={"flex_flow": "row wrap"})
        self.widget = widgets.VBox([row, self._folder, self._links, self._text])

    def _shown(self, make: Callable[[], str]) -> str | None:
        """Text that is made, shown as well as copied."""
        text: str | None = self._guard.attempt(make)
        if text is not None:
            self._text.value = text
            self._text.layout.display = ""
        return text

    def _button(self, label: str, name: str, write: Callable[[Path], Path]) -> widgets.Button:
        button = widgets.Button(description=label, tooltip=f"Write {name} into the folder below; others there stay")
        button.add_class(f"skymatch-{label.split()[-1].lower()}")
        button.on_click(self._guard.handler(lambda _: self._write(name, write)))
        return button

    def _write(self, name: str, write: Callable[[Path], Path]) -> None:
        written = self._guard.attempt(lambda: write(_free(Path(self._folder.value).expanduser().absolute() / name)))
        if written is not None:
            self._links.show(written)
            self._say(f"wrote {written}")


def _free(path: Path) -> Path:
    """The path, or where something is there already the next one of its numbers that is free: 'skymatch_2.json'."""
    numbered = (path.with_name(f"{path.stem}_{k}{path.suffix}") for k in count(2))
    return path if not path.exists() else next(other for other in numbered if not other.exists())

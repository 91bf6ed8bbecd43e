"""Choosing input: a field for input words, and a list of the FITS files of a folder beside it."""

from collections.abc import Callable
from html import escape
from pathlib import Path

import ipywidgets as widgets

from skymatch_nb.widgets.guard import Guard

FITS_ENDINGS = (".fits", ".fits.gz", ".fits.bz2", ".fit", ".fts", ".fits.fz", ".asdf")
LONGEST_LIST = 500


class InputChooser:
    """Field and list; what is chosen in the list is written into the field.

    Parameters
    ----------
    text
        What the field shows at first.
    folder
        Whose files are listed at first, anew whenever the list is unfolded.
    opened
        Called with the field's text when a user asks for it to be loaded.
    guard
        Reports what handlers raise.
    """

    def __init__(self, text: str, folder: Path, opened: Callable[[str], None], guard: Guard) -> None:
        self._folder = folder
        self._opened = opened
        self.field = widgets.Textarea(value=text, rows=2, layout={"width": "98%"})
        self.field.add_class("skymatch-inputs")
        self._place = widgets.HTML()
        self._list = widgets.SelectMultiple(rows=6, layout={"width": "98%"})
        self._list.observe(guard.handler(lambda change: self._choose(change["new"])), "value")
        load = widgets.Button(description="Load these", icon="folder-open", tooltip="Use what the field names as input")
        load.add_class("skymatch-load")
        load.on_click(guard.handler(lambda _: self.open()))
        hint = "Files, wildcards, 'file[sci,2]', '@list.txt' or an association; select files below to list them here."
        browse = widgets.Accordion([widgets.VBox([self._place, self._list])], titles=["browse files"])
        browse.add_class("skymatch-browse")
        browse.observe(guard.handler(lambda change: self._unfolded(change["new"])), "selected_index")
        self.widget = widgets.VBox([widgets.HTML(f"<small>{hint}</small>"), self.field, load, browse])

    def open(self) -> None:
        """Ask for what the field names to be loaded."""
        self._opened(self.field.value)

    def _unfolded(self, index: int | None) -> None:
        """List what is there by now."""
        if index is not None:
            self._fill()

    def _fill(self) -> None:
        """List the folders and FITS files of the present folder."""
        self._place.value = f"<small>{escape(str(self._folder))}</small>"
        try:
            entries = sorted(self._folder.iterdir(), key=lambda p: p.name)
        except OSError as error:
            self._list.options = [f"../ ({error.strerror})"]
            return
        folders = [f"{p.name}/" for p in entries if p.is_dir() and not p.name.startswith(".")]
        files = [p.name for p in entries if p.name.lower().endswith(FITS_ENDINGS)]
        shown = tuple(["../", *folders, *files][:LONGEST_LIST])
        if shown != tuple(self._list.options):  # new options take the choice back
            self._list.options = shown

    def _choose(self, chosen: tuple[str, ...]) -> None:
        if len(chosen) == 1 and chosen[0].split(" (")[0].endswith("/"):
            self._folder = (self._folder / chosen[0].split(" (")[0]).resolve()
            self._list.value = ()
            self._fill()
            return
        files = [self._folder / name for name in chosen if not name.endswith("/")]
        if files:
            self.field.value = ", ".join(_quoted(str(path)) for path in files)


def _quoted(name: str) -> str:
    """File name as an input word, in quotes where it has characters that mean something."""
    if not set(name) & set(" ,[]{}'\"$~*?@"):
        return name
    return f'"{name}"' if "'" in name else f"'{name}'"

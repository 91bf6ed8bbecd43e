"""A figure of a session in a panel: its view, its data sources, and the selection that it shares with others."""

from collections.abc import Callable
from typing import Any

from bokeh.model import Model

from skymatch_nb.plots.sources import Sources
from skymatch_nb.widgets.bridge import FigureView
from skymatch_nb.widgets.fit import COLUMN, fit, fit_texts
from skymatch_nb.widgets.guard import Report
from skymatch_nb.widgets.selection import Selected, Selection, after_click, rows_selected

Draw = Callable[[str, Sources], Model]
"""Draws a figure in a theme ('light' or 'dark') with data sources."""

Renew = Callable[[Model, str, Sources], bool]
"""Shows new results in a figure that was drawn so; False where it is to be drawn again."""


class LinkedFigure:
    """One figure.

    Parameters
    ----------
    draw
        Draws it from results that are there.
    selected
        The selection that is shared.
    renew
        Refreshes it; where it cannot, or is not given, the figure is drawn again.
    failed
        Shows what is raised while the page is answered.
    """

    def __init__(
        self, draw: Draw, selected: Selected, renew: Renew | None = None, failed: Report | None = None
    ) -> None:
        self._draw, self._selected, self._renew = draw, selected, renew
        self._sources = Sources()
        self._listening: set[str] = set()
        self._echo = False
        self.stale = self._anew = False
        self.view = FigureView(self._make, self._renewed, failed)
        selected.watchers.append(self._show_selection)

    @property
    def sources(self) -> Sources:
        """Data sources of the figure."""
        return self._sources

    def refresh(self, shown: bool = True, anew: bool = False) -> None:
        """Show new results; a figure that nobody sees is left for when it is shown.

        With ``anew`` nothing of the present figure stays, its window neither.
        """
        self.stale, self._anew = not shown, self._anew or anew
        if not shown:
            return
        if self._anew:
            self._anew = False
            self.view.renew()
        else:
            self.view.refresh()
            self._show_selection(self._selected.selection)  # the same rows may stand at other places now

    def _make(self, dark: bool) -> Model:
        model = fit(self._draw("dark" if dark else "light", self._sources), self.view.width or COLUMN)
        for name, source in self._sources.items():
            if name not in self._listening:
                self._listening.add(name)
                source.selected.on_change("indices", lambda _a, old, new, name=name: self._tapped(name, old, new))
        self._show_selection(self._selected.selection)
        return model

    def _renewed(self, shown: Model, dark: bool) -> bool:
        if self._renew is None or not self._renew(shown, "dark" if dark else "light", self._sources):
            return False
        fit_texts(shown, self.view.width or COLUMN)
        return True

    def _tapped(self, name: str, before: list[int], now: list[int]) -> None:
        """Take over what a user selected in this figure; rows of one group or pair are selected together."""
        if self._echo or name not in self._sources:
            return
        self._selected.take(name, after_click(name, self._sources[name].data, list(before), list(now)))
        self._show_selection(self._selected.selection)

    def _show_selection(self, selection: Selection) -> None:
        self._echo = True
        try:
            for name in self._listening:
                source: Any = self._sources[name]
                rows = rows_selected(name, source.data, selection)
                if rows != sorted(source.selected.indices):
                    source.selected.indices = rows
        finally:
            self._echo = False

"""A table and the map of the field in one widget: what is selected in one is selected in the other."""

from html import escape
from typing import TYPE_CHECKING

import ipywidgets
import pandas as pd
from bokeh.model import Model

from skymatch_nb.plots.grid import SOURCES, interactive_table, link_selection
from skymatch_nb.plots.sources import Sources
from skymatch_nb.widgets.bridge import FigureView
from skymatch_nb.widgets.fit import fit

if TYPE_CHECKING:
    from skymatch_nb.session import SkyMatchSession

WIDTH = 900
"""Width in pixels that the map may have where the page does not tell its own."""

MOST_TOLD = 3
"""Selected rows that are named between map and table."""


class TableWithMap(ipywidgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """A table of a session below a map: footprints, or the graph of pairs for the residuals.

    Attributes
    ----------
    view, table
        The widgets of both; ``table.selected_rows`` are the selected row numbers.
    sources
        Data sources of the map.
    """

    def __init__(self, session: "SkyMatchSession", name: str) -> None:
        self._session, self._name = session, name
        self._linked = False
        self.sources = Sources()
        data: pd.DataFrame = getattr(session, name)
        self._rows = _row_names(data)
        self.table = interactive_table(name, data, paging=False, scrollY="300px", scrollX=True, scrollCollapse=True)
        self.view = FigureView(self._draw)
        self._told = ipywidgets.HTML()
        self._told.add_class("skymatch-table-selection")
        self.table.observe(lambda _change: self._tell(), "selected_rows")
        self._tell()
        super().__init__([self.view, self._told, self.table])
        self.add_class("skymatch-table-map")

    def _draw(self, dark: bool) -> Model:
        draw = self._session.plot_graph if self._name == "residuals" else self._session.plot_footprints
        shown = draw(theme="dark" if dark else "light", sources=self.sources)
        source = self.sources.get(SOURCES[self._name])
        if source is not None and not self._linked:
            self._linked = True
            link_selection(self.table, source)
        return fit(shown, self.view.width or WIDTH)

    def _tell(self) -> None:
        rows = [self._rows[k] for k in self.table.selected_rows]
        more = f" and {len(rows) - MOST_TOLD} more" if len(rows) > MOST_TOLD else ""
        told = f"Selected: {', '.join(map(escape, rows[:MOST_TOLD]))}{more}" if rows else ""
        self._told.value = f"<small>{told or 'Click rows, or tap the map, to select.'}</small>"


def _row_names(table: pd.DataFrame) -> list[str]:
    """What each row is about: a member, both of an overlap, or both groups of a pair."""
    both = zip(table["member_a"], table["member_b"], strict=True) if "member_a" in table else table.index
    return [" – ".join(map(str, row)) if isinstance(row, tuple) else str(row) for row in both]

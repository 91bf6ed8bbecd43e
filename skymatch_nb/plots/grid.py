"""Tables that can be sorted, searched and selected in, linked with figures."""

from typing import Any

import pandas as pd
from bokeh.models import ColumnDataSource

from skymatch_nb.errors import SkyMatchError, installed_with

SOURCES = {"members": "members", "masks": "members", "footprints": "members", "sky": "members", "overlaps": "overlaps",
           "residuals": "pairs", "applied": "members"}  # fmt: skip
"""The source of figures whose rows are those of a table."""


def interactive_table(name: str, table: pd.DataFrame, **options: Any) -> Any:
    """Widget of a table, with units in its header; ``options`` are those of itables.

    Raises
    ------
    SkyMatchError
        Where itables is not installed.
    """
    try:
        from itables.widget import ITable
    except ImportError:
        raise SkyMatchError(f"interactive tables need the package itables; {installed_with('notebook')}") from None
    units = table.attrs.get("units", {})
    shown = table.rename(columns={c: f"{c} ({units[c]})" for c in table.columns if units.get(c)})
    return ITable(shown, caption=name, select=True, showIndex=True, maxBytes=0, **options)


def link_selection(widget: Any, source: ColumnDataSource) -> None:
    """Select the same rows in a table widget and in a figure's source, whichever of them changes.

    Figures draw overlaps and pairs in an order of their own, and may leave some out: the column ``index`` tells their
    rows in the table.
    """
    columns = source.data
    rows = [int(k) for k in columns["index"]] if "index" in columns else list(range(len(columns["member"])))
    place = {row: k for k, row in enumerate(rows)}

    def to_source(change: Any) -> None:
        chosen = sorted(place[row] for row in change["new"] if row in place)
        if chosen != sorted(source.selected.indices):
            source.selected.indices = chosen

    def to_table(attr: str, old: Any, new: Any) -> None:
        chosen = sorted(rows[k] for k in new)
        if chosen != sorted(widget.selected_rows):
            widget.selected_rows = chosen

    widget.observe(to_source, "selected_rows")
    source.selected.on_change("indices", to_table)

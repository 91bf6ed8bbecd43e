"""The tables of a session in a panel: rows are selected and sorted in the page, and linked with the figures."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anywidget
import ipywidgets as widgets
import pandas as pd
import traitlets

from skymatch_nb.errors import SkyMatchError
from skymatch_nb.report_page import LONGEST_TABLE, table_html, worst_first
from skymatch_nb.widgets.guard import Guard
from skymatch_nb.widgets.selection import Selected, Selection, after_click, rows_selected

if TYPE_CHECKING:
    from skymatch_nb.session import SkyMatchSession

TABLES = ("sky", "residuals", "overlaps", "members", "footprints")

FIRST = {"sky": ("sky", "sky_err", "status"), "overlaps": ("member_a", "member_b", "difference", "difference_err")}
"""Columns that are to be seen without scrolling."""


class TableView(anywidget.AnyWidget):
    """A table as HTML; ``selected`` are its selected rows, counted as Python gave them, however the page sorts them."""

    _esm = Path(__file__).with_name("table.js")
    html = traitlets.Unicode().tag(sync=True)
    selected = traitlets.List(traitlets.Int()).tag(sync=True)


class Tables:
    """One table of a session at a time, with the selection that all views share.

    Parameters
    ----------
    session
        Whose tables are shown, where their results are there; nothing is computed.
    selected
        The selection.
    guard
        Reports what handlers raise.
    """

    def __init__(self, session: "SkyMatchSession", selected: Selected, guard: Guard) -> None:
        self._session, self._selected = session, selected
        self._kind, self._rows = "", dict[str, Any]()
        self._echo = False
        self.view = TableView()
        self.view.add_class("skymatch-table")
        self.view.observe(guard.handler(lambda change: self._chosen(change["old"], change["new"])), "selected")
        self.which = widgets.ToggleButtons(options=TABLES, style={"button_width": "auto"})
        self.which.observe(guard.handler(lambda _: self.refresh()), "value")
        hint = "<small>Click a row to select it (with Shift or Ctrl: several), a heading to sort.</small>"
        self.widget = widgets.VBox([self.which, widgets.HTML(hint), self.view])
        selected.watchers.append(self._show_selection)

    def refresh(self) -> None:
        """Show the present results."""
        if any(self._session.fresh_result(name) is None for name in ("solve", "overlap")):
            self._show("<p>Nothing is solved yet.</p>", "", {})
            return
        name = str(self.which.value)
        try:
            table = in_view(name, worst_first(getattr(self._session, name)))
        except SkyMatchError:
            self._show("<p>This table could not be made.</p>", "", {})
            raise
        loaded: Any = self._session.fresh_result("group")
        groups = {m.name: m.group for m in loaded.members}
        self._show(table_html(table), *rows_of(name, table.iloc[:LONGEST_TABLE], groups))

    def _show(self, html: str, kind: str, rows: dict[str, Any]) -> None:
        self._kind, self._rows = kind, rows
        with self.view.hold_sync():
            self.view.html = html
            self._show_selection(self._selected.selection)

    def _chosen(self, before: list[int], now: list[int]) -> None:
        """Take over what a user selected in the table; rows of one pair or group are selected together."""
        if not self._echo and self._kind:
            self._selected.take(self._kind, after_click(self._kind, self._rows, before, now))
            self._show_selection(self._selected.selection)

    def _show_selection(self, selection: Selection) -> None:
        rows = rows_selected(self._kind, self._rows, selection) if self._kind else []
        if rows == self.view.selected:
            return
        self._echo = True
        try:
            self.view.selected = rows
        finally:
            self._echo = False


def in_view(name: str, table: pd.DataFrame) -> pd.DataFrame:
    """Table with the columns first that its readers look for."""
    first = [column for column in FIRST.get(name, ()) if column in table]
    ordered = table[[*first, *(column for column in table if column not in first)]]
    ordered.attrs = table.attrs
    return ordered


def rows_of(name: str, table: pd.DataFrame, groups: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
    """Kind of the rows of a table, as `selected_rows` names it, and the names that tell what each row is of.

    ``groups`` gives the group of every member.
    """
    flat = table.reset_index()
    if name == "overlaps":
        return "overlaps", {"of_a": list(flat["group_a"]), "of_b": list(flat["group_b"]), "index": list(table.index)}
    if name == "residuals":
        return "pairs", {"group_a": list(flat["group_a"]), "group_b": list(flat["group_b"])}
    members = [str(m) for m in flat["member"]]
    return "members", {"member": members, "group": [groups[m] for m in members]}

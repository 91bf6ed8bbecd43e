"""The views of a panel: the map, and below it levels, residuals, samples, preview and tables, selected together."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets
from bokeh.model import Model
from bokeh.plotting import figure

from skymatch_nb.plots.footprints import FILLS, fill_of
from skymatch_nb.plots.mapdata import footprints_plane
from skymatch_nb.plots.regions import show_regions
from skymatch_nb.plots.sources import Sources
from skymatch_nb.plots.theme import say_empty, theme_named
from skymatch_nb.widgets.drawing import Drawing, Drew
from skymatch_nb.widgets.guard import Guard
from skymatch_nb.widgets.linked import Draw, LinkedFigure, Renew
from skymatch_nb.widgets.selection import Field, Selected, Selection, followed
from skymatch_nb.widgets.tables import Tables

if TYPE_CHECKING:
    from skymatch_nb.session import SkyMatchSession

CELLS = 300
"""Cells of the preview along its longer side: as many as its frames have pixels."""

TABS = ("Sky", "Residuals", "Graph", "Samples", "Preview", "Tables")


class Views:
    """All views of one session.

    Parameters
    ----------
    session
        What they show; only results that are there, nothing is computed for them but the preview.
    drew
        Called with the vertices of a region that was drawn on the map.
    took
        Called with the tool of the map that is in use.
    in_background
        Has a function done in the background, for views that read pixels.
    guard
        Reports what handlers raise.
    """

    def __init__(
        self,
        session: "SkyMatchSession",
        drew: Drew,
        took: Callable[[str], None],
        in_background: Callable[[Callable[[], None]], None],
        guard: Guard,
    ) -> None:
        self._session, self._in_background = session, in_background
        self.selected = Selected()
        self._field = Field()
        self._drawing = Drawing(drew, took)
        self._loaded = ""
        self._preview: dict[str, tuple[str, Model | None]] = {}
        ways: dict[str, tuple[Draw, Renew | None]] = {
            "Sky": (self._draw_sky, self._renew),
            "Residuals": (self._draw_residuals, self._renew),
            "Graph": (self._draw_graph, self._renew),
            "Samples": (self._draw_samples, self._renew_samples),
            "Preview": (self._draw_preview, self._renew_preview),
        }
        self.map = LinkedFigure(self._draw_map, self.selected, self._renew, guard.report)
        self.figures = {
            name: LinkedFigure(draw, self.selected, renew, guard.report) for name, (draw, renew) in ways.items()
        }
        self.tables = Tables(session, self.selected, guard)
        self.tabs = widgets.Tab([*(f.view for f in self.figures.values()), self.tables.widget], titles=TABS)
        self.tabs.observe(guard.handler(lambda _: self._tab_shown()), "selected_index")
        self.map.view.add_class("skymatch-map")
        for name, linked in self.figures.items():
            linked.view.add_class(f"skymatch-{name.lower()}")
        self.selected.watchers.append(lambda _selection: self._selection_changed())
        self.widget = widgets.Box([self.map.view, self.tabs])
        self.widget.add_class("skymatch-views")

    @property
    def shown_tab(self) -> str:
        """Name of the view that is open below the map."""
        return TABS[self.tabs.selected_index or 0]

    def refresh(self) -> None:
        """Show the session's fresh results in the views that are open; the others follow when they are opened."""
        loaded: Any = self._session.fresh_result("load")
        key = "" if loaded is None else loaded.key
        anew, self._loaded = bool(self._loaded) and key != self._loaded, key
        moved = self._follow()
        with ExitStack() as held:  # a page that is given all of it at once lays out and draws once
            for linked in (self.map, *self.figures.values()):
                held.enter_context(linked.view.holding())
            self.map.refresh(anew=anew)
            for name, linked in self.figures.items():
                linked.refresh(name == self.shown_tab, anew)
            self._refresh_table()
        if moved:
            self.selected.tell()  # now that views have the rows that are selected
        if self.shown_tab == "Preview":
            self._make_preview()

    def _follow(self) -> bool:
        """Take what is selected over to the groups and overlaps that there are now; whether it is another selection."""
        now = self._field.renewed(self._session.fresh_result("group"), self._session.fresh_result("overlap"))
        if now == self._field or not now.groups:
            return False
        before, self._field, shown = self._field, now, self.selected.selection
        self.selected.selection = followed(shown, before, now)
        return self.selected.selection != shown

    def show_regions(self) -> None:
        """Show on the map the regions that are in force."""
        params = self._session.params
        shown, plane = self.map.view.shown, self._drawing.plane
        if isinstance(shown, figure) and shown.name == "footprints" and plane is not None:
            show_regions(shown, plane, {"exclude": params.exclude_regions, "include": params.include_regions})

    def select(self, selection: Selection) -> None:
        """Select in all views."""
        self.selected.set(selection)

    def _tab_shown(self) -> None:
        linked = self.figures.get(self.shown_tab)
        if linked is not None and linked.stale:
            linked.refresh()
        if self.shown_tab == "Preview":
            self._make_preview()
        self._refresh_table()

    def _selection_changed(self) -> None:
        self.figures["Samples"].refresh(shown=self.shown_tab == "Samples")

    def _refresh_table(self) -> None:
        if self.shown_tab == "Tables":
            self.tables.refresh()

    def _has(self, *names: str) -> bool:
        return all(self._session.fresh_result(name) is not None for name in names)

    def _draw_map(self, theme: str, sources: Sources) -> Model:
        if not self._has("group", "footprint", "overlap"):
            self._drawing.end()
            return _empty(theme, "No footprints yet: run the steps, or load other files.", 420)
        plot = self._session.plot_footprints(self._fill(), theme=theme, sources=sources)
        footprints: Any = self._session.fresh_result("footprint")
        self._drawing.add_to(plot, footprints_plane(footprints), theme_named(theme))
        return plot

    def _renew(self, shown: Model, theme: str, sources: Sources) -> bool:
        return self._session.renew_figure(shown, sources, theme=theme)

    def _fill(self) -> str:
        """What the members of the map are filled by now."""
        shown = self.map.view.shown
        return fill_of(shown) if isinstance(shown, figure) else FILLS[0]

    def _draw_sky(self, theme: str, sources: Sources) -> Model:
        if not self._has("solve", "units", "group"):
            return _empty(theme, "Nothing is solved yet.")
        return self._session.plot_sky(theme=theme, sources=sources)

    def _draw_residuals(self, theme: str, sources: Sources) -> Model:
        if not self._has("solve", "pair"):
            return _empty(theme, "There are no pairs: nothing is solved yet, or the method compares none.")
        return self._session.plot_residuals(theme=theme, sources=sources)

    def _draw_graph(self, theme: str, sources: Sources) -> Model:
        if not self._has("solve", "footprint"):
            return _empty(theme, "Nothing is solved yet, or the method needs no footprints.")
        return self._session.plot_graph(theme=theme, sources=sources)

    def _draw_samples(self, theme: str, _sources: Sources) -> Model:
        which = self._which_samples()
        if which is None:
            return _empty(theme, "Select an overlap or a pair to see its pixels.")
        return self._session.plot_samples(which, theme=theme)

    def _renew_samples(self, shown: Model, _theme: str, _sources: Sources) -> bool:
        which = self._which_samples()
        return shown.name == "samples" and which is not None and self._session.renew_samples(shown, which)

    def _which_samples(self) -> str | int | Sequence[str] | None:
        """What is selected whose pixels are known."""
        selection = self.selected.selection
        if selection.pairs and self._has("solve", "compare"):
            return min(selection.pairs) if selection.overlap is None else selection.overlap
        if selection.groups and self._has("solve", "sample_members", "measure_members"):
            return self._member(selection)
        return None

    def _member(self, selection: Selection) -> str:
        """The member of the selected groups that was tapped, or the first one."""
        loaded: Any = self._session.fresh_result("group")
        members = [m.name for m in loaded.members if m.group in selection.groups]
        tapped = selection.member
        return tapped if tapped is not None and tapped in members else str(members[0])

    def _draw_preview(self, theme: str, _sources: Sources) -> Model:
        key, made = self._preview.pop(theme, ("", None))
        if made is not None and key == self._solution_key():
            return made
        self._preview.pop("made", None)
        if self.shown_tab == "Preview":
            self._make_preview(theme)
        return _empty(theme, "The preview is being made." if self._solution_key() else "Nothing is solved yet.")

    def _renew_preview(self, shown: Model, _theme: str, _sources: Sources) -> bool:
        """Show the present levels in a preview; where pixels must be read again, it is made in the background."""
        if shown.name != "preview" or not self._session.renew_preview(shown):
            return False
        self._preview["made"] = (self._solution_key(), None)
        return True

    def _make_preview(self, theme: str = "") -> None:
        """Make the preview in the background, once for each solution."""
        linked = self.figures["Preview"]
        theme = theme or ("dark" if linked.view.dark else "light")
        key = self._solution_key()
        if not key or key == self._preview.get("made", ("", None))[0]:
            return

        def make() -> None:
            self._preview[theme] = (key, self._session.plot_preview(size=CELLS, theme=theme))
            self._preview["made"] = (key, None)
            linked.view.renew()

        self._in_background(make)

    def _solution_key(self) -> str:
        solution = self._session.fresh_result("solve")
        return "" if solution is None else solution.key


def _empty(theme: str, text: str, height: int = 240) -> figure:
    """Figure that says why there is nothing to see."""
    plot = figure(frame_width=520, frame_height=height, toolbar_location=None, tools="", name="empty")
    plot.axis.visible = plot.grid.visible = False
    look = theme_named(theme)
    say_empty(plot, look, text)
    return look.dress(plot)

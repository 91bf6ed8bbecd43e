"""What is said of the map's tools, and done with regions that are drawn: add, take away the last, forget all."""

from typing import TYPE_CHECKING, Any

import ipywidgets as widgets
from numpy.typing import NDArray

from skymatch_nb.widgets.guard import Guard

if TYPE_CHECKING:
    from skymatch_nb.session import SkyMatchSession

HINTS = {
    "tap": "<b>Tap</b> an exposure or an overlap on the map to select it (with Shift: several). Box and polygon tools"
    " at the right of the map draw regions.",
    "draw box": "<b>Draw a box:</b> hold Shift and drag from corner to corner. Pixels inside it {what}. The tool again"
    " puts it away.",
    "draw polygon": "<b>Draw a polygon:</b> hold the mouse button for a moment at the first corner, click at the next"
    " ones, hold it again at the last. Pixels inside it {what}. Esc stops.",
}
"""How a tool is used, and what it does."""

BECOME = {"exclude": "become bad", "include": "are all that is used"}


class RegionBox:
    """A row of buttons for regions, and a line that tells how the tool in use is used.

    Parameters
    ----------
    session
        What is changed.
    guard
        Does things, and reports what they raise.
    """

    def __init__(self, session: "SkyMatchSession", guard: Guard) -> None:
        self._session, self._guard = session, guard
        self._tool = "tap"
        self._order: list[str] = []
        self.draw_as = widgets.ToggleButtons(
            options=["exclude", "include"],
            tooltips=["Pixels in what is drawn are bad", "Pixels outside what is drawn are bad"],
            style={"button_width": "80px"},
            layout={"width": "auto"},
        )
        self.draw_as.observe(guard.handler(lambda _: self._show_hint()), "value")
        self._last = self._button("Remove last region", "Take away the region that was added last", self._remove_last)
        self._all = self._button("Clear regions", "Forget all regions", session.clear_regions)
        label = widgets.HTML("<small>Regions drawn on the map</small>")
        row = [label, self.draw_as, self._last, self._all]
        self.widget = widgets.HBox(row, layout={"flex_flow": "row wrap", "align_items": "center"})
        self.hint = widgets.HTML()
        self.hint.add_class("skymatch-hint")
        self._show_hint()
        self.refresh()

    def took(self, tool: str) -> None:
        """Tell how a tool is used that was taken."""
        self._tool = tool
        self._show_hint()

    def drew(self, vertices: NDArray[Any]) -> None:
        """A region was drawn on the map."""
        add = self._session.include if self.draw_as.value == "include" else self._session.exclude
        self._guard.attempt(lambda: add(vertices))

    def refresh(self) -> None:
        """Follow the regions that there are; those that came together are taken away one by one."""
        counts = {kind: len(self._regions(kind)) for kind in BECOME}
        kept: list[str] = []
        for kind in self._order:
            if kept.count(kind) < counts[kind]:
                kept.append(kind)
        self._order = kept + [kind for kind in BECOME for _ in range(counts[kind] - kept.count(kind))]
        self._last.disabled = self._all.disabled = not self._order

    def _regions(self, kind: str) -> tuple[str, ...]:
        return tuple(getattr(self._session.params, f"{kind}_regions") or ())

    def _remove_last(self) -> None:
        kind = self._order[-1]
        self._order.pop()
        self._session.configure(**{f"{kind}_regions": list(self._regions(kind)[:-1]) or None})

    def _show_hint(self) -> None:
        text = HINTS[self._tool].format(what=BECOME[str(self.draw_as.value)])
        self.hint.value = f"<small>{text}</small>"

    def _button(self, label: str, tooltip: str, do: Any) -> widgets.Button:
        button = widgets.Button(description=label, tooltip=tooltip, layout={"width": "auto"})
        button.add_class(f"skymatch-{label.lower().split()[0]}")
        button.on_click(lambda _: self._guard.attempt(do))
        return button

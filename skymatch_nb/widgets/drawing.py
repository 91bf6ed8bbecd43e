"""Drawing regions on the map of footprints: boxes and polygons become vertices on the sky."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from bokeh.models import BoxEditTool, ColumnDataSource, CustomJS, HoverTool, PanTool, PolyDrawTool, TapTool
from bokeh.plotting import figure
from numpy.typing import NDArray

from skymatch_nb.plots.plane import SkyPlane
from skymatch_nb.plots.theme import Theme

Drew = Callable[[NDArray[np.float64]], None]
"""Called with right ascension and declination in degrees, shape (n, 2), of a region that was drawn."""

DRAW_BOX = "Draw a box: drag with Shift held"
DRAW_POLYGON = "Draw a polygon: hold the button to start, click at corners, hold the button at the last one"

_PUT_AWAY = """
if (!cb_obj.get_length()) for (const name of ["draw box", "draw polygon"]) {
  const tool = cb_obj.document?.get_model_by_name(name)
  if (tool) tool.active = false
}"""
"""Run when what was drawn is taken away, because it is a region now."""


class Drawing:
    """Tools and data sources of what is drawn on a map; a shape is handed on when it is finished, and taken away.

    Parameters
    ----------
    drew
        Called with a region that was drawn.
    took
        Called with the tool that is in use: 'tap', 'draw box' or 'draw polygon'.
    """

    def __init__(self, drew: Drew, took: Callable[[str], None] = lambda _: None) -> None:
        self._drew = drew
        self.plane: SkyPlane | None = None
        self._corners = 0
        self.boxes = ColumnDataSource({"x": [], "y": [], "width": [], "height": []}, name="drawn boxes")
        self.polygons = ColumnDataSource({"xs": [], "ys": []}, name="drawn polygons")
        self.tool = ColumnDataSource({"tool": ["tap"]}, name="tool in use")
        self.boxes.on_change("data", lambda _a, _o, new: self._boxes_drawn(new))
        self.polygons.on_change("data", lambda _a, _o, new: self._polygons_drawn(new))
        for source in (self.boxes, self.polygons):
            source.js_on_change("data", CustomJS(code=_PUT_AWAY))
        self.tool.on_change("data", lambda _a, _o, new: took(str(new["tool"][0])))

    def add_to(self, plot: figure, plane: SkyPlane, theme: Theme) -> None:
        """Give a map the tools, and what is being drawn with them."""
        self.plane = plane
        style: dict[str, Any] = {
            "fill_color": theme.plain,
            "fill_alpha": 0.25,
            "line_color": theme.ink,
            "line_width": 2,
        }
        boxes = plot.rect("x", "y", "width", "height", source=self.boxes, name="drawn boxes", **style)
        polygons = plot.patches("xs", "ys", source=self.polygons, name="drawn polygons", **style)
        tools = [
            BoxEditTool(renderers=[boxes], num_objects=1, description=DRAW_BOX, name="draw box"),
            PolyDrawTool(renderers=[polygons], num_objects=1, description=DRAW_POLYGON, name="draw polygon"),
        ]
        self._watch(plot, tools)
        plot.add_tools(*tools)

    def end(self) -> None:
        """Use no tool: there is no map to draw on."""
        self.plane = None
        self.tool.data = {"tool": ["tap"]}

    def _watch(self, plot: figure, tools: list[Any]) -> None:
        """Have the page tell which tool is in use, hover nothing while one draws, and tap again when it has drawn.

        A map that is made anew opens with the tool that was in use.
        """
        in_use = next((tool for tool in tools if tool.name == self.tool.data["tool"][0]), None)
        if in_use is not None:
            plot.toolbar.active_multi, plot.toolbar.active_inspect = in_use, None
        args = {
            "tools": tools, "taps": plot.select({"type": TapTool}), "pans": plot.select({"type": PanTool}),
            "hovers": plot.select({"type": HoverTool}), "tool": self.tool, "kept": {},
        }  # fmt: skip
        args = {name: list(part) if name in ("taps", "pans", "hovers") else part for name, part in args.items()}
        script = Path(__file__).with_name("drawing.js").read_text(encoding="utf-8")
        for tool in tools:
            tool.js_on_change("change:active", CustomJS(args=args, code=script))

    def _boxes_drawn(self, data: Any) -> None:
        if not len(data["x"]) or self.plane is None:
            return
        x, y, width, height = (float(data[name][0]) for name in ("x", "y", "width", "height"))
        if not abs(width * height) > 0:
            return
        corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * [width / 2, height / 2] + [x, y]
        self.boxes.data = {name: [] for name in ("x", "y", "width", "height")}
        self._hand_on(corners)

    def _polygons_drawn(self, data: Any) -> None:
        """Hand on a polygon that is finished.

        While one is drawn its last point follows the pointer, and each new corner is one point more; the last corner
        takes the place of that point. Escape takes it away.
        """
        x, y = (np.asarray(data[name][-1], float) if len(data[name]) else np.empty(0) for name in ("xs", "ys"))
        before, self._corners = self._corners, len(x)
        if not len(x) or len(x) > before:
            return
        self._corners = 0
        self.polygons.data = {"xs": [], "ys": []}
        if len(x) == before and len(np.unique(np.column_stack([x, y]), axis=0)) >= 3:
            self._hand_on(np.column_stack([x, y]))

    def _hand_on(self, corners: NDArray[np.float64]) -> None:
        if self.plane is not None:
            self._drew(np.column_stack(self.plane.radec(*corners.T)))

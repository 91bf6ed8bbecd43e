"""Drawing regions on the map of footprints: boxes and polygons become vertices on the sky."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from bokeh.models import BoxEditTool, ColumnDataSource, PolyDrawTool
from bokeh.plotting import figure
from numpy.typing import NDArray

from skymatch_nb.io.regions import read_region_sets
from skymatch_nb.plots.plane import SkyPlane

Drew = Callable[[NDArray[np.float64]], None]
"""Called with right ascension and declination in degrees, shape (n, 2), of a region that was drawn."""

DRAW_BOX = "Draw a box: drag with Shift held"
DRAW_POLYGON = "Draw a polygon: hold the button to start, click at corners, hold the button at the last one"

REGION_TOLERANCE = np.radians(0.05 / 3600)


class Drawing:
    """Tools and data sources of what is drawn on a map; a shape is handed on when it is finished, and taken away."""

    def __init__(self, drew: Drew) -> None:
        self._drew = drew
        self._plane: SkyPlane | None = None
        self._corners = 0
        self.boxes = ColumnDataSource({"x": [], "y": [], "width": [], "height": []}, name="drawn boxes")
        self.polygons = ColumnDataSource({"xs": [], "ys": []}, name="drawn polygons")
        self.regions = ColumnDataSource({"xs": [], "ys": []}, name="regions")
        self.boxes.on_change("data", lambda _a, _o, new: self._boxes_drawn(new))
        self.polygons.on_change("data", lambda _a, _o, new: self._polygons_drawn(new))

    def add_to(self, plot: figure, plane: SkyPlane, color: str) -> None:
        """Give a map the tools, and what was drawn and is in force."""
        self._plane = plane
        style = {"fill_color": color, "fill_alpha": 0.2, "line_color": color, "line_width": 2}
        plot.patches("xs", "ys", source=self.regions, name="regions", hatch_pattern="cross", hatch_alpha=0.25, **style)
        boxes = plot.rect("x", "y", "width", "height", source=self.boxes, name="drawn boxes", **style)
        polygons = plot.patches("xs", "ys", source=self.polygons, name="drawn polygons", **style)
        plot.add_tools(
            BoxEditTool(renderers=[boxes], num_objects=1, description=DRAW_BOX),
            PolyDrawTool(renderers=[polygons], num_objects=1, description=DRAW_POLYGON),
        )

    def show(self, entries: Sequence[str]) -> None:
        """Show the regions that are in force."""
        xs: list[list[float]] = []
        ys: list[list[float]] = []
        if self._plane is not None:
            for of_entry in read_region_sets(entries, REGION_TOLERANCE):
                for region in of_entry.regions:
                    for ring in region.polygon.rings:
                        x, y = self._plane.offsets(ring)
                        xs.append(x.tolist())
                        ys.append(y.tolist())
        if xs != self.regions.data["xs"] or ys != self.regions.data["ys"]:
            self.regions.data = {"xs": xs, "ys": ys}

    def _boxes_drawn(self, data: Any) -> None:
        if not len(data["x"]) or self._plane is None:
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
        if self._plane is not None:
            self._drew(np.column_stack(self._plane.radec(*corners.T)))

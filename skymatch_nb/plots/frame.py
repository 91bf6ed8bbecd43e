"""Empty maps of the sky: true aspect, east to the left, RA and Dec at the edges, scale bar and compass."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from bokeh.models import (
    Angular,
    Arrow,
    BoxAnnotation,
    BoxZoomTool,
    ColumnDataSource,
    CustomJS,
    Label,
    PanTool,
    Range1d,
    ResetTool,
    SaveTool,
    ScaleBar,
    Select,
    TapTool,
    VeeHead,
    WheelZoomTool,
)
from bokeh.plotting import figure

from skymatch_nb.plots.plane import SkyPlane, graticule, poles_inside, set_sky_axes
from skymatch_nb.plots.theme import Theme, selector
from skymatch_nb.results import Floats

ANGLES = {
    "°": (1.0, "^\\circ", "degree"),
    "′": (1 / 60, "^\\prime", "minute"),
    "″": (1 / 3600, "^{\\prime\\prime}", "second"),
    "00 mas": (1e-1 / 3600, "", "hundred milliarcseconds"),
    "0 mas": (1e-2 / 3600, "", "ten milliarcseconds"),
    " mas": (1e-3 / 3600, "", "milliarcsecond"),
}
"""Units of scale bars, which have one to thirty of them; their names are written behind that number."""


MOST_PARTS = 20
"""Parts of a field that a selector offers."""

STRIP = 58
"""Pixels below a field that are left free for compass and scale bar."""

BACKING = 0.7
"""Opacity of the paper behind compass, scale bar and poles: what is behind them shines through, and they are read."""

FAR = 3.0
"""Times that the whole field is wider than a part from which on a map opens at the part."""


@dataclass(frozen=True)
class Window:
    """Part of the plane that a map shows, in degrees (x grows to the east), and the size of its frame in pixels.

    Below what it is made around there is a strip for compass and scale bar.
    """

    x: tuple[float, float]
    y: tuple[float, float]
    frame: tuple[int, int]

    @property
    def width(self) -> float:
        """Extent along x in degrees."""
        return self.x[1] - self.x[0]

    @classmethod
    def around(cls, x: Floats, y: Floats, size: int = 640, frame: tuple[int, int] | None = None) -> "Window":
        """Window with equal scales around points; its longer side has ``size`` pixels, unless ``frame`` is given."""
        low, high = np.array([np.nanmin(x), np.nanmin(y)]), np.array([np.nanmax(x), np.nanmax(y)])
        extent = np.maximum(high - low, 1e-7)
        extent = extent + 0.1 * extent.max()
        if frame is None:
            ratio = float(np.clip(extent[1] / extent[0], 0.45, 1.25))
            width, height = (size, int(size * ratio)) if ratio <= 1 else (int(size / ratio), size)
            frame = (width, height + STRIP)
        inner = np.array([frame[0], frame[1] - STRIP])
        scale = float((extent / inner).max())
        middle = 0.5 * (low + high)
        (x0, y0), (x1, y1) = (middle - 0.5 * scale * inner).tolist(), (middle + 0.5 * scale * inner).tolist()
        return cls((x0, x1), (y0 - scale * STRIP, y1), frame)


def map_figure(plane: SkyPlane, window: Window, theme: Theme, name: str) -> figure:
    """Figure of a window, with lines of equal RA and Dec, and nothing else on it."""
    (x0, x1), (y0, y1) = window.x, window.y
    wheel, tap = WheelZoomTool(zoom_together="all"), TapTool()
    plot = figure(
        frame_width=window.frame[0],
        frame_height=window.frame[1],
        x_range=Range1d(x1, x0),
        y_range=Range1d(y0, y1),
        tools=[PanTool(), wheel, BoxZoomTool(match_aspect=True), tap, ResetTool(), SaveTool()],
        name=name,
    )
    plot.toolbar.active_scroll, plot.toolbar.active_tap = wheel, tap
    theme.dress(plot)
    plot.grid.visible = False
    set_sky_axes(plot, plane)
    lines = ColumnDataSource(graticule(plane, window.x, window.y), name="graticule")
    plot.multi_line("xs", "ys", source=lines, line_color=theme.faint, line_width=1, level="underlay", name="graticule")
    for pole, x, y in poles_inside(plane, window.x, window.y):
        plot.scatter([x], [y], marker="plus", size=14, color=theme.ink, name=pole, level="overlay")
        paper = {"background_fill_color": theme.paper, "background_fill_alpha": BACKING}
        text = {"text": pole, "text_color": theme.ink, "text_font_size": "11px"}
        plot.add_layout(Label(x=x, y=y, x_offset=8, y_offset=4, **text, **paper))
    _add_scale(plot, theme)
    _add_compass(plot, theme)
    return plot


def _add_scale(plot: figure, theme: Theme) -> None:
    bar = ScaleBar(
        range=plot.y_range, unit="°", dimensional=Angular(basis=ANGLES, ticks=[1, 2, 5, 10, 20, 30]),
        location="bottom_right", bar_length=0.2, bar_line_color=theme.ink, label="@{value}@{unit}",
    )  # fmt: skip
    theme.dress_bar(bar).background_fill_alpha = BACKING
    plot.add_layout(bar)


def _add_compass(plot: figure, theme: Theme) -> None:
    """Arrows to the north and to the east in the lower left corner, which stays where it is in frames of any width.

    They stand on paper, so that nothing that is drawn there hides them.
    """
    x, y, length = 66, 14, 36
    plot.add_layout(
        BoxAnnotation(
            left=x - length - 18, right=x + 12, bottom=3, top=y + length + 18, line_color=None,
            left_units="screen", right_units="screen", bottom_units="screen", top_units="screen",
            fill_color=theme.paper, fill_alpha=BACKING,
        )
    )  # fmt: skip
    ends: Sequence[tuple[str, int, int, int, int]] = (
        ("N", x, y + length, x, y + length + 2),
        ("E", x - length, y, x - length - 9, y - 7),
    )
    for name, to_x, to_y, at_x, at_y in ends:
        head = VeeHead(size=7, fill_color=theme.ink, line_color=theme.ink)
        units: dict[str, Any] = {"start_units": "screen", "end_units": "screen"}
        plot.add_layout(
            Arrow(x_start=x, y_start=y, x_end=to_x, y_end=to_y, end=head, line_color=theme.ink, line_width=1.5, **units)
        )
        plot.add_layout(
            Label(
                x=at_x, y=at_y, x_units="screen", y_units="screen", text=name, text_color=theme.ink,
                text_font_size="12px", text_align="center",
            )
        )  # fmt: skip


def opening_view(parts: Mapping[str, tuple[Floats, Floats]], sizes: Sequence[int], whole: Window) -> tuple[str, Window]:
    """Name and window of what a map shows first: the largest part where it would be a speck on the whole, else 'all'.

    ``sizes`` are the members of the parts.
    """
    if parts:
        name = list(parts)[int(np.argmax(sizes))]
        window = Window.around(*parts[name], size=max(whole.frame))
        if whole.width > FAR * window.width:
            return name, window
    return "all", whole


def view_selector(
    plot: figure, parts: Mapping[str, tuple[Floats, Floats]], whole: Window, theme: Theme, opened: str = "all"
) -> Select:
    """Selector that moves a map to one of the parts of a field, which may lie far from each other."""
    frame = plot.frame_width, plot.frame_height
    offered = list(dict.fromkeys([*([opened] if opened in parts else []), *parts]))[:MOST_PARTS]
    views = {"all": whole if whole.frame == frame else Window.around(np.array(whole.x), np.array(whole.y), frame=frame)}
    views |= {name: Window.around(*parts[name], frame=frame) for name in sorted(offered, key=list(parts).index)}
    select = selector("view", list(views), opened, theme)
    windows = {name: [*v.x, *v.y] for name, v in views.items()}
    code = "const [x0, x1, y0, y1] = windows[this.value]; x.setv({start: x1, end: x0}); y.setv({start: y0, end: y1})"
    select.js_on_change("value", CustomJS(args={"windows": windows, "x": plot.x_range, "y": plot.y_range}, code=code))
    return select

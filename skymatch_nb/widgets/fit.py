"""Figures made to fit the column of a panel: narrower frames, and texts broken into lines that fit them."""

import textwrap

from bokeh.model import Model
from bokeh.models import ColorBar, CustomJSTicker, GridPlot, Label, Title
from bokeh.plotting import figure

COLUMN = 560
"""Width in pixels that a figure may have, axes included, where the page does not tell its own."""

BESIDE_FRAMES = 265
"""Pixels that labels, color bar and toolbar take beside the frames of a figure."""

BETWEEN_FRAMES = 60
"""Pixels between the frames of a grid."""

NARROWEST = 0.4
"""Share of their width down to which frames are made smaller."""


ROOM_FOR_RA = 95
"""Pixels that a label of right ascension takes."""

LETTER = 0.54
"""Width of a letter as a share of the size of its font."""

LINE = 1.25
"""Height of a line as a share of the size of its font."""


def fit(model: Model, width: int = COLUMN) -> Model:
    """Make the frames of a figure, or of those of a grid, smaller where they are too wide; maps keep their shape."""
    plots = _plots(model)
    columns: dict[int, int] = {}
    for place, plot in enumerate(plots):
        column = model.children[place][2] if isinstance(model, GridPlot) else 0
        if isinstance(plot, figure) and plot.frame_width is not None:
            columns[column] = max(columns.get(column, 0), plot.frame_width)
    frames, beside = sum(columns.values()), BESIDE_FRAMES + BETWEEN_FRAMES * (len(columns) - 1)
    if not frames or frames + beside <= width:
        return fit_texts(model)
    scale = max((width - beside) / frames, NARROWEST)
    for plot in plots:
        if isinstance(plot, figure) and plot.frame_width is not None:
            _shrink(plot, scale)
    return fit_texts(model)


def _shrink(plot: figure, scale: float) -> None:
    """Make a frame smaller, and what is placed in it by pixels."""
    is_map = plot.name in ("footprints", "graph") or "preview" in (plot.name or "")
    plot.frame_width = int(scale * plot.frame_width)
    if is_map:
        plot.frame_height = int(scale * plot.frame_height)
    for part in plot.center:
        if isinstance(part, Label) and part.x_units == "screen" and part.text not in ("N", "E"):
            part.x = part.x * scale
    axis = plot.xaxis[0]
    if isinstance(axis.ticker, CustomJSTicker) and "wanted" in axis.ticker.args:
        for part in (axis.ticker, axis.formatter):
            part.args = {**part.args, "wanted": max(2, plot.frame_width // ROOM_FOR_RA)}


def fit_texts(model: Model) -> Model:
    """Break titles, captions and labels of the x axis into lines no longer than their frame is wide."""
    plots = [plot for plot in _plots(model) if isinstance(plot, figure) and plot.frame_width is not None]
    below = above = 0.0
    for plot in plots:
        titles = [plot.title, *(part for part in plot.below if isinstance(part, Title) and part.visible)]
        for k, title in enumerate(titles):
            size = float(str(title.text_font_size).removesuffix("px")) if title.text_font_size else 13.0
            more = _break(title, "text", plot.frame_width, size)
            above, below = (max(above, more), below) if k == 0 else (above, below + more)
        for bar in plot.right:
            if isinstance(bar, ColorBar) and plot.frame_height is not None:
                _break(bar, "title", plot.frame_height, 13.0)
        for axis in plot.xaxis:
            below += _break(axis, "axis_label", plot.frame_width, 13.0)
    if len(plots) > 1:  # frames of a grid are aligned by the room around them
        for plot in plots:
            _grow(plot, above, below)
    return model


def _plots(model: Model) -> list[Model]:
    return [child[0] for child in model.children] if isinstance(model, GridPlot) else [model]


def _break(part: Model, name: str, width: int, size: float) -> float:
    """Break a text into lines; the pixels of height that it takes more."""
    text = getattr(part, name)
    if not isinstance(text, str) or not text:
        return 0.0
    lines = textwrap.wrap(text, max(int(width / (LETTER * size)), 12), break_long_words=False) or [text]
    if "\n".join(lines) != text:
        setattr(part, name, "\n".join(lines))
    return (len(lines) - 1) * LINE * size


def _grow(plot: figure, above: float, below: float) -> None:
    """Give a plot more room above and below, once."""
    for name, more in (("min_border_top", above), ("min_border_bottom", below)):
        wanted = int(more) + _ROOM[name]
        if more and (getattr(plot, name) or 0) < wanted:
            setattr(plot, name, wanted)


_ROOM = {"min_border_top": 56, "min_border_bottom": 74}
"""Pixels that figures of a grid have above and below for texts of one line."""

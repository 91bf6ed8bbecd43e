"""Figures made to fit the column of a panel: frames narrower or below each other, texts broken into lines that fit."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from bokeh.model import Model
from bokeh.models import AdaptiveTicker, ColorBar, CustomJSTicker, GridPlot, HoverTool, Label, Legend, Title
from bokeh.plotting import figure

from skymatch_nb.plots.frame import resize_compass
from skymatch_nb.plots.graph import label_nodes
from skymatch_nb.plots.labels import short_names
from skymatch_nb.plots.rows import names_at, wrap_legend, write_names
from skymatch_nb.plots.theme import LETTER

COLUMN = 560
"""Width in pixels that a figure may have, axes included, where the page does not tell its own."""

TOOLBAR = 40
"""Pixels that the toolbar takes."""

BAR = 112
"""Pixels that a colour bar takes beside a frame, with a title of two lines."""

AXIS = 24
"""Pixels that the label of an axis takes."""

TICKS = {"map": 76, "numbers": 52}
"""Pixels that tick labels of the y axis take: declinations, or numbers."""

BETWEEN = " − "
"""What stands between the names of a pair."""

NAMES = 0.4
"""Share of the width that names of rows may take."""

NARROWEST = {"map": 165, "rows": 100}
"""Pixels that frames beside each other have at least; else they are put below each other."""

BAR_BESIDE = 250
"""Pixels that a frame has at least beside a colour bar; else this is put below it."""

BUTTON = 31
"""Pixels that a button of a toolbar takes."""

ROOM_FOR_NUMBER = 30
"""Pixels that a label of a number takes below a frame."""

ROOM_FOR_RA = 95
"""Pixels that a label of right ascension takes."""

LINE = 1.25
"""Height of a line as a share of the size of its font."""

ROOM = {"min_border_top": 56, "min_border_bottom": 74}
"""Pixels that figures side by side have above and below for texts of one line."""


def fit(model: Model, width: int = COLUMN) -> Model:
    """Make a figure, or a grid of them, no wider than ``width`` pixels; maps keep their shape."""
    plots = _plots(model)
    if not plots:
        return model
    fit_names(model, width)
    for columns in range(_columns(model), 0, -1):
        _arrange(model, columns)
        frames = _frames(model, width)
        least = min(frame / plot.frame_width for frame, plot in zip(frames, plots, strict=True))
        wide = all(frame >= min(_narrowest(plot), plot.frame_width) for frame, plot in zip(frames, plots, strict=True))
        if wide or columns == 1:
            break
    if columns == 1 and min(frames) < BAR_BESIDE:
        for plot in plots:
            _put_below(plot, ColorBar)
        frames = _frames(model, width)
        least = min(frame / plot.frame_width for frame, plot in zip(frames, plots, strict=True))
    if least < 1:
        for frame, plot in zip(frames, plots, strict=True):
            _shrink(plot, frame)
    for plot in plots:
        _put_below(plot, Legend)
    if not isinstance(model, GridPlot):
        _fit_toolbar(model)
    return fit_texts(model, width)


def fit_texts(model: Model, width: int = COLUMN) -> Model:
    """Break titles, captions, legends and labels of axes into lines no longer than their frame is wide."""
    fit_names(model, width)
    rows: dict[int, list[_Broken]] = {}
    for row, plot in zip(_rows(model), _plots(model), strict=True):
        rows.setdefault(row, []).append(_break_texts(plot))
    for broken in rows.values():
        if len(broken) > 1:  # frames beside each other are aligned by the room around them
            for one in broken:
                _grow(one.plot, max(b.above for b in broken), max(b.below for b in broken))
    return model


def fit_names(model: Model, width: int) -> None:
    """Make the names of rows, or those of both sides of pairs, no wider than their share."""
    room = int(NAMES * width / (LETTER * 11))
    for plot in _plots(model):
        names = names_at(plot.yaxis[0])
        if not names or max(map(len, names)) <= room:
            continue
        split = [name.split(BETWEEN) for name in names]
        parts = sorted({part for both in split for part in both})
        most = max(map(len, split))
        told = dict(zip(parts, short_names(parts, (room - len(BETWEEN) * (most - 1)) // most), strict=True))
        write_names(plot.yaxis[0], [BETWEEN.join(told[part] for part in both) for both in split])


@dataclass(frozen=True)
class _Broken:
    """A figure, and the pixels that its broken texts take more above and below."""

    plot: figure
    above: float
    below: float


def _plots(model: Model) -> list[figure]:
    found = [child[0] for child in model.children] if isinstance(model, GridPlot) else [model]
    return [plot for plot in found if isinstance(plot, figure) and plot.frame_width is not None]


def _rows(model: Model) -> list[int]:
    return [child[1] for child in model.children] if isinstance(model, GridPlot) else [0]


def _columns(model: Model) -> int:
    return 1 + max(child[2] for child in model.children) if isinstance(model, GridPlot) else 1


def _arrange(model: Model, columns: int) -> None:
    """Put the figures of a grid of one row into so many columns; those at the left have names at their axis."""
    if not isinstance(model, GridPlot) or columns >= _columns(model):
        return
    plots = [child[0] for child in model.children]
    model.children = [(plot, k // columns, k % columns) for k, plot in enumerate(plots)]
    for k, plot in enumerate(plots):
        if k and k % columns == 0:
            _name_left(plot, plots[0])


def _name_left(plot: figure, first: figure) -> None:
    """Give a figure that stood beside the first one an axis of its own."""
    axis, named = plot.yaxis[0], first.yaxis[0]
    axis.visible, axis.axis_label = True, named.axis_label
    axis.major_label_text_font_size = named.major_label_text_font_size
    if names_at(named):
        write_names(axis, names_at(named))
    plot.min_border_left = first.min_border_left


def _kind(plot: figure) -> str:
    return "map" if plot.name in ("footprints", "graph") or "preview" in (plot.name or "") else "rows"


def _narrowest(plot: figure) -> int:
    return NARROWEST[_kind(plot)]


def _left(plot: figure) -> float:
    """Pixels that a figure takes at the left of its frame."""
    axis = plot.yaxis[0]
    if not axis.visible:
        return float(plot.min_border_left or 5)
    texts = [*names_at(axis), *axis.major_label_overrides.values()]
    longest = max((len(line) for text in texts for line in str(text).split("\n")), default=0)
    kind = "map" if _kind(plot) == "map" else "numbers"
    ticks = LETTER * 11 * longest + 12 if texts else TICKS[kind]
    return float(max((AXIS if axis.axis_label else 0) + ticks, plot.min_border_left or 0))


def _right(plot: figure) -> float:
    """Pixels that a figure takes at the right of its frame."""
    bars = sum(BAR for part in plot.right if isinstance(part, ColorBar))
    return float(max(bars, plot.min_border_right or 0))


def _frames(model: Model, width: int) -> list[int]:
    """Widths of the frames, as wide as they are where there is room, else smaller in their proportions."""
    plots = _plots(model)
    columns = [child[2] for child in model.children] if isinstance(model, GridPlot) else [0]
    count = max(columns) + 1
    wide, beside = np.zeros(count), np.zeros(count)
    for plot, column in zip(plots, columns, strict=True):
        wide[column] = max(wide[column], plot.frame_width)
        beside[column] = max(beside[column], _left(plot) + _right(plot))
    scale = min(max((width - TOOLBAR - beside.sum()) / wide.sum(), 0.1), 1.0)
    return [int(scale * wide[column]) if scale < 1 else plot.frame_width
            for plot, column in zip(plots, columns, strict=True)]  # fmt: skip


def _put_below(plot: figure, kind: type[ColorBar] | type[Legend]) -> None:
    """Put keys of a kind that stand beside a frame below it."""
    for key in [part for part in plot.right if isinstance(part, kind)]:
        plot.right.remove(key)
        if isinstance(key, ColorBar):
            key.orientation, key.height, key.padding = "horizontal", 10, 4
        else:
            longest = max(map(len, _texts(key.items)), default=0)
            key.location, key.label_text_font_size = "top_left", "11px"
            key.ncols = max(1, int(plot.frame_width / (LETTER * 11 * longest + 40)))
        plot.add_layout(key, "below")


def _shrink(plot: figure, width: int) -> None:
    """Make a frame smaller, and what is placed in it by pixels."""
    scale = width / plot.frame_width
    if scale >= 1:
        return
    plot.frame_width = width
    for part in plot.center:
        if isinstance(part, Label) and part.x_units == "screen" and part.name != "compass":
            part.x = part.x * scale
    if _kind(plot) != "map":
        for axis in plot.xaxis:
            if isinstance(axis.ticker, AdaptiveTicker):
                axis.ticker.desired_num_ticks = min(max(3, width // ROOM_FOR_NUMBER), axis.ticker.desired_num_ticks)
        return
    plot.frame_height = int(scale * plot.frame_height)
    resize_compass(plot, scale)
    axis = plot.xaxis[0]
    if isinstance(axis.ticker, CustomJSTicker) and "wanted" in axis.ticker.args:
        for part in (axis.ticker, axis.formatter):
            part.args = {**part.args, "wanted": max(2, plot.frame_width // ROOM_FOR_RA)}
    if plot.name == "graph":
        _label_again(plot)


def _fit_toolbar(plot: figure) -> None:
    """Leave out the button of hover, which stays on, where Bokeh would put the last buttons into a menu."""
    hovers = [tool for tool in plot.tools if isinstance(tool, HoverTool)]
    if plot.frame_height is not None and plot.frame_height < BUTTON * (len(plot.tools) - len(hovers) + 1):
        for tool in hovers:
            tool.visible = False


def _label_again(plot: figure) -> None:
    nodes = [r.data_source for r in plot.renderers if r.name == "nodes"]
    for source in nodes:
        label_nodes(plot, source)


def _break_texts(plot: figure) -> _Broken:
    below = above = 0.0
    titles = [plot.title, *(part for part in plot.below if isinstance(part, Title) and part.visible)]
    for k, title in enumerate(titles):
        size = float(str(title.text_font_size).removesuffix("px")) if title.text_font_size else 13.0
        more = _break(title, "text", plot.frame_width, size)
        above, below = (max(above, more), below) if k == 0 else (above, below + more)
    for part in (*plot.right, *plot.above):
        if isinstance(part, ColorBar) and plot.frame_height is not None:
            _break(part, "title", plot.frame_height, 13.0)
        if isinstance(part, Legend) and part in plot.above:
            above += _fit_legend(part, plot.frame_width, plot.frame_width + _left(plot))
    for bar in plot.below:
        if isinstance(bar, ColorBar):
            below += _break(bar, "title", plot.frame_width, 13.0)
    for label in plot.center:
        if isinstance(label, Label) and label.text_align == "center" and label.name != "compass":
            _break(label, "text", plot.frame_width, 16.0)
    for axis in plot.xaxis:
        below += _break(axis, "axis_label", plot.frame_width, 13.0)
    return _Broken(plot, above, below)


def _fit_legend(legend: Legend, width: int, reach: float) -> float:
    """Make a legend above a frame no wider than it; the pixels of height that it takes more.

    One in a single line may reach over the names at the left of the frame too: ``reach`` pixels in all.
    """
    if legend.orientation == "vertical":
        lines = wrap_legend(legend, width)
        return 0.0 if lines == 1 else LINE * 13.0 * (lines - 1)
    texts = _texts(legend.items)
    if sum(LETTER * 13 * len(text) + 34 for text in texts) <= reach:
        return 0.0
    legend.orientation, legend.location, legend.spacing = "vertical", "top_left", 0
    return LINE * 13.0 * (wrap_legend(legend, width) - 1)


def _texts(items: Sequence[Any]) -> list[str]:
    return [str(item.label.value) for item in items]


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
        wanted = int(more) + ROOM[name]
        if more and (getattr(plot, name) or 0) < wanted:
            setattr(plot, name, wanted)

"""What figures with one row per group or pair share: names at the left, marks and bars along x."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from bokeh.layouts import gridplot
from bokeh.models import (
    ColumnDataSource,
    FixedTicker,
    GridPlot,
    Legend,
    LegendItem,
    Range1d,
    Span,
    TapTool,
    Title,
    Whisker,
)
from bokeh.plotting import figure

from skymatch_nb.plots.theme import Theme, literal, plain

MOST_NAMES = 48
"""Rows up to which every one has its name at the axis; of more, hover tells."""


def rows_figure(names: Sequence[str], rows: Sequence[int], theme: Theme, name: str, width: int = 560) -> figure:
    """Figure with one row per name, the first at the top; many rows are drawn closer and without names."""
    count = len(names)
    height = int(np.clip(26 * count, 170, 900 if count > MOST_NAMES else 26 * MOST_NAMES))
    tap = TapTool()
    plot = figure(
        frame_width=width, frame_height=height, y_range=Range1d(count - 0.4, -0.6), tools=["pan", "box_zoom", "reset",
        "save", tap, "xwheel_zoom", "ywheel_zoom"], name=name,
    )  # fmt: skip
    plot.toolbar.active_tap = tap
    theme.dress(plot)
    if count <= MOST_NAMES:
        plot.yaxis.ticker = FixedTicker(ticks=list(range(count)))
        name_rows(plot, names, rows)
    else:
        plot.yaxis.axis_label = "row (hover tells the name)"
    plot.ygrid.grid_line_alpha = 0.25
    return plot


def name_rows(plot: figure, names: Sequence[str], rows: Sequence[int]) -> None:
    """Write the names of rows at the axis, where there are few enough."""
    if len(names) <= MOST_NAMES:
        plot.yaxis.major_label_overrides = {int(r): literal(n) for n, r in zip(names, rows, strict=True)}


def mark_size(source: ColumnDataSource) -> int:
    """Size of marks, in pixels, that leaves many rows apart."""
    return 8 if len(source.data["row"]) <= MOST_NAMES else 5


def error_bars(source: ColumnDataSource) -> Whisker:
    """Bars along x between the columns ``lower`` and ``upper``."""
    whisker = Whisker(base="row", lower="lower", upper="upper", dimension="width", source=source, line_color="color")
    whisker.line_width = 2
    for head in (whisker.upper_head, whisker.lower_head):
        head.size, head.line_color = 7, "color"
    return whisker


def add_dumbbells(plot: figure, source: ColumnDataSource, theme: Theme, color: str = "") -> tuple[Any, Any]:
    """Open circles at ``before``, dots at ``after``, and lines between them."""
    plot.add_layout(Span(dimension="height", location=0, line_color=theme.ink, line_alpha=0.3, level="underlay"))
    plot.segment("before", "row", "after", "row", source=source, line_color=theme.plain, line_alpha=0.6, line_width=2)
    before = plot.scatter(
        "before", "row", source=source, size=mark_size(source), fill_color=theme.paper, line_color=theme.before,
        line_width=2, name="before", nonselection_alpha=0.25,
    )  # fmt: skip
    after = plot.scatter(
        "after",
        "row",
        source=source,
        size=mark_size(source),
        color=color or theme.after,
        name="after",
        nonselection_alpha=0.25,
    )
    return before, after


def add_legend(plot: figure, theme: Theme, items: Mapping[str, Any]) -> Legend:
    """Legend above the frame, so that it hides nothing."""
    legend = Legend(
        items=[LegendItem(label={"value": plain(text)}, renderers=[glyph]) for text, glyph in items.items()],
        orientation="horizontal", border_line_color=None, padding=2, margin=2,
    )  # fmt: skip
    plot.add_layout(theme.dress_bar(legend), "above")
    return legend


def side_by_side(plots: Sequence[figure], name: str) -> GridPlot:
    """Figures in a row with one toolbar.

    Their frames are aligned without their canvases growing, so all get the same room above and below.
    """
    below = max(sum(isinstance(part, Title) for part in plot.below) for plot in plots)
    for plot in plots:
        plot.min_border_top, plot.min_border_bottom = max(plot.min_border_top or 0, 56), 56 + 18 * below
    grid = gridplot([list(plots)], merge_tools=True, toolbar_location="right", toolbar_options={"logo": None})
    grid.name = name
    return grid

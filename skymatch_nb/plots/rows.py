"""What figures with one row per group or pair share: names at the left, marks and bars along x."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from bokeh.layouts import gridplot
from bokeh.models import (
    Axis,
    ColumnDataSource,
    CustomJSTickFormatter,
    FixedTicker,
    GridPlot,
    Legend,
    LegendItem,
    Range1d,
    Span,
    TapTool,
    Title,
)
from bokeh.plotting import figure

from skymatch_nb.plots.theme import Theme, plain, raise_title, screen_only

MOST_NAMES = 48
"""Rows up to which every one has its name at the axis; of more, hover tells."""

LEGEND_HEIGHT = 23
"""Pixels that a legend of one line takes between a frame and its title."""


NAME_LETTER = 0.61
"""Width of a letter of a legend as a share of the size of its font: names of exposures are digits for the most part."""

LEGEND_SIZE = 12
"""Size of the font of a legend whose texts are broken into lines, in pixels."""

LEGEND_LINE = 16
"""Pixels from one of its lines to the next."""

LEGEND_MARK = 34
"""Pixels that mark and margins of a legend take."""


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
        told = dict(zip(rows, names, strict=True))
        write_names(plot.yaxis[0], [told[row] for row in range(len(names))])


def names_at(axis: Axis) -> list[str]:
    """Names that `write_names` wrote at an axis, from the top row; none where it did not."""
    return list(axis.formatter.args.get("names", ())) if isinstance(axis.formatter, CustomJSTickFormatter) else []


def write_names(axis: Axis, names: Sequence[str]) -> None:
    """Write the names of all rows at an axis, as they are.

    They are not ``major_label_overrides``: of these a page makes every one anew where any is another one.
    """
    if not isinstance(axis.formatter, CustomJSTickFormatter):
        axis.formatter = CustomJSTickFormatter(args={"names": list(names)}, code="return names[tick] ?? ''")
    elif names_at(axis) != list(names):
        axis.formatter.args = {"names": list(names)}


def move_names(plot: figure, before: Mapping[Any, int], rows: Mapping[Any, int]) -> bool:
    """Move the names of rows, as they are written at the axis, from rows before to others; False where some are new."""
    axis = plot.yaxis[0]
    names = names_at(axis)
    if rows == before or not any(names):
        return True
    if rows.keys() != before.keys():
        return False
    moved = {row: names[before[key]] for key, row in rows.items()}
    write_names(axis, [moved[row] for row in range(len(names))])
    return True


def mark_size(source: ColumnDataSource) -> int:
    """Size of marks, in pixels, that leaves many rows apart."""
    return 8 if len(source.data["row"]) <= MOST_NAMES else 5


def add_error_bars(plot: figure, source: ColumnDataSource) -> None:
    """Bars along x between the columns ``lower`` and ``upper``; as marks they widen the range that is shown."""
    plot.segment(
        "lower", "row", "upper", "row", source=source, line_color="color", line_width=2, nonselection_line_alpha=0.25,
        name="error bars",
    )  # fmt: skip
    for end in ("lower", "upper"):
        plot.scatter(
            end, "row", source=source, marker="dash", angle=0.5 * np.pi, size=9, line_color="color", line_width=2,
            nonselection_line_alpha=0.25, name=f"{end} ends",
        )  # fmt: skip


def add_dumbbells(plot: figure, source: ColumnDataSource, theme: Theme, color: str = "") -> tuple[Any, Any]:
    """Open circles at ``before``, dots at ``after``, and lines between them."""
    plot.add_layout(Span(dimension="height", location=0, line_color=theme.ink, line_alpha=0.3, level="underlay"))
    plot.segment("before", "row", "after", "row", source=source, line_color=theme.plain, line_width=1.5)
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


def wrap_legend(legend: Legend, width: int) -> int:
    """Break the texts of a vertical legend into lines that fit a width in pixels; how many lines there are.

    Lines after an item's first one are items without a mark.
    """
    marked = [item for item in legend.items if item.renderers]
    return rename_legend(legend, [item.tags[0] if item.tags else str(item.label.value) for item in marked], width)


def rename_legend(legend: Legend, texts: Sequence[str], width: int) -> int:
    """Give the marks of a vertical legend other texts, as `wrap_legend` does; new items only for more or fewer lines.

    New ones, even such as are alike, would have the page lay out the figure again.
    """
    letters = max(int((width - LEGEND_MARK) / (NAME_LETTER * LEGEND_SIZE)), 12)
    wrapped = [textwrap.wrap(text, letters, break_on_hyphens=False) or [""] for text in texts]
    lines = [
        (line, text, k == 0) for text, of_text in zip(texts, wrapped, strict=True) for k, line in enumerate(of_text)
    ]
    if [bool(item.renderers) for item in legend.items] == [first for *_, first in lines]:
        for item, (line, text, _) in zip(legend.items, lines, strict=True):
            if item.label.value != line:
                item.label = {"value": line}
            if item.tags != [text]:
                item.tags = [text]
    else:
        marks = iter([list(item.renderers) for item in legend.items if item.renderers])
        legend.items = [
            LegendItem(label={"value": line}, renderers=next(marks) if first else [], tags=[text])
            for line, text, first in lines
        ]
    legend.label_text_font_size = f"{LEGEND_SIZE}px"
    legend.glyph_height = legend.label_height = LEGEND_LINE
    return len(lines)


def side_by_side(plots: Sequence[figure], name: str, theme: Theme) -> GridPlot:
    """Figures in a row with one toolbar.

    Their frames are aligned without their canvases growing, so all get the same room above and below; a title without
    a legend below it stands as high as one that has one.
    """
    legends = [any(isinstance(part, Legend) for part in plot.above) for plot in plots]
    for plot, legend in zip(plots, legends, strict=True):
        if any(legends) and not legend:
            raise_title(plot, LEGEND_HEIGHT)
        plot.min_border_right = max(plot.min_border_right or 0, 16)
    for plot in plots:
        plot.min_border_top = max(plot.min_border_top or 0, 56)
    room_below(plots)
    return grid_of([list(plots)], name, theme)


def room_below(plots: Sequence[figure]) -> None:
    """Give figures side by side at least the room that the lines below any of them take."""
    lines = max(sum(isinstance(part, Title) and part.visible for part in plot.below) for plot in plots)
    for plot in plots:
        if (plot.min_border_bottom or 0) < 56 + 18 * lines:
            plot.min_border_bottom = 56 + 18 * lines


def grid_of(rows: Sequence[Sequence[figure]], name: str, theme: Theme) -> GridPlot:
    """Grid of figures with one toolbar, on the theme's paper."""
    options = {"logo": None}
    grid = gridplot([list(row) for row in rows], merge_tools=True, toolbar_location="right", toolbar_options=options)
    grid.name, grid.styles = name, {"background-color": theme.paper}
    grid.toolbar.stylesheets = [theme.icons(), screen_only()]
    return grid

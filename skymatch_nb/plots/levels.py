"""Sky of every group, and its pairs' differences: one row per group or pair, names at the left."""

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

from skymatch_nb.plots.sources import Sources
from skymatch_nb.plots.theme import (
    Theme,
    category_colors,
    hover,
    level_text,
    literal,
    plain,
    say_empty,
    set_titles,
    short,
)
from skymatch_nb.results import Floats, GroupPairs, Loaded, MemberLevels, Solution, Units

MOST_NAMES = 48
"""Rows up to which every one has its name at the axis; of more, hover tells."""


def group_data(
    loaded: Loaded,
    units: Units,
    solution: Solution,
    pairs: GroupPairs | None,
    whole: MemberLevels | None,
    theme: Theme,
    unit: str = "brightness",
) -> dict[str, Any]:
    """Columns of the groups: sky with its error, how much they stand out before and after, and their row.

    Rows are ordered by component, then as the groups are. With ``unit`` 'data' levels are in the data units of a
    group's first member.
    """
    count = len(loaded.groups)
    first = [int(np.flatnonzero(loaded.group_of == g)[0]) for g in range(count)]
    scale = 1.0 / units.factor[first] if unit == "data" else np.ones(count)
    before, after = (level * scale for level in standing_out(loaded, units, solution, pairs, whole))
    alone = [s.startswith(("no ", "baseline")) for s in solution.status]
    colors = category_colors(solution.component.tolist(), theme.plain)
    sky, error = solution.sky * scale, solution.error * scale
    names = [units.data_unit[k] if unit == "data" else units.unit for k in first]
    return {
        "group": list(loaded.groups),
        "row": _rows(solution),
        "sky": sky,
        "error": error,
        "lower": sky - error,
        "upper": sky + error,
        "before": before,
        "after": after,
        "shown": [level_text(s, e, n) for s, e, n in zip(sky, error, names, strict=True)],
        "shown_before": [level_text(v, np.nan, n) for v, n in zip(before, names, strict=True)],
        "shown_after": [level_text(v, np.nan, n) for v, n in zip(after, names, strict=True)],
        "members": np.bincount(loaded.group_of, minlength=count),
        "component": ["-" if c < 0 else str(c + 1) for c in solution.component],
        "status": list(solution.status),
        "color": [theme.alert if lonely else c for c, lonely in zip(colors, alone, strict=True)],
    }


def standing_out(
    loaded: Loaded, units: Units, solution: Solution, pairs: GroupPairs | None, whole: MemberLevels | None
) -> tuple[Floats, Floats]:
    """Brightness by which every group stands out, before and after its sky is subtracted; NaN where unknown.

    With pairs it is the mean, weighted by pixels, of the group's level less its neighbour's where they overlap; without
    (localmin, globalmin), the lowest level of its members.
    """
    count = len(loaded.groups)
    if pairs is None:
        lowest = np.full(count, np.nan)
        if whole is not None:
            np.fmin.at(lowest, loaded.group_of, whole.sky * units.factor)
        return lowest, lowest - solution.sky
    p = pairs.pairs
    total = np.bincount(np.concatenate([p.first, p.second]), np.tile(p.npix, 2), count)
    left = p.difference - (solution.sky[p.first] - solution.sky[p.second])
    before, after = (
        np.bincount(p.first, p.npix * d, count) - np.bincount(p.second, p.npix * d, count) for d in (p.difference, left)
    )
    known = np.where(total > 0, total, np.nan)
    return before / known, after / known


def _rows(solution: Solution) -> list[int]:
    """Row of every group, from the top: by component, those without one last."""
    component = np.where(solution.component < 0, np.iinfo(np.int64).max, solution.component)
    rows = np.empty(len(component), int)
    rows[np.argsort(component, kind="stable")] = np.arange(len(component))
    return rows.tolist()


def sky_figure(
    loaded: Loaded,
    units: Units,
    solution: Solution,
    pairs: GroupPairs | None,
    whole: MemberLevels | None,
    theme: Theme,
    unit: str = "brightness",
    sources: Sources | None = None,
) -> GridPlot:
    """Two figures side by side: the sky of every group, and how much it stands out before and after."""
    shared = Sources() if sources is None else sources
    source = shared.put("groups", group_data(loaded, units, solution, pairs, whole, theme, unit))
    data = source.data
    labels = sorted(set(units.data_unit)) if unit == "data" else [units.unit]
    name = " or ".join(n or "no unit" for n in labels)
    names = [short(n) for n in data["group"]]
    left = rows_figure(names, data["row"], theme, "sky levels", width=380)
    right = rows_figure([""] * len(names), data["row"], theme, "sky agreement", width=350)
    right.y_range, right.yaxis.axis_label = left.y_range, None
    left.xaxis.axis_label = f"sky to subtract ({name})"
    what = "excess over neighbours" if pairs is not None else "lowest level of its members"
    right.xaxis.axis_label = f"{what} ({name})"
    level = _add_levels(left, source, theme)
    before, after = add_dumbbells(right, source, theme)
    tips = [("group", "@group"), ("sky", "@shown"), ("before", "@shown_before"), ("after", "@shown_after"),
            ("status", "@status"), ("component", "@component"), ("members", "@members")]  # fmt: skip
    left.add_tools(hover([level], tips, "sky hover"))
    right.add_tools(hover([before, after], tips, "standing out hover"))
    add_legend(right, theme, {"before": before, "after": after})
    notes = _notes(solution)
    set_titles(left, theme, f"Sky of {len(names)} group{'' if len(names) == 1 else 's'}", *notes)
    set_titles(right, theme, "Agreement with neighbours" if pairs is not None else "Level")
    if pairs is not None and not len(pairs.pairs):
        say_empty(right, theme, "no pairs")
    return side_by_side([left, right], "sky")


def _add_levels(plot: figure, source: ColumnDataSource, theme: Theme) -> Any:
    """Squares with error bars, and the line of zero."""
    plot.add_layout(Span(dimension="height", location=0, line_color=theme.ink, line_alpha=0.3, level="underlay"))
    plot.add_layout(error_bars(source))
    return plot.scatter(
        "sky",
        "row",
        source=source,
        marker="square",
        size=mark_size(source) + 1,
        color="color",
        name="level",
        nonselection_alpha=0.25,
    )


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


def _notes(solution: Solution) -> list[str]:
    lines = (
        ["bars: standard error of the sky, about the mean of its component"]
        if np.isfinite(solution.error).any()
        else []
    )
    sets = int(solution.component.max(initial=-1)) + 1
    if sets > 1:
        lines.append(f"colours: {sets} components, not comparable with each other")
    lonely = sum(s.startswith(("no ", "baseline")) for s in solution.status)
    if lonely:
        lines.append(f"{lonely} group{'' if lonely == 1 else 's'} not matched")
    return lines


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
        plot.yaxis.major_label_overrides = {r: literal(n) for n, r in zip(names, rows, strict=True)}
    else:
        plot.yaxis.axis_label = "row (hover tells the name)"
    plot.ygrid.grid_line_alpha = 0.25
    return plot


def add_legend(plot: figure, theme: Theme, items: Mapping[str, Any]) -> Legend:
    """Legend above the frame, so that it hides nothing."""
    legend = Legend(
        items=[LegendItem(label={"value": plain(text)}, renderers=[glyph]) for text, glyph in items.items()],
        orientation="horizontal", border_line_color=None, padding=2, margin=2,
    )  # fmt: skip
    plot.add_layout(theme.dress_bar(legend), "above")
    return legend

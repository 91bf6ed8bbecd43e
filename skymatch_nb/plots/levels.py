"""Sky of every group, and its pairs' differences: one row per group or pair, names at the left."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from bokeh.models import ColumnDataSource, GridPlot, Span
from bokeh.plotting import figure

from skymatch_nb.plots.labels import short_names
from skymatch_nb.plots.renewal import set_texts
from skymatch_nb.plots.rows import (
    add_dumbbells,
    add_error_bars,
    add_legend,
    mark_size,
    move_names,
    room_below,
    rows_figure,
    side_by_side,
)
from skymatch_nb.plots.sources import Sources
from skymatch_nb.plots.theme import (
    LONGEST_NAME,
    Theme,
    category_colors,
    hover,
    level_text,
    say_empty,
    set_titles,
    short,
)
from skymatch_nb.results import Floats, GroupPairs, Loaded, MemberLevels, Solution, Units
from skymatch_nb.steps.standing import is_alone

MOST_NAMED = 2
"""Groups that are not matched and that are named below the figure."""

MOST_LINES = MOST_NAMED + 3
"""Lines that there may be below the figure."""


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
    alone = [is_alone(s) for s in solution.status]
    colors = category_colors(solution.component.tolist(), theme.categories, theme.plain)
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
    names = short_names(data["group"], LONGEST_NAME)
    left = rows_figure(names, data["row"], theme, "sky levels", width=380)
    right = rows_figure([""] * len(names), data["row"], theme, "sky agreement", width=350)
    right.y_range, right.yaxis.axis_label = left.y_range, None
    left.xaxis.axis_label = f"sky to subtract ({name})"
    what = "excess over neighbours" if pairs is not None else "lowest level of its members"
    right.xaxis.axis_label = f"{what} ({name})"
    level = _add_levels(left, source, theme)
    before, after = add_dumbbells(right, source, theme)
    known = _known(data)
    tips = [("group", "@group"), ("sky", "@shown"), ("before", "@shown_before"), ("after", "@shown_after"),
            ("status", "@status"), ("component", "@component"), ("members", "@members")]  # fmt: skip
    left.add_tools(hover([level], tips, "sky hover"))
    right.add_tools(hover([after], tips, "standing out hover", mode="hline"))
    if known[1]:
        add_legend(right, theme, {"before": before, "after": after})
    notes = _notes(loaded, solution)
    set_titles(left, theme, f"Sky of {len(names)} group{'' if len(names) == 1 else 's'}", *notes, most=MOST_LINES)
    set_titles(right, theme, "Agreement with neighbours" if pairs is not None else "Level")
    if not known[0]:
        say_empty(left, theme, "no group has a level")
    if not known[1]:
        say_empty(right, theme, "nothing to compare with" if pairs is None else "no overlapping pairs")
    grid = side_by_side([left, right], "sky", theme)
    grid.tags = _structure(loaded, units, pairs, unit, data)
    return grid


def renew_sky(
    grid: GridPlot,
    loaded: Loaded,
    units: Units,
    solution: Solution,
    pairs: GroupPairs | None,
    whole: MemberLevels | None,
    theme: Theme,
    sources: Sources,
    unit: str = "brightness",
) -> bool:
    """Show new results of the same groups in a figure made with ``sources``; False where it is to be made anew."""
    plots = [child[0] for child in grid.children]
    data = group_data(loaded, units, solution, pairs, whole, theme, unit)
    if grid.tags != _structure(loaded, units, pairs, unit, data):
        return False
    if not set_texts(plots[0], plots[0].title.text, *_notes(loaded, solution)):
        return False
    room_below(plots)
    before, rows = (dict(enumerate(of["row"])) for of in (sources["groups"].data, data))
    for plot in plots:
        move_names(plot, before, rows)
    sources.put("groups", data)
    return True


def _structure(loaded: Loaded, units: Units, pairs: GroupPairs | None, unit: str, data: Mapping[str, Any]) -> list[Any]:
    """What of the figure its data alone do not change."""
    names = sorted(set(units.data_unit)) if unit == "data" else [units.unit]
    return [loaded.key, names, pairs is None, *_known(data)]


def _known(data: Mapping[str, Any]) -> tuple[bool, bool]:
    """Whether any group has a level, and whether any can be compared."""
    return tuple(bool(np.isfinite(data[c]).any()) for c in ("sky", "before"))  # type: ignore[return-value]


def _add_levels(plot: figure, source: ColumnDataSource, theme: Theme) -> Any:
    """Squares with error bars, and the line of zero."""
    plot.add_layout(Span(dimension="height", location=0, line_color=theme.ink, line_alpha=0.3, level="underlay"))
    add_error_bars(plot, source)
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


def _notes(loaded: Loaded, solution: Solution) -> list[str]:
    lines = (
        ["bars: standard error of the sky, about the mean of its component"]
        if np.isfinite(solution.error).any()
        else []
    )
    sets = int(solution.component.max(initial=-1)) + 1
    if sets > 1:
        lines.append(f"colours: {sets} components, not comparable with each other")
    lonely = [(g, s) for g, s in zip(loaded.groups, solution.status, strict=True) if is_alone(s)]
    if lonely:
        what = "not matched" if sets or np.isfinite(solution.sky).any() else "without a level"
        lines.append(f"{len(lonely)} group{'' if len(lonely) == 1 else 's'} {what}:")
        lines += [f"{short(name, 44)} ({status})" for name, status in lonely[:MOST_NAMED]]
        if len(lonely) > MOST_NAMED:
            lines[-1] += f" and {len(lonely) - MOST_NAMED} more"
    return lines

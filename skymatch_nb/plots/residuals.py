"""Differences of pairs before and after the levels are taken off."""

from typing import Any

import numpy as np
from bokeh.models import BoxAnnotation, GridPlot, Span

from skymatch_nb.core.misfit import OUTLIER, left_in_pairs
from skymatch_nb.core.pairs import Pairs
from skymatch_nb.plots.labels import short_names
from skymatch_nb.plots.mapdata import pair_key
from skymatch_nb.plots.renewal import set_texts
from skymatch_nb.plots.rows import (
    add_dumbbells,
    add_error_bars,
    add_legend,
    move_names,
    room_below,
    rows_figure,
    side_by_side,
)
from skymatch_nb.plots.sources import Sources
from skymatch_nb.plots.theme import Theme, hover, level_text, say_empty, set_titles, short
from skymatch_nb.results import Floats, GroupPairs, Loaded, Solution, Units

MOST_NAMED = 3
"""Outliers that are named below the figure."""

MOST_LINES = MOST_NAMED + 4
"""Lines that there may be below the figure."""

MOST_ROWS = 200
"""Pairs that are in view at first; the figure is moved for the others."""

MOST_PAIRS = 1500
"""Pairs that are drawn; of more, those with the largest pulls."""


def pair_data(
    loaded: Loaded, units: Units, pairs: GroupPairs, solution: Solution, theme: Theme, centers: Floats | None = None
) -> dict[str, Any]:
    """Columns of the pairs of groups: differences, errors, pulls, and their row, the largest pull at the top.

    ``index`` is a pair's row in the residuals table. Of more than `MOST_PAIRS` those with the largest pulls are kept.
    ``centers`` are places of the groups, shape (ngroups, 2), for the ends of each pair's edge.
    """
    p = pairs.pairs
    left = left_in_pairs(p, solution.sky)
    after, error, pull = left.difference, left.error, left.pull
    order = np.argsort(-np.abs(np.nan_to_num(pull)), kind="stable")[:MOST_PAIRS]
    first, second, after, error, pull = p.first[order], p.second[order], after[order], error[order], pull[order]
    outlier = np.abs(np.nan_to_num(pull)) > OUTLIER
    columns = {
        "pair": [pair_key(a, b) for a, b in zip(first, second, strict=True)],
        "group_a": [loaded.groups[g] for g in first],
        "group_b": [loaded.groups[g] for g in second],
        "index": order,
        "row": np.arange(len(order)),
        "before": p.difference[order],
        "after": after,
        "error": error,
        "lower": after - error,
        "upper": after + error,
        "pull": pull,
        "npix": p.npix[order],
        "shown_before": [level_text(v, np.nan, units.unit) for v in p.difference[order]],
        "shown_after": [level_text(v, e, units.unit) for v, e in zip(after, error, strict=True)],
        "color": [theme.alert if o else theme.after for o in outlier],
        "size": [9 if o else 6 for o in outlier],
        "outlier": outlier,
        "width": 1.0 + 6.0 * np.sqrt(p.npix[order] / p.npix.max(initial=1.0)),
    }
    if centers is not None:
        columns |= dict(zip(("x0", "y0", "x1", "y1"), (*centers[first].T, *centers[second].T), strict=True))
    return columns


def residuals_figure(
    loaded: Loaded,
    units: Units,
    pairs: GroupPairs,
    solution: Solution,
    theme: Theme,
    sources: Sources | None = None,
) -> GridPlot:
    """Two figures side by side: differences before and after, and what is left in units of its standard error."""
    shared = Sources() if sources is None else sources
    source = shared.put("pairs", pair_data(loaded, units, pairs, solution, theme))
    data = source.data
    names = _pair_names(data)
    left = rows_figure(names, data["row"], theme, "residual differences", width=420)
    right = rows_figure([""] * len(names), data["row"], theme, "pulls", width=260)
    left.xaxis.axis_label = f"difference of the pair ({units.unit})" if units.unit else "difference of the pair"
    right.xaxis.axis_label = "left after, in standard errors (pull)"
    right.yaxis.major_label_text_font_size = "0px"
    right.y_range, right.yaxis.axis_label = left.y_range, None
    if len(names) > MOST_ROWS:
        left.y_range.start = MOST_ROWS - 0.4
    add_error_bars(left, source)
    before, after = add_dumbbells(left, source, theme, color="color")
    right.add_layout(BoxAnnotation(left=-1, right=1, fill_color=theme.plain, fill_alpha=0.25, level="underlay"))
    right.add_layout(Span(dimension="height", location=0, line_color=theme.ink, line_alpha=0.3, level="underlay"))
    right.segment(0, "row", "pull", "row", source=source, line_color="color", line_width=2)
    pulls = right.scatter(
        "pull", "row", source=source, size="size", color="color", name="pulls", nonselection_alpha=0.25
    )
    tips = [("pair", "@group_a"), ("and", "@group_b"), ("before", "@shown_before"), ("after", "@shown_after"),
            ("pull", "@pull{0.00}"), ("pixels", "@npix{0,0}")]  # fmt: skip
    left.add_tools(hover([after], tips, "residual hover", mode="hline"))
    right.add_tools(hover([pulls], tips, "pull hover"))
    set_titles(left, theme, _title(pairs.pairs), *_notes(data, pairs.pairs, solution, units.unit), most=MOST_LINES)
    set_titles(right, theme, "Pulls")
    if names:
        add_legend(left, theme, {"before": before, "after, with its standard error": after})
    else:
        say_empty(left, theme, "no overlapping pairs")
    if not np.isfinite(data["pull"]).any():
        say_empty(right, theme, "no standard errors" if names else "no overlapping pairs")
    grid = side_by_side([left, right], "residuals", theme)
    grid.tags = _structure(loaded, units, pairs, data)
    return grid


def renew_residuals(
    grid: GridPlot,
    loaded: Loaded,
    units: Units,
    pairs: GroupPairs,
    solution: Solution,
    theme: Theme,
    sources: Sources,
) -> bool:
    """Show new results of as many pairs in a figure made with ``sources``; False where it is to be made anew."""
    data = pair_data(loaded, units, pairs, solution, theme)
    if grid.tags != _structure(loaded, units, pairs, data):
        return False
    plots = [child[0] for child in grid.children]
    if not set_texts(plots[0], _title(pairs.pairs), *_notes(data, pairs.pairs, solution, units.unit)):
        return False
    room_below(plots)
    if not all(move_names(plot, _rows_of(sources["pairs"].data), _rows_of(data)) for plot in plots):
        return False
    sources.put("pairs", data)
    return True


def _rows_of(data: Any) -> dict[str, int]:
    """Row of every pair."""
    return dict(zip(data["pair"], map(int, data["row"]), strict=True))


def _structure(loaded: Loaded, units: Units, pairs: GroupPairs, data: dict[str, Any]) -> list[Any]:
    """What of the figure its data alone do not change."""
    return [loaded.key, units.unit, len(pairs.pairs), bool(np.isfinite(data["pull"]).any())]


def _pair_names(data: dict[str, Any]) -> list[str]:
    groups = sorted({*data["group_a"], *data["group_b"]})
    told = dict(zip(groups, short_names(groups, 22), strict=True))
    return [f"{told[a]} − {told[b]}" for a, b in zip(data["group_a"], data["group_b"], strict=True)]


def _title(pairs: Pairs) -> str:
    return f"Differences of {len(pairs)} pair{'' if len(pairs) == 1 else 's'}" if len(pairs) else "No pairs"


def _notes(data: dict[str, Any], pairs: Pairs, solution: Solution, unit: str) -> list[str]:
    if not len(pairs):
        return []
    left = left_in_pairs(pairs, solution.sky)
    before, after = (float(np.sqrt(np.nanmean(np.square(d)))) for d in (pairs.difference, left.difference))
    lines = [f"rms {before:.3g} before, {after:.3g} after ({unit or 'no unit'})"]
    count = int(data["outlier"].sum())
    if count:
        lines.append(f"{count} beyond {OUTLIER:g} standard errors, the largest:")
        lines += [_named(data, k) for k in range(min(count, MOST_NAMED))]
    if len(data["pair"]) > MOST_ROWS:
        lines.append(f"the {MOST_ROWS} largest pulls are in view; pan down for the others")
    if len(data["pair"]) < len(pairs):
        lines.append(f"{len(pairs) - len(data['pair'])} pairs with smaller pulls are not drawn")
    return lines


def _named(data: dict[str, Any], row: int) -> str:
    names = (short(data[column][row], 22) for column in ("group_a", "group_b"))
    return f"{' − '.join(names)} ({data['pull'][row]:+.1f})"

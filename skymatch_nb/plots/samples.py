"""Pixels of one or several samples: histogram, statistic, and the clipping limits of every iteration."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from bokeh.models import ColumnDataSource, FixedTicker, GridPlot, Range1d, Span
from bokeh.plotting import figure

from skymatch_nb.core.clipping import clip_history
from skymatch_nb.core.sample import SampleSet
from skymatch_nb.params import SkyMatchParams
from skymatch_nb.plots.rows import add_legend, grid_of
from skymatch_nb.plots.theme import Theme, hover, say_empty, set_titles, short
from skymatch_nb.results import Floats

BINS = 120


@dataclass(frozen=True, eq=False)
class Shown:
    """A sample that is shown: number ``k`` of a set, its name, its brightness per data unit, and its level as data.

    ``lower`` and ``upper`` are the limits that hold for it, in data units; ``less`` is the member whose pixels were
    taken off those of the one that is named, where differences are shown.
    """

    name: str
    samples: SampleSet
    k: int
    factor: float
    level: float
    lower: float | None = None
    upper: float | None = None
    less: str = ""

    @property
    def title(self) -> str:
        """Name of the sample in full."""
        return f"{self.name} − {self.less}" if self.less else self.name

    @property
    def label(self) -> str:
        """The same, each name shortened by itself so that the minus sign stays."""
        return f"{short(self.name, 26)} − {short(self.less, 26)}" if self.less else short(self.name, 44)

    @property
    def values(self) -> Floats:
        """Sorted brightness of the pixels, shape (n,)."""
        return np.asarray(self.samples.sample(self.k), np.float64) * self.factor


def limits_data(shown: Shown, params: SkyMatchParams) -> dict[str, Any]:
    """Columns of the iterations of clipping: limits in brightness, and what they keep."""
    rows = clip_history(
        shown.samples, shown.k, shown.lower, shown.upper, params.nclip, params.lsigma, params.usigma
    )  # fmt: skip
    return {
        "iteration": np.arange(len(rows)),
        "low": rows[:, 0] * shown.factor,
        "high": rows[:, 1] * shown.factor,
        "npix": rows[:, 2].astype(int),
        "mean": rows[:, 3] * shown.factor,
        "std": rows[:, 4] * shown.factor,
        "name": [shown.title] * len(rows),
    }


def view_of(limits: Sequence[dict[str, Any]], samples: Sequence[Shown]) -> tuple[float, float]:
    """Range of brightness to show: the last limits and half as much on both sides, but no more than there is."""
    lows, highs = [], []
    for columns, shown in zip(limits, samples, strict=True):
        values = shown.values
        if not len(values):
            continue
        low, high = columns["low"][-1], columns["high"][-1]
        if not np.isfinite(columns["mean"][-1]):  # limits keep nothing: all that there is
            low, high = values[0], values[-1]
        width = 4.0 * columns["std"][-1] if np.isfinite(columns["std"][-1]) else np.ptp(values)
        low = columns["mean"][-1] - width if not np.isfinite(low) else low
        high = columns["mean"][-1] + width if not np.isfinite(high) else high
        lows.append(max(low - 0.5 * (high - low), values[0]))
        highs.append(min(high + 0.5 * (high - low), values[-1]))
    low, high = min(lows, default=0.0), max(highs, default=1.0)
    return (low, high) if high > low else (low - 0.5 * (abs(low) or 1.0), low + 0.5 * (abs(low) or 1.0))


def histogram_data(shown: Shown, view: tuple[float, float]) -> dict[str, Any]:
    """Columns of the histogram's bins inside a view."""
    counts, edges = np.histogram(shown.values, bins=BINS, range=view)
    return {"left": edges[:-1], "right": edges[1:], "count": counts, "name": [shown.title] * BINS}


def samples_figure(
    samples: Sequence[Shown], params: SkyMatchParams, unit: str, theme: Theme, title: str, *notes: str
) -> GridPlot:
    """Histograms on each other, and below them the limits of every iteration of clipping."""
    limits = [limits_data(shown, params) for shown in samples]
    view = view_of(limits, samples)
    plot = figure(
        frame_width=620, frame_height=330, x_range=Range1d(*view), y_axis_label="pixels per bin",
        tools="xpan,xwheel_zoom,box_zoom,reset,save", name="sample histogram",
    )  # fmt: skip
    ladder = figure(
        frame_width=620, frame_height=26 * max(len(c["low"]) for c in limits) + 14, x_range=plot.x_range,
        x_axis_label=f"brightness ({unit})" if unit else "brightness", y_axis_label="clipping",
        tools="xpan,xwheel_zoom,reset", name="limits",
    )  # fmt: skip
    keys = {}
    for number, (shown, columns) in enumerate(zip(samples, limits, strict=True)):
        color = (theme.after, theme.before)[number % 2]
        for limit in (columns["low"][-1], columns["high"][-1]):
            if np.isfinite(limit):
                plot.add_layout(Span(dimension="height", location=limit, line_color=color, line_dash="dotted"))
        keys[_key(shown, columns, params)] = _add_sample(plot, shown, view, color, number)
        _add_limits(ladder, columns, view, color, number, len(samples))
    for each in (plot, ladder):
        theme.dress(each).min_border_left = 90
    plot.y_range.start = 0
    plot.xaxis.visible = False
    ladder.y_range = Range1d(max(len(c["low"]) for c in limits) - 0.4, -0.6)
    ladder.yaxis.ticker = FixedTicker(ticks=list(range(max(len(c["low"]) for c in limits))))
    ladder.yaxis.major_label_overrides = {0: "limits given" if _limited(samples) else "all pixels"}
    legend = add_legend(plot, theme, keys)
    legend.orientation = "vertical"
    beyond = sum(int((s.values < view[0]).sum() + (s.values > view[1]).sum()) for s in samples)
    lines = [f"{beyond:,} pixels lie outside this view"] if beyond else []
    set_titles(plot, theme, title)
    notes = ("solid or dashed: the statistic; dotted: the last limits", *notes)
    set_titles(ladder, theme, "", *notes, *lines)
    if not any(len(s.values) for s in samples):
        say_empty(plot, theme, "no good pixels")
    return grid_of([[plot], [ladder]], "samples", theme)


def _limited(samples: Sequence[Shown]) -> bool:
    return any(shown.lower is not None or shown.upper is not None for shown in samples)


def _key(shown: Shown, columns: dict[str, Any], params: SkyMatchParams) -> str:
    kept, good = int(columns["npix"][-1]), shown.samples.npix[shown.k]
    level = f"{params.skystat} {shown.level * shown.factor:.6g}" if np.isfinite(shown.level) else "no level"
    return f"{shown.label}: {level} ({kept:,} of {good:,} good pixels kept)"


def _add_sample(plot: figure, shown: Shown, view: tuple[float, float], color: str, number: int) -> Any:
    source = ColumnDataSource(histogram_data(shown, view), name=f"histogram {number}")
    bars = plot.quad(
        left="left", right="right", bottom=0, top="count", source=source, fill_color=color, fill_alpha=0.3,
        line_color=color, line_alpha=0.7, hover_fill_alpha=0.6,
    )  # fmt: skip
    tips = [("sample", "@name"), ("brightness", "@left to @right"), ("pixels", "@count{0,0}")]
    plot.add_tools(hover([bars], tips, f"histogram hover {number}"))
    if np.isfinite(shown.level):
        at = shown.level * shown.factor
        dash = "solid" if number == 0 else "dashed"
        plot.add_layout(Span(dimension="height", location=at, line_color=color, line_width=2.5, line_dash=dash))
    return bars


def _add_limits(
    ladder: figure, columns: dict[str, Any], view: tuple[float, float], color: str, number: int, count: int
) -> None:
    """One bar per iteration, from its lower to its upper limit."""
    far = 10 * (view[1] - view[0])
    drawn = {
        **columns,
        "from": np.maximum(columns["low"], view[0] - far),
        "to": np.minimum(columns["high"], view[1] + far),
        "y": columns["iteration"] + (number - 0.5 * (count - 1)) * 0.36,
    }
    source = ColumnDataSource(drawn, name=f"limits {number}")
    bars = ladder.hbar(
        y="y", left="from", right="to", height=0.28, source=source, fill_color=color, line_color=None, fill_alpha=0.75
    )
    tips = [("sample", "@name"), ("iteration", "@iteration"), ("limits", "@low to @high"),
            ("kept", "@npix{0,0} pixels"), ("mean, deviation", "@mean, @std")]  # fmt: skip
    ladder.add_tools(hover([bars], tips, f"limits hover {number}"))

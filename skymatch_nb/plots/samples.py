"""Pixels of one or several samples: histogram, statistic, and the clipping limits of every iteration."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from bokeh.models import ColumnDataSource, FixedTicker, GridPlot, Legend, Range1d, Span
from bokeh.plotting import figure

from skymatch_nb.core.clipping import clip_history
from skymatch_nb.core.sample import SampleSet
from skymatch_nb.params import SkyMatchParams
from skymatch_nb.plots.renewal import open_at, set_texts, source_of
from skymatch_nb.plots.rows import add_legend, grid_of, rename_legend, wrap_legend
from skymatch_nb.plots.sources import replace
from skymatch_nb.plots.theme import Theme, hover, say_empty, set_titles
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
        frame_width=620, x_range=plot.x_range, x_axis_label=f"brightness ({unit})" if unit else "brightness",
        y_axis_label="clipping", y_range=Range1d(0, 1), tools="xpan,xwheel_zoom,reset", name="limits",
    )  # fmt: skip
    ladder.yaxis.ticker = FixedTicker(ticks=[])
    keys: dict[str, Any] = {}
    for number, (shown, columns) in enumerate(zip(samples, limits, strict=True)):
        color = (theme.after, theme.before)[number % 2]
        for end in ("low", "high"):
            line = Span(dimension="height", line_color=color, line_dash="dotted", name=f"{end} {number}")
            plot.add_layout(line)
        keys[_key(shown, columns, params)] = _add_sample(plot, color, number)
        _add_limits(ladder, color, number)
    for each in (plot, ladder):
        theme.dress(each).min_border_left = 90
    plot.y_range.start = 0
    plot.xaxis.visible = False
    ladder.yaxis.major_label_overrides = {0: "limits given" if _limited(samples) else "all pixels"}
    _tell_counts(plot, len(samples))
    legend = add_legend(plot, theme, keys)
    legend.orientation, legend.location, legend.spacing = "vertical", "top_left", 0
    wrap_legend(legend, plot.frame_width)
    set_titles(plot, theme, title)
    set_titles(ladder, theme, "", *_lines(samples, view, notes), most=len(notes) + 2)
    _put(plot, ladder, samples, limits, view)
    if not any(len(s.values) for s in samples):
        say_empty(plot, theme, "no good pixels")
    grid = grid_of([[plot], [ladder]], "samples", theme)
    grid.tags = [_structure(samples, unit), title, list(view)]
    return grid


def renew_samples(
    grid: GridPlot, samples: Sequence[Shown], params: SkyMatchParams, unit: str, title: str, *notes: str
) -> bool:
    """Show other samples, or the same ones as they are now, in a figure of as many; False where it is to be made anew.

    Of the same ones the view stays as a user zoomed it.
    """
    structure, titled, opened = grid.tags
    if structure != _structure(samples, unit):
        return False
    plot, ladder = (child[0] for child in grid.children)
    limits = [limits_data(shown, params) for shown in samples]
    view = view_of(limits, samples)
    if not set_texts(plot, title) or not set_texts(ladder, "", *_lines(samples, view, notes)):
        return False
    if title != titled or [plot.x_range.start, plot.x_range.end] == opened:
        open_at(plot.x_range, *view)
    texts = [_key(shown, columns, params) for shown, columns in zip(samples, limits, strict=True)]
    rename_legend(next(part for part in plot.above if isinstance(part, Legend)), texts, plot.frame_width)
    _put(plot, ladder, samples, limits, view)
    grid.tags = [structure, title, list(view)]
    return True


def _structure(samples: Sequence[Shown], unit: str) -> list[Any]:
    """What of the figure other samples do not change."""
    return [len(samples), unit, _limited(samples), any(len(s.values) for s in samples)]


def _lines(samples: Sequence[Shown], view: tuple[float, float], notes: Sequence[str]) -> list[str]:
    beyond = sum(int((s.values < view[0]).sum() + (s.values > view[1]).sum()) for s in samples)
    lines = [f"{beyond:,} pixels lie outside this view"] if beyond else []
    return ["solid or dashed: the statistic; dotted: the last limits", *notes, *lines]


def _put(
    plot: figure,
    ladder: figure,
    samples: Sequence[Shown],
    limits: Sequence[dict[str, Any]],
    view: tuple[float, float],
) -> None:
    """Give the marks of both figures their data and places."""
    most = max(len(columns["low"]) for columns in limits)
    ladder.frame_height = 26 * most + 14
    open_at(ladder.y_range, most - 0.4, -0.6)
    ladder.yaxis[0].ticker.ticks = list(range(most))
    histograms = [histogram_data(shown, view) for shown in samples]
    counts = {f"count {k}": data["count"] for k, data in enumerate(histograms)}
    counts |= {f"name {k}": data["name"] for k, data in enumerate(histograms)}
    for number, (shown, columns) in enumerate(zip(samples, limits, strict=True)):
        replace(source_of(plot, f"histogram {number}"), histograms[number] | (counts if number == 0 else {}))
        replace(source_of(ladder, f"limits {number}"), _bars(columns, view, number, len(samples)))
        for name, place in (
            (f"low {number}", columns["low"][-1]),
            (f"high {number}", columns["high"][-1]),
            (f"level {number}", shown.level * shown.factor),
        ):
            line = next(part for part in plot.center if part.name == name)
            line.visible = bool(np.isfinite(place))
            line.location = float(place) if line.visible else 0.0


def _limited(samples: Sequence[Shown]) -> bool:
    return any(shown.lower is not None or shown.upper is not None for shown in samples)


def _key(shown: Shown, columns: dict[str, Any], params: SkyMatchParams) -> str:
    kept, good = int(columns["npix"][-1]), shown.samples.npix[shown.k]
    level = f"{params.skystat} {shown.level * shown.factor:.6g}" if np.isfinite(shown.level) else "no level"
    return f"{shown.title}: {level} ({kept:,} of {good:,} good pixels kept)"


def _add_sample(plot: figure, color: str, number: int) -> Any:
    empty = ColumnDataSource({"left": [], "right": [], "count": [], "name": []}, name=f"histogram {number}")
    bars = plot.quad(
        left="left", right="right", bottom=0, top="count", source=empty, fill_color=color, fill_alpha=0.3,
        line_color=color, line_alpha=0.7, hover_fill_alpha=0.6,
    )  # fmt: skip
    dash = "solid" if number == 0 else "dashed"
    level = Span(dimension="height", line_color=color, line_width=2.5, line_dash=dash, name=f"level {number}")
    plot.add_layout(level)
    return bars


def _tell_counts(plot: figure, samples: int) -> None:
    """Have one hover tool tell what all histograms, which have the same bins, count under the pointer."""
    tips = [("brightness", "@left to @right")]
    tips += [("pixels", f"@{{count {k}}}{{0,0}} of @{{name {k}}}") for k in range(samples)]
    bars = [drawn for drawn in plot.renderers if drawn.data_source.name == "histogram 0"]
    if bars:
        plot.add_tools(hover(bars, tips, "histogram hover", mode="vline", attachment="horizontal"))


def _add_limits(ladder: figure, color: str, number: int) -> None:
    """One bar per iteration, from its lower to its upper limit."""
    names = ("iteration", "low", "high", "npix", "mean", "std", "name", "from", "to", "y")
    empty = ColumnDataSource({name: [] for name in names}, name=f"limits {number}")
    bars = ladder.hbar(
        y="y", left="from", right="to", height=0.28, source=empty, fill_color=color, line_color=None, fill_alpha=0.75,
    )  # fmt: skip
    tips = [("sample", "@name"), ("iteration", "@iteration"), ("limits", "@low to @high"),
            ("kept", "@npix{0,0} pixels"), ("mean, deviation", "@mean, @std")]  # fmt: skip
    ladder.add_tools(hover([bars], tips, f"limits hover {number}"))


def _bars(columns: dict[str, Any], view: tuple[float, float], number: int, count: int) -> dict[str, Any]:
    """Columns of the iterations with the ends of their bars, which do not reach far out of the view."""
    far = 10 * (view[1] - view[0])
    return {
        **columns,
        "from": np.maximum(columns["low"], view[0] - far),
        "to": np.minimum(columns["high"], view[1] + far),
        "y": columns["iteration"] + (number - 0.5 * (count - 1)) * 0.36,
    }

"""Colours of the figures, light and dark; every palette can be told apart by colour-blind readers."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from bokeh.models import (
    ColumnDataSource,
    CustomJS,
    DataRange1d,
    FixedTicker,
    HoverTool,
    InlineStyleSheet,
    Label,
    Node,
    Panel,
    Range1d,
    Row,
    Select,
    Title,
)
from bokeh.palettes import Cividis256
from bokeh.plotting import figure

from skymatch_nb.errors import ParameterError
from skymatch_nb.results import Floats

SEQUENTIAL: tuple[str, ...] = tuple(Cividis256)

_TEX = re.compile(r"\$(?=\$)|\\(?=[\[\]()])")

LETTER = 0.56
"""Width of a letter as a share of the size of its font."""

LONGEST_NAME = 34
"""Characters of a name on an axis; hover shows all of it."""


@dataclass(frozen=True)
class Theme:
    """Colours of one theme.

    Text stands out from the paper by a contrast of 4.5 at least, marks by 3, as WCAG 2 asks; ``categories`` are chosen
    to be as far from each other as they can be for colour-blind eyes, too. Of Cividis the part from ``darkest`` on is
    used.
    """

    name: str
    paper: str
    ink: str
    faint: str
    plain: str
    accent: str
    alert: str
    before: str
    after: str
    icon: str
    categories: tuple[str, ...]
    darkest: int = 0

    @property
    def sequential(self) -> tuple[str, ...]:
        """Colours from small to large values."""
        return SEQUENTIAL[self.darkest :]

    def dress(self, plot: figure) -> figure:
        """Give a figure this theme's colours, and what all figures share."""
        plot.background_fill_color = plot.border_fill_color = self.paper
        plot.outline_line_color = self.faint
        plot.title.text_color = self.ink
        plot.grid.grid_line_color = self.faint
        plot.grid.grid_line_alpha = 0.5
        for axis in plot.axis:
            axis.axis_line_color = axis.major_tick_line_color = self.ink
            axis.minor_tick_line_color = None
            axis.major_label_text_color = axis.axis_label_text_color = self.ink
            axis.axis_label_text_font_style = "normal"
        plot.toolbar.logo = None
        plot.toolbar.stylesheets = [*plot.toolbar.stylesheets, self.icons(), screen_only()]
        return plot

    def dress_bar(self, bar: Any) -> Any:
        """Give a colour bar, legend or scale bar this theme's colours."""
        bar.background_fill_color, bar.background_fill_alpha = self.paper, 0.85
        for name in ("title_text_color", "major_label_text_color", "label_text_color"):
            if name in bar.properties():
                setattr(bar, name, self.ink)
        if "title_text_font_style" in bar.properties():
            bar.title_text_font_style = "normal"
        bar.border_line_color = None
        return bar

    def icons(self) -> InlineStyleSheet:
        """Style sheet of a toolbar."""
        return InlineStyleSheet(css=f":host {{ --bokeh-icon-color: {self.icon} }}")

    def style(self) -> InlineStyleSheet:
        """Style sheet of a selector inside a figure; its arrow is the one of Bokeh in the colour of the text."""
        arrow = (
            'url(\'data:image/svg+xml;utf8,<svg viewBox="0 0 25 20" xmlns="http://www.w3.org/2000/svg">'
            f'<path d="M 0,0 25,0 12.5,20 Z" fill="{self.ink.replace("#", "%23")}"/></svg>\')'
        )
        css = (
            f".bk-input, .bk-input option {{ font-size: 12px; color: {self.ink} !important;"
            f" background-color: {self.paper} !important; border-color: {self.plain} !important }}"
            f" select.bk-input.bk-input {{ background-image: {arrow} !important }}"
        )
        return InlineStyleSheet(css=css)


THEMES = {
    "light": Theme(
        "light", "#ffffff", "#222222", "#d8dce2", "#7a8ba5", "#111111", "#c43c00", before="#b07d00", after="#0a6ad0",
        icon="#5a616b",
        categories=("#0a6ad0", "#b07d00", "#3fa050", "#d060c8", "#123f6f", "#963401", "#5d4b3a", "#888888"),
    ),
    "dark": Theme(
        "dark", "#15191f", "#e2e5ea", "#39414d", "#8796ad", "#ffffff", "#ff8a4c", before="#e69f00", after="#56b4e9",
        icon="#b8c0cc", darkest=97,
        categories=("#3f7fe8", "#e69f00", "#27a860", "#c07fd0", "#7fe3f5", "#d4500f", "#f4ee42", "#8a8f96"),
    ),
}  # fmt: skip


def screen_only() -> InlineStyleSheet:
    """Style sheet of what is of no use on paper."""
    return InlineStyleSheet(css="@media print { :host { visibility: hidden } }")


def theme_named(name: str) -> Theme:
    """Return a theme by its name.

    Raises
    ------
    ParameterError
        Where there is none of that name.
    """
    if not isinstance(name, str) or name not in THEMES:
        raise ParameterError(f"theme={name!r}: must be {' or '.join(map(repr, THEMES))}")
    return THEMES[name]


def sequential_colors(values: Floats, palette: Sequence[str], missing: str = "#ffffff00") -> list[str]:
    """Colours of a palette for values from the smallest to the largest; ``missing`` where one is not finite."""
    known = np.isfinite(values)
    low, high = (values[known].min(), values[known].max()) if known.any() else (0.0, 1.0)
    place = np.where(known, (values - low) / (high - low) if high > low else 0.5, 0.0)
    return [palette[int(p * (len(palette) - 1))] if k else missing for p, k in zip(place, known, strict=True)]


def category_colors(numbers: Sequence[int], palette: Sequence[str], missing: str) -> list[str]:
    """Colours of categories counted from 0, again from the first after the last; ``missing`` for -1."""
    return [missing if n < 0 else palette[n % len(palette)] for n in numbers]


def translucent(colors: Sequence[str], opacity: float) -> list[str]:
    """Colours with an opacity, as marks have them that are filled so."""
    return [f"{color}{round(255 * opacity):02x}" for color in colors]


def plain(text: str) -> str:
    """Text that Bokeh does not take for TeX: its delimiters are broken by a zero-width space."""
    return _TEX.sub("\\g<0>\u200b", text)


def short(name: str, longest: int = LONGEST_NAME) -> str:
    """Name with its middle left out where it is long: names of exposures differ at both ends."""
    if len(name) <= longest:
        return name
    head = (longest - 1) // 2
    return f"{name[:head]}…{name[head + 1 - longest :]}"


def set_titles(plot: figure, theme: Theme, title: str, *lines: str, most: int = 0) -> None:
    """Title above a figure, and what else is to be said of it in smaller lines below.

    There are at least ``most`` lines, those without a text hidden, for what new results have to say.
    """
    plot.title.text, plot.title.text_font_size, plot.title.text_color = plain(title), "14px", theme.ink
    for k in range(max(len(lines), most)):
        line, shown = (lines[k], True) if k < len(lines) else ("", False)
        style: dict[str, Any] = {"text_font_size": "11px", "text_font_style": "normal", "text_color": theme.ink}
        plot.add_layout(Title(text=plain(line), visible=shown, **style), "below")


def place_above(plot: figure, widgets: Sequence[Any], theme: Theme) -> None:
    """Put small widgets between a figure's title and the right end of its frame, wherever that is shown."""
    width = sum(widget.width + 10 for widget in widgets)
    panel = Panel(
        position=Node.frame.top_right, anchor="bottom_right", elements=[Row(children=list(widgets))], width=width,
        height=42, styles={"background-color": theme.paper, "border": "none"},
    )  # fmt: skip
    plot.elements = [*plot.elements, panel]
    raise_title(plot, 38)
    plot.min_border_top = 70


def raise_title(plot: figure, by: int) -> None:
    """Put a figure's title so many pixels above where it would be: on an empty line."""
    plot.add_layout(Title(text="\u00a0", text_font_size="10px", standoff=by - 10, name="space"), "above")


def selector(what: str, options: Sequence[str], value: str, theme: Theme) -> Select:
    """Small selector that names what it selects."""
    labels = [(name, f"{what}: {name}") for name in options]
    width = int(np.clip(36 + 7 * max(len(label) for _, label in labels), 150, 210))
    return Select(options=labels, value=value, width=width, stylesheets=[theme.style(), screen_only()], name=what)


def say_empty(plot: figure, theme: Theme, text: str) -> None:
    """Tell in the middle of a figure why it has no marks; axes that these would give a range have no ticks."""
    for name, axis, grid in (("x_range", plot.xaxis, plot.xgrid), ("y_range", plot.yaxis, plot.ygrid)):
        if isinstance(getattr(plot, name), DataRange1d):
            setattr(plot, name, Range1d(0, 1))
            axis.ticker, grid.visible = FixedTicker(ticks=[]), False
    x, y = (0.5 * (r.start + r.end) for r in (plot.x_range, plot.y_range))
    plot.add_layout(
        Label(x=x, y=y, text=plain(text), text_align="center", text_baseline="middle", text_color=theme.ink)
    )


_NOTHING_ABOVE = "export default ({above}) => above.inspected.indices.length == 0"


def hover(
    renderers: Sequence[Any],
    tooltips: Sequence[tuple[str, str]],
    name: str,
    above: ColumnDataSource | None = None,
    **options: Any,
) -> HoverTool:
    """Hover tool that tells of one mark at a time; Bokeh escapes the texts of ``@columns``.

    Nothing is told where a mark of the source ``above`` lies under the pointer too: it has a hover tool of its own,
    which is to be added to the figure first.
    """
    if above is not None:
        column = tooltips[0][1].partition("{")[0]
        options["filters"] = {column: CustomJS(args={"above": above}, code=_NOTHING_ABOVE)}
    return HoverTool(renderers=list(renderers), tooltips=list(tooltips), name=name, limit=1, **options)


def level_text(value: float, error: float, unit: str) -> str:
    """Value with its error and unit, or 'none'."""
    if not np.isfinite(value):
        return "none"
    return f"{value:.6g}{f' ± {error:.2g}' if np.isfinite(error) else ''} {unit}".strip()

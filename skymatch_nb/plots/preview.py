"""The mosaic before and after its levels are taken off, and what overlapping exposures still differ by."""

from typing import Any

import numpy as np
from astropy.visualization import AsinhStretch, ZScaleInterval
from bokeh.models import ColorBar, ColumnDataSource, GridPlot, LinearColorMapper
from bokeh.palettes import Greys256
from bokeh.plotting import figure

from skymatch_nb.plots.frame import Window, map_figure
from skymatch_nb.plots.graph import diverging_palette
from skymatch_nb.plots.plane import SkyPlane
from skymatch_nb.plots.renewal import set_range, set_texts
from skymatch_nb.plots.rows import side_by_side
from skymatch_nb.plots.theme import Theme, hover, say_empty, set_titles
from skymatch_nb.results import Floats
from skymatch_nb.steps.preview import CoarseMosaic

PANELS = ("before", "after", "difference")

UNSEEN = 0.01
"""Share of a range of brightness by which its ends may be off: for new ones a page colours every cell again, twice."""


def image_data(mosaic: CoarseMosaic, panel: str) -> dict[str, list[Any]]:
    """Columns of one panel's image: single precision, its corner and size in degrees."""
    values = np.asarray(getattr(mosaic, panel), np.float32)
    height, width = values.shape
    return {
        "image": [values], "x": [mosaic.west], "y": [mosaic.south],
        "dw": [width * mosaic.cell], "dh": [height * mosaic.cell],
    }  # fmt: skip


def stretch_limits(mosaic: CoarseMosaic) -> dict[str, tuple[float, float]]:
    """Darkest and brightest value of each panel.

    Both mosaics have the same contrast (ZScale on all of what both hold about their medians), each about its own
    median; the difference is symmetric about 0, with 90 % of its cells inside.
    """
    both = [v[np.isfinite(v)] for v in (mosaic.before, mosaic.after)]
    middle = [float(np.median(v)) if len(v) else 0.0 for v in both]
    deviations = np.concatenate([v - m for v, m in zip(both, middle, strict=True)])
    low, high = ZScaleInterval().get_limits(deviations) if len(deviations) else (-1.0, 1.0)
    if not high > low:
        low, high = low - 1e-6, high + 1e-6
    left = np.abs(mosaic.difference[np.isfinite(mosaic.difference)])
    reach = float(np.percentile(left, 90)) if len(left) else 0.0
    reach = reach or 1.0
    return {
        "before": (middle[0] + float(low), middle[0] + float(high)),
        "after": (middle[1] + float(low), middle[1] + float(high)),
        "difference": (-reach, reach),
    }


def grey_palette(theme: Theme) -> list[str]:
    """Greys along an asinh stretch, the sky dark in the dark theme and bright, as on a plate, in the light one."""
    places = AsinhStretch(0.2)(np.linspace(0, 1, 256))
    colors = list(Greys256) if theme.name == "dark" else list(Greys256)[::-1]
    return [colors[int(255 * p)] for p in places]


def add_image(plot: figure, data: dict[str, list[Any]], mapper: Any, alpha: float = 1.0, name: str = "image") -> Any:
    """Draw an image below everything else on a map."""
    source = ColumnDataSource(data)
    return plot.image(
        "image", "x", "y", "dw", "dh", source=source, color_mapper=mapper, level="image", global_alpha=alpha, name=name
    )  # fmt: skip


def preview_figure(plane: SkyPlane, mosaic: CoarseMosaic, unit: str, theme: Theme, title: str, *notes: str) -> GridPlot:
    """Before, after and difference side by side; pan and zoom move all three."""
    height, width = mosaic.before.shape
    x = np.array([mosaic.west, mosaic.west + width * mosaic.cell])
    y = np.array([mosaic.south, mosaic.south + height * mosaic.cell])
    window = Window.around(x, y, size=300)
    limits = stretch_limits(mosaic)
    plots = [_panel(plane, mosaic, panel, window, limits[panel], unit, theme) for panel in PANELS]
    for other in plots[1:]:
        other.x_range, other.y_range = plots[0].x_range, plots[0].y_range
        for axis in other.axis:
            for part in (axis.ticker, axis.formatter):
                part.args = {**part.args, "x_range": plots[0].x_range, "y_range": plots[0].y_range}
        other.yaxis.visible, other.min_border_left = False, 30
    for plot in plots:
        plot.min_border_right = 30
    said = [f"cells of {_angle(mosaic.cell)}, same contrast in both"]
    if mosaic.stride > 1:
        said.append(f"one of {mosaic.stride} x {mosaic.stride} pixels was read")
    said.extend(notes)
    set_titles(plots[0], theme, f"Before: {title}", *said)
    set_titles(plots[1], theme, "After", "less the sky of each group")
    for plot, panel, why in zip(plots, PANELS, ("no good pixels", "no group has a level", "no overlaps"), strict=True):
        if not np.isfinite(getattr(mosaic, panel)).any():
            say_empty(plot, theme, why)
            next(part for part in plot.below if isinstance(part, ColorBar)).visible = False
    set_titles(plots[2], theme, "Overlaps: last less first, after", _middle(mosaic.difference))
    grid = side_by_side(plots, "preview", theme)
    grid.tags = _structure(mosaic)
    return grid


def renew_preview(grid: GridPlot, mosaic: CoarseMosaic) -> bool:
    """Show the same members with other levels in a figure of them; False where it is to be made anew."""
    if grid.tags != _structure(mosaic):
        return False
    images = {panel: _image(child[0]) for child, panel in zip(grid.children, PANELS, strict=True)}
    for panel, drawn in images.items():
        values = np.asarray(getattr(mosaic, panel), np.float32)
        if not np.array_equal(values, drawn.data_source.data["image"][0], equal_nan=True):
            drawn.data_source.data["image"] = [values]
    limits = stretch_limits(mosaic)
    for panels in (("before", "after"), ("difference",)):
        if any(_is_off(images[panel].glyph.color_mapper, *limits[panel]) for panel in panels):
            for panel in panels:
                set_range(images[panel].glyph.color_mapper, *limits[panel])
    set_texts(grid.children[2][0], grid.children[2][0].title.text, _middle(mosaic.difference))
    return True


def _image(plot: figure) -> Any:
    """The image of one panel."""
    return next(drawn for drawn in plot.renderers if drawn.name == "image")


def _is_off(mapper: LinearColorMapper, low: float, high: float) -> bool:
    """Whether the range of a colour mapper should be another one by more than anybody sees."""
    return bool(max(abs(mapper.low - low), abs(mapper.high - high)) > UNSEEN * (high - low))


def _structure(mosaic: CoarseMosaic) -> list[Any]:
    """What of the figure levels do not change: its grid, and which of its images have pixels."""
    there = [bool(np.isfinite(getattr(mosaic, panel)).any()) for panel in PANELS]
    return [mosaic.west, mosaic.south, mosaic.cell, list(mosaic.before.shape), *there]


def _panel(
    plane: SkyPlane,
    mosaic: CoarseMosaic,
    panel: str,
    window: Window,
    limits: tuple[float, float],
    unit: str,
    theme: Theme,
) -> figure:
    plot = map_figure(plane, window, theme, f"preview {panel}")
    next(drawn for drawn in plot.renderers if drawn.name == "graticule").visible = False  # nothing lies on the pixels
    palette = diverging_palette(theme) if panel == "difference" else grey_palette(theme)
    mapper = LinearColorMapper(palette, low=limits[0], high=limits[1], nan_color="#00000000")
    drawn = add_image(plot, image_data(mosaic, panel), mapper)
    bar = ColorBar(color_mapper=mapper, title=unit or "brightness", height=10, padding=6, orientation="horizontal")
    plot.add_layout(theme.dress_bar(bar), "below")
    plot.add_tools(hover([drawn], [("brightness", f"@image {unit}")], f"{panel} hover"))
    return plot


def _middle(values: Floats) -> str:
    """Median of what is left, and its scatter, from the median deviation: cosmic rays do not count."""
    known = values[np.isfinite(values)]
    if not len(known):
        return ""
    middle = float(np.median(known))
    return f"median {middle:.3g}, scatter {1.4826 * float(np.median(np.abs(known - middle))):.3g}"


def _angle(degrees: float) -> str:
    for name, size in (("°", 1.0), ("′", 60.0)):
        if degrees * size >= 1:
            return f"{degrees * size:.3g}{name}"
    return f"{degrees * 3600:.3g}″"

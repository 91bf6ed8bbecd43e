"""Pictures of docs/accuracy.md: errors against the truth."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from bokeh.plotting import figure

from skymatch_nb.plots.export import figure_picture
from skymatch_nb.plots.theme import theme_named

LIGHT = theme_named("light")
LOOKS = {
    "reference": ("square", "#888888"),
    "region": ("triangle", LIGHT.before),
    "difference": ("circle", LIGHT.after),
}
"""Marker and colour of every way to match."""


def draw_scenes(path: Path, errors: Mapping[str, Mapping[str, float]], limits: Mapping[str, float]) -> None:
    """Error of every scene by way, and the noise limit, on a logarithmic axis."""
    scenes = list(errors)
    plot = _plot(
        "Error of the sky, and the least that noise allows", scenes, "rms of level − truth [electrons / s / pixel]"
    )
    for name in LOOKS:
        known = [scene for scene in scenes if name in errors[scene]]
        _marks(plot, name, known, [errors[scene][name] for scene in known])
    bounds = [limits[scene] for scene in scenes]
    plot.scatter(scenes, bounds, marker="dash", size=30, line_width=2, line_color=LIGHT.ink, legend_label="noise limit")
    _write(plot, path)


def draw_exposures(path: Path, title: str, truth: Sequence[float], errors: Mapping[str, Sequence[float]]) -> None:
    """Size of every exposure's error against its planted sky."""
    plot = _plot(title, None, "|level − truth| [electrons / s / pixel]")
    plot.xaxis.axis_label = "planted sky [electrons / s / pixel]"
    for name, values in errors.items():
        _marks(plot, name, list(truth), list(np.abs(values)))
    _write(plot, path)


def _plot(title: str, x_range: Any, label: str) -> Any:
    options = {} if x_range is None else {"x_range": x_range}
    plot = LIGHT.dress(figure(width=900, height=380, y_axis_type="log", title=title, toolbar_location=None, **options))
    plot.title.text_font_size = "14px"
    plot.yaxis.axis_label = label
    return plot


def _marks(plot: Any, name: str, x: list[Any], y: list[float]) -> None:
    marker, color = LOOKS[name]
    plot.scatter(x, y, marker=marker, size=10, color=color, alpha=0.85, legend_label=name)


def _write(plot: Any, path: Path) -> None:
    plot.add_layout(plot.legend[0], "right")
    LIGHT.dress_bar(plot.legend[0])
    path.write_bytes(figure_picture(plot, scale=1.5))

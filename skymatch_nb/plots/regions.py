"""Sky regions on the map of footprints: what is excluded and what is included, told apart by colour, hatch and line."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from bokeh.models import ColumnDataSource, Legend, LegendItem
from bokeh.plotting import figure

from skymatch_nb.io.regions import read_region_sets
from skymatch_nb.plots.plane import SkyPlane
from skymatch_nb.plots.theme import Theme

KINDS = {"include": "included region: only pixels inside are used", "exclude": "excluded region: its pixels are bad"}
"""Kinds of regions, from the lowest, and what the legend says of them."""

REGION_TOLERANCE = np.radians(0.05 / 3600)

LEGEND = "key regions"

Entries = Mapping[str, Sequence[str] | None]
"""Regions by their kind, as the parameters have them."""


def region_data(plane: SkyPlane, entries: Sequence[str] | None) -> dict[str, Any]:
    """Columns ``xs``, ``ys``: the rings of regions, given as the parameters have them, on a plane.

    Raises
    ------
    InputError
        Where a file of regions cannot be read.
    """
    sets = read_region_sets(entries or (), REGION_TOLERANCE)
    rings = [ring for of_entry in sets for region in of_entry.regions for ring in region.polygon.rings]
    places = [plane.offsets(ring) for ring in rings]
    return {"xs": [x.tolist() for x, _ in places], "ys": [y.tolist() for _, y in places]}


def add_regions(plot: figure, plane: SkyPlane, entries: Entries, theme: Theme) -> None:
    """Draw regions on a map, with a legend below it."""
    styles: dict[str, dict[str, Any]] = {
        "exclude": {"color": theme.alert, "hatch_pattern": "cross", "line_dash": "solid"},
        "include": {"color": theme.after, "hatch_pattern": "dot", "line_dash": "dashed"},
    }
    items = []
    for kind, text in KINDS.items():
        color, dash = styles[kind]["color"], styles[kind]["line_dash"]
        source = ColumnDataSource({"xs": [], "ys": []}, name=f"regions {kind}")
        drawn = plot.patches(
            "xs", "ys", source=source, name=f"regions {kind}", fill_color=color,
            fill_alpha=0.15, line_color=color, line_width=2.5, line_dash=dash, hatch_color=color, hatch_alpha=0.9,
            hatch_pattern=styles[kind]["hatch_pattern"], hatch_scale=10, hatch_weight=1.2,
        )  # fmt: skip
        items.append(LegendItem(label={"value": text}, renderers=[drawn], name=kind))
    legend = Legend(items=items, name=LEGEND, location="top_left", padding=0, margin=2, glyph_width=26)
    legend.label_text_font_size, legend.spacing = "12px", 2
    plot.add_layout(theme.dress_bar(legend), "below")
    show_regions(plot, plane, entries)


def show_regions(plot: figure, plane: SkyPlane, entries: Entries) -> None:
    """Show these regions on a map made with `add_regions`, whose legend tells of the kinds that there are."""
    legend = next(part for part in plot.below if part.name == LEGEND)
    for item in legend.items:
        source, data = item.renderers[0].data_source, region_data(plane, entries.get(item.name))
        if any(data[column] != list(source.data[column]) for column in data):
            source.data = data
        if item.visible != bool(data["xs"]):
            item.visible = bool(data["xs"])
    if legend.visible != any(item.visible for item in legend.items):
        legend.visible = any(item.visible for item in legend.items)

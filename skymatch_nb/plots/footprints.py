"""Map of the footprints on the sky."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from bokeh.models import (
    CDSView,
    ColorBar,
    ColumnDataSource,
    CustomJS,
    GroupFilter,
    Legend,
    LegendItem,
    LinearColorMapper,
    LinearInterpolator,
    Select,
)
from bokeh.plotting import figure

from skymatch_nb.errors import ParameterError
from skymatch_nb.plots.frame import Window, map_figure, opening_view, view_selector
from skymatch_nb.plots.mapdata import HATCHED, field_parts, footprints_plane, member_data, overlap_data
from skymatch_nb.plots.preview import add_image, grey_palette, image_data, stretch_limits
from skymatch_nb.plots.renewal import keys_of, set_range, set_texts
from skymatch_nb.plots.sources import Sources
from skymatch_nb.plots.theme import (
    Theme,
    hover,
    place_above,
    plain,
    selector,
    set_titles,
    short,
    translucent,
)
from skymatch_nb.results import Comparison, Floats, Footprints, Integers, Loaded, Overlaps, Solution, Units
from skymatch_nb.steps.preview import CoarseMosaic

FILLS = ("sky", "group", "component", "status")
"""What members can be coloured by."""

IN_PLACE_OF_SKY = "in place of sky"
"""Tag of the selector of a map that is filled by group because the sky is not known."""

LONGEST_LEGEND = 9

MOST_LINES = 6
"""Lines that there may be below the map."""

OPACITY = 0.65
"""Opacity of members; the colour bar has it too, so that both look alike."""


def footprints_figure(
    loaded: Loaded,
    footprints: Footprints,
    overlaps: Overlaps,
    units: Units | None,
    compared: Comparison | None,
    solution: Solution | None,
    theme: Theme,
    color: str = "sky",
    sources: Sources | None = None,
) -> figure:
    """Outlines of all members, filled by ``color`` (one of `FILLS`), overlaps shaded by what is left in them.

    Where the sky is not yet known, they are filled by group in place of it.
    """
    if not isinstance(color, str) or color not in FILLS:
        raise ParameterError(f"color={color!r}: must be one of {', '.join(map(repr, FILLS))}")
    in_place_of_sky = color != _drawn(color, solution)
    color = _drawn(color, solution)
    shared = Sources() if sources is None else sources
    plane = footprints_plane(footprints)
    members = shared.put("members", member_data(plane, loaded, footprints, units, solution, theme, color))
    regions = shared.put("overlaps", overlap_data(plane, loaded, overlaps, units, compared, solution))
    views, whole, opened, window = _opening(loaded, overlaps, members.data)
    plot = map_figure(plane, window, theme, "footprints")
    outlines = _add_patches(plot, members, regions, theme)
    selectors = [_add_keys(plot, outlines, members.data, units, theme, color)]
    selectors[0].tags = [IN_PLACE_OF_SKY] if in_place_of_sky else []
    if views:
        selectors.insert(0, view_selector(plot, views, whole, theme, opened))
    place_above(plot, selectors, theme)
    set_titles(
        plot,
        theme,
        _title(loaded, overlaps),
        *_subtitles(members.data, regions.data, overlaps, compared, solution, opened, color),
        most=MOST_LINES,
    )
    plot.tags = _structure(members.data, loaded, footprints, overlaps, units)
    return plot


def renew_footprints(
    plot: figure,
    loaded: Loaded,
    footprints: Footprints,
    overlaps: Overlaps,
    units: Units | None,
    compared: Comparison | None,
    solution: Solution | None,
    theme: Theme,
    sources: Sources,
) -> bool:
    """Show new results of the same members in a map that was made with ``sources``; False where it is to be made anew.

    Members stay filled by what a user chose.
    """
    if plot.tags[:3] != [loaded.key, footprints.key, overlaps.key]:
        return False
    plane, color = footprints_plane(footprints), _drawn(fill_of(plot), solution)
    data = member_data(plane, loaded, footprints, units, solution, theme, color, sources["members"].data)
    if plot.tags != _structure(data, loaded, footprints, overlaps, units):
        return False
    regions = overlap_data(plane, loaded, overlaps, units, compared, solution, sources["overlaps"].data)
    opened = _opening(loaded, overlaps, data)[2]
    lines = _subtitles(data, regions, overlaps, compared, solution, opened, color)
    if not set_texts(plot, _title(loaded, overlaps), *lines):
        return False
    sources.put("members", data)
    sources.put("overlaps", regions)
    for key in keys_of(plot):
        if key.name == "key sky":
            set_range(key.color_mapper, *_sky_range(data))
    return True


def _drawn(color: str, solution: Solution | None) -> str:
    """What members are filled by: group, where the sky is asked for and not known."""
    return "group" if color == "sky" and solution is None else color


def fill_of(plot: figure) -> str:
    """What the members of a map are filled by now, or would be if the sky were known."""
    selectors = [child for panel in plot.elements for row in panel.elements for child in row.children]
    select = next((child for child in selectors if child.name == "fill by"), None)
    if select is None or (IN_PLACE_OF_SKY in select.tags and select.value == "group"):
        return FILLS[0]
    return str(select.value)


def _structure(
    members: dict[str, Any], loaded: Loaded, footprints: Footprints, overlaps: Overlaps, units: Units | None
) -> list[Any]:
    """What of a map its data alone do not change."""
    known = any(np.isfinite(s) for s in members["sky"])
    legends = [list(dict.fromkeys(members[kind])) for kind in ("component", "status")]
    return [loaded.key, footprints.key, overlaps.key, units.unit if units is not None else "", known, *legends]


def _sky_range(members: dict[str, Any]) -> tuple[float, float]:
    """Range of the colour bar of the sky, about a single one; (0, 1) where no sky is known."""
    known = [s for s in members["sky"] if np.isfinite(s)]
    low, high = min(known, default=0.0), max(known, default=1.0)
    around = 0.0 if high > low else 0.1 * abs(low) or 1.0
    return low - around, high + around


def _add_patches(plot: figure, members: ColumnDataSource, regions: ColumnDataSource, theme: Theme) -> Any:
    """Members, and overlaps on them, with what hover tells; return the members' renderer."""
    outlines = plot.patches(
        "xs", "ys", source=members, fill_color="fill", fill_alpha=OPACITY, line_color="edge", line_width="width",
        nonselection_fill_alpha=0.2, nonselection_line_alpha=0.4, selection_line_width=3,
        selection_line_color=theme.accent, hover_line_width=2, hover_line_dash="dashed", hover_line_color=theme.ink,
        name="member patches",
    )  # fmt: skip
    plot.patches(  # apart: the page makes one pattern for all of these, where a column of patterns is one for each row
        "xs", "ys", source=members, view=CDSView(filter=GroupFilter(column_name="hatch", group=HATCHED)),
        fill_color=None, line_color=None, hatch_pattern=HATCHED, hatch_color=theme.alert, hatch_alpha=0.6,
        hatch_scale=14, nonselection_hatch_alpha=0.2, name="hatched patches",
    )  # fmt: skip
    shade = plot.patches(
        "xs", "ys", source=regions, fill_color=theme.ink, fill_alpha="shade", line_color=None,
        selection_line_color=theme.alert, selection_line_width=2.5, nonselection_fill_alpha="shade",
        hover_line_color=theme.ink, hover_line_width=1.5, hover_line_dash="dashed", name="overlap patches",
    )  # fmt: skip
    of_member = [("member", "@member"), ("group", "@group"), ("filter", "@filter"), ("sky", "@shown"),
                 ("status", "@status"), ("component", "@component")]  # fmt: skip
    if members.data["group"] == members.data["file"]:
        of_member.remove(("group", "@group"))
    of_overlap = [("overlap", "@member_a"), ("and", "@member_b"), ("difference", "@before"), ("after", "@after"),
                  ("pixels", "@pixels")]  # fmt: skip
    plot.add_tools(
        hover([shade], of_overlap, "overlap hover", attachment="vertical"),
        hover([outlines], of_member, "member hover", regions, attachment="horizontal"),
    )
    return outlines


def _opening(
    loaded: Loaded, overlaps: Overlaps, members: dict[str, Any]
) -> tuple[dict[str, tuple[Floats, Floats]], Window, str, Window]:
    """Parts of the field, the window of all, and the name and window of what is shown first."""
    xs, ys = members["xs"], members["ys"]
    whole = Window.around(np.concatenate(xs), np.concatenate(ys))
    parts = field_parts(loaded, overlaps)
    views = _views(parts, xs, ys)
    return views, whole, *opening_view(views, [len(part) for part in parts], whole)


def _views(
    parts: Sequence[Integers], xs: Sequence[Sequence[float]], ys: Sequence[Sequence[float]]
) -> dict[str, tuple[Floats, Floats]]:
    """Points of each part of the field by its name; none where there is only one."""
    if len(parts) < 2:
        return {}
    return {
        f"part {k + 1} ({_count(len(part), 'member')})": (
            np.concatenate([xs[m] for m in part]), np.concatenate([ys[m] for m in part])
        )
        for k, part in enumerate(parts)
    }  # fmt: skip


def underlay(plot: figure, mosaics: Sequence[CoarseMosaic], theme: Theme) -> None:
    """Draw mosaics, as they are after levels are taken off, below members that are outlined in place of being filled.

    Outlines have a seam in the colour of the text, so that they are seen on bright and on dark pixels; their colours
    are those of the legends. Shades of overlaps are weaker. All mosaics are stretched as the first.
    """
    low, high = stretch_limits(mosaics[0])["after"]
    mapper = LinearColorMapper(grey_palette(theme), low=low, high=high, nan_color="#00000000")
    for mosaic in mosaics:
        add_image(plot, image_data(mosaic, "after"), mapper)
    named = {drawn.name: drawn for drawn in plot.renderers}
    outlines, shade = named["member patches"], named["overlap patches"]
    width = float(np.clip(14 / np.sqrt(len(outlines.data_source.data["xs"])), 1.0, 2.5))
    plot.patches(
        "xs", "ys", source=outlines.data_source, fill_color=None, line_color=theme.ink, line_width=2 * width,
        line_join="round", level="underlay", name="seams",
    )  # fmt: skip
    for glyph in (outlines.glyph, outlines.nonselection_glyph, outlines.hover_glyph):
        glyph.update(fill_alpha=0.0, line_color="fill", line_width=width, line_join="round")
    outlines.selection_glyph.fill_alpha = 0.0
    weaker = {"field": "shade", "transform": LinearInterpolator(x=[0, 1], y=[0, 0.5])}
    shade.glyph.fill_alpha = shade.nonselection_glyph.fill_alpha = weaker
    for key in plot.right:
        if isinstance(key, ColorBar):
            key.color_mapper.palette = list(theme.sequential)


def _title(loaded: Loaded, overlaps: Overlaps) -> str:
    counts = ((len(loaded.groups), "group"), (len(loaded), "member"), (len(overlaps), "overlap"))
    return ", ".join(_count(n, noun) for n, noun in counts)


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}{'' if n == 1 else 's'}"


def _subtitles(
    members: dict[str, Any],
    regions: dict[str, Any],
    overlaps: Overlaps,
    compared: Comparison | None,
    solution: Solution | None,
    opened: str,
    color: str,
) -> list[str]:
    lines = []
    if solution is None:
        told = "; colours tell groups apart" if color == "group" else ""
        lines.append(f"not solved yet: sky, components and status are not known{told}")
    if opened != "all":
        lines.append(f"shown is {opened}; the others lie far from it: choose them, or all, above")
    if compared is not None and len(overlaps):
        lines.append(
            f"overlaps: the stronger the shade, the larger the difference {'left in them' if solution else 'in them'}"
        )
    alone = [m for m, hatch in zip(members["group"], members["hatch"], strict=True) if hatch != "blank"]
    if alone:
        named = list(dict.fromkeys(alone))
        more = f" and {len(named) - 2} more" if len(named) > 2 else ""
        what = "not matched" if any(np.isfinite(level) for level in members["sky"]) else "no level"
        lines.append(f"hatched: {what} ({', '.join(short(n, 28) for n in named[:2])}{more})")
    if len(regions["xs"]) < len(overlaps):
        lines.append(f"shown are the {len(regions['xs'])} overlaps with the largest differences")
    if overlaps.failed:
        lines.append(f"{len(overlaps.failed)} overlaps could not be computed; see the overlaps table")
    return lines


def _add_keys(
    plot: figure,
    outlines: Any,
    data: dict[str, Any],
    units: Units | None,
    theme: Theme,
    color: str,
) -> Select:
    """Colour bar and legends, of which one is seen, and the selector of what members are filled by."""
    keys: dict[str, Any] = {}
    if any(np.isfinite(s) for s in data["sky"]):
        low, high = _sky_range(data)
        mapper = LinearColorMapper(translucent(theme.sequential, OPACITY), low=low, high=high)
        unit = units.unit if units is not None else ""
        keys["sky"] = theme.dress_bar(
            ColorBar(color_mapper=mapper, title=f"sky to subtract ({unit})" if unit else "sky to subtract", padding=8)
        )
    for kind, names in (("group", data["group"]), ("component", data["component"]), ("status", data["status"])):
        keys[kind] = theme.dress_bar(_legend(names, outlines, kind))
    for kind, key in keys.items():
        key.visible = kind == color
        key.name = f"key {kind}"
        plot.add_layout(key, "right")
    select = selector("fill by", FILLS, color, theme)
    select.js_on_change(
        "value",
        CustomJS(
            args={"source": outlines.data_source, "keys": keys},
            code="source.data = {...source.data, fill: source.data['by_' + this.value].slice()};"
            " for (const [kind, key] of Object.entries(keys)) key.visible = kind == this.value",
        ),
    )
    return select


def _legend(names: Sequence[str], outlines: Any, title: str) -> Legend:
    first = {name: names.index(name) for name in dict.fromkeys(names)}
    items = [
        LegendItem(label={"value": plain(short(name, 28))}, renderers=[outlines], index=index)
        for name, index in list(first.items())[:LONGEST_LEGEND]
    ]
    if len(first) > LONGEST_LEGEND:
        title = f"{title}, {LONGEST_LEGEND} of {len(first)}"
    return Legend(items=items, title=title)

"""The graph that is solved: groups at their place on the sky, pairs between them."""

from typing import Any

import numpy as np
from bokeh.models import ColorBar, LabelSet, LinearColorMapper
from bokeh.palettes import interp_palette
from bokeh.plotting import figure

from skymatch_nb.plots.frame import Window, map_figure, opening_view, view_selector
from skymatch_nb.plots.levels import group_data
from skymatch_nb.plots.plane import SkyPlane
from skymatch_nb.plots.renewal import set_range
from skymatch_nb.plots.residuals import pair_data
from skymatch_nb.plots.sources import Sources
from skymatch_nb.plots.theme import Theme, hover, place_above, plain, set_titles, short
from skymatch_nb.results import Floats, Footprints, GroupPairs, Loaded, MemberLevels, Solution, Units

DIVERGING = {
    "light": ("#4a2600", "#7a4300", "#9f6213", "#a17f4f", "#8c8c8c", "#4d928b", "#1c827a", "#015f58", "#003c36"),
    "dark": ("#ffc27a", "#e09a4a", "#b98148", "#8f7658", "#72777d", "#4f8a8c", "#2f9f97", "#45cabd", "#98f3e4"),
}
"""Brown over grey to teal, strongest at the ends; all of them are seen on the theme's paper."""

MOST_LABELS = 40


def diverging_palette(theme: Theme) -> list[str]:
    """`DIVERGING` with steps that are not seen."""
    return list(interp_palette(DIVERGING[theme.name], 129))


def group_centers(plane: SkyPlane, loaded: Loaded, footprints: Footprints) -> Floats:
    """Middle of every group's members on the plane, shape (ngroups, 2)."""
    total = np.zeros((len(loaded.groups), 3))
    np.add.at(total, loaded.group_of, np.array([o.center for o in footprints.outlines]))
    return np.column_stack(plane.offsets(total / np.linalg.norm(total, axis=1, keepdims=True)))


def graph_figure(
    loaded: Loaded,
    units: Units,
    footprints: Footprints,
    pairs: GroupPairs | None,
    whole: MemberLevels | None,
    solution: Solution,
    theme: Theme,
    sources: Sources | None = None,
) -> figure:
    """Groups as nodes at their place on the sky; edges as wide as their weight, coloured by what is left in them."""
    shared = Sources() if sources is None else sources
    plane = SkyPlane(np.array([o.center for o in footprints.outlines]))
    centers = group_centers(plane, loaded, footprints)
    data = group_data(loaded, units, solution, pairs, whole, theme)
    labels = [plain(short(name, 22)) if len(loaded.groups) <= MOST_LABELS else "" for name in loaded.groups]
    groups = shared.put("groups", {**data, "x": centers[:, 0], "y": centers[:, 1], "label": labels})
    reach = np.degrees(np.median([o.radius for o in footprints.outlines]))
    window = Window.around(*_with_room(centers, reach), size=620)
    views, sizes = _views(solution, centers, reach)
    opened, first = opening_view(views, sizes, window)
    plot = map_figure(plane, first, theme, "graph")
    if pairs is not None and len(pairs.pairs):
        edges = shared.put("pairs", pair_data(loaded, units, pairs, solution, theme, centers))
        largest = _largest(edges.data)
        mapper = LinearColorMapper(diverging_palette(theme), low=-largest, high=largest)
        lines = plot.segment(
            "x0", "y0", "x1", "y1", source=edges, line_width="width", line_cap="round", name="edges",
            line_color={"field": "after", "transform": mapper}, nonselection_line_alpha=0.25,
        )  # fmt: skip
        title = f"difference left ({units.unit})" if units.unit else "difference left"
        bar = ColorBar(color_mapper=mapper, title=title, padding=8)
        plot.add_layout(theme.dress_bar(bar), "right")
        tips = [("pair", "@group_a"), ("and", "@group_b"), ("before", "@shown_before"), ("after", "@shown_after"),
                ("pull", "@pull{0.00}"), ("weight", "@npix{0,0} pixels")]  # fmt: skip
        plot.add_tools(hover([lines], tips, "pair hover", attachment="vertical", line_policy="interp"))
    size = float(np.clip(150 / np.sqrt(len(centers)), 6, 15))
    seam = 1.5 if len(centers) <= MOST_LABELS else 0.75
    nodes = plot.scatter(
        "x", "y", source=groups, size=size, fill_color="color", line_color=theme.ink, line_width=seam, name="nodes",
        nonselection_alpha=0.3,
    )  # fmt: skip
    plot.add_layout(
        LabelSet(
            x="x", y="y", text="label", source=groups, text_font_size="11px", text_color=theme.ink, x_offset=0,
            y_offset=10, text_align="center", background_fill_color=theme.paper, background_fill_alpha=0.6,
        )
    )  # fmt: skip
    tips = [("group", "@group"), ("sky", "@shown"), ("status", "@status"), ("component", "@component")]
    plot.add_tools(hover([nodes], tips, "group hover", attachment="horizontal"))
    count = 0 if pairs is None else len(pairs.pairs)
    title = (
        f"{len(loaded.groups)} group{'' if len(loaded.groups) == 1 else 's'}, {count} pair{'' if count == 1 else 's'}"
    )
    edges_told = "edges: the wider, the more pixels they share" if count else "no overlapping pairs"
    notes = [f"nodes: groups, coloured by component; {edges_told}"]
    if views:
        place_above(plot, [view_selector(plot, views, window, theme, opened)], theme)
    if opened != "all":
        notes.append(f"shown is {opened}; other groups lie far from it: choose all above")
    set_titles(plot, theme, title, *notes)
    plot.tags = _structure(loaded, units, footprints, pairs, solution)
    return plot


def _with_room(centers: Floats, reach: float) -> tuple[Floats, Floats]:
    """Points around nodes, with room for their marks and names; ``reach`` is the radius of a member."""
    room = max(0.15 * float(np.ptp(centers, axis=0).max()), (0.2 if len(centers) > 1 else 1.0) * reach)
    around = np.vstack([centers - room, centers + room])
    return around[:, 0], around[:, 1]


def _views(solution: Solution, centers: Floats, reach: float) -> tuple[dict[str, tuple[Floats, Floats]], list[int]]:
    """Points of each component by its name, and its groups' number; none where one has all groups."""
    count = int(solution.component.max(initial=-1)) + 1
    sets = [np.flatnonzero(solution.component == k) for k in range(count)]
    if not any(len(groups) < len(centers) for groups in sets):
        return {}, []
    views = {f"component {k + 1}": _with_room(centers[groups], reach) for k, groups in enumerate(sets)}
    return views, [len(groups) for groups in sets]


def renew_graph(
    plot: figure,
    loaded: Loaded,
    units: Units,
    footprints: Footprints,
    pairs: GroupPairs | None,
    whole: MemberLevels | None,
    solution: Solution,
    theme: Theme,
    sources: Sources,
) -> bool:
    """Show new results of the same graph in a figure made with ``sources``; False where it is to be made anew."""
    if plot.tags != _structure(loaded, units, footprints, pairs, solution):
        return False
    sources.put("groups", group_data(loaded, units, solution, pairs, whole, theme))
    if pairs is not None and "pairs" in sources:
        plane = SkyPlane(np.array([o.center for o in footprints.outlines]))
        centers = group_centers(plane, loaded, footprints)
        edges = sources.put("pairs", pair_data(loaded, units, pairs, solution, theme, centers))
        for bar in plot.right:
            if isinstance(bar, ColorBar):
                set_range(bar.color_mapper, -_largest(edges.data), _largest(edges.data))
    return True


def _structure(
    loaded: Loaded, units: Units, footprints: Footprints, pairs: GroupPairs | None, solution: Solution
) -> list[Any]:
    """What of the graph its data alone do not change."""
    count = 0 if pairs is None else len(pairs.pairs)
    return [loaded.key, footprints.key, units.unit, count, solution.component.tolist()]


def _largest(edges: Any) -> float:
    """Largest difference that is left in a pair; 1 where there is none."""
    return float(np.nanmax(np.abs(edges["after"]), initial=0.0)) or 1.0

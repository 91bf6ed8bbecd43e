"""Map of the footprints on the sky."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from astropy import units as u
from astropy.coordinates import SkyCoord
from bokeh.models import ColorBar, ColumnDataSource, HoverTool, LinearColorMapper, Range1d, WheelZoomTool
from bokeh.palettes import Cividis256
from bokeh.plotting import figure

from skymatch_nb.results import Floats, Footprints, Loaded, Overlaps, Solution, Units

PLAIN = "#7a8ba5"
MISSING = "#d55e00"
UNITS = (("deg", 1.0), ("arcmin", 60.0), ("arcsec", 3600.0))


class SkyPlane:
    """Zenithal equidistant offsets from the middle of a set of directions, in a unit that suits their extent."""

    def __init__(self, vectors: Floats) -> None:
        center = vectors.sum(axis=0)
        norm = np.linalg.norm(center)
        self.center = center / norm if norm > 1e-9 else vectors[0]
        flat = np.hypot(*self.center[:2])
        self._east = (
            np.array([-self.center[1], self.center[0], 0]) / flat if flat > 1e-12 else np.array([0.0, 1.0, 0.0])
        )
        self._north = np.cross(self.center, self._east)
        self.unit, self._scale = UNITS[0]
        reach = float(np.abs(np.concatenate(self.offsets(vectors))).max(initial=0.0))
        self.unit, self._scale = next(((n, s) for n, s in UNITS if reach * s >= 2), UNITS[-1])

    def offsets(self, vectors: Floats) -> tuple[Floats, Floats]:
        """Offsets east and north, shape (n,) each, of unit vectors (n, 3)."""
        x, y = vectors @ self._east, vectors @ self._north
        sine = np.hypot(x, y)
        angle = np.degrees(np.arctan2(sine, vectors @ self.center)) * self._scale
        stretch = np.divide(angle, sine, out=np.full_like(sine, np.degrees(1.0) * self._scale), where=sine > 1e-15)
        return x * stretch, y * stretch

    @property
    def name(self) -> str:
        """The middle, in sexagesimal RA and Dec."""
        x, y, z = self.center
        place = SkyCoord(np.arctan2(y, x) * u.rad, np.arcsin(np.clip(z, -1, 1)) * u.rad)
        return str(place.to_string("hmsdms", sep=":", precision=1))


def member_data(
    plane: SkyPlane, loaded: Loaded, footprints: Footprints, units: Units | None, solution: Solution | None
) -> dict[str, list[Any]]:
    """Columns of the members' patches: outline, names, and the sky level where it is known."""
    outlines = [plane.offsets(o.vectors) for o in footprints.outlines]
    unit = units.unit if units is not None else ""
    sky = np.full(len(loaded), np.nan) if solution is None else solution.sky[loaded.group_of]
    status = ["not solved"] * len(loaded) if solution is None else [solution.status[g] for g in loaded.group_of]
    return {
        "xs": [x for x, _ in outlines],
        "ys": [y for _, y in outlines],
        "member": [m.name for m in loaded.members],
        "group": [m.group for m in loaded.members],
        "filter": [m.filter or "-" for m in loaded.members],
        "sky": list(sky),
        "shown": [f"{s:.6g} {unit}".strip() if np.isfinite(s) else "none" for s in sky],
        "status": status,
        "edge": [MISSING if s.startswith(("no ", "baseline")) else PLAIN for s in status],
    }


def overlap_data(plane: SkyPlane, loaded: Loaded, overlaps: Overlaps) -> dict[str, list[Any]]:
    """Columns of the overlaps' patches, one for each ring."""
    rings = [(k, plane.offsets(ring)) for k, polygon in enumerate(overlaps.polygons) for ring in polygon.rings]
    names = [
        (loaded.members[a].name, loaded.members[b].name)
        for a, b in zip(overlaps.member_a, overlaps.member_b, strict=True)
    ]
    return {
        "xs": [x for _, (x, _) in rings],
        "ys": [y for _, (_, y) in rings],
        "pair": [" and ".join(names[k]) for k, _ in rings],
    }


def footprints_figure(
    loaded: Loaded, footprints: Footprints, overlaps: Overlaps, units: Units | None, solution: Solution | None
) -> figure:
    """Outlines of all members coloured by sky, their overlaps shaded; north up, east to the left, true aspect."""
    plane = SkyPlane(np.concatenate([o.vectors for o in footprints.outlines]))
    members = ColumnDataSource(member_data(plane, loaded, footprints, units, solution), name="members")
    shared = ColumnDataSource(overlap_data(plane, loaded, overlaps), name="overlaps")
    plot = _empty_map(plane, members.data["xs"], members.data["ys"])
    plot.title.text = f"{len(loaded.groups)} exposures, {len(loaded)} members, {len(overlaps)} overlaps"
    known = np.array([s for s in members.data["sky"] if np.isfinite(s)])
    fill: Any = PLAIN
    if len(known):
        low, high = float(known.min()), float(known.max())
        mapper = LinearColorMapper(Cividis256, low=low, high=high if high > low else low + 1, nan_color="#ffffff00")
        fill = {"field": "sky", "transform": mapper}
        unit = units.unit if units is not None else ""
        plot.add_layout(ColorBar(color_mapper=mapper, title=f"sky ({unit})" if unit else "sky", padding=8), "right")
    outlines = plot.patches(
        "xs", "ys", source=members, fill_color=fill, fill_alpha=0.7, line_color="edge", line_width=1.5,
        hover_fill_alpha=0.8, name="members",
    )  # fmt: skip
    shade = plot.patches(
        "xs", "ys", source=shared, fill_color="#000000", fill_alpha=0.05, line_color=None,
        hover_fill_alpha=0.3, name="overlaps",
    )  # fmt: skip
    about_sky = [("member", "@member"), ("filter", "@filter"), ("sky", "@shown"), ("status", "@status")]
    plot.add_tools(
        HoverTool(renderers=[outlines], tooltips=about_sky, attachment="above", name="member hover"),
        HoverTool(renderers=[shade], tooltips=[("overlap", "@pair")], attachment="below", name="overlap hover"),
    )
    return plot


def _empty_map(plane: SkyPlane, xs: Sequence[Floats], ys: Sequence[Floats], size: int = 640) -> figure:
    """Figure whose frame has the shape of what it will show, with equal scales and room around."""
    x, y = np.concatenate(xs), np.concatenate(ys)
    width, height = max(np.ptp(x), 1e-9), max(np.ptp(y), 1e-9)
    margin = 0.04 * max(width, height)
    ratio = float(np.clip((height + 2 * margin) / (width + 2 * margin), 0.35, 2.0))
    frame = (size, int(size * ratio)) if ratio <= 1 else (int(size / ratio), size)
    half = 0.5 * max((width + 2 * margin) / frame[0], (height + 2 * margin) / frame[1]) * np.array(frame)
    x0, y0 = 0.5 * (x.min() + x.max()), 0.5 * (y.min() + y.max())
    plot = figure(
        frame_width=frame[0],
        frame_height=frame[1],
        x_range=Range1d(x0 + half[0], x0 - half[0]),
        y_range=Range1d(y0 - half[1], y0 + half[1]),
        x_axis_label=f"East offset ({plane.unit}) from {plane.name}",
        y_axis_label=f"North offset ({plane.unit})",
        tools="pan,reset,save",
        name="footprints",
    )
    wheel = WheelZoomTool(zoom_together="all")
    plot.add_tools(wheel)
    plot.toolbar.active_scroll = wheel
    plot.toolbar.logo = None
    plot.grid.grid_line_alpha = 0.4
    return plot

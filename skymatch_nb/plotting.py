"""The session's figures: one thin method each; what they show is put together in plots/."""

from collections.abc import Sequence
from numbers import Integral
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from skymatch_nb.errors import InputError, ParameterError
from skymatch_nb.executor import Work
from skymatch_nb.pipeline import Pipeline
from skymatch_nb.report import write_bytes, write_text
from skymatch_nb.report_page import made_or_missing
from skymatch_nb.results import Integers, Loaded, Overlaps
from skymatch_nb.steps.measure import limits_of_sets
from skymatch_nb.steps.registry import LOCAL_METHODS

if TYPE_CHECKING:
    from bokeh.models import GridPlot
    from bokeh.plotting import figure

    from skymatch_nb.plots.plane import SkyPlane
    from skymatch_nb.plots.samples import Shown
    from skymatch_nb.plots.sources import Sources
    from skymatch_nb.results import Solution
    from skymatch_nb.steps.preview import CoarseMosaic, GroupMeans

LARGEST_PREVIEW = 8192
"""Cells along the longer side of a preview."""

_AVERAGED = ("group", "mask", "footprint", "units")
"""Results that the averages of a preview are made from."""

MOST_MOSAICS = 12
"""Parts of a field that each get a mosaic as fine as its size allows; of more, there is one for all."""

MOST_REPORT_PIXELS = 2_000_000_000
"""Pixels that are read for the preview in a report."""


class SessionPlots:
    """Figures of a session.

    Every method returns a Bokeh figure, or several in a grid: ``bokeh.io.show`` it, or `save_figure`. ``theme`` is
    'light' or 'dark'. Figures with the same ``sources`` (`Sources`) in one document share data and selection.
    """

    _pipeline: Pipeline
    _means: "tuple[Any, GroupMeans] | None" = None
    """What the last preview was made of, and from which results, members and size."""

    def plot_footprints(
        self,
        color: str = "sky",
        *,
        images: bool = False,
        theme: str = "light",
        sources: "Sources | None" = None,
    ) -> "figure":
        """Map of the members on the sky, overlaps shaded by what is left in them where the sky is known.

        Regions that are excluded or included are drawn, and a legend tells them apart.

        Parameters
        ----------
        color
            What members are filled by: 'sky', 'group', 'component' or 'status'; a selector in the figure changes it.
        images
            Whether the mosaic itself, coarsely averaged, is drawn below the outlines; this solves and reads pixels.
        theme, sources
            As for all figures.
        """
        from skymatch_nb.plots.footprints import footprints_figure, underlay
        from skymatch_nb.plots.mapdata import field_parts, footprints_plane
        from skymatch_nb.plots.regions import add_regions
        from skymatch_nb.plots.theme import theme_named

        look = theme_named(theme)
        if images:
            self._pipeline.require("solve")
        loaded, footprints, overlaps = self._pipeline.require("group", "footprint", "overlap")
        fresh = self._pipeline.fresh()
        plot = footprints_figure(
            loaded, footprints, overlaps, fresh.get("units"), fresh.get("compare"), fresh.get("solve"), look,
            color, sources,
        )  # fmt: skip
        plane, params = footprints_plane(footprints), self._pipeline.params
        add_regions(plot, plane, {"exclude": params.exclude_regions, "include": params.include_regions}, look)
        if images:
            parts = field_parts(loaded, overlaps)
            if len(parts) > MOST_MOSAICS:
                parts = [np.arange(len(loaded))]
            underlay(plot, [self._mosaic(p, 700, plane)[1] for p in sorted(parts, key=len, reverse=True)], look)
        return plot

    def plot_sky(self, unit: str = "brightness", *, theme: str = "light", sources: "Sources | None" = None) -> "figure":
        """Sky of every group with its standard error, and its level before and after it is subtracted.

        ``unit`` is 'brightness' or 'data' (the data units of each group's first member). Solves first where needed.
        """
        from skymatch_nb.plots.levels import sky_figure
        from skymatch_nb.plots.theme import theme_named

        if unit not in ("brightness", "data"):
            raise ParameterError(f"unit={unit!r}: must be 'brightness' or 'data'")
        loaded, units, solution = self._pipeline.require("group", "units", "solve")
        fresh = self._pipeline.fresh()
        pairs = None if self._is_local else fresh.get("pair")
        return sky_figure(
            loaded, units, solution, pairs, fresh.get("measure_members"), theme_named(theme), unit, sources
        )

    def plot_residuals(self, *, theme: str = "light", sources: "Sources | None" = None) -> "GridPlot":
        """Differences of all pairs before and after, and what is left in standard errors; solves first where needed."""
        from skymatch_nb.plots.residuals import residuals_figure
        from skymatch_nb.plots.theme import theme_named

        look = theme_named(theme)
        loaded, units, pairs, solution = self._pipeline.require("group", "units", "pair", "solve")
        return residuals_figure(loaded, units, pairs, solution, look, sources)

    def plot_graph(self, *, theme: str = "light", sources: "Sources | None" = None) -> "figure":
        """Groups at their place on the sky, and the pairs that connect them; solves first where needed."""
        from skymatch_nb.plots.graph import graph_figure
        from skymatch_nb.plots.theme import theme_named

        look = theme_named(theme)
        loaded, units, footprints, solution = self._pipeline.require("group", "units", "footprint", "solve")
        fresh = self._pipeline.fresh()
        pairs = None if self._is_local else fresh.get("pair")
        return graph_figure(loaded, units, footprints, pairs, fresh.get("measure_members"), solution, look, sources)

    def renew_figure(self, shown: Any, sources: "Sources", *, theme: str = "light") -> bool:
        """Show the present results in the figure ``shown``; False where it has to be made anew.

        It is for figures of footprints, sky, residuals and graph that were made with these sources in this theme: a new
        result of the same members changes their data, texts and colour ranges alone. Nothing is computed.
        """
        from skymatch_nb.plots.footprints import renew_footprints
        from skymatch_nb.plots.graph import renew_graph
        from skymatch_nb.plots.levels import renew_sky
        from skymatch_nb.plots.residuals import renew_residuals
        from skymatch_nb.plots.theme import theme_named

        look, fresh = theme_named(theme), self._pipeline.fresh()
        found: list[Any] = [
            fresh.get(name) for name in ("group", "units", "footprint", "overlap", "compare", "solve", "pair")
        ]
        loaded, units, footprints, overlaps, compared, solution, pairs = found
        some = None if self._is_local else pairs
        whole = fresh.get("measure_members")
        if shown.name == "footprints" and None not in (loaded, footprints, overlaps):
            return renew_footprints(
                shown, loaded, footprints, overlaps, units, compared, solution, look, sources
            )  # fmt: skip
        if None in (loaded, units, solution):
            return False
        if shown.name == "sky":
            return renew_sky(shown, loaded, units, solution, some, whole, look, sources)
        if shown.name == "residuals" and pairs is not None:
            return renew_residuals(shown, loaded, units, pairs, solution, look, sources)
        if shown.name == "graph" and footprints is not None:
            return renew_graph(shown, loaded, units, footprints, some, whole, solution, look, sources)
        return False

    def plot_samples(self, which: str | int | Sequence[str], *, theme: str = "light") -> "GridPlot":
        """Histogram of the good pixels that a level comes from, with the clipping limits of every iteration.

        Parameters
        ----------
        which
            Two names of members, or of groups (their overlap with the most pixels), for both sides of an overlap; a
            row number of the overlaps table likewise; or one member's name for all of its pixels.
        theme
            'light' or 'dark'.

        Raises
        ------
        ParameterError
            Where ``which`` is none of these.
        InputError
            Where there is no such member, group or overlap.
        """
        from skymatch_nb.plots.samples import samples_figure
        from skymatch_nb.plots.theme import theme_named

        look = theme_named(theme)
        shown, unit, title = self._samples(which)
        return samples_figure(shown, self._pipeline.params, unit, look, title)

    def renew_samples(self, shown: Any, which: str | int | Sequence[str]) -> bool:
        """Show samples in a figure that is there; False where it has to be made anew.

        Parameters
        ----------
        shown
            What `plot_samples` made, of these samples or of others.
        which
            As for `plot_samples`.
        """
        from skymatch_nb.plots.samples import renew_samples

        samples, unit, title = self._samples(which)
        return renew_samples(shown, samples, self._pipeline.params, unit, title)

    def plot_preview(self, *, part: int | None = None, size: int = 512, theme: str = "light") -> "GridPlot":
        """Mosaic before and after, and what overlapping exposures still differ by; solves first where needed.

        Good pixels are averaged onto a grid of ``size`` cells along its longer side. Of fields that do not touch, one
        is shown: number ``part`` (from 1), or the one with the most members.

        Raises
        ------
        ParameterError
            Where there is no such part, or ``size`` is not from 1 to 8192.
        """
        from skymatch_nb.plots.mapdata import field_parts
        from skymatch_nb.plots.preview import preview_figure
        from skymatch_nb.plots.theme import theme_named

        look = theme_named(theme)
        if not _is_whole(size) or not 1 <= size <= LARGEST_PREVIEW:
            raise ParameterError(f"size={size!r}: must be an integer from 1 to {LARGEST_PREVIEW}")
        if part is not None and not _is_whole(part):
            raise ParameterError(f"part={part!r}: must be an integer, counted from 1, or None")
        self._pipeline.require("solve")
        loaded, overlaps, units = self._pipeline.require("group", "overlap", "units")
        parts = field_parts(loaded, overlaps)
        if part is not None and not 1 <= part <= len(parts):
            raise ParameterError(f"part={part!r}: the field has {len(parts)}, counted from 1")
        number = int(np.argmax([len(p) for p in parts])) if part is None else part - 1
        plane, mosaic = self._mosaic(parts[number], size)
        which = "" if len(parts) == 1 else f"part {number + 1} of {len(parts)}, "
        notes = [f"part={k + 1} shows {len(p)} members" for k, p in enumerate(parts) if k != number][:2]
        return preview_figure(plane, mosaic, units.unit, look, f"{which}{len(parts[number])} members", *notes)

    def renew_preview(self, shown: Any) -> bool:
        """Show the present levels in the figure ``shown`` that `plot_preview` made last; False where it is another one.

        No pixel is read: where that would be needed, it is False, too.
        """
        from skymatch_nb.plots.preview import renew_preview
        from skymatch_nb.steps.preview import coarse_mosaic

        fresh = self._pipeline.fresh()
        made_of, solution = [fresh.get(name) for name in _AVERAGED], fresh.get("solve")
        if self._means is None or solution is None or None in made_of:
            return False
        key, means = self._means
        if [result.key for result in made_of if result is not None] != key[0]:
            return False
        return renew_preview(shown, coarse_mosaic(means, cast("Solution", solution)))

    def save_figure(self, shown: Any, path: str | PathLike[str]) -> Path:
        """Write a figure to a self-contained page (.html) or a picture (.png, extra ``export``); return the path.

        Parameters
        ----------
        shown
            A figure, or several in a grid, as the other methods return.
        path
            File to write; one of that name is replaced.

        Raises
        ------
        ParameterError
            For a name that ends otherwise, or in a folder that is missing.
        SkyMatchError
            Where what draws pictures is not installed.
        """
        from skymatch_nb.plots.export import check_export, figure_page, figure_picture

        if check_export(shown, path) == ".png":
            return write_bytes(Path(path), figure_picture(shown))
        return write_text(Path(path), figure_page(shown))

    # -- inside --------------------------------------------------------------------------------------------

    def _report_figures(self, theme: str) -> tuple[dict[str, Any], dict[str, str]]:
        """Figures of a report, linked with each other, and why others are left out."""
        from skymatch_nb.plots.sources import Sources
        from skymatch_nb.plots.theme import theme_named

        theme_named(theme)
        shared = Sources()
        return made_or_missing(
            {
                "footprints": lambda: self.plot_footprints(theme=theme, sources=shared),
                "sky": lambda: self.plot_sky(theme=theme, sources=shared),
                "residuals": lambda: self.plot_residuals(theme=theme, sources=shared),
                "graph": lambda: self.plot_graph(theme=theme, sources=shared),
                "preview": lambda: self._report_preview(theme),
            }
        )

    def _report_preview(self, theme: str) -> "GridPlot":
        """Preview that keeps a report small; a mosaic that takes long to read is left to `plot_preview`."""
        (loaded,) = self._pipeline.require("group")
        pixels = sum(int(np.prod(m.shape)) for m in loaded.members)
        if pixels > MOST_REPORT_PIXELS:
            raise InputError(f"{pixels:.2g} pixels are many to read for a report; plot_preview() shows them")
        return self.plot_preview(size=200, theme=theme)

    @property
    def _is_local(self) -> bool:
        return self._pipeline.params.skymethod in LOCAL_METHODS

    def _mosaic(
        self, members: Sequence[int] | Integers, size: int, plane: "SkyPlane | None" = None
    ) -> "tuple[SkyPlane, CoarseMosaic]":
        """Mosaic of some members on a plane, by default their own, and the plane."""
        from skymatch_nb.plots.plane import SkyPlane
        from skymatch_nb.steps.preview import coarse_mosaic, group_means

        made_of = self._pipeline.require(*_AVERAGED)
        loaded, masks, footprints, units = made_of
        (solution,) = self._pipeline.require("solve")
        chosen = [int(k) for k in members]
        own = plane is None
        plane = plane or SkyPlane(np.concatenate([footprints.outlines[k].vectors for k in chosen]))
        key = ([result.key for result in made_of], chosen, size)
        means = self._means[1] if own and self._means and self._means[0] == key else None
        if means is None:
            work = Work(self._pipeline.workers, self._pipeline.progress)
            means = group_means(loaded, masks, footprints, units, chosen, plane.offsets, size, work)
        if own:
            self._means = key, means
        return plane, coarse_mosaic(means, solution)

    def _samples(self, which: str | int | Sequence[str]) -> "tuple[list[Shown], str, str]":
        """Samples, their unit, and what they are."""
        which = _which_samples(which)
        (units,) = self._pipeline.require("units")
        if isinstance(which, str):
            return [self._member_sample(which)], units.unit, f"Pixels of {which}"
        shown, title = self._overlap_samples(which)
        return shown, units.unit, title

    def _member_sample(self, name: str) -> "Shown":
        from skymatch_nb.plots.samples import Shown

        loaded, units, samples, levels = self._pipeline.require("group", "units", "sample_members", "measure_members")
        k = next((k for k, m in enumerate(loaded.members) if m.name == name), None)
        if k is None:
            raise InputError(f"{name!r} is no member ({', '.join(m.name for m in loaded.members[:4])}, ...)")
        limits = limits_of_sets(loaded, samples.sets, self._pipeline.params)[k]
        return Shown(name, samples.sets[k], 0, float(units.factor[k]), float(levels.sky[k]), *_of_sample(limits, 0))

    def _overlap_samples(self, which: int | Sequence[str]) -> "tuple[list[Shown], str]":
        loaded, overlaps, compared = self._pipeline.require("group", "overlap", "compare")
        pixels = compared.npix_a + compared.npix_b
        row = which if isinstance(which, int) else _overlap_row(which, loaded, overlaps, pixels)
        if not 0 <= row < len(overlaps):
            raise InputError(f"there is no overlap {row}; the overlaps table has {len(overlaps)}")
        if self._pipeline.params.overlap_stat == "difference":
            return [self._difference_sample(row)], f"Differences of pixels of overlap {row}"
        return self._side_samples(row), f"Pixels of overlap {row}"

    def _difference_sample(self, row: int) -> "Shown":
        from skymatch_nb.plots.samples import Shown

        loaded, overlaps, samples, levels = self._pipeline.require(
            "group", "overlap", "difference_samples", "measure_differences"
        )
        name, less = (loaded.members[int(of[row])].name for of in (overlaps.member_a, overlaps.member_b))
        sample_set, k = samples.place(row)
        return Shown(name, sample_set, k, 1.0, float(levels.difference[row]), less=less)

    def _side_samples(self, row: int) -> "list[Shown]":
        from skymatch_nb.plots.samples import Shown

        loaded, units, overlaps, samples, levels = self._pipeline.require(
            "group", "units", "overlap", "sample_overlaps", "measure_overlaps"
        )
        limits = limits_of_sets(loaded, samples.sets, self._pipeline.params)
        sides = (
            (int(overlaps.member_a[row]), int(samples.at_a[row]), levels.sky_a),
            (int(overlaps.member_b[row]), int(samples.at_b[row]), levels.sky_b),
        )
        return [
            Shown(
                loaded.members[k].name,
                samples.sets[k],
                at,
                float(units.factor[k]),
                float(sky[row]),
                *_of_sample(limits[k], at),
            )
            for k, at, sky in sides
        ]


def _is_whole(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


def _which_samples(which: Any) -> str | int | tuple[str, str]:
    """What `plot_samples` was asked for, where it is one of the things that it can be asked for."""
    if isinstance(which, str):
        return which
    if _is_whole(which):
        return int(which)
    names = tuple(which) if isinstance(which, list | tuple) else ()
    if len(names) == 2 and all(isinstance(name, str) for name in names):
        return names[0], names[1]
    raise ParameterError(
        f"which={which!r}: must be a row number of the overlaps table, a pair of names of members or groups, or the "
        "name of one member"
    )


def _of_sample(limits: Sequence[Any], k: int) -> tuple[float | None, float | None]:
    """Lower and upper limit of one sample of a set."""
    low, high = (None if x is None else float(x if np.ndim(x) == 0 else x[k]) for x in limits)
    return low, high


def _overlap_row(names: Sequence[str], loaded: Loaded, overlaps: Overlaps, pixels: Integers) -> int:
    """Row of the overlap of two members, or of the largest one of two groups."""
    sides = [{k for k, m in enumerate(loaded.members) if name in (m.name, m.group)} for name in names]
    for name, side in zip(names, sides, strict=True):
        if not side:
            raise InputError(f"{name!r} is no member and no group")
    ends = list(zip(overlaps.member_a.tolist(), overlaps.member_b.tolist(), strict=True))
    rows = [
        k for k, (a, b) in enumerate(ends) if (a in sides[0] and b in sides[1]) or (a in sides[1] and b in sides[0])
    ]
    if not rows:
        raise InputError(f"{names[0]} and {names[1]} do not overlap")
    return max(rows, key=lambda k: pixels[k])

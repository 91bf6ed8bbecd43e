"""The session's figures: one thin method each; what they show is put together in plots/."""

from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from skymatch_nb.errors import ParameterError
from skymatch_nb.report import write_bytes, write_text
from skymatch_nb.session.preview import SessionPreview
from skymatch_nb.steps.registry import LOCAL_METHODS

if TYPE_CHECKING:
    from bokeh.models import GridPlot
    from bokeh.plotting import figure

    from skymatch_nb.plots.sources import Sources

MOST_MOSAICS = 12
"""Parts of a field that each get a mosaic as fine as its size allows; of more, there is one for all."""


class SessionFigures(SessionPreview):
    """Figures of a session.

    Every method returns a Bokeh figure, or several in a grid: ``bokeh.io.show`` it, or `save_figure`. ``theme`` is
    'light' or 'dark'. Figures with the same ``sources`` (`Sources`) in one document share data and selection.
    """

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

    @property
    def _is_local(self) -> bool:
        return self._pipeline.params.skymethod in LOCAL_METHODS

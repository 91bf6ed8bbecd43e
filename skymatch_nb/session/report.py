"""The session's report: one page with all of it."""

from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from skymatch_nb.errors import InputError, ParameterError
from skymatch_nb.report import check_folder
from skymatch_nb.report_page import ReportContent, made_or_missing, write_report
from skymatch_nb.session.figures import SessionFigures
from skymatch_nb.session.keeping import SessionKeeping

if TYPE_CHECKING:
    from bokeh.models import GridPlot


MOST_REPORT_PIXELS = 2_000_000_000
"""Pixels that are read for the preview in a report."""


class SessionReport(SessionKeeping, SessionFigures):
    """Report of a session."""

    def report(self, path: str | PathLike[str], *, theme: str = "light") -> Path:
        """Write one self-contained HTML page: what was done, figures, tables, provenance, and how to repeat it.

        Solves first where needed, and reads pixels for the preview. Returns ``path``; a page of that name is replaced.
        ``theme`` is 'light' or 'dark'.

        Raises
        ------
        ParameterError
            Where the name does not end in .html, or its folder is missing.
        """
        if not isinstance(path, str | PathLike):
            raise ParameterError(f"path={path!r}: must be the name of a file that ends in .html")
        if Path(path).suffix.lower() not in (".html", ".htm"):
            raise ParameterError(f"{path}: the name of a report must end in .html")
        check_folder(Path(path))
        sky, residuals, overlaps = self.sky, self.residuals, self.overlaps
        figures, missing = self._report_figures(theme)
        texts, reasons = made_or_missing(
            {"script": self.to_script, "command": self.to_command, "provenance": self.provenance}
        )
        content = ReportContent(
            self._summary(), self.members, sky, residuals, overlaps, figures, texts.get("provenance", {}),
            texts.get("script", reasons.get("script", "")), texts.get("command", reasons.get("command", "")),
            missing | reasons, theme,
        )  # fmt: skip
        return write_report(Path(path), content)

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

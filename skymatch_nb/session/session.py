"""The session: all its parts in one class, and a thin method for each step."""

from typing import TYPE_CHECKING, Any, Self

import pandas as pd

from skymatch_nb.errors import ParameterError
from skymatch_nb.pipeline import STAGES
from skymatch_nb.session.outlines import SessionOutlines
from skymatch_nb.session.regions import SessionRegions
from skymatch_nb.session.report import SessionReport
from skymatch_nb.session.samples import SessionSamples
from skymatch_nb.session.studies import SessionStudies
from skymatch_nb.session.writing import SessionWriting

if TYPE_CHECKING:
    from skymatch_nb.widgets.panel import Panel

SHOWN_TABLES = ("members", "masks", "footprints", "overlaps", "sky", "residuals", "applied")
"""Tables of a session by the names of their properties."""


class SkyMatchSession(SessionWriting, SessionReport, SessionSamples, SessionStudies, SessionRegions, SessionOutlines):
    """Match the sky of overlapping exposures, step by step.

    Steps run when they are asked for, with whatever they need first; changing a parameter computes nothing, and
    the next request recomputes only what the change touches.

    Parameters
    ----------
    inputs
        File names, wildcards, ``'file[sci,2]'``, ``'@list.txt'``, paths, HDU lists, CCDData, pairs of an array and a
        WCS or header, or several of them; see docs/inputs.md.
    masks
        User masks by member name, or by file name for files with one member: arrays, paths, ``'file[ext]'``, or
        functions of the member's pixels; non-zero is good.
    dq
        Data quality arrays likewise, in place of those that belong to the files.
    workers
        Threads for reading and measuring pixels, or the processes of a local cluster (``executor='dask'``); by default
        one per processor core, at most 4.
    progress
        Called with items done, their number, and what is being done, instead of showing a progress bar.
    **params
        Any parameter of `SkyMatchParams`.

    Raises
    ------
    InputError
        Where a file is missing.
    ParameterError
        For an unknown parameter or a value that is not allowed.

    Examples
    --------
    >>> from skymatch_nb import SkyMatchSession
    >>> s = SkyMatchSession("demo_*_flt.fits", skymethod="match", skystat="median", verbose=False)
    >>> s.solve()["status"].value_counts().to_dict()
    {'matched': 10, 'reference': 2}
    """

    def load(self) -> pd.DataFrame:
        """Read headers (again, where files have changed) and return the members table."""
        self._stamp()
        return self.members

    def mask(self) -> pd.DataFrame:
        """Apply DQ flags and masks, and return the table of good and bad pixels; it reads every pixel."""
        return self.masks

    def compute_footprints(self) -> pd.DataFrame:
        """Find footprints and overlaps, and return the footprints table."""
        return self.footprints

    def solve(self) -> pd.DataFrame:
        """Find sky levels, and return the sky table.

        Raises
        ------
        NoOverlapError
            With ``skymethod='match'``, where no two exposures have a usable overlap.
        """
        return self.sky

    def run(self, until: str = "solve") -> Self:
        """Run the steps up to one of 'load', 'mask', 'footprints', 'solve' or 'apply', and return the session."""
        if until not in STAGES:
            raise ParameterError(f"until={until!r}: must be one of {', '.join(map(repr, STAGES))}")
        for stage in list(STAGES)[: list(STAGES).index(until) + 1]:
            for name in self._pipeline.wanted(stage):
                self._pipeline.require(name)
        return self

    def panel(self, *, run: bool = True) -> "Panel":
        """The session as one widget: every parameter, the steps, and views that follow them.

        Parameters
        ----------
        run
            Whether to solve at once, in the background.
        """
        from skymatch_nb.widgets.panel import Panel

        return Panel(self, run=run)

    def show(self, table: str, *, with_map: bool = False) -> Any:
        """Table that can be sorted, searched and selected in, as a widget (extra ``notebook``).

        Parameters
        ----------
        table
            Name of a table: 'members', 'overlaps', 'sky', ...
        with_map
            Whether the map of the field stands above it (the graph of pairs for 'residuals'): what is clicked in the
            table is selected on the map, and what is tapped on the map in the table.

        Returns
        -------
        widget
            Its ``selected_rows``, or with a map those of its ``table``, are the row numbers that are selected.

        Raises
        ------
        ParameterError
            Where there is no table of that name.
        SkyMatchError
            Where itables is not installed.
        """
        if table not in SHOWN_TABLES:
            raise ParameterError(f"no table {table!r}; there are {', '.join(SHOWN_TABLES)}")
        if with_map:
            from skymatch_nb.widgets.tablemap import TableWithMap

            return TableWithMap(self, table)
        from skymatch_nb.plots.grid import interactive_table

        return interactive_table(table, getattr(self, table))

"""The session's tables: a property each."""

import pandas as pd

from skymatch_nb import tables
from skymatch_nb.session.state import SessionState


class SessionTables(SessionState):
    """Tables of a session, made when they are asked for."""

    @property
    def members(self) -> pd.DataFrame:
        """Members table; see `skymatch_nb.tables.members_table`."""
        loaded, units, header = self._pipeline.require("group", "units", "header")
        return tables.members_table(loaded, units, header, tuple(self._given.dq))

    @property
    def masks(self) -> pd.DataFrame:
        """Masks table; see `skymatch_nb.tables.masks_table`."""
        return tables.masks_table(*self._pipeline.require("load", "mask", "count"))

    @property
    def flags(self) -> pd.DataFrame:
        """Data quality flags of the instruments, and which are good; see `skymatch_nb.tables.flags_table`."""
        return tables.flags_table(*self._pipeline.require("load", "mask"))

    @property
    def footprints(self) -> pd.DataFrame:
        """Footprints table; see `skymatch_nb.tables.footprints_table`."""
        return tables.footprints_table(*self._pipeline.require("group", "footprint", "overlap"))

    @property
    def overlaps(self) -> pd.DataFrame:
        """Overlaps table; see `skymatch_nb.tables.overlaps_table`."""
        return tables.overlaps_table(*self._pipeline.require("group", "units", "overlap", "compare"))

    @property
    def sky(self) -> pd.DataFrame:
        """Sky table; see `skymatch_nb.tables.sky_table`."""
        return tables.sky_table(*self._pipeline.require("group", "units", "solve", "plan"))

    @property
    def residuals(self) -> pd.DataFrame:
        """Residuals table; see `skymatch_nb.tables.residuals_table`."""
        return tables.residuals_table(*self._pipeline.require("group", "units", "pair", "solve"))

    @property
    def applied(self) -> pd.DataFrame:
        """Applied table; see `skymatch_nb.tables.applied_table`. It reports; only `apply` writes."""
        loaded, units, solution = self._pipeline.require("group", "units", "solve")
        done = self._written.get(solution.key)
        return tables.applied_table(loaded, units, done or self._pipeline.require("apply")[0])

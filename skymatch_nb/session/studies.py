"""The session's sweeps and comparisons: one thin method each."""

from collections.abc import Iterable, Sequence
from typing import Any, Self

import pandas as pd

from skymatch_nb.errors import ParameterError
from skymatch_nb.session.tables import SessionTables
from skymatch_nb.studies import compare_groupings, compare_solutions, sweep


class SessionStudies(SessionTables):
    """Other answers beside that of a session."""

    def sweep(self, **choices: Iterable[Any]) -> pd.DataFrame:
        """Solve with every combination of some parameters' values, from the same samples; one row for each.

        The session's own parameters and results stay as they are.

        Raises
        ------
        ParameterError
            For an unknown parameter or a value that is not allowed; nothing is solved then.

        Examples
        --------
        >>> from skymatch_nb import SkyMatchSession
        >>> s = SkyMatchSession("demo_*_flt.fits", skymethod="match", verbose=False)
        >>> s.sweep(skystat=["median", "mean"], nclip=[0, 5])["fit"]["status"].tolist()
        ['solved', 'solved', 'solved', 'solved']
        """
        self._pipeline.require("solve")
        return sweep(self._pipeline, choices)

    def compare(self, other: Self) -> pd.DataFrame:
        """Levels of this and another solution side by side; see `skymatch_nb.studies.compare_solutions`."""
        if not isinstance(other, SessionStudies):
            raise ParameterError(f"compare: needs another session, not {other!r}")
        mine, others = self._paths(), other._paths()
        apart = [f"{path} and {others[name]}" for name, path in mine.items() if others.get(name, path) != path]
        if apart:
            self._pipeline.warn(f"compare: files of the same name are not the same file ({apart[0]})")
        return compare_solutions(self.sky, other.sky)

    def compare_groups(self, groupings: Sequence[Any] = ("exposure", "chip")) -> pd.DataFrame:
        """How well pairs agree under different groupings: whether the chips of an exposure share one sky.

        One row per grouping, a value of `group_by`. Where chips do not share a level, residuals and pulls are smaller
        when each chip is a group.
        """
        return compare_groupings(self._pipeline, groupings)

    def _paths(self) -> dict[str, str]:
        """Path of every file by the name that its members have it by."""
        (loaded,) = self._pipeline.require("load")
        return {m.file: m.path for m in loaded.members if m.path}

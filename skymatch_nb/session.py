"""The session: parameters, fresh results, and one thin method per step."""

import threading
import time
import warnings
from collections.abc import Iterable, Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skymatch_nb import tables
from skymatch_nb.errors import InputError, ParameterError, SkyMatchWarning
from skymatch_nb.executor import Progress, Work, available_cores
from skymatch_nb.geometry import outline_polygon, to_spherical_polygon, union_polygons
from skymatch_nb.io.fits import file_stamp
from skymatch_nb.io.inputs import Input, resolve_inputs
from skymatch_nb.params import SkyMatchParams
from skymatch_nb.progress import progress_bar
from skymatch_nb.report import SessionSummary, append_log, session_html, session_text, write_report
from skymatch_nb.results import Result, make_key
from skymatch_nb.steps.registry import LOCAL_METHODS, STEPS, Call, Given, current_key

if TYPE_CHECKING:
    from bokeh.plotting import figure

STAGES = {
    "load": ("load", "units", "header"),
    "mask": ("mask", "count"),
    "footprints": ("footprint", "overlap"),
    "solve": ("sample_overlaps", "sample_members", "measure_overlaps", "measure_members", "pair", "solve"),
    "apply": ("plan", "apply"),
}
"""The steps as a user sees them, and the results that each stands for."""


class SkyMatchSession:
    """Match the sky of overlapping exposures, step by step.

    Steps run when they are asked for, with whatever they need first; changing a parameter computes nothing, and
    the next request recomputes only what the change touches.

    Parameters
    ----------
    inputs
        File names, wildcards, ``'file[sci,2]'``, paths, or several of them; see docs/inputs.md.
    masks
        User masks: arrays by member name, or by file name for files with one member; non-zero pixels are good.
    workers
        Threads for reading and measuring pixels; by default one per processor core, at most 4.
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
    >>> s = SkyMatchSession("j*_flt.fits", skymethod="match", skystat="median")  # doctest: +SKIP
    >>> s.solve()  # doctest: +SKIP
    """

    def __init__(
        self,
        inputs: Input | Iterable[Input],
        *,
        masks: Mapping[str, NDArray[Any]] | None = None,
        workers: int | None = None,
        progress: Progress | None = None,
        **params: Any,
    ) -> None:
        self._params = SkyMatchParams.checked(params)
        if workers is not None and (isinstance(workers, bool) or not isinstance(workers, int) or workers < 1):
            raise ParameterError(f"workers={workers!r}: must be an integer of 1 or more")
        self.workers = workers or min(4, available_cores())
        self._progress = progress
        specs = resolve_inputs(inputs)
        user = dict(masks or {})
        self._given = Given(specs, "", user, make_key({name: np.asarray(mask) for name, mask in user.items()}))
        self._stamp()
        self._results: dict[str, Result] = {}
        self._seconds: dict[str, float] = {}
        self._lock = threading.RLock()

    # -- steps ---------------------------------------------------------------------------------------------

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

    def apply(self) -> pd.DataFrame:
        """Report what would be written to every member, and return the applied table. Nothing is written yet."""
        return self.applied

    def run(self, until: str = "solve") -> Self:
        """Run the steps up to one of 'load', 'mask', 'footprints', 'solve' or 'apply', and return the session."""
        if until not in STAGES:
            raise ParameterError(f"until={until!r}: must be one of {', '.join(map(repr, STAGES))}")
        for stage in list(STAGES)[: list(STAGES).index(until) + 1]:
            for name in self._wanted(stage):
                self._require(name)
        return self

    # -- tables --------------------------------------------------------------------------------------------

    @property
    def members(self) -> pd.DataFrame:
        """Members table; see `skymatch_nb.tables.members_table`."""
        return tables.members_table(*self._require("load", "units", "header"))

    @property
    def masks(self) -> pd.DataFrame:
        """Masks table; see `skymatch_nb.tables.masks_table`."""
        return tables.masks_table(*self._require("load", "count"))

    @property
    def footprints(self) -> pd.DataFrame:
        """Footprints table; see `skymatch_nb.tables.footprints_table`."""
        return tables.footprints_table(*self._require("load", "footprint", "overlap"))

    @property
    def overlaps(self) -> pd.DataFrame:
        """Overlaps table; see `skymatch_nb.tables.overlaps_table`."""
        return tables.overlaps_table(*self._require("load", "units", "overlap", "measure_overlaps"))

    @property
    def sky(self) -> pd.DataFrame:
        """Sky table; see `skymatch_nb.tables.sky_table`."""
        return tables.sky_table(*self._require("load", "units", "solve", "plan"))

    @property
    def residuals(self) -> pd.DataFrame:
        """Residuals table; see `skymatch_nb.tables.residuals_table`."""
        return tables.residuals_table(*self._require("load", "units", "pair", "solve"))

    @property
    def applied(self) -> pd.DataFrame:
        """Applied table; see `skymatch_nb.tables.applied_table`."""
        return tables.applied_table(*self._require("load", "apply"))

    # -- parameters and state ------------------------------------------------------------------------------

    @property
    def params(self) -> SkyMatchParams:
        """The present parameters (frozen; change them with `configure`)."""
        return self._params

    def configure(self, **params: Any) -> Self:
        """Change parameters; nothing is computed until a result is asked for.

        Raises
        ------
        ParameterError
            For an unknown parameter or a value that is not allowed; no parameter is changed then.
        """
        self._params = self._params.changed(**params)
        return self

    def status(self) -> pd.DataFrame:
        """State of every step: 'fresh', 'stale' (parameters or files changed since), 'not run' or 'not needed'."""
        rows = [
            {"step": stage, "result": name, "what": STEPS[name].summary, **self._state(stage, name)}
            for stage, names in STAGES.items()
            for name in names
        ]
        return pd.DataFrame(rows).set_index(["step", "result"])

    @property
    def notes(self) -> tuple[str, ...]:
        """What the fresh results warn of."""
        found = (note for result in self._fresh().values() for note in result.notes)
        return tuple(dict.fromkeys(found))

    def fresh_result(self, name: str) -> Result | None:
        """Result of a step where it is fresh, else None; nothing is computed."""
        return self._fresh().get(name)

    # -- geometry and pictures -----------------------------------------------------------------------------

    def outline(self, name: str) -> Any:
        """Outline of a member or a group as a `spherical_geometry.polygon.SphericalPolygon`.

        A group's outline is the union of its members.

        Raises
        ------
        InputError
            Where no member or group has that name.
        """
        loaded, footprints = self._require("load", "footprint")
        chosen = [k for k, m in enumerate(loaded.members) if name in (m.name, m.group)]
        if not chosen:
            raise InputError(f"{name!r} is no member and no group")
        outlines = [footprints.outlines[k] for k in chosen]
        return to_spherical_polygon(union_polygons(outlines) if len(chosen) > 1 else [outline_polygon(outlines[0])])

    def mosaic_outline(self) -> Any:
        """Union of all members as a `spherical_geometry.polygon.SphericalPolygon`.

        A region with a hole is given as pieces without one, cut through the hole.
        """
        (footprints,) = self._require("footprint")
        return to_spherical_polygon(union_polygons(footprints.outlines))

    def plot_footprints(self) -> "figure":
        """Map of the members on the sky, overlaps shaded, with the sky level on hover where it is known.

        Returns a Bokeh figure: ``bokeh.io.show`` it, or save it with ``bokeh.io.save``.
        """
        from skymatch_nb.plots.footprints import footprints_figure

        loaded, footprints, overlaps = self._require("load", "footprint", "overlap")
        fresh = self._fresh()
        return footprints_figure(loaded, footprints, overlaps, fresh.get("units"), fresh.get("solve"))

    # -- showing -------------------------------------------------------------------------------------------

    def report(self, path: str | PathLike[str]) -> Path:
        """Write one self-contained HTML page: what was done, footprints, tables, parameters.

        Solves first where needed. Returns the path; a file of that name is replaced.
        """
        sky, residuals, overlaps = self.sky, self.residuals, self.overlaps
        return write_report(Path(path), self._summary(), sky, residuals, overlaps, self.plot_footprints())

    def __repr__(self) -> str:
        return session_text(self._summary())

    def _repr_html_(self) -> str:
        return session_html(self._summary())

    # -- inside --------------------------------------------------------------------------------------------

    def _summary(self) -> SessionSummary:
        fresh, states = self._fresh(), self.status()["state"]
        stages = {}
        for stage in STAGES:
            wanted = [states[stage, name] for name in self._wanted(stage)]
            worst = next((s for s in ("stale", "not run") if s in wanted), "fresh")
            stages[stage] = worst if "fresh" in wanted or worst != "not run" else "not run"
        counts = {}
        if loaded := fresh.get("load"):
            counts["load"] = f"{len(loaded)} members in {len(loaded.groups)} exposures"
        if overlaps := fresh.get("overlap"):
            counts["footprints"] = f"{len(overlaps)} overlaps"
        if (solution := fresh.get("solve")) and self._params.skymethod not in LOCAL_METHODS:
            sets = int(solution.component.max(initial=-1)) + 1
            counts["solve"] = f"{len(fresh['pair'].pairs)} pairs in {sets} connected {'set' if sets == 1 else 'sets'}"
        files = tuple(str(spec.path) for spec in self._given.specs)
        return SessionSummary(files, stages, counts, self._params, self.notes)

    def _stamp(self) -> None:
        """Take note of the files as they are now."""
        specs = self._given.specs
        stamps = [(str(spec.path), file_stamp(spec.path), [str(e) for e in spec.extensions]) for spec in specs]
        self._given = Given(specs, make_key(stamps), self._given.masks, self._given.masks_key)

    def _wanted(self, stage: str) -> tuple[str, ...]:
        """Results that a stage makes with the present parameters; counting pixels is left to those who ask."""
        needed: set[str] = set()
        todo = ["solve"]
        while todo:
            name = todo.pop()
            needed.add(name)
            todo += STEPS[name].needs(self._params)
        optional = {"count"} | (set(STAGES["solve"]) - needed)
        return tuple(name for name in STAGES[stage] if name not in optional)

    def _state(self, stage: str, name: str) -> dict[str, Any]:
        result = self._results.get(name)
        if result is None:
            state = "not run" if name in self._wanted(stage) or name == "count" else "not needed"
        else:
            state = "fresh" if result.key == current_key(name, self._given, self._params) else "stale"
        return {"state": state, "seconds": self._seconds.get(name, float("nan"))}

    def _fresh(self) -> dict[str, Any]:
        keys: dict[str, str] = {}
        return {
            name: result
            for name, result in self._results.items()
            if result.key == current_key(name, self._given, self._params, keys)
        }

    def _require(self, *names: str) -> tuple[Any, ...]:
        """Fresh results of steps, computed where they are not."""
        with self._lock:
            keys: dict[str, str] = {}
            return tuple(self._make(name, self._given, self._params, keys) for name in names)

    def _make(self, name: str, given: Given, params: SkyMatchParams, keys: dict[str, str]) -> Result:
        key = current_key(name, given, params, keys)
        result = self._results.get(name)
        if result is not None and result.key == key:
            return result
        step = STEPS[name]
        upstream = {need: self._make(need, given, params, keys) for need in step.needs(params)}
        started = time.perf_counter()
        with progress_bar(self._progress, shown=params.verbose) as progress:
            result = step.run(Call(key, upstream, given, params, Work(self.workers, progress)))
        self._seconds[name] = time.perf_counter() - started
        self._results[name] = result
        for note in result.notes:
            warnings.warn(note, SkyMatchWarning, stacklevel=4)
        if name == "solve" and params.logfile is not None:
            append_log(Path(params.logfile), self._summary(), self.sky)
        return result

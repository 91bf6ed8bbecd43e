"""The session: parameters, fresh results, and one thin method per step."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pandas as pd

from skymatch_nb import tables
from skymatch_nb.errors import InputError, ParameterError, SkyMatchError
from skymatch_nb.executor import Progress, Work, available_cores
from skymatch_nb.geometry.outlines import outline_polygon
from skymatch_nb.geometry.unions import to_spherical_polygon, union_polygons
from skymatch_nb.given import contents_of, copied, file_content, files_beside, with_full_paths
from skymatch_nb.io.inputs import ImageSpec, Input, Spec, resolve_inputs
from skymatch_nb.io.recovery import interrupted, warn_of
from skymatch_nb.io.stamps import file_stamp
from skymatch_nb.io.writer import recover, undo
from skymatch_nb.keeping import SessionKeeping
from skymatch_nb.log import applied_lines, write_log
from skymatch_nb.params import SkyMatchParams
from skymatch_nb.pipeline import STAGES, Pipeline
from skymatch_nb.plotting import SessionPlots
from skymatch_nb.report import SessionSummary, check_folder, mask_words, number_of, session_html, session_text
from skymatch_nb.report_page import ReportContent, made_or_missing, write_report
from skymatch_nb.results import Applied, Result, make_key
from skymatch_nb.steps.apply import write
from skymatch_nb.steps.group import regrouped
from skymatch_nb.steps.registry import LOCAL_METHODS, STEPS, Given
from skymatch_nb.studies import compare_groupings, compare_solutions, sweep

if TYPE_CHECKING:
    from skymatch_nb.widgets.panel import Panel

SHOWN_TABLES = ("members", "masks", "footprints", "overlaps", "sky", "residuals", "applied")
"""Tables of a session by the names of their properties."""


class SkyMatchSession(SessionPlots, SessionKeeping):
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

    def __init__(
        self,
        inputs: Input | Iterable[Input],
        *,
        masks: Mapping[str, Any] | None = None,
        dq: Mapping[str, Any] | None = None,
        workers: int | None = None,
        progress: Progress | None = None,
        **params: Any,
    ) -> None:
        checked = SkyMatchParams.checked(params)
        if workers is not None and (isinstance(workers, bool) or not isinstance(workers, int) or workers < 1):
            raise ParameterError(f"workers={workers!r}: must be an integer of 1 or more")
        specs = tuple(s.absolute() if isinstance(s, ImageSpec) else s for s in resolve_inputs(inputs))
        self._own = (
            with_full_paths({} if masks is None else masks, "masks"),
            with_full_paths({} if dq is None else dq, "dq"),
        )
        given = Given(specs, "", {}, {}, "")
        self._pipeline = Pipeline(given, checked, workers or min(4, available_cores()), progress, self._solved)
        self._check_log(checked)
        if not checked.readonly:
            for folder in interrupted(spec.path for spec in specs if isinstance(spec, ImageSpec)):
                warn_of(recover(folder))
        self._stamp()
        self._written: dict[str, Applied] = {}
        self._saved: tuple[str, Mapping[str, Any]] = ("", {})
        self._logged: set[tuple[str, str]] = set()
        self._watchers: list[Callable[[], None]] = []

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
        """Write the solution to the files (``readonly=False``), or report what would be written; return the table.

        With ``subtractsky`` the levels are subtracted from the pixels and added to the keyword's value, else the
        keyword gets the levels. Each file is written whole or not at all, and the originals are kept for `undo`.
        Of objects in memory, edited copies are made (`edited_objects`) unless ``in_place`` is set. Afterwards the
        tables still tell of the files as they were; `load` reads them anew.

        Raises
        ------
        SkyMatchError
            Where this solution was applied before, values of another kind would be lost or mixed, or a file cannot
            be written; nothing is changed then.
        """
        if self.params.readonly:
            return self.applied
        loaded, units, solution, planned = self._pipeline.require("group", "units", "solve", "plan")
        with self._pipeline.lock:
            if solution.key in self._written:
                raise SkyMatchError("this solution was applied before; load() reads the files as they are now")
            for path, stamp in (self._stamps | self._beside).items():
                if file_stamp(path) != stamp:
                    ours = any(str(path) in before.paths for before in self._written.values())
                    how = "was written by this session's last apply()" if ours else "has changed since it was loaded"
                    raise InputError(f"{path}: the file {how}; call load() again")
            done = write(
                planned.key,
                self._given.specs,
                loaded,
                planned,
                self.params,
                self.provenance(),
                Work(1, self._pipeline.progress),
            )
            self._written[solution.key] = done
        applied = tables.applied_table(loaded, units, done)
        if self.params.logfile is not None:
            write_log(self.params.logfile, applied_lines(applied))
        return applied

    def undo(self, *, everything: bool = False) -> pd.DataFrame:
        """Restore the files of the last `apply` bit for bit, and return what was done to each.

        In a new session these are its input files, as an earlier session has written them. Where an earlier run is
        still applied afterwards, the column ``notes`` says so. Objects in memory that were edited in place stay as
        they are.

        Parameters
        ----------
        everything
            Whether to go back over all runs whose originals are kept, to the oldest.

        Raises
        ------
        InputError
            Where a file has changed since, or nothing was written; nothing is restored then.
        """
        key, done = next(reversed(self._written.items())) if self._written else ("", None)
        paths = list(self._stamps) if done is None else [Path(path) for path in dict.fromkeys(done.paths)]
        held = [spec.payload for spec in self._given.specs if not isinstance(spec, ImageSpec)]
        in_place = done is not None and any(made is item for made in done.objects for item in held)
        if in_place and not paths:
            raise InputError("nothing was undone: objects in memory that were edited in place stay as they are")
        outcomes = undo(paths, everything=everything)
        if done is not None and in_place:
            self._written[key] = replace(done, paths=())  # it would be applied to them twice
        elif everything:
            self._written.clear()
        else:
            self._written.pop(key, None)
        rows = [{"file": str(o.path), "status": o.status, "notes": "; ".join(o.notes)} for o in outcomes]
        return pd.DataFrame(rows, columns=["file", "status", "notes"]).set_index("file")

    @property
    def edited_objects(self) -> tuple[Any, ...]:
        """Edited copies of the objects in memory, or the objects (``in_place``), from the last `apply` that wrote."""
        return next(reversed(self._written.values())).objects if self._written else ()

    def close(self) -> None:
        """End the local cluster that ``executor='dask'`` made; a session that works again makes another."""
        self._pipeline.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def run(self, until: str = "solve") -> Self:
        """Run the steps up to one of 'load', 'mask', 'footprints', 'solve' or 'apply', and return the session."""
        if until not in STAGES:
            raise ParameterError(f"until={until!r}: must be one of {', '.join(map(repr, STAGES))}")
        for stage in list(STAGES)[: list(STAGES).index(until) + 1]:
            for name in self._pipeline.wanted(stage):
                self._pipeline.require(name)
        return self

    # -- tables --------------------------------------------------------------------------------------------

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

    # -- parameters and state ------------------------------------------------------------------------------

    @property
    def params(self) -> SkyMatchParams:
        """The present parameters (frozen; change them with `configure`)."""
        return self._pipeline.params

    def configure(self, **params: Any) -> Self:
        """Change parameters; nothing is computed until a result is asked for.

        Raises
        ------
        ParameterError
            For an unknown parameter or a value that is not allowed; no parameter is changed then.
        """
        changed = self.params.changed(**params)
        self._check_log(changed)
        if changed != self._pipeline.params:
            self._pipeline.params = changed
            self._tell_watchers()
        return self

    def set_inputs(self, inputs: Input | Iterable[Input]) -> Self:
        """Change the inputs, as given to a new session; parameters, masks and DQ arrays stay as they are.

        Raises
        ------
        InputError
            Where a file is missing; the inputs are not changed then.
        """
        specs = tuple(s.absolute() if isinstance(s, ImageSpec) else s for s in resolve_inputs(inputs))
        before = self._given
        self._pipeline.given = replace(before, specs=specs)
        try:
            self._check_log(self.params)
            self._stamp()
        except SkyMatchError:
            self._pipeline.given = before
            raise
        self._tell_watchers()
        return self

    @property
    def inputs(self) -> tuple[Spec, ...]:
        """Files and objects of the session."""
        return self._given.specs

    def watch(self, changed: Callable[[], None]) -> None:
        """Call a function whenever parameters or inputs are changed. Sessions that are saved forget it."""
        self._watchers.append(changed)

    @contextmanager
    def reporting(self, progress: Progress) -> Iterator[None]:
        """Tell progress to a function, and keep notes to `notes` instead of giving them as warnings, meanwhile."""
        pipeline = self._pipeline
        before = pipeline.progress, pipeline.warn
        pipeline.progress, pipeline.warn = progress, lambda _note: None
        try:
            yield
        finally:
            pipeline.progress, pipeline.warn = before

    def stages(self) -> tuple[dict[str, str], dict[str, str]]:
        """State of every step ('fresh', 'stale' or 'not run'), and its result in a few words where there is one."""
        summary = self._summary()
        return dict(summary.stages), dict(summary.counts)

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

    def _tell_watchers(self) -> None:
        for changed in self._watchers:
            changed()

    def regroup(self, groups: Mapping[str, str]) -> Self:
        """Move members, or all members of a file or of a present group, to groups by their names.

        A new name makes a new group. `group_by` becomes the mapping of every member's name to its group.

        Raises
        ------
        ParameterError
            Where a name is no member, file or group.
        """
        (loaded,) = self._pipeline.require("group")
        return self.configure(group_by=regrouped(loaded, groups))

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
        if not isinstance(other, SkyMatchSession):
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

    def exclude(self, *regions: Any) -> Self:
        """Make the pixels of sky regions bad, besides those of `exclude_regions` so far.

        Parameters
        ----------
        *regions
            Region files, DS9 text, objects of the package ``regions``, or arrays of vertices of a polygon, right
            ascension and declination in degrees, shape (n, 2).

        Raises
        ------
        ParameterError
            For anything else.
        """
        return self.configure(exclude_regions=[*(self.params.exclude_regions or ()), *regions])

    def include(self, *regions: Any) -> Self:
        """Make all pixels bad outside sky regions, given as in `exclude`, and those of `include_regions` so far.

        Raises
        ------
        ParameterError
            As `exclude`.
        """
        return self.configure(include_regions=[*(self.params.include_regions or ()), *regions])

    def clear_regions(self) -> Self:
        """Forget all regions."""
        return self.configure(exclude_regions=None, include_regions=None)

    def status(self) -> pd.DataFrame:
        """State of every step: 'fresh', 'stale' (parameters or files changed since), 'not run' or 'not needed'."""
        rows = [
            {
                "step": stage,
                "result": name,
                "what": STEPS[name].summary,
                "state": self._pipeline.state(stage, name),
                "seconds": self._pipeline.seconds.get(name, float("nan")),
            }
            for stage, names in STAGES.items()
            for name in names
        ]
        return pd.DataFrame(rows).set_index(["step", "result"])

    @property
    def notes(self) -> tuple[str, ...]:
        """What the fresh results warn of."""
        found = (note for result in self._pipeline.fresh().values() for note in result.notes)
        return tuple(dict.fromkeys(found))

    def fresh_result(self, name: str) -> Result | None:
        """Result of a step where it is fresh, else None; nothing is computed."""
        return self._pipeline.fresh().get(name)

    # -- geometry -----------------------------------------------------------------------------

    def outline(self, name: str) -> Any:
        """Outline of a member or a group as a `spherical_geometry.polygon.SphericalPolygon`.

        A group's outline is the union of its members.

        Raises
        ------
        InputError
            Where no member or group has that name.
        """
        loaded, footprints = self._pipeline.require("group", "footprint")
        chosen = [k for k, m in enumerate(loaded.members) if name in (m.name, m.group)]
        if not chosen:
            raise InputError(f"{name!r} is no member and no group")
        outlines = [footprints.outlines[k] for k in chosen]
        return to_spherical_polygon(union_polygons(outlines) if len(chosen) > 1 else [outline_polygon(outlines[0])])

    def mosaic_outline(self) -> Any:
        """Union of all members as a `spherical_geometry.polygon.SphericalPolygon`.

        A region with a hole is given as pieces without one, cut through the hole.
        """
        (footprints,) = self._pipeline.require("footprint")
        return to_spherical_polygon(union_polygons(footprints.outlines))

    # -- showing -------------------------------------------------------------------------------------------

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

    def __repr__(self) -> str:
        return session_text(self._summary())

    def _repr_html_(self) -> str:
        return session_html(self._summary())

    # -- inside --------------------------------------------------------------------------------------------

    @property
    def _given(self) -> Given:
        return self._pipeline.given

    def _paths(self) -> dict[str, str]:
        """Path of every file by the name that its members have it by."""
        (loaded,) = self._pipeline.require("load")
        return {m.file: m.path for m in loaded.members if m.path}

    def _summary(self) -> SessionSummary:
        fresh = self._pipeline.fresh()
        keys: dict[str, str] = {}
        stages = {stage: self._pipeline.stage_state(stage, keys) for stage in STAGES}
        counts = {}
        if loaded := fresh.get("group"):
            counts["load"] = f"{number_of(len(loaded), 'member')} in {number_of(len(loaded.groups), 'group')}"
        if masks := fresh.get("mask"):
            counts["mask"] = mask_words(masks, fresh.get("count"))
        if (overlaps := fresh.get("overlap")) is not None:
            counts["footprints"] = number_of(len(overlaps), "overlap")
        if (solution := fresh.get("solve")) and self.params.skymethod not in LOCAL_METHODS:
            sets = int(solution.component.max(initial=-1)) + 1
            counts["solve"] = f"{number_of(len(fresh['pair'].pairs), 'pair')} in {number_of(sets, 'connected set')}"
        if solution and (written := self._written.get(solution.key)):
            counts["apply"] = f"written to {number_of(len(set(written.paths) or set(self._given.specs)), 'file')}"
        elif "apply" in fresh:
            counts["apply"] = "a report, nothing is written"
        files = tuple(str(s.path) if isinstance(s, ImageSpec) else s.name for s in self._given.specs)
        return SessionSummary(files, stages, counts, self.params, self.notes)

    def _check_log(self, params: SkyMatchParams) -> None:
        """Raise `ParameterError` where a log cannot be written, or would be written into an input."""
        if params.logfile is None:
            return
        path = Path(params.logfile)
        check_folder(path)
        if path.is_dir() or path.absolute() in [s.path for s in self._given.specs if isinstance(s, ImageSpec)]:
            raise ParameterError(f"parameter logfile={params.logfile!r}: that is a folder or one of the inputs")

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_watchers": [], "_means": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._pipeline.call_when_solved(self._solved)

    def _stamp(self) -> None:
        """Take note of the files as they are now."""
        contents = [file_content(s) if isinstance(s, ImageSpec) else s.content() for s in self._given.specs]
        self._stamps = {s.path: file_stamp(s.path) for s in self._given.specs if isinstance(s, ImageSpec)}
        masks, dq = (copied(given) for given in self._own)
        self._beside = {path: file_stamp(path) for path in files_beside(self._given.specs, masks, dq)}
        self._pipeline.given = Given(
            self._given.specs, make_key(contents), masks, dq, make_key(contents_of(masks), contents_of(dq))
        )

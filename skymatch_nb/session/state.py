"""What a session works on: its inputs and parameters, and the pipeline that makes results of them."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from skymatch_nb.errors import ParameterError, SkyMatchError
from skymatch_nb.executor import Progress, available_cores
from skymatch_nb.io.inputs import ImageSpec, Input, Spec, resolve_inputs
from skymatch_nb.io.recovery import interrupted, warn_of
from skymatch_nb.io.stamps import file_stamp
from skymatch_nb.io.writer import recover
from skymatch_nb.params import SkyMatchParams
from skymatch_nb.pipeline import Pipeline
from skymatch_nb.report import check_folder
from skymatch_nb.results import Applied, make_key
from skymatch_nb.session.given import contents_of, copied, file_content, files_beside, with_full_paths
from skymatch_nb.steps.group import regrouped
from skymatch_nb.steps.registry import Given


class SessionState:
    """Inputs and parameters of a session; all its other parts build on it."""

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

    def close(self) -> None:
        """End the local cluster that ``executor='dask'`` made; a session that works again makes another."""
        self._pipeline.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def _given(self) -> Given:
        return self._pipeline.given

    def _solved(self) -> None:
        """Whenever a solution was asked for."""

    def _tell_watchers(self) -> None:
        for changed in self._watchers:
            changed()

    def _check_log(self, params: SkyMatchParams) -> None:
        """Raise `ParameterError` where a log cannot be written, or would be written into an input."""
        if params.logfile is None:
            return
        path = Path(params.logfile)
        check_folder(path)
        if path.is_dir() or path.absolute() in [s.path for s in self._given.specs if isinstance(s, ImageSpec)]:
            raise ParameterError(f"parameter logfile={params.logfile!r}: that is a folder or one of the inputs")

    def _stamp(self) -> None:
        """Take note of the files as they are now."""
        contents = [file_content(s) if isinstance(s, ImageSpec) else s.content() for s in self._given.specs]
        self._stamps = {s.path: file_stamp(s.path) for s in self._given.specs if isinstance(s, ImageSpec)}
        masks, dq = (copied(given) for given in self._own)
        self._beside = {path: file_stamp(path) for path in files_beside(self._given.specs, masks, dq)}
        self._pipeline.given = Given(
            self._given.specs, make_key(contents), masks, dq, make_key(contents_of(masks), contents_of(dq))
        )

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_watchers": []}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._pipeline.call_when_solved(self._solved)

"""Fresh results, made when they are asked for: the steps of the registry over one set of inputs and parameters."""

import sys
import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any
from weakref import WeakMethod

from skymatch_nb.cluster import DaskCluster
from skymatch_nb.errors import SkyMatchWarning
from skymatch_nb.executor import Progress, Work
from skymatch_nb.params import SkyMatchParams
from skymatch_nb.params.executors import format_executor
from skymatch_nb.progress import progress_bar
from skymatch_nb.results import Result
from skymatch_nb.steps.registry import STEPS, Call, Given, Keys

STAGES = {
    "load": ("header", "units", "load", "group"),
    "mask": ("flags", "sources", "mask", "count"),
    "footprints": ("footprint", "overlap"),
    "solve": (
        "sample_overlaps",
        "sample_members",
        "align",
        "difference_samples",
        "measure_overlaps",
        "measure_members",
        "measure_differences",
        "coverage",
        "compare",
        "pair",
        "solve",
    ),
    "apply": ("plan", "apply"),
}
"""The steps as a user sees them, and the results that each stands for, the main one last."""

_PACKAGE = str(Path(__file__).parent)


class Pipeline:
    """Results of the steps, each remade only where its key tells that it is no longer what it would be.

    Parameters
    ----------
    given, params
        What the results are made from; both may be replaced at any time, which computes nothing.
    workers, progress
        How to run steps; see `skymatch_nb.executor.Work`.
    solved
        Method that is called whenever a solution was asked for, made anew or not.

    Attributes
    ----------
    running
        Name of the step that runs now, None for none.
    warn
        Called with the notes of every result that is made; it gives them as warnings.
    """

    def __init__(
        self,
        given: Given,
        params: SkyMatchParams,
        workers: int,
        progress: Progress | None = None,
        solved: Callable[[], None] | None = None,
    ) -> None:
        self.given, self.params = given, params
        self.workers, self.progress = workers, progress
        self.call_when_solved(solved)
        self.results: dict[str, Result] = {}
        self.seconds: dict[str, float] = {}
        self._keys = Keys()
        self.lock = threading.RLock()
        self.warn: Callable[[str], None] = warn_caller
        self.running: str | None = None
        self._cluster: tuple[Any, DaskCluster] | None = None
        self._told_of_stayed = False

    def call_when_solved(self, method: Callable[[], None] | None) -> None:
        """Have a method called whenever a solution was asked for, without keeping its object.

        Pixels of a session are freed as soon as nobody has it any more, not when a garbage collector finds it.
        """
        self._solved: Callable[[], Callable[[], None] | None] = (lambda: None) if method is None else WeakMethod(method)

    def fork(self, params: SkyMatchParams) -> "Pipeline":
        """Return one with other parameters that starts from the same results; what it makes stays its own."""
        other = Pipeline(self.given, params, self.workers, self.progress)
        other._cluster = self._cluster
        with self.lock:
            other.results, other.seconds = dict(self.results), dict(self.seconds)
        return other

    def require(self, *names: str) -> tuple[Any, ...]:
        """Fresh results of steps, computed where they are not.

        Where all are fresh nobody waits for a step that another thread runs.
        """
        fresh = self.fresh() if "solve" not in names and self.running is not None else {}
        if all(name in fresh for name in names):
            return tuple(fresh[name] for name in names)
        with self.lock:
            keys: dict[str, str] = {}
            made = tuple(self._make(name, self.given, self.params, keys) for name in names)
            if "solve" in names and (solved := self._solved()) is not None:
                solved()
            return made

    def fresh(self) -> dict[str, Any]:
        """Results that are fresh, by step; nothing is computed."""
        keys: dict[str, str] = {}
        return {
            name: result
            for name, result in list(self.results.items())
            if result.key == self._keys.current(name, self.given, self.params, keys)
        }

    def wanted(self, stage: str) -> tuple[str, ...]:
        """Results that a stage makes with the present parameters; counting pixels is left to those who ask."""
        needed: set[str] = set()
        todo = ["solve"]
        while todo:
            name = todo.pop()
            needed.add(name)
            todo += STEPS[name].needs(self.params)
        optional = {"count"} | ({"sources", *STAGES["solve"]} - needed)
        return tuple(name for name in STAGES[stage] if name not in optional)

    def state(self, stage: str, name: str, keys: dict[str, str] | None = None) -> str:
        """State of a result: 'fresh', 'stale', 'not run' or 'not needed'; ``keys`` keeps those that are computed."""
        result = self.results.get(name)
        if result is None:
            return "not run" if name in self.wanted(stage) or name == "count" else "not needed"
        return "fresh" if result.key == self._keys.current(name, self.given, self.params, keys) else "stale"

    def stage_state(self, stage: str, keys: dict[str, str] | None = None) -> str:
        """State of a stage from those of its results: it has run where its main result, the last, has."""
        states = [self.state(stage, name, keys) for name in self.wanted(stage)]
        if states[-1] == "not run":
            return "not run"
        return next((state for state in ("stale", "not run") if state in states), "fresh")

    def _make(self, name: str, given: Given, params: SkyMatchParams, keys: dict[str, str]) -> Result:
        key = self._keys.current(name, given, params, keys)
        result = self.results.get(name)
        if result is not None and result.key == key:
            return result
        step = STEPS[name]
        upstream = {need: self._make(need, given, params, keys) for need in step.needs(params)}
        started, self.running = time.perf_counter(), name
        try:
            with progress_bar(self.progress, shown=params.verbose) as progress:
                result = step.run(Call(key, upstream, given, params, self._work(params, progress)))
        finally:
            self.running = None
        self.seconds[name] = time.perf_counter() - started
        self.results[name] = result
        for note in result.notes:
            self.warn(note)
        return result

    def close(self) -> None:
        """End the local cluster that was made for 'dask'; another is made when it is needed."""
        if self._cluster is not None:
            self._cluster[1].close()
            self._cluster = None

    def _work(self, params: SkyMatchParams, progress: Progress | None) -> Work:
        """How to run a step with the present executor."""
        if self._cluster is not None and self._cluster[0] is not params.executor:
            self.close()
        if params.executor == "threads":
            return Work(self.workers, progress)
        if self._cluster is None:
            given = None if params.executor == "dask" else params.executor
            self._cluster = (params.executor, DaskCluster(given, self.workers))
        return Work(self.workers, progress, self._cluster[1], self._tell_of_stayed)

    def _tell_of_stayed(self, count: int) -> None:
        """Say once that something is not sent to workers."""
        if not self._told_of_stayed:
            self._told_of_stayed = True
            self.warn(f"executor: {count} images, or masks of images, are in memory: this process works on them")

    def __getstate__(self) -> dict[str, Any]:
        left_out = ("lock", "progress", "_solved", "warn", "_keys", "_cluster")
        kept = {name: value for name, value in self.__dict__.items() if name not in left_out}
        return kept | {"params": self.params.changed(executor=format_executor(self.params.executor))}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _keys=Keys(), _cluster=None)
        self.__dict__.update(lock=threading.RLock(), progress=None, warn=warn_caller)
        self.call_when_solved(None)


def warn_caller(note: str) -> None:
    """Give a `SkyMatchWarning` that names the line of the caller's code."""
    warnings.warn(note, SkyMatchWarning, stacklevel=_calls_inside())


def _calls_inside() -> int:
    """Stack level of the caller's code: how many calls, from here on, are within the package."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame, level = frame.f_back, level + 1
    return level

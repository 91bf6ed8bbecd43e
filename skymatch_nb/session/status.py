"""How far a session is: states of its steps, its results in a few words, and what they warn of."""

import pandas as pd

from skymatch_nb.io.inputs import ImageSpec
from skymatch_nb.pipeline import STAGES
from skymatch_nb.report import SessionSummary, mask_words, number_of, session_html, session_text
from skymatch_nb.results import Result
from skymatch_nb.session.state import SessionState
from skymatch_nb.steps.registry import LOCAL_METHODS, STEPS


class SessionStatus(SessionState):
    """State of a session; nothing is computed."""

    def stages(self) -> tuple[dict[str, str], dict[str, str]]:
        """State of every step ('fresh', 'stale' or 'not run'), and its result in a few words where there is one."""
        summary = self._summary()
        return dict(summary.stages), dict(summary.counts)

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

    def __repr__(self) -> str:
        return session_text(self._summary())

    def _repr_html_(self) -> str:
        return session_html(self._summary())

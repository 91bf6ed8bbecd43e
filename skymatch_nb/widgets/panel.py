"""The panel: parameters and steps on the left, views on the right, one session behind."""

import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from skymatch_nb.errors import ParameterError, SkyMatchError
from skymatch_nb.io.inputs import ImageSpec
from skymatch_nb.pipeline import STAGES
from skymatch_nb.widgets.applybox import ApplyBox
from skymatch_nb.widgets.chooser import InputChooser
from skymatch_nb.widgets.exports import Exports
from skymatch_nb.widgets.fallback import panel_html
from skymatch_nb.widgets.form import ParameterForm
from skymatch_nb.widgets.guard import Guard, warnings_told
from skymatch_nb.widgets.keys import Keys
from skymatch_nb.widgets.lastgood import LastGood
from skymatch_nb.widgets.messages import Messages
from skymatch_nb.widgets.ranges import Ranges
from skymatch_nb.widgets.regionbox import RegionBox
from skymatch_nb.widgets.selectbox import SelectBox
from skymatch_nb.widgets.style import STYLE
from skymatch_nb.widgets.views import Views
from skymatch_nb.widgets.worker import CancelledError, Worker

if TYPE_CHECKING:
    from skymatch_nb.session import SkyMatchSession

STATE_MARKS = {"fresh": "✓", "stale": "↻", "not run": "○", "running": "…", "failed": "✗"}

MOST_COUNTED = 100_000_000
"""Pixels that are counted without being asked for."""

SOON = 1.5
"""Seconds for which a panel that is being shown waits for its first solution."""

TITLES = {"load": "Load", "mask": "Mask", "footprints": "Footprints", "solve": "Solve", "apply": "Apply"}


class Panel(widgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """All of a session as one widget.

    Parameters
    ----------
    session
        The session; what code does to it shows here, and the other way round.
    run
        Whether to solve at once.

    Attributes
    ----------
    form, views, worker, messages
        Its parts.
    """

    def __init__(self, session: "SkyMatchSession", run: bool = True) -> None:
        self.session = session
        self.messages = Messages()
        self.worker = Worker(self._failed, self._progressed, self._busy)
        self._running = ""
        self._is_busy = self._cancelling = False
        self._states: dict[str, tuple[str, str]] = {}
        self._guard = Guard(self._refused, self.messages.clear_refused)
        self.form = ParameterForm(session.params, self._parameter_changed, self._show_titles)
        self._regions = RegionBox(session, self._guard)
        self.views = Views(session, self._regions.drew, self._regions.took, self.worker.request, self._guard)
        self._ranges = Ranges(self.form, session)
        self._failed_stage = ""
        self._apply = ApplyBox(session, self._guard, self._files_changed)
        self._chooser = InputChooser(_input_text(session), _input_folder(session), self._load, self._guard)
        self._select = SelectBox(session, self.views.selected, self._guard)
        self._exports = Exports(session, self._guard, self.messages.say)
        self._shown = LastGood(session)
        self._steps = self._make_steps()
        self._cancel = widgets.Button(description="Cancel", icon="stop", tooltip="Stop what runs", disabled=True)
        keys = Keys(layout={"display": "none"})
        super().__init__([widgets.HTML(STYLE), self._head(), self.messages.box, self._body(), keys])
        self.add_class("skymatch-panel")
        session.watch(self._session_changed)
        self._show_state()
        if run:
            self.solve()

    # -- what users do -------------------------------------------------------------------------------------

    def solve(self, until: str = "solve") -> None:
        """Run the steps up to one in the background, and show what they give."""

        def task() -> None:
            started = time.perf_counter()
            with self.session.reporting(self.worker.progress), warnings_told(self.messages.warn_also):
                self.session.run(until)
            self._done(until, time.perf_counter() - started)
            if until in ("mask", "solve"):
                self.worker.offer(self._count)

        self.worker.request(task)

    def cancel(self) -> None:
        """Stop what runs; the results that there are stay."""
        if self.worker.cancel() and self._is_busy:
            self._cancel.disabled = self._cancelling = True
            self.messages.say("cancelling ...")

    # -- inside --------------------------------------------------------------------------------------------

    def _repr_mimebundle_(self, **options: Any) -> Any:
        """Widget, and what it shows as plain HTML for where there is no kernel: saved notebooks and pages made of them.

        Where the solution comes soon it is waited for, so that it is part of that.
        """
        self.worker.wait(SOON)
        bundle = super()._repr_mimebundle_(**options)
        return {**bundle, "text/plain": repr(self.session), "text/html": panel_html(self.session)}

    def _busy(self, busy: bool) -> None:
        """Let users cancel only while there is something to cancel, and show what is stale meanwhile."""
        self._cancel.disabled = not busy
        self._is_busy = busy
        if not busy:
            self._running = ""
        if self._cancelling and not busy:  # it came to its end, and had nothing to tell
            self._cancelling = False
            self.messages.finish("done before it could be cancelled")
        self._show_state()

    def _progressed(self, done: int, total: int, message: str) -> None:
        """Show how far a step has come, and what is done when another one begins."""
        self.messages.progress(done, total, message)
        if message != self._running:
            self._running = message
            self._show_state()

    def _count(self) -> None:
        """Count bad pixels, where that is soon done, for the result of the mask."""
        session = self.session
        loaded: Any = session.fresh_result("load")
        if loaded is None or session.fresh_result("mask") is None or session.fresh_result("count") is not None:
            return
        if sum(m.shape[0] * m.shape[1] for m in loaded.members) <= MOST_COUNTED:
            session.masks  # noqa: B018  its table needs them counted
            self._show_state()

    def _parameter_changed(self, name: str, value: Any) -> None:
        """A user gave a control a value; what was typed is shown as it was understood."""
        before = getattr(self.session.params, name)
        self.form.took(name, value)
        try:
            self.session.configure(**{name: value})
        except ParameterError:
            self.form.took(name, before)  # other changes leave the control with what was typed
            raise
        self.form.show(self.session.params)

    def _session_changed(self) -> None:
        """Parameters or inputs were changed, here or by code."""
        self.form.show(self.session.params)
        self._apply.refresh()
        self._select.refresh()
        self._regions.refresh()
        self._guard.handler(self.views.show_regions)()
        if self._live.value:
            self.solve()  # its end shows the states; what is stale for a moment is not worth a message
        else:
            self._show_state()

    def _load(self, text: str) -> None:
        self.messages.forget_warnings()
        self._guard.attempt(lambda: self.session.set_inputs(text))

    def _files_changed(self, text: str) -> None:
        self.messages.say(text)
        self._show_state()

    def _done(self, until: str, seconds: float) -> None:
        """Show the results of steps that ran."""
        self._failed_stage = self._running = ""
        self._cancelling = False
        self.messages.clear_error()
        if until in ("solve", "apply"):
            self.form.forgive()
        self.messages.warn(self.session.notes)
        self.messages.finish(f"{TITLES[until].lower()}: done in {_duration(seconds)}")
        self.views.refresh()
        self._shown.renewed()
        self._select.refresh()
        self._show_state()
        self._ranges.update()

    def _failed(self, error: BaseException) -> None:
        """Show why a task ended."""
        self._running = ""
        self._cancelling = False
        if isinstance(error, CancelledError):
            self.messages.finish("cancelled")
            self._cancel.disabled = not self._is_busy  # what was asked for meanwhile can be cancelled too
        else:
            self.messages.finish("failed")
            self._failed_stage = _stage_of(self.session)
            self.messages.fail(self._told(error))
        self._show_state()

    def _refused(self, error: BaseException) -> None:
        """Show why something that a user did was not done."""
        self.messages.refuse(self._told(error))

    def _told(self, error: BaseException) -> str:
        """Return an error in words; those of a parameter are shown beside its control too."""
        if isinstance(error, ParameterError):
            self._explain(error)
        if isinstance(error, SkyMatchError | OSError):
            return str(error)
        place = traceback.extract_tb(error.__traceback__)[-1]  # a fault of ours: say where, so that it can be told
        return f"{type(error).__name__}: {error} ({Path(place.filename).name}, line {place.lineno})"

    def _explain(self, error: ParameterError) -> None:
        """Show an error beside the control of the parameter that it names."""
        for name, control in self.form.controls.items():
            if f"parameter {name}" in str(error):
                control.explain(str(error))

    def _show_state(self) -> None:
        """Show every step's state and result in its title."""
        states, counts = self.session.stages()
        runs = next((stage for stage in STAGES if states[stage] != "fresh"), "") if self._running else ""
        for stage in STAGES:
            state = "failed" if stage == self._failed_stage else "running" if stage == runs else states[stage]
            self._states[stage] = state, counts.get(stage, "")
        self._shown.tell(bool(self._running))
        self._show_titles()

    def _show_titles(self) -> None:
        """Put the states last shown, and what of the parameters is hidden in a folded step, into the steps' titles."""
        if not self._states:
            return
        titles = []
        for k, (stage, (state, count)) in enumerate(self._states.items()):
            bad, changed = ([m for m in self.form.marks(stage) if ("⚠" in m) == wanted] for wanted in (True, False))
            parts = [f"{STATE_MARKS[state]} {k + 1} {TITLES[stage]}", state, *bad, *filter(None, [count]), *changed]
            titles.append(" · ".join(parts))
        self._steps.titles = titles

    # -- building ------------------------------------------------------------------------------------------

    def _head(self) -> widgets.Widget:
        solve = widgets.Button(description="Solve", icon="play", button_style="primary", tooltip="Run what is needed")
        cancel = self._cancel
        solve.add_class("skymatch-solve")
        cancel.add_class("skymatch-cancel")
        solve.layout.width = cancel.layout.width = "110px"
        solve.on_click(self._guard.handler(lambda _: self.solve()))
        cancel.on_click(self._guard.handler(lambda _: self.cancel()))
        self._live = widgets.Checkbox(value=True, description="live", indent=False, layout={"width": "60px"})
        self._live.tooltip = "Solve again at every change"
        names = widgets.ToggleButton(description="<>", tooltip="Label parameters with their names in code")
        names.layout.width = "44px"
        names.add_class("skymatch-names")
        names.observe(self._guard.handler(lambda change: self.form.label_by_name(change["new"])), "value")
        row = widgets.HBox([solve, cancel, self._live, names, self.messages.bar])
        row.layout.flex_flow = "row wrap"
        row.layout.align_items = "center"
        return row

    def _body(self) -> widgets.Widget:
        left = widgets.VBox([self._steps, self._exports.widget])
        parts = [self._regions.widget, self._select.widget, self._shown.widget, self._regions.hint, self.views.widget]
        right = widgets.VBox(parts)
        left.add_class("skymatch-left")
        right.add_class("skymatch-right")
        body = widgets.Box([left, right])
        body.add_class("skymatch-body")
        return body

    def _make_steps(self) -> widgets.Accordion:
        extra: dict[str, widgets.Widget] = {"load": self._chooser.widget, "apply": self._apply.widget}
        children = []
        for stage in STAGES:
            parts = [self.form.sections[stage]]
            if stage in ("mask", "footprints"):
                parts.insert(0, self._run_button(stage))
            if stage in extra:
                parts.insert(0, extra[stage])
            children.append(widgets.VBox(parts))
        steps = widgets.Accordion(children, selected_index=list(STAGES).index("solve"))
        steps.add_class("skymatch-steps")
        return steps

    def _run_button(self, stage: str) -> widgets.Button:
        button = widgets.Button(description=f"Run to {TITLES[stage].lower()}", icon="play")
        button.on_click(self._guard.handler(lambda _: self.solve(stage)))
        return button


def _stage_of(session: "SkyMatchSession") -> str:
    """Stage of the step that did not come to an end."""
    states, _ = session.stages()
    return next((stage for stage, state in states.items() if state != "fresh"), "solve")


def _input_text(session: "SkyMatchSession") -> str:
    return ", ".join(str(s.path) if isinstance(s, ImageSpec) else s.name for s in session.inputs)


def _input_folder(session: "SkyMatchSession") -> Path:
    """Folder of the first input that is a file, else the working folder."""
    return next((s.path.parent for s in session.inputs if isinstance(s, ImageSpec)), Path.cwd())


def _duration(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"

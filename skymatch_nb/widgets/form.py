"""The form: every declared parameter as a control, by step, common ones first and advanced ones folded."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import ipywidgets as widgets

from skymatch_nb.params import ParamSpec, SkyMatchParams, specs
from skymatch_nb.report import number_of
from skymatch_nb.widgets.controls import Changed, Control, make_control

SECTIONS: dict[str, tuple[str, ...]] = {
    "load": ("load", "group", "units"),
    "mask": ("mask", "sources"),
    "footprints": ("footprint",),
    "solve": ("solve", "compare", "measure", "limits", "leave_out", "sample"),
    "apply": ("write", "apply", "convert", "run"),
}
"""Steps as a user sees them, and the steps of the declaration whose parameters belong to each."""


class ParameterForm:
    """Controls of all parameters.

    Parameters
    ----------
    params
        What they show at first.
    changed
        Called with the name and the value when a user changes one; a `ParameterError` is shown beside it.
    marked
        Called when what `marks` tells is something else.

    Attributes
    ----------
    controls
        By name of the parameter.
    sections
        The widget of each step.
    """

    def __init__(self, params: SkyMatchParams, changed: Changed, marked: Callable[[], None] = lambda: None) -> None:
        self.controls: dict[str, Control] = {spec.name: make_control(spec, changed) for spec in specs()}
        self._marked = marked
        self._folds: list[tuple[widgets.Accordion, list[Control]]] = []
        for control in self.controls.values():
            control.marked = self._show_marks
        self.sections = {name: self._section(steps) for name, steps in SECTIONS.items()}
        self.show(params)

    def show(self, params: SkyMatchParams) -> None:
        """Show parameters that were changed elsewhere; controls that show them already are left alone."""
        for name, control in self.controls.items():
            value = getattr(params, name)
            if value != getattr(self, "_shown", {}).get(name, control.spec.default):
                control.show(value)
        self._shown: dict[str, Any] = {name: getattr(params, name) for name in self.controls}

    def took(self, name: str, value: Any) -> None:
        """Note that a control shows a value by itself."""
        self._shown[name] = value

    def label_by_name(self, by_name: bool) -> None:
        """Label controls with the names in code, or in words."""
        for control in self.controls.values():
            control.label_by_name(by_name)

    def marks(self, stage: str) -> tuple[str, ...]:
        """What a folded step hides: how many bad values and changed ones, in words."""
        return _marks(self.controls[s.name] for s in specs() if s.step in SECTIONS[stage])

    def forgive(self) -> None:
        """Take back what was explained of values that were of use after all."""
        for control in self.controls.values():
            control.forgive()

    def _show_marks(self) -> None:
        for fold, controls in self._folds:
            fold.titles = [" · ".join(("more parameters", *_marks(controls)))]
        self._marked()

    def _section(self, steps: Sequence[str]) -> widgets.Widget:
        mine = sorted((s for s in specs() if s.step in steps), key=lambda s: steps.index(s.step))
        common = [self.controls[s.name].widget for s in mine if not s.advanced]
        advanced = [self.controls[s.name].widget for s in mine if s.advanced]
        if not advanced:
            return widgets.VBox(common)
        fold = widgets.Accordion([widgets.VBox(advanced)], titles=["more parameters"])
        self._folds.append((fold, [self.controls[s.name] for s in mine if s.advanced]))
        return widgets.VBox([*common, fold])


def _marks(controls: Iterable[Control]) -> tuple[str, ...]:
    states = [(control.is_bad, control.is_changed) for control in controls]
    bad, changed = (sum(column) for column in zip(*states, strict=True))
    told = f"⚠ {number_of(bad, 'bad value')}" if bad else "", f"{changed} changed" if changed else ""
    return tuple(filter(None, told))


def unplaced() -> list[ParamSpec]:
    """Parameters that no section of the form holds."""
    placed = {step for steps in SECTIONS.values() for step in steps}
    return [spec for spec in specs() if spec.step not in placed]

"""The form holds every parameter of the declaration, by step."""

import ipywidgets as widgets

from skymatch_nb.params import SkyMatchParams, specs
from skymatch_nb.widgets.form import SECTIONS, ParameterForm, unplaced

from .conftest import within


def names_in(widget):
    prefix = "skymatch-param-"
    return [c.removeprefix(prefix) for w in within(widget) for c in w._dom_classes if c.startswith(prefix)]


def test_every_parameter_is_in_one_section():
    form = ParameterForm(SkyMatchParams(), lambda *_: None)
    placed = [name for section in form.sections.values() for name in names_in(section)]
    assert sorted(placed) == sorted(s.name for s in specs())
    assert unplaced() == []
    for stage, steps in SECTIONS.items():
        assert {s.step for s in specs() if s.name in names_in(form.sections[stage])} <= set(steps)


def test_advanced_parameters_are_folded():
    form = ParameterForm(SkyMatchParams(), lambda *_: None)
    folds = [w for section in form.sections.values() for w in section.children if isinstance(w, widgets.Accordion)]
    folded = {name for fold in folds for name in names_in(fold)}
    assert all(fold.selected_index is None for fold in folds)
    assert folded == {s.name for s in specs() if s.advanced}


def test_it_shows_the_parameters_it_is_given():
    params = SkyMatchParams.checked({"lsigma": 2.5, "skystat": "mean", "dq_bits": 4, "lower": "-3 sigma"})
    form = ParameterForm(params, lambda *_: None)
    assert form.controls["lsigma"]._field.value == "2.5"
    assert form.controls["skystat"].input.value == "mean"
    assert form.controls["dq_bits"]._field.value == "4"
    assert form.controls["lower"]._field.value == "-3 sigma"


def test_names_of_code_for_all():
    form = ParameterForm(SkyMatchParams(), lambda *_: None)
    form.label_by_name(True)
    assert all(f"<code>{name}</code>" in c._label.value for name, c in form.controls.items())


def test_folded_steps_tell_of_bad_and_changed_values():
    told = []
    form = ParameterForm(SkyMatchParams(), lambda *_: None, lambda: told.append(form.marks("solve")))
    assert form.marks("solve") == ()
    form.controls["nclip"]._field.value = "2"
    form.controls["lsigma"]._field.value = "x"
    form.controls["usigma"]._field.value = "x"
    assert told[-1] == form.marks("solve") == ("⚠ 2 bad values", "1 changed")
    assert form.marks("load") == ()
    fold = next(w for w in form.sections["solve"].children if isinstance(w, widgets.Accordion))
    assert fold.titles == ("more parameters",)
    advanced = next(s.name for s in specs() if s.step in SECTIONS["solve"] and s.advanced and s.kind == "number")
    form.controls[advanced]._field.value = "x"
    assert fold.titles == ("more parameters · ⚠ 1 bad value",)
    form.controls[advanced].reset()
    assert fold.titles == ("more parameters",)

"""Controls: the right one for each kind, what a user gives is handed on once, and what is wrong is told beside it."""

from html import unescape

import ipywidgets as widgets
import pytest

from skymatch_nb.errors import ParameterError
from skymatch_nb.params import SkyMatchParams, specs
from skymatch_nb.params.specs import spec
from skymatch_nb.widgets.controls import in_words, make_control

from .conftest import within


def made(name, refuse=None):
    """A control, and what it handed on."""
    told = []

    def changed(name, value):
        told.append(value)
        if refuse is not None:
            raise refuse
        SkyMatchParams.checked({name: value})

    return make_control(spec(name), changed), told


KINDS = {
    "choice": {widgets.Dropdown},
    "flag": {widgets.Checkbox},
    "text": {widgets.Text},
    "mapping": {widgets.Text},
    "bits": {widgets.Text, widgets.Checkbox},
    "limit": {widgets.Checkbox, widgets.FloatSlider, widgets.Text, widgets.ToggleButtons},
    "number": {widgets.Text},
    "integer": {widgets.Text},
}


@pytest.mark.parametrize("parameter", specs(), ids=lambda s: s.name)
def test_every_parameter_has_the_widgets_of_its_kind(parameter):
    control = make_control(parameter, lambda *_: None)
    wanted = set(KINDS[parameter.kind])
    if parameter.kind in ("number", "integer"):
        wanted |= {widgets.IntSlider if parameter.kind == "integer" else widgets.FloatSlider} & (
            {widgets.IntSlider, widgets.FloatSlider} if parameter.usual else set()
        )
        wanted |= {widgets.Checkbox} if parameter.optional else set()
    parts = {type(w) for w in within(control.input)} - {widgets.HBox, widgets.VBox, widgets.Accordion}
    assert parts == wanted


@pytest.mark.parametrize("parameter", specs(), ids=lambda s: s.name)
def test_labels_tell_name_unit_meaning_and_default(parameter):
    control = make_control(parameter, lambda *_: None)
    label = next(w for w in within(control.widget) if "skymatch-label" in w._dom_classes)
    told = unescape(label.value)
    assert f">{in_words(parameter.name)}" in told
    assert f">{parameter.unit}<" in told or not parameter.unit
    assert parameter.help in told
    assert f"Default: {parameter.format(parameter.default)}." in told
    control.label_by_name(True)
    assert f"<code>{parameter.name}</code>" in label.value


def test_bounded_numbers_are_sliders_over_their_usual_range():
    for name in ("lsigma", "usigma", "nclip", "binwidth", "min_overlap_fraction", "mask_sources"):
        control, _ = made(name)
        slider = next(w for w in within(control.input) if isinstance(w, widgets.FloatSlider | widgets.IntSlider))
        assert (slider.min, slider.max, slider.step) == spec(name).usual


def test_a_slider_hands_on_once_and_the_field_follows():
    control, told = made("lsigma")
    control._slider.value = 2.5
    assert told == [2.5]
    assert control._field.value == "2.5"
    control._field.value = "17"
    assert told == [2.5, 17.0]
    assert control._slider.value == 10.0


def test_an_optional_number_is_switched_on_and_off():
    control, told = made("mask_sources")
    assert not control._on.value
    assert control._slider.disabled
    control._on.value = True
    assert told == [3.0]
    assert (control._field.value, control._slider.value, control._slider.disabled) == ("3.0", 3.0, False)
    control._slider.value = 4.5
    control._on.value = False
    assert told == [3.0, 4.5, None]
    assert control._field.value == ""
    control._on.value = True
    assert told[-1] == 4.5
    control._field.value = ""
    assert told[-1] is None
    assert not control._on.value
    control._field.value = "2"
    assert told[-1] == 2.0
    assert control._on.value


def test_a_slider_that_is_off_hands_nothing_on():
    control, told = made("mask_sources")
    control._slider.value = 5.0
    assert told == []


@pytest.mark.parametrize("name", ["lower", "upper"])
def test_limits_have_a_box_a_slider_and_two_units(name):
    control, told = made(name)
    control.set_range(10.0, 50.0)
    control._on.value = True
    assert told == [10.0]
    control._slider.value = 20.0
    control._in_sigma.value = "sigma"
    assert told[1:] == [20.0, "-5 sigma"]
    control._field.value = "-3 sigma"
    assert control._slider.value == -3.0
    control._on.value = False
    assert told[-1] is None
    assert control._slider.disabled


def test_bits_are_boxes_that_make_an_expression():
    control, told = made("dq_bits")
    control.set_flags([(4, "HOT, hot"), (8, "WARM, <b>warm</b>"), (16, "COLD, cold")], 0)
    boxes = dict(control._flags)
    assert [box.description for box in boxes.values()] == ["4: HOT, hot", "8: WARM, <b>warm</b>", "16: COLD, cold"]
    assert told == []
    boxes[4].value = True
    boxes[8].value = True
    assert told == [4, 12]
    assert control._field.value == "4+8"
    control._ignore.value = True
    assert told[-1] is None
    assert all(box.value and box.disabled for box in boxes.values())
    control._ignore.value = False
    assert told[-1] == 12
    assert [box.value for box in boxes.values()] == [True, True, False]


def test_an_empty_text_is_none_where_that_is_allowed():
    control, told = made("reference")
    control.input.value = "a.fits"
    control.input.value = "  "
    assert told == ["a.fits", None]


def test_an_optional_choice_offers_none():
    control, told = made("robust")
    assert control.input.options == ("none", "huber")
    control.input.value = "huber"
    control.input.value = "none"
    assert told == ["huber", None]


def test_values_from_elsewhere_are_not_handed_back():
    for parameter in specs():
        control, told = made(parameter.name)
        control.show(parameter.default)
        if parameter.kind == "number":
            control.show(0.5)
        assert told == []


def test_changes_are_marked_with_the_default_and_a_reset():
    control, told = made("lsigma")
    label = next(w for w in within(control.widget) if "skymatch-label" in w._dom_classes)
    assert control._reset.layout.visibility == "hidden"
    assert "skymatch-changed" not in label._dom_classes
    control._field.value = "2"
    assert control._reset.layout.visibility == "visible"
    assert "skymatch-changed" in label._dom_classes
    assert "default 4.0" in label.value
    control._reset.click()
    assert told == [2.0, 4.0]
    assert control._field.value == "4.0"
    assert control._reset.layout.visibility == "hidden"
    assert "default 4.0" not in label.value


def label_of(control):
    return next(w for w in within(control.widget) if "skymatch-label" in w._dom_classes)


def test_what_is_wrong_is_told_beside_the_control_and_the_value_stays():
    control, told = made("lsigma")
    control._field.value = "many"
    assert told == []
    assert "must be a valid number" in control._error.value
    assert control._field.value == "many"
    control._field.value = "-1"
    assert "greater than 0" in control._error.value
    assert control._field.value == "-1.0"
    control._field.value = "3"
    assert control._error.value == ""


@pytest.mark.parametrize(("name", "used", "bad"), [("lsigma", "2.5", "-1"), ("lsigma", "2.5", "x"),
                                                    ("lower", "-3 sigma", "low"), ("lower", "7.0", "low"),
                                                    ("binwidth", "0.5", "?")])  # fmt: skip
def test_a_value_that_is_refused_leaves_the_one_before_and_says_so(name, used, bad):
    control, told = made(name)
    control._field.value = used
    control._field.value = bad
    assert control._error.value.endswith(f"; {used} is still used")
    assert f"parameter {name}=" not in control._error.value
    assert (control.is_bad, control.is_changed) == (True, True)
    assert "skymatch-changed" not in label_of(control)._dom_classes
    assert "skymatch-bad" in label_of(control)._dom_classes
    assert control._reset.layout.visibility == "visible"
    count = len(told)
    control._reset.click()
    assert control._field.value == used
    assert len(told) == count  # it was used all the time
    assert control._error.value == ""
    assert "skymatch-changed" in label_of(control)._dom_classes
    control._reset.click()
    assert told[-1] == spec(name).default


def test_a_bad_value_where_the_default_is_used_can_be_taken_back():
    control, _ = made("nclip")
    control._field.value = "x"
    assert (control.is_bad, control.is_changed) == (True, False)
    assert control._error.value.endswith("; 5 is still used")
    assert control._reset.tooltip == "Back to 5, which is still used"
    control._reset.click()
    assert (control._field.value, control.is_bad, control._reset.layout.visibility) == ("5", False, "hidden")


def test_a_value_that_counts_though_a_step_fails_by_it_is_not_called_unused():
    control, _ = made("reference")
    control.input.value = "nobody"
    control.explain("parameter reference='nobody': no such exposure")
    assert "still used" not in control._error.value
    assert "skymatch-changed" in label_of(control)._dom_classes
    control.forgive()
    assert (control._error.value, control.is_bad, control.is_changed) == ("", False, True)


def test_marks_are_told_once_when_they_change():
    control, _ = made("lsigma")
    marks = []
    control.marked = lambda: marks.append((control.is_changed, control.is_bad))
    for text in ("2", "3", "x", "y", "3", "4"):
        control._field.value = text
    assert marks == [(True, False), (True, True), (True, False), (False, False)]


def test_the_label_of_a_limit_has_the_unit_of_its_value():
    control, _ = made("lower")
    assert ">data<" in label_of(control).value
    control._field.value = "-9.99 sigma"
    assert ">sigma<" in label_of(control).value
    control._field.value = "7"
    assert ">data<" in label_of(control).value


def test_refused_bits_stay_when_flags_are_told():
    control, _ = made("dq_bits")
    control._field.value = "4"
    control._field.value = "4+"
    assert control._error.value.endswith("; 4 is still used")
    control.set_flags([(4, "HOT"), (8, "WARM")], 4)
    assert (control._field.value, control.is_bad) == ("4+", True)
    control._reset.click()
    assert (control._field.value, control.is_bad) == ("4", False)


def test_changed_bits_do_not_look_as_at_their_default():
    control, _ = made("dq_bits")
    control._field.value = "4"
    assert "default: by instrument<" in label_of(control).value


def test_errors_are_escaped():
    control, _ = made("reference", ParameterError("parameter reference='<img src=x>': is no group"))
    control.input.value = "<img src=x>"
    assert "<img" not in control._error.value
    assert "is no group" in control._error.value


def test_faults_in_a_handler_are_told_too():
    control, _ = made("skymethod", RuntimeError("out of paper"))
    control.input.value = "match"
    assert "RuntimeError: out of paper" in control._error.value

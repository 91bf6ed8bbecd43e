"""Controls for parameters: one class for each kind of value, with a label, a unit, a reset and room for an error."""

from collections.abc import Callable, Sequence
from html import escape
from typing import Any

import ipywidgets as widgets

from skymatch_nb.errors import ParameterError
from skymatch_nb.params import ParamSpec
from skymatch_nb.params.limits import in_sigma

Changed = Callable[[str, Any], None]
"""Called with a parameter's name and the value that a user gave it; may raise `ParameterError`."""

NO_MARGIN = "0 2px"


class Control:
    """One parameter as a row of widgets.

    Parameters
    ----------
    spec
        The parameter.
    changed
        Called when a user changes it. An error that it raises is shown beside the control, with the value that is
        still used; what was typed stays.

    Attributes
    ----------
    widget
        The row.
    is_changed, is_bad
        Whether the value that counts is not the default, and whether something is wrong with what is shown.
    marked
        Called when either changes.
    """

    def __init__(self, spec: ParamSpec, changed: Changed) -> None:
        self.spec, self._changed = spec, changed
        self._quiet = self._by_name = False
        self._used, self._refused, self._label_shows = spec.default, False, ("", False)
        self.is_changed = self.is_bad = False
        self.marked: Callable[[], None] = lambda: None
        self._label = widgets.HTML()
        self._label.add_class("skymatch-label")
        self._error = widgets.HTML()
        self._error.add_class("skymatch-error")
        self._reset = widgets.Button(icon="undo", layout={"width": "38px"})
        self._reset.on_click(lambda _: self._guarded(self.reset))
        self.input = self._build()
        row = widgets.HBox([self._label, self.input, self._reset])
        row.add_class("skymatch-row")
        self.widget = widgets.VBox([row, self._error])
        self.widget.add_class("skymatch-control")
        self.widget.add_class(f"skymatch-param-{spec.name}")
        self.label_by_name(False)
        self.show(spec.default)

    def label_by_name(self, by_name: bool) -> None:
        """Label the control with the parameter's name in code, or in words."""
        self._by_name = by_name
        spec, (unit, changed) = self.spec, self._label_shows
        default = spec.format(spec.default)
        unit = f" <span class='skymatch-unit'>{escape(unit)}</span>" if unit else ""
        words = f"<code>{spec.name}</code>" if by_name else escape(in_words(spec.name))
        told = f"<div class='skymatch-default'>{escape(default_of(spec))}</div>" if changed else ""
        allowed = f" Allowed: {spec.allowed}." if spec.allowed else ""
        tip = f"{spec.name}: {spec.help}{allowed} Default: {default}."
        self._label.value = f"<span title='{escape(tip, quote=True)}'>{words}{unit}</span>{told}"

    def show(self, value: Any) -> None:
        """Show a value that came from elsewhere; nobody is told."""
        self._put_quietly(value)
        self._used = value
        self._say("")

    def reset(self) -> None:
        """Take back what was refused, else give the parameter its default, as if a user had."""
        if self._refused:
            self.show(self._used)
            return
        self.show(self.spec.default)
        self._tell(self.spec.default)

    def explain(self, text: str) -> None:
        """Show what is wrong with the value that counts."""
        self._say(text)

    def forgive(self) -> None:
        """Take back what was explained, as the value was of use after all."""
        if self.is_bad and not self._refused:
            self._say("")

    def _refuse(self, error: ParameterError) -> None:
        """Show what is wrong with what was typed, and what is still used."""
        text = str(error).removeprefix(f"parameter {self.spec.name}=")
        self._say(f"{text}; {self.spec.format(self._used)} is still used", refused=True)

    def _say(self, text: str, refused: bool = False) -> None:
        self._error.value, self._refused = escape(text), refused
        self._mark()

    def _tell(self, value: Any) -> None:
        """Hand on a value that a user gave."""
        if self._quiet:
            return
        before, self._used = self._used, value
        self._say("")
        try:
            self._changed(self.spec.name, value)
        except ParameterError as error:
            self._used = before
            self._refuse(error)

    def _listen(self, part: widgets.Widget, heard: Callable[[Any], None]) -> None:
        """Call a method with every value that a user gives a part of the control, and show what it raises."""
        part.observe(lambda change: None if self._quiet else self._guarded(lambda: heard(change["new"])), "value")

    def _guarded(self, do: Callable[[], None]) -> None:
        try:
            do()
        except Exception as error:  # nobody would see it: ipywidgets only logs what handlers raise
            self.explain(f"{type(error).__name__}: {error}")

    def _mark(self) -> None:
        """Mark what is wrong, or a value that is not the default with the default beside it; offer to take it back."""
        before = self.is_changed, self.is_bad
        self.is_changed, self.is_bad = self._used != self.spec.default, bool(self._error.value)
        shown = self.is_changed and not self._refused
        if self._label_shows != (self._unit(), shown):
            self._label_shows = self._unit(), shown
            self.label_by_name(self._by_name)
        self._reset.layout.visibility = "visible" if self.is_changed or self.is_bad else "hidden"
        back = f"{self.spec.format(self._used)}, which is still used" if self._refused else default_of(self.spec)
        self._reset.tooltip = f"Back to {back}"
        for name, wanted in (("changed", shown), ("bad", self.is_bad)):
            (self._label.add_class if wanted else self._label.remove_class)(f"skymatch-{name}")
        if (self.is_changed, self.is_bad) != before:
            self.marked()

    def _unit(self) -> str:
        """Unit of the value that counts."""
        return self.spec.unit

    def _put_quietly(self, value: Any) -> None:
        self._quiet = True
        try:
            self._put(value)
        finally:
            self._quiet = False

    def _build(self) -> widgets.Widget:
        raise NotImplementedError

    def _put(self, value: Any) -> None:
        raise NotImplementedError


class ChoiceControl(Control):
    """One of several values."""

    def _build(self) -> widgets.Widget:
        options = [*(["none"] if self.spec.optional else []), *self.spec.choices]
        chooser = widgets.Dropdown(options=options)
        self._listen(chooser, lambda value: self._tell(None if value == "none" else value))
        return chooser

    def _put(self, value: Any) -> None:
        self.input.value = "none" if value is None else self.spec.format(value)


class FlagControl(Control):
    """True or False."""

    def _build(self) -> widgets.Widget:
        box = widgets.Checkbox(indent=False, description="")
        self._listen(box, self._tell)
        return box

    def _put(self, value: Any) -> None:
        self.input.value = value


class NumberControl(Control):
    """A number: a slider over its usual range, and a field for any; a box turns one on that may be None."""

    def _build(self) -> widgets.Widget:
        self._on = self._slider = None
        self._last = self._first_number()
        self._field = widgets.Text(continuous_update=False, layout={"width": "80px"})
        self._listen(self._field, self._typed)
        parts = [self._field]
        if self.spec.usual is not None:
            self._slider = self._make_slider(*self.spec.usual)
            parts.insert(0, self._slider)
        if self.spec.optional:
            self._field.placeholder = "off"
            self._on = widgets.Checkbox(
                indent=False, description="", tooltip=f"Use {in_words(self.spec.name)}", layout={"width": "24px"}
            )
            self._listen(self._on, lambda on: self._both(self._last if on else None))
            parts.insert(0, self._on)
        return widgets.HBox(parts)

    def _make_slider(self, low: float, high: float, step: float) -> widgets.Widget:
        kind = int if self.spec.kind == "integer" else float
        make = widgets.IntSlider if kind is int else widgets.FloatSlider
        width = "118px" if self.spec.optional else "150px"
        slider = make(
            min=kind(low), max=kind(high), step=kind(step), continuous_update=False, readout=False,
            layout={"width": width},
        )  # fmt: skip
        self._listen(slider, self._slid)
        return slider

    def _first_number(self) -> Any:
        """Number that the box turns on before there was any."""
        start = next((n for n in (self.spec.default, self.spec.start, self.spec.minimum) if n is not None), 0)
        return int(start) if self.spec.kind == "integer" else float(start)

    def _put(self, value: Any) -> None:
        self._field.value = "" if value is None else self.spec.format(value)
        if self._on is not None:
            self._on.value = value is not None
        if value is not None:
            self._last = value
        if self._slider is not None:
            self._slider.disabled = value is None
            self._slider.value = min(max(self._last, self._slider.min), self._slider.max)

    def _typed(self, text: str) -> None:
        if self.spec.optional and not text.strip():
            self._both(None)
            return
        try:
            value = self.spec.parse(text)
        except ParameterError as error:
            self._refuse(error)
            return
        self._both(value)

    def _slid(self, value: float) -> None:
        if self._on is None or self._on.value:  # the page may send a value back for a slider that is off
            self._both(round(value, 10) if isinstance(value, float) else value)

    def _both(self, value: Any) -> None:
        """Let all parts show the same, and hand it on once."""
        self._put_quietly(value)
        self._tell(value)


class LimitControl(Control):
    """No limit, one in data units, or one in sigma; as text where members have limits of their own."""

    def _build(self) -> widgets.Widget:
        self._on = widgets.Checkbox(indent=False, description="", tooltip="Use a limit", layout={"width": "24px"})
        self._slider = widgets.FloatSlider(
            readout=False, continuous_update=False, layout={"width": "102px"}, min=-10, max=10, step=0.1
        )
        self._field = widgets.Text(continuous_update=False, placeholder="off", layout={"width": "96px"})
        self._in_sigma = widgets.ToggleButtons(options=["data", "sigma"], style={"button_width": "62px"})
        self._range = (0.0, 1.0)
        self._listen(self._on, self._switched)
        self._listen(self._slider, self._moved)
        self._listen(self._field, self._typed)
        self._listen(self._in_sigma, self._other_unit)
        return widgets.VBox([widgets.HBox([self._on, self._slider, self._field]), self._in_sigma])

    def _unit(self) -> str:
        return "sigma" if isinstance(self._used, str) and in_sigma(self._used) is not None else self.spec.unit

    def set_range(self, low: float, high: float) -> None:
        """Set the range of data units that the slider covers."""
        if high > low and (low, high) != self._range:
            self._range = (low, high)
            self._quiet = True
            try:
                self._scale(self._in_sigma.value)
            finally:
                self._quiet = False

    def _put(self, value: Any) -> None:
        self._on.value = value is not None
        for part in (self._slider, self._field, self._in_sigma):
            part.disabled = value is None
        if value is None:
            self._field.value = ""
            return
        self._field.value = self.spec.format(value)
        sigma = in_sigma(value) if isinstance(value, str) else None
        self._in_sigma.value = "data" if sigma is None else "sigma"
        self._slider.disabled = isinstance(value, dict)
        if not isinstance(value, dict):
            self._scale(self._in_sigma.value)
            number = float(value) if sigma is None else sigma
            self._slider.value = min(max(number, self._slider.min), self._slider.max)

    def _scale(self, unit: str) -> None:
        low, high = (-10.0, 10.0) if unit == "sigma" else self._range
        if low > self._slider.max:
            self._slider.max, self._slider.min = high, low
        else:
            self._slider.min, self._slider.max = low, high
        self._slider.step = (high - low) / 200

    def _switched(self, on: bool) -> None:
        self._give(self._text_of(self._slider.value) if on else None)

    def _moved(self, number: float) -> None:
        if self._on.value:  # the page sends a value back where the range of a slider that is off changes
            self._give(self._text_of(number))

    def _other_unit(self, unit: str) -> None:
        if not self._on.value:
            return
        low, high = (-10.0, 10.0) if unit == "sigma" else self._range
        share = (self._slider.value - self._slider.min) / (self._slider.max - self._slider.min)
        number = low + share * (high - low)
        self._give(f"{number:.3g} sigma" if unit == "sigma" else float(f"{number:.6g}"))

    def _text_of(self, number: float) -> Any:
        return f"{number:.3g} sigma" if self._in_sigma.value == "sigma" else float(f"{number:.6g}")

    def _typed(self, text: str) -> None:
        if not text.strip():
            self._give(None)
            return
        try:
            self._give(self.spec.parse(text))
        except ParameterError as error:
            self._refuse(error)

    def _give(self, value: Any) -> None:
        if self._quiet:
            return
        self._quiet = True
        try:
            if not isinstance(value, str) or in_sigma(value) is not None:
                self._put(value)
        finally:
            self._quiet = False
        self._tell(value)


class BitsControl(Control):
    """Data quality flags that are good: boxes for the flags that are known, and the expression they make."""

    def _build(self) -> widgets.Widget:
        self._field = widgets.Text(continuous_update=False, layout={"width": "150px"})
        self._listen(self._field, self._tell)
        self._ignore = widgets.Checkbox(
            description="ignore data quality", indent=False, tooltip="Every flagged pixel is good (None)"
        )
        self._ignore.layout.width = "auto"
        self._listen(self._ignore, self._ignored)
        self._before: Any = self.spec.default
        self._boxes = widgets.VBox([])
        self._boxes.add_class("skymatch-flags")
        self._flags: list[tuple[int, widgets.Checkbox]] = []
        self._good_bits = 0
        self._fold = widgets.Accordion([self._boxes], titles=["flags that are good"])
        self._fold.layout.display = "none"
        return widgets.VBox([self._field, self._fold, self._ignore])

    def set_flags(self, meanings: Sequence[tuple[int, str]], good_bits: int) -> None:
        """Offer flags, as bits and their meanings, as boxes to check; ``good_bits`` are those that are good now."""
        self._good_bits = good_bits
        if [bit for bit, _ in self._flags] == [bit for bit, _ in meanings]:
            self._show_flags()
            return
        self._flags = [
            (bit, widgets.Checkbox(description=f"{bit}: {meaning}", indent=False, layout={"width": "auto"}))
            for bit, meaning in meanings
        ]
        for _, box in self._flags:
            self._listen(box, lambda _on: self._checked())
        self._boxes.children = [box for _, box in self._flags]
        self._fold.layout.display = "" if self._flags else "none"
        self._show_flags()

    def _show_flags(self) -> None:
        """Check the boxes of flags that are good, and leave what was typed and refused."""
        if not self._refused:
            self._put_quietly(self._used)

    def _put(self, value: Any) -> None:
        self._before = self._before if value is None else value
        self._field.value = self.spec.format(value)
        self._ignore.value = value is None
        for bit, box in self._flags:
            box.disabled = value is None
            good = value if isinstance(value, int) else self._good_bits
            box.value = value is None or bool(good & bit)

    def _checked(self) -> None:
        self._give(sum(bit for bit, box in self._flags if box.value))

    def _ignored(self, ignored: bool) -> None:
        self._give(None if ignored else self._before)

    def _give(self, value: Any) -> None:
        self._put_quietly(value)
        self._tell(value)


class TextControl(Control):
    """A text; an empty one is None where that is allowed."""

    def _build(self) -> widgets.Widget:
        field = widgets.Text(continuous_update=False, layout={"width": "240px"})
        field.placeholder = "none" if self.spec.optional else ""
        self._listen(field, self._typed)
        return field

    def _put(self, value: Any) -> None:
        self.input.value = "" if value is None else self.spec.format(value)

    def _typed(self, text: str) -> None:
        try:
            self._tell(None if self.spec.optional and not text.strip() else self.spec.parse(text))
        except ParameterError as error:
            self._refuse(error)


_BY_KIND: dict[str, type[Control]] = {
    "choice": ChoiceControl,
    "flag": FlagControl,
    "integer": NumberControl,
    "number": NumberControl,
    "limit": LimitControl,
    "bits": BitsControl,
}


def make_control(spec: ParamSpec, changed: Changed) -> Control:
    """Return the control for a parameter's kind; kinds without one of their own are edited as text."""
    return _BY_KIND.get(spec.kind, TextControl)(spec, changed)


def default_of(spec: ParamSpec) -> str:
    """The default in words: 'default 4.0', and where it is called 'default' what that is."""
    text = spec.format(spec.default)
    return "default: by instrument" if text == "default" else f"default {text}"


def in_words(name: str) -> str:
    """Parameter's name as words: ``match_down`` is 'match down'."""
    return name.replace("_", " ")

"""What can be done with a selection: group, regroup, hold a sky, leave out."""

from html import escape
from math import isfinite
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from skymatch_nb.report import number_of
from skymatch_nb.widgets.guard import Guard
from skymatch_nb.widgets.selection import Selected, Selection

if TYPE_CHECKING:
    from skymatch_nb.session import SkyMatchSession


HINTS = {
    "exposure": "Nothing is selected. Chips of an exposure share a sky and are selected together.",
    "chip": "Nothing is selected. With group_by='chip' each chip has a sky of its own, and is selected by itself.",
    "group": "Nothing is selected. What shares a sky is selected together.",
}
"""What the box says while nothing is selected, by what groups are."""

MOST_NAMED = 4
"""Groups, and pairs, that are named."""


class SelectBox:
    """A line that names what is selected, and buttons for it.

    Parameters
    ----------
    session
        What is changed.
    selected
        The selection.
    guard
        Does things, and reports what they raise.
    """

    def __init__(self, session: "SkyMatchSession", selected: Selected, guard: Guard) -> None:
        self._session, self._selected, self._guard = session, selected, guard
        self._text = widgets.HTML()
        self._text.add_class("skymatch-selection")
        self._name = widgets.Text(placeholder="name of the group", layout={"width": "150px"})
        self._value = widgets.Text(layout={"width": "150px"})
        self._value.add_class("skymatch-sky-value")
        self._wrong = widgets.HTML(layout={"display": "none", "flex": "1 1 100%"})
        self._wrong.add_class("skymatch-error")
        self._value.observe(guard.handler(lambda _: self._explain("")), "value")
        self._filled, self._unit = "", "data units"
        self._filled_for = Selection()
        buttons = (
            ("One group", "Make one group of what is selected", self._group),
            ("Fix sky", "Hold the sky of what is selected at the value beside; empty: let it go", self._fix),
            ("Leave out", "Leave the selected exposures out of the match", self._exclude),
            ("Bring back", "Take all exposures in again", self._bring_back),
            ("Deselect", "Select nothing", lambda: self._selected.set(Selection())),
        )
        made = []
        for label, tooltip, do in buttons:
            button = widgets.Button(description=label, tooltip=tooltip, layout={"width": "auto"})
            button.add_class(f"skymatch-{label.lower().replace(' ', '-')}")
            button.on_click(guard.handler(lambda _, do=do: do()))
            made.append(button)
        group, fix, out, back, none = made
        self._of_groups, self._back, self._none = (group, fix, out), back, none
        self._row = widgets.HBox(
            [group, self._name, fix, self._value, self._wrong, out, back, none], layout={"flex_flow": "row wrap"}
        )
        self.widget = widgets.VBox([self._text, self._row])
        selected.watchers.append(self._show)
        self._show(selected.selection)

    def _show(self, selection: Selection) -> None:
        parts = [_told(number_of(len(selection.groups), self._noun), sorted(selection.groups))]
        parts += [_told(number_of(len(selection.pairs), "pair"), [f"{a} – {b}" for a, b in sorted(selection.pairs)])]
        text = "; ".join(filter(None, parts))
        self._text.value = f"<small>{f'<b>Selected:</b> {escape(text)}.' if text else HINTS[self._noun]}</small>"
        for button in self._of_groups:  # they stay where they are, so that the map below does
            button.disabled = not selection.groups
        self._back.disabled = not self._session.params.leave_out
        self._none.disabled = not selection
        if selection != self._filled_for or self._value.value == self._filled:
            self._fill(selection)

    def _fill(self, selection: Selection) -> None:
        """Name the unit of the selected sky in its field, and put the present sky there, where there is one."""
        skies, unit = _skies(self._session, selection.groups)
        self._filled_for, self._unit = selection, unit
        self._filled = f"{skies.pop():.6g}" if len(skies) == 1 else ""
        self._value.placeholder = f"sky in {unit}"
        self._value.value = self._filled
        self._explain("")

    def _explain(self, text: str) -> None:
        """Say beside the field what is wrong with the sky in it."""
        self._wrong.value = escape(text)
        self._wrong.layout.display = "" if text else "none"

    @property
    def _noun(self) -> str:
        """What a group is."""
        by = self._session.params.group_by
        return by if by in ("exposure", "chip") else "group"

    def refresh(self) -> None:
        """Tell of the selection as the present parameters have it."""
        self._show(self._selected.selection)

    @property
    def _groups(self) -> list[str]:
        return sorted(self._selected.selection.groups)

    def _group(self) -> None:
        name = self._name.value.strip() or "+".join(self._groups)[:60]
        pairs = self._selected.selection.pairs

        def group() -> None:
            self._session.regroup(dict.fromkeys(self._groups, name))
            self._selected.set(Selection(frozenset({name}), pairs))

        self._guard.attempt(group)

    def _fix(self) -> None:
        text, fixed = self._value.value.strip(), dict(self._session.params.fixed or {})
        sky = _number(text)
        held = [group for group in self._groups if fixed.pop(group, None) is not None]
        if sky is None and (text or not held):
            self._explain(f"sky: type a number in {self._unit}")
            return
        if sky is not None:
            fixed |= dict.fromkeys(self._groups, sky)
        self._guard.attempt(lambda: self._session.configure(fixed=fixed or None))

    def _exclude(self) -> None:
        left_out = dict.fromkeys([*(self._session.params.leave_out or ()), *self._groups])
        self._guard.attempt(lambda: self._session.configure(leave_out=list(left_out)))

    def _bring_back(self) -> None:
        self._guard.attempt(lambda: self._session.configure(leave_out=None))


def _told(count: str, names: list[str]) -> str:
    """How many there are and the first names of them; '' for none."""
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return f"{count}, {', '.join(names[:MOST_NAMED])}{more}" if names else ""


def _number(text: str) -> float | None:
    """Finite number that a text is, None where it is none."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if isfinite(number) else None


def _skies(session: "SkyMatchSession", groups: frozenset[str]) -> tuple[set[float], str]:
    """Different skies of groups by the fresh solution, and their unit, both of the data."""
    loaded: Any = session.fresh_result("group")
    units: Any = session.fresh_result("units")
    if loaded is None or units is None:
        return set(), "data units"
    rows = [k for k, member in enumerate(loaded.members) if member.group in groups]
    names = {units.data_unit[k] for k in rows}
    unit = names.pop() if len(names) == 1 else ""
    solution: Any = session.fresh_result("solve")
    levels = () if solution is None else (solution.sky[loaded.group_of[k]] / units.factor[k] for k in rows)
    return {float(level) for level in levels if isfinite(level)}, unit or "data units"

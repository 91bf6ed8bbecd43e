"""Let a figure that is shown take over what a newly made one says, so that only that is sent to the page.

Both were made by the same function with the same data sources, whose data have been replaced already; what is left are
texts, ranges and colours. Models are matched by their place in the figure.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bokeh.model import Model
from bokeh.models import ColumnDataSource, DataRange1d, Range1d

_TOOLS = ("active_multi", "active_inspect")
"""Properties of a toolbar that say which tools a figure opens with; a user has chosen others since."""

_KEPT = ("id", "name", "subscribed_events", "js_event_callbacks", "js_property_callbacks", "syncable", *_TOOLS)
_ZOOMED = ("start", "end")
"""Properties of ranges that a user changes by zooming."""
_OPENED = ("reset_start", "reset_end")


def note_extents(model: Model) -> Model:
    """Have the ranges of a new figure know the extent that it opens with, which a page resets them to."""
    for of in model.select({"type": Range1d}):
        if of.reset_start is None or of.reset_end is None:
            of.reset_start, of.reset_end = of.start, of.end
    return model


def take_over(shown: Model, made: Model) -> bool:
    """Give the shown figure the properties of the one just made; False where they are not built alike.

    Ranges stay as a user zoomed them where the new figure opens with the same extent as the old one did; both know it
    by `note_extents`. With other rows, say, or another field it is another extent.
    """
    places = list(_matched(shown, made))
    if any(place is None for place in places):
        return False
    for place in places:
        if place is not None:
            _copy(place)
    return True


@dataclass(frozen=True)
class _Place:
    """Two models that stand at the same place, and the properties that each was given."""

    old: Model
    new: Model
    ours: dict[str, Any]
    theirs: dict[str, Any]


def _matched(shown: Model, made: Model) -> Iterator[_Place | None]:
    """Places of both figures, each once; None for one that is not alike."""
    seen: set[int] = set()
    todo: list[tuple[Any, Any]] = [(shown, made)]
    while todo:
        old, new = todo.pop()
        if old is None or new is None or type(old) is not type(new):
            yield None
            return
        if id(old) in seen or old is new:
            continue
        seen.add(id(old))
        place = _Place(old, new, _given(old), _given(new))
        yield place
        for name in place.ours.keys() | place.theirs.keys():
            todo += _models_in(*(getattr(model, name) for model in (old, new)))
        todo += _models_in(*(_callbacks(model) for model in (old, new)))


def _given(model: Model) -> dict[str, Any]:
    """Properties that were given a value; those at their defaults are alike in figures that are made alike."""
    return {k: v for k, v in model.properties_with_values(include_defaults=False).items() if k not in _KEPT}


def _callbacks(model: Model) -> list[Any]:
    """What is run on the page when properties of a model change, in the order of their names."""
    return [call for _, calls in sorted(model.js_property_callbacks.items()) for call in calls]


def _models_in(old: Any, new: Any) -> list[tuple[Any, Any]]:
    if isinstance(old, Model) or isinstance(new, Model):
        both = isinstance(old, Model) and isinstance(new, Model)
        return [(old, new)] if both else [(None, None)]
    if isinstance(old, list | tuple) and isinstance(new, list | tuple):
        if not _holds_models(old) and not _holds_models(new):  # a grid has its figures in tuples
            return []
        if len(old) != len(new):
            return [(None, None)]
        return [pair for a, b in zip(old, new, strict=True) for pair in _models_in(a, b)]
    return []


def _opens_alike(place: _Place) -> bool:
    """Whether both are ranges that open with the same extent."""
    if isinstance(place.old, Range1d):
        return all(place.ours.get(name) == place.theirs.get(name) for name in _OPENED)
    return isinstance(place.old, DataRange1d)


def _copy(place: _Place) -> None:
    """Copy plain properties that differ, and the plain parts of mappings that hold models too."""
    old, ours, theirs = place.old, place.ours, place.theirs
    keep_zoom = _opens_alike(place)
    for name in ours.keys() | theirs.keys():
        if (keep_zoom and name in _ZOOMED) or old.lookup(name).readonly:
            continue
        value = theirs[name] if name in theirs else getattr(place.new, name)
        if isinstance(value, dict) and isinstance(ours.get(name), dict) and _holds_models(value):
            value = _plain_parts(ours[name], value)
        elif _holds_models(value) or _holds_models(ours.get(name)):
            continue
        try:
            same = name in ours and bool(ours[name] == value or (ours[name] != ours[name] and value != value))
        except ValueError:  # arrays
            same = False
        if not same:
            setattr(old, name, dict(value) if isinstance(old, ColumnDataSource) and name == "data" else value)


def _plain_parts(ours: dict[str, Any], theirs: dict[str, Any]) -> dict[str, Any]:
    """A mapping of models and plain values with the models of one and the plain values of the other."""
    return {key: ours[key] if key in ours and _holds_models(part) else part for key, part in theirs.items()}


def _holds_models(value: Any) -> bool:
    if isinstance(value, Model):
        return True
    if isinstance(value, list | tuple):
        return any(_holds_models(v) for v in value)
    if isinstance(value, dict):
        return any(_holds_models(v) for v in value.values())
    return False

"""Let a figure that is shown take over what a newly made one says, so that only that is sent to the page.

Both were made by the same function with the same data sources, whose data have been replaced already; what is left are
texts, ranges and colours. Models are matched by their place in the figure.
"""

from collections.abc import Iterator
from typing import Any

from bokeh.core.property.descriptors import UnsetValueError
from bokeh.model import Model
from bokeh.models import ColumnDataSource, DataRange1d, Range1d

_KEPT = ("id", "name", "tags", "subscribed_events", "js_event_callbacks", "js_property_callbacks", "syncable")
_ZOOMED = ("start", "end")
"""Properties of ranges that a user changes by zooming."""


def take_over(shown: Model, made: Model, keep_zoom: bool = True) -> bool:
    """Give the shown figure the properties of the one just made; False where they are not built alike.

    Ranges stay as they are where the new ones would have shown the same extent as the old ones did when they were made.
    """
    pairs = list(_matched(shown, made))
    if any(old is None or new is None or type(old) is not type(new) for old, new in pairs):
        return False
    for old, new in pairs:
        _copy(old, new, keep_zoom)
    return True


def _matched(shown: Model, made: Model) -> Iterator[tuple[Any, Any]]:
    """Models of both figures that stand at the same place, each once; None where one figure has more."""
    seen: set[int] = set()
    todo: list[tuple[Any, Any]] = [(shown, made)]
    while todo:
        old, new = todo.pop()
        if id(old) in seen or old is new:
            continue
        seen.add(id(old))
        yield old, new
        if old is None or new is None or type(old) is not type(new):
            continue
        for name in old.properties():
            todo += _models_in(_value(old, name), _value(new, name))


def _value(model: Model, name: str) -> Any:
    """Value of a property, None where it has none (the page fills in some)."""
    try:
        return getattr(model, name)
    except UnsetValueError:
        return None


def _models_in(old: Any, new: Any) -> list[tuple[Any, Any]]:
    if isinstance(old, Model) or isinstance(new, Model):
        both = isinstance(old, Model) and isinstance(new, Model)
        return [(old, new)] if both else [(None, None)]
    if isinstance(old, list | tuple) and isinstance(new, list | tuple):
        if not any(isinstance(v, Model) for v in (*old, *new)):
            return []
        if len(old) != len(new):
            return [(None, None)]
        return [pair for a, b in zip(old, new, strict=True) for pair in _models_in(a, b)]
    return []


def _copy(old: Model, new: Model, keep_zoom: bool) -> None:
    """Copy plain properties that differ."""
    for name in old.properties():
        if (
            name in _KEPT
            or old.lookup(name).readonly
            or (keep_zoom and isinstance(old, Range1d | DataRange1d) and name in _ZOOMED)
        ):
            continue
        ours, theirs = _value(old, name), _value(new, name)
        if _holds_models(ours) or _holds_models(theirs):
            continue
        try:
            same = bool(ours == theirs)
        except ValueError:  # arrays
            same = False
        if not same:
            setattr(old, name, dict(theirs) if isinstance(old, ColumnDataSource) and name == "data" else theirs)


def _holds_models(value: Any) -> bool:
    if isinstance(value, Model):
        return True
    if isinstance(value, list | tuple):
        return any(_holds_models(v) for v in value)
    if isinstance(value, dict):
        return any(_holds_models(v) for v in value.values())
    return False

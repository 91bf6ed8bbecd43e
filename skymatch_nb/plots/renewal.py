"""New results in figures that are shown: texts and ranges set, so that no figure is built again for them.

Every figure keeps in ``tags`` what its data alone do not change; where that is the same, its module's ``renew_...``
replaces the data, and what stands here.
"""

from typing import Any

from bokeh.models import ColorBar, Legend, Range1d, Title
from bokeh.plotting import figure

from skymatch_nb.plots.theme import plain


def set_texts(plot: figure, title: str, *lines: str) -> bool:
    """Set the title and the lines below a figure; False, with nothing set, where it has too few lines."""
    below = [part for part in plot.below if isinstance(part, Title)]
    if len(lines) > len(below):
        return False
    _set_words(plot.title, title)
    for k, part in enumerate(below):
        _set(part, "visible", k < len(lines))
        if k < len(lines):
            _set_words(part, lines[k])
    return True


def keys_of(plot: figure) -> list[Any]:
    """Colour bars and legends of a figure, beside its frame or below it."""
    return [part for part in (*plot.right, *plot.below) if isinstance(part, ColorBar | Legend)]


def source_of(plot: figure, name: str) -> Any:
    """Data source of a figure's marks, by its name."""
    return next(drawn.data_source for drawn in plot.renderers if drawn.data_source.name == name)


def open_at(of: Range1d, start: float, end: float) -> None:
    """Have a range show an extent, and come back to it where a user resets it."""
    of.update(start=start, end=end, reset_start=start, reset_end=end)


def set_range(mapper: Any, low: float, high: float) -> None:
    """Set the range of a colour mapper."""
    _set(mapper, "low", low)
    _set(mapper, "high", high)


def _set_words(part: Title, text: str) -> None:
    """Set a text, unless it is there already, broken into lines."""
    new = plain(text)
    if str(part.text).split() != str(new).split():
        part.text = new


def _set(model: Any, name: str, value: Any) -> None:
    if getattr(model, name) != value:
        setattr(model, name, value)

"""Names beside marks: as short as tells them apart, and only where they have room."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from bokeh.models import ColumnDataSource
from bokeh.plotting import figure

from skymatch_nb.plots.theme import LETTER, plain, short

SIZE = 11
"""Size of the font in pixels."""

ABOVE = 10
"""Pixels between a mark's middle and its name."""

LONGEST = 28
"""Letters of a name."""

_WORD = re.compile(r"[^_.\-]+|[_.\-]")


def telling_parts(names: Sequence[str]) -> list[str]:
    """Names without the words that all of them begin and end with: ``01``, ``02`` of ``demo_01_flt.fits`` and so on."""
    words = [_WORD.findall(name) for name in names]
    shortest = min(map(len, words), default=0)
    if len(set(names)) < 2:
        return list(names)
    first = next((k for k in range(shortest) if len({w[k] for w in words}) > 1), shortest)
    last = next((k for k in range(shortest - first) if len({w[-1 - k] for w in words}) > 1), shortest - first)
    while last and min(map(len, words)) - first - last < 1:  # something is left of each
        last -= 1
    told = ["".join(w[first : len(w) - last]).strip("_.-") for w in words]
    return told if all(told) and len(set(told)) == len(set(names)) else list(names)


def short_names(names: Sequence[str], longest: int) -> list[str]:
    """Names of at most ``longest`` letters: where one is longer, what tells them apart, shortened if need be."""
    if all(len(name) <= longest for name in names):
        return list(names)
    return [short(name, longest) for name in telling_parts(names)]


def label_marks(plot: figure, source: ColumnDataSource) -> None:
    """Set the columns ``label`` and ``shift`` (pixels) of the marks at ``x``, ``y`` that are named by ``group``.

    A name is left out where it would lie on another one, and moved into the frame where it would reach beyond.
    """
    names = [short(name, LONGEST) for name in telling_parts(source.data["group"])]
    x, y = _pixels(plot, source.data)
    labels: list[str] = []
    shifts: list[float] = []
    wide = [LETTER * SIZE * len(name) + 4 for name in names]
    boxes: list[tuple[float, float, float]] = []
    for name, at, up, width in zip(names, x, y, wide, strict=True):
        middle = float(np.clip(at, 0.5 * width, max(plot.frame_width - 0.5 * width, 0.5 * width)))
        free = all(abs(middle - m) >= 0.5 * (width + w) or abs(up - u) >= 1.4 * SIZE for m, u, w in boxes)
        if free:
            boxes.append((middle, up, width))
        labels.append(plain(name) if free else "")
        shifts.append(middle - at if free else 0.0)
    if labels != source.data.get("label") or shifts != source.data.get("shift"):
        source.data.update({"label": labels, "shift": shifts})


def _pixels(plot: figure, data: Any) -> tuple[Any, Any]:
    """Places of marks in the frame in pixels, from its lower left corner."""
    shares = [
        (np.asarray(data[name]) - axis.start) / (axis.end - axis.start)
        for name, axis in (("x", plot.x_range), ("y", plot.y_range))
    ]
    return shares[0] * plot.frame_width, shares[1] * plot.frame_height

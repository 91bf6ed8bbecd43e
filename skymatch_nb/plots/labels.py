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


def telling_parts(names: Sequence[str]) -> tuple[list[str], str]:
    """Names without the words that all of them begin and end with, and what these are.

    ``demo_01_flt.fits`` and ``demo_02_flt.fits`` are ``01`` and ``02`` of ``demo_…_flt.fits``.
    """
    words = [_WORD.findall(name) for name in names]
    shortest = min(map(len, words), default=0)
    if len(set(names)) < 2:
        return list(names), ""
    first = next((k for k in range(shortest) if len({w[k] for w in words}) > 1), shortest)
    last = next((k for k in range(shortest - first) if len({w[-1 - k] for w in words}) > 1), shortest - first)
    told = ["".join(w[first : len(w) - last]).strip("_.-") for w in words]
    if not all(told) or len(set(told)) < len(set(names)):
        return list(names), ""
    shared = f"{''.join(words[0][:first])}…{''.join(words[0][len(words[0]) - last :])}"
    return told, shared if first + last else ""


def label_marks(plot: figure, source: ColumnDataSource) -> None:
    """Set the columns ``label`` and ``shift`` (pixels) of the marks at ``x``, ``y`` that are named by ``group``.

    A name is left out where it would lie on another one, and moved into the frame where it would reach beyond.
    """
    names = [short(name, LONGEST) for name in telling_parts(source.data["group"])[0]]
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

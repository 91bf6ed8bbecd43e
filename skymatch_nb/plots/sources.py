"""The data of one session's figures, which may share them, so that what is selected in one is selected in all."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from bokeh.models import ColumnDataSource, CustomJS

LINKED = (("members", "groups", "group"), ("overlaps", "pairs", "pair"))
"""Sources whose rows belong to each other, and the column that tells so."""

_SELECT = """
const chosen = new Set(mine.selected.indices.map((i) => mine.data[column][i]))
const indices = []
for (let i = 0; i < other.data[column].length; i++) if (chosen.has(other.data[column][i])) indices.push(i)
const known = new Set(other.selected.indices.map((i) => other.data[column][i]))
if (known.size != chosen.size || [...chosen].some((name) => !known.has(name))) other.selected.indices = indices
"""


class Sources(dict[str, ColumnDataSource]):
    """Data sources by name: ``members``, ``overlaps`` (one row per overlap), ``groups`` and ``pairs`` (of groups).

    Figures of one document that are made with the same sources show the same data and the same selection. A new
    result is shown in all of them by `put`, which replaces the data. A source belongs to one document at a time.
    """

    def put(self, name: str, data: Mapping[str, Any]) -> ColumnDataSource:
        """Replace the data of a source, or make it, and return it.

        Where the number of rows is the same, columns that another figure has put there are kept, and only those that
        are not what they were are replaced, and so sent to a page.
        """
        if name in self:
            replace(self[name], data)
        else:
            self[name] = ColumnDataSource(dict(data), name=name)
            self._link(name)
        return self[name]

    def _link(self, name: str) -> None:
        """Link a new source with those that have rows of the same groups or pairs."""
        for one, two, column in LINKED:
            if name in (one, two) and one in self and two in self:
                for mine, other in ((one, two), (two, one)):
                    args = {"mine": self[mine], "other": self[other], "column": column}
                    self[mine].selected.js_on_change("indices", CustomJS(args=args, code=_SELECT))


def replace(source: ColumnDataSource, data: Mapping[str, Any]) -> None:
    """Replace the data of a source; where it has as many rows, only the columns that are not what they were."""
    old = source.data
    rows = {len(column) for column in (*old.values(), *data.values())}
    if len(rows) != 1:
        source.data = dict(data)
    elif new := {c: values for c, values in data.items() if c not in old or not _same(old[c], values)}:
        old.update(new)


def _same(one: Any, other: Any) -> bool:
    """Whether two columns hold the same."""
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
    return type(one) is type(other) and bool(one == other)

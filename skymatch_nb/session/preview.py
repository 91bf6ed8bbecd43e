"""The session's previews: mosaics of few pixels, averaged once for all solutions."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from skymatch_nb.errors import ParameterError
from skymatch_nb.executor import Work
from skymatch_nb.results import Integers
from skymatch_nb.session.arguments import is_whole
from skymatch_nb.session.state import SessionState

if TYPE_CHECKING:
    from bokeh.models import GridPlot

    from skymatch_nb.plots.plane import SkyPlane
    from skymatch_nb.results import Solution
    from skymatch_nb.steps.preview import CoarseMosaic, GroupMeans

LARGEST_PREVIEW = 8192
"""Cells along the longer side of a preview."""

_AVERAGED = ("group", "mask", "footprint", "units")
"""Results that the averages of a preview are made from."""


class SessionPreview(SessionState):
    """Mosaics of a session before and after; ``theme`` is 'light' or 'dark'."""

    _means: "tuple[Any, GroupMeans] | None" = None
    """What the last preview was made of, and from which results, members and size."""

    def plot_preview(self, *, part: int | None = None, size: int = 512, theme: str = "light") -> "GridPlot":
        """Mosaic before and after, and what overlapping exposures still differ by; solves first where needed.

        Good pixels are averaged onto a grid of ``size`` cells along its longer side. Of fields that do not touch, one
        is shown: number ``part`` (from 1), or the one with the most members.

        Raises
        ------
        ParameterError
            Where there is no such part, or ``size`` is not from 1 to 8192.
        """
        from skymatch_nb.plots.mapdata import field_parts
        from skymatch_nb.plots.preview import preview_figure
        from skymatch_nb.plots.theme import theme_named

        look = theme_named(theme)
        if not is_whole(size) or not 1 <= size <= LARGEST_PREVIEW:
            raise ParameterError(f"size={size!r}: must be an integer from 1 to {LARGEST_PREVIEW}")
        if part is not None and not is_whole(part):
            raise ParameterError(f"part={part!r}: must be an integer, counted from 1, or None")
        self._pipeline.require("solve")
        loaded, overlaps, units = self._pipeline.require("group", "overlap", "units")
        parts = field_parts(loaded, overlaps)
        if part is not None and not 1 <= part <= len(parts):
            raise ParameterError(f"part={part!r}: the field has {len(parts)}, counted from 1")
        number = int(np.argmax([len(p) for p in parts])) if part is None else part - 1
        plane, mosaic = self._mosaic(parts[number], size)
        which = "" if len(parts) == 1 else f"part {number + 1} of {len(parts)}, "
        notes = [f"part={k + 1} shows {len(p)} members" for k, p in enumerate(parts) if k != number][:2]
        return preview_figure(plane, mosaic, units.unit, look, f"{which}{len(parts[number])} members", *notes)

    def renew_preview(self, shown: Any) -> bool:
        """Show the present levels in the figure ``shown`` that `plot_preview` made last; False where it is another one.

        No pixel is read: where that would be needed, it is False, too.
        """
        from skymatch_nb.plots.preview import renew_preview
        from skymatch_nb.steps.preview import coarse_mosaic

        fresh = self._pipeline.fresh()
        made_of, solution = [fresh.get(name) for name in _AVERAGED], fresh.get("solve")
        if self._means is None or solution is None or None in made_of:
            return False
        key, means = self._means
        if [result.key for result in made_of if result is not None] != key[0]:
            return False
        return renew_preview(shown, coarse_mosaic(means, cast("Solution", solution)))

    def _mosaic(
        self, members: Sequence[int] | Integers, size: int, plane: "SkyPlane | None" = None
    ) -> "tuple[SkyPlane, CoarseMosaic]":
        """Mosaic of some members on a plane, by default their own, and the plane."""
        from skymatch_nb.plots.plane import SkyPlane
        from skymatch_nb.steps.preview import coarse_mosaic, group_means

        made_of = self._pipeline.require(*_AVERAGED)
        loaded, masks, footprints, units = made_of
        (solution,) = self._pipeline.require("solve")
        chosen = [int(k) for k in members]
        own = plane is None
        plane = plane or SkyPlane(np.concatenate([footprints.outlines[k].vectors for k in chosen]))
        key = ([result.key for result in made_of], chosen, size)
        means = self._means[1] if own and self._means and self._means[0] == key else None
        if means is None:
            work = Work(self._pipeline.workers, self._pipeline.progress)
            means = group_means(loaded, masks, footprints, units, chosen, plane.offsets, size, work)
        if own:
            self._means = key, means
        return plane, coarse_mosaic(means, solution)

    def __getstate__(self) -> dict[str, Any]:
        return super().__getstate__() | {"_means": None}

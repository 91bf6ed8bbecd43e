"""The session's figures of samples: which pixels a level comes from."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from skymatch_nb.errors import InputError
from skymatch_nb.results import Integers, Loaded, Overlaps
from skymatch_nb.session.arguments import which_samples
from skymatch_nb.session.state import SessionState
from skymatch_nb.steps.measure import limits_of_sets

if TYPE_CHECKING:
    from bokeh.models import GridPlot

    from skymatch_nb.plots.samples import Shown


class SessionSamples(SessionState):
    """Figures of the pixels that a level comes from."""

    def plot_samples(self, which: str | int | Sequence[str], *, theme: str = "light") -> "GridPlot":
        """Histogram of the good pixels that a level comes from, with the clipping limits of every iteration.

        Parameters
        ----------
        which
            Two names of members, or of groups (their overlap with the most pixels), for both sides of an overlap; a
            row number of the overlaps table likewise; or one member's name for all of its pixels.
        theme
            'light' or 'dark'.

        Raises
        ------
        ParameterError
            Where ``which`` is none of these.
        InputError
            Where there is no such member, group or overlap.
        """
        from skymatch_nb.plots.samples import samples_figure
        from skymatch_nb.plots.theme import theme_named

        look = theme_named(theme)
        shown, unit, title = self._samples(which)
        return samples_figure(shown, self._pipeline.params, unit, look, title)

    def renew_samples(self, shown: Any, which: str | int | Sequence[str]) -> bool:
        """Show samples in a figure that is there; False where it has to be made anew.

        Parameters
        ----------
        shown
            What `plot_samples` made, of these samples or of others.
        which
            As for `plot_samples`.
        """
        from skymatch_nb.plots.samples import renew_samples

        samples, unit, title = self._samples(which)
        return renew_samples(shown, samples, self._pipeline.params, unit, title)

    def _samples(self, which: str | int | Sequence[str]) -> "tuple[list[Shown], str, str]":
        """Samples, their unit, and what they are."""
        which = which_samples(which)
        (units,) = self._pipeline.require("units")
        if isinstance(which, str):
            return [self._member_sample(which)], units.unit, f"Pixels of {which}"
        shown, title = self._overlap_samples(which)
        return shown, units.unit, title

    def _member_sample(self, name: str) -> "Shown":
        from skymatch_nb.plots.samples import Shown

        loaded, units, samples, levels = self._pipeline.require("group", "units", "sample_members", "measure_members")
        k = next((k for k, m in enumerate(loaded.members) if m.name == name), None)
        if k is None:
            raise InputError(f"{name!r} is no member ({', '.join(m.name for m in loaded.members[:4])}, ...)")
        limits = limits_of_sets(loaded, samples.sets, self._pipeline.params)[k]
        return Shown(name, samples.sets[k], 0, float(units.factor[k]), float(levels.sky[k]), *_of_sample(limits, 0))

    def _overlap_samples(self, which: int | Sequence[str]) -> "tuple[list[Shown], str]":
        loaded, overlaps, compared = self._pipeline.require("group", "overlap", "compare")
        pixels = compared.npix_a + compared.npix_b
        row = which if isinstance(which, int) else _overlap_row(which, loaded, overlaps, pixels)
        if not 0 <= row < len(overlaps):
            raise InputError(f"there is no overlap {row}; the overlaps table has {len(overlaps)}")
        if self._pipeline.params.overlap_stat == "difference":
            return [self._difference_sample(row)], f"Differences of pixels of overlap {row}"
        return self._side_samples(row), f"Pixels of overlap {row}"

    def _difference_sample(self, row: int) -> "Shown":
        from skymatch_nb.plots.samples import Shown

        loaded, overlaps, samples, levels = self._pipeline.require(
            "group", "overlap", "difference_samples", "measure_differences"
        )
        name, less = (loaded.members[int(of[row])].name for of in (overlaps.member_a, overlaps.member_b))
        sample_set, k = samples.place(row)
        return Shown(name, sample_set, k, 1.0, float(levels.difference[row]), less=less)

    def _side_samples(self, row: int) -> "list[Shown]":
        from skymatch_nb.plots.samples import Shown

        loaded, units, overlaps, samples, levels = self._pipeline.require(
            "group", "units", "overlap", "sample_overlaps", "measure_overlaps"
        )
        limits = limits_of_sets(loaded, samples.sets, self._pipeline.params)
        sides = (
            (int(overlaps.member_a[row]), int(samples.at_a[row]), levels.sky_a),
            (int(overlaps.member_b[row]), int(samples.at_b[row]), levels.sky_b),
        )
        return [
            Shown(
                loaded.members[k].name,
                samples.sets[k],
                at,
                float(units.factor[k]),
                float(sky[row]),
                *_of_sample(limits[k], at),
            )
            for k, at, sky in sides
        ]


def _of_sample(limits: Sequence[Any], k: int) -> tuple[float | None, float | None]:
    """Lower and upper limit of one sample of a set."""
    low, high = (None if x is None else float(x if np.ndim(x) == 0 else x[k]) for x in limits)
    return low, high


def _overlap_row(names: Sequence[str], loaded: Loaded, overlaps: Overlaps, pixels: Integers) -> int:
    """Row of the overlap of two members, or of the largest one of two groups."""
    sides = [{k for k, m in enumerate(loaded.members) if name in (m.name, m.group)} for name in names]
    for name, side in zip(names, sides, strict=True):
        if not side:
            raise InputError(f"{name!r} is no member and no group")
    ends = list(zip(overlaps.member_a.tolist(), overlaps.member_b.tolist(), strict=True))
    rows = [
        k for k, (a, b) in enumerate(ends) if (a in sides[0] and b in sides[1]) or (a in sides[1] and b in sides[0])
    ]
    if not rows:
        raise InputError(f"{names[0]} and {names[1]} do not overlap")
    return max(rows, key=lambda k: pixels[k])

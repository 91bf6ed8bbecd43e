"""The warning that levels do not describe the differences of pairs, and what to try."""

import numpy as np

from skymatch_nb.core.equations import Levels
from skymatch_nb.core.misfit import LARGEST_TYPICAL, Left, left_in_pairs
from skymatch_nb.core.pairs import Pairs
from skymatch_nb.params import SkyMatchParams
from skymatch_nb.results import Loaded, Units


def misfit_notes(loaded: Loaded, units: Units, pairs: Pairs, levels: Levels, params: SkyMatchParams) -> list[str]:
    """One note where pairs differ after matching by far more than their errors allow, naming the worst; else none.

    What 'far more' is stands in `skymatch_nb.core.misfit`.
    """
    left = left_in_pairs(pairs, levels.level)
    if not left.is_gross:
        return []
    advice = "; ".join([*_about_fixed(pairs, levels, left), f"try {_to_try(loaded, params)}"])
    measured = _measured(loaded, units, pairs, left)
    return [f"pairs disagree after matching by far more than their errors: {measured}; {advice}"]


def _measured(loaded: Loaded, units: Units, pairs: Pairs, left: Left) -> str:
    """The worst pair, and the median where many are bad, in words."""
    k = left.worst
    first, second = loaded.groups[pairs.first[k]], loaded.groups[pairs.second[k]]
    size = f"{abs(left.difference[k]):.3g} {units.unit}".rstrip()
    worst = f"{first} and {second} by {size}, {abs(left.pull[k]):.1f} standard errors"
    if len(pairs) == 1 or left.typical <= LARGEST_TYPICAL:
        return worst
    return f"{worst}, and the {len(pairs)} pairs by {left.typical:.1f} in the median"


def _about_fixed(pairs: Pairs, levels: Levels, left: Left) -> list[str]:
    """Advice to check given levels, where the worst pair hangs between two or more of them."""
    component = levels.component[pairs.first[left.worst]]
    held = int(np.count_nonzero(levels.held & (levels.component == component)))
    return ["check the values of fixed: they may contradict what overlaps say"] if held > 1 else []


def _to_try(loaded: Loaded, params: SkyMatchParams) -> str:
    """Parameters that help where overlaps hold more than sky, or chips have skies of their own; those not yet used."""
    found = [] if params.overlap_stat == "difference" else ["overlap_stat='difference'"]
    found += [] if params.mask_sources is not None else ["mask_sources"]
    found += ["exclude_regions or include_regions"]
    shared = params.group_by == "exposure" and len(loaded.groups) < len(loaded)
    return ", ".join([*found, "group_by='chip' if chips do not share a sky"] if shared else found)

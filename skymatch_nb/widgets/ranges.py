"""What controls can only know from the data: the range of pixel values, and the flags of the instrument."""

from typing import TYPE_CHECKING, Any

import numpy as np

from skymatch_nb.params.flags import flag_table
from skymatch_nb.widgets.controls import BitsControl, LimitControl
from skymatch_nb.widgets.form import ParameterForm

if TYPE_CHECKING:
    from skymatch_nb.session import SkyMatchSession

INNER = (0.01, 0.99)
"""Quantiles between which limits are usually wanted."""


def set_ranges(form: ParameterForm, session: "SkyMatchSession") -> None:
    """Give controls what the session's fresh results tell."""
    _set_flags(form, session)
    _set_limits(form, session)


def _set_flags(form: ParameterForm, session: "SkyMatchSession") -> None:
    """Offer the flags of the first member's instrument, with their meanings."""
    loaded: Any = session.fresh_result("load")
    masks: Any = session.fresh_result("mask")
    control = form.controls["dq_bits"]
    if loaded is None or masks is None or not isinstance(control, BitsControl):
        return
    first = loaded.members[0]
    flags = flag_table(first.telescope, first.instrument, first.detector)
    control.set_flags([(f.bit, f"{f.name}, {f.meaning}") for f in flags], masks.good_bits[0])


def _set_limits(form: ParameterForm, session: "SkyMatchSession") -> None:
    """Give the sliders of limits the range of the samples that there are, in data units."""
    samples = session.fresh_result("sample_overlaps") or session.fresh_result("sample_members")
    sets = getattr(samples, "sets", ())
    edges = [
        [float(s.sample(k)[int(q * (s.npix[k] - 1))]) for q in INNER]
        for s in sets
        for k in range(len(s))
        if s.npix[k] > 1
    ]
    if not edges:
        return
    low, high = np.min(edges, axis=0)[0], np.max(edges, axis=0)[1]
    for name in ("lower", "upper"):
        control = form.controls[name]
        if isinstance(control, LimitControl):
            control.set_range(float(low), float(high))

"""What controls can only know from the data: the range of pixel values, and the flags of the instrument."""

from typing import TYPE_CHECKING

import numpy as np

from skymatch_nb.widgets.controls import LimitControl
from skymatch_nb.widgets.form import ParameterForm

if TYPE_CHECKING:
    from skymatch_nb.session import SkyMatchSession

INNER = (0.01, 0.99)
"""Quantiles between which limits are usually wanted."""


def set_ranges(form: ParameterForm, session: "SkyMatchSession") -> None:
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

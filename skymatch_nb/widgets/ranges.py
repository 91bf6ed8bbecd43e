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


class Ranges:
    """Gives the controls of a form what the fresh results of a session tell, once for each result."""

    def __init__(self, form: ParameterForm, session: "SkyMatchSession") -> None:
        self._form, self._session = form, session
        self._samples = self._masks = ""

    def update(self) -> None:
        """Tell the controls what is new."""
        self._set_flags()
        self._set_limits()

    def _set_flags(self) -> None:
        """Offer the flags of the first member's instrument, with their meanings."""
        loaded: Any = self._session.fresh_result("load")
        masks: Any = self._session.fresh_result("mask")
        control = self._form.controls["dq_bits"]
        if loaded is None or masks is None or masks.key == self._masks or not isinstance(control, BitsControl):
            return
        self._masks = masks.key
        first = loaded.members[0]
        flags = flag_table(first.telescope, first.instrument, first.detector)
        control.set_flags([(f.bit, f"{f.name}, {f.meaning}") for f in flags], masks.good_bits[0])

    def _set_limits(self) -> None:
        """Give the sliders of limits the range of the samples that there are, in data units."""
        samples = self._session.fresh_result("sample_overlaps") or self._session.fresh_result("sample_members")
        if samples is None or samples.key == self._samples:
            return
        self._samples = samples.key
        edges = [
            [float(values[int(q * (len(values) - 1))]) for q in INNER]
            for s in getattr(samples, "sets", ())
            for values in map(s.sample, range(len(s)))
            if len(values) > 1
        ]
        if not edges:
            return
        low, high = np.min(edges, axis=0)[0], np.max(edges, axis=0)[1]
        for name in ("lower", "upper"):
            control = self._form.controls[name]
            if isinstance(control, LimitControl):
                control.set_range(float(low), float(high))

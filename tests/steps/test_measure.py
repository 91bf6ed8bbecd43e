"""Statistics of many sets at once: the same whatever the types of their values and the number of threads."""

import numpy as np
import pytest

from skymatch_nb.core.sample import sorted_samples
from skymatch_nb.executor import Work
from skymatch_nb.params import SkyMatchParams
from skymatch_nb.results import Samples
from skymatch_nb.steps.measure import _measured

PARAMS = SkyMatchParams.checked({"skystat": "median", "nclip": 3})


def sets_of(dtypes):
    rng = np.random.default_rng(8)
    return [
        sorted_samples([rng.normal(k, 1, 500 + k).astype(t), np.zeros(0, t)][: 1 + k % 2]) for k, t in enumerate(dtypes)
    ]


@pytest.mark.parametrize("workers", [1, 2, 3, 20])
@pytest.mark.parametrize("dtypes", [["f4"] * 7, ["f4", "f8", "f8", "f4", "f4"], ["f8"], []])
def test_sets_are_measured_together_as_each_alone(workers, dtypes):
    sets = sets_of(dtypes)
    limits = [(None, k + 2.0 if k % 2 else None) for k in range(len(sets))]
    together = _measured(Samples("", tuple(sets)), limits, PARAMS, Work(workers))
    alone = [_measured(Samples("", (one,)), [limit], PARAMS, Work(1)) for one, limit in zip(sets, limits, strict=True)]
    for k, values in enumerate(together):
        np.testing.assert_array_equal(values, np.concatenate([np.zeros(0, values.dtype), *(one[k] for one in alone)]))
    assert len(together[0]) == sum(len(one) for one in sets)

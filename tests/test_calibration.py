"""Standard errors are as large as errors are: many small mosaics against their planted skies."""

from collections import defaultdict

import numpy as np

from skymatch_nb import SkyMatchSession
from skymatch_nb.datasets import make_mosaic

WAYS = (
    {"overlap_stat": "difference", "skystat": "median", "weighting": "pixels"},
    {"overlap_stat": "difference", "skystat": "mean", "weighting": "variance"},
    {"overlap_stat": "region", "skystat": "median", "weighting": "pixels"},
)


def deviations_of_pulls(folder, number, **layout):
    """Deviation of level minus planted sky in units of its standard error, component means removed, by way."""
    found = defaultdict(list)
    for seed in range(number):
        made = make_mosaic(folder / str(seed), galaxy=False, stars=2, chips=1, seed=seed, **layout)
        session = SkyMatchSession(made.paths, skymethod="match", verbose=False)
        for way in WAYS:
            groups = session.configure(**way).sky.groupby("group", sort=False)
            level = groups.sky_data.first()
            error = level - [made.sky[name] for name in level.index]
            error -= error.groupby(groups.component.first()).transform("mean")
            found[str(way)].extend(error / groups.sky_data_err.first())
    return {way: float(np.std(pulls)) for way, pulls in found.items()}


def test_pulls_of_plain_mosaics_have_unit_deviation(tmp_path):
    deviations = deviations_of_pulls(tmp_path, 40, rows=2, cols=2, shape=(64, 96), overlap=0.4)
    for way, deviation in deviations.items():
        assert 0.85 < deviation < 1.15, way


def test_exposures_that_share_all_their_pixels_are_not_taken_as_independent(tmp_path):
    """Sixteen dithers of one field: pairs taken as independent would make it 2.7."""
    deviations = deviations_of_pulls(tmp_path, 6, rows=4, cols=4, shape=(64, 64), overlap=0.88)
    for way, deviation in deviations.items():
        assert 0.75 < deviation < 1.25, way

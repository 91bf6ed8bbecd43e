"""A panel of many exposures; tests/benchmarks/run_panel.py measures how fast it answers."""

import time

import pytest
from panel_page import choose

from skymatch_nb.datasets import make_mosaic

pytestmark = pytest.mark.xdist_group("lab")


def exposures(folder):
    return make_mosaic(folder, rows=6, cols=6, shape=(64, 128), overlap=0.3, seed=5).paths


def test_36_exposures_follow_the_statistic(desk):
    seen = [desk.check()]
    for skystat in ("median", "mean", "biweight"):
        started = time.perf_counter()
        choose(desk.page, "skystat", skystat)
        seen.append(desk.check(skystat=skystat))
        print(f"{skystat}: seen after {time.perf_counter() - started:.2f} s, with the check itself")
    assert len(seen[0]) == 72
    assert len({tuple(table.sky) for table in seen}) == len(seen)
    desk.picture("lab_36")

"""Kernels beside the floor of each: what memory, or one call of numpy, needs for the same bytes.

    python -m pip install -e ".[test,bench]"
    python -m pytest tests/benchmarks/bench_kernels.py

Every group of the report is a kernel and its floor, in times of the fastest of the group. A plain run of pytest does
not collect this file.
"""

import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from skymatch_nb.core.align import PixelMap, Pixels, aligned_values
from skymatch_nb.core.equations import solve_levels
from skymatch_nb.core.level_errors import level_errors
from skymatch_nb.core.measure import STATISTICS, measure
from skymatch_nb.core.quality import gather_good
from skymatch_nb.core.raster import full_spans
from skymatch_nb.core.sample import clip, sorted_samples
from skymatch_nb.geometry.candidates import candidate_pairs
from skymatch_nb.geometry.clipping import clip_pairs

sys.path.insert(0, str(Path(__file__).parent))  # pytest's import mode leaves it out
from run_cover import cover
from run_solver import grid_pairs

pytest.importorskip("pytest_benchmark")

SHAPE = (1024, 2048)
RNG = np.random.default_rng(1)
IMAGE = RNG.normal(0.1, 0.01, SHAPE).astype(np.float32)
STORED = IMAGE.astype(">f4")
FLAGS = np.where(RNG.random(SHAPE) < 0.02, 16, 0).astype(">i2")
SPANS = full_spans(SHAPE)
FLAT = IMAGE.ravel()
LEVELS = RNG.uniform(0.05, 0.25, (100, 100))


def fresh(values):
    """Arguments of a function that changes its input: a copy, made before each round."""
    return lambda: ((values.copy(),), {})


@pytest.mark.benchmark(group="gather good pixels of SCI and DQ as FITS stores them")
class TestGather:
    def test_kernel(self, benchmark):
        found = benchmark(gather_good, STORED, SPANS, FLAGS)
        assert len(found) == np.count_nonzero(FLAGS == 0)

    def test_floor_copy(self, benchmark):
        """The same bytes in and out."""
        image, flags = np.empty_like(STORED), np.empty_like(FLAGS)

        def copy():
            np.copyto(image, STORED)
            np.copyto(flags, FLAGS)

        benchmark(copy)


@pytest.mark.benchmark(group="sort a sample, with prefix sums")
class TestSort:
    def test_kernel(self, benchmark):
        benchmark.pedantic(lambda v: sorted_samples([v]), setup=fresh(FLAT), rounds=10, warmup_rounds=1)

    def test_floor_sort(self, benchmark):
        benchmark.pedantic(lambda v: v.sort(), setup=fresh(FLAT), rounds=10, warmup_rounds=1)


@pytest.fixture(scope="module")
def samples():
    return sorted_samples([FLAT.copy()])


@pytest.mark.parametrize("statistic", STATISTICS)
class TestStatistic:
    """Clip a sorted sample five times and measure it; the floor reads the sample once."""

    def test_kernel(self, benchmark, samples, statistic):
        benchmark.group = f"clip and measure: {statistic}"
        levels, _ = benchmark(lambda: measure(samples, clip(samples, nclip=5), statistic))
        assert abs(levels[0] - 0.1) < 1e-3

    def test_floor_sum(self, benchmark, samples, statistic):
        benchmark.group = f"clip and measure: {statistic}"
        benchmark(np.sum, samples.values)


@pytest.mark.benchmark(group="differences of nearest pixels")
class TestDifferences:
    def test_kernel(self, benchmark):
        """A small turn and shift, with a node every 64 pixels."""
        step = 64
        y, x = np.mgrid[-step : SHAPE[0] + 2 * step : step, -step : SHAPE[1] + 2 * step : step].astype(float)
        pixel_map = PixelMap(-step, -step, step, x + 0.01 * y - 3.3, y - 0.01 * x + 12.2)
        first, second = Pixels(STORED, FLAGS), Pixels(STORED, FLAGS)
        a, b = benchmark(aligned_values, first, second, SPANS, pixel_map)
        assert len(a) == len(b) > 0.9 * IMAGE.size

    def test_floor_copy(self, benchmark):
        """The bytes of two images and their flags."""
        images, flags = np.empty((2, *SHAPE), ">f4"), np.empty((2, *SHAPE), ">i2")

        def copy():
            for k in range(2):
                np.copyto(images[k], STORED)
                np.copyto(flags[k], FLAGS)

        benchmark(copy)


@pytest.mark.benchmark(group="clip some 10,000 pairs of polygons of 64 vertices")
class TestClipPairs:
    @pytest.fixture(scope="class")
    @staticmethod
    def chips():
        outlines = cover(2000)
        centers, radii = np.array([o.center for o in outlines]), np.array([o.radius for o in outlines])
        return outlines, candidate_pairs(centers, radii, np.arange(len(outlines)))

    def test_kernel(self, benchmark, chips):
        found = benchmark.pedantic(clip_pairs, chips, rounds=5, warmup_rounds=1)
        assert len(found[0]) > 2 * len(chips[0])

    def test_floor_shapely(self, benchmark, chips):
        """Shapely's part alone: intersections of as many planar polygons."""
        import shapely

        turn = np.linspace(0, 2 * np.pi, 64, endpoint=False)
        ring = np.column_stack([np.cos(turn), np.sin(turn)])
        count = len(chips[1])
        one = shapely.polygons(np.broadcast_to(ring, (count, 64, 2)))
        other = shapely.polygons(ring + RNG.uniform(-1, 1, (count, 1, 2)))
        benchmark.pedantic(shapely.intersection, (one, other), rounds=5, warmup_rounds=1)


@pytest.mark.benchmark(group="solve 10,000 groups")
class TestSolve:
    PAIRS = grid_pairs(LEVELS, neighbours=8)

    def test_levels(self, benchmark):
        benchmark(solve_levels, LEVELS.size, self.PAIRS, "variance")

    def test_levels_and_errors(self, benchmark):
        benchmark(lambda: level_errors(self.PAIRS, solve_levels(LEVELS.size, self.PAIRS, "variance")))

    def test_floor_factor(self, benchmark):
        """SuperLU's factor of equations of that pattern alone."""
        from scipy import sparse
        from scipy.sparse.linalg import splu

        a, b = self.PAIRS.first, self.PAIRS.second
        links = sparse.coo_array((-np.ones(len(a)), (a, b)), shape=(LEVELS.size,) * 2)
        links = links + links.T
        matrix = sparse.csc_array(links + sparse.diags_array(1.0 - links.sum(axis=0)))
        benchmark(splu, matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
        assert all(low <= high for low, high in pairwise(matrix.indptr))

"""Solve many groups on square grids; print seconds, memory and errors as JSON.

It is a script of its own because peak memory belongs to a process.
"""

import json
import resource
import sys
import time
from itertools import product
from pathlib import Path

import numpy as np
from scipy import sparse
from scipy.spatial import KDTree

from skymatch_nb.core.equations import solve_levels
from skymatch_nb.core.level_errors import level_errors
from skymatch_nb.core.pairs import Pairs

SIDE, LARGE_SIDE = 100, 316
MIB = 1024.0**2


def grid_pairs(level: np.ndarray, neighbours: int = 4, noise: float = 0.0) -> Pairs:
    """Pairs of a grid with given levels, shape (side, side), with unequal numbers of pixels and errors.

    Differences have ``noise`` times their errors.
    """
    number = np.arange(level.size).reshape(level.shape)
    links = [(number[:, :-1], number[:, 1:]), (number[:-1], number[1:])]
    if neighbours == 8:
        links += [(number[:-1, :-1], number[1:, 1:]), (number[:-1, 1:], number[1:, :-1])]
    first, second = (np.concatenate([side.ravel() for side in sides]) for sides in zip(*links, strict=True))
    rng = np.random.default_rng(2)
    npix = rng.integers(1_000, 500_000, (2, len(first)))
    err = rng.uniform(0.001, 0.01, len(first))
    difference = level.ravel()[first] - level.ravel()[second] + noise * err * rng.standard_normal(len(first))
    return Pairs(first, second, difference, npix[0], npix[1], err)


def shared_noise(pairs: Pairs, ngroups: int) -> sparse.csr_array:
    """Noise of each pair's own, and of each group in all its pairs."""
    numbers = np.arange(len(pairs))
    own = sparse.csr_array((pairs.difference_err, (numbers, numbers)))
    half = 0.5 * pairs.difference_err
    places = np.concatenate([pairs.first, pairs.second]), np.concatenate([numbers, numbers])
    of_groups = sparse.csr_array((np.concatenate([half, -half]), places), shape=(ngroups, len(pairs)))
    return sparse.csr_array(sparse.vstack([own, of_groups]))


def peak_memory() -> float:
    """Peak resident memory of this process in MiB."""
    status = Path("/proc/self/status")
    if status.exists():  # Linux: its rusage would count the process that started this one
        line = next(row for row in status.read_text().splitlines() if row.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / MIB if sys.platform == "darwin" else peak / 1024


def seconds_with_errors(weighting: str, *, robust: bool = False, shared: bool = False) -> float:
    """Seconds to solve 10,000 groups with eight neighbours each, all standard errors included."""
    level = np.random.default_rng(1).uniform(0.05, 0.25, (SIDE, SIDE))
    pairs = grid_pairs(level, neighbours=8, noise=1.0)
    if shared:
        pairs = Pairs(**(vars(pairs) | {"noise": shared_noise(pairs, level.size)}))
    started = time.perf_counter()
    errors = level_errors(pairs, solve_levels(level.size, pairs, weighting, robust))
    seconds = time.perf_counter() - started
    assert np.isfinite(errors).all()
    return seconds


def scattered_pairs(rng: np.random.Generator, level: np.ndarray) -> Pairs:
    """Pairs of groups that lie at random in a square and are near one another, some eight neighbours each."""
    places = rng.random((level.size, 2))
    near = KDTree(places).query_pairs(np.sqrt(8 / np.pi / level.size), output_type="ndarray")
    first, second = near.min(axis=1), near.max(axis=1)
    npix = rng.integers(1_000, 500_000, (2, len(first)))
    err = rng.uniform(0.001, 0.01, len(first))
    return Pairs(first, second, level[first] - level[second], npix[0], npix[1], err)


def large_seconds(*, scattered: bool, fixed: bool, errors: bool) -> list[float]:
    """Wall and processor seconds to solve 100,000 groups."""
    rng = np.random.default_rng(1)
    level = rng.uniform(0.05, 0.25, LARGE_SIDE**2)
    pairs = scattered_pairs(rng, level) if scattered else grid_pairs(level.reshape(LARGE_SIDE, -1), neighbours=8)
    known = np.full(level.size, np.nan)
    if fixed:
        chosen = rng.choice(level.size, 1000, replace=False)
        known[chosen] = level[chosen]
    started = time.perf_counter(), time.process_time()
    solution = solve_levels(level.size, pairs, "variance", fixed=known)
    if errors:
        level_errors(pairs, solution)
    seconds = [time.perf_counter() - started[0], time.process_time() - started[1]]
    left = solution.level - level
    for component in range(min(solution.ncomponents, 3)):
        assert np.ptp(left[solution.component == component]) < 1e-9
    return seconds


def main() -> None:
    level = np.random.default_rng(1).uniform(0.05, 0.25, (SIDE, SIDE))
    pairs = grid_pairs(level)
    started = time.perf_counter()
    solution = solve_levels(level.size, pairs)
    told = {"seconds": time.perf_counter() - started, "peak_mib": peak_memory()}
    told["error"] = float(np.std(solution.level - level.ravel()))
    large = np.random.default_rng(1).uniform(0.05, 0.25, (LARGE_SIDE, LARGE_SIDE))
    pairs = grid_pairs(large, neighbours=8)
    started = time.perf_counter()
    solve_levels(large.size, pairs)
    told["large_seconds"] = time.perf_counter() - started
    seconds_with_errors("variance")  # compiles
    told["errors_variance_seconds"] = seconds_with_errors("variance")
    told["errors_pixels_seconds"] = seconds_with_errors("pixels")
    told["errors_huber_seconds"] = seconds_with_errors("variance", robust=True)
    told["errors_shared_seconds"] = seconds_with_errors("variance", shared=True)
    told["errors_peak_mib"] = peak_memory()
    for scattered, fixed, errors in product((False, True), repeat=3):
        where = "scattered" if scattered else "grid"
        what = f"large_{where}{'_fixed' if fixed else ''}{'_errors' if errors else ''}_seconds"
        told[what] = large_seconds(scattered=scattered, fixed=fixed, errors=errors)
    told["large_peak_mib"] = peak_memory()
    print(json.dumps(told))


if __name__ == "__main__":
    main()

"""Solve 10,000 groups on a square grid, each overlapping its four neighbours; print seconds, memory and error.

It is a script of its own because peak memory belongs to a process.
"""

import json
import resource
import sys
import time
from pathlib import Path

import numpy as np

from skymatch_nb.core.equations import Pairs, solve_levels

SIDE = 100
MIB = 1024.0**2


def grid_pairs(level: np.ndarray) -> Pairs:
    """Pairs of a grid whose levels, shape (SIDE, SIDE), are seen without noise, with unequal numbers of pixels."""
    number = np.arange(SIDE * SIDE).reshape(SIDE, SIDE)
    first = np.concatenate([number[:, :-1].ravel(), number[:-1].ravel()])
    second = np.concatenate([number[:, 1:].ravel(), number[1:].ravel()])
    npix = np.random.default_rng(2).integers(1_000, 500_000, (2, len(first)))
    return Pairs(first, second, level.ravel()[first], level.ravel()[second], npix[0], npix[1])


def peak_memory() -> float:
    """Peak resident memory of this process in MiB."""
    status = Path("/proc/self/status")
    if status.exists():  # Linux: its rusage would count the process that started this one
        line = next(row for row in status.read_text().splitlines() if row.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / MIB if sys.platform == "darwin" else peak / 1024


def main() -> None:
    level = np.random.default_rng(1).uniform(0.05, 0.25, (SIDE, SIDE))
    pairs = grid_pairs(level)
    started = time.perf_counter()
    solution = solve_levels(level.size, pairs)
    seconds = time.perf_counter() - started
    error = float(np.std(solution.level - level.ravel()))
    print(json.dumps({"seconds": seconds, "peak_mib": peak_memory(), "error": error}))


if __name__ == "__main__":
    main()

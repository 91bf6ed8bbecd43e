"""Compare errors with those of the reference over many small mosaics that differ in their seed.

    python tests/benchmarks/run_seeds.py --reference PYTHON

On one mosaic it is chance which of two nearly equal errors is the smaller.
"""

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from mosaics import Scene, get_mosaic
from run_benchmarks import STATISTICS, Measured, look_at, run_reference, show, show_table, time_ours


def errors_of_seed(seed: int, reference: str) -> list[float]:
    """Error of the reference with the median, then ours with every statistic, on one mosaic of 5 by 5 exposures."""
    scene = Scene("25", 5, 5, (256, 512), seed)
    measured = Measured(scene)
    with TemporaryDirectory() as scratch:
        mosaic = get_mosaic(scene, Path(scratch))
        look_at(measured, time_ours(measured, mosaic, workers=2), mosaic)
        run_reference(measured, mosaic, reference)
    return [measured.reference_error, *(measured.errors[name] for name in STATISTICS)]


def main() -> None:
    parser = argparse.ArgumentParser(description="Errors over many seeds, ours and the reference's.")
    parser.add_argument("--reference", metavar="PYTHON", required=True, help="Python with stsci.skypac 1.0.12")
    parser.add_argument("--seeds", type=int, default=16, help="number of mosaics (default 16)")
    options = parser.parse_args()
    rows = []
    for seed in range(1, options.seeds + 1):
        print(f"seed {seed} ...", file=sys.stderr, flush=True)
        rows.append(errors_of_seed(seed, options.reference))
    errors = np.array(rows)
    rms, higher = np.sqrt(np.mean(errors**2, axis=0)), np.sum(errors > errors[:, :1], axis=0)
    show(f"{options.seeds} mosaics of 25 exposures of 2 x 512 x 256 pixels")
    show()
    columns = ["reference, median", *(f"ours, {name}" for name in STATISTICS)]
    counts = ["", *map(str, higher[1:])]
    show_table(
        ["", *columns],
        [["rms of the errors", *(f"{error:.6f}" for error in rms)], ["higher than the reference's in", *counts]],
    )


if __name__ == "__main__":
    main()

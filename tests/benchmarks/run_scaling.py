"""Measure the parts of a match, and put them together to what 100,000 exposures cost; print Markdown.

    python tests/benchmarks/run_scaling.py --scratch DIR

Parts are processor time of one thread, the least of several runs; waiting for disks and networks is not in them.
"""

import argparse
import pickle
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from mosaics import SCENES, get_mosaic
from run_benchmarks import WARM_UP, show, show_table
from run_solver import grid_pairs

from skymatch_nb import SkyMatchSession
from skymatch_nb.core.equations import solve_levels
from skymatch_nb.results import MaskedMember

EXPOSURES, CHIPS, PIXELS, NEIGHBOURS, SHARED = 100_000, 2, 4096 * 2048, 8, 0.5
"""The mosaic that is reckoned with: chips of so many pixels, half of which lie in overlaps, with 8 neighbours each."""

PARTS = {
    "load": ("headers and WCS", "exposure"),
    "units": ("units of headers", "chip"),
    "header": ("sky keywords", "chip"),
    "footprint": ("outlines", "chip"),
    "overlap": ("overlaps", "overlap"),
    "sample_overlaps": ("read and sort pixels", "Mpixel"),
    "measure_overlaps": ("statistics and errors", "overlap"),
    "coverage": ("shared noise", "overlap"),
    "compare": ("comparison", "overlap"),
    "pair": ("pairs", "overlap"),
}
OF_LARGE = ("sample_overlaps", "measure_overlaps")
"""Parts that are measured on exposures of that size, the others on many small ones."""

HERE = ("overlap", "measure_overlaps", "coverage", "compare", "pair")
"""Parts that the session's own process does; the others are done by workers."""


def seconds_of_steps(paths: list[Path]) -> tuple[dict[str, float], SkyMatchSession]:
    """Processor time of each step on one thread, and the session."""
    session = SkyMatchSession(paths, skymethod="match", skystat="median", verbose=False, workers=1)
    spent = {}
    for name in dict.fromkeys(("load", "group", "units", "header", "mask", *PARTS, "solve")):
        started = time.process_time()
        session._pipeline.require(name)
        spent[name] = time.process_time() - started
    return spent, session


def counts_of(session: SkyMatchSession) -> dict[str, float]:
    """How many there are of what parts are counted in."""
    loaded, overlaps, samples = session._pipeline.require("load", "overlap", "sample_overlaps")
    pixels = sum(s.npix.sum() for s in samples.sets) / 1e6
    return {"exposure": len(loaded.files), "chip": len(loaded), "overlap": len(overlaps), "Mpixel": pixels}


def task_cost() -> float:
    """Seconds that a task takes the scheduler and the client, which are one process here."""
    from distributed import Client, LocalCluster

    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0", silence_logs="ERROR"
        ) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        spent = []
        for _ in range(3):
            started = time.process_time()
            client.gather(client.map(abs, range(500), pure=False))
            spent.append((time.process_time() - started) / 500)
        return min(spent)


def solver_seconds() -> float:
    """Seconds to solve 100,000 groups with eight neighbours each, without their errors."""
    level = np.random.default_rng(1).uniform(0.05, 0.25, (316, 316))
    pairs = grid_pairs(level, neighbours=8)
    started = time.process_time()
    solve_levels(level.size, pairs)
    return time.process_time() - started


def time_text(seconds: float) -> str:
    return (
        f"{seconds / 3600:.1f} h"
        if seconds > 5400
        else f"{seconds:.0f} s"
        if seconds < 120
        else f"{seconds / 60:.0f} min"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description="What 100,000 exposures cost, from measured parts.")
    parser.add_argument("--scratch", type=Path, required=True, metavar="DIR", help="folder in which mosaics are kept")
    parser.add_argument("--runs", type=int, default=3, metavar="N", help="runs of each part (default 3)")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    seconds_of_steps(get_mosaic(WARM_UP, options.scratch).paths)
    spent: dict[str, float] = {}
    units: dict[str, float] = {}
    many, large = (get_mosaic(SCENES[name], options.scratch).paths for name in ("144", "9-large"))
    for _ in range(options.runs):
        for paths, large_ones in ((many, False), (large, True)):
            took, session = seconds_of_steps(paths)
            counts = counts_of(session)
            for name, (_, unit) in PARTS.items():
                if (name in OF_LARGE) == large_ones:
                    spent[name] = min(spent.get(name, 1e9), took[name] / counts[unit])
        units = {"chip": record_size(session), "pixel": bytes_of_pixel(session)}
    totals: dict[str, float] = {
        "exposure": EXPOSURES,
        "chip": EXPOSURES * CHIPS,
        "overlap": EXPOSURES * CHIPS * NEIGHBOURS / 2,
        "Mpixel": EXPOSURES * CHIPS * PIXELS * SHARED / 1e6,
    }
    rows: list[list[str]] = []
    workers = here = 0.0
    for name, (words, unit) in PARTS.items():
        total = spent[name] * totals[unit]
        here, workers = (here + total, workers) if name in HERE else (here, workers + total)
        rows.append(
            [words, f"{1000 * spent[name]:.3g} ms / {unit}", "session" if name in HERE else "workers", time_text(total)]
        )
    tasks, solver = task_cost(), solver_seconds()
    ntasks = EXPOSURES / 128 + 3 * EXPOSURES * CHIPS / 128 + EXPOSURES * CHIPS / 16
    rows.append(["tasks", f"{1000 * tasks:.3g} ms / task", "session", time_text(tasks * ntasks)])
    rows.append(["levels of 100,000 exposures", "", "session", time_text(solver)])
    here += tasks * ntasks + solver
    show_table(["part", "measured", "where", f"{EXPOSURES:,} exposures"], rows)
    show(f"Workers: {time_text(workers)} of processor time; on 100 threads {time_text(workers / 100)}.")
    show(f"The session's process: {time_text(here)}.")
    back = totals["Mpixel"] * 1e6 * units["pixel"]
    show(f"Samples that come back: {back / 1e12:.1f} TB ({units['pixel']:.2f} bytes a pixel).")
    show(f"Records of members: {units['chip']:.0f} bytes a chip, {units['chip'] * totals['chip'] / 1e9:.2f} GB.")
    return 0


def bytes_of_pixel(session: SkyMatchSession) -> float:
    """Bytes of samples that come back for each pixel, sums included."""
    (samples,) = session._pipeline.require("sample_overlaps")
    sets = samples.sets
    return float(sum(s.values.nbytes + s.sums.nbytes for s in sets) / sum(s.npix.sum() for s in sets))


def record_size(session: SkyMatchSession) -> float:
    """Bytes that a member takes in a task of 16."""
    loaded, masks = session._pipeline.require("load", "mask")
    each: list[Any] = [MaskedMember.of(loaded, masks, k) for k in range(min(16, len(loaded)))]
    return len(pickle.dumps(each, protocol=5)) / len(each)


if __name__ == "__main__":
    sys.exit(main())

"""Time every change of a parameter that needs no pixel, as a user feels it: the call and its tables.

    python tests/benchmarks/run_live.py

After a first solution each parameter gets values that it never had, in a session for regions and one for differences:
samples of both and of whole members would not fit into what ``optimize='balanced'`` keeps in memory. The exit status is
1 where a required time is missed, or a step that reads pixels was run again.
"""

import argparse
import sys
import time
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
from mosaics import SCENES, get_mosaic
from run_benchmarks import add_common_options, scratch_folder, show, show_table

from skymatch_nb import SkyMatchSession

REQUIRED = {"36": 20.0, "144": 80.0}
"""Milliseconds that a change may take."""
DIFFERENCE_LIMITS = 300.0
"""Those of other values of lower and upper where differences are compared: they are limits of both sides' pixels."""
PIXEL_STEPS = ("sample_overlaps", "sample_members", "align")
REPEATS = 7


def changes(groups: list[str], rng: np.random.Generator) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Names of parameters, and values for each: the first brings a session where the others can be compared."""
    for name, low, high in (
        ("lower", -0.4, -0.2),
        ("upper", 1.0, 3.0),
        ("lsigma", 3.0, 5.0),
        ("usigma", 3.0, 5.0),
        ("binwidth", 0.08, 0.12),
    ):
        yield name, [{name: float(value)} for value in rng.uniform(low, high, REPEATS)]
    yield "nclip", [{"nclip": int(value)} for value in rng.permutation(np.arange(2, 2 + REPEATS))]
    for statistic in ("mean", "median", "mode", "midpt", "binmode", "biweight", "sextractor"):
        yield (
            f"skystat={statistic}",
            [{"skystat": statistic, "lsigma": float(value)} for value in rng.uniform(3.5, 4.5, REPEATS)],
        )
    yield "skymethod", [{"skymethod": name} for name in ("match", "localmin", "globalmin", "globalmin+match")]
    yield "match_down", [{"match_down": False}, {"match_down": True}] * 3
    yield "weighting", [{"weighting": name} for name in ("npix", "variance", "uniform", "pixels")]
    yield "anchor", [{"anchor": name} for name in ("component", "shared")] * 3
    named = [rng.choice(groups, 2) for _ in range(REPEATS)]
    yield "fixed", [{"fixed": {str(group): float(rng.uniform(0, 1)) for group in two}} for two in named]


def time_change(session: SkyMatchSession, change: dict[str, Any]) -> tuple[float, float]:
    """Wall and processor milliseconds of a change and the three tables that it changes."""
    wall, processor = time.perf_counter(), time.process_time()
    session.configure(**change)
    _ = session.sky, session.overlaps
    if session.params.skymethod in ("match", "globalmin+match"):
        _ = session.residuals
    return 1000 * (time.perf_counter() - wall), 1000 * (time.process_time() - processor)


def look_at(session: SkyMatchSession, overlap_stat: str, required: float) -> list[list[str]]:
    start = {"overlap_stat": overlap_stat, "skystat": "mode"}
    time_change(session, start)
    base = session.params.model_dump()
    read = [session.fresh_result(name) for name in PIXEL_STEPS]
    rows = []
    for name, values in changes(sorted(set(session.members["group"])), np.random.default_rng(5)):
        time_change(session, values[0])  # compiles
        times = [time_change(session, change) for change in values[1:]]
        wall, processor = (min(column) for column in zip(*times, strict=True))
        bound = DIFFERENCE_LIMITS if overlap_stat == "difference" and name in ("lower", "upper") else required
        verdict = "PASS" if wall <= bound else "FAIL"
        rows.append([overlap_stat, name, f"{wall:.1f}", f"{processor:.1f}", f"{bound:.0f}", verdict])
        time_change(session, base)
    if any(session.fresh_result(name) is not before for name, before in zip(PIXEL_STEPS, read, strict=True)):
        rows.append([overlap_stat, "pixels were read again", "", "", "", "FAIL"])
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description="Time of changes that need no pixel.")
    add_common_options(parser)
    parser.add_argument("--only", action="append", choices=REQUIRED, help="36, 144")
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # skies that are fixed at random contradict the overlaps
    rows = []
    with scratch_folder(options.scratch) as scratch:
        for name in options.only or REQUIRED:
            mosaic = get_mosaic(SCENES[name], scratch, options.generator)
            for overlap_stat in ("region", "difference"):
                session = SkyMatchSession(mosaic.paths, verbose=False, workers=options.workers)
                rows += [[name, *row] for row in look_at(session, overlap_stat, REQUIRED[name])]
    show_table(["exposures", "overlap_stat", "change", "best wall, ms", "best CPU, ms", "at most, ms", "verdict"], rows)
    failed = sum(row[-1] == "FAIL" for row in rows)
    show(f"{len(rows) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

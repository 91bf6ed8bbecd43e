"""Measure errors against a planted sky: regions, differences and the reference, next to what noise allows.

    python tests/benchmarks/run_accuracy.py --reference PYTHON

Tables are printed as Markdown; with ``--docs docs/`` they and the pictures are put into docs/accuracy.md. The exit
status is 1 where a required number is missed. README.md tells the rest.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from accuracy_plots import draw_exposures, draw_scenes
from calibration import LAYOUTS, Pulls, calibrate
from mosaics import GALAXY, NO_GALAXY, SCENES, Mosaic, Sky, get_mosaic
from noise_limit import noise_limits
from page_blocks import put_blocks
from run_benchmarks import (
    WARM_UP,
    Check,
    Measured,
    add_common_options,
    error_of,
    run_reference,
    scratch_folder,
    show,
    show_environment,
    sky_per_file,
)

from skymatch_nb import SkyMatchSession

NEBULA = Sky("-nebula", {"galaxy": False, "nebula": True})
HARD = Sky("-hard", {"galaxy": False, "nebula": True, "persistence": 0.1}, ("--hard",))
OWN = {"plain": NO_GALAXY, "galaxy": GALAXY, "nebula": NEBULA, "hard": HARD}
OTHER = {"plain": GALAXY, "hard": HARD}
STATISTICS = ("median", "mean", "midpt", "mode", "biweight", "sextractor")
WEIGHTINGS = ("pixels", "npix", "variance", "uniform")
WAYS = ("region", "difference")
RUNS = 5

HARD_ERROR = 0.0004  # electrons per second and pixel, at most, with differences and the median
OVER_LIMIT = 1.3  # times the noise limit of the median, at most, on plain mosaics
COST = 2.5  # run time of differences in that of regions, at most
PULLS = (0.85, 1.15)


@dataclass
class Accuracy:
    """What was measured on one mosaic; errors in data units, times in seconds."""

    name: str
    mosaic: Mosaic
    by_statistic: dict[tuple[str, str], float] = field(default_factory=dict)
    by_weighting: dict[tuple[str, str], float] = field(default_factory=dict)
    levels: dict[str, dict[str, float]] = field(default_factory=dict)
    limits: dict[str, float] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    reference: Measured | None = None

    @property
    def spread(self) -> float:
        return float(np.std(list(self.mosaic.sky.values())))

    @property
    def main(self) -> dict[str, float]:
        """Errors with the median and weights by pixels, of ours and of the reference where it ran."""
        errors = {way: self.by_statistic[way, "median"] for way in WAYS}
        return errors if self.reference is None else {"reference": self.reference.reference_error, **errors}

    @property
    def cost(self) -> float:
        return self.seconds["difference"] / self.seconds["region"]


# -- measuring -------------------------------------------------------------------------------------------------


def new_session(mosaic: Mosaic, way: str, workers: int) -> SkyMatchSession:
    return SkyMatchSession(
        mosaic.paths, skymethod="match", skystat="median", overlap_stat=way, verbose=False, workers=workers
    )


def time_both(mosaic: Mosaic, workers: int, runs: int) -> tuple[dict[str, float], dict[str, SkyMatchSession]]:
    """Median time from files to levels, one way after the other in turn, so that both see the same machine."""
    seconds: dict[str, list[float]] = {way: [] for way in WAYS}
    sessions = {}
    for _ in range(runs):
        for way in WAYS:
            started = time.perf_counter()
            sessions[way] = new_session(mosaic, way, workers)
            sessions[way].solve()
            seconds[way].append(time.perf_counter() - started)
    return {way: statistics.median(spent) for way, spent in seconds.items()}, sessions


def measure(name: str, mosaic: Mosaic, options: argparse.Namespace) -> Accuracy:
    found = Accuracy(name, mosaic)
    found.seconds, sessions = time_both(mosaic, options.workers, 1 if options.quick else RUNS)
    found.limits = noise_limits(sessions["difference"], mosaic)
    for way, session in sessions.items():
        found.levels[way] = sky_per_file(session.sky)
        error = partial(error_with, session, mosaic)
        found.by_statistic |= {(way, statistic): error(skystat=statistic) for statistic in STATISTICS}
        session.configure(skystat="median")
        found.by_weighting |= {(way, weighting): error(weighting=weighting) for weighting in WEIGHTINGS}
    if options.reference:
        found.reference = Measured(SCENES["9"])
        found.levels["reference"] = run_reference(found.reference, mosaic, options.reference)
    return found


def error_with(session: SkyMatchSession, mosaic: Mosaic, **params: str) -> float:
    return error_of(sky_per_file(session.configure(**params).sky), mosaic)


# -- judging ---------------------------------------------------------------------------------------------------


def mosaic_checks(results: Sequence[Accuracy]) -> list[Check]:
    checks = []
    for found in results:
        error = found.by_statistic["difference", "median"]
        if "hard" in found.name:
            checks.append(Check(f"{found.name}: error, difference, median", error, HARD_ERROR))
        if "plain" in found.name:
            ratio = error / found.limits["median"]
            checks.append(Check(f"{found.name}: error in noise limits of the median", ratio, OVER_LIMIT))
        checks.append(Check(f"{found.name}: time of differences in that of regions", found.cost, COST))
    return checks


def calibration_checks(calibrated: Mapping[str, Mapping[str, Pulls]]) -> list[Check]:
    checks = []
    for layout in LAYOUTS:
        if layout.plain:
            deviation = calibrated[layout.name]["difference, median"].deviation
            what = f"{layout.name}: deviation of pulls, difference, median"
            checks += [Check(what, deviation, PULLS[0], at_least=True), Check(what, deviation, PULLS[1])]
    return checks


# -- showing ---------------------------------------------------------------------------------------------------

Table = tuple[Sequence[str], list[list[str]]]


def small(value: float) -> str:
    return f"{value:.6f}"


def error_table(results: Sequence[Accuracy]) -> Table:
    names = [*(["reference"] if results[0].reference else []), *WAYS]
    limits = ["limit, mean", "limit, median"]
    head = ["mosaic", "spread of skies", *names, *limits, "difference / limit"]
    rows = []
    for found in results:
        errors = [small(found.main[name]) for name in names]
        ratio = found.main["difference"] / found.limits["median"]
        rows.append([found.name, f"{found.spread:.4f}", *errors, *map(small, found.limits.values()), f"{ratio:.2f}"])
    return head, rows


def choice_table(results: Sequence[Accuracy], choices: Sequence[str], errors: str) -> Table:
    head = ["mosaic", "overlap_stat", *choices]
    rows = [
        [found.name, way, *(small(getattr(found, errors)[way, choice]) for choice in choices)]
        for found in results
        for way in WAYS
    ]
    return head, rows


def cost_table(results: Sequence[Accuracy]) -> Table:
    head = ["mosaic", "region, s", "difference, s", "difference / region"]
    rows = [[f.name, *(f"{f.seconds[way]:.2f}" for way in WAYS), f"{f.cost:.2f}"] for f in results]
    return head, rows


def calibration_table(calibrated: Mapping[str, Mapping[str, Pulls]], numbers: Mapping[str, int]) -> Table:
    ways = list(next(iter(calibrated.values())))
    rows = []
    for name, of_layout in calibrated.items():
        pulls = [f"{of_layout[way].deviation:.2f}" for way in ways]
        rows.append([name, str(numbers[name]), *pulls, f"{of_layout['difference, median'].limit_ratio:.2f}"])
    return ["exposures", "mosaics", *ways, "error in noise limits"], rows


def markdown(table: Table) -> str:
    head, rows = table
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}", *(f"| {' | '.join(row)} |" for row in rows)]
    return "\n".join(lines)


def write_docs(folder: Path, tables: Mapping[str, str], results: Sequence[Accuracy]) -> None:
    """Put tables between their marks in accuracy.md, and draw its pictures."""
    put_blocks(folder / "accuracy.md", tables)
    images = folder / "images"
    limits = {found.name: found.limits["median"] for found in results}
    draw_scenes(images / "accuracy_scenes.png", {found.name: found.main for found in results}, limits)
    hard = next(found for found in reversed(results) if "hard" in found.name)
    truth = [hard.mosaic.sky[name] for name in sorted(hard.mosaic.sky)]
    errors: dict[str, Any] = {}
    for way in (name for name in ("reference", *WAYS) if name in hard.levels):
        error = np.array([hard.levels[way][name] for name in sorted(hard.mosaic.sky)]) - truth
        errors[way] = error - error.mean()
    draw_exposures(images / "accuracy_hard.png", f"Exposures of the mosaic '{hard.name}'", truth, errors)


# -- running ---------------------------------------------------------------------------------------------------


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Errors of skymatch_nb against a planted sky.")
    add_common_options(parser)
    parser.add_argument("--docs", type=Path, metavar="DIR", help="folder with accuracy.md, which gets the tables")
    parser.add_argument("--quick", action="store_true", help="a quarter of the pixels, few mosaics, no verdicts")
    options = parser.parse_args()
    if options.docs and not (options.docs / "accuracy.md").is_file():
        parser.error(f"--docs {options.docs}: there is no accuracy.md in it")
    if options.generator is not None:
        options.generator = options.generator.resolve()
    return options


def measure_all(options: argparse.Namespace) -> list[Accuracy]:
    scene = SCENES["9"].smaller() if options.quick else SCENES["9"]
    results = []
    with scratch_folder(options.scratch) as scratch:
        time_both(get_mosaic(WARM_UP, scratch), options.workers, 1)
        wanted = [(f"own, {name}", None, looks) for name, looks in OWN.items()]
        if options.generator is not None:
            wanted += [(f"independent, {name}", options.generator, looks) for name, looks in OTHER.items()]
        for name, generator, looks in wanted:
            print(f"{name} ...", file=sys.stderr, flush=True)
            results.append(measure(name, get_mosaic(scene, scratch, generator, looks), options))
    return results


def main() -> int:
    options = read_options()
    results = measure_all(options)
    layouts = [replace(layout, mosaics=5) for layout in LAYOUTS] if options.quick else LAYOUTS
    calibrated = {}
    for layout in layouts:
        print(f"{layout.mosaics} mosaics, {layout.name} ...", file=sys.stderr, flush=True)
        calibrated[layout.name] = calibrate(layout, layout.mosaics)
    checks = [] if options.quick else mosaic_checks(results) + calibration_checks(calibrated)
    tables = {
        "errors": error_table(results),
        "statistics": choice_table(results, STATISTICS, "by_statistic"),
        "weightings": choice_table(results, WEIGHTINGS, "by_weighting"),
        "cost": cost_table(results),
        "calibration": calibration_table(calibrated, {layout.name: layout.mosaics for layout in layouts}),
        "required": (["number", "measured", "required", "verdict"], [check.row() for check in checks]),
    }
    shown = {name: markdown(table) for name, table in tables.items()}
    show_environment([found.reference for found in results if found.reference], options)
    for name, table in shown.items():
        show(f"{name.capitalize()}:\n\n{table}\n")
    if options.docs:
        write_docs(options.docs, shown, results)
    return 0 if all(check.passed for check in checks) else 1


if __name__ == "__main__":
    sys.exit(main())

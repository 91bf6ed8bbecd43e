"""Measure run time and error of skymatch_nb, side by side with the reference implementation where there is one.

    python tests/benchmarks/run_benchmarks.py --reference PYTHON

Tables are printed as Markdown. The exit status is 1 where a required number is missed. README.md tells the rest.
"""

import argparse
import json
import math
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from large import Large, measure_large
from mosaics import GALAXY, NO_GALAXY, SCENES, Mosaic, Scene, get_mosaic

from skymatch_nb import SkyMatchSession

HERE = Path(__file__).resolve().parent
DEFAULT = ("9", "36", "144", "576", "9-large")
LARGE = "9-large"
WITHOUT_REFERENCE = ("576",)
STATISTICS = ("median", "mean", "midpt", "mode")
PACKAGES = ("skymatch_nb", "numpy", "scipy", "numba", "astropy", "shapely")
WARM_UP = Scene("warm-up", 1, 2, (128, 256), 1)

FASTER = {
    ("9-large", "match"): 12.0,
    ("36", "match"): 20.0,
    ("144", "match"): 40.0,
    ("9-large", "globalmin+match"): 10.0,
}
"""Times faster than the reference, at least."""
GROWTH = {("36", "144"): 1.5, ("144", "576"): 1.3}
"""Of the time per exposure from one number of exposures to another, at most."""
PASSES = 4.0  # the time of one pass over the pixels of large exposures, at most
THREADS = 1.6  # times faster with two threads than with one, at least
# Errors of the reference with the median on the mosaics of an independent generator, in electrons per second and pixel,
# measured once. They are required where --generator names one; on other mosaics other errors are to be expected.
STATED_ERROR = {"9": 0.00012, "36": 0.00016, "144": 0.00024}
MODE_ERROR = {"9": 0.0004}
SOLVER_SECONDS, SOLVER_MIB = 2.0, 1024.0
LARGE_SECONDS, LARGE_MIB = 5.0, 2048.0
LARGE_GROUPS = {
    "large_grid_errors_seconds": "on a grid, with errors",
    "large_grid_fixed_errors_seconds": "on a grid, with errors and fixed levels",
    "large_scattered_errors_seconds": "scattered, with errors",
    "large_scattered_fixed_errors_seconds": "scattered, with errors and fixed levels",
}
RUNS = (2, 3)
"""Our runs before the reference's and after it; their median counts."""
IMPORT_SECONDS, FIRST_SECONDS, LATER_SECONDS = 0.3, 20.0, 3.0


@dataclass
class Measured:
    """What was measured on one mosaic; times in seconds, errors in data units."""

    scene: Scene
    skymethod: str = "match"
    seconds: list[float] = field(default_factory=list)
    errors: dict[str, float] = field(default_factory=dict)
    steps: dict[str, float] = field(default_factory=dict)
    reference_seconds: float = math.nan
    reference_error: float = math.nan
    reference_versions: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The scene, and the method where it is not the usual one."""
        return self.scene.name if self.skymethod == "match" else f"{self.scene.name}, {self.skymethod}"

    @property
    def ours(self) -> float:
        return statistics.median(self.seconds)

    @property
    def ratio(self) -> float:
        return self.reference_seconds / self.ours

    @property
    def per_exposure(self) -> float:
        return self.ours / self.scene.exposures


@dataclass(frozen=True)
class Check:
    """A number and the bound that it must keep."""

    what: str
    value: float
    bound: float
    at_least: bool = False
    form: str = ".3g"

    @property
    def passed(self) -> bool:
        return self.value >= self.bound if self.at_least else self.value <= self.bound

    def row(self) -> list[str]:
        sign = "at least" if self.at_least else "at most"
        verdict = "PASS" if self.passed else "FAIL"
        return [self.what, format(self.value, self.form), f"{sign} {self.bound:{self.form}}", verdict]


# -- measuring -------------------------------------------------------------------------------------------------


def new_session(mosaic: Mosaic, workers: int, skymethod: str = "match") -> SkyMatchSession:
    return SkyMatchSession(mosaic.paths, skymethod=skymethod, skystat="median", verbose=False, workers=workers)


def error_of(sky: dict[str, float], mosaic: Mosaic) -> float:
    """Rms over exposures of level minus planted sky, after the mean difference is removed."""
    return float(np.std([sky[name] - truth for name, truth in mosaic.sky.items()]))


def sky_per_file(table: pd.DataFrame) -> dict[str, float]:
    return {str(name): float(level) for name, level in table.groupby("group")["sky_data"].first().items()}


def time_ours(measured: Measured, mosaic: Mosaic, workers: int) -> SkyMatchSession:
    """One run from files to levels in a new session, which is returned."""
    started = time.perf_counter()
    session = new_session(mosaic, workers, measured.skymethod)
    _ = session.sky
    measured.seconds.append(time.perf_counter() - started)
    return session


def look_at(measured: Measured, session: SkyMatchSession, mosaic: Mosaic) -> None:
    """Note where a run spent its time, and the errors with every statistic; no pixel is read again for these."""
    seconds = session.status()["seconds"].dropna()
    measured.steps = {str(result): float(spent) for (_, result), spent in seconds.items()}
    for name in STATISTICS:
        measured.errors[name] = error_of(sky_per_file(session.configure(skystat=name).sky), mosaic)


def run_reference(measured: Measured, mosaic: Mosaic, python: str) -> dict[str, float]:
    """Run the reference once in its own process, and return its levels; its import is not timed."""
    with TemporaryDirectory() as folder:
        out = Path(folder) / "out.json"
        command = [python, str(HERE / "run_reference.py"), str(mosaic.folder), str(out)]
        command += ["--skymethod", measured.skymethod]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        result = json.loads(out.read_text())
    if "error" in result:
        raise SystemExit(f"the reference failed: {result['error']}")
    measured.reference_seconds = result["seconds"]
    levels = {name: chips[0] for name, chips in result["levels"].items()}
    measured.reference_error = error_of(levels, mosaic)
    measured.reference_versions = result["versions"]
    return levels


def measure(scene: Scene, mosaic: Mosaic, options: argparse.Namespace, skymethod: str = "match") -> Measured:
    """Measure one mosaic: our runs lie on both sides of the reference's, so that both see the same machine.

    A run beforehand, which does not count, compiles kernels and reads the files from the disk.
    """
    measured = Measured(scene, skymethod)
    time_ours(Measured(scene, skymethod), mosaic, options.workers)
    before, after = (1, 0) if options.quick else RUNS
    for _ in range(before):
        session = time_ours(measured, mosaic, options.workers)
    look_at(measured, session, mosaic)
    if options.reference and scene.name not in WITHOUT_REFERENCE:
        run_reference(measured, mosaic, options.reference)
    for _ in range(after):
        time_ours(measured, mosaic, options.workers)
    return measured


def run_child(*arguments: str) -> str:
    done = subprocess.run([sys.executable, *arguments], check=True, capture_output=True, text=True)
    return done.stdout


def import_seconds(statement: str, runs: int = 5) -> float:
    """Median time of an import in a fresh interpreter."""
    code = f"import time; t = time.perf_counter(); {statement}; print(time.perf_counter() - t)"
    return statistics.median(float(run_child("-c", code)) for _ in range(runs))


def start_seconds(paths: Sequence[Path], runs: int = 3) -> tuple[float, float]:
    """Wall time of `skymatch-nb match` of two small files: the first on a machine, and the median of later ones."""
    seconds = []
    with TemporaryDirectory() as cache:
        for _ in range(1 + runs):
            started = time.perf_counter()
            subprocess.run(
                [sys.executable, "-m", "skymatch_nb", "match", *map(str, paths)],
                check=True, capture_output=True, env=os.environ | {"NUMBA_CACHE_DIR": cache},
            )  # fmt: skip
            seconds.append(time.perf_counter() - started)
    return seconds[0], statistics.median(seconds[1:])


# -- judging ---------------------------------------------------------------------------------------------------


def speed_checks(measured: Measured) -> list[Check]:
    bound = FASTER.get((measured.scene.name, measured.skymethod))
    if bound is None or math.isnan(measured.ratio):
        return []
    return [Check(f"{measured.name} exposures: times faster than the reference", measured.ratio, bound, True)]


def error_checks(measured: Measured) -> list[Check]:
    """Errors against the stated ones, and against those of the reference on the same files where it ran."""
    name = measured.name
    checks = []
    if name in STATED_ERROR:
        bound = float(np.fmin(STATED_ERROR[name], measured.reference_error))
        judged = [(statistic, measured.errors[statistic]) for statistic in ("median", "mean", "midpt")]
        checks = [Check(f"{name} exposures: error, {statistic}", error, bound) for statistic, error in judged]
    if name in MODE_ERROR:
        checks.append(Check(f"{name} exposures: error, mode", measured.errors["mode"], MODE_ERROR[name]))
    return checks


def growth_checks(results: Sequence[Measured]) -> list[Check]:
    each = {measured.name: measured.per_exposure for measured in results}
    return [
        Check(f"time per exposure, {many} against {few} exposures", each[many] / each[few], bound)
        for (few, many), bound in GROWTH.items()
        if {few, many} <= each.keys()
    ]


def large_checks(results: Sequence[Measured], large: Large | None) -> list[Check]:
    if large is None:
        return []
    ours = next(measured.ours for measured in results if measured.name == LARGE)
    return [
        Check(f"{LARGE} exposures: in times of one pass over their pixels", ours / large.one_pass, PASSES),
        Check(f"{LARGE} exposures: measuring, times faster with two threads than with one", large.gain, THREADS, True),
    ]


def mosaic_checks(results: Sequence[Measured], large: Large | None, stated: bool) -> list[Check]:
    """Checks of the mosaics of one generator; ``stated`` tells that errors are required on them."""
    checks = [check for measured in results for check in speed_checks(measured)]
    checks += growth_checks(results) + large_checks(results, large)
    if stated:
        checks += [check for measured in results for check in error_checks(measured)]
    return checks


def start_checks(paths: Sequence[Path]) -> list[Check]:
    first, later = start_seconds(paths)
    return [
        Check("skymatch-nb match of two files, first on a machine: seconds", first, FIRST_SECONDS),
        Check("skymatch-nb match of two files, later: seconds", later, LATER_SECONDS),
        Check("import skymatch_nb: seconds", import_seconds("import skymatch_nb"), IMPORT_SECONDS),
    ]


def solver_checks() -> list[Check]:
    """Solutions of many groups, in a process of their own."""
    solver = json.loads(run_child(str(HERE / "run_solver.py")))
    return [
        Check("solver, 10,000 groups: seconds", solver["seconds"], SOLVER_SECONDS),
        Check("solver, 10,000 groups: peak memory of the process, MiB", solver["peak_mib"], SOLVER_MIB, form=".0f"),
        Check("solver, 10,000 groups: error", solver["error"], 1e-12),
        *(
            Check(f"solver, 100,000 groups {how}: {clock} seconds", solver[name][place], LARGE_SECONDS)
            for name, how in LARGE_GROUPS.items()
            for place, clock in enumerate(("wall", "processor"))
        ),
        Check("solver, 100,000 groups: peak memory, MiB", solver["large_peak_mib"], LARGE_MIB, form=".0f"),
        Check("errors, 10,000 groups, weighted by variance: seconds", solver["errors_variance_seconds"], 15.0),
        Check("errors, 10,000 groups, weighted by pixels: seconds", solver["errors_pixels_seconds"], 30.0),
        Check("errors, 10,000 groups, huber: seconds", solver["errors_huber_seconds"], 30.0),
        Check("errors, 10,000 groups, shared noise: seconds", solver["errors_shared_seconds"], 30.0),
        Check("errors, 10,000 groups: peak memory, MiB", solver["errors_peak_mib"], 2048, form=".0f"),
    ]


# -- showing ---------------------------------------------------------------------------------------------------

Table = tuple[Sequence[str], list[list[str]]]


def show(text: str = "") -> None:
    print(text, flush=True)


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join([f"| {' | '.join(head)} |", f"|{'---|' * len(head)}", *(f"| {' | '.join(row)} |" for row in rows)])


def show_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    show(f"{markdown(head, rows)}\n")


def number_text(value: float, form: str) -> str:
    return "" if math.isnan(value) else format(value, form)


def time_table(results: Sequence[Measured], with_reference: bool) -> Table:
    theirs = ["reference, s"] if with_reference else []
    head = ["exposures", "pixels of each", *theirs, "ours, s", *(["ratio"] if theirs else []), "ours per exposure, ms"]
    rows = []
    for m in results:
        seconds = [number_text(m.reference_seconds, ".1f")] if theirs else []
        ratio = [number_text(m.ratio, ".1f")] if theirs else []
        rows.append([m.name, m.scene.size, *seconds, f"{m.ours:.2f}", *ratio, f"{1000 * m.per_exposure:.1f}"])
    return head, rows


def error_table(results: Sequence[Measured], with_reference: bool) -> Table:
    theirs = ["reference, median"] if with_reference else []
    head = ["exposures", *theirs, *(f"ours, {name}" for name in STATISTICS)]
    rows = []
    for m in results:
        errors = [m.reference_error] if theirs else []
        errors += [m.errors[name] for name in STATISTICS]
        rows.append([m.name, *(number_text(error, ".6f") for error in errors)])
    return head, rows


def step_table(results: Sequence[Measured]) -> Table:
    """Seconds of every step that took a hundredth of a run or more, in one run of each mosaic."""
    totals = {m.name: sum(m.steps.values()) for m in results}
    steps = dict.fromkeys(step for m in results for step in m.steps)
    names = [n for n in steps if any(m.steps.get(n, 0) > 0.01 * totals[m.name] for m in results)]
    rows = [[name, *(f"{m.steps.get(name, 0):.3f}" for m in results)] for name in names]
    return ["step", *(f"{m.name} exposures, s" for m in results)], rows


def large_table(large: Large) -> Table:
    head = ["one pass over the pixels, s", "measuring with one thread, s", "with two, s", "times faster"]
    return head, [[*(f"{t:.3f}" for t in (large.one_pass, large.one_thread, large.two_threads)), f"{large.gain:.2f}"]]


def environment(results: Sequence[Measured], options: argparse.Namespace) -> list[str]:
    """Machine and versions, a line each."""
    ours = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    lines = [
        f"- {os.cpu_count()} cores, {memory_gib():.0f} GiB of memory, {platform.system()}, {options.workers} workers",
        f"- ours: Python {platform.python_version()}, {ours}",
    ]
    theirs = next((m.reference_versions for m in results if m.reference_versions), {})
    if theirs:
        return [*lines, f"- reference: {', '.join(f'{name} {number}' for name, number in theirs.items())}"]
    return [
        *lines,
        "- the reference did not run: --reference names the Python of an environment with stsci.skypac 1.0.12",
    ]


def show_environment(results: Sequence[Measured], options: argparse.Namespace) -> None:
    show("\n".join(environment(results, options)) + "\n")


def memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3


# -- running ---------------------------------------------------------------------------------------------------


@contextmanager
def scratch_folder(kept: Path | None) -> Iterator[Path]:
    """A folder that is kept where it was asked for, else a temporary one."""
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept.resolve()
    else:
        with TemporaryDirectory(prefix="skymatch_nb-benchmarks-") as folder:
            yield Path(folder)


def add_common_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--reference", metavar="PYTHON", help="Python of an environment with stsci.skypac 1.0.12")
    parser.add_argument("--generator", type=Path, metavar="SCRIPT", help="another script that makes mosaics")
    parser.add_argument("--scratch", type=Path, metavar="DIR", help="folder in which the mosaics are kept")
    parser.add_argument("--workers", type=int, default=2, help="threads of ours (default 2); the reference uses one")


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Run time and error of skymatch_nb on synthetic mosaics.")
    add_common_options(parser)
    parser.add_argument("--no-galaxy", action="store_true", help="leave the galaxy out of our own mosaics")
    parser.add_argument("--no-own", action="store_true", help="with --generator: leave our own mosaics out")
    parser.add_argument("--only", action="append", choices=SCENES, metavar="SCENE", help=f"{', '.join(SCENES)}")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the results, for plot_times.py")
    parser.add_argument(
        "--quick", action="store_true", help="a quarter of the pixels, one run each, no verdicts on them"
    )
    options = parser.parse_args()
    if options.reference and shutil.which(options.reference) is None:
        parser.error(f"--reference {options.reference}: no such program")
    if options.generator is not None:
        options.generator = options.generator.resolve()
    return options


@dataclass
class Kind:
    """All that was measured on the mosaics of one generator."""

    name: str
    about: str
    generator: Path | None
    results: list[Measured] = field(default_factory=list)
    large: Large | None = None

    def tables(self, with_reference: bool) -> dict[str, str]:
        tables = {
            "times": time_table(self.results, with_reference),
            "errors": error_table(self.results, with_reference),
            "steps": step_table(self.results),
        }
        if self.large is not None:
            tables["large"] = large_table(self.large)
        return {name: markdown(*table) for name, table in tables.items()}

    def checks(self) -> list[Check]:
        found = mosaic_checks(self.results, self.large, stated=self.generator is not None)
        return [replace(check, what=f"{self.name}: {check.what}") for check in found]


def kinds_of(options: argparse.Namespace) -> list[Kind]:
    kinds = []
    if options.generator is not None:
        kinds.append(Kind("independent", f"mosaics of {options.generator.name}", options.generator))
    if options.generator is None or not options.no_own:
        about = "the package's own mosaics" + (", without the galaxy" if options.no_galaxy else "")
        kinds.append(Kind("own", about, None))
    return kinds


def measure_kind(kind: Kind, scratch: Path, options: argparse.Namespace) -> None:
    for name in options.only or DEFAULT:
        scene = SCENES[name].smaller() if options.quick else SCENES[name]
        print(f"{kind.name}, {name} exposures ...", file=sys.stderr, flush=True)
        mosaic = get_mosaic(scene, scratch, kind.generator, NO_GALAXY if options.no_galaxy else GALAXY)
        kind.results.append(measure(scene, mosaic, options))
        if name == LARGE:
            kind.large = measure_large(mosaic, options)
            kind.results.append(measure(scene, mosaic, options, "globalmin+match"))


def keep(path: Path, kinds: Sequence[Kind], required: str, options: argparse.Namespace) -> None:
    """Write what was measured, and the tables, as JSON; no number is NaN there."""
    told = {
        kind.name: {
            "about": kind.about,
            "measured": [{"exposures": m.scene.exposures, "ours": m.ours, **asdict(m)} for m in kind.results],
            "tables": kind.tables(bool(options.reference)),
        }
        for kind in kinds
    }
    document = {"environment": environment([m for k in kinds for m in k.results], options), "kinds": told}
    complete = bool(options.reference) and not options.quick and not options.only
    text = json.dumps(document | {"required": required, "complete": complete}, indent=1)
    path.write_text(text.replace(": NaN", ": null"), encoding="utf-8")


def main() -> int:
    options = read_options()
    warnings.simplefilter("ignore")
    kinds = kinds_of(options)
    with scratch_folder(options.scratch) as scratch:
        small = get_mosaic(WARM_UP, scratch)
        _ = time_ours(Measured(WARM_UP), small, options.workers).sky
        for kind in kinds:
            measure_kind(kind, scratch, options)
        others = [] if options.quick else [*solver_checks(), *start_checks(small.paths)]
    show_environment([m for kind in kinds for m in kind.results], options)
    for kind in kinds:
        show(f"## {kind.about[0].upper()}{kind.about[1:]}\n")
        for table in kind.tables(bool(options.reference)).values():
            show(f"{table}\n")
    checks = [] if options.quick else [check for kind in kinds for check in kind.checks()] + others
    required = markdown(["number", "measured", "required", "verdict"], [check.row() for check in checks])
    show(f"{required}\n")
    show(f"For comparison, `from skymatch_nb import SkyMatchSession` took {session_import():.2f} s.")
    if options.json:
        keep(options.json, kinds, required, options)
    failed = sum(not check.passed for check in checks)
    show(f"{len(checks) - failed} passed, {failed} failed")
    return 1 if failed else 0


def session_import() -> float:
    return import_seconds("from skymatch_nb import SkyMatchSession", 3)


if __name__ == "__main__":
    sys.exit(main())

"""Peak anonymous memory of a solution of 144 exposures, in a process of its own.

    python tests/benchmarks/run_memory.py

The exposures lie side by side, then nearly on one another (a dither), and then all on one field, within a twentieth of
its size, where every exposure overlaps every other: 144 small ones, and 40 large ones (which write 6 GB of samples;
144 would write 80 GB). The exit status is 1 where 'balanced' takes more than it may. Linux only: /proc tells the
memory.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from astropy.io import fits
from mosaics import Mosaic, Scene, Sky, get_mosaic
from run_benchmarks import scratch_folder, show, show_table

BALANCED_MIB = 1.2e9 / 2**20
SIDE_BY_SIDE = Scene("144", 12, 12, (1024, 2048), 1)
DITHER = Scene("dither", 2, 6, (1024, 2048), 1)
DITHERED = Sky("-dither", {"galaxy": False, "overlap": 0.85})
PAIR = Scene("pair", 1, 2, (1024, 2048), 1)
SMALL_PAIR = Scene("pair", 1, 2, (128, 256), 1)
SPREAD = 0.05
SOLVE = """
import sys
from skymatch_nb import SkyMatchSession
_, optimize, overlap_stat, skymethod, *paths = sys.argv
session = SkyMatchSession(paths, optimize=optimize, overlap_stat=overlap_stat, skymethod=skymethod, verbose=False,
                          workers=2)
session.solve()
"""


@dataclass(frozen=True)
class Run:
    """One solution: of which mosaic, and how."""

    mosaic: str
    optimize: str
    overlap_stat: str
    skymethod: str = "match"


def on_one_field(scene: Scene, count: int, scratch: Path) -> Mosaic:
    """Copies of one exposure, each shifted on the sky and in its level by chance."""
    original = get_mosaic(scene, scratch, looks=DITHERED).paths[0]
    folder = scratch / f"one-field-{count}-{scene.shape[1]}x{scene.shape[0]}"
    folder.mkdir(exist_ok=True)
    rng = np.random.default_rng(1)
    sky = {}
    for k in range(count):
        level, right, up = rng.uniform(-1, 1, 3)
        name = f"copy{k:03d}_flt.fits"
        with fits.open(original) as hdus:
            for hdu in hdus:
                if hdu.name == "SCI":
                    extent = np.hypot(hdu.header["CD1_1"], hdu.header["CD1_2"]) * scene.shape[1]
                    hdu.header["CRVAL1"] += 0.5 * SPREAD * extent * right / np.cos(np.radians(hdu.header["CRVAL2"]))
                    hdu.header["CRVAL2"] += 0.5 * SPREAD * extent * up
                    hdu.data = (hdu.data + level).astype(np.float32)
            hdus.writeto(folder / name, overwrite=True)
        sky[name] = level
    return Mosaic(folder, sky)


def anonymous_mib(pid: int) -> float:
    """Anonymous memory of a process now, 0 where it has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except FileNotFoundError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("RssAnon")), 0.0)


def peak_of(run: Run, paths: Sequence[Path]) -> tuple[float, float]:
    """Peak anonymous memory in MiB, looked at a hundred times a second, and seconds."""
    arguments = [run.optimize, run.overlap_stat, run.skymethod, *map(str, paths)]
    started, peak = time.perf_counter(), 0.0
    with subprocess.Popen([sys.executable, "-c", SOLVE, *arguments]) as process:
        while process.poll() is None:
            peak = max(peak, anonymous_mib(process.pid))
            time.sleep(0.01)
    if process.returncode:
        raise SystemExit(f"the solution failed: {run}")
    return peak, time.perf_counter() - started


def main() -> int:
    parser = argparse.ArgumentParser(description="Peak anonymous memory of solutions.")
    parser.add_argument("--scratch", type=Path, metavar="DIR", help="folder in which the mosaics are kept (9 GB)")
    parser.add_argument("--quick", action="store_true", help="'balanced' alone")
    options = parser.parse_args()
    rows = []
    with scratch_folder(options.scratch) as scratch:
        mosaics: dict[str, Mosaic] = {
            "144 side by side": get_mosaic(SIDE_BY_SIDE, scratch),
            "12 on one another": get_mosaic(DITHER, scratch, looks=DITHERED),
            "144 small on one field": on_one_field(SMALL_PAIR, 144, scratch),
            "40 on one field": on_one_field(PAIR, 40, scratch),
        }
        both = ("144 side by side", "12 on one another")
        runs = [Run(name, "balanced", how) for name in both for how in ("region", "difference")]
        runs += [Run(name, "balanced", "region") for name in mosaics if name not in both]
        runs.append(Run("144 side by side", "balanced", "region", "globalmin+match"))
        if not options.quick:
            runs += [Run("144 side by side", optimize, "region") for optimize in ("speed", "inmemory")]
        for run in runs:
            peak, seconds = peak_of(run, mosaics[run.mosaic].paths)
            bound = BALANCED_MIB if run.optimize == "balanced" else float("inf")
            verdict = "PASS" if peak <= bound else "FAIL"
            row = [run.mosaic, run.optimize, run.overlap_stat, run.skymethod, f"{peak:.0f}", f"{bound:.0f}"]
            rows.append([*row, f"{seconds:.1f}", verdict])
            print(*rows[-1], file=sys.stderr, flush=True)
    head = ["exposures", "optimize", "overlap_stat", "skymethod", "peak, MiB", "at most", "seconds", "verdict"]
    show_table(head, rows)
    failed = sum(row[-1] == "FAIL" for row in rows)
    show(f"{len(rows) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

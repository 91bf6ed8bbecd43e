"""Find the overlaps of chips that cover the whole sky, in processes of their own; print a Markdown table.

    python tests/benchmarks/run_cover.py

Chips lie at random, in any orientation, and overlap several others each, poles and right ascension 0 included. The
exit status is 1 where 50,000 of them take too long, or memory grows faster than their number.
"""

import argparse
import json
import subprocess
import sys
import time
from dataclasses import dataclass, replace

import numpy as np
from astropy.wcs import WCS, Sip
from run_benchmarks import Check, show, show_table
from run_solver import peak_memory
from scipy.spatial.transform import Rotation

from skymatch_nb.executor import Work
from skymatch_nb.geometry.outlines import trace_outline
from skymatch_nb.io.wcs import FitsTransform
from skymatch_nb.results import Footprints, Loaded, Outline
from skymatch_nb.steps.overlap import overlap

NUMBERS = (12_500, 25_000, 50_000)
SHAPE = (1024, 2048)
SHARE = 1.3
"""Sum of the chips' areas in that of the sky, which gives each some six neighbours."""
WORKERS = 2
SECONDS, GROWTH = 60.0, 1.3


@dataclass(frozen=True)
class Cover:
    """What one number of chips took."""

    chips: int
    overlaps: int
    wall: float
    processor: float
    before: float
    peak: float

    @property
    def kib_each(self) -> float:
        """Memory for each chip, that of the libraries left out, in KiB."""
        return (self.peak - self.before) * 1024 / self.chips


def chip(number: int) -> Outline:
    """Outline of one of so many chips, with the distortion of a camera."""
    ny, nx = SHAPE
    scale = np.degrees(np.sqrt(4 * np.pi * SHARE / number / (nx * ny)))
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN-SIP", "DEC--TAN-SIP"]
    wcs.wcs.crpix = (nx + 1) / 2, (ny + 1) / 2
    wcs.wcs.cdelt = -scale, scale
    a, b = np.zeros((3, 3)), np.zeros((3, 3))
    a[2, 0], a[1, 1], b[0, 2], b[1, 1] = 8e-6, -5e-6, 8e-6, 4e-6
    wcs.sip = Sip(a, b, None, None, wcs.wcs.crpix)
    wcs.wcs.set()
    return trace_outline(FitsTransform(wcs), SHAPE)


def cover(number: int, seed: int = 1) -> tuple[Outline, ...]:
    """Chips of the whole sky: one that is turned to places and orientations at random."""
    one = chip(number)
    turned = Rotation.random(number, rng=np.random.default_rng(seed)).as_matrix()
    return tuple(replace(one, vectors=one.vectors @ turn.T, center=turn @ one.center) for turn in turned)


def measure(number: int) -> Cover:
    """Find the overlaps of so many chips, as the step of a session does, in this process."""
    find(200)  # compiles nothing, but loads libraries
    loaded, footprints = inputs(number)
    before = peak_memory()
    started = time.perf_counter(), time.process_time()
    found = overlap("", loaded, footprints, Work(WORKERS))
    wall, processor = time.perf_counter() - started[0], time.process_time() - started[1]
    assert not found.failed
    return Cover(number, len(found), wall, processor, before, peak_memory())


def inputs(number: int) -> tuple[Loaded, Footprints]:
    """What the step takes; every chip is a group of its own."""
    return Loaded("", (), (), np.arange(number), ()), Footprints("", cover(number))


def find(number: int) -> None:
    overlap("", *inputs(number), Work(WORKERS))


def in_child(number: int) -> Cover:
    done = subprocess.run([sys.executable, __file__, "--one", str(number)], check=True, stdout=subprocess.PIPE)
    return Cover(**json.loads(done.stdout))


def checks_of(covers: list[Cover]) -> list[Check]:
    few, most = covers[0], covers[-1]
    return [
        Check(f"overlaps of {most.chips:,} chips: seconds", most.wall, SECONDS),
        Check(
            f"overlaps: memory for each of {most.chips:,} chips in that of {few.chips:,}",
            most.kib_each / few.kib_each,
            GROWTH,
        ),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description="Overlaps of chips that cover the sky.")
    parser.add_argument("--one", type=int, metavar="N", help="this number of chips alone, in this process; as JSON")
    options = parser.parse_args()
    if options.one:
        print(json.dumps(vars(measure(options.one))))
        return 0
    covers = [in_child(number) for number in NUMBERS]
    head = ["chips", "overlaps", "for each chip", "wall, s", "processor, s", "peak memory, MiB", "KiB for each chip"]
    rows = []
    for c in covers:
        rows.append([f"{c.chips:,}", f"{c.overlaps:,}", f"{2 * c.overlaps / c.chips:.1f}", f"{c.wall:.1f}"])
        rows[-1] += [f"{c.processor:.1f}", f"{c.peak:.0f}", f"{c.kib_each:.1f}"]
    show_table(head, rows)
    checks = checks_of(covers)
    show_table(["number", "measured", "required", "verdict"], [check.row() for check in checks])
    failed = sum(not check.passed for check in checks)
    show(f"{len(checks) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

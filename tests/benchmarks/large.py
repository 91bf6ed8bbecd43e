"""What is required of large exposures besides their plain time: against one pass over the pixels, and threads."""

import argparse
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

from astropy.io import fits
from mosaics import Mosaic

from skymatch_nb import SkyMatchSession

RUNS = 5
STEP = "sample_overlaps"


@dataclass(frozen=True)
class Large:
    """Medians in seconds: one pass over the pixels, and the measuring step in one thread and in two."""

    one_pass: float
    one_thread: float
    two_threads: float

    @property
    def gain(self) -> float:
        return self.one_thread / self.two_threads


def sum_pixels(paths: list[Path]) -> float:
    """Sum every pixel of the SCI and DQ images once, through memory maps."""
    total = 0.0
    for path in paths:
        with fits.open(path, memmap=True) as hdus:
            total += sum(float(hdu.data.sum(dtype=float)) for hdu in hdus if hdu.name in ("SCI", "DQ"))
    return total


def seconds_of_sum(paths: list[Path]) -> float:
    started = time.perf_counter()
    sum_pixels(paths)
    return time.perf_counter() - started


def seconds_of_step(mosaic: Mosaic, workers: int) -> float:
    """Wall time of the measuring step in a new session."""
    session = SkyMatchSession(mosaic.paths, skymethod="match", skystat="median", verbose=False, workers=workers)
    session.solve()
    seconds = session.status()["seconds"].dropna()
    return next(float(spent) for (_, result), spent in seconds.items() if result == STEP)


def measure_large(mosaic: Mosaic, options: argparse.Namespace) -> Large:
    """Each in turn, so that all see the same machine."""
    spent: dict[str, list[float]] = {"sum": [], "one": [], "two": []}
    for _ in range(1 if options.quick else RUNS):
        spent["sum"].append(seconds_of_sum(mosaic.paths))
        spent["one"].append(seconds_of_step(mosaic, 1))
        spent["two"].append(seconds_of_step(mosaic, 2))
    return Large(*(statistics.median(times) for times in spent.values()))

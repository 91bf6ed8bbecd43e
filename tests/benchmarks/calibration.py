"""Errors of many small mosaics in units of the stated ones: are standard errors as large as they are said to be?"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from mosaics import Mosaic
from noise_limit import noise_limits

from skymatch_nb import SkyMatchSession
from skymatch_nb.datasets import make_mosaic

SHAPE = (64, 96)
PLAIN = {"galaxy": False, "stars": 4}
HARD = PLAIN | {"nebula": True, "persistence": 0.1}


@dataclass(frozen=True)
class Layout:
    """How exposures lie, and how many mosaics of that kind are made."""

    name: str
    rows: int
    cols: int
    overlap: float
    mosaics: int
    looks: Mapping[str, Any] = field(default_factory=lambda: PLAIN)

    @property
    def plain(self) -> bool:
        """Whether nothing but noise and stars makes errors."""
        return self.looks == PLAIN


LAYOUTS = (
    Layout("3 x 3, a third shared", 3, 3, 0.33, 200),
    Layout("4 dithers of one field", 2, 2, 0.85, 100),
    Layout("8 dithers of one field", 2, 4, 0.87, 60),
    Layout("16 dithers of one field", 4, 4, 0.89, 40),
    Layout("3 x 3, nebula and flagged blobs", 3, 3, 0.33, 100, HARD),
)
WAYS: tuple[dict[str, str], ...] = (
    {"overlap_stat": "difference", "skystat": "median"},
    {"overlap_stat": "difference", "skystat": "mean"},
    {"overlap_stat": "difference", "skystat": "mode"},
    {"overlap_stat": "difference", "skystat": "median", "weighting": "variance"},
    {"overlap_stat": "region", "skystat": "median"},
)


def words(way: dict[str, str]) -> str:
    """A way to solve in words."""
    return ", ".join(way.values())


@dataclass(frozen=True)
class Pulls:
    """Errors in units of the stated ones, and errors of whole mosaics in units of the noise limit of the statistic."""

    pulls: Any
    of_limit: Any

    @property
    def deviation(self) -> float:
        return float(np.std(self.pulls))

    @property
    def limit_ratio(self) -> float:
        return float(np.sqrt(np.mean(self.of_limit**2)))


def calibrate(layout: Layout, number: int) -> dict[str, Pulls]:
    """Pulls of all exposures of ``number`` mosaics, for each of `WAYS`."""
    found: dict[str, tuple[list[Any], list[float]]] = {words(way): ([], []) for way in WAYS}
    for seed in range(number):
        with TemporaryDirectory() as folder:
            grid = {"rows": layout.rows, "cols": layout.cols, "overlap": layout.overlap, "shape": SHAPE}
            planted = make_mosaic(folder, seed=1000 + seed, **grid, **layout.looks)
            for name, pull, ratio in _solve_all(Mosaic(Path(folder), planted.sky)):
                found[name][0].append(pull)
                found[name][1].append(ratio)
    return {name: Pulls(np.concatenate(pulls), np.array(ratios)) for name, (pulls, ratios) in found.items()}


def _solve_all(mosaic: Mosaic) -> Iterator[tuple[str, Any, float]]:
    session = SkyMatchSession(mosaic.paths, skymethod="match", verbose=False)
    limits: dict[str, float] = {}
    for way in WAYS:
        groups = session.configure(**{"weighting": "pixels", **way}).sky.groupby("group", sort=False)
        if not limits:  # from the first way, which takes differences
            limits = noise_limits(session, mosaic)
        level = groups["sky_data"].first()
        error = level - [mosaic.sky[name] for name in level.index]
        error -= error.groupby(groups["component"].first()).transform("mean")
        limit = limits["mean" if way["skystat"] == "mean" else "median"]
        yield words(way), (error / groups["sky_data_err"].first()).to_numpy(), float(np.std(error)) / limit

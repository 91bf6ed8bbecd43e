"""The mosaics that the benchmarks run on, made by the package's own generator or by another script."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from skymatch_nb.datasets import make_mosaic

TRUTH = "truth.json"


@dataclass(frozen=True)
class Scene:
    """A mosaic of ``rows`` by ``cols`` exposures of two chips of ``shape`` (ny, nx) pixels each."""

    name: str
    rows: int
    cols: int
    shape: tuple[int, int]
    seed: int

    @property
    def exposures(self) -> int:
        return self.rows * self.cols

    @property
    def size(self) -> str:
        """Size of an exposure in words."""
        return f"2 x {self.shape[1]} x {self.shape[0]}"

    def smaller(self) -> "Scene":
        """The same mosaic with chips of half the width and half the height."""
        ny, nx = self.shape
        return replace(self, shape=(ny // 2, nx // 2))


SCENES = {
    scene.name: scene
    for scene in (
        Scene("9", 3, 3, (1024, 2048), 7),
        Scene("36", 6, 6, (512, 1024), 1),
        Scene("144", 12, 12, (256, 512), 1),
        Scene("576", 24, 24, (128, 256), 1),
        Scene("9-large", 3, 3, (2048, 4096), 3),
    )
}


@dataclass(frozen=True)
class Sky:
    """What the exposures look at: arguments of the package's own generator, and options of another script."""

    name: str
    own: Mapping[str, Any] = field(default_factory=dict)
    options: Sequence[str] = ()

    def label(self, generator: Path | None) -> str:
        """Name of the folder's kind of mosaic."""
        if generator is None:
            return f"own{self.name}"
        return "".join([generator.stem, *self.options])


GALAXY = Sky("")
NO_GALAXY = Sky("-no-galaxy", {"galaxy": False})


@dataclass(frozen=True)
class Mosaic:
    """Files of a mosaic and the sky of each in its data units, by file name."""

    folder: Path
    sky: dict[str, float]

    @property
    def paths(self) -> list[Path]:
        return [self.folder / name for name in sorted(self.sky)]


def get_mosaic(scene: Scene, scratch: Path, generator: Path | None = None, looks: Sky = GALAXY) -> Mosaic:
    """Make a mosaic in a folder of ``scratch``, or take the one that an earlier run has left there."""
    ny, nx = scene.shape
    folder = scratch / f"{looks.label(generator)}-{scene.rows}x{scene.cols}-{nx}x{ny}-seed{scene.seed}"
    truth = folder / TRUTH
    if not truth.exists():  # written last, so that a folder with one is complete
        folder.mkdir(parents=True, exist_ok=True)
        if generator is None:
            make_own(scene, folder, looks.own)
        else:
            make_with(generator, scene, folder, looks.options)
    sky = {name: about["sky_data"] for name, about in json.loads(truth.read_text()).items()}
    return Mosaic(folder, sky)


def make_own(scene: Scene, folder: Path, looks: Mapping[str, Any]) -> None:
    """Make the mosaic with one exposure time for all, so that no exposure is noisier than its own sky makes it."""
    grid: dict[str, Any] = {"rows": scene.rows, "cols": scene.cols, "shape": scene.shape, "seed": scene.seed}
    planted = make_mosaic(folder, **({"exptimes": (500.0,), "overwrite": True} | grid | dict(looks)))
    (folder / TRUTH).write_text(json.dumps({name: {"sky_data": sky} for name, sky in planted.sky.items()}))


def make_with(generator: Path, scene: Scene, folder: Path, options: Sequence[str] = ()) -> None:
    """Run a generator script; it writes the exposures and ``truth.json``: {file: {"sky_data": level}}."""
    ny, nx = scene.shape
    grid = ["--rows", scene.rows, "--cols", scene.cols, "--nx", nx, "--ny", ny, "--seed", scene.seed]
    command = [sys.executable, str(generator), str(folder), *map(str, grid), *options]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

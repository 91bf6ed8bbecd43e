"""Remake the stored sky levels of the reference implementation, `reference_*.json`, in this folder.

    python tests/data/make_reference.py --reference PYTHON

PYTHON is the Python of an environment with stsci.skypac 1.0.12; see ../benchmarks/run_reference.py for the mends
without which it does not run. tests/test_reference.py makes the same mosaics and compares.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from astropy.io import fits

from skymatch_nb.datasets import make_mosaic

HERE = Path(__file__).resolve().parent
RUNNER = HERE.parent / "benchmarks" / "run_reference.py"
METHODS = ("match", "globalmin+match", "localmin", "globalmin")
STATISTICS = ("mean", "median")
COMMON: dict[str, Any] = {"rows": 2, "cols": 3, "shape": [256, 512], "overlap": 0.3}
# The reference rounds the vertices of an overlap to whole pixels. Where the sky is smooth that hardly matters; on the
# slopes of the galaxy in 'plain' it moves levels by up to 1.8 percent of the noise of a pixel.
MOSAICS: dict[str, dict[str, Any]] = {
    "plain": COMMON | {"seed": 11},
    "split-counts": COMMON
    | {"seed": 12, "units": "ELECTRONS", "exptimes": [300.0, 500.0, 900.0], "separate": [2, 5], "galaxy": False},
}


def fingerprint(path: Path) -> list[float]:
    """Medians of the images of a file, by which the test knows that it has made the same mosaic."""
    with fits.open(path) as hdus:
        return [round(float(np.median(hdu.data)), 6) for hdu in hdus if hdu.name == "SCI"]


def run_reference(python: str, folder: Path, skymethod: str, skystat: str) -> dict[str, Any]:
    """Result of one run of the reference, in a process of its own."""
    with TemporaryDirectory() as scratch:
        out = Path(scratch) / "out.json"
        command = [python, str(RUNNER), str(folder), str(out), "--skymethod", skymethod, "--skystat", skystat]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        result: dict[str, Any] = json.loads(out.read_text())
    return result


def per_file(chips: list[float]) -> float:
    """Level of a file: its chips have one exposure time and one pixel scale, so one level in data units."""
    if len(set(chips)) != 1:
        raise SystemExit(f"the chips of a file have different levels: {chips}")
    return chips[0]


def make(name: str, python: str) -> None:
    """Make a mosaic, run the reference on it in every way, and write its results."""
    with TemporaryDirectory() as scratch:
        mosaic = make_mosaic(scratch, **MOSAICS[name])
        stored: dict[str, Any] = {
            "command": "python tests/data/make_reference.py --reference PYTHON",
            "versions": {},
            "mosaic": MOSAICS[name],
            "fingerprint": {path.name: fingerprint(path) for path in mosaic.paths},
            "runs": [],
        }
        for skymethod in METHODS:
            for skystat in STATISTICS:
                result = run_reference(python, Path(scratch), skymethod, skystat)
                stored["versions"] = result["versions"]
                run: dict[str, Any] = {"skymethod": skymethod, "skystat": skystat}
                if "error" in result:
                    run["error"] = result["error"]
                else:
                    run["levels"] = {file: per_file(chips) for file, chips in result["levels"].items()}
                stored["runs"].append(run)
    (HERE / f"reference_{name}.json").write_text(json.dumps(stored, indent=1) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description="Remake the stored results of the reference.")
    parser.add_argument("--reference", metavar="PYTHON", required=True, help="Python with stsci.skypac 1.0.12")
    options = parser.parse_args()
    for name in MOSAICS:
        make(name, options.reference)
        sys.stdout.write(f"reference_{name}.json\n")


if __name__ == "__main__":
    main()

"""Run stsci.skypac 1.0.12 on the FITS files of a folder, read-only, and write its sky levels as JSON.

This file runs with the Python of an environment that holds the reference, not with that of skymatch_nb:

    python -m venv reference && reference/bin/pip install stsci-skypac==1.0.12
    reference/bin/python run_reference.py FOLDER OUT.json --skymethod match --skystat median

The release does not work as it is installed today. So that it can be compared at all, it is mended in memory:

* its quality masks are the wrong way round, because astropy's function marks bad pixels unless told otherwise;
* it calls `iter_polygons_flat`, which spherical-geometry 1.4 no longer has;
* spherical-geometry before 1.4 transposes the footprints of images that are not square, so 1.4 is asked for.
"""

import argparse
import functools
import json
import os
import platform
import time
import warnings
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

PACKAGES = ("stsci.skypac", "stsci.imagestats", "spherical-geometry", "stwcs", "astropy", "numpy")
Levels = dict[str, list[float]]


def mend() -> None:
    """Make the three mends, each in the reference's own modules."""
    from spherical_geometry.polygon import SphericalPolygon
    from stsci.skypac import skyline

    release = tuple(int(part) for part in version("spherical-geometry").split(".")[:2])
    if release < (1, 4):
        raise SystemExit("spherical-geometry 1.4 or later is needed: footprints are transposed before it")
    good_mask = functools.partial(skyline.bitfield_to_boolean_mask, good_mask_value=True)
    skyline.bitfield_to_boolean_mask = good_mask
    if not hasattr(SphericalPolygon, "iter_polygons_flat"):
        SphericalPolygon.iter_polygons_flat = flat_polygons


def flat_polygons(polygon: Any) -> Iterator[Any]:
    """Single polygons of a `SphericalPolygon`; since 1.4 they are no longer nested."""
    return iter(polygon.polygons)


def collect_levels() -> Levels:
    """Return a dictionary that fills with the level of every chip, in data units, as exposures are closed.

    The reference closes every exposure once, at its end and whatever the method; that is outside its arithmetic.
    """
    from stsci.skypac.skyline import SkyLine

    levels: Levels = {}
    close = SkyLine.close

    def close_and_note(exposure: Any, *args: Any, **kwargs: Any) -> None:
        for member in exposure.members:
            levels.setdefault(member.basefname, []).append(float(member.skyuser_delta))
        close(exposure, *args, **kwargs)

    SkyLine.close = close_and_note
    return levels


def run(names: list[str], skymethod: str, skystat: str) -> dict[str, Any]:
    """Levels and run time of one call; the import of the reference is not timed."""
    from stsci.skypac.skymatch import skymatch

    mend()
    levels = collect_levels()
    result: dict[str, Any] = {"skymethod": skymethod, "skystat": skystat}
    started = time.perf_counter()
    try:
        skymatch(
            ",".join(names),
            skymethod=skymethod,
            skystat=skystat,
            dq_bits=0,
            optimize="inmemory",
            readonly=True,
            verbose=False,
            flog=None,
        )
    except Exception as error:  # a failure is a result too: which methods run is part of the comparison
        return result | {"error": f"{type(error).__name__}: {error}"}
    return result | {"seconds": time.perf_counter() - started, "levels": levels}


def main() -> None:
    parser = argparse.ArgumentParser(description="Sky levels of stsci.skypac for the FITS files of a folder.")
    parser.add_argument("folder", type=Path, help="folder with the exposures (*.fits)")
    parser.add_argument("out", type=Path, help="JSON file to write")
    parser.add_argument("--skymethod", default="match")
    parser.add_argument("--skystat", default="median")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    out = options.out.resolve()
    os.chdir(options.folder)  # names without folders cannot hold commas or brackets, which the reference would parse
    result = run(sorted(path.name for path in Path().glob("*.fits")), options.skymethod, options.skystat)
    versions = {name: version(name) for name in PACKAGES} | {"python": platform.python_version()}
    out.write_text(json.dumps(result | {"versions": versions}, indent=1) + "\n")


if __name__ == "__main__":
    main()

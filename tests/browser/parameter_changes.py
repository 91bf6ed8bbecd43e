"""Every parameter once: how a user changes it on the page, and exposures on which nearly all of them matter."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from astropy.io import fits
from panel_page import choose, tick, type_into

from skymatch_nb.datasets import make_mosaic

BAND = 80
"""Flagged columns at a side of one chip, for footprints that follow the good pixels."""


def rich_exposures(folder: Path) -> list[Path]:
    """Exposures with visits, an alternate WCS, other units, a sensitivity, a shadow, and a smaller overlap."""
    paths = list(make_mosaic(folder, rows=2, cols=3, shape=(128, 256), overlap=0.3, seed=5, separate=(2, 5)).paths)
    for number, path in enumerate(paths):
        with fits.open(path, mode="update") as hdus:
            hdus[0].header["VISIT"] = f"V{number // 2}"
            for hdu in hdus[1:]:
                if hdu.name == "SCI":
                    _add_keywords(hdu.header, number)
                if hdu.name == "DQ" and number == 0:
                    hdu.data[:, :BAND] = 1024
    return paths


def _add_keywords(header: fits.Header, number: int) -> None:
    for key in ("CTYPE1", "CTYPE2", "CUNIT1", "CUNIT2", "CRPIX1", "CRPIX2", "CRVAL1", "CRVAL2"):
        header[f"{key}A"] = header[key]
    for key in ("CD1_1", "CD1_2", "CD2_1", "CD2_2"):
        header[f"{key}A"] = header[key]
    header["CRVAL1A"] += 2e-4 * number
    header["MYUNIT"] = "ELECTRONS"
    header["MYSENS"] = 1.0 + 0.1 * number


@dataclass(frozen=True)
class Change:
    """What a user does with a control, the value that the parameter has then, and whether the sky table changes."""

    do: Callable[[Any, str], None]
    value: Any
    acts: bool = True


def chosen(option: str, acts: bool = True) -> Change:
    return Change(lambda page, name: choose(page, name, option), option, acts)


def ticked(value: bool, acts: bool = True) -> Change:
    return Change(tick, value, acts)


def typed(text: str, value: Any = None, acts: bool = True) -> Change:
    return Change(lambda page, name: type_into(page, name, text), text if value is None else value, acts)


def limited(text: str) -> Change:
    """Switch a limit on, and type it."""

    def do(page: Any, name: str) -> None:
        tick(page, name)
        type_into(page, name, text)

    return Change(do, text)


CIRCLE = 'icrs; circle(150.1,2.2,{}")'

CHANGES: dict[str, Change] = {
    "skymethod": chosen("match"),
    "match_down": ticked(False),
    "weighting": chosen("npix"),
    "robust": chosen("huber"),
    "skystat": chosen("midpt"),
    "binwidth": typed("0.7", 0.7),
    "nclip": typed("2", 2),
    "lsigma": typed("1.8", 1.8),
    "usigma": typed("1.5", 1.5),
    "lower": limited("-2 sigma"),
    "upper": limited("1.2 sigma"),
    "dq_bits": typed("16", 16),
    "units_kwd": typed("MYUNIT"),
    "invsens_kwd": typed("MYSENS"),
    "group_by": typed("chip"),
    "min_overlap_pixels": typed("500", 500),
    "min_overlap_fraction": typed("0.75", 0.75),
    "anchor": chosen("component"),
    "isolated": chosen("own"),
    "reference": typed("demo_02_flt.fits[SCI,2]"),
    "leave_out": typed("demo_03_flt.fits", ["demo_03_flt.fits"]),
    "exclude_regions": typed(CIRCLE.format(3), [CIRCLE.format(3)]),
    "include_regions": typed(CIRCLE.format(12), [CIRCLE.format(12)]),
    "footprint_from": chosen("good"),
    "wcs_key": typed("A"),
    "fixed": typed("demo_04_flt.fits[SCI,1]=0.1", {"demo_04_flt.fits[SCI,1]": 0.1}),
    "overlap_stat": chosen("difference"),
    "mask_sources": typed("3", 3.0),
    "mask_sources_npixels": typed("8", 8),
    "mask_sources_dilate": typed("1", 1),
    "optimize": chosen("speed", acts=False),
    "skyuser_kwd": typed("MYSKY", acts=False),
    "readonly": ticked(False, acts=False),
    "subtractsky": ticked(True, acts=False),
    "backup": ticked(False, acts=False),
    "allow_mixed": ticked(True, acts=False),
    "in_place": ticked(True, acts=False),
    "clobber": ticked(True, acts=False),
    "clean": ticked(False, acts=False),
    "verbose": ticked(True, acts=False),
    "logfile": typed("panel.log", acts=False),
    "executor": chosen("dask", acts=False),
}
"""In an order in which each acts upon the sky table, on top of those before it."""

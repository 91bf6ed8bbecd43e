"""The tree of a calibrated image (L2) of Roman, with all that its schema asks for."""

from typing import Any

import numpy as np
from astropy import units as u
from astropy.time import Time

from skymatch_nb.datasets.exposing import DO_NOT_USE, REFERENCE_PIXEL, Frame

TAG = "asdf://stsci.edu/datamodels/roman/tags/wfi_image-1.4.0"
"""The schema's version: an early one, which all releases of roman_datamodels from 1.0 on know."""

UNKNOWN, NO_NUMBER = "?", -999999
"""Roman's fillers."""

STEPS = (
    "assign_wcs", "dark", "dq_init", "flat_field", "flux", "linearity", "outlier_detection", "photom", "ramp_fit",
    "refpix", "saturation", "skymatch", "source_catalog", "tweakreg",
)  # fmt: skip
NOT_RUN = ("outlier_detection", "skymatch", "source_catalog", "tweakreg")
REFERENCES = (
    "apcorr", "area", "dark", "distortion", "epsf", "flat", "gain", "inverse_linearity", "linearity", "mask", "photom",
    "readnoise", "refpix", "saturation",
)  # fmt: skip


def l2_tree(
    filename: str,
    frame: Frame,
    wcs: Any,
    detector: str,
    exposure: int,
    *,
    calibrated: bool,
    border: int,
    area: float,
    conversion: float,
    pointing: tuple[float, float],
) -> dict[str, Any]:
    """Tree of an image: ``area`` of a pixel in square arcsec, ``conversion`` from DN/s to MJy/sr."""
    start = Time("2027-03-01T00:00:00") + exposure * u.hour
    meta = _observatory(filename, start) | {
        "exposure": _exposure(start),
        "instrument": {"name": "WFI", "detector": detector, "optical_element": "F158"},
        "observation": _observation(exposure),
        "photometry": {
            "conversion_megajanskys": conversion,
            "conversion_megajanskys_uncertainty": 0.01 * conversion,
            "pixel_area": area * float(np.radians(1 / 3600)) ** 2,
        },
        "pointing": _pointing(pointing),
        "wcsinfo": _wcsinfo(detector, pointing),
        "wcs": wcs,
        "cal_step": {step: _status(step, calibrated) for step in STEPS},
    }
    return {"meta": meta} | _arrays(frame, border)


def _status(step: str, calibrated: bool) -> str:
    return "INCOMPLETE" if step in NOT_RUN or (step == "flux" and not calibrated) else "COMPLETE"


def _arrays(frame: Frame, border: int) -> dict[str, Any]:
    """Arrays of an image; reference pixels, which are no part of it, have arrays of their own."""
    ny, nx = frame.data.shape
    err = frame.err.astype(np.float32)
    arrays: dict[str, Any] = {"data": frame.data.astype(np.float32), "dq": frame.dq, "err": err}
    arrays |= {"var_poisson": 0.5 * err**2, "var_rnoise": 0.5 * err**2}
    arrays["amp33"] = np.zeros((2, ny + 2 * border, 32), np.uint16)
    along = {"left": (ny + 2 * border, border), "right": (ny + 2 * border, border)}
    along |= {"top": (border, nx + 2 * border), "bottom": (border, nx + 2 * border)}
    for side, shape in along.items():
        arrays[f"border_ref_pix_{side}"] = np.zeros((2, *shape), np.float32)
        arrays[f"dq_border_ref_pix_{side}"] = np.full(shape, DO_NOT_USE | REFERENCE_PIXEL, np.uint32)
    return arrays


def _observatory(filename: str, start: Time) -> dict[str, Any]:
    """What is the same for all images."""
    places = {f"{kind}_{axis}": 0.0 for kind in ("spatial", "velocity") for axis in "xyz"}
    return {
        "calibration_software_name": "skymatch_nb",
        "calibration_software_version": UNKNOWN,
        "coordinates": {"reference_frame": "ICRS"},
        "ephemeris": {"ephemeris_reference_frame": UNKNOWN, "time": start.mjd, "type": "PREDICTED"} | places,
        "file_date": start,
        "filename": filename,
        "guide_star": {"epoch": UNKNOWN, "guide_mode": "WIM-ACQ", "guide_star_id": UNKNOWN, "guide_window_id": UNKNOWN}
        | dict.fromkeys(("window_xstart", "window_xstop", "window_ystart", "window_ystop"), NO_NUMBER),
        "model_type": "ImageModel",
        "origin": "STSCI/SOC",
        "prd_version": UNKNOWN,
        "product_type": "l2",
        "program": dict.fromkeys(("category", "investigator_name", "science_category"), UNKNOWN)
        | {"subcategory": "CAL", "title": "Simulated by skymatch_nb"},
        "rcs": {"active": False, "bank": "1", "counts": 0, "electronics": "A", "led": "1"},
        "ref_file": dict.fromkeys(REFERENCES, "N/A") | {"crds": {"context": UNKNOWN, "version": UNKNOWN}},
        "sdf_software_version": UNKNOWN,
        "telescope": "ROMAN",
        "velocity_aberration": {"dec_reference": 0.0, "ra_reference": 0.0, "scale_factor": 1.0},
        "visit": {
            "dither": {"executed_pattern": [], "primary_name": "NONE", "subpixel_name": "NONE"},
            "internal_target": False,
            "nexposures": NO_NUMBER,
            "start_time": start,
            "type": "GENERAL_ENGINEERING",
        },
    }


def _exposure(start: Time) -> dict[str, Any]:
    seconds = 107.0
    return {
        "data_problem": None,
        "effective_exposure_time": seconds,
        "end_time": start + seconds * u.s,
        "engineering_quality": "OK",
        "exposure_time": seconds,
        "frame_time": 3.04,
        "ma_table_id": UNKNOWN,
        "ma_table_name": UNKNOWN,
        "ma_table_number": NO_NUMBER,
        "nresultants": 8,
        "read_pattern": [[k + 1] for k in range(8)],
        "start_time": start,
        "truncated": False,
        "type": "WFI_IMAGE",
    }


def _observation(exposure: int) -> dict[str, Any]:
    numbers = {"program": 9999, "execution_plan": 1, "pass": 1, "segment": 1, "observation": 1, "visit": 1}
    return numbers | {
        "exposure": exposure,
        "observation_id": "0999901001001001001",
        "visit_id": "0999901001001001001",
        "visit_file_activity": "01",
        "visit_file_group": 0,
        "visit_file_sequence": 1,
    }


def _pointing(pointing: tuple[float, float]) -> dict[str, Any]:
    ra, dec = pointing
    places = {"ra_v1": ra, "dec_v1": dec, "target_ra": ra, "target_dec": dec, "pa_v3": 0.0, "pa_aperture": 0.0}
    return places | {"pointing_engineering_source": "PLANNED", "target_aperture": "WFI_CEN"}


def _wcsinfo(detector: str, pointing: tuple[float, float]) -> dict[str, Any]:
    ra, dec = pointing
    zeros = dict.fromkeys(("roll_ref", "v2_ref", "v3_ref", "v3yangle"), 0.0)
    return zeros | {
        "aperture_name": f"{detector}_FULL",
        "ra_ref": ra,
        "dec_ref": dec,
        "vparity": -1,
        "s_region": UNKNOWN,
    }

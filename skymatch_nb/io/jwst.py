"""What JWST's headers tell in their own way: exposures and filters."""

from collections.abc import Callable, Mapping
from typing import Any

_EXPOSURE = ("PROGRAM", "OBSERVTN", "VISIT", "VISITGRP", "SEQ_ID", "ACT_ID", "EXPOSURE")
_WIDTHS = (5, 3, 3, 2, 1, 2, 5)


def exposure_id(header: Mapping[str, Any], primary: Mapping[str, Any]) -> str:
    """Name of the exposure that an image is part of, as its file name begins: ``jw02079004001_02101_00001``.

    All detectors that were read at the same time have it. It is empty for other telescopes, for products of several
    exposures, and where a card is missing.
    """
    found = [str(_value(name, header, primary)).strip() for name in _EXPOSURE]
    resampled = str(_value("S_RESAMP", header, primary)).strip() == "COMPLETE"
    if str(_value("TELESCOP", header, primary)).strip() != "JWST" or resampled or not all(found):
        return ""
    program, observation, visit, group, sequence, activity, exposure = (
        text.zfill(width) for text, width in zip(found, _WIDTHS, strict=True)
    )
    return f"jw{program}{observation}{visit}_{group}{sequence}{activity}_{exposure}"


def is_single_exposure(primary: Mapping[str, Any]) -> bool:
    """Whether a file of JWST is no product of several exposures."""
    telescope, resampled = (str(primary.get(name) or "").strip() for name in ("TELESCOP", "S_RESAMP"))
    return telescope == "JWST" and resampled != "COMPLETE"


def filter_and_pupil(text: Callable[[str], str]) -> str:
    """Filters of both wheels of a JWST instrument, those that are clear left out; empty for other telescopes."""
    if text("TELESCOP") != "JWST":
        return ""
    wheels = [name for name in (text("FILTER"), text("PUPIL")) if name]
    return ",".join(name for name in wheels if not name.startswith("CLEAR")) or ",".join(wheels)


def _value(name: str, header: Mapping[str, Any], primary: Mapping[str, Any]) -> Any:
    return next((h[name] for h in (header, primary) if h.get(name) not in (None, "")), "")

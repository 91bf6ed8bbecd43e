"""What is known of instruments, as a table: their default units and their photometric switches."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NOT_SCIENCE = frozenset(
    "DQ ERR ERROR VAR VARIANCE VAR_POISSON VAR_RNOISE VAR_FLAT WHT WEIGHT WT CTX CON MASK FLAG FLAGS QUALITY BPM "  # noqa: SIM905
    "SAMP TIME EXP EXPMAP RMS SIGMA UNCERT STDDEV IVAR IVM BKG D2IMARR WCSDVARR AREA".split()
)
"""Names of image extensions that are quality, error, weight or auxiliary arrays."""


DQ_NAMES = ("DQ", "SDQ")
"""Names of data quality extensions."""

_SIBLINGS: tuple[tuple[re.Pattern[str], str, bool], ...] = (
    (re.compile(r"([_.][cC])0([hHfF](?:\.[fF][iI][tT][sS](?:\.gz)?)?)$"), r"\g<1>1\2", False),
    (re.compile(r"([_.])d(0[hf](?:\.fits(?:\.gz)?)?)$"), r"\1q\2", False),
    (re.compile(r"([_.])D(0[HF](?:\.FITS(?:\.gz)?)?)$"), r"\1Q\2", False),
    (re.compile(r"_ooi_"), "_ood_", True),
)
"""How the name of an image's quality file follows from its own: Hubble's old cameras, the NOAO Community Pipeline.

The last column tells that its values are codes (1 bad, 2 no value, 3 saturated, ...), not bits.
"""


_NO_SCIENCE = re.compile(
    r"_oo[dw]_|[_.]c1[hf](\.fits)?(\.gz)?$|[_.]q[01][hf](\.fits)?(\.gz)?$|_(wht|ctx)\.fits(\.gz)?$", re.IGNORECASE
)
"""Names of files of data quality or weights, by the same observatories' rules."""


def holds_science(path: Path) -> bool:
    """Whether a file's name is none of a data quality or weight file."""
    return not _NO_SCIENCE.search(path.name)


def sibling_quality(path: Path) -> tuple[Path, bool] | None:
    """File beside an image that holds its data quality, and whether as codes; None where there is none."""
    for names, codes in _siblings(path):
        for name in names:
            if (path.parent / name).is_file():
                return path.parent / name, codes
    return None


def sibling_quality_name(path: Path) -> str:
    """Name of the file beside an image that should hold its data quality; empty where its name tells of none."""
    return next((names[0] for names, _ in _siblings(path)), "")


def _siblings(path: Path) -> Iterator[tuple[tuple[str, ...], bool]]:
    for pattern, replacement, codes in _SIBLINGS:
        name, count = pattern.subn(replacement, path.name, count=1)
        if count:
            yield (name, f"{name}.gz", name.removesuffix(".gz")), codes


@dataclass(frozen=True)
class Instrument:
    """Facts of one instrument.

    ``data_type`` is what pixels are where the header does not say (``counts`` or ``rate``); the inverse
    sensitivity may be used where the header's ``switch`` is ``done``.
    """

    data_type: str
    switch: str = ""
    done: str = ""


HST: dict[str, Instrument] = {
    "ACS": Instrument("counts", "PHOTCORR", "COMPLETE"),
    "COS": Instrument("rate", "PHOTCORR", "COMPLETE"),
    "FOC": Instrument("rate", "WAVCORR", "COMPLETE"),
    "NICMOS": Instrument("rate", "PHOTDONE", "PERFORMED"),
    "STIS": Instrument("counts", "PHOTCORR", "COMPLETE"),
    "WFC3": Instrument("counts", "PHOTCORR", "COMPLETE"),
    "WFPC": Instrument("counts", "DOPHOTOM", "DONE"),
    "WFPC2": Instrument("counts", "DOPHOTOM", "COMPLETE"),
}

Card = Callable[[str], Any]


def default_data_type(telescope: str, instrument: str, detector: str, card: Card) -> str:
    """Data type where the header names no unit: ``counts`` or ``rate``; ``card`` looks up the header."""
    if telescope != "HST" or instrument not in HST:
        return "rate"
    if instrument == "WFC3" and detector == "IR":
        return "rate"
    if instrument == "NICMOS" and str(card("UNITCORR") or "").strip().upper() == "OMIT":
        return "counts"
    return HST[instrument].data_type


def photometry_done(telescope: str, instrument: str, card: Card) -> bool:
    """Whether the inverse sensitivity of the header may be used (always, for telescopes other than HST)."""
    if telescope != "HST":
        return True
    facts = HST.get(instrument)
    return facts is not None and str(card(facts.switch) or "").strip().upper() == facts.done

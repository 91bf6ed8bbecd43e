"""What the pipelines of JWST and Roman want to know of a background: level, whether subtracted, method, step done."""

import numpy as np

from skymatch_nb.io.pixels import read_cards
from skymatch_nb.results import Member

TELESCOPES = ("JWST", "ROMAN")
METHODS = {"match": "match", "localmin": "local", "globalmin": "global", "globalmin+match": "global+match"}
"""The pipelines' names of our methods."""


def background_cards(
    member: Member, level: float, *, subtract: bool, method: str
) -> tuple[tuple[str, object, str], ...]:
    """Cards BKGLEVEL, BKGSUB, BKGMETH and S_SKYMAT of a member of JWST or Roman, as the pipelines' own step has them.

    They belong to the primary header, which is where the pipelines look for them.

    The level of what is subtracted is that of all subtractions, the pipeline's included. A level that is only computed
    does not replace that of a background that the pipeline has subtracted.
    """
    if member.telescope.upper() not in TELESCOPES:
        return ()
    found = read_cards(member.pixels, ["BKGLEVEL", "BKGSUB"])
    cards = {name: own if primary is None else primary for name, (own, primary) in found.items()}
    before, subtracted = cards["BKGLEVEL"], cards["BKGSUB"] is True
    if subtracted and not subtract:
        return ()
    number = isinstance(before, int | float) and bool(np.isfinite(before))
    total = level + (float(before) if subtract and subtracted and number else 0.0)
    return (
        ("BKGLEVEL", total, "computed constant background level"),
        ("BKGSUB", subtract, "has background been subtracted from data?"),
        ("BKGMETH", METHODS[method], "background computation method"),
        ("S_SKYMAT", "COMPLETE", "sky matching"),
    )

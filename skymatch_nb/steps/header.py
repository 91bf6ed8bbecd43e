"""Look up the sky levels that the headers already hold."""

import numpy as np

from skymatch_nb.executor import Work
from skymatch_nb.io.fits import read_cards
from skymatch_nb.params import SkyMatchParams
from skymatch_nb.results import HeaderSky, Loaded, Member


def header_sky(key: str, loaded: Loaded, params: SkyMatchParams, work: Work) -> HeaderSky:
    """Value of ``skyuser_kwd`` per member, in the extension, else the primary header; NaN where it is no number."""

    def value(member: Member) -> float:
        for found in read_cards(member.pixels, [params.skyuser_kwd])[params.skyuser_kwd]:
            if isinstance(found, int | float) and not isinstance(found, bool):
                return float(found)
        return float("nan")

    return HeaderSky(key, np.array(work.map(value, loaded.members, "header", threads=False)))

"""Look up the sky levels that the headers already hold, and how they were made."""

import numpy as np

from skymatch_nb.executor import Work
from skymatch_nb.io.pixels import read_cards
from skymatch_nb.params import SkyMatchParams
from skymatch_nb.results import NOT_A_NUMBER, HeaderSky, Loaded, Member, companion_keyword


def header_sky(key: str, loaded: Loaded, params: SkyMatchParams, work: Work) -> HeaderSky:
    """Value of ``skyuser_kwd`` per member, in the extension, else the primary header; NaN where it is no number."""
    keyword, companion = params.skyuser_kwd, companion_keyword(params.skyuser_kwd)

    def look_up(member: Member) -> tuple[float, str]:
        cards = read_cards(member.pixels, [keyword, companion])
        for value, made in zip(cards[keyword], cards[companion], strict=True):
            if isinstance(value, int | float) and not isinstance(value, bool):
                return float(value), str(made or "").strip()
            if value is not None and str(value).strip():
                return float("nan"), f"{NOT_A_NUMBER} ({str(value).strip()!r})"
        return float("nan"), ""

    found = work.map(look_up, loaded.members, "header", threads=False)
    return HeaderSky(key, np.array([value for value, _ in found]), tuple(made for _, made in found))

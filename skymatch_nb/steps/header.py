"""Look up the sky levels that the headers already hold, and how they were made."""

import numpy as np

from skymatch_nb.executor import Work
from skymatch_nb.io.pixels import read_cards
from skymatch_nb.params import SkyMatchParams
from skymatch_nb.results import NOT_A_NUMBER, HeaderSky, Loaded, Member, companion_keyword


def header_sky(key: str, loaded: Loaded, params: SkyMatchParams, work: Work) -> HeaderSky:
    """Value of ``skyuser_kwd`` per member, in the extension, else the primary header; NaN where it is no number.

    AstroDrizzle reads the extension alone, so that a value of the primary header may stay beside newer ones.
    """
    each = [(member, params.skyuser_kwd) for member in loaded.members]
    found = work.map(_look_up, each, "header", threads=False, sent=lambda item: item[0].in_files)
    values, made, primary = zip(*found, strict=True)
    return HeaderSky(key, np.array(values), made, primary)


def _look_up(item: tuple[Member, str]) -> tuple[float, str, bool]:
    member, keyword = item
    companion = companion_keyword(keyword)
    cards = read_cards(member.pixels, [keyword, companion])
    beside = member.hdu > 0 and cards[keyword][1] is not None
    for value, made in zip(cards[keyword], cards[companion], strict=True):
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value), _made(str(made or ""), keyword), beside
        if value is not None and str(value).strip():
            return float("nan"), f"{NOT_A_NUMBER} ({str(value).strip()!r})", beside
    return float("nan"), "", beside


def _made(text: str, keyword: str) -> str:
    """How a value was made, by its companion card; nothing where that names another keyword."""
    how, _, of = text.strip().partition(" ")
    return how if of in ("", keyword) else ""

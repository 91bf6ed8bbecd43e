"""What headers tell of the sky, and the keywords that they do it by."""

from dataclasses import dataclass

from skymatch_nb.results.base import Floats, Result


@dataclass(frozen=True, eq=False)
class HeaderSky(Result):
    """Value of the sky keyword in each member's header, NaN where it has none, and how it says it was made.

    ``primary`` tells whether the primary header of an extension has the keyword, which stays as it is.
    """

    value: Floats
    made: tuple[str, ...]
    primary: tuple[bool, ...]


NOT_A_NUMBER = "not a number"
"""How a header's sky value was made where it is none."""


def companion_keyword(keyword: str) -> str:
    """Keyword of the card that tells how the value of the sky keyword was made.

    Of one with eight letters the seventh is left out, which seldom tells keywords apart, as the last one does.
    """
    return f"{keyword if len(keyword) < 8 else keyword[:6] + keyword[7]}M"

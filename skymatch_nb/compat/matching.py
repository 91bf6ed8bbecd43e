"""What AstroDrizzle calls instead of ``stsci.skypac.skymatch.skymatch``: a match of open images, told in its words."""

from collections.abc import Mapping
from types import ModuleType, TracebackType
from typing import Any, Self

import numpy as np
import pandas as pd

from skymatch_nb.compat.drizzlepac_sky import warn
from skymatch_nb.compat.fileinfo import OpenImage, open_images
from skymatch_nb.errors import NoOverlapError, ParameterError, SkyMatchError
from skymatch_nb.log import write_log
from skymatch_nb.session import SkyMatchSession
from skymatch_nb.steps.standing import LEFT_OUT, is_alone


class Matching:
    """Sky matching for AstroDrizzle: what it calls instead of ``stsci.skypac.skymatch.skymatch``, made by ``enable``.

    As a context manager it is put in place where the block begins, if it is not yet, and taken away at the end. Its
    warnings are given then: AstroDrizzle makes lines of its log of those that come before.

    Attributes
    ----------
    session : SkyMatchSession or None
        The session of the last match that succeeded.
    failure : Exception or None
        Why the last match failed, even where AstroDrizzle fell back to another method; None where it succeeded.
    before : callable
        What AstroDrizzle called before.
    """

    def __init__(self, module: ModuleType, params: Mapping[str, Any], workers: int | None, fallback: bool) -> None:
        self._module, self.before = module, module.skymatch
        self._params, self._workers, self._fallback = dict(params), workers, fallback
        self._failed_on: list[Any] = []
        self._kept: list[str] | None = None
        self.session: SkyMatchSession | None = None
        self.failure: Exception | None = None

    @property
    def sky(self) -> pd.DataFrame | None:
        """Sky table of the last match that succeeded; ``header_new`` is what went to MDRIZSKY, missing where 0 did."""
        return None if self.session is None else self.session.sky

    def put(self) -> None:
        """Have AstroDrizzle call this match from now on."""
        if self._module.skymatch is not self:
            self.before = self._module.skymatch
            self._module.skymatch = self  # type: ignore[attr-defined]

    def __enter__(self) -> Self:
        self.put()
        self._kept = []
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._module.skymatch is self:
            self._module.skymatch = self.before
        kept, self._kept = self._kept or [], None
        for text in kept if error is None else ():
            warn(text)

    def __call__(
        self,
        input: Any,
        *,
        skymethod: str,
        readonly: bool = True,
        subtractsky: bool = False,
        optimize: str = "balanced",
        clean: bool = True,
        clobber: bool = False,
        verbose: bool = True,
        flog: Any = None,
        _taskname4history: str = "AstroDrizzle",
        **statistics: Any,
    ) -> pd.DataFrame:
        """Match the sky of open images and write it to their headers, as AstroDrizzle asks for it.

        ``input`` holds ``FileExtMaskInfo`` objects; ``statistics`` are ``skystat``, ``lower`` and so on. The parameters
        given to ``enable`` are stronger. ``clean``, ``clobber`` and ``verbose`` change nothing.
        """
        images = list(input)
        self._tell_of_fallback(images, skymethod, flog)
        if subtractsky:
            raise ParameterError("subtractsky=True: AstroDrizzle subtracts the sky while it drizzles")
        given = statistics | {"skymethod": skymethod, "optimize": optimize, "verbose": False} | self._params
        try:
            opened = open_images(images)
            specs = [image.spec(in_memory=optimize == "inmemory") for image in opened]
            session = SkyMatchSession(specs, workers=self._workers, **given)
            with session.reporting(_no_progress):
                sky = session.solve()
            _check_members(opened, sky)
            _check_matched(session, sky)
            write_log(flog, session.log())
            for note in session.notes:
                self.note(note)
            if not readonly:
                _write_keyword(opened, sky, session.params.skyuser_kwd, _taskname4history)
                self._tell(_without_level(sky, session.params.skyuser_kwd), flog)
        except Exception as error:
            self.failure, self._failed_on = error, images
            raise
        self.session = session
        return sky

    def _tell_of_fallback(self, images: list[Any], skymethod: str, flog: Any) -> None:
        """Say that AstroDrizzle goes on with another method after a failure; without ``fallback`` raise the failure."""
        failed_on, self._failed_on = self._failed_on, []
        if self.failure is None or [id(image) for image in failed_on] != [id(image) for image in images]:
            self.failure = None
        elif not self._fallback:
            raise self.failure
        else:
            cause = _cause(self.failure)
            self._tell(f"no sky was matched, AstroDrizzle goes on with skymethod={skymethod!r}: {cause}", flog)

    def _tell(self, text: str, flog: Any) -> None:
        if text:
            write_log(flog, [f"Warning: {text}"])
            self.note(text)

    def note(self, text: str) -> None:
        """Warn at the end of the block, or at once where there is none."""
        if self._kept is None:
            warn(text)
        else:
            self._kept.append(text)


def _check_members(images: list[OpenImage], sky: pd.DataFrame) -> None:
    """Raise where a file was given twice, so that levels cannot be told apart by their order."""
    wanted = sum(len(image.extensions) for image in images)
    if wanted != len(sky):
        raise SkyMatchError(f"{wanted} extensions were given and {len(sky)} levels found: is a file named twice?")


def _check_matched(session: SkyMatchSession, sky: pd.DataFrame) -> None:
    """Raise where no exposure has a level, or where one sky for all stands in for a match of which nothing came."""
    if sky["sky_data"].isna().all():
        raise SkyMatchError(f"no level was found for any exposure: {', '.join(sky.status.unique())}")
    params = session.params
    takes_part = sky[sky.status != LEFT_OUT]
    one_sky = params.isolated == "baseline" and params.anchor == "shared"
    if params.skymethod == "globalmin+match" and one_sky and takes_part.group.nunique() > 1:
        alone = takes_part.status.map(is_alone)
        if alone.all():
            reasons = ", ".join(takes_part.status.str.rpartition(", ")[2].unique())
            raise NoOverlapError(
                f"no two of the {takes_part.group.nunique()} groups have an overlap that can be used ({reasons}), so "
                "that no sky can be matched; isolated='own' gives each a sky of its own"
            )


def _write_keyword(images: list[OpenImage], sky: pd.DataFrame, keyword: str, task: str) -> None:
    """Put levels, in data units, into the open headers; 0 where there is none."""
    headers = [header for image in images for header in image.headers()]
    for header, level in zip(headers, sky["sky_data"], strict=True):
        comment = f"Sky computed by skymatch_nb for {task}"[:47]
        header[keyword] = (float(np.nan_to_num(level, nan=0.0)), comment)


def _without_level(sky: pd.DataFrame, keyword: str) -> str:
    """Warning of members that have no level; empty where all have one."""
    without = sky.index[sky["sky_data"].isna()]
    if not len(without):
        return ""
    more = f" and {len(without) - 1} more" if len(without) > 1 else ""
    return f"no level was found for {without[0]}{more} ({sky.status[without[0]]}); {keyword} is 0 there"


def _no_progress(_done: int, _of: int, _what: str) -> None:
    pass


def _cause(error: Exception) -> str:
    return str(error) if isinstance(error, SkyMatchError) else f"{type(error).__name__}: {error}"

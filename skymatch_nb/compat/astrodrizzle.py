"""AstroDrizzle with this package's sky matching in place of that of stsci.skypac; docs/howto/astrodrizzle.md."""

from collections.abc import Mapping
from importlib import import_module
from types import ModuleType, TracebackType
from typing import Any, Self

import numpy as np
import pandas as pd

from skymatch_nb.compat.drizzlepac_sky import check_version, drizzlepac_sky, warn
from skymatch_nb.compat.fileinfo import OpenImage, open_images
from skymatch_nb.errors import ParameterError, SkyMatchError
from skymatch_nb.log import write_log
from skymatch_nb.params import SkyMatchParams
from skymatch_nb.session import SkyMatchSession

_ITS_OWN = {
    "skymethod": "skymethod",
    "readonly": "skysub",
    "subtractsky": "skysub",
    "optimize": "in_memory",
    "clean": "clean",
    "skyuser_kwd": "",
    "clobber": "",
    "backup": "",
    "allow_mixed": "",
    "in_place": "",
}
"""Parameters that are AstroDrizzle's to decide, and what it calls them."""


class Matching:
    """Sky matching for AstroDrizzle: what it calls instead of ``stsci.skypac.skymatch.skymatch``, made by `enable`.

    As a context manager it is taken away at the end of the block, and gives its warnings then: AstroDrizzle makes lines
    of its log of those that come before.

    Attributes
    ----------
    session : SkyMatchSession or None
        The session of the last match that succeeded.
    failure : Exception or None
        Why the last match failed, even where AstroDrizzle fell back to another method; None where it succeeded.
    """

    def __init__(self, module: ModuleType, params: Mapping[str, Any], workers: int | None, fallback: bool) -> None:
        self._module, self._before = module, module.skymatch
        self._params, self._workers, self._fallback = dict(params), workers, fallback
        self._failed_on: list[Any] = []
        self._kept: list[str] | None = None
        self.session: SkyMatchSession | None = None
        self.failure: Exception | None = None

    @property
    def sky(self) -> pd.DataFrame | None:
        """Sky table of the last match that succeeded; ``header_new`` is what went to MDRIZSKY, missing where 0 did."""
        return None if self.session is None else self.session.sky

    def __enter__(self) -> Self:
        self._kept = []
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._module.skymatch is self:
            self._module.skymatch = self._before
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
        of `enable` are stronger. ``clean``, ``clobber`` and ``verbose`` change nothing.
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
            write_log(flog, session.log())
            for note in session.notes:
                self._warn(note)
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
            self._warn(text)

    def _warn(self, text: str) -> None:
        """Warn at the end of the block, or at once where there is none."""
        if self._kept is None:
            warn(text)
        else:
            self._kept.append(text)


def enable(*, fallback: bool = False, workers: int | None = None, **params: Any) -> Matching:
    """Have AstroDrizzle match skies with this package, until `disable` or the end of a ``with`` block.

    Parameters
    ----------
    fallback
        What happens where matching fails: AstroDrizzle stops with the error (False), or goes on with the method that
        it falls back to, ``localmin`` or ``globalmin``, and a warning tells the cause (True).
    workers
        As for `skymatch_nb.SkyMatchSession`.
    **params
        Any parameter of `skymatch_nb.SkyMatchParams` that is not AstroDrizzle's own, ``overlap_stat``, ``group_by`` or
        ``fixed`` for instance. Those that AstroDrizzle gives too (``skystat``, ``lower``, ...) are taken from here.

    Raises
    ------
    ParameterError
        For an unknown parameter, a value that is not allowed, or a parameter that is AstroDrizzle's to decide.
    SkyMatchError
        Where drizzlepac is not installed, is older than 3.10, or does not call the function that is replaced.

    Warns
    -----
    SkyMatchWarning
        Where drizzlepac is newer than all versions that were tried.

    Examples
    --------
    >>> from drizzlepac.astrodrizzle import AstroDrizzle  # doctest: +SKIP
    >>> with enable(overlap_stat="difference") as matching:  # doctest: +SKIP
    ...     AstroDrizzle("*_flt.fits", skymethod="globalmin+match")
    >>> matching.sky  # doctest: +SKIP
    """
    for name in params:
        if name in _ITS_OWN:
            own = f": give its {_ITS_OWN[name]} instead" if _ITS_OWN[name] else ""
            raise ParameterError(f"parameter {name}: AstroDrizzle decides that{own}")
    SkyMatchParams.checked(params)
    module = drizzlepac_sky()
    check_version(module)
    matching = Matching(module, params, workers, fallback)
    module.skymatch = matching  # type: ignore[attr-defined]
    return matching


def disable() -> None:
    """Have AstroDrizzle match skies as released again; nothing happens where it does so already.

    Raises
    ------
    SkyMatchError
        Where drizzlepac is not installed.
    """
    module = drizzlepac_sky()
    while isinstance(module.skymatch, Matching):
        module.skymatch = module.skymatch._before  # type: ignore[attr-defined]


def astrodrizzle(
    input: Any, *, matching: Mapping[str, Any] | None = None, fallback: bool = False, **settings: Any
) -> pd.DataFrame:
    """Run AstroDrizzle with this package's sky matching.

    Parameters
    ----------
    input
        As AstroDrizzle takes it: file names, wildcards, an association, or a list.
    matching, fallback
        Parameters of `enable`: the first are those of `skymatch_nb.SkyMatchParams`, by name.
    **settings
        Parameters of AstroDrizzle. ``skymethod`` is ``'globalmin+match'`` where neither it nor ``configobj`` is given.

    Returns
    -------
    pandas.DataFrame
        The sky table; see docs/tables.md.

    Raises
    ------
    ParameterError, SkyMatchError
        As `enable`, and where the settings leave no sky to be matched.

    Warns
    -----
    SkyMatchWarning
        Where inverse variance weights are to be made from skies that are only relative.

    Examples
    --------
    >>> astrodrizzle("*_flt.fits", output="mosaic", matching={"overlap_stat": "difference"})  # doctest: +SKIP
    """
    if "skymethod" not in settings and settings.get("configobj") is None:
        settings["skymethod"] = "globalmin+match"
    if settings.get("skyfile") or settings.get("skysub") is False:
        raise ParameterError("nothing is matched with AstroDrizzle's skyfile, or with its skysub off")
    if str(settings.get("final_wht_type")).upper() == "IVM" and settings.get("skymethod") == "match":
        warn(
            "skymethod='match' gives skies relative to one exposure, from which final_wht_type='IVM' makes wrong "
            "weights; 'globalmin+match' gives whole skies"
        )
    with enable(fallback=fallback, **matching or {}) as match:
        import_module("drizzlepac.astrodrizzle").AstroDrizzle(input, **settings)
    if match.sky is None:
        raise SkyMatchError("AstroDrizzle ended without asking for a sky; its log tells why")
    return match.sky


def _check_members(images: list[OpenImage], sky: pd.DataFrame) -> None:
    """Raise where a file was given twice, so that levels cannot be told apart by their order."""
    wanted = sum(len(image.extensions) for image in images)
    if wanted != len(sky):
        raise SkyMatchError(f"{wanted} extensions were given and {len(sky)} levels found: is a file named twice?")


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

"""AstroDrizzle with this package's sky matching in place of that of stsci.skypac; docs/howto/astrodrizzle.md."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import pandas as pd

from skymatch_nb.compat.drizzlepac_settings import RELATIVE, Settings, check_input
from skymatch_nb.compat.drizzlepac_sky import check_version, drizzlepac_sky, warn
from skymatch_nb.compat.matching import Matching
from skymatch_nb.errors import ParameterError, SkyMatchError
from skymatch_nb.io.regions import check_package
from skymatch_nb.params import SkyMatchParams
from skymatch_nb.steps.standing import FIXED

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
    InputError
        Where regions are given and the package that reads them is not installed.
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
    checked = SkyMatchParams.checked(params)
    check_package([*(checked.exclude_regions or ()), *(checked.include_regions or ())])
    module = drizzlepac_sky()
    check_version(module)
    matching = Matching(module, params, workers, fallback)
    matching.put()
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
        module.skymatch = module.skymatch.before  # type: ignore[attr-defined]


def astrodrizzle(
    input: Any, *, matching: Mapping[str, Any] | None = None, fallback: bool = False, **settings: Any
) -> pd.DataFrame:
    """Run AstroDrizzle with this package's sky matching.

    Parameters
    ----------
    input
        As AstroDrizzle takes it: file names, wildcards, an association, or a list; each must name a file.
    matching, fallback
        Parameters of `enable`: the first are those of `skymatch_nb.SkyMatchParams`, by name.
    **settings
        Parameters of AstroDrizzle. ``skymethod`` is ``'globalmin+match'`` where neither it nor ``configobj`` is given;
        ``'localmin'`` and ``'globalmin'`` match nothing, their levels are computed by this package.

    Returns
    -------
    pandas.DataFrame
        The sky table; see docs/tables.md.

    Raises
    ------
    ParameterError
        As `enable`, for a parameter that AstroDrizzle does not know, and where the settings leave no sky to be
        computed. Nothing was run then.
    InputError
        As `enable`, and where a name or wildcard of ``input`` matches no file. Nothing was run then.
    SkyMatchError
        As `enable`, where the match fails, and where AstroDrizzle ends before it asks for a sky.

    Warns
    -----
    SkyMatchWarning
        Where inverse variance weights are to be made from skies that are only relative.

    Examples
    --------
    >>> astrodrizzle("*_flt.fits", output="mosaic", matching={"overlap_stat": "difference"})  # doctest: +SKIP
    """
    ours = {} if matching is None else matching
    if not isinstance(ours, Mapping) or not all(isinstance(name, str) for name in ours):
        raise ParameterError(f"matching={matching!r}: must be a mapping of parameters by name, {{'nclip': 3}} say")
    if "skymethod" not in settings and settings.get("configobj") is None:
        settings["skymethod"] = "globalmin+match"
    with enable(**{"fallback": fallback, **ours}) as match:
        resolved = Settings(settings)
        resolved.check_names()
        resolved.check_matches()
        check_input(input)
        if resolved.relative and not ours.get("fixed"):
            warn(RELATIVE)
        import_module("drizzlepac.astrodrizzle").AstroDrizzle(input, **settings)
        if match.sky is not None and resolved.relative and ours.get("fixed") and _is_relative(match.sky):
            match.note(RELATIVE)
    if match.sky is None:
        raise SkyMatchError(f"AstroDrizzle ended without asking for a sky for {input!r}; {resolved.log} tells why")
    return match.sky


def _is_relative(sky: pd.DataFrame) -> bool:
    """Whether a set of exposures that overlap each other has no known sky among them."""
    matched = sky[sky.component >= 0]
    return not set(matched.component) <= set(matched.component[matched.status == FIXED])

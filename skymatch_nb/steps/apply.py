"""Plan what is written for every member, and report it."""

import numpy as np

from skymatch_nb.errors import SkyMatchError
from skymatch_nb.params import SkyMatchParams
from skymatch_nb.results import Applied, HeaderSky, Loaded, Plan, Solution, Units


def plan(key: str, loaded: Loaded, units: Units, header: HeaderSky, solution: Solution, params: SkyMatchParams) -> Plan:
    """Header values and what is subtracted from the pixels.

    With ``subtractsky`` the level is added to the old value (a running total; missing counts as 0), else it
    replaces it.
    """
    level = solution.sky[loaded.group_of] / units.factor
    known = np.isfinite(level)
    new = np.nan_to_num(header.value, nan=0.0) + level if params.subtractsky else level
    subtracted = np.where(known & params.subtractsky, level, 0.0)
    return Plan(key, params.skyuser_kwd, header.value, np.where(known, new, header.value), subtracted)


def apply(key: str, loaded: Loaded, solution: Solution, planned: Plan, params: SkyMatchParams) -> Applied:
    """Report the plan; nothing is written.

    Raises
    ------
    SkyMatchError
        Where ``readonly`` is False: this version cannot write yet.
    """
    if not params.readonly:
        raise SkyMatchError("parameter readonly=False: this version reports what it would write, but cannot write yet")
    known = np.isfinite(solution.sky[loaded.group_of])
    status = tuple("reported, nothing written" if k else "left alone: no level" for k in known)
    return Applied(key, planned, ("",) * len(loaded), status)

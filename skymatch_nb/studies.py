"""Answers side by side: other parameters, other groups, other solutions, from the same samples wherever they serve."""

import itertools
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from skymatch_nb.errors import ParameterError, SkyMatchError, SkyMatchWarning
from skymatch_nb.params import SkyMatchParams
from skymatch_nb.pipeline import Pipeline
from skymatch_nb.steps.registry import LOCAL_METHODS
from skymatch_nb.tables import residuals_table

FIT = ("status", "groups", "pairs", "rms_before", "rms_after", "largest_after", "rms_pull")


def sweep(pipeline: Pipeline, choices: Mapping[str, Iterable[Any]]) -> pd.DataFrame:
    """Solve with every combination of some parameters' values.

    Returns
    -------
    pandas.DataFrame
        One row per combination, the values in its index. The columns under ``fit`` tell how well pairs agree, those
        under ``sky`` the level of each group. What cannot be solved has the reason in its status.

    Raises
    ------
    ParameterError
        For an unknown parameter, a value that is not allowed, or no values; nothing is solved then.
    """
    values = {name: list(of_name) for name, of_name in choices.items() if not isinstance(of_name, str)}
    for name in choices:
        if not values.get(name):
            raise ParameterError(f"sweep: {name} must be a list of values, it is {choices[name]!r}")
    if not values:
        raise ParameterError("sweep: no parameter was given")
    combinations = [dict(zip(values, combination, strict=True)) for combination in itertools.product(*values.values())]
    tried = [pipeline.params.changed(**combination, verbose=False) for combination in combinations]
    fork = pipeline.fork(pipeline.params)
    answers = [_answer(fork, params) for params in tried]
    index = pd.MultiIndex.from_tuples([tuple(map(_shown, c.values())) for c in combinations], names=list(values))
    return _side_by_side(answers, index if len(values) > 1 else index.get_level_values(0), fork)


def compare_groupings(pipeline: Pipeline, groupings: Sequence[Any]) -> pd.DataFrame:
    """How well pairs agree under different groupings; one row per grouping, columns as under ``fit`` in `sweep`."""
    table = sweep(pipeline, {"group_by": groupings})
    return pd.DataFrame(table["fit"])


def compare_solutions(one: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """Levels of two sky tables for the members that both have, and how they differ.

    ``difference`` is the second less the first; ``about_mean`` the same about its mean, which tells whether the two
    solutions agree but for a common shift; ``err`` adds both errors as if they were independent.
    """
    both = one.index.intersection(other.index, sort=False)
    if not len(both):
        raise ParameterError("the two solutions have no member in common")
    first, second = one.loc[both], other.loc[both]
    difference = second["sky"] - first["sky"]
    table = pd.DataFrame(
        {
            "group": first["group"],
            "sky": first["sky"],
            "sky_other": second["sky"],
            "difference": difference,
            "about_mean": difference - difference.mean(),
            "err": np.hypot(first["sky_err"], second["sky_err"]),
        }
    )
    unit, unit_other = (t.attrs.get("units", {}).get("sky", "") for t in (one, other))
    if unit != unit_other:
        raise ParameterError(f"the two solutions have different units: {unit!r} and {unit_other!r}")
    table.attrs["units"] = {name: "" if name == "group" else unit for name in table.columns}
    return table


def _answer(fork: Pipeline, params: SkyMatchParams) -> tuple[dict[str, Any], dict[str, float]]:
    """What a row of a sweep tells: of the fit, and the level of every group."""
    fork.params = params
    fit: dict[str, Any] = dict.fromkeys(FIT, float("nan")) | {"status": "solved", "groups": 0, "pairs": 0}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SkyMatchWarning)
        try:
            loaded, solution = fork.require("group", "solve")
            fit["groups"] = len(loaded.groups)
            if params.skymethod not in LOCAL_METHODS:
                fit |= _agreement(residuals_table(loaded, *fork.require("units", "pair", "solve")))
        except SkyMatchError as error:
            return fit | {"status": f"failed: {error}"}, {}
    return fit, dict(zip(loaded.groups, solution.sky, strict=True))


def _agreement(residuals: pd.DataFrame) -> dict[str, Any]:
    if residuals.empty:
        return {"pairs": 0}
    return {
        "pairs": len(residuals),
        "rms_before": _rms(residuals["before"]),
        "rms_after": _rms(residuals["after"]),
        "largest_after": float(residuals["after"].abs().max()),
        "rms_pull": _rms(residuals["pull"]),
    }


def _side_by_side(
    answers: Sequence[tuple[dict[str, Any], dict[str, float]]], index: pd.Index, fork: Pipeline
) -> pd.DataFrame:
    fits = pd.DataFrame([fit for fit, _ in answers], index=index)
    skies = pd.DataFrame([sky for _, sky in answers], index=index)
    table = pd.concat({"fit": fits, "sky": skies}, axis=1)
    (units,) = fork.require("units")
    in_brightness = {"rms_before", "rms_after", "largest_after"}
    table.attrs["units"] = {c: units.unit if c[0] == "sky" or c[1] in in_brightness else "" for c in table.columns}
    return table


def _rms(values: pd.Series) -> float:
    return float(np.sqrt((values**2).mean()))


def _shown(value: Any) -> Any:
    """Value as it can stand in an index."""
    return str(value) if value is None or isinstance(value, Mapping | list) or callable(value) else value

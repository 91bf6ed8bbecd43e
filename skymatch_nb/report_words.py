"""What a report says in sentences: what was done, what came of it, and what to be warned of."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from skymatch_nb.core.misfit import OUTLIER
from skymatch_nb.params import SkyMatchParams, specs
from skymatch_nb.report import SessionSummary, number_of, residual_summary
from skymatch_nb.steps.registry import LOCAL_METHODS
from skymatch_nb.steps.standing import is_alone

MOST_NAMES = 5
"""Names that a sentence lists."""

MOST_OUTLIERS = 3
"""Pairs that a warning names."""

_WEIGHTS = {
    "npix": "by their number of pixels",
    "variance": "by the inverse variance of their differences",
    "uniform": "all alike",
}

_ISOLATED = {"own": "keep their own sky", "leave": "get no level"}

_UNTOLD = {"skymethod", "skystat", "verbose", "logfile", "optimize", "clobber", "clean", "executor"}
"""Parameters that other sentences tell, or that do not touch the answer."""


def noun_of(members: pd.DataFrame) -> str:
    """What a group of the members table is: 'exposure', 'chip' or 'group', as `skymatch_nb.results.Loaded` has it."""
    if (members["group"] == members["file"]).all():
        return "exposure"
    return "chip" if (members["group"] == members.index).all() else "group"


def in_words(summary: SessionSummary, members: pd.DataFrame, sky: pd.DataFrame, residuals: pd.DataFrame) -> list[str]:
    """What was done and found, in sentences."""
    params, noun = summary.params, noun_of(members)
    of_group = sky.groupby("group", sort=False).first()
    lines = [f"{_method(params, noun)} (method {params.skymethod}, statistic {params.skystat})."]
    lines += _choices(summary, noun, residuals)
    known, unit = of_group["sky"].dropna(), sky.attrs["units"]["sky"]
    if len(known):
        have = "has" if len(known) == 1 else "have"
        levels = f"from {known.min():.6g} to {known.max():.6g}" if len(known) > 1 else f"{known.iloc[0]:.6g}"
        lines.append(f"{len(known)} of {number_of(len(of_group), noun)} {have} a level, {levels} {unit}".rstrip() + ".")
    lines += _apart(of_group["status"], params)
    if not residuals.empty:
        local = params.skymethod in LOCAL_METHODS
        lines.append(f"The {residual_summary(residuals)}{'; this method does not use overlaps' if local else ''}.")
    return lines


def outlier_warnings(summary: SessionSummary, residuals: pd.DataFrame) -> list[str]:
    """Warning of pairs that still differ by more than `OUTLIER` standard errors, the largest named."""
    if residuals.empty or summary.params.skymethod in LOCAL_METHODS:
        return []
    pull = residuals["pull"].to_numpy(float)
    order = np.argsort(-np.abs(np.nan_to_num(pull)), kind="stable")
    count = int(np.count_nonzero(np.abs(np.nan_to_num(pull)) > OUTLIER))
    if not count:
        return []
    named = [f"{' − '.join(map(str, residuals.index[k]))} ({pull[k]:+.1f})" for k in order[: min(count, MOST_OUTLIERS)]]
    differ = "differs" if count == 1 else "differ"
    return [
        f"{count} of {number_of(len(pull), 'pair')} {differ} after matching by more than {OUTLIER:g} standard errors, "
        f"the largest: {', '.join(named)}"
    ]


def _method(params: SkyMatchParams, noun: str) -> str:
    agree = f"Levels were found that make overlapping {noun}s agree"
    whose = "" if noun == "chip" else ", the lowest of its images"
    return {
        "match": agree,
        "globalmin+match": f"{agree}, and the lowest remaining sky was added to all",
        "localmin": f"Every {noun} was given its own sky{whose}",
        "globalmin": f"All {noun}s were given the same sky, the lowest of all",
    }[params.skymethod]


def _choices(summary: SessionSummary, noun: str, residuals: pd.DataFrame) -> list[str]:
    """Sentences on parameters that are not at their defaults."""
    changed = summary.changed_params
    told = _of_grouping(changed) | _of_given(changed)
    if summary.params.skymethod not in LOCAL_METHODS:
        told |= _of_match(changed, noun, residuals)
    lines = [text for name, text in told.items() if name in changed]
    show = {s.name: s.format for s in specs()}
    others = [f"{n} = {show[n](value)}" for n, value in changed.items() if n not in told and n not in _UNTOLD]
    return [*lines, f"Other parameters that were changed: {', '.join(others)}."] if others else lines


def _of_grouping(changed: dict[str, Any]) -> dict[str, str]:
    by = changed.get("group_by")
    if by == "chip":
        text = "Every chip has a level of its own (group_by chip)."
    elif isinstance(by, str):
        text = f"Members with the same {by} share a level (group_by {by})."
    else:
        text = "Members share levels in groups that were given (group_by)."
    return {"group_by": text}


def _of_given(changed: dict[str, Any]) -> dict[str, str]:
    """What was given from outside: levels, and what is kept out."""
    fixed, out = changed.get("fixed") or {}, changed.get("leave_out") or ()
    held = _listed([f"{name} = {value:g}" for name, value in fixed.items()])
    return {
        "fixed": f"Known skies were held exactly (fixed, in data units): {held}.",
        "leave_out": f"These took no part (leave_out): {_listed(list(map(str, out)))}.",
        "mask_sources": f"Sources {changed.get('mask_sources')} sigma above their background were left out"
        " (mask_sources).",
        "exclude_regions": "Pixels in regions of the sky were left out (exclude_regions).",
        "include_regions": "Only pixels in regions of the sky were used (include_regions).",
    }


def _of_match(changed: dict[str, Any], noun: str, residuals: pd.DataFrame) -> dict[str, str]:
    """How levels were matched."""
    lost = int((residuals["status"] == "down-weighted").sum()) if "status" in residuals else 0
    return {
        "overlap_stat": "Overlaps were compared pixel by pixel, so that what both sides see cancels (overlap_stat"
        " difference).",
        "weighting": f"Pairs counted {_WEIGHTS.get(changed.get('weighting', ''), '')} (weighting"
        f" {changed.get('weighting')}).",
        "robust": f"Pairs that disagree with the rest lost weight: {lost} of {number_of(len(residuals), 'pair')} more"
        f" than half of it (robust {changed.get('robust')}).",
        "anchor": f"Each set of {noun}s that overlap one another has a zero point of its own (anchor component).",
        "isolated": f"{noun.capitalize()}s that overlap no other {_ISOLATED.get(changed.get('isolated', ''), '')}"
        f" (isolated {changed.get('isolated')}).",
        "reference": f"{changed.get('reference')} was chosen as the reference.",
        "match_down": "The highest level is the reference (match_down False).",
    }


def _apart(status: "pd.Series[Any]", params: SkyMatchParams) -> list[str]:
    """Sentences on groups that were not matched with others, by what became of them."""
    of: dict[str, list[str]] = {}
    for name, text in status.items():
        head, _, why = str(text).partition(", ")
        kind = "none" if is_alone(head) else head
        if kind in ("none", "left out") or why:
            of.setdefault(kind, []).append(f"{name} ({why or head})" if kind != "left out" else str(name))
    local = params.skymethod in LOCAL_METHODS
    starts = {
        "none": "Without a level" if local else "Not matched, and without a level",
        "baseline": "Not matched, but given the baseline",
        "own sky": "Not matched, but given their own sky",
        "left out": "Left out, and without a level",
    }
    return [f"{starts[kind]}: {_listed(names)}." for kind, names in of.items() if kind in starts]


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return ", ".join(names[:MOST_NAMES]) + more

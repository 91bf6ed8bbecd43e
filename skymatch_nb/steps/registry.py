"""The order of the steps, as a table: what each makes, from which results, and which parameters it reads.

A result's key is a hash of the keys it was made from and of those parameters, so a result is fresh exactly
when its key equals the one computed from the present inputs and parameters.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from skymatch_nb.executor import Work
from skymatch_nb.io.inputs import Spec
from skymatch_nb.params import SkyMatchParams
from skymatch_nb.results import Result, make_key
from skymatch_nb.steps.apply import plan, report
from skymatch_nb.steps.footprint import footprint
from skymatch_nb.steps.header import header_sky
from skymatch_nb.steps.load import load
from skymatch_nb.steps.mask import count, mask
from skymatch_nb.steps.measure import measure_members, measure_overlaps, pair_groups
from skymatch_nb.steps.overlap import overlap
from skymatch_nb.steps.sample import sample_members, sample_overlaps
from skymatch_nb.steps.solve import solve_local, solve_match
from skymatch_nb.steps.units import units

LOCAL_METHODS = ("localmin", "globalmin")


@dataclass(frozen=True)
class Given:
    """What a run starts from: files and objects, masks and DQ arrays given apart, and a hash of each."""

    specs: tuple[Spec, ...]
    specs_key: str
    masks: Mapping[str, Any]
    dq: Mapping[str, Any]
    masks_key: str


@dataclass(frozen=True)
class Call:
    """All that a step can be given: its key, the results before it, and how to run."""

    key: str
    results: Mapping[str, Any]
    given: Given
    params: SkyMatchParams
    work: Work


@dataclass(frozen=True)
class Step:
    """One row of the table.

    ``needs`` names the results before it, ``reads`` the steps whose parameters (as declared in params/) it reads.
    """

    name: str
    summary: str
    needs: Callable[[SkyMatchParams], tuple[str, ...]]
    reads: tuple[str, ...]
    run: Callable[[Call], Result]


def _always(*names: str) -> Callable[[SkyMatchParams], tuple[str, ...]]:
    return lambda params: names


def _solve_needs(params: SkyMatchParams) -> tuple[str, ...]:
    if params.skymethod in LOCAL_METHODS:
        return ("load", "units", "measure_members")
    matched = ("load", "units", "overlap", "pair")
    return (*matched, "measure_members") if params.skymethod == "globalmin+match" else matched


def _solve(c: Call) -> Result:
    r = c.results
    if c.params.skymethod in LOCAL_METHODS:
        return solve_local(c.key, r["load"], r["units"], r["measure_members"], c.params)
    whole = r.get("measure_members")
    return solve_match(c.key, r["load"], r["units"], r["overlap"], r["pair"], whole, c.params)


_TABLE = (
    Step("load", "read headers and WCS", _always(), (), lambda c: load(c.key, c.given.specs, c.work)),
    Step(
        "units",
        "convert data units to brightness",
        _always("load"),
        ("units",),
        lambda c: units(c.key, c.results["load"], c.params, c.work),
    ),
    Step(
        "header",
        "look up sky levels in headers",
        _always("load"),
        ("apply",),
        lambda c: header_sky(c.key, c.results["load"], c.params, c.work),
    ),
    Step(
        "mask",
        "decide which pixels are good",
        _always("load"),
        ("mask",),
        lambda c: mask(c.key, c.results["load"], c.given.masks, c.given.dq, c.params),
    ),
    Step(
        "count",
        "count good pixels",
        _always("load", "mask"),
        (),
        lambda c: count(c.key, c.results["load"], c.results["mask"], c.work),
    ),
    Step(
        "footprint",
        "trace outlines",
        _always("load"),
        (),
        lambda c: footprint(c.key, c.results["load"], c.work),
    ),
    Step(
        "overlap",
        "find overlaps",
        _always("load", "footprint"),
        (),
        lambda c: overlap(c.key, c.results["load"], c.results["footprint"]),
    ),
    Step(
        "sample_overlaps",
        "gather pixels of overlaps",
        _always("load", "mask", "overlap"),
        ("sample",),
        lambda c: sample_overlaps(c.key, c.results["load"], c.results["mask"], c.results["overlap"], c.params, c.work),
    ),
    Step(
        "sample_members",
        "gather pixels of whole members",
        _always("load", "mask"),
        ("sample",),
        lambda c: sample_members(c.key, c.results["load"], c.results["mask"], c.params, c.work),
    ),
    Step(
        "measure_overlaps",
        "measure sky in overlaps",
        _always("overlap", "sample_overlaps"),
        ("measure",),
        lambda c: measure_overlaps(c.key, c.results["overlap"], c.results["sample_overlaps"], c.params),
    ),
    Step(
        "measure_members",
        "measure sky of whole members",
        _always("sample_members"),
        ("measure",),
        lambda c: measure_members(c.key, c.results["sample_members"], c.params),
    ),
    Step(
        "pair",
        "combine overlaps into pairs",
        _always("load", "units", "overlap", "measure_overlaps"),
        (),
        lambda c: pair_groups(
            c.key, c.results["load"], c.results["units"], c.results["overlap"], c.results["measure_overlaps"]
        ),
    ),
    Step("solve", "solve for sky levels", _solve_needs, ("solve",), _solve),
    Step(
        "plan",
        "plan header values",
        _always("load", "units", "header", "solve"),
        ("apply",),
        lambda c: plan(c.key, c.results["load"], c.results["units"], c.results["header"], c.results["solve"], c.params),
    ),
    Step(
        "apply",
        "report what is to be written",
        _always("load", "plan"),
        ("convert",),
        lambda c: report(c.key, c.given.specs, c.results["load"], c.results["plan"], c.params),
    ),
)

STEPS: dict[str, Step] = {step.name: step for step in _TABLE}


def current_key(name: str, given: Given, params: SkyMatchParams, known: dict[str, str] | None = None) -> str:
    """Return the key that a step's result has if it is fresh; ``known`` collects keys already computed."""
    keys = {} if known is None else known
    if name not in keys:
        step = STEPS[name]
        upstream = tuple(current_key(need, given, params, keys) for need in step.needs(params))
        inputs = {"load": given.specs_key, "mask": given.masks_key}.get(name, "")
        keys[name] = make_key(name, upstream, [params.read_by(group) for group in step.reads], inputs)
    return keys[name]

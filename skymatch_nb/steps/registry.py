"""The order of the steps, as a table: what each makes, from which results, and which parameters it reads.

A result's key is a hash of the keys it was made from and of those parameters, so a result is fresh exactly
when its key equals the one computed from the present inputs and parameters.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from skymatch_nb.executor import Work
from skymatch_nb.io.inputs import Spec
from skymatch_nb.io.regions import regions_content
from skymatch_nb.params import SkyMatchParams
from skymatch_nb.results import Result, make_key
from skymatch_nb.steps.align import align, difference_samples
from skymatch_nb.steps.apply import plan, report
from skymatch_nb.steps.compare import compare_pixels, compare_regions, pair_groups
from skymatch_nb.steps.coverage import coverage
from skymatch_nb.steps.footprint import footprint
from skymatch_nb.steps.group import group
from skymatch_nb.steps.header import header_sky
from skymatch_nb.steps.load import load
from skymatch_nb.steps.mask import count, mask, with_sources
from skymatch_nb.steps.measure import measure_differences, measure_members, measure_overlaps
from skymatch_nb.steps.overlap import overlap
from skymatch_nb.steps.sample import sample_members, sample_overlaps
from skymatch_nb.steps.solve import solve_local, solve_match
from skymatch_nb.steps.sources import find_sources
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


def _compare_needs(params: SkyMatchParams) -> tuple[str, ...]:
    if params.overlap_stat == "difference":
        return ("group", "overlap", "measure_differences")
    return ("group", "units", "overlap", "measure_overlaps")


def _compare(c: Call) -> Result:
    r = c.results
    if c.params.overlap_stat == "difference":
        return compare_pixels(c.key, r["group"], r["overlap"], r["measure_differences"], c.params)
    return compare_regions(c.key, r["group"], r["units"], r["overlap"], r["measure_overlaps"], c.params)


def _flags_needs(params: SkyMatchParams) -> tuple[str, ...]:
    """Groups matter only where flags may be given by their names."""
    return ("group",) if isinstance(params.dq_bits, Mapping) else ("load",)


def _mask_needs(params: SkyMatchParams) -> tuple[str, ...]:
    return ("flags",) if params.mask_sources is None else ("flags", "sources")


def _footprint_needs(params: SkyMatchParams) -> tuple[str, ...]:
    return ("load",) if params.footprint_from == "frame" else ("load", "flags")


def _solve_needs(params: SkyMatchParams) -> tuple[str, ...]:
    if params.skymethod in LOCAL_METHODS:
        return ("group", "units", "measure_members")
    matched = ("group", "units", "overlap", "pair")
    whole = params.skymethod == "globalmin+match" or params.isolated == "own"
    return (*matched, "measure_members") if whole else matched


def _solve(c: Call) -> Result:
    r = c.results
    if c.params.skymethod in LOCAL_METHODS:
        return solve_local(c.key, r["group"], r["units"], r["measure_members"], c.params)
    whole = r.get("measure_members")
    return solve_match(c.key, r["group"], r["units"], r["overlap"], r["pair"], whole, c.params)


_TABLE = (
    Step(
        "load",
        "read headers and WCS",
        _always(),
        ("load",),
        lambda c: load(c.key, c.given.specs, c.work, c.params.wcs_key or ""),
    ),
    Step(
        "group",
        "form groups that share a sky",
        _always("load"),
        ("group",),
        lambda c: group(c.key, c.results["load"], c.params, c.work),
    ),
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
        "flags",
        "find DQ flags, masks and regions",
        _flags_needs,
        ("mask",),
        lambda c: mask(
            c.key, c.results.get("group", c.results.get("load")), c.given.masks, c.given.dq, c.params, c.work
        ),
    ),
    Step(
        "sources",
        "detect sources",
        _always("load", "flags"),
        ("sources",),
        lambda c: find_sources(c.key, c.results["load"], c.results["flags"], c.params, c.work),
    ),
    Step(
        "mask",
        "decide which pixels are good",
        _mask_needs,
        (),
        lambda c: with_sources(c.key, c.results["flags"], c.results.get("sources")),
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
        _footprint_needs,
        ("footprint",),
        lambda c: footprint(c.key, c.results["load"], c.work, c.results.get("flags")),
    ),
    Step(
        "overlap",
        "find overlaps",
        _always("group", "footprint"),
        (),
        lambda c: overlap(c.key, c.results["group"], c.results["footprint"], c.work),
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
        "align",
        "bring pixels of overlaps to the same places",
        _always("load", "mask", "overlap"),
        ("sample",),
        lambda c: align(c.key, c.results["load"], c.results["mask"], c.results["overlap"], c.params, c.work),
    ),
    Step(
        "difference_samples",
        "take differences of pixels",
        _always("group", "units", "overlap", "align"),
        ("limits", "sample"),
        lambda c: difference_samples(
            c.key,
            c.results["group"],
            c.results["units"],
            c.results["overlap"],
            c.results["align"],
            c.params,
            c.work,
        ),
    ),
    Step(
        "measure_overlaps",
        "measure sky in overlaps",
        _always("group", "overlap", "sample_overlaps"),
        ("limits", "measure"),
        lambda c: measure_overlaps(
            c.key, c.results["group"], c.results["overlap"], c.results["sample_overlaps"], c.params, c.work
        ),
    ),
    Step(
        "measure_members",
        "measure sky of whole members",
        _always("group", "sample_members"),
        ("limits", "measure"),
        lambda c: measure_members(c.key, c.results["group"], c.results["sample_members"], c.params, c.work),
    ),
    Step(
        "measure_differences",
        "measure differences in overlaps",
        _always("difference_samples"),
        ("measure",),
        lambda c: measure_differences(c.key, c.results["difference_samples"], c.params, c.work),
    ),
    Step(
        "coverage",
        "find pixels that overlaps share",
        _always("footprint", "overlap"),
        (),
        lambda c: coverage(c.key, c.results["footprint"], c.results["overlap"]),
    ),
    Step("compare", "compare both sides of overlaps", _compare_needs, ("compare", "leave_out"), _compare),
    Step(
        "pair",
        "combine overlaps into pairs",
        _always("group", "overlap", "compare", "coverage"),
        (),
        lambda c: pair_groups(
            c.key,
            c.results["group"],
            c.results["overlap"],
            c.results["compare"],
            c.results["coverage"],
            c.params.skystat,
        ),
    ),
    Step("solve", "solve for sky levels", _solve_needs, ("solve", "leave_out"), _solve),
    Step(
        "plan",
        "plan header values",
        _always("group", "units", "header", "solve"),
        ("apply",),
        lambda c: plan(
            c.key, c.results["group"], c.results["units"], c.results["header"], c.results["solve"], c.params
        ),
    ),
    Step(
        "apply",
        "report what is to be written",
        _always("group", "plan"),
        ("convert",),
        lambda c: report(c.key, c.given.specs, c.results["group"], c.results["plan"], c.params),
    ),
)

STEPS: dict[str, Step] = {step.name: step for step in _TABLE}


class Keys:
    """Keys of the steps, each hashed again only when something that it is made of has changed.

    What a key is made of is compared, not when it changed: regions and masks may be other files' content.
    """

    def __init__(self) -> None:
        self._last: dict[str, tuple[Any, str]] = {}

    def current(self, name: str, given: Given, params: SkyMatchParams, known: dict[str, str] | None = None) -> str:
        """Return the key that a step's result has if it is fresh; ``known`` collects keys already computed."""
        keys = {} if known is None else known
        if name not in keys:
            step = STEPS[name]
            upstream = tuple(self.current(need, given, params, keys) for need in step.needs(params))
            inputs = _INPUTS[name](given, params) if name in _INPUTS else ""
            made_of = upstream, [params.read_by(group) for group in step.reads], inputs
            last = self._last.get(name)
            if last is None or last[0] != made_of:
                last = self._last[name] = made_of, make_key(name, *made_of)
            keys[name] = last[1]
        return keys[name]


def _masks_content(given: Given, params: SkyMatchParams) -> Any:
    return (given.masks_key, regions_content(params.exclude_regions), regions_content(params.include_regions))


_INPUTS: Mapping[str, Callable[[Given, SkyMatchParams], Any]] = {
    "load": lambda given, params: given.specs_key,
    "flags": _masks_content,
}
"""What steps are made from besides results and parameters."""

"""Results as pandas tables; columns and index as documented in docs/tables.md, units in ``df.attrs["units"]``."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skymatch_nb.core.misfit import left_in_pairs
from skymatch_nb.errors import SkyMatchError
from skymatch_nb.geometry.sphere import to_radec
from skymatch_nb.io.named import members_named
from skymatch_nb.params.flags import flag_table
from skymatch_nb.results import (
    Applied,
    Comparison,
    Footprints,
    GoodCounts,
    GroupPairs,
    HeaderSky,
    Loaded,
    Masks,
    Member,
    Overlaps,
    Plan,
    Solution,
    Units,
)

ARCSEC2 = (180 * 3600 / np.pi) ** 2
"""Square arcseconds in a steradian."""

DOWN_WEIGHTED = 0.5
"""Pairs of which robust fitting left less of their weight than this are marked."""


def members_table(loaded: Loaded, units: Units, header: HeaderSky, given_dq: Collection[str] = ()) -> pd.DataFrame:
    """One row per member: what it is, and how its data units become brightness.

    ``given_dq`` names the members or files whose DQ arrays were given apart.
    """
    members = loaded.members
    given = members_named(members, given_dq)
    columns: dict[str, Any] = {
        name: [getattr(m, name) for m in members]
        for name in ("file", "ext", "group", "telescope", "instrument", "detector", "filter", "date_obs")
    }
    columns |= {
        "ny": [m.shape[0] for m in members],
        "nx": [m.shape[1] for m in members],
        "data_type": units.data_type,
        "exptime": units.exptime,
        "inv_sensitivity": units.inv_sensitivity,
        "pixel_scale": units.pixel_scale,
        "factor": units.factor,
        "sky_header": header.value,
        "data_unit": units.data_unit,
        "data_type_from": units.data_type_from,
        "selected_by": [m.selected_by for m in members],
        "dq_from": ["given" if k in given else _quality_from(m) for k, m in enumerate(members)],
        "wcs": [m.wcs_name for m in members],
        "distortion": [m.distortion for m in members],
    }
    known = {"ny": "pixel", "nx": "pixel", "exptime": "s", "pixel_scale": "arcsec"}
    data_unit = units.shared_data_unit
    per_unit = f"{units.unit} / {f'({data_unit})' if '/' in data_unit else data_unit}"
    return _by_member(loaded, columns, known | {"factor": per_unit, "sky_header": data_unit})


def _quality_from(member: Member) -> str:
    """Where the DQ array of a member is, or ought to be."""
    return f"missing: {member.quality_missing}" if member.quality_missing else member.quality_from


def masks_table(loaded: Loaded, masks: Masks, counts: GoodCounts) -> pd.DataFrame:
    """One row per member: good pixels, why others are not (a pixel may be bad for several reasons), good DQ flags.

    ``attrs["flags"]`` has the meanings of the flags by camera and name.
    """
    names = ("pixels", "good", "bad_dq", "bad_user", "bad_region", "bad_value", "bad_source")
    columns = {name: [getattr(c, name) for c in counts.counts] for name in names}
    fraction = np.array(columns["good"]) / np.array(columns["pixels"])
    ordered = {"pixels": columns["pixels"], "good": columns["good"], "good_fraction": fraction}
    columns["dq_good"] = list(masks.dq_good)
    table = _by_member(loaded, ordered | columns, dict.fromkeys(names, "pixel") | {"good_fraction": ""})
    table.attrs["flags"] = {
        " ".join(camera).strip(): {flag.name: flag.meaning for flag in flag_table(*camera)}
        for camera in _cameras(loaded, masks)
    }
    return table


def flags_table(loaded: Loaded, masks: Masks) -> pd.DataFrame:
    """One row per flag of every camera that has DQ arrays: its value, name and meaning, and the members it is good in.

    Cameras whose flags have no names are left out.
    """
    rows = [
        (" ".join(camera).strip(), flag.bit, flag.name, flag.meaning, good, len(of_camera))
        for camera, of_camera in _cameras(loaded, masks).items()
        for flag in flag_table(*camera)
        for good in [sum(bool(masks.good_bits[k] & flag.bit) for k in of_camera)]
    ]
    columns = ["camera", "flag", "name", "meaning", "good_in", "members"]
    table = pd.DataFrame(rows, columns=columns).set_index(["camera", "flag"])
    table.attrs["units"] = {}
    return table


def _cameras(loaded: Loaded, masks: Masks) -> dict[tuple[str, str, str], list[int]]:
    """Members with a DQ array of every telescope, instrument and detector."""
    cameras: dict[tuple[str, str, str], list[int]] = {}
    for k, member in enumerate(loaded.members):
        if masks.quality[k] is not None:
            cameras.setdefault((member.telescope, member.instrument, member.detector), []).append(k)
    return cameras


def footprints_table(loaded: Loaded, footprints: Footprints, overlaps: Overlaps) -> pd.DataFrame:
    """One row per member: where it is, its area, and how many members of other groups it overlaps."""
    ra, dec = to_radec(np.array([o.center for o in footprints.outlines]))
    ends = np.concatenate([overlaps.member_a, overlaps.member_b])
    columns = {
        "ra": ra,
        "dec": dec,
        "area_arcsec2": np.array([o.area for o in footprints.outlines]) * ARCSEC2,
        "vertices": [len(o.x) for o in footprints.outlines],
        "overlaps": np.bincount(ends, minlength=len(loaded)),
    }
    return _by_member(loaded, columns, {"ra": "deg", "dec": "deg", "area_arcsec2": "arcsec2"})


def overlaps_table(loaded: Loaded, units: Units, overlaps: Overlaps, compared: Comparison) -> pd.DataFrame:
    """One row per overlap of two members, and one per overlap that could not be found.

    ``sky_a``, ``sky_b`` and ``difference`` (a minus b) are brightness, ``difference_err`` its standard error;
    ``npix_a`` and ``npix_b`` are pixels kept.
    """
    failed = overlaps.failed
    a = np.concatenate([overlaps.member_a, [f[0] for f in failed]]).astype(int)
    b = np.concatenate([overlaps.member_b, [f[1] for f in failed]]).astype(int)
    nothing, none = np.full(len(failed), np.nan), np.zeros(len(failed), np.int64)
    names, groups = _texts(m.name for m in loaded.members), _texts(m.group for m in loaded.members)
    measured = ("npix_a", "npix_b", "sky_a", "sky_b", "difference", "difference_err")
    table = pd.DataFrame(
        {
            "member_a": names[a],
            "member_b": names[b],
            "group_a": groups[a],
            "group_b": groups[b],
            "area_arcsec2": np.concatenate([overlaps.area, nothing]) * ARCSEC2,
            **{c: np.concatenate([getattr(compared, c), none if c.startswith("npix") else nothing]) for c in measured},
            "status": [*compared.status, *(f"failed: {f[2]}" for f in failed)],
        }
    )
    known = dict.fromkeys(("sky_a", "sky_b", "difference", "difference_err"), units.unit)
    return _with_units(table, known | {"area_arcsec2": "arcsec2", "npix_a": "pixel", "npix_b": "pixel"}, "overlap")


def sky_table(loaded: Loaded, units: Units, solution: Solution, plan: Plan) -> pd.DataFrame:
    """One row per member: its group's level and standard error, in brightness and in the member's data units.

    The error of a matched group is that about the mean of its component, or about the groups that were fixed in it;
    ``baseline_err`` that of the baseline that was added to it. ``header_new`` is what `apply` writes or would write.
    """
    sky, error = solution.sky[loaded.group_of], solution.error[loaded.group_of]
    number = solution.component[loaded.group_of] + 1
    component = pd.Series(number, dtype="Int64").mask(number == 0).array
    columns = {
        "group": [m.group for m in loaded.members],
        "component": component,
        "status": [solution.status[g] for g in loaded.group_of],
        "sky": sky,
        "sky_err": error,
        "sky_data": sky / units.factor,
        "sky_data_err": error / units.factor,
        "header_old": plan.old,
        "header_new": plan.new,
        "baseline_err": solution.baseline_err[loaded.group_of],
    }
    known = dict.fromkeys(("sky_data", "sky_data_err", "header_old", "header_new"), units.shared_data_unit)
    return _by_member(loaded, columns, known | dict.fromkeys(("sky", "sky_err", "baseline_err"), units.unit))


def residuals_table(loaded: Loaded, units: Units, pairs: GroupPairs, solution: Solution) -> pd.DataFrame:
    """One row per pair of groups: their brightness difference before and after the levels are taken off.

    ``err`` is its standard error, ``pull`` the difference after in units of it, ``npix`` the mean of both sides;
    ``weight`` what the pair counted for in the equations, in units of the pair that counted most.
    """
    p = pairs.pairs
    levels, place = _sorted_groups(loaded)
    codes: Any = [place[p.first], place[p.second]]
    index = pd.MultiIndex([levels, levels], codes, names=["group_a", "group_b"])
    left = left_in_pairs(p, solution.sky)
    columns = {
        "before": p.difference,
        "after": left.difference,
        "err": left.error,
        "pull": left.pull,
        "npix": p.npix,
    }
    columns |= {"weight": _pair_weight(pairs, solution), "status": _pair_status(pairs, solution)}
    known = dict.fromkeys(("before", "after", "err"), units.unit) | {"npix": "pixel"}
    return _with_units(pd.DataFrame(columns, index=index), known, None)


def _sorted_groups(loaded: Loaded) -> tuple[Any, NDArray[np.int64]]:
    """Group names in order, and the place of each group in them: what pandas would else find by hashing every row."""
    order = sorted(range(len(loaded.groups)), key=loaded.groups.__getitem__)
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    return pd.Index([loaded.groups[g] for g in order], dtype="str"), place


def _texts(values: Iterable[str]) -> Any:
    """Texts as pandas keeps them, to take many rows from at once."""
    return pd.Series(list(values), dtype="str").array


def _pair_weight(pairs: GroupPairs, solution: Solution) -> Any:
    return solution.pair_weight if len(solution.pair_weight) else np.full(len(pairs.pairs), np.nan)


def _pair_status(pairs: GroupPairs, solution: Solution) -> Any:
    if not len(solution.pair_weight):
        return np.full(len(pairs.pairs), "not used", object)
    lost = np.where(solution.pair_factor < DOWN_WEIGHTED, "down-weighted", "used")
    return np.where(solution.pair_weight > 0, lost, "both fixed").astype(object)


def applied_table(loaded: Loaded, units: Units, applied: Applied) -> pd.DataFrame:
    """One row per member: the keyword's value before and after, and what was subtracted from the pixels."""
    columns = {
        "keyword": [applied.plan.keyword] * len(loaded),
        "old": applied.plan.old,
        "new": applied.plan.new,
        "subtracted": applied.plan.subtracted,
        "backup": list(applied.backup),
        "status": list(applied.status),
    }
    return _by_member(loaded, columns, dict.fromkeys(("old", "new", "subtracted"), units.shared_data_unit))


def sky_lines(members: pd.DataFrame, sky: pd.DataFrame) -> str:
    """Two columns of text, file and level in data units; exposures without a level are named in comments.

    Raises
    ------
    SkyMatchError
        Where the levels of one file's members differ, or a name has blanks, which such a file cannot hold.
    """
    blank = next((name for name in members["file"] if len(str(name).split()) != 1 or "#" in str(name)), None)
    if blank is not None:
        raise SkyMatchError(f"{blank!r}: names in a sky file cannot have blanks, line ends or '#'")
    lines = []
    for file, levels in sky["sky_data"].groupby(members["file"], sort=False):
        known = levels.dropna()
        if known.empty:
            lines.append(f"# {file}: no level")
        elif np.ptp(known) > 1e-6 * known.abs().max():
            listed = ", ".join(f"{value:.6g}" for value in known)
            raise SkyMatchError(f"{file}: its chips have different levels ({listed}); a sky file has one for each file")
        else:
            lines.append(f"{file}  {known.iloc[0]:.10g}")
    return "\n".join(lines) + "\n"


def to_records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as plain Python values for JSON, the index under its name, None where a value is missing."""
    flat = table if table.index.names == [None] or table.index.name == "overlap" else table.reset_index()
    return [{str(name): _plain(value) for name, value in row.items()} for row in flat.to_dict("records")]


def _plain(value: Any) -> Any:
    value = value.item() if isinstance(value, np.generic) else value
    return None if value is pd.NA or (isinstance(value, float) and not np.isfinite(value)) else value


def _by_member(loaded: Loaded, columns: Mapping[str, Any], units: Mapping[str, str]) -> pd.DataFrame:
    table = pd.DataFrame(dict(columns), index=pd.Index([m.name for m in loaded.members], name="member"))
    return _with_units(table, units, "member")


def _with_units(table: pd.DataFrame, units: Mapping[str, str], index_name: str | None) -> pd.DataFrame:
    if index_name is not None:
        table.index.name = index_name
    table.attrs["units"] = {name: units.get(name, "") for name in table.columns}
    return table

"""Measured differences to skies: the published truth table, what stands apart, and what is known beforehand."""

from dataclasses import replace

import numpy as np
import pytest

from skymatch_nb.core.pairs import Pairs
from skymatch_nb.errors import NoOverlapError, ParameterError
from skymatch_nb.params import SkyMatchParams
from skymatch_nb.results import GroupPairs, Loaded, Member, MemberLevels, Overlaps, Units
from skymatch_nb.steps import solve
from skymatch_nb.steps.solve import solve_local, solve_match
from skymatch_nb.tables import residuals_table

SKIES = np.array([100.0, 120.0, 105.0, 110.0, 95.0, 90.0, 100.0])
LINKED = [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3), (4, 5), (4, 6), (5, 6)]
MATCHED = [0, 20, 5, 10, 8.75, 3.75, 13.75]
BASELINE = 86.25
ERR = 0.5


def member(number, chip, group):
    return Member(
        name=f"{chip}.fits[{number}]", file=f"{chip}.fits", ext=str(number), hdu=number, group=group, selected_by="",
        telescope="", instrument="", detector="", filter="", date_obs="", nominal_scale=1.0, pixels=None, quality=None,
        quality_from="", quality_codes=False, mask=None, wcs=None,
    )  # fmt: skip


class Scene:
    """Exposures a, b, c, ... of two chips each; chips 2 have twice the brightness per data unit, and skies 1 higher."""

    def __init__(self, skies=SKIES, links=LINKED, err=ERR, npix=100, difference=None):
        groups = [f"{name}.fits" for name in "abcdefghij"[: len(skies)]]
        members = tuple(member(chip, name[0], name) for name in groups for chip in (1, 2))
        group_of = np.repeat(np.arange(len(groups)), 2)
        n, m = len(members), len(links)
        self.loaded = Loaded("", members, tuple(groups), group_of, tuple(groups))
        factor = np.tile([1.0, 2.0], len(groups))
        nothing = ("",) * n
        self.units = Units("", nothing, np.ones(n), np.ones(n), np.ones(n), factor, nothing, "ct")
        whole = np.asarray(skies, float)[group_of] + np.tile([0.0, 1.0], len(groups))
        self.whole = MemberLevels("", whole / factor, np.full(n, 0.3) / factor, np.full(n, 1000))
        a, b = np.array(links, np.int64).reshape(-1, 2).T
        self.overlaps = Overlaps("", 2 * a, 2 * b, (), np.ones(m))
        difference = np.asarray(skies)[a] - np.asarray(skies)[b] if difference is None else difference
        npix = np.broadcast_to(npix, m)
        self.pairs = GroupPairs("", Pairs(a, b, difference, npix, npix, np.broadcast_to(err, m) * 1.0), ("used",) * m)

    def solve(self, **params):
        checked = SkyMatchParams.checked(params)
        if checked.skymethod in ("localmin", "globalmin"):
            return solve_local("", self.loaded, self.units, self.whole, checked)
        needed = checked.skymethod == "globalmin+match" or checked.isolated == "own"
        whole = self.whole if needed else None
        return solve_match("", self.loaded, self.units, self.overlaps, self.pairs, whole, checked)

    def residuals(self, solution):
        return residuals_table(self.loaded, self.units, self.pairs, solution)


def close(found, expected):
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)


# -- the published truth table -----------------------------------------------------------------------------------


@pytest.mark.parametrize("weighting", ["pixels", "npix", "variance", "uniform"])
@pytest.mark.parametrize("robust", [None, "huber"])
@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("match", MATCHED),
        ("globalmin+match", [86.25, 106.25, 91.25, 96.25, 95, 90, 100]),
        ("localmin", SKIES),
        ("globalmin", [90] * 7),
    ],
)
def test_truth_table(method, expected, weighting, robust):
    solution = Scene().solve(skymethod=method, weighting=weighting, robust=robust)
    close(solution.sky, expected)
    if "match" in method:
        assert solution.component.tolist() == [0, 0, 0, 0, 1, 1, 1]
        assert solution.status == ("reference", *["matched"] * 6)
        assert solution.notes == (
            "the exposures form 2 sets that do not overlap each other "
            "(set 1: a.fits, b.fits, c.fits and 1 more; set 2: e.fits, f.fits, g.fits)",
        )


def test_each_component_by_itself():
    """Its own zero point, and its own baseline."""
    match = Scene().solve(skymethod="match", anchor="component")
    close(match.sky, [0, 20, 5, 10, 5, 0, 10])
    assert [k for k, s in enumerate(match.status) if s == "reference"] == [0, 5]
    up = Scene().solve(skymethod="match", anchor="component", match_down=False)
    close(up.sky, [-20, 0, -15, -10, -5, -10, 0])
    named = Scene().solve(skymethod="match", anchor="component", reference="c.fits")
    close(named.sky, [-5, 15, 0, 5, 5, 0, 10])
    both = Scene().solve(anchor="component")
    close(both.sky, SKIES)
    close(both.baseline, [100] * 4 + [90] * 3)


def test_baseline_has_the_error_of_the_member_and_the_level_that_make_it():
    """Group e is lowest; its brighter-per-unit chip is not the lowest of its two."""
    scene = Scene()
    both = scene.solve()
    close(both.baseline, [BASELINE] * 7)
    at = int(np.argmin(SKIES - MATCHED))
    np.testing.assert_allclose(both.baseline_err, np.hypot(0.3, both.error[at]))
    apart = scene.solve(anchor="component")
    np.testing.assert_allclose(apart.baseline_err, np.hypot(0.3, apart.error[[0] * 4 + [5] * 3]), rtol=1e-9)
    for method in ("match", "localmin", "globalmin"):
        assert np.isnan(scene.solve(skymethod=method).baseline_err).all()


# -- groups without a pair -----------------------------------------------------------------------------------------


def with_isolated():
    """The truth table's groups, h of 50 that overlaps nothing, and i of 40 that has no good pixel in its overlap."""
    scene = Scene(np.append(SKIES, [50.0, 40.0]))
    scene.overlaps = Overlaps("", np.append(scene.overlaps.member_a, 0), np.append(scene.overlaps.member_b, 16), (), 1)
    scene.pairs = replace(scene.pairs, statuses=(*scene.pairs.statuses, "no good pixels in b"))
    return scene


ISOLATED = [
    ("match", "shared", "baseline", (np.nan, np.nan), ("no overlap", "no good pixels")),
    ("match", "shared", "own", (50, 40), ("own sky, no overlap", "own sky, no good pixels")),
    ("match", "component", "leave", (np.nan, np.nan), ("no overlap", "no good pixels")),
    ("globalmin+match", "shared", "baseline", (40, 40), ("baseline, no overlap", "baseline, no good pixels")),
    ("globalmin+match", "component", "baseline", (50, 40), ("baseline, no overlap", "baseline, no good pixels")),
    ("globalmin+match", "shared", "own", (50, 40), ("own sky, no overlap", "own sky, no good pixels")),
    ("globalmin+match", "shared", "leave", (np.nan, np.nan), ("no overlap", "no good pixels")),
]


@pytest.mark.parametrize(("method", "anchor", "isolated", "sky", "status"), ISOLATED)
def test_isolated_groups_get_what_is_asked(method, anchor, isolated, sky, status):
    solution = with_isolated().solve(skymethod=method, anchor=anchor, isolated=isolated)
    np.testing.assert_allclose(solution.sky[7:], sky)
    assert solution.status[7:] == status
    assert "1 of 9 exposures overlap no other: h.fits" in solution.notes
    assert solution.component[7:].tolist() == [-1, -1]
    own = isolated == "own"
    np.testing.assert_array_equal(solution.error[7:], [0.3 if own else np.nan] * 2)


@pytest.mark.parametrize(("isolated", "baseline"), [("baseline", 40), ("own", 86.25), ("leave", 86.25)])
def test_isolated_groups_lower_the_baseline_only_where_they_get_it(isolated, baseline):
    close(with_isolated().solve(isolated=isolated).sky[:7], np.add(MATCHED, baseline))


def test_isolated_group_without_a_good_pixel_has_no_level_of_its_own():
    scene = with_isolated()
    scene.whole.sky[14:16] = np.nan
    for params in ({"isolated": "own"}, {"anchor": "component"}):
        solution = scene.solve(**params)
        assert np.isnan(solution.sky[7])
        assert solution.status[7] == "no good pixels"
    assert scene.solve().sky[7] == 40


@pytest.mark.parametrize(
    ("params", "sky", "told"),
    [
        ({}, [90] * 7, "every exposure gets the same sky"),
        ({"anchor": "component"}, SKIES, "every exposure gets its own sky"),
        ({"isolated": "own"}, SKIES, "every exposure gets its own sky"),
        ({"isolated": "own", "skymethod": "match"}, SKIES, "every exposure gets its own sky"),
        ({"isolated": "leave"}, [np.nan] * 7, "no exposure gets a level"),
    ],
)
def test_where_nothing_overlaps(params, sky, told):
    solution = Scene(links=[]).solve(**params)
    np.testing.assert_allclose(solution.sky, sky)
    assert solution.notes == (f"none of the 7 exposures overlap: nothing was matched, {told}",)


@pytest.mark.parametrize("isolated", ["baseline", "leave"])
def test_match_needs_a_pair(isolated):
    with pytest.raises(NoOverlapError, match="none of the 7 exposures overlap, so that no sky can be matched"):
        Scene(links=[]).solve(skymethod="match", isolated=isolated)


# -- known values --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["match", "globalmin+match"])
@pytest.mark.parametrize("anchor", ["shared", "component"])
def test_component_with_a_fixed_group_takes_its_zero_point_from_it(method, anchor):
    """The other one is put at its lowest, or gets the baseline that it has by itself."""
    solution = Scene().solve(skymethod=method, anchor=anchor, fixed={"c.fits[1]": 205.0})
    close(solution.sky, [200, 220, 205, 210, *([5, 0, 10] if method == "match" else [95, 90, 100])])
    assert solution.status[:4] == ("matched", "matched", "fixed", "matched")
    assert solution.status.count("reference") == 1
    assert np.isnan(solution.baseline[:4]).all()
    assert solution.error[2] == 0
    assert (np.delete(solution.error, 2) > 0).all()


@pytest.mark.parametrize("name", ["b.fits", "b.fits[1]"])
def test_values_are_data_units_of_the_members_that_are_meant(name):
    """Chip 2 has factor 2: 60 of its units are 120."""
    scene = Scene()
    scene.units.factor[:] = [1.0, 1.0] * 7
    assert scene.solve(skymethod="match", fixed={name: 60.0}).sky[1] == 60
    scene.units.factor[2:4] = 2.0
    assert scene.solve(skymethod="match", fixed={name: 60.0}).sky[1] == 120
    assert scene.solve(skymethod="match", fixed={"b.fits[1]": 60.0, "b.fits[2]": 60.0 + 1e-6}).sky[1] == 120


def test_members_of_a_group_must_agree_in_brightness():
    """One value for a file whose chips have different factors; the error names both."""
    with pytest.raises(ParameterError) as error:
        Scene().solve(fixed={"b.fits": 60.0})
    assert str(error.value) == (
        "parameter fixed: b.fits[1] (60 in data units) and b.fits[2] (60 in data units) share the sky of 'b.fits', "
        "but have brightness 60 and 120 ct"
    )
    assert Scene().solve(fixed={"b.fits[1]": 60.0, "b.fits[2]": 30.0}).sky[1] == 60


@pytest.mark.parametrize(
    ("name", "told"), [("b.fit", "did you mean 'b.fits'"), ("nobody", "there are a.fits, a.fits[1], a.fits[2], ...")]
)
@pytest.mark.parametrize("method", ["match", "globalmin+match", "localmin", "globalmin"])
def test_unknown_name_is_an_error_that_tells_close_ones(method, name, told):
    with pytest.raises(ParameterError, match=rf"fixed: '{name}' is no file, group or member; .*") as error:
        Scene().solve(skymethod=method, fixed={name: 1.0})
    assert told in str(error.value)


def test_values_that_contradict_are_honoured_and_the_misfit_is_in_the_residuals():
    """a and b are 20 apart by their overlap and 50 by what is known."""
    scene = Scene()
    solution = scene.solve(skymethod="match", fixed={"a.fits[1]": 100.0, "b.fits[1]": 150.0})
    assert solution.sky[:2].tolist() == [100, 150]
    assert (solution.error[:2] == 0).all()
    table = scene.residuals(solution)
    assert table.after["a.fits", "b.fits"] == pytest.approx(30)
    assert table.status["a.fits", "b.fits"] == "both fixed"
    assert table.weight["a.fits", "b.fits"] == 0
    close(solution.sky[2:4], [120, 125])


def test_fixed_group_without_a_pair():
    """It keeps its value in every method and lowers no baseline."""
    scene = with_isolated()
    for method in ("match", "globalmin+match", "localmin", "globalmin"):
        solution = scene.solve(skymethod=method, fixed={"h.fits[1]": 7.0, "i.fits[1]": 8.0})
        assert solution.sky[7:].tolist() == [7, 8]
        assert solution.status[7:] == ("fixed", "fixed")
        assert solution.error[7:].tolist() == [0, 0]
    close(scene.solve(fixed={"h.fits[1]": 7.0, "i.fits[1]": 8.0}).sky[:7], np.add(MATCHED, BASELINE))


def test_fixed_groups_have_no_part_in_the_lowest_sky():
    solution = Scene().solve(skymethod="globalmin", fixed={"f.fits[1]": 3.0})
    assert solution.sky.tolist() == [95, 95, 95, 95, 95, 3, 95]
    assert solution.status.count("lowest sky") == 6
    local = Scene().solve(skymethod="localmin", fixed={"f.fits[1]": 3.0})
    assert local.sky.tolist() == [100, 120, 105, 110, 95, 3, 100]


@pytest.mark.parametrize("reference", ["a.fits", "c.fits"])
def test_reference_and_fixed_cannot_both_give_the_zero_point(reference):
    with pytest.raises(ParameterError, match=f"reference='{reference}'.*given by 'fixed' already"):
        Scene().solve(skymethod="match", reference=reference, fixed={"c.fits[1]": 1.0})
    other = Scene().solve(skymethod="match", reference="e.fits", fixed={"c.fits[1]": 1.0})
    close(other.sky, [-4, 16, 1, 6, 0, -5, 5])


# -- weights and errors --------------------------------------------------------------------------------------------


def test_bad_pair_is_marked_and_does_no_harm():
    links = [(g, h) for g in range(7) for h in range(g + 1, 7)]
    noise = 0.05 * np.random.default_rng(0).standard_normal(len(links))
    difference = np.array([SKIES[g] - SKIES[h] for g, h in links]) + noise
    difference[3] += 40.0
    scene = Scene(links=links, difference=difference, err=0.1)
    plain, robust = (scene.solve(skymethod="match", weighting="uniform", robust=r) for r in (None, "huber"))
    assert np.abs(plain.sky - (SKIES - 90)).max() > 2
    assert np.abs(robust.sky - (SKIES - 90)).max() < 0.2
    table = scene.residuals(robust)
    assert table.index[table.status == "down-weighted"].tolist() == [("a.fits", "e.fits")]
    assert table.weight["a.fits", "e.fits"] < 0.05
    assert table.weight.max() == 1
    assert set(scene.residuals(plain).status) == {"used"}


def test_weights_in_the_table_are_those_of_the_equations_over_the_largest():
    npix = np.arange(1, 10)
    table = Scene(npix=npix).residuals(Scene(npix=npix).solve(skymethod="match"))
    close(table.weight, (npix / 9) ** 2)
    local = Scene().residuals(Scene().solve(skymethod="localmin"))
    assert local.weight.isna().all()
    assert set(local.status) == {"not used"}


@pytest.mark.parametrize("params", [{"weighting": "variance"}, {"robust": "huber"}])
def test_pairs_without_an_error_are_told(params):
    err = np.full(9, ERR)
    err[[2, 5]] = 0.0, np.nan
    solution = Scene(err=err).solve(skymethod="match", **params)
    assert "2 of 9 pairs have no standard error, or 0: theirs are estimated from their pixels" in solution.notes
    assert (solution.error > 0).all()
    close(solution.sky, MATCHED)
    assert len(Scene(err=err).solve(skymethod="match").notes) == 1


def test_errors_of_very_many_groups_are_left_out_unless_they_come_cheap(monkeypatch):
    monkeypatch.setattr(solve, "MOST_FOR_ERRORS", 6)
    assert np.isfinite(Scene().solve(skymethod="match", weighting="variance").error).all()
    scene = Scene(npix=np.arange(1, 10))
    solution = scene.solve(skymethod="match", fixed={"a.fits[1]": 1.0})
    assert np.isnan(solution.error).tolist() == [False] + [True] * 6
    assert "no standard errors of levels for more than 6 exposures" in solution.notes
    assert np.isnan(scene.solve().baseline_err).all()


@pytest.mark.parametrize(
    ("statuses", "status", "note"),
    [
        (["too small (below 9 pixels)"] * 2, "overlaps too small", "1 of 3 exposures have overlaps that are all"),
        (["all pixels of a clipped", "too small (below 9 pixels)"], "all pixels clipped", "all pixels are clipped: c"),
        (["too small (below 9 pixels)", "no good pixels in b"], "no good pixels", "no good pixels in their overlaps"),
    ],
)  # fmt: skip
def test_status_tells_why_overlaps_are_not_used(statuses, status, note):
    scene = Scene(skies=[1, 2, 3], links=[(0, 1)])
    scene.overlaps = Overlaps("", np.array([0, 2, 0]), np.array([2, 4, 4]), (), np.ones(3))
    scene.pairs = replace(scene.pairs, statuses=("used", *statuses))
    solution = scene.solve(skymethod="match")
    assert solution.status[2] == status
    assert note in solution.notes[0]


def test_why_nothing_is_matched_is_told_with_numbers():
    scene = Scene(skies=[1, 2, 3], links=np.zeros((0, 2)))
    scene.overlaps = Overlaps("", np.array([0, 2]), np.array([2, 4]), (), np.ones(2))
    scene.pairs = replace(scene.pairs, statuses=("too small (below 9 pixels)", "left out"))
    with pytest.raises(NoOverlapError, match=r"none of the 2 overlaps can be used \(1 too small, 1 left out\)"):
        scene.solve(skymethod="match")

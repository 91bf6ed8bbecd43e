"""Groups by rule, keyword, mapping and function; what is missing is named."""

import numpy as np
import pytest
from astropy.io import fits

from skymatch_nb import InputError, ParameterError, SkyMatchSession, SkyMatchWarning
from skymatch_nb.datasets import make_mosaic


@pytest.fixture
def session(mosaic):
    return SkyMatchSession(mosaic.paths, skymethod="match", skystat="median", verbose=False)


@pytest.fixture(scope="module")
def visits(tmp_path_factory):
    """Two rows of two exposures whose headers name the row as their visit."""
    made = make_mosaic(tmp_path_factory.mktemp("visits"), rows=2, cols=2, shape=(64, 96), overlap=0.4, seed=8)
    for k, path in enumerate(made.paths):
        fits.setval(path, "VISIT", value=f"0{k // 2}")
    return made.paths


def test_an_exposure_is_a_group_by_default(session):
    members = session.members
    assert (members.group == members.file).all()


@pytest.mark.filterwarnings("ignore:the chips form 3 sets")
def test_each_chip_can_be_a_group(session):
    members = session.configure(group_by="chip").members
    assert list(members.group) == list(members.index)
    assert session.sky.sky.nunique() == len(members)


def test_chips_that_do_not_share_a_sky_are_found_when_each_is_a_group(tmp_path):
    """A pedestal on one chip of every exposure is recovered, where exposures as groups leave it in the residuals."""
    made = make_mosaic(tmp_path, rows=4, cols=1, shape=(64, 200), overlap=0.7, seed=8)
    for path in made.paths:
        with fits.open(path, mode="update") as hdus:
            hdus["SCI", 2].data += np.float32(0.05)
    s = SkyMatchSession(made.paths, skymethod="match", skystat="median", verbose=False)
    with pytest.warns(SkyMatchWarning, match="pairs disagree after matching"):
        together = np.sqrt((s.residuals.after**2).mean())
    sky = s.configure(group_by="chip").solve()
    assert np.sqrt((s.residuals.after**2).mean()) < 0.3 * together
    level = sky.sky_data.groupby(sky.index.str.extract(r",(\d)\]", expand=False).to_numpy()).mean()
    assert level["2"] - level["1"] == pytest.approx(0.05, abs=0.005)


@pytest.mark.parametrize("keyword", ["VISIT", "visit"])
def test_a_header_keyword_groups_by_its_value(visits, keyword):
    s = SkyMatchSession(visits, skymethod="match", group_by=keyword, verbose=False)
    assert list(s.members.groupby("group").file.nunique().items()) == [("VISIT=00", 2), ("VISIT=01", 2)]
    assert len(s.residuals) == 1


def test_files_without_the_keyword_are_named(visits):
    fits.delval(visits[1], "VISIT")
    try:
        with pytest.raises(InputError, match=f"group_by='VISIT': no such header keyword in {visits[1].name}$"):
            SkyMatchSession(visits, group_by="VISIT", verbose=False).members  # noqa: B018
    finally:
        fits.setval(visits[1], "VISIT", value="00")


def test_a_mapping_and_its_text_group_by_file_or_member(session, mosaic):
    names = [path.name for path in mosaic.paths]
    mapping = {name: "left" if k < 3 else "right" for k, name in enumerate(names)}
    left = session.configure(group_by=mapping).members.group
    assert left.value_counts().to_dict() == {"left": 6, "right": 6}
    text = ",".join(f"{name}={group}" for name, group in mapping.items())
    assert list(session.configure(group_by=text).members.group) == list(left)
    own = mapping | {f"{names[0]}[SCI,2]": "alone"}
    assert session.configure(group_by=own).members.group[f"{names[0]}[SCI,2]"] == "alone"


def test_a_mapping_that_misses_members_names_them(session, mosaic):
    names = [path.name for path in mosaic.paths]
    session.configure(group_by=dict.fromkeys(names[1:], "all"))
    with pytest.raises(ParameterError, match=rf"no group for {names[0]}\[SCI,1\], {names[0]}\[SCI,2\]"):
        session.sky  # noqa: B018


def test_a_name_that_is_no_member_is_an_error(session):
    with pytest.raises(ParameterError, match=r"nobody\.fits"):
        session.configure(group_by={"nobody.fits": "x"}).sky  # noqa: B018
    session.configure(group_by="exposure")
    with pytest.raises(ParameterError, match=r"nobody\.fits"):
        session.regroup({"nobody.fits": "x"})


def test_a_function_of_a_member_groups_and_is_kept_as_what_it_returned(session, tmp_path):
    session.configure(group_by=lambda member: member.ext)
    groups = session.members.group
    assert set(groups) == {"SCI,1", "SCI,2"}
    again = SkyMatchSession.open(session.save(tmp_path / "s.json"), workers=1)
    assert list(again.members.group) == list(groups)
    assert "'SCI,1'" in session.to_script()


def test_a_function_that_returns_nothing_is_an_error(session):
    with pytest.raises(ParameterError, match=r"returned None for .*\[SCI,1\]"):
        session.configure(group_by=lambda member: None).members  # noqa: B018


@pytest.mark.parametrize("bad", [3, "", "two words", {}, {"a.fits": 1}, {"a.fits": " "}, "a.fits="])
def test_other_values_are_refused(session, bad):
    with pytest.raises(ParameterError, match="group_by"):
        session.configure(group_by=bad)


def test_members_can_be_moved_and_headers_are_not_read_again(session, mosaic):
    session.sky  # noqa: B018
    loaded = session.fresh_result("load")
    names = [path.name for path in mosaic.paths]
    session.regroup({f"{names[0]}[SCI,2]": "moved", names[1]: "moved"})
    members = session.members
    assert list(members.index[members.group == "moved"]) == [
        f"{names[0]}[SCI,2]", f"{names[1]}[SCI,1]", f"{names[1]}[SCI,2]"
    ]  # fmt: skip
    assert session.fresh_result("load") is loaded
    session.regroup({"moved": names[5]})
    assert "moved" not in set(session.members.group)
    assert (session.members.group == names[5]).sum() == 5


def test_names_may_be_paths_and_the_star_means_the_rest(session, mosaic, monkeypatch):
    first, second, *_ = mosaic.paths
    monkeypatch.chdir(first.parent.parent)
    relative = f"{first.parent.name}/{first.name}"
    members = session.configure(group_by={f"{relative}[SCI,2]": "two", str(first): "one", "*": "rest"}).members
    assert list(members.group[:3]) == ["one", "two", "rest"]
    assert set(members.group[2:]) == {"rest"}
    sky = session.configure(group_by="exposure", leave_out=f"{relative},{second.name}[SCI,1]").sky
    assert set(sky[sky.status == "left out"].group) == {first.name, second.name}
    held = session.configure(leave_out=None, fixed={relative: 0.25}, lower={relative: -10, "*": None}).sky
    assert held.sky_data[f"{first.name}[SCI,1]"] == 0.25
    assert session.configure(fixed=None, reference=str(second)).sky.sky[f"{second.name}[SCI,1]"] == 0


def test_a_misspelt_rule_is_told(session):
    with pytest.raises(InputError, match=r"no such header keyword in .*; did you mean 'exposure'\?"):
        session.configure(group_by="exposur").members  # noqa: B018


def test_a_function_that_fails_is_named_with_its_member(session):
    with pytest.raises(ParameterError, match=r"the function failed for demo_01_flt.fits\[SCI,1\]: AttributeError: "):
        session.configure(group_by=lambda member: member.visit).members  # noqa: B018

"""The warning of grossly bad fits: it comes where levels do not describe the pairs, once, and not otherwise."""

import warnings

import pytest
from astropy.io import fits

from skymatch_nb import SkyMatchSession, SkyMatchWarning
from skymatch_nb.datasets import demo_mosaic, make_mosaic

TOLD = "pairs disagree after matching by far more than their errors"


@pytest.fixture(scope="module")
def nebula(tmp_path_factory):
    """A structured nebula that fills the field, with flagged pixels at other places in every exposure."""
    return make_mosaic(
        tmp_path_factory.mktemp("nebula"), rows=3, cols=3, shape=(128, 256), overlap=0.3, seed=5, nebula=True,
        persistence=0.2, stars=10,
    ).paths  # fmt: skip


def told(session):
    """Warnings of a bad fit that come from all that is asked of a session."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", SkyMatchWarning)
        session.solve()
        session.solve()
        assert not session.residuals.empty
    return [str(w.message) for w in caught if TOLD in str(w.message)]


def test_a_nebula_compared_by_regions_is_told_once(nebula):
    s = SkyMatchSession(nebula, skymethod="match", skystat="median", verbose=False)
    found = told(s)
    assert len(found) == 1
    worst = s.residuals["pull"].abs().idxmax()
    assert f"{worst[0]} and {worst[1]} by" in found[0]
    assert f"{s.residuals['pull'].abs().max():.1f} standard errors" in found[0]
    for advice in ("overlap_stat='difference'", "mask_sources", "exclude_regions"):
        assert advice in found[0]
    assert "fixed" not in found[0]
    assert any(TOLD in note for note in s.notes)


def test_chips_with_skies_of_their_own_are_thought_of(tmp_path):
    mosaic = make_mosaic(tmp_path, rows=2, cols=3, shape=(128, 256), overlap=0.3, seed=5, stars=10)
    for path, pedestal in zip(mosaic.paths, (0.5, -0.3, 0.1, 0.7, -0.6, 0.2), strict=True):
        with fits.open(path, mode="update") as hdus:
            hdus["SCI", 2].data += pedestal
    told_of = told(SkyMatchSession(mosaic.paths, skymethod="match", overlap_stat="difference", verbose=False))
    assert "group_by='chip' if chips do not share a sky" in told_of[0]
    assert not told(
        SkyMatchSession(mosaic.paths, skymethod="match", overlap_stat="difference", group_by="chip", verbose=False)
    )


def test_the_advice_helps(nebula):
    s = SkyMatchSession(nebula, skymethod="match", skystat="median", overlap_stat="difference", verbose=False)
    assert told(s) == []


@pytest.mark.parametrize("skystat", ["mode", "median"])
@pytest.mark.parametrize("overlap_stat", ["region", "difference"])
def test_sound_mosaics_are_not_told(mosaic, skystat, overlap_stat):
    options = {"skymethod": "match", "skystat": skystat, "overlap_stat": overlap_stat}
    assert told(SkyMatchSession(mosaic.paths, **options, verbose=False)) == []


def test_the_demo_is_not_told(tmp_path):
    paths = demo_mosaic(tmp_path).paths
    assert told(SkyMatchSession(paths, verbose=False)) == []


def test_levels_that_contradict_each_other_are_told(mosaic):
    free = SkyMatchSession(mosaic.paths, skymethod="match", skystat="median", verbose=False)
    level = free.sky.groupby("group")["sky_data"].first()
    first, second = free.residuals.index[0]
    s = SkyMatchSession(
        mosaic.paths, skymethod="match", skystat="median", verbose=False,
        fixed={first: float(level[first]), second: float(level[second]) + 1.0},
    )  # fmt: skip
    found = told(s)
    assert len(found) == 1
    assert "check the values of fixed" in found[0]
    agreeing = free.configure(fixed={first: float(level[first]), second: float(level[second])})
    assert told(agreeing) == []


def test_local_methods_ask_for_no_agreement(nebula):
    assert told(SkyMatchSession(nebula, skymethod="localmin", skystat="median", verbose=False)) == []

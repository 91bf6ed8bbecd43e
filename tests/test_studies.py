"""Answers side by side are those of sessions of their own, and read no pixel twice."""

import numpy as np
import pandas as pd
import pytest

from skymatch_nb import ParameterError, SkyMatchSession
from skymatch_nb.datasets import make_mosaic
from skymatch_nb.errors import SkyMatchWarning


@pytest.fixture
def session(mosaic):
    return SkyMatchSession(mosaic.paths, skymethod="match", skystat="median", verbose=False)


def test_a_sweep_has_a_row_for_every_combination_with_its_own_answer(session, mosaic):
    before = session.sky
    table = session.sweep(skystat=["median", "mean"], nclip=[0, 5], overlap_stat=["region", "difference"])
    assert table.index.names == ["skystat", "nclip", "overlap_stat"]
    assert len(table) == 8
    for skystat, nclip, stat in [("mean", 0, "difference"), ("median", 5, "region")]:
        s = SkyMatchSession(
            mosaic.paths, skymethod="match", skystat=skystat, nclip=nclip, overlap_stat=stat, verbose=False
        )
        row = table.loc[(skystat, nclip, stat)]
        np.testing.assert_array_equal(row["sky"].astype(float), s.sky.groupby("group", sort=False).sky.first())
        assert row["fit", "rms_after"] == pytest.approx(np.sqrt((s.residuals.after**2).mean()))
        assert row["fit", "rms_pull"] == pytest.approx(np.sqrt((s.residuals["pull"] ** 2).mean()))
        assert (row["fit", "status"], row["fit", "groups"], row["fit", "pairs"]) == ("solved", 6, len(s.residuals))
    pd.testing.assert_frame_equal(session.sky, before)
    assert session.params.skystat == "median"
    assert "arcsec2" in table.attrs["units"]["fit", "rms_after"]


def test_a_sweep_over_statistics_reads_no_pixel(session, monkeypatch):
    session.solve()
    monkeypatch.setattr("skymatch_nb.steps.sample.read_pixels", lambda source: pytest.fail("a pixel was read"))
    assert len(session.sweep(lsigma=[2.0, 3.0, 4.0])) == 3


def test_what_cannot_be_solved_has_the_reason(tmp_path):
    made = make_mosaic(tmp_path, rows=1, cols=2, shape=(64, 64), separate=[1], seed=1)
    s = SkyMatchSession(made.paths, skymethod="localmin", verbose=False)
    table = s.sweep(skymethod=["localmin", "match", "globalmin+match"])
    assert table["fit", "status"].tolist()[::2] == ["solved", "solved"]
    assert table["fit", "status"].iloc[1].startswith("failed: none of the 2 exposures overlap")
    assert np.isnan(table["sky"].iloc[1].astype(float)).all()
    assert table.loc["localmin", ("fit", "pairs")] == 0


def test_a_sweep_is_refused_before_anything_is_solved(session):
    for choices, text in [
        ({"nclipp": [1]}, "nclipp"),
        ({"nclip": [1, -1]}, "nclip=-1"),
        ({"nclip": []}, "nclip must be a list"),
        ({"skystat": "mean"}, "skystat must be a list"),
        ({}, "no parameter"),
    ]:
        with pytest.raises(ParameterError, match=text):
            session.sweep(**choices)


def test_two_solutions_side_by_side(session, mosaic):
    other = SkyMatchSession(mosaic.paths, skymethod="globalmin+match", skystat="median", verbose=False)
    table = session.compare(other)
    assert table.about_mean.abs().max() < 1e-9
    assert table.difference.mean() == pytest.approx(other.sky.sky.min() - session.sky.sky.min())
    assert table.attrs["units"]["difference"] == session.sky.attrs["units"]["sky"]


def test_solutions_without_a_common_member_are_not_compared(session, tmp_path):
    made = make_mosaic(tmp_path, rows=1, cols=2, shape=(64, 64), overlap=0.5, seed=1)
    for path in made.paths:
        path.rename(path.with_name(f"other_{path.name}"))
    other = SkyMatchSession(f"{tmp_path}/other_*.fits", skymethod="match", verbose=False)
    with pytest.raises(ParameterError, match="no member in common"):
        session.compare(other)


@pytest.mark.filterwarnings("error")
def test_groupings_are_compared_without_a_warning(session):
    table = session.compare_groups()
    assert table.index.tolist() == ["exposure", "chip"]
    assert table.groups.tolist() == [6, 12]
    assert (table.rms_after < table.rms_before).all()
    with pytest.warns(SkyMatchWarning, match="3 sets"):
        session.configure(group_by="chip").solve()


def test_compare_needs_a_session_and_warns_of_other_files_of_the_same_name(mosaic, tmp_path):
    s = SkyMatchSession(mosaic.paths[:2], skymethod="match", verbose=False)
    with pytest.raises(ParameterError, match="compare: needs another session, not 3"):
        s.compare(3)
    for path in mosaic.paths[:2]:
        (tmp_path / path.name).write_bytes(path.read_bytes())
    other = SkyMatchSession(str(tmp_path / "*.fits"), skymethod="match", verbose=False)
    with pytest.warns(SkyMatchWarning, match="compare: files of the same name are not the same file"):
        assert (s.compare(other).difference == 0).all()


def test_no_value_is_told_as_none_in_a_sweep(mosaic):
    s = SkyMatchSession(mosaic.paths[:2], skymethod="match", verbose=False)
    assert list(s.sweep(lower=[None, -5.0]).index) == ["None", -5.0]

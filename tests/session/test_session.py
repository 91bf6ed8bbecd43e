"""The session: steps on demand, only what is stale is recomputed, and the answers are the planted ones."""

import gc
import pickle
import weakref

import numpy as np
import pandas as pd
import pytest

from skymatch_nb import ParameterError, SkyMatchSession, SkyMatchWarning
from skymatch_nb.datasets import make_mosaic


def level_error(session, mosaic):
    """Levels against the planted ones, means removed, in data units."""
    level = session.sky.groupby("group", sort=False).sky_data.first()
    planted = pd.Series(mosaic.sky)[level.index]
    return ((level - level.mean()) - (planted - planted.mean())).to_numpy()


@pytest.mark.parametrize("skystat", ["mean", "median", "mode", "midpt", "biweight"])
def test_planted_sky_is_recovered(session, mosaic, skystat):
    assert np.abs(level_error(session.configure(skystat=skystat), mosaic)).max() < 0.003


def test_planted_sky_is_recovered_by_sextractor_without_a_galaxy(tmp_path):
    """On a galaxy its rule may take the median on one side of an overlap only (docs/method.md)."""
    mosaic = make_mosaic(tmp_path, rows=2, cols=3, shape=(128, 256), overlap=0.3, seed=5, galaxy=False)
    session = SkyMatchSession(mosaic.paths, skymethod="match", skystat="sextractor", verbose=False)
    assert np.abs(level_error(session, mosaic)).max() < 0.003
    assert pd.Series(mosaic.sky).std() > 0.03


def test_counts_of_different_exposure_times_are_matched_as_brightness(tmp_path):
    mosaic = make_mosaic(tmp_path, rows=1, cols=3, shape=(128, 256), overlap=0.3, units="ELECTRONS", seed=3)
    s = SkyMatchSession(mosaic.paths, skymethod="match", skystat="median", verbose=False)
    level = s.sky.groupby("group", sort=False).sky.first()
    planted = pd.Series(mosaic.sky_brightness)[level.index]
    assert s.members.exptime.nunique() > 1
    assert s.members.data_type.unique() == ["counts"]
    assert (level - planted - (level - planted).mean()).abs().max() < 0.02 * planted.mean()


def test_steps_return_their_tables_and_run_what_they_need(session):
    for step, table in (("load", "members"), ("mask", "masks"), ("compute_footprints", "footprints")):
        pd.testing.assert_frame_equal(getattr(session, step)(), getattr(session, table))
    pd.testing.assert_frame_equal(session.solve(), session.sky)
    pd.testing.assert_frame_equal(session.apply(), session.applied)


def test_solve_reads_no_pixel_outside_overlaps_and_counts_nothing(session):
    session.solve()
    states = session.status()["state"].droplevel("step")
    assert states["count"] == "not run"
    assert states["sample_members"] == "not needed"
    assert states["solve"] == "fresh"


RECOMPUTED = [
    ({"match_down": False}, {"solve", "plan"}),
    ({"weighting": "variance", "robust": "huber", "anchor": "component"}, {"solve", "plan"}),
    ({"isolated": "own"}, {"sample_members", "measure_members", "solve", "plan"}),
    ({"nclip": 2}, {"measure_overlaps", "compare", "pair", "solve", "plan"}),
    ({"dq_bits": "16"}, {"flags", "mask", "sample_overlaps", "measure_overlaps", "compare", "pair", "solve", "plan"}),
    ({"units_kwd": "UNITS"}, {"units", "compare", "pair", "solve", "plan"}),
    ({"min_overlap_pixels": 3}, {"compare", "pair", "solve", "plan"}),
    (
        {"overlap_stat": "difference"},
        {"align", "difference_samples", "measure_differences", "compare", "pair", "solve", "plan"},
    ),
    (
        {"exclude_regions": "icrs; polygon(1,2,3,4,5,1)"},
        {"flags", "mask", "sample_overlaps", "measure_overlaps", "compare", "pair", "solve", "plan"},
    ),
    ({"mask_sources_dilate": 5}, set()),
    ({"skyuser_kwd": "MYSKY"}, {"header", "plan"}),
    ({"skymethod": "globalmin+match"}, {"sample_members", "measure_members", "solve", "plan"}),
    ({"verbose": True}, set()),
    ({"optimize": "speed"}, {"sample_overlaps", "measure_overlaps", "compare", "pair", "solve", "plan"}),
]


@pytest.mark.filterwarnings("ignore::skymatch_nb.errors.SkyMatchWarning")
@pytest.mark.parametrize(("change", "expected"), RECOMPUTED, ids=[next(iter(change)) for change, _ in RECOMPUTED])
def test_a_change_recomputes_only_what_it_touches(session, change, expected):
    session.sky  # noqa: B018
    before = dict(session._pipeline.results)
    session.configure(**change)
    assert session._pipeline.results == before
    session.sky  # noqa: B018
    assert {name for name, result in session._pipeline.results.items() if before.get(name) is not result} == expected


def test_going_back_to_earlier_parameters_gives_the_same_answer(session):
    first = session.sky
    session.configure(nclip=0).solve()
    pd.testing.assert_frame_equal(session.configure(nclip=5).sky, first)


def test_threads_do_not_change_the_answer(mosaic):
    tables = [SkyMatchSession(mosaic.paths, skymethod="globalmin+match", workers=n, verbose=False).sky for n in (1, 3)]
    pd.testing.assert_frame_equal(*tables, check_exact=True)


def test_pixels_are_freed_with_their_session(mosaic):
    """At once: where a collector had to find them, the next session's pixels would find no room in memory."""
    gc.collect()
    gc.disable()
    try:
        own = SkyMatchSession(mosaic.paths, verbose=False)
        assert len(own.sky)
        samples = weakref.ref(own.fresh_result("sample_overlaps"))
        assert samples() is not None
        del own
        assert samples() is None
    finally:
        gc.enable()


def test_methods_differ_as_defined(session):
    match = session.sky.sky
    both = session.configure(skymethod="globalmin+match").sky.sky
    local = session.configure(skymethod="localmin").sky
    lowest = session.configure(skymethod="globalmin").sky.sky
    assert match.min() == 0
    assert (both - match).std() == pytest.approx(0, abs=1e-9)
    remaining = local.sky - match
    assert (both - match).iloc[0] == pytest.approx(remaining.min())
    assert lowest.nunique() == 1
    assert lowest.iloc[0] == local.sky.min()
    assert set(local.status) == {"own sky"}
    assert local.component.isna().all()


def test_reference_group_gets_zero(session, mosaic):
    name = mosaic.paths[2].name
    sky = session.configure(reference=name).sky
    assert (sky.sky[sky.group == name] == 0).all()
    assert (sky.status[sky.group == name] == "reference").all()
    with pytest.raises(ParameterError, match="reference: 'nobody' is no file, group or member"):
        session.configure(reference="nobody").solve()


def test_sky_file_of_one_session_fixes_the_levels_of_another(session, mosaic, tmp_path):
    """Written for AstroDrizzle and read again, for two of the exposures; the others follow across overlaps."""
    planted = mosaic.sky
    first, second = mosaic.paths[0].name, mosaic.paths[5].name
    path = tmp_path / "sky.txt"
    path.write_text(f"# known\n{first}  {planted[first]!r}\n{second}  {planted[second]!r}\n")
    sky = session.configure(fixed=path, weighting="variance", robust="huber").sky
    level = sky.groupby("group", sort=False)[["sky_data", "status", "sky_err"]].first()
    assert level.sky_data[[first, second]].tolist() == [planted[first], planted[second]]
    assert level.status.tolist() == ["fixed", "matched", "matched", "matched", "matched", "fixed"]
    assert np.abs(level.sky_data - pd.Series(planted)[level.index]).max() < 0.003
    assert level.sky_err[[first, second]].tolist() == [0, 0]


def test_match_up_leaves_the_highest_at_zero(session):
    down, up = session.sky.sky, session.configure(match_down=False).sky.sky
    assert up.max() == 0
    assert (down - up).std() == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("anchor", ["match", "globalmin+match"])
def test_two_sets_are_found_and_named(tmp_path, anchor):
    mosaic = make_mosaic(tmp_path, rows=1, cols=5, shape=(96, 160), overlap=0.3, separate=(3, 4), seed=2)
    s = SkyMatchSession(mosaic.paths, skymethod=anchor, skystat="median", verbose=False)
    with pytest.warns(SkyMatchWarning, match="2 sets that do not overlap each other"):
        sky = s.solve()
    assert list(sky.groupby("group", sort=False).component.first()) == [1, 1, 1, 2, 2]


def test_isolated_exposure_has_no_level_in_match_and_the_baseline_otherwise(tmp_path):
    mosaic = make_mosaic(tmp_path, rows=1, cols=4, shape=(96, 160), overlap=0.3, separate=(3,), seed=2)
    s = SkyMatchSession(mosaic.paths, skymethod="match", skystat="median", verbose=False)
    with pytest.warns(SkyMatchWarning, match="1 of 4 exposures overlap no other"):
        alone = s.solve().iloc[-1]
    assert alone.status == "no overlap"
    assert np.isnan(alone.sky)
    assert alone.component is pd.NA
    assert s.applied.status.iloc[-1] == "left alone: no level"
    with pytest.warns(SkyMatchWarning):
        sky = s.configure(skymethod="globalmin+match").solve()
    assert sky.sky.iloc[-1] == pytest.approx(sky.sky[sky.status == "reference"].iloc[0])


def test_subtraction_adds_to_the_old_value(session, mosaic, tmp_path):
    from astropy.io import fits

    paths = []
    for path in mosaic.paths[:2]:
        with fits.open(path) as hdus:
            hdus["SCI", 1].header["SKYUSER"] = 1.5
            hdus.writeto(tmp_path / path.name)
        paths.append(tmp_path / path.name)
    s = SkyMatchSession(paths, skymethod="match", skystat="median", verbose=False)
    sky = s.sky
    assert list(sky.header_old.isna()) == [False, True, False, True]
    assert (sky.header_new == sky.sky_data).all()
    with pytest.warns(SkyMatchWarning, match="unknown origin"):
        added = s.configure(subtractsky=True).sky
    assert np.allclose(added.header_new - added.header_old.fillna(0), added.sky_data)
    assert np.allclose(s.applied.subtracted, added.sky_data)


def test_progress_is_told_to_the_callback_and_can_stop_the_work(mosaic):
    seen = []
    s = SkyMatchSession(mosaic.paths, skymethod="match", progress=lambda *told: seen.append(told))
    s.load()
    assert seen[0] == (0, 6, "load")
    assert (6, 6, "load") in seen

    def stop(done, total, message):
        if message == "sample" and done == 2:
            raise KeyboardInterrupt

    s = SkyMatchSession(mosaic.paths, skymethod="match", progress=stop)
    with pytest.raises(KeyboardInterrupt):
        s.solve()
    assert s.fresh_result("overlap") is not None
    assert s.fresh_result("solve") is None


@pytest.mark.parametrize("name", ["workers", "masks", "dq", "progress"])
def test_what_is_given_when_a_session_is_made_cannot_be_configured(session, name):
    with pytest.raises(ParameterError, match=f"unknown parameter '{name}'; it is given when a session is made"):
        session.configure(**{name: 3})


def test_wrong_parameters_are_refused_before_anything_changes(session):
    before = session.params
    with pytest.raises(ParameterError, match="unknown parameter 'nclips'"):
        session.configure(nclips=3)
    with pytest.raises(ParameterError):
        session.configure(nclip=3, lsigma=-1)
    assert session.params is before
    with pytest.raises(ParameterError, match="workers=0"):
        SkyMatchSession("x", workers=0)
    with pytest.raises(ParameterError, match="until='end'"):
        session.run("end")


def test_equal_file_names_in_two_folders_stay_apart(mosaic, tmp_path):
    (tmp_path / "night2").mkdir()
    copy = tmp_path / "night2" / mosaic.paths[0].name
    copy.write_bytes(mosaic.paths[1].read_bytes())
    s = SkyMatchSession([mosaic.paths[0], copy], skymethod="match", verbose=False)
    assert len(set(s.members.group)) == 2
    assert f"night2/{copy.name}" in set(s.members.group)


def test_flags_may_differ_from_file_to_file(mosaic):
    names = [path.name for path in mosaic.paths]
    counts = {bits: SkyMatchSession(mosaic.paths, dq_bits=bits, verbose=False).mask().good for bits in (0, 16, None)}
    s = SkyMatchSession(mosaic.paths, dq_bits={names[0]: 16, f"{names[1]}[SCI,2]": None}, verbose=False)
    good = s.mask().good
    assert (good[:2] == counts[16][:2]).all()
    assert good.iloc[3] == counts[None].iloc[3] > counts[16].iloc[3]
    assert (good.drop(good.index[[0, 1, 3]]) == counts[0].drop(good.index[[0, 1, 3]])).all()
    by_group = SkyMatchSession(
        mosaic.paths, dq_bits={"one": 16}, group_by=dict.fromkeys(names[:5], "one") | {names[5]: "two"}, verbose=False
    )
    assert list(by_group.mask().good) == [*counts[16][:10], *counts[0][10:]]
    with pytest.raises(ParameterError, match="dq_bits: 'nobody'"):
        s.configure(dq_bits={"nobody": 4}).solve()


@pytest.mark.parametrize("method", ["match", "globalmin+match", "localmin", "globalmin"])
def test_what_is_left_out_gets_no_level_and_changes_no_other(mosaic, method):
    names = [path.name for path in mosaic.paths]
    s = SkyMatchSession(mosaic.paths, skymethod=method, skystat="median", leave_out=names[2], verbose=False)
    apart = SkyMatchSession([*mosaic.paths[:2], *mosaic.paths[3:]], skymethod=method, skystat="median", verbose=False)
    out = s.sky.group == names[2]
    assert (s.sky.status[out] == "left out").all()
    assert s.sky.sky[out].isna().all()
    pd.testing.assert_series_equal(s.sky.sky[~out], apart.sky.sky, rtol=1e-9)
    with pytest.raises(ParameterError, match="leave_out: 'nobody'"):
        s.configure(leave_out="nobody").solve()


def test_a_pickled_session_keeps_its_results_but_nothing_that_holds_in_one_process_alone(session, tmp_path):
    told = []
    session.watch(lambda: told.append("changed"))
    session.solve()
    shown = session.plot_preview(size=16)
    again = pickle.loads(pickle.dumps(session))
    assert set(again.status().state) == set(session.status().state) >= {"fresh"}
    samples = (s.fresh_result("sample_overlaps") for s in (session, again))
    assert ["places" in vars(of_one) for of_one in samples] == [True, False]
    assert (session.renew_preview(shown), again.renew_preview(shown)) == (True, False)
    log = tmp_path / "sky.log"
    pd.testing.assert_frame_equal(again.configure(nclip=1, logfile=str(log)).sky, session.configure(nclip=1).sky)
    assert log.read_text().count("***** skymatch_nb") == 1
    assert told == ["changed"]  # by the one that was watched

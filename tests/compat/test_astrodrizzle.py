"""AstroDrizzle itself, as released and with our sky matching: levels in headers, seams in mosaics, failures told."""

import logging
import os
import shutil
import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from drizzling import OFFLINE, ONE_PASS, SKY_ONLY, drizzled, simulated, subframes

import skymatch_nb
from skymatch_nb import InputError, NoOverlapError, ParameterError, SkyMatchError, SkyMatchSession, SkyMatchWarning
from skymatch_nb.compat.astrodrizzle import disable, enable
from skymatch_nb.compat.seams import seams, seams_of
from skymatch_nb.datasets import make_mosaic

REQUIRED = os.environ.get("SKYMATCH_DRIZZLEPAC") == "required"
pytestmark = pytest.mark.skipif(
    find_spec("drizzlepac") is None and not REQUIRED,
    reason="drizzlepac is not installed: python -m pip install -e '.[drizzlepac]'",
)
SETTINGS = {"skymethod": "globalmin+match"}
HRC_SKIES = {"hrc1_flt.fits": 20.0, "hrc2_flt.fits": 95.0, "hrc3_flt.fits": 60.0, "hrc4_flt.fits": 140.0}


@pytest.fixture(autouse=True)
def released():
    """Undo that importing drizzlepac turns warnings off; leave nothing enabled."""
    if find_spec("drizzlepac"):
        import_module("drizzlepac")
        logging.captureWarnings(False)
    yield
    if find_spec("drizzlepac"):
        disable()


@pytest.fixture
def run_astrodrizzle():
    return import_module("drizzlepac.astrodrizzle").AstroDrizzle


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    return simulated(tmp_path_factory.mktemp("wfc"))


@pytest.fixture
def exposures(planted, tmp_path):
    return [shutil.copy(path, tmp_path / path.name) for path in planted.paths]


@pytest.fixture(scope="module")
def as_released(planted, tmp_path_factory):
    """Product of AstroDrizzle before anything was enabled, and its log."""
    folder = tmp_path_factory.mktemp("released")
    paths = [shutil.copy(path, folder / path.name) for path in planted.paths]
    product = drizzled(import_module("drizzlepac.astrodrizzle").AstroDrizzle, paths, "released", **SETTINGS)
    return product, (folder / "released.log").read_text()


def mosaic_of(product):
    with fits.open(product) as hdus:
        return hdus["SCI"].data.copy(), hdus["CTX"].data.reshape(hdus["SCI"].data.shape).astype(np.int64)


def keywords(paths):
    """MDRIZSKY of every SCI extension."""
    found = []
    for path in paths:
        with fits.open(path) as hdus:
            found += [hdu.header["MDRIZSKY"] for hdu in hdus if hdu.name == "SCI"]
    return np.array(found)


def test_as_released_another_method_is_used_and_leaves_seams(as_released):
    product, log = as_released
    assert 'Reverting sky computation to "localmin" from "globalmin+match' in log
    steps = seams(product)
    assert len(steps) >= 5
    assert steps.pull.abs().max() > 20


@pytest.mark.parametrize("skymethod", ["match", "globalmin+match"])
def test_as_released_the_keyword_is_not_written(exposures, run_astrodrizzle, skymethod):
    """What the how-to says of a keyword of an earlier run, and of the line in the log."""
    for ext in (("SCI", 1), ("SCI", 2)):
        fits.setval(exposures[0], "MDRIZSKY", value=5.0, ext=ext)
    drizzled(run_astrodrizzle, exposures, "stale", **SKY_ONLY | {"skymethod": skymethod})
    assert (
        f'Reverting sky computation to "localmin" from "{skymethod}' in (exposures[0].parent / "stale.log").read_text()
    )
    assert [fits.getval(exposures[0], "MDRIZSKY", ("SCI", k)) for k in (1, 2)] == [5.0, 5.0]
    assert all("MDRIZSKY" not in fits.getheader(path, ("SCI", k)) for path in exposures[1:] for k in (1, 2))


def test_with_ours_skies_are_the_planted_ones_and_there_is_no_seam(planted, exposures):
    tables = []
    product = drizzled(lambda *a, **k: tables.append(skymatch_nb.astrodrizzle(*a, **k)), exposures, "ours", **SETTINGS)
    (sky,) = tables
    truth = np.array([planted.sky[path.name] for path in planted.paths for _ in range(2)])
    assert keywords(exposures) == pytest.approx(sky.header_new.to_numpy())
    assert (np.abs(keywords(exposures) - truth) < 3 * sky.sky_data_err).all()
    steps = seams(product)
    assert len(steps) >= 9
    assert (steps.pull.abs() < 3).all()
    assert not steps.blind.any()
    log = (exposures[0].parent / "ours.log").read_text()
    assert "***** skymatch_nb" in log
    assert "skymethod = 'globalmin+match'" in log
    assert "Reverting" not in log


def test_disabled_again_it_behaves_as_released(exposures, as_released, run_astrodrizzle):
    enable(overlap_stat="difference")
    enable()
    disable()
    disable()
    product = drizzled(run_astrodrizzle, exposures, "again", **SETTINGS)
    for found, before in zip(mosaic_of(product), mosaic_of(as_released[0]), strict=True):
        np.testing.assert_array_equal(found, before)


def test_crowded_archive_data(realdata, tmp_path, run_astrodrizzle):
    """Quarters of one exposure, so that a mosaic without planted skies tells what each pixel should be."""
    made, rates = {}, {}
    for name, skies in {"truth": dict.fromkeys(HRC_SKIES, 0.0), "released": HRC_SKIES, "ours": HRC_SKIES}.items():
        (tmp_path / name).mkdir()
        paths = subframes(realdata / "acs_hrc" / "input1.fits.gz", tmp_path / name, skies)
        if name == "truth":
            product = drizzled(run_astrodrizzle, paths, name, skysub=False, **ONE_PASS)
        elif name == "released":
            product = drizzled(run_astrodrizzle, paths, name, skymethod="match", **ONE_PASS)
        else:
            with enable() as matching:
                product = drizzled(run_astrodrizzle, paths, name, skymethod="match", **ONE_PASS)
            levels = keywords(paths) - np.array(list(HRC_SKIES.values()))
            errors = matching.sky.sky_data_err.to_numpy()
        made[name], context = mosaic_of(product)
    assert (np.abs(levels - levels.mean()) < 3 * errors).all()
    for name in ("released", "ours"):
        rates[name] = seams_of(made[name] - made["truth"], context)
    of_levels = np.hypot(*errors[:2]) / 60  # electrons of a minute
    ours, released = rates["ours"], rates["released"]
    assert (ours.step.abs() < 3 * np.hypot(ours.step_err, of_levels)).all()
    with pytest.warns(SkyMatchWarning, match="ours_drz.fits: at 12 of 12 edges a step of .* would not be seen"):
        alone = seams(tmp_path / "ours" / "ours_drz.fits")  # stars hide whatever steps there are
    assert (alone.pull.abs() < 3).all()
    assert alone.blind.all()
    assert released.step.abs().max() > 20 * ours.step.abs().max()


@pytest.mark.parametrize("in_memory", [False, True])
def test_pixels_and_masks_are_those_that_astrodrizzle_gives(exposures, run_astrodrizzle, tmp_path, in_memory):
    cut = tmp_path / "cut.fits"
    fits.PrimaryHDU(np.repeat(np.arange(400) < 300, 200).reshape(400, 200).T.astype(np.uint8)).writeto(cut)
    (tmp_path / "masks.txt").write_text(f"{exposures[0].name}{{('SCI',1)}}, {cut.name}\n")
    direct = SkyMatchSession(
        exposures, skymethod="match", skystat="median", dq_bits=0, masks={f"{exposures[0].name}[SCI,1]": cut}
    ).sky
    before = [fits.getdata(path, ("SCI", 2)) for path in exposures]
    with enable() as matching:
        settings = {"skymethod": "match", "skymask_cat": "masks.txt", "in_memory": in_memory}
        drizzled(run_astrodrizzle, exposures, "masked", **SKY_ONLY | settings)
    assert matching.sky.sky_data.to_numpy() == pytest.approx(direct.sky_data.to_numpy(), abs=1e-9)
    assert keywords(exposures) == pytest.approx(direct.sky_data.to_numpy(), abs=1e-9)
    for path, pixels in zip(exposures, before, strict=True):
        np.testing.assert_array_equal(fits.getdata(path, ("SCI", 2)), pixels)
    assert not list(tmp_path.glob("*skymatch_mask*"))


@pytest.mark.filterwarnings("ignore:the .* form 2 sets")
def test_only_the_chosen_chip_is_matched(exposures, run_astrodrizzle):
    with enable() as matching:
        drizzled(run_astrodrizzle, exposures, "one", group="sci,2", **SKY_ONLY | SETTINGS)
    assert [name[-7:] for name in matching.sky.index] == ["[SCI,2]"] * 4
    with fits.open(exposures[1]) as hdus:
        assert "MDRIZSKY" not in hdus["SCI", 1].header
        assert hdus["SCI", 2].header["MDRIZSKY"] == pytest.approx(matching.sky.header_new.iloc[1])


@pytest.mark.filterwarnings("ignore:the .* form 3 sets")
def test_our_parameters_reach_the_match(planted, exposures, run_astrodrizzle):
    held = exposures[2].name
    ours = {"overlap_stat": "difference", "group_by": "chip", "weighting": "variance", "robust": "huber"}
    with enable(fixed={held: planted.sky[held]}, skystat="biweight", workers=1, **ours) as matching:
        drizzled(run_astrodrizzle, exposures, "fixed", **SKY_ONLY | SETTINGS)
    params = matching.session.params
    assert {name: getattr(params, name) for name in ours} == ours
    assert params.skystat == "biweight"
    assert matching.sky.group.nunique() == 8
    truth = np.array([planted.sky[path.name] for path in planted.paths for _ in range(2)])
    assert keywords(exposures)[4:6] == pytest.approx(truth[4:6])
    assert (np.abs(keywords(exposures) - truth) < 3 * matching.sky.sky_data_err + 1e-9).all()


@pytest.fixture
def apart(tmp_path):
    """Two exposures that do not overlap."""
    return list(
        make_mosaic(
            tmp_path / "apart", rows=1, cols=2, shape=(100, 100), chips=1, overlap=0.3, seed=3, camera="ACS/HRC",
            units="ELECTRONS", galaxy=False, separate=[1],
        ).paths
    )  # fmt: skip


def test_failure_stops_astrodrizzle(apart, run_astrodrizzle):
    with enable() as matching, pytest.raises(NoOverlapError):
        drizzled(run_astrodrizzle, apart, "none", skymethod="match", **SKY_ONLY)
    assert isinstance(matching.failure, NoOverlapError)
    assert matching.sky is None
    assert all("MDRIZSKY" not in fits.getheader(path, 1) for path in apart)


def test_globalmin_match_of_nothing_stops_too(apart, run_astrodrizzle):
    """One sky for exposures that do not overlap would be another method."""
    text = r"no two of the 2 groups have an overlap that can be used \(no overlap\)"
    with enable() as matching, pytest.raises(NoOverlapError, match=text):
        drizzled(run_astrodrizzle, apart, "none", **SKY_ONLY | SETTINGS)
    assert matching.sky is None
    assert all("MDRIZSKY" not in fits.getheader(path, 1) for path in apart)
    text = "AstroDrizzle goes on with skymethod='globalmin': no two of the 2 groups"
    with pytest.warns(SkyMatchWarning, match=text), enable(fallback=True) as matching:
        drizzled(run_astrodrizzle, apart, "fallback", **SKY_ONLY | SETTINGS)
    assert matching.session.params.skymethod == "globalmin"
    assert matching.sky.sky.nunique() == 1
    assert keywords(apart) == pytest.approx(matching.sky.header_new.to_numpy())


@pytest.mark.filterwarnings("ignore:none of the 2 exposures overlap")
def test_own_skies_where_nothing_overlaps_are_given_on_request(apart, run_astrodrizzle):
    with enable(isolated="own") as matching:
        drizzled(run_astrodrizzle, apart, "own", **SKY_ONLY | SETTINGS)
    assert matching.failure is None
    local = SkyMatchSession(apart, skymethod="localmin", skystat="median", dq_bits=0).sky
    assert keywords(apart) == pytest.approx(local.sky_data.to_numpy())


def test_a_single_exposure_gets_its_own_sky_and_a_warning(exposures, planted, run_astrodrizzle):
    with pytest.warns(SkyMatchWarning, match="there is only one exposure"), enable():
        drizzled(run_astrodrizzle, exposures[:1], "one", **SKY_ONLY | SETTINGS)
    assert keywords(exposures[:1]) == pytest.approx(planted.sky[exposures[0].name], abs=0.3)


@pytest.mark.parametrize("skymethod", ["globalmin+match", "localmin"])
def test_no_usable_pixel_at_all_stops(exposures, run_astrodrizzle, skymethod):
    for path in exposures:
        with fits.open(path, mode="update") as hdus:
            for hdu in hdus:
                if hdu.name == "DQ":
                    hdu.data[:] = 4
    with (
        enable() as matching,
        pytest.raises(SkyMatchError, match="no level was found for any exposure: no good pixels"),
    ):
        drizzled(run_astrodrizzle, exposures, "bad", **SKY_ONLY | {"skymethod": skymethod})
    assert matching.failure is not None
    assert all("MDRIZSKY" not in fits.getheader(path, 1) for path in exposures)


def test_fallback_is_told_with_its_cause(apart, run_astrodrizzle):
    text = "no sky was matched, AstroDrizzle goes on with skymethod='localmin': .*overlap"
    with pytest.warns(SkyMatchWarning, match=text), enable(fallback=True) as matching:
        drizzled(run_astrodrizzle, apart, "none", skymethod="match", **SKY_ONLY)
    assert isinstance(matching.failure, NoOverlapError)
    local = SkyMatchSession(apart, skymethod="localmin", skystat="median", dq_bits=0).sky
    assert keywords(apart) == pytest.approx(local.sky_data.to_numpy())
    assert "Warning: no sky was matched" in (apart[0].parent / "none.log").read_text()


def test_exposure_without_a_level_gets_0_and_a_warning(exposures, apart, run_astrodrizzle):
    shutil.move(apart[1], exposures[0].parent / "lonely_flt.fits")
    paths = [*exposures, exposures[0].parent / "lonely_flt.fits"]
    with fits.open(paths[-1], mode="update") as hdus:
        hdus["SCI"].header["MDRIZSKY"] = 7.0
    with pytest.warns(SkyMatchWarning) as caught, enable():
        drizzled(run_astrodrizzle, paths, "lonely", skymethod="match", **SKY_ONLY)
    assert any("no level was found for lonely_flt.fits[SCI,1] (no overlap)" in str(w.message) for w in caught)
    assert keywords(paths)[-1] == 0


def test_two_step_ways(planted, exposures, run_astrodrizzle):
    """A sky file, and pixels that are subtracted with the keyword told, give the mosaic of the direct way."""
    with enable():
        direct, _ = mosaic_of(drizzled(run_astrodrizzle, exposures, "direct", **ONE_PASS | SETTINGS))
    session = SkyMatchSession(exposures, dq_bits=0, skystat="median", **SETTINGS)
    folder = exposures[0].parent
    session.write_skyfile(folder / "sky.txt")
    by_file, _ = mosaic_of(drizzled(run_astrodrizzle, exposures, "byfile", skyfile="sky.txt", **ONE_PASS))
    np.testing.assert_allclose(by_file, direct, atol=1e-5)
    session = SkyMatchSession(exposures, dq_bits=0, skystat="median", readonly=False, subtractsky=True, **SETTINGS)
    session.apply()
    settings = ONE_PASS | {"skysub": False, "skyuser": "SKYUSER"}
    by_keyword, _ = mosaic_of(drizzled(run_astrodrizzle, exposures, "bykeyword", **settings))
    np.testing.assert_allclose(by_keyword, direct, atol=1e-4)
    assert keywords(exposures) == pytest.approx(session.sky.sky_data.to_numpy())


def test_block_restores_what_was_there(run_astrodrizzle):
    module = import_module("drizzlepac.sky")
    before = module.skymatch
    with enable() as outer:
        with enable(nclip=3) as inner:
            assert module.skymatch is inner
        assert module.skymatch is outer
    assert module.skymatch is before
    assert before is import_module("stsci.skypac.skymatch").skymatch


def test_a_match_can_be_used_again(run_astrodrizzle):
    module = import_module("drizzlepac.sky")
    matching = enable()
    disable()
    for _ in range(2):
        with matching:
            assert module.skymatch is matching
        assert module.skymatch is import_module("stsci.skypac.skymatch").skymatch


def test_an_error_in_a_block_takes_the_match_away(run_astrodrizzle):
    with pytest.raises(ZeroDivisionError), enable():
        1 / 0  # noqa: B018
    assert import_module("drizzlepac.sky").skymatch is import_module("stsci.skypac.skymatch").skymatch


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({"skymethod": "match"}, "AstroDrizzle decides that: give its skymethod instead"),
        ({"readonly": False}, "give its skysub instead"),
        ({"in_place": True}, "AstroDrizzle decides that"),
        ({"overlap_stat": "pixels"}, "overlap_stat"),
        ({"overlap": 3}, "overlap"),
    ],
)
def test_parameters_that_cannot_be_given(params, text):
    with pytest.raises(ParameterError, match=text):
        enable(**params)
    assert import_module("drizzlepac.sky").skymatch is import_module("stsci.skypac.skymatch").skymatch


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"skysub": False}, "skysub=False: no sky is computed"),
        ({"skyfile": "sky.txt"}, "skyfile='sky.txt': no sky is computed"),
        ({"skyuser": "SKYUSER"}, "skyuser='SKYUSER': AstroDrizzle ignores it where it subtracts skies"),
        ({"final_pixfrc": 0.8}, "AstroDrizzle has no parameter 'final_pixfrc'; did you mean 'final_pixfrac'"),
        ({"qqq": 1}, "AstroDrizzle has no parameter 'qqq'$"),
        (
            {"overlap_stat": "difference"},
            r"no parameter 'overlap_stat'; the match has: matching=\{'overlap_stat': \.\.\.\}",
        ),
        ({"matching": "foo"}, "matching='foo': must be a mapping of parameters by name"),
        ({"matching": {1: 2}}, "matching={1: 2}: must be a mapping"),
        ({"matching": {"nclipp": 2}}, "unknown parameter 'nclipp'; did you mean 'nclip'"),
        ({"configobj": "none.cfg"}, "configobj='none.cfg': there is no such file"),
    ],
)
def test_calls_that_are_refused_before_anything_is_run(tmp_path, monkeypatch, settings, text):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ParameterError, match=text):
        skymatch_nb.astrodrizzle("*_flt.fits", **settings)
    assert list(tmp_path.iterdir()) == []
    assert import_module("drizzlepac.sky").skymatch is import_module("stsci.skypac.skymatch").skymatch


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ("none*_flt.fits", r"input 'none\*_flt.fits': no file matches it"),
        ("demo_01_flt.fits, none_flt.fits", "input 'none_flt.fits': no file matches it"),
        (["demo_01_flt.fits", "none_flt.fits"], "input 'none_flt.fits': no file matches it"),
        ("@none.lst", "input '@none.lst': there is no such list"),
        ("@some.lst", "input '@some.lst', line 2: no file matches 'none_flt.fits'"),
        ([], r"input=\[\]: it names no file"),
        ("", "input='': it names no file"),
        (None, "input=None: AstroDrizzle takes a string or a list of strings"),
    ],
)
def test_inputs_that_are_not_there(exposures, monkeypatch, given, text):
    folder = exposures[0].parent
    monkeypatch.chdir(folder)
    (folder / "some.lst").write_text("demo_01_flt.fits weights.fits\nnone_flt.fits\n\n")
    before = sorted(folder.iterdir())
    with pytest.raises(InputError, match=text):
        skymatch_nb.astrodrizzle(given, updatewcs=False)
    assert sorted(folder.iterdir()) == before


def test_inputs_in_all_forms(exposures, monkeypatch):
    monkeypatch.chdir(exposures[0].parent)
    Path("all.lst").write_text("demo_01_flt.fits\ndemo_02_flt.fits\n")
    for given in ("@all.lst", "demo_01_flt.fits, demo_02_flt.fits,", ["demo_0[12]_flt.fits"]):
        sky = skymatch_nb.astrodrizzle(given, output="forms", **OFFLINE | SKY_ONLY)
        assert sky.group.unique().tolist() == ["demo_01_flt.fits", "demo_02_flt.fits"]


def test_inputs_that_astrodrizzle_leaves_out(exposures, monkeypatch):
    monkeypatch.chdir(exposures[0].parent)
    for path in exposures:
        fits.setval(path, "EXPTIME", value=0.0)
    with pytest.raises(SkyMatchError, match=r"asking for a sky for 'demo\*_flt\.fits'; astrodrizzle\.log tells why"):
        skymatch_nb.astrodrizzle("demo*_flt.fits", updatewcs=False)


def test_the_package_of_regions_is_looked_for_first(monkeypatch):
    monkeypatch.setattr("skymatch_nb.io.ds9._has_package", lambda: False)
    for name in ("exclude_regions", "include_regions"):
        with pytest.raises(
            InputError, match=r"regions 'icrs; circle.*needs the package 'regions'.*skymatch_nb\[regions"
        ):
            enable(**{name: 'icrs; circle(150.1, 2.2, 5")'})
    assert import_module("drizzlepac.sky").skymatch is import_module("stsci.skypac.skymatch").skymatch
    enable(exclude_regions=np.array([[150.1, 2.2], [150.11, 2.2], [150.1, 2.21]]))


@pytest.mark.parametrize("skymethod", ["localmin", "globalmin"])
def test_methods_without_a_match_are_computed(planted, exposures, skymethod):
    drizzled(skymatch_nb.astrodrizzle, exposures, "local", **SKY_ONLY | {"skymethod": skymethod})
    truth = np.array([planted.sky[path.name] for path in planted.paths for _ in range(2)])
    assert keywords(exposures) == pytest.approx(truth if skymethod == "localmin" else truth.min(), abs=0.3)


def test_settings_may_come_from_a_file(tmp_path):
    teal = import_module("stsci.tools.teal")
    configuration = teal.load("astrodrizzle", defaults=True)
    configuration["STEP 2: SKY SUBTRACTION"]["skysub"] = False
    configuration.filename = str(tmp_path / "no_sky.cfg")
    configuration.write()
    with pytest.raises(ParameterError, match="skysub=False: no sky is computed"):
        skymatch_nb.astrodrizzle("*_flt.fits", configobj=str(tmp_path / "no_sky.cfg"))


def test_known_skies_are_not_relative(planted, exposures):
    """Any SkyMatchWarning is an error in these tests."""
    known = {"fixed": {exposures[0].name: planted.sky[exposures[0].name]}}
    settings = SKY_ONLY | {"skymethod": "match", "final_wht_type": "IVM"}
    drizzled(skymatch_nb.astrodrizzle, exposures, "ivm", matching=known, **settings)
    truth = np.array([planted.sky[path.name] for path in exposures for _ in range(2)])
    assert keywords(exposures) == pytest.approx(truth, abs=0.3)


def test_relative_skies_and_inverse_variance_weights(exposures):
    with pytest.warns(SkyMatchWarning, match="relative to one exposure, from which final_wht_type='IVM'"):
        drizzled(
            skymatch_nb.astrodrizzle, exposures, "ivm", **SKY_ONLY | {"skymethod": "match", "final_wht_type": "IVM"}
        )


def test_warnings_are_seen_although_drizzlepac_turns_them_off():
    """In a fresh interpreter, since pytest listens to all loggers."""
    code = (
        "import drizzlepac, warnings; drizzlepac.__version__ = '9.0'; warnings.warn('lost')\n"
        "from skymatch_nb.compat.astrodrizzle import enable; enable()"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stderr
    assert "SkyMatchWarning: drizzlepac 9.0 is newer" in said
    assert "lost" not in said


def test_versions(monkeypatch):
    drizzlepac = import_module("drizzlepac")
    monkeypatch.setattr(drizzlepac, "__version__", "3.9.1")
    with pytest.raises(SkyMatchError, match=r"3\.9\.1 is too old"):
        enable()
    monkeypatch.setattr(drizzlepac, "__version__", "4.0.0")
    with pytest.warns(SkyMatchWarning, match=r"4\.0\.0 is newer than what was tried"):
        enable()
    monkeypatch.setattr(drizzlepac, "__version__", "3.10.1.dev3")
    enable()

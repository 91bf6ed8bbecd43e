"""Simulated exposures of JWST and Roman: files hold what is planted, and the agencies' packages open them."""

import subprocess
import sys
import textwrap

import numpy as np
import pytest
from astropy.io import fits

pytest.importorskip("asdf")
pytest.importorskip("gwcs")

from webb_files import asdf

from skymatch_nb import SkyMatchSession
from skymatch_nb.datasets import make_roman_mosaic, make_webb_mosaic
from skymatch_nb.errors import ParameterError

SMALL = {"exposures": 2, "shape": (120, 128)}
MAKERS = {"webb": make_webb_mosaic, "roman": make_roman_mosaic}


def errors(mosaic, **parameters):
    """Levels less what was planted, the mean taken off, in units of the files."""
    given = {"skymethod": "match", "skystat": "median", "overlap_stat": "difference", "verbose": False} | parameters
    s = SkyMatchSession([str(path) for path in mosaic.paths], **given)
    found = s.solve().sky_data.to_numpy() - [mosaic.sky[path.name] for path in mosaic.paths]
    return found - found.mean()


@pytest.mark.parametrize("camera", ["NIRCAM", "MIRI"])
def test_levels_of_webb_come_back(tmp_path, camera):
    mosaic = make_webb_mosaic(tmp_path, camera=camera, exposures=3, shape=(200, 200), noise=0.02)
    assert np.abs(errors(mosaic)).max() < 0.1 * 0.02


def test_pedestals_of_detectors_come_back(tmp_path):
    mosaic = make_webb_mosaic(tmp_path, exposures=4, shape=(160, 160), pedestal=0.05, noise=0.02)
    assert np.std(list(mosaic.sky.values())[:4]) > 0.01
    assert np.abs(errors(mosaic, group_by="chip")).max() < 0.1 * 0.02


@pytest.mark.parametrize("units", ["DN/s", "MJy/sr"])
def test_levels_of_roman_come_back(tmp_path, units):
    mosaic = make_roman_mosaic(tmp_path, shape=(200, 200), units=units, noise=0.02)
    assert np.abs(errors(mosaic)).max() < 0.1 * 0.02 / 0.6


def test_the_sky_is_the_level_of_empty_pixels(tmp_path):
    """Stars and galaxies are few: most pixels lie about the planted level."""
    mosaic = make_roman_mosaic(tmp_path, **SMALL, units="MJy/sr", noise=0.01)
    for path in mosaic.paths:
        with asdf.open(path, ignore_unrecognized_tag=True, memmap=False) as file:
            pixels = np.array(file["roman"]["data"])
        assert np.percentile(pixels, 30) == pytest.approx(mosaic.sky[path.name], abs=0.02)


def test_the_agency_opens_files_of_webb(tmp_path):
    datamodels = pytest.importorskip("stdatamodels.jwst.datamodels")
    (first, *_) = make_webb_mosaic(tmp_path, **SMALL).paths
    model = datamodels.open(str(first))
    model.validate()
    assert isinstance(model, datamodels.ImageModel)
    assert (model.meta.telescope, model.meta.instrument.detector, model.meta.bunit_data) == ("JWST", "NRCB1", "MJy/sr")
    assert model.meta.observation.exposure_number == "1"
    assert model.data.shape == model.err.shape == model.dq.shape == SMALL["shape"]
    sky = model.meta.wcs(60.0, 50.0)
    assert np.abs(np.array(model.meta.wcs.invert(*sky)) - [60.0, 50.0]).max() < 0.01  # its inverse is a fit
    with fits.open(first) as hdus:
        from astropy.wcs import WCS

        x, y = WCS(hdus["SCI"].header).all_world2pix(*sky, 0)
    assert (float(x), float(y)) == pytest.approx((60.0, 50.0), abs=0.05)


@pytest.mark.parametrize("units", ["DN/s", "MJy/sr"])
def test_the_agency_opens_files_of_roman(tmp_path, units):
    datamodels = pytest.importorskip("roman_datamodels.datamodels")
    (first, *_) = make_roman_mosaic(tmp_path, **SMALL, units=units).paths
    with datamodels.open(first) as model:
        model.validate()
        assert isinstance(model, datamodels.ImageModel)
        assert model.meta.cal_step.flux == ("COMPLETE" if units == "MJy/sr" else "INCOMPLETE")
        assert model.data.shape == SMALL["shape"]
        assert np.isfinite(model.meta.wcs(60.0, 50.0)).all()


def test_what_is_written_to_it_stays_valid(tmp_path):
    datamodels = pytest.importorskip("roman_datamodels.datamodels")
    mosaic = make_roman_mosaic(tmp_path, **SMALL)
    before = [path.read_bytes() for path in mosaic.paths]
    s = SkyMatchSession(
        [str(p) for p in mosaic.paths], skymethod="localmin", readonly=False, subtractsky=True, verbose=False
    )
    s.apply()
    with datamodels.open(mosaic.paths[0]) as model:
        model.validate()
        assert (model.meta.background.subtracted, model.meta.cal_step.skymatch) == (True, "COMPLETE")
    s.undo()
    assert [path.read_bytes() for path in mosaic.paths] == before


def test_coronagraphs_are_no_part_of_the_good_outline(tmp_path):
    mosaic = make_webb_mosaic(tmp_path, camera="MIRI", exposures=1, shape=(240, 240))
    s = SkyMatchSession(str(mosaic.paths[0]), skymethod="localmin", verbose=False)
    frame = s.compute_footprints().area_arcsec2.iloc[0]
    s.configure(footprint_from="good")
    assert s.compute_footprints().area_arcsec2.iloc[0] / frame == pytest.approx(0.75, abs=0.02)


@pytest.mark.parametrize("maker", MAKERS)
def test_the_seed_decides(tmp_path, maker):
    def pixels(folder, seed):
        paths = MAKERS[maker](tmp_path / folder, exposures=1, shape=(64, 64), seed=seed).paths
        s = SkyMatchSession([str(p) for p in paths], skymethod="localmin", skystat="mean", nclip=0, verbose=False)
        return s.solve().sky_data.to_numpy()

    assert np.array_equal(pixels("a", 1), pixels("b", 1))
    assert not np.array_equal(pixels("a2", 1), pixels("c", 2))


@pytest.mark.parametrize("maker", MAKERS)
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("exposures", 0), ("exposures", 9), ("shape", (32, 320)), ("shape", 320), ("seed", -1), ("center", (0.0, 89.0)),
        ("sky_range", (2.0, 1.0)), ("pedestal", -1.0), ("noise", 0.0), ("cloud", float("nan")),
    ],
)  # fmt: skip
def test_bad_arguments_are_named(tmp_path, maker, name, value):
    with pytest.raises(ParameterError, match=f"^{name}="):
        MAKERS[maker](tmp_path, **{name: value})
    assert not list(tmp_path.iterdir())


def test_bad_arguments_of_one(tmp_path):
    with pytest.raises(ParameterError, match=r"^camera='NIRISS': expected one of NIRCAM, MIRI"):
        make_webb_mosaic(tmp_path, camera="NIRISS")
    with pytest.raises(ParameterError, match=r"^detectors=5"):
        make_roman_mosaic(tmp_path, detectors=5)
    with pytest.raises(ParameterError, match=r"^units='Jy'"):
        make_roman_mosaic(tmp_path, units="Jy")


@pytest.mark.parametrize("maker", MAKERS)
def test_files_are_not_replaced_unasked(tmp_path, maker):
    MAKERS[maker](tmp_path, **SMALL)
    with pytest.raises(FileExistsError, match="choose another folder or overwrite"):
        MAKERS[maker](tmp_path, **SMALL)
    MAKERS[maker](tmp_path, **SMALL, overwrite=True)


@pytest.mark.parametrize("maker", MAKERS)
def test_without_gwcs_the_extra_is_named(tmp_path, maker, monkeypatch):
    monkeypatch.setitem(sys.modules, "gwcs", None)
    with pytest.raises(ImportError, match=r"pip install .skymatch_nb\[jwst\]."):
        MAKERS[maker](tmp_path / "new", **SMALL)
    assert not (tmp_path / "new").exists()


def test_the_agencies_packages_are_not_needed(tmp_path):
    """In an interpreter that has neither: made, read, matched, written."""
    code = """
        import sys

        class Blocked:
            def find_spec(self, name, path=None, target=None):
                if name.partition(".")[0] in ("stdatamodels", "roman_datamodels", "rad", "jwst", "romancal"):
                    raise ModuleNotFoundError(name)

        sys.meta_path.insert(0, Blocked())
        from skymatch_nb import SkyMatchSession
        from skymatch_nb.datasets import make_roman_mosaic, make_webb_mosaic

        for make in (make_webb_mosaic, make_roman_mosaic):
            paths = make(make.__name__, exposures=2, shape=(100, 100)).paths
            s = SkyMatchSession([str(p) for p in paths], skymethod="localmin", readonly=False, verbose=False)
            s.apply()
            print(s.members["wcs"].iloc[0], len(s.sky))
        assert not {"stdatamodels", "roman_datamodels", "rad"} & {name.partition(".")[0] for name in sys.modules}
    """
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(code)], cwd=tmp_path, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.split() == ["gwcs", "8", "gwcs", "4"]

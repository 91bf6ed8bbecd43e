"""Regions in a session: planted skies, staleness, and all the ways in which a session is kept."""

import json
import shlex
import subprocess
import sys

import numpy as np
import pytest
from astropy.wcs import WCS

from skymatch_nb import InputError, ParameterError, SkyMatchSession, SkyMatchWarning
from skymatch_nb.cli import main
from skymatch_nb.params.regions import polygon_text

NY, NX = SHAPE = (120, 160)
RA, DEC = 10.0, 20.0
SHIFT = 60
SKY = (5.0, 8.0)
CIRCLE = 'icrs; circle({ra},{dec},33")'
TRIANGLE = [(10.0, 20.0), (10.001, 20.0), (10.0, 20.001)]


def square(ra, dec, half):
    """Vertices of a square of ``half`` the size in arcsec."""
    e, n = half / 3600 / np.cos(np.radians(dec)), half / 3600
    return [(ra - e, dec - n), (ra + e, dec - n), (ra + e, dec + n), (ra - e, dec + n)]


class Nebula:
    """Two exposures of one field with a nebula in their overlap, one half of which is flagged in the first."""

    def __init__(self, write_image):
        y, x = np.mgrid[:NY, :NX]
        rng = np.random.default_rng(4)
        flags = np.zeros(SHAPE, np.int16)
        self.paths = []
        for k, level in enumerate(SKY):
            column = x + k * SHIFT
            apart = np.hypot(column - 110, y - 60)
            nebula = 50 * np.exp(-0.5 * (apart / 10) ** 2) * (apart < 30)
            data = level + nebula + 0.1 * rng.standard_normal(SHAPE)
            ra = RA - k * SHIFT / 3600 / np.cos(np.radians(DEC))
            self.paths.append(write_image(f"{'ab'[k]}.fits", data=data, ra=ra, dec=DEC, projection="CAR"))
            if k == 0:
                flags[(apart < 30) & (x > 110)] = 256
        self.dq = {"a.fits": flags}
        header = WCS(str(self.paths[0]))
        self.ra, self.dec = (float(v) for v in header.all_pix2world(110, 60, 0))

    def session(self, **params):
        params = {"skymethod": "match", "skystat": "mean", "nclip": 0, "verbose": False} | params
        return SkyMatchSession(self.paths, dq=self.dq, **params)

    @property
    def circle(self):
        return CIRCLE.format(ra=self.ra, dec=self.dec)


@pytest.fixture
def nebula(write_image):
    return Nebula(write_image)


def difference(session):
    return float(np.diff(session.sky.sky_data)[0])


def test_a_nebula_biases_the_match_until_it_is_excluded(nebula):
    pytest.importorskip("regions")
    s = nebula.session()
    assert abs(difference(s) - 3.0) > 0.5
    s.exclude(nebula.circle)
    assert difference(s) == pytest.approx(3.0, abs=0.01)
    masks = s.masks
    assert masks.bad_region.tolist() == pytest.approx([np.pi * 33**2] * 2, rel=0.01)
    assert masks.good["b.fits[0]"] == NY * NX - masks.bad_region["b.fits[0]"]
    s.clear_regions()
    assert abs(difference(s) - 3.0) > 0.5
    assert (s.masks.bad_region == 0).all()


def test_vertices_exclude_and_include_without_the_regions_package(nebula, monkeypatch):
    monkeypatch.setitem(sys.modules, "regions", None)
    s = nebula.session().exclude(square(nebula.ra, nebula.dec, 34))
    assert difference(s) == pytest.approx(3.0, abs=0.01)
    assert s.masks.bad_region.tolist() == pytest.approx([68**2] * 2, rel=0.02)
    s.clear_regions().include(np.array(square(nebula.ra, nebula.dec - 40 / 3600, 12)))
    assert difference(s) == pytest.approx(3.0, abs=0.02)
    assert (s.masks.good < 700).all()
    with pytest.raises(InputError, match=r"skymatch_nb\[regions\]"):
        s.exclude(nebula.circle).masks  # noqa: B018


def test_regions_are_added_and_kept_in_order(nebula):
    s = nebula.session().exclude(TRIANGLE).exclude(nebula.circle, TRIANGLE)
    assert s.params.exclude_regions == (polygon_text(TRIANGLE), nebula.circle)
    assert s.params.include_regions is None
    with pytest.raises(ParameterError, match="exclude_regions"):
        s.exclude(5)
    assert len(s.params.exclude_regions) == 2


def test_a_changed_file_makes_results_stale(nebula, tmp_path):
    pytest.importorskip("regions")
    path = tmp_path / "nebula.reg"
    path.write_text(nebula.circle)
    s = nebula.session().exclude(path)
    assert difference(s) == pytest.approx(3.0, abs=0.01)
    assert s.fresh_result("solve") is not None
    path.write_text(nebula.circle.replace('33"', '5"'))
    assert s.fresh_result("solve") is None
    assert s.fresh_result("footprint") is not None
    assert abs(difference(s) - 3.0) > 0.5
    path.unlink()
    with pytest.raises(InputError, match=rf"region file {path}: No such file"):
        s.solve()


def test_files_without_sky_coordinates_are_refused(nebula, tmp_path):
    pytest.importorskip("regions")
    path = tmp_path / "pixels.reg"
    path.write_text("image\ncircle(10,20,5)")
    with pytest.raises(InputError, match=rf"region file {path}, line 2: .*sky coordinates"):
        nebula.session(exclude_regions=path).solve()


def test_a_region_elsewhere_is_warned_of(nebula):
    s = nebula.session().exclude([(100.0, -20.0), (100.1, -20.0), (100.0, -20.1)])
    with pytest.warns(SkyMatchWarning, match="no member is touched by"):
        s.mask()


@pytest.fixture
def kept(nebula, tmp_path, monkeypatch):
    """A session of files alone with a region file and vertices, and its levels."""
    pytest.importorskip("regions")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nebula.reg").write_text(nebula.circle)
    s = SkyMatchSession(nebula.paths, skymethod="match", exclude_regions="nebula.reg", verbose=False)
    return s.exclude(square(nebula.ra, nebula.dec - 40 / 3600, 5))


def test_saved_sessions_carry_regions(kept, tmp_path):
    reopened = SkyMatchSession.open(kept.save(tmp_path / "s.json"))
    assert reopened.params == kept.params
    np.testing.assert_array_equal(reopened.sky.sky, kept.sky.sky)


def test_scripts_and_commands_carry_regions(kept, tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    script = subprocess.run(
        [sys.executable, "-c", kept.to_script()], capture_output=True, text=True, check=True, cwd=tmp_path / "elsewhere"
    )
    assert f"{kept.sky.sky.iloc[1]:.5f}" in script.stdout
    monkeypatch.chdir(tmp_path / "elsewhere")
    words = shlex.split(kept.to_command())
    assert main([*words[1:], "--table", "t.json", "--quiet"]) == 0
    table = json.loads((tmp_path / "elsewhere" / "t.json").read_text())
    assert [row["sky"] for row in table["sky"]] == kept.sky.sky.tolist()
    assert table["params"]["exclude_regions"] == list(kept.params.exclude_regions)


def test_cfg_files_carry_regions(kept, tmp_path):
    kept.params.to_cfg(tmp_path / "s.cfg")
    assert type(kept.params).from_cfg(tmp_path / "s.cfg") == kept.params


def test_the_command_line_takes_regions_and_sources(nebula, tmp_path, capsys):
    pytest.importorskip("regions")
    pytest.importorskip("photutils")
    path = tmp_path / "nebula.reg"
    path.write_text(nebula.circle)
    files = [str(p) for p in nebula.paths]
    options = ["--exclude-regions", str(path), "--include-regions", 'icrs; circle(10,20,1)|icrs; circle(11,20,1")']
    assert main(["match", *files, *options, "--mask-sources", "3", "--footprint-from", "good", "--quiet"]) == 0
    assert "no member is touched by regions 'icrs; circle(11,20,1\")'" in capsys.readouterr().err
    path.write_text("physical\ncircle(1,2,3)")
    assert main(["match", *files, *options, "--quiet"]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"skymatch-nb: error: region file {path}, line 1: ")
    assert len(error.splitlines()) == 1

"""What can be given as regions, and the form in which it is kept."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skymatch_nb.errors import ParameterError
from skymatch_nb.params import SkyMatchParams
from skymatch_nb.params.regions import ds9_lines, parse_regions, polygon_text
from skymatch_nb.params.specs import spec

CIRCLE = 'icrs; circle(10,20,5")'
TRIANGLE = [(10.0, 20.0), (10.1, 20.0), (10.1, 20.1)]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_paths_are_made_absolute(folder):
    a, b = str(folder / "a.reg"), str(folder / "b.reg")
    for value in ("a.reg, b.reg", "a.reg|b.reg", ["a.reg", Path("b.reg")], (Path("a.reg"), b), ["a.reg", "b.reg", a]):
        assert parse_regions(value) == (a, b)
    assert parse_regions(Path("a.reg")) == (a,)


def test_an_existing_file_is_that_file_whatever_its_name(folder):
    for name in ("circle(1,2,3).reg", "a,b.reg", "a|b.reg"):
        (folder / name).touch()
        assert parse_regions(name) == (str(folder / name),)
        assert parse_regions([name]) == (str(folder / name),)


def test_text_becomes_one_line_without_comments_and_drawing():
    text = (
        '# Region file format: DS9\nglobal color=green include=1\nfk5\ncircle(10,20,5") # text={a;b}\n\n-box(1,2,3,4,0)'
    )
    assert parse_regions(text) == ('fk5; circle(10,20,5"); -box(1,2,3,4,0)',)


def test_several_texts_and_paths_in_one_string(folder):
    assert parse_regions(f"{CIRCLE}|a.reg") == (CIRCLE, str(folder / "a.reg"))


def test_include_0_is_a_minus_sign():
    lines = ds9_lines("fk5\ncircle(1,2,3) # color=red include=0\n+box(1,2,3,4,0) # include=0\npoint(1,2) # include=1")
    assert lines == ["fk5", "-circle(1,2,3)", "-box(1,2,3,4,0)", "point(1,2)"]


@pytest.mark.parametrize("vertices", [TRIANGLE, np.array(TRIANGLE), np.array(TRIANGLE, np.float32).tolist()])
def test_vertices_become_a_polygon(vertices):
    assert parse_regions(vertices) == (polygon_text(vertices),)
    assert parse_regions([vertices]) == (polygon_text(vertices),)
    assert parse_regions([vertices, CIRCLE]) == (polygon_text(vertices), CIRCLE)


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0, 360), st.floats(-90, 90)), min_size=3, max_size=6))
def test_vertices_are_kept_to_the_last_bit(vertices):
    text = polygon_text(vertices)
    kept = np.array(text.removeprefix("icrs; polygon(").removesuffix(")").split(","), float)
    np.testing.assert_array_equal(kept.reshape(-1, 2), vertices)


@pytest.mark.parametrize("nothing", [None, "", " ", "None", [], ()])
def test_no_regions(nothing):
    assert parse_regions(nothing) is None


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (5, "must be region files"),
        ([5], "must be region files"),
        ({"a": 1}, "must be region files"),
        (b"a.reg", "must be region files"),
        (TRIANGLE[:2], "n of 3 or more"),
        (np.zeros((3, 3)), "n of 3 or more"),
        (np.full((3, 2), np.nan), "in degrees"),
        (np.full((3, 2), 91.0), "in degrees"),
        ("# text(1,2)", "has no region"),
    ],
)
def test_anything_else_is_an_error(value, message):
    with pytest.raises(ParameterError, match=message) as error:
        SkyMatchParams.checked({"exclude_regions": value})
    assert str(error.value).startswith("parameter exclude_regions=")


def test_kept_values_are_read_back_as_they_are(folder):
    """From lists, from JSON, and from the text of a command line."""
    kept = parse_regions(["a.reg", CIRCLE, np.array(TRIANGLE)])
    assert parse_regions(kept) == kept
    assert parse_regions(list(kept)) == kept
    assert parse_regions(spec("exclude_regions").format(kept)) == kept
    assert spec("exclude_regions").format(None) == "None"
    params = SkyMatchParams.checked({"include_regions": kept})
    assert SkyMatchParams.model_validate_json(params.model_dump_json()) == params


class TestObjects:
    """Objects of the package ``regions``."""

    regions = pytest.importorskip("regions")

    def circle(self, frame="icrs", **meta):
        from astropy import units as u
        from astropy.coordinates import SkyCoord

        position = SkyCoord(10, 20, unit="deg", frame=frame)
        return self.regions.CircleSkyRegion(position, 5 * u.arcsec, meta=self.regions.RegionMeta(meta))

    def test_one_and_several(self):
        one = "icrs; circle(10.000000000000,20.000000000000,0.001388888889)"
        other = one.replace("icrs", "galactic")
        assert parse_regions(self.circle(text="a # b; c")) == (one,)
        assert parse_regions([self.circle(), self.circle("galactic")]) == (one, other)
        assert parse_regions(self.regions.Regions([self.circle(), self.circle("galactic")])) == (f"{one}; {other}",)

    def test_an_excluded_one_has_a_minus_sign(self):
        both = self.regions.Regions([self.circle(), self.circle(include=False)])
        assert parse_regions(both)[0].count("-circle") == 1

    def test_pixel_and_compound_regions_are_refused(self):
        pixel = self.regions.CirclePixelRegion(self.regions.PixCoord(1, 2), 3)
        for bad in (pixel, self.circle() | self.circle()):
            with pytest.raises(ValueError, match="plain shapes in sky coordinates"):
                parse_regions(bad)

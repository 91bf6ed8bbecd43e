"""Reading region files: what is wrong is told with file and line, and nothing is skipped."""

import sys

import numpy as np
import pytest

from skymatch_nb.errors import InputError
from skymatch_nb.io.regions import read_region_sets, regions_content
from skymatch_nb.params.regions import parse_regions

TOLERANCE = np.radians(0.05 / 3600)
GOOD = 'fk5\ncircle(150,2,3")'
needs_regions = pytest.mark.usefixtures("package")


@pytest.fixture
def package():
    pytest.importorskip("regions")


def read(text, path=None):
    if path is None:
        return read_region_sets(parse_regions(text), TOLERANCE)[0]
    path.write_text(text)
    return read_region_sets(parse_regions(path), TOLERANCE)[0]


@needs_regions
@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("image\ncircle(10,20,5)", 2, "pixel coordinates are no sky coordinates"),
        ("circle(10,20,5)", 1, "no sky coordinates"),
        (f"{GOOD}\nphysical\ncircle(1,2,3)", 3, "physical coordinates are no sky coordinates"),
        (f'# DS9\nglobal color=green\n{GOOD}\n\npanda(150,2,0,360,1,5",10",1)', 6, "shape panda is not supported"),
        (f"{GOOD}\nfoo(1,2,3)", 3, "foo is no shape and no frame"),
        (f"{GOOD}\ncircle(10,abc,5)\ncircle(1,2,3)", 3, "abc"),
        (f"{GOOD}\ncircle(10,20)", 3, "too few or too many values"),
        (f"{GOOD}\ncircle(10,95,5)", 3, "-90 deg"),
        (f"{GOOD}\ncircle(nan,20,5)", 3, "not a number"),
        (f"{GOOD}\ncircle(10,20,-5)", 3, "positive"),
        (f"{GOOD}\npolygon(1,2,3,4)", 3, "three vertices"),
        ("<html>", 1, "Unable to parse"),
    ],
)
def test_a_bad_line_is_named(tmp_path, text, line, message):
    path = tmp_path / "bad.reg"
    with pytest.raises(InputError, match=message) as error:
        read(text, path)
    shown = text.splitlines()[line - 1]
    assert str(error.value).startswith(f"region file {path}, line {line}: {shown!r}: ")
    assert "\n" not in str(error.value)


@needs_regions
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "there is no region"),
        ("# a comment\nfk5\n", "there is no region"),
        ('fk5\n-circle(150,2,5")\n-box(1,2,3,4,0)', "every region has a minus sign"),
        ("fk5\ncircle(150,2,81)", "region 1 .circle.: it reaches further than 80 degrees"),
        (f"{GOOD}\npolygon(10,-40,100,-40,200,40,10,40)", "region 2 .polygon.: it reaches further"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(tmp_path, text, message):
    path = tmp_path / "bad.reg"
    with pytest.raises(InputError, match=message) as error:
        read(text, path)
    assert str(error.value).startswith(f"region file {path}")


def test_unreadable_files_are_named(tmp_path):
    (tmp_path / "binary.reg").write_bytes(b"\xff\xfe\x00abc\x00")
    for name, reason in (("none.reg", "No such file"), ("", "Is a directory"), ("binary.reg", "not a text file")):
        with pytest.raises(InputError, match=reason) as error:
            read_region_sets((str(tmp_path / name) if name else str(tmp_path),), TOLERANCE)
        assert str(tmp_path / name).rstrip("/") in str(error.value)


@needs_regions
def test_shapes_without_area_are_counted(tmp_path):
    drawn = '# text(150,2) text={hi}\nvector(150,2,3",20)\npoint(150,2)\nline(150,2,150.1,2)\ntext(150,2)'
    found = read(f"{GOOD}\n{drawn}", tmp_path / "a.reg")
    assert len(found.regions) == 1
    assert found.without_area == 3


@needs_regions
def test_several_annuli_in_one_shape_are_several_regions():
    assert len(read('fk5; annulus(10,20,5",10",15")').regions) == 2


@needs_regions
def test_curved_edges_are_as_close_as_asked():
    """Middles of the chords of a circle, from its centre."""
    (region,) = read("icrs; circle(150,2,1)").regions
    ring = region.polygon.vectors
    middle = ring + np.roll(ring, 1, axis=0)
    middle /= np.linalg.norm(middle, axis=1, keepdims=True)
    centre = np.array([np.cos(np.radians(2)) * np.cos(np.radians(150)), 0, np.sin(np.radians(2))])
    centre[1] = np.cos(np.radians(2)) * np.sin(np.radians(150))
    on_edge, between = (2 * np.arcsin(np.linalg.norm(v - centre, axis=1) / 2) for v in (ring, middle))
    np.testing.assert_allclose(on_edge, np.radians(1), rtol=1e-12)
    assert 0.5 * TOLERANCE < (np.radians(1) - between).max() <= TOLERANCE


def test_without_the_package_an_error_names_the_extra(monkeypatch, tmp_path):
    """But vertices need none."""
    monkeypatch.setitem(sys.modules, "regions", None)
    for text, path in (('icrs; circle(1,2,3")', None), (GOOD, tmp_path / "a.reg")):
        with pytest.raises(InputError, match=r"skymatch_nb\[regions\]"):
            read(text, path)
    (region,) = read([(1, 2), (3, 2), (3, 4)]).regions
    assert len(region.polygon.vectors) == 3
    with pytest.raises(InputError, match="80 degrees"):
        read([(10, -40), (100, -40), (200, 40), (10, 40)])


def test_content_changes_with_the_file_only(tmp_path):
    path = tmp_path / "a.reg"
    entries = (str(path), 'icrs; circle(1,2,3")')
    missing = regions_content(entries)
    path.write_text("one")
    one = regions_content(entries)
    assert len({missing, one}) == 2
    path.write_text("other")
    assert regions_content(entries) != one
    path.write_text("one")
    assert regions_content(entries) == one
    assert regions_content(None) == regions_content(entries[1:]) == ()

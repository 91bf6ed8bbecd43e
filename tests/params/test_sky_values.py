"""Known skies: mappings, text and sky files."""

import json
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skymatch_nb.errors import ParameterError
from skymatch_nb.params import SkyMatchParams
from skymatch_nb.params.sky_values import parse_sky_values
from skymatch_nb.params.specs import spec
from skymatch_nb.results import make_key


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a.fits=0.5", {"a.fits": 0.5}),
        (" a.fits = 0.5 , b.fits=-1e-3,", {"a.fits": 0.5, "b.fits": -1e-3}),
        ("a.fits[SCI,1]=3,a.fits[SCI,2]=4", {"a.fits[SCI,1]": 3.0, "a.fits[SCI,2]": 4.0}),
        ("VISIT=12=3.5,VISIT=13=4", {"VISIT=12": 3.5, "VISIT=13": 4.0}),
        ("a b.fits=.5", {"a b.fits": 0.5}),
    ],
)
def test_text_is_names_and_values(text, expected):
    assert parse_sky_values(text) == expected


@pytest.mark.parametrize("value", [None, "", "None", " INDEF ", {}])
def test_nothing_is_none(value):
    assert parse_sky_values(value) is None


def test_numbers_of_any_kind_become_floats_and_the_mapping_is_copied():
    given_values = {"a": 1, "b": np.float32(0.5)}
    values = parse_sky_values(given_values)
    given_values["a"] = 7
    assert values == {"a": 1.0, "b": 0.5}
    assert all(type(v) is float for v in values.values())
    with pytest.raises(TypeError):
        values["a"] = 2.0


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({"a": "1"}, "'a': '1' is not a finite number"),
        ({"a": True}, "'a': True is not a finite number"),
        ({"a": float("nan")}, "'a': nan is not a finite number"),
        ({"a": None}, "'a': None is not a finite number"),
        ({1: 2.0}, "1 is not the name"),
        ({" ": 2.0}, "' ' is not the name"),
        (3.0, "must be a mapping"),
        ([("a", 1.0)], "must be a mapping"),
        ("a=1,b", "must be 'name=value,name=value', with a number for each name, or the path of a sky file"),
        ("a=inf", "must be 'name=value,name=value'"),
        ("a=1,a=2", "'a' has two values"),
        ("a\0b", "not a text file"),
        ("x" * 5000, "file name too long"),
        ("nosuch.txt", "nosuch.txt: no such file or directory"),
    ],
)
def test_other_values_are_errors_that_name_them(value, told):
    with pytest.raises(ParameterError) as error:
        SkyMatchParams.checked({"fixed": value})
    assert str(error.value).startswith("parameter fixed=")
    assert told in str(error.value)
    assert "\n" not in str(error.value)


def test_sky_file_as_astrodrizzle_reads_it(tmp_path):
    path = tmp_path / "sky.txt"
    path.write_text("# measured by hand\n\na.fits  0.5\nb#1.fits\t-1e-3  # from the dark side\n  my file.fits 2\n")
    expected = {"a.fits": 0.5, "b#1.fits": -1e-3, "my file.fits": 2.0}
    for value in (path, str(path)):
        assert SkyMatchParams.checked({"fixed": value}).fixed == expected


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("a.fits", "line 2: 'a.fits' is not a name and a number"),
        ("0.5", "line 2: '0.5' is not"),
        ("a.fits high", "line 2: 'a.fits high' is not"),
        ("a.fits nan", "line 2: 'a.fits nan' is not"),
        ("a.fits 1e999", "line 2: 'a.fits 1e999' is not"),
        ("first.fits 3", "line 2: 'first.fits' has a value already"),
    ],
)
def test_error_in_a_sky_file_names_file_and_line(tmp_path, line, told):
    path = tmp_path / "sky.txt"
    path.write_text(f"first.fits 1.0\n{line}\n")
    with pytest.raises(ParameterError, match=r"sky\.txt, " + told.split(":")[0]) as error:
        SkyMatchParams.checked({"fixed": path})
    assert told in str(error.value)


@pytest.mark.parametrize("content", [b"", b"# nothing\n", b"\xff\xfe\x00\x01"])
def test_file_without_a_line_of_two_columns_is_an_error(tmp_path, content):
    path = tmp_path / "sky.txt"
    path.write_bytes(content)
    with pytest.raises(ParameterError, match=r"sky\.txt: "):
        SkyMatchParams.checked({"fixed": str(path)})


def test_folder_is_an_error(tmp_path):
    with pytest.raises(ParameterError, match="is a directory"):
        SkyMatchParams.checked({"fixed": str(tmp_path)})


names = st.text(st.characters(codec="ascii", exclude_characters="\n\r=,"), min_size=1).map(str.strip).filter(bool)
mappings = st.dictionaries(
    st.one_of(names, names.map("{}[SCI,1]".format), names.map("VISIT={}".format)),
    st.floats(allow_nan=False, allow_infinity=False),
    min_size=1,
)


@given(mappings)
def test_every_way_to_keep_a_mapping_gives_it_back(values):
    """Text, JSON, pickle, code, a changed copy; with the same hash and the same key."""
    params = SkyMatchParams.checked({"fixed": values})
    again = [
        SkyMatchParams.checked({"fixed": spec("fixed").parse(spec("fixed").format(params.fixed))}),
        SkyMatchParams.checked(json.loads(json.dumps(params.model_dump(mode="json")))),
        pickle.loads(pickle.dumps(params)),
        params.changed(nclip=params.nclip),
        SkyMatchParams.checked({"fixed": eval(repr(params.fixed), {})}),
    ]
    for other in again:
        assert other == params
        assert hash(other) == hash(params)
        assert make_key(other.read_by("solve")) == make_key(params.read_by("solve"))


def test_another_value_makes_another_key():
    one, other = (SkyMatchParams.checked({"fixed": {"a": v}}) for v in (1.0, 2.0))
    assert one != other
    assert make_key(one.read_by("solve")) != make_key(other.read_by("solve"))

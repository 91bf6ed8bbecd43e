"""Words to image specifications, as users type them."""

import os
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits

from skymatch_nb.errors import InputError
from skymatch_nb.io.grammar import parse_words
from skymatch_nb.io.inputs import Extension, ImageSpec, resolve_inputs


def parse_extension(text):
    """Extension of the text between square brackets."""
    return parse_words(f"x[{text}]")[0].extensions[0]


SCI = Extension(name="SCI")
SCI2 = Extension(name="SCI", version=2)
FIRST = Extension(number=1)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A working folder with empty files; resolving never opens them."""
    for name in ("a.fits", "b.fits", "c[x].fits", "d[1].fits", "notes.txt", "deep/e.fits", "deep/a.fits"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(inputs):
    return [str(spec.path) for spec in resolve_inputs(inputs)]


class TestNames:
    @pytest.mark.parametrize("word", ["a.fits", " a.fits ", "deep/e.fits", "c[x].fits", "d[1].fits", "notes.txt"])
    def test_an_existing_name_is_that_file(self, word):
        """Also where it holds brackets, a suffix other than .fits, or blanks around it."""
        assert resolve_inputs(word) == (ImageSpec(Path(word.strip())),)

    @pytest.mark.parametrize("name", ["a.fits", "c[x].fits", "d[1].fits"])
    def test_a_path_is_taken_literally(self, folder, name):
        assert resolve_inputs(folder / name) == (ImageSpec(folder / name),)

    @pytest.mark.parametrize("name", ["*.fits", "a.fits[1]", "$HOME", "~"])
    def test_a_path_is_no_wildcard_and_has_no_extension(self, name):
        with pytest.raises(InputError, match="no such file"):
            resolve_inputs(Path(name))

    def test_a_specification_is_kept(self):
        given = ImageSpec(Path("a.fits"), (SCI2,))
        assert resolve_inputs(given) == (given,)

    def test_several_in_the_order_given(self):
        given = ["deep/e.fits", Path("b.fits"), ImageSpec(Path("d[1].fits")), "a.fits"]
        assert names(given) == ["deep/e.fits", "b.fits", "d[1].fits", "a.fits"]
        assert names(tuple(given)) == names(iter(given)) == names(given)

    def test_home_and_variables_are_expanded(self, folder, monkeypatch):
        monkeypatch.setenv("HOME", str(folder))
        monkeypatch.setenv("NIGHT", "deep")
        assert names("~/a.fits") == [str(folder / "a.fits")]
        assert names("$NIGHT/e.fits") == ["deep/e.fits"]
        assert names("${NIGHT}/?.fits[1]") == ["deep/a.fits", "deep/e.fits"]


class TestWildcards:
    def test_files_are_sorted(self, folder):
        for name in ("z.fit", "y.fit", "x10.fit", "x9.fit"):
            (folder / name).touch()
        assert names("*.fit") == ["x10.fit", "x9.fit", "y.fit", "z.fit"]

    def test_several_wildcards_keep_their_order(self):
        assert names(["[bc]*.fits", "a*.fits"]) == ["b.fits", "c[x].fits", "a.fits"]

    @pytest.mark.parametrize(("pattern", "expected"), [("?.fits", ["a.fits", "b.fits"]), ("[b-z].fits", ["b.fits"])])
    def test_shell_patterns(self, pattern, expected):
        assert names(pattern) == expected

    def test_an_extension_after_a_wildcard_holds_for_every_file(self):
        assert resolve_inputs("?.fits[sci,2]") == tuple(ImageSpec(Path(n), (SCI2,)) for n in ("a.fits", "b.fits"))
        assert resolve_inputs("[ab].fits[1]") == tuple(ImageSpec(Path(n), (FIRST,)) for n in ("a.fits", "b.fits"))


class TestExtensions:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("0", Extension(number=0)),
            ("1", FIRST),
            (" 12 ", Extension(number=12)),
            ("sci", SCI),
            ("SCI", SCI),
            ("Sci,1", SCI),
            ("SCI,2", SCI2),
            ("sci , 2", SCI2),
            ("'sci',2", SCI2),
            ('"sci",2', SCI2),
            ("my_image-1", Extension(name="MY_IMAGE-1")),
        ],
    )
    def test_number_or_name_or_name_and_version(self, text, expected):
        assert parse_extension(text) == expected
        assert resolve_inputs(f"a.fits[{text}]") == (ImageSpec(Path("a.fits"), (expected,)),)

    @pytest.mark.parametrize("text", ["", "sci,x", "sci,2,3", "x y", "1,2", "sci,-1", "(sci", "99999999999"])
    def test_any_other_text_is_an_error_that_shows_it(self, text):
        with pytest.raises(InputError) as error:
            resolve_inputs(f"a.fits[{text}]")
        assert f"in {f'a.fits[{text}]'!r}: column" in str(error.value)
        assert "\n" not in str(error.value)

    def test_a_name_with_brackets_can_have_an_extension(self):
        assert resolve_inputs("c[x].fits[sci]") == (ImageSpec(Path("c[x].fits"), (SCI,)),)
        assert resolve_inputs("d[1].fits[1]") == (ImageSpec(Path("d[1].fits"), (FIRST,)),)

    @pytest.mark.parametrize(
        ("extension", "text"), [(FIRST, "1"), (SCI, "SCI,1"), (SCI2, "SCI,2"), (Extension(number=0), "0")]
    )
    def test_text_of_an_extension_is_read_back(self, extension, text):
        assert str(extension) == text
        assert parse_extension(text) == extension

    def test_the_file_before_the_bracket_comes_before_a_wildcard(self, folder):
        (folder / "a.fits1").touch()
        assert resolve_inputs("a.fits[1]") == (ImageSpec(Path("a.fits"), (FIRST,)),)


class TestSameFile:
    def test_extensions_are_merged(self):
        assert resolve_inputs(["a.fits[1]", "b.fits", "a.fits[sci,2]", "a.fits[1]"]) == (
            ImageSpec(Path("a.fits"), (FIRST, SCI2)),
            ImageSpec(Path("b.fits")),
        )

    @pytest.mark.parametrize("words", [["a.fits", "a.fits[1]"], ["a.fits[1]", "a.fits"], ["a.fits", "a.fits"]])
    def test_the_whole_file_includes_any_extension(self, words):
        assert resolve_inputs(words) == (ImageSpec(Path("a.fits")),)

    def test_a_wildcard_and_a_name(self):
        assert names(["b.fits", "*.fits", "./a.fits"]) == ["b.fits", "a.fits", "c[x].fits", "d[1].fits"]

    @pytest.mark.parametrize("other", ["deep/../a.fits", "absolute"])
    def test_another_spelling_is_the_same_file(self, folder, other):
        """Else an exposure is matched with itself."""
        assert len(resolve_inputs(["a.fits", str(folder / "a.fits") if other == "absolute" else other])) == 1


class TestErrors:
    @pytest.mark.parametrize(
        ("inputs", "text"),
        [
            ([], "no input was given"),
            ((), "no input was given"),
            ("", "an input name is empty"),
            (["a.fits", "  "], "an input name is empty"),
            ("deep", "deep is a folder, not a file"),
            (Path("deep"), "deep is a folder, not a file"),
            ("none.fits", "no such file: 'none.fits'"),
            (Path("none.fits"), "no such file: 'none.fits'"),
            (ImageSpec(Path("none.fits")), "no such file: 'none.fits'"),
            ("none.fits[1]", "no such file: 'none.fits'"),
            ("none*.fits", "no file matches 'none*.fits'"),
            ("none*.fits[sci]", "no file matches 'none*.fits'"),
            (["a.fits", "none.fits"], "no such file: 'none.fits'"),
            ([5], "cannot read input of type int: 5"),
            (["a.fits", None], "cannot read input of type NoneType: None"),
            (["a.fits", ["b.fits"]], "cannot read input of type list: ['b.fits']"),
            ("a\0.fits", "no such file"),
        ],
    )
    def test_one_line_that_names_the_input(self, inputs, text):
        with pytest.raises(InputError) as error:
            resolve_inputs(inputs)
        assert text in str(error.value)
        assert "\n" not in str(error.value)

    @pytest.mark.parametrize("inputs", [None, 5, 1.5])
    def test_an_object_that_is_no_input(self, inputs):
        with pytest.raises(InputError, match="cannot read input of type"):
            resolve_inputs(inputs)

    @pytest.mark.parametrize(
        "inputs",
        [{"a.fits": 1}, {}, b"a.fits", fits.Header(), pd.DataFrame({"a.fits": ["b.fits"]}), np.zeros((2, 3, 3))],
    )
    def test_what_gives_keys_or_rows_is_no_list_of_inputs(self, inputs):
        with pytest.raises(TypeError, match=f"^cannot read input of type {type(inputs).__name__}: "):
            resolve_inputs(inputs)

    @pytest.mark.parametrize("mode", ["r", "rb"])
    def test_an_open_file_is_no_input(self, mode):
        with open("a.fits", mode) as stream, pytest.raises(TypeError, match="cannot read input of type "):  # noqa: PTH123
            resolve_inputs(stream)

    @pytest.mark.parametrize(
        ("given", "hint"),
        [(np.zeros((3, 3)), "give the pair (array, header)"), (fits.ImageHDU(), "give an HDU list, or the pair")],
    )
    def test_an_array_or_hdu_alone_is_told_what_it_needs(self, given, hint):
        with pytest.raises(TypeError, match=re.escape(hint)):
            resolve_inputs([given])

    @pytest.mark.parametrize(
        "inputs",
        [pd.Series(["a.fits", "b.fits"]), np.array(["a.fits", "b.fits"]), dict.fromkeys(["a.fits", "b.fits"]).keys()],
    )
    def test_what_holds_names_is_a_list(self, inputs):
        assert names(inputs) == ["a.fits", "b.fits"]

    @pytest.mark.skipif(os.name == "nt", reason="other limits on names")
    def test_a_name_that_is_too_long(self):
        with pytest.raises(InputError):
            resolve_inputs("x" * 300 + ".fits")

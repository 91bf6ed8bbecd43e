"""The grammar of input strings: what each form means, and where the error is in what cannot be read."""

import random
import re
import time
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skymatch_nb.errors import InputError
from skymatch_nb.io.grammar import Extension, parse_words
from skymatch_nb.io.inputs import ImageSpec, MaskSpec, parse_at_file, parse_at_line, parse_cs_line, resolve_mask

FAST = settings(max_examples=150, deadline=None, derandomize=True, database=None)


def ext(spec):
    """Extension from a number, or a name and version (None: every version)."""
    return Extension(number=spec) if isinstance(spec, int) else Extension(name=spec[0], version=spec[1])


def plain(words):
    """Words as (name, quoted, extensions)."""
    return [(word.name, word.quoted, list(word.extensions)) for word in words]


def word(name, *extensions, quoted=False):
    return (name, quoted, [ext(e) for e in extensions])


def message(parse, text, *more):
    """Text of the error that reading gives, which must be one line."""
    with pytest.raises(InputError) as error:
        parse(text, *more)
    assert "\n" not in str(error.value)
    return str(error.value)


SCI1, SCI2, EVERY = ("SCI", 1), ("SCI", 2), ("SCI", None)

VALID = [
    # names
    ("", [word("")]),
    ("  ", [word("")]),
    ("a.fits", [word("a.fits")]),
    ("  a.fits \t", [word("a.fits")]),
    ("a.fits\n", [word("a.fits")]),
    ("a b.fits", [word("a b.fits")]),
    ("a.fits,b.fits", [word("a.fits"), word("b.fits")]),
    (" a.fits ,  b.fits ", [word("a.fits"), word("b.fits")]),
    ("a,,b,", [word("a"), word(""), word("b"), word("")]),
    ("@list.txt", [word("@list.txt")]),
    ("~/x,$NIGHT/y,${NIGHT}/z", [word("~/x"), word("$NIGHT/y"), word("${NIGHT}/z")]),
    ("j*_fl?.fits", [word("j*_fl?.fits")]),
    ("img[0-9]_flt.fits", [word("img[0-9]_flt.fits")]),
    ("img[!a]x[bc]y", [word("img[!a]x[bc]y")]),
    ("None", [word("None")]),
    ("ünï[1]", [word("ünï", 1)]),
    # quotes
    ("'a.fits'", [word("a.fits", quoted=True)]),
    ('"a.fits"', [word("a.fits", quoted=True)]),
    ("'None'", [word("None", quoted=True)]),
    ("''", [word("", quoted=True)]),
    ("' a '", [word(" a ", quoted=True)]),
    ("' a '  ", [word(" a ", quoted=True)]),
    ("'a,b[1]{2}.fits'", [word("a,b[1]{2}.fits", quoted=True)]),
    ("'a' , \"b\"", [word("a", quoted=True), word("b", quoted=True)]),
    ('"it\'s"', [word("it's", quoted=True)]),
    ("'say \"a\"'", [word('say "a"', quoted=True)]),
    ("a'[1]'.fits", [word("a[1].fits", quoted=True)]),
    ("'a'b\"c d\" ", [word("abc d", quoted=True)]),
    ("'@list'", [word("@list", quoted=True)]),
    ("'a[1]'[2]", [word("a[1]", 2, quoted=True)]),
    # one extension
    ("a[0]", [word("a", 0)]),
    ("a[12]", [word("a", 12)]),
    ("a[ 1 ] ", [word("a", 1)]),
    ("a [1]", [word("a", 1)]),
    ("a[999999999]", [word("a", 999999999)]),
    ("a[sci]", [word("a", SCI1)]),
    ("a[SCI]", [word("a", SCI1)]),
    ("a['sci']", [word("a", SCI1)]),
    ('a["Sci"]', [word("a", SCI1)]),
    ("a[sci,2]", [word("a", SCI2)]),
    ("a['sci',2]", [word("a", SCI2)]),
    ("a[ 'sci' , 2 ]", [word("a", SCI2)]),
    ("a[('sci',2)]", [word("a", SCI2)]),
    ("a[ ( sci , 2 ) ]", [word("a", SCI2)]),
    ("a['my sci']", [word("a", ("MY SCI", 1))]),
    ("a['x,[y]']", [word("a", ("X,[Y]", 1))]),
    ("a['-1']", [word("a", ("-1", 1))]),
    ("a[my_image-1.x]", [word("a", ("MY_IMAGE-1.X", 1))]),
    ("img[0-9]_flt.fits[1]", [word("img[0-9]_flt.fits", 1)]),
    ("a[1],b[sci,2]", [word("a", 1), word("b", SCI2)]),
    (
        "j1234567q_flt.fits[1], j1234568q_flt.fits[sci,2]",
        [word("j1234567q_flt.fits", 1), word("j1234568q_flt.fits", SCI2)],
    ),
    # several extensions
    ("a{1}", [word("a", 1)]),
    ("a{1,4,('sci',3)}", [word("a", 1, 4, ("SCI", 3))]),
    ("a{ 1 , 4 , ( 'sci' , 3 ) }", [word("a", 1, 4, ("SCI", 3))]),
    ("a{('sci',*)}", [word("a", EVERY)]),
    ("a{ ( sci , * ) }", [word("a", EVERY)]),
    ('a{("sci",*)}', [word("a", EVERY)]),
    ("a{'sci'}", [word("a", EVERY)]),
    ("a{sci}", [word("a", EVERY)]),
    ("a{('sci')}", [word("a", EVERY)]),
    ("a{sci,2}", [word("a", EVERY, 2)]),
    ("a{'sci',('sci',*),1,1}", [word("a", EVERY, 1)]),
    ("a{'x}y'}", [word("a", ("X}Y", None))]),
    ("a{1,2},m1.fits,,m3.fits[0]", [word("a", 1, 2), word("m1.fits"), word(""), word("m3.fits", 0)]),
]

INVALID = [
    # (text, column, part of the message)
    ("[1]", 1, "without a file name"),
    ("a,{1}", 3, "without a file name"),
    ("]", 1, "unexpected ']'"),
    ("a]", 2, "unexpected ']'"),
    ("a}", 2, "unexpected '}'"),
    ("  a b]", 6, "unexpected ']'"),
    ("a[1]]", 5, "unexpected ']'"),
    ("a[1][2]", 5, "unexpected '['"),
    ("a{1}{2}", 5, "unexpected '{'"),
    ("a[1]{2}", 5, "unexpected '{'"),
    ("a[1] x", 6, "unexpected 'x'"),
    ("b,a{1} x", 8, "unexpected 'x'"),
    ("'a", 1, "quotation mark"),
    ("a'", 2, "quotation mark"),
    ("ab, 'c\"", 5, "quotation mark"),
    ("a[", 3, "number or name"),
    ("a[]", 3, "number or name"),
    ("a['']", 3, "number or name"),
    ("a[*]", 3, "number or name"),
    ("a['sci]", 3, "number or name"),
    ("a[1", 4, "expected ']', found the end"),
    ("a[1)", 4, "expected ']', found ')'"),
    ("a[1,2]", 4, "expected ']', found ','"),
    ("a[1.5]", 4, "expected ']', found '.'"),
    ("a[1 2]", 5, "expected ']', found '2'"),
    ("a[x y]", 5, "expected ']', found 'y'"),
    ("a[sci", 6, "expected ']', found the end"),
    ("a[sci,2,3]", 8, "expected ']', found ','"),
    ("a[sci,2)]", 8, "expected ']', found ')'"),
    ("a[(sci,2]", 9, "expected ')', found ']'"),
    ("a[1234567890]", 3, "no extension has the number 1234567890"),
    ("a[-1]", 3, "no extension has the number -1"),
    ("b.fits,a[ -1 ]", 11, "no extension has the number -1"),
    ("a[+1]", 3, "no extension has the number +1"),
    ("a[-1,2]", 3, "no extension has the number -1"),
    ("a{1,-2}", 5, "no extension has the number -2"),
    ("a{(-1,2)}", 4, "no extension has the number -1"),
    ("a[sci,]", 7, "version"),
    ("a[sci,x]", 7, "version"),
    ("a[sci,-1]", 7, "version"),
    ("a[sci,*]", 7, "needs curly brackets: {('sci',*)}"),
    ("b.fits[1],a[sci,*]", 17, "needs curly brackets"),
    ("a{", 3, "number or name"),
    ("a{}", 3, "number or name"),
    ("a{,1}", 3, "number or name"),
    ("a{*}", 3, "number or name"),
    ("a{1,}", 5, "number or name"),
    ("a{()}", 4, "number or name"),
    ("a{1", 4, "expected '}', found the end"),
    ("a{1]", 4, "expected '}', found ']'"),
    ("a{(sci,)}", 8, "version"),
    ("a{(sci,2}", 9, "expected ')', found '}'"),
    ("a{(sci,**)}", 9, "expected ')', found '*'"),
]


class TestWords:
    @pytest.mark.parametrize(("text", "expected"), VALID)
    def test_what_a_text_means(self, text, expected):
        assert plain(parse_words(text)) == expected

    @pytest.mark.parametrize(("text", "column", "reason"), INVALID)
    def test_an_error_tells_the_column(self, text, column, reason):
        found = message(parse_words, text)
        assert found.startswith(f"column {column}: ")
        assert reason in found

    def test_words_know_their_columns(self):
        assert [w.column for w in parse_words("  a.fits, 'b c',,\td")] == [3, 11, 17, 19]

    @pytest.mark.parametrize("text", ["img[0-9][ab]_flt.fits", "n[0-9][0-9][0-9].fits[1]"])
    def test_wildcard_classes_may_follow_each_other(self, text):
        assert parse_words(text)[0].name == text.removesuffix("[1]")


BARE = st.text(st.characters(codec="utf-8", exclude_characters=",[]{}'\"$"), min_size=1, max_size=12)
NAME_TEXT = st.text("ab1. ,[]{}'\"@#*?~é\t", min_size=1, max_size=12)
EXTENSION_NAME = st.from_regex(r"[A-Z_][A-Z0-9_.-]{0,7}", fullmatch=True)
EXTENSIONS = st.one_of(
    st.builds(lambda n: Extension(number=n), st.integers(0, 999_999_999)),
    st.builds(lambda n, v: Extension(name=n, version=v), EXTENSION_NAME, st.none() | st.integers(0, 99)),
)
BLANK = st.sampled_from(["", " ", "  ", "\t"])


@st.composite
def written_names(draw):
    """A name and one way to write it: bare, or in pieces that are each in a kind of quotes that they do not hold."""
    if draw(st.booleans()):
        name = draw(BARE.map(str.strip).filter(bool))
        return name, name, False
    pieces = draw(st.lists(NAME_TEXT.map(lambda t: t.replace("'", "") if '"' in t else t), min_size=1, max_size=3))
    text = "".join(
        f'"{p}"' if "'" in p else f"'{p}'" if '"' in p else draw(st.sampled_from([f"'{p}'", f'"{p}"'])) for p in pieces
    )
    return "".join(pieces), text, True


@st.composite
def written_extensions(draw):
    """Extensions and one way to write them."""
    extensions = tuple(dict.fromkeys(draw(st.lists(EXTENSIONS, max_size=4))))
    if not extensions:
        return (), ""

    def name(e):
        cased = draw(st.sampled_from([e.name, e.name.lower()]))
        return draw(st.sampled_from([cased, f"'{cased}'", f'"{cased}"']))

    def inside(e, curly):
        blank, version = draw(BLANK), "*" if e.version is None else e.version
        if e.number is not None:
            return f"{blank}{e.number}{blank}"
        whole = curly and e.version is None and draw(st.booleans())
        if whole:
            return name(e)
        if not curly and e.version == 1 and draw(st.booleans()):
            return name(e)
        pair = f"{name(e)}{blank},{blank}{version}"
        return f"{blank}({pair}){blank}" if curly or draw(st.booleans()) else pair

    single = len(extensions) == 1 and extensions[0].version is not None
    if single and draw(st.booleans()):
        return extensions, f"[{inside(extensions[0], False)}]"
    return extensions, "{" + ",".join(inside(e, True) for e in extensions) + "}"


class TestRoundTrips:
    @FAST
    @given(st.lists(st.tuples(written_names(), written_extensions(), BLANK, BLANK, BLANK), min_size=1, max_size=4))
    def test_written_words_are_read_back(self, words):
        text = ",".join(f"{a}{name[1]}{b}{spec[1]}{c}" for name, spec, a, b, c in words)
        expected = [(name[0], name[2], list(spec[0])) for name, spec, *_ in words]
        assert plain(parse_words(text)) == expected

    @FAST
    @given(EXTENSIONS)
    def test_the_text_of_an_extension_is_read_back(self, extension):
        text = str(extension) if extension.number is not None else f"({extension})"
        assert parse_words(f"x{{{text}}}")[0].extensions == (extension,)


SPECIAL = ",[]{}()'\"@#*"
ALPHABET = SPECIAL * 2 + "0123456789" + "abcsi" * 2 + " \t\n\r\0~$?!-.\\" + "é²١字\u00a0\u3000\ud800\U0001f52d"


def random_texts(count, seed, alphabet, longest=80):
    pick = random.Random(seed)
    return ("".join(pick.choices(alphabet, k=pick.randint(0, longest))) for _ in range(count))


class TestAnyText:
    def test_random_texts_are_read_or_refused_with_a_column(self):
        """100,000 of them; nothing but `InputError`, whose column lies in the text or just behind it."""
        started, count, read = time.perf_counter(), 100_000, 0
        for text in random_texts(count, 1, ALPHABET):
            try:
                words = parse_words(text)
            except InputError as error:
                found = re.match(r"column (\d+): [^\n]+$", str(error))
                columns = [int(found[1])] if found else []
            else:
                read += 1
                columns = [w.column for w in words]
            assert columns, text
            assert all(1 <= column <= len(text) + 1 for column in columns), text
        assert 0.02 < read / count < 0.98
        assert time.perf_counter() - started < 60

    @pytest.mark.parametrize("start", ["", "a", "~"])
    @pytest.mark.parametrize("parse", [parse_cs_line, parse_at_line])
    def test_random_texts_name_no_file_in_an_empty_folder(self, tmp_path, monkeypatch, parse, start):
        """Some begin like a name, so that more than the grammar is reached."""
        monkeypatch.chdir(tmp_path)
        for text in random_texts(3000, 2, ALPHABET if start == "~" else ALPHABET.replace("~", "")):
            with pytest.raises(InputError):
                parse(start + text)

    @pytest.mark.parametrize(
        "text",
        [
            *("$\0", "a\0", "[\0]x", "*\0", "$\ud800"),
            *(text for text in ("~\0", "~\ud800/a.fits")),
        ],
    )
    @pytest.mark.parametrize("parse", [parse_cs_line, parse_at_line, lambda text: parse_cs_line(f"@{text}")])
    def test_characters_that_no_file_name_can_have(self, tmp_path, monkeypatch, parse, text):
        monkeypatch.chdir(tmp_path)
        with pytest.raises(InputError):
            parse(text)

    @pytest.mark.parametrize(
        "unit",
        [
            "[",
            "]",
            "{",
            "}",
            "(",
            ",",
            "1",
            "a",
            " ",
            "@",
            "#",
            "*",
            "?",
            "~",
            "$",
            "\\",
            "[a]",
            "[a]b",
            "${a}",
            "a{(",
            "a[1],",
        ],
    )
    def test_very_long_texts_take_no_second(self, tmp_path, monkeypatch, unit):
        monkeypatch.chdir(tmp_path)
        text = (unit * 100_000)[:100_000]
        assert takes_no_second(parse_words, text)
        assert takes_no_second(parse_cs_line, text)

    @pytest.mark.parametrize("start", ["a[", "a{", "a[sci,", "a{1,", "a{(sci,", "'", 'a["', "[", "${"])
    @pytest.mark.parametrize("filling", ["1", "a", " ", "1,", "(", "'"])
    def test_very_long_extensions_take_no_second(self, start, filling):
        assert takes_no_second(parse_words, start + (filling * 100_000)[:100_000])

    @pytest.mark.parametrize("unit", ["'", '"', "'a'b", "x'", "'a',", "'a'[1],"])
    def test_many_quotes_take_no_second(self, unit):
        assert takes_no_second(parse_words, (unit * 100_000)[:100_000])


def seconds(parse, text):
    started = time.process_time()
    with suppress(InputError):
        parse(text)
    return time.process_time() - started


def takes_no_second(parse, text):
    """Whether one of two times, of the processor, is below a second; other work may hold up the first."""
    return any(seconds(parse, text) < 1 for _ in range(2))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder with empty files; reading a text never opens them."""
    names = [
        "a.fits",
        "b.fits",
        "c,d.fits",
        "None",
        "deep/a.fits",
        "deep/e.fits",
        "deep/m.fits",
        "list.txt",
        "m1.fits",
        "m3.fits",
    ]
    for name in [*names, " x .fits", "n[1].fits"]:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def image(path, *extensions, masks=()):
    return ImageSpec(Path(path), tuple(ext(e) for e in extensions), tuple(masks))


def mask(path, extension=0):
    return MaskSpec(Path(path), ext(extension))


class TestCommaSeparated:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("a.fits", [image("a.fits")]),
            (" a.fits[1], b.fits[sci,2] ", [image("a.fits", 1), image("b.fits", SCI2)]),
            ("a.fits{1,4,('sci',3)}", [image("a.fits", 1, 4, ("SCI", 3))]),
            ("'c,d.fits'[1],a.fits", [image("c,d.fits", 1), image("a.fits")]),
            ("?.fits[1]", [image("a.fits", 1), image("b.fits", 1)]),
            ("[ba].fits{('sci',*)}", [image("a.fits", EVERY), image("b.fits", EVERY)]),
            ("n[1].fits", [image("n[1].fits")]),
            ("n[1].fits[1]", [image("n[1].fits", 1)]),
            ("' x .fits'", [image(" x .fits")]),
            ("'None'", [image("None")]),
            ("None", [image("None")]),
        ],
    )
    def test_files_in_the_order_given(self, folder, text, expected):
        assert parse_cs_line(text) == tuple(expected)

    @pytest.mark.parametrize(
        ("text", "where"),
        [
            ("a.fits,", "column 8: a file name is empty"),
            (",a.fits", "column 1: a file name is empty"),
            ("a.fits,,b.fits", "column 8: a file name is empty"),
            ("a.fits, ''", "column 9: a file name is empty"),
            ("a.fits, none.fits", "column 9: no such file: 'none.fits'"),
            ("a.fits, none*.fits[1]", "column 9: no file matches 'none*.fits'"),
            ("a.fits, deep", "column 9: deep is a folder"),
            ("a.fits[1], b.fits[sci", "column 22: expected ']'"),
            ("a.fits, @list.txt", "column 9: an @-file must stand alone"),
            ("@list.txt, a.fits", "column 12: an @-file must stand alone"),
            ("@list.txt[1]", "an @-file takes no extension specification"),
            ("@list.txt{1}", "an @-file takes no extension specification"),
            ("@", "the name of the @-file is missing"),
            ("@none.txt", "@-file 'none.txt': No such file"),
            ("@deep", "@-file 'deep': Is a directory"),
            ("@list.txt", "names no image"),
        ],
    )
    def test_an_error_shows_the_text_and_the_column(self, folder, text, where):
        found = message(parse_cs_line, text)
        assert found.startswith("@-file" if where.startswith(("@-file", "names")) else f"in {text!r}: ")
        assert where in found

    @pytest.mark.parametrize("given", [None, 5, b"a.fits", Path("a.fits"), ["a.fits"]])
    @pytest.mark.parametrize("parse", [parse_cs_line, parse_at_line])
    def test_what_is_no_text_is_a_type_error(self, parse, given):
        with pytest.raises(TypeError, match=f"^a text is needed, not one of type {type(given).__name__}: "):
            parse(given)

    @pytest.mark.parametrize(
        ("text", "column"), [("@'list", 2), ("@list.txt[sc", 13), ("  @list.txt, a", 14), ("@list.txt]", 10)]
    )
    def test_columns_of_an_at_file_count_from_the_start_of_the_text(self, folder, text, column):
        assert f"column {column}: " in message(parse_cs_line, text)


class TestAtLines:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("a.fits", image("a.fits")),
            ("  a.fits[1]  ", image("a.fits", 1)),
            ("a.fits{1,2},m1.fits", image("a.fits", 1, 2, masks=[mask("m1.fits")])),
            (
                "a.fits{1,2,('sci',3)},m1.fits,,m3.fits[0]",
                image("a.fits", 1, 2, ("SCI", 3), masks=[mask("m1.fits"), None, mask("m3.fits")]),
            ),
            ("a.fits{1,2}, None , m3.fits[sci,2]", image("a.fits", 1, 2, masks=[None, mask("m3.fits", SCI2)])),
            ("a.fits{1,2},'None',\"None\"[1]", image("a.fits", 1, 2, masks=[mask("None"), mask("None", 1)])),
            ("a.fits{1,2},,None", image("a.fits", 1, 2)),
            ("a.fits{('sci',*)},,m1.fits{1}", image("a.fits", EVERY, masks=[None, mask("m1.fits", 1)])),
            ("a.fits,m?.fits,m3.fits", None),
            ("'c,d.fits'[1],'c,d.fits'", image("c,d.fits", 1, masks=[mask("c,d.fits")])),
            ("[a].fits[1],m[1].fits", image("a.fits", 1, masks=[mask("m1.fits")])),
        ],
    )
    def test_an_image_and_its_masks(self, folder, text, expected):
        if expected is None:
            assert "column 8: 'm?.fits' matches 2 files where one mask is needed" in message(parse_at_line, text)
        else:
            assert parse_at_line(text) == (expected,)

    @pytest.mark.parametrize(
        ("text", "where"),
        [
            ("", "column 1: the image's file name is empty"),
            (",m1.fits", "column 1: the image's file name is empty"),
            ("a.fits[1],m1.fits,m3.fits", "column 19: 2 masks for 1 extensions"),
            ("a.fits{1,2},,,m3.fits", "column 15: 3 masks for 2 extensions"),
            (
                "?.fits,m1.fits",
                "column 8: masks cannot be given for several files at once: '?.fits' stands for 2 files",
            ),
            ("?.fits, ,m1.fits", "column 10: masks cannot be given for several files at once"),
            ("a.fits, none.fits", "column 9: no such file: 'none.fits'"),
            ("a.fits, m1.fits{1,2}", "column 9: a mask must be one extension"),
            ("a.fits, m1.fits{sci}", "column 9: a mask must be one extension"),
            ("a.fits,m1.fits[sci,*]", "column 20: "),
            ("@list.txt", "column 1: an @-file must stand alone"),
        ],
    )
    def test_an_error_tells_the_column(self, folder, text, where):
        assert where in message(parse_at_line, text)

    def test_names_are_looked_for_in_the_working_folder_first(self, folder):
        assert parse_at_line("a.fits,m.fits", folder / "deep") == (
            image("a.fits", masks=[mask(folder / "deep" / "m.fits")]),
        )
        assert parse_at_line("e.fit?[1]", folder / "deep") == (image(folder / "deep" / "e.fits", 1),)

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("m1.fits", mask("m1.fits")),
            (" m1.fits[sci,2]", mask("m1.fits", SCI2)),
            (Path("n[1].fits"), mask("n[1].fits")),
        ],
    )
    def test_a_mask_alone(self, folder, text, expected):
        assert resolve_mask(text) == expected

    @pytest.mark.parametrize("text", ["", "None", "m1.fits,m3.fits", "none.fits", Path("none.fits"), "m1.fits{1,2}"])
    def test_what_is_no_mask(self, folder, text):
        message(resolve_mask, text)


class TestAtFiles:
    def write(self, folder, text, name="list.txt"):
        (folder / name).write_text(text, encoding="utf-8")
        return folder / name

    def test_blank_lines_and_comments_are_skipped(self, folder):
        text = "# exposures\n\n  \na.fits[1]   # the first\n\t# none\r\nb.fits,'None' #'\ndeep/a.fits"
        assert parse_at_file(self.write(folder, text)) == (
            image("a.fits", 1),
            image("b.fits", masks=[mask("None")]),
            image("deep/a.fits"),
        )

    @pytest.mark.parametrize("name", ["x#1.fits", "#x.fits", "a # b.fits"])
    def test_a_number_sign_can_be_part_of_a_name(self, folder, name):
        (folder / name).touch()
        text = name if name == "x#1.fits" else f"'{name}'"
        assert parse_at_file(self.write(folder, f"{text} # it's here\n")) == (image(name),)

    @pytest.mark.parametrize(
        ("line", "where"),
        [
            ("none.fits", "column 1: no such file"),
            ("  b.fits[sci", "column 13: expected ']'"),
            ("b.fits,  m9.fits  # mask", "column 10: no such file: 'm9.fits'"),
            ("b.fits[1],m1.fits,m3.fits", "column 19: 2 masks for 1 extensions"),
            (", m1.fits", "column 1: the image's file name is empty"),
            ("'b.fits", "column 1: a quotation mark"),
            ("@list.txt", "column 1: an @-file must stand alone"),
        ],
    )
    @pytest.mark.parametrize("before", ["", "a.fits\n", "# one\n\n\na.fits\n"])
    def test_a_bad_line_is_told_by_file_line_and_column(self, folder, before, line, where):
        path = self.write(folder, f"{before}{line}\na.fits\n")
        assert message(parse_at_file, path).startswith(f"{path}, line {before.count(chr(10)) + 1}, {where}")
        assert where in message(parse_cs_line, "@list.txt")

    def test_paths_are_relative_to_the_working_folder_else_to_the_list(self, folder):
        self.write(folder, "a.fits\ne.fits,m.fits\n?.fits\n", "deep/list.txt")
        deep = folder / "deep"
        assert parse_at_file(deep / "list.txt") == (
            image("a.fits"),
            image(deep / "e.fits", masks=[mask(deep / "m.fits")]),
            image("a.fits"),
            image("b.fits"),
        )
        assert parse_cs_line("@deep/list.txt")[1].path == Path("deep/e.fits")

    def test_home_and_variables(self, folder, monkeypatch):
        monkeypatch.setenv("HOME", str(folder))
        monkeypatch.setenv("NIGHT", "deep")
        self.write(folder, "~/a.fits\n$NIGHT/e.fits,${NIGHT}/m.fits\n")
        expected = (image(folder / "a.fits"), image("deep/e.fits", masks=[mask("deep/m.fits")]))
        assert parse_cs_line("@~/list.txt") == parse_cs_line(" @'list.txt' ") == expected

    @pytest.mark.parametrize("text", ["", "\n \n", "# nothing\n"])
    def test_a_list_without_images(self, folder, text):
        assert "names no image" in message(parse_at_file, self.write(folder, text))

    def test_a_file_that_is_no_text(self, folder):
        (folder / "list.txt").write_bytes(b"SIMPLE  =\xff\xfe\0")
        where = f"{folder / 'list.txt'}, line 1, column 10: "
        assert message(parse_at_file, folder / "list.txt").startswith(f"{where}not a text file in UTF-8 (byte 0xff)")

    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
    def test_a_line_in_another_encoding_is_told_by_file_line_and_column(self, folder, end):
        (folder / "list.txt").write_bytes(f"# ünï{end}a.fits{end} ü".encode() + "é.fits".encode("latin-1"))
        found = message(parse_cs_line, "@list.txt")
        assert found == "list.txt, line 3, column 3: not a text file in UTF-8 (byte 0xe9)"

    def test_lines_end_where_editors_say(self, folder):
        self.write(folder, "a.fits # one\x0cpage\x85\u2028\nnone.fits")
        assert "list.txt, line 2, column 1: no such file: 'none.fits'" in message(parse_cs_line, "@list.txt")

    @pytest.mark.parametrize("line", ["none.fits", "a.fits[sci"])
    def test_an_error_names_the_list_once(self, folder, line):
        self.write(folder, line)
        found = message(parse_cs_line, "@list.txt")
        assert found.startswith("list.txt, line 1, column ")
        assert found.count("list.txt") == 1

    @pytest.mark.parametrize("given", [None, 5, b"list.txt"])
    def test_what_is_no_path_is_a_type_error(self, given):
        with pytest.raises(TypeError, match=f"an @-file must be a path, not of type {type(given).__name__}"):
            parse_at_file(given)

    def test_a_wildcard_that_matches_one_file_takes_masks(self, folder):
        assert parse_at_line("deep/e*.fits, m1.fits") == (image("deep/e.fits", masks=[mask("m1.fits")]),)

    def test_a_byte_order_mark_is_no_part_of_a_name(self, folder):
        (folder / "list.txt").write_text("a.fits\n", encoding="utf-8-sig")
        assert parse_at_file(folder / "list.txt") == (image("a.fits"),)

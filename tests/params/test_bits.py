"""The grammar of ``dq_bits``."""

import numpy as np
import pytest
from astropy.nddata.bitmask import interpret_bit_flags
from hypothesis import given
from hypothesis import strategies as st

from skymatch_nb.params.bits import (
    describe_good_bits,
    format_good_bits,
    parse_bits_of_members,
    parse_good_bits,
    resolve_good_bits,
)
from skymatch_nb.params.flags import TABLES, flag_table


@pytest.mark.parametrize(
    ("value", "bits"),
    [
        ("4,8", 12),
        ("4+8", 12),
        ("4|8", 12),
        ("8,4", 12),
        (" 4 , 8 ", 12),
        ("(4,8)", 12),
        ("12", 12),
        ("4", 4),
        (12, 12),
        (-13, -13),
        ("-13", -13),
        ("~4+8", -13),
        ("~4,8", -13),
        ("~4|8", -13),
        ("~(4,8)", -13),
        ("~(4+8)", -13),
        ("~12", -13),
        (0, 0),
        ("0", 0),
        (1 << 40, 1 << 40),
    ],
)
def test_expressions_become_one_integer(value, bits):
    """Lists of flags with any separator, their complement, and plain integers."""
    assert parse_good_bits(value) == bits
    assert type(parse_good_bits(value)) is int


@pytest.mark.parametrize("value", [None, "None", "none", "NONE", "INDEF", "", "  ", "~0", -1, "-1"])
def test_words_for_nothing_mean_that_flags_are_ignored(value):
    """None, and every bit good, which is the same."""
    assert parse_good_bits(value) is None


@pytest.mark.parametrize(
    "value",
    [
        "-HOT",
        "4HOT",
        "HOT+3",
        "HOT WARM",
        "~~HOT",
        "HOT+",
        "HOT,4+8",
        "HOT+default",
        "3,foo",
        "foo",
        "5,3",
        "4,5",
        "4,",
        "4+",
        "+4",
        "4 8",
        "4,8+16",
        "~",
        "~~4",
        "~None",
        "0x4",
        "1.5",
        "4.0",
    ],
)
def test_words_that_are_no_flags_are_errors(value):
    """The text says what is allowed."""
    with pytest.raises(ValueError, match=r"powers of 2, such as '4,8', '4\+8' or '~4\+8', or None"):
        parse_good_bits(value)


@pytest.mark.parametrize("value", [1.5, 4.0, True, False, [4, 8], (4,), b"4", np.array([4])])
def test_other_types_are_errors(value):
    """Neither float nor bool nor list is an integer or an expression."""
    with pytest.raises(ValueError, match="must be an int, a string"):
        parse_good_bits(value)


@pytest.mark.parametrize(
    ("bits", "text"), [(None, "None"), (0, "0"), (4, "4"), (12, "4+8"), (-13, "~4+8"), (-2, "~1"), (5, "1+4")]
)
def test_bits_are_written_as_flags(bits, text):
    """As an astronomer would type them."""
    assert format_good_bits(bits) == text


@given(st.none() | st.integers(-(2**62), 2**62).filter(lambda bits: bits != -1))
def test_what_is_written_is_read_back(bits):
    """Format, then parse: the same bits."""
    assert parse_good_bits(format_good_bits(bits)) == bits


@given(st.sets(st.integers(0, 31), min_size=1), st.sampled_from(",+|"), st.booleans())
def test_any_list_of_flags_is_their_sum(exponents, separator, inverted):
    """As many flags as there are, in any order; with ~ all the others."""
    text = separator.join(str(2**k) for k in exponents)
    total = sum(2**k for k in exponents)
    assert parse_good_bits(f"~{text}" if inverted else text) == (~total if inverted else total)


@pytest.mark.parametrize("value", ["4,8", "~4+8", "~(4|8)", "0", "16", 7])
def test_expressions_mean_what_they_mean_in_astropy(value):
    """`astropy.nddata.bitmask.interpret_bit_flags` reads them alike."""
    assert parse_good_bits(value) == interpret_bit_flags(value)


@pytest.mark.parametrize(
    ("text", "bits"),
    [
        ("ACS=4+8;*=0", {"ACS": 12, "*": 0}),
        ("a=b.fits=~4;c=None", {"a=b.fits": -5, "c": None}),
        ("ACS=hot|warm;*=default", {"ACS": "HOT+WARM", "*": "default"}),
        ("4+8", 12),
    ],
)
def test_flags_of_members_are_read_from_text_and_written_back(text, bits):
    assert parse_bits_of_members(text) == bits
    assert parse_bits_of_members(format_good_bits(bits)) == bits


@pytest.mark.parametrize("bad", [{}, {"": 4}, {4: 4}, {"a": "x"}, "a=x"])
def test_other_flags_of_members_are_refused(bad):
    with pytest.raises(ValueError, match="must"):
        parse_bits_of_members(bad)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("HOT", "HOT"),
        (" hot | warm ", "HOT+WARM"),
        ("~(DO_NOT_USE, non_science)", "~DO_NOT_USE+NON_SCIENCE"),
        ("4+HOT", "4+HOT"),
        ("HOT,4", "HOT+4"),
        ("Default", "default"),
    ],
)
def test_names_stay_a_text_in_one_form(value, text):
    """Between plus signs and in capitals; which numbers they are depends on the instrument."""
    assert parse_good_bits(value) == text
    assert parse_good_bits(format_good_bits(text)) == text


def test_a_name_that_no_instrument_has_is_named():
    with pytest.raises(ValueError, match="no instrument has a flag 'HOTT'"):
        parse_good_bits("4+hott")


ACS, JWST = flag_table("HST", "ACS", "WFC"), flag_table("JWST", "NIRCAM", "NRCA1")


@pytest.mark.parametrize(
    ("bits", "telescope", "flags", "number"),
    [
        ("HOT+WARM", "HST", ACS, 16 + 64),
        ("HOT+WARM", "JWST", JWST, 2048 + 4096),
        ("~DO_NOT_USE+4", "JWST", JWST, ~5),
        ("4+HOT", "HST", ACS, 20),
        ("default", "HST", ACS, 0),
        ("default", "", (), 0),
        ("default", "JWST", JWST, ~(1 + 512 + 16)),
        ("default", "ROMAN", flag_table("ROMAN", "WFI", "WFI01"), ~(1 + 512 + 128)),
        (0, "JWST", JWST, 0),
        (None, "JWST", JWST, None),
    ],
)
def test_names_mean_what_the_instrument_means(bits, telescope, flags, number):
    """The same name is another number elsewhere; 0 is 0 everywhere."""
    assert resolve_good_bits(bits, telescope, flags) == number


def test_a_flag_that_the_instrument_has_not_is_told():
    with pytest.raises(LookupError, match="DO_NOT_USE"):
        resolve_good_bits("HOT+DO_NOT_USE", "HST", ACS)


@given(st.data(), st.sampled_from(sorted(TABLES.values(), key=len)), st.booleans())
def test_names_are_the_sum_of_their_bits(data, table, inverted):
    """Any choice of any table, with any separator, as numbers would be; and they are told by name again."""
    chosen = data.draw(st.lists(st.sampled_from(table), min_size=1, unique=True))
    text = data.draw(st.sampled_from(",+|")).join(flag.name for flag in chosen)
    bits = resolve_good_bits(parse_good_bits(f"~{text}" if inverted else text), "", table)
    total = sum(flag.bit for flag in chosen)
    assert bits == (~total if inverted else total)
    told = describe_good_bits(bits, table).removeprefix("all but ")
    assert set(told.split("+")) == {flag.name for flag in chosen}


@pytest.mark.parametrize(
    ("bits", "words"), [(None, "all"), (0, "none"), (16 + 65536, "HOT+65536"), (~(16 + 64), "all but HOT+WARM")]
)
def test_bits_in_words(bits, words):
    assert describe_good_bits(bits, ACS) == words

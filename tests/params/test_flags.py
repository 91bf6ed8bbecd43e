"""Tables of data quality flags."""

import re
from pathlib import Path

import pytest

from skymatch_nb.datasets import BAD_COLUMN, COSMIC_RAY, HOT_PIXEL, PERSISTENCE
from skymatch_nb.params.flags import TABLES, Flag, all_names, flag_table, usual_bad

PAGE = (Path(__file__).parents[2] / "docs" / "flags.md").read_text(encoding="utf-8")
every_table = pytest.mark.parametrize("key", TABLES, ids="-".join)


@every_table
def test_every_flag_is_one_bit_with_a_name_of_its_own(key):
    """In the order of the bits."""
    bits = [flag.bit for flag in TABLES[key]]
    assert bits == sorted(set(bits))
    assert all(bit.bit_count() == 1 and bit < 1 << 32 for bit in bits)
    names = [flag.name for flag in TABLES[key]]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[A-Z][A-Z0-9_]*", name) for name in names)
    assert all(flag.meaning for flag in TABLES[key])


@every_table
def test_the_page_lists_the_table(key):
    """docs/flags.md and the module say the same, with a source."""
    section = PAGE.split(f"\n## {' '.join(key)}\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (\d+) \| (\w+) \| (.+) \|$", section, re.MULTILINE)
    assert tuple(Flag(int(bit), name, meaning) for bit, name, meaning in rows) == TABLES[key]
    assert section.strip().startswith("Source: ")


def test_the_page_lists_no_other_table():
    assert re.findall(r"^## (.+)$", PAGE, re.MULTILINE) == [" ".join(key) for key in TABLES]


@pytest.mark.parametrize(
    ("labels", "bit", "name"),
    [
        (("HST", "ACS", "WFC"), 16, "HOT"),
        (("hst", " Acs ", ""), 16, "HOT"),
        (("HST", "WFC3", "UVIS"), 1024, "TRAP"),
        (("HST", "WFC3", "IR"), 1024, "SPIKE"),
        (("HST", "WFPC2", "3"), 8, "ATODSAT"),
        (("HST", "STIS", "CCD"), 16, "HOTPIX"),
        (("JWST", "MIRI", "MIRIMAGE"), 16, "OUTLIER"),
        (("ROMAN", "WFI", "WFI01"), 128, "OUTLIER"),
    ],
)
def test_a_table_is_found_by_telescope_instrument_and_detector(labels, bit, name):
    assert {flag.bit: flag.name for flag in flag_table(*labels)}[bit] == name


@pytest.mark.parametrize(
    "labels", [("", "", ""), ("HST", "", ""), ("HST", "WFC3", ""), ("HST", "STIS", "NUV-MAMA"), ("", "ACS", "WFC")]
)
def test_where_flags_are_not_known_the_table_is_empty(labels):
    assert flag_table(*labels) == ()


def test_simulated_flags_are_those_that_are_planted():
    planted = {"BAD_COLUMN": BAD_COLUMN, "HOT": HOT_PIXEL, "PERSISTENCE": PERSISTENCE, "COSMIC_RAY": COSMIC_RAY}
    assert {flag.name: flag.bit for flag in flag_table("SIMULATED", "SKYCAM", "CCD")} == planted


@pytest.mark.parametrize("telescope", ["JWST", "ROMAN"])
def test_what_is_bad_by_default_is_in_the_table(telescope):
    assert set(usual_bad(telescope)) < {flag.name for flag in flag_table(telescope, "", "")}
    assert usual_bad("HST") == ()


def test_no_name_can_be_taken_for_another_word():
    """``None``, ``INDEF`` and ``default`` mean something else."""
    assert not {"NONE", "INDEF", "DEFAULT"} & all_names()


def test_flags_are_those_of_stdatamodels():
    """Whoever has the package."""
    pixel = pytest.importorskip("stdatamodels.jwst.datamodels.dqflags").pixel
    ours = {flag.name: flag.bit for flag in flag_table("JWST", "NIRCAM", "NRCA1")}
    assert {name: bit for name, bit in pixel.items() if bit and not name.startswith("RESERVED")}.items() <= ours.items()


def test_flags_are_those_of_roman_datamodels():
    """Whoever has the package."""
    pixel = pytest.importorskip("roman_datamodels.dqflags").pixel
    ours = {flag.name: flag.bit for flag in flag_table("ROMAN", "WFI", "WFI01")}
    assert {f.name: int(f) for f in pixel if int(f) and not f.name.startswith("RESERVED")} == ours

"""Which pixels DQ flags make bad, by number and by name."""

import numpy as np
import pytest
from astropy.io import fits

from skymatch_nb import ParameterError, SkyMatchParams, SkyMatchSession
from skymatch_nb.cli import main

pytestmark = pytest.mark.filterwarnings("ignore:the file has no ASDF extension")  # flags alone matter here

JWST = {"TELESCOP": "JWST", "INSTRUME": "NIRCAM", "DETECTOR": "NRCA1"}
ACS = {"TELESCOP": "HST", "INSTRUME": "ACS", "DETECTOR": "WFC"}
ROWS = {1: 1, 2: 4, 3: 16, 4: 512, 5: 2048, 6: 2**31}
"""Flag planted in each of these rows of 60 pixels."""


@pytest.fixture
def night(write_image):
    """A file of ACS, one of NIRCam and one of an unknown camera, with the same flags."""

    def flagged(name, seed, **cards):
        path = write_image(name, seed=seed, ra=10 + 0.001 * seed, **cards)
        with fits.open(path) as hdus:
            image = fits.ImageHDU(hdus[0].data, hdus[0].header, name="SCI")
            flags = np.zeros((40, 60), np.uint32)
            for row, flag in ROWS.items():
                flags[row] = flag
            new = fits.HDUList([fits.PrimaryHDU(), image, fits.ImageHDU(flags, name="DQ")])
            for key, value in cards.items():
                new[0].header[key] = value
        new.writeto(path, overwrite=True)
        return path

    return [flagged("acs.fits", 0, **ACS), flagged("nircam.fits", 1, **JWST), flagged("other.fits", 2)]


def masks(files, **params):
    return SkyMatchSession(files, verbose=False, **params).mask()


def test_by_default_only_the_worst_flags_of_jwst_are_bad(night):
    """DO_NOT_USE, OUTLIER and NON_SCIENCE there, every flag elsewhere."""
    found = masks(night)
    assert list(found.bad_dq) == [360, 180, 360]
    assert list(found.dq_good) == [
        "none (default)",
        "all but DO_NOT_USE+OUTLIER+NON_SCIENCE (default)",
        "none (default)",
    ]


@pytest.mark.parametrize("zero", [0, "0"])
def test_zero_means_every_flag_whatever_the_telescope(night, zero):
    found = masks(night, dq_bits=zero)
    assert list(found.bad_dq) == [360, 360, 360]
    assert list(found.dq_good) == ["none"] * 3


def test_none_ignores_flags(night):
    found = masks(night, dq_bits=None)
    assert list(found.bad_dq) == [0, 0, 0]
    assert list(found.dq_good) == ["all"] * 3


def test_a_name_is_the_flag_of_the_members_own_instrument(night):
    """HOT is 16 for ACS and 2048 for JWST."""
    s = SkyMatchSession(night[:2], dq_bits="HOT", verbose=False)
    assert list(s.mask().bad_dq) == [300, 300]
    (found,) = s._pipeline.require("mask")
    assert found.good_bits == (16, 2048)
    assert list(s.masks.dq_good) == ["HOT", "HOT"]


@pytest.mark.parametrize(
    ("bits", "bad", "good"),
    [
        ("~DO_NOT_USE+NON_SCIENCE", 120, "all but DO_NOT_USE+NON_SCIENCE"),
        ("DO_NOT_USE,NON_SCIENCE", 240, "DO_NOT_USE+NON_SCIENCE"),
        ("4+HOT", 240, "JUMP_DET+HOT"),
        ("~REFERENCE_PIXEL", 60, "all but REFERENCE_PIXEL"),
        (2**40 + 1, 300, f"DO_NOT_USE+{2**40}"),
    ],
)
def test_expressions_of_names_and_numbers(night, bits, bad, good):
    found = masks(night[1], dq_bits=bits)
    assert list(found.bad_dq) == [bad]
    assert list(found.dq_good) == [good]


def test_each_member_may_have_names_of_its_own(night):
    """A member that the mapping does not name has the default."""
    found = masks(night, dq_bits={"acs.fits": "HOT+BADPIX", "other.fits": "~1"})
    assert list(found.bad_dq) == [240, 180, 60]
    assert list(found.dq_good) == ["BADPIX+HOT", "all but DO_NOT_USE+OUTLIER+NON_SCIENCE (default)", "all but 1"]
    assert list(masks(night, dq_bits={"ACS": "HOT", "NRCA1": "HOT", "*": 0}).bad_dq) == [300, 300, 360]


def test_a_flag_that_a_member_has_not_is_named_with_those_that_it_has(night):
    with pytest.raises(
        ParameterError, match=r"acs\.fits.*dq_bits='~DO_NOT_USE'.*HST ACS WFC has no flag 'DO_NOT_USE'.*HOT"
    ):
        masks(night, dq_bits="~DO_NOT_USE")


def test_an_instrument_without_a_table_wants_numbers(night):
    with pytest.raises(ParameterError, match=r"other\.fits.*no flag 'HOT'; none is known by name: give numbers"):
        masks(night, dq_bits="HOT")


def test_a_member_without_flags_needs_no_names(write_image):
    """There is nothing that they could name."""
    found = masks(write_image("plain.fits"), dq_bits="HOT")
    assert list(found.bad_dq) == [0]
    assert list(found.dq_good) == [""]


def test_flags_given_apart_are_read_by_name_too(write_image):
    path = write_image("a.fits", **JWST)
    flags = np.zeros((40, 60), np.uint32)
    flags[3] = 2048
    s = SkyMatchSession(path, dq={"a.fits": flags}, dq_bits="~HOT", verbose=False)
    assert list(s.mask().bad_dq) == [60]


def test_command_line_script_and_saved_session_keep_names(night, tmp_path, capsys):
    """As text, in one form; the levels are the same."""
    s = SkyMatchSession(night[:2], dq_bits={"ACS": "hot,warm", "*": "~DO_NOT_USE"}, skymethod="localmin", verbose=False)
    levels = s.solve().sky_data
    s.save(tmp_path / "s.json")
    again = SkyMatchSession.open(tmp_path / "s.json")
    assert again.params.dq_bits == {"ACS": "HOT+WARM", "*": "~DO_NOT_USE"}
    assert (again.solve().sky_data == levels).all()
    assert "'HOT+WARM'" in s.to_script()
    assert "ACS=HOT+WARM;*=~DO_NOT_USE" in s.to_command()
    words = ["match", "--skymethod", "localmin", "--dq-bits", "ACS=HOT;*=~DO_NOT_USE", *map(str, night[:2])]
    assert main(words) == 0
    assert "nircam.fits" in capsys.readouterr().out
    assert main(["match", "--dq-bits", "HOTT", str(night[0])]) != 0
    assert "no instrument has a flag 'HOTT'" in capsys.readouterr().err


@pytest.mark.parametrize("bits", ["~DO_NOT_USE+NON_SCIENCE", "HOT+4", "default", 0, {"ACS": "HOT", "*": "default"}])
def test_parameter_file_keeps_names(tmp_path, bits):
    params = SkyMatchParams.checked({"dq_bits": bits})
    params.to_cfg(tmp_path / "p.cfg")
    assert SkyMatchParams.from_cfg(tmp_path / "p.cfg").dq_bits == bits


def test_parameter_file_with_a_list_of_names(tmp_path):
    (tmp_path / "p.cfg").write_text("dq_bits = HOT, WARM\n")
    assert SkyMatchParams.from_cfg(tmp_path / "p.cfg").dq_bits == "HOT+WARM"

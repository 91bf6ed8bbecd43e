"""What is known of instruments: their units where the header names none, and their photometric switches."""

from pathlib import Path

import pytest

from skymatch_nb.io.instruments import HST, default_data_type, holds_science, photometry_done


def card(**cards):
    return cards.get


@pytest.mark.parametrize(
    ("telescope", "instrument", "detector", "expected"),
    [
        ("HST", "ACS", "WFC", "counts"),
        ("HST", "ACS", "HRC", "counts"),
        ("HST", "WFC3", "UVIS", "counts"),
        ("HST", "WFC3", "IR", "rate"),
        ("HST", "STIS", "CCD", "counts"),
        ("HST", "WFPC2", "3", "counts"),
        ("HST", "WFPC", "1", "counts"),
        ("HST", "NICMOS", "2", "rate"),
        ("HST", "COS", "NUV", "rate"),
        ("HST", "FOC", "F/96", "rate"),
        ("HST", "UNKNOWN", "", "rate"),
        ("JWST", "NIRCAM", "NRCA1", "rate"),
        ("JWST", "ACS", "WFC", "rate"),
        ("", "", "", "rate"),
    ],
)
def test_data_type_where_the_header_names_no_unit(telescope, instrument, detector, expected):
    assert default_data_type(telescope, instrument, detector, card()) == expected


@pytest.mark.parametrize(
    ("value", "expected"), [("OMIT", "counts"), ("omit ", "counts"), ("COMPLETE", "rate"), ("PERFORM", "rate")]
)
def test_nicmos_without_unit_correction_has_counts(value, expected):
    assert default_data_type("HST", "NICMOS", "2", card(UNITCORR=value)) == expected


@pytest.mark.parametrize("instrument", HST)
def test_photometry_counts_only_where_its_switch_says_done(instrument):
    facts = HST[instrument]
    assert photometry_done("HST", instrument, card(**{facts.switch: facts.done}))
    assert photometry_done("HST", instrument, card(**{facts.switch: facts.done.lower() + " "}))
    for value in ("PERFORM", "OMIT", "", None, "T"):
        assert not photometry_done("HST", instrument, card(**{facts.switch: value}))
    assert not photometry_done("HST", instrument, card())


def test_photometry_of_other_telescopes_is_used_and_of_an_unknown_hubble_instrument_not():
    assert photometry_done("JWST", "NIRCAM", card())
    assert photometry_done("", "", card())
    assert not photometry_done("HST", "UNKNOWN", card(PHOTCORR="COMPLETE"))


@pytest.mark.parametrize(
    "name",
    ["k_ood_v1.fits", "k_oow_v1.fits.fz", "u_c1f.fits", "u_C1H.FITS.gz", "u.c1h", "y.q0h", "y_q0f.fits", "m_wht.fits"],
)
def test_names_of_quality_and_weight_files(name):
    assert not holds_science(Path(name))


@pytest.mark.parametrize(
    "name", ["k_ooi_v1.fits", "u_c0f.fits", "u.c0h", "y.d0h", "m_drz.fits", "mask.fits", "abc1h.fits"]
)
def test_names_of_images(name):
    assert holds_science(Path(name))

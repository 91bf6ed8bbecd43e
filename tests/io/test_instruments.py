"""What is known of instruments: their units where the header names none, and their photometric switches."""

import pytest

from skymatch_nb.io.instruments import HST, default_data_type, photometry_done


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

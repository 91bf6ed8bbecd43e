"""What texts of data units mean, row by row."""

import numpy as np
import pytest
from astropy import units as u
from hypothesis import given, settings
from hypothesis import strategies as st

from skymatch_nb.errors import UnitsError
from skymatch_nb.io.bunit import classify_unit

COUNTED = [
    # unit, data type, what is counted, and how many (per second)
    ("ELECTRONS", "counts", "electron", 1),
    ("ELECTRON", "counts", "electron", 1),
    (" electron ", "counts", "electron", 1),
    ("e-", "counts", "electron", 1),
    ("E-", "counts", "electron", 1),
    ("e", "counts", "electron", 1),
    ("electron/pix", "counts", "electron", 1),
    ("electrons/pixel", "counts", "electron", 1),
    ("electron/pix2", "counts", "electron", 1),
    ("1000 electron", "counts", "electron", 1000),
    ("COUNTS", "counts", "count", 1),
    ("Counts", "counts", "count", 1),
    ("ct", "counts", "count", 1),
    ("DN", "counts", "DN", 1),
    ("dn", "counts", "DN", 1),
    ("10 DN", "counts", "DN", 10),
    ("adu", "counts", "adu", 1),
    ("ADU", "counts", "adu", 1),
    ("kadu", "counts", "adu", 1000),
    ("photon", "counts", "photon", 1),
    ("ELECTRONS/S", "rate", "electron", 1),
    ("ELECTRON/S", "rate", "electron", 1),
    ("electrons/sec", "rate", "electron", 1),
    ("electrons/second", "rate", "electron", 1),
    ("ELECTRONS / S", "rate", "electron", 1),
    ("electron s-1", "rate", "electron", 1),
    ("ELECTRONS S-1", "rate", "electron", 1),
    ("electron s-1 pix-1", "rate", "electron", 1),
    ("ELECTRONS/S/PIX", "rate", "electron", 1),
    ("e-/s", "rate", "electron", 1),
    ("e- s-1", "rate", "electron", 1),
    ("e/s", "rate", "electron", 1),
    ("1e-3 electron/s", "rate", "electron", 1e-3),
    ("electron/h", "rate", "electron", 1 / 3600),
    ("COUNTS/S", "rate", "count", 1),
    ("counts/sec", "rate", "count", 1),
    ("counts s^-1", "rate", "count", 1),
    ("counts per second", "rate", "count", 1),
    ("counts/sec/pix", "rate", "count", 1),
    ("ct/s", "rate", "count", 1),
    ("ct/ks", "rate", "count", 1e-3),
    ("cps", "rate", "count", 1),
    ("CPS", "rate", "count", 1),
    ("DN/S", "rate", "DN", 1),
    ("dn/sec", "rate", "DN", 1),
    ("DN/min", "rate", "DN", 1 / 60),
    ("adu/S", "rate", "adu", 1),
    ("ADU/sec", "rate", "adu", 1),
    ("ADU s-1", "rate", "adu", 1),
    ("ph/s", "rate", "photon", 1),
]

FLUXES = [
    ("Jy", u.Jy),
    ("mJy", u.mJy),
    ("MJY", u.MJy),
    ("uJy", u.uJy),
    ("Jy/pixel", u.Jy),
    ("10**-6 Jy", u.uJy),
    ("erg/s/cm2/Hz", 1e23 * u.Jy),
    ("ERG/S/CM2/HZ", 1e23 * u.Jy),
    ("erg/s/cm2/A", u.erg / u.s / u.cm**2 / u.AA),
    ("erg/cm2/s/Angstrom", u.erg / u.s / u.cm**2 / u.AA),
    ("W m-2", u.W / u.m**2),
    ("W/m2/um", u.W / u.m**2 / u.um),
    ("photon/s/cm2/AA", u.photon / u.s / u.cm**2 / u.AA),
    ("nanomaggy", 3.631e-6 * u.Jy),
    ("nanomaggies", 3.631e-6 * u.Jy),
    ("nMgy", 3.631e-6 * u.Jy),
    ("maggy", 3631 * u.Jy),
    ("mgy", 3631 * u.Jy),
]

BRIGHTNESS = [
    ("MJy/sr", u.MJy / u.sr),
    ("MJY/SR", u.MJy / u.sr),
    ("MJy sr-1", u.MJy / u.sr),
    ("kJy/sr", u.kJy / u.sr),
    ("mJy/arcsec2", u.mJy / u.arcsec**2),
    ("mJy/arcsec**2", u.mJy / u.arcsec**2),
    ("mJy arcsec-2", u.mJy / u.arcsec**2),
    ("Jy/deg2", u.Jy / u.deg**2),
    ("nmgy/arcsec2", 3.631e-6 * u.Jy / u.arcsec**2),
    ("erg/s/cm2/Hz/sr", u.erg / u.s / u.cm**2 / u.Hz / u.sr),
    ("erg/s/cm2/A/arcsec2", u.erg / u.s / u.cm**2 / u.AA / u.arcsec**2),
    ("W/m2/sr", u.W / u.m**2 / u.sr),
    ("electron/s/arcsec2", u.electron / u.s / u.arcsec**2),
    ("electron/s/arcsec^2", u.electron / u.s / u.arcsec**2),
    ("DN/s/arcsec2", u.DN / u.s / u.arcsec**2),
]

LOGARITHMIC = [
    "mag", "MAG", "mags", "mmag", "magnitude", "ABmag", "AB mag", "STmag", "Vega mag", "mag(AB)",
    "mag(ct/s)", "mag/arcsec2", "mag arcsec-2", "MAG/ARCSEC2", "dex", "dex(cm/s2)", "dB", "log10 DN", "log(electron)",
]  # fmt: skip

SQUARES = ["electron2", "ELECTRONS**2", "electron2/s2", "DN^2", "DN2/s2", "Jy2", "MJy2/sr2", "(MJy/sr)^2", "(DN/s)**2"]


@pytest.mark.parametrize(("text", "kind", "counted", "scale"), COUNTED)
def test_counts_and_rates(text, kind, counted, scale):
    found = classify_unit(text)
    assert (found.data_type, found.counted, found.doubt) == (kind, counted, "")
    assert found.scale == pytest.approx(scale, rel=1e-14)
    assert found.brightness is found.flux is None


@pytest.mark.parametrize(("text", "unit"), FLUXES)
def test_fluxes_are_rates_with_their_unit(text, unit):
    found = classify_unit(text)
    assert (found.data_type, found.counted, found.brightness, found.doubt) == ("rate", "", None, "")
    assert found.flux.to(unit) == pytest.approx(1)


@pytest.mark.parametrize(("text", "unit"), BRIGHTNESS)
def test_surface_brightness_comes_with_its_unit(text, unit):
    found = classify_unit(text)
    assert (found.data_type, found.counted, found.flux, found.doubt) == ("brightness", "", None, "")
    assert found.brightness.to(unit) == pytest.approx(1)


@pytest.mark.parametrize("text", ["MJy/sr/s", "sr-1", "K/arcsec2"])
def test_what_else_is_per_solid_angle_is_a_doubtful_brightness(text):
    found = classify_unit(text)
    assert (found.data_type, found.brightness) == ("brightness", u.Unit(text))
    assert found.doubt == f"unit {text!r} is of no kind that is known: taken as a surface brightness"


@pytest.mark.parametrize(
    "text", ["rubbish/s", "foo/bar", "Jy/beam", "Jy/s", "DN/frame", "things per second", "s-1", "K s-1"]
)
def test_what_is_not_known_and_divides_is_unknown(text):
    found = classify_unit(text)
    assert (found.data_type, found.doubt) == ("unknown", f"unit {text!r} is not known: taken as a rate")


@pytest.mark.parametrize("text", ["rubbish", "UNITLESS", "two words", "!?", "K", "electron.s", "image", "-2 electron"])
def test_what_is_not_known_and_does_not_divide_is_counts(text):
    found = classify_unit(text)
    assert (found.data_type, found.scale, found.counted) == ("counts", 1, "")
    assert found.doubt == f"unit {text!r} is not known: taken as counts, as it has no '/'"


@pytest.mark.parametrize("text", LOGARITHMIC)
def test_logarithmic_units_are_an_error(text):
    with pytest.raises(UnitsError, match="is logarithmic: sky levels need linear pixels"):
        classify_unit(text)


@pytest.mark.parametrize("text", SQUARES)
def test_units_of_variances_are_an_error(text):
    with pytest.raises(UnitsError, match="is a square, as of variances"):
        classify_unit(text)


@settings(max_examples=200, deadline=None)
@given(text=st.text(st.sampled_from("eElLcCtTrRoOnNsSuUaAdDmMjJyYgG/-+*^129.() "), max_size=20))
def test_any_text_is_given_a_type_or_refused(text):
    try:
        found = classify_unit(text)
    except UnitsError:
        return
    assert found.data_type in ("counts", "rate", "brightness", "unknown")
    assert (found.brightness is None) == (found.data_type != "brightness")
    assert 0 < found.scale < np.inf

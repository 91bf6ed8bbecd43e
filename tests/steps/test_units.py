"""What data units are taken for, and the brightness that one data unit is."""

from itertools import count

import numpy as np
import pytest
from astropy import units as u
from astropy.io import fits
from astropy.wcs import WCS

from skymatch_nb.errors import UnitsError
from skymatch_nb.executor import Work
from skymatch_nb.io.inputs import resolve_inputs
from skymatch_nb.params import SkyMatchParams
from skymatch_nb.steps.load import load
from skymatch_nb.steps.units import units

pytestmark = pytest.mark.filterwarnings("ignore::astropy.units.UnitsWarning")


@pytest.fixture
def units_of(tmp_path):
    """Write one image per mapping of header cards and return the result of the step.

    Cards of the primary header are prefixed with ``primary_``; the pixel scale is 2 arcsec.
    """
    numbers = count()

    def run(*images, **params):
        paths = []
        for cards in images:
            wcs = WCS(naxis=2)
            wcs.wcs.ctype, wcs.wcs.crval = ("RA---TAN", "DEC--TAN"), (10.0, 20.0)
            wcs.wcs.crpix, wcs.wcs.cdelt = (4.5, 4.5), (-2 / 3600, 2 / 3600)
            hdu = fits.ImageHDU(np.zeros((8, 8), np.float32), wcs.to_header(), name="SCI")
            primary = fits.PrimaryHDU()
            for name, value in cards.items():
                header = primary.header if name.startswith("primary_") else hdu.header
                header[name.removeprefix("primary_")] = value
            paths.append(tmp_path / f"image{next(numbers)}.fits")
            fits.HDUList([primary, hdu]).writeto(paths[-1])
        loaded = load("", resolve_inputs(paths), Work())
        return units("key", loaded, SkyMatchParams(**params), Work())

    return run


def hubble(instrument, detector="", **cards):
    named = {"primary_TELESCOP": "HST", "primary_INSTRUME": instrument, "primary_DETECTOR": detector}
    needed_by_stwcs = (
        {"primary_CAMERA": 2, "DETECTOR": 3, "primary_MODE": "FULL"} if instrument in ("NICMOS", "WFPC2") else {}
    )
    return named | needed_by_stwcs | {"EXPTIME": 50.0} | cards


class TestFactor:
    def test_counts_are_divided_by_time_and_area(self, units_of):
        result = units_of({"BUNIT": "ELECTRONS", "EXPTIME": 50.0})
        assert result.data_type == ("counts",)
        assert result.factor[0] == pytest.approx(1 / (2**2 * 50))
        assert (result.exptime[0], result.inv_sensitivity[0]) == (50.0, 1.0)
        assert result.pixel_scale[0] == pytest.approx(2.0)
        assert result.unit == "electron / (s arcsec2)"
        assert result.notes == ()

    @pytest.mark.parametrize("unit", ["ELECTRONS/S", "DN/s", "Jy"])
    def test_rates_are_divided_by_area_alone(self, units_of, unit):
        result = units_of({"BUNIT": unit, "EXPTIME": 50.0})
        assert result.data_type == ("rate",)
        assert result.factor[0] == pytest.approx(1 / 2**2)
        assert result.exptime[0] == 50.0

    def test_counts_and_rates_may_be_mixed(self, units_of):
        result = units_of(
            {"BUNIT": "ELECTRONS", "EXPTIME": 50.0},
            {"BUNIT": "ELECTRONS/S", "EXPTIME": 10.0},
            {"BUNIT": "electron", "EXPTIME": 5.0},
        )
        assert result.data_type == ("counts", "rate", "counts")
        np.testing.assert_allclose(result.factor, np.array([1 / 50, 1, 1 / 5]) / 4)
        assert result.unit == "electron / (s arcsec2)"

    def test_the_declared_pixel_scale_is_used(self, units_of):
        result = units_of({"BUNIT": "ELECTRONS/S", "IDCSCALE": 0.5})
        assert result.factor[0] == pytest.approx(4.0)

    def test_the_result_has_the_key_it_was_made_for(self, units_of):
        assert units_of({"BUNIT": "DN"}).key == "key"


class TestUnitKeyword:
    def test_the_extension_comes_before_the_primary_header(self, units_of):
        result = units_of({"BUNIT": "ELECTRONS/S", "primary_BUNIT": "ELECTRONS"}, {"primary_BUNIT": "ELECTRONS/S"})
        assert result.data_type == ("rate", "rate")
        assert result.data_unit == ("ELECTRONS/S", "ELECTRONS/S")

    def test_a_blank_unit_in_the_extension_is_none(self, units_of):
        assert units_of({"BUNIT": " ", "primary_BUNIT": "DN"}).data_unit == ("DN",)

    def test_another_keyword(self, units_of):
        result = units_of({"BUNIT": "ELECTRONS", "MYUNIT": "DN/S"}, units_kwd="MYUNIT")
        assert (result.data_type, result.data_unit) == (("rate",), ("DN/S",))

    @pytest.mark.parametrize(
        ("instrument", "detector", "expected"),
        [
            ("ACS", "WFC", "counts"),
            ("WFC3", "UVIS", "counts"),
            ("WFC3", "IR", "rate"),
            ("NICMOS", "2", "rate"),
            ("STIS", "CCD", "counts"),
            ("WFPC2", "3", "counts"),
            ("COS", "NUV", "rate"),
        ],
    )
    def test_without_a_unit_a_hubble_instruments_own_is_taken(self, units_of, instrument, detector, expected):
        result = units_of(hubble(instrument, detector))
        assert result.data_type == (expected,)
        assert result.factor[0] == pytest.approx(1 / 200 if expected == "counts" else 1 / 4)
        assert any(f"no unit in BUNIT: taken as {expected} (image0.fits)" in note for note in result.notes)

    def test_nicmos_without_unit_correction_has_counts(self, units_of):
        assert units_of(hubble("NICMOS", "1", primary_UNITCORR="OMIT")).data_type == ("counts",)

    def test_without_a_unit_others_have_rates(self, units_of):
        result = units_of({"EXPTIME": 50.0})
        assert result.data_type == ("rate",)
        assert "no unit in BUNIT" in result.notes[0]

    def test_an_unknown_unit_is_a_rate_with_a_note(self, units_of):
        result = units_of({"BUNIT": "widgets/s", "EXPTIME": 50.0})
        assert result.data_type == ("unknown",)
        assert result.factor[0] == pytest.approx(1 / 4)
        assert "unit 'widgets/s' is not known: taken as a rate (image0.fits)" in result.notes


class TestExposureTime:
    @pytest.mark.parametrize(
        ("cards", "shown"),
        [
            ({}, "missing"),
            ({"EXPTIME": 0.0}, "0"),
            ({"EXPTIME": -3.0}, "-3"),
            ({"EXPTIME": "long"}, "missing"),
            ({"EXPTIME": True}, "missing"),
        ],
    )
    def test_counts_without_a_positive_time_are_taken_for_one_second(self, units_of, cards, shown):
        result = units_of({"BUNIT": "ELECTRONS"} | cards)
        assert result.factor[0] == pytest.approx(1 / 4)
        assert f"counts without a positive EXPTIME (it is {shown}): taken as 1 s (image0.fits)" in result.notes

    def test_rates_need_none(self, units_of):
        result = units_of({"BUNIT": "ELECTRONS/S"})
        assert np.isnan(result.exptime[0])
        assert result.notes == ()

    @pytest.mark.parametrize(
        ("cards", "expected"),
        [
            ({"primary_EXPTIME": 20.0}, 20.0),
            ({"EXPTIME": 30.0}, 30.0),
            ({"primary_EXPTIME": 20.0, "EXPTIME": 30.0}, 20.0),
        ],
    )
    def test_the_primary_header_comes_before_the_extension(self, units_of, cards, expected):
        result = units_of({"BUNIT": "DN"} | cards)
        assert result.exptime[0] == expected
        assert result.factor[0] == pytest.approx(1 / 4 / expected)

    @pytest.mark.parametrize("useless", [0.0, -1.0])
    def test_a_positive_time_of_the_extension_is_used_where_the_primary_has_none(self, units_of, useless):
        result = units_of({"BUNIT": "DN", "primary_EXPTIME": useless, "EXPTIME": 30.0})
        assert result.factor[0] == pytest.approx(1 / 4 / 30)

    def test_one_note_lists_the_files_it_is_true_of(self, units_of):
        result = units_of({"BUNIT": "DN"}, {"BUNIT": "DN", "EXPTIME": 5.0}, {"BUNIT": "DN"})
        (note,) = result.notes
        assert note.endswith("(image0.fits, image2.fits)")


class TestInverseSensitivity:
    @pytest.mark.parametrize(
        ("instrument", "switch"),
        [
            ("ACS", {"PHOTCORR": "COMPLETE"}),
            ("WFC3", {"PHOTCORR": "COMPLETE"}),
            ("WFPC2", {"DOPHOTOM": "COMPLETE"}),
            ("NICMOS", {"PHOTDONE": "PERFORMED"}),
            ("FOC", {"WAVCORR": "COMPLETE"}),
        ],
    )
    def test_is_used_for_hubble_where_the_correction_was_done(self, units_of, instrument, switch):
        done = hubble(instrument, BUNIT="ELECTRONS/S", PHOTFLAM=3e-19, **{f"primary_{k}": v for k, v in switch.items()})
        result = units_of(done, invsens_kwd="PHOTFLAM")
        assert result.inv_sensitivity[0] == 3e-19
        assert result.factor[0] == pytest.approx(3e-19 / 4, rel=1e-12)
        assert result.unit == "PHOTFLAM electron / (s arcsec2)"
        assert result.notes == ()

    @pytest.mark.parametrize("switch", [{}, {"primary_PHOTCORR": "OMIT"}, {"primary_DOPHOTOM": "COMPLETE"}])
    def test_is_not_used_for_hubble_elsewhere(self, units_of, switch):
        """Nor with another instrument's switch; it says so."""
        result = units_of(hubble("ACS", BUNIT="ELECTRONS/S", PHOTFLAM=3e-19, **switch), invsens_kwd="PHOTFLAM")
        assert (result.inv_sensitivity[0], result.factor[0]) == (1.0, pytest.approx(1 / 4))
        assert "PHOTFLAM is not used: the header does not say" in result.notes[0]

    @pytest.mark.parametrize("cards", [{"PHOTFLAM": 5.0}, {"primary_PHOTFLAM": 5.0}])
    def test_is_used_for_others_without_a_switch(self, units_of, cards):
        result = units_of({"BUNIT": "DN", "EXPTIME": 10.0} | cards, invsens_kwd="PHOTFLAM")
        assert result.factor[0] == pytest.approx(5 / 4 / 10)

    def test_the_extension_comes_before_the_primary_header(self, units_of):
        result = units_of({"BUNIT": "DN/s", "GAIN": 2.0, "primary_GAIN": 3.0}, invsens_kwd="GAIN")
        assert result.inv_sensitivity[0] == 2.0

    @pytest.mark.parametrize(
        ("cards", "shown"),
        [({}, "missing"), ({"PHOTFLAM": 0.0}, "0"), ({"PHOTFLAM": -1.0}, "-1"), ({"PHOTFLAM": "x"}, "missing")],
    )
    def test_without_a_positive_value_it_is_1(self, units_of, cards, shown):
        result = units_of({"BUNIT": "DN/s"} | cards, invsens_kwd="PHOTFLAM")
        assert result.inv_sensitivity[0] == 1.0
        assert result.notes == (f"PHOTFLAM is {shown}: taken as 1 (image0.fits)",)

    def test_is_not_used_unless_asked_for(self, units_of):
        assert units_of({"BUNIT": "DN/s", "PHOTFLAM": 5.0}).inv_sensitivity[0] == 1.0

    def test_is_not_used_for_surface_brightness(self, units_of):
        result = units_of({"BUNIT": "MJy/sr", "PHOTFLAM": 5.0}, invsens_kwd="PHOTFLAM")
        assert (result.inv_sensitivity[0], result.factor[0]) == (1.0, 1.0)
        assert "PHOTFLAM is not used: the data are surface brightness" in result.notes[0]


class TestSurfaceBrightness:
    @pytest.mark.parametrize("unit", ["MJy/sr", "mJy/arcsec2", "electron/s/arcsec2"])
    def test_is_taken_as_it_is(self, units_of, unit):
        """Neither the exposure time nor the pixel scale matter."""
        result = units_of({"BUNIT": unit, "EXPTIME": 50.0}, {"BUNIT": unit, "EXPTIME": 0.0})
        assert result.data_type == ("brightness",) * 2
        assert result.factor.tolist() == [1.0, 1.0]
        assert u.Unit(result.unit) == u.Unit(unit)
        assert result.notes == ()

    def test_units_of_one_kind_are_converted(self, units_of):
        result = units_of({"BUNIT": "MJy/sr"}, {"BUNIT": "kJy/sr"}, {"BUNIT": "mJy/arcsec2"})
        per_square_arcsec = (180 * 3600 / np.pi) ** 2
        np.testing.assert_allclose(result.factor, [1, 1e-3, 1e-9 * per_square_arcsec])
        assert u.Unit(result.unit) == u.MJy / u.sr

    def test_units_of_different_kinds_are_an_error_that_lists_files(self, units_of):
        with pytest.raises(UnitsError) as error:
            units_of({"BUNIT": "MJy/sr"}, {"BUNIT": "W/m2/sr"}, {"BUNIT": "MJy/sr"})
        text = str(error.value)
        assert "MJy/sr: image0.fits, image2.fits" in text
        assert "W/m2/sr: image1.fits" in text
        assert "\n" not in text

    @pytest.mark.parametrize("other", ["ELECTRONS", "ELECTRONS/S", "widgets/s"])
    def test_cannot_be_mixed_with_counts_or_rates(self, units_of, other):
        with pytest.raises(UnitsError) as error:
            units_of({"BUNIT": "MJy/sr"}, {"BUNIT": other}, {"BUNIT": "MJy/sr"}, {"BUNIT": other})
        assert str(error.value) == (
            "surface brightness cannot be matched with counts or rates: "
            f"image0.fits, image2.fits (MJy/sr) against image1.fits, image3.fits ({other})"
        )

    def test_long_lists_of_files_are_shortened(self, units_of):
        with pytest.raises(UnitsError, match=r"image4\.fits and 3 more \(MJy/sr\) against image8\.fits \(DN\)$"):
            units_of(*[{"BUNIT": "MJy/sr"}] * 8, {"BUNIT": "DN"})


class TestScale:
    @pytest.mark.parametrize(
        ("unit", "number", "plain"),
        [
            ("1000 electron", 1000, "electron"),
            ("kadu", 1000, "adu"),
            ("1e-3 electron/s", 1e-3, "electron/s"),
            ("DN/min", 1 / 60, "DN/s"),
            ("electron/h", 1 / 3600, "electron/s"),
        ],
    )
    def test_a_number_or_another_time_in_the_unit_counts(self, units_of, unit, number, plain):
        one, other = ({"BUNIT": text, "EXPTIME": 50.0} for text in (unit, plain))
        result = units_of(one, other)
        assert result.factor[0] == pytest.approx(number * result.factor[1], rel=1e-12)
        assert result.unit.startswith(plain.split("/")[0] + " / (s")
        assert result.notes == ()

    def test_a_number_in_a_flux_or_brightness_counts(self, units_of):
        result = units_of({"BUNIT": "10**-6 Jy"}, {"BUNIT": "Jy"})
        np.testing.assert_allclose(result.factor, [1e-6 / 4, 1 / 4])
        result = units_of({"BUNIT": "10**-6 Jy/sr"}, {"BUNIT": "Jy/sr"})
        np.testing.assert_allclose(result.factor, [1e-6, 1])
        assert (result.unit, u.Unit(result.unit)) == ("Jy / sr", u.Jy / u.sr)


class TestFlux:
    @pytest.mark.parametrize("unit", ["erg/s/cm2/Angstrom", "W/m2", "nanomaggy", "mJy/pixel"])
    def test_is_a_rate_whatever_the_exposure_time(self, units_of, unit):
        result = units_of({"BUNIT": unit, "EXPTIME": 50.0})
        assert (result.data_type, result.factor[0]) == (("rate",), pytest.approx(1 / 4))

    def test_maggies_are_janskys(self, units_of):
        result = units_of({"BUNIT": "Jy"}, {"BUNIT": "nanomaggy"}, {"BUNIT": "maggy"})
        np.testing.assert_allclose(result.factor * 4, [1, 3.631e-6, 3631])

    def test_fluxes_of_different_kinds_are_an_error_that_lists_files(self, units_of):
        with pytest.raises(UnitsError, match=r"^fluxes cannot .* Jy: image0.fits; W/m2: image1.fits$"):
            units_of({"BUNIT": "Jy"}, {"BUNIT": "W/m2"})

    def test_the_inverse_sensitivity_is_not_used(self, units_of):
        result = units_of({"BUNIT": "Jy", "PHOTFLAM": 5.0}, invsens_kwd="PHOTFLAM")
        assert result.inv_sensitivity[0] == 1
        assert "PHOTFLAM is not used: the data are a flux" in result.notes[0]


class TestDoubt:
    def test_brightness_of_no_known_kind_is_noted(self, units_of):
        result = units_of({"BUNIT": "MJy/sr/s"})
        assert (result.data_type, result.factor[0]) == (("brightness",), 1)
        assert "'MJy/sr/s' is of no kind that is known: taken as a surface brightness (image0.fits)" in result.notes[0]

    @pytest.mark.parametrize("unit", ["ABmag", "mag/arcsec2", "electron2"])
    def test_units_in_which_levels_mean_nothing_name_file_and_keyword(self, units_of, unit):
        with pytest.raises(UnitsError, match=rf"^image0\.fits\[SCI,1\]: BUNIT: unit '{unit}' is "):
            units_of({"BUNIT": unit})

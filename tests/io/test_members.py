"""Which extensions of a FITS file are images to match, and what is said of files that have none."""

import bz2
import gzip

import numpy as np
import pytest
from astropy.io import fits

from skymatch_nb.errors import InputError
from skymatch_nb.io.instruments import NOT_SCIENCE


def labels(members):
    return [member.ext for member in members]


@pytest.fixture
def refused(members_of):
    """The text of the error that opening a file gives, which must be one line."""

    def check(path, *extensions):
        with pytest.raises(InputError) as error:
            members_of(path, *extensions)
        text = str(error.value)
        assert "\n" not in text
        assert path.name in text
        return text

    return check


class TestChoice:
    def test_every_sci_extension_in_file_order(self, write, image, members_of):
        hdus = [image("SCI", 2), image("ERR", 1), image("SCI", 1), image("OTHER", 1)]
        members = members_of(write("a.fits", hdus))
        assert labels(members) == ["SCI,2", "SCI,1"]
        assert [m.pixels.hdu for m in members] == [1, 3]
        assert {m.selected_by for m in members} == {"SCI"}
        assert [m.name for m in members] == ["a.fits[SCI,2]", "a.fits[SCI,1]"]
        assert {(m.file, m.group) for m in members} == {("a.fits", "a.fits")}

    def test_sci_extensions_before_a_primary_image(self, write, image, celestial, members_of):
        path = write("a.fits", [fits.PrimaryHDU(np.zeros((30, 40)), celestial), image("SCI")])
        assert labels(members_of(path)) == ["SCI,1"]

    def test_the_primary_image_before_other_extensions(self, write, image, celestial, members_of):
        path = write("a.fits", [fits.PrimaryHDU(np.zeros((30, 40)), celestial), image("IMAGE")])
        (member,) = members_of(path)
        assert (member.ext, member.selected_by, member.name) == ("0", "primary", "a.fits[0]")
        assert member.shape == (30, 40)

    def test_else_every_image_that_is_no_quality_error_or_weight(self, write, image, members_of):
        auxiliary = [image(name) for name in sorted(NOT_SCIENCE)]
        path = write("a.fits", [*auxiliary, image("CCD1"), image("CCD2"), image("", 1), fits.BinTableHDU(name="T")])
        members = members_of(path)
        count = len(auxiliary)
        assert labels(members) == ["CCD1,1", "CCD2,1", str(count + 3)]
        assert {m.selected_by for m in members} == {"every image"}

    @pytest.mark.parametrize("name", ["DQ", "ERR", "WHT", "CTX", "VAR_POISSON", "WEIGHT", "MASK"])
    def test_names_that_are_no_science(self, name):
        assert name in NOT_SCIENCE

    @pytest.mark.parametrize(
        ("given", "expected"),
        [
            (("1",), ["SCI,1"]),
            (("2", "sci,2"), ["ERR,1", "SCI,2"]),
            (("err",), ["ERR,1"]),
            (("SCI,2", "SCI,1"), ["SCI,2", "SCI,1"]),
        ],
    )
    def test_given_extensions_are_taken_whatever_they_are_called(self, write, image, members_of, given, expected):
        members = members_of(write("a.fits", [image("SCI", 1), image("ERR", 1), image("SCI", 2)]), *given)
        assert labels(members) == expected
        assert {m.selected_by for m in members} == {"given"}

    def test_an_extension_given_twice_is_one_member(self, write, image, members_of):
        assert labels(members_of(write("a.fits", [image("SCI")]), "1", "sci,1")) == ["SCI,1"]


class TestQuality:
    def test_the_dq_array_of_the_same_version(self, write, image, members_of):
        flags = np.zeros((30, 40), np.int16)
        hdus = [image("SCI", 2), image("DQ", 1, flags), image("DQ", 2, flags), image("SCI", 1), image("SCI", 3)]
        members = members_of(write("a.fits", hdus))
        assert [m.quality and m.quality.hdu for m in members] == [3, 2, None]

    def test_also_for_a_given_sci_extension(self, write, image, members_of):
        path = write("a.fits", [image("SCI"), image("DQ", 1, np.zeros((30, 40), np.int16)), image("IMAGE")])
        assert members_of(path, "1")[0].quality.hdu == 2
        assert members_of(path, "image")[0].quality is None

    def test_a_dq_extension_without_data_is_none(self, write, image, members_of):
        path = write("a.fits", [image("SCI"), fits.ImageHDU(name="DQ")])
        assert members_of(path)[0].quality is None


class TestDescription:
    def test_the_extension_comes_before_the_primary_header(self, write, image, members_of):
        hdu = image("SCI", DETECTOR="CHIP B", FILTER="r")
        path = write("a.fits", [hdu], TELESCOP="T1", INSTRUME="CAM", DETECTOR="ALL", **{"DATE-OBS": "2020-01-02"})
        (member,) = members_of(path)
        assert (member.telescope, member.instrument, member.detector) == ("T1", "CAM", "CHIP B")
        assert (member.filter, member.date_obs) == ("r", "2020-01-02")

    @pytest.mark.parametrize(
        ("wheels", "expected"),
        [
            (("F606W", "CLEAR2L"), "F606W"),
            (("CLEAR1L", "F814W"), "F814W"),
            (("F606W", "POL0V"), "F606W,POL0V"),
            (("CLEAR1S", "CLEAR2S"), ""),
        ],
    )
    def test_filter_wheels(self, write, image, members_of, wheels, expected):
        path = write("a.fits", [image()], FILTER1=wheels[0], FILTER2=wheels[1])
        assert members_of(path)[0].filter == expected

    def test_absent_cards_are_empty(self, write, image, members_of):
        (member,) = members_of(write("a.fits", [image()]))
        described = (member.telescope, member.instrument, member.detector, member.filter)
        assert described == ("",) * 4


class TestUnusable:
    def test_no_image(self, write, refused):
        text = refused(write("a.fits", [fits.BinTableHDU(name="EVENTS")]))
        assert "no image that can be used" in text
        assert "EVENTS" in text

    def test_only_auxiliary_images(self, write, image, refused):
        assert "no image that can be used" in refused(write("a.fits", [image("ERR"), image("DQ")]))

    @pytest.mark.parametrize("shape", [(50,), (3, 30, 40)])
    def test_data_of_other_dimensions(self, write, image, celestial, refused, shape):
        data, dimensions = np.zeros(shape, np.float32), len(shape)
        primary = refused(write("primary.fits", [fits.PrimaryHDU(data, celestial)]))
        assert f"primary.fits[0]: {dimensions}-D data where a 2-D image is needed" in primary
        assert f"sci.fits[SCI,1]: {dimensions}-D data" in refused(write("sci.fits", [image("SCI", data=data)]))
        named = write("named.fits", [image("CUBE", data=data)])
        assert f"CUBE, {dimensions}-D" in refused(named)
        assert f"named.fits[CUBE,1]: {dimensions}-D data" in refused(named, "cube")

    def test_an_extension_without_data(self, write, image, refused):
        path = write("a.fits", [fits.ImageHDU(name="SCI"), image("SCI", 2)])
        assert "a.fits[SCI,1]: 0-D data" in refused(path)
        assert "a.fits[0]: 0-D data" in refused(path, "0")

    @pytest.mark.parametrize("given", ["SCI,2", "7", "DQ,1"])
    def test_a_missing_extension(self, write, image, refused, given):
        text = refused(write("a.fits", [image("SCI", 1), image("ERR", 3)]), given)
        assert f"a.fits[{given}]: no such extension (it has 0, SCI,1, ERR,3)" in text

    @pytest.mark.parametrize("given", ["2", "events"])
    def test_a_table(self, write, image, refused, given):
        path = write("a.fits", [image("SCI"), fits.BinTableHDU(name="EVENTS")])
        assert "a.fits[EVENTS,1]: not an image but a BinTableHDU" in refused(path, given)


class TestWcsErrors:
    @pytest.mark.parametrize(
        ("cards", "text"),
        [
            ({"CTYPE1": "WAVE", "CUNIT1": "m"}, "no celestial WCS (CTYPE = WAVE, DEC--TAN"),
            ({"CTYPE1": "WAVE", "CTYPE2": "LINEAR", "CUNIT1": "m", "CUNIT2": "m"}, "no celestial WCS (CTYPE"),
            ({"CTYPE1": "RA---TAN", "CTYPE2": "DEC--SIN"}, "Inconsistent projection types"),
            ({"CDELT1": 0.0}, "singular"),
        ],
    )
    def test_a_wcs_that_cannot_be_used(self, write, image, refused, cards, text):
        found = refused(write("a.fits", [image("SCI", 3, **cards)]))
        assert "a.fits[SCI,3]: " in found
        assert text in found

    def test_no_wcs(self, write, refused):
        path = write("a.fits", [fits.PrimaryHDU(np.zeros((30, 40)))])
        assert "a.fits[0]: no celestial WCS (CTYPE = none, none; " in refused(path)

    def test_a_third_wcs_axis_without_pixels_is_ignored(self, write, image, members_of):
        cards = {"WCSAXES": 3, "CTYPE3": "FREQ", "CRVAL3": 1e9, "CDELT3": 1e6, "CRPIX3": 1.0}
        assert labels(members_of(write("a.fits", [image("SCI", 1, **cards)]))) == ["SCI,1"]


class TestDamaged:
    def test_empty(self, tmp_path, refused):
        (tmp_path / "odd.fits").write_bytes(b"")
        assert "odd.fits: the file is empty" in refused(tmp_path / "odd.fits")

    @pytest.mark.parametrize(
        "content", [b"plain text\n" * 1000, b"\0" * 10000, b"\x93NUMPY" * 500], ids=["text", "0", "npy"]
    )
    def test_not_fits(self, tmp_path, refused, content):
        path = tmp_path / "odd.fits"
        path.write_bytes(content)
        assert "odd.fits: not a FITS file" in refused(path)

    @pytest.mark.parametrize(
        "content", [gzip.compress(b"text" * 1000, mtime=0), bz2.compress(b"text" * 1000), b"\x1f\x8b" * 99]
    )
    def test_compressed_but_not_fits(self, tmp_path, refused, content):
        path = tmp_path / "odd.fits.gz"
        path.write_bytes(content)
        assert "cannot be read" in refused(path)

    @pytest.mark.parametrize("missing", [1, 1500, 4000, 6500, 12000])
    def test_truncated(self, write, image, refused, missing):
        """Wherever the file ends: in its padding, the last image, that one's header, or the image before."""
        path = write("short.fits", [image("SCI", 1), image("SCI", 2)])
        path.write_bytes(path.read_bytes()[:-missing])
        assert "truncated" in refused(path)

    def test_gone(self, tmp_path, refused):
        assert "No such file" in refused(tmp_path / "gone.fits")

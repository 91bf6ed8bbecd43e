"""Pixels, flags and cards as they are read, against astropy."""

import gzip
import mmap
import os

import numpy as np
import pytest
from astropy.io import fits

from skymatch_nb.core.runs import to_runs
from skymatch_nb.errors import InputError
from skymatch_nb.io.pixels import bad_pixels, good_mask, good_pixels, read_cards, read_flags, read_pixels
from skymatch_nb.results import Masks, MemoryImage

DATA = np.random.default_rng(4).normal(100, 30, (30, 40))


def memory_map_behind(array):
    """The mmap that an array looks into, None where it has memory of its own."""
    while isinstance(array, np.ndarray):
        array = array.base
    return array.obj if isinstance(array, memoryview) else array


def assert_same_as_astropy(found, path, extension):
    expected = fits.getdata(path, extension)
    np.testing.assert_array_equal(found, expected)
    assert found.dtype.newbyteorder("=") == expected.dtype.newbyteorder("=")


def test_images_can_be_read_instead_of_mapped(write, image, members_of):
    """A file that is cut or replaced afterwards cannot harm what was read."""
    path = write("a.fits", [image(data=DATA.astype(">f4"))])
    (member,) = members_of(path)
    found = read_pixels(member.pixels, mapped=False)
    os.truncate(path, 100)
    assert not isinstance(memory_map_behind(found), mmap.mmap)
    np.testing.assert_array_equal(found, DATA.astype(">f4"))


class TestPlainImages:
    @pytest.mark.parametrize("dtype", [">f4", ">i2", "u1", ">i4", ">f8", ">i8"])
    @pytest.mark.parametrize("primary", [True, False])
    def test_are_mapped_into_memory_and_equal_astropys(self, write, image, celestial, members_of, dtype, primary):
        data = DATA.astype(dtype)
        hdus = [fits.PrimaryHDU(data, celestial)] if primary else [image("ERR"), image("SCI", data=data)]
        path = write("a.fits", hdus)
        (member,) = members_of(path)
        found = read_pixels(member.pixels)
        assert_same_as_astropy(found, path, member.pixels.hdu)
        assert member.pixels.offset is not None
        assert isinstance(memory_map_behind(found), mmap.mmap)

    def test_cannot_be_written_to(self, write, image, members_of):
        path = write("a.fits", [image(data=DATA)])
        before = path.read_bytes()
        found = read_pixels(members_of(path)[0].pixels)
        assert not found.flags.writeable
        with pytest.raises(ValueError, match="read-only"):
            found[0, 0] = 1
        assert path.read_bytes() == before

    def test_not_a_number_and_infinity_are_kept(self, write, image, members_of):
        data = DATA.astype(np.float32)
        data[0, :3] = np.nan, np.inf, -np.inf
        path = write("a.fits", [image(data=data)])
        np.testing.assert_array_equal(read_pixels(members_of(path)[0].pixels), data)

    def test_needs_no_write_permission(self, write, image, members_of):
        path = write("a.fits", [image(data=DATA)])
        path.chmod(0o444)
        np.testing.assert_array_equal(read_pixels(members_of(path)[0].pixels), DATA)


class TestScaledImages:
    @pytest.mark.parametrize("dtype", ["u2", "u4", "i1"])
    def test_unsigned_integers(self, write, image, members_of, dtype):
        """Stored with BZERO."""
        path = write("a.fits", [image(data=DATA.clip(0, 120).astype(dtype))])
        (member,) = members_of(path)
        assert member.pixels.offset is None
        assert_same_as_astropy(read_pixels(member.pixels), path, 1)

    def test_bscale_and_bzero(self, write, image, members_of):
        hdu = image(data=np.rint(DATA))
        hdu.scale("int16", bscale=0.5, bzero=100)
        path = write("a.fits", [hdu])
        assert_same_as_astropy(read_pixels(members_of(path)[0].pixels), path, 1)

    def test_blank_becomes_not_a_number(self, write, image, members_of):
        data = DATA.astype(np.int16)
        data[3, 4:7] = -32768
        path = write("a.fits", [image(data=data, BLANK=-32768)])
        found = read_pixels(members_of(path)[0].pixels)
        assert np.argwhere(np.isnan(found)).tolist() == [[3, 4], [3, 5], [3, 6]]
        kept = data != -32768
        np.testing.assert_array_equal(found[kept], data[kept])

    def test_unsigned_flags(self, write, image, members_of):
        """As unsigned 32-bit quality arrays are stored."""
        flags = np.arange(1200, dtype=np.uint32).reshape(30, 40) * 2**20
        path = write("a.fits", [image(), image("DQ", data=flags)])
        np.testing.assert_array_equal(read_flags(members_of(path)[0].quality), flags)


class TestCompressedFiles:
    @pytest.mark.parametrize("suffix", ["gz", "bz2"])
    @pytest.mark.parametrize("dtype", [">f4", ">i2"])
    def test_whole_file(self, write, image, members_of, suffix, dtype):
        hdus = [image(data=DATA.astype(dtype)), image("DQ", data=np.arange(1200, dtype=np.int16).reshape(30, 40))]
        path = write(f"a.fits.{suffix}", hdus)
        (member,) = members_of(path)
        assert member.pixels.offset is None
        assert_same_as_astropy(read_pixels(member.pixels), path, 1)
        assert_same_as_astropy(read_flags(member.quality), path, 2)

    @pytest.mark.parametrize("compression", ["RICE_1", "GZIP_1", "GZIP_2", "HCOMPRESS_1"])
    @pytest.mark.parametrize("dtype", ["f4", "i2", "i4"])
    def test_tiles(self, write, celestial, members_of, compression, dtype):
        hdu = fits.CompImageHDU(DATA.astype(dtype), celestial, name="SCI", compression_type=compression)
        path = write("a.fits", [hdu])
        (member,) = members_of(path)
        assert (member.ext, member.shape) == ("SCI,1", (30, 40))
        assert_same_as_astropy(read_pixels(member.pixels), path, 1)

    def test_tiles_of_unsigned_integers(self, write, celestial, members_of):
        hdu = fits.CompImageHDU(DATA.clip(0, 999).astype("u2"), celestial, name="SCI", compression_type="RICE_1")
        path = write("a.fits", [hdu])
        assert_same_as_astropy(read_pixels(members_of(path)[0].pixels), path, 1)

    def test_tiles_have_their_flags_and_units(self, write, celestial, members_of):
        flags = np.arange(1200, dtype=np.int16).reshape(30, 40)
        celestial["BUNIT"] = "ELECTRONS"
        hdus = [fits.CompImageHDU(DATA.astype("i2"), celestial, name="SCI"), fits.CompImageHDU(flags, name="DQ")]
        (member,) = members_of(write("a.fits", hdus, EXPTIME=12.5))
        np.testing.assert_array_equal(read_flags(member.quality), flags)
        assert read_cards(member.pixels, ["BUNIT", "EXPTIME"]) == {
            "BUNIT": ("ELECTRONS", None),
            "EXPTIME": (None, 12.5),
        }


class TestFlags:
    def test_integers_are_as_stored(self, write, image, members_of):
        flags = np.arange(1200, dtype=np.int16).reshape(30, 40) - 600
        path = write("a.fits", [image(), image("DQ", data=flags)])
        found = read_flags(members_of(path)[0].quality)
        assert found.dtype.kind in "iu"
        np.testing.assert_array_equal(found, flags)

    def test_whole_numbers_stored_as_float(self, write, image, members_of):
        flags = np.arange(1200, dtype=np.float32).reshape(30, 40)
        found = read_flags(members_of(write("a.fits", [image(), image("DQ", data=flags)]))[0].quality)
        assert found.dtype.kind == "i"
        np.testing.assert_array_equal(found, flags)

    @pytest.mark.filterwarnings("ignore:invalid value encountered in cast:RuntimeWarning")
    @pytest.mark.parametrize("value", [0.5, np.nan])
    def test_other_numbers_are_refused(self, write, image, members_of, value):
        flags = np.zeros((30, 40), np.float32)
        flags[5, 6] = value
        (member,) = members_of(write("a.fits", [image(), image("DQ", data=flags)]))
        with pytest.raises(InputError, match=r"a\.fits\[2\]: a DQ array must hold integers"):
            read_flags(member.quality)


class TestCards:
    @pytest.mark.parametrize("name", ["a.fits", "a.fits.gz"])
    def test_in_the_extension_and_in_the_primary_header(self, write, image, members_of, name):
        hdu = image(EXPTIME=3.5, FLAG=True, NUMBER=7, TINY=1.5e-20, EMPTY="", QUOTED="it's")
        hdu.header["NOTHING"] = None
        path = write(name, [hdu], EXPTIME=4.5, OBSERVER="me")
        found = read_cards(
            members_of(path)[0].pixels,
            ["EXPTIME", "FLAG", "NUMBER", "TINY", "EMPTY", "QUOTED", "NOTHING", "OBSERVER", "ABSENT"],
        )
        assert found == {
            "EXPTIME": (3.5, 4.5),
            "FLAG": (True, None),
            "NUMBER": (7, None),
            "TINY": (1.5e-20, None),
            "EMPTY": ("", None),
            "QUOTED": ("it's", None),
            "NOTHING": (None, None),
            "OBSERVER": (None, "me"),
            "ABSENT": (None, None),
        }

    def test_a_primary_image_has_one_header(self, write, celestial, members_of):
        celestial["EXPTIME"] = 8.0
        (member,) = members_of(write("a.fits", [fits.PrimaryHDU(np.zeros((30, 40)), celestial)]))
        assert read_cards(member.pixels, ["EXPTIME"]) == {"EXPTIME": (8.0, 8.0)}

    def test_a_name_is_not_found_within_a_comment_or_another_name(self, write, image, members_of):
        hdu = image(EXPTIME2=1.0)
        hdu.header["HISTORY"] = "EXPTIME = 5"
        hdu.header["COMMENT"] = "EXPTIME = 6"
        assert read_cards(members_of(write("a.fits", [hdu]))[0].pixels, ["EXPTIME"]) == {"EXPTIME": (None, None)}

    def test_long_strings(self, write, image, members_of):
        path = write("a.fits", [image(PROGRAM="x" * 200)])
        assert read_cards(members_of(path)[0].pixels, ["PROGRAM"])["PROGRAM"][0] == "x" * 200

    @pytest.mark.parametrize(
        "name",
        [
            "a.fits",
            "a.fits.gz",
        ],
    )
    def test_a_card_that_cannot_be_parsed(self, tmp_path, write, image, members_of, name):
        plain = write("plain.fits", [image(EXPTIME=3.5)])
        content = plain.read_bytes().replace(b"EXPTIME =                  3.5", b"EXPTIME =                  3,5")
        (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
        (member,) = members_of(tmp_path / name)
        with pytest.raises(InputError, match=r"a\.fits"):
            read_cards(member.pixels, ["EXPTIME"])


class TestFilesThatChange:
    @pytest.mark.parametrize("name", ["a.fits", "a.fits.gz"])
    @pytest.mark.parametrize("read", [read_pixels, read_flags, lambda source: read_cards(source, ["BUNIT"])])
    def test_a_change_after_loading_is_an_error(self, write, image, members_of, name, read):
        path = write(name, [image("SCI", data=np.zeros((30, 40), np.int16))])
        source = members_of(path)[0].pixels
        read(source)
        os.utime(path, ns=(source.stamp[1], source.stamp[1] + 1))
        with pytest.raises(InputError, match=r"has changed since it was loaded; call load\(\) again"):
            read(source)

    def test_a_file_that_grew(self, write, image, members_of):
        path = write("a.fits", [image()])
        source = members_of(path)[0].pixels
        path.write_bytes(path.read_bytes() + bytes(2880))
        os.utime(path, ns=(source.stamp[1], source.stamp[1]))
        with pytest.raises(InputError, match="has changed"):
            read_pixels(source)

    def test_a_file_that_is_gone(self, write, image, members_of):
        path = write("a.fits", [image()])
        source = members_of(path)[0].pixels
        path.unlink()
        with pytest.raises(InputError, match=r"a\.fits: No such file"):
            read_pixels(source)


class TestGoodMask:
    """User masks, regions and sources, together as they are apart."""

    rng = np.random.default_rng(0)
    user, region, source, clean = rng.random((4, 5, 7)) > 0.3

    def masks(self, regions=(), sources=(), user=(), quality=None):
        return Masks("", (0,), (quality,), (user,), regions, sources)

    def test_all_kinds_are_combined(self):
        masks = self.masks(
            (to_runs(~self.region),), (to_runs(~self.source),), (MemoryImage(self.user), MemoryImage(2 * self.clean))
        )
        np.testing.assert_array_equal(good_mask(masks, 0, (5, 7)), self.user & self.clean & self.region & self.source)

    def test_each_kind_alone(self):
        for masks, expected in (
            (self.masks((to_runs(~self.region),)), self.region),
            (self.masks((), (to_runs(~self.source),)), self.source),
            (self.masks((None,), (None,), (MemoryImage(self.user),)), self.user),
        ):
            np.testing.assert_array_equal(good_mask(masks, 0, (5, 7)), expected)

    def test_nothing_is_none(self):
        assert good_mask(self.masks(), 0, (5, 7)) is None
        assert good_mask(self.masks((None,), (None,)), 0, (5, 7)) is None
        assert bad_pixels((), 0, (5, 7)) is None

    def test_a_users_mask_is_left_as_it_was(self):
        user = self.user.copy()
        user.flags.writeable = False
        good_mask(self.masks((to_runs(~self.region),), (), (MemoryImage(user),)), 0, (5, 7))
        np.testing.assert_array_equal(user, self.user)

    def test_good_pixels_are_finite_and_not_flagged_too(self):
        pixels = np.where(self.source, 1.0, np.nan)
        flags = MemoryImage(np.where(self.clean, 0, 4).astype(">i2"))
        masks = self.masks((to_runs(~self.region),), quality=flags)
        np.testing.assert_array_equal(good_pixels(pixels, masks, 0), self.source & self.clean & self.region)

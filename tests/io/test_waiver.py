"""WAIVER FITS: groups in files and in memory, equal to what stsci.tools makes of them."""

import gzip

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

from skymatch_nb import InputError, SkyMatchSession
from skymatch_nb.io.opened import opened
from skymatch_nb.io.waiver import decode_waiver, is_waiver

SHAPE = NY, NX = (40, 60)
WCS_WORDS = ("CRVAL1", "CRVAL2", "CRPIX1", "CRPIX2", "CD1_1", "CD1_2", "CD2_1", "CD2_2")
SCALE = 1 / 3600


def tan(ra):
    return dict(zip(WCS_WORDS, (ra, 20.0, 30.5, 20.5, -SCALE, 0.0, 0.0, SCALE), strict=True))


def table_of(rows, extra=()):
    """Group table of rows of values by card; ``extra`` are columns."""
    columns = [fits.Column(w, "D25.17", array=[row[w] for row in rows], ascii=True) for w in WCS_WORDS if w in rows[0]]
    columns += [
        fits.Column(f"CTYPE{k}", "A8", array=[name] * len(rows), ascii=True, unit="CHARACTER*8")
        for k, name in ((1, "RA---TAN"), (2, "DEC--TAN"))
    ]
    return fits.TableHDU.from_columns([*columns, *extra], name="u1_cvt.c0h.tab")


def waiver(levels=(5.0, 5.5), ra=10.0, seed=0, extra=(), data=None, **cards):
    """HDU list in memory, a group for each level, side by side."""
    noise = 0.1 * np.random.default_rng(seed).standard_normal((len(levels), *SHAPE))
    pixels = (np.array(levels)[:, None, None] + noise).astype(np.float32) if data is None else data
    header = fits.Header({"INSTRUME": "WFPC2", "FILETYPE": "SCI", "EXPTIME": 10.0, "BUNIT": "COUNTS"} | cards)
    rows = [tan(ra + 0.03 * k) for k in range(len(levels))]
    return fits.HDUList([fits.PrimaryHDU(pixels, header), table_of(rows, extra)])


def session(inputs, **given):
    return SkyMatchSession(inputs, verbose=False, **({"skymethod": "match", "skystat": "median"} | given))


class TestDecoding:
    def test_groups_are_numbered_extensions_with_their_cards(self):
        hdus = waiver()
        made = decode_waiver(hdus, "x")
        assert [(hdu.name, hdu.ver) for hdu in made[1:]] == [("SCI", 1), ("SCI", 2)]
        assert [hdu.header["CRVAL1"] for hdu in made[1:]] == [10.0, 10.03]
        assert [WCS(hdu.header).wcs.crpix.tolist() for hdu in made[1:]] == [[30.5, 20.5]] * 2
        for k in (0, 1):
            assert made[k + 1].data.tobytes() == hdus[0].data[k].tobytes()
        assert made[0].header["EXPTIME"] == 10.0
        assert (made[0].header["NEXTEND"], made[0].header["NAXIS"]) == (2, 0)

    def test_what_was_given_stays_as_it_is(self):
        hdus = waiver(ORIGIN="STScI", FILENAME="u1.c0h")
        before = [str(hdu.header) for hdu in hdus], hdus[0].data.tobytes()
        decode_waiver(hdus, "x")
        assert ([str(hdu.header) for hdu in hdus], hdus[0].data.tobytes()) == before
        assert is_waiver(hdus)

    @pytest.mark.parametrize("data", [np.ones(SHAPE, np.float32), np.ones((1, *SHAPE), np.float32)])
    def test_one_group(self, data):
        made = decode_waiver(waiver(levels=(1,), data=data), "x")
        assert [hdu.data.shape for hdu in made[1:]] == [SHAPE]

    def test_values_keep_kind_and_digits(self):
        extra = [
            fits.Column("PHOTFLAM", "E15.7", array=[3.482944e-18, 3.395806e-18], ascii=True),
            fits.Column("DETECTOR", "I12", array=[1, -2], ascii=True),
            fits.Column("MIR_REVR", "A1", array=["T", "F"], ascii=True, unit="LOGICAL-"),
            fits.Column("PHOTMODE", "A20", array=["WFPC2,1,F555W", "T"], ascii=True, unit="CHARACTER*20"),
        ]
        one, two = decode_waiver(waiver(extra=extra), "x")[1:]
        names = ("PHOTFLAM", "DETECTOR", "MIR_REVR", "PHOTMODE")
        assert [one.header[n] for n in names] == [3.482944e-18, 1, True, "WFPC2,1,F555W"]
        assert [two.header[n] for n in names] == [3.395806e-18, -2, False, "T"]
        assert two.header["MIR_REVR"] is False

    def test_comments_come_from_the_table_header(self):
        hdus = waiver()
        hdus[1].header["CRPIX1"] = "x-coordinate of reference pixel"
        assert decode_waiver(hdus, "x")[2].header.comments["CRPIX1"] == "x-coordinate of reference pixel"

    def test_a_wcs_that_only_the_primary_header_has(self):
        hdus = waiver(CRPIX1=7.5)
        rows = [{k: v for k, v in tan(10.0).items() if k != "CRPIX1"}] * 2
        made = decode_waiver(fits.HDUList([hdus[0], table_of(rows)]), "x")
        assert [hdu.header["CRPIX1"] for hdu in made[1:]] == [7.5, 7.5]

    def test_unsigned_pixels(self, tmp_path):
        pixels = np.arange(2 * NY * NX, dtype=np.uint16).reshape(2, *SHAPE) + np.uint16(40000)
        waiver(data=pixels, ODATTYPE="USHORT").writeto(tmp_path / "u1_c0f.fits")
        with opened(tmp_path / "u1_c0f.fits") as hdus:
            assert [hdu.data.tolist() for hdu in hdus[1:]] == pixels.tolist()

    def test_a_value_that_is_not_there_is_no_card(self):
        extra = [fits.Column("ZP_CORR", "E15.7", array=[np.nan, 0.5], ascii=True)]
        one, two = decode_waiver(waiver(extra=extra), "x")[1:]
        assert "ZP_CORR" not in one.header
        assert two.header["ZP_CORR"] == 0.5

    def test_errors_name_the_file(self):
        broken = waiver()
        broken[1].data["CRPIX1"][1] = np.nan
        with pytest.raises(InputError, match=r"^x: cannot be read: .*group 2 has no value of CRPIX1"):
            decode_waiver(broken, "x")
        with pytest.raises(InputError, match=r"^x: cannot be read: .*3 images and 2 rows"):
            decode_waiver(waiver(data=np.zeros((3, *SHAPE), np.float32)), "x")
        with pytest.raises(InputError, match=r"^x: cannot be read: .*no array"):
            decode_waiver(fits.HDUList([fits.PrimaryHDU(), waiver()[1]]), "x")


class TestInMemory:
    def test_the_same_answer_as_from_files(self, tmp_path):
        lists = [waiver(levels=(5, 5), seed=1), waiver(levels=(7.5, 7.5), ra=10 - 10 * SCALE, seed=2)]
        paths = [tmp_path / f"u{k}_c0f.fits" for k in (1, 2)]
        for hdus, path in zip(lists, paths, strict=True):
            fits.HDUList([hdu.copy() for hdu in hdus]).writeto(path)
        s = session(lists)
        assert list(s.members.index) == [f"image{k}[SCI,{v}]" for k in (1, 2) for v in (1, 2)]
        assert s.members.exptime.tolist() == [10.0] * 4
        assert s.solve().sky_data.tolist() == pytest.approx([0, 0, 2.5, 2.5], abs=0.02)
        assert s.sky.sky_data.tolist() == session(paths, dq_bits=None).sky.sky_data.tolist()

    def test_a_list_opened_from_a_file(self, tmp_path):
        waiver(levels=(5, 5)).writeto(tmp_path / "u1_c0f.fits")
        with fits.open(tmp_path / "u1_c0f.fits") as hdus:
            s = session(hdus, skymethod="localmin")
            assert list(s.members.index) == ["u1_c0f.fits[SCI,1]", "u1_c0f.fits[SCI,2]"]
            assert s.sky.sky_data.tolist() == pytest.approx([5, 5], abs=0.02)

    def test_apply_makes_a_new_list_with_an_extension_for_each_group(self):
        hdus = waiver(levels=(5, 5))
        before = hdus[0].data.copy()
        s = session(hdus, skymethod="localmin", readonly=False, subtractsky=True)
        s.apply()
        (made,) = s.edited_objects
        assert [(hdu.name, hdu.ver) for hdu in made[1:]] == [("SCI", 1), ("SCI", 2)]
        assert [np.median(hdu.data) for hdu in made[1:]] == pytest.approx([0, 0], abs=0.02)
        assert [hdu.header["SKYUSER"] for hdu in made[1:]] == pytest.approx([5, 5], abs=0.02)
        assert np.array_equal(hdus[0].data, before)
        assert is_waiver(hdus)

    def test_an_error_names_the_object(self):
        with pytest.raises(InputError, match=r"^image1: cannot be read: .*3 images and 2 rows"):
            session(waiver(data=np.zeros((3, *SHAPE), np.float32))).load()


@pytest.mark.filterwarnings("ignore:Invalid keyword for column")
class TestAgainstStsciTools:
    """Headers and pixels of a real exposure and of its quality file, by the converter that Hubble's tools use."""

    @pytest.mark.parametrize("kind", ["c0f", "c1f"])
    def test_headers_and_pixels_are_equal(self, realdata, kind):
        converter = pytest.importorskip("stsci.tools.convertwaiveredfits")
        path = realdata / "wfpc2_waiver" / f"u40x010hm_{kind}.fits.gz"
        raw = gzip.decompress(path.read_bytes())
        with fits.HDUList.fromstring(raw) as hdus, fits.HDUList.fromstring(raw) as others:
            ours, theirs = decode_waiver(hdus, path.name), converter.convertwaiveredfits(others)
            assert len(ours) == len(theirs) == 5
            for mine, other in zip(ours, theirs, strict=True):
                other.header.remove("ORIGIN", ignore_missing=True)  # the file has it twice, theirs removes one
                found = fits.HeaderDiff(mine.header, other.header, ignore_comments=["*"])
                assert found.identical, found.report()
            for mine, other in zip(ours[1:], theirs[1:], strict=True):
                assert mine.data.dtype == other.data.dtype
                assert mine.data.tobytes() == other.data.tobytes()
                for name in WCS_WORDS:
                    assert mine.header.comments[name] == other.header.comments[name]


def test_a_change_of_the_table_in_memory_is_seen_by_load():
    made = waiver()
    s = session(made, skymethod="localmin")
    ra = s.footprints.ra.tolist()
    made[1].data["CRVAL1"] += 1
    s.load()
    assert s.footprints.ra.tolist() == pytest.approx([value + 1 for value in ra])

"""Formats besides plain FITS: compressed and scaled images, GEIS and WAIVER files, DQ in files of their own."""

import bz2
import gzip
import json
import re
import shutil
import struct
import warnings
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from stwcs.wcsutil import HSTWCS

from skymatch_nb import InputError, SkyMatchSession, SkyMatchWarning
from skymatch_nb.cli import main
from skymatch_nb.io.geis import is_geis, read_geis
from skymatch_nb.io.opened import opened
from skymatch_nb.io.pixels import read_flags, read_pixels

SHAPE = NY, NX = (40, 60)
SCALE = 1 / 3600


def session(inputs, **given):
    return SkyMatchSession(inputs, verbose=False, **({"skymethod": "match", "skystat": "median"} | given))


def noise(seed=0, shape=SHAPE):
    return 0.1 * np.random.default_rng(seed).standard_normal(shape)


def tan_header(ra=10.0, **cards):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval, wcs.wcs.crpix = ("RA---TAN", "DEC--TAN"), (ra, 20.0), (30.5, 20.5)
    wcs.wcs.cdelt = -SCALE, SCALE
    header = wcs.to_header()
    header.update({"BUNIT": "electron/s"} | cards)
    return header


class TestCompressed:
    """Images of integers, so that no compression loses anything."""

    @pytest.fixture
    def pixels(self):
        return np.rint(500 + 100 * noise()).astype(np.int32)

    @pytest.mark.parametrize("form", ["gzip", "bzip2", "RICE_1", "GZIP_1", "GZIP_2", "HCOMPRESS_1", "PLIO_1"])
    def test_the_same_levels_as_the_plain_file(self, tmp_path, pixels, form):
        flags = (pixels > 510).astype(np.int16)
        plain, packed = [], []
        for name, level in (("a", 0), ("b", 25)):
            hdus = fits.HDUList(
                [
                    fits.PrimaryHDU(),
                    fits.ImageHDU(pixels + level, tan_header(), name="SCI"),
                    fits.ImageHDU(flags, name="DQ"),
                ]
            )
            plain.append(tmp_path / f"{name}.fits")
            hdus.writeto(plain[-1])
            if form in ("gzip", "bzip2"):
                pack, end = (gzip.compress, ".gz") if form == "gzip" else (bz2.compress, ".bz2")
                packed.append(tmp_path / f"{name}.fits{end}")
                packed[-1].write_bytes(pack(plain[-1].read_bytes()))
            else:
                tiles = [fits.CompImageHDU(h.data, h.header, compression_type=form, name=h.name) for h in hdus[1:]]
                packed.append(tmp_path / f"{name}.fits.fz")
                fits.HDUList([fits.PrimaryHDU(), *tiles]).writeto(packed[-1])
        expected, found = session(plain), session(packed)
        assert found.solve().sky_data.tolist() == expected.solve().sky_data.tolist()
        assert found.sky.sky_data.to_numpy() == pytest.approx([0, 25])
        assert found.members.dq_from.tolist() == ["[DQ,1]"] * 2
        assert found.masks.bad_dq.tolist() == expected.masks.bad_dq.tolist() == [flags.sum()] * 2


class TestScaledIntegers:
    def write(self, path, stored, **cards):
        """File of stored integers as they are, whatever BSCALE, BZERO and BLANK say."""
        hdu = fits.PrimaryHDU(stored, tan_header())
        hdu.writeto(path)
        raw = bytearray(path.read_bytes())
        free = raw.index(b"END     ")
        for k, (name, value) in enumerate([*cards.items()]):
            raw[free + 80 * k : free + 80 * (k + 1)] = fits.Card(name, value).image.encode()
        raw[free + 80 * len(cards) : free + 80 * (len(cards) + 1)] = b"END".ljust(80)
        path.write_bytes(raw)
        return path

    @pytest.mark.parametrize("kind", [np.uint8, np.int16, np.int32, np.int64])
    def test_bscale_and_bzero(self, tmp_path, kind):
        stored = np.rint(100 + 50 * noise()).astype(kind)
        paths = [
            self.write(tmp_path / "a.fits", stored, BSCALE=0.5, BZERO=1000.0),
            self.write(tmp_path / "b.fits", stored, BSCALE=0.5, BZERO=1007.0),
        ]
        levels = session(paths, skymethod="localmin", skystat="mean", nclip=0).solve().sky_data
        np.testing.assert_allclose(levels, 1000 + 0.5 * stored.mean() + np.array([0, 7]), rtol=1e-6)

    @pytest.mark.parametrize("kind", [np.uint8, np.int16, np.int32])
    @pytest.mark.parametrize("scaling", [{}, {"BSCALE": 2.0, "BZERO": 10.0}])
    def test_blank_pixels_are_not_good(self, tmp_path, kind, scaling):
        stored = np.rint(50 + 50 * noise()).astype(kind)
        stored[:25] = 99
        s = session(
            self.write(tmp_path / "a.fits", stored, BLANK=99, **scaling), skymethod="localmin", skystat="mean", nclip=0
        )
        (row,) = s.masks.to_dict("records")
        assert (row["good"], row["bad_value"]) == (15 * NX, 25 * NX)
        expected = scaling.get("BZERO", 0) + scaling.get("BSCALE", 1) * stored[25:].mean()
        assert s.sky.sky_data.to_numpy() == pytest.approx([expected], rel=1e-6)

    @pytest.mark.parametrize("kind", [np.uint16, np.uint32, np.int8])
    def test_integers_that_fits_stores_with_an_offset(self, tmp_path, kind):
        data = np.full(SHAPE, np.iinfo(kind).max - 5, kind)
        data[::2] -= 2
        fits.PrimaryHDU(data, tan_header()).writeto(tmp_path / "a.fits")
        sky = session(tmp_path / "a.fits", skymethod="localmin", skystat="mean").solve()
        assert sky.sky_data.to_numpy() == pytest.approx([np.iinfo(kind).max - 6.0], rel=1e-12)


WCS_PARAMETERS = [
    ("CRVAL1", "REAL*8"),
    ("CRVAL2", "REAL*8"),
    ("CRPIX1", "REAL*4"),
    ("CRPIX2", "REAL*4"),
    ("CD1_1", "REAL*4"),
    ("CD1_2", "REAL*4"),
    ("CD2_1", "REAL*4"),
    ("CD2_2", "REAL*4"),
    ("CTYPE1", "CHARACTER*8"),
    ("CTYPE2", "CHARACTER*8"),
]
STORED = {"REAL*4": ">f4", "REAL*8": ">f8", "INTEGER*2": ">i2", "INTEGER*4": ">i4", "LOGICAL*4": ">i4"}
STORED |= {"UNSIGNED*2": ">u2", "CHARACTER*8": "S8", "CHARACTER*4": "S4"}


def tan_values(ra=10.0):
    return [ra, 20.0, 30.5, 20.5, -SCALE, 0.0, 0.0, SCALE, b"RA---TAN", b"DEC--TAN"]


def write_geis(path, arrays, values=(), *, kind="REAL*4", parameters=(), cards=(), swap=False, **changed):
    """Write a GEIS file by the published layout: cards one on a line, and the groups one after another.

    ``values`` are the group parameters of each group; ``changed`` replaces structural cards, None leaves one out.
    """
    shape = arrays[0].shape
    sizes = [np.dtype(STORED[type_]).itemsize * 8 for _, type_ in parameters]
    structure = {"SIMPLE": False, "BITPIX": np.dtype(STORED[kind]).itemsize * 8, "DATATYPE": kind, "NAXIS": len(shape)}
    structure |= {f"NAXIS{k}": n for k, n in enumerate(reversed(shape), 1)}
    structure |= {"GROUPS": True, "GCOUNT": len(arrays), "PCOUNT": len(parameters), "PSIZE": sum(sizes)}
    for k, ((name, type_), size) in enumerate(zip(parameters, sizes, strict=True), 1):
        structure |= {f"PTYPE{k}": name, f"PDTYPE{k}": type_, f"PSIZE{k}": size}
    structure |= changed
    lines = [fits.Card(name, value).image for name, value in [*structure.items(), *cards] if value is not None]
    path.write_text("".join(f"{line:80}\n" for line in [*lines, "END"]), encoding="ascii")
    data = b""
    for k, array in enumerate(arrays):
        kinds = [STORED[kind], *(STORED[type_] for _, type_ in parameters)]
        parts = [np.asarray(v, t) for v, t in zip((array, *(values[k] if values else ())), kinds, strict=True)]
        data += b"".join((part.byteswap() if swap and part.dtype.kind != "S" else part).tobytes() for part in parts)
        data += b"\0" * ((structure["PSIZE"] or 0) // 8 - sum(sizes) // 8)
    path.with_name(path.name[:-1] + ("D" if path.name[-1] == "H" else "d")).write_bytes(data)
    return path


CAMERA = [("EXPTIME", 10.0), ("BUNIT", "COUNTS"), ("ROOTNAME", "U1"), ("HISTORY", "made by a test")]


def write_exposure(path, levels, ra=10.0, cards=CAMERA, bad=0):
    """Science file of one group for each level, side by side, and its quality file; the first rows are bad."""
    arrays = [level + noise(k) for k, level in enumerate(levels)]
    flags = np.zeros(SHAPE, np.int16)
    flags[:bad] = 8
    for array in arrays:
        array[:bad] += 100
    parameters = [*WCS_PARAMETERS, ("DETECTOR", "INTEGER*4")]
    values = [[*tan_values(ra + 0.03 * k), 2 + k] for k in range(len(levels))]
    write_geis(path, arrays, values, parameters=parameters, cards=cards)
    quality = path.with_name(path.name.replace(".c0", ".c1").replace(".C0", ".C1"))
    write_geis(quality, [flags] * len(levels), values, kind="INTEGER*2", parameters=parameters)
    return path


class TestGeis:
    @pytest.mark.parametrize(
        ("name", "expected"),
        [("x.c0h", True), ("x.d0h", True), ("x.q1h", True), ("X.C0H", True)]
        + [(name, False) for name in ("x.c0d", "x.fits", "x_c0h.fits", "c0h", "x.ch", "x.00h")],
    )
    def test_names(self, name, expected):
        assert is_geis(Path(name)) is expected

    @pytest.mark.parametrize("kind", ["REAL*4", "REAL*8", "INTEGER*2", "INTEGER*4", "UNSIGNED*2"])
    @pytest.mark.parametrize("shape", [(3, 5), (7,), (2, 3, 4)])
    def test_every_group_bit_for_bit(self, tmp_path, kind, shape):
        random = np.random.default_rng(1)
        if kind.startswith("REAL"):
            arrays = [random.standard_normal(shape).astype(STORED[kind]) for _ in range(3)]
            arrays[1].flat[:2] = np.nan, -0.0
        else:
            limits = np.iinfo(STORED[kind])
            arrays = [random.integers(limits.min, limits.max, shape).astype(STORED[kind]) for _ in range(3)]
            arrays[2].flat[:2] = limits.min, limits.max
        hdus = read_geis(write_geis(tmp_path / "x.c0h", arrays, kind=kind, PSIZE=64))
        assert len(hdus) == 4
        for array, hdu in zip(arrays, hdus[1:], strict=True):
            assert (hdu.data.shape, hdu.data.dtype.kind) == (shape, array.dtype.kind)
            assert hdu.data.astype(STORED[kind]).tobytes() == array.tobytes()

    @pytest.mark.parametrize(("end", "kind"), [("c0h", "SCI"), ("d0h", "SCI"), ("c1h", "DQ"), ("q0h", "DQ")])
    def test_groups_are_numbered_extensions(self, tmp_path, end, kind):
        hdus = read_geis(write_geis(tmp_path / f"x.{end}", [np.ones(SHAPE)] * 3))
        assert [(hdu.name, hdu.ver) for hdu in hdus[1:]] == [(kind, 1), (kind, 2), (kind, 3)]

    def test_group_parameters_become_cards_of_each_group(self, tmp_path):
        others = {"DETECTOR": "INTEGER*4", "FILLCNT": "INTEGER*2", "MIR_REVR": "LOGICAL*4", "YTYPE": "CHARACTER*4"}
        parameters = [*WCS_PARAMETERS, *others.items()]
        values = [[*tan_values(ra), 1 + k, -k, k, b"OBJ"] for k, ra in enumerate((10.0, 0.1 + 0.2))]
        path = tmp_path / "x.c0h"
        write_geis(path, [np.ones(SHAPE)] * 2, values, parameters=parameters, cards=CAMERA, PSIZE=9999 * 8)
        primary, *groups = (hdu.header for hdu in read_geis(path))
        assert [group["CRVAL1"] for group in groups] == [10.0, 0.1 + 0.2]
        assert [group["CD1_1"] for group in groups] == [float(np.float32(-SCALE))] * 2
        assert [[group[name] for name in others] for group in groups] == [[1, 0, False, "OBJ"], [2, -1, True, "OBJ"]]
        assert groups[0]["CTYPE2"] == "DEC--TAN"
        assert (primary["EXPTIME"], primary["BUNIT"]) == (10.0, "COUNTS")
        assert str(primary["HISTORY"]) == "made by a test"

    def test_logical_parameters_are_logical(self, tmp_path):
        path = write_geis(tmp_path / "x.c0h", [np.ones(SHAPE)], [[1]], parameters=[("MIR_REVR", "LOGICAL*4")])
        assert read_geis(path)[1].header["MIR_REVR"] is True

    def test_an_image_without_groups_has_its_wcs_in_the_header(self, tmp_path):
        cards = [
            (name, v.decode() if isinstance(v, bytes) else v)
            for (name, _), v in zip(WCS_PARAMETERS, tan_values(), strict=True)
        ]
        path = write_geis(
            tmp_path / "x.c0h",
            [5 + noise()],
            cards=[*cards, *CAMERA],
            GROUPS=False,
            GCOUNT=None,
            PCOUNT=None,
            PSIZE=None,
        )
        (member,) = session(path).members.to_dict("records")
        assert (member["ext"], member["exptime"], member["data_unit"]) == ("SCI,1", 10.0, "COUNTS")
        assert session(path).footprints.ra.tolist() == pytest.approx([10.0])

    def test_names_in_capitals(self, tmp_path):
        path = write_exposure(tmp_path / "X.C0H", [5])
        assert list(session(path).members.index) == ["X.C0H[SCI,1]"]

    def test_lines_may_be_short_and_end_as_in_windows(self, tmp_path):
        path = write_exposure(tmp_path / "x.c0h", [5])
        lines = [line.rstrip() for line in path.read_text().splitlines()]
        path.write_bytes("\r\n".join([*lines, "", ""]).encode())
        assert list(session(path).members.index) == ["x.c0h[SCI,1]"]


class TestGeisErrors:
    """Each is one line that names the file."""

    def refused(self, path):
        with pytest.raises(InputError) as error:
            session(path).load()
        text = str(error.value)
        assert "\n" not in text
        assert path.stem in text
        return text

    def write(self, folder, **changed):
        kind = changed.pop("kind", "REAL*4")
        return write_geis(
            folder / "x.c0h", [5 + noise()] * 2, [tan_values()] * 2, kind=kind, parameters=WCS_PARAMETERS, **changed
        )

    @pytest.mark.parametrize("kind", ["REAL*4", "REAL*8"])
    def test_another_byte_order(self, tmp_path, kind):
        assert "another byte order" in self.refused(self.write(tmp_path, kind=kind, swap=True))

    def test_another_byte_order_of_integers_shows_in_the_group_parameters(self, tmp_path):
        path = write_geis(
            tmp_path / "x.c0h", [np.ones(SHAPE)], [tan_values()], kind="INTEGER*2", parameters=WCS_PARAMETERS, swap=True
        )
        assert "another byte order" in self.refused(path)

    @pytest.mark.parametrize("kind", ["INTEGER*2", "INTEGER*4", "UNSIGNED*2"])
    def test_another_byte_order_of_integers_without_group_parameters(self, tmp_path, kind):
        """Read in the wrong order, what is smooth is rough; in the right order it is taken."""
        data = 300 + 40 * noise()
        for swap in (True, False):
            path = write_geis(tmp_path / f"x{swap}.c0h", [data] * 2, kind=kind, swap=swap)
            if swap:
                assert "another byte order" in self.refused(path)
            else:
                assert read_geis(path)[2].data.tolist() == data.astype(STORED[kind]).tolist()

    @pytest.mark.parametrize("data", [np.zeros(SHAPE), np.full(SHAPE, np.nan), 1e15 * noise(), 1e-12 * noise()])
    def test_odd_values_are_not_taken_for_another_byte_order(self, tmp_path, data):
        path = write_geis(tmp_path / "x.c0h", [data], [tan_values()], parameters=WCS_PARAMETERS)
        np.testing.assert_array_equal(read_geis(path)[1].data, data.astype(np.float32))

    @pytest.mark.parametrize(
        ("changed", "reason"),
        [
            ({"DATATYPE": "COMPLEX*8", "BITPIX": 64}, "data of type 'COMPLEX*8' with 8 bytes are not known"),
            ({"DATATYPE": "REAL*4", "BITPIX": 16}, "data of type 'REAL*4' with 2 bytes are not known"),
            ({"PDTYPE2": "QUATERNION*8"}, "data of type 'QUATERNION*8' with 8 bytes are not known"),
            ({"PTYPE3": None}, "group parameter 3 is not described (PTYPE3, PDTYPE3, PSIZE3)"),
            ({"PCOUNT": 11}, "group parameter 11 is not described"),
            ({"PSIZE": 8}, "PSIZE is 1 bytes, the group parameters need 56"),
            ({"GCOUNT": 3}, "x.c0d: 19312 bytes where 3 groups need 28968"),
            ({"NAXIS1": 61}, "bytes where 2 groups need"),
            ({"NAXIS": None}, "cannot be read: "),
            ({"NAXIS2": None}, "cannot be read: "),
            ({"NAXIS1": "many"}, "cannot be read: "),
            ({"NAXIS1": -4}, "cannot be read: "),
            ({"GCOUNT": 0}, "GCOUNT = 0 is no number of groups"),
            ({"BITPIX": None}, "not a GEIS header"),
            ({"SIMPLE": None}, "not a GEIS header"),
        ],
        ids=str,
    )
    def test_headers(self, tmp_path, changed, reason):
        path = self.write(tmp_path)
        lines = path.read_text().splitlines()
        made = [line for line in lines if line.split("=")[0].strip() not in changed]
        for name, value in changed.items():
            made[1 if name != "SIMPLE" else 0 : 0] = [] if value is None else [fits.Card(name, value).image]
        path.write_text("\n".join(made))
        assert reason in self.refused(path)

    @pytest.mark.parametrize(
        "content", [b"", b"\n\n", b"no cards\n", b"\xff\xfe\x00", b"SIMPLE\n", b"SIMPLE  =  F\nBITPIX = ?"]
    )
    @pytest.mark.filterwarnings("ignore:The following header keyword is invalid")
    def test_what_is_no_header(self, tmp_path, content):
        path = self.write(tmp_path)
        path.write_bytes(content)
        assert "not a GEIS header" in self.refused(path) or "cannot be read" in self.refused(path)

    def test_a_missing_value_of_the_wcs(self, tmp_path):
        values = [tan_values(), tan_values()]
        values[1][2] = np.nan
        path = write_geis(tmp_path / "x.c0h", [5 + noise()] * 2, values, parameters=WCS_PARAMETERS)
        assert "x.c0h: group 2 has no value of CRPIX1" in self.refused(path)

    def test_a_missing_data_file(self, tmp_path):
        path = self.write(tmp_path)
        (tmp_path / "x.c0d").unlink()
        assert "its data file x.c0d: No such file" in self.refused(path)

    def test_a_short_data_file(self, tmp_path):
        path = self.write(tmp_path)
        data = tmp_path / "x.c0d"
        data.write_bytes(data.read_bytes()[:-1])
        assert "x.c0d: 19311 bytes where 2 groups need 19312" in self.refused(path)

    def test_spectra_are_no_images(self, tmp_path):
        path = write_geis(tmp_path / "x.c0h", [np.ones(60)])
        assert "x.c0h[SCI,1]: 1-D data where a 2-D image is needed" in self.refused(path)

    def test_an_image_without_wcs(self, tmp_path):
        assert "x.c0h[SCI,1]: no celestial WCS" in self.refused(write_geis(tmp_path / "x.c0h", [np.ones(SHAPE)]))


class TestGeisSession:
    """Two exposures of two groups; the second lies 10 pixels further west, is higher by 2.5, and has bad rows."""

    @pytest.fixture(
        params=[CAMERA, [*CAMERA, ("TELESCOP", "HST"), ("INSTRUME", "WFPC2"), ("MODE", "FULL")]],
        ids=["other", "Hubble"],
    )
    def folder(self, request, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        write_exposure(tmp_path / "u1.c0h", [5, 5.5], cards=request.param)
        write_exposure(tmp_path / "u2.c0h", [7.5, 8], 10 - 10 * SCALE, request.param, bad=25)
        return tmp_path

    def test_members(self, folder):
        members = session("u?.c0h").members
        assert list(members.index) == [f"u{k}.c0h[SCI,{v}]" for k in (1, 2) for v in (1, 2)]
        assert members.dq_from.tolist() == [f"u{k}.c1h[DQ,{v}]" for k in (1, 2) for v in (1, 2)]
        assert members.exptime.tolist() == [10.0] * 4
        assert members.pixel_scale.to_numpy() == pytest.approx(1, rel=1e-6)

    def test_match_finds_the_planted_offset(self, folder):
        s = session("u?.c0h")
        assert s.solve().groupby("group").sky_data.first().tolist() == pytest.approx([0, 2.5], abs=0.02)
        assert s.masks.bad_dq.tolist() == [0, 0, 25 * NX, 25 * NX]
        assert len(s.overlaps) == 2

    def test_localmin_finds_each_level(self, folder):
        sky = session("u?.c0h", skymethod="localmin").solve()
        assert sky.groupby("group").sky_data.first().tolist() == pytest.approx([5, 7.5], abs=0.02)

    def test_without_quality_the_answer_is_wrong(self, folder):
        assert session("u?.c0h", dq_bits=None).solve().sky_data.max() > 50
        for path in folder.glob("*.c1?"):
            path.unlink()
        s = session("u?.c0h")
        assert s.members.dq_from.tolist() == [f"missing: u{k}.c1h" for k in (1, 1, 2, 2)]
        with pytest.warns(SkyMatchWarning, match=r"in u1.c0h \(u1.c1h\), u2.c0h \(u2.c1h\)$"):
            assert s.solve().sky_data.max() > 50

    def test_on_the_command_line(self, folder):
        for method in ("match", "localmin"):
            words = ["match", "u?.c0h", "--skymethod", method, "--skystat", "median", "--quiet", "--table", "t.json"]
            assert main(words) == 0
            sky = [row["sky_data"] for row in json.loads(Path("t.json").read_text())["sky"]]
            assert sky[2] - sky[0] == pytest.approx(2.5, abs=0.02)

    def test_the_exposures_of_an_association(self, folder):
        columns = [fits.Column("MEMNAME", "14A", array=["U1", "U2"]), fits.Column("MEMTYPE", "14A", array=["EXP"] * 2)]
        fits.BinTableHDU.from_columns(columns).writeto("x_asn.fits")
        assert session("x_asn.fits").members.file.unique().tolist() == ["u1.c0h", "u2.c0h"]

    def test_changed_data_are_seen_by_load(self, folder):
        s = session("u?.c0h")
        s.solve()
        write_exposure(folder / "u2.c0h", [9.5, 10], 10 - 10 * SCALE, dict(CAMERA).items(), bad=25)
        s.load()
        assert s.sky.sky_data.max() == pytest.approx(4.5, abs=0.02)

    def test_a_changed_data_file_alone_is_seen_by_load(self, folder):
        s = session("u?.c0h")
        s.solve()
        data = folder / "u2.c0d"
        array = np.frombuffer(data.read_bytes(), ">f4").copy()
        array[:3] += 2
        data.write_bytes(array.tobytes())
        s.load()
        assert "stale" in s.status().state.tolist()


FOS = ["y0cw0109t.d0h", "y0cw0109t.q0h", "y0ue0103t.d0h", "y0ue0103t.q0h"]


@pytest.mark.parametrize("name", FOS)
class TestFosSpectra:
    """Archive files against their FITS twins and their own bytes."""

    def groups(self, realdata, name):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with fits.open(realdata / "geis_fos" / f"{name}.fit") as twin:
                table = twin[1].data
                columns = {column: list(table[column]) for column in table.names}
                images = twin[0].data.reshape(len(table), -1)
        return read_geis(realdata / "geis_fos" / name)[1:], images, columns

    def test_pixels_equal_those_of_the_twin_bit_for_bit(self, realdata, name):
        found, images, _ = self.groups(realdata, name)
        assert len(found) == (1 if "y0cw" in name else 58)
        for group, image in zip(found, images, strict=True):
            assert group.data.astype(">f4").tobytes() == image.astype(">f4").tobytes()
            assert {group.name} == {"SCI" if name.endswith("d0h") else "DQ"}

    def test_group_parameters_equal_those_of_the_twin(self, realdata, name):
        """Exactly, but for numbers of 8 bytes: the twin's text has them to about 16 digits."""
        found, _, columns = self.groups(realdata, name)
        assert len(columns) == (25 if "y0cw" in name else 19)
        for column, expected in columns.items():
            values = [group.header[column] for group in found]
            if column == "MIR_REVR":
                assert values == [text.strip() == "T" for text in expected]
            elif isinstance(expected[0], str):
                assert values == [text.strip() for text in expected]
            elif column in ("CRVAL1", "CRVAL2", "RA_APER", "DEC_APER", "FPKTTIME", "LPKTTIME"):
                np.testing.assert_allclose(values, expected, rtol=2e-15)
            else:
                assert np.float32(values).tolist() == np.float32(expected).tolist()

    def test_numbers_of_8_bytes_equal_those_of_the_data_file(self, realdata, name):
        found, _, _ = self.groups(realdata, name)
        text = (realdata / "geis_fos" / name).read_text()
        raw = (realdata / "geis_fos" / f"{name[:-1]}d").read_bytes()
        names, kinds = (re.findall(rf"^{word}\d+ *= '(.+?) *'", text, re.MULTILINE) for word in ("PTYPE", "PDTYPE"))
        sizes = [int(bits) // 8 for bits in re.findall(r"^PSIZE\d+ *= *(\d+)", text, re.MULTILINE)]
        doubles = [
            (n, sum(sizes[:k])) for k, (n, kind) in enumerate(zip(names, kinds, strict=True)) if kind == "REAL*8"
        ]
        assert len(doubles) >= 4
        step = found[0].data.nbytes + sum(sizes)
        assert len(raw) == step * len(found)
        for k, group in enumerate(found):
            for parameter, offset in doubles:
                at = k * step + group.data.nbytes + offset
                assert struct.unpack(">d", raw[at : at + 8]) == (group.header[parameter],)


def write_waiver(path, arrays, values, cards=()):
    """WAIVER file: all groups in one array, their WCS in an ASCII table."""
    arrays = np.array(arrays)
    header = fits.Header([("INSTRUME", "WFPC2"), ("FILETYPE", "SCI" if "_c0f" in path.name else "SDQ"), *cards])
    formats = {"REAL*8": "D25.17", "REAL*4": "E15.7", "CHARACTER*8": "A8"}
    columns = [
        fits.Column(name, formats[kind], array=[v.decode() if isinstance(v, bytes) else v for v in column], ascii=True)
        for (name, kind), column in zip(WCS_PARAMETERS, zip(*values, strict=True), strict=True)
    ]
    table = fits.TableHDU.from_columns(columns, name=f"{path.stem[:-4]}_cvt.c0h.tab")
    data = arrays if len(arrays) > 1 else arrays[0]
    fits.HDUList([fits.PrimaryHDU(data, header), table]).writeto(path)
    return path


class TestWaiver:
    @pytest.fixture
    def folder(self, tmp_path, monkeypatch):
        """Two exposures of two groups with their quality files; the second is higher by 2.5, with bad rows."""
        monkeypatch.chdir(tmp_path)
        flags = np.zeros((2, *SHAPE), np.int16)
        flags[:, :25] = 8
        for name, level, ra, bad in (("u1", 5, 10.0, 0), ("u2", 7.5, 10 - 10 * SCALE, 1)):
            arrays = np.array([level + noise(1), level + 0.5 + noise(2)], np.float32)
            arrays[:, :25] += 100 * bad
            values = [tan_values(ra), tan_values(ra + 0.03)]
            write_waiver(tmp_path / f"{name}_c0f.fits", arrays, values, CAMERA)
            write_waiver(tmp_path / f"{name}_c1f.fits", flags * bad, values)
        return tmp_path

    def test_groups_are_members_with_their_quality(self, folder):
        members = session("*_c0f.fits").members
        assert list(members.index) == [f"u{k}_c0f.fits[SCI,{v}]" for k in (1, 2) for v in (1, 2)]
        assert members.dq_from.tolist() == [f"u{k}_c1f.fits[SDQ,{v}]" for k in (1, 2) for v in (1, 2)]
        assert members.exptime.tolist() == [10.0] * 4

    def test_match_finds_the_planted_offset(self, folder):
        s = session("*_c0f.fits")
        assert s.solve().sky_data.tolist() == pytest.approx([0, 0, 2.5, 2.5], abs=0.02)
        assert s.masks.bad_dq.tolist() == [0, 0, 25 * NX, 25 * NX]
        assert session("*_c0f.fits", dq_bits=None).solve().sky_data.max() > 50

    def test_on_the_command_line(self, folder):
        words = ["match", "*_c0f.fits", "--skymethod", "match", "--skystat", "median", "--quiet", "--table", "t.json"]
        assert main(words) == 0
        sky = {row["member"]: row["sky_data"] for row in json.loads(Path("t.json").read_text())["sky"]}
        assert sky["u2_c0f.fits[SCI,1]"] - sky["u1_c0f.fits[SCI,1]"] == pytest.approx(2.5, abs=0.02)

    @pytest.mark.parametrize("text", ["", "NaN"])
    def test_a_parameter_without_a_value(self, folder, text):
        path = folder / "u1_c0f.fits"
        with fits.open(path) as hdus:
            at = hdus[1].fileinfo()["datLoc"] + hdus[1].header["TBCOL3"] - 1
        raw = bytearray(path.read_bytes())
        assert float(raw[at : at + 15]) == 30.5
        raw[at : at + 15] = text.encode().rjust(15)
        path.write_bytes(raw)
        with pytest.raises(InputError):
            session("u1_c0f.fits").load()

    @pytest.mark.parametrize("extension", ["[sci,2]", "[2]", "{2}", "{('sci',2)}"])
    def test_an_extension_is_a_group(self, folder, extension):
        assert list(session(f"u1_c0f.fits{extension}").members.index) == ["u1_c0f.fits[SCI,2]"]

    def test_an_exposure_of_one_group(self, folder):
        write_waiver(folder / "u3_c0f.fits", [9 + noise(3)], [tan_values()], CAMERA)
        sky = session("u3_c0f.fits", skymethod="localmin", dq_bits=None).solve()
        assert sky.sky_data.to_dict() == {"u3_c0f.fits[SCI,1]": pytest.approx(9, abs=0.02)}

    def test_pixels_equal_the_array(self, folder):
        stored = fits.getdata("u1_c0f.fits")
        with opened("u1_c0f.fits") as hdus:
            assert [hdu.data.tobytes() for hdu in hdus[1:]] == [image.tobytes() for image in stored]

    def test_groups_and_rows_must_be_as_many(self, folder):
        with fits.open("u1_c0f.fits") as hdus:
            fits.HDUList([fits.PrimaryHDU(np.zeros((3, *SHAPE)), hdus[0].header), hdus[1]]).writeto("u4_c0f.fits")
        with pytest.raises(InputError, match=r"u4_c0f.fits: cannot be read"):
            session("u4_c0f.fits").load()

    def test_the_file_is_not_touched(self, folder):
        before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}
        session("*_c0f.fits").solve()
        assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()} == before

    def test_an_image_with_a_catalogue_is_no_waiver_file(self, folder):
        stars = fits.TableHDU.from_columns([fits.Column("FLUX", "E15.7", array=[1.0, 2.0], ascii=True)], name="STARTAB")
        fits.HDUList([fits.PrimaryHDU(5 + noise(), tan_header()), stars]).writeto("image.fits")
        assert list(session("image.fits").members.index) == ["image.fits[0]"]


WFPC2 = "u40x010hm"


def moved_copy(source, target, dec=0.0, brightness=0.0):
    """Copy of WFPC2's WAIVER file with CRVAL2 moved, in table and header, and a sky added (counts/s/arcsec2)."""
    raw = bytearray(gzip.decompress(source.read_bytes()))
    with fits.open(source) as hdus:
        table, primary = hdus[1].header, hdus[0].header
        images, rows = hdus[0].fileinfo()["datLoc"], hdus[1].fileinfo()["datLoc"]
        scales = [np.hypot(r["CD1_1"], r["CD2_1"]) * np.hypot(r["CD1_2"], r["CD2_2"]) * 3600**2 for r in hdus[1].data]
        levels = [brightness * area * primary.get("EXPTIME", 0) for area in scales]
        values = [float(row["CRVAL2"]) + dec for row in hdus[1].data]
        card = fits.Card("CRVAL2", primary["CRVAL2"] + dec).image.encode()
        assert table["TTYPE2"] == "CRVAL2"
        assert table["TFORM2"] == "D25.17"
    at = raw.index(b"CRVAL2  =")
    raw[at : at + 80] = card
    for k, (value, level) in enumerate(zip(values, levels, strict=True)):
        at = rows + k * table["NAXIS1"] + table["TBCOL2"] - 1
        raw[at : at + 25] = f"{value:25.16E}".encode()
        if brightness:
            pixels = np.frombuffer(raw, ">f4", 800 * 800, images + k * 800 * 800 * 4)
            pixels += np.float32(level)
    target.write_bytes(raw)


@pytest.mark.filterwarnings("ignore:no unit in BUNIT", "ignore:Invalid keyword for column")
class TestWfpc2:
    """A real exposure of four groups; its data quality tells itself how many pixels are good."""

    def test_groups_and_quality(self, realdata):
        path = realdata / "wfpc2_waiver" / f"{WFPC2}_c0f.fits.gz"
        s = session(path, skymethod="localmin")
        assert list(s.members.index) == [f"{path.name}[SCI,{k}]" for k in (1, 2, 3, 4)]
        assert s.members.dq_from.tolist() == [f"{WFPC2}_c1f.fits.gz[SDQ,{k}]" for k in (1, 2, 3, 4)]
        with fits.open(path) as hdus:
            stored, table = hdus[0].data, hdus[1].data
            assert s.masks.good.tolist() == table["GPIXELS"].tolist()
            assert s.members.detector.tolist() == [str(k) for k in table["DETECTOR"]]
            areas = np.abs(table["CD1_1"] * table["CD2_2"] - table["CD1_2"] * table["CD2_1"]) * 3600**2
            np.testing.assert_allclose(s.members.pixel_scale**2, areas, rtol=0.02)
        with opened(path) as hdus:
            assert [h.data.tobytes() for h in hdus[1:]] == [image.tobytes() for image in stored]
        assert (s.members.exptime == 100.0).all()
        flagged = s.sky.sky_data
        assert (flagged - s.configure(dq_bits=None).sky.sky_data).abs().min() > 0.1

    def test_match_finds_a_sky_planted_in_a_moved_copy(self, realdata, tmp_path, monkeypatch):
        """On the command line; the copy's stars have moved, so the answer is as good as medians of a crowded field."""
        monkeypatch.chdir(tmp_path)
        for kind in ("c0f", "c1f"):
            source = realdata / "wfpc2_waiver" / f"{WFPC2}_{kind}.fits.gz"
            shutil.copy(source, tmp_path)
            moved_copy(source, tmp_path / f"moved_{kind}.fits", 3 / 3600, 10.0 if kind == "c0f" else 0.0)
        words = [f"{WFPC2}_c0f.fits.gz", "moved_c0f.fits", "--skymethod", "match", "--skystat", "median"]
        assert main(["match", *words, "--quiet", "--table", "t.json"]) == 0
        tables = json.loads(Path("t.json").read_text())
        sky = {row["member"]: row["sky"] for row in tables["sky"]}
        assert len(sky) == 8
        assert sky["moved_c0f.fits[SCI,3]"] - sky[f"{WFPC2}_c0f.fits.gz[SCI,3]"] == pytest.approx(10, abs=0.25)
        assert tables["members"][-1]["dq_from"] == "moved_c1f.fits[SDQ,4]"

    def test_filter(self, realdata):
        path = realdata / "wfpc2_waiver" / f"{WFPC2}_c0f.fits.gz"
        assert set(session(path).members["filter"]) == {"F555W"}


class TestSiblings:
    """DQ in a file beside the image, whose name follows from the image's."""

    @pytest.mark.parametrize(
        ("image", "quality"),
        [
            ("u_c0f.fits", "u_c1f.fits"),
            ("u_c0h.fits", "u_c1h.fits"),
            ("u_c0h.fits.gz", "u_c1h.fits.gz"),
            ("y_d0h.fits", "y_q0h.fits"),
            ("c4d_1_ooi_g_v1.fits", "c4d_1_ood_g_v1.fits"),
            ("c4d_1_ooi_g_v1.fits.gz", "c4d_1_ood_g_v1.fits.gz"),
        ],
    )
    def test_it_is_found_and_used(self, tmp_path, image, quality):
        data, flags = 5 + noise(), np.zeros(SHAPE, np.int16)
        data[:25] += 100
        flags[:25] = 2
        fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(data, tan_header(), name="S4")]).writeto(tmp_path / image)
        assert session(tmp_path / image).members.dq_from.tolist() == [f"missing: {quality}"]
        fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(flags, name="S4")]).writeto(tmp_path / quality)
        s = session(tmp_path / image, skymethod="localmin")
        assert s.members.dq_from.tolist() == [f"{quality}[S4,1]"]
        assert s.sky.sky_data.to_numpy() == pytest.approx([5], abs=0.02)
        assert s.configure(dq_bits=None).sky.sky_data.min() > 100

    def test_the_files_own_dq_comes_first(self, tmp_path):
        own, other = np.zeros(SHAPE, np.int16), np.ones(SHAPE, np.int16)
        own[:3] = 1
        science = fits.ImageHDU(noise(), tan_header(), name="SCI")
        fits.HDUList([fits.PrimaryHDU(), science, fits.ImageHDU(own, name="DQ")]).writeto(tmp_path / "u_c0h.fits")
        fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(other)]).writeto(tmp_path / "u_c1h.fits")
        s = session(tmp_path / "u_c0h.fits")
        assert s.members.dq_from.tolist() == ["[DQ,1]"]
        assert s.masks.bad_dq.tolist() == [3 * NX]

    def test_one_of_another_shape_is_an_error(self, tmp_path):
        fits.PrimaryHDU(noise(), tan_header()).writeto(tmp_path / "u_c0h.fits")
        fits.PrimaryHDU(np.zeros((3, 4), np.int16)).writeto(tmp_path / "u_c1h.fits")
        with pytest.raises(InputError, match=r"its DQ array has shape \(3, 4\), the image \(40, 60\)"):
            session(tmp_path / "u_c0h.fits").mask()
        assert session(tmp_path / "u_c0h.fits", dq_bits=None).masks.good.tolist() == [NY * NX]

    def test_a_changed_one_is_seen_by_load(self, tmp_path):
        fits.PrimaryHDU(noise(), tan_header()).writeto(tmp_path / "u_c0h.fits")
        flags = np.zeros(SHAPE, np.int16)
        fits.PrimaryHDU(flags).writeto(tmp_path / "u_c1h.fits")
        s = session(tmp_path / "u_c0h.fits")
        assert s.masks.bad_dq.tolist() == [0]
        fits.HDUList([fits.PrimaryHDU(flags + 1), fits.ImageHDU()]).writeto(tmp_path / "u_c1h.fits", overwrite=True)
        s.load()
        assert s.masks.bad_dq.tolist() == [NY * NX]

    @pytest.mark.parametrize(("image", "quality"), [("u_c0h.fits", "u_c1h.fits.gz"), ("U_C0H.FITS", "U_C1H.FITS")])
    def test_other_spellings(self, tmp_path, image, quality):
        fits.PrimaryHDU(noise(), tan_header()).writeto(tmp_path / image)
        fits.PrimaryHDU(np.zeros(SHAPE, np.int16)).writeto(tmp_path / quality)
        assert session(tmp_path / image).members.dq_from.tolist() == [f"{quality}[0]"]

    def test_geis_names_in_capitals(self, tmp_path):
        path = write_exposure(tmp_path / "U.C0H", [5])
        assert (tmp_path / "U.C1H").exists()
        assert session(path).members.dq_from.tolist() == ["U.C1H[DQ,1]"]


CODES = "codes, not bits"


@pytest.mark.filterwarnings("ignore::skymatch_nb.errors.SkyMatchWarning")
class TestCommunityPipeline:
    """DECam images whose ``ood`` files hold codes: 3 saturated, 4 bleeding."""

    def levels(self, realdata, **given):
        folder = realdata / "bok_mosaic3_decam" / "testcase6"
        return session(str(folder / "decam" / "CP" / "*" / "*" / "*_ooi_*.S4.fits"), **given)

    def test_flags_change_the_answer(self, realdata):
        s = self.levels(realdata)
        assert [name.replace("_ood_", "_ooi_") for name in s.members.dq_from] == list(s.members.index)
        assert s.masks.bad_dq.tolist() == [1692, 1605, 1761]
        used = s.solve().sky_data
        ignored = s.configure(dq_bits=None).solve().sky_data
        assert np.abs(used - ignored).max() > 2
        assert s.masks.bad_dq.tolist() == [0, 0, 0]

    @pytest.mark.parametrize("bits", [3, "4", "~4"])
    def test_bits_of_codes_are_warned_of(self, realdata, bits):
        with pytest.warns(SkyMatchWarning, match=CODES):
            self.levels(realdata, dq_bits=bits).mask()

    @pytest.mark.parametrize("bits", [0, None])
    def test_no_bits_are_no_reason_to_warn(self, realdata, bits):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            self.levels(realdata, dq_bits=bits).mask()
        assert not [w for w in caught if CODES in str(w.message)]


NPOL, D2IM = ("cpdis1", "cpdis2"), ("det2im1", "det2im2")


class TestLookupTables:
    """ACS/WFC's header names tables of NPOL and D2IM corrections that are extensions of the same file."""

    @pytest.fixture
    def acs(self, realdata, tmp_path):
        """Write the two chips, of zeros, with those tables that are named."""

        def write(*kept):
            path = tmp_path / f"{len(kept)}_flt.fits"
            with fits.open(realdata / "hst_acs_wfc" / "j94f05bgq_flt.fits.gz") as hdus:
                made = fits.HDUList([hdus[0].copy()])
                for hdu in hdus[1:]:
                    if hdu.name == "SCI":
                        made.append(fits.ImageHDU(np.zeros((2048, 4096), np.uint8), hdu.header))
                    elif hdu.name in kept:
                        made.append(hdu.copy())
                made.writeto(path, output_verify="ignore", overwrite=True)
            return path

        return write

    def shift(self, whole, member, missing):
        """Largest distance in pixels from where stwcs places pixels without some tables."""
        x, y = np.random.default_rng(1).uniform(0, 1, (2, 500)) * [[4095], [2047]]
        with fits.open(whole) as hdus:
            wcs = HSTWCS(hdus, ext=("SCI", int(member.ext[-1])))
        for table in missing:
            setattr(wcs, table, None)
        apart = np.subtract(member.wcs.to_sky(x, y), wcs.all_pix2world(x, y, 0))
        return np.abs(apart).max() * 3600 / 0.05

    def test_without_tables_the_rest_is_used_with_a_warning(self, acs):
        s = session(acs())
        text = r"distortion tables \(NPOL, D2IM\) are missing: .* \(0_flt.fits\[SCI,1\] and 1 more\)"
        with pytest.warns(SkyMatchWarning, match=text):
            assert s.load().pixel_scale.to_numpy() == pytest.approx(0.05)
        whole = acs("WCSDVARR", "D2IMARR")
        for member in s.fresh_result("load").members:
            assert self.shift(whole, member, [*NPOL, *D2IM]) < 1e-5
            assert 0.1 < self.shift(whole, member, []) < 0.5

    @pytest.mark.filterwarnings("ignore:distortion tables")
    @pytest.mark.parametrize(("kept", "missing"), [("WCSDVARR", "D2IM"), ("D2IMARR", "NPOL")])
    def test_tables_that_are_there_are_used(self, acs, kept, missing):
        s = session(acs(kept))
        s.load()
        for member in s.fresh_result("load").members:
            assert self.shift(acs("WCSDVARR", "D2IMARR"), member, {"NPOL": NPOL, "D2IM": D2IM}[missing]) < 1e-5
        assert any(f"distortion tables ({missing}) are missing" in note for note in s.notes)

    def test_with_its_tables_nothing_is_warned_of(self, acs):
        path = acs("WCSDVARR", "D2IMARR")
        s = session(path)
        s.load()
        assert not [note for note in s.notes if "distortion" in note]


@pytest.mark.filterwarnings("ignore:stwcs cannot read the header")
@pytest.mark.parametrize("instrument", ["WFPC2", "NICMOS"])
@pytest.mark.parametrize("primary", [True, False])
def test_hubble_mosaics_that_name_no_detector_have_a_wcs(tmp_path, instrument, primary):
    header = tan_header(TELESCOP="HST", INSTRUME=instrument)
    hdus = [fits.PrimaryHDU(noise(), header)] if primary else [fits.PrimaryHDU(), fits.ImageHDU(noise(), header)]
    hdus[0].header.update({"TELESCOP": "HST", "INSTRUME": instrument})
    fits.HDUList(hdus).writeto(tmp_path / "drz.fits")
    assert session(tmp_path / "drz.fits").members.pixel_scale.to_numpy() == pytest.approx([1.0])


def test_sources_of_decoded_files_are_read_as_pixels_and_flags(tmp_path):
    path = write_exposure(tmp_path / "u.c0h", [5], bad=2)
    s = session(path)
    s.load()
    (member,) = s.fresh_result("load").members
    assert read_pixels(member.pixels).shape == read_flags(member.quality).shape == SHAPE
    assert read_flags(member.quality).sum() == 8 * 2 * NX
    assert not read_pixels(member.pixels).flags.writeable


@pytest.mark.parametrize(("suffix", "pack"), [(".gz", gzip.compress), (".bz2", bz2.compress)])
@pytest.mark.parametrize("damage", ["half", "end", "flipped"])
def test_damaged_compressed_files_are_errors(mosaic, tmp_path, suffix, pack, damage):
    packed = pack(mosaic.paths[0].read_bytes())
    middle = len(packed) // 2
    spoilt = {
        "half": packed[:middle],
        "end": packed[:-4],
        "flipped": packed[:middle] + bytes([packed[middle] ^ 0x55]) + packed[middle + 1 :],
    }[damage]
    path = tmp_path / f"a.fits{suffix}"
    path.write_bytes(spoilt)
    with pytest.raises(InputError, match=rf"a\.fits{suffix}: .*(truncated|damaged|cannot be read|corrupt)"):
        SkyMatchSession(path, verbose=False).load()

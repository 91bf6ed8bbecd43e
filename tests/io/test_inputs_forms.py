"""Every form of input in a session and on the command line: lists, associations, masks, DQ arrays."""

import json
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

from skymatch_nb import InputError, SkyMatchSession, SkyMatchWarning
from skymatch_nb.cli import main
from skymatch_nb.io.asn import association_files
from skymatch_nb.io.inputs import Extension, ImageSpec, MaskSpec, parse_at_file, parse_cs_line, resolve_inputs

SHAPE = (40, 60)


def header(ra=10.0, **cards):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval, wcs.wcs.crpix = ("RA---TAN", "DEC--TAN"), (ra, 20.0), (30.5, 20.5)
    wcs.wcs.cdelt = -1 / 3600, 1 / 3600
    made = wcs.to_header()
    made.update({"BUNIT": "electron/s"} | cards)
    return made


def pixels(level, seed=0, bad=0):
    """Noise about a level; the first ``bad`` rows are wrong by 100."""
    data = (level + 0.1 * np.random.default_rng(seed).standard_normal(SHAPE)).astype(np.float32)
    data[:bad] += 100
    return data


def exposure(path, *levels, bad=0, dq=False):
    """File with an SCI extension for each level, the second one to the east of the first."""
    hdus = [fits.PrimaryHDU()]
    for version, level in enumerate(levels, 1):
        data = pixels(level, version, bad)
        hdus.append(fits.ImageHDU(data, header(10 + (version - 1) * 0.05), name="SCI", ver=version))
        if dq:
            hdus.append(fits.ImageHDU((data > 50).astype(np.int16), name="DQ", ver=version))
    fits.HDUList(hdus).writeto(path)
    return path


def good_rows(path, bad, extension=0, value=1):
    """Mask that keeps all but the first rows."""
    good = np.zeros(SHAPE, np.uint8)
    good[bad:] = value
    fits.HDUList([fits.PrimaryHDU(good if extension == 0 else None), fits.ImageHDU(good, name="MASK")]).writeto(path)
    return path


def association(path, *rows, present=True):
    """Association table of (MEMNAME, MEMTYPE, MEMPRSNT)."""
    names, kinds, here = zip(*rows, strict=True)
    columns = [fits.Column("MEMNAME", "14A", array=names), fits.Column("MEMTYPE", "14A", array=kinds)]
    if present:
        columns.append(fits.Column("MEMPRSNT", "L", array=here))
    fits.HDUList([fits.PrimaryHDU(), fits.BinTableHDU.from_columns(columns, name="ASN")]).writeto(path)
    return path


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder with two exposures of two chips, the second higher by 2; 25 of 40 rows are wrong by 100."""
    monkeypatch.chdir(tmp_path)
    exposure(tmp_path / "a_flt.fits", 5, 6, bad=25)
    exposure(tmp_path / "b_flt.fits", 7, 8)
    good_rows(tmp_path / "m.fits", 25)
    return tmp_path


def names(inputs):
    return [str(spec.path) for spec in resolve_inputs(inputs)]


def session(inputs, **given):
    return SkyMatchSession(inputs, verbose=False, **({"skymethod": "match", "skystat": "median"} | given))


def difference(inputs, **given):
    """Level of the second file minus that of the first."""
    levels = session(inputs, **given).solve().groupby("group", sort=False).sky_data.first()
    return levels.iloc[1] - levels.iloc[0]


class TestMembers:
    @pytest.mark.parametrize(
        ("inputs", "expected"),
        [
            ("a_flt.fits", ["a_flt.fits[SCI,1]", "a_flt.fits[SCI,2]"]),
            ("a_flt.fits[1]", ["a_flt.fits[SCI,1]"]),
            ("a_flt.fits[sci,2], b_flt.fits[1]", ["a_flt.fits[SCI,2]", "b_flt.fits[SCI,1]"]),
            ("b_flt.fits{('sci',*)}", ["b_flt.fits[SCI,1]", "b_flt.fits[SCI,2]"]),
            ("b_flt.fits{2,('sci',1)}", ["b_flt.fits[SCI,2]", "b_flt.fits[SCI,1]"]),
            ("b_flt.fits{2,'sci'}", ["b_flt.fits[SCI,2]", "b_flt.fits[SCI,1]"]),
            ("?_flt.fits[sci,2]", ["a_flt.fits[SCI,2]", "b_flt.fits[SCI,2]"]),
            (
                ["b_flt.fits[1]", "a_flt.fits[1]", "b_flt.fits[2]"],
                [f"{m}[SCI,{k}]" for m, k in (("b_flt.fits", 1), ("b_flt.fits", 2), ("a_flt.fits", 1))],
            ),
            (
                [ImageSpec(Path("b_flt.fits"), (Extension(number=2),)), Path("a_flt.fits")],
                ["b_flt.fits[SCI,2]", "a_flt.fits[SCI,1]", "a_flt.fits[SCI,2]"],
            ),
        ],
    )
    def test_members_in_the_order_given(self, folder, inputs, expected):
        assert list(session(inputs).members.index) == expected

    @pytest.mark.parametrize("text", ["a_flt.fits[3]", "a_flt.fits[sci,3]", "a_flt.fits[err]", "a_flt.fits{'err'}"])
    def test_a_missing_extension_is_named(self, folder, text):
        with pytest.raises(InputError, match=r"a_flt.fits\[.+\]: no such extension \(it has 0, SCI,1, SCI,2\)"):
            session(text).load()

    def test_a_path_is_never_parsed(self, folder):
        odd = exposure(folder / "odd[1]{2},'x'.fits", 5)
        assert list(session([odd]).members.file) == [odd.name]
        with pytest.raises(InputError, match="no such file"):
            session(Path("a_flt.fits[1]"))

    def test_a_specification_may_hold_a_text_for_a_path(self, folder):
        assert names([ImageSpec("a_flt.fits")]) == ["a_flt.fits"]

    @pytest.mark.parametrize("inputs", [5, [5], b"a_flt.fits", [None], np.zeros((3, 3)), [["a_flt.fits"]]])
    def test_what_is_no_input_is_told_in_one_line(self, folder, inputs):
        with pytest.raises(InputError) as error:
            resolve_inputs(inputs)
        assert str(error.value).startswith("cannot read input of type ")

    def test_an_array_is_told_in_one_line(self):
        with pytest.raises(InputError) as error:
            resolve_inputs(np.zeros((2, 3, 3)))
        assert "\n" not in str(error.value)


ROWS = [("J1A", "EXP-DTH", True), ("J1B", "EXP-DTH", True), ("J1C", "EXP-DTH", False), ("J1Z", "PROD-DTH", True)]


class TestAssociations:
    @pytest.fixture
    def beside(self, tmp_path, monkeypatch):
        """A folder with an association of two exposures that are there, one that is not, and a product."""
        monkeypatch.chdir(tmp_path)
        exposure(tmp_path / "j1a_flt.fits", 5, 5)
        exposure(tmp_path / "j1b_flt.fits", 7, 7)
        exposure(tmp_path / "j1z_drz.fits", 9)
        association(tmp_path / "j1_asn.fits", *ROWS)
        return tmp_path

    @pytest.mark.parametrize("given", ["j1_asn.fits", "*_asn.fits", Path("j1_asn.fits"), ["j1_asn.fits"]])
    def test_the_exposures_that_are_present(self, beside, given):
        assert names(given) == ["j1a_flt.fits", "j1b_flt.fits"]

    @pytest.mark.parametrize("extension", ["[sci,2]", "{('sci',*)}", "[1]"])
    def test_an_extension_holds_for_each(self, beside, extension):
        expected = parse_cs_line(f"j1a_flt.fits{extension},j1b_flt.fits{extension}")
        assert parse_cs_line(f"j1_asn.fits{extension}") == expected

    def test_the_same_levels_as_the_files(self, beside):
        assert difference("j1_asn.fits") == difference(["j1a_flt.fits", "j1b_flt.fits"]) == pytest.approx(2, abs=0.02)

    def test_files_are_looked_for_beside_the_table(self, beside, tmp_path_factory, monkeypatch):
        other = tmp_path_factory.mktemp("elsewhere")
        exposure(other / "j1a_flt.fits", 1)
        monkeypatch.chdir(other)
        assert names(str(beside / "j1_asn.fits")) == [str(beside / f"j1{x}_flt.fits") for x in "ab"]
        (other / "list.txt").write_text(f"{beside}/j1_asn.fits[1]\n")
        assert [str(s.path) for s in parse_at_file("list.txt")] == [str(beside / f"j1{x}_flt.fits") for x in "ab"]

    def test_asc_tables_and_tables_without_presence(self, beside):
        association(beside / "j1_asc.fits", ("J1B", "EXP-CRJ", False), ("J1Z", "PROD-CRJ", False), present=False)
        assert names("j1_asc.fits") == ["j1b_flt.fits"]

    @pytest.mark.parametrize(
        ("files", "found"),
        [
            (["j1a_flt.fits", "j1a_flc.fits"], "j1a_flc.fits"),
            (["j1a_flt.fits", "j1a_c0f.fits"], "j1a_flt.fits"),
            (["j1a_c0h.fits", "j1a_c0f.fits"], "j1a_c0h.fits"),
            (["j1a_c0f.fits", "j1a.c0h"], "j1a_c0f.fits"),
            (["j1a.c0h", "j1a_raw.fits"], "j1a.c0h"),
            (["J1A_flt.fits"], "J1A_flt.fits"),
            (["j1a_flc.fits.gz", "j1a_flt.fits"], "j1a_flc.fits.gz"),
        ],
    )
    def test_the_best_calibrated_file_of_a_root_name(self, tmp_path, files, found):
        for name in files:
            (tmp_path / name).touch()
        table = association(tmp_path / "x_asn.fits", ("J1A", "EXP-DTH", True))
        assert [path.name for path in association_files(table)] == [found]

    def test_names_of_files_in_a_table(self, tmp_path):
        (tmp_path / "image_cal.fits").touch()
        table = association(tmp_path / "x_asn.fits", ("image_cal.fits", "SCIENCE", True))
        assert association_files(table) == [tmp_path / "image_cal.fits"]

    def test_a_missing_exposure_is_an_error(self, beside):
        (beside / "j1b_flt.fits").unlink()
        with pytest.raises(InputError, match=r"j1_asn.fits: no file of the exposure 'J1B' beside it \(looked for _flc"):
            resolve_inputs("j1_asn.fits")

    @pytest.mark.parametrize("rows", [[("J1A", "EXP-DTH", False)], [("J1Z", "PROD-DTH", True)]])
    def test_a_table_of_no_exposure_is_an_error(self, tmp_path, rows):
        with pytest.raises(InputError, match="lists no exposure that is present"):
            resolve_inputs(str(association(tmp_path / "x_asn.fits", *rows)))

    def test_a_file_without_a_table_is_an_error(self, folder):
        (folder / "a_flt.fits").rename("a_asn.fits")
        with pytest.raises(InputError, match=r"a_asn.fits: no association table"):
            resolve_inputs("a_asn.fits")
        Path("b_asn.fits").write_text("no FITS")
        with pytest.raises(InputError, match=r"b_asn.fits: not a FITS file"):
            resolve_inputs("b_asn.fits")


class TestMaskFiles:
    """Rows of the first exposure are wrong by 100; they are two thirds, so that clipping alone does not help."""

    def test_without_a_mask_the_answer_is_wrong(self, folder):
        assert difference("a_flt.fits,b_flt.fits") < -50

    @pytest.mark.parametrize(
        "line",
        [
            "a_flt.fits,m.fits,m.fits[mask]",
            "a_flt.fits{1,2},m.fits,m.fits[1]",
            "a_flt.fits[1],m.fits",
            "a_flt.fits[sci,2],m.fits[0]",
        ],
    )
    def test_masks_of_an_at_file(self, folder, line):
        Path("list.txt").write_text(f"{line}  # masked\nb_flt.fits\n")
        assert difference("@list.txt") == pytest.approx(2, abs=0.05)

    def test_masks_belong_to_extensions_by_position(self, folder):
        Path("list.txt").write_text("a_flt.fits{2,1},None,m.fits\n")
        assert session("@list.txt").masks.bad_user.to_dict() == {
            "a_flt.fits[SCI,2]": 0,
            "a_flt.fits[SCI,1]": 25 * SHAPE[1],
        }

    @pytest.mark.parametrize("value", [1, 7, 255])
    def test_whatever_is_not_zero_is_good(self, folder, value):
        good_rows(Path("v.fits"), 25, value=value)
        Path("list.txt").write_text("b_flt.fits[1],v.fits\n")
        assert session("@list.txt").masks.good.tolist() == [15 * SHAPE[1]]

    def test_masks_in_specifications(self, folder):
        spec = ImageSpec(Path("a_flt.fits"), (), (MaskSpec(Path("m.fits")), MaskSpec(Path("m.fits"), Extension(1))))
        assert difference([spec, "b_flt.fits"]) == pytest.approx(2, abs=0.05)

    def test_masks_and_dq_flags_are_combined(self, folder):
        exposure(folder / "c_flt.fits", 5, bad=10, dq=True)
        good_rows(Path("n.fits"), 25)
        Path("list.txt").write_text("c_flt.fits,n.fits\n")
        (row,) = session("@list.txt").masks.to_dict("records")
        assert (row["bad_dq"], row["bad_user"], row["good"]) == (10 * SHAPE[1], 25 * SHAPE[1], 15 * SHAPE[1])
        (row,) = session(
            "@list.txt", masks={"c_flt.fits": np.arange(SHAPE[0])[:, None] * np.ones(SHAPE) < 30}
        ).masks.to_dict("records")
        assert row["good"] == 5 * SHAPE[1]

    def test_more_masks_than_images_are_an_error(self, folder):
        Path("list.txt").write_text("a_flt.fits,m.fits,m.fits,m.fits\n")
        with pytest.raises(InputError, match=r"a_flt.fits: 3 masks for 2 images"):
            session("@list.txt").load()

    @pytest.mark.parametrize(
        ("line", "reason"),
        [
            ("a_flt.fits,m.fits[7]", r"m.fits\[7\]: no such extension"),
            ("a_flt.fits,list.txt", "list.txt: not a FITS file"),
            ("a_flt.fits,b_flt.fits", r"b_flt.fits\[0\]: 0-D data where a 2-D image is needed"),
            (
                "a_flt.fits,small.fits",
                r"a_flt.fits\[SCI,1\]: its user mask .*small.fits\[0\] has shape \(3, 4\), the image \(40, 60\)",
            ),
        ],
    )
    def test_a_mask_that_cannot_be_used_is_an_error(self, folder, line, reason):
        fits.PrimaryHDU(np.ones((3, 4))).writeto("small.fits")
        Path("list.txt").write_text(f"{line}\n")
        with pytest.raises(InputError, match=reason):
            session("@list.txt").mask()

    @pytest.mark.parametrize(
        ("line", "column", "reason"),
        [
            ("a_flt.fits[sci,3]", 2, r"a_flt.fits\[SCI,3\]: no such extension"),
            ("a_flt.fits{1,9}", 2, r"a_flt.fits\[9\]: no such extension"),
            ("list.txt", 2, "list.txt: not a FITS file"),
            ("m.fits", 2, r"m.fits\[0\]: .*WCS"),
            ("a_flt.fits, , m.fits[7]", 16, r"m.fits\[7\]: no such extension"),
            ("a_flt.fits, , m.fits['spam']", 16, r"m.fits\[SPAM,1\]: no such extension"),
            ("a_flt.fits, list.txt", 14, "list.txt: not a FITS file"),
            ("a_flt.fits, m.fits, small.fits", 22, r"a_flt.fits\[SCI,2\]: its user mask .* has shape \(3, 4\)"),
            ("a_flt.fits, m.fits, m.fits, m.fits", 30, "a_flt.fits: 3 masks for 2 images"),
            ("a_flt.fits, m.fits, , , m.fits", 26, "a_flt.fits: 4 masks for 2 images"),
        ],
    )
    def test_errors_of_opening_name_file_line_and_column_of_the_list(self, folder, line, column, reason):
        fits.PrimaryHDU(np.ones((3, 4))).writeto("small.fits")
        Path("list.txt").write_text(f"# exposures\nb_flt.fits\n {line}\n")
        with pytest.raises(InputError, match=f"^list.txt, line 3, column {column}: .*{reason}"):
            session("@list.txt").load()

    def test_a_file_that_has_gone_is_told_with_its_line(self, folder):
        Path("list.txt").write_text("b_flt.fits\na_flt.fits[1], m.fits\n")
        for name, place in (("m.fits", "column 16"), ("b_flt.fits", "line 1, column 1")):
            s = session("@list.txt")
            Path(name).rename("away")
            with pytest.raises(InputError, match=f"list.txt, .*{place}: .*{name}: No such file"):
                s.load()
            Path("away").rename(name)

    def test_where_a_specification_was_named_does_not_tell_two_apart(self, folder):
        Path("list.txt").write_text("a_flt.fits[1], m.fits\n")
        Path("other.txt").write_text("# the same\n  a_flt.fits[1], m.fits\n")
        (one,), (other,) = parse_at_file("list.txt"), parse_at_file("other.txt")
        assert (one, hash(one), repr(one)) == (other, hash(other), repr(other))
        assert (one.origin, other.origin) == ("list.txt, line 1, column 1", "other.txt, line 2, column 3")
        assert other.masks[0].origin == "other.txt, line 2, column 18"

    def test_a_changed_mask_is_seen_by_load(self, folder):
        Path("list.txt").write_text("a_flt.fits[1],m.fits\nb_flt.fits[1]\n")
        s = session("@list.txt")
        assert s.masks.bad_user.tolist() == [25 * SHAPE[1], 0]
        Path("m.fits").unlink()
        good_rows(Path("m.fits"), 30)
        s.load()
        assert s.masks.bad_user.tolist() == [30 * SHAPE[1], 0]

    def test_a_file_given_twice_with_masks_is_an_error(self, folder):
        Path("list.txt").write_text("a_flt.fits[1],m.fits\na_flt.fits[2]\n")
        place = "list.txt, line 2, column 1"
        with pytest.raises(
            InputError, match=rf"^{place}: a_flt.fits is named twice, with masks \(first in list.txt, line 1"
        ):
            session("@list.txt")

    def test_a_file_given_twice_is_told_with_both_lines(self, folder):
        Path("list.txt").write_text("a_flt.fits[1]\nb_flt.fits\na_flt.fits[9]\n")
        places = "list.txt, line 1, column 1 and list.txt, line 3, column 1"
        with pytest.raises(InputError, match=rf"^{places}: a_flt.fits\[9\]: no such extension"):
            session("@list.txt").load()


class TestMasksOfASession:
    @pytest.mark.parametrize(
        "value",
        [
            np.arange(SHAPE[0])[:, None] * np.ones(SHAPE) >= 25,
            "m.fits",
            "m.fits[mask]",
            Path("m.fits"),
            lambda data: data < 50,
            lambda data: (data < 50).tolist(),
        ],
        ids=["array", "name", "name and extension", "path", "function", "function that gives a list"],
    )
    def test_arrays_names_paths_and_functions(self, folder, value):
        found = difference(["a_flt.fits[1]", "b_flt.fits[1]"], masks={"a_flt.fits": value})
        assert found == pytest.approx(2, abs=0.05)

    def test_by_member(self, folder):
        good = np.ones(SHAPE)
        good[:3] = 0
        masks = session("a_flt.fits", masks={"a_flt.fits[SCI,2]": good}).masks
        assert masks.bad_user.tolist() == [0, 3 * SHAPE[1]]

    @pytest.mark.parametrize(
        ("given", "reason"),
        [
            (
                {"a_flt.fits": np.ones(SHAPE)},
                r"one mask was given for 'a_flt.fits', which has 2 members \(a_flt.fits\[SCI,1\], .*SCI,2\]\): "
                r"give one for each, {'a_flt.fits\[SCI,1\]': ..., 'a_flt.fits\[SCI,2\]': ...}",
            ),
            ({"a_flt.fits[3]": np.ones(SHAPE)}, "'a_flt.fits\\[3\\]', which is no member"),
            ({"a_flt.fits{1,2}": np.ones(SHAPE)}, "'a_flt.fits\\{1,2\\}', which is no member"),
            ({"b/a_flt.fits[1]": np.ones(SHAPE)}, "'b/a_flt.fits\\[1\\]', which is no member"),
            (
                {5: np.ones(SHAPE)},
                "'5', which is no member \\(members are a_flt.fits\\[SCI,1\\], a_flt.fits\\[SCI,2\\]\\)",
            ),
            (
                {"a_flt.fits[1]": np.ones(SHAPE), "a_flt.fits[SCI,1]": np.ones(SHAPE)},
                r"given twice for a_flt.fits\[SCI,1\], the second time as 'a_flt.fits\[SCI,1\]'",
            ),
            ({"c.fits[SCI,1]": np.ones(SHAPE)}, "a mask was given for 'c.fits\\[SCI,1\\]', which is no member"),
            ({"a_flt.fits[SCI,1]": np.ones((3, 4))}, "its user mask has shape \\(3, 4\\)"),
            ({"a_flt.fits[SCI,1]": np.ones(5)}, "a 2-D image is needed"),
            ({"a_flt.fits[SCI,1]": "none.fits"}, "no such file: 'none.fits'"),
            ({"a_flt.fits[SCI,1]": Path("none.fits")}, "no such file: 'none.fits'"),
            ({"a_flt.fits[SCI,1]": 5}, "cannot read one from a int"),
            (
                {"a_flt.fits[SCI,1]": "m.fits{0,1}"},
                r"in 'm.fits\{0,1\}': column 1: a mask must be one extension of 'm.fits'",
            ),
            ({"a_flt.fits[SCI,1]": "m.fits[7]"}, r"^a_flt.fits\[SCI,1\]'s mask: .*m.fits\[7\]: no such extension"),
            ("m.fits", "masks must be a mapping of members' names, not of type str"),
            (["m.fits"], "masks must be a mapping of members' names, not of type list"),
        ],
    )
    def test_what_cannot_be_a_mask(self, folder, given, reason):
        with pytest.raises(InputError, match=reason):
            session("a_flt.fits", masks=given).mask()

    @pytest.mark.parametrize("name", ["a_flt.fits[2]", "a_flt.fits[sci,2]", "a_flt.fits['SCI',2]", "{}/a_flt.fits[2]"])
    def test_a_member_may_be_named_as_in_an_input(self, folder, name):
        s = session("a_flt.fits", masks={name.format(folder): "m.fits"}, dq={name.format(folder): np.ones(SHAPE, int)})
        assert s.masks.bad_user.tolist() == [0, 25 * SHAPE[1]]
        assert s.members.dq_from.tolist() == ["", "given"]

    @pytest.mark.parametrize("of", [str, Path])
    def test_a_file_with_one_member_may_be_named_by_its_path(self, folder, of):
        (folder / "deep").mkdir()
        exposure(folder / "deep" / "c_flt.fits", 5)
        exposure(folder / "c_flt.fits", 5)
        s = session(["c_flt.fits", "deep/c_flt.fits"], masks={of(folder / "deep" / "c_flt.fits"): "m.fits"})
        assert s.masks.bad_user.tolist() == [0, 25 * SHAPE[1]]

    @pytest.mark.parametrize("what", ["masks", "dq"])
    @pytest.mark.parametrize("form", ["array", "file"])
    def test_a_change_is_seen_by_load(self, folder, what, form):
        array = np.ones(SHAPE, np.uint8)
        fits.PrimaryHDU(array).writeto("g.fits")
        s = session("a_flt.fits[1]", **{what: {"a_flt.fits": array if form == "array" else "g.fits"}})
        good = s.masks.good.tolist()
        array[:7] = 0
        fits.HDUList([fits.PrimaryHDU(array), fits.ImageHDU()]).writeto("g.fits", overwrite=True)
        s.load()
        assert s.masks.good.tolist() != good


class TestGivenDq:
    @pytest.mark.parametrize("form", ["array", "file", "file and extension", "path", "function"])
    def test_forms(self, folder, form):
        flags = np.zeros(SHAPE, np.int16)
        flags[:25] = 4
        fits.HDUList([fits.PrimaryHDU(flags), fits.ImageHDU(flags)]).writeto("dq.fits")
        value = {
            "array": flags,
            "file": "dq.fits",
            "file and extension": "dq.fits[1]",
            "path": Path("dq.fits"),
            "function": lambda data: np.where(data > 50, 4, 0),
        }[form]
        inputs, dq = ["a_flt.fits[1]", "b_flt.fits[1]"], {"a_flt.fits": value}
        assert difference(inputs, dq=dq) == pytest.approx(2, abs=0.05)
        assert difference(inputs, dq=dq, dq_bits="4") < -50

    def test_it_takes_the_place_of_the_files_own(self, folder):
        exposure(folder / "c_flt.fits", 5, bad=10, dq=True)
        s = session("c_flt.fits")
        assert s.members.dq_from.tolist() == ["[DQ,1]"]
        assert s.masks.bad_dq.tolist() == [10 * SHAPE[1]]
        s = session("c_flt.fits", dq={"c_flt.fits": np.eye(*SHAPE, dtype=np.uint8)})
        assert s.masks.bad_dq.tolist() == [40]

    @pytest.mark.parametrize(
        ("value", "reason"),
        [
            (np.zeros((3, 4), int), r"its DQ array has shape \(3, 4\), the image \(40, 60\)"),
            (np.full(SHAPE, 0.5), "a DQ array must hold integers"),
        ],
    )
    def test_what_cannot_be_dq(self, folder, value, reason):
        with pytest.raises(InputError, match=reason):
            session("a_flt.fits", dq={"a_flt.fits[SCI,1]": value}).mask()

    def test_the_members_table_tells_that_it_was_given(self, folder):
        exposure(folder / "c_flt.fits", 5, bad=10, dq=True)
        members = session("c_flt.fits", dq={"c_flt.fits": np.zeros(SHAPE, int)}).members
        assert members.dq_from.tolist() not in (["[DQ,1]"], [""])


class TestMissingDq:
    """A DQ array that ought to be there and is not: a warning, and a word in the members table."""

    @pytest.fixture
    def night(self, folder):
        for k in range(3):
            fits.PrimaryHDU(pixels(5 + k), header()).writeto(f"n{k}_ooi_v1.fits")
            if k < 2:
                fits.PrimaryHDU(np.eye(*SHAPE, dtype=np.int16)).writeto(f"n{k}_ood_v1.fits")
        return folder

    def test_one_file_of_several(self, night):
        s = session("n?_ooi_v1.fits", dq_bits=0)
        with pytest.warns(SkyMatchWarning, match=r"in n2_ooi_v1.fits \(n2_ood_v1.fits\)$"):
            assert s.masks.bad_dq.tolist() == [40, 40, 0]
        assert s.members.dq_from.tolist() == ["n0_ood_v1.fits[0]", "n1_ood_v1.fits[0]", "missing: n2_ood_v1.fits"]

    def test_none_is_missed_where_it_is_ignored_or_given(self, night):
        assert session("n?_ooi_v1.fits", dq_bits=None).masks.bad_dq.tolist() == [0, 0, 0]
        s = session("n?_ooi_v1.fits", dq={"n2_ooi_v1.fits": np.eye(*SHAPE, dtype=int)}, dq_bits=0)
        assert s.masks.bad_dq.tolist() == [40, 40, 40]
        assert s.members.dq_from.tolist()[2] == "given"

    def test_an_extension_of_several(self, folder):
        exposure(folder / "c_flt.fits", 5, 6, dq=True)
        with fits.open("c_flt.fits") as hdus:
            fits.HDUList([hdu for hdu in hdus if (hdu.name, hdu.ver) != ("DQ", 2)]).writeto("d_flt.fits")
        s = session("d_flt.fits")
        with pytest.warns(SkyMatchWarning, match=r"in d_flt.fits \(\[DQ,2\]\)$"):
            s.mask()
        assert s.members.dq_from.tolist() == ["[DQ,1]", "missing: [DQ,2]"]

    def test_an_extension_of_the_file_beside(self, folder):
        exposure(folder / "u1_c0h.fits", 5, 6)
        flags = fits.ImageHDU(np.zeros(SHAPE, np.int16), name="SCI")
        fits.HDUList([fits.PrimaryHDU(), flags]).writeto("u1_c1h.fits")
        s = session("u1_c0h.fits")
        with pytest.warns(SkyMatchWarning, match=r"in u1_c0h.fits \(u1_c1h.fits\[SCI,2\]\)$"):
            s.mask()
        assert s.members.dq_from.tolist() == ["u1_c1h.fits[SCI,1]", "missing: u1_c1h.fits[SCI,2]"]

    def test_many_are_counted(self, folder):
        for k in range(6):
            fits.PrimaryHDU(pixels(5), header()).writeto(f"n{k}_ooi_v1.fits")
        with pytest.warns(SkyMatchWarning, match=r"\(n2_ood_v1.fits\) and 3 more$"):
            session("n?_ooi_v1.fits", dq_bits=0).mask()


class TestWildcardsThatPickOthers:
    @pytest.fixture
    def mixed(self, folder):
        fits.PrimaryHDU(np.ones(SHAPE)).writeto("a_wht.fits")
        Path("notes.fits").write_text("no FITS")
        return folder

    def test_one_error_names_all_and_the_wildcard(self, mixed):
        with pytest.raises(InputError) as error:
            session("*.fits").load()
        text = str(error.value)
        assert text.startswith("3 of 5 files that '*.fits' matches cannot be used: a_wht.fits[0], m.fits[0]: no ")
        assert text.endswith("/notes.fits: not a FITS file")

    def test_a_name_given_beside_it_is_told_by_itself(self, mixed):
        with pytest.raises(InputError, match=r"^m.fits\[0\]: no celestial WCS"):
            session(["m.fits", "*.fits"]).load()

    def test_an_association_that_cannot_be_read_is_told_with_the_others(self, mixed):
        Path("m.fits").rename("x_asn.fits")
        association(mixed / "y_asn.fits", *ROWS)
        with pytest.raises(InputError) as error:
            session("*.fits").load()
        text = str(error.value)
        assert text.startswith("4 of 6 files that '*.fits' matches cannot be used: a_wht.fits[0]: no celestial WCS")
        assert "x_asn.fits: no association table" in text
        assert "y_asn.fits: no file of the exposure 'J1A' beside it" in text

    def test_a_line_of_a_list_comes_first(self, mixed):
        Path("list.txt").write_text("b_flt.fits\n [am]*.fits\n")
        start = r"^list.txt, line 2, column 2: 2 of 3 files that '\[am\]\*.fits' matches cannot be used: a_wht"
        with pytest.raises(InputError, match=start):
            session("@list.txt").load()

    @pytest.mark.parametrize("given", ["n?_oo?_v1.fits", ["n0_ooi_v1.fits", "n0_ood_v1.fits"]])
    def test_quality_files_that_can_be_measured_are_warned_of(self, folder, given):
        for kind in "id":
            fits.PrimaryHDU(pixels(5).astype(int), header()).writeto(f"n0_oo{kind}_v1.fits")
        picked = r", which 'n\?_oo\?_v1.fits' matches" if isinstance(given, str) else ""
        with pytest.warns(SkyMatchWarning, match=f"^data quality .* taken as images: n0_ood_v1.fits{picked}$"):
            session(given).load()

    def test_many_are_counted(self, folder):
        for k in range(8):
            fits.PrimaryHDU(np.ones(SHAPE)).writeto(f"w{k}.fits")
        with pytest.raises(
            InputError, match=r"^8 of 8 files that 'w\*.fits' matches .* w2.fits\[0\] and 5 more: no celestial"
        ):
            session("w*.fits").load()


class TestCommandLine:
    def run(self, folder, *words):
        code = main(["match", *words, "--skymethod", "match", "--skystat", "median", "--quiet", "--table", "t.json"])
        content = json.loads((folder / "t.json").read_text()) if code == 0 else None
        return code, content and {row["member"]: row["sky_data"] for row in content["sky"]}

    def test_a_list_with_masks(self, folder):
        Path("list.txt").write_text("# two exposures\na_flt.fits{('sci',*)},m.fits,m.fits[1]\n\nb_flt.fits\n")
        code, sky = self.run(folder, "@list.txt")
        assert code == 0
        assert list(sky) == [f"{x}_flt.fits[SCI,{k}]" for x in "ab" for k in (1, 2)]
        assert sky["b_flt.fits[SCI,1]"] - sky["a_flt.fits[SCI,1]"] == pytest.approx(2, abs=0.05)

    def test_an_association(self, folder):
        association(folder / "x_asn.fits", ("a_flt.fits", "EXP-DTH", True), ("B", "EXP-DTH", True), ROWS[-1])
        code, sky = self.run(folder, "x_asn.fits[sci,2]")
        assert code == 0
        assert list(sky) == ["a_flt.fits[SCI,2]", "b_flt.fits[SCI,2]"]

    @pytest.mark.parametrize("extension", ['{("sci",*)}', "{('sci',*)}", "{sci}"])
    def test_every_version_of_an_extension(self, folder, extension):
        code, sky = self.run(folder, f"a_flt.fits{extension}", f"b_flt.fits{extension}")
        assert code == 0
        assert list(sky) == [f"{x}_flt.fits[SCI,{k}]" for x in "ab" for k in (1, 2)]

    def test_several_names_in_one_word(self, folder):
        code, sky = self.run(folder, "a_flt.fits[1], b_flt.fits[sci,2]", "b_flt.fits[1]")
        assert code == 0
        assert list(sky) == ["a_flt.fits[SCI,1]", "b_flt.fits[SCI,2]", "b_flt.fits[SCI,1]"]

    @pytest.mark.parametrize(
        ("word", "reason"),
        [
            ("@list.txt", "list.txt, line 2, column 17: expected an extension's version"),
            ("@list.txt[1]", "an @-file takes no extension specification"),
            ("@none.txt", "No such file"),
            ("a_flt.fits[sci", "column 15: expected ']'"),
            ("a_flt.fits,", "column 12: a file name is empty"),
        ],
    )
    def test_bad_input_is_one_line_and_exit_code_2(self, folder, capsys, word, reason):
        Path("list.txt").write_text("a_flt.fits\nb_flt.fits{(sci,x)}\n")
        assert self.run(folder, word)[0] == 2
        error = capsys.readouterr().err
        assert reason in error
        assert error.count("\n") == 1

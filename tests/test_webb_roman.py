"""Roman L2 files as roman_datamodels writes them: read, grouped, matched, written and brought back."""

import gzip

import numpy as np
import pytest
from webb_files import DO_NOT_USE, asdf, imaging_gwcs, levels_of, planted, window, write_roman

from skymatch_nb import SkyMatchSession
from skymatch_nb.cli import main
from skymatch_nb.errors import InputError, InputTypeError, SkyMatchError, SkyMatchWarning
from skymatch_nb.io.asdf_files import opened_asdf
from skymatch_nb.io.edits import ExtensionEdit, FileEdit
from skymatch_nb.io.roman_edit import verify_edited, write_edited

SHAPE = (120, 150)
LEVELS = (0.31, 0.52, 0.45)
CORNERS = ((0.0, 0.0), (60.3, 20.0), (15.0, 50.7))
NOISE = 0.02


@pytest.fixture(scope="module")
def detector():
    return imaging_gwcs(shape=(420, 420), scale=0.11, bend=4.0)


@pytest.fixture
def mosaic(tmp_path, detector):
    files = []
    for k, (x, y) in enumerate(CORNERS):
        wcs = window(detector, x, y, SHAPE)
        dq = np.zeros(SHAPE, np.uint32)
        dq[:, :4] = DO_NOT_USE
        data = planted(wcs, SHAPE, LEVELS[k], seed=k, noise=NOISE)
        data[:, :4] = 1000.0
        name = f"r0000301002004005006_{k + 1:04d}_wfi01_f158_cal.asdf"
        files.append(write_roman(tmp_path / name, wcs, data, dq, exposure=k + 1))
    return files


@pytest.fixture
def one(tmp_path):
    """Write a small file."""

    def write(name="r_cal.asdf", **changes):
        return write_roman(tmp_path / name, imaging_gwcs(shape=(40, 50)), np.ones((40, 50)), **changes)

    return write


def match(files, **parameters):
    given = {"skymethod": "match", "skystat": "median", "verbose": False} | parameters
    return SkyMatchSession([str(f) for f in files], **given)


def opened(path):
    datamodels = pytest.importorskip("roman_datamodels.datamodels")
    model = datamodels.open(path)
    model.validate()
    return model


STEPS = (
    "assign_wcs", "dark", "dark_decay", "dq_init", "flat_field", "flux", "linearity", "outlier_detection", "photom",
    "ramp_fit", "refpix", "saturation", "skymatch", "source_catalog", "tweakreg", "wfi18_transient",
)  # fmt: skip


def add_steps(path, tag):
    """Give a file the status of all steps, none of them done, under the tag that old schemas ask for."""
    steps = dict.fromkeys(STEPS, "INCOMPLETE")
    with opened_asdf(path, "", raw=True) as file:
        file.tree["roman"]["meta"]["cal_step"] = asdf.tagged.TaggedDict(steps, tag) if tag else steps
        file.write_to(path.with_suffix(".new"))
    path.with_suffix(".new").replace(path)


def test_levels_are_those_that_were_planted(mosaic):
    for overlap_stat in ("region", "difference"):
        found = levels_of(match(mosaic, overlap_stat=overlap_stat).solve(), [f.name for f in mosaic])
        assert np.abs(found - (np.array(LEVELS) - LEVELS[0])).max() < 0.06 * NOISE


def test_what_the_tables_say(mosaic):
    s = match(mosaic)
    member = s.load().iloc[0]
    assert member.name == f"{mosaic[0].name}[data]"
    assert (member.telescope, member.instrument, member.detector, member["filter"]) == ("ROMAN", "WFI", "WFI01", "F158")
    assert (member.data_type, member.data_unit, member.exptime) == ("rate", "DN/s", 107.0)
    assert (member.wcs, member.dq_from, member.group) == ("gwcs", "[dq]", "r0000301002004005006_0001")
    assert member.pixel_scale == 0.11  # of the instrument, as the file has none
    assert s.mask().iloc[0].bad_dq == 4 * SHAPE[0]


def test_in_the_shell(mosaic, tmp_path):
    table = tmp_path / "t.json"
    assert main(["match", str(tmp_path / "r*.asdf"), "--skymethod", "match", "--table", str(table)]) == 0
    assert "r0000301002004005006_0003" in table.read_text()


def test_what_the_file_says_of_its_pixels(one):
    area = (0.1 / 3600 * np.pi / 180) ** 2
    path = one(photometry__pixel_area=area, photometry__conversion_megajanskys=0.5)
    member = match([path], invsens_kwd="PHOTMJSR").load().iloc[0]
    assert (member.pixel_scale, member.inv_sensitivity) == (pytest.approx(0.1), 0.5)
    with opened_asdf(path, "", raw=True) as file:
        file.tree["roman"]["meta"]["cal_step"] = {"flux": "COMPLETE"}
        file.write_to(path.with_name("c_cal.asdf"))
    calibrated = match([path.with_name("c_cal.asdf")]).load().iloc[0]
    assert (calibrated.data_type, calibrated.factor) == ("brightness", 1.0)


def test_detectors_of_one_exposure_share_a_sky(one):
    files = [one(f"{name}_{k}_cal.asdf", detector=name, exposure=k) for k in (1, 2) for name in ("WFI01", "WFI02")]
    assert (
        match(files).members.group.to_list()
        == [f"r0000301002004005006_000{k}" for k in (1, 2, 1, 2)][0:1] * 2 + ["r0000301002004005006_0002"] * 2
    )
    assert match(files, group_by="chip").members.group.nunique() == 4


class TestWriting:
    def test_levels_are_subtracted_and_told(self, mosaic):
        before = [opened(path).data.copy() for path in mosaic]
        s = match(mosaic, subtractsky=True, readonly=False)
        level = s.solve().sky_data.to_numpy()
        s.apply()
        for path, old, sky in zip(mosaic, before, level, strict=True):
            model = opened(path)
            assert np.array_equal(model.data, (old - np.float64(sky)).astype(np.float32))
            told = model.meta.background
            assert (told.level, told.subtracted, told.method) == (pytest.approx(sky), True, "match")
            assert model.meta.skymatch_nb["SKYUSER"] == pytest.approx(sky)
        again = match(mosaic)
        assert np.abs(again.solve().sky_data).max() < 1e-6
        assert again.sky.header_old.to_numpy() == pytest.approx(level)

    def test_undo_brings_every_bit_back(self, mosaic):
        before = [path.read_bytes() for path in mosaic]
        s = match(mosaic, subtractsky=True, readonly=False)
        s.apply()
        assert [path.read_bytes() for path in mosaic] != before
        s.undo()
        assert [path.read_bytes() for path in mosaic] == before

    def test_levels_that_are_only_computed(self, mosaic):
        s = match(mosaic, readonly=False)
        s.apply()
        told = opened(mosaic[1]).meta.background
        assert (told.level, told.subtracted) == (pytest.approx(s.sky.sky_data.iloc[1]), False)

    @pytest.mark.parametrize(
        ("version", "steps"), [("1.0.0", "1.0.0"), ("1.3.0", "1.2.0"), ("1.4.0", ""), ("2.2.0", "")]
    )
    def test_the_step_is_told_where_steps_are(self, one, version, steps):
        """Its schema asks for all steps or none."""
        tag = f"asdf://stsci.edu/datamodels/roman/tags/wfi_image-{version}"
        with_steps, without = one("a_cal.asdf", tag=tag, exposure=1), one("b_cal.asdf", tag=tag, exposure=2)
        add_steps(with_steps, f"asdf://stsci.edu/datamodels/roman/tags/l2_cal_step-{steps}" if steps else "")
        before = with_steps.read_bytes()
        assert opened(with_steps).meta.cal_step.skymatch == "INCOMPLETE"
        s = match([with_steps, without], readonly=False, skymethod="localmin")
        s.apply()
        assert opened(with_steps).meta.cal_step.skymatch == "COMPLETE"
        assert "cal_step" not in opened(without).meta
        s.undo()
        assert with_steps.read_bytes() == before

    def test_what_the_pipeline_subtracted_is_part_of_the_level(self, mosaic):
        model = opened(mosaic[1])
        model.meta.background = {"level": 3.0, "subtracted": True, "method": "local"}
        model.save(mosaic[1])
        s = match(mosaic, subtractsky=True, readonly=False)
        s.apply()
        assert opened(mosaic[1]).meta.background.level == pytest.approx(3.0 + s.sky.sky_data.iloc[1])
        assert opened(mosaic[1]).meta.skymatch_nb["SKYUSER"] == pytest.approx(s.sky.sky_data.iloc[1])

    @pytest.mark.parametrize("version", ["1.0.0", "1.3.0", "1.8.0", "2.0.0"])
    def test_files_of_older_schemas_stay_valid(self, one, tmp_path, version):
        path = one(tag=f"asdf://stsci.edu/datamodels/roman/tags/wfi_image-{version}")
        cards = (("BKGLEVEL", 0.25, ""), ("BKGSUB", True, ""), ("BKGMETH", "match", ""), ("SKYUSER", 0.25, ""))
        cards += (("S_SKYMAT", "COMPLETE", ""),)
        edit = FileEdit(path, (ExtensionEdit(0, cards, ("a line",), 0.25),))
        write_edited(edit, tmp_path / "new.asdf")
        verify_edited(edit, path, tmp_path / "new.asdf")
        model = opened(tmp_path / "new.asdf")
        assert float(model.meta.background.level) == 0.25
        assert float(np.asarray(getattr(model.data, "value", model.data))[0, 0]) == 0.75

    def test_all_else_stays(self, one, tmp_path):
        """The tree but for what was asked for, every array, and how each is compressed."""
        path = one()
        edit = FileEdit(path, (ExtensionEdit(0, (("SKYUSER", 1.0, ""),), ("a line",), 0.25),))
        write_edited(edit, tmp_path / "new.asdf")
        load = asdf.util.load_yaml
        old, new = (load(str(p), tagged=True) for p in (path, tmp_path / "new.asdf"))
        assert new["history"]["extensions"] == old["history"]["extensions"]
        assert new["history"]["entries"][0]["description"] == "a line"
        assert new["roman"]._tag == old["roman"]._tag
        assert {k: v for k, v in new["roman"]["meta"].items() if k != "skymatch_nb"} == dict(old["roman"]["meta"])
        with asdf.open(path) as one_file, asdf.open(tmp_path / "new.asdf") as other:
            for name in ("data", "dq", "err"):
                compression = [f.get_array_compression(f["roman"][name]) for f in (one_file, other)]
                assert compression[0] == compression[1] == "lz4"

    @pytest.mark.parametrize("what", ["data", "dq", "exposure"])
    def test_a_difference_is_found(self, one, tmp_path, what):
        path = one()
        edit = FileEdit(path, (ExtensionEdit(0, (("SKYUSER", 1.0, ""),), (), 0.25),))
        write_edited(edit, tmp_path / "new.asdf")
        with asdf.open(tmp_path / "new.asdf", memmap=False) as file:
            if what == "exposure":
                file["roman"]["meta"]["exposure"]["exposure_time"] = 3.0
            else:
                file["roman"][what][3, 3] += 1
            file.write_to(tmp_path / "spoilt.asdf")
        with pytest.raises(SkyMatchError, match=r"did not come out as asked"):
            verify_edited(edit, path, tmp_path / "spoilt.asdf")


class TestBadInput:
    def test_an_unknown_version_of_the_schema(self, one):
        path = one()
        path.write_bytes(path.read_bytes().replace(b"tags/wfi_image-2.2.0", b"tags/wfi_image-9.2.0"))
        with pytest.raises(InputError, match=r"r_cal.asdf: a Roman image of a version .* not known .*wfi_image-9.2.0"):
            match([path]).load()

    def test_another_kind_of_file(self, one, tmp_path):
        path = one()
        path.write_bytes(path.read_bytes().replace(b"tags/wfi_image-2.2.0", b"tags/wfi_mosac-2.2.0"))
        with pytest.raises(InputError, match=r"r_cal.asdf: a Roman file of another kind .*wfi_mosac-2.2.0"):
            match([path]).load()
        asdf.AsdfFile({"something": 1}).write_to(tmp_path / "x.asdf")
        with pytest.raises(InputError, match=r"x.asdf: not a Roman file: .* \(it has something\)"):
            match([tmp_path / "x.asdf"]).load()

    @pytest.mark.parametrize(
        ("content", "told"),
        [
            (b"", "the file is empty"),
            (b"\x00" * 99, r"not an ASDF file \(it begins with b'.x00.*, not with b'#ASDF'\)"),
        ],
    )
    def test_a_file_that_is_none(self, tmp_path, content, told):
        path = tmp_path / "r_cal.asdf"
        path.write_bytes(content)
        with pytest.raises(InputError, match=rf"r_cal.asdf: {told}"):
            match([path]).load()

    def test_a_datamodel_is_refused_and_told_what_to_give(self, one):
        model = pytest.importorskip("roman_datamodels.datamodels").open(one())
        for given in (model, [model]):
            with pytest.raises(InputTypeError, match=r"ImageModel.*\(model.data, model.meta.wcs\)"):
                SkyMatchSession(given, verbose=False).load()
        with asdf.open(one()) as file, pytest.raises(InputTypeError, match=r"AsdfFile.*give the name of its file"):
            SkyMatchSession(file, verbose=False).load()

    def test_a_missing_dq_array_is_told(self, one):
        path = one()
        with opened_asdf(path, "", raw=True) as file:
            del file.tree["roman"]["dq"]
            file.write_to(path.with_name("n_cal.asdf"))
        with pytest.warns(SkyMatchWarning, match=r"data quality is missing, .* in n_cal.asdf \(\[dq\]\)"):
            match([path.with_name("n_cal.asdf")]).mask()

    def test_a_file_that_is_compressed(self, one):
        path = one().with_suffix(".asdf.gz")
        path.write_bytes(gzip.compress(one().read_bytes()))
        with pytest.raises(InputError, match=r"r_cal.asdf.gz: an ASDF file that is compressed as a whole"):
            match([path]).load()

    def test_no_gwcs(self, tmp_path):
        path = write_roman(tmp_path / "r_cal.asdf", None, np.ones((40, 50)))
        with pytest.raises(InputError, match=r"r_cal.asdf\[data\]: it has no gwcs"):
            match([path]).load()

    def test_another_extension(self, one):
        path = one()
        assert len(SkyMatchSession(f"{path}[data]", verbose=False).load()) == 1
        with pytest.raises(InputError, match=r"r_cal.asdf\[ERR,1\]: no such image \(it has data\)"):
            SkyMatchSession(f"{path}[err]", verbose=False).load()
        with pytest.raises(InputError, match=r"no WCS with the key 'A'"):
            match([path], wcs_key="A").load()

    def test_a_cut_file(self, one):
        path = one()
        path.write_bytes(path.read_bytes()[:2000])
        with pytest.raises(InputError, match=r"r_cal.asdf: its ASDF cannot be read"):
            match([path]).load()

    def test_a_cut_array(self, one):
        path = one()
        raw = path.read_bytes()
        path.write_bytes(raw[: raw.index(b"\xd3BLK") + 80])
        with pytest.raises(InputError, match=r"r_cal.asdf"):
            match([path]).mask()

"""JWST files as stdatamodels writes them: read, grouped, matched."""

import sys

import numpy as np
import pytest
from astropy import units as u
from astropy.io import fits
from astropy.nddata import NDData
from webb_files import DO_NOT_USE, JUMP_DET, NON_SCIENCE, asdf, imaging_gwcs, levels_of, planted, window, write_jwst

from skymatch_nb import SkyMatchSession
from skymatch_nb.cli import main
from skymatch_nb.errors import InputError, InputTypeError, SkyMatchWarning, UnitsError
from skymatch_nb.io.fits import open_members
from skymatch_nb.io.inputs import ImageSpec
from skymatch_nb.io.memory import ObjectSpec
from skymatch_nb.results import make_key

SHAPE = (200, 240)
LEVELS = (0.31, 0.52, 0.45, 0.9)
CORNERS = ((0.0, 0.0), (150.3, 20.0), (15.0, 120.7), (140.5, 130.2))
NOISE = 0.02


@pytest.fixture(scope="module")
def detector():
    """Gwcs of a detector that all exposures look through."""
    return imaging_gwcs(shape=(420, 420), bend=4.0)


@pytest.fixture
def mosaic(tmp_path, detector):
    """Four exposures with a planted level each, a nebula, and flags."""

    def nebula(ra, dec):
        return 0.5 * np.exp(-(((ra - 34.4497) / 0.0012) ** 2 + ((dec + 5.2503) / 0.0015) ** 2))

    files = []
    for k, (x, y) in enumerate(CORNERS):
        wcs = window(detector, x, y, SHAPE)
        dq = np.zeros(SHAPE, np.uint32)
        data = planted(wcs, SHAPE, LEVELS[k], seed=k, noise=NOISE, scene=nebula)
        dq[:, :4] = DO_NOT_USE | NON_SCIENCE
        dq[50 + 10 * k : 60 + 10 * k] = DO_NOT_USE
        dq[100:110] |= JUMP_DET
        data[dq & DO_NOT_USE > 0] = 1000.0
        name = f"jw01837004001_02101_{k + 1:05d}_nrcblong_cal.fits"
        files.append(write_jwst(tmp_path / name, wcs, data, dq, exposure=k + 1))
    return files


def match(files, **parameters):
    given = {"skymethod": "match", "skystat": "median", "overlap_stat": "difference", "verbose": False} | parameters
    return SkyMatchSession([str(f) for f in files], **given)


def test_levels_are_those_that_were_planted(mosaic):
    s = match(mosaic)
    found = levels_of(s.solve(), [f.name for f in mosaic])
    assert np.abs(found - (np.array(LEVELS) - LEVELS[0])).max() < 0.06 * NOISE


def test_what_the_tables_say(mosaic):
    s = match(mosaic)
    member = s.load().iloc[0]
    assert (member.telescope, member.instrument, member.detector, member["filter"]) == (
        "JWST", "NIRCAM", "NRCBLONG", "F444W",
    )  # fmt: skip
    assert member.exptime == 100.0
    assert (member.data_type, member.factor, member.data_unit) == ("brightness", 1.0, "MJy/sr")
    assert (member.wcs, member.distortion, member.dq_from) == ("gwcs", "v2v3", "[DQ,1]")
    masks = s.mask().iloc[0]
    assert masks.bad_dq == 4 * SHAPE[0] + 10 * (SHAPE[1] - 4)  # jumps are good
    assert s.flags.loc[("JWST NIRCAM NRCBLONG", 1), ["name", "meaning", "good_in"]].tolist() == [
        "DO_NOT_USE",
        "bad pixel, do not use",
        0,
    ]
    assert masks.dq_good == "all but DO_NOT_USE+OUTLIER+NON_SCIENCE (default)"


def test_flags_can_be_given_by_name(mosaic):
    s = match(mosaic, dq_bits="~DO_NOT_USE+NON_SCIENCE+JUMP_DET")
    assert s.mask().iloc[0].bad_dq == 4 * SHAPE[0] + 20 * (SHAPE[1] - 4)


def test_in_the_shell(mosaic, tmp_path, capsys):
    table = tmp_path / "t.json"
    pattern = str(tmp_path / "jw*_cal.fits")
    assert main(["match", pattern, "--skymethod", "match", "--overlap-stat", "difference", "--table", str(table)]) == 0
    assert table.read_text().count("jw01837004001_02101_00004") > 1


class TestObjects:
    """Images that a notebook holds."""

    def test_arrays_with_a_gwcs(self, detector):
        windows = [window(detector, x, y, SHAPE) for x, y in CORNERS[:2]]
        arrays = [
            planted(w, SHAPE, level, seed=k, noise=NOISE)
            for k, (w, level) in enumerate(zip(windows, LEVELS[:2], strict=True))
        ]
        pairs = [(a * u.MJy / u.sr, w) for a, w in zip(arrays, windows, strict=True)]
        for objects in (pairs, [NDData(a, wcs=w) for a, w in pairs]):
            s = SkyMatchSession(objects, skymethod="match", skystat="median", verbose=False)
            assert s.load().wcs.iloc[0] == "gwcs"
            found = s.solve().sky_data.to_numpy()
            assert found[1] - found[0] == pytest.approx(LEVELS[1] - LEVELS[0], abs=0.06 * NOISE)

    def test_a_change_of_the_gwcs_is_noticed(self, detector):
        data = np.ones((60, 60)) * u.MJy / u.sr
        one, same, other = (
            make_key(ObjectSpec((data, wcs), 1).content())
            for wcs in (detector, detector, window(detector, 50.0, 0.0, (60, 60)))
        )
        assert one == same != other

    def test_a_datamodel_is_refused_and_told_what_to_give(self, mosaic):
        """Datamodels can be looped over, as lists of inputs can."""
        model = pytest.importorskip("stdatamodels.jwst.datamodels").open(str(mosaic[0]))
        for given in (model, [model]):
            with pytest.raises(InputTypeError, match=r"ImageModel.*\(model.data, model.meta.wcs\)"):
                SkyMatchSession(given, verbose=False).load()
        s = SkyMatchSession([(model.data * u.MJy / u.sr, model.meta.wcs)], skymethod="localmin", verbose=False)
        assert s.members.wcs.iloc[0] == "gwcs"

    def test_a_file_that_is_open(self, mosaic):
        with fits.open(mosaic[0]) as hdus:
            member = SkyMatchSession([hdus], verbose=False).load().iloc[0]
        assert (member.wcs, member.dq_from) == ("gwcs", "[DQ,1]")


class TestGroups:
    @pytest.fixture
    def pairs(self, tmp_path, detector):
        """Two exposures of two detectors."""
        files = []
        for exposure, shift in ((1, 0.0), (2, 30.0)):
            for k, name in enumerate(("NRCB1", "NRCB2")):
                wcs = window(detector, 100.0 * k + shift, shift, (90, 90))
                data = planted(wcs, (90, 90), 0.1 * exposure, seed=10 * exposure + k)
                path = tmp_path / f"jw01837004001_02101_{exposure:05d}_{name.lower()}_cal.fits"
                files.append(write_jwst(path, wcs, data, exposure=exposure, detector=name))
        return files

    def test_detectors_of_one_exposure_share_a_sky(self, pairs):
        s = match(pairs)
        assert list(s.solve().group.unique()) == ["jw01837004001_02101_00001", "jw01837004001_02101_00002"]
        assert np.ptp(s.sky.sky_data.to_numpy()[:2]) == 0.0

    def test_or_not(self, pairs):
        assert len(match(pairs, group_by="chip").solve().group.unique()) == 4

    def test_a_file_is_moved_to_the_group_of_another(self, pairs):
        s = match(pairs)
        s.regroup({pairs[0].name: pairs[2].name})
        assert s.members.group.to_list() == [f"jw01837004001_02101_0000{k}" for k in (2, 1, 2, 2)]

    def test_two_filters_at_once_are_two_skies(self, tmp_path, pairs, detector):
        wcs = window(detector, 0.0, 0.0, (90, 90))
        other = write_jwst(tmp_path / "long_cal.fits", wcs, np.ones((90, 90)), filter_name="F444W", detector="NRCBLONG")
        short = write_jwst(tmp_path / "short_cal.fits", wcs, np.ones((90, 90)), filter_name="F150W", detector="NRCB1")
        s = match([other, short])
        with pytest.warns(SkyMatchWarning, match="different filters"):
            s.load()
        assert list(s.members.group) == [
            "jw01837004001_02101_00001 F444W",
            "jw01837004001_02101_00001 F150W",
        ]

    def test_a_detector_twice_is_no_exposure(self, tmp_path, pairs):
        again = tmp_path / "again_crf.fits"
        again.write_bytes(pairs[0].read_bytes())
        s = match([*pairs, again])
        assert len(s.members.group.unique()) == 4

    def test_a_product_of_several_exposures_is_none(self, tmp_path, pairs):
        with fits.open(pairs[0], mode="update") as hdus:
            hdus[0].header["S_RESAMP"] = "COMPLETE"
        assert match(pairs[:1]).members.group.iloc[0] == pairs[0].name

    def test_filters_of_both_wheels(self, tmp_path, detector):
        wcs = window(detector, 0.0, 0.0, (90, 90))
        path = write_jwst(tmp_path / "a_cal.fits", wcs, np.ones((90, 90)), filter_name="F150W2", pupil="F162M")
        assert match([path]).members["filter"].iloc[0] == "F150W2,F162M"


class TestUnits:
    def test_a_rate_is_taken_per_area_of_the_header(self, tmp_path, detector):
        path = write_jwst(tmp_path / "a_rate.fits", detector, np.ones((420, 420)), unit="DN/s", pixel_area=0.004)
        member = match([path]).members.iloc[0]
        assert (member.data_type, member.factor) == ("rate", pytest.approx(1 / 0.004))

    def test_brightness_is_not_matched_with_electrons(self, tmp_path, detector, write_image):
        path = write_jwst(tmp_path / "a_cal.fits", detector, np.ones((420, 420)))
        other = write_image("b.fits", BUNIT="electron", FILTER="F444W")
        with pytest.raises(UnitsError, match=r"a_cal\.fits \(MJy/sr\) against b\.fits \(electron\)"):
            match([path, other]).solve()


class TestFootprints:
    def test_the_unused_corner_of_miri_is_left_out(self, tmp_path):
        """A coronagraph's corner is not science: the footprint of good pixels has half the area of the frame."""
        wcs = imaging_gwcs(shape=(256, 258), scale=0.11, box=((1.0, 256.5), (-0.5, 255.5)))
        dq = np.full((256, 258), DO_NOT_USE | NON_SCIENCE, np.uint32)
        dq[:, 88:] = 0
        dq[100:, 40:] = 0
        path = write_jwst(
            tmp_path / "a_cal.fits", wcs, np.ones((256, 258)), dq, instrument="MIRI", detector="MIRIMAGE",
            filter_name="F770W", pupil=None,
        )  # fmt: skip
        frame = match([path]).compute_footprints().area_arcsec2.iloc[0]
        good = match([path], footprint_from="good").compute_footprints().area_arcsec2.iloc[0]
        assert frame == pytest.approx(255.5 * 256 * 0.11**2, rel=0.01)
        assert good == pytest.approx(frame * ((256.5 - 87.5) * 256 + 48 * 156) / (255.5 * 256), rel=0.01)


class TestWriting:
    """Read back through the agency's own package."""

    def opened(self, path):
        return pytest.importorskip("stdatamodels.jwst.datamodels").ImageModel(str(path))

    @pytest.fixture
    def pair(self, tmp_path):
        wcs = imaging_gwcs(shape=(60, 60))
        return [
            write_jwst(tmp_path / f"{k}_cal.fits", wcs, planted(wcs, (60, 60), 1.0 + k, seed=k), exposure=k + 1)
            for k in (0, 1)
        ]

    def test_levels_are_subtracted_and_told_as_the_pipeline_does(self, pair):
        s = match(pair, subtractsky=True, readonly=False)
        level = s.solve().sky_data.iloc[1]
        old = self.opened(pair[1]).data.copy()
        s.apply()
        model = self.opened(pair[1])
        assert np.array_equal(model.data, (old - np.float64(level)).astype(np.float32))
        told = model.meta.background
        assert (told.level, told.subtracted, told.method) == (pytest.approx(level), True, "match")
        assert model.meta.cal_step.skymatch == "COMPLETE"
        assert fits.getval(pair[1], "S_SKYMAT") == "COMPLETE"
        assert model.meta.wcs(3.0, 4.0) == imaging_gwcs(shape=(60, 60))(3.0, 4.0)
        assert fits.getheader(pair[1], "SCI")["SKYUSER"] == pytest.approx(level)

    def test_a_step_that_was_skipped_is_now_complete(self, pair):
        fits.setval(pair[1], "S_SKYMAT", value="SKIPPED")
        match(pair, readonly=False).apply()
        assert [self.opened(path).meta.cal_step.skymatch for path in pair] == ["COMPLETE", "COMPLETE"]

    def test_files_without_a_level_are_left_alone(self, pair, tmp_path):
        far = write_jwst(
            tmp_path / "far_cal.fits", imaging_gwcs(ra=40.0, shape=(60, 60)), np.ones((60, 60)), exposure=9
        )
        before = far.read_bytes()
        s = match([*pair, far], readonly=False)
        with pytest.warns(SkyMatchWarning, match="overlap no other"):
            s.solve()
        s.apply()
        assert far.read_bytes() == before

    def test_undo_brings_every_bit_back(self, pair):
        before = [path.read_bytes() for path in pair]
        s = match(pair, subtractsky=True, readonly=False)
        s.apply()
        s.undo()
        assert self.opened(pair[0]).meta.cal_step.skymatch is None
        assert [path.read_bytes() for path in pair] == before

    def test_twice_adds_up(self, pair):
        match(pair, subtractsky=True, readonly=False).apply()
        first = self.opened(pair[1]).meta.background.level
        s = match(pair, subtractsky=True, readonly=False, skymethod="localmin")
        level = s.solve().sky_data.iloc[1]
        s.apply()
        told = self.opened(pair[1]).meta.background
        assert (told.level, told.method) == (pytest.approx(first + level), "local")

    def test_what_the_pipeline_subtracted_is_part_of_the_level(self, tmp_path):
        wcs = imaging_gwcs(shape=(60, 60))
        path = write_jwst(tmp_path / "a_cal.fits", wcs, planted(wcs, (60, 60), 0.5, seed=0), background=(3.0, True))
        match([path], subtractsky=True, readonly=False, skymethod="localmin").apply()
        assert self.opened(path).meta.background.level == pytest.approx(3.5, abs=0.01)

    def test_a_level_that_is_only_computed_does_not_replace_what_was_subtracted(self, tmp_path):
        wcs = imaging_gwcs(shape=(60, 60))
        subtracted = write_jwst(tmp_path / "a_cal.fits", wcs, np.full((60, 60), 0.5), background=(3.0, True))
        computed = write_jwst(tmp_path / "b_cal.fits", wcs, np.full((60, 60), 0.5), background=(3.0, False), exposure=2)
        match([subtracted, computed], readonly=False, skymethod="localmin").apply()
        assert self.opened(subtracted).meta.cal_step.skymatch is None
        told = [self.opened(path).meta.background for path in (subtracted, computed)]
        assert [(t.level, t.subtracted) for t in told] == [(3.0, True), (0.5, False)]


class TestBadInput:
    def test_without_gwcs_the_header_is_used_and_told(self, tmp_path, detector):
        path = write_jwst(tmp_path / "a_cal.fits", None, np.ones((60, 60)))
        put_fits_wcs(path, detector)
        told = "no gwcs in its ASDF extension: the WCS of the FITS header is used, with SIP"
        with pytest.warns(SkyMatchWarning, match=told):
            member = match([path]).load().iloc[0]
        assert (member.wcs, member.distortion) == ("primary: world", "SIP")

    def test_the_fits_wcs_agrees_with_the_gwcs(self, tmp_path):
        """To the precision of the fit of SIP."""
        wcs = imaging_gwcs(shape=(60, 60))
        a = write_jwst(tmp_path / "a_cal.fits", None, np.ones((60, 60)))
        b = write_jwst(tmp_path / "b_cal.fits", wcs, np.ones((60, 60)))
        put_fits_wcs(a, wcs)
        one, other = (open_members(ImageSpec(path), path.name)[0].wcs for path in (a, b))
        x, y = np.array([0.0, 59.0, 30.0]), np.array([0.0, 10.0, 59.0])
        assert np.abs(np.array(other.to_pixels(*one.to_sky(x, y))) - [x, y]).max() < 0.05

    def test_neither_is_an_error(self, tmp_path):
        path = write_jwst(tmp_path / "a_cal.fits", None, np.ones((60, 60)))
        with pytest.raises(
            InputError, match=r"a_cal.fits\[SCI,1\]: no celestial WCS .*; and there is no gwcs in its ASDF"
        ):
            match([path]).load()

    @pytest.mark.parametrize(
        ("damage", "told"),
        [
            (lambda hdus: hdus.__delitem__("ASDF"), "the file has no ASDF extension"),
            (lambda hdus: hdus.append(hdus[-1].copy()), "the file has 2 ASDF extensions"),
            (lambda hdus: hdus.append(fits.ImageHDU(hdus.pop().data["ASDF_METADATA"][0], name="ASDF")), "its ASDF ext"),
            (lambda hdus: hdus["ASDF"].columns.change_name("ASDF_METADATA", "OTHER"), "its ASDF extension cannot be r"),
            (lambda hdus: hdus.insert(2, fits.ImageHDU(hdus[1].data, hdus[1].header, ver=2)), "which of its 2 images"),
        ],
        ids=["none", "two", "image", "column", "images"],
    )
    def test_the_header_is_used_and_told_once(self, tmp_path, damage, told):
        """With file and extension, for all exposures together, from the first step to the last."""
        wcs = imaging_gwcs(shape=(60, 60))
        files = [write_jwst(tmp_path / f"{k}_cal.fits", wcs, np.ones((60, 60)), exposure=k) for k in (1, 2)]
        for path in files:
            put_fits_wcs(path, wcs)
            with fits.open(path, mode="update") as hdus:
                damage(hdus)
        with pytest.warns(SkyMatchWarning, match=told) as caught:
            match([f"{path}[sci,1]" for path in files]).solve()
        texts = [str(w.message) for w in caught if "FITS header" in str(w.message)]
        assert len(texts) == 1
        assert "the WCS of the FITS header is used, with SIP (1_cal.fits[SCI,1] and 1 more)" in texts[0]

    @pytest.mark.parametrize(
        ("find", "put"),
        [
            (b"!<tag:stsci.edu:gwcs/wcs", b"}{tag:stsci.edu:gwcs/wcs"),
            (b"#ASDF 1", b"#NONE 1"),
            (b"celestial_frame", b"celestial_frane"),
            (b"  name: v2v3", b"\xff\xfename: v2v3"),
        ],
    )
    def test_a_damaged_extension_is_told(self, tmp_path, find, put):
        wcs = imaging_gwcs(shape=(60, 60))
        path = write_jwst(tmp_path / "a_cal.fits", wcs, np.ones((60, 60)))
        put_fits_wcs(path, wcs)
        raw = path.read_bytes()
        assert find in raw
        path.write_bytes(raw.replace(find, put))
        with pytest.warns(SkyMatchWarning, match=r"ASDF extension.* header is used, with SIP \(a_cal.fits\[SCI,1\]\)"):
            member = match([path]).load()
        assert member.wcs.iloc[0] == "primary: world"

    def test_neither_extension_nor_header_is_an_error(self, tmp_path):
        path = write_jwst(tmp_path / "a_cal.fits", None, np.ones((60, 60)))
        with fits.open(path, mode="update") as hdus:
            del hdus["ASDF"]
        with pytest.raises(
            InputError, match=r"a_cal.fits\[SCI,1\]: no celestial WCS .*; and the file has no ASDF extension"
        ):
            match([path]).load()

    def test_a_mosaic_in_the_primary_image_is_read_without_a_word(self, tmp_path, write_image):
        path = write_image("mosaic.fits", TELESCOP="JWST", BUNIT="MJy/sr")
        assert match([path]).load().distortion.iloc[0] == ""

    def test_a_missing_dq_array_is_told(self, tmp_path):
        wcs = imaging_gwcs(shape=(60, 60))
        path = write_jwst(tmp_path / "a_cal.fits", wcs, np.ones((60, 60)))
        with fits.open(path, mode="update") as hdus:
            del hdus["DQ"]
        with pytest.warns(SkyMatchWarning, match=r"data quality is missing, .* in a_cal.fits \(\[DQ,1\]\)"):
            match([path]).mask()
        with fits.open(path, mode="update") as hdus:
            hdus[0].header["S_RESAMP"] = "COMPLETE"  # such products have none
        assert match([path]).mask().bad_dq.iloc[0] == 0

    def test_a_spectroscopic_gwcs_is_refused(self, realdata, tmp_path):
        with asdf.open(realdata / "gwcs" / "miri_lrs_wcs.asdf") as file:
            path = write_jwst(tmp_path / "lrs_cal.fits", file["wcs"], np.ones((397, 347)), instrument="MIRI")
        with pytest.raises(InputError, match=r"lrs_cal.fits\[SCI,1\]: its gwcs is not that of an image"):
            match([path]).load()


def put_fits_wcs(path, wcs):
    """Write the SIP approximation of a gwcs into the header, as the pipeline does."""
    header = wcs.to_fits_sip(bounding_box=((0, 59), (0, 59)), max_pix_error=0.01)
    with fits.open(path, mode="update") as hdus:
        for card in header.cards:
            if not card.keyword.startswith(("NAXIS", "SIMPLE", "BITPIX", "EXTEND")):
                hdus["SCI"].header[card.keyword] = (card.value, card.comment)


class TestWithoutAsdf:
    @pytest.fixture
    def block(self, monkeypatch):
        """Make imports of gwcs fail from now on; asdf itself is still at work in what was opened."""
        return lambda: monkeypatch.setitem(sys.modules, "gwcs", None)

    def test_the_header_is_used_and_the_extra_named(self, tmp_path, detector, block):
        path = write_jwst(tmp_path / "a_cal.fits", detector, np.ones((60, 60)))
        put_fits_wcs(path, detector)
        block()
        with pytest.warns(SkyMatchWarning, match=r"its gwcs cannot be read .*skymatch_nb\[jwst\].*with SIP"):
            match([path]).load()

    def test_without_a_header_wcs_the_error_names_the_extra(self, tmp_path, detector, block):
        path = write_jwst(tmp_path / "a_cal.fits", detector, np.ones((60, 60)))
        block()
        told = r"a_cal.fits\[SCI,1\]: no celestial WCS.*pip install .skymatch_nb\[jwst\]."
        with pytest.raises(InputError, match=told):
            match([path]).load()

    def test_a_wildcard_names_it_once(self, tmp_path, detector, block):
        for k in range(6):
            write_jwst(tmp_path / f"{k}_cal.fits", detector, np.ones((60, 60)))
            (tmp_path / f"{k}_cal.asdf").write_bytes(b"#ASDF 1.0.0\n")
        block()
        files = {
            "fits": "0_cal.fits[SCI,1], 1_cal.fits[SCI,1], 2_cal.fits[SCI,1] and 3 more: no celestial WCS",
            "asdf": "0_cal.asdf, 1_cal.asdf, 2_cal.asdf and 3 more: the packages",
        }
        for kind, listed in files.items():
            with pytest.raises(InputError) as caught:
                match([tmp_path / f"*_cal.{kind}"]).load()
            text = str(caught.value)
            assert text.startswith("6 of 6 files that ")
            assert listed in text
            assert text.count("pip install") == 1

    def test_roman_files_name_it_too(self, tmp_path, block):
        path = tmp_path / "r_cal.asdf"
        path.write_bytes(b"#ASDF 1.0.0\n")
        block()
        with pytest.raises(InputError, match=r"r_cal.asdf: .*pip install .skymatch_nb\[jwst\]."):
            match([path]).load()


class TestWithStcal:
    """stcal.skymatch is what the pipelines run; same pixels, same masks."""

    def levels(self, files, **settings):
        skymatch = pytest.importorskip("stcal.skymatch")
        statistics = pytest.importorskip("stcal.skymatch.skystatistics")
        datamodels = pytest.importorskip("stdatamodels.jwst.datamodels")
        images = []
        for path in files:
            model = datamodels.ImageModel(str(path))
            good = (model.dq & (DO_NOT_USE | NON_SCIENCE)) == 0
            statistic = statistics.SkyStats(skystat="median", **settings)
            forward, inverse = model.meta.wcs, model.meta.wcs.backward_transform
            images.append(skymatch.SkyImage(model.data, good, forward, inverse, statistic))
        skymatch.skymatch(images, skymethod="match", match_down=True, subtract=False)
        found = np.array([image.sky for image in images])
        return found - found[0]

    def test_simple_scenes_come_out_alike(self, tmp_path):
        files = []
        detector = imaging_gwcs(shape=(420, 420), bend=0.0)
        for k, (x, y) in enumerate(CORNERS):
            wcs = window(detector, x, y, SHAPE)
            dq = np.zeros(SHAPE, np.uint32)
            dq[:, :4] = DO_NOT_USE
            path = tmp_path / f"{k}_cal.fits"
            files.append(write_jwst(path, wcs, planted(wcs, SHAPE, LEVELS[k], seed=k, noise=NOISE), dq, exposure=k + 1))
        s = match(files, overlap_stat="region", nclip=0)
        ours = levels_of(s.solve(), [f.name for f in files])
        assert np.abs(ours - self.levels(files, nclip=0)).max() < 0.01 * NOISE

    def test_masked_scenes_with_structure_come_out_better(self, mosaic):
        """A nebula behind flags that lie elsewhere in each exposure."""
        truth = np.array(LEVELS) - LEVELS[0]
        ours = levels_of(match(mosaic).solve(), [f.name for f in mosaic]) - truth
        theirs = self.levels(mosaic, nclip=5) - truth
        assert np.abs(ours).max() < 0.1 * np.abs(theirs).max()

"""Images that people hold in a notebook: HDU lists, CCDData and NDData, arrays with a WCS or a header."""

import astropy.units as u
import numpy as np
import pytest
from astropy.io import fits
from astropy.nddata import CCDData, NDData
from astropy.utils.masked import Masked
from astropy.wcs import WCS

from skymatch_nb import InputError, SkyMatchSession, SkyMatchWarning
from skymatch_nb.errors import InputTypeError
from skymatch_nb.io.inputs import resolve_inputs

SHAPE = NY, NX = (40, 60)
BAD = 25
LEVELS = (5.0, 7.5, 6.0)


def pointing(k=0):
    """WCS of the k-th image: each lies 5 pixels further west."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval, wcs.wcs.crpix = ("RA---TAN", "DEC--TAN"), (10 - 5 * k / 3600, 20.0), (30.5, 20.5)
    wcs.wcs.cdelt = -1 / 3600, 1 / 3600
    wcs.wcs.set()
    return wcs


def pixels(k=0, kind=np.float32):
    return (LEVELS[k] + 0.1 * np.random.default_rng(k).standard_normal(SHAPE)).astype(kind)


def cards(k=0, **more):
    header = pointing(k).to_header()
    header.update({"BUNIT": "electron/s", "EXPTIME": 100.0} | more)
    return header


def bad_rows():
    """First rows, which are more than half."""
    mask = np.zeros(SHAPE, bool)
    mask[:BAD] = True
    return mask


def hdu_list(k, data, mask):
    flags = fits.ImageHDU(mask.astype(np.int16), name="DQ")
    return fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(data, cards(k), name="SCI"), flags])


FORMS = {
    "HDUList": hdu_list,
    "CCDData": lambda k, data, mask: CCDData(
        data, unit="electron/s", wcs=pointing(k), mask=mask, meta={"EXPTIME": 100.0}
    ),
    "NDData": lambda k, data, mask: NDData(data, unit="electron/s", wcs=pointing(k), mask=mask.astype(np.uint8)),
    "NDData of a quantity": lambda k, data, mask: NDData(data << u.electron / u.s, wcs=pointing(k), mask=mask),
    "masked array and header": lambda k, data, mask: (np.ma.masked_array(data, mask), cards(k)),
    "masked array in NDData": lambda k, data, mask: NDData(
        np.ma.masked_array(data, mask), unit="electron/s", wcs=pointing(k)
    ),
    "masked array and WCS": lambda k, data, mask: (np.ma.masked_array(data, mask), pointing(k)),
}


def session(inputs, **given):
    return SkyMatchSession(inputs, verbose=False, **({"skymethod": "match", "skystat": "median"} | given))


def levels(inputs, **given):
    return session(inputs, **given).solve().sky_data.to_numpy()


@pytest.fixture
def files(tmp_path):
    """The same three images in files, the second with bad rows that its DQ tells."""
    paths = []
    for k in range(3):
        data, mask = pixels(k), bad_rows() & (k == 1)
        data[mask] += 100
        paths.append(tmp_path / f"{k}.fits")
        hdu_list(k, data, mask).writeto(paths[-1])
    return paths


def in_memory(form):
    made = []
    for k in range(3):
        data, mask = pixels(k), bad_rows() & (k == 1)
        data[mask] += 100
        made.append(FORMS[form](k, data, mask))
    return made


@pytest.mark.filterwarnings("ignore:no unit in BUNIT")
class TestTheSameAsInFiles:
    @pytest.mark.parametrize("form", FORMS)
    @pytest.mark.parametrize("method", ["match", "localmin", "globalmin+match"])
    def test_levels(self, files, form, method):
        expected = levels(files, skymethod=method)
        assert levels(in_memory(form), skymethod=method) == pytest.approx(expected, rel=1e-9, abs=1e-9)
        if method == "match":
            assert expected == pytest.approx([0, 2.5, 1], abs=0.02)

    @pytest.mark.parametrize("form", FORMS)
    def test_bad_pixels(self, form):
        masks = session(in_memory(form)).masks
        assert (masks.bad_dq if form == "HDUList" else masks.bad_user).tolist() == [0, BAD * NX, 0]
        assert masks.good.tolist() == [NY * NX, (NY - BAD) * NX, NY * NX]

    def test_files_and_objects_together(self, files):
        found = session([str(files[0]), *in_memory("CCDData")[1:2], in_memory("HDUList")[2]])
        assert found.solve().sky_data.to_numpy() == pytest.approx(levels(files), abs=1e-9)
        assert found.members.file.tolist() == ["0.fits", "image1", "image2"]

    def test_pairs_of_any_array_and_header(self, files):
        plain = [(pixels(k), header(k)) for k, header in enumerate((cards, lambda k: dict(cards(k)), pointing))]
        assert levels(plain) == pytest.approx([0, 2.5, 1], abs=0.02)
        assert levels([(data << u.electron / u.s, wcs) for data, wcs in plain]) == pytest.approx(
            levels(plain), abs=1e-9
        )

    @pytest.mark.parametrize("kind", ["f2", "f4", "f8", "g", ">f4", ">i2", "i2", "u2", "i8", "u1"])
    def test_numbers_of_every_type(self, kind):
        given = [((10 * pixels(k)).astype(kind), cards(k)) for k in range(2)]
        expected = [np.median(np.float64(data)) for data, _ in given]
        assert levels(given, skymethod="localmin") == pytest.approx(expected, abs=0.05)

    @pytest.mark.parametrize(
        "layout", [np.asfortranarray, lambda a: np.repeat(a, 2, axis=1)[:, ::2], lambda a: a[::-1][::-1]]
    )
    def test_any_layout_in_memory(self, layout):
        expected = levels([(pixels(k), cards(k)) for k in range(2)])
        given = [(layout(pixels(k)), cards(k)) for k in range(2)]
        assert levels(given).tolist() == expected.tolist()

    def test_masked_arrays_of_astropy(self):
        data, mask = pixels(1), bad_rows()
        data[mask] += 100
        assert levels([(pixels(0), cards(0)), (Masked(data, mask), cards(1))]) == pytest.approx([0, 2.5], abs=0.02)


class TestMembers:
    def test_units_and_headers(self):
        given = [
            CCDData(pixels(k), unit=unit, wcs=pointing(k), meta={"EXPTIME": 50.0, "FILTER": "r", "TELESCOP": "T"})
            for k, unit in enumerate(("electron", "electron/s"))
        ]
        members = session(given).members
        assert members.data_type.tolist() == ["counts", "rate"]
        assert members.exptime.tolist()[0] == 50.0
        assert members["filter"].tolist() == ["r", "r"]
        assert members.telescope.tolist() == ["T", "T"]
        assert members.selected_by.tolist() == ["object", "object"]
        assert members.pixel_scale.to_numpy() == pytest.approx([1, 1])

    def test_surface_brightness(self):
        given = [CCDData(pixels(k), unit=u.MJy / u.sr, wcs=pointing(k)) for k in range(2)]
        s = session(given)
        assert s.members.data_type.tolist() == ["brightness"] * 2
        assert s.sky.sky.to_numpy() == pytest.approx([0, 2.5], abs=0.02)

    def test_an_unknown_unit_is_warned_of(self):
        with pytest.warns(SkyMatchWarning, match=r"no unit in BUNIT: taken as rate \(image1\)"):
            session((pixels(), pointing())).load()

    def test_names(self, tmp_path):
        listed = fits.HDUList([fits.PrimaryHDU(pixels(), cards())])
        listed.writeto(tmp_path / "from.fits")
        header = cards(FILENAME="of_header.fits")
        with fits.open(tmp_path / "from.fits") as opened:
            given = [listed, opened, (pixels(), header), (pixels(), header), (pixels(), cards())]
            assert list(session(given).members.index) == [
                "image1[0]",
                "from.fits[0]",
                "of_header.fits[0]",
                "of_header.fits#2[0]",
                "image5[0]",
            ]

    def test_extensions_of_an_hdu_list_are_chosen_as_those_of_a_file(self, tmp_path):
        hdus = [
            fits.PrimaryHDU(),
            *(fits.ImageHDU(pixels(), cards(), name="SCI", ver=v) for v in (2, 1)),
            fits.ImageHDU(pixels(), name="ERR"),
        ]
        members = session(fits.HDUList(hdus)).members
        assert list(members.index) == ["image1[SCI,2]", "image1[SCI,1]"]
        assert members.selected_by.tolist() == ["SCI", "SCI"]
        assert members.group.tolist() == ["image1", "image1"]

    def test_an_hdu_list_may_be_compressed_and_closed(self, tmp_path):
        fits.HDUList([fits.PrimaryHDU(), fits.CompImageHDU(pixels().astype(np.int32), cards(), name="SCI")]).writeto(
            tmp_path / "a.fits"
        )
        with fits.open(tmp_path / "a.fits") as hdus:
            s = session(hdus, skymethod="localmin", skystat="mean")
        expected = pixels().astype(np.int32).mean()
        assert s.solve().sky_data.to_dict() == {"a.fits[SCI,1]": pytest.approx(expected, abs=0.01)}

    @pytest.mark.parametrize("name", ["image2", "image2[0]"])
    def test_masks_and_dq_for_objects(self, name):
        data = pixels(1)
        data[bad_rows()] += 100
        given = [(pixels(0), cards(0)), (data, cards(1))]
        assert levels(given, masks={name: ~bad_rows()}) == pytest.approx([0, 2.5], abs=0.02)
        assert levels(given, dq={name: 4 * bad_rows()}) == pytest.approx([0, 2.5], abs=0.02)
        assert levels(given, dq={name: 4 * bad_rows()}, dq_bits=4).max() > 50

    def test_masks_given_twice_are_combined(self):
        ccd = CCDData(pixels(), unit="electron/s", wcs=pointing(), mask=bad_rows())
        good = np.ones(SHAPE)
        good[-3:] = 0
        (row,) = session(ccd, masks={"image1": good}).masks.to_dict("records")
        assert (row["bad_user"], row["good"]) == ((BAD + 3) * NX, (NY - BAD - 3) * NX)

    def test_nan_and_infinite_pixels_are_not_good(self):
        data = pixels()
        data[0, :4] = np.nan, np.inf, -np.inf, np.nan
        assert session((data, cards())).masks.bad_value.tolist() == [4]


def state(given):
    """All that a session could change of an object."""
    if isinstance(given, fits.HDUList):
        return [(str(h.header), None if h.data is None else (h.data.copy(), h.data.flags.writeable)) for h in given]
    data, wcs = (given.data, given.wcs) if isinstance(given, NDData) else given
    mask = getattr(given, "mask", None) if isinstance(given, NDData) else np.ma.getmask(data)
    writeable = [np.ma.getdata(data).flags.writeable, mask is None or mask is np.ma.nomask or mask.flags.writeable]
    return [np.ma.getdata(data).copy(), np.copy(mask), writeable, str(wcs), str(getattr(given, "meta", ""))]


@pytest.mark.filterwarnings("ignore:no unit in BUNIT")
@pytest.mark.parametrize("form", FORMS)
class TestObjectsStayAsTheyAre:
    def test_nothing_is_changed(self, form):
        given = in_memory(form)
        before = [state(item) for item in given]
        s = session(given)
        for method in ("match", "localmin"):
            s.configure(skymethod=method)
            s.mask()
            s.compute_footprints()
            s.solve()
            s.apply()
        np.testing.assert_equal([state(item) for item in given], before)

    def test_read_only_objects_can_be_read(self, form):
        made = []
        for k in range(3):
            data, mask = pixels(k), bad_rows() & (k == 1)
            data.flags.writeable = mask.flags.writeable = False
            made.append(FORMS[form](k, data, mask))
        assert levels(made) == pytest.approx([0, 2.5, 1], abs=0.02)


def change_pixels(item):
    array = item[1].data if isinstance(item, fits.HDUList) else item.data if isinstance(item, NDData) else item[0]
    np.ma.getdata(array)[:] += np.float32(3)


def change_mask(item):
    if isinstance(item, fits.HDUList):
        item["DQ"].data[:BAD] = 0
        item["DQ"].data[-1] = 1
    elif isinstance(item, NDData):
        item.mask[:BAD] = False
        item.mask[-1] = True
    else:
        item[0].mask[:BAD] = False
        item[0].mask[-1] = True


def change_wcs(item):
    holder = item[1] if isinstance(item, fits.HDUList) else item
    if isinstance(holder, fits.ImageHDU):
        holder.header["CRVAL1"] += 30 / 3600
    elif isinstance(holder, NDData):
        holder.wcs.wcs.crval += np.array([30 / 3600, 0])
    elif isinstance(holder[1], WCS):
        holder[1].wcs.crval += np.array([30 / 3600, 0])
    else:
        holder[1]["CRVAL1"] += 30 / 3600


@pytest.mark.filterwarnings("ignore:no unit in BUNIT")
@pytest.mark.parametrize("form", FORMS)
class TestChangedInPlace:
    def test_pixels(self, form):
        given = in_memory(form)
        s = session(given)
        assert s.solve().sky_data.to_numpy() == pytest.approx([0, 2.5, 1], abs=0.02)
        change_pixels(given[1])
        s.load()
        assert s.status().state["solve", "solve"] == "stale"
        assert s.sky.sky_data.to_numpy() == pytest.approx([0, 5.5, 1], abs=0.02)

    def test_masks(self, form):
        given = in_memory(form)
        s = session(given)
        s.mask()
        change_mask(given[1])
        s.load()
        assert s.masks.good.tolist() == [NY * NX, (NY - 1) * NX, NY * NX]

    def test_wcs(self, form):
        given = in_memory(form)
        s = session(given)
        before = s.footprints.ra["image2[SCI,1]" if form == "HDUList" else "image2[0]"]
        change_wcs(given[1])
        s.load()
        assert s.footprints.ra.iloc[1] - before == pytest.approx(30 / 3600, rel=1e-3)

    def test_load_without_a_change_keeps_results(self, form):
        s = session(in_memory(form))
        s.solve()
        s.load()
        assert "stale" not in s.status().state.tolist()


def test_changed_cards_are_seen_by_load():
    given = CCDData(pixels(), unit="electron", wcs=pointing(), meta={"EXPTIME": 50.0})
    s = session(given)
    assert s.members.exptime.tolist() == [50.0]
    given.meta["EXPTIME"] = 25.0
    s.load()
    assert s.members.exptime.tolist() == [25.0]


class TestUnusedWcs:
    """A WCS made by hand, which nothing has been asked of before."""

    @pytest.fixture
    def wcs(self):
        wcs = WCS(naxis=2)
        wcs.wcs.ctype, wcs.wcs.crval, wcs.wcs.crpix = ("RA---TAN", "DEC--TAN"), (10, 20.0), (30.5, 20.5)
        wcs.wcs.cdelt = -1 / 3600, 1 / 3600
        return wcs

    def test_it_stays_as_it_is(self, wcs):
        before = str(wcs)
        session(CCDData(pixels(), unit="electron/s", wcs=wcs)).compute_footprints()
        assert str(wcs) == before

    def test_load_without_a_change_keeps_results(self, wcs):
        s = session(CCDData(pixels(), unit="electron/s", wcs=wcs), skymethod="localmin")
        s.solve()
        s.load()
        assert s.status().state["solve", "solve"] == "fresh"


def zenithal(scale):
    wcs = pointing()
    wcs.wcs.ctype = "RA---ZPN", "DEC--ZPN"
    wcs.wcs.set_pv([(2, 1, scale)])
    wcs.wcs.set()
    return wcs


def test_changed_parameters_of_a_projection_are_seen_by_load():
    wcs = zenithal(1.0)
    s = session([(pixels(), cards()), (pixels() << u.electron / u.s, wcs)])
    before = s.footprints.area_arcsec2.iloc[1]
    wcs.wcs.set_pv([(2, 1, 1.5)])
    wcs.wcs.set()
    s.load()
    assert s.footprints.area_arcsec2.iloc[1] < 0.9 * before


class TestErrors:
    @pytest.mark.parametrize(
        ("given", "reason"),
        [
            (CCDData(pixels(), unit="adu"), r"image1\[0\]: it has no WCS"),
            (NDData(pixels()), r"image1\[0\]: it has no WCS"),
            ((pixels(), fits.Header()), r"image1\[0\]: no celestial WCS"),
            ((pixels(), {}), r"image1\[0\]: no celestial WCS"),
            ((pixels(), WCS(naxis=2)), r"image1\[0\]: no celestial WCS"),
            ((pixels(), WCS(naxis=3)), r"image1\[0\]: no celestial WCS"),
            ((pixels(), cards(CTYPE2="DEC--SIN")), r"image1\[0\]: its header's WCS cannot be used"),
            ((np.zeros((2, 3, 4)), cards()), r"image1\[0\]: an array of shape \(2, 3, 4\)"),
            ((np.zeros(5), cards()), r"image1\[0\]: an array of shape \(5,\)"),
            ((np.zeros((0, 5)), cards()), r"image1\[0\]: an array of shape \(0, 5\)"),
            ((np.zeros(SHAPE, complex), cards()), r"image1\[0\]: pixels of type complex128 are not real numbers"),
            ((np.full(SHAPE, "x"), cards()), "are not real numbers"),
            (fits.HDUList([fits.PrimaryHDU()]), "image1: no image that can be used"),
            (fits.HDUList([fits.PrimaryHDU(pixels())]), r"image1\[0\]: no celestial WCS"),
            (
                fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(pixels()[0], cards(), name="SCI")]),
                r"image1\[SCI,1\]: 1-D data",
            ),
        ],
    )
    @pytest.mark.filterwarnings("ignore::astropy.wcs.FITSFixedWarning")
    def test_one_line_that_names_the_image(self, given, reason):
        with pytest.raises(InputError, match=reason) as error:
            session(given).load()
        assert "\n" not in str(error.value)

    @pytest.mark.parametrize(
        "given",
        [
            fits.ImageHDU(pixels(), cards()),
            [fits.ImageHDU(pixels(), cards())],
            [(pixels(),)],
            [(pixels(), cards(), 1)],
            [(pixels().tolist(), cards())],
            [(pixels(), "header")],
        ],
        ids=["HDU", "HDU in a list", "array alone", "three", "no array", "no header"],
    )
    def test_what_is_no_image(self, given):
        with pytest.raises(InputTypeError, match="cannot read input of type"):
            resolve_inputs(given)

    def test_a_mask_of_another_shape(self):
        with pytest.raises(InputError, match="mask has shape"):
            session(NDData(pixels(), wcs=pointing(), mask=np.zeros((3, 3), bool))).load()

    def test_an_empty_hdu_list(self):
        with pytest.raises(InputError):
            session(fits.HDUList()).load()

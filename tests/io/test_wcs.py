"""World coordinates: inversion, what they are read from, nominal pixel scale."""

import pickle
import re
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS

from skymatch_nb import SkyMatchSession
from skymatch_nb.errors import InputError, NoOverlapError, ParameterError
from skymatch_nb.io.scales import nominal_scale
from skymatch_nb.io.wcs import FitsTransform, read_transform, wcs_keys
from skymatch_nb.params import SkyMatchParams

SIP = {"A_ORDER": 3, "B_ORDER": 3, "A_2_0": 8e-6, "A_1_1": -5e-6, "A_0_3": 1e-10, "B_0_2": -9e-6, "B_2_1": 3e-10}
TPV = {"PV1_0": 0.0, "PV1_1": 1.0, "PV1_4": 0.08, "PV1_5": -0.05, "PV1_7": 0.4, "PV1_9": 0.3}
TPV |= {"PV2_0": 0.0, "PV2_1": 1.0, "PV2_4": -0.06, "PV2_6": 0.04, "PV2_7": 0.3, "PV2_9": 0.2}


def header(projection, nx=2000, ny=1000, scale=0.26, rotation=20.0, crval=(359.98, -30.0), **cards):
    """Image header of a projection with a rotated pixel grid of ``scale`` arcsec across RA 0."""
    cos, sin = np.cos(np.radians(rotation)) * scale / 3600, np.sin(np.radians(rotation)) * scale / 3600
    made = {"NAXIS": 2, "NAXIS1": nx, "NAXIS2": ny, "CTYPE1": f"RA---{projection}", "CTYPE2": f"DEC--{projection}"}
    made |= {"CRVAL1": crval[0], "CRVAL2": crval[1], "CRPIX1": nx / 2, "CRPIX2": ny / 2}
    made |= {"CUNIT1": "deg", "CUNIT2": "deg", "CD1_1": -cos, "CD1_2": sin, "CD2_1": sin, "CD2_2": cos}
    return fits.Header((made | cards).items())


def transform_of(image_header, primary=None):
    hdus = fits.HDUList([fits.PrimaryHDU(header=primary), fits.ImageHDU(header=image_header)])
    return read_transform(hdus, 1, "a.fits[1]")[0]


HEADERS = {
    "TAN": header("TAN"),
    "SIP": header("TAN-SIP", **SIP),
    "TPV": header("TPV", **TPV),
    "ZPN": header("ZPN", PV2_1=1.0, PV2_3=40.0),
    "TAN on the pole": header("TAN", crval=(10.0, 90.0)),
    "SIP on the pole": header("TAN-SIP", crval=(10.0, -89.99), **SIP),
}
for_headers = pytest.mark.parametrize("image_header", HEADERS.values(), ids=HEADERS)


class TestFitsTransform:
    @for_headers
    def test_to_pixels_inverts_to_sky(self, image_header):
        """To a thousandth of a pixel, within the image and on its edge."""
        transform = transform_of(image_header)
        rng = np.random.default_rng(1)
        x = np.concatenate([rng.uniform(-0.5, 1999.5, 300), [-0.5, 1999.5, -0.5, 1999.5]])
        y = np.concatenate([rng.uniform(-0.5, 999.5, 300), [-0.5, -0.5, 999.5, 999.5]])
        back_x, back_y = transform.to_pixels(*transform.to_sky(x, y))
        np.testing.assert_allclose(back_x, x, atol=1e-3)
        np.testing.assert_allclose(back_y, y, atol=1e-3)

    @for_headers
    def test_positions_are_those_of_astropy_in_pixels_from_zero(self, image_header):
        transform = transform_of(image_header)
        x, y = np.array([0.0, 1999.0, 999.0]), np.array([0.0, 999.0, 499.0])
        expected = WCS(image_header).all_pix2world(x + 1, y + 1, 1)
        np.testing.assert_allclose(transform.to_sky(x, y), expected, rtol=0, atol=1e-12)
        sky = transform.to_sky(x[2:], y[2:])  # the reference pixel
        assert sky[1][0] == pytest.approx(image_header["CRVAL2"], abs=1e-9)

    @pytest.mark.parametrize("name", ["SIP", "TPV"])
    def test_distortions_are_applied(self, name):
        """By several pixels in the corners of these."""
        distorted, plain = transform_of(HEADERS[name]), transform_of(HEADERS["TAN"])
        corners = np.array([0.0, 1999.0, 0.0, 1999.0]), np.array([0.0, 0.0, 999.0, 999.0])
        there = plain.to_pixels(*distorted.to_sky(*corners))
        assert np.hypot(*(np.array(there) - corners)).min() > 2

    def test_whether_there_is_a_distortion_to_invert(self):
        assert transform_of(HEADERS["SIP"]).distorted
        assert not transform_of(HEADERS["TAN"]).distorted

    @for_headers
    def test_no_positions(self, image_header):
        transform = transform_of(image_header)
        x, y = transform.to_pixels(np.zeros(0), np.zeros(0))
        assert x.shape == y.shape == (0,)

    def test_a_position_behind_the_tangent_plane_has_no_pixel(self):
        x, y = transform_of(HEADERS["TAN"]).to_pixels(np.array([179.98, 0.0]), np.array([30.0, -30.0]))
        assert np.isnan([x[0], y[0]]).all()
        assert np.isfinite([x[1], y[1]]).all()

    def test_axes_may_be_swapped(self):
        cards = {"CTYPE1": "DEC--TAN", "CTYPE2": "RA---TAN", "CRVAL1": -30.0, "CRVAL2": 359.98}
        ra, dec = transform_of(header("TAN", **cards)).to_sky(np.array([999.0]), np.array([499.0]))
        assert (ra[0], dec[0]) == pytest.approx((359.98, -30.0))

    def test_galactic_images_can_be_compared_with_others(self):
        center = SkyCoord(30.0, 40.0, unit="deg", frame="galactic")
        cards = {"CTYPE1": "GLON-TAN", "CTYPE2": "GLAT-TAN", "CRVAL1": 30.0, "CRVAL2": 40.0}
        ra, dec = transform_of(header("TAN", **cards)).to_sky(np.array([999.0]), np.array([499.0]))
        assert (ra[0], dec[0]) == pytest.approx((center.icrs.ra.deg, center.icrs.dec.deg))


class TestReadTransform:
    def test_lookup_tables_in_other_extensions_are_read(self):
        """CPDIS tables of an image that is not Hubble's: here a shift by 2 pixels along x and -1 along y."""
        image_header = header("TAN", CPDIS1="Lookup", CPDIS2="Lookup")
        hdus = fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(header=image_header)])
        for axis, shift in ((1, 2.0), (2, -1.0)):
            for record in (f"EXTVER: {axis}", "NAXES: 2", "AXIS.1: 1", "AXIS.2: 2"):
                image_header.append((f"DP{axis}", record), end=True)
            table = fits.ImageHDU(np.full((2, 2), shift, np.float32), name="WCSDVARR", ver=axis)
            for k, step in ((1, 2e3), (2, 1e3)):
                table.header.update({f"CRPIX{k}": 1.0, f"CRVAL{k}": 1.0, f"CDELT{k}": step})
            hdus.append(table)
        hdus[1].header = image_header
        shifted, plain = read_transform(hdus, 1, "a.fits[1]")[0], transform_of(header("TAN"))
        x, y = plain.to_pixels(*shifted.to_sky(np.array([100.0, 1500.0]), np.array([50.0, 700.0])))
        np.testing.assert_allclose(x, [102.0, 1502.0], atol=1e-6)
        np.testing.assert_allclose(y, [49.0, 699.0], atol=1e-6)

    @pytest.mark.parametrize("cards", [{"CTYPE1": "", "CTYPE2": ""}, {"CTYPE1": "LINEAR", "CTYPE2": "LINEAR"}])
    def test_a_wcs_that_is_not_celestial_is_an_error_that_names_the_image(self, cards):
        with pytest.raises(InputError, match=r"^a\.fits\[1\]: no celestial WCS"):
            transform_of(header("TAN", **cards))


def with_alternates(image_header, **others):
    """Header with alternate WCS by key: each moved along RA by some degrees, and named."""
    made = image_header.copy()
    for key, (name, shift) in others.items():
        for word in ("CTYPE", "CRVAL", "CRPIX", "CUNIT"):
            made.update({f"{word}{k}{key}": image_header[f"{word}{k}"] for k in (1, 2)})
        made.update({f"CD{j}_{k}{key}": image_header[f"CD{j}_{k}"] for j in (1, 2) for k in (1, 2)})
        made[f"CRVAL1{key}"] += shift
        made[f"WCSNAME{key}"] = name
    return made


class TestAlternateWcs:
    """The two alternates lie 0.01 and 0.02 degrees of RA to the east of the primary WCS."""

    @pytest.fixture
    def image_header(self):
        return with_alternates(
            header("TAN", crval=(10.0, 0.0), WCSNAME="FIRST", BUNIT="electron/s"), A=("SECOND", 0.01), O=("", 0.02)
        )

    @pytest.fixture
    def hdus(self, image_header):
        data = np.ones((1000, 2000), np.float32)
        return fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(data, image_header, name="SCI")])

    def test_keys(self, image_header):
        assert wcs_keys(image_header) == ["", "A", "O"]
        assert wcs_keys(fits.Header({"NAXIS": 2})) == []

    @pytest.mark.parametrize(("key", "shift"), [("", 0), ("A", 0.01), ("O", 0.02)])
    def test_the_one_that_is_asked_for(self, hdus, key, shift):
        x, y = np.array([999.0, 1500.0]), np.array([499.0, 10.0])
        expected = read_transform(hdus, 1, "a.fits[1]")[0].to_sky(x, y)
        ra, dec = read_transform(hdus, 1, "a.fits[1]", key)[0].to_sky(x, y)
        np.testing.assert_allclose([ra - shift, dec], expected, atol=1e-12)

    @pytest.mark.parametrize(
        ("key", "label"), [("", "primary: FIRST"), ("A", "A: SECOND"), ("O", "O")], ids=["primary", "A", "O"]
    )
    def test_label(self, hdus, key, label):
        assert read_transform(hdus, 1, "a.fits[1]", key)[0].label == label

    def test_a_missing_key_is_an_error_that_tells_the_keys(self, hdus, image_header):
        expected = r"^a\.fits\[1\]: no WCS with the key 'B' \(it has the primary one, A, O\)$"
        with pytest.raises(InputError, match=expected):
            read_transform(hdus, 1, "a.fits[1]", "B")

    @pytest.mark.filterwarnings("ignore:no unit in BUNIT")
    @pytest.mark.parametrize("key", [None, "A", "a"])
    def test_in_a_session_of_objects(self, hdus, image_header, key):
        shift = 0.01 if key else 0
        pixels = hdus[1].data
        for given in (hdus, (pixels, image_header), (pixels, WCS(image_header, key=(key or " ").upper()))):
            s = SkyMatchSession(given, wcs_key=key, verbose=False)
            s.load()
            (member,) = s.fresh_result("load").members
            assert member.wcs_name == ("A: SECOND" if key else "primary: FIRST")
            ra = [wcs.to_sky(np.zeros(1), np.zeros(1))[0][0] for wcs in (member.wcs, transform_of(image_header))]
            assert ra[0] - ra[1] == pytest.approx(shift, abs=1e-12)

    @pytest.mark.parametrize("of", ["hdus", "header", "wcs"])
    def test_objects_without_the_key(self, hdus, image_header, of):
        given = {"hdus": hdus, "header": (hdus[1].data, image_header), "wcs": (hdus[1].data, WCS(image_header))}[of]
        known = "the primary one" if of == "wcs" else "the primary one, A, O"
        with pytest.raises(InputError, match=rf"^image1\[.+\]: no WCS with the key 'C' \(it has {known}\)$"):
            SkyMatchSession(given, wcs_key="C", verbose=False).load()

    def test_another_key_makes_results_stale(self, hdus):
        s = SkyMatchSession(hdus, verbose=False)
        before = s.footprints
        s.configure(wcs_key="A")
        assert set(s.status().state[[("load", "load"), ("footprints", "footprint")]]) == {"stale"}
        assert (s.footprints.ra - before.ra).tolist() == pytest.approx([0.01], abs=1e-9)
        s.configure(wcs_key=None)
        assert s.footprints.ra.tolist() == before.ra.tolist()

    def test_of_two_exposures_only_the_alternates_overlap(self, image_header, hdus, tmp_path):
        """The second exposure's primary WCS is far away, and its alternate 100 pixels off the first's."""
        pixels = 5 + 0.1 * np.random.default_rng(1).standard_normal((1000, 2000))
        other = with_alternates(header("TAN", crval=(50.0, 0.0)), A=("X", -39.99 + 100 * 0.26 / 3600))
        for name, data, cards in (("a.fits", pixels, image_header), ("b.fits", pixels[::-1] + 2, other)):
            cards["BUNIT"] = "electron/s"
            fits.PrimaryHDU(data, cards).writeto(tmp_path / name)
        paths = [tmp_path / "a.fits", tmp_path / "b.fits"]
        given = {"skymethod": "match", "skystat": "median", "verbose": False}
        with pytest.raises(NoOverlapError):
            SkyMatchSession(paths, **given).solve()
        sky = SkyMatchSession(paths, wcs_key="A", **given).solve()
        assert sky.sky_data.tolist() == pytest.approx([0, 2], abs=0.01)

    @pytest.mark.parametrize("value", ["AB", "1", "*", 3])
    def test_what_is_no_key(self, value):
        with pytest.raises(ParameterError, match=f"^parameter wcs_key={re.escape(repr(value))}: must be "):
            SkyMatchParams.checked({"wcs_key": value})

    @pytest.mark.parametrize("value", ["", " ", "None", None])
    def test_none_is_the_primary_one(self, value):
        assert SkyMatchParams.checked({"wcs_key": value}).wcs_key is None


@pytest.mark.parametrize(
    ("image_header", "distortion"),
    [(header("TAN"), ""), (header("TAN-SIP", **SIP), "SIP"), (header("TPV", **TPV), "TPV"), (HEADERS["ZPN"], "")],
    ids=["TAN", "SIP", "TPV", "ZPN"],
)
def test_distortion_is_told(image_header, distortion):
    assert transform_of(image_header).distortion == distortion


class TestNominalScale:
    @pytest.fixture
    def plain(self):
        return FitsTransform(WCS(header("TAN", scale=0.26)))

    def with_idcscale(self, value):
        wcs = WCS(header("TAN", scale=0.26))
        wcs.idcscale = value
        return FitsTransform(wcs)

    @pytest.mark.parametrize(
        ("idcscale", "primary", "extension", "expected"),
        [
            (0.05, {"PAMSCALE": 0.06, "IDCSCALE": 0.07}, {"PAMSCALE": 0.08, "IDCSCALE": 0.09}, 0.05),
            (None, {"PAMSCALE": 0.06, "IDCSCALE": 0.07}, {"PAMSCALE": 0.08, "IDCSCALE": 0.09}, 0.08),
            (None, {"PAMSCALE": 0.06, "IDCSCALE": 0.07}, {"IDCSCALE": 0.09}, 0.06),
            (None, {"IDCSCALE": 0.07}, {"IDCSCALE": 0.09}, 0.09),
            (None, {"IDCSCALE": 0.07}, {}, 0.07),
            (None, {}, {}, 0.26),
            (0.0, {"PAMSCALE": -1.0}, {"PAMSCALE": "none", "IDCSCALE": 0.09}, 0.09),
            (float("nan"), {"IDCSCALE": 0.0}, {}, 0.26),
            (np.float64(0.05), {}, {"IDCSCALE": 0.09}, 0.05),
            (None, {}, {"IDCSCALE": 1}, 1.0),
        ],
    )
    def test_the_first_positive_number_counts(self, idcscale, primary, extension, expected):
        """Of HSTWCS, then PAMSCALE, IDCSCALE (extension, then primary header), then the linear part of the WCS."""
        headers = [fits.Header(cards.items()) for cards in (primary, extension)]
        assert nominal_scale(self.with_idcscale(idcscale), *headers) == pytest.approx(expected)

    def test_a_wcs_without_idcscale(self, plain):
        assert nominal_scale(plain, fits.Header(), fits.Header()) == pytest.approx(0.26)

    def test_of_the_linear_part_where_pixels_are_not_square(self):
        wcs = WCS(header("TAN"))
        wcs.wcs.cd = np.array([[-0.2, 0.1], [0.05, 0.4]]) / 3600
        expected = np.sqrt(0.2 * 0.4 + 0.1 * 0.05)
        assert nominal_scale(FitsTransform(wcs), fits.Header(), fits.Header()) == pytest.approx(expected)

    def test_of_cdelt(self):
        image_header = header("TAN")
        for name in ("CD1_1", "CD1_2", "CD2_1", "CD2_2"):
            del image_header[name]
        image_header["CDELT1"], image_header["CDELT2"] = -2.0 / 3600, 8.0 / 3600
        assert nominal_scale(transform_of(image_header), fits.Header(), fits.Header()) == pytest.approx(4.0)

    def test_distortion_is_left_out(self):
        transform = transform_of(header("TAN-SIP", A_ORDER=2, B_ORDER=2, A_2_0=1e-4, B_0_2=1e-4))
        assert nominal_scale(transform, fits.Header(), fits.Header()) == pytest.approx(0.26, rel=1e-6)


def test_threads_that_share_a_wcs_get_the_answers_of_one(mosaic):
    """wcslib is not safe for that by itself: without a lock half of these answers are wrong."""
    transform = SkyMatchSession(mosaic.paths, verbose=False).run("load").fresh_result("load").members[0].wcs
    rng = np.random.default_rng(0)
    places = [(rng.uniform(0, 255, 4000), rng.uniform(0, 127, 4000)) for _ in range(8)]

    def there_and_back(place):
        sky = transform.to_sky(*place)
        return np.array([*sky, *transform.to_pixels(*sky)])

    expected = [there_and_back(place) for place in places]
    with ThreadPoolExecutor(4) as pool:
        for _ in range(10):
            for found, right in zip(pool.map(there_and_back, places), expected, strict=True):
                np.testing.assert_array_equal(found, right)


def test_a_pickled_transform_still_works(mosaic):
    transform = SkyMatchSession(mosaic.paths, verbose=False).run("load").fresh_result("load").members[0].wcs
    copy = pickle.loads(pickle.dumps(transform))
    found, expected = (t.to_sky(*np.ones((2, 3))) for t in (copy, transform))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10)  # astropy pickles the header's digits

"""Plain files are read from their bytes as astropy reads them, to the last bit; what is not plain is left to it."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st

from skymatch_nb import SkyMatchSession
from skymatch_nb.errors import InputError
from skymatch_nb.io import fits as fits_reader
from skymatch_nb.io.fits import open_members
from skymatch_nb.io.inputs import ImageSpec
from skymatch_nb.io.plain import NotPlainError, PlainHeader, read_plain
from skymatch_nb.io.plain_wcs import plain_transform
from skymatch_nb.io.scales import nominal_scale
from skymatch_nb.io.wcs import FitsTransform, read_transform
from skymatch_nb.results import MemoryImage


def by_both(path):
    """Members of a file as the package reads it."""
    return open_members(ImageSpec(path), path.name)


def by_astropy(path):
    """Members of a file as astropy alone has them read."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fits_reader, "read_plain", lambda path: None)
        return open_members(ImageSpec(path), path.name)


def header_of(text):
    return PlainHeader(text.encode())


def plain_of(image_header, primary=None):
    """World coordinates of the only extension of a file that is written with a header."""
    hdus = fits.HDUList([fits.PrimaryHDU(header=primary), fits.ImageHDU(np.zeros((20, 30), np.int16), image_header)])
    return hdus, plain_transform(written(hdus), 1, "a.fits[1]")


def written(hdus):
    path = Path(written.folder) / "a.fits"
    hdus.writeto(path, overwrite=True)
    return read_plain(path)


@pytest.fixture(autouse=True, scope="module")
def _folder(tmp_path_factory):
    written.folder = tmp_path_factory.mktemp("plain")


numbers = st.floats(-1e6, 1e6, allow_nan=False)
small = st.floats(-1e-5, 1e-5, allow_nan=False)


@st.composite
def wcs_headers(draw):
    """Header of an image that is gnomonic, with or without SIP or TPV, among cards that say nothing of where it is."""
    kind = draw(st.sampled_from(["TAN", "TAN-SIP", "TPV"]))
    header = fits.Header()
    header["CTYPE1"], header["CTYPE2"] = f"RA---{kind}", f"DEC--{kind}"
    header["CRVAL1"], header["CRVAL2"] = draw(st.floats(0, 360)), draw(st.floats(-90, 90))
    header["CRPIX1"], header["CRPIX2"] = draw(st.floats(-3000, 3000)), draw(st.integers(-3000, 3000))
    header.update(draw(linear_cards()) | draw(distortions(kind)) | draw(cards_besides()))
    if draw(st.booleans()):
        header.add_history("CRVAL1 = 5 was put in by hand")
    return header


@st.composite
def linear_cards(draw):
    """A rotation and a scale, in one of the three ways."""
    angle, scale = draw(st.floats(0, 2 * np.pi)), draw(st.floats(1e-6, 1e-3))
    cos, sin = float(np.cos(angle)), float(np.sin(angle))
    names = draw(st.sampled_from(["CD", "PC", "CROTA"]))
    if names == "CROTA":
        return {"CDELT1": -scale, "CDELT2": scale, "CROTA2": float(np.degrees(angle))}
    factor = scale if names == "CD" else 1.0
    matrix = {"1_1": -cos * factor, "1_2": sin * factor, "2_1": sin * factor, "2_2": cos * factor}
    steps = {"CDELT1": scale, "CDELT2": scale} if names == "PC" else {}
    return {f"{names}{place}": value for place, value in matrix.items()} | steps


@st.composite
def distortions(draw, kind):
    """Cards of SIP or TPV."""
    if kind == "TPV":
        terms = st.sampled_from([f"PV{axis}_{term}" for axis in (1, 2) for term in (0, 2, 3, 4, 7, 10)])
        return {"PV1_1": 1.01, "PV2_1": 0.99} | draw(st.dictionaries(terms, st.floats(-1e-3, 1e-3)))
    if kind == "TAN":
        return {}
    axes = draw(st.sampled_from([("A", "B"), ("A", "B", "AP", "BP")]))
    terms = st.sampled_from([f"{axis}_{i}_{j}" for axis in axes for i in range(5) for j in range(5 - i)])
    orders = {f"{axis}_ORDER": draw(st.integers(2, 4)) for axis in axes}
    return orders | draw(st.dictionaries(terms, small))


def cards_besides():
    """Cards of frames and axes, and of what has nothing to do with positions."""
    cards = {
        "RADESYS": st.sampled_from(["ICRS", "FK5", "FK4"]),
        "EQUINOX": st.sampled_from([1950.0, 2000.0, 2015.5]),
        "CUNIT1": st.just("deg"),
        "LONPOLE": st.just(180.0),
        "WCSAXES": st.just(2),
        "WCSNAME": st.sampled_from(["DISTORTED", "it's"]),
        "DATE-OBS": st.sampled_from(["2024-05-06", "06/05/24", "never"]),
        "MJD-OBS": numbers,
        "IDCSCALE": st.sampled_from([0.05, -1.0, "none"]),
        "CTYPE1A": st.just("LINEAR"),
        "LTV1": numbers,
    }
    return st.fixed_dictionaries({}, optional=cards)


@settings(max_examples=60)
@given(wcs_headers(), st.integers(0, 10**6))
def test_world_coordinates_are_those_of_astropy_to_the_last_bit(header, seed):
    hdus, transform = plain_of(header)
    expected, _ = read_transform(hdus, 1, "a.fits[1]")
    x, y = np.random.default_rng(seed).uniform(-10, 2000, (2, 40))
    sky = transform.to_sky(x, y)
    assert np.array_equal(sky, expected.to_sky(x, y), equal_nan=True)
    assert np.array_equal(transform.to_pixels(*sky), expected.to_pixels(*sky), equal_nan=True)
    for name in ("label", "distortion", "distorted", "bounds"):
        assert getattr(transform, name) == getattr(expected, name)
    assert transform.wcs.pixel_shape == expected.wcs.pixel_shape == (30, 20)
    headers = [hdus[0].header, hdus[1].header]
    assert nominal_scale(transform, *headers) == nominal_scale(FitsTransform(expected.wcs), *headers)


texts = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40)
values = st.one_of(
    st.booleans(), st.integers(-(10**12), 10**12), st.floats(allow_nan=False, allow_infinity=False), texts,
    st.text("ab' &/", min_size=60, max_size=90), st.complex_numbers(max_magnitude=10, allow_nan=False), st.none(),
)  # fmt: skip


@settings(max_examples=200)
@given(values, st.sampled_from(["", "a comment", "it's / a comment"]))
def test_values_are_those_of_astropy(value, comment):
    header = fits.Header([("FIRST", 1), ("THIS", value, comment), ("THIS", "again"), ("LAST", 2.5)])
    text = header.tostring(padding=False)[: -len("END".ljust(80))]
    expected = fits.Header.fromstring(text)["THIS"]
    found = header_of(text)["THIS"]
    assert (type(found), found) == (type(expected), expected)


@pytest.mark.parametrize(
    "text", ["1.5D-3", "1e5", "007", "+4", ".5", "5.", "-0", "'abc", "T", "(1, 2)", "1 / 2", "'a'/b"]
)
def test_values_that_other_programs_write(text):
    card = f"THIS    = {text}".ljust(80)
    try:
        expected = fits.Card.fromstring(card).value
    except fits.VerifyError:
        with pytest.raises(fits.VerifyError):
            header_of(card)["THIS"]
    else:
        found = header_of(card)["THIS"]
        assert (type(found), found) == (type(expected), expected)


class TestNotPlain:
    @pytest.mark.parametrize(
        "cards",
        [
            {"PV1_1": 1.0},
            {"PV2_4": 0.1},
            {"PS1_0": "x"},
            {"CPDIS1": "Lookup"},
            {"D2IMDIS1": "Lookup"},
            {"AXISCORR": 1},
            {"CD001001": 1e-5},
            {"CTYPE3": "WAVE"},
            {"CD3_3": 1.0},
            {"WCSAXES": 3},
            {"A_ORDER": 2},
            {"CTYPE1": "RA---SIN", "CTYPE2": "DEC--SIN"},
            {"CTYPE1": "DEC--TAN", "CTYPE2": "RA---TAN"},
            {"CTYPE1": "GLON-TAN", "CTYPE2": "GLAT-TAN"},
            {"CTYPE1": "RA---TAN-SIP", "CTYPE2": "DEC--TAN-SIP"},
            {"CTYPE1": "RA---TAN-SIP", "CTYPE2": "DEC--TAN-SIP", "A_ORDER": 2, "A_2_0": 1e-6},
            {"CTYPE1": "RA---TAN-SIP", "CTYPE2": "DEC--TAN-SIP", "A_ORDER": 1, "B_ORDER": 1},
        ],
        ids=str,
    )
    def test_other_world_coordinates(self, celestial, cards):
        celestial.update(cards)
        with pytest.raises(NotPlainError):
            plain_of(celestial)

    @pytest.mark.parametrize("telescope", ["HST", "JWST", " hst "])
    def test_telescopes_whose_files_tell_more(self, celestial, telescope):
        with pytest.raises(NotPlainError):
            plain_of(celestial, fits.Header({"TELESCOP": telescope}))

    def test_a_card_that_occurs_twice(self, celestial):
        celestial.append(("CRVAL1", 11.0), end=True)
        with pytest.raises(NotPlainError):
            plain_of(celestial)

    def test_an_alternate_one_is_asked_for(self, celestial):
        hdus, _ = plain_of(celestial)
        with pytest.raises(NotPlainError):
            plain_transform(written(hdus), 1, "a.fits[1]", "A")

    @pytest.mark.parametrize(
        "change",
        [
            lambda raw: raw[:-2880],
            lambda raw: raw[:-1],
            lambda raw: raw + b"\0" * 2880,
            lambda raw: raw + b"x",
            lambda raw: gzip.compress(raw),
            lambda raw: b"",
            lambda raw: raw[:2000],
            lambda raw: raw.replace(b"END" + b" " * 77, b" " * 80),
            lambda raw: raw.replace(b"END" + b" " * 77, b"END" + b" " * 76 + b"x"),
            lambda raw: raw.replace(b"BITPIX  =                   16", b"BITPIX  =                   17"),
            lambda raw: raw.replace(b"NAXIS1  =                   30", b"NAXIS1  =                  -30"),
            lambda raw: raw.replace(b"NAXIS1  =                   30", b"NAXIS1  =                 30.0"),
            lambda raw: raw.replace(b"XTENSION= 'IMAGE   '", b"XTENSION= 'OTHER   '"),
            lambda raw: raw.replace(b"XTENSION= 'IMAGE   '", b"XTENSION= 'TABLE   '"),
            lambda raw: raw.replace(b"SIMPLE  =                    T", b"SIMPLE  =                    F"),
            lambda raw: raw.replace(b"GCOUNT  =                    1", b"GCOUNT  =                    2"),
            lambda raw: raw.replace(b"RADESYS", b"RAD\xe9SYS"),
        ],
    )
    def test_files_that_are_damaged_or_of_another_kind(self, celestial, tmp_path, change):
        path = tmp_path / "b.fits"
        hdus = fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(np.zeros((20, 30), np.int16), celestial)])
        hdus.writeto(path)
        assert len(read_plain(path)) == 2
        changed = change(path.read_bytes())
        assert changed != path.read_bytes()
        path.write_bytes(changed)
        assert read_plain(path) is None

    def test_tiles_and_groups(self, celestial, tmp_path):
        fits.HDUList([fits.PrimaryHDU(), fits.CompImageHDU(np.zeros((20, 30)), celestial)]).writeto(tmp_path / "c.fits")
        groups = fits.GroupData(np.zeros((2, 1, 3, 4), np.float32), parnames=["A"], pardata=[np.zeros(2)], bitpix=-32)
        fits.HDUList([fits.GroupsHDU(groups)]).writeto(tmp_path / "g.fits")
        assert read_plain(tmp_path / "c.fits") is read_plain(tmp_path / "g.fits") is None

    def test_nothing(self, tmp_path):
        assert read_plain(tmp_path / "none.fits") is read_plain(tmp_path) is None


def assert_same(found, expected):
    """Members are the same in all that is known of them, and their positions to the last bit."""
    for one, other in zip(found, expected, strict=True):
        for name, value in vars(other).items():
            if name != "wcs" and not isinstance(value, MemoryImage):
                assert getattr(one, name) == value, name
        x, y = np.random.default_rng(1).uniform(-5, max(other.shape), (2, 200))
        sky = other.wcs.to_sky(x, y)
        assert np.array_equal(one.wcs.to_sky(x, y), sky, equal_nan=True)
        assert np.array_equal(one.wcs.to_pixels(*sky), other.wcs.to_pixels(*sky), equal_nan=True)


def attempt(read, path):
    """Members, or the words of the error."""
    try:
        return read(path)
    except InputError as error:
        return str(error)


def test_members_of_simulated_files(mosaic):
    for path in mosaic.paths:
        assert read_plain(path) is not None
        assert_same(by_both(path), by_astropy(path))


@pytest.mark.parametrize("scaling", [{}, {"BSCALE": 2.0}, {"BZERO": 32768}, {"BLANK": -1}])
def test_where_pixels_are(write, image, scaling):
    path = write("a.fits", [image(), image("DQ", data=np.zeros((30, 40), np.int16)), image("ERR")], FILTER="F1")
    with fits.open(path, "update") as hdus:
        hdus[1].header.update(scaling)
    assert_same(by_both(path), by_astropy(path))


def test_members_of_archive_files(realdata):
    quick = 0
    for path in sorted(realdata.rglob("*.fits*")):
        found, expected = (attempt(read, path) for read in (by_both, by_astropy))
        if isinstance(expected, str):
            assert found == expected
            continue
        assert_same(found, expected)
        quick += expected[0].distortion == "TPV" and read_plain(path) is not None
    assert quick > 50


def test_headers_of_hubble_with_another_name_are_plain(realdata, tmp_path):
    """SIP of real detectors: as astropy has it, from files of which only the name of the telescope was changed."""
    path = tmp_path / "real.fits"
    path.write_bytes(gzip.decompress((realdata / "acs_hrc/input1.fits.gz").read_bytes()))
    with fits.open(path, "update") as hdus:
        hdus[0].header["TELESCOP"] = "OTHER"
    hdus = read_plain(path)
    assert plain_transform(hdus, 1, "real").distortion == "SIP"
    assert_same(by_both(path), by_astropy(path))


@pytest.mark.parametrize("skymethod", ["match", "localmin"])
def test_levels_are_the_same(mosaic, skymethod):
    def levels():
        s = SkyMatchSession(mosaic.paths, skymethod=skymethod, skystat="median", verbose=False)
        return s.sky[["sky", "sky_err", "sky_data"]].to_numpy(float)

    found = levels()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fits_reader, "read_plain", lambda path: None)
        expected = levels()
    assert np.array_equal(found, expected, equal_nan=True)
    assert np.isfinite(found).all()


def test_levels_of_archive_files_are_the_same(realdata):
    def levels():
        inputs = str(realdata / "bok_mosaic3_decam/mzlsbass3/mosaic/*/*ooi*")
        s = SkyMatchSession(inputs, skymethod="match", skystat="median", verbose=False)
        return s.sky[["sky", "sky_err"]].to_numpy(float)

    found = levels()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fits_reader, "read_plain", lambda path: None)
        assert np.array_equal(found, levels())
    assert np.isfinite(found).all()

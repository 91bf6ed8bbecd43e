"""Bad input gives one clear error, or a status in the table, and harms nothing else."""

import warnings

import numpy as np
import pytest
from astropy.io import fits

from skymatch_nb import InputError, NoOverlapError, SkyMatchSession, SkyMatchWarning, UnitsError

RIGHT = 50 / 3600 / np.cos(np.radians(20.0))


def pair(write_image, **second):
    """Two images that share most of their area."""
    return [write_image("a.fits", seed=1), write_image("b.fits", seed=2, **({"level": 7.0, "ra": 10.002} | second))]


def session(paths, **params):
    return SkyMatchSession(paths, **({"skymethod": "match", "skystat": "median", "verbose": False} | params))


def one_line(error: pytest.ExceptionInfo) -> str:
    text = str(error.value)
    assert "\n" not in text
    return text


def test_no_file_matches(tmp_path):
    with pytest.raises(InputError) as error:
        session(str(tmp_path / "none*.fits"))
    assert "no file matches" in one_line(error)
    assert "none*.fits" in str(error.value)


@pytest.mark.parametrize("content", [b"", b"hello, this is text\n" * 500, b"\x00" * 5000])
def test_not_a_fits_file(tmp_path, content):
    path = tmp_path / "odd.fits"
    path.write_bytes(content)
    with pytest.raises(InputError) as error:
        session([path]).load()
    assert ("odd.fits: not a FITS file" if content else "odd.fits: the file is empty") in one_line(error)


@pytest.mark.parametrize("tenth", range(1, 10))
def test_truncated_file(mosaic, tmp_path, tenth):
    path = tmp_path / "short.fits"
    whole = mosaic.paths[0].read_bytes()
    path.write_bytes(whole[: len(whole) * tenth // 10 + 1234])
    with pytest.raises(InputError) as error:
        session([path]).load()
    assert "short.fits" in one_line(error)
    assert "truncated" in str(error.value)


def test_file_cut_inside_a_header(mosaic, tmp_path):
    path = tmp_path / "short.fits"
    whole = mosaic.paths[0].read_bytes()
    path.write_bytes(whole[: whole.rindex(b"XTENSION") + 700])
    with pytest.raises(InputError, match="truncated or damaged after its extension 5"):
        session([path]).load()


def test_truncated_gzip_file(write_image):
    path = write_image("short.fits.gz")
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(InputError, match=r"short\.fits\.gz"):
        session([path]).mask()


def test_no_image(tmp_path):
    path = tmp_path / "empty.fits"
    fits.HDUList([fits.PrimaryHDU(), fits.BinTableHDU(name="EVENTS")]).writeto(path)
    with pytest.raises(InputError) as error:
        session([path]).load()
    assert "empty.fits: no image that can be used" in one_line(error)


@pytest.mark.parametrize("shape", [(50,), (3, 40, 50)])
def test_data_that_are_not_two_dimensional(tmp_path, shape):
    path = tmp_path / "cube.fits"
    fits.PrimaryHDU(np.zeros(shape, np.float32)).writeto(path)
    with pytest.raises(InputError) as error:
        session([path]).load()
    pixels = " x ".join(map(str, reversed(shape)))
    assert one_line(error) == f"cube.fits[0]: {len(shape)}-D data where a 2-D image is needed ({pixels} pixels)"


def test_no_celestial_wcs(tmp_path):
    path = tmp_path / "plain.fits"
    fits.PrimaryHDU(np.zeros((20, 30), np.float32)).writeto(path)
    with pytest.raises(InputError) as error:
        session([path]).load()
    assert "plain.fits[0]: no celestial WCS" in one_line(error)


SPECTRAL = [("WAVE", "LINEAR", "m"), ("RA---TAN", "WAVE", "m"), ("AWAV-GRI", "DEC--TAN", "m"), ("PIXEL", "PIXEL", "")]


@pytest.mark.parametrize(("first", "second", "unit"), SPECTRAL)
@pytest.mark.parametrize("form", ["file", "pair"])
def test_axes_that_are_none_of_the_sky_are_named(tmp_path, first, second, unit, form):
    hdu = fits.PrimaryHDU(np.zeros((20, 30), np.float32))
    hdu.header.update({"CTYPE1": first, "CTYPE2": second, "CUNIT1": "deg", "CDELT1": 1e-4, "CDELT2": 1e-4})
    hdu.writeto(tmp_path / "slit.fits")
    with pytest.raises(InputError, match=r"^(slit\.fits|image1)\[0\]: no celestial WCS") as error:
        session([tmp_path / "slit.fits" if form == "file" else (hdu.data, hdu.header)]).load()
    assert f"(CTYPE = {first}, {second}; needed are two axes of the sky" in one_line(error)


CARDS = {"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRPIX1": 1.0, "CRPIX2": 1.0}
PLACE = {"CRVAL1": 10.0, "CRVAL2": 20.0}
UNIT = {"CD1_1": 1.0, "CD1_2": 0.0, "CD2_1": 0.0, "CD2_2": 1.0}


@pytest.mark.parametrize(
    ("cards", "lack"),
    [
        (PLACE, "its header has no pixel scale (CDi_j or CDELTi)"),
        ({"CDELT1": -1e-4, "CDELT2": 1e-4}, "its header has no position (CRVALi)"),
        (UNIT | {"CRVAL1": -1.0, "CRVAL2": -1.0}, "placeholders (CRVAL = -1, -1; pixels of 1 degree)"),
        (UNIT | {"CRVAL1": 0.0, "CRVAL2": 0.0}, "placeholders (CRVAL = 0, 0; pixels of 1 degree)"),
    ],
)
@pytest.mark.parametrize("form", ["file", "pair"])
def test_a_wcs_that_says_nothing_of_the_place_is_told(tmp_path, cards, lack, form):
    hdu = fits.PrimaryHDU(np.zeros((20, 30), np.float32), fits.Header((CARDS | cards).items()))
    hdu.writeto(tmp_path / "lost.fits")
    with pytest.raises(InputError, match=r"^(lost\.fits|image1)\[0\]: no celestial WCS: ") as error:
        session([tmp_path / "lost.fits" if form == "file" else (hdu.data, hdu.header)]).load()
    assert lack in one_line(error)


def test_dq_of_another_shape(mosaic, tmp_path):
    path = tmp_path / "bad.fits"
    with fits.open(mosaic.paths[0]) as hdus:
        hdus["DQ", 2].data = np.zeros((5, 5), np.int16)
        hdus.writeto(path)
    with pytest.raises(InputError) as error:
        session([path, mosaic.paths[1]]).solve()
    assert "bad.fits[SCI,2]: its DQ array has shape (5, 5), the image (128, 256)" in one_line(error)
    assert session([path, mosaic.paths[1]], dq_bits=None).solve().sky.notna().all()


def test_one_exposure_cannot_be_matched(write_image):
    with pytest.raises(NoOverlapError, match=r"only one exposure \(a\.fits\)"):
        session([write_image("a.fits")]).solve()


def test_nothing_overlaps(write_image):
    paths = pair(write_image, ra=30.0)
    with pytest.raises(NoOverlapError, match="none of the 2 exposures overlap") as error:
        session(paths).solve()
    assert isinstance(error.value, RuntimeError)


@pytest.mark.parametrize("number", [1, 2])
def test_globalmin_match_without_overlaps_gives_everyone_the_baseline(write_image, number):
    paths = pair(write_image, ra=30.0)[:number]
    with pytest.warns(SkyMatchWarning, match="nothing was matched"):
        sky = session(paths, skymethod="globalmin+match").solve()
    assert sky.sky.to_numpy() == pytest.approx(5.0, abs=0.02)
    assert set(sky.status) == {"baseline, no overlap"}


def test_different_filters_are_named(write_image):
    paths = [write_image("a.fits", FILTER="F606W"), write_image("b.fits", FILTER="F814W")]
    with pytest.warns(SkyMatchWarning, match=r"F606W \(1\), F814W \(1\)"):
        session(paths).solve()


def test_masked_overlap_is_a_status_not_a_level(write_image):
    paths = [
        write_image("a.fits"),
        write_image("b.fits", ra=10.0 + RIGHT, level=7.0),
        write_image("c.fits", ra=10.0 - RIGHT, level=9.0),
    ]
    blind = np.zeros((40, 60))
    s = SkyMatchSession(paths, masks={"b.fits[0]": blind}, skymethod="match", skystat="median", verbose=False)
    with pytest.warns(SkyMatchWarning, match=r"1 of 3 exposures have no good pixels in their overlaps: b\.fits"):
        sky = s.solve()
    assert sky.status["b.fits[0]"] == "no good pixels"
    assert np.isnan(sky.sky["b.fits[0]"])
    assert sky.sky["c.fits[0]"] == pytest.approx(4.0, abs=0.1)
    status = s.overlaps.set_index(["member_a", "member_b"]).status
    assert status["a.fits[0]", "b.fits[0]"] == "no good pixels in b"
    assert status["a.fits[0]", "c.fits[0]"] == "used"


def test_nan_everywhere(write_image):
    paths = pair(write_image, data=np.full((40, 60), np.nan))
    with pytest.raises(NoOverlapError, match="good pixels on both sides"):
        session(paths).solve()
    with pytest.warns(SkyMatchWarning):
        sky = session(paths, skymethod="localmin").solve()
    assert sky.status["b.fits[0]"] == "no good pixels"
    assert np.isnan(sky.sky["b.fits[0]"])
    assert sky.sky["a.fits[0]"] == pytest.approx(5.0, abs=0.02)
    with pytest.warns(SkyMatchWarning):
        assert session(paths, skymethod="globalmin").solve().sky.to_numpy() == pytest.approx(5.0, abs=0.02)


def test_some_nan_pixels_are_left_out(write_image):
    data = 7.0 + 0.1 * np.random.default_rng(0).standard_normal((40, 60))
    data[::3] = np.nan
    data[1::7] = np.inf
    s = session(pair(write_image, data=data))
    assert s.solve().sky["b.fits[0]"] == pytest.approx(2.0, abs=0.05)
    assert s.masks.bad_value["b.fits[0]"] == np.sum(~np.isfinite(data))


@pytest.mark.parametrize("shift", [0.0, 1e-3 / 3600, 1e-9])
def test_identical_and_nearly_identical_exposures(write_image, shift):
    paths = [write_image("a.fits", seed=1), write_image("b.fits", seed=1, ra=10.0 + shift, level=7.0)]
    s = session(paths)
    assert s.solve().sky["b.fits[0]"] == pytest.approx(2.0, abs=1e-3)
    assert s.overlaps.npix_a[0] == pytest.approx(2400, abs=100)
    assert s.overlaps.area_arcsec2[0] == pytest.approx(2400, rel=1e-3)


@pytest.mark.parametrize(("ra", "dec"), [(0.0, -30.0), (359.9999, 0.0), (123.0, 90.0), (200.0, -89.999)])
def test_across_ra_zero_and_at_the_pole(write_image, ra, dec):
    second = {"dec": dec - 10 / 3600} if dec > 0 else {"dec": dec + 10 / 3600}
    paths = [write_image("a.fits", ra=ra, dec=dec), write_image("b.fits", ra=ra, level=7.0, **second)]
    s = session(paths)
    assert s.solve().sky["b.fits[0]"] == pytest.approx(2.0, abs=0.05)
    assert s.overlaps.area_arcsec2[0] == pytest.approx(60 * 30, rel=1e-3)


def test_image_of_over_sixty_degrees(write_image):
    wide = write_image("wide.fits", shape=(70, 70), scale=3600, ra=5.0, dec=10.0, projection="ARC")
    narrow = write_image("narrow.fits", shape=(80, 80), scale=900, ra=15.0, dec=0.0, level=7.0)
    s = session([wide, narrow])
    assert s.footprints.area_arcsec2["wide.fits[0]"] > (60 * 3600) ** 2
    sky = s.solve()
    assert sky.sky_data["narrow.fits[0]"] * 900**-2 - 5.0 * 3600**-2 != 0
    assert (s.overlaps[["npix_a", "npix_b"]].to_numpy() > 300).all()


def test_image_wider_than_a_hemisphere_is_an_error(write_image):
    path = write_image("sky.fits", shape=(200, 200), scale=3600, ra=5.0, dec=10.0, projection="ARC")
    with pytest.raises(InputError, match=r"sky\.fits\[0\]: no footprint"):
        session([path, write_image("a.fits")]).solve()


def test_brightness_mixed_with_rates_lists_the_files_of_each_kind(write_image):
    paths = pair(write_image, BUNIT="MJy/sr")
    with pytest.raises(UnitsError, match=r"b\.fits \(MJy/sr\) against a\.fits \(electron/s\)"):
        session(paths).solve()


def test_file_that_changes_after_loading_is_noticed(write_image):
    paths = pair(write_image)
    s = session(paths)
    s.load()
    with fits.open(paths[1], mode="update") as hdus:
        hdus[0].data += 1
        hdus[0].header["HISTORY"] = "changed" * 9
    with pytest.raises(InputError, match=r"b\.fits: the file has changed since it was loaded"):
        s.solve()
    s.load()
    assert s.solve().sky["b.fits[0]"] == pytest.approx(3.0, abs=0.05)


def test_mask_for_nobody_and_mask_of_another_shape(write_image):
    paths = pair(write_image)
    with pytest.raises(InputError, match=r"'c\.fits', which is no member"):
        SkyMatchSession(paths, masks={"c.fits": np.ones((40, 60))}, verbose=False).solve()
    with pytest.raises(InputError, match=r"shape \(3, 3\), the image \(40, 60\)"):
        SkyMatchSession(paths, masks={"a.fits": np.ones((3, 3))}, verbose=False).solve()


def test_good_input_warns_of_nothing(mosaic):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        session(mosaic.paths).run("apply")


@pytest.mark.parametrize("keyword", ["CRVAL1", "EXTNAME", "EXPTIME", "DATE-OBS", "NAXIS1", "CD1_1", "HISTORY", "A_2_0"])
def test_keywords_with_another_meaning_are_refused(write_image, keyword):
    with pytest.raises(ValueError, match=f"skyuser_kwd='{keyword}': that keyword has another meaning"):
        session(pair(write_image), skyuser_kwd=keyword)


def test_fluxes_are_converted_and_not_mixed_with_rates(write_image):
    paths = [write_image("a.fits", BUNIT="Jy"), write_image("b.fits", BUNIT="mJy", level=7000.0, noise=100.0)]
    s = session(paths)
    assert s.solve().sky["b.fits[0]"] == pytest.approx(2.0, abs=0.05)
    assert s.sky.attrs["units"]["sky"] == "Jy / arcsec2"
    other = write_image("c.fits", BUNIT="electron/s")
    with pytest.raises(UnitsError, match=r"fluxes .* a\.fits \(Jy\) against c\.fits \(electron/s\)"):
        session([paths[0], other]).solve()


def test_logarithmic_unit_names_its_file(write_image):
    with pytest.raises(UnitsError, match=r"a\.fits\[0\]: BUNIT: unit 'mag' is logarithmic"):
        session([write_image("a.fits", BUNIT="mag"), write_image("b.fits")]).solve()


def test_hard_links_are_one_file(write_image, tmp_path):
    path = write_image("a.fits")
    (tmp_path / "link.fits").hardlink_to(path)
    with pytest.raises(NoOverlapError, match="only one exposure"):
        session([path, tmp_path / "link.fits"]).solve()

"""Synthetic mosaics: what is planted is what the files hold."""

from pathlib import Path

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.stats import sigma_clip
from astropy.wcs import WCS

from skymatch_nb import SkyMatchSession
from skymatch_nb.datasets import demo_mosaic, make_mosaic

SMALL = {"rows": 1, "cols": 2, "shape": (96, 160)}
BLANK = {"galaxy": False, "stars": 0}
CENTERS = [(150.1, 2.2), (0.0005, -30.0), (359.9995, 10.0), (45.0, 89.9), (200.0, -89.9), (10.0, 90.0)]


def chip_of(path, chip=1):
    with fits.open(path) as hdus:
        return hdus["SCI", chip].data, hdus["DQ", chip].data, WCS(hdus["SCI", chip].header)


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(Path(folder).iterdir())}


def shared_fraction(first, second):
    """Fraction of the pixels of one single-chip exposure that fall on another."""
    data, _, wcs = chip_of(first)
    other, _, other_wcs = chip_of(second)
    y, x = (grid.ravel() for grid in np.indices(data.shape))
    x, y = other_wcs.all_world2pix(*wcs.all_pix2world(x, y, 0), 0, quiet=True)
    inside = np.abs(x - other.shape[1] / 2) < other.shape[1] / 2
    return np.mean(inside & (np.abs(y - other.shape[0] / 2) < other.shape[0] / 2))


def centroid(data, flags, x, y, half=3):
    """Centroid and flux of the star near a pixel; None if it is cut off or hits a flagged pixel."""
    i, j = round(float(x)), round(float(y))
    window = slice(j - half, j + half + 1), slice(i - half, i + half + 1)
    if min(i, j) < half or i + half >= data.shape[1] or j + half >= data.shape[0] or flags[window].any():
        return None
    light = data[window] - np.median(data)
    dy, dx = np.indices(light.shape) - half
    flux = light.sum()
    return i + (light * dx).sum() / flux, j + (light * dy).sum() / flux, flux


def matched_stars(first, second, count=30):
    """Separations in arcsec of bright sources with the same flux in two single-chip exposures."""
    data, flags, wcs = chip_of(first)
    other, other_flags, other_wcs = chip_of(second)
    clean = np.where(flags, -np.inf, data)
    separations = []
    for _ in range(count):
        j, i = np.unravel_index(np.argmax(clean), clean.shape)
        clean[max(0, j - 12) : j + 13, max(0, i - 12) : i + 13] = -np.inf
        here = centroid(data, flags, i, j)
        if here is None:
            continue
        ra, dec = wcs.all_pix2world(*here[:2], 0)
        there = centroid(other, other_flags, *other_wcs.all_world2pix(ra, dec, 0, quiet=True))
        if there is not None and there[2] == pytest.approx(here[2], rel=0.25):
            other_ra, other_dec = other_wcs.all_pix2world(*there[:2], 0)
            place, other_place = SkyCoord(ra, dec, unit="deg"), SkyCoord(other_ra, other_dec, unit="deg")
            separations.append(place.separation(other_place).arcsec)
    return np.array(separations)


def test_files_have_the_described_structure(tmp_path):
    mosaic = make_mosaic(tmp_path / "new" / "folder", **SMALL)
    assert [path.name for path in mosaic.paths] == ["demo_01_flt.fits", "demo_02_flt.fits"]
    assert set(mosaic.sky) == set(mosaic.sky_brightness) == {path.name for path in mosaic.paths}
    with fits.open(mosaic.paths[1]) as hdus:
        assert [(h.name, h.ver) for h in hdus[1:]] == [(n, v) for v in (1, 2) for n in ("SCI", "ERR", "DQ")]
        primary = hdus[0].header
        assert (primary["TELESCOP"], primary["INSTRUME"], primary["FILTER"]) == (
            "SIMULATED",
            "SKYCAM",
            "F814W",
        )
        assert primary["ROOTNAME"] == "demo_02"
        assert primary["DATE-OBS"] == "2024-03-01T00:20:00"
        assert primary["EXPTIME"] in (350.0, 500.0, 700.0)
        assert {"DETECTOR"} <= set(primary)
        assert [hdus[k].data.dtype.newbyteorder("=") for k in (1, 2, 3)] == [np.float32, np.float32, np.int16]
        assert all(hdu.data.shape == (96, 160) for hdu in hdus[1:])
        assert hdus["SCI", 2].header["BUNIT"] == "ELECTRONS/S"
        assert hdus["SCI", 2].header["IDCSCALE"] == mosaic.pixel_scale == 0.05
        assert hdus["SCI", 2].header["CTYPE1"] == "RA---TAN-SIP"


def test_chips_are_a_gap_apart_in_one_distorted_field(tmp_path):
    path = make_mosaic(tmp_path, **SMALL, **BLANK).paths[0]
    lower, upper = chip_of(path, 1)[2], chip_of(path, 2)[2]
    np.testing.assert_allclose(lower.all_pix2world(7, 96 + 50, 0), upper.all_pix2world(7, 0, 0), atol=1e-10)


@pytest.mark.parametrize("distortion", [0.0, 1.0, 5.0])
def test_distortion_at_the_corner_follows_the_chip_size(tmp_path, distortion):
    wcs = chip_of(make_mosaic(tmp_path, **SMALL, **BLANK, chips=1, distortion=distortion).paths[0])[2]
    corners = np.array([[0.5, 0.5], [160.5, 0.5], [0.5, 96.5], [160.5, 96.5]])
    shift = wcs.sip_pix2foc(corners, 1) - (corners - wcs.wcs.crpix)
    assert np.hypot(*shift.T).max() == pytest.approx(distortion * 10 * 160 / 2048, abs=1e-9)


def test_seed_alone_decides(tmp_path):
    first = make_mosaic(tmp_path / "a", **SMALL, nebula=True, seed=5)
    second = make_mosaic(tmp_path / "b", **SMALL, nebula=True, seed=5)
    third = make_mosaic(tmp_path / "c", **SMALL, nebula=True, seed=6)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert first.sky == second.sky
    assert first.sky != third.sky
    assert not np.array_equal(chip_of(first.paths[0])[0], chip_of(third.paths[0])[0])


@pytest.mark.parametrize("units", ["ELECTRONS/S", "ELECTRONS"])
def test_planted_sky_is_the_median_of_blank_pixels(tmp_path, units):
    mosaic = make_mosaic(tmp_path, **{**SMALL, "shape": (128, 256)}, **BLANK, units=units)
    for path in mosaic.paths:
        chips = [chip_of(path, chip)[:2] for chip in (1, 2)]
        good = np.concatenate([data[flags == 0] for data, flags in chips])
        kept = sigma_clip(good, sigma=4, masked=False)
        error = 1.2533 * kept.std() / np.sqrt(kept.size)
        assert kept.size > 0.97 * good.size
        assert np.median(kept) == pytest.approx(mosaic.sky[path.name], abs=4 * error)


def test_error_array_is_the_scatter_of_the_data(tmp_path):
    mosaic = make_mosaic(tmp_path, **SMALL, **BLANK, exptimes=[400.0])
    path = mosaic.paths[0]
    data, flags, _ = chip_of(path)
    error = np.median(fits.getdata(path, extname="ERR", extver=1))
    assert error == pytest.approx(np.sqrt(mosaic.sky[path.name] * 400 + 25) / 400, rel=1e-5)
    assert sigma_clip(data[flags == 0], masked=False).std() == pytest.approx(error, rel=0.03)


def test_counts_are_rates_times_exposure_time(tmp_path):
    rates = make_mosaic(tmp_path / "rates", **SMALL, seed=3)
    counts = make_mosaic(tmp_path / "counts", **SMALL, seed=3, units="ELECTRONS", exptimes=(350, 500, 700))
    assert rates.sky_brightness == counts.sky_brightness
    for rate, count in zip(rates.paths, counts.paths, strict=True):
        exptime = fits.getval(count, "EXPTIME")
        assert fits.getval(rate, "EXPTIME") == exptime
        assert fits.getval(count, "BUNIT", "SCI") == "ELECTRONS"
        np.testing.assert_allclose(chip_of(count)[0], chip_of(rate)[0] * exptime, rtol=1e-5, atol=1e-4)
        assert counts.sky[count.name] == pytest.approx(rates.sky[rate.name] * exptime)
        assert counts.sky_brightness[count.name] == pytest.approx(rates.sky[rate.name] / 0.05**2)
        assert 0.05 <= rates.sky[rate.name] <= 0.25


def test_flagged_pixels_hold_what_their_flags_say(tmp_path):
    mosaic = make_mosaic(tmp_path, **{**SMALL, "rows": 2}, **BLANK, exptimes=[500.0], units="ELECTRONS")
    flagged = unflagged = 0
    for path in mosaic.paths:
        data, flags, _ = chip_of(path)
        excess = data - mosaic.sky[path.name]
        assert excess[flags == 4096].min() > 60
        assert excess[flags == 16].min() > 300
        assert np.median(excess[flags == 4]) < -0.2 * mosaic.sky[path.name]
        flagged += np.count_nonzero(flags & 4096)
        unflagged += np.count_nonzero(excess[flags == 0] > 100)
    assert flagged > 100
    assert 0.5 < unflagged / flagged < 2


def test_detector_flaws_stay_where_they_are(tmp_path):
    first, second = (chip_of(path)[1] & (4 | 16) for path in make_mosaic(tmp_path, **SMALL).paths)
    np.testing.assert_array_equal(first, second)
    assert set(np.unique(first)) >= {0, 4, 16}


@pytest.mark.parametrize("center", CENTERS)
def test_neighbours_share_the_overlap_and_the_stars(tmp_path, center):
    mosaic = make_mosaic(
        tmp_path, rows=2, cols=2, shape=(240, 300), chips=1, overlap=0.4, center=center, seed=4,
        stars=120, galaxy=False, exptimes=[100.0],
    )  # fmt: skip
    southwest, southeast, northwest, northeast = mosaic.paths
    for first, second in [(southwest, southeast), (southwest, northwest), (southeast, northeast)]:
        assert shared_fraction(first, second) == pytest.approx(0.4, abs=0.08)
        separations = matched_stars(first, second)
        assert separations.size >= 2
        assert separations.max() < 0.3 * mosaic.pixel_scale
    assert shared_fraction(southwest, northeast) == pytest.approx(0.16, abs=0.06)
    pointings = [chip_of(path)[2].wcs.crval for path in mosaic.paths]
    assert all(0 <= ra < 360 for ra, _ in pointings)
    places = SkyCoord(pointings, unit="deg")
    assert places.separation(SkyCoord(*center, unit="deg")).arcsec.max() < 300 * 0.05


def test_mosaic_across_ra_zero_has_exposures_on_both_sides(tmp_path):
    mosaic = make_mosaic(tmp_path, **SMALL, **BLANK, center=(0.0, 40.0))
    west, east = (chip_of(path)[2].wcs.crval[0] for path in mosaic.paths)
    assert west > 359.9
    assert east < 0.1


@pytest.mark.parametrize("center", [(150.1, 2.2), (0.0, 60.0), (45.0, 89.9)])
def test_separate_exposures_overlap_only_each_other(tmp_path, center):
    mosaic = make_mosaic(
        tmp_path, rows=2, cols=2, shape=(96, 160), chips=1, overlap=0.3, center=center, separate=[1, 3]
    )
    places = SkyCoord([chip_of(path)[2].wcs.crval for path in mosaic.paths], unit="deg")
    assert places[1].separation(places[0]).arcsec == pytest.approx(10 * 160 * 1.7 * 0.05, rel=0.1)
    assert shared_fraction(mosaic.paths[1], mosaic.paths[3]) == pytest.approx(0.3, abs=0.08)
    assert shared_fraction(mosaic.paths[0], mosaic.paths[2]) == pytest.approx(0.3, abs=0.08)
    assert all(places[k].separation(places[m]).arcsec > 50 for k in (0, 2) for m in (1, 3))


def test_galaxy_and_nebula_outshine_the_sky(tmp_path):
    options = {"rows": 1, "cols": 1, "shape": (128, 192), "chips": 1, "stars": 0}
    blank, galaxy, nebula = (
        make_mosaic(tmp_path / name, **options, galaxy=name == "galaxy", nebula=name == "nebula")
        for name in ("blank", "galaxy", "nebula")
    )
    sky = blank.sky["demo_01_flt.fits"]
    assert galaxy.sky == nebula.sky == blank.sky
    shine = chip_of(galaxy.paths[0])[0] - chip_of(blank.paths[0])[0]
    assert np.median(shine[54:74, 86:106]) > 2 * sky
    assert np.median(chip_of(nebula.paths[0])[0]) > 2 * sky


def test_a_nebula_that_ends_leaves_sky_in_the_north_east(tmp_path):
    options = {"rows": 2, "cols": 2, "shape": (128, 192), "chips": 1, "stars": 0, "galaxy": False, "seed": 2}
    blank = make_mosaic(tmp_path / "blank", **options)
    half = make_mosaic(tmp_path / "half", **options, nebula=0.4)
    assert half.sky == blank.sky
    shine = [chip_of(a)[0] - chip_of(b)[0] for a, b in zip(half.paths, blank.paths, strict=True)]
    assert np.median(shine[0]) > 2 * half.sky["demo_01_flt.fits"]
    assert abs(np.median(shine[3])) < 0.02 * half.sky["demo_04_flt.fits"]


def test_cameras_differ_in_their_headers_alone(tmp_path):
    plain = make_mosaic(tmp_path / "plain", **SMALL, chips=2, units="ELECTRONS")
    hubble = make_mosaic(tmp_path / "hubble", **SMALL, chips=2, units="ELECTRONS", camera="ACS/WFC")
    assert plain.sky == hubble.sky
    for chip in (1, 2):
        for one, other in zip(chip_of(plain.paths[1], chip)[:2], chip_of(hubble.paths[1], chip)[:2], strict=True):
            np.testing.assert_array_equal(one, other)
    members = SkyMatchSession(hubble.paths).members
    assert set(members.telescope) == {"HST"}
    assert set(members.detector) == {"WFC"}
    assert (members.distortion == "SIP").all()
    assert members.pixel_scale.to_numpy() == pytest.approx(hubble.pixel_scale)
    assert [fits.getheader(hubble.paths[0], ("SCI", chip))["CCDCHIP"] for chip in (1, 2)] == [2, 1]


def test_existing_files_are_left_alone(tmp_path):
    mosaic = make_mosaic(tmp_path, **SMALL, seed=1)
    mosaic.paths[0].unlink()
    before = contents(tmp_path)
    with pytest.raises(FileExistsError, match=r"demo_02_flt\.fits"):
        make_mosaic(tmp_path, **SMALL, seed=2)
    assert contents(tmp_path) == before
    make_mosaic(tmp_path, **SMALL, seed=2, overwrite=True)
    assert len(contents(tmp_path)) == 2
    assert contents(tmp_path)["demo_02_flt.fits"] != before["demo_02_flt.fits"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("rows", 0), ("cols", -1), ("cols", 1.5), ("chips", 0), ("stars", -1), ("seed", -1),
        ("shape", (16, 64)),
        ("shape", (64,)), ("overlap", 0.0), ("overlap", 0.9), ("overlap", np.nan), ("center", (10.0, 91.0)),
        ("center", (np.nan, 0.0)), ("pixel_scale", 0.0), ("pixel_scale", 3600.0), ("units", "DN"),
        ("exptimes", ()),
        ("exptimes", (100.0, 0.0)), ("sky_range", (0.2, 0.1)), ("sky_range", (-0.1, 0.1)), ("rotation", -1.0),
        ("nebula", 1.5), ("nebula", -0.1), ("distortion", 6.0), ("distortion", np.inf),
        ("camera", "WFC"), ("separate", (6,)), ("separate", (-1,)),
    ],
)  # fmt: skip
def test_bad_arguments_are_named_with_their_value(tmp_path, name, value):
    with pytest.raises(ValueError, match=rf"^{name}=") as caught:
        make_mosaic(tmp_path / "none", **{name: value})
    assert repr(value) in str(caught.value)
    assert not (tmp_path / "none").exists()


def test_demo_mosaic_is_two_by_three(tmp_path):
    mosaic = demo_mosaic(tmp_path)
    assert len(mosaic.paths) == 6
    assert len(set(mosaic.sky.values())) == 6
    assert chip_of(mosaic.paths[5], 2)[0].shape == (512, 1024)
    with pytest.raises(FileExistsError):
        demo_mosaic(tmp_path)

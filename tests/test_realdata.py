"""Archive data: differences that other measurements of the same pixels give."""

import numpy as np
import pytest
from astropy.io import fits

from skymatch_nb import InputError, SkyMatchSession, SkyMatchWarning

pytestmark = pytest.mark.filterwarnings("ignore::skymatch_nb.errors.SkyMatchWarning")


def match(pattern, **params):
    return SkyMatchSession(str(pattern), verbose=False, **({"skymethod": "match", "skystat": "median"} | params))


@pytest.mark.parametrize(("skystat", "tolerance"), [("median", 0.1), ("mean", 1), ("mode", 1), ("midpt", 1)])
def test_mosaic3_exposures_differ_by_what_paired_pixels_say(realdata, skystat, tolerance):
    s = match(realdata / "bok_mosaic3_decam/mzlsbass3/mosaic/*/*ooi*", skystat=skystat)
    assert np.ptp(s.sky.sky_data) == pytest.approx(11.80, abs=tolerance)
    assert (s.members.exptime == 80.104).all()
    assert s.members.pixel_scale.to_numpy() == pytest.approx(0.2595, abs=1e-3)


@pytest.mark.parametrize(("band", "paired"), [("r", (-0.11, 3.02, 3.13)), ("g", (0.04, 0.19, 0.14))])
def test_90prime_exposures_differ_by_what_paired_pixels_say(realdata, band, paired):
    """The pixels as they are, whatever the exposure times: a keyword that is absent makes them rates."""
    s = match(realdata / f"bok_mosaic3_decam/mzlsbass3/90prime/*/*ooi_{band}*", units_kwd="NOUNIT")
    difference = s.overlaps.difference * s.members.pixel_scale.mean() ** 2
    assert difference.tolist() == pytest.approx(paired, abs=0.1)


@pytest.mark.parametrize("skystat", ["median", "mean", "mode", "midpt", "biweight"])
def test_pixel_by_pixel_every_statistic_finds_what_paired_pixels_say(realdata, skystat):
    """Regions give a mode that is off by 0.1; differences have one narrow peak."""
    s = match(realdata / "bok_mosaic3_decam/mzlsbass3/mosaic/*/*ooi*", skystat=skystat, overlap_stat="difference")
    assert np.ptp(s.sky.sky_data) == pytest.approx(11.80, abs=0.015)


@pytest.mark.parametrize(("band", "paired"), [("r", (-0.11, 3.02, 3.13)), ("g", (0.04, 0.19, 0.14))])
def test_90prime_exposures_pixel_by_pixel(realdata, band, paired):
    s = match(
        realdata / f"bok_mosaic3_decam/mzlsbass3/90prime/*/*ooi_{band}*", units_kwd="NOUNIT", overlap_stat="difference"
    )
    difference = s.overlaps.difference * s.members.pixel_scale.mean() ** 2
    assert difference.tolist() == pytest.approx(paired, abs=0.02)
    assert (s.residuals["pull"].abs() < 3).all()


@pytest.mark.parametrize(("stat", "tolerance"), [("region", 0.03), ("difference", 0.02)])
def test_decam_exposures_differ_by_what_paired_pixels_say(realdata, stat, tolerance):
    s = match(realdata / "bok_mosaic3_decam/testcase3/decam/CP/*/*/*ooi_z*", overlap_stat=stat)
    difference = s.overlaps.difference * s.members.pixel_scale.mean() ** 2
    assert difference.tolist() == pytest.approx([887, 1273, 379], rel=tolerance)


@pytest.mark.parametrize("stat", ["region", "difference"])
def test_one_plate_twice_differs_by_nothing(realdata, stat):
    s = match(realdata / "dss_pair/*.fits", overlap_stat=stat)
    with pytest.warns(SkyMatchWarning, match="no unit in BUNIT"):
        sky = s.solve()
    assert sky.sky_data.to_numpy() == pytest.approx([0, 0], abs=1e-6)


@pytest.mark.parametrize("offset", [3.5, -120.0])
def test_planted_offset_between_subframes_of_one_crowded_exposure(realdata, tmp_path, offset):
    with fits.open(realdata / "acs_hrc/input1.fits.gz") as hdus:
        for name, first, shift in (("a", 0, 0.0), ("b", 400, offset)):
            header = hdus["SCI"].header.copy()
            header["CRPIX1"] -= first
            header["LTV1"] = header.get("LTV1", 0.0) - first
            part = np.s_[:, first : first + 600]
            fits.HDUList(
                [
                    hdus[0].copy(),
                    fits.ImageHDU(hdus["SCI"].data[part] + np.float32(shift), header, name="SCI"),
                    fits.ImageHDU(hdus["DQ"].data[part], name="DQ"),
                ]
            ).writeto(tmp_path / f"{name}.fits")
    sky = match(tmp_path / "*.fits").solve().sky_data
    assert sky["b.fits[SCI,1]"] - sky["a.fits[SCI,1]"] == pytest.approx(offset, abs=0.01)


OFFSETS = np.array([0.0, 3.5, -20.25, 120.0])


def quarters(realdata, folder, noise):
    """Four overlapping subframes of a crowded exposure with planted offsets, and noise of their own in units of ERR.

    Returns a mask for each, with a hole at another place.
    """
    y, x = np.mgrid[:624, :624]
    holes = ((150, 500), (450, 150), (200, 480), (120, 100))
    with fits.open(realdata / "acs_hrc/input1.fits.gz") as hdus:
        for k, (row, column) in enumerate(((0, 0), (0, 400), (400, 0), (400, 400))):
            header, part = hdus["SCI"].header.copy(), np.s_[row : row + 624, column : column + 624]
            header["CRPIX1"] -= column
            header["CRPIX2"] -= row
            own = noise * hdus["ERR"].data[part] * np.random.default_rng(k).standard_normal((624, 624))
            data = (hdus["SCI"].data[part] + own + OFFSETS[k]).astype(np.float32)
            science, flags = fits.ImageHDU(data, header, name="SCI"), fits.ImageHDU(hdus["DQ"].data[part], name="DQ")
            fits.HDUList([hdus[0].copy(), science, flags]).writeto(folder / f"{k}.fits")
    return {f"{k}.fits[SCI,1]": np.hypot(y - row, x - column) > 110 for k, (row, column) in enumerate(holes)}


@pytest.mark.parametrize("skystat", ["median", "mean", "mode"])
def test_masks_at_different_places_of_a_crowded_field_do_not_move_differences(realdata, tmp_path, skystat):
    """Regions err by 5 to 20 here."""
    masks = quarters(realdata, tmp_path, noise=1.0)
    sky = match(tmp_path / "*.fits", masks=masks, skystat=skystat, overlap_stat="difference").sky
    error = sky.sky_data - OFFSETS
    error -= error.mean()
    assert (error.abs() < 3 * sky.sky_data_err).all()
    assert sky.sky_data_err.max() < 0.1


def test_the_same_pixels_differ_by_what_was_planted_but_for_rounding(realdata, tmp_path):
    masks = quarters(realdata, tmp_path, noise=0.0)
    sky = match(tmp_path / "*.fits", masks=masks, overlap_stat="difference").sky.sky_data - OFFSETS
    assert (sky - sky.mean()).abs().max() < np.spacing(np.float32(250))


def test_what_is_no_image_on_the_sky_is_refused_in_words(realdata):
    for pattern, reason in (
        ("geis_fos/y0ue*.fit", "1-D data where a 2-D image is needed"),
        ("geis_fos/y0cw0109t.d0h", r"y0cw0109t.d0h\[SCI,1\]: no celestial WCS: its cards are placeholders"),
        ("geis_fos/y0cw0109t.d0h.fit", r"y0cw0109t.d0h.fit\[IMG,1\]: no celestial WCS: its cards are placeholders"),
        ("gwcs/*.asdf", r"miriwcs.asdf and 4 more: not a Roman file: no 'roman' in its tree"),
    ):
        with pytest.raises(InputError, match=reason):
            match(realdata / pattern).load()

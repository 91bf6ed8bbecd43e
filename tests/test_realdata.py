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


def test_decam_exposures_differ_by_what_paired_pixels_say(realdata):
    s = match(realdata / "bok_mosaic3_decam/testcase3/decam/CP/*/*/*ooi_z*")
    difference = s.overlaps.difference * s.members.pixel_scale.mean() ** 2
    assert difference.tolist() == pytest.approx([887, 1273, 379], rel=0.03)


def test_one_plate_twice_differs_by_nothing(realdata):
    s = match(realdata / "dss_pair/*.fits")
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


def test_what_is_no_image_on_the_sky_is_refused_in_words(realdata):
    for pattern, reason in (
        ("geis_fos/y0ue*.fit", "1-D data where a 2-D image is needed"),
        ("gwcs/*.asdf", "not a FITS file"),
    ):
        with pytest.raises(InputError, match=reason):
            match(realdata / pattern).load()

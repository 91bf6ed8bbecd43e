"""The coarse mosaic: planted scenes and skies are found in it."""

import numpy as np
import pytest
from astropy.io import fits

from skymatch_nb import SkyMatchSession
from skymatch_nb.geometry.sphere import to_vectors
from skymatch_nb.steps import preview


def mosaic_of(session, size=64, members=None):
    return session._mosaic(range(len(session.members)) if members is None else members, size)


def test_flat_skies_are_seen_before_and_gone_after(write_image):
    paths = [write_image("a.fits", level=5.0), write_image("b.fits", ra=10.012, level=9.0, seed=1, noise=0.01)]
    s = SkyMatchSession(paths, skymethod="match", skystat="mean", verbose=False)
    plane, mosaic = mosaic_of(s)
    sky = s.sky["sky"].to_numpy()
    center = s.footprints[["ra", "dec"]].iloc[1]
    x, y = plane.offsets(to_vectors(np.array([center["ra"] + 0.004]), np.array([center["dec"]])))
    column, row = int((x[0] - mosaic.west) / mosaic.cell), int((y[0] - mosaic.south) / mosaic.cell)
    assert mosaic.before[row, column] == pytest.approx(9.0, abs=0.05)
    assert mosaic.after[row, column] == pytest.approx(9.0 - sky[1], abs=0.05)
    assert np.nanstd(mosaic.after) < 0.1
    assert np.nanmean(np.abs(mosaic.difference)) < 0.1
    assert np.isfinite(mosaic.difference).sum() < 0.5 * np.isfinite(mosaic.after).sum()


@pytest.mark.parametrize("rotation", [0.0, 45.0])
def test_no_holes_inside_an_image(write_image, rotation):
    c, s = np.cos(np.radians(rotation)), np.sin(np.radians(rotation))
    cards = {"PC1_1": c, "PC1_2": -s, "PC2_1": s, "PC2_2": c}
    s = SkyMatchSession([write_image("a.fits", shape=(50, 50), **cards)], skymethod="localmin", verbose=False)
    _, mosaic = mosaic_of(s, size=500)
    height, width = mosaic.before.shape
    middle = mosaic.before[height // 2 - 7 : height // 2 + 7, width // 2 - 7 : width // 2 + 7]
    assert np.isfinite(middle).all()


def test_cells_hold_the_mean_of_the_good_pixels_in_them(mosaic):
    """Against astropy's own positions of all pixels, and numpy's histogram."""
    s = SkyMatchSession(mosaic.paths[:1], skymethod="localmin", dq_bits=0, verbose=False)
    plane, coarse = mosaic_of(s, 40, [0])
    member = s._pipeline.require("group")[0].members[0]
    with fits.open(mosaic.paths[0]) as hdus:
        data, good = hdus["SCI", 1].data.astype(float), hdus["DQ", 1].data == 0
    y, x = np.nonzero(good)
    east, north = plane.offsets(to_vectors(*member.wcs.to_sky(x.astype(float), y.astype(float))))
    height, width = coarse.before.shape
    edges = (coarse.south + coarse.cell * np.arange(height + 1), coarse.west + coarse.cell * np.arange(width + 1))
    total, *_ = np.histogram2d(north, east, edges, weights=data[good])
    count, *_ = np.histogram2d(north, east, edges)
    expected = s.members["factor"].iloc[0] * total / np.where(count > 0, count, np.nan)
    assert np.isclose(coarse.before, expected, rtol=1e-9, equal_nan=True).mean() > 0.98


def test_masked_pixels_do_not_count(write_image):
    data = np.ones((40, 60))
    data[:, :30] = 1e6
    mask = np.ones((40, 60), bool)
    mask[:, :30] = False
    paths = [write_image("a.fits", data=data)]
    s = SkyMatchSession(paths, skymethod="localmin", masks={"a.fits": mask}, verbose=False)
    _, mosaic = mosaic_of(s)
    assert np.nanmax(mosaic.before) == pytest.approx(1.0)


def test_large_mosaics_are_read_in_strides(mosaic, monkeypatch):
    s, other = (SkyMatchSession(mosaic.paths, skymethod="match", skystat="median", verbose=False) for _ in range(2))
    _, whole = mosaic_of(s, 30)
    monkeypatch.setattr(preview, "MOST_PIXELS", 30_000)
    _, strided = mosaic_of(other, 30)
    assert whole.stride == 1
    assert strided.stride > 2
    both = np.isfinite(whole.before) & np.isfinite(strided.before)
    assert both.sum() > 0.9 * np.isfinite(whole.before).sum()
    assert np.median(np.abs(whole.before - strided.before)[both]) < 0.1 * np.nanstd(whole.before)


def test_groups_without_a_level_are_left_out_after(write_image):
    paths = [write_image("a.fits"), write_image("b.fits", ra=10.002, seed=1), write_image("c.fits", ra=10.05)]
    s = SkyMatchSession(paths, skymethod="match", verbose=False)
    with pytest.warns(UserWarning, match="c.fits"):
        s.solve()
    _, mosaic = mosaic_of(s)
    assert np.isfinite(mosaic.before).sum() > np.isfinite(mosaic.after).sum() > 0


def test_pixels_are_read_once_for_all_levels(mosaic, monkeypatch):
    """Another statistic takes other levels off the same averages; other good pixels are averaged anew."""
    s = SkyMatchSession(mosaic.paths, skymethod="match", skystat="median", verbose=False)
    read = []
    monkeypatch.setattr(preview, "_read", lambda *of, read_one=preview._read: (read.append(of), read_one(*of))[1])
    mosaic_of(s, 30)
    once = len(read)
    assert once == len(s.members)
    s.configure(skystat="mean")
    _, shown = mosaic_of(s, 30)
    assert len(read) == once
    _, other = mosaic_of(SkyMatchSession(mosaic.paths, skymethod="match", skystat="mean", verbose=False), 30)
    for panel in ("before", "after", "difference"):
        assert np.array_equal(getattr(shown, panel), getattr(other, panel), equal_nan=True)
    read.clear()
    s.configure(dq_bits=None)
    mosaic_of(s, 30)
    assert len(read) == once

"""Differences pixel by pixel: right where regions are not, symmetric, and within every limit."""

import gzip

import numpy as np
import pytest
from astropy.io import fits

from skymatch_nb import NoOverlapError, ParameterError, SkyMatchSession
from skymatch_nb.datasets import make_mosaic


@pytest.fixture(scope="module")
def hard(tmp_path_factory):
    """A nebula brighter than the sky, and flagged blobs at other places of each chip."""
    return make_mosaic(
        tmp_path_factory.mktemp("hard"),
        rows=3,
        cols=3,
        shape=(128, 256),
        overlap=0.3,
        nebula=True,
        persistence=0.15,
        seed=6,
    )


def session(mosaic, **params):
    chosen = {"skymethod": "match", "skystat": "median", "overlap_stat": "difference", "verbose": False} | params
    return SkyMatchSession(getattr(mosaic, "paths", mosaic), **chosen)


def errors(s, mosaic):
    """Level minus planted sky of every exposure, mean removed."""
    level = s.sky.groupby("group", sort=False).sky_data.first()
    error = level - [mosaic.sky[name] for name in level.index]
    return error - error.mean()


@pytest.mark.filterwarnings("ignore:pairs disagree")
def test_what_both_sides_see_cancels(hard):
    region, difference = (
        errors(session(hard, overlap_stat=stat), hard).std(ddof=0) for stat in ("region", "difference")
    )
    assert difference < 0.05 * region
    s = session(hard)
    assert difference < 2 * s.sky.sky_data_err.mean()


@pytest.mark.parametrize("skystat", ["mean", "median", "mode", "midpt"])
def test_errors_are_as_large_as_they_are_said_to_be(hard, skystat):
    s = session(hard, skystat=skystat)
    pulls = errors(s, hard) / s.sky.groupby("group", sort=False).sky_data_err.first()
    assert 0.4 < np.sqrt((pulls**2).mean()) < 2.0


def test_shifts_by_parts_of_a_pixel_over_a_nebula_are_within_the_errors_too(tmp_path):
    pulls = []
    for seed in range(6):
        mosaic = make_mosaic(
            tmp_path / str(seed),
            rows=2,
            cols=2,
            shape=(96, 128),
            overlap=0.6,
            rotation=0,
            nebula=True,
            galaxy=False,
            stars=4,
            seed=seed,
        )
        s = session(mosaic)
        pulls.append(errors(s, mosaic) / s.sky.groupby("group", sort=False).sky_data_err.first())
    assert np.sqrt(np.mean(np.square(pulls))) < 1.4


def test_a_minus_b_and_b_minus_a_agree_within_their_errors(hard):
    forward, backward = session(hard).overlaps, session(hard.paths[::-1]).overlaps
    one = forward.set_index(["member_a", "member_b"])
    other = backward.set_index(["member_b", "member_a"]).loc[one.index]
    pull = (one.difference + other.difference) / np.hypot(one.difference_err, other.difference_err)
    assert len(one) > 10
    assert (pull.abs() < 1).all()


def test_levels_of_sides_are_not_given_and_pixels_are_the_same_on_both(hard):
    overlaps = session(hard).overlaps
    assert overlaps.sky_a.isna().all()
    assert overlaps.sky_b.isna().all()
    assert (overlaps.npix_a == overlaps.npix_b).all()
    assert set(overlaps.status) == {"used"}


def test_threads_and_compression_change_nothing(hard, tmp_path):
    alone = session(hard)
    alone._pipeline.workers = 1
    packed = []
    for path in hard.paths:
        packed.append(tmp_path / f"{path.name}.gz")
        packed[-1].write_bytes(gzip.compress(path.read_bytes(), 1))
    expected = alone.sky.sky.to_numpy()
    many = session(hard)
    many._pipeline.workers = 3
    np.testing.assert_array_equal(many.sky.sky, expected)
    np.testing.assert_array_equal(session(packed).sky.sky, expected)


def test_limits_hold_on_both_sides_in_their_own_units_and_read_no_file(hard):
    s = session(hard, nclip=0)
    free = s.overlaps
    aligned = s.fresh_result("align")
    some = s.configure(lower=0.1, upper=0.5).overlaps
    assert s.fresh_result("align") is aligned
    for k in range(3):
        a, b = aligned.values_a[k], aligned.values_b[k]
        assert free.npix_a[k] == len(a)
        assert some.npix_a[k] == ((a >= 0.1) & (a <= 0.5) & (b >= 0.1) & (b <= 0.5)).sum()


@pytest.mark.parametrize("stat", ["region", "difference"])
def test_limits_in_sigma_are_about_each_samples_own_median(hard, stat):
    s = session(hard, overlap_stat=stat, nclip=0, lower="-1 sigma", upper="2sigma")
    found = s.overlaps.npix_a
    for k in (0, 3):
        if stat == "region":
            samples = s.fresh_result("sample_overlaps")
            a = samples.sets[s.fresh_result("overlap").member_a[k]].sample(samples.at_a[k])
            both = np.ones(len(a), bool)
        else:
            a, b = s.fresh_result("align").values_a[k], s.fresh_result("align").values_b[k]
            middle, sigma = np.median(b), 1.4826022 * np.median(np.abs(b.astype(float) - np.median(b)))
            both = (b >= middle - sigma) & (b <= middle + 2 * sigma)
        middle, sigma = np.median(a), 1.4826022 * np.median(np.abs(a.astype(float) - np.median(a)))
        expected = (both & (a >= middle - sigma) & (a <= middle + 2 * sigma)).sum()
        assert abs(found[k] - expected) <= 2


@pytest.mark.parametrize("stat", ["region", "difference"])
def test_limits_may_differ_from_file_to_file(hard, stat):
    names = [path.name for path in hard.paths]
    everywhere = session(hard, overlap_stat=stat, upper=0.5).overlaps
    s = session(hard, overlap_stat=stat, upper={names[0]: 0.2, "*": 0.5})
    here = s.overlaps
    touched = (here.group_a == names[0]) | (here.group_b == names[0])
    assert (here.npix_a + here.npix_b)[touched].sum() < (everywhere.npix_a + everywhere.npix_b)[touched].sum()
    np.testing.assert_array_equal(here.difference[~touched], everywhere.difference[~touched])
    with pytest.raises(ParameterError, match=r"parameter upper: 'nobody' is no member"):
        s.configure(upper={"nobody": 1.0}).solve()


def test_the_coarser_pixels_are_the_places(write_image):
    """A gradient on the sky, seen with pixels of 1 and of 2 arcsec, cancels; brightness is per square arcsecond."""
    x = np.arange(120.0)
    fine = np.tile(1.0 + 0.02 * x, (80, 1))
    coarse = np.tile(4 * (3.0 + 0.02 * (x[::2] + 0.5)), (40, 1))
    fine = write_image("a.fits", data=fine.astype("f4"), shape=(80, 120), scale=1.0)
    coarse = write_image("b.fits", data=coarse.astype("f4"), shape=(40, 60), scale=2.0)
    for files in ([fine, coarse], [coarse, fine]):
        s = session(files, skystat="mean", nclip=0)
        (row,) = s.overlaps.itertuples()
        sign = 1 if row.group_a == "a.fits" else -1
        assert row.npix_a == 40 * 60
        assert sign * row.difference == pytest.approx(-2.0, abs=0.011)  # half a fine pixel of the gradient


def test_pixels_that_are_good_at_no_common_place_have_a_status(write_image):
    rng = np.random.default_rng(1)
    masks = {"a.fits[0]": np.arange(60) < 30 * np.ones((40, 1)), "b.fits[0]": np.arange(60) >= 30 * np.ones((40, 1))}
    files = [write_image(name, data=rng.normal(5, 1, (40, 60))) for name in ("a.fits", "b.fits")]
    s = session(files)
    assert s.overlaps.status.tolist() == ["used"]
    masked = SkyMatchSession(
        files, masks=masks, skymethod="match", skystat="median", overlap_stat="difference", verbose=False
    )
    assert masked.overlaps.status.tolist() == ["no good pixels in both at the same place"]
    assert np.isnan(masked.overlaps.difference[0])
    with pytest.raises(NoOverlapError, match="no good pixels"):
        masked.solve()
    assert masked.configure(overlap_stat="region").overlaps.status.tolist() == ["used"]


@pytest.mark.parametrize("stat", ["region", "difference"])
def test_overlaps_that_are_too_small_are_listed_and_not_used(hard, stat):
    s = session(hard, overlap_stat=stat)
    everything = s.overlaps
    middle = int(everything[["npix_a", "npix_b"]].min(axis=1).median())
    some = s.configure(min_overlap_pixels=middle).overlaps
    small = everything[["npix_a", "npix_b"]].min(axis=1) < middle
    assert small.any()
    assert (some.status[small] == f"too small (below {middle} pixels)").all()
    assert (some.status[~small] == "used").all()
    np.testing.assert_array_equal(some.difference, everything.difference)
    least = 0.5 * everything[["npix_a", "npix_b"]].min(axis=1).mean()
    listed = s.configure(min_overlap_pixels=0, min_overlap_fraction=0.5).overlaps
    assert ((listed.status == "used") == (listed[["npix_a", "npix_b"]].min(axis=1) >= least)).all()


def test_integer_counts_of_other_times_are_compared_in_brightness(tmp_path):
    made = make_mosaic(tmp_path, rows=1, cols=3, shape=(96, 128), overlap=0.5, units="ELECTRONS", seed=3)
    for path in made.paths:
        with fits.open(path, mode="update") as hdus:
            for version in (1, 2):
                hdus["SCI", version].data = np.rint(hdus["SCI", version].data).astype(np.int32)
    s = session(made)
    level = s.sky.groupby("group", sort=False).sky.first()
    error = level - [made.sky_brightness[name] for name in level.index]
    assert (error - error.mean()).std() < 3 * s.sky.sky_err.mean()

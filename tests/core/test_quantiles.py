"""Very many pixels are kept as quantiles, whose statistics are those of the pixels within a part of their error."""

import numpy as np
import pytest
from arrays import ArraySource

from skymatch_nb.core.measure import STATISTICS, measure
from skymatch_nb.core.quantiles import LARGE, QUANTILES, take_samples
from skymatch_nb.core.sample import clip, sorted_samples

SIZE = LARGE + 12_345


def gaussian(rng):
    return rng.normal(100, 10, SIZE)


def starry(rng):
    """A twentieth of the pixels are stars whose brightness has no variance."""
    values = rng.normal(0.1, 0.01, SIZE)
    values[::20] += 0.02 * rng.pareto(1.2, len(values[::20]))
    return values


def counted(rng):
    return rng.poisson(30, SIZE)


def on_a_slope(rng):
    """No pixel is far from the others."""
    return np.linspace(0.0, 0.02, SIZE) + rng.normal(0.01, 0.003, SIZE)


def of_two_skies(rng):
    return np.where(rng.random(SIZE) < 0.5, rng.normal(0, 1, SIZE), rng.normal(40, 1, SIZE))


def mostly_blank(rng):
    """Bins cannot be as wide as a part of a deviation that is 0."""
    return np.where(rng.random(SIZE) < 0.6, 0.0, rng.normal(5, 1, SIZE))


def lopsided(rng):
    """Too many pixels lie far from the others for bins."""
    return np.where(rng.random(SIZE) < 0.6, rng.normal(0, 1, SIZE), 10 ** rng.uniform(2, 6, SIZE))


KINDS = (gaussian, starry, counted, on_a_slope, of_two_skies, mostly_blank, lopsided)


def quantiles_of(*arrays):
    return take_samples(ArraySource([len(a) for a in arrays], arrays[0].dtype, arrays.__getitem__))


@pytest.fixture(scope="module", params=KINDS, ids=[kind.__name__ for kind in KINDS])
def both(request):
    values = request.param(np.random.default_rng(7)).astype(np.float32)
    return request.param, sorted_samples([values]), quantiles_of(values)


def test_far_fewer_values_are_kept(both):
    _, exact, found = both
    assert found.npix[0] == exact.npix[0] == SIZE
    assert len(found.values) < 0.65 * SIZE
    assert found.values.dtype == np.float32


def test_pixels_stay_in_order_and_near_themselves(both):
    _, exact, found = both
    values, pixels = found.sample(0).astype(float), exact.sample(0).astype(float)
    assert len(values) == SIZE
    assert (np.diff(values) >= 0).all()
    middle = slice(SIZE // 100, -SIZE // 100)
    assert np.mean(np.abs(values[middle] - pixels[middle])) < 3e-4 * np.std(pixels[middle])
    assert np.mean(values) == pytest.approx(np.mean(pixels), abs=1e-6 * np.std(pixels))


@pytest.mark.parametrize("statistic", STATISTICS)
@pytest.mark.parametrize("clipping", [{}, {"nclip": 0}, {"lsigma": 2.0, "usigma": 2.5}], ids=["usual", "none", "close"])
def test_statistics_are_those_of_the_pixels(both, statistic, clipping):
    kind, exact, found = both
    if kind is mostly_blank and statistic in ("binmode", "midpt", "mode"):
        pytest.skip("nearly all bins are empty")
    of_all, of_few = clip(exact, **clipping), clip(found, **clipping)
    (level,), (error,) = measure(exact, of_all, statistic)
    (near,), (near_error,) = measure(found, of_few, statistic)
    slack = max(0.05 * error, 1e-5 * of_all.std[0])
    if kind is counted and statistic in ("binmode", "midpt", "mode") and "lsigma" in clipping:
        slack = 1.0  # one pixel decides where bins begin, and so which of those narrower than a count hold any
    assert near == pytest.approx(level, abs=slack)
    assert near_error == pytest.approx(error, rel=0.1)
    assert of_few.npix[0] == pytest.approx(of_all.npix[0], rel=2e-5)
    assert of_few.std[0] == pytest.approx(of_all.std[0], rel=1e-4)


def test_usual_clipping_of_a_sky_with_stars_keeps_the_very_pixels():
    values = starry(np.random.default_rng(3)).astype(np.float32)
    exact, found = clip(sorted_samples([values])), clip(quantiles_of(values))
    assert found.npix == exact.npix
    assert found.mean == pytest.approx(exact.mean, abs=1e-5 * exact.std[0])


def test_counts_of_photons_are_exact():
    values = counted(np.random.default_rng(4)).astype(np.float32)
    exact, found = sorted_samples([values]), quantiles_of(values)
    assert measure(found, clip(found), "median")[0] == measure(exact, clip(exact), "median")[0]
    assert measure(found, clip(found), "mean")[0] == pytest.approx(measure(exact, clip(exact), "mean")[0], abs=1e-12)


def test_up_to_the_limit_all_pixels_are_kept():
    values = np.random.default_rng(5).normal(size=LARGE)
    np.testing.assert_array_equal(quantiles_of(values).sample(0), np.sort(values))


def test_bad_values_do_not_count():
    values = np.random.default_rng(6).normal(size=SIZE)
    bad = np.concatenate([values, np.full(1000, np.nan), [np.inf, -np.inf]])
    np.random.default_rng(6).shuffle(bad)
    assert quantiles_of(bad).npix[0] == SIZE
    np.testing.assert_array_equal(quantiles_of(bad[: LARGE + 500]).npix[0], np.isfinite(bad[: LARGE + 500]).sum())


def test_small_and_large_samples_stand_in_one_set():
    rng = np.random.default_rng(8)
    arrays = [rng.normal(3, 1, n) for n in (500, SIZE, 0, 2 * SIZE)]
    found = quantiles_of(*arrays)
    assert found.npix.tolist() == [500, SIZE, 0, 2 * SIZE]
    np.testing.assert_array_equal(found.sample(0), np.sort(arrays[0]))
    levels, _ = measure(found, clip(found, nclip=0), "mean")
    np.testing.assert_allclose(levels[[0, 1, 3]], [np.mean(arrays[k]) for k in (0, 1, 3)], atol=1e-6)


def test_memory_does_not_grow_with_the_pixels():
    rng = np.random.default_rng(9)
    few, many = quantiles_of(rng.normal(size=SIZE)), quantiles_of(rng.normal(size=5 * SIZE))
    for sample in (few, many):
        assert len(sample.values) < QUANTILES + 0.004 * sample.npix[0]


def test_probe_of_a_part_is_enough(monkeypatch):
    """Where most pixels lie is guessed from some of them: a wrong guess costs time, not the answer."""
    values = np.random.default_rng(10).normal(50, 2, SIZE)
    monkeypatch.setattr(ArraySource, "probe", lambda self, k: values[:1000] + 500)
    found = quantiles_of(values)
    assert found.npix[0] == SIZE
    assert measure(found, clip(found), "median")[0][0] == pytest.approx(np.median(values), abs=1e-4)

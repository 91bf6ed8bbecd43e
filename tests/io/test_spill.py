"""Samples beyond a limit are kept in files, with nothing else changed."""

import gc
import mmap
from pathlib import Path

import numpy as np
import pytest

from skymatch_nb.core.measure import measure
from skymatch_nb.core.sample import clip, sorted_samples
from skymatch_nb.io import spill
from skymatch_nb.io.spill import Store


def sample_set(seed=0, dtype=np.float32):
    rng = np.random.default_rng(seed)
    return sorted_samples([rng.normal(10, 2, n).astype(dtype) for n in (5000, 1, 0, 300)])


def files():
    """The sample files that there are now."""
    gc.collect()
    return set(Path(spill._folder().name).glob("*.samples"))


def in_file(samples):
    base = samples.values
    while isinstance(base, np.ndarray):
        base = base.base
    return isinstance(base.obj if isinstance(base, memoryview) else base, mmap.mmap)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sets_beyond_the_limit_live_in_a_file_with_equal_values(dtype):
    before, samples = files(), sample_set(dtype=dtype)
    kept = Store(10).keep(samples)
    assert in_file(kept)
    (path,) = files() - before
    assert path.stat().st_size == samples.values.nbytes
    np.testing.assert_array_equal(kept.values, samples.values)
    assert kept.values.dtype == samples.values.dtype
    for name in ("offsets", "centres", "block_offsets", "sums"):
        np.testing.assert_array_equal(getattr(kept, name), getattr(samples, name))


@pytest.mark.parametrize("statistic", ["mode", "binmode", "mean", "median", "midpt", "biweight", "sextractor"])
def test_statistics_are_unchanged(statistic):
    samples = sample_set()
    kept = Store(0).keep(samples)
    assert in_file(kept)
    expected, found = clip(samples, 5.0, 15.0, nclip=5), clip(kept, 5.0, 15.0, nclip=5)
    np.testing.assert_array_equal(found.npix, expected.npix)
    np.testing.assert_array_equal(
        measure(kept, found, statistic, 0.1), measure(samples, expected, statistic, 0.1), strict=True
    )


def test_the_file_is_removed_when_the_set_is_no_longer_used():
    before = files()
    kept = Store(0).keep(sample_set())
    part = kept.sample(0)
    assert len(files() - before) == 1
    del kept
    assert len(files() - before) == 1, "a part of it is still in use"
    del part
    assert files() == before


def test_sets_up_to_the_limit_stay_in_memory():
    before = files()
    sets = [sample_set(seed) for seed in range(4)]
    store = Store(2 * sets[0].values.nbytes)
    kept = [store.keep(samples) for samples in sets]
    assert [samples is given for samples, given in zip(kept, sets, strict=True)] == [True, True, False, False]
    assert [in_file(samples) for samples in kept] == [False, False, True, True]
    assert len(files() - before) == 2


@pytest.mark.parametrize(("mode", "limit"), [("balanced", spill.BALANCED_BYTES), ("speed", None), ("inmemory", None)])
def test_only_balanced_has_a_limit(monkeypatch, mode, limit):
    monkeypatch.setattr(spill, "BALANCED_BYTES", 100)
    assert in_file(Store.for_mode(mode).keep(sample_set())) == (limit is not None)


def test_a_set_without_pixels_needs_no_file():
    before = files()
    empty = sorted_samples([np.zeros(0, np.float32)])
    assert Store(0).keep(empty) is empty
    assert files() == before


def test_writing_to_a_spilled_set_leaves_the_file_alone():
    """Statistics sort or shift in place nowhere, but if they did, the file is a private copy."""
    before = files()
    kept = Store(0).keep(sample_set())
    (path,) = files() - before
    content = path.read_bytes()
    kept.values[:10] = 0
    assert path.read_bytes() == content

"""Samples beyond a limit are kept in files, with nothing else changed."""

import gc
import mmap
import weakref
from pathlib import Path

import numba
import numpy as np
import pytest
from arrays import ArraySource

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
    assert samples.values.nbytes + samples.sums.nbytes <= path.stat().st_size <= spill._size(samples) + 7
    np.testing.assert_array_equal(kept.values, samples.values)
    assert kept.values.dtype == samples.values.dtype
    for name in ("offsets", "layout", "centres", "block_offsets", "sums"):
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
    store = Store(2 * spill._size(sets[0]))
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


def taken_from(pixels):
    """How a store is given samples; each may be a little longer than it is."""
    return ArraySource([len(p) + 3 for p in pixels], pixels[0].dtype, pixels.__getitem__)


@pytest.mark.parametrize("limit", [None, 10**9, 1000, 0])
def test_collected_sets_are_those_that_are_sorted_at_once(limit):
    rng = np.random.default_rng(2)
    pixels = [rng.normal(5, 2, n).astype(np.float32) for n in (1000, 0, 129, 1, 5000)]
    expected = sorted_samples(pixels)
    found = Store(limit).collect(taken_from(pixels))
    assert in_file(found) == (limit in (0, 1000))
    for name in ("values", "offsets", "layout", "centres", "block_offsets", "sums"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name), strict=True)
        assert getattr(found, name).flags.aligned


def test_large_sets_are_in_memory_one_sample_at_a_time():
    """Each sample gets an array of its own when the one before has gone to the file."""
    pixels = [np.random.default_rng(seed).normal(size=10_000) for seed in range(10)]
    seen, most = [], 0

    class Watched(ArraySource):
        def take(self, k, out):
            nonlocal most
            gc.collect()
            most = max(most, 1 + sum(ref() is not None for ref in seen))
            seen.append(weakref.ref(out if out.base is None else out.base))
            return super().take(k, out)

    source = taken_from(pixels)
    assert len(Store(1000).collect(Watched(source.sizes, source.dtype, source.array))) == 10
    assert most <= 2


def test_room_comes_back_when_sets_are_gone():
    room = spill.Room()
    size = spill._size(sample_set())
    first = Store(size, room).keep(sample_set())
    assert not in_file(first)
    assert in_file(Store(size, room).keep(sample_set()))
    del first
    gc.collect()
    assert not in_file(Store(size, room).keep(sample_set()))


def test_arrays_of_compiled_code_are_kept_too():
    values = first_half(np.arange(10.0))
    assert not isinstance(values.base, np.ndarray)
    assert Store(1000).keep_array(values) is values


@numba.njit
def first_half(values):
    return (2.0 * values)[: len(values) // 2]

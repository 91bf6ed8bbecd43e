"""Where samples are kept: in memory, or once they are many in temporary files that are mapped into it."""

import mmap
import tempfile
import threading
import weakref
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from skymatch_nb.core.quantiles import PixelSource, kept_values, take_sample, take_samples
from skymatch_nb.core.sample import SampleSet, with_places

BALANCED_BYTES = 512 * 2**20
"""What the samples of all steps and sessions together may take in memory under ``optimize='balanced'``."""

LARGEST_PART = 8
"""A set takes at most this part of the limit, since it is in memory twice while it is put together."""


class Room:
    """Bytes of memory that arrays take, until they are no longer used."""

    def __init__(self) -> None:
        self._used = 0
        self._lock = threading.RLock()  # arrays may go while it is held

    def take(self, size: int, limit: int) -> bool:
        """Take bytes where the limit allows it."""
        with self._lock:
            if self._used + size > limit:
                return False
            self._used += size
            return True

    def give_back(self, size: int) -> None:
        """Return bytes."""
        with self._lock:
            self._used -= size


_SHARED = Room()


class Store:
    """Keeps sample sets in memory up to a limit in bytes (None: none), those beyond it in temporary files.

    A file is removed when its samples are no longer used, the folder at exit.
    """

    def __init__(self, limit: int | None, room: Room | None = None) -> None:
        self._limit = limit
        self._room = Room() if room is None else room

    @classmethod
    def for_mode(cls, optimize: str) -> Self:
        """Return the store of an ``optimize`` mode: 'balanced' is limited, the others are not."""
        return cls(BALANCED_BYTES if optimize == "balanced" else None, _SHARED)

    def collect(self, source: PixelSource) -> SampleSet:
        """Take samples as `skymatch_nb.core.quantiles.take_samples` does, and keep the set where there is room.

        Of a set that is large, only one sample at a time is in memory.
        """
        size = sum(map(kept_values, source.sizes)) * source.dtype.itemsize
        if self._limit is None or LARGEST_PART * size <= self._limit:
            return self.keep(take_samples(source))
        return _joined_in_file(take_sample(source, k) for k in range(len(source.sizes)))

    def keep(self, samples: SampleSet) -> SampleSet:
        """Return the same samples, kept where there is room."""
        return samples if self._has_room(samples.values, samples.sums) else _joined_in_file([samples])

    def keep_array(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return the same values, kept where there is room."""
        if self._has_room(values):
            return values
        with _File() as file:
            file.add(values)
            return file.mapped(values.dtype)

    def _has_room(self, values: NDArray[Any], *others: NDArray[Any]) -> bool:
        """Whether arrays may stay in memory, the others as long as the first."""
        size = values.nbytes + sum(array.nbytes for array in others)
        if self._limit is None or values.nbytes == 0:
            return True
        if not self._room.take(size, self._limit):
            return False
        weakref.finalize(_owner(values), self._room.give_back, size)
        return True


def _owner(values: NDArray[Any]) -> NDArray[Any]:
    """Return the array that views of an array keep alive; what compiled code made has something else behind it."""
    while isinstance(values.base, np.ndarray):
        values = values.base
    return values


def _size(samples: SampleSet) -> int:
    return samples.values.nbytes + samples.sums.nbytes


def _joined_in_file(sets: Iterable[SampleSet]) -> SampleSet:
    """Join sets, which are asked for one after another."""
    places, sums = [], []
    with _File() as file:
        for samples in sets:
            file.add(samples.values)
            sums.append(samples.sums)
            dtype = samples.values.dtype
            places.append(replace(samples, values=np.zeros(0, dtype), sums=samples.sums[:0].copy()))
        of_values = file.size
        file.add(np.zeros(-of_values % 8, np.uint8))
        of_sums = file.size
        for rows in sums:
            file.add(rows)
        values = file.mapped(dtype, 0, of_values)
        return with_places(places, values, file.mapped(sums[0].dtype, of_sums))


class _File:
    """A temporary file that arrays are added to, and that is then mapped."""

    def __enter__(self) -> Self:
        self._stream = tempfile.NamedTemporaryFile(dir=_folder().name, suffix=".samples", delete=False)
        self._buffer: mmap.mmap | None = None
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()
        if self._buffer is None:
            Path(self._stream.name).unlink(missing_ok=True)

    @property
    def size(self) -> int:
        """Bytes that were added."""
        return self._stream.tell()

    def add(self, values: NDArray[Any]) -> None:
        values.tofile(self._stream)

    def mapped(self, dtype: np.dtype[Any], start: int = 0, stop: int | None = None) -> NDArray[Any]:
        """Values between two bytes; nothing can be added any more."""
        if self._buffer is None:
            self._stream.flush()
            self._buffer = mmap.mmap(self._stream.fileno(), 0, access=mmap.ACCESS_COPY)
            weakref.finalize(self._buffer, Path(self._stream.name).unlink, missing_ok=True)
        end = self.size if stop is None else stop
        return np.frombuffer(self._buffer, dtype, (end - start) // dtype.itemsize, start)


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="skymatch_nb_", ignore_cleanup_errors=True)

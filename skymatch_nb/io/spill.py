"""Where samples are kept: in memory, or once they are many in temporary files that are mapped into it."""

import mmap
import tempfile
import threading
import weakref
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from skymatch_nb.core.sample import SampleSet

BALANCED_BYTES = 512 * 2**20
"""What the samples of one step may take in memory under ``optimize='balanced'``."""


class Store:
    """Keeps sample sets in memory up to a limit in bytes (None: none), those beyond it in temporary files.

    A file is removed when its samples are no longer used, the folder at exit.
    """

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self._used = 0
        self._lock = threading.Lock()

    @classmethod
    def for_mode(cls, optimize: str) -> Self:
        """Return the store of an ``optimize`` mode: 'balanced' is limited, the others are not."""
        return cls(BALANCED_BYTES if optimize == "balanced" else None)

    def keep(self, samples: SampleSet) -> SampleSet:
        """Return the same samples, kept where there is room."""
        values = self.keep_array(samples.values)
        return samples if values is samples.values else replace(samples, values=values)

    def keep_array(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return the same values, kept where there is room."""
        size = values.nbytes
        with self._lock:
            if self._limit is None or size == 0 or self._used + size <= self._limit:
                self._used += size
                return values
        return _to_file(values)


def _to_file(values: NDArray[Any]) -> NDArray[Any]:
    with tempfile.NamedTemporaryFile(dir=_folder().name, suffix=".samples", delete=False) as stream:
        values.tofile(stream)
        stream.flush()
        buffer = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_COPY)
    weakref.finalize(buffer, Path(stream.name).unlink, missing_ok=True)
    return np.frombuffer(buffer, values.dtype)


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="skymatch_nb_", ignore_cleanup_errors=True)

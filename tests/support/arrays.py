"""Samples that are arrays already, as a source for those who take them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skymatch_nb.core.quantiles import PIECE, PROBE


@dataclass(frozen=True)
class ArraySource:
    """Samples of at most ``sizes`` pixels, which ``array`` returns."""

    sizes: list[int]
    dtype: np.dtype[Any]
    array: Callable[[int], NDArray[Any]]

    def take(self, k: int, out: NDArray[Any]) -> NDArray[Any]:
        found = self.array(k)
        out[: len(found)] = found
        return out[: len(found)]

    def pieces(self, k: int) -> Iterator[NDArray[Any]]:
        found = self.array(k)
        return (found[first : first + PIECE] for first in range(0, len(found), PIECE))

    def probe(self, k: int) -> NDArray[Any]:
        found = self.array(k)
        return found[:: max(1, len(found) // PROBE)]

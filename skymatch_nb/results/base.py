"""What every result is: a frozen record with the key that it was made from; and the types of its arrays."""

from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from skymatch_nb.display import Shown

Floats: TypeAlias = NDArray[np.float64]

Integers: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Result(Shown):
    """Base of every result: its key, and what a reader of it should know."""

    key: str
    notes: tuple[str, ...] = field(default=(), kw_only=True)

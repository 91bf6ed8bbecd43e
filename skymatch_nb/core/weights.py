"""Weights of pairs: by pixels or errors, and those that bad pairs lose."""

from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from skymatch_nb.core.pairs import Pairs

Weighting: TypeAlias = Literal["pixels", "npix", "variance", "uniform"]

HUBER_TUNING = 1.345
"""Residuals in units of the scale beyond which a pair loses weight: 95 percent efficiency for Gaussian noise."""

_MAD_OF_GAUSSIAN = 0.6744897501960817


def pair_weights(pairs: Pairs, weighting: Weighting) -> NDArray[np.float64]:
    """Weight of each squared residual, shape (npairs,).

    'pixels': the square of the mean number of pixels of both sides, as the reference has it; 'npix': that number;
    'variance': the inverse square of the difference's error (`Pairs.completed_err`); 'uniform': 1.
    """
    if weighting == "pixels":
        return pairs.npix**2
    if weighting == "npix":
        return pairs.npix
    if weighting == "uniform":
        return np.ones(len(pairs))
    return np.asarray(1.0 / pairs.completed_err**2, np.float64)


def huber_scale(standardised: NDArray[np.float64], freedom: int, negligible: float = 0.0) -> float:
    """Scale of residuals in units of their errors, by their median absolute value.

    Pairs that no loop closes are met exactly and tell nothing: residuals up to ``negligible`` are left out, and the
    rest is scaled by ``sqrt(n / freedom)`` for what the levels have taken from them.
    """
    size = np.abs(standardised)
    size = size[size > negligible]
    if not len(size) or freedom < 1:
        return 0.0
    return float(np.median(size)) / _MAD_OF_GAUSSIAN * float(np.sqrt(max(1.0, len(size) / freedom)))


def huber_factors(standardised: NDArray[np.float64], scale: float) -> NDArray[np.float64]:
    """Factors of the weights, ``min(1, k s / |u|)`` (Huber 1964), shape (npairs,)."""
    size = np.abs(standardised)
    limit = HUBER_TUNING * scale
    return np.divide(limit, size, out=np.ones(len(size)), where=size > limit)

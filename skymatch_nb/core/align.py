"""Pixels of two images at the same places of the sky: for each pixel of one the nearest of the other.

The map from one image to the other is given at the nodes of a grid and interpolated bilinearly between them.
Nearest pixels are taken, not interpolated ones: interpolation smooths one side only, which moves the median of
skewed data.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skymatch_nb.core.jit import kernel
from skymatch_nb.core.quality import bad_bits_as_stored, sample_dtype
from skymatch_nb.core.raster import Spans


@dataclass(frozen=True, eq=False)
class PixelMap:
    """Where pixels of one image lie in another, at the nodes of a grid.

    Node (j, i) is the pixel ``x0 + i * step, y0 + j * step`` of the first image, which lies at ``x[j, i], y[j, i]`` of
    the second one; NaN where it cannot be told.
    """

    x0: int
    y0: int
    step: int
    x: NDArray[np.float64]
    y: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Pixels:
    """An image and what makes its pixels bad: ``data`` (ny, nx), DQ ``flags`` with ``good_bits``, a ``good`` mask."""

    data: NDArray[Any]
    flags: NDArray[Any] | None = None
    good_bits: int = 0
    good: NDArray[np.bool_] | None = None


def aligned_values(first: Pixels, second: Pixels, spans: Spans, pixel_map: PixelMap) -> tuple[NDArray[Any], ...]:
    """Values of the first image's pixels, and of the second's nearest to them, where both are good and finite.

    Parameters
    ----------
    spans
        Pixels of the first image, shape (n, 3), from `skymatch_nb.core.raster`.
    pixel_map
        From the first image to the second; its nodes must reach beyond the spans.

    Returns
    -------
    two 1-D arrays of equal length
        In native byte order, float32 or float64 as `skymatch_nb.core.quality.gather_good` has it.
    """
    at_first, at_second = _nearest(
        spans,
        pixel_map.x0,
        pixel_map.y0,
        pixel_map.step,
        pixel_map.x,
        pixel_map.y,
        first.data.shape[1],
        *second.data.shape,
    )
    for image, which in ((first, 0), (second, 1)):
        good = _good(image, (at_first, at_second)[which])
        if good is not None:
            at_first, at_second = at_first[good], at_second[good]
    a, b = _values(first.data, at_first), _values(second.data, at_second)
    finite = np.isfinite(a) & np.isfinite(b)
    return (a, b) if finite.all() else (a[finite], b[finite])


def limited_differences(
    first: NDArray[Any],
    second: NDArray[Any],
    factors: tuple[float, float],
    limits_first: tuple[float, float],
    limits_second: tuple[float, float],
) -> NDArray[Any]:
    """Differences ``factors[0] * first - factors[1] * second`` where both values are within their limits (inclusive).

    They are formed in double precision, and rounded to single where both images are single.
    """
    kept = _differences(first, second, *factors, *limits_first, *limits_second)
    single = first.dtype == np.float32 and second.dtype == np.float32
    return np.asarray(kept, np.float32 if single else np.float64)


def _good(image: Pixels, at: NDArray[np.int64]) -> NDArray[np.bool_] | None:
    """Which of some pixels DQ and mask call good; None where there is neither."""
    good = None
    if image.flags is not None:
        raw = np.asarray(image.flags).view(f"=u{image.flags.dtype.itemsize}").ravel()
        good = (raw[at] & bad_bits_as_stored(image.good_bits, image.flags.dtype)) == 0
    if image.good is not None:
        mask = image.good.ravel()[at]
        good = mask if good is None else good & mask
    return good


def _values(data: NDArray[Any], at: NDArray[np.int64]) -> NDArray[Any]:
    values: NDArray[Any] = data.ravel()[at].astype(sample_dtype(data.dtype), copy=False)
    return values


@kernel
def _nearest(
    spans: Any, x0: int, y0: int, step: int, map_x: Any, map_y: Any, width: int, other_height: int, other_width: int
) -> Any:
    """Positions in both flattened images of pixels of the first that lie on the second."""
    total = 0
    for k in range(spans.shape[0]):
        total += spans[k, 2] - spans[k, 1]
    at_first, at_second = np.empty(total, np.int64), np.empty(total, np.int64)
    n = 0
    for k in range(spans.shape[0]):
        row = spans[k, 0]
        j = (row - y0) // step
        v = (row - y0 - j * step) / step
        for column in range(spans[k, 1], spans[k, 2]):
            i = (column - x0) // step
            u = (column - x0 - i * step) / step
            x = (1 - v) * ((1 - u) * map_x[j, i] + u * map_x[j, i + 1]) + v * (
                (1 - u) * map_x[j + 1, i] + u * map_x[j + 1, i + 1]
            )
            y = (1 - v) * ((1 - u) * map_y[j, i] + u * map_y[j, i + 1]) + v * (
                (1 - u) * map_y[j + 1, i] + u * map_y[j + 1, i + 1]
            )
            if -0.5 <= x < other_width - 0.5 and -0.5 <= y < other_height - 0.5:
                at_first[n] = row * width + column
                at_second[n] = int(np.floor(y + 0.5)) * other_width + int(np.floor(x + 0.5))
                n += 1
    return at_first[:n], at_second[:n]


@kernel
def _differences(
    first: Any,
    second: Any,
    factor_first: float,
    factor_second: float,
    low_first: float,
    high_first: float,
    low_second: float,
    high_second: float,
) -> Any:
    out = np.empty(len(first), np.float64)
    n = 0
    for k in range(len(first)):
        a, b = np.float64(first[k]), np.float64(second[k])
        if low_first <= a <= high_first and low_second <= b <= high_second:
            out[n] = factor_first * a - factor_second * b
            n += 1
    return out[:n]

"""Good pixels: data quality bits and masks, applied while pixels are gathered (True = good)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skymatch_nb.core.jit import kernel, subkernel
from skymatch_nb.core.raster import Spans, count_pixels


@dataclass(frozen=True)
class QualityCounts:
    """How many pixels of a member are good, and why others are not (a pixel may be bad for several reasons)."""

    pixels: int
    good: int
    bad_dq: int
    bad_user: int
    bad_region: int
    bad_value: int
    bad_source: int = 0


def bad_bits_as_stored(good_bits: int, dtype: np.dtype[Any]) -> Any:
    """Return the bits that make a pixel bad, in the byte order in which an array of ``dtype`` stores its flags."""
    bad = ~good_bits & ((1 << (8 * dtype.itemsize)) - 1)
    native = np.array([bad], dtype=f"=u{dtype.itemsize}")
    return native.astype(dtype.newbyteorder("=")).astype(dtype).view(native.dtype)[0]


def flagged(dq: NDArray[Any], good_bits: int = 0) -> NDArray[np.bool_]:
    """Where a bit outside ``good_bits`` is set in integer flags of any byte order."""
    return np.asarray((_raw(dq) & bad_bits_as_stored(good_bits, dq.dtype)) != 0)


def gather_good(
    data: NDArray[Any],
    spans: Spans,
    dq: NDArray[Any] | None = None,
    good_bits: int = 0,
    user_good: NDArray[np.bool_] | None = None,
    out: NDArray[Any] | None = None,
) -> NDArray[Any]:
    """Copy the pixels of the spans that DQ and the user mask call good, reading each once.

    Parameters
    ----------
    data
        Image of shape (ny, nx), of any byte order; a memory map is read only where the spans are.
    spans
        Runs of pixels, shape (n, 3), from `skymatch_nb.core.raster`.
    dq
        Integer flags of the same shape; a pixel is bad where a bit outside ``good_bits`` is set.
    good_bits
        The flags to ignore, as one integer (may be negative: -13 is every bit but 4 and 8).
    user_good
        Boolean mask of the same shape, True = good.
    out
        Where to put them, in the type of the result; it must have room for all pixels of the spans.

    Returns
    -------
    1-D array in native byte order, the first part of ``out``: float32, or float64 where the data are float64 or 32-bit
    or longer integers. Non-finite values are still in it; `sorted_samples` drops them.
    """
    flags, bad = _EMPTY_FLAGS, np.uint16(0)
    if dq is not None:
        flags, bad = _raw(dq), bad_bits_as_stored(good_bits, dq.dtype)
    user = _EMPTY_MASK if user_good is None else user_good.view()
    user.flags.writeable = False
    dtype = sample_dtype(data.dtype)
    values: NDArray[Any] = np.empty(count_pixels(spans), dtype) if out is None else out
    in_place = data.dtype.kind == "f" and data.dtype.itemsize == dtype.itemsize
    raw = (values if in_place else np.empty(len(values), data.dtype)).view(f"=u{data.dtype.itemsize}")
    turned = data.dtype.itemsize if in_place and not data.dtype.isnative else 0
    n = _gather(_raw(data), spans, flags, bad, user, turned, raw)
    if not in_place:
        values[:n] = raw[:n].view(data.dtype)
    return values[:n]


def sample_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Floating type that holds values of ``dtype`` without loss for statistics: float32 or float64."""
    exact_in_single = dtype.itemsize <= 2 or (dtype.kind == "f" and dtype.itemsize == 4)
    return np.dtype(np.float32 if exact_in_single else np.float64)


def count_quality(
    data: NDArray[Any],
    dq: NDArray[Any] | None = None,
    good_bits: int = 0,
    user_good: NDArray[np.bool_] | None = None,
    rows: int = 256,
    region_bad: NDArray[np.bool_] | None = None,
    source_bad: NDArray[np.bool_] | None = None,
) -> QualityCounts:
    """Count good and bad pixels of a whole member, ``rows`` rows at a time.

    Parameters as in `gather_good`; ``region_bad`` and ``source_bad`` are True where a sky region or a source makes
    pixels bad.
    """
    bad_dq = bad_user = bad_value = good = 0
    for first in range(0, data.shape[0], rows):
        part = slice(first, first + rows)
        usable = np.isfinite(data[part])
        bad_value += usable.size - int(usable.sum())
        if dq is not None:
            flags = flagged(dq[part], good_bits)
            bad_dq += int(flags.sum())
            usable &= ~flags
        if user_good is not None:
            bad_user += int((~user_good[part]).sum())
            usable &= user_good[part]
        for bad in (region_bad, source_bad):
            if bad is not None:
                usable &= ~bad[part]
        good += int(usable.sum())
    bad_region, bad_source = (0 if bad is None else int(bad.sum()) for bad in (region_bad, source_bad))
    return QualityCounts(int(data.size), good, bad_dq, bad_user, bad_region, bad_value, bad_source)


def _raw(array: NDArray[Any]) -> NDArray[Any]:
    """Look at an array's bytes as unsigned integers, read-only, so that one kernel serves every byte order."""
    raw = np.asarray(array).view(f"=u{array.dtype.itemsize}")
    raw.flags.writeable = False
    return raw


_EMPTY_FLAGS = np.zeros((0, 0), np.uint16)
_EMPTY_FLAGS.flags.writeable = False
_EMPTY_MASK = np.zeros((0, 0), np.bool_)


@kernel
def _gather(raw: Any, spans: Any, flags: Any, bad: Any, user: Any, turned: int, out: Any) -> int:
    """Copy good pixels to ``out``, each with its bytes ``turned`` (4 or 8 of them, or 0), and return their number."""
    test_flags, test_user = flags.size > 0, user.size > 0
    n = 0
    for k in range(spans.shape[0]):
        row, first, length = spans[k, 0], spans[k, 1], spans[k, 2] - spans[k, 1]
        _copy_run(raw, row, first, length, turned, out, n)
        if not (test_flags or test_user):
            n += length
            continue
        start = n
        for i in range(length):
            good = True
            if test_flags:
                good = (flags[row, first + i] & bad) == 0
            if test_user:
                good = good and user[row, first + i]
            out[n] = out[start + i]
            n += 1 if good else 0
    return n


@subkernel
def _copy_run(raw: Any, row: int, first: int, length: int, turned: int, out: Any, start: int) -> None:
    if turned == 4:
        for i in range(length):
            out[start + i] = _turned_4(raw[row, first + i])
    elif turned == 8:
        for i in range(length):
            out[start + i] = _turned_8(raw[row, first + i])
    else:
        for i in range(length):
            out[start + i] = raw[row, first + i]


@subkernel
def _turned_4(value: Any) -> Any:
    """Four bytes in reverse order."""
    x = np.uint32(value)
    outer = (x << np.uint32(24)) | (x >> np.uint32(24))
    inner = ((x & np.uint32(0xFF00)) << np.uint32(8)) | ((x >> np.uint32(8)) & np.uint32(0xFF00))
    return np.uint32(outer | inner)  # numba shifts in 64 bits, and keeps what leaves the 32


@subkernel
def _turned_8(value: Any) -> Any:
    """Eight bytes in reverse order."""
    x = np.uint64(value)
    high, low = np.uint64(_turned_4(x & np.uint64(0xFFFFFFFF))), np.uint64(_turned_4(x >> np.uint64(32)))
    return (high << np.uint64(32)) | low

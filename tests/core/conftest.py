"""Plain twins of the kernels, written from the definitions with whole-array numpy."""

from types import SimpleNamespace

import numpy as np
import pytest


def clipped(values, lower=None, upper=None, nclip=5, lsigma=4.0, usigma=4.0):
    """Kept values, ascending: iterated limits about the mean, applied to all finite values each time."""
    v = np.sort(np.asarray(values, np.float64))
    v = v[np.isfinite(v)]
    low = -np.inf if lower is None else lower
    high = np.inf if upper is None else upper
    keep = (v >= low) & (v <= high)
    for _ in range(nclip):
        if not keep.any():
            break
        mean, std = moments(v[keep])
        keep = (v >= max(low, mean - lsigma * std)) & (v <= min(high, mean + usigma * std))
    return v[keep]


def moments(kept):
    """Mean and ddof=1 deviation, about the median so that a common offset costs nothing."""
    if kept[0] == kept[-1]:
        return kept[0], 0.0
    centre = np.median(kept)
    return centre + np.mean(kept - centre), np.std(kept - centre, ddof=1)


def histogram(kept, binwidth):
    """Counts, left edge and bin width of the histogram anchored at the smallest value."""
    width = binwidth * moments(kept)[1]
    counts = np.bincount(np.floor((kept - kept[0]) / width).astype(int))
    return counts, kept[0], width


def midpt(kept, binwidth):
    counts, start, width = histogram(kept, binwidth)
    cumulative = np.cumsum(counts)
    index = int(np.argmax(cumulative >= 0.5 * len(kept)))
    below = cumulative[index] - counts[index]
    return start + width * (index + (0.5 * len(kept) - below) / counts[index])


def binmode(kept, binwidth):
    counts, start, width = histogram(kept, binwidth)
    peak = int(np.flatnonzero(counts == counts.max())[0])
    shift = 0.0
    if 0 < peak < len(counts) - 1:
        left, top, right = counts[peak - 1 : peak + 2].astype(float)
        if 2 * top > left + right:
            shift = 0.5 * (right - left) / (2 * top - left - right)
    return start + width * (peak + 0.5 + shift)


def smoothed_peak(kept, binwidth, kernel_width):
    """Highest point, on a fine grid over the histogram, of the sum of one Gaussian per bin."""
    counts, start, width = histogram(kept, binwidth)
    centres = start + width * (np.arange(len(counts)) + 0.5)
    sigma = kernel_width * moments(kept)[1]
    low, high = start, start + width * len(counts)
    at = low
    for spacing in (0.02, 0.0001):
        grid = np.arange(low, high + spacing * sigma, spacing * sigma).clip(low, high)
        curve = np.zeros(len(grid))
        for centre, count in zip(centres, counts, strict=True):
            curve += count * np.exp(-0.5 * ((grid - centre) / sigma) ** 2)
        at = grid[np.argmax(curve)]
        low, high = max(low, at - 2 * spacing * sigma), min(high, at + 2 * spacing * sigma)
    return at


@pytest.fixture(scope="session")
def twins():
    """The plain twins, by name."""
    functions = (clipped, moments, histogram, midpt, binmode, smoothed_peak)
    return SimpleNamespace(**{function.__name__: function for function in functions})

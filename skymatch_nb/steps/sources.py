"""Detect sources, so that their pixels can be masked."""

import importlib.util
import warnings
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skymatch_nb.core.runs import Runs, to_runs
from skymatch_nb.errors import ParameterError, installed_with
from skymatch_nb.executor import Work
from skymatch_nb.io.pixels import good_pixels, read_pixels
from skymatch_nb.params import SkyMatchParams
from skymatch_nb.results import Loaded, MaskedMember, Masks, SourceMasks

BOX = 64
"""Size in pixels of the boxes in which the background and its deviation are estimated."""

KERNEL_FWHM, KERNEL_SIZE = 3.0, 7
"""Width and size in pixels of the Gaussian that images are convolved with."""


def find_sources(key: str, loaded: Loaded, masks: Masks, params: SkyMatchParams, work: Work) -> SourceMasks:
    """Pixels of sources on every member, found in the good pixels by `photutils.segmentation` and grown.

    Raises
    ------
    ParameterError
        Where the package ``photutils`` is missing.
    """
    if not _has_photutils():
        raise ParameterError(
            f"parameter mask_sources={params.mask_sources!r}: it needs the package 'photutils', which is not "
            f"installed; {installed_with('sources')}"
        )

    choices = (float(params.mask_sources or 0.0), params.mask_sources_npixels, params.mask_sources_dilate)
    each = [_Search(MaskedMember.of(loaded, masks, k), choices) for k in range(len(loaded))]
    # 60 bytes a pixel: one member at a time
    found = work.map(_find, each, "sources", threads=False, sent=attrgetter("masked.in_files"))
    return SourceMasks(key, tuple(found))


@dataclass(frozen=True, eq=False)
class _Search:
    """A member, and the arguments of `source_mask` that follow its pixels."""

    masked: MaskedMember
    choices: tuple[float, int, int]


def _find(search: _Search) -> Runs | None:
    pixels = read_pixels(search.masked.member.pixels)
    good = good_pixels(pixels, search.masked.masks, 0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # photutils warns where it finds nothing
        found = source_mask(pixels, good, *search.choices)
    return None if found is None else to_runs(found)


def source_mask(
    pixels: NDArray[Any], good: NDArray[np.bool_], nsigma: float, npixels: int, dilate: int
) -> NDArray[np.bool_] | None:
    """Image of the pixels of sources, None where there is none.

    The background and its deviation are taken in boxes of 64 pixels, clipped at 3 sigma, and interpolated. Sources are
    connected sets of at least ``npixels`` good pixels that are, less the background and convolved with a Gaussian of 3
    pixels FWHM, above ``nsigma`` deviations of the unconvolved background; they are grown by ``dilate`` pixels.
    """
    from astropy.convolution import convolve
    from photutils.background import Background2D
    from photutils.segmentation import detect_sources, make_2dgaussian_kernel
    from photutils.utils import circular_footprint

    if not good.any():
        return None
    data = np.where(good, pixels, 0).astype(np.float64 if pixels.dtype.itemsize > 4 else np.float32)
    box = tuple(min(BOX, n) for n in data.shape)
    try:
        background = Background2D(data, box, mask=~good, exclude_percentile=90.0)
    except ValueError:  # no box has a tenth of its pixels good
        return None
    residual = data - background.background.astype(data.dtype)
    smooth = convolve(residual, make_2dgaussian_kernel(KERNEL_FWHM, KERNEL_SIZE), mask=~good)
    segments = detect_sources(smooth, nsigma * background.background_rms, npixels, mask=~good)
    if segments is None:
        return None
    return np.asarray(segments.make_source_mask(footprint=circular_footprint(dilate)) if dilate else segments.data > 0)


def _has_photutils() -> bool:
    try:
        return importlib.util.find_spec("photutils") is not None
    except ValueError:  # what Python says of a module that was blocked
        return False

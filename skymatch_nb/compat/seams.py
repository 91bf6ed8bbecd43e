"""Steps that different skies leave in a drizzled mosaic: the proof that a match is good, made from the mosaic alone."""

import math
from os import PathLike
from pathlib import Path

import numpy as np
import pandas as pd
from astropy.io import fits
from numpy.typing import NDArray
from scipy import ndimage

from skymatch_nb.compat.drizzlepac_sky import warn
from skymatch_nb.errors import InputError, ParameterError

MOST_IMAGES = 32
"""Chips that one plane of a context image has bits for."""
FEWEST_CELLS, FEWEST_PIXELS = 8, 64
_MEDIAN_ERROR = 1.2533
"""Standard error of a median over that of a mean, for a normal distribution: sqrt(pi / 2)."""
_DEVIATION = 1.4826 / math.sqrt(2)
"""Standard deviation of pixels over the median absolute difference of neighbours, for a normal distribution."""
SIGNIFICANT = 3.0
"""Errors that a step must have to count as one."""


def seams(product: str | PathLike[str], width: int = 16, sensitivity: float | None = None) -> pd.DataFrame:
    """Measure the step across every edge of an overlap in AstroDrizzle's product.

    Along an edge where one chip ends others go on: with well matched skies the mosaic has one level on both sides.
    Levels are medians of the medians of square cells, which lie within ``width`` of the edge; their scatter gives the
    standard error. Sources that happen to lie on one side only count as steps, and bright structure makes errors so
    large that a seam is lost in them: take it for fields that are mostly sky. An edge is ``blind`` where no step is
    found, nor would be one of the size of ``sensitivity``: a seam that is lost is no proof that there is none.

    Parameters
    ----------
    product
        Path of a product with SCI and CTX extensions (``build=True``), of up to 32 chips.
    width
        Size of cells, and how far from the edge they reach, in pixels of the mosaic.
    sensitivity
        The step that must not be missed, in the product's units; None: the noise of a pixel, which is the median over
        cells of that of the differences of neighbouring pixels.

    Returns
    -------
    pandas.DataFrame
        A row for every edge that is long enough: ``chips_a`` and ``chips_b`` (numbers, from 1, of the chips that the
        mosaic is made of on both sides, in AstroDrizzle's order), ``step`` (b less a) and ``step_err`` in the product's
        units, ``pull`` (step over error), ``cells``, the smaller number of cells on a side, and
        ``blind``: 3 errors are more than ``sensitivity``, and ``step`` is less than 3 errors. ``attrs["sensitivity"]``
        is the step that was asked for.

    Raises
    ------
    InputError
        Where the product cannot be read, lacks an extension or has more chips.
    ParameterError
        Where ``sensitivity`` is not a positive number.

    Warns
    -----
    SkyMatchWarning
        Where edges are blind, or where no edge is long enough to be measured.

    Examples
    --------
    >>> edges = seams("mosaic_drz.fits")  # doctest: +SKIP
    >>> edges.pull.abs().max() < 3 and not edges.blind.any()  # doctest: +SKIP
    """
    image, context, unit = _read(Path(product))
    table = seams_of(image, context, width, sensitivity)
    table.attrs["units"] = {"step": unit, "step_err": unit}
    if problem := _unseen(table, unit):
        warn(f"{product}: {problem}")
    return table


def seams_of(
    image: NDArray[np.floating], context: NDArray[np.int64], width: int = 16, sensitivity: float | None = None
) -> pd.DataFrame:
    """Table of `seams`, of pixels and, for each, the chips that it is made of as bits; both of shape (ny, nx)."""
    if sensitivity is not None and not 0 < sensitivity < math.inf:
        raise ParameterError(f"sensitivity={sensitivity!r}: must be a positive number, or None")
    cover, cells = _cover(context), _cells(image, width)
    wanted = _pixel_noise(image, cover, cells) if sensitivity is None else float(sensitivity)
    edges = _edges(image, cover, cells, width)
    table = pd.DataFrame(edges, columns=["chips_a", "chips_b", "step", "step_err", "cells"])
    table.insert(4, "pull", table.step / table.step_err)
    unproven = ~(table.step.abs() >= SIGNIFICANT * table.step_err)
    table["blind"] = unproven & ~(SIGNIFICANT * table.step_err <= wanted)
    table.index.name = "edge"
    table.attrs["sensitivity"] = wanted
    return table


def _unseen(table: pd.DataFrame, unit: str) -> str:
    """What the table does not prove, in words; empty where it proves all."""
    if table.empty:
        return "no edge of an overlap is long enough to be measured: whether there is a seam cannot be said"
    blind = table[table.blind]
    if blind.empty:
        return ""
    return (
        f"at {len(blind)} of {len(table)} edges a step of {table.attrs['sensitivity']:.3g} {unit} would not be seen "
        f"(errors up to {blind.step_err.max():.3g}, from structure in the field): finding none proves nothing"
    )


def _read(path: Path) -> tuple[NDArray[np.floating], NDArray[np.int64], str]:
    """Pixels of a product, the chips of each as bits, and the unit."""
    try:
        with fits.open(path) as hdus:
            lacking = [name for name in ("SCI", "CTX") if name not in hdus]
            if lacking:
                raise InputError(f"{path}: no {lacking[0]} extension; build=True and context=True make it")
            image, context = hdus["SCI"].data, hdus["CTX"].data
            unit = str(hdus["SCI"].header.get("BUNIT", ""))
    except OSError as error:
        raise InputError(f"{path}: {error}") from error
    planes = context.reshape(-1, *image.shape)
    if len(planes) > 1:
        raise InputError(
            f"{path}[CTX]: {len(planes)} planes; seams are measured in mosaics of up to {MOST_IMAGES} chips"
        )
    return image, planes[0].astype(np.int64) & (2**MOST_IMAGES - 1), unit


def _edges(
    image: NDArray[np.floating], cover: NDArray[np.int64], cells: NDArray[np.int64], width: int
) -> list[tuple[str, str, float, float, int]]:
    values = [int(value) for value in np.unique(cover[cover > 0])]
    near = {value: _near(cover == value, width) for value in values}
    found = []
    for a in values:
        for b in (b for b in values if b & a == a and b != a):  # more chips begin there
            sides = [_cell_medians(image, cells, near[p] & (cover == q)) for p, q in ((b, a), (a, b))]
            fewest = min(map(len, sides))
            if fewest >= FEWEST_CELLS:
                error = np.hypot(*(_MEDIAN_ERROR * np.std(side, ddof=1) / np.sqrt(len(side)) for side in sides))
                step = np.median(sides[1]) - np.median(sides[0])
                found.append((_chips(a), _chips(b), float(step), float(error), fewest))
    return found


def _cells(image: NDArray[np.floating], width: int) -> NDArray[np.int64]:
    """Number of the square cell that each pixel is in."""
    ny, nx = image.shape
    return np.asarray(np.add.outer(np.arange(ny) // width * nx, np.arange(nx) // width), np.int64)


def _pixel_noise(image: NDArray[np.floating], cover: NDArray[np.int64], cells: NDArray[np.int64]) -> float:
    """Noise of a pixel from neighbours in a row, which slopes and sources change little; NaN where none can be told."""
    covered = np.where(cover > 0, image, np.nan)
    medians = _cell_medians(np.abs(np.diff(covered, axis=1)), cells[:, 1:], cover[:, 1:] > 0)
    return float(_DEVIATION * np.median(medians)) if len(medians) else math.nan


def _near(area: NDArray[np.bool_], width: int) -> NDArray[np.bool_]:
    """Pixels closer than ``width`` to an area; distances are computed around it only."""
    (box,) = ndimage.find_objects(area.astype(np.int8))
    around = tuple(slice(max(0, part.start - width), part.stop + width) for part in box)
    found = np.zeros(area.shape, bool)
    found[around] = ndimage.distance_transform_edt(~area[around]) < width
    return found


def _cover(context: NDArray[np.int64]) -> NDArray[np.int64]:
    """Chips whose area a pixel is in, as bits, whether or not its own value in them is good."""
    bits = range(int(context.max(initial=0)).bit_length())
    whole = (ndimage.binary_closing(context >> bit & 1, iterations=4).astype(np.int64) << bit for bit in bits)
    return sum(whole, np.zeros_like(context))


def _cell_medians(
    image: NDArray[np.floating], cells: NDArray[np.int64], where: NDArray[np.bool_]
) -> NDArray[np.float64]:
    where = where & np.isfinite(image)
    of_cell = pd.Series(image[where].astype(float)).groupby(cells[where])
    return of_cell.median()[of_cell.count() >= FEWEST_PIXELS].to_numpy()


def _chips(bits: int) -> str:
    return ", ".join(str(bit + 1) for bit in range(bits.bit_length()) if bits >> bit & 1)

"""Decide what makes pixels bad (DQ flags, user masks), and count them."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skymatch_nb.core.quality import QualityCounts, count_quality
from skymatch_nb.errors import InputError
from skymatch_nb.executor import Work
from skymatch_nb.io.fits import read_flags, read_pixels
from skymatch_nb.params import SkyMatchParams
from skymatch_nb.results import GoodCounts, Loaded, Masks, Member, PixelSource


def mask(key: str, loaded: Loaded, user: Mapping[str, NDArray[Any]], params: SkyMatchParams) -> Masks:
    """Sources of bad pixels of every member; no pixel is read.

    ``user`` maps a member's name, or the file's name of a file with one member, to an array (non-zero = good).

    Raises
    ------
    InputError
        Where a DQ array or a user mask has another shape than its image, or a mask belongs to no member.
    """
    quality = tuple(None if params.dq_bits is None else m.quality for m in loaded.members)
    for member, source in zip(loaded.members, quality, strict=True):
        if source is not None and source.shape != member.shape:
            raise InputError(
                f"{member.name}: its DQ array has shape {source.shape}, the image {member.shape}; "
                "dq_bits=None ignores data quality"
            )
    return Masks(key, params.dq_bits, quality, _user_masks(loaded, user))


def count(key: str, loaded: Loaded, masks: Masks, work: Work) -> GoodCounts:
    """Good and bad pixels of every member; every pixel is read."""

    def one(k: int) -> QualityCounts:
        data, flags = read_pixels(loaded.members[k].pixels), _flags(masks.quality[k])
        return count_quality(data, flags, masks.good_bits or 0, masks.user[k])

    return GoodCounts(key, tuple(work.map(one, range(len(loaded)), "mask")))


def _flags(source: PixelSource | None) -> NDArray[Any] | None:
    return None if source is None else read_flags(source)


def _user_masks(loaded: Loaded, user: Mapping[str, NDArray[Any]]) -> tuple[NDArray[np.bool_] | None, ...]:
    wanted = dict(user)
    found = tuple(_user_mask(member, loaded, wanted) for member in loaded.members)
    if wanted:
        known = ", ".join(member.name for member in loaded.members[:5])
        raise InputError(f"a mask was given for {next(iter(wanted))!r}, which is no member (members are {known}, ...)")
    return found


def _user_mask(member: Member, loaded: Loaded, wanted: dict[str, NDArray[Any]]) -> NDArray[np.bool_] | None:
    """Mask of a member, taken out of ``wanted``."""
    single = sum(other.file == member.file for other in loaded.members) == 1
    name = member.name if member.name in wanted else member.file
    if name not in wanted or (name == member.file and not single):
        return None
    good: NDArray[np.bool_] = np.asarray(wanted.pop(name)) != 0
    if good.shape != member.shape:
        raise InputError(f"{member.name}: its user mask has shape {good.shape}, the image {member.shape}")
    return good

"""Decide what makes pixels bad (DQ flags, masks), and count them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from operator import attrgetter
from typing import Any, TypeAlias

import numpy as np

from skymatch_nb.core.quality import QualityCounts, count_quality
from skymatch_nb.errors import InputError, ParameterError
from skymatch_nb.executor import Work
from skymatch_nb.io.fits import memory_image, open_mask
from skymatch_nb.io.inputs import resolve_mask, telling
from skymatch_nb.io.named import member_named
from skymatch_nb.io.pixels import bad_pixels, read_flags, read_good, read_pixels
from skymatch_nb.params import SkyMatchParams
from skymatch_nb.params.bits import DEFAULT, Bits, describe_good_bits, resolve_good_bits
from skymatch_nb.params.flags import flag_table
from skymatch_nb.params.per_member import per_member
from skymatch_nb.results import GoodCounts, Loaded, MaskedMember, Masks, Member, Source, SourceMasks
from skymatch_nb.steps.regions import region_runs

ONE_THREAD = Work()

Given: TypeAlias = Mapping[str, Any]
"""Arrays, paths, ``'file[ext]'`` or functions of a member's pixels, by the name of a member or of a file with one."""


def mask(key: str, loaded: Loaded, user: Given, dq: Given, params: SkyMatchParams, work: Work = ONE_THREAD) -> Masks:
    """What makes pixels of every member bad; no pixel is read, except by functions that make masks.

    Parameters
    ----------
    user
        Masks, non-zero = good; they are combined with those that came with the input.
    dq
        DQ arrays, in place of those that belong to the files.

    Raises
    ------
    InputError
        Where a DQ array or a mask cannot be read, has another shape than its image, or belongs to no member; where
        sky regions cannot be read.
    ParameterError
        Where ``dq_bits`` names a flag that a member's instrument does not have.
    """
    masks, given_dq = _assign(loaded, user, "mask"), _assign(loaded, dq, "DQ array")
    asked: list[Bits] = per_member("dq_bits", params.dq_bits, [m.known_as for m in loaded.members], DEFAULT)
    bits: list[int | None] = []
    quality: list[Source | None] = []
    for member, own, of_member in zip(loaded.members, given_dq, asked, strict=True):
        source = None if of_member is None else member.quality if own is None else own
        quality.append(source)
        bits.append(None if source is None else _good_bits(member, of_member))
        if source is not None and source.shape != member.shape:
            raise InputError(
                f"{member.name}: its DQ array has shape {source.shape}, the image {member.shape}; "
                "dq_bits=None ignores data quality"
            )
    good = tuple(
        tuple(source for source in (member.mask, own) if source is not None)
        for member, own in zip(loaded.members, masks, strict=True)
    )
    for member, sources in zip(loaded.members, good, strict=True):
        for source in sources:
            if source.shape != member.shape:
                raise InputError(f"{member.name}: its user mask has shape {source.shape}, the image {member.shape}")
    regions, notes = region_runs(loaded.members, params.exclude_regions, params.include_regions, work)
    notes = _missing_note(loaded, given_dq, asked) + _codes_note(loaded, given_dq, bits) + notes
    told = tuple(_told(*each) for each in zip(loaded.members, asked, quality, bits, strict=True))
    return Masks(key, tuple(b or 0 for b in bits), tuple(quality), good, regions, dq_good=told, notes=notes)


def with_sources(key: str, masks: Masks, sources: SourceMasks | None) -> Masks:
    """Masks with those of detected sources, where there are any."""
    return replace(masks, key=key, sources=() if sources is None else sources.sources, notes=())


def count(key: str, loaded: Loaded, masks: Masks, work: Work) -> GoodCounts:
    """Good and bad pixels of every member; every pixel is read."""
    each = [MaskedMember.of(loaded, masks, k) for k in range(len(loaded))]
    return GoodCounts(key, tuple(work.map(_count, each, "mask", sent=attrgetter("in_files"))))


def _count(masked: MaskedMember) -> QualityCounts:
    member, masks = masked.member, masked.masks
    source = masks.quality[0]
    region, around = (bad_pixels(kind, 0, member.shape) for kind in (masks.regions, masks.sources))
    return count_quality(
        read_pixels(member.pixels),
        None if source is None else read_flags(source),
        masks.good_bits[0],
        read_good(masks.user[0]),
        region_bad=region,
        source_bad=around,
    )


def _assign(loaded: Loaded, given: Given, what: str) -> list[Source | None]:
    """Source for each member of what was given by name."""
    found: list[Source | None] = [None] * len(loaded)
    for name, value in given.items():
        k = member_named(loaded.members, name, what)
        if found[k] is not None:
            raise InputError(f"a {what} was given twice for {loaded.members[k].name}, the second time as {str(name)!r}")
        found[k] = _source(value, loaded.members[k], what)
    return found


def _source(value: Any, member: Member, what: str) -> Source:
    where = f"{member.name}'s {what}"
    if callable(value):
        value = value(read_pixels(member.pixels))
    if isinstance(value, np.ndarray | list | tuple):
        return memory_image(np.asarray(value), {}, {}, where)
    try:
        with telling(where):
            return open_mask(resolve_mask(value))
    except TypeError:
        raise InputError(f"{where}: cannot read one from a {type(value).__name__}") from None


def _good_bits(member: Member, asked: Bits) -> int | None:
    """Good bits of a member that has a DQ array."""
    flags = flag_table(member.telescope, member.instrument, member.detector)
    try:
        return resolve_good_bits(asked, member.telescope, flags)
    except LookupError as unknown:
        taken = " ".join(filter(None, (member.telescope, member.instrument, member.detector))) or "its instrument"
        known = f"known are {', '.join(f.name for f in flags)}" if flags else "none is known by name: give numbers"
        raise ParameterError(
            f"{member.name}: parameter dq_bits={asked!r}: {taken} has no flag {unknown.args[0]!r}; {known}"
        ) from None


def _told(member: Member, asked: Bits, source: Source | None, bits: int | None) -> str:
    """Which flags of a member are good, in words; "" where it has no DQ array."""
    if source is None:
        return "" if asked is not None else describe_good_bits(None, ())
    flags = flag_table(member.telescope, member.instrument, member.detector)
    return describe_good_bits(bits, flags) + (" (default)" if asked == DEFAULT else "")


def _missing_note(loaded: Loaded, given_dq: Sequence[Source | None], asked: Sequence[Bits]) -> tuple[str, ...]:
    """Note the files whose DQ array ought to be somewhere and is not."""
    each = zip(loaded.members, given_dq, asked, strict=True)
    lacking = [member for member, own, bits in each if member.quality_missing and own is None and bits is not None]
    missing = list(dict.fromkeys(f"{member.file} ({member.quality_missing})" for member in lacking))
    if not missing:
        return ()
    more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
    return (f"data quality is missing, and no pixel is flagged, in {', '.join(missing[:3])}{more}",)


def _codes_note(loaded: Loaded, given_dq: Sequence[Source | None], bits: Sequence[int | None]) -> tuple[str, ...]:
    apart = zip(loaded.members, given_dq, bits, strict=True)
    coded = {m.file: good_bits for m, own, good_bits in apart if m.quality_codes and own is None and good_bits}
    if not coded:
        return ()
    more = f" and {len(coded) - 1} more" if len(coded) > 1 else ""
    first, good_bits = next(iter(coded.items()))
    return (f"quality values of {first}{more} are codes, not bits: dq_bits={good_bits} may not mean what it says",)

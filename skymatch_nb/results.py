"""What the steps hand on: frozen records of numbers, each with the key that it was made from.

Arrays over members have shape (nmembers,), over groups (ngroups,), over overlaps (noverlaps,); an index of -1
means none. Everything here can be pickled and sent to another process.
"""

import difflib
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from skymatch_nb.core.noise import SharedParts
from skymatch_nb.core.pairs import Pairs
from skymatch_nb.core.quality import QualityCounts
from skymatch_nb.core.runs import Runs
from skymatch_nb.core.sample import Places, SampleSet
from skymatch_nb.display import Shown
from skymatch_nb.errors import ParameterError
from skymatch_nb.params.per_member import full_name

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]


Bounds: TypeAlias = tuple[float, float, float, float]
"""Lowest and highest x, lowest and highest y, in 0-based pixels; the edges of pixels lie at halves."""


class SkyTransform(Protocol):
    """A world coordinate system as the package uses it: 0-based pixels to ICRS-like degrees and back."""

    @property
    def bounds(self) -> Bounds | None:
        """Where it holds; None for everywhere. Outlines end there."""
        ...

    def to_sky(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Right ascension and declination in degrees of 0-based pixel positions, all of shape (n,)."""
        ...

    def to_pixels(self, ra: Floats, dec: Floats) -> tuple[Floats, Floats]:
        """0-based pixel positions of sky positions in degrees; NaN where there is none."""
        ...


@dataclass(frozen=True)
class PixelSource:
    """Where an image's pixels and header cards are in a file.

    ``offset`` is the byte at which plain, unscaled pixels start, None where a reader must decode them;
    ``cards`` are the byte ranges of the primary and of the extension's header, None likewise; ``stamp`` is
    the file's size in bytes and its modification time in nanoseconds.
    """

    path: str
    hdu: int
    shape: tuple[int, int]
    dtype: str
    offset: int | None
    cards: tuple[tuple[int, int], tuple[int, int]] | None
    stamp: tuple[int, int]


@dataclass(frozen=True, eq=False)
class MemoryImage:
    """An image that is in memory: its pixels, and the cards of its own and of the primary header by keyword."""

    data: NDArray[Any] = field(repr=False)
    header: Mapping[str, Any] = field(default_factory=dict, repr=False)
    primary: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def shape(self) -> tuple[int, int]:
        """``(ny, nx)``."""
        ny, nx = self.data.shape
        return ny, nx


@dataclass(frozen=True, eq=False)
class ArraySource:
    """An array of an ASDF file, by its name there; ``header`` holds what other files have as cards."""

    path: str
    array: str
    shape: tuple[int, int]
    stamp: tuple[int, int]
    header: Mapping[str, Any] = field(default_factory=dict, repr=False)


Source: TypeAlias = PixelSource | ArraySource | MemoryImage


@dataclass(frozen=True, eq=False)
class Member(Shown):
    """One chip image: a file (or an object in memory) and an extension.

    ``path`` is the file's, empty in memory. ``quality_from`` tells where its DQ array is, ``quality_missing`` where it
    ought to be and is not; ``quality_codes`` that its values are codes and not bits. ``mask`` is a mask that came with
    the input (non-zero = good). ``wcs_name`` tells which WCS of the header is used (key and name), ``distortion`` what
    it has besides its linear part and projection. ``exposure`` is the same for all detectors of one exposure, "" where
    headers do not tell.
    """

    name: str
    file: str
    ext: str
    hdu: int
    group: str
    selected_by: str
    telescope: str
    instrument: str
    detector: str
    filter: str
    date_obs: str
    nominal_scale: float
    pixels: Source
    quality: Source | None
    quality_from: str
    quality_codes: bool
    mask: Source | None
    wcs: SkyTransform = field(repr=False)
    notes: tuple[str, ...] = ()
    wcs_name: str = ""
    distortion: str = ""
    path: str = ""
    quality_missing: str = ""
    exposure: str = ""

    @property
    def shape(self) -> tuple[int, int]:
        """``(ny, nx)``."""
        return self.pixels.shape

    @property
    def in_files(self) -> bool:
        """Whether another process can read it by itself: nothing of it is in memory."""
        return bool(self.path) and not any(isinstance(s, MemoryImage) for s in (self.pixels, self.quality, self.mask))

    @property
    def known_as(self) -> tuple[str, ...]:
        """Names by which parameters may single it out, the most specific first."""
        return (self.name, *self.full_names, self.file, self.group, self.detector, self.instrument, self.telescope)

    @property
    def full_names(self) -> tuple[str, ...]:
        """Names with the full path, of the member and of its file; none where it is in memory."""
        return (f"{self.path}[{self.ext}]", self.path) if self.path else ()


@dataclass(frozen=True, eq=False)
class Result(Shown):
    """Base of every result: its key, and what a reader of it should know."""

    key: str
    notes: tuple[str, ...] = field(default=(), kw_only=True)


@dataclass(frozen=True, eq=False)
class Loaded(Result):
    """The members; ``group_of`` gives each member's position in ``groups``; ``files`` names the inputs in order."""

    members: tuple[Member, ...]
    groups: tuple[str, ...]
    group_of: Integers
    files: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.members)

    @property
    def noun(self) -> str:
        """What texts call a group: 'exposure' where it is all of a file, 'chip' where it is one image, else 'group'."""
        if all(m.group == m.file for m in self.members):
            return "exposure"
        return "chip" if all(m.group == m.name for m in self.members) else "group"

    def groups_of(self, parameter: str, names: Sequence[str] | None) -> NDArray[np.bool_]:
        """Which groups are named, by their own names or by a file's or member's, shape (ngroups,).

        Raises
        ------
        ParameterError
            Where a name is none of these.
        """
        named = np.zeros(len(self.groups), bool)
        for name in names or ():
            named[self.group_of[list(self.meant(parameter, name))]] = True
        return named

    def meant(self, parameter: str, name: str) -> tuple[int, ...]:
        """Members that a name means: one, those of a file (by its name or path), or those of a group.

        Raises
        ------
        ParameterError
            Where it is none of these.
        """
        found = self._by_name.get(name) or self._by_name.get(full_name(name))
        if found is None:
            close = difflib.get_close_matches(name, self._by_name, 3, 0.6)
            some = list(dict.fromkeys(n for m in self.members[:3] for n in (m.file, m.group, m.name)))[:3]
            hint = f"did you mean {' or '.join(map(repr, close))}?" if close else f"there are {', '.join(some)}, ..."
            raise ParameterError(f"parameter {parameter}: {name!r} is no file, group or member; {hint}")
        return tuple(found)

    @cached_property
    def _by_name(self) -> dict[str, list[int]]:
        found: dict[str, dict[int, None]] = {}
        for k, member in enumerate(self.members):
            for name in (member.name, member.file, member.group, *member.full_names):
                found.setdefault(name, {})[k] = None
        return {name: list(places) for name, places in found.items()}


@dataclass(frozen=True, eq=False)
class Units(Result):
    """How data units become brightness, per member.

    ``data_type`` is counts, rate, brightness or unknown; ``exptime`` in seconds and NaN where the header has none;
    ``factor`` is brightness per data unit; ``unit`` names the common unit of brightness; ``data_type_from`` tells what
    decided the data type.
    """

    data_type: tuple[str, ...]
    exptime: Floats
    inv_sensitivity: Floats
    pixel_scale: Floats
    factor: Floats
    data_unit: tuple[str, ...]
    unit: str
    data_type_from: tuple[str, ...] = ()

    @property
    def shared_data_unit(self) -> str:
        """Unit of the data where all members have the same; 'data unit' where they differ or have none."""
        first = self.data_unit[0] if self.data_unit else ""
        return first if first and set(self.data_unit) == {first} else "data unit"


@dataclass(frozen=True, eq=False)
class HeaderSky(Result):
    """Value of the sky keyword in each member's header, NaN where it has none, and how it says it was made.

    ``primary`` tells whether the primary header of an extension has the keyword, which stays as it is.
    """

    value: Floats
    made: tuple[str, ...]
    primary: tuple[bool, ...]


@dataclass(frozen=True, eq=False)
class Masks(Result):
    """What makes pixels bad, per member: DQ arrays with the flags that are good, and masks (non-zero = good).

    ``good_bits`` are those of each member, ``dq_good`` the same in words. ``regions`` and ``sources`` are the runs of
    pixels that sky regions and detected sources make bad, None for none; they are empty where nothing of the kind was
    asked for.
    `skymatch_nb.io.pixels.good_mask` combines masks, regions and sources.
    """

    good_bits: tuple[int, ...]
    quality: tuple[Source | None, ...]
    user: tuple[tuple[Source, ...], ...]
    regions: tuple[Runs | None, ...] = ()
    sources: tuple[Runs | None, ...] = ()
    dq_good: tuple[str, ...] = ()

    def of(self, k: int) -> "Masks":
        """Masks of one member, which is number 0 there."""
        regions, sources = (kind[k : k + 1] for kind in (self.regions, self.sources))
        return Masks("", self.good_bits[k : k + 1], self.quality[k : k + 1], self.user[k : k + 1], regions, sources)

    @property
    def in_files(self) -> bool:
        """Whether another process can read them by itself: no array is in memory."""
        given = (*self.quality, *(source for of_member in self.user for source in of_member))
        return not any(isinstance(source, MemoryImage) for source in given)


@dataclass(frozen=True, eq=False)
class MaskedMember:
    """One member and what makes its pixels bad: all that is needed to read it, in this or another process."""

    member: Member
    masks: Masks

    @classmethod
    def of(cls, loaded: Loaded, masks: Masks, k: int) -> "MaskedMember":
        """Member number ``k``."""
        return cls(loaded.members[k], masks.of(k))

    @property
    def in_files(self) -> bool:
        """Whether nothing of it is in memory."""
        return self.member.in_files and self.masks.in_files


@dataclass(frozen=True, eq=False)
class SourceMasks(Result):
    """Runs of pixels around detected sources, per member."""

    sources: tuple[Runs | None, ...]


@dataclass(frozen=True, eq=False)
class GoodCounts(Result):
    """Good and bad pixels of every member."""

    counts: tuple[QualityCounts, ...]


@dataclass(frozen=True, eq=False)
class Outline(Shown):
    """A member's edge on the sky.

    ``x, y`` are its vertices in 0-based pixels and ``vectors`` (n, 3) the same on the unit sphere, not closed;
    every point of the edge is within 0.05 pixel of the great circles between them. ``straight`` is the length in
    radians over which a great circle is straight in the member's pixels to that accuracy; ``center`` (3,) and
    ``radius`` in radians bound it by a cap; ``area`` is in steradian.
    """

    x: Floats
    y: Floats
    vectors: Floats
    center: Floats
    radius: float
    straight: float
    area: float


@dataclass(frozen=True, eq=False)
class Footprints(Result):
    """Outlines of the members."""

    outlines: tuple[Outline, ...]


@dataclass(frozen=True, eq=False)
class SkyPolygon(Shown):
    """Region of the sky: rings of unit vectors one after another, ``ring_offsets`` (nrings + 1,); even-odd rule."""

    vectors: Floats
    ring_offsets: Integers

    @property
    def rings(self) -> list[Floats]:
        """Vertices of each ring, shape (n, 3)."""
        return [self.vectors[a:b] for a, b in zip(self.ring_offsets[:-1], self.ring_offsets[1:], strict=True)]


@dataclass(frozen=True, eq=False)
class Overlaps(Result):
    """Common regions of members of different groups: members a < b, polygon, area in steradian.

    ``failed`` lists pairs of members whose overlap could not be computed, with the reason.
    """

    member_a: Integers
    member_b: Integers
    polygons: tuple[SkyPolygon, ...]
    area: Floats
    failed: tuple[tuple[int, int, str], ...] = ()

    def __len__(self) -> int:
        return len(self.member_a)


@dataclass(frozen=True, eq=False)
class Coverage(Result):
    """Parts of members that several overlaps share."""

    parts: SharedParts


@dataclass(frozen=True, eq=False)
class Samples(Result):
    """Sets of sorted pixels."""

    sets: tuple[SampleSet, ...]

    @cached_property
    def places(self) -> tuple[Places, ...]:
        """Where the samples lie in memory, one after another: sets side by side with values of one type together."""
        runs = groupby(self.sets, lambda samples: samples.values.dtype)
        return tuple(Places.of(list(sets)) for _, sets in runs)

    def __getstate__(self) -> dict[str, Any]:
        """All but addresses, which hold in this process alone."""
        return {name: value for name, value in self.__dict__.items() if name != "places"}


@dataclass(frozen=True, eq=False)
class OverlapSamples(Samples):
    """Sorted good pixels of every member, one sample per overlap.

    That of overlap i is number ``at_a[i]`` in member a's set and ``at_b[i]`` in member b's.
    """

    at_a: Integers
    at_b: Integers


@dataclass(frozen=True, eq=False)
class MemberSamples(Samples):
    """Sorted good pixels of every whole member: sets of one sample each."""


@dataclass(frozen=True, eq=False)
class AlignedPixels(Result):
    """Values of both members of every overlap at the same places, where both are good, in data units.

    The arrays of an overlap have equal length. Places are the pixels of the member with the coarser ones.
    """

    values_a: tuple[NDArray[Any], ...]
    values_b: tuple[NDArray[Any], ...]


@dataclass(frozen=True, eq=False)
class DifferenceSamples(Samples):
    """Sorted brightness differences, a minus b, of every overlap, in sets of overlaps with the same member a.

    ``good`` (noverlaps,) counts pixels that are good on both sides, before the limits.
    """

    good: Integers

    def place(self, overlap: int) -> tuple[SampleSet, int]:
        """Set that holds the sample of an overlap, and its number there."""
        ends = np.cumsum([len(s) for s in self.sets])
        which = int(np.searchsorted(ends, overlap, side="right"))
        return self.sets[which], overlap - (int(ends[which - 1]) if which else 0)


@dataclass(frozen=True, eq=False)
class DifferenceLevels(Result):
    """Brightness difference of every overlap, its standard error, and the pixels kept; NaN and 0 without a pixel."""

    difference: Floats
    err: Floats
    npix: Integers
    good: Integers


@dataclass(frozen=True, eq=False)
class OverlapLevels(Result):
    """Sky in data units and pixels kept on both sides of every overlap; NaN and 0 where there is no good pixel.

    ``err_a`` and ``err_b`` are the standard errors of the levels; ``good_a`` and ``good_b`` count the good pixels
    before clipping.
    """

    sky_a: Floats
    sky_b: Floats
    err_a: Floats
    err_b: Floats
    npix_a: Integers
    npix_b: Integers
    good_a: Integers
    good_b: Integers


@dataclass(frozen=True, eq=False)
class Comparison(Result):
    """How the two sides of every overlap compare, in brightness.

    ``sky_a`` and ``sky_b`` are the levels of both sides and ``err_a``, ``err_b`` their errors, NaN where differences
    were measured pixel by pixel; ``difference`` is a minus b. Overlaps whose ``status`` is not `USED` do not count.
    """

    sky_a: Floats
    sky_b: Floats
    err_a: Floats
    err_b: Floats
    difference: Floats
    difference_err: Floats
    npix_a: Integers
    npix_b: Integers
    status: tuple[str, ...]


USED = "used"
"""Status of an overlap that counts."""


@dataclass(frozen=True, eq=False)
class MemberLevels(Result):
    """Sky in data units of every whole member, NaN without a good pixel, its standard error, and the pixels kept."""

    sky: Floats
    err: Floats
    npix: Integers


@dataclass(frozen=True, eq=False)
class GroupPairs(Result):
    """Brightness difference and pixels of both groups of every pair; ``statuses`` has that of every overlap."""

    pairs: Pairs
    statuses: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Solution(Result):
    """Brightness to take off each group; NaN where there is none, with the reason in ``status``.

    ``error`` is its standard error: of matched groups about the mean of their component, or about the groups that
    were fixed in it; without the baseline's.

    ``component`` counts from 0, -1 for none. ``baseline`` is what globalmin+match added to each group and
    ``baseline_err`` its standard error; NaN where nothing was added. ``pair_weight`` is the weight of each pair in the
    equations, in units of the largest, 0 for one between two fixed groups; ``pair_factor`` what robust fitting left of
    it; both are empty where no pairs were used.
    """

    sky: Floats
    error: Floats
    component: Integers
    status: tuple[str, ...]
    baseline: Floats
    baseline_err: Floats
    pair_weight: Floats
    pair_factor: Floats


@dataclass(frozen=True, eq=False)
class Plan(Result):
    """What is to be written for every member, in data units.

    The keyword, its old value (NaN: none) and its new one, what is subtracted from the pixels, and the level itself.
    A member without a level keeps its old value. ``conflict`` tells where the old value was made in another way.
    """

    keyword: str
    old: Floats
    new: Floats
    subtracted: Floats
    level: Floats
    conflict: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Applied(Result):
    """What became of the plan: per member the backup kept, if any, and what was done.

    ``objects`` are the edited copies of objects in memory, ``paths`` the files that were written.
    """

    plan: Plan
    backup: tuple[str, ...]
    status: tuple[str, ...]
    objects: tuple[Any, ...] = ()
    paths: tuple[str, ...] = ()


NOT_A_NUMBER = "not a number"
"""How a header's sky value was made where it is none."""


def companion_keyword(keyword: str) -> str:
    """Keyword of the card that tells how the value of the sky keyword was made.

    Of one with eight letters the seventh is left out, which seldom tells keywords apart, as the last one does.
    """
    return f"{keyword if len(keyword) < 8 else keyword[:6] + keyword[7]}M"


def make_key(*parts: Any) -> str:
    """Hash of what a result is made from: upstream keys, parameters, input arrays.

    Accepts str, numbers, bool, None, bytes, arrays, and tuples, lists and mappings of them.
    """
    fed: list[Any] = []
    _feed(fed, parts)
    return hashlib.blake2b(b"".join(fed), digest_size=16).hexdigest()


def _feed(fed: list[Any], part: Any) -> None:
    if type(part) in _PLAIN:
        fed.append(f"{type(part).__name__} {part!r};".encode())
    elif isinstance(part, np.ndarray):
        fed += [f"array {part.dtype.str} {part.shape}".encode(), np.ascontiguousarray(part).tobytes()]
    elif isinstance(part, tuple | list):
        fed.append(f"[{len(part)}".encode())
        for inner in part:
            _feed(fed, inner)
    elif isinstance(part, Mapping):
        _feed(fed, [(name, part[name]) for name in sorted(part)])
    else:
        fed.append(f"{type(part).__name__} {part!r};".encode())


_PLAIN = (str, int, float, bool, type(None))

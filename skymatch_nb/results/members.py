"""Members, one chip image each, and the groups that they form."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from skymatch_nb.display import Shown
from skymatch_nb.errors import ParameterError
from skymatch_nb.params.per_member import full_name
from skymatch_nb.results.base import Integers, Result
from skymatch_nb.results.images import MemoryImage, SkyTransform, Source


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

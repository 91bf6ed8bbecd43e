"""Members and their overlaps on the sky."""

from dataclasses import dataclass

from skymatch_nb.core.noise import SharedParts
from skymatch_nb.display import Shown
from skymatch_nb.results.base import Floats, Integers, Result


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

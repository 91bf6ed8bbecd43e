"""What makes pixels bad, and how many are."""

from dataclasses import dataclass

from skymatch_nb.core.quality import QualityCounts
from skymatch_nb.core.runs import Runs
from skymatch_nb.results.base import Result
from skymatch_nb.results.images import MemoryImage, Source
from skymatch_nb.results.members import Loaded, Member


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

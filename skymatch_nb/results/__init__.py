"""What the steps hand on: frozen records of numbers, each with the key that it was made from.

Arrays over members have shape (nmembers,), over groups (ngroups,), over overlaps (noverlaps,); an index of -1
means none. Everything here can be pickled and sent to another process. A module holds the records of one stage; all of
them are imported from here.
"""

from skymatch_nb.results.applied import Applied, Plan
from skymatch_nb.results.base import Floats, Integers, Result
from skymatch_nb.results.footprints import Coverage, Footprints, Outline, Overlaps, SkyPolygon
from skymatch_nb.results.header import NOT_A_NUMBER, HeaderSky, companion_keyword
from skymatch_nb.results.images import ArraySource, Bounds, MemoryImage, PixelSource, SkyTransform, Source
from skymatch_nb.results.keys import make_key
from skymatch_nb.results.levels import USED, Comparison, DifferenceLevels, MemberLevels, OverlapLevels
from skymatch_nb.results.masks import GoodCounts, MaskedMember, Masks, SourceMasks
from skymatch_nb.results.members import Loaded, Member
from skymatch_nb.results.samples import AlignedPixels, DifferenceSamples, MemberSamples, OverlapSamples, Samples
from skymatch_nb.results.solution import GroupPairs, Solution
from skymatch_nb.results.units import Units

__all__ = [
    "NOT_A_NUMBER",
    "USED",
    "AlignedPixels",
    "Applied",
    "ArraySource",
    "Bounds",
    "Comparison",
    "Coverage",
    "DifferenceLevels",
    "DifferenceSamples",
    "Floats",
    "Footprints",
    "GoodCounts",
    "GroupPairs",
    "HeaderSky",
    "Integers",
    "Loaded",
    "MaskedMember",
    "Masks",
    "Member",
    "MemberLevels",
    "MemberSamples",
    "MemoryImage",
    "Outline",
    "OverlapLevels",
    "OverlapSamples",
    "Overlaps",
    "PixelSource",
    "Plan",
    "Result",
    "Samples",
    "SkyPolygon",
    "SkyTransform",
    "Solution",
    "Source",
    "SourceMasks",
    "Units",
    "companion_keyword",
    "make_key",
]

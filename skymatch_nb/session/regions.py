"""Regions of the sky that a session leaves out, or keeps to."""

from typing import Any, Self

from skymatch_nb.session.state import SessionState


class SessionRegions(SessionState):
    """Regions of a session."""

    def exclude(self, *regions: Any) -> Self:
        """Make the pixels of sky regions bad, besides those of `exclude_regions` so far.

        Parameters
        ----------
        *regions
            Region files, DS9 text, objects of the package ``regions``, or arrays of vertices of a polygon, right
            ascension and declination in degrees, shape (n, 2).

        Raises
        ------
        ParameterError
            For anything else.
        """
        return self.configure(exclude_regions=[*(self.params.exclude_regions or ()), *regions])

    def include(self, *regions: Any) -> Self:
        """Make all pixels bad outside sky regions, given as in `exclude`, and those of `include_regions` so far.

        Raises
        ------
        ParameterError
            As `exclude`.
        """
        return self.configure(include_regions=[*(self.params.include_regions or ()), *regions])

    def clear_regions(self) -> Self:
        """Forget all regions."""
        return self.configure(exclude_regions=None, include_regions=None)

"""World coordinates that belong to an image in a file: another process reads them there again, to the last bit."""

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from skymatch_nb.errors import InputError
from skymatch_nb.io.asdf_files import is_asdf
from skymatch_nb.io.gwcs_transform import GwcsTransform
from skymatch_nb.io.pointing import transform_in_file
from skymatch_nb.io.roman import roman_members
from skymatch_nb.io.stamps import file_stamp
from skymatch_nb.io.wcs import FitsTransform
from skymatch_nb.results import Bounds, Floats, SkyTransform

KEPT = 512
"""World coordinates of files that a process keeps, of those that it sent away or read again."""

_READING = threading.Lock()
"""One file at a time: astropy and stwcs change filters of warnings while they read, which belong to all threads."""


@dataclass(frozen=True)
class Place:
    """Image ``hdu`` of a file, its name in errors, the key of its WCS, and the file's stamp when it was read."""

    path: str
    hdu: int
    where: str
    key: str
    stamp: tuple[int, int]


@dataclass(eq=False)
class FileTransform:
    """World coordinates of an image in a file; a `skymatch_nb.results.SkyTransform`.

    It is pickled as the place that it was read from: the digits of a header, which is what astropy pickles of a WCS,
    would move positions by 1e-12 degrees.
    """

    place: Place
    _read: SkyTransform | None = field(default=None, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        if self._read is not None:
            _keep(self.place, self._read)  # a worker that opened the file will be asked for it again
        return {"place": self.place, "_read": None}

    @property
    def transform(self) -> SkyTransform:
        """What it stands for.

        Raises
        ------
        InputError
            Where the file is not the one that was read, or cannot be read.
        """
        if self._read is None:
            with _READING:
                found = _kept.get(self.place) or _reread(self.place)
            _keep(self.place, found)
            self._read = found
        return self._read

    @property
    def wcs(self) -> Any:
        """The object of astropy, stwcs or gwcs."""
        return cast(FitsTransform | GwcsTransform, self.transform).wcs

    @property
    def bounds(self) -> Bounds | None:
        """See `skymatch_nb.results.SkyTransform`."""
        return self.transform.bounds

    def to_sky(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """See `skymatch_nb.results.SkyTransform`."""
        return self.transform.to_sky(x, y)

    def to_pixels(self, ra: Floats, dec: Floats) -> tuple[Floats, Floats]:
        """See `skymatch_nb.results.SkyTransform`."""
        return self.transform.to_pixels(ra, dec)


_kept: OrderedDict[Place, SkyTransform] = OrderedDict()
_keeping = threading.Lock()


def _keep(place: Place, transform: SkyTransform) -> None:
    with _keeping:
        _kept[place] = transform
        _kept.move_to_end(place)
        while len(_kept) > KEPT:
            _kept.popitem(last=False)


def _reread(place: Place) -> SkyTransform:
    path = Path(place.path)
    if file_stamp(path) != place.stamp:
        raise InputError(f"{path}: the file has changed since it was loaded; call load() again")
    if is_asdf(path):
        (member,) = roman_members(path, place.where.rpartition("[")[0])
        return member.wcs
    return transform_in_file(path, place.hdu, place.where, place.key)

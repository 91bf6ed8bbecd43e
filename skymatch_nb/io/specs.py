"""What was asked for, as frozen records: a file, its extensions, and their masks."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from skymatch_nb.errors import InputError
from skymatch_nb.io.grammar import Extension

PRIMARY = Extension(number=0)
"""The extension of a mask where none is given."""


@dataclass(frozen=True)
class MaskSpec:
    """A mask: a file and one of its extensions; non-zero pixels are good.

    ``origin`` tells where it was named (@-file, line and column), for errors that are found when it is opened.
    """

    path: Path
    extension: Extension = PRIMARY
    origin: str = field(default="", compare=False, repr=False)


@dataclass(frozen=True)
class ImageSpec:
    """A file, the extensions wanted of it, and their masks by position.

    Without extensions the file's content decides. There may be fewer masks than extensions; None is no mask.
    ``origin`` is as in `MaskSpec`, ``listed_in`` the @-file, ``wildcard`` the text with ``*``, ``?`` or ``[]`` that the
    file was found by; each is empty where there is none.
    """

    path: Path
    extensions: tuple[Extension, ...] = ()
    masks: tuple[MaskSpec | None, ...] = ()
    origin: str = field(default="", compare=False, repr=False)
    listed_in: str = field(default="", compare=False, repr=False)
    wildcard: str = field(default="", compare=False, repr=False)

    def absolute(self) -> "ImageSpec":
        """Return the same with absolute paths, which hold wherever the working directory goes."""
        masks = (None if m is None else replace(m, path=m.path.absolute()) for m in self.masks)
        listed_in = str(Path(self.listed_in).absolute()) if self.listed_in else ""
        return replace(self, path=self.path.absolute(), masks=tuple(masks), listed_in=listed_in)


@contextmanager
def telling(origin: str) -> Iterator[None]:
    """Put the place where a file was named before what is found wrong with it; an empty one changes nothing."""
    try:
        yield
    except InputError as error:
        if not origin:
            raise
        raise type(error)(f"{origin}: {error}") from error

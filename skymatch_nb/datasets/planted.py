"""What the makers of mosaics return."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class PlantedMosaic:
    """A synthetic mosaic on disk and the sky that was planted in it.

    Attributes
    ----------
    paths : tuple of Path
        The files: rows from south to north, each from west to east; of Webb and Roman by exposure and detector.
    sky : dict of str to float
        File name to planted sky per pixel, in the data units of the file.
    sky_brightness : dict of str to float
        File name to planted sky in counts per second and square arcsecond; of Webb and Roman in MJy/sr.
    pixel_scale : float
        Pixel scale in arcsec.
    """

    paths: tuple[Path, ...]
    sky: dict[str, float]
    sky_brightness: dict[str, float]
    pixel_scale: float


def require_absent(paths: Iterable[Path], overwrite: bool) -> None:
    """Raise `FileExistsError` where a file is there and is not to be replaced."""
    for path in paths:
        if path.exists() and not overwrite:
            raise FileExistsError(f"{path} exists; choose another folder or overwrite")

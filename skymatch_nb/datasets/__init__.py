"""Synthetic mosaics of overlapping exposures with a planted sky background.

`make_mosaic` and `demo_mosaic` make exposures like Hubble's, `make_webb_mosaic` and `make_roman_mosaic` such as
JWST's and Roman's.
"""

from skymatch_nb.datasets.detector import BAD_COLUMN, COSMIC_RAY, HOT_PIXEL, PERSISTENCE
from skymatch_nb.datasets.mosaic import demo_mosaic, make_mosaic
from skymatch_nb.datasets.planted import PlantedMosaic
from skymatch_nb.datasets.roman import make_roman_mosaic
from skymatch_nb.datasets.webb import make_webb_mosaic

__all__ = [
    "BAD_COLUMN",
    "COSMIC_RAY",
    "HOT_PIXEL",
    "PERSISTENCE",
    "PlantedMosaic",
    "demo_mosaic",
    "make_mosaic",
    "make_roman_mosaic",
    "make_webb_mosaic",
]

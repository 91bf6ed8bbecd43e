"""Match the sky background of overlapping astronomical exposures.

Public names are loaded when they are first used: importing the package is quick, and loads no Jupyter, no Bokeh
and no Dask.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from skymatch_nb.compat import skymatch
    from skymatch_nb.compat.astrodrizzle import astrodrizzle
    from skymatch_nb.errors import (
        GeometryError,
        InputError,
        InputTypeError,
        NoOverlapError,
        ParameterError,
        SkyMatchError,
        SkyMatchWarning,
        UnitsError,
    )
    from skymatch_nb.io.grammar import Extension
    from skymatch_nb.io.inputs import ImageSpec, MaskSpec, parse_at_file, parse_at_line, parse_cs_line
    from skymatch_nb.params import SkyMatchParams
    from skymatch_nb.session import SkyMatchSession

    __version__: str

_HOME = {
    **dict.fromkeys(
        (
            "GeometryError",
            "InputError",
            "InputTypeError",
            "NoOverlapError",
            "ParameterError",
            "SkyMatchError",
            "SkyMatchWarning",
            "UnitsError",
        ),
        "errors",
    ),
    "Extension": "io.grammar",
    **dict.fromkeys(("ImageSpec", "MaskSpec", "parse_at_file", "parse_at_line", "parse_cs_line"), "io.inputs"),
    "SkyMatchParams": "params",
    "SkyMatchSession": "session",
    "astrodrizzle": "compat.astrodrizzle",
    "skymatch": "compat",
}

__all__ = [
    "Extension",
    "GeometryError",
    "ImageSpec",
    "InputError",
    "InputTypeError",
    "MaskSpec",
    "NoOverlapError",
    "ParameterError",
    "SkyMatchError",
    "SkyMatchParams",
    "SkyMatchSession",
    "SkyMatchWarning",
    "UnitsError",
    "__version__",
    "astrodrizzle",
    "parse_at_file",
    "parse_at_line",
    "parse_cs_line",
    "skymatch",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("skymatch_nb")
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__

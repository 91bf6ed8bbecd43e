"""Match the sky background of overlapping astronomical exposures.

Public names are loaded when they are first used: importing the package is quick, and loads no Jupyter, no Bokeh
and no Dask.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from skymatch_nb.errors import (
        GeometryError,
        InputError,
        NoOverlapError,
        ParameterError,
        SkyMatchError,
        SkyMatchWarning,
        UnitsError,
    )
    from skymatch_nb.io.inputs import Extension, ImageSpec
    from skymatch_nb.params import SkyMatchParams
    from skymatch_nb.session import SkyMatchSession

    __version__: str

_HOME = {
    **dict.fromkeys(
        (
            "GeometryError",
            "InputError",
            "NoOverlapError",
            "ParameterError",
            "SkyMatchError",
            "SkyMatchWarning",
            "UnitsError",
        ),
        "errors",
    ),
    "Extension": "io.inputs",
    "ImageSpec": "io.inputs",
    "SkyMatchParams": "params",
    "SkyMatchSession": "session",
}

__all__ = [
    "Extension",
    "GeometryError",
    "ImageSpec",
    "InputError",
    "NoOverlapError",
    "ParameterError",
    "SkyMatchError",
    "SkyMatchParams",
    "SkyMatchSession",
    "SkyMatchWarning",
    "UnitsError",
    "__version__",
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

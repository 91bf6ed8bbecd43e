"""Every exception and warning that the package raises, and what they say of what is not installed."""


class SkyMatchError(Exception):
    """Base class of the errors of this package; its text is one readable line."""


class ParameterError(SkyMatchError, ValueError):
    """A parameter has an unknown name or a value that is not allowed."""


class InputError(SkyMatchError, ValueError):
    """An input cannot be used: a missing file, no image, a wrong shape, no celestial WCS."""


class InputTypeError(InputError, TypeError):
    """An input is of a type that no reader knows."""


class UnitsError(SkyMatchError, ValueError):
    """The exposures' data units cannot be compared with each other."""


class GeometryError(SkyMatchError, ValueError):
    """An outline or a union cannot be formed on the sphere."""


class NoOverlapError(SkyMatchError, RuntimeError):
    """Matching was asked for, and no two exposures have a usable overlap."""


class SkyMatchWarning(UserWarning):
    """The result can be used, but something in the input deserves a look."""


def installed_with(extra: str) -> str:
    """What messages say where an extra is missing.

    pip takes the package that is installed already, whether or not an index has it, and adds what the extra needs.
    """
    return f'install with: python -m pip install "skymatch_nb[{extra}]"'

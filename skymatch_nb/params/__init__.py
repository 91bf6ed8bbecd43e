"""Every parameter, declared once: the command line, the panel, the docs and the session derive from it."""

from skymatch_nb.params.model import SkyMatchParams
from skymatch_nb.params.specs import ParamSpec, specs

__all__ = ["ParamSpec", "SkyMatchParams", "specs"]

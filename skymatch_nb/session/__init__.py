"""The session: one class, in parts.

Each part is a class with methods for one purpose, and a module of its own; `SkyMatchSession` is all of them.
"""

from skymatch_nb.session.session import SkyMatchSession

__all__ = ["SkyMatchSession"]

"""The one door to numba: how every kernel of the package is compiled."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar, cast

import numba
from numba import types
from numba.core import event
from numba.extending import intrinsic

P = ParamSpec("P")
R = TypeVar("R")


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function to machine code that is cached on disk and runs without the GIL."""
    return cast("Callable[P, R]", numba.njit(cache=True, nogil=True, error_model="numpy")(function))


@intrinsic  # type: ignore[untyped-decorator]
def _pointer(_context: Any, address: Any, like: Any) -> Any:
    pointer = types.CPointer(like.dtype)

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], context.get_value_type(pointer))

    return pointer(address, like), generate


@kernel
def array_at(address: int, size: int, like: Any) -> Any:
    """Array of the type of ``like`` over ``size`` values that lie at an address; whoever calls keeps them there."""
    return numba.carray(_pointer(address, like), size)


@contextmanager
def watching_compilation(begun: Callable[[], None]) -> Iterator[None]:
    """Call a function the first time that a kernel is compiled meanwhile; it is not where all come from the disk."""
    listener = _FirstCompilation(begun)
    event.register("numba:compile", listener)
    try:
        yield
    finally:
        event.unregister("numba:compile", listener)


class _FirstCompilation(event.Listener):  # type: ignore[misc]
    def __init__(self, begun: Callable[[], None]) -> None:
        self._begun, self._told = begun, False

    def on_start(self, _event: Any) -> None:
        if not self._told:
            self._told = True
            self._begun()

    def on_end(self, _event: Any) -> None:
        pass

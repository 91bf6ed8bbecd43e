"""The one door to numba: how every kernel of the package is compiled."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

import numba
from numba import types
from numba.core import event
from numba.core.caching import FunctionCache
from numba.extending import intrinsic, register_jitable

P = ParamSpec("P")
R = TypeVar("R")


def _fingerprint() -> str:
    """Hash of the sources of all kernels."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


FINGERPRINT = _fingerprint()


class _Cache(FunctionCache):  # type: ignore[misc]
    """Machine code on disk, which holds what kernels call in other modules too: it is good while none has changed.

    Numba looks at the module of the kernel alone.
    """

    def _index_key(self, sig: Any, codegen: Any) -> Any:
        return *super()._index_key(sig, codegen), FINGERPRINT


_OPTIONS = {"nogil": True, "error_model": "numpy"}


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function to machine code that is cached on disk and runs without the GIL."""
    compiled = numba.njit(**_OPTIONS)(function)
    compiled._cache = _Cache(function)
    return cast("Callable[P, R]", compiled)


def subkernel(function: Callable[P, R]) -> Callable[P, R]:
    """Let kernels call a function, which becomes part of their machine code; from Python it stays a Python function."""
    return cast("Callable[P, R]", register_jitable(**_OPTIONS)(function))


def summing(function: Callable[P, R]) -> Callable[P, R]:
    """As `subkernel`, for loops that add up: several terms at once, in an order that the machine chooses."""
    return cast("Callable[P, R]", register_jitable(**_OPTIONS, fastmath={"reassoc"})(function))


@intrinsic  # type: ignore[untyped-decorator]
def _pointer(_context: Any, address: Any, like: Any) -> Any:
    pointer = types.CPointer(like.dtype)

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], context.get_value_type(pointer))

    return pointer(address, like), generate


@subkernel
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

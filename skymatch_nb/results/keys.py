"""Keys: hashes of what a result is made from."""

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np


def make_key(*parts: Any) -> str:
    """Hash of what a result is made from: upstream keys, parameters, input arrays.

    Accepts str, numbers, bool, None, bytes, arrays, and tuples, lists and mappings of them.
    """
    fed: list[Any] = []
    _feed(fed, parts)
    return hashlib.blake2b(b"".join(fed), digest_size=16).hexdigest()


def _feed(fed: list[Any], part: Any) -> None:
    if type(part) in _PLAIN:
        fed.append(f"{type(part).__name__} {part!r};".encode())
    elif isinstance(part, np.ndarray):
        fed += [f"array {part.dtype.str} {part.shape}".encode(), np.ascontiguousarray(part).tobytes()]
    elif isinstance(part, tuple | list):
        fed.append(f"[{len(part)}".encode())
        for inner in part:
            _feed(fed, inner)
    elif isinstance(part, Mapping):
        _feed(fed, [(name, part[name]) for name in sorted(part)])
    else:
        fed.append(f"{type(part).__name__} {part!r};".encode())


_PLAIN = (str, int, float, bool, type(None))

"""The values of ``group_by``: what makes members share a sky."""

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

GroupBy: TypeAlias = str | Mapping[str, str] | Callable[[Any], str]

RULES = ("exposure", "chip")
_KEYWORD = re.compile(r"[A-Z0-9_-]{1,8}")


def parse_group_by(value: Any) -> GroupBy:
    """Rule, header keyword (upper case), mapping or function that ``group_by`` means.

    A string may write a mapping as ``'a.fits=one,b.fits=one,c.fits=two'``.

    Raises
    ------
    ValueError
        For anything else.
    """
    if callable(value):
        return value  # type: ignore[no-any-return]
    if isinstance(value, Mapping):
        if not value or not all(isinstance(part, str) and part.strip() for item in value.items() for part in item):
            raise ValueError("a mapping must give the name of a group for names of members or files")
        return dict(value)
    if not isinstance(value, str):
        raise ValueError("must be 'exposure', 'chip', a header keyword, a mapping or a function")
    text = value.strip()
    if "=" in text:
        return parse_group_by(dict(_item(part) for part in text.split(",")))
    if text.lower() in RULES:
        return text.lower()
    if not _KEYWORD.fullmatch(text.upper()):
        raise ValueError("must be 'exposure', 'chip', or a header keyword of 1 to 8 letters, digits, - or _")
    return text.upper()


def format_group_by(value: GroupBy) -> Any:
    """Value for JSON: a function becomes its name."""
    return getattr(value, "__qualname__", str(value)) if callable(value) else value


def _item(text: str) -> tuple[str, str]:
    name, _, group = text.rpartition("=")
    return name.strip(), group.strip()

"""The grammar of ``dq_bits``: which data quality flags are good, by number or by name."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from skymatch_nb.params.flags import Flag, all_names, usual_bad

Bits: TypeAlias = int | str | None
"""Good bits: a number, a text with names of flags or `DEFAULT`, or None where DQ arrays are to be ignored."""

DEFAULT = "default"
"""What is usual for the telescope: no flag is good, or all but those that `usual_bad` names."""

_NAME = re.compile(r"\b[A-Za-z_]\w*")


def parse_good_bits(value: Any) -> Bits:
    """Good bits in their plainest form: an integer, where there are names a text such as ``'~HOT+4'``, or None.

    Parameters
    ----------
    value
        An int (-13 is every bit but 4 and 8), a string such as ``'4,8'``, ``'4+8'``, ``'4|8'``, ``'12'``,
        ``'~4+8'`` or ``'~(4,8)'``, or None. ``'None'``, ``'INDEF'``, ``''``, ``'~0'`` and -1 mean None. Names of flags
        may stand for numbers; `resolve_good_bits` tells which. ``'default'`` is `DEFAULT`.

    Raises
    ------
    ValueError
        For anything else, such as a name that no instrument has.
    """
    if isinstance(value, bool) or not isinstance(value, int | str | None):
        raise ValueError("must be an int, a string such as '4,8', '4+8' or '~4+8', or None")
    text = value.strip() if isinstance(value, str) else value
    if isinstance(text, str) and text.lower() == DEFAULT:
        return DEFAULT
    if isinstance(text, str) and _NAME.search(text) and text.lower() not in ("none", "indef"):
        return _canonical(text)
    bits = _interpret(text)
    return None if bits == -1 else bits


def parse_bits_of_members(value: Any) -> Bits | dict[str, Bits]:
    """Good bits as `parse_good_bits` reads them, or a mapping of names to such: ``'ACS=4+8;*=0'`` as text.

    Raises
    ------
    ValueError
        For anything else.
    """
    if isinstance(value, str) and "=" in value:
        items = (item.rpartition("=") for item in value.split(";") if item.strip())
        value = {name.strip(): bits for name, _, bits in items}
    if not isinstance(value, Mapping):
        return parse_good_bits(value)
    if not value or not all(isinstance(name, str) and name.strip() for name in value):
        raise ValueError("a mapping must give flags for names of members, files, groups or instruments")
    return {str(name): parse_good_bits(bits) for name, bits in value.items()}


def format_good_bits(bits: Bits | Mapping[str, Bits]) -> str:
    """Write good bits as the text that `parse_bits_of_members` reads: ``'4+8'``, ``'~4+8'``, ``'0'``, ``'None'``."""
    if isinstance(bits, Mapping):
        return ";".join(f"{name}={format_good_bits(of_name)}" for name, of_name in bits.items())
    if bits is None or bits == 0:
        return str(bits)
    return bits if isinstance(bits, str) else f"{'~' if bits < 0 else ''}{'+'.join(_listed(bits, ()))}"


def resolve_good_bits(bits: Bits, telescope: str, flags: Sequence[Flag]) -> int | None:
    """Good bits of a member as one integer, None where its DQ array is to be ignored.

    Parameters
    ----------
    bits
        As `parse_good_bits` gives them.
    telescope
        Which decides what `DEFAULT` means.
    flags
        Flags of the member's instrument, which names stand for.

    Raises
    ------
    LookupError
        With the name, where the instrument has no such flag.
    """
    if bits == DEFAULT:
        bad = usual_bad(telescope)
        bits = f"~{'+'.join(bad)}" if bad else 0
    if not isinstance(bits, str):
        return bits
    known = {flag.name: flag.bit for flag in flags}
    missing = next((name for name in _NAME.findall(bits) if name not in known), None)
    if missing is not None:
        raise LookupError(missing)
    return _interpret(_NAME.sub(lambda name: str(known[name.group()]), bits))


def describe_good_bits(bits: int | None, flags: Sequence[Flag]) -> str:
    """Good bits in words, by name where there is one: ``'none'``, ``'all'``, ``'HOT+4'``, ``'all but DEAD'``."""
    if bits is None or bits == 0:
        return "all" if bits is None else "none"
    return f"{'all but ' if bits < 0 else ''}{'+'.join(_listed(bits, flags))}"


def _listed(bits: int, flags: Sequence[Flag]) -> list[str]:
    """Flags of a number, or those that a negative one leaves out: names where they are known, else numbers."""
    names = {flag.bit: flag.name for flag in flags}
    positive = bits if bits > 0 else ~bits
    return [names.get(1 << k, str(1 << k)) for k in range(positive.bit_length()) if positive >> k & 1]


def _interpret(text: int | str | None) -> int | None:
    if text is None or isinstance(text, int):
        return None if text is None else int(text)
    from astropy.nddata.bitmask import interpret_bit_flags

    try:
        bits = interpret_bit_flags(text)
    except (ValueError, TypeError) as error:
        raise ValueError(_ALLOWED) from error
    return None if bits is None else int(bits)


def _canonical(text: str) -> str:
    """The same flags between plus signs, names in capitals, each flag once."""
    names = sorted({name.upper() for name in _NAME.findall(text)})
    unknown = next((name for name in names if name not in all_names()), None)
    if unknown is not None:
        raise ValueError(f"{_ALLOWED}; no instrument has a flag {unknown!r}")
    _interpret(_NAME.sub(lambda name: str(1 << (64 + names.index(name.group().upper()))), text))
    flags = dict.fromkeys(flag.strip().upper() for flag in re.split(r"[+,|]", text.strip("~() ")))
    if not all(flag in names or flag.isdigit() for flag in flags):
        raise ValueError(_ALLOWED)
    return f"{'~' if text.startswith('~') else ''}{'+'.join(flags)}"


_ALLOWED = (
    "must be flags that are powers of 2, such as '4,8', '4+8' or '~4+8', or None, "
    "or names of flags such as 'HOT+WARM', or 'default'"
)

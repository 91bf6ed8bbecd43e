"""The grammar of ``dq_bits``: which data quality flags are good."""

from collections.abc import Mapping
from typing import Any

from astropy.nddata.bitmask import interpret_bit_flags


def parse_good_bits(value: Any) -> int | None:
    """Good bits as one integer; None where DQ arrays are to be ignored.

    Parameters
    ----------
    value
        An int (-13 is every bit but 4 and 8), a string such as ``'4,8'``, ``'4+8'``, ``'4|8'``, ``'12'``,
        ``'~4+8'`` or ``'~(4,8)'``, or None. ``'None'``, ``'INDEF'``, ``''``, ``'~0'`` and -1 mean None.

    Raises
    ------
    ValueError
        For anything else.
    """
    if isinstance(value, bool) or not isinstance(value, int | str | None):
        raise ValueError("must be an int, a string such as '4,8', '4+8' or '~4+8', or None")
    text = value.strip() if isinstance(value, str) else value
    try:
        bits = interpret_bit_flags(text)
    except (ValueError, TypeError) as error:
        raise ValueError("must be flags that are powers of 2, such as '4,8', '4+8' or '~4+8', or None") from error
    return None if bits is None or bits == -1 else int(bits)


def parse_bits_of_members(value: Any) -> int | dict[str, int | None] | None:
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


def format_good_bits(bits: int | Mapping[str, int | None] | None) -> str:
    """Write good bits as the text that `parse_bits_of_members` reads: ``'4+8'``, ``'~4+8'``, ``'0'``, ``'None'``."""
    if isinstance(bits, Mapping):
        return ";".join(f"{name}={format_good_bits(of_name)}" for name, of_name in bits.items())
    if bits is None:
        return "None"
    if bits == 0:
        return "0"
    positive = bits if bits > 0 else ~bits
    flags = "+".join(str(1 << k) for k in range(positive.bit_length()) if positive >> k & 1)
    return flags if bits > 0 else f"~{flags}"

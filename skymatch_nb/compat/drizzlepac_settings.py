"""AstroDrizzle's input and parameters, checked before it runs: it quits on some, and ignores others in silence."""

import difflib
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from skymatch_nb.errors import InputError, ParameterError
from skymatch_nb.params import SkyMatchParams

RELATIVE = (
    "skymethod='match' gives skies relative to one exposure, from which final_wht_type='IVM' makes wrong "
    "weights; 'globalmin+match' gives whole skies"
)
_OF_THE_CALL = ("input", "mdriztab", "editpars", "configobj", "wcsmap", "updatewcs")
"""Parameters that AstroDrizzle takes besides those of its configuration."""


class Settings:
    """Parameters of a call of AstroDrizzle, with those that its ``configobj``, or its defaults, fill in.

    Raises
    ------
    ParameterError
        Where ``configobj`` names a file that does not exist.
    """

    def __init__(self, given: Mapping[str, Any]) -> None:
        self._given = given
        self._filled = _flat(_configuration(given.get("configobj")))

    def __getitem__(self, name: str) -> Any:
        """Value of a parameter, None where there is none."""
        return self._given.get(name, self._filled.get(name))

    @property
    def relative(self) -> bool:
        """Whether weights are made from skies that a match alone gives."""
        return str(self["final_wht_type"]).upper() == "IVM" and self["skymethod"] == "match"

    @property
    def log(self) -> str:
        """Name of AstroDrizzle's log."""
        name = str(self["runfile"] or "astrodrizzle.log")
        return name if name.endswith(".log") else f"{name}.log"

    def check_names(self) -> None:
        """Raise `ParameterError` for parameters that AstroDrizzle does not know."""
        known = [*self._filled, *_OF_THE_CALL]
        for name in self._given:
            if name in known:
                continue
            if name in SkyMatchParams.model_fields:
                raise ParameterError(
                    f"AstroDrizzle has no parameter {name!r}; the match has: matching={{{name!r}: ...}}"
                )
            close = difflib.get_close_matches(name.lower(), known, 3, 0.6)
            hint = f"; did you mean {' or '.join(map(repr, close))}?" if close else ""
            raise ParameterError(f"AstroDrizzle has no parameter {name!r}{hint}")

    def check_matches(self) -> None:
        """Raise `ParameterError` where AstroDrizzle would compute no sky, or ignore a sky that is said to be known."""
        for name, what in (("skyfile", self["skyfile"]), ("skysub", not self["skysub"])):
            if what:
                text = f"{name}={self[name]!r}: no sky is computed with AstroDrizzle's skyfile, or with its skysub off"
                raise ParameterError(f"{text}; call AstroDrizzle itself")
        if str(self["skyuser"] or "").strip():
            raise ParameterError(
                f"skyuser={self['skyuser']!r}: AstroDrizzle ignores it where it subtracts skies; leave it out, or, "
                "where the pixels are without their sky already, call AstroDrizzle itself with skysub=False"
            )


def check_input(given: Any) -> None:
    """Raise `InputError` where a name or wildcard matches no file: AstroDrizzle leaves it out without a word."""
    names = given if isinstance(given, list) else [given]
    if not all(isinstance(name, str) for name in names):
        raise InputError(f"input={given!r}: AstroDrizzle takes a string or a list of strings")
    parts = [part.strip() for entry in names for part in entry.split(",") if part.strip()]
    if not parts:
        raise InputError(f"input={given!r}: it names no file")
    expand = import_module("stsci.tools.irafglob").irafglob
    for name in parts:
        if not name.startswith("@"):
            if not expand(name):
                raise InputError(f"input {name!r}: no file matches it")
        elif not Path(name[1:]).is_file():
            raise InputError(f"input {name!r}: there is no such list")
        else:
            _check_list(Path(name[1:]), expand)


def _check_list(path: Path, expand: Callable[[str], list[str]]) -> None:
    """Raise `InputError` where an entry of an @-file, the first word of its line, matches no file."""
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        words = line.split()
        if words and not expand(words[0]):
            raise InputError(f"input '@{path}', line {number}: no file matches {words[0]!r}")


def _configuration(configobj: Any) -> Any:
    """Configuration that AstroDrizzle fills in what is not given with."""
    load = import_module("stsci.tools.teal").load
    if configobj is None:
        return load("astrodrizzle", defaults=True)
    if not isinstance(configobj, str):
        return configobj
    if configobj == "defaults":
        return load("astrodrizzle")
    if not Path(configobj).exists():
        raise ParameterError(f"configobj={configobj!r}: there is no such file")
    return load(configobj, strict=False)


def _flat(configuration: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters of all sections, by name."""
    found: dict[str, Any] = {}
    for name, value in configuration.items():
        found |= _flat(value) if isinstance(value, Mapping) else {name: value}
    return found

"""The declaration as data: what a command line, a panel or a table of the docs needs to know of each parameter."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le

from skymatch_nb.errors import ParameterError
from skymatch_nb.params.bits import format_good_bits
from skymatch_nb.params.executors import format_executor
from skymatch_nb.params.groups import format_group_by
from skymatch_nb.params.model import About, SkyMatchParams
from skymatch_nb.params.regions import SEPARATOR
from skymatch_nb.params.sky_values import SkyValues

Kind = Literal["choice", "flag", "integer", "number", "limit", "bits", "mapping", "text"]


@dataclass(frozen=True)
class ParamSpec:
    """One parameter.

    Attributes
    ----------
    name, step, unit, help, default
        As declared; ``unit`` is ``'data'`` for the units of the pixels.
    kind
        ``'choice'``, ``'flag'`` (bool), ``'integer'``, ``'number'``, ``'limit'`` (a number, or sigma as text),
        ``'bits'``, ``'mapping'`` (of names to numbers) or ``'text'``.
    optional
        Whether None is allowed.
    choices
        Allowed values of a choice.
    minimum, maximum
        Bounds, None where there is none; ``open_minimum`` tells that the minimum itself is not allowed.
    advanced
        Whether few people will want to change it.
    usual
        Range and step in which most people will, for a slider.
    start
        Value to start from where the default is None.
    """

    name: str
    kind: Kind
    step: str
    default: Any
    help: str
    unit: str = ""
    optional: bool = False
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    open_minimum: bool = False
    advanced: bool = False
    usual: tuple[float, float, float] | None = None
    start: float | None = None

    @property
    def allowed(self) -> str:
        """What values are allowed, in words."""
        if self.kind == "choice":
            return " | ".join((*self.choices, *(("None",) if self.optional else ())))
        low = "" if self.minimum is None else f"{'>' if self.open_minimum else '>='} {self.minimum:g}"
        high = "" if self.maximum is None else f"<= {self.maximum:g}"
        return ", ".join(part for part in (low, high, "or None" if self.optional else "") if part)

    def parse(self, text: str) -> Any:
        """Value of a text, as typed on a command line; it is checked later, by `SkyMatchParams.checked`.

        Raises
        ------
        ParameterError
            Where the text is not of the parameter's kind.
        """
        word = text.strip()
        if self.optional and word.lower() in ("none", "indef"):
            return None
        if self.kind == "flag":
            if word.lower() not in _FLAGS:
                raise ParameterError(f"parameter {self.name}={text!r}: must be True or False")
            return _FLAGS[word.lower()]
        if self.kind == "limit" and "=" in word:
            return {name.strip(): _number(text) for name, _, text in (w.rpartition("=") for w in word.split(","))}
        if self.kind == "limit" and word:
            return _number(word)
        if self.kind not in ("integer", "number", "limit"):
            return word
        try:
            return int(word) if self.kind == "integer" else float(word)
        except ValueError:
            kind = "integer" if self.kind == "integer" else "number"
            raise ParameterError(f"parameter {self.name}={text!r}: must be a valid {kind}") from None

    def format(self, value: Any) -> str:
        """Text of a value that `parse` reads."""
        if self.kind == "bits":
            return format_good_bits(value)
        if self.name == "executor":
            return format_executor(value)
        if isinstance(value, tuple):
            return SEPARATOR.join(value)
        if isinstance(value, Mapping):
            return ",".join(f"{name}={part}" for name, part in value.items())
        return str(format_group_by(value)) if callable(value) else str(value)


def _number(text: str) -> float | str:
    """Number that a text is, else the text, for the parameter's own check."""
    try:
        return float(text)
    except ValueError:
        return text.strip()


_FLAGS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


@cache
def specs() -> tuple[ParamSpec, ...]:
    """Every parameter, in the order of its declaration."""
    return tuple(_spec(name) for name in SkyMatchParams.model_fields)


def spec(name: str) -> ParamSpec:
    """The parameter of that name.

    Raises
    ------
    KeyError
        Where there is none.
    """
    return {s.name: s for s in specs()}[name]


def _spec(name: str) -> ParamSpec:
    field = SkyMatchParams.model_fields[name]
    types, metadata = _flatten(field.annotation)
    metadata += _constraints(field.metadata)
    about = next(m for m in metadata if isinstance(m, About))
    choices = tuple(str(c) for t in types if get_origin(t) is Literal for c in get_args(t))
    minimum = next((m for m in metadata if isinstance(m, Ge | Gt)), None)
    return ParamSpec(
        name=name,
        kind=_kind(name, types, choices),
        step=about.step,
        default=field.default,
        help=" ".join((field.description or "").split()),
        unit=about.unit,
        optional=type(None) in types,
        choices=choices,
        minimum=None if minimum is None else float(getattr(minimum, "ge", getattr(minimum, "gt", 0.0))),
        maximum=next((float(m.le) for m in metadata if isinstance(m, Le)), None),  # type: ignore[arg-type]
        open_minimum=isinstance(minimum, Gt),
        advanced=about.advanced,
        usual=about.usual,
        start=about.start,
    )


def _kind(name: str, types: list[Any], choices: tuple[str, ...]) -> Kind:
    special: dict[str, Kind] = {"dq_bits": "bits", "lower": "limit", "upper": "limit"}
    if name in special:
        return special[name]
    if choices:
        return "choice"
    kinds: dict[Any, Kind] = {bool: "flag", int: "integer", float: "number", SkyValues: "mapping"}
    return next((kinds[t] for t in types if t in kinds), "text")


def _flatten(annotation: Any) -> tuple[list[Any], list[Any]]:
    """All types of an annotation and all its metadata, through unions and ``Annotated``."""
    if hasattr(annotation, "__metadata__"):
        types, metadata = _flatten(annotation.__origin__)
        return types, metadata + _constraints(annotation.__metadata__)
    if get_origin(annotation) in (Union, UnionType):
        parts = [_flatten(part) for part in get_args(annotation)]
        return [t for types, _ in parts for t in types], [m for _, metadata in parts for m in metadata]
    return [annotation], []


def _constraints(metadata: Any) -> list[Any]:
    """Metadata with those that pydantic's ``Field`` carries inside spread out."""
    return [inner for m in metadata for inner in (getattr(m, "metadata", None) or [m])]

"""The parameters: name, type, bounds, default, unit, the step that reads it, and its help, each written here once."""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from os import PathLike
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

import numpy as np
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    InstanceOf,
    PlainSerializer,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from skymatch_nb.errors import ParameterError
from skymatch_nb.params.bits import DEFAULT, parse_bits_of_members
from skymatch_nb.params.executors import check_client, format_executor
from skymatch_nb.params.groups import format_group_by, parse_group_by
from skymatch_nb.params.limits import Limit, in_sigma, parse_limit
from skymatch_nb.params.regions import parse_regions
from skymatch_nb.params.sky_values import SkyValues, parse_sky_values


@dataclass(frozen=True)
class About:
    """What a type cannot say about a parameter.

    The step that reads it, its unit, whether few will change it, and the range and step in which most will: the type's
    bounds are those beyond which it makes no sense. ``start`` is where to start from where the default is None.
    """

    step: str
    unit: str = ""
    advanced: bool = False
    usual: tuple[float, float, float] | None = None
    start: float | None = None


def _blank_is_none(value: Any) -> Any:
    if isinstance(value, PathLike):
        return str(value)
    return None if isinstance(value, str) and value.strip().lower() in ("", "none", "indef") else value


def _upper(value: Any) -> Any:
    return value.strip().upper() if isinstance(value, str) else value


_KEYWORD, _LETTER = r"^[A-Z0-9_-]{1,8}$", r"^[A-Z]$"
_PATTERNS = {
    _KEYWORD: "must be a FITS keyword: 1 to 8 letters, digits, hyphens or underscores",
    _LETTER: "must be one letter, A to Z",
}
"""What a text must look like, and the words for it."""


def _names(value: Any) -> Any:
    """Names as a tuple, each once: a text with commas, semicolons or bars between them, or a list."""
    parts = re.split(r"[;,|](?![^\[\]]*\])", value) if isinstance(value, str) else value
    if not isinstance(parts, list | tuple) or not all(isinstance(part, str) for part in parts):
        return parts
    names = tuple(dict.fromkeys(part.strip() for part in parts if part.strip()))
    return None if not names or names in (("None",), ("INDEF",)) else names


Keyword = Annotated[str, Field(pattern=_KEYWORD), BeforeValidator(_upper)]
_TAKEN = re.compile(
    r"SIMPLE|XTENSION|BITPIX|NAXIS\d*|EXTEND|[PG]COUNT|EXT(NAME|VER|LEVEL)|BSCALE|BZERO|BLANK|BUNIT|END|COMMENT|HISTORY"
    r"|CHECKSUM|DATASUM|DATE.*|EXPTIME|EXPSTART|EXPEND|TELESCOP|INSTRUME|DETECTOR|FILTER\d*|FILTNAM\d|PHOT(FLAM|FNU|PLAM|ZPT|BW|CORR|MODE)|ROOTNAME"
    r"|WCSAXES.?|C(TYPE|UNIT|RVAL|RPIX|DELT|ROTA)\d.*|CD\d_\d.*|P[CVS]\d+_\d+.*|[AB]P?_(ORDER|DMAX|\d_\d)"
    r"|EQUINOX|RADESYS|LONPOLE|LATPOLE|IDCTAB|IDCSCALE|PAMSCALE|Z[A-Z]+\d*"
)
"""Keywords that mean something else, so that a sky level must not be written to them."""


def _free(value: str) -> str:
    if _TAKEN.fullmatch(value):
        raise ValueError("that keyword has another meaning; a sky level would destroy it")
    return value


OptionalKeyword = Annotated[Keyword | None, BeforeValidator(_blank_is_none)]
OptionalText = Annotated[str | None, BeforeValidator(_blank_is_none)]
WcsKey = Annotated[
    Annotated[str, Field(pattern=_LETTER), BeforeValidator(_upper)] | None, BeforeValidator(_blank_is_none)
]
GoodBits = Annotated[int | str | dict[str, int | str | None] | None, BeforeValidator(parse_bits_of_members)]
Limits = Annotated[Limit | dict[str, Limit], BeforeValidator(parse_limit)]
Finite = Annotated[float, Field(allow_inf_nan=False)]

Grouping = Annotated[
    Any, BeforeValidator(parse_group_by), PlainSerializer(format_group_by, return_type=Any, when_used="json")
]

Executor = Annotated[
    Literal["threads", "dask"] | Annotated[Any, AfterValidator(check_client)],
    PlainSerializer(format_executor, return_type=str, when_used="json"),
]

Names = Annotated[tuple[str, ...] | None, BeforeValidator(_names)]
SkyRegions = Annotated[tuple[str, ...] | None, BeforeValidator(parse_regions)]

SkyMethod = Literal["globalmin+match", "localmin", "globalmin", "match"]
SkyStat = Literal["mode", "mean", "median", "midpt", "binmode", "biweight", "sextractor"]
Fixed = Annotated[
    InstanceOf[SkyValues] | None,
    BeforeValidator(parse_sky_values),
    PlainSerializer(lambda values: None if values is None else dict(values), return_type=dict[str, float] | None),
]
Robust = Annotated[Literal["huber"] | None, BeforeValidator(_blank_is_none)]


class SkyMatchParams(BaseModel):
    """All parameters of a run. Frozen; `changed` makes a changed copy. Unknown names and bad values are errors."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", use_attribute_docstrings=True)

    skymethod: Annotated[SkyMethod, About("solve")] = "globalmin+match"
    """How sky levels are found: 'match' makes overlaps agree, with the lowest exposure at 0; 'globalmin+match' adds
    the lowest remaining sky to all; 'localmin' takes each exposure's own sky; 'globalmin' the lowest of these."""

    match_down: Annotated[bool, About("solve")] = True
    """Whether 'match' gives 0 to the exposure with the lowest sky (True) or with the highest (False). With
    'globalmin+match' it only decides which one is called the reference."""

    group_by: Annotated[Grouping, About("group")] = "exposure"
    """Which members share one sky: 'exposure', those of one file, and for JWST and Roman all detectors of one exposure
    through one filter; 'chip', each for itself; a header keyword (VISIT, DETECTOR, ...), those with the same value. In
    Python also a mapping of member or file names to group names, or a function of a member; on the command line
    'a.fits=one,b.fits=one'. In a mapping '*' means the rest."""

    reference: Annotated[OptionalText, About("solve", advanced=True)] = None
    """Name of the group that 'match' gives 0 instead of the lowest or highest one."""

    weighting: Annotated[Literal["pixels", "npix", "variance", "uniform"], About("solve")] = "pixels"
    """How much a pair of exposures counts: 'pixels', by the square of its mean number of pixels, as the reference has
    it; 'npix', by that number; 'variance', by the inverse variance of its difference; 'uniform', all alike."""

    robust: Annotated[Robust, About("solve")] = None
    """Whether pairs that disagree with the rest lose weight: 'huber', by iteratively reweighted least squares, or
    None."""

    anchor: Annotated[Literal["shared", "component"], About("solve")] = "shared"
    """What is put at 0, or gets a baseline: 'shared', all exposures together; 'component', each set of exposures that
    overlap one another by itself."""

    isolated: Annotated[Literal["baseline", "own", "leave"], About("solve")] = "baseline"
    """What exposures that overlap no other get: 'baseline', that of 'globalmin+match' and no level in 'match'; 'own',
    their own sky; 'leave', no level."""

    fixed: Annotated[Fixed, About("solve", "data")] = None
    """Skies that are known and held exactly, by name of file, group or member: in Python a mapping; as text
    'a.fits=0.5,b.fits=0.7' or the path of a file with a name and a value on each line."""

    leave_out: Annotated[Names, About("leave_out", advanced=True)] = None
    """Groups, files or members whose exposures take no part and get no level; as text with commas
    between them."""

    overlap_stat: Annotated[Literal["region", "difference"], About("compare")] = "region"
    """What is compared in an overlap: 'region', the statistics of the good pixels of both sides; 'difference', the
    statistic of the differences of pixels at the same place, which cancels whatever both sides see."""

    min_overlap_pixels: Annotated[int, Field(ge=0), About("compare", "pixel", advanced=True)] = 0
    """Overlaps with fewer pixels, on either side after clipping, are listed but not used."""

    min_overlap_fraction: Annotated[Finite, Field(ge=0, le=1), About("compare", advanced=True, usual=(0, 1, 0.01))] = (
        0.0
    )
    """Overlaps with fewer pixels than this fraction of the mean overlap are listed but not used."""

    skystat: Annotated[SkyStat, About("measure")] = "mode"
    """Statistic of the clipped pixels that is taken as sky: 'mode' is the peak of the smoothed histogram, 'binmode' the
    peak of the plain one, 'midpt' a median from the histogram, 'biweight' Tukey's robust mean, 'sextractor' 2.5 median
    - 1.5 mean, or the median in crowded fields (it jumps between the two: not for galaxies that fill an overlap)."""

    lower: Annotated[Limits, About("limits", "data")] = None
    """Smallest pixel value used for sky statistics: a number in data units, a text such as '-3 sigma' about each
    sample's own sky, or None for no limit. A mapping gives each member, file, group, detector, instrument or
    telescope its own ('*' for the rest); as text 'a.fits=-3 sigma,*=0'."""

    upper: Annotated[Limits, About("limits", "data")] = None
    """Largest pixel value used for sky statistics; given as 'lower' is."""

    nclip: Annotated[int, Field(ge=0, le=100), About("measure", usual=(0, 20, 1))] = 5
    """Number of clipping iterations."""

    lsigma: Annotated[Finite, Field(gt=0, le=1000), About("measure", "sigma", usual=(0.5, 10, 0.1))] = 4.0
    """Lower clipping limit, in standard deviations below the mean."""

    usigma: Annotated[Finite, Field(gt=0, le=1000), About("measure", "sigma", usual=(0.5, 10, 0.1))] = 4.0
    """Upper clipping limit, in standard deviations above the mean."""

    binwidth: Annotated[Finite, Field(ge=0.001, le=1), About("measure", "sigma", usual=(0.01, 1, 0.01))] = 0.1
    """Bin width of the histogram for 'mode', 'midpt' and 'binmode', in standard deviations of the kept pixels."""

    dq_bits: Annotated[GoodBits, About("mask")] = DEFAULT
    """Data quality flags that are good: an int or an expression of numbers and names such as '4,8', 'HOT+WARM' or
    '~DO_NOT_USE+4' (all but these); docs/flags.md lists the names. With 0 every flagged pixel is bad; with None data
    quality is ignored. 'default' is 0, but '~DO_NOT_USE+NON_SCIENCE+OUTLIER' for JWST and Roman. A mapping gives each
    member, file, group, detector, instrument or telescope its own ('*' for the rest); as text 'ACS=4+8;*=0'."""

    exclude_regions: Annotated[SkyRegions, About("mask")] = None
    """Regions of the sky whose pixels are bad: DS9 region files (several between commas), or DS9 text such as
    'icrs; circle(10.68, 41.27, 90")'; '|' parts files and texts. In Python also objects of the package regions, arrays
    of vertices, and lists."""

    include_regions: Annotated[SkyRegions, About("mask")] = None
    """Regions of the sky outside which all pixels are bad, in the same forms; what is excluded stays bad."""

    mask_sources: Annotated[
        Annotated[Finite, Field(gt=0, le=1000)] | None, About("sources", "sigma", usual=(1, 10, 0.1), start=3.0)
    ] = None
    """Threshold of a source detection, in standard deviations of the local background (3, say): pixels of sources are
    bad then. None for no detection."""

    mask_sources_npixels: Annotated[int, Field(ge=1, le=100000), About("sources", "pixel", advanced=True)] = 5
    """Number of connected pixels above the threshold that make a source."""

    mask_sources_dilate: Annotated[int, Field(ge=0, le=100), About("sources", "pixel", advanced=True)] = 3
    """Radius by which sources are grown."""

    footprint_from: Annotated[Literal["frame", "good"], About("footprint", advanced=True)] = "frame"
    """What footprints follow: 'frame', the edge of the image; 'good', the edge of the area of good pixels, where a
    shadow or a coronagraph takes a side or corner of a chip away."""

    wcs_key: Annotated[WcsKey, About("load", advanced=True)] = None
    """Letter of the alternate WCS that is used in place of the primary one, of every image; None for the primary."""

    units_kwd: Annotated[Keyword, About("units", advanced=True)] = "BUNIT"
    """Header keyword that holds the data units."""

    invsens_kwd: Annotated[OptionalKeyword, About("units", advanced=True)] = None
    """Header keyword that holds the inverse sensitivity by which sky levels are scaled, PHOTFLAM say; None for none."""

    skyuser_kwd: Annotated[Keyword, AfterValidator(_free), About("apply")] = "SKYUSER"
    """Header keyword for the sky level."""

    readonly: Annotated[bool, About("write")] = True
    """Whether 'apply' only reports (True) or writes to the files (False)."""

    subtractsky: Annotated[bool, About("apply")] = False
    """Whether 'apply' subtracts the sky from the pixels or only writes the keyword."""

    backup: Annotated[bool, About("apply", advanced=True)] = True
    """Whether 'apply' keeps the originals, so that it can be undone."""

    allow_mixed: Annotated[bool, About("apply", advanced=True)] = False
    """Whether 'apply' may add to a keyword value that was only computed, or replace one that was subtracted."""

    in_place: Annotated[bool, About("apply", advanced=True)] = False
    """Whether 'apply' edits objects in memory themselves, and not copies of them; 'undo' does not bring them back."""

    optimize: Annotated[Literal["balanced", "speed", "inmemory"], About("sample", advanced=True)] = "balanced"
    """Where pixels are kept: 'balanced' keeps up to 512 MiB of samples in memory and the others in temporary files,
    which are removed at exit; 'speed' keeps all samples in memory; 'inmemory' also reads images whole instead of
    mapping the files into memory, for files that others may replace or cut meanwhile."""

    clobber: Annotated[bool, About("convert", advanced=True)] = False
    """Whether an existing file is replaced when input of an old format is converted to FITS."""

    clean: Annotated[bool, About("convert", advanced=True)] = True
    """Whether temporary files are removed at the end. They always are; the parameter is kept for old scripts."""

    executor: Annotated[Executor, About("run", advanced=True)] = "threads"
    """Where members and overlaps are worked on: in 'threads' of this process, or by 'dask', in the processes of a
    cluster: that of the Dask client that is active, else that of DASK_SCHEDULER_ADDRESS, else a local one. In Python
    also a dask.distributed.Client."""

    verbose: Annotated[bool, About("run", advanced=True)] = True
    """Whether progress is shown."""

    logfile: Annotated[OptionalText, About("run", advanced=True)] = None
    """File to which a text log of every solution is appended; None for no log."""

    @field_validator("upper")
    @classmethod
    def _not_below_lower(cls, value: Limit | dict[str, Limit], info: ValidationInfo) -> Limit | dict[str, Limit]:
        lower = info.data.get("lower")
        plain = not (isinstance(lower, dict) or isinstance(value, dict))
        if plain and type(value) is type(lower) and _size(lower) > _size(value):
            raise ValueError(f"is below lower={lower!r}")
        return value

    @classmethod
    def checked(cls, values: Mapping[str, Any]) -> Self:
        """Make parameters from a mapping.

        Raises
        ------
        ParameterError
            Naming every unknown name and bad value, with what is allowed.
        """
        plain = {name: v.item() if isinstance(v, np.generic) else v for name, v in values.items()}
        try:
            return cls.model_validate(plain)
        except ValidationError as error:
            raise ParameterError("; ".join(_explain(cls, e) for e in _distinct(error))) from None

    def changed(self, **values: Any) -> Self:
        """Return a copy with some values changed, checked like a new one.

        Raises
        ------
        ParameterError
            As `checked`.
        """
        return self.checked({**self.model_dump(), **values})

    @classmethod
    def from_cfg(cls, path: str | PathLike[str]) -> Self:
        """Read parameters from a TEAL ``.cfg`` file; those that it lacks have their defaults.

        Raises
        ------
        ParameterError
            Where the file cannot be read or has an unknown name or bad value; the text begins with the file.
        """
        from skymatch_nb.params.cfg import read_cfg

        try:
            return cls.checked(read_cfg(Path(path))[0])
        except ParameterError as error:
            raise ParameterError(f"{path}: {str(error).removeprefix(f'{path}: ')}") from None

    def to_cfg(self, path: str | PathLike[str], inputs: str = "*_flt.fits") -> None:
        """Write the parameters, and what ``inputs`` they are for, to a TEAL file, ``path``, which is replaced."""
        from skymatch_nb.params.cfg import write_cfg

        write_cfg(Path(path), self.model_dump(), inputs)

    def read_by(self, step: str) -> tuple[tuple[str, Any], ...]:
        """Names and values of the parameters that a step reads."""
        return tuple((name, getattr(self, name)) for name in _names_by_step(type(self)).get(step, ()))


def _size(limit: Any) -> float:
    """Number that a limit gives, of data units or of sigma."""
    return (in_sigma(limit) if isinstance(limit, str) else limit) or 0.0


@cache
def _names_by_step(model: type[BaseModel]) -> dict[str, list[str]]:
    steps: dict[str, list[str]] = {}
    for name, field in model.model_fields.items():
        about = next(m for m in field.metadata if isinstance(m, About))
        steps.setdefault(about.step, []).append(name)
    return steps


def _distinct(error: ValidationError) -> list[Any]:
    """One entry per parameter: a union reports one for each of its members."""
    first: dict[Any, Any] = {}
    for entry in error.errors():
        first.setdefault(entry["loc"][:1], entry)
    return list(first.values())


_OF_SESSIONS = ("masks", "dq", "workers", "progress")
"""Arguments of `SkyMatchSession` that are no parameters."""


def _explain(model: type[BaseModel], error: Any) -> str:
    name = str(error["loc"][0])
    if error["type"] == "extra_forbidden":
        close = difflib.get_close_matches(name.lower(), model.model_fields, 1, 0.6)
        hint = f"; did you mean {close[0]!r}?" if close else f"; known are {', '.join(model.model_fields)}"
        hint = "; it is given when a session is made" if name in _OF_SESSIONS else hint
        return f"unknown parameter {name!r}{hint}"
    optional = " or None" if type(None) in get_args(model.model_fields[name].annotation) else ""
    detail = error["ctx"]["error"] if error["type"] == "value_error" else _allowed(error, optional)
    return f"parameter {name}={error['input']!r}: {detail}"


def _allowed(error: Any, optional: str) -> str:
    if error["type"] == "literal_error":
        return f"must be {error['ctx']['expected']}" + optional
    if error["type"] == "string_pattern_mismatch":
        return _PATTERNS[error["ctx"]["pattern"]]
    message = str(error["msg"])
    return "must" + message[message.index(" should") + 7 :] if " should" in message else message

"""The functions of stsci.skypac, by their published names, parameters and order."""

import inspect
import warnings
from collections.abc import Mapping
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any

import pandas as pd

from skymatch_nb.errors import ParameterError, SkyMatchWarning
from skymatch_nb.io.convert import converted_at_once
from skymatch_nb.io.inputs import ImageSpec, Spec, resolve_inputs, telling
from skymatch_nb.log import applied_lines, write_log
from skymatch_nb.params import SkyMatchParams
from skymatch_nb.params.cfg import NOT_PARAMETERS, read_cfg
from skymatch_nb.session import SkyMatchSession


def skymatch(
    input: Any,
    skymethod: str = "globalmin+match",
    match_down: bool = True,
    skystat: str = "mode",
    lower: float | None = None,
    upper: float | None = None,
    nclip: int = 5,
    lsigma: float = 4.0,
    usigma: float = 4.0,
    binwidth: float = 0.1,
    skyuser_kwd: str = "SKYUSER",
    units_kwd: str = "BUNIT",
    invsens_kwd: str | None = None,
    readonly: bool = True,
    subtractsky: bool = False,
    dq_bits: int | str | None = None,
    optimize: str = "balanced",
    clobber: bool = False,
    clean: bool = True,
    verbose: bool = True,
    flog: Any = "skymatch_log.txt",
) -> pd.DataFrame:
    """Match the sky of overlapping images, and with ``readonly=False`` write it to them.

    The published signature of ``stsci.skypac.skymatch.skymatch``; the meaning of every parameter stands in
    `skymatch_nb.SkyMatchParams`. Unlike in a session, ``dq_bits`` is None by default: DQ arrays are ignored.

    Parameters
    ----------
    input
        As for `skymatch_nb.SkyMatchSession`. GEIS and WAIVER files are converted to FITS beside them at once, and the
        converted files are used.
    clobber
        Whether converted files that exist are made anew; else they are used as they are.
    verbose
        Whether progress is shown and the log is printed.
    flog
        Log: a path that is appended to, an open stream, anything with ``write()`` or ``logentry()``, or None.

    Returns
    -------
    pandas.DataFrame
        The sky table; see docs/tables.md.

    Raises
    ------
    TypeError
        For input or a log of a type that cannot be used.
    InputError, ParameterError, UnitsError, NoOverlapError
        As the session raises them.
    """
    given = {name: value for name, value in locals().items() if name not in ("input", "flog")}
    return _match(input, given, flog)


def _match(inputs: Any, params: Mapping[str, Any], flog: Any) -> pd.DataFrame:
    """Solve, apply unless ``readonly``, and write the log."""
    write_log(flog, ())
    given = [_converted(spec, bool(params["clobber"])) for spec in resolve_inputs(inputs)]
    session = SkyMatchSession(given, **params)
    sky = session.solve()
    applied = [] if session.params.readonly else applied_lines(session.apply())
    try:
        write_log(flog, [*session.log(), *applied], echo=session.params.verbose)
    except Exception as error:
        if not applied:
            raise
        text = f"the levels were written to the files, but the log could not be written: {error}"
        warnings.warn(text, SkyMatchWarning, stacklevel=3)
    return sky


def _converted(spec: Spec, clobber: bool) -> Any:
    """Specification of a file's converted form, where it is of an old format."""
    if not isinstance(spec, ImageSpec):
        return spec
    with telling(spec.origin):
        return replace(spec, path=converted_at_once(spec.path, clobber))


def TEAL_SkyMatch(*args: Any, **params: Any) -> pd.DataFrame:  # noqa: N802 - the published name
    """Run `skymatch` with the last parameter called ``logfile``, as TEAL has it, 'skymatch.log' by default.

    Of a TEAL parameter file, given alone (``TEAL_SkyMatch("skymatch.cfg")``), it does what `run` does.
    """
    if len(args) == 1 and not params and isinstance(args[0], str | PathLike) and Path(args[0]).suffix == ".cfg":
        return run(args[0])
    bound = _TEAL_SIGNATURE.bind(*args, **params)
    bound.apply_defaults()
    values = dict(bound.arguments)
    log = values.pop("logfile")
    return skymatch(**values, flog=log)


def run(parameters: str | PathLike[str] | Mapping[str, Any]) -> pd.DataFrame:
    """Match what a TEAL parameter file says, with its parameters; ``input`` names the files.

    Parameters
    ----------
    parameters
        Path of a ``.cfg`` file, or a mapping of parameters by name with ``input``, as TEAL hands them over.
        Parameters that are missing have the defaults of `TEAL_SkyMatch`.

    Returns
    -------
    pandas.DataFrame
        The sky table.

    Raises
    ------
    ParameterError
        Where the file cannot be read, or has no input, an unknown name or a bad value.
    """
    if isinstance(parameters, Mapping):
        values = {name: value for name, value in parameters.items() if name not in NOT_PARAMETERS}
        inputs, where = parameters.get("input", ""), "parameters"
    else:
        (values, inputs), where = read_cfg(Path(parameters)), str(parameters)
    if not inputs:
        raise ParameterError(f"{where}: 'input' names no files")
    published = _TEAL_SIGNATURE.parameters
    defaults = {name: p.default for name, p in published.items() if p.default is not inspect.Parameter.empty}
    checked = SkyMatchParams.checked({**defaults, **values})
    return _match(inputs, checked.model_dump() | {"logfile": None}, checked.logfile)


def _teal_signature() -> inspect.Signature:
    published = inspect.signature(skymatch)
    log = inspect.Parameter("logfile", inspect.Parameter.POSITIONAL_OR_KEYWORD, default="skymatch.log", annotation=Any)
    return published.replace(parameters=[*list(published.parameters.values())[:-1], log])


_TEAL_SIGNATURE = _teal_signature()
TEAL_SkyMatch.__signature__ = _TEAL_SIGNATURE  # type: ignore[attr-defined]

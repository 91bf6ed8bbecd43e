"""The functions of stsci.skypac, by their published names, parameters and order."""

import inspect
from dataclasses import replace
from typing import Any

import pandas as pd

from skymatch_nb.io.convert import converted_at_once
from skymatch_nb.io.inputs import ImageSpec, Spec, resolve_inputs, telling
from skymatch_nb.log import applied_lines, write_log
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
    write_log(flog, ())
    session = SkyMatchSession(
        [_converted(spec, clobber) for spec in resolve_inputs(input)],
        skymethod=skymethod,
        match_down=match_down,
        skystat=skystat,
        lower=lower,
        upper=upper,
        nclip=nclip,
        lsigma=lsigma,
        usigma=usigma,
        binwidth=binwidth,
        skyuser_kwd=skyuser_kwd,
        units_kwd=units_kwd,
        invsens_kwd=invsens_kwd,
        readonly=readonly,
        subtractsky=subtractsky,
        dq_bits=dq_bits,
        optimize=optimize,
        clobber=clobber,
        clean=clean,
        verbose=verbose,
    )
    sky = session.solve()
    applied = [] if readonly else applied_lines(session.apply())
    write_log(flog, [*session.log(), *applied], echo=verbose)
    return sky


def _converted(spec: Spec, clobber: bool) -> Any:
    """Specification of a file's converted form, where it is of an old format."""
    if not isinstance(spec, ImageSpec):
        return spec.payload
    with telling(spec.origin):
        return replace(spec, path=converted_at_once(spec.path, clobber))


def TEAL_SkyMatch(*args: Any, **params: Any) -> pd.DataFrame:  # noqa: N802 - the published name
    """Run `skymatch` with the last parameter called ``logfile``, as TEAL has it, 'skymatch.log' by default."""
    bound = _TEAL_SIGNATURE.bind(*args, **params)
    bound.apply_defaults()
    values = dict(bound.arguments)
    log = values.pop("logfile")
    return skymatch(**values, flog=log)


def _teal_signature() -> inspect.Signature:
    published = inspect.signature(skymatch)
    log = inspect.Parameter("logfile", inspect.Parameter.POSITIONAL_OR_KEYWORD, default="skymatch.log", annotation=Any)
    return published.replace(parameters=[*list(published.parameters.values())[:-1], log])


_TEAL_SIGNATURE = _teal_signature()
TEAL_SkyMatch.__signature__ = _TEAL_SIGNATURE  # type: ignore[attr-defined]

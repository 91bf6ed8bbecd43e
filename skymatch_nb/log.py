"""The log of a solution: a rendering of its tables, sent through the logging package to files and streams."""

import logging
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.metadata import version
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from skymatch_nb.params import ParamSpec, specs
from skymatch_nb.report import SessionSummary, check_folder, residual_summary


def solution_lines(
    summary: SessionSummary, members: pd.DataFrame, residuals: pd.DataFrame | None, sky: pd.DataFrame, seconds: float
) -> list[str]:
    """Log of one solution, line by line; ``seconds`` is what its steps took."""
    params = summary.params
    lines = [
        f"***** skymatch_nb {version('skymatch_nb')}  {datetime.now(UTC).isoformat(timespec='seconds')} *****",
        "Parameters:",
        *(f"    {s.name} = {_value(s, getattr(params, s.name))}" for s in specs()),
        "Images:",
        *(_image_line(str(name), row, params.dq_bits is not None) for name, row in members.iterrows()),
        *(f"Warning: {note}" for note in summary.notes),
    ]
    if residuals is not None:
        unit = residuals.attrs["units"]["before"]
        lines.append(f"Pairs (difference before -> after, {unit}):")
        lines += [
            f"    {pair[0]} - {pair[1]}: {row.before:.6g} -> {row.after:.3g}, {row.npix:.0f} pixels"
            for pair, row in zip(residuals.index, residuals.itertuples(), strict=True)
        ]
        lines.append(f"    {residual_summary(residuals)}")
    lines.append(f"Sky ({sky.attrs['units']['sky']}; in data units, {params.skyuser_kwd} old -> new):")
    lines += [_sky_line(str(name), row) for name, row in sky.iterrows()]
    return [*lines, f"Run time: {seconds:.2f} s", ""]


def write_log(target: Any, lines: Iterable[str], *, echo: bool = False) -> None:
    """Append lines to a log.

    Parameters
    ----------
    target
        A path, an open stream, anything with ``write()`` or ``logentry()``, or None or '' for no log. Streams are not
        closed.
    echo
        Whether to print the lines too.

    Raises
    ------
    TypeError
        For any other target.
    """
    lines = list(lines)
    if hasattr(target, "logentry"):
        _write_entries(target, lines)
        target = None
    handlers = [handler for handler in (_handler(target), _screen() if echo else None) if handler is not None]
    logger = logging.Logger("skymatch_nb.log", logging.INFO)
    for handler in handlers:
        handler.setFormatter(logging.Formatter("%(message)s"))
        logger.addHandler(handler)
    try:
        for line in lines:
            logger.info("%s", line)
    finally:
        for handler in handlers:
            handler.flush()
            if isinstance(handler, logging.FileHandler):
                handler.close()


class _Raising(logging.Handler):
    """A log that cannot be written is an error, not a text on the screen."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Raise what went wrong."""
        raise


class _FileHandler(_Raising, logging.FileHandler):
    pass


class _StreamHandler(_Raising, logging.StreamHandler):  # type: ignore[type-arg]
    pass


def _write_entries(target: Any, lines: Iterable[str]) -> None:
    """Hand lines to an object's ``logentry(text)``, as STScI's multi-file logs have it: braces are format fields.

    The logging package takes no part: AstroDrizzle's log leaves out what comes from there.
    """
    for line in lines:
        target.logentry(line.replace("{", "{{").replace("}", "}}"))


def _handler(target: Any) -> logging.Handler | None:
    if target is None or (isinstance(target, str) and not target.strip()):
        return None
    if isinstance(target, str | PathLike):
        check_folder(Path(target))
        return _FileHandler(Path(target), mode="a", encoding="utf-8")
    if hasattr(target, "write"):
        target.write("")
        return _StreamHandler(target)
    raise TypeError(f"a log must be a path, a stream, or have write() or logentry(): {type(target).__name__}")


def _screen() -> logging.Handler:
    return _StreamHandler(sys.stdout)


def _value(spec: ParamSpec, value: Any) -> str:
    return spec.format(value) if spec.kind == "bits" or callable(value) else repr(value)


def _image_line(name: str, row: Any, uses_dq: bool) -> str:
    ignored = "" if uses_dq else " ignored"
    quality = f"DQ {row.dq_from}{ignored}" if row.dq_from else "no DQ"
    time = "" if np.isnan(row.exptime) else f", {row.exptime:g} s"
    quality += ", masked" if row.masked else ""
    unit = row.data_unit or "no unit"
    wcs = f"WCS {row.wcs}{' with ' if row.distortion else ''}{row.distortion}"
    what = f"{row.nx} x {row.ny}, {wcs}, {quality}, {unit} ({row.data_type}: {row.data_type_from}){time}"
    return f"    {name}: {what}, brightness = {row.factor:.8g} x data"


def _set(row: Any) -> str:
    return "" if pd.isna(row.component) else f", set {row.component}"


def applied_lines(applied: pd.DataFrame) -> list[str]:
    """Log of what was done to the files."""
    keyword = applied["keyword"].iloc[0]
    return [
        "Applied:",
        *(
            f"    {name}: {keyword} = {row.new:.8g}, {row.subtracted:.8g} subtracted; {row.status}"
            + (f"; original kept as {row.backup}" if row.backup else "")
            for name, row in applied.iterrows()
        ),
        "",
    ]


def _sky_line(name: str, row: Any) -> str:
    if np.isnan(row.sky):
        return f"    {name}: none ({row.status})"
    old = "none" if np.isnan(row.header_old) else f"{row.header_old:.8g}"
    return f"    {name}: {row.sky:.8g}; {row.sky_data:.8g}, {old} -> {row.header_new:.8g} ({row.status}{_set(row)})"

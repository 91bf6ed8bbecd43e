"""Results as text and HTML: what a session prints, its log, and the report page."""

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from skymatch_nb.errors import InputError, ParameterError
from skymatch_nb.params import SkyMatchParams, specs

if TYPE_CHECKING:
    from bokeh.plotting import figure

LONGEST_TABLE = 500
"""Rows of a table that a report shows; the rest are counted."""

_STATE_COLORS = {"fresh": "#2e8b57", "stale": "#c77700", "not run": "#808080"}

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1100px; margin: 2em auto; padding: 0 1em; color: #222; }
h1 { font-size: 1.6em; } h2 { font-size: 1.2em; margin-top: 2em; border-bottom: 1px solid #ccc; }
table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; }
th, td { padding: 2px 10px; text-align: right; border-bottom: 1px solid #eee; white-space: nowrap; }
td.text, th.text { text-align: left; }
td.text { white-space: normal; overflow-wrap: anywhere; min-width: 14em; } th { background: #f4f4f6; }
.scroll { overflow: auto; max-height: 32em; }
.note { border-left: 4px solid #d55e00; padding-left: .8em; }
pre { background: #f4f4f6; padding: .6em .8em; font-size: 13px; white-space: pre-wrap; overflow-wrap: anywhere; }
.units { color: #777; font-weight: normal; }
@media print { .scroll { max-height: none; overflow: visible; } }
"""


@dataclass(frozen=True)
class SessionSummary:
    """A session in a few words: files, state and result of each step, parameters, warnings."""

    files: tuple[str, ...]
    stages: Mapping[str, str]
    counts: Mapping[str, str]
    params: SkyMatchParams
    notes: tuple[str, ...]

    @property
    def changed_params(self) -> dict[str, Any]:
        """Parameters that differ from their defaults."""
        values = {s.name: (getattr(self.params, s.name), s.default) for s in specs()}
        return {name: value for name, (value, default) in values.items() if value != default}


@dataclass(frozen=True)
class Origin:
    """Where results come from: provenance, Python code and shell command, or why there is none."""

    provenance: Mapping[str, Any] | InputError
    script: str | InputError
    command: str | InputError


def session_text(summary: SessionSummary) -> str:
    """Session as plain text."""
    lines = [f"SkyMatchSession of {_number(len(summary.files), 'input')}"]
    lines += [f"  {n:<10} {state:<8} {summary.counts.get(n, '')}".rstrip() for n, state in summary.stages.items()]
    changed = ", ".join(f"{name}={value!r}" for name, value in summary.changed_params.items())
    lines.append(f"  parameters: {changed + '; the others at' if changed else 'all at'} their defaults")
    return "\n".join(lines + [f"  warning: {note}" for note in summary.notes])


def session_html(summary: SessionSummary) -> str:
    """Session as a small HTML table, with nothing to load."""
    rows = "".join(
        f"<tr><td style='text-align:left'>{escape(name)}</td>"
        f"<td style='text-align:left;color:{_STATE_COLORS[state]}'>&#9679; {state}</td>"
        f"<td style='text-align:left'>{escape(summary.counts.get(name, ''))}</td></tr>"
        for name, state in summary.stages.items()
    )
    changed = ", ".join(f"{name}={value!r}" for name, value in summary.changed_params.items()) or "none"
    notes = "".join(f"<div style='color:#d55e00'>&#9888; {escape(note)}</div>" for note in summary.notes)
    return (
        f"<div><b>SkyMatchSession</b> of {_number(len(summary.files), 'input')}"
        f"<table><thead><tr><th style='text-align:left'>step</th><th style='text-align:left'>state</th>"
        f"<th style='text-align:left'>result</th></tr></thead><tbody>{rows}</tbody></table>"
        f"<div>changed parameters: <code>{escape(changed)}</code></div>{notes}</div>"
    )


def residual_summary(residuals: pd.DataFrame) -> str:
    """How well pairs agree before and after, in words."""
    if residuals.empty:
        return "no two exposures could be compared"
    unit = residuals.attrs["units"]["before"]
    before, after = (float(np.sqrt(np.nanmean(residuals[c] ** 2))) for c in ("before", "after"))
    return f"rms difference of {_number(len(residuals), 'pair')}: {before:.6g} before, {after:.6g} after ({unit})"


def table_text(table: pd.DataFrame) -> str:
    """Table as text, with the units of its columns in the second line."""
    units = table.attrs.get("units", {})
    shown = table.copy()
    shown.columns = pd.MultiIndex.from_tuples([(c, units.get(c, "")) for c in table.columns])
    shown.index.name = None
    return shown.to_string(float_format=lambda v: f"{v:.6g}", na_rep="-")


def write_report(
    path: Path,
    summary: SessionSummary,
    sky: pd.DataFrame,
    residuals: pd.DataFrame,
    overlaps: pd.DataFrame,
    footprints: "figure",
    origin: Origin,
) -> Path:
    """Write the report page: self-contained, every text from outside escaped. Returns the path."""
    from bokeh.embed import components
    from bokeh.resources import Resources

    script, picture = components(footprints)
    when = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    notes = "".join(f"<p class='note'>{escape(note)}</p>" for note in summary.notes)
    rows = [(s.name, repr(getattr(summary.params, s.name)), repr(s.default), s.help) for s in specs()]
    params = pd.DataFrame(rows, columns=["parameter", "value", "default", "meaning"]).set_index("parameter")
    shown_overlaps = overlaps.set_index(["member_a", "member_b"]).drop(columns=["group_a", "group_b"])
    body = [
        f"<h1>Sky match of {_number(len(summary.files), 'file')}</h1>",
        f"<p>skymatch_nb {version('skymatch_nb')}, {when}. Method <b>{summary.params.skymethod}</b>, statistic "
        f"<b>{summary.params.skystat}</b>; {escape(', '.join(summary.counts.values()))}.</p>",
        f"<p>{escape(residual_summary(residuals))}.</p>",
        notes,
        f"<h2>Footprints</h2>{picture}",
        f"<h2>Sky</h2>{_table_html(sky.drop(columns='group'))}",
        f"<h2>Pairs of exposures</h2>{_table_html(residuals)}",
        f"<h2>Overlaps</h2>{_table_html(shown_overlaps)}",
        f"<h2>Parameters</h2>{_table_html(params)}",
        f"<h2>Where this comes from</h2>{_origin_html(origin)}",
    ]
    bokeh = Resources(mode="inline", components=["bokeh"]).render()
    page = (
        "<!DOCTYPE html><html lang='en'><head><meta charset='utf-8'><title>Sky match</title>"
        f"<style>{_STYLE}</style>{bokeh}{script}</head><body>{''.join(body)}</body></html>"
    )
    return write_text(path, page)


def check_folder(path: Path) -> None:
    """Raise `ParameterError` where the folder that a file is to be written to is missing, or the file is a folder."""
    if not path.absolute().parent.is_dir():
        raise ParameterError(f"{path}: there is no folder {path.absolute().parent}")
    if path.is_dir():
        raise ParameterError(f"{path} is a folder")


def write_text(path: Path, text: str) -> Path:
    """Write a text file whole or not at all: beside it first, then renamed over."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
        mask = os.umask(0)
        os.umask(mask)
        Path(name).chmod(0o666 & ~mask)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return path


def _origin_html(origin: Origin) -> str:
    """Program, time and files with their hashes, and what to type to get the same."""
    told = origin.provenance
    files = escape(f"{told}.") if isinstance(told, InputError) else _files_html(told)
    repeated = ("In Python", origin.script), ("In the shell", origin.command)
    return files + "".join(
        f"<p>{how}: {escape(str(text))}.</p>"
        if isinstance(text, InputError)
        else f"<p>{how}:</p><pre>{escape(text)}</pre>"
        for how, text in repeated
    )


def _files_html(provenance: Mapping[str, Any]) -> str:
    read = [*provenance["inputs"], *provenance["files_beside"]]
    table = pd.DataFrame(
        {
            "size": pd.array([record.get("size") for record in read], "Int64"),
            "sha256": [record.get("sha256", "in memory") for record in read],
        },
        index=pd.Index([record.get("path", record.get("object")) for record in read], name="file"),
    )
    table.attrs["units"] = {"size": "bytes"}
    return f"<p>{escape(provenance['program'])}, {escape(provenance['time'])}.</p>{_table_html(table)}"


def _table_html(table: pd.DataFrame) -> str:
    units = table.attrs.get("units", {})
    shown = table.iloc[:LONGEST_TABLE].reset_index()
    numeric = [pd.api.types.is_numeric_dtype(shown[c]) for c in shown.columns]
    kinds = ["" if n else " class='text'" for n in numeric]
    head = "".join(
        f"<th{kind}>{escape(str(c))}<br><span class='units'>{escape(units.get(c, '') or ' ')}</span></th>"
        for c, kind in zip(shown.columns, kinds, strict=True)
    )
    rows = "".join(
        "<tr>" + "".join(f"<td{k}>{_cell(v)}</td>" for v, k in zip(row, kinds, strict=True)) + "</tr>"
        for row in shown.itertuples(index=False)
    )
    rest = len(table) - len(shown)
    more = f"<p>{rest} more rows are in the table files.</p>" if rest > 0 else ""
    return f"<div class='scroll'><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>{more}"


def _cell(value: Any) -> str:
    if value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return "&ndash;"
    return f"{value:.6g}" if isinstance(value, float) else escape(str(value))


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"

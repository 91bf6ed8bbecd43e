"""The report: one self-contained page of what was done, with figures, tables, and how to repeat it."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from skymatch_nb.errors import SkyMatchError
from skymatch_nb.params import specs
from skymatch_nb.report import SessionSummary, number_of, write_text
from skymatch_nb.report_words import in_words, noun_of, outlier_warnings

LONGEST_TABLE = 300
"""Rows of a table that a report shows; the rest are counted."""

NOTHING = "&ndash;"
"""What a table has where there is no value."""

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1180px; margin: 2em auto; padding: 0 1em; }
h1 { font-size: 1.6em; } h2 { font-size: 1.2em; margin-top: 2em; border-bottom: 1px solid var(--rule); }
nav a { margin-right: 1.2em; white-space: nowrap; } a { color: var(--link); }
table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; }
th, td { padding: 2px 8px; text-align: right; border-bottom: 1px solid var(--rule); white-space: nowrap; }
td.text, th.text { text-align: left; }
th { white-space: normal; overflow-wrap: anywhere; min-width: 4em; vertical-align: bottom; }
td.text { white-space: normal; overflow-wrap: anywhere; min-width: 8em; }
th.text:first-child { min-width: 9em; }
th { background: var(--head); position: sticky; top: 0; }
.scroll, .figure { overflow: auto; } .scroll { max-height: 30em; }
.note { border-left: 4px solid #d55e00; padding-left: .8em; }
.units { color: var(--dim); font-weight: normal; overflow-wrap: normal; }
pre { background: var(--head); padding: .8em; overflow: auto; white-space: pre-wrap; overflow-wrap: anywhere;
  font-size: 13px; }
summary { cursor: pointer; margin: .6em 0; }
@page { size: A4 landscape; margin: 10mm; }
@media print {
  body { max-width: none; margin: 0; font-size: 11px; } nav { display: none; }
  .scroll, .figure { max-height: none; overflow: visible; }
  .figure { break-inside: avoid; zoom: 0.64; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  table { font-size: 8px; } th { position: static; } th, td { padding: 1px 3px; } th, td.text { min-width: 3.5em; }
  th.text:first-child { min-width: 8em; }
  h2, h3, summary { break-after: avoid; } tr { break-inside: avoid; } pre { font-size: 9px; }
}
"""

_LIGHT = (
    ":root { --rule: #ddd; --head: #f4f4f6; --dim: #777; --link: #0072b2; } body { color: #222; background: #fff; }"
)

_COLORS = {
    "light": _LIGHT,
    "dark": ":root { --rule: #39414d; --head: #1e242c; --dim: #9aa4b2; --link: #56b4e9; }"
    " body { color: #e2e5ea; background: #15191f; }"
    f" @media print {{ {_LIGHT} .figure {{ filter: invert(1) hue-rotate(180deg) brightness(1.12); }} }}",
}
"""Colours of both themes; on paper the dark one is light, its figures with their lightness turned round."""

_OPEN_FOR_PRINT = (
    "addEventListener('beforeprint', () => document.querySelectorAll('details').forEach((d) => { d.open = true }));"
)


@dataclass(frozen=True)
class ReportContent:
    """What a report is made of.

    ``figures`` are Bokeh models by section; ``missing`` tells for sections without their figure or text why;
    ``provenance`` is what `SkyMatchSession.provenance` returns.
    """

    summary: SessionSummary
    members: pd.DataFrame
    sky: pd.DataFrame
    residuals: pd.DataFrame
    overlaps: pd.DataFrame
    figures: Mapping[str, Any]
    provenance: Mapping[str, Any]
    script: str
    command: str
    missing: Mapping[str, str]
    theme: str = "light"


def write_report(path: Path, content: ReportContent) -> Path:
    """Write the page: self-contained, every text from outside escaped. Returns the path."""
    from bokeh.embed import components
    from bokeh.resources import Resources

    from skymatch_nb.plots.export import fit_script

    scripts, pictures = components(dict(content.figures)) if content.figures else ("", {})
    bokeh = Resources(mode="inline", components=["bokeh", "bokeh-widgets"]).render()
    sections = report_sections(content, pictures)
    links = "".join(f"<a href='#s{k}'>{escape(title)}</a>" for k, (title, _) in enumerate(sections))
    body = "".join(f"<h2 id='s{k}'>{escape(title)}</h2>{text}" for k, (title, text) in enumerate(sections))
    page = (
        "<!DOCTYPE html><html lang='en'><head><meta charset='utf-8'><title>Sky match</title>"
        f"<style>{_COLORS[content.theme]}{_STYLE}</style>{bokeh}{scripts}"
        f"<script>{_OPEN_FOR_PRINT}\n{fit_script()}</script></head>"
        f"<body>{_opening(content)}<nav>{links}</nav>{body}</body></html>"
    )
    return write_text(path, page)


def report_sections(content: ReportContent, pictures: Mapping[str, str]) -> list[tuple[str, str]]:
    """Titles and HTML of the sections, in order."""

    def picture(name: str) -> str:
        if name in pictures:
            return f"<div class='figure'>{pictures[name]}</div>"
        return f"<p>{escape(content.missing[name])}</p>" if name in content.missing else ""

    overlaps = content.overlaps.drop(columns=["group_a", "group_b"]).set_index(["member_a", "member_b"])
    sky = content.sky.drop(columns="group")
    members = content.members.drop(columns=["file", "ext", "sky_header"])
    return [
        ("Footprints", picture("footprints")),
        ("Sky", picture("sky") + brief_table_html(sky)),
        (
            f"Pairs of {noun_of(content.members)}s",
            picture("residuals") + picture("graph") + brief_table_html(worst_first(content.residuals)),
        ),
        ("Overlaps", _folded("Table of overlaps", brief_table_html(worst_first(overlaps)))),
        ("Preview", picture("preview")),
        ("Parameters", parameters_html(content.summary)),
        ("Images", _folded("Table of images", brief_table_html(members))),
        ("Provenance", provenance_html(content.provenance) or picture("provenance")),
        ("To repeat this", _code("In Python", content.script) + _code("In the shell", content.command)),
    ]


def worst_first(table: pd.DataFrame) -> pd.DataFrame:
    """Table whose rows with the largest pulls, or differences, come first where it is too long to be shown whole."""
    column = next((c for c in ("pull", "difference") if c in table), None)
    if column is None or len(table) <= LONGEST_TABLE:
        return table
    order = np.argsort(-np.abs(np.nan_to_num(table[column].to_numpy())), kind="stable")
    return table.iloc[order]


def parameters_html(summary: SessionSummary) -> str:
    """Parameters that were changed, and all of them folded away."""
    rows = [(s.name, s.format(getattr(summary.params, s.name)), s.format(s.default), s.help) for s in specs()]
    table = pd.DataFrame(rows, columns=["parameter", "value", "default", "meaning"]).set_index("parameter")
    changed = table.loc[list(summary.changed_params)]
    first = table_html(changed) if len(changed) else "<p>All at their defaults.</p>"
    return first + _folded("All parameters", table_html(table))


def provenance_html(record: Mapping[str, Any]) -> str:
    """Program, time, and the files with their sizes and hashes."""
    if not record:
        return ""
    rows = [
        (entry.get("path", entry.get("object", "")), entry.get("size"), entry.get("sha256", "in memory"))
        for entry in (*record["inputs"], *record.get("files_beside", ()))
    ]
    files = pd.DataFrame(rows, columns=["input", "size", "SHA-256"]).astype({"size": "Int64"}).set_index("input")
    files.attrs["units"] = {"size": "byte"}
    said = f"<p>{escape(str(record['program']))}, {escape(str(record['time']))}</p>"
    return said + _folded(f"{number_of(len(rows), 'input')} with hashes", table_html(files))


def brief_table_html(table: pd.DataFrame) -> str:
    """Table without columns that have one value in all rows, which are told above it: so it fits on a page."""
    same = [c for c in table.columns if len(table) > 2 and table[c].map(_cell).nunique() == 1]
    units = table.attrs.get("units", {})
    known = [(c, _cell(table[c].iloc[0])) for c in same]
    told = ", ".join(
        f"{escape(c)} {value} {escape(units.get(c, ''))}".strip() for c, value in known if value != NOTHING
    )
    brief = table.drop(columns=same)
    brief.attrs = table.attrs
    return (f"<p class='units'>The same in all rows: {told}.</p>" if told else "") + table_html(brief)


def table_html(table: pd.DataFrame) -> str:
    """Table with units in its header; of a long one the first rows, and how many more there are."""
    units = table.attrs.get("units", {})
    shown = table.iloc[:LONGEST_TABLE].reset_index()
    numeric = [pd.api.types.is_numeric_dtype(shown[c]) for c in shown.columns]
    kinds = ["" if n else " class='text'" for n in numeric]
    head = "".join(
        f"<th{kind}>{escape(str(c)).replace('_', '_<wbr>')}<br>"
        f"<span class='units'>{_unit(units.get(c, ''))}</span></th>"
        for c, kind in zip(shown.columns, kinds, strict=True)
    )
    rows = "".join(
        "<tr>" + "".join(f"<td{k}>{_cell(v)}</td>" for v, k in zip(row, kinds, strict=True)) + "</tr>"
        for row in shown.itertuples(index=False)
    )
    rest = len(table) - len(shown)
    more = f"<p>{rest} more rows are in the table files.</p>" if rest > 0 else ""
    return f"<div class='scroll'><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>{more}"


def _opening(content: ReportContent) -> str:
    when = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    summary = content.summary
    counts = escape(", ".join(summary.counts.values()))
    words = in_words(summary, content.members, content.sky, content.residuals)
    told = " ".join(escape(line) for line in words)
    warnings = (*summary.notes, *outlier_warnings(summary, content.residuals))
    notes = "".join(f"<p class='note'>{escape(note)}</p>" for note in warnings)
    return (
        f"<h1>Sky match of {number_of(len(summary.files), 'file')}</h1>"
        f"<p class='units'>skymatch_nb {version('skymatch_nb')}, {when}; {counts}</p>{notes}<p>{told}</p>"
    )


def _folded(title: str, text: str) -> str:
    return f"<details><summary>{escape(title)}</summary>{text}</details>"


def _code(title: str, text: str) -> str:
    return f"<h3>{escape(title)}</h3><pre>{escape(text)}</pre>"


def _unit(name: str) -> str:
    """Unit that is not broken inside of brackets; a space where there is none, so that rows of a header are as high."""
    inner = re.sub(r"\([^()]*\)", lambda found: found[0].replace(" ", "\u00a0"), name)
    return escape(inner or "\u00a0")


def _cell(value: Any) -> str:
    if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return NOTHING
    return f"{value:.6g}" if isinstance(value, float) else escape(str(value)).replace("[", "<wbr>[")


def made_or_missing(makers: Mapping[str, Callable[[], Any]]) -> tuple[dict[str, Any], dict[str, str]]:
    """What each function returns; for those that cannot (a file has changed, say) why, in place of it."""
    made, missing = {}, {}
    for name, maker in makers.items():
        try:
            made[name] = maker()
        except SkyMatchError as error:
            missing[name] = f"Left out: {error}"
    return made, missing

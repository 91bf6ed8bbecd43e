"""Results as text and HTML: what a session prints, and files written whole or not at all."""

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from skymatch_nb.errors import ParameterError
from skymatch_nb.params import SkyMatchParams, specs
from skymatch_nb.results import GoodCounts, Masks

_STATE_COLORS = {"fresh": "#2e8b57", "stale": "#c77700", "not run": "#808080"}


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


def session_text(summary: SessionSummary) -> str:
    """Session as plain text."""
    lines = [f"SkyMatchSession of {number_of(len(summary.files), 'input')}"]
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
        f"<div><b>SkyMatchSession</b> of {number_of(len(summary.files), 'input')}"
        f"<table><thead><tr><th style='text-align:left'>step</th><th style='text-align:left'>state</th>"
        f"<th style='text-align:left'>result</th></tr></thead><tbody>{rows}</tbody></table>"
        f"<div>changed parameters: <code>{escape(changed)}</code></div>{notes}</div>"
    )


def residual_summary(residuals: pd.DataFrame) -> str:
    """How well pairs agree before and after, in words."""
    if residuals.empty:
        return "no two groups could be compared"
    unit = residuals.attrs["units"]["before"]
    before, after = (float(np.sqrt(np.nanmean(residuals[c] ** 2))) for c in ("before", "after"))
    return f"rms difference of {number_of(len(residuals), 'pair')}: {before:.6g} before, {after:.6g} after ({unit})"


def table_text(table: pd.DataFrame) -> str:
    """Table as text, with the units of its columns in the second line."""
    units = table.attrs.get("units", {})
    shown = table.copy()
    shown.columns = pd.MultiIndex.from_tuples([(c, units.get(c, "")) for c in table.columns])
    shown.index.name = None
    return shown.to_string(float_format=lambda v: f"{v:.6g}", na_rep="-")


def check_folder(path: Path) -> None:
    """Raise `ParameterError` where the folder that a file is to be written to is missing, or the file is a folder."""
    if not path.absolute().parent.is_dir():
        raise ParameterError(f"{path}: there is no folder {path.absolute().parent}")
    if path.is_dir():
        raise ParameterError(f"{path} is a folder")


def write_text(path: Path, text: str) -> Path:
    """Write a text file whole or not at all: beside it first, then renamed over."""
    return write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, content: bytes) -> Path:
    """Write a file whole or not at all, as `write_text` does."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
        mask = os.umask(0)
        os.umask(mask)
        Path(name).chmod(0o666 & ~mask)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return path


def mask_words(masks: Masks, counted: GoodCounts | None) -> str:
    """How much is bad, where pixels were counted; else what makes pixels bad."""
    if counted is not None:
        bad = [c.pixels - c.good for c in counted.counts]
        share = sum(bad) / max(sum(c.pixels for c in counted.counts), 1)
        some = sum(b > 0 for b in bad)
        which = "" if some == len(bad) else f" in {number_of(some, 'member')}"
        return f"{100 * share:.2g} % of pixels bad{which}" if some else "no pixel is bad"
    own = [masks_of or None for masks_of in masks.user]
    made = {"data quality": masks.quality, "own masks": own, "regions": masks.regions, "sources": masks.sources}
    count = {name: sum(part is not None for part in of) for name, of in made.items()}
    used = [f"{name} of {number_of(n, 'member')}" for name, n in count.items() if n]
    return ", ".join(used) or "only values that are no numbers are bad"


def number_of(count: int, noun: str) -> str:
    """Return a number and its noun, in the plural where it is not 1."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"

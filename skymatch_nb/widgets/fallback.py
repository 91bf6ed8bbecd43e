"""A panel where no kernel runs: the session in words, a picture of the map, and the first rows of its tables."""

from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from skymatch_nb.errors import SkyMatchError
from skymatch_nb.plots.mapdata import footprints_plane, member_data
from skymatch_nb.plots.theme import theme_named
from skymatch_nb.report_page import table_html, worst_first

if TYPE_CHECKING:
    from skymatch_nb.session import SkyMatchSession

MOST_ROWS = 40
"""Rows of a table that are stored in a notebook."""

MOST_MEMBERS = 300
"""Members up to which the map is stored."""

WIDTH = 420
"""Width of the picture in pixels."""


def panel_html(session: "SkyMatchSession") -> str:
    """HTML of what is there, with every text escaped and no script; nothing is computed."""
    told = f"{session._repr_html_()}<p>As it was when shown; the panel itself needs a running kernel.</p>"
    parts = [told, map_svg(session)]
    if session.fresh_result("solve") is not None:
        parts += [_table(session, name) for name in ("sky", "residuals")]
    return f"<div class='skymatch-saved'>{''.join(parts)}</div>"


def _table(session: "SkyMatchSession", name: str) -> str:
    needs = {"sky": "plan", "residuals": "pair"}
    if session.fresh_result(needs[name]) is None:
        return ""
    try:
        table = worst_first(getattr(session, name))
    except SkyMatchError:  # a file has changed meanwhile: the words stand without the table
        return ""
    shown = table.iloc[:MOST_ROWS]
    rest = len(table) - len(shown)
    more = f"<p>{rest} more rows are in <code>s.{name}</code>.</p>" if rest else ""
    return f"<details open><summary>{name}</summary>{table_html(shown)}{more}</details>"


def map_svg(session: "SkyMatchSession") -> str:
    """Picture of the members on the sky, east to the left, filled by their sky; '' where there is nothing to draw."""
    found: list[Any] = [session.fresh_result(name) for name in ("group", "footprint", "units", "solve")]
    loaded, footprints, units, solution = found
    if loaded is None or footprints is None or len(loaded) > MOST_MEMBERS:
        return ""
    plane = footprints_plane(footprints)
    data = member_data(plane, loaded, footprints, units, solution, theme_named("light"))
    x, y = -np.concatenate(data["xs"]), -np.concatenate(data["ys"])
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        return ""
    scale = WIDTH / max(float(np.ptp(x)), 1e-9)
    height = scale * float(np.ptp(y))
    patches = "".join(
        f"<polygon points='{_points(np.array(xs), np.array(ys), x, y, scale)}' fill='{fill}'>"
        f"<title>{escape(name)}: {escape(level)}</title></polygon>"
        for xs, ys, fill, name, level in zip(
            data["xs"], data["ys"], data["fill"], data["member"], data["shown"], strict=True
        )
    )
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{WIDTH + 8}' height='{height + 8:.0f}'"
        f" viewBox='-4 -4 {WIDTH + 8} {height + 8:.0f}' role='img' aria-label='Footprints on the sky, east to the left'"
        f" style='background:#fff;max-width:100%' stroke='#222' fill-opacity='0.65'>{patches}</svg>"
    )


def _points(xs: Any, ys: Any, x: Any, y: Any, scale: float) -> str:
    """Corners in pixels, as SVG has them."""
    return " ".join(f"{scale * (-a - x.min()):.1f},{scale * (-b - y.min()):.1f}" for a, b in zip(xs, ys, strict=True))

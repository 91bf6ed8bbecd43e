"""What a saved notebook keeps of a panel: small, escaped, without a script, with the numbers of the session."""

import re
import xml.etree.ElementTree as ET

import numpy as np

from skymatch_nb import SkyMatchSession
from skymatch_nb.report_page import table_html
from skymatch_nb.widgets.fallback import WIDTH, map_svg, panel_html


def test_a_panel_keeps_words_map_and_tables(panel, session):
    html = panel._repr_mimebundle_()["text/html"]
    assert "12 members in 6 groups" in html
    assert table_html(session.residuals) in html
    assert html.count("<polygon") == 12
    assert "<script" not in html
    assert len(html) < 60_000
    assert "application/vnd.jupyter.widget-view+json" in panel._repr_mimebundle_()


def test_a_panel_that_solves_soon_keeps_the_solution(session, monkeypatch):
    monkeypatch.setattr("skymatch_nb.widgets.panel.SOON", 120.0)  # soon enough for a busy machine
    panel = session.panel()
    html = panel._repr_mimebundle_()["text/html"]
    assert session.fresh_result("solve") is not None
    assert "residuals</summary>" in html


def test_the_map_has_the_shape_of_the_field(session):
    session.solve()
    drawn = ET.fromstring(map_svg(session))
    corners = [np.array([p.split(",") for p in polygon.get("points").split()], float) for polygon in drawn]
    x, y = np.concatenate(corners).T
    assert (x.min(), x.max(), y.min()) == (0, WIDTH, 0)
    first, last = (session.footprints.iloc[k] for k in (0, -1))
    east = np.sign((first.ra - last.ra + 180) % 360 - 180)
    assert np.sign(corners[0][:, 0].mean() - corners[-1][:, 0].mean()) == -east
    assert np.sign(corners[0][:, 1].mean() - corners[-1][:, 1].mean()) == -np.sign(first.dec - last.dec)
    title = drawn[0][0].text
    assert title.startswith(session.members.index[0])
    assert f"{session.sky.sky.iloc[0]:.6g}" in title


def test_nothing_is_computed_for_it(session):
    html = panel_html(session)
    assert "needs a running kernel" in html
    assert "<svg" not in html
    assert set(session.status().state) <= {"not run", "not needed"}


def test_names_are_escaped(write_image):
    evil = "<img src=x onerror=alert(1)>"
    s = SkyMatchSession(
        [write_image(f"{evil}.fits"), write_image("b.fits", ra=10.002)], skymethod="match", verbose=False
    )
    s.solve()
    html = panel_html(s)
    assert evil not in html
    assert re.search(r"<title>&lt;img", html)


def test_long_tables_are_cut(session, monkeypatch):
    monkeypatch.setattr("skymatch_nb.widgets.fallback.MOST_ROWS", 5)
    session.solve()
    assert "7 more rows are in <code>s.sky</code>" in panel_html(session)

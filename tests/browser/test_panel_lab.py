"""The panel in a real JupyterLab: what a user does on the page is what the same calls do in Python."""

import os
from pathlib import Path

import numpy as np
import pytest
from jupyter import lab, open_and_run, write_notebook
from panel_page import (
    CELLS,
    SELECTED,
    SETUP,
    SHOW,
    ask,
    choose,
    control,
    open_tab,
    place,
    problems,
    settle,
    type_into,
)

pytestmark = [
    pytest.mark.xdist_group("lab"),
    pytest.mark.skipif(os.environ.get("SKYMATCH_LAB") != "1", reason="slow under load: SKYMATCH_LAB=1 runs it"),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory, browser):
    """One JupyterLab for all tests here: its address and the folder that it serves."""
    root = tmp_path_factory.mktemp("lab")
    with lab(root, tmp_path_factory.mktemp("scratch")) as address:
        yield address, root


@pytest.fixture
def opened(server, page, request):
    """Open a notebook with a panel on a mosaic; its kernel is ended afterwards."""
    address, root = server
    page.set_viewport_size({"width": 1400, "height": 1300})

    def run(*cells, rows=2, cols=3, shape=(128, 256)):
        name = f"{request.node.name.split('[')[0]}.ipynb"
        write_notebook(root / name, [SETUP.format(rows=rows, cols=cols, shape=shape), *(cells or [SHOW])])
        open_and_run(page, address, name)
        settle(page)
        return page

    yield run
    page.evaluate("() => window.jupyterapp.serviceManager.sessions.shutdownAll()")


def shot(page, name):
    """Keep a picture of the page where SKYMATCH_SCREENSHOTS names a folder."""
    folder = os.environ.get("SKYMATCH_SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(folder) / f"{name}.png")


def check_shown(page):
    """Map and table on the page, and the session behind, hold what a fresh session with these parameters gives."""
    settle(page)
    assert ask(page, "s.fresh_result('solve') is not None and same(s.sky, fresh().sky)") is True
    expected = ask(page, "fresh().sky.sky.tolist()")
    page.wait_for_function(
        """([values]) => { for (const doc of Bokeh.documents) { const m = doc.get_model_by_name("members");
        if (m) return values.every((v, k) => Object.is(m.data.sky[k], v ?? NaN)); } return false }""",
        arg=[[None if np.isnan(v) else v for v in expected]],
        timeout=10_000,
    )
    html = ask(
        page, "__import__('skymatch_nb.report_page', fromlist=['table_html']).table_html(getattr(fresh(), 'sky'))"
    )
    wanted = page.evaluate(CELLS, html)
    page.wait_for_function(
        f"([wanted]) => JSON.stringify(({CELLS})(null)) === JSON.stringify(wanted)", arg=[wanted], timeout=10_000
    )
    return expected


def test_controls_change_what_python_changes(opened):
    page = opened()
    open_tab(page, "Tables")
    seen = [check_shown(page)]
    shot(page, "light")

    type_into(page, "lsigma", "1.7")
    settle(page)
    assert ask(page, "s.params.lsigma") == 1.7
    seen.append(check_shown(page))

    handle = control(page, "lsigma").locator(".noUi-handle").first
    box = handle.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 30, y, steps=5)
    page.mouse.move(x + 12, y, steps=5)
    page.mouse.up()
    settle(page)
    dragged = ask(page, "s.params.lsigma")
    assert 1.7 < dragged < 5
    assert control(page, "lsigma").locator("input[type=text]").input_value() == str(dragged)
    seen.append(check_shown(page))

    choose(page, "skymethod", "match")
    settle(page)
    seen.append(check_shown(page))
    choose(page, "skystat", "median")
    settle(page)
    assert ask(page, "[s.params.skymethod, s.params.skystat]") == ["match", "median"]
    seen.append(check_shown(page))
    assert len({tuple(levels) for levels in seen}) == len(seen)
    assert problems(page) == []


def middle_of(page, row):
    """A point inside an overlap."""
    xs, ys = page.evaluate(
        """(row) => { for (const doc of Bokeh.documents) { const o = doc.get_model_by_name("overlaps");
        if (o) return [[...o.data.xs[row]], [...o.data.ys[row]]] } }""",
        row,
    )
    return float(np.mean(xs)), float(np.mean(ys))


def tap_overlap(page, row=0):
    page.locator(".skymatch-map").first.scroll_into_view_if_needed()
    page.mouse.click(*place(page, "footprints", *middle_of(page, row)))
    page.wait_for_function("document.querySelector('.skymatch-selection').innerText.includes('–')")
    settle(page)


def test_a_tapped_overlap_is_selected_everywhere(opened):
    page = opened()
    open_tab(page, "Residuals")
    page.wait_for_function("Bokeh.documents.some(doc => doc.get_model_by_name('pairs'))")
    tap_overlap(page)
    pairs = ask(page, "sorted(map(list, p.views.selected.selection.pairs))")
    assert pairs
    assert all(f"{a} – {b}" in page.locator(".skymatch-selection").inner_text() for a, b in pairs)
    page.wait_for_function(f"({SELECTED})('overlaps').some(i => i.length) && ({SELECTED})('pairs').some(i => i.length)")
    rows = page.evaluate(SELECTED, "pairs")
    named = ask(page, "[p.views.figures['Residuals'].sources['pairs'].data[c] for c in ('group_a', 'group_b')]")
    assert [sorted((named[0][k], named[1][k])) for k in next(i for i in rows if i)] == pairs
    shot(page, "residuals")

    open_tab(page, "Samples")
    page.wait_for_selector(".skymatch-samples .bk-GridPlot, .skymatch-samples .bk-Figure")
    page.wait_for_function("Bokeh.documents.some(doc => doc.get_model_by_name('histogram 1'))", timeout=15_000)
    counts = page.evaluate(
        """() => Bokeh.documents.map(doc => doc.get_model_by_name("histogram 0")).find(s => s).data.count.length"""
    )
    assert counts == 120
    shot(page, "samples")
    assert problems(page) == []

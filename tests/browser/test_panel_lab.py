"""The panel in a real JupyterLab: what a user does on the page is what the same calls do in Python."""

import numpy as np
import pytest
from panel_page import DATA, SELECTED, choose, control, drag, open_tab, place, type_into

from skymatch_nb.datasets import demo_mosaic

pytestmark = pytest.mark.xdist_group("lab")


def exposures(folder):
    return demo_mosaic(folder).paths


def test_controls_change_what_python_changes(desk):
    page = desk.page
    seen = [desk.check()]
    type_into(page, "lsigma", "1.7")
    seen.append(desk.check(lsigma=1.7))
    drag_slider(page, "lsigma", 30, 12)
    settled = settled_value(desk, "lsigma")
    assert 1.7 < settled < 5
    assert control(page, "lsigma").locator("input[type=text]").input_value() == str(settled)
    seen.append(desk.check(lsigma=settled))
    choose(page, "skymethod", "match")
    seen.append(desk.check(skymethod="match"))
    choose(page, "skystat", "median")
    seen.append(desk.check(skystat="median", skymethod="match", lsigma=settled))
    assert len({tuple(table.sky) for table in seen}) == len(seen)
    desk.picture("lab_tables")


def drag_slider(page, name, *offsets):
    """Drag the handle of a parameter's slider to places beside where it was."""
    box = control(page, name).locator(".noUi-handle").first.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    drag(page, (x, y), *((x + offset, y) for offset in offsets))


def settled_value(desk, name):
    """Value of a parameter when nothing comes from the page any more."""
    value = None
    while value != (value := desk.ask(f"s.params.{name}")):
        desk.settle()
        desk.page.wait_for_timeout(500)
    return value


def tap_overlap(desk, row):
    """Tap the middle of an overlap on the map."""
    page = desk.page
    page.locator(".skymatch-map").first.scroll_into_view_if_needed()
    xs, ys = (page.evaluate(DATA, ["footprints", "overlaps", c, ".skymatch-map", 0])[row] for c in ("xs", "ys"))
    page.mouse.click(*place(page, "footprints", float(np.mean(xs)), float(np.mean(ys))))
    desk.wait_for("document.querySelector('.skymatch-selection').innerText.includes('–')")


def test_a_tapped_overlap_is_selected_everywhere(desk):
    page = desk.page
    open_tab(page, "Residuals")
    desk.wait_for(f"({DATA})(['residual differences', 'pairs', 'group_a', '.skymatch-residuals', 0])")
    tap_overlap(desk, 0)
    pairs = desk.ask("sorted(map(list, p.views.selected.selection.pairs))")
    assert pairs
    told = page.locator(".skymatch-selection").inner_text()
    assert all(f"{a} – {b}" in told for a, b in pairs)
    where = ["residual differences", "pairs", ".skymatch-residuals"]
    desk.wait_for(f"({SELECTED})({where}).length == {len(pairs)}")
    ends = [
        page.evaluate(DATA, ["residual differences", "pairs", column, ".skymatch-residuals", 0])
        for column in ("group_a", "group_b")
    ]
    rows = page.evaluate(SELECTED, where)
    assert sorted(sorted((ends[0][k], ends[1][k])) for k in rows) == pairs
    desk.picture("lab_residuals")

    open_tab(page, "Samples")
    overlap = desk.ask("p.views.selected.selection.overlap")
    npix = desk.plain().overlaps.iloc[overlap][["npix_a", "npix_b"]]
    drawn = """() => Bokeh.documents.map((doc) => [0, 1].map((k) => doc.get_model_by_name(`histogram ${k}`)))
      .filter(([one, two]) => one && two).pop()?.map((found) => found.data.count.reduce((a, b) => a + b, 0))"""
    desk.wait_for(drawn)
    counts = page.evaluate(drawn)
    assert all(0.9 * n < count <= 1.5 * n for n, count in zip(npix, counts, strict=True))
    desk.picture("lab_samples")

"""Regions drawn on the panel's map with a mouse."""

import numpy as np
import pytest
from panel_page import FIGURE, drag, hold, press

from skymatch_nb.datasets import make_mosaic

pytestmark = pytest.mark.xdist_group("lab")

ACTIVE = f"""(type) => {{ {FIGURE}
  return figureView("footprints", ".skymatch-map").model.toolbar.tools.find((tool) => tool.type === type).active }}"""

REGIONS = f"""() => {{ {FIGURE} const drawn = figureView("footprints", ".skymatch-map").model.renderers;
  const of = (kind) => drawn.find((r) => r.name === `regions ${{kind}}`).data_source.data;
  const shown = {{ xs: [...of("exclude").xs, ...of("include").xs], ys: [...of("exclude").ys, ...of("include").ys] }};
  return shown.xs.length }}"""

FRAME = f"""() => {{ {FIGURE} const view = figureView("footprints", ".skymatch-map");
  const box = view.el.getBoundingClientRect(), frame = view.frame.bbox;
  return [box.x + frame.x0, box.y + frame.y0, frame.width, frame.height] }}"""


def exposures(folder):
    return make_mosaic(folder, rows=2, cols=3, shape=(128, 256), overlap=0.3, seed=5).paths


def corners(desk, *shares):
    """Places on the page, as shares of the width and height of the map's frame."""
    desk.page.locator(".skymatch-map").first.scroll_into_view_if_needed()
    x, y, width, height = desk.page.evaluate(FRAME)
    return [(x + a * width, y + b * height) for a, b in shares]


def take_tool(desk, icon, kind):
    """Click a tool of the map, where it is not the active one: that would put it away."""
    if not desk.page.evaluate(ACTIVE, kind):
        desk.page.locator(f".skymatch-map .bk-tool-icon-{icon}").first.click()


def drag_box(desk, one, other):
    """Draw a box between two places, as shares of the map's frame."""
    take_tool(desk, "box-edit", "BoxEditTool")
    ends = corners(desk, one, other)
    desk.page.keyboard.down("Shift")
    drag(desk.page, *ends)
    desk.page.keyboard.up("Shift")
    wait_regions(desk, 1)


def wait_regions(desk, number):
    desk.wait_for(f"({REGIONS})() == {number}")


def bad_pixels(session):
    return int(session.masks.bad_region.sum())


def test_a_box_is_drawn_by_dragging_with_shift(desk):
    before = desk.check()
    drag_box(desk, (0.3, 0.3), (0.6, 0.55))
    after = desk.check()
    (region,) = desk.params()["exclude_regions"]
    assert region.startswith("icrs; polygon(")
    assert bad_pixels(desk.plain()) > 1000
    assert tuple(before.sky) != tuple(after.sky)
    desk.picture("lab_box")

    press(desk.page, "clear")
    wait_regions(desk, 0)
    assert desk.check(exclude_regions=None).equals(before)


def test_the_box_is_where_it_was_drawn(desk):
    """Its corners on the sky are those of the frame's share that was dragged over."""
    drag_box(desk, (0.25, 0.25), (0.75, 0.75))
    script = f"() => {{ {FIGURE} const p = figureView('footprints', '.skymatch-map').model;"
    script += " return [p.x_range.start, p.x_range.end, p.y_range.start, p.y_range.end] }"
    x0, x1, y0, y1 = desk.page.evaluate(script)
    drawn = desk.page.evaluate(REGIONS.replace("shown.xs.length", "[shown.xs[0], shown.ys[0]]"))
    pixel = (y1 - y0) / desk.page.evaluate(FRAME)[3]
    wanted = [x0 + 0.75 * (x1 - x0), x0 + 0.25 * (x1 - x0), y0 + 0.25 * (y1 - y0), y0 + 0.75 * (y1 - y0)]
    found = [np.min(drawn[0]), np.max(drawn[0]), np.min(drawn[1]), np.max(drawn[1])]
    assert np.allclose(found, wanted, atol=2 * pixel)


def test_what_is_drawn_can_be_all_that_is_used(desk):
    before = desk.check()
    desk.page.get_by_role("button", name="include", exact=True).click()
    drag_box(desk, (0.1, 0.1), (0.9, 0.9))
    assert len(desk.params()["include_regions"]) == 1
    assert tuple(desk.check(exclude_regions=None).sky) != tuple(before.sky)
    desk.page.get_by_role("button", name="exclude", exact=True).click()


def test_a_polygon_is_drawn_corner_by_corner(desk):
    before = desk.check()
    take_tool(desk, "poly-draw", "PolyDrawTool")
    first, *between, last = corners(desk, (0.25, 0.3), (0.6, 0.25), (0.7, 0.6), (0.3, 0.65))
    hold(desk.page, first)
    for corner in between:
        desk.page.mouse.move(*corner, steps=5)
        desk.page.mouse.click(*corner)
        desk.page.wait_for_timeout(500)
    assert desk.params()["exclude_regions"] is None
    hold(desk.page, last)
    wait_regions(desk, 1)
    after = desk.check()
    (region,) = desk.params()["exclude_regions"]
    assert region.count(",") == 7
    assert bad_pixels(desk.plain()) > 1000
    assert tuple(before.sky) != tuple(after.sky)
    desk.picture("lab_polygon")

"""Figures that follow other groups, and a map that is tapped and drawn on without moving or being covered."""

import numpy as np
import pytest
from panel_page import DATA, FIGURE, PLACE, SELECTED, drag, open_tab
from test_panel_drawing import ACTIVE, corners, exposures, take_tool, wait_regions

pytestmark = pytest.mark.xdist_group("lab")

__all__ = ["exposures"]

LABELS = f"""([name, within]) => {{ {FIGURE}
  const view = figureView(name, within), axis = view?.model.left[0];
  const walk = (at) => at.model === axis ? at : [...(at.child_views ?? []), ...(at.renderer_views?.values?.() ?? [])]
    .map(walk).find(Boolean);
  const shown = view && walk(view);
  return shown ? shown.compute_labels(shown.tick_coords.major[1]).items.map((item) => item.text) : null;
}}"""
"""Names of the rows of a figure that are seen, as they are written at its axis."""

LABELLED = f"([figure, names]) => JSON.stringify(({LABELS})(figure)) === JSON.stringify(names)"

TOOLTIPS = (
    """() => [...document.querySelectorAll("body > .bk-Tooltip")].filter((tip) => tip.checkVisibility()).length"""
)


def wait_labels(desk, figure, names):
    """Wait until the rows of a figure are labelled so, from the top."""
    desk.wait_for(LABELLED, [figure, list(names)])


def groups_by_row(session):
    """Groups as the figure of the sky made anew has them, from the top."""
    data = session.plot_sky().children[0][0].renderers[0].data_source.data
    return [data["group"][k] for k in np.argsort(data["row"])]


@pytest.mark.filterwarnings("ignore::skymatch_nb.errors.SkyMatchWarning")
def test_rows_of_the_sky_are_labelled_with_the_groups_that_there_are(desk):
    open_tab(desk.page, "Sky")
    figure = ["sky levels", ".skymatch-sky"]
    counts = []
    first = "s.members.index[0], s.members.index[2]"
    for code in (
        "s.configure(group_by='chip')",
        "s.configure(group_by='exposure')",
        f"s.regroup(dict.fromkeys([{first}], 'G'))",
        "s.configure(group_by='exposure', leave_out=[s.inputs[0].path.name])",
        "s.configure(leave_out=None)",
    ):
        assert desk.run(code) == ""
        desk.settle()
        names = groups_by_row(desk.plain())
        wait_labels(desk, figure, names)
        counts.append(len(names))
    assert counts == [12, 6, 7, 6, 6]


def test_rows_of_residuals_are_those_of_the_exposures_that_are_left(desk):
    open_tab(desk.page, "Residuals")
    figure = ["residual differences", ".skymatch-residuals"]
    counts = []
    for left_out in ([], [0], []):
        assert desk.run(f"s.configure(leave_out=[s.inputs[k].path.name for k in {left_out}] or None)") == ""
        desk.settle()
        table = desk.plain().residuals
        wanted = {frozenset(map(str, pair)) for pair in table.index}
        desk.wait_for(f"(figure) => ({LABELS})(figure)?.length === {len(wanted)}", figure)
        where = ["residual differences", "pairs"]
        ends = [desk.page.evaluate(DATA, [*where, c, ".skymatch-residuals", 0]) for c in ("group_a", "group_b")]
        assert {frozenset(pair) for pair in zip(*ends, strict=True)} == wanted
        counts.append(len(wanted))
        labels = desk.page.evaluate(LABELS, figure)
        rows = desk.page.evaluate(DATA, [*where, "row", ".skymatch-residuals", 0])
        for row, a, b in zip(rows, *ends, strict=True):
            parts = labels[int(row)].split(" − ")
            assert all(part.strip("…") in name for part, name in zip(parts, (a, b), strict=True))
    assert counts[0] == counts[2] > counts[1]


def member_at(desk, k):
    """Where on the page the outer corner of a member is, a little inside."""
    xs, ys = (desk.page.evaluate(DATA, ["footprints", "members", c, ".skymatch-map", 0])[k] for c in ("xs", "ys"))
    x, y = np.mean(xs) + 0.8 * (np.max(xs) - np.mean(xs)), np.mean(ys) + 0.8 * (np.max(ys) - np.mean(ys))
    return desk.page.evaluate(PLACE, ["footprints", float(x), float(y), ".skymatch-map"])


def test_a_second_tap_at_the_same_place_lands_where_the_first_did(desk):
    desk.page.locator(".skymatch-map").first.scroll_into_view_if_needed()
    desk.page.wait_for_timeout(500)
    at = member_at(desk, 0)
    desk.page.mouse.click(*at)
    desk.wait_for(f"(of) => ({SELECTED})(of)?.length > 0", ["footprints", "members", ".skymatch-map"])
    desk.page.locator("button.skymatch-leave-out:not([disabled])").wait_for()
    desk.page.wait_for_timeout(500)
    assert np.allclose(member_at(desk, 0), at, atol=1)
    desk.picture("lab_selected")
    desk.page.mouse.click(*at)
    desk.wait_for(f"(of) => ({SELECTED})(of)?.length === 0", ["footprints", "members", ".skymatch-map"])
    assert np.allclose(member_at(desk, 0), at, atol=1)


def wait_current(desk):
    """Wait until no newer map is on its way."""
    desk.wait_for("document.querySelector('.skymatch-map .skymatch-figure').ariaBusy === 'false'")


def test_a_map_made_anew_keeps_the_tool_in_use(desk):
    page = desk.page
    hint = page.locator(".skymatch-hint").first
    take_tool(desk, "poly-draw", "PolyDrawTool")
    hint.get_by_text("Draw a polygon").wait_for()
    shown = f"() => {{ {FIGURE} return figureView('footprints', '.skymatch-map').model.id }}"
    before = page.evaluate(shown)
    desk.run("p.views.map.view.renew()")
    desk.wait_for(f"(before) => ({shown})() !== before", before)
    wait_current(desk)
    kinds = ("PolyDrawTool", "HoverTool", "TapTool")
    assert [page.evaluate(ACTIVE, kind) for kind in kinds] == [True, False, False]
    assert hint.get_by_text("Draw a polygon").is_visible()
    page.locator(".skymatch-map .bk-tool-icon-poly-draw").first.click()
    hint.get_by_text("to select it").wait_for()
    assert [page.evaluate(ACTIVE, kind) for kind in kinds] == [False, True, True]


def test_drawing_is_told_is_not_covered_and_ends_with_tap(desk):
    page = desk.page
    hint = page.locator(".skymatch-hint").first
    take_tool(desk, "box-edit", "BoxEditTool")
    hint.get_by_text("hold Shift and drag").wait_for()
    assert not page.evaluate(ACTIVE, "HoverTool")
    ends = corners(desk, (0.3, 0.3), (0.6, 0.55))
    page.keyboard.down("Shift")
    drag(page, *ends)
    assert page.evaluate(TOOLTIPS) == 0
    page.keyboard.up("Shift")
    wait_regions(desk, 1)
    hint.get_by_text("to select it").wait_for()
    assert [page.evaluate(ACTIVE, kind) for kind in ("BoxEditTool", "TapTool", "PanTool", "HoverTool")] == [
        False, True, True, True,
    ]  # fmt: skip
    desk.picture("lab_region")
    desk.settle()
    take_tool(desk, "poly-draw", "PolyDrawTool")
    hint.get_by_text("Draw a polygon").wait_for()
    wait_current(desk)
    page.locator(".skymatch-map .bk-tool-icon-poly-draw").first.click()
    hint.get_by_text("to select it").wait_for()
    page.locator("button.skymatch-remove").click()
    wait_regions(desk, 0)
    assert desk.params()["exclude_regions"] is None

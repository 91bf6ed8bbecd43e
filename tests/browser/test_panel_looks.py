"""How the panel looks: dark, in a small window, and in a narrow column."""

import numpy as np
import pytest
from panel_page import DATA, FIGURE, PLACE, control, open_tab, type_into

from skymatch_nb.datasets import demo_mosaic
from skymatch_nb.params.specs import spec

pytestmark = pytest.mark.xdist_group("lab")

THEME = """async (theme) => { await window.jupyterapp.commands.execute("apputils:change-theme", { theme }); }"""

DARK_FIGURE = f"""() => {{ {FIGURE} const map = figureView("footprints", ".skymatch-map");
  const color = map?.model.background_fill_color.value ?? map?.model.background_fill_color;
  return Boolean(color) && parseInt(String(color).slice(1, 3), 16) < 80 }}"""

CUT = """() => [".skymatch-panel", ".skymatch-left", ".skymatch-right", ".skymatch-row", ".skymatch-figure",
    ".skymatch-panel .lm-TabBar-tab", ".skymatch-panel .widget-button"]
  .flatMap((name) => [...document.querySelectorAll(name)])
  .filter((element) => element.clientWidth && element.scrollWidth > element.clientWidth + 1)
  .map((element) => [element.className, element.innerText.slice(0, 40), element.scrollWidth, element.clientWidth])"""

SEEN = """() => {
  const table = document.querySelector(".widget-tab .skymatch-table"), frame = table.getBoundingClientRect();
  return [...table.querySelectorAll("th")].filter((head) => head.getBoundingClientRect().right <= frame.right + 1)
    .map((head) => head.innerText.trim().split("\\n")[0]); }"""
"""Headings of the columns that are seen without scrolling."""

TOOLTIPS = (
    """() => [...document.querySelectorAll("body > .bk-Tooltip")].filter((tip) => tip.checkVisibility()).length"""
)

LEGEND = f"""() => {{ {FIGURE} const view = figureView("sample histogram", ".skymatch-samples");
  if (!view) return null;
  const legend = view.model.above.find((part) => part.type === "Legend");
  const walk = (at) => at.model === legend ? at : [...(at.child_views ?? []), ...(at.renderer_views?.values?.() ?? [])]
    .map(walk).find(Boolean);
  const box = walk(view)?.bbox, room = view.el.getBoundingClientRect();
  return box && [box.left >= view.frame.bbox.left - 1, box.right <= room.width + 1,
    legend.items.map((item) => item.label.value).join("")] }}"""
"""Whether a legend begins with its frame and ends inside the figure, and what it says."""

CONTRAST = """(selector) => {
  const numbers = (color) => color.match(/[\\d.]+/g).map(Number);
  const light = (color) => numbers(color).slice(0, 3).map((c) => c / 255)
    .map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, k) => sum + c * [0.2126, 0.7152, 0.0722][k], 0);
  const behind = (element) => { for (let at = element; at; at = at.parentElement) {
    const color = getComputedStyle(at).backgroundColor;
    if ((numbers(color)[3] ?? 1) > 0.5) return color; } return "rgb(255, 255, 255)"; };
  return [...document.querySelectorAll(selector)].filter((e) => e.offsetParent && e.innerText?.trim()).map((e) => {
    const [one, other] = [light(getComputedStyle(e).color), light(behind(e))].sort((a, b) => b - a);
    return [(one + 0.05) / (other + 0.05), e.innerText.slice(0, 40), e.className]; })
    .filter(([ratio]) => ratio < 4.5);
}"""

TEXTS = ".skymatch-panel .skymatch-label span, .skymatch-panel .skymatch-status, .skymatch-panel td, .skymatch-panel th"


def exposures(folder):
    return demo_mosaic(folder).paths


@pytest.fixture
def room(desk):
    """Sets the window's size and closes the file browser; puts both back."""
    before = desk.page.viewport_size

    def size(width, height):
        desk.page.set_viewport_size({"width": width, "height": height})
        desk.page.evaluate("() => window.jupyterapp.shell.collapseLeft()")
        desk.page.wait_for_timeout(500)
        rerun(desk)

    yield size
    desk.page.set_viewport_size(before)
    desk.page.evaluate("() => window.jupyterapp.shell.expandLeft()")


def rerun(desk):
    """Have the figures made anew for the room that there is now."""
    desk.run("for view in (p.views.map, *p.views.figures.values()):\n    view.view.renew()")
    desk.wait_for("document.querySelector('.skymatch-map .bk-Figure')")
    desk.page.wait_for_timeout(1000)
    desk.page.locator(".skymatch-panel").first.evaluate("(panel) => panel.scrollIntoView()")


def test_the_panel_is_dark_where_jupyterlab_is(desk):
    page = desk.page
    page.evaluate(THEME, "JupyterLab Dark")
    try:
        desk.wait_for("document.body.dataset.jpThemeLight === 'false'")
        desk.wait_for(DARK_FIGURE)
        desk.check()
        assert page.evaluate(CONTRAST, TEXTS) == []
        for tab in ("Sky", "Residuals", "Graph"):
            open_tab(page, tab)
            desk.wait_for(
                f"document.querySelector('.skymatch-{tab.lower()} .bk-Figure, .skymatch-{tab.lower()} .bk-GridPlot')"
            )
            page.wait_for_timeout(500)
            desk.picture(f"lab_dark_{tab.lower()}")
    finally:
        page.evaluate(THEME, "JupyterLab Light")
    desk.wait_for(f"!({DARK_FIGURE})()")
    assert page.evaluate(CONTRAST, TEXTS) == []


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (1920, 1080), (560, 900)])
def test_nothing_is_cut_off(desk, room, width, height):
    room(width, height)
    for tab in ("Tables", "Residuals", "Sky", "Graph", "Preview"):
        open_tab(desk.page, tab)
        desk.wait_for(f"!({CUT})().length")
        desk.settle()
        desk.page.wait_for_timeout(700)
        desk.picture(f"lab_{width}_{tab.lower()}")
        assert desk.page.evaluate(CUT) == []
        if tab == "Tables":
            assert desk.page.evaluate(SEEN)[:3] == ["member", "sky", "sky_err"]


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (560, 900)])
def test_the_legend_of_samples_is_inside_and_tells_whole_names(desk, room, width, height):
    room(width, height)
    pair = sorted(desk.ask("list(map(str, s.residuals.index[0]))"))
    desk.run(f"p.views.select(Selection(pairs=frozenset({{{tuple(pair)!r}}})))")
    open_tab(desk.page, "Samples")
    desk.wait_for(f"({LEGEND})()?.[1]")
    starts, ends, told = desk.page.evaluate(LEGEND)
    assert starts
    assert ends
    assert all(name in told.replace(" ", "") for name in pair)
    desk.picture(f"lab_{width}_samples")


def test_one_tooltip_is_shown_where_marks_overlap(desk):
    """On an overlap, which lies on both of its members, and beside it on one of them."""
    page = desk.page
    page.locator(".skymatch-map").first.scroll_into_view_if_needed()
    where = ["footprints", "overlaps", "xs", ".skymatch-map", 0]
    xs, ys = (page.evaluate(DATA, [*where[:2], column, *where[3:]])[0] for column in ("xs", "ys"))
    page.mouse.move(5, 5)
    for x, y in (middle(xs, ys), middle(*member_only(desk))):
        assert tooltips_at(desk, x, y) == 1
    desk.picture("lab_tooltip")
    page.mouse.move(5, 5)
    desk.wait_for(f"({TOOLTIPS})() == 0")


def tooltips_at(desk, x, y):
    """Most tooltips that are shown together at a place of the map, which may be drawn anew meanwhile for its column."""
    most = 0
    for _ in range(20):
        at = desk.page.evaluate(PLACE, ["footprints", x, y, ".skymatch-map"])
        if at is not None:
            desk.page.mouse.move(at[0] + 1, at[1] + 1)
            desk.page.mouse.move(*at)
            desk.page.wait_for_timeout(500)
            shown = desk.page.evaluate(TOOLTIPS)
            if shown and shown == most:
                break
            most = max(most, shown)
    return most


def middle(xs, ys):
    return float(np.mean(xs)), float(np.mean(ys))


def member_only(desk):
    """Corners of the first member, in whose middle nothing overlaps it."""
    return [
        desk.page.evaluate(DATA, ["footprints", "members", column, ".skymatch-map", 0])[0] for column in ("xs", "ys")
    ]


def test_every_control_is_reached_by_the_keyboard(desk):
    """Tab leads from the first button through the open step's controls."""
    page = desk.page
    page.locator("button.skymatch-solve").focus()
    seen = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        seen.add(page.evaluate("document.activeElement.closest('[class*=skymatch-param-]')?.className ?? ''"))
    text = " ".join(seen)
    assert all(f"skymatch-param-{name}" in text for name in ("skymethod", "weighting", "skystat", "nclip", "lsigma"))


PARTS = ", ".join(f".skymatch-panel {part}" for part in ("input", "select", "textarea", "button", ".noUi-handle"))

NAMELESS = """(parts) => [...document.querySelectorAll(parts)].filter((part) => ![part.ariaLabel, part.title,
    part.innerText, part.placeholder, part.labels?.[0]?.innerText].some((name) => /\\w/.test(name ?? "")))
  .map((part) => part.outerHTML.slice(0, 200))"""

DESCRIBED = """(input) => [input.ariaLabel, input.ariaInvalid,
  document.getElementById(input.getAttribute("aria-describedby"))?.textContent]"""


def test_every_control_has_a_name_and_its_help_for_screen_readers(desk):
    page = desk.page
    assert page.locator(PARTS).count() > 100
    desk.wait_for(f"() => !({NAMELESS})({PARTS!r}).length")
    lsigma = control(page, "lsigma").locator("input[type=text]").first
    name, invalid, told = lsigma.evaluate(DESCRIBED)
    assert (name, invalid) == ("lsigma sigma", "false")
    assert spec("lsigma").help in told
    type_into(page, "lsigma", "many")
    page.wait_for_function(f"(input) => ({DESCRIBED})(input)[1] === 'true'", arg=lsigma.element_handle())
    assert lsigma.evaluate(DESCRIBED)[2].endswith("; 4.0 is still used")
    desk.picture("lab_refused_value")
    type_into(page, "lsigma", "4")
    page.wait_for_function(f"(input) => ({DESCRIBED})(input)[1] === 'false'", arg=lsigma.element_handle())


def test_sliders_and_map_are_seen_together_in_a_small_window(desk):
    """With the file browser beside the notebook, too."""
    page, before = desk.page, desk.page.viewport_size
    page.set_viewport_size({"width": 1280, "height": 720})
    try:
        rerun(desk)
        places = [page.locator(f".skymatch-{side}").first.bounding_box() for side in ("left", "right")]
        assert page.evaluate("document.querySelector('.skymatch-panel').clientWidth") < 900
        assert places[1]["x"] > places[0]["x"] + places[0]["width"] - 1
        assert places[1]["y"] == pytest.approx(places[0]["y"], abs=2)
        slider, plot = (
            page.locator(f".skymatch-{part}").first for part in ("param-nclip .noUi-base", "map .bk-Figure")
        )
        tops = [part.bounding_box()["y"] for part in (slider, plot)]
        assert all(0 < top < 720 for top in tops)
        desk.wait_for(f"!({CUT})().length")
        desk.picture("lab_1280_files")
    finally:
        page.set_viewport_size(before)


def test_meanings_of_flags_are_told_whole(desk):
    control(desk.page, "dq_bits").locator(".jupyter-widget-Collapse-header").first.click()
    flags = desk.page.locator(".skymatch-flags .widget-label-basic")
    flags.first.wait_for()
    assert flags.count() == 4
    for size in ("Width", "Height"):
        assert flags.evaluate_all(f"(flags) => flags.filter((f) => f.scroll{size} > f.client{size} + 1).length") == 0
    assert flags.evaluate_all("(flags) => flags.map((flag) => flag.clientWidth)[0]") > 0
    desk.picture("lab_flags")


def test_steps_are_opened_and_their_controls_reached_by_the_keyboard(desk):
    page = desk.page
    header = page.locator(".jupyter-widget-Collapse-header", has_text="2 Mask").first
    desk.run("p._steps.selected_index = None")
    page.locator(".jupyter-widget-Collapse-header[aria-expanded='false']", has_text="2 Mask").first.wait_for()
    page.locator("button.skymatch-solve").focus()
    for _ in range(8):
        page.keyboard.press("Tab")
        if "2 Mask" in page.evaluate("document.activeElement.innerText ?? ''"):
            break
    assert header.evaluate("(header) => header === document.activeElement")
    page.keyboard.press("Enter")
    assert header.get_attribute("aria-expanded") == "true"
    page.keyboard.press("Tab")
    assert "Run to mask" in page.evaluate("document.activeElement.innerText")
    desk.picture("lab_keyboard")
    header.focus()
    page.keyboard.press("Space")
    assert header.get_attribute("aria-expanded") == "false"


def test_views_are_opened_and_what_they_show_is_selected_by_the_keyboard(desk):
    """A pair from a table by keyboard, and its pixels in another view."""
    page = desk.page
    tabs = page.locator(".skymatch-panel .widget-tab .lm-TabBar-tab")
    tabs.and_(page.locator("[tabindex='0']")).focus()
    for key in ("End", "Enter"):
        page.keyboard.press(key)
    page.get_by_role("button", name="residuals", exact=True).press("Space")
    rows = page.locator(".widget-tab .skymatch-table tbody tr")
    desk.wait_for("document.querySelector('.widget-tab .skymatch-table th').innerText.includes('group_a')")
    rows.and_(page.locator("[tabindex='0']")).focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    desk.wait_for("document.activeElement.ariaSelected === 'true'")
    names = [rows.nth(1).locator("td").nth(k).inner_text() for k in range(2)]
    assert desk.ask("[list(pair) for pair in p.views.selected.selection.pairs]") == [sorted(names)]
    tabs.and_(page.locator("[aria-selected='true']")).focus()
    for key in ("ArrowLeft", "ArrowLeft", "Enter"):
        page.keyboard.press(key)
    assert desk.ask("p.views.shown_tab") == "Samples"
    page.wait_for_function(PLACE, arg=["sample histogram", 0, 0, ".skymatch-samples"])

"""How the panel looks: dark, in a small window, and in a narrow column."""

import pytest
from panel_page import FIGURE, open_tab

from skymatch_nb.datasets import demo_mosaic

pytestmark = pytest.mark.xdist_group("lab")

THEME = """async (theme) => { await window.jupyterapp.commands.execute("apputils:change-theme", { theme }); }"""

DARK_FIGURE = f"""() => {{ {FIGURE} const map = figureView("footprints", ".skymatch-map");
  const color = map?.model.background_fill_color.value ?? map?.model.background_fill_color;
  return Boolean(color) && parseInt(String(color).slice(1, 3), 16) < 80 }}"""

CUT = """(room) => [".skymatch-panel", ".skymatch-left", ".skymatch-right", ".skymatch-row", ".skymatch-figure"]
  .flatMap((name) => [...document.querySelectorAll(name)])
  .map((element) => [element, element.className.includes("figure") ? room : 1])
  .filter(([element, share]) => element.clientWidth && element.scrollWidth > share * element.clientWidth + 1)
  .map(([element]) => [element.className, element.scrollWidth, element.clientWidth])"""

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


@pytest.mark.parametrize(("width", "height", "figures"), [(1280, 720, 1.0), (560, 900, 1.5)])
def test_nothing_is_cut_off(desk, room, width, height, figures):
    """In a narrow column, figures of two frames beside long names may be scrolled."""
    room(width, height)
    for tab in ("Tables", "Residuals", "Sky"):
        open_tab(desk.page, tab)
        desk.page.wait_for_timeout(700)
        desk.picture(f"lab_{width}_{tab.lower()}")
        assert desk.page.evaluate(CUT, figures) == []


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

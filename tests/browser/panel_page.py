"""Ways to work with a panel on a page as a user would, and scripts that tell what the page shows."""

from typing import Any

REVEAL = """(element) => {
  const folded = [];
  for (let at = element; at; at = at.parentElement) {
    const names = at.classList, fold = "jupyter-widget-Collapse";
    if (names.contains(fold) && !names.contains(`${fold}-open`)) folded.unshift(at);
  }
  for (const fold of folded) fold.firstElementChild.click();
  element.scrollIntoView({ block: "center" });
}"""

FIGURE = """
function figureView(name, within, nth = 0) {
  const host = document.querySelectorAll(within)[nth];
  const walk = (view, around) => {  // what is in a grid is in the shadow of its element
    const inside = around || Boolean(host?.contains(view.el));
    if (inside && view.model?.name === name && view.frame) return view;
    const below = [...(view.child_views ?? []), ...(view.renderer_views?.values?.() ?? [])];
    for (const child of below) { const found = walk(child, inside); if (found) return found; }
    return null;
  };
  for (const view of Bokeh.index) { const found = walk(view, false); if (found) return found; }
  return null;
}
"""
"""A figure that is shown, by its name and the element that holds it."""

PLACE = f"""([name, x, y, within]) => {{ {FIGURE}
  const view = figureView(name, within);
  if (!view) return null;
  const box = view.el.getBoundingClientRect();
  return [box.x + view.frame.x_scale.compute(x), box.y + view.frame.y_scale.compute(y)];
}}"""

DATA = f"""([name, source, column, within, nth]) => {{ {FIGURE}
  const renderers = figureView(name, within, nth)?.model.renderers ?? [];
  const shown = renderers.map((r) => r.data_source).find((s) => s?.name === source);
  return shown ? [...shown.data[column]] : null;
}}"""

SELECTED = f"""([name, source, within]) => {{ {FIGURE}
  const shown = figureView(name, within)?.model.renderers.map((r) => r.data_source).find((s) => s?.name === source);
  return shown ? [...shown.selected.indices].sort((a, b) => a - b) : null;
}}"""

SHOWS_LEVELS = f"""([levels, nth]) => {{ const shown = ({DATA})(["footprints", "members", "sky", ".skymatch-map", nth]);
  return shown?.length === levels.length && levels.every((level, k) => Object.is(shown[k], level ?? NaN)); }}"""

CELLS = "(table) => [...table.rows].map((row) => [...row.cells].map((cell) => cell.textContent.trim()))"

CELLS_OF_HTML = f"(html) => ({CELLS})(new DOMParser().parseFromString(html, 'text/html').querySelector('table'))"

SHOWS_TABLE = f"""([cells, nth]) => {{
  const panel = document.querySelectorAll(".skymatch-panel")[nth];
  const table = panel?.querySelector(".widget-tab .skymatch-table table");
  return Boolean(table) && JSON.stringify(({CELLS})(table)) === JSON.stringify(cells);
}}"""


def control(page: Any, name: str) -> Any:
    """The control of a parameter, unfolded and scrolled to."""
    found = page.locator(f".skymatch-param-{name}").first
    found.evaluate(REVEAL)
    return found


def type_into(page: Any, name: str, text: str) -> None:
    field = control(page, name).locator("input[type=text]").first
    field.fill(text)
    field.press("Enter")


def choose(page: Any, name: str, option: str) -> None:
    control(page, name).locator("select").select_option(label=option)


def tick(page: Any, name: str, label: str = "") -> None:
    """Click a check box: the parameter's only one, or that with a label."""
    boxes = control(page, name).locator(".widget-checkbox", has_text=label) if label else control(page, name)
    box = boxes.locator("input[type=checkbox]").first
    box.evaluate(REVEAL)
    box.click()


def press(page: Any, name: str) -> None:
    """Press the button whose class is ``skymatch-name``."""
    button = page.locator(f"button.skymatch-{name}").first
    button.evaluate(REVEAL)
    button.click()


def open_tab(page: Any, title: str, nth: int = 0) -> None:
    page.locator(".skymatch-panel").nth(nth).locator(".lm-TabBar-tab", has_text=title).first.click()


def place(page: Any, figure: str, x: float, y: float, within: str = ".skymatch-map") -> tuple[float, float]:
    """Where on the page a point of a figure is."""
    found = page.evaluate(PLACE, [figure, x, y, within])
    assert found is not None, f"no figure {figure!r} in {within}"
    return found[0], found[1]


def drag(page: Any, start: tuple[float, float], *stops: tuple[float, float]) -> None:
    """Drag with the mouse."""
    page.mouse.move(*start)
    page.mouse.down()
    for stop in stops:
        page.mouse.move(*stop, steps=5)
    page.mouse.up()


def hold(page: Any, at: tuple[float, float]) -> None:
    """Press the mouse for longer than a click."""
    page.mouse.move(*at, steps=5)
    page.mouse.down()
    page.wait_for_timeout(600)
    page.mouse.up()

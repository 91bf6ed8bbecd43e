"""Ways to work with a panel on a page, as a user would, and to ask the kernel and the figures what they hold."""

import json
from typing import Any

from jupyter import python

SETUP = """
import json, tempfile
from pathlib import Path
import numpy as np
from skymatch_nb import SkyMatchSession
from skymatch_nb.datasets import make_mosaic
m = make_mosaic(tempfile.mkdtemp(), rows={rows}, cols={cols}, shape={shape}, overlap=0.3, seed=5)
s = SkyMatchSession(m.paths, verbose=False)
def fresh(**changed):
    return SkyMatchSession(m.paths, **{{**s.params.model_dump(), "logfile": None, **changed}})
def same(one, other):
    return one.equals(other)
"""

SHOW = "p = s.panel()\np"

REVEAL = """(element) => {
  const folded = [];
  for (let at = element; at; at = at.parentElement) {
    if (at.classList.contains("jp-Collapse") && !at.classList.contains("jp-Collapse-open")) folded.unshift(at);
  }
  for (const fold of folded) fold.querySelector(":scope > .jp-Collapse-header").click();
  element.scrollIntoView({ block: "center" });
}"""

FIGURE = """
function figureView(name, within) {
  const walk = (view) => {
    if (view.model?.name === name && view.frame && document.querySelector(within)?.contains(view.el)) return view;
    const below = [...(view.child_views ?? []), ...(view.renderer_views?.values?.() ?? [])];
    for (const child of below) { const found = walk(child); if (found) return found; }
    return null;
  };
  for (const view of Object.values(Bokeh.index)) { const found = walk(view); if (found) return found; }
  return null;
}
"""

PLACE = (
    "([name, x, y, within]) => {"
    + FIGURE
    + """
  const view = figureView(name, within);
  if (!view) return null;
  const box = view.el.getBoundingClientRect();
  return [box.x + view.frame.x_scale.compute(x), box.y + view.frame.y_scale.compute(y)];
}"""
)

ACTIVATE = (
    "([name, type, within]) => {"
    + FIGURE
    + """
  const { toolbar } = figureView(name, within).model;
  for (const tool of toolbar.tools) if (tool.type !== type && tool.event_types?.includes("pan")) tool.active = false;
  toolbar.tools.find((tool) => tool.type === type).active = true;
}"""
)

COLUMN = """([source, column]) => {
  for (const doc of [...Bokeh.documents].reverse()) {
    const found = doc.get_model_by_name(source);
    if (found) return [...found.data[column]];
  }
  return null;
}"""

SELECTED = """(source) => Bokeh.documents.map((doc) => doc.get_model_by_name(source)).filter((found) => found)
  .map((found) => [...found.selected.indices].sort((a, b) => a - b))"""

CELLS = """(html) => {
  const page = html === null ? document : new DOMParser().parseFromString(html, "text/html");
  const tables = [...page.querySelectorAll(html === null ? ".skymatch-panel .p-TabPanel-tabContents table,"
    + " .skymatch-panel .lm-TabPanel-tabContents table, .skymatch-panel .widget-tab-contents table" : "table")];
  const table = tables[tables.length - 1];
  return table ? [...table.rows].map((row) => [...row.cells].map((cell) => cell.textContent.trim())) : null;
}"""


def ask(page: Any, expression: str) -> Any:
    """Value of an expression in the notebook's kernel, carried as JSON."""
    text = python(page, f"print(json.dumps({expression}))")
    try:
        return json.loads(text)
    except ValueError:
        raise AssertionError(text) from None


def settle(page: Any) -> None:
    """Wait until the panel has nothing to do."""
    assert python(page, "print(p.worker.wait(50))") == "True"


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


def press(page: Any, name: str) -> None:
    """Press the button whose class is ``skymatch-name``."""
    button = page.locator(f"button.skymatch-{name}").first
    button.evaluate(REVEAL)
    button.click()


def open_tab(page: Any, title: str) -> None:
    page.locator(".skymatch-panel .lm-TabBar-tab", has_text=title).first.click()


def map_sky(page: Any) -> list[float]:
    """Levels of the members, as the map in the browser holds them."""
    values: list[float] = page.evaluate(COLUMN, ["members", "sky"])
    return values


def place(page: Any, figure: str, x: float, y: float, within: str = ".skymatch-map") -> tuple[float, float]:
    """Where on the page a point of a figure is."""
    found = page.evaluate(PLACE, [figure, x, y, within])
    assert found is not None, f"no figure {figure!r} in {within}"
    return found[0], found[1]


def problems(page: Any) -> list[str]:
    """What went wrong on the page, without what JupyterLab itself says of servers that end or start."""
    harmless = ("ResizeObserver loop",)  # a layout that took two rounds: the browser says so, nothing is lost
    return [text for text in page.problems if not text.startswith(harmless)]

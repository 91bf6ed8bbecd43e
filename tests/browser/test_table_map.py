"""A table and a map in a real JupyterLab: what is selected in one is selected in the other."""

import pytest
from jupyter import PATIENCE, python, start_notebook, write_notebook

pytestmark = pytest.mark.xdist_group("lab")

SETUP = "from skymatch_nb import SkyMatchSession\ns = SkyMatchSession({paths!r}, verbose=False)"

ROWS = "[...document.querySelectorAll('.skymatch-table-map table tbody tr')]"

HELD = """(name) => {
  for (const doc of Bokeh.documents) {
    const source = doc.get_model_by_name(name);
    if (source) return source;
  }
  return null;
}"""

CHOSEN_ON_MAP = f"""([name, rows]) => {{
  const source = ({HELD})(name);
  const chosen = source.selected.indices.map((k) => source.data.index ? source.data.index[k] : k).sort((a, b) => a - b);
  return JSON.stringify(chosen) === JSON.stringify(rows);
}}"""

CHOSEN_IN_TABLE = f"""(rows) => JSON.stringify({ROWS}.filter((r) => r.classList.contains("selected"))
  .map((r) => Number(r.cells[0].innerText)).sort((a, b) => a - b)) === JSON.stringify(rows)"""

PLACE = f"""([name, row]) => {{
  const source = ({HELD})(name);
  const find = (view) => view.model?.name === "footprints" && view.frame ? view
    : [...(view.child_views ?? [])].map(find).find((v) => v);
  const view = Object.values(Bokeh.index).map(find).find((v) => v);
  const box = view.canvas_view.el.getBoundingClientRect();
  const k = [...source.data.index].indexOf(row);
  const middle = (v) => {{
    const known = [...v].filter(Number.isFinite);
    return known.reduce((a, b) => a + b) / known.length;
  }};
  return [box.left + view.frame.x_scale.compute(middle(source.data.xs[k])),
          box.top + view.frame.y_scale.compute(middle(source.data.ys[k]))];
}}"""


@pytest.fixture
def opened(lab_server, page, mosaic, pictures):
    """Open a notebook that shows a table with its map; its kernel is ended afterwards."""
    address, root = lab_server
    page.set_viewport_size({"width": 1400, "height": 1400})

    def show(name):
        notebook = f"{name}.ipynb"
        cell = f"t = s.show({name!r}, with_map=True)\nt"
        write_notebook(root / notebook, [SETUP.format(paths=[str(path) for path in mosaic.paths]), cell])
        start_notebook(page, address, notebook)
        page.wait_for_selector(".skymatch-table-map .bk-Figure", timeout=PATIENCE)
        page.wait_for_function(f"{ROWS}.length > 3", timeout=PATIENCE)
        page.locator(".skymatch-table-map").scroll_into_view_if_needed()
        return page

    yield show
    page.screenshot(path=pictures / "table_map_at_the_end.png")
    page.evaluate("() => window.jupyterapp.serviceManager.sessions.shutdownAll()")


def click_row(page, row):
    page.locator(".skymatch-table-map table tbody tr", has=page.locator(f"td:text-is('{row}')")).first.click()


def test_overlaps_are_selected_both_ways(opened, pictures):
    page = opened("overlaps")
    click_row(page, 3)
    page.wait_for_function(CHOSEN_ON_MAP, arg=["overlaps", [3]], timeout=PATIENCE)
    assert python(page, "print(t.table.selected_rows)") == "[3]"
    page.screenshot(path=pictures / "table_to_map.png")

    page.mouse.click(*page.evaluate(PLACE, ["overlaps", 6]))
    page.wait_for_function(f"({HELD})('overlaps').selected.indices.some((k) => k !== 3)", timeout=PATIENCE)
    rows = page.evaluate(
        f"(() => {{ const s = ({HELD})('overlaps'); return s.selected.indices.map((k) => s.data.index[k]) }})()"
    )
    assert 6 in rows
    page.wait_for_function(CHOSEN_IN_TABLE, arg=sorted(rows), timeout=PATIENCE)
    assert python(page, "print(sorted(t.table.selected_rows))") == str(sorted(rows))
    page.screenshot(path=pictures / "map_to_table.png")
    names = python(page, "print(' – '.join(s.overlaps.loc[6, ['member_a', 'member_b']]))")
    assert names in page.locator(".skymatch-table-selection").inner_text()
    assert page.problems == []

"""Reloaded pages, several views and panels of one session, and code beside them."""

import contextlib

import pytest
from jupyter import PATIENCE, READY
from panel_page import FIGURE, SELECTED, choose, control, type_into
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

from skymatch_nb.datasets import make_mosaic

pytestmark = pytest.mark.xdist_group("lab")

NOTEBOOK = ("p = s.panel()\np", "p", "q = s.panel()\nq")

ALL_MAPS = "document.querySelectorAll('.skymatch-map .bk-Figure').length == 3"


def exposures(folder):
    return make_mosaic(folder, rows=2, cols=2, shape=(128, 256), overlap=0.3, seed=5).paths


def check_all(desk, **wanted):
    """Both views of the panel and the other panel show what plain Python gives."""
    desk.wait_for(ALL_MAPS)
    table = desk.check(nth=0, **wanted)
    for nth in (1, 2):
        desk.wait_shown(table, nth)
    return table


def shown_in(desk, name, nth):
    return desk.page.locator(f".skymatch-param-{name}").nth(nth).locator("input[type=text]").first.input_value()


def test_all_views_follow_the_page_and_the_code(desk):
    seen = [check_all(desk)]
    desk.run("told = []\ns.watch(lambda: told.append(s.params.nclip))")
    type_into(desk.page, "nclip", "2")
    seen.append(check_all(desk, nclip=2))
    assert [shown_in(desk, "nclip", nth) for nth in range(3)] == ["2"] * 3
    desk.run("s.configure(nclip=1, skystat='median', lsigma=2.5)")
    seen.append(check_all(desk, nclip=1, skystat="median", lsigma=2.5))
    assert [shown_in(desk, "lsigma", nth) for nth in range(3)] == ["2.5"] * 3
    assert control(desk.page, "skystat").locator("select").input_value() == "median"
    desk.page.wait_for_timeout(1000)
    desk.settle()
    assert desk.ask("told") == [2, 1]  # each change once: nothing comes back from the page
    assert len({tuple(table.sky) for table in seen}) == len(seen)
    desk.picture("lab_three_views")


def test_a_value_that_is_refused_is_explained_and_the_last_result_kept(desk):
    before = desk.check()
    type_into(desk.page, "lsigma", "-1")
    error = control(desk.page, "lsigma").locator(".skymatch-error")
    error.get_by_text("greater than 0").wait_for()
    desk.wait_shown(before)
    assert desk.params()["lsigma"] == 4.0
    type_into(desk.page, "lsigma", "3")
    desk.check(lsigma=3.0)
    assert error.inner_text() == ""


def reload(desk):
    """Reload the page until its maps are shown, and return what the console told meanwhile.

    On a busy machine JupyterLab's widget manager may give up early and say that it finds no models; users reload
    once more then, and so do we.
    """
    page = desk.page
    for _ in range(4):
        told = []
        page.problems.clear()
        page.on("console", lambda message, told=told: told.append(message.text))
        page.reload(wait_until="domcontentloaded")
        desk.wait_for("window.jupyterapp && document.querySelector('.jp-Notebook')")
        desk.wait_for(READY)
        with contextlib.suppress(PlaywrightTimeoutError):
            page.wait_for_function(ALL_MAPS, timeout=PATIENCE / 4)
            return told
    raise AssertionError(f"the page shows no maps; it told {told}")


def test_a_reloaded_page_shows_the_present_figures(desk):
    page = desk.page
    check_all(desk)
    page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
    desk.wait_for("!window.jupyterapp.shell.currentWidget.context.model.dirty")
    choose(page, "skymethod", "match")
    desk.run("s.configure(skystat='mean')")
    before = check_all(desk, skymethod="match", skystat="mean")
    told = reload(desk)
    assert check_all(desk).equals(before)
    assert len([text for text in told if "setting log level" in text]) == 1  # BokehJS is sent once for all figures
    assert [shown_in(desk, "nclip", nth) for nth in range(3)] == ["5"] * 3
    type_into(page, "nclip", "1")
    assert not check_all(desk, nclip=1).equals(before)
    desk.picture("lab_reloaded")


KEPT = """() => ({
  documents: Bokeh.documents.length,
  models: Bokeh.documents.reduce((sum, doc) => sum + doc._all_models.size, 0),
  views: [...Bokeh.index].length,
  roots: document.querySelectorAll(".skymatch-figure > div").length,
  tooltips: document.querySelectorAll("body > .bk-Tooltip").length,
  elements: document.querySelectorAll("*").length,
})"""
"""What figures hold on the page."""

ROOTS = """() => [...new Set(Bokeh.documents.map((doc) => doc.roots()[0].id))].sort()"""

AT_REST = """() => document.querySelectorAll(".skymatch-figure[aria-busy=false]").length === 18"""

KERNEL_ROOTS = """sorted({linked.view.shown.id for panel in (p, q)
    for linked in (panel.views.map, *panel.views.figures.values()) if linked.view.shown})"""

RENEW = """for panel in (p, q):
    for linked in (panel.views.map, *panel.views.figures.values()):
        linked.view.renew()"""


def rest(desk):
    """Wait until every figure is the one that the kernel has, for as long as two looks take."""
    for _ in range(2):
        desk.settle()
        desk.wait_for(AT_REST)
        desk.page.wait_for_timeout(500)
    desk.wait_for(AT_REST)


def test_figures_that_are_made_anew_leave_nothing_behind(desk):
    """Each is one document, the kernel's present one, however often and however fast it was made."""
    kept = []
    for _ in range(2):
        for by in ("chip", "exposure"):
            desk.run(f"s.configure(group_by={by!r})")
        for _ in range(3):
            desk.run(RENEW)  # asked for again while the last ones are still being made
        rest(desk)
        assert desk.page.evaluate(ROOTS) == desk.ask(KERNEL_ROOTS)
        kept.append(desk.page.evaluate(KEPT))
    assert kept[1] == kept[0]
    assert kept[1]["documents"] == kept[1]["roots"] == 18


TAP_AT_ONCE = f"""() => {{ {FIGURE}
  const {{ kernel }} = window.jupyterapp.shell.currentWidget.sessionContext.session;
  kernel.requestExecute({{ code: "p.views.map.view.renew()" }});
  return new Promise((resolve) => {{
    const hosts = document.querySelectorAll(".skymatch-map .skymatch-figure");
    const look = () => hosts[0].ariaBusy === "true" ? resolve(tap()) : setTimeout(look, 1);
    const tap = () => {{
      const map = figureView("footprints", ".skymatch-map");
      const source = map.model.renderers.map((r) => r.data_source).find((s) => s?.name === "members");
      source.selected.indices = [0];
      return source.data.group[0];
    }};
    look();
  }});
}}"""


def test_a_tap_on_a_figure_that_is_being_made_anew_counts(desk):
    """The figure stays until the next one is drawn, and what is selected in it is selected in that too."""
    rest(desk)
    group = desk.page.evaluate(TAP_AT_ONCE)
    rest(desk)
    assert desk.ask("sorted(p.views.selected.selection.groups)") == [group]
    assert 0 in desk.page.evaluate(SELECTED, ["footprints", "members", ".skymatch-map"])

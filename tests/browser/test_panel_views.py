"""Reloaded pages, several views and panels of one session, and code beside them."""

import contextlib

import pytest
from jupyter import PATIENCE, READY
from panel_page import choose, control, type_into
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
  bare: [...document.querySelectorAll(".skymatch-figure")].filter((host) => !host.querySelector("[class^=bk-]"))
    .map((host) => [host.parentElement.className, host.innerHTML.slice(0, 200)]),
  tooltips: document.querySelectorAll("body > .bk-Tooltip").length,
  elements: document.querySelectorAll("*").length,
})"""
"""What figures hold on the page."""

RENEW = """for panel in (p, q):
    for linked in (panel.views.map, *panel.views.figures.values()):
        linked.view.renew()"""


def test_figures_that_are_made_anew_leave_nothing_behind(desk):
    """Each is one document, however often and however fast it was made."""
    kept = []
    for _ in range(2):
        for by in ("chip", "exposure"):
            desk.run(f"s.configure(group_by={by!r})")
            desk.settle()
        for _ in range(3):
            desk.run(RENEW)  # asked for again while the last ones are still being made
        desk.page.wait_for_timeout(2000)
        desk.wait_for(f"!({KEPT})().bare.length")
        desk.page.wait_for_timeout(500)
        kept.append(desk.page.evaluate(KEPT))
    assert kept[1] == kept[0]
    assert kept[-1]["documents"] == 18

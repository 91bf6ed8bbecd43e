"""The panel in a real JupyterLab: what a user does on the page is what the same calls do in Python."""

import os
from pathlib import Path

import numpy as np
import pytest
from jupyter import lab, open_and_run, python, write_notebook
from panel_page import (
    ACTIVATE,
    CELLS,
    SELECTED,
    SETUP,
    SHOW,
    ask,
    choose,
    control,
    map_sky,
    open_tab,
    place,
    press,
    problems,
    settle,
    type_into,
)

from skymatch_nb.params import specs

pytestmark = pytest.mark.xdist_group("lab")


@pytest.fixture(scope="module")
def server(tmp_path_factory, browser):
    """One JupyterLab for all tests here: its address and the folder that it serves."""
    root = tmp_path_factory.mktemp("lab")
    with lab(root, tmp_path_factory.mktemp("scratch")) as address:
        yield address, root


@pytest.fixture
def opened(server, page, request):
    """Open a notebook with a panel on a mosaic; its kernel is ended afterwards."""
    address, root = server
    page.set_viewport_size({"width": 1400, "height": 1300})

    def run(*cells, rows=2, cols=3, shape=(128, 256)):
        name = f"{request.node.name.split('[')[0]}.ipynb"
        write_notebook(root / name, [SETUP.format(rows=rows, cols=cols, shape=shape), *(cells or [SHOW])])
        open_and_run(page, address, name)
        settle(page)
        return page

    yield run
    page.evaluate("() => window.jupyterapp.serviceManager.sessions.shutdownAll()")


def shot(page, name):
    """Keep a picture of the page where SKYMATCH_SCREENSHOTS names a folder."""
    folder = os.environ.get("SKYMATCH_SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(folder) / f"{name}.png")


def check_shown(page):
    """Map and table on the page, and the session behind, hold what a fresh session with these parameters gives."""
    settle(page)
    assert ask(page, "s.fresh_result('solve') is not None and same(s.sky, fresh().sky)") is True
    expected = ask(page, "fresh().sky.sky.tolist()")
    page.wait_for_function(
        """([values]) => { for (const doc of Bokeh.documents) { const m = doc.get_model_by_name("members");
        if (m) return values.every((v, k) => Object.is(m.data.sky[k], v ?? NaN)); } return false }""",
        arg=[[None if np.isnan(v) else v for v in expected]],
        timeout=10_000,
    )
    html = ask(
        page, "__import__('skymatch_nb.report_page', fromlist=['table_html']).table_html(getattr(fresh(), 'sky'))"
    )
    wanted = page.evaluate(CELLS, html)
    page.wait_for_function(
        f"([wanted]) => JSON.stringify(({CELLS})(null)) === JSON.stringify(wanted)", arg=[wanted], timeout=10_000
    )
    return expected


def test_controls_change_what_python_changes(opened):
    page = opened()
    open_tab(page, "Tables")
    seen = [check_shown(page)]
    shot(page, "light")

    type_into(page, "lsigma", "1.7")
    settle(page)
    assert ask(page, "s.params.lsigma") == 1.7
    seen.append(check_shown(page))

    handle = control(page, "lsigma").locator(".noUi-handle").first
    box = handle.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 30, y, steps=5)
    page.mouse.move(x + 12, y, steps=5)
    page.mouse.up()
    settle(page)
    dragged = ask(page, "s.params.lsigma")
    assert 1.7 < dragged < 5
    assert control(page, "lsigma").locator("input[type=text]").input_value() == str(dragged)
    seen.append(check_shown(page))

    choose(page, "skymethod", "match")
    settle(page)
    seen.append(check_shown(page))
    choose(page, "skystat", "median")
    settle(page)
    assert ask(page, "[s.params.skymethod, s.params.skystat]") == ["match", "median"]
    seen.append(check_shown(page))
    assert len({tuple(levels) for levels in seen}) == len(seen)
    assert problems(page) == []


def test_code_and_panel_are_one_session(opened):
    page = opened()
    python(page, "s.configure(nclip=2)")
    field = control(page, "nclip").locator("input[type=text]")
    page.wait_for_function("field => field.value === '2'", arg=field.element_handle())
    open_tab(page, "Tables")
    levels = check_shown(page)

    type_into(page, "nclip", "-3")
    error = control(page, "nclip").locator(".skymatch-error")
    page.wait_for_function("e => e.innerText.includes('greater than or equal to 0')", arg=error.element_handle())
    type_into(page, "lsigma", "many")
    error = control(page, "lsigma").locator(".skymatch-error")
    page.wait_for_function("e => e.innerText.includes('valid number')", arg=error.element_handle())
    shot(page, "errors")
    assert check_shown(page) == levels
    assert ask(page, "[s.params.nclip, s.params.lsigma]") == [2, 4.0]

    for name in ("nclip", "lsigma"):
        control(page, name).locator(".skymatch-row > button").click()
        settle(page)
        assert control(page, name).locator(".skymatch-error").inner_text().strip() == ""
    assert ask(page, "s.params.nclip") == 5
    check_shown(page)

    label = control(page, "min_overlap_pixels").locator(".skymatch-label")
    assert label.inner_text().split("\n")[0].startswith("min overlap pixels")
    press(page, "names")
    page.wait_for_function("e => e.innerText.startsWith('min_overlap_pixels')", arg=label.element_handle())
    assert problems(page) == []


WATCH = """() => {
  window.seen = { status: 0, data: 0, from: 0 };
  for (const kind of ["keydown", "pointerup", "mouseup", "change"]) {
    document.addEventListener(kind, () => { window.seen.from = performance.now(); }, true);
  }
  const status = document.querySelector(".skymatch-status");
  const tell = () => { window.seen.status = performance.now(); };
  new MutationObserver(tell).observe(status, { childList: true, subtree: true, characterData: true });
  const doc = Bokeh.documents.find((doc) => doc.get_model_by_name("members"));
  const { data } = doc.get_model_by_name("members").properties;
  data.change.connect(() => { window.seen.data = performance.now(); });
}"""


def test_answers_are_live_for_36_exposures(opened):
    page = opened(rows=6, cols=6, shape=(64, 128))
    page.evaluate(WATCH)
    times = {}
    for name, act in (
        *((f"lsigma={v}", lambda v=v: type_into(page, "lsigma", v)) for v in ("2.5", "3.1", "1.7")),
        *((f"skystat={v}", lambda v=v: choose(page, "skystat", v)) for v in ("median", "biweight")),
        ("skymethod=match", lambda: choose(page, "skymethod", "match")),
        ("weighting=npix", lambda: choose(page, "weighting", "npix")),
    ):
        before = map_sky(page)
        act()
        page.wait_for_function("seen.data > seen.from && seen.status > seen.from", timeout=20_000)
        settle(page)
        page.wait_for_timeout(150)
        seen = page.evaluate("window.seen")
        times[name] = (max(seen["data"], seen["status"]) - seen["from"]) / 1000
        assert map_sky(page) != before
    print("seconds from release to status and figure:", {k: round(v, 3) for k, v in times.items()})
    assert max(times.values()) < 2
    assert ask(page, "same(s.sky, fresh().sky)") is True
    assert problems(page) == []


def middle_of(page, row):
    """A point inside an overlap."""
    xs, ys = page.evaluate(
        """(row) => { for (const doc of Bokeh.documents) { const o = doc.get_model_by_name("overlaps");
        if (o) return [[...o.data.xs[row]], [...o.data.ys[row]]] } }""",
        row,
    )
    return float(np.mean(xs)), float(np.mean(ys))


def tap_overlap(page, row=0):
    page.locator(".skymatch-map").first.scroll_into_view_if_needed()
    page.mouse.click(*place(page, "footprints", *middle_of(page, row)))
    page.wait_for_function("document.querySelector('.skymatch-selection').innerText.includes('–')")
    settle(page)


def test_a_tapped_overlap_is_selected_everywhere(opened):
    page = opened()
    open_tab(page, "Residuals")
    page.wait_for_function("Bokeh.documents.some(doc => doc.get_model_by_name('pairs'))")
    tap_overlap(page)
    pairs = ask(page, "sorted(map(list, p.views.selected.selection.pairs))")
    assert pairs
    assert all(f"{a} – {b}" in page.locator(".skymatch-selection").inner_text() for a, b in pairs)
    page.wait_for_function(f"({SELECTED})('overlaps').some(i => i.length) && ({SELECTED})('pairs').some(i => i.length)")
    rows = page.evaluate(SELECTED, "pairs")
    named = ask(page, "[p.views.figures['Residuals'].sources['pairs'].data[c] for c in ('group_a', 'group_b')]")
    assert [sorted((named[0][k], named[1][k])) for k in next(i for i in rows if i)] == pairs
    shot(page, "residuals")

    open_tab(page, "Samples")
    page.wait_for_selector(".skymatch-samples .bk-GridPlot, .skymatch-samples .bk-Figure")
    page.wait_for_function("Bokeh.documents.some(doc => doc.get_model_by_name('histogram 1'))", timeout=15_000)
    counts = page.evaluate(
        """() => Bokeh.documents.map(doc => doc.get_model_by_name("histogram 0")).find(s => s).data.count.length"""
    )
    assert counts == 120
    shot(page, "samples")
    assert problems(page) == []


def draw_box(page, x, y, half):
    """Draw a box on the map as a user does: pick the tool, drag with Shift held."""
    page.evaluate(ACTIVATE, ["footprints", "BoxEditTool", ".skymatch-map"])
    start, end = place(page, "footprints", x - half, y - half), place(page, "footprints", x + half, y + half)
    page.keyboard.down("Shift")
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=8)
    page.mouse.up()
    page.keyboard.up("Shift")


def test_a_drawn_box_is_excluded(opened):
    page = opened("s.masks\n" + SHOW)
    open_tab(page, "Tables")
    before, good = check_shown(page), ask(page, "s.masks.good.tolist()")
    page.locator(".skymatch-map").first.scroll_into_view_if_needed()
    x, y = middle_of(page, 0)
    draw_box(page, x, y, 0.0004)
    page.wait_for_function("Bokeh.documents.some(d => d.get_model_by_name('regions')?.data.xs.length === 1)")
    regions = ask(page, "list(s.params.exclude_regions or ())")
    assert len(regions) == 1
    assert "polygon(" in regions[0]
    assert check_shown(page) != before
    fewer = ask(page, "s.masks.good.tolist()")
    assert sum(fewer) < sum(good)
    assert fewer == ask(page, "fresh().masks.good.tolist()")
    drawn = ask(page, "[list(p.views._drawing.boxes.data[c]) for c in ('x', 'y')]")
    assert drawn == [[], []]
    shot(page, "region")

    draw_box(page, x, y + 0.001, 0.0003)
    page.wait_for_function("Bokeh.documents.some(d => d.get_model_by_name('regions')?.data.xs.length === 2)")
    assert len(ask(page, "list(s.params.exclude_regions or ())")) == 2
    press(page, "clear")
    page.wait_for_function("Bokeh.documents.some(d => d.get_model_by_name('regions')?.data.xs.length === 0)")
    assert check_shown(page) == before
    assert problems(page) == []


def limit(text):
    def act(page, name):
        control(page, name).locator("input[type=checkbox]").first.check()
        settle(page)
        type_into(page, name, text)

    return act


def typed(text):
    return lambda page, name: type_into(page, name, text)


def chosen(option):
    return lambda page, name: choose(page, name, option)


def flip(page, name):
    control(page, name).locator("input[type=checkbox]").first.click()


CHANGES = {
    "group_by": (typed("chip"), "chip"),
    "wcs_key": (typed("o"), "O"),
    "units_kwd": (typed("CUNITX"), "CUNITX"),
    "invsens_kwd": (typed("EXPTIME"), "EXPTIME"),
    "dq_bits": (typed("16+32"), 48),
    "exclude_regions": (typed('icrs; circle(150.1, 2.2, 3")'), ['icrs; circle(150.1, 2.2, 3")']),
    "include_regions": (typed('icrs; circle(150.1, 2.2, 60")'), ['icrs; circle(150.1, 2.2, 60")']),
    "mask_sources": (typed("3"), 3.0),
    "mask_sources_npixels": (typed("9"), 9),
    "mask_sources_dilate": (typed("1"), 1),
    "footprint_from": (chosen("good"), "good"),
    "skymethod": (chosen("match"), "match"),
    "match_down": (flip, False),
    "reference": (typed("demo_03_flt.fits"), "demo_03_flt.fits"),
    "weighting": (chosen("uniform"), "uniform"),
    "robust": (chosen("huber"), "huber"),
    "anchor": (chosen("component"), "component"),
    "isolated": (chosen("own"), "own"),
    "fixed": (typed("demo_02_flt.fits=0.5"), {"demo_02_flt.fits": 0.5}),
    "leave_out": (typed("demo_06_flt.fits"), ["demo_06_flt.fits"]),
    "overlap_stat": (chosen("difference"), "difference"),
    "min_overlap_pixels": (typed("40"), 40),
    "min_overlap_fraction": (typed("0.5"), 0.5),
    "skystat": (chosen("median"), "median"),
    "lower": (limit("-3 sigma"), "-3 sigma"),
    "upper": (limit("0.9"), 0.9),
    "nclip": (typed("2"), 2),
    "lsigma": (typed("1.5"), 1.5),
    "usigma": (typed("2"), 2.0),
    "binwidth": (typed("0.3"), 0.3),
    "optimize": (chosen("speed"), "speed"),
    "skyuser_kwd": (typed("mysky"), "MYSKY"),
    "readonly": (flip, False),
    "subtractsky": (flip, True),
    "backup": (flip, False),
    "allow_mixed": (flip, True),
    "in_place": (flip, True),
    "clobber": (flip, True),
    "clean": (flip, False),
    "verbose": (flip, True),
    "logfile": (typed("sky.log"), "sky.log"),
}
"""Every parameter: how a user changes it, and what it is then. The notebook's mosaics have what they need."""

WITHOUT_EFFECT = {"skyuser_kwd", "readonly", "backup", "allow_mixed", "in_place", "optimize", "clobber", "clean",
                  "verbose", "logfile", "wcs_key", "units_kwd"}  # fmt: skip
"""Parameters that change no level of this mosaic."""

PARTS = {"pixels": list(CHANGES)[:11], "levels": list(CHANGES)[11:24], "statistics": list(CHANGES)[24:]}


def test_every_parameter_is_changed_in_the_browser():
    assert {spec.name for spec in specs()} == set(CHANGES)
    assert sorted(name for part in PARTS.values() for name in part) == sorted(CHANGES)


PREPARE = """
from astropy.io import fits
for path in m.paths:  # an alternate WCS, and other units under another keyword
    with fits.open(path, mode="update") as hdus:
        for hdu in hdus:
            if hdu.name == "SCI":
                for card in list(hdu.header.cards):
                    if card.keyword.startswith(("CTYPE", "CRVAL", "CRPIX", "CD1_", "CD2_", "WCSAXES")):
                        hdu.header[card.keyword + "O"] = str(card.value).removesuffix("-SIP") if isinstance(
                            card.value, str) else card.value
                hdu.header["CUNITX"] = hdu.header.get("BUNIT", "ELECTRONS/S")
"""


@pytest.mark.parametrize("part", PARTS)
def test_parameters_reach_the_result(opened, part):
    page = opened(PREPARE, SHOW)
    before = ask(page, "s.sky.sky.fillna(-1).tolist()")
    moved = set()
    for name in PARTS[part]:
        act, value = CHANGES[name]
        act(page, name)
        settle(page)
        shown = control(page, name).locator(".skymatch-error").inner_text() + python(page, "print(p.messages.error)")
        assert shown.strip() == "", name
        got = ask(page, f"s.params.model_dump(mode='json')[{name!r}]")
        assert got == value, name
        assert ask(page, "s.fresh_result('solve') is not None"), name
        ours, theirs = ask(page, "[x.sky.sky.fillna(-1).tolist() for x in (s, fresh())]")
        assert ours == theirs, name
        assert [-1 if np.isnan(v) else v for v in map_sky(page)] == ours, name
        if ours != before:
            moved.add(name)
        before = ours
    print("levels changed with", sorted(moved))
    assert not moved & WITHOUT_EFFECT
    assert problems(page) == []

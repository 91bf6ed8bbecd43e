"""The report page in a real browser."""

import pytest

from skymatch_nb import SkyMatchSession, SkyMatchWarning

EVIL = "<img src=x onerror=alert(1)>"

READY = "window.Bokeh && Bokeh.documents.length == 1 && Bokeh.documents[0].is_idle"

VISIBLE_TEXT = (
    "() => { const seen = []; const walk = (n) => { if (n.shadowRoot) n.shadowRoot.childNodes.forEach(walk);"
    " if (n.childNodes) n.childNodes.forEach(walk);"
    " if (n.nodeType == 3 && !['SCRIPT', 'STYLE'].includes(n.parentNode.nodeName)) seen.push(n.textContent); };"
    " walk(document.body); return seen.join(' '); }"
)

SELECTED = "(name) => Bokeh.documents[0].get_model_by_name(name).selected.indices"


@pytest.fixture(scope="module")
def reports(tmp_path_factory, mosaic):
    """Reports of a planted mosaic, light and dark."""
    folder = tmp_path_factory.mktemp("reports")
    s = SkyMatchSession(mosaic.paths, skymethod="match", skystat="median", verbose=False)
    return {theme: s.report(folder / f"{theme}.html", theme=theme) for theme in ("light", "dark")}


def open_report(page, path):
    page.goto(path.as_uri())
    page.wait_for_function(READY)


def place_of(page, name, index=0):
    """Where on the screen the middle of a patch of the map is."""
    return page.evaluate(
        """([name, index]) => {
            const plot = Bokeh.documents[0].get_model_by_name('footprints')
            const view = [...Bokeh.index.all_views()].find((v) => v.model === plot)
            const data = Bokeh.documents[0].get_model_by_name(name).data
            const mean = (v) => v.reduce((a, b) => a + b) / v.length
            const box = view.canvas_view.el.getBoundingClientRect()
            return [box.left + view.frame.x_scale.compute(mean(data.xs[index])),
                    box.top + view.frame.y_scale.compute(mean(data.ys[index]))]
        }""",
        [name, index],
    )


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_report_opens_without_errors_or_requests(page, reports, theme):
    open_report(page, reports[theme])
    assert page.evaluate("Bokeh.documents[0].roots().length") == 5
    assert page.problems == []


def test_a_name_that_is_code_only_shows_itself(page, write_image, tmp_path):
    paths = [write_image(f"{EVIL} $$x^2$$.fits", FILTER="<b>"), write_image("b.fits", ra=10.002, level=7.0)]
    s = SkyMatchSession(paths, skymethod="match", verbose=False)
    with pytest.warns(SkyMatchWarning):
        path = s.report(tmp_path / "report.html")
    dialogs = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    open_report(page, path)
    page.mouse.move(*place_of(page, "members"))
    page.wait_for_timeout(400)
    text = page.evaluate(VISIBLE_TEXT)
    assert text.count(EVIL) > 3
    assert page.problems == []
    assert dialogs == []
    assert page.evaluate("document.images.length") == 0


def test_hover_tells_member_sky_and_overlap(page, reports):
    open_report(page, reports["light"])
    page.mouse.move(*place_of(page, "overlaps", 3))
    page.wait_for_timeout(400)
    text = page.evaluate(VISIBLE_TEXT)
    for told in ("difference:", "after:", "pixels:", "electron / (s arcsec2)"):
        assert told in text
    assert "component:" not in text  # the members below keep silent
    for member in range(12):  # until one whose middle lies in no overlap
        page.mouse.move(*place_of(page, "members", member))
        page.wait_for_timeout(400)
        text = page.evaluate(VISIBLE_TEXT)
        if "status:" in text:
            break
    for told in ("sky:", "status:", "component:", "electron / (s arcsec2)"):
        assert told in text
    assert "difference:" not in text
    assert page.problems == []


def test_tap_selects_in_all_figures(page, reports):
    open_report(page, reports["light"])
    assert page.evaluate(SELECTED, "groups") == []
    page.mouse.click(*place_of(page, "members", 6))
    page.wait_for_function("Bokeh.documents[0].get_model_by_name('groups').selected.indices.length > 0")
    members, groups = page.evaluate(SELECTED, "members"), page.evaluate(SELECTED, "groups")
    assert 6 in members
    assert 3 in groups
    page.evaluate("Bokeh.documents[0].get_model_by_name('pairs').selected.indices = [0]")
    overlaps = page.evaluate(SELECTED, "overlaps")
    pair = page.evaluate("Bokeh.documents[0].get_model_by_name('pairs').data.pair[0]")
    of = page.evaluate("Bokeh.documents[0].get_model_by_name('overlaps').data.pair")
    assert overlaps == [k for k, name in enumerate(of) if name == pair]
    assert page.problems == []


def test_selectors_change_the_fill(page, reports):
    open_report(page, reports["dark"])
    page.evaluate("Bokeh.documents[0].get_model_by_name('fill by').value = 'group'")
    fill, by_group = (
        page.evaluate(f"Bokeh.documents[0].get_model_by_name('members').data.{c}") for c in ("fill", "by_group")
    )
    assert fill == by_group
    seen = {k: page.evaluate(f"Bokeh.documents[0].get_model_by_name('key {k}').visible") for k in ("sky", "group")}
    assert seen == {"sky": False, "group": True}
    assert page.problems == []


def test_everything_is_on_paper(page, reports):
    """Folded tables open for the printer, and figures are not wider than a page."""
    open_report(page, reports["light"])
    assert page.locator("details[open]").count() == 0
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details[open]").count() == page.locator("details").count() > 2
    widths = page.evaluate("[...document.querySelectorAll('.figure')].map((f) => f.scrollWidth - f.clientWidth)")
    assert max(widths) <= 0
    page.emulate_media(media="print")
    controls = page.evaluate(
        """() => { const found = []; const walk = (n) => { if (n.shadowRoot) n.shadowRoot.childNodes.forEach(walk);
            n.childNodes?.forEach(walk);
            if (n.classList?.contains("bk-tool-icon") || n.nodeName == "SELECT")
                found.push(getComputedStyle(n).visibility) }
            walk(document.body); return found }"""
    )
    assert len(controls) > 10
    assert set(controls) == {"hidden"}
    heights = page.evaluate("[...document.querySelectorAll('.figure')].map((f) => f.getBoundingClientRect().height)")
    assert max(heights) < 718  # of A4, landscape, without its margins
    page.emulate_media(media="screen")
    content = page.pdf(prefer_css_page_size=True)
    assert content.startswith(b"%PDF")
    assert len(content) > 50_000


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_figures_fit_pages_of_any_width(page, reports, theme):
    """They are made smaller with their page, and larger again; three pictures that would be tiny are put below."""
    page.set_viewport_size({"width": 1920, "height": 900})
    open_report(page, reports[theme])
    rows = {}
    for width in (800, 1100, 1400, 1920):
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_function(f"document.body.dataset.fitted == {width}")
        page.wait_for_function("Bokeh.documents[0].is_idle")
        beyond = page.evaluate("[...document.querySelectorAll('.figure')].map((f) => f.scrollWidth - f.clientWidth)")
        assert len(beyond) == 5
        assert max(beyond) <= 0, width
        rows[width] = page.evaluate(
            "Math.max(...Bokeh.documents[0].get_model_by_name('preview').children.map(([, row]) => row + 1))"
        )
        frame = "Bokeh.documents[0].get_model_by_name('footprints')"
        scales = page.evaluate(
            f"[{frame}.frame_width / ({frame}.x_range.start - {frame}.x_range.end),"
            f" {frame}.frame_height / ({frame}.y_range.end - {frame}.y_range.start)]"
        )
        assert scales[0] == pytest.approx(scales[1], rel=0.01)
    assert rows == {800: 2, 1100: 1, 1400: 1, 1920: 1}
    assert page.problems == []


def test_hover_finds_marks_of_figures_that_were_made_smaller(page, reports):
    page.set_viewport_size({"width": 800, "height": 900})
    open_report(page, reports["light"])
    page.wait_for_function("document.body.dataset.fitted == 800")
    page.wait_for_function("Bokeh.documents[0].is_idle")
    assert page.evaluate("Bokeh.documents[0].get_model_by_name('footprints').frame_width") < 640
    page.mouse.move(*place_of(page, "overlaps", 3))
    page.wait_for_timeout(400)
    assert "difference:" in page.evaluate(VISIBLE_TEXT)


@pytest.mark.filterwarnings("ignore::skymatch_nb.errors.SkyMatchWarning")
@pytest.mark.parametrize("params", [{"skymethod": "globalmin+match"}, {"skymethod": "localmin", "lower": 1e9}])
def test_a_report_of_nothing_is_read_without_complaints(page, write_image, tmp_path, params):
    s = SkyMatchSession([write_image("a.fits")], verbose=False, **params)
    warned = []
    page.on("console", lambda m: warned.append(m.text) if m.type == "warning" else None)
    open_report(page, s.report(tmp_path / "report.html"))
    assert page.problems == warned == []


def test_icons_and_arrows_are_seen_in_the_dark(page, reports):
    open_report(page, reports["dark"])
    seen = page.evaluate(
        """() => { const found = []; const walk = (n) => { if (n.shadowRoot) n.shadowRoot.childNodes.forEach(walk);
            n.childNodes?.forEach(walk);
            if (n.classList?.contains("bk-tool-icon")) found.push(getComputedStyle(n).backgroundColor);
            if (n.nodeName == "SELECT") found.push(getComputedStyle(n).backgroundImage) }
            walk(document.body); return found }"""
    )
    icons, arrows = [c for c in seen if c.startswith("rgb")], [c for c in seen if c.startswith("url")]
    assert len(icons) > 10
    assert set(icons) == {"rgb(184, 192, 204)"}
    assert arrows
    assert all("%23e2e5ea" in arrow for arrow in arrows)


def test_error_bars_are_inside_the_frame(page, reports):
    open_report(page, reports["light"])
    for plot, source in (("sky levels", "groups"), ("residual differences", "pairs")):
        start, end, lower, upper = page.evaluate(
            """([plot, source]) => {
                const [p, s] = [plot, source].map((name) => Bokeh.documents[0].get_model_by_name(name))
                const known = (column) => [...s.data[column]].filter(Number.isFinite)
                return [p.x_range.start, p.x_range.end, Math.min(...known("lower")), Math.max(...known("upper"))]
            }""",
            [plot, source],
        )
        assert start < lower < upper < end


@pytest.mark.parametrize("media", ["screen", "print"])
def test_tables_are_not_cut_at_the_edge(page, reports, media):
    page.set_viewport_size({"width": 1280 if media == "screen" else 1047, "height": 900})
    open_report(page, reports["dark"])
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true })")
    page.emulate_media(media=media)
    widths = page.evaluate(
        """[...document.querySelectorAll('.scroll table')].map((t) => {
            const [inner, outer] = [t.getBoundingClientRect(), document.body.getBoundingClientRect()]
            return inner.right - outer.right
        })"""
    )
    assert len(widths) > 5
    assert max(widths) <= 0.5


def test_a_dark_report_is_light_on_paper(page, reports):
    open_report(page, reports["dark"])
    colours = "(() => { const s = getComputedStyle(document.body); return [s.backgroundColor, s.color] })()"
    assert page.evaluate(colours) == ["rgb(21, 25, 31)", "rgb(226, 229, 234)"]
    page.emulate_media(media="print")
    assert page.evaluate(colours) == ["rgb(255, 255, 255)", "rgb(34, 34, 34)"]
    filters = page.evaluate("[...document.querySelectorAll('.figure')].map((f) => getComputedStyle(f).filter)")
    assert all("invert" in f for f in filters)
    assert len(filters) == 5
    corner = page.locator(".figure").first.screenshot()
    assert darkest_of_corner(corner) > 250


def darkest_of_corner(png):
    """Smallest of red, green and blue in the upper left corner of a picture."""
    import io

    from PIL import Image

    return min(Image.open(io.BytesIO(png)).convert("RGB").getpixel((2, 2)))

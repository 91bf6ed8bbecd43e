"""The report page in a real browser."""

import pytest

from skymatch_nb import SkyMatchSession, SkyMatchWarning

EVIL = "<img src=x onerror=alert(1)>"


@pytest.fixture
def report(write_image, tmp_path):
    paths = [write_image(f"{EVIL} $$x^2$$.fits", FILTER="<b>"), write_image("b.fits", ra=10.002, level=7.0)]
    s = SkyMatchSession(paths, skymethod="match", verbose=False)
    with pytest.warns(SkyMatchWarning):
        return s.report(tmp_path / "report.html")


def test_report_opens_without_errors_or_requests(page, report):
    dialogs = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page.goto(report.as_uri())
    page.wait_for_function("window.Bokeh && Bokeh.documents.length == 1 && Bokeh.documents[0].is_idle")
    assert page.problems == []
    assert dialogs == []
    assert page.evaluate("document.images.length") == 0
    assert page.get_by_text(EVIL).count() > 0


def test_hover_tells_member_sky_and_overlap(page, report):
    page.goto(report.as_uri())
    page.wait_for_function("window.Bokeh && Bokeh.documents.length == 1 && Bokeh.documents[0].is_idle")
    canvas = page.locator(".bk-Canvas").first
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + box["height"] * 0.5)
    page.wait_for_timeout(500)
    text = page.evaluate(
        "() => { const seen = []; const walk = (n) => { if (n.shadowRoot) n.shadowRoot.childNodes.forEach(walk);"
        " if (n.childNodes) n.childNodes.forEach(walk); if (n.nodeType == 3) seen.push(n.textContent); };"
        " walk(document.body); return seen.join(' '); }"
    )
    assert "status" in text
    assert "overlap" in text
    assert page.problems == []

"""The panel as a web page: the real command, Voila and a real browser."""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from jupyter import free_port, wait_for_status

from skymatch_nb import SkyMatchSession
from skymatch_nb.report_page import table_html
from skymatch_nb.widgets.tables import in_view

CELLS = "rows => rows.map((row) => [...row.children].map((cell) => cell.textContent))"

ICON_FONT = "document.fonts.ready.then(() => [...document.fonts].some(f => f.family.includes('Font Awesome')))"


@pytest.fixture
def served(mosaic, tmp_path):
    """The command at work: its process, and the address that it printed."""
    folders = {f"JUPYTER_{name}_DIR": str(tmp_path / name) for name in ("CONFIG", "DATA", "RUNTIME")}
    words = [sys.executable, "-m", "skymatch_nb", "panel", *map(str, mosaic.paths), "--no-browser"]
    words += [f"--port={free_port()}", "--skymethod", "match", "--skystat", "mean", "--nclip", "5"]
    (tmp_path / "scratch").mkdir()
    with (tmp_path / "log").open("w+") as log:
        process = subprocess.Popen(
            words,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            cwd=tmp_path,
            env={**os.environ, **folders, "IPYTHONDIR": str(tmp_path / "ipython"), "TMPDIR": str(tmp_path / "scratch")},
            start_new_session=True,
        )
        try:
            found = re.search(r"http://127\.0\.0\.1:\d+/\?token=[0-9a-f]{48}", process.stdout.readline())
            assert found, Path(log.name).read_text()
            yield process, found[0]
        finally:
            process.kill()
            process.wait(10)


def kernels(scratch):
    """Command lines of the kernels that were started from a folder."""
    found = [Path(p) for p in Path("/proc").glob("[0-9]*/cmdline")]
    lines = []
    for path in found:
        try:
            lines.append(path.read_bytes().replace(b"\0", b" ").decode())
        except OSError:  # it has ended meanwhile
            continue
    return [line for line in lines if "ipykernel_launcher" in line and str(scratch) in line]


def shown_table(page):
    return page.locator(".skymatch-table tbody tr").evaluate_all(CELLS)


def expected_table(page, mosaic, **params):
    """Cells of the sky table as Python makes it."""
    session = SkyMatchSession(mosaic.paths, skymethod="match", nclip=5, verbose=False, **params)
    return page.evaluate(
        f"html => {{ const rows = new DOMParser().parseFromString(html, 'text/html').querySelectorAll('tbody tr');"
        f" return ({CELLS})([...rows]) }}",
        table_html(in_view("sky", session.sky)),
    )


def end(process, number, scratch):
    """Send a signal as a terminal or a supervisor would, and tell what is left."""
    process.send_signal(number)
    code = process.wait(20)
    for _ in range(50):
        if not kernels(scratch):
            break
        time.sleep(0.1)
    return code, kernels(scratch), list(scratch.iterdir())


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_the_page_answers_as_python_does_and_ends_cleanly(page, served, mosaic, tmp_path):
    process, address = served
    page.goto(address, wait_until="domcontentloaded")
    wait_for_status(page, "done in")
    page.wait_for_selector(".skymatch-map .bk-Figure")
    assert page.locator(".jp-InputArea, .jp-CodeCell .highlight").count() == 0
    page.get_by_role("tab", name="Tables").click()
    before = expected_table(page, mosaic, skystat="mean")
    page.wait_for_selector(".skymatch-table tbody tr")
    assert shown_table(page) == before

    page.locator(".skymatch-param-skystat select").select_option("median")
    with_median = expected_table(page, mosaic, skystat="median")
    assert with_median != before
    wait_for_table(page, with_median)

    field = page.locator(".skymatch-param-lsigma input[type=text]")
    field.fill("1.5")
    field.press("Enter")
    clipped = expected_table(page, mosaic, skystat="median", lsigma=1.5)
    assert clipped != with_median
    wait_for_table(page, clipped)
    wait_for_status(page, "done in")
    assert page.evaluate(ICON_FONT)
    assert page.locator(".skymatch-map .skymatch-figure").evaluate("(f) => f.scrollWidth - f.clientWidth") <= 0
    assert page.problems == []

    assert len(kernels(tmp_path / "scratch")) == 1
    assert end(process, signal.SIGINT, tmp_path / "scratch") == (0, [], [])
    assert (tmp_path / "log").read_text() == ""


def wait_for_table(page, expected):
    page.wait_for_function(
        f"expected => JSON.stringify(({CELLS})([...document.querySelectorAll('.skymatch-table tbody tr')]))"
        " === JSON.stringify(expected)",
        arg=expected,
        timeout=20_000,
    )


def test_nobody_is_served_without_the_token(served, tmp_path):
    process, address = served
    place = address.partition("?")[0]
    opener = urllib.request.build_opener(NoRedirect)
    for path in (
        "",
        "?token=" + 48 * "0",
        "api/kernels/12345678-1234-1234-1234-123456789abc",
        "voila/files/panel.ipynb",
    ):
        with pytest.raises(urllib.error.HTTPError) as refused:
            opener.open(place + path, timeout=10)
        assert refused.value.code in (302, 403)
        assert refused.value.headers.get("Location", "/login").startswith("/login")
    assert kernels(tmp_path / "scratch") == []
    assert end(process, signal.SIGTERM, tmp_path / "scratch") == (0, [], [])
    assert (tmp_path / "log").read_text() == ""


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None

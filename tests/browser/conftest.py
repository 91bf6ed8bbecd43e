"""A real browser for tests, Debian's Chromium driven by playwright, and a real JupyterLab in it."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from desk import Desk
from jupyter import lab

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def browser() -> Iterator[object]:
    """Headless Chromium. Without one tests are skipped, or fail where SKYMATCH_BROWSER=required."""
    path = next((found for name in CHROMIUM if (found := shutil.which(name))), None)
    if path is None:
        message = "no Chromium on this machine (Debian: apt-get install chromium)"
        if os.environ.get("SKYMATCH_BROWSER") == "required":
            pytest.fail(message)
        pytest.skip(message)
    from playwright.sync_api import sync_playwright

    quiet = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=[*quiet, "--disable-sync", "--no-first-run"])
        yield started
        started.close()


@contextmanager
def watched_page(browser, width=1280, height=900):
    """A page that remembers what went wrong on it: console errors, and requests that leave this machine."""
    opened = browser.new_page(viewport={"width": width, "height": height})
    opened.problems = []
    opened.on("console", lambda m: opened.problems.append(m.text) if m.type == "error" else None)
    opened.on("pageerror", lambda error: opened.problems.append(str(error)))
    local = ("file:", "data:", "blob:", "about:", "http://127.0.0.1", "http://localhost")
    opened.on("request", lambda r: None if r.url.startswith(local) else opened.problems.append(r.url))
    yield opened
    opened.close()


@pytest.fixture
def page(browser):
    with watched_page(browser) as opened:
        yield opened


@pytest.fixture(scope="session")
def pictures(tmp_path_factory) -> Path:
    """Where pictures are kept: the folder that SKYMATCH_PICTURES names, else a temporary one."""
    named = os.environ.get("SKYMATCH_PICTURES")
    folder = Path(named) if named else tmp_path_factory.mktemp("pictures")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def lab_server(browser, tmp_path_factory) -> Iterator[tuple[str, Path]]:
    """One JupyterLab for all tests: its address, and the folder that it serves."""
    root = tmp_path_factory.mktemp("lab")
    with lab(root, tmp_path_factory.mktemp("scratch")) as address:
        yield address, root


@pytest.fixture(scope="module")
def module_desk(request, browser, lab_server, pictures, tmp_path_factory) -> Iterator[Desk]:
    """One notebook with a panel for all tests of a module; its ``exposures`` writes files, ``NOTEBOOK`` has cells."""
    address, root = lab_server
    paths = request.module.exposures(tmp_path_factory.mktemp("exposures"))
    with watched_page(browser, 1400, 1300) as opened:
        desk = Desk(opened, address, root, request.module.__name__.rpartition(".")[2], paths, pictures)
        desk.open(*getattr(request.module, "NOTEBOOK", ()))
        yield desk
        desk.end()


@pytest.fixture
def desk(module_desk) -> Iterator[Desk]:
    """The notebook as it was at first; nothing may go wrong on its page, and nothing is asked of other machines."""
    module_desk.reset()
    yield module_desk
    assert module_desk.page.locator(".skymatch-message.failed").all_inner_texts() == []
    assert module_desk.problems() == []

"""A real browser for tests: Debian's Chromium, driven by playwright."""

import os
import shutil
from collections.abc import Iterator

import pytest

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


@pytest.fixture
def page(browser):
    """A page that remembers what went wrong on it: console errors, and requests that leave this machine."""
    opened = browser.new_page(viewport={"width": 1280, "height": 900})
    opened.problems = []
    opened.on("console", lambda m: opened.problems.append(m.text) if m.type == "error" else None)
    opened.on("pageerror", lambda error: opened.problems.append(str(error)))
    local = ("file:", "data:", "blob:", "about:", "http://127.0.0.1", "http://localhost")
    opened.on("request", lambda r: None if r.url.startswith(local) else opened.problems.append(r.url))
    yield opened
    opened.close()

"""Renew the pictures of docs/panel.md: the panel in JupyterLab, light and dark, and as a web page.

python tests/panel_pictures.py docs/images
"""

import argparse
import contextlib
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent / "browser"))

from jupyter import free_port, lab, open_and_run, wait_for_status, write_notebook
from playwright.sync_api import sync_playwright

from skymatch_nb.datasets import demo_mosaic
from skymatch_nb.plots.export import installed_browser

SETUP = """from skymatch_nb import SkyMatchSession

s = SkyMatchSession("exposures/*.fits", skymethod="match", skystat="median", verbose=False)"""

SHOW = "panel = s.panel()\npanel"


COMMANDS = """([command, options]) => { window.jupyterapp.commands.execute(command, options) }"""


SHOWN = """() => [...document.querySelectorAll(".skymatch-figure")].filter((figure) => figure.checkVisibility())
  .every((figure) => figure.ariaBusy === "false" && figure.querySelector(".bk-Figure, .bk-GridPlot"))"""


def picture(page: Any, path: Path) -> None:
    page.wait_for_function(SHOWN, timeout=120_000)
    page.wait_for_timeout(1500)
    page.screenshot(path=path)
    print(f"{path}: {path.stat().st_size / 1000:.0f} kB")


def open_view(page: Any, name: str) -> None:
    page.get_by_role("tab", name=name, exact=True).click()


def show_panel(page: Any) -> None:
    page.locator(".skymatch-panel").evaluate("(panel) => panel.scrollIntoView()")


def in_lab(page: Any, root: Path, scratch: Path, images: Path) -> None:
    write_notebook(root / "panel.ipynb", [SETUP, SHOW])
    with lab(root, scratch) as address:
        open_and_run(page, address, "panel.ipynb")
        page.evaluate(COMMANDS, ["application:toggle-left-area", {}])
        page.wait_for_timeout(1000)
        page.evaluate(COMMANDS, ["runmenu:run-all", {}])  # figures take the width that there is when they are drawn
        page.wait_for_timeout(8000)
        show_panel(page)
        picture(page, images / "panel.png")
        page.evaluate(COMMANDS, ["apputils:change-theme", {"theme": "JupyterLab Dark"}])
        page.wait_for_timeout(3000)
        open_view(page, "Residuals")
        show_panel(page)
        picture(page, images / "panel_dark.png")
        page.evaluate("() => window.jupyterapp.serviceManager.sessions.shutdownAll()")


@contextlib.contextmanager
def web_page(root: Path) -> Iterator[str]:
    """The command ``skymatch-nb panel`` at work; gives its address."""
    command = [sys.executable, "-m", "skymatch_nb", "panel", "exposures/*.fits", "--no-browser"]
    command += ["--skymethod", "match", "--skystat", "median", "--port", str(free_port())]
    process = subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True)
    try:
        yield re.search(r"http://\S+", process.stdout.readline())[0]
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)


def as_page(page: Any, root: Path, images: Path) -> None:
    with web_page(root) as address:
        page.goto(address, wait_until="domcontentloaded")
        wait_for_status(page, "done in")
        page.wait_for_selector(".skymatch-map .bk-Figure")
        open_view(page, "Preview")
        page.wait_for_timeout(4000)
        picture(page, images / "panel_page.png")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("images", type=Path)
    images = parser.parse_args().images.absolute()
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        root = Path(scratch) / "root"
        demo_mosaic(root / "exposures")
        browser = playwright.chromium.launch(executable_path=installed_browser(), args=["--no-sandbox"])
        size = {"width": 1400, "height": 1150}
        in_lab(browser.new_page(viewport=size), root, Path(scratch) / "lab", images)
        as_page(browser.new_page(viewport=size), root, images)
        browser.close()


if __name__ == "__main__":
    main()

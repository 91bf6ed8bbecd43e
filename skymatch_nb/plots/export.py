"""Figures as files: standalone pages and pictures."""

import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib.resources import files
from os import PathLike
from pathlib import Path
from typing import Any

from bokeh.models import LayoutDOM, Plot

from skymatch_nb.errors import ParameterError, SkyMatchError, installed_with

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge", "chrome")

_PAGE = (
    "{% block postamble %}<style>body { margin: 8px; background: {{ paper }} }</style><script>{{ fit }}</script>"
    "{% endblock %}"
)
"""Bokeh's page with the paper of the figure's theme around it."""

_INSTALL = "apt-get install chromium, or: playwright install chromium"
_READY = "window.Bokeh && Bokeh.documents.length == 1 && Bokeh.documents[0].is_idle"
_QUIET = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")


def figure_page(shown: LayoutDOM, title: str = "skymatch_nb") -> str:
    """Self-contained HTML page of a figure or layout: it loads nothing."""
    from bokeh.embed import file_html
    from bokeh.resources import INLINE

    plot = next(iter(shown.select({"type": Plot})), None)
    paper = "#ffffff" if plot is None else plot.border_fill_color
    return str(
        file_html(shown, INLINE, title, template=_PAGE, template_variables={"paper": paper, "fit": fit_script()})
    )


@cache
def fit_script() -> str:
    """Script of a page that fits figures to its width."""
    return (files("skymatch_nb.plots") / "fit.js").read_text(encoding="utf-8")


def check_export(shown: Any, path: str | PathLike[str]) -> str:
    """Return the kind of file, '.html' or '.png', that a figure can be written to under a name.

    Raises
    ------
    ParameterError
        For something that is no figure; for a name that ends in neither, or in a folder that is missing.
    """
    if not isinstance(shown, LayoutDOM):
        raise ParameterError(f"{shown!r} is no figure; give what a plot method of the session returns")
    if not isinstance(path, str | PathLike):
        raise ParameterError(f"path={path!r}: must be the name of a file that ends in .html or .png")
    suffix = Path(path).suffix.lower()
    if suffix not in (".html", ".htm", ".png"):
        raise ParameterError(f"{path}: the name of a figure's file must end in .html or .png")
    if not Path(path).absolute().parent.is_dir():
        raise ParameterError(f"{path}: there is no folder {Path(path).absolute().parent}")
    return ".png" if suffix == ".png" else ".html"


def installed_browser() -> str | None:
    """Path of a browser of the Chromium family on this machine; None where there is none."""
    return next((found for name in BROWSERS if (found := shutil.which(name))), None)


def figure_picture(shown: Any, scale: float = 2.0) -> bytes:
    """PNG of a figure or layout as a browser on this machine draws it.

    Raises
    ------
    SkyMatchError
        Where playwright, or a browser for it, is not installed.
    """
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        raise SkyMatchError(f"pictures need the package playwright; {installed_with('export')}") from None
    browser = installed_browser()

    def draw(page_file: Path) -> bytes:
        try:
            with sync_playwright() as playwright:
                started = playwright.chromium.launch(executable_path=browser, args=list(_QUIET))
                page = started.new_page(viewport={"width": 1800, "height": 1200}, device_scale_factor=scale)
                page.emulate_media(media="print")  # without toolbars and selectors
                page.goto(page_file.as_uri())
                page.wait_for_function(_READY)
                page.wait_for_timeout(200)
                picture = page.locator("[data-root-id] > *").first.screenshot()
                started.close()
                return bytes(picture)
        except Error as error:
            if browser is None:
                raise SkyMatchError(f"pictures need Chromium or Chrome: {_INSTALL}") from None
            raise SkyMatchError(f"{browser} could not draw the figure: {str(error).splitlines()[0]}") from None

    with tempfile.TemporaryDirectory(prefix="skymatch_nb_") as folder:
        page_file = Path(folder) / "figure.html"
        page_file.write_text(figure_page(shown), encoding="utf-8")
        with ThreadPoolExecutor(1) as apart:  # playwright refuses to run in the thread of Jupyter's event loop
            return apart.submit(draw, page_file).result()

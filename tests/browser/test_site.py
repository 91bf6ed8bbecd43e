"""The documentation: it is built without a warning, its links lead somewhere, and it asks nothing of other servers."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from filelock import FileLock

import skymatch_nb
from skymatch_nb.cli import main
from skymatch_nb.params import specs

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.xdist_group("site")


@pytest.fixture(scope="module")
def site() -> Path:
    """Folder of the built pages. Without Sphinx tests are skipped, or fail where SKYMATCH_DOCS=required."""
    if os.environ.get("SKYMATCH_DOCS") != "required":
        for module in ("sphinx", "myst_nb", "numpydoc", "pydata_sphinx_theme", "sphinx_design", "nbclient"):
            pytest.importorskip(module)
    into, this_run = ROOT / "build" / "site", os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
    done_in = ROOT / "build" / "site.run"
    done_in.parent.mkdir(exist_ok=True)
    with FileLock(done_in.with_suffix(".lock")):  # one of several processes builds
        if not done_in.exists() or done_in.read_text(encoding="utf-8") != this_run:
            _build(into)
            done_in.write_text(this_run, encoding="utf-8")
    return into


def _build(into: Path) -> None:
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-E", "-b", "html", "docs", str(into)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(ROOT)})
    assert done.returncode == 0, done.stderr[-5000:]


class Links(HTMLParser):
    """What a page names: anchors of its own, pages and pictures, and what a browser would load at once."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        self.anchors.update(given[name] for name in ("id", "name") if name in given)
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if "src" in given:
            self.loaded.append(given["src"])
        if tag == "link" and given.get("rel") not in ("next", "prev", "index", "search", "author", "genindex"):
            self.loaded.append(given.get("href", ""))


def pages(site: Path) -> Iterator[tuple[Path, Links]]:
    for page in sorted(site.rglob("*.html")):
        if "_static" not in page.parts:
            yield page, Links(page)


def test_every_link_leads_somewhere(site):
    known = dict(pages(site))
    assert len(known) > 30
    broken = []
    for page, found in known.items():
        for link in found.links + found.loaded:
            parts = urlsplit(link)
            if parts.scheme or link.startswith(("#__", "data:")):
                continue
            target = page if not parts.path else (page.parent / unquote(parts.path)).resolve()
            anchors = known[target].anchors if target in known else None
            missing = anchors is not None and parts.fragment and unquote(parts.fragment) not in anchors
            if not target.exists() or missing:
                broken.append(f"{page.relative_to(site)}: {link}")
    assert broken == []


def test_no_page_loads_anything_from_elsewhere(site):
    loaded = [(page.name, link) for page, found in pages(site) for link in found.loaded if urlsplit(link).netloc]
    styles = [path.name for path in site.rglob("*.css") if "url(http" in path.read_text("utf-8").replace("'", "")]
    assert loaded == []
    assert styles == []


def test_every_public_name_and_parameter_has_a_place(site):
    api = Links(site / "api.html").anchors
    names = {name for name in skymatch_nb.__all__ if not name.startswith("__")}
    assert [name for name in sorted(names) if not any(a.endswith(f".{name}") for a in api)] == []
    parameters = Links(site / "parameters.html").anchors
    assert [s.name for s in specs() if f"parameter-{s.name.replace('_', '-')}" not in parameters] == []


def test_every_command_has_a_section(site, capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    commands = re.findall(r"^    ([a-z]+) ", capsys.readouterr().out, re.MULTILINE)
    assert {"match", "demo", "undo"} <= set(commands)
    assert set(commands) <= Links(site / "command-line.html").anchors


def test_figures_of_tutorials_are_drawn(site, page):
    """Bokeh draws in the built page, from the site's own copy; nothing goes wrong, and nothing leaves the machine."""
    page.goto((site / "tutorials" / "01_quickstart.html").as_uri())
    page.wait_for_selector(".bk-Figure canvas", timeout=30_000)
    assert page.evaluate("Bokeh.documents.length") >= 1
    assert page.problems == []


@pytest.mark.parametrize("width", [1280, 700])
def test_figures_of_tutorials_fit_the_page(site, page, width):
    """A preview, three frames beside each other, is seen whole without scrolling."""
    page.set_viewport_size({"width": width, "height": 900})
    page.goto((site / "tutorials" / "01_quickstart.html").as_uri())
    page.wait_for_function("document.body.dataset.fitted", timeout=30_000)
    page.wait_for_timeout(500)
    rooms = page.evaluate(
        "[...document.querySelectorAll('.cell_output:has(.bk-Figure, .bk-GridPlot)')]"
        ".map(each => each.scrollWidth - each.clientWidth)"
    )
    assert rooms
    assert max(rooms) <= 0
    views = "[...Bokeh.index.all_views()].filter(view => view.frame)"
    beside = page.evaluate(f"{views}.map(view => view.bbox.width - view.frame.bbox.right)")
    assert len(beside) == 3
    assert min(beside) >= 0
    assert page.problems == []


@pytest.mark.parametrize("name", ["index", "architecture", "parameters", "api", "tutorials/06_panel"])
def test_pages_open_quietly(site, page, name):
    page.goto((site / f"{name}.html").as_uri())
    page.wait_for_load_state("load")
    page.wait_for_timeout(300)
    assert page.problems == []
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0

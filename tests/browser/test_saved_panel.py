"""What a saved notebook shows of panel and figures where no kernel runs."""

import nbclient
import nbformat
import pytest
from nbconvert import HTMLExporter

from skymatch_nb import SkyMatchSession
from skymatch_nb.widgets.bridge import LARGEST_FALLBACK, FigureView


@pytest.fixture(scope="module")
def session(mosaic):
    return SkyMatchSession(mosaic.paths, skymethod="match", skystat="median", verbose=False)


@pytest.fixture(scope="module")
def executed(session, tmp_path_factory):
    """The notebook that a session writes, run and saved as JupyterLab saves it: without the state of widgets."""
    path = session.to_notebook(tmp_path_factory.mktemp("static") / "panel.ipynb")
    notebook = nbformat.read(path, 4)
    nbclient.NotebookClient(notebook, timeout=120, store_widget_state=False).execute()
    nbformat.write(notebook, path)
    return path


def test_a_saved_panel_is_small(executed):
    assert executed.stat().st_size < 100_000


def test_a_page_made_of_a_saved_panel_tells_the_session(page, executed):
    body, _ = HTMLExporter(embed_images=True).from_filename(str(executed))
    page.route("**", lambda route: route.abort())  # MathJax and the like, which nbconvert asks for
    page.set_content(body, wait_until="domcontentloaded")
    last = page.locator(".jp-OutputArea-output").last.inner_text()
    assert "12 members in 6 groups" in last
    assert "running kernel" in last


def test_a_stored_figure_says_why_it_is_not_drawn(page, session):
    figure = FigureView(lambda dark: session.plot_sky(theme="dark" if dark else "light"))
    html = figure._repr_mimebundle_()[0]["text/html"]
    assert len(html) < LARGEST_FALLBACK + 1000
    page.set_content(html)
    assert "where a kernel runs" in page.inner_text("body")


def test_a_stored_figure_is_drawn_where_bokehjs_is(page, session):
    from bokeh.resources import INLINE

    figure = FigureView(lambda dark: session.plot_sky(theme="dark" if dark else "light"))
    page.set_content(INLINE.render() + figure._repr_mimebundle_()[0]["text/html"])
    page.wait_for_selector(".bk-Figure")
    assert "where a kernel runs" not in page.inner_text("body")
    assert page.problems == []

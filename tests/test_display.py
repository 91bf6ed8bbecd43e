"""Short texts and light HTML of results."""

import subprocess
import sys

import numpy as np
import pytest

from skymatch_nb import SkyMatchSession
from skymatch_nb.display import LONGEST, summary
from skymatch_nb.results import Solution

EVIL = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def session(mosaic):
    s = SkyMatchSession(mosaic.paths, skymethod="match", skystat="median", verbose=False)
    s.run("apply")
    return s


def test_every_result_is_shown_shortly(session):
    results = session._pipeline.fresh()
    assert len(results) >= 12
    for result in results.values():
        text, html = repr(result), result._repr_html_()
        assert text.startswith(type(result).__name__)
        assert result.key not in text
        assert len(text) < 1500
        assert html.count("<table>") == html.count("</table>") == 1


def test_arrays_are_told_by_shape_and_range():
    assert summary(np.array([1.0, np.nan, 3.0])) == "float64 (3,), 1 to 3, 1 not finite"
    assert summary(np.full(2, np.nan)) == "float64 (2,), none finite"
    assert summary(np.zeros((0, 3))) == "float64 (0, 3)"
    assert summary(("a", "b", "a")) == "3: a, b"
    assert len(summary("x" * 500)) == LONGEST


def test_names_are_escaped():
    nothing = np.zeros(1)
    html = Solution("k", nothing, nothing, np.zeros(1, int), (EVIL,), *[nothing] * 4)._repr_html_()
    assert "<img" not in html
    assert "&lt;img" in html


def test_showing_a_session_and_its_results_loads_no_plotting(mosaic):
    code = (
        "import sys\n"
        "from skymatch_nb import SkyMatchSession\n"
        f"s = SkyMatchSession({[str(p) for p in mosaic.paths[:2]]!r}, skymethod='match', verbose=False)\n"
        "s.solve()\n"
        "s._repr_html_(); repr(s); s.fresh_result('solve')._repr_html_()\n"
        "assert not {'bokeh', 'ipywidgets', 'IPython'} & set(sys.modules), 'loaded'\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)

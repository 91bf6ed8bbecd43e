"""RA and Dec at the edges of a map, as the browser finds and writes them."""

import re

import numpy as np
import pytest
from bokeh.models import Range1d

from skymatch_nb.geometry.sphere import to_vectors
from skymatch_nb.plots.export import figure_page
from skymatch_nb.plots.frame import Window, map_figure
from skymatch_nb.plots.plane import SkyPlane
from skymatch_nb.plots.theme import THEMES

LABELS = """(axis_name) => {
    const plot = Bokeh.documents[0].roots()[0]
    const axis = (axis_name == 'ra' ? plot.below : plot.left).find((r) => r.type == 'LinearAxis')
    const range = axis_name == 'ra' ? plot.x_range : plot.y_range
    const ticks = axis.ticker.get_ticks(range.start, range.end, range, NaN).major
    return [ticks, axis.formatter.doFormat(ticks, {loc: 0})]
}"""


def seconds(text):
    """Seconds of time or arc of a label."""
    sign = -1 if text.startswith("−") else 1
    numbers = [float(n) for n in re.findall(r"[\d.]+", text)]
    return sign * sum(n * 60.0 ** (2 - k) for k, n in enumerate(numbers))


@pytest.mark.parametrize(
    ("ra", "dec", "size"),
    [
        (150.1, 2.2, 0.02),
        (0.0, 0.0, 0.1),
        (359.999, -60.0, 0.005),
        (40.0, 89.9, 0.25),
        (83.0, -5.4, 8.0),
        (10.0, 0.0, 1e-4),
    ],
)
def test_labels_are_the_sky_at_the_ticks(page, tmp_path, ra, dec, size):
    center = SkyPlane(to_vectors(np.array([ra]), np.array([dec])))
    ends = np.array([-size, size])
    plane = SkyPlane(center.vectors(ends, ends))
    plot = map_figure(plane, Window.around(ends, ends), THEMES["light"], "map")
    path = tmp_path / "map.html"
    path.write_text(figure_page(plot))
    page.goto(path.as_uri())
    page.wait_for_function("Bokeh.documents.length == 1 && Bokeh.documents[0].is_idle")
    check(page, plane, plot.x_range, plot.y_range)
    page.evaluate(
        f"() => {{ const r = Bokeh.documents[0].roots()[0].y_range; r.setv({{start: {size}, end: {1.5 * size}}}) }}"
    )
    check(page, plane, plot.x_range, Range1d(size, 1.5 * size))
    assert page.problems == []


def check(page, plane, x_range, y_range):
    for axis, turn in (("ra", 86400), ("dec", np.inf)):
        places, labels = page.evaluate(LABELS, axis)
        assert 2 <= len(places) <= 16
        at = np.array(places)
        fixed = np.full(len(at), y_range.start if axis == "ra" else x_range.start)
        sky = plane.radec(at, fixed)[0] * 240 if axis == "ra" else plane.radec(fixed, at)[1] * 3600
        told = np.array([seconds(text) for text in labels])
        off = np.abs(told - sky)
        off = np.minimum(off, np.abs(turn - off))
        step = np.diff(np.unique(np.round(told, 4))).min(initial=np.inf)
        assert off.max() < 0.02 * min(step, 3600), labels
        assert all(
            re.fullmatch(r"\d\dh\d\dm(\d\d(\.\d+)?s)?" if axis == "ra" else r"[+−]\d\d°\d\d′(\d\d(\.\d+)?″)?", t)
            for t in labels
        )

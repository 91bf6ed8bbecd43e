"""Figures are made to fit their column, and no text is longer than its frame is wide."""

import numpy as np
import pytest
from bokeh.models import Title

from skymatch_nb.widgets.fit import LETTER, fit


def plots_of(model):
    return [child[0] for child in model.children] if hasattr(model, "children") else [model]


@pytest.mark.parametrize("make", ["plot_footprints", "plot_sky", "plot_residuals", "plot_graph"])
@pytest.mark.parametrize("width", [460, 620, 1400])
def test_texts_are_broken_into_lines_that_fit(session, make, width):
    model = fit(getattr(session, make)(), width)
    for plot in plots_of(model):
        for part in (plot.title, *(t for t in plot.below if isinstance(t, Title))):
            size = float(part.text_font_size.removesuffix("px"))
            longest = max(len(line) for line in part.text.split("\n"))
            words = max(map(len, part.text.split()), default=0)
            assert LETTER * size * longest <= max(plot.frame_width, LETTER * size * max(words, 12)) + 1


def test_words_stay_as_they_are(session):
    wide, narrow = (fit(session.plot_sky(), width) for width in (2000, 400))
    for one, other in zip(plots_of(wide), plots_of(narrow), strict=True):
        assert other.frame_width < one.frame_width
        assert other.title.text.split() == one.title.text.split()
        assert other.xaxis.axis_label.split() == one.xaxis.axis_label.split()
    assert len({plot.min_border_bottom for plot in plots_of(narrow)}) == 1
    assert plots_of(narrow)[0].min_border_bottom > plots_of(wide)[0].min_border_bottom


def test_maps_keep_their_shape(session):
    whole, small = session.plot_footprints(), fit(session.plot_footprints(), 500)
    ratio = whole.frame_height / whole.frame_width
    assert small.frame_width < whole.frame_width
    assert np.isclose(small.frame_height / small.frame_width, ratio, rtol=0.01)


def test_compass_and_ticks_of_a_narrow_map_stay_inside(session):
    from bokeh.models import Arrow

    plot = fit(session.plot_footprints(), 500)
    arrows = [part for part in plot.center if isinstance(part, Arrow)]
    assert len(arrows) == 2
    assert all(0 < x < plot.frame_width for a in arrows for x in (a.x_start, a.x_end))
    assert plot.xaxis[0].ticker.args["wanted"] * 95 <= max(plot.frame_width, 190)

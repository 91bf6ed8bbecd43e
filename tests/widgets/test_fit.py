"""Figures are made to fit their column, and no text is longer than its frame is wide."""

import numpy as np
import pytest
from bokeh.models import HoverTool, Title

from skymatch_nb.plots.labels import short_names, telling_parts
from skymatch_nb.plots.rows import names_at
from skymatch_nb.plots.theme import LETTER
from skymatch_nb.widgets.fit import fit


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
    wide, narrow = (fit(session.plot_sky(), width) for width in (2000, 560))
    for one, other in zip(plots_of(wide), plots_of(narrow), strict=True):
        assert other.frame_width < one.frame_width
        assert other.title.text.split() == one.title.text.split()
        assert other.xaxis.axis_label.split() == one.xaxis.axis_label.split()
    assert len({plot.min_border_bottom for plot in plots_of(narrow)}) == 1
    lines = [max(len(plot.xaxis.axis_label.split("\n")) for plot in plots_of(model)) for model in (wide, narrow)]
    assert lines[1] > lines[0]
    assert plots_of(narrow)[0].min_border_bottom >= 74 + 13 * (lines[1] - 1)


@pytest.mark.parametrize("make", ["plot_sky", "plot_residuals", "plot_preview"])
def test_frames_that_have_no_room_beside_each_other_stand_below_each_other(session, make):
    places = {width: [child[1:] for child in fit(getattr(session, make)(), width).children] for width in (1500, 340)}
    count = len(places[340])
    assert places[1500] == [(0, k) for k in range(count)]
    assert places[340] == [(k, 0) for k in range(count)]
    narrow = fit(getattr(session, make)(), 340)
    for plot in plots_of(narrow):
        assert plot.yaxis[0].visible
        assert plot.yaxis[0].major_label_text_font_size != "0px"
        assert names_at(plot.yaxis[0]) == names_at(plots_of(narrow)[0].yaxis[0])
        assert plot.frame_width < 340


@pytest.mark.parametrize("make", ["plot_sky", "plot_residuals"])
def test_narrow_frames_have_as_few_numbers_as_fit_below_them(session, make):
    for plot in plots_of(fit(getattr(session, make)(), 460)):
        assert plot.xaxis[0].ticker.desired_num_ticks == min(max(3, plot.frame_width // 30), 6)
    assert all(plot.xaxis[0].ticker.desired_num_ticks == 6 for plot in plots_of(fit(getattr(session, make)(), 2000)))


def test_a_preview_of_middling_width_has_two_frames_above_and_one_below(session):
    grid = fit(session.plot_preview(), 600)
    assert [child[1:] for child in grid.children] == [(0, 0), (0, 1), (1, 0)]
    assert all(plot.frame_width > 160 for plot in plots_of(grid))


def test_the_colour_bar_of_a_narrow_map_stands_below_it_and_is_renewed(session):
    from skymatch_nb.plots.sources import Sources

    session.solve()
    sources = Sources()
    plot = fit(session.plot_footprints(sources=sources), 360)
    assert not plot.right
    (bar,) = (part for part in plot.below if part.name == "key sky")
    bar.color_mapper.low = -5.0
    assert session.renew_figure(plot, sources)
    assert bar.color_mapper.low == session.sky.sky.min()


def test_names_that_have_no_room_are_told_by_what_differs():
    names = [f"hst_12345_67_acs_wfc_f606w_{'very_' * 8}{k:03d}_abc_flt.fits" for k in range(4)]
    assert short_names(names, 34) == ["000", "001", "002", "003"]
    assert short_names(["a.fits", "b.fits"], 34) == ["a.fits", "b.fits"]
    assert short_names([names[0]], 20)[0].startswith("hst_12345")
    assert telling_parts(["demo_01_flt.fits", "demo_02_flt.fits"]) == ["01", "02"]
    assert telling_parts(["x_1_2.fits", "x_2.fits"]) == ["1_2", "2"]


@pytest.mark.parametrize("width", [300, 420, 900])
def test_no_two_names_of_a_graph_overlap_and_none_leaves_the_frame(session, width):
    plot = fit(session.plot_graph(), width)
    (nodes,) = (r.data_source.data for r in plot.renderers if r.name == "nodes")
    x = (nodes["x"] - plot.x_range.start) / (plot.x_range.end - plot.x_range.start) * plot.frame_width
    y = (nodes["y"] - plot.y_range.start) / (plot.y_range.end - plot.y_range.start) * plot.frame_height
    shown = [
        (a + s, b, LETTER * 11 * len(t)) for a, b, s, t in zip(x, y, nodes["shift"], nodes["label"], strict=True) if t
    ]
    assert len(shown) >= 4
    assert all(a - w / 2 > -1 and a + w / 2 < plot.frame_width + 1 for a, _, w in shown)
    for k, (a, b, w) in enumerate(shown):
        assert all(abs(a - c) >= (w + v) / 2 or abs(b - d) > 11 for c, d, v in shown[k + 1 :])


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


@pytest.mark.parametrize(("height", "shown"), [(700, True), (160, False)])
def test_hover_leaves_its_place_in_a_toolbar_that_is_too_high(session, height, shown):
    plot = session.plot_footprints()
    plot.frame_height = height
    hovers = {tool.visible for tool in fit(plot, 2000).tools if isinstance(tool, HoverTool)}
    others = {tool.visible for tool in plot.tools if not isinstance(tool, HoverTool)}
    assert (hovers, others) == ({shown}, {True})

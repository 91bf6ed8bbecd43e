"""A shown figure takes over what a newly made one says, where they are built alike."""

from bokeh.document import Document
from bokeh.layouts import gridplot
from bokeh.models import ColumnDataSource, CustomJS, CustomJSTickFormatter, Range1d, Span, Title
from bokeh.plotting import figure

from skymatch_nb.widgets.takeover import note_extents, take_over


def made(title, start, color, source, notes=("one",)):
    plot = figure(title=title, x_range=Range1d(start, start + 10))
    plot.scatter("x", "y", source=source, color=color, name="points")
    plot.add_layout(Span(location=start, dimension="height"))
    for note in notes:
        plot.add_layout(Title(text=note), "below")
    plot.tags = [title]
    return note_extents(plot)


def color_of(plot):
    color = plot.renderers[0].glyph.fill_color
    return getattr(color, "value", color)


def test_texts_colours_and_places_are_taken_and_only_they_are_sent():
    source = ColumnDataSource({"x": [1], "y": [2]})
    shown = made("before", 0, "red", source)
    document = Document()
    document.add_root(shown)
    sent = []
    document.on_change(lambda event: sent.append(event.attr))
    assert take_over(shown, made("after", 5, "blue", source))
    assert shown.title.text == "after"
    assert shown.tags == ["after"]
    assert (shown.x_range.start, shown.x_range.end) == (5, 15)
    assert next(s for s in shown.center if isinstance(s, Span)).location == 5
    assert color_of(shown) == "blue"
    assert {"text", "start", "end", "location", "fill_color"} <= set(sent)
    assert not {"renderers", "center", "below", "data"} & set(sent)
    sent.clear()
    assert take_over(shown, made("after", 5, "blue", source))
    assert sent == []


def test_zoom_is_kept():
    source = ColumnDataSource({"x": [1], "y": [2]})
    shown = made("before", 0, "red", source)
    shown.x_range.start = 3
    assert take_over(shown, made("after", 0, "red", source))
    assert shown.x_range.start == 3


def test_a_range_that_opens_elsewhere_is_taken_and_reset_to():
    """With other rows, or another field, what was zoomed would show something else."""
    source = ColumnDataSource({"x": [1], "y": [2]})
    shown = made("before", 0, "red", source)
    shown.x_range.start = 3
    assert take_over(shown, made("after", 5, "red", source))
    extents = [(r.start, r.end, r.reset_start, r.reset_end) for r in (shown.x_range,)]
    assert extents == [(5, 15, 5, 15)]


def test_plain_parts_of_what_is_run_on_the_page_are_taken():
    """Its models stay those of the figure that is shown."""
    source = ColumnDataSource({"x": [1], "y": [2]})
    shown, new = (made("t", 0, "red", source) for _ in range(2))
    for plot, windows in ((shown, [1]), (new, [2])):
        args = {"windows": windows, "x": plot.x_range}
        plot.xaxis[0].formatter = CustomJSTickFormatter(args=args, code="return ''")
        plot.toolbar.js_on_change("autohide", CustomJS(args=args, code=""))
    assert take_over(shown, new)
    (call,) = shown.toolbar.js_property_callbacks["change:autohide"]
    for args in (call.args, shown.xaxis[0].formatter.args):
        assert args == {"windows": [2], "x": shown.x_range}


def test_data_of_own_sources_are_taken():
    shown, new = (made("t", 0, "red", ColumnDataSource({"x": [k], "y": [k]})) for k in (1, 2))
    assert take_over(shown, new)
    assert shown.renderers[0].data_source.data["x"] == [2]


def test_figures_of_a_grid_are_taken_over_and_compared_like_others():
    source = ColumnDataSource({"x": [1], "y": [2]})
    shown = gridplot([[made("left", 0, "red", source), made("right", 0, "red", source)]])
    alike = gridplot([[made("left after", 5, "red", source), made("right after", 5, "red", source)]])
    other = gridplot([[made("left", 5, "red", source), made("right", 5, "red", source, notes=("one", "two"))]])
    assert take_over(shown, alike)
    assert [child[0].title.text for child in shown.children] == ["left after", "right after"]
    assert not take_over(shown, other)


def test_another_structure_is_refused_and_nothing_changed():
    source = ColumnDataSource({"x": [1], "y": [2]})
    shown = made("before", 0, "red", source)
    assert not take_over(shown, made("after", 5, "blue", source, notes=("one", "two")))
    assert shown.title.text == "before"
    assert color_of(shown) == "red"

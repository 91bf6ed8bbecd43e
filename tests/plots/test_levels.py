"""Sky, residuals and graph: their columns are those of the tables, and the planted answer is seen."""

import warnings

import numpy as np
import pytest
from bokeh.models import ColorBar, DataRange1d, Label, Legend, LinearColorMapper

from skymatch_nb import ParameterError, SkyMatchSession, SkyMatchWarning
from skymatch_nb.plots import residuals
from skymatch_nb.plots.sources import Sources

from .conftest import glyphs, texts


def panels(grid):
    return [child[0] for child in grid.children]


def test_sky_has_a_row_for_every_group_with_its_error(session):
    left, right = panels(session.plot_sky())
    data = glyphs(left, "level").data_source.data
    table = session.sky.groupby("group", sort=False).first()
    assert data["group"] == list(table.index)
    np.testing.assert_array_equal(data["sky"], table["sky"])
    np.testing.assert_allclose(data["upper"] - data["lower"], 2 * table["sky_err"])
    assert sorted(data["row"]) == list(range(6))
    assert "electron / (s arcsec2)" in left.xaxis.axis_label
    assert "sky to subtract" in left.xaxis.axis_label
    assert glyphs(right, "after").data_source is glyphs(left, "level").data_source


def test_groups_agree_with_their_neighbours_after(session, mosaic):
    data = glyphs(panels(session.plot_sky())[1], "after").data_source.data
    spread = np.ptp(list(mosaic.sky.values())) / mosaic.pixel_scale**2
    assert np.abs(data["before"]).max() > 0.2 * spread
    assert np.abs(data["after"]).max() < 0.02 * spread
    residual = session.residuals.reset_index()
    first = residual[residual["group_a"] == data["group"][0]]
    expected = np.average(first["before"], weights=first["npix"])
    assert data["before"][0] == pytest.approx(expected)


def test_data_units(session):
    left, _ = panels(session.plot_sky("data"))
    data = glyphs(left, "level").data_source.data
    np.testing.assert_allclose(data["sky"], session.sky.groupby("group", sort=False)["sky_data"].first())
    assert "ELECTRONS/S" in left.xaxis.axis_label
    with pytest.raises(ParameterError, match="unit='mag'"):
        session.plot_sky("mag")


@pytest.mark.parametrize("method", ["localmin", "globalmin"])
def test_methods_without_pairs_show_whole_members(mosaic, method):
    s = SkyMatchSession(mosaic.paths, skymethod=method, skystat="median", verbose=False)
    left, right = panels(s.plot_sky())
    data = glyphs(left, "level").data_source.data
    np.testing.assert_allclose(data["before"] - data["after"], data["sky"])
    assert "lowest level of its members" in right.xaxis.axis_label
    if method == "localmin":
        np.testing.assert_allclose(data["after"], 0, atol=1e-9)
    assert "0 pairs" in s.plot_graph().title.text


def test_components_are_ordered_and_coloured(lonely):
    data = glyphs(panels(lonely.plot_sky())[0], "level").data_source.data
    by_row = [data["group"][k] for k in np.argsort(data["row"])]
    assert by_row == ["a.fits", "b.fits", "far.fits", "masked.fits"]
    colors = dict(zip(data["group"], data["color"], strict=True))
    assert colors["a.fits"] == colors["b.fits"] != colors["far.fits"] == colors["masked.fits"]
    assert any("2 groups not matched" in t for t in texts(panels(lonely.plot_sky())[0]))


def test_residuals_are_those_of_the_table(session):
    left, right = panels(session.plot_residuals())
    data = glyphs(left, "after").data_source.data
    table = session.residuals.iloc[data["index"]]
    for column, name in (
        ("before", "before"),
        ("after", "after"),
        ("error", "err"),
        ("pull", "pull"),
        ("npix", "npix"),
    ):
        np.testing.assert_allclose(data[column], table[name])
    assert (np.diff(np.abs(data["pull"])) <= 0).all()
    assert right.y_range is left.y_range
    rms = np.sqrt((table["before"] ** 2).mean())
    (told,) = [text for text in texts(left) if f"rms {rms:.3g} before" in text]
    assert told.endswith("after (electron / (s arcsec2))")
    assert left.title.text == "Differences of 11 pairs"
    assert data["shown_before"][0] == f"{data['before'][0]:.6g} electron / (s arcsec2)"


def test_outliers_are_named(session, monkeypatch):
    monkeypatch.setattr(residuals, "OUTLIER", 0.0)
    left, _ = panels(session.plot_residuals())
    data = glyphs(left, "after").data_source.data
    for k in range(residuals.MOST_NAMED):
        name = f"{data['group_a'][k]} − {data['group_b'][k]} ({data['pull'][k]:+.1f})"
        assert sum(name in text for text in texts(left)) == 1
    assert any(text.startswith("11 beyond 0 standard errors") for text in texts(left))
    assert len(set(data["color"])) == 1


def test_many_pairs_are_thinned_to_the_largest_pulls(session, monkeypatch):
    monkeypatch.setattr(residuals, "MOST_PAIRS", 3)
    left, _ = panels(session.plot_residuals())
    pulls = np.abs(glyphs(left, "after").data_source.data["pull"])
    np.testing.assert_allclose(pulls, np.sort(np.abs(session.residuals["pull"]))[::-1][:3])
    assert any("8 pairs with smaller pulls are not drawn" in t for t in texts(left))
    assert left.title.text == "Differences of 11 pairs"


def test_graph_puts_groups_where_they_are(session):
    plot = session.plot_graph()
    nodes, edges = glyphs(plot, "nodes").data_source.data, glyphs(plot, "edges").data_source.data
    place = {g: (x, y) for g, x, y in zip(nodes["group"], nodes["x"], nodes["y"], strict=True)}
    assert len(edges["pair"]) == len(session.residuals)
    for k, (a, b) in enumerate(zip(edges["group_a"], edges["group_b"], strict=True)):
        assert (edges["x0"][k], edges["y0"][k]) == place[a]
        assert (edges["x1"][k], edges["y1"][k]) == place[b]
    centers = session.footprints.groupby(session.members["group"], sort=False)["ra"].mean()
    assert (np.argsort(nodes["x"]) == np.argsort(centers.to_numpy())).all()
    heaviest = int(np.argmax(edges["npix"]))
    assert edges["width"][heaviest] == max(edges["width"])
    bar = next(b for b in plot.right if isinstance(b, ColorBar))
    assert isinstance(bar.color_mapper, LinearColorMapper)
    assert bar.color_mapper.high == -bar.color_mapper.low == np.abs(edges["after"]).max()


def test_sources_are_shared_and_columns_of_others_kept(session):
    sources = Sources()
    graph = session.plot_graph(sources=sources)
    sky = session.plot_sky(sources=sources)
    session.plot_residuals(sources=sources)
    assert set(sources) == {"groups", "pairs"}
    assert glyphs(graph, "nodes").data_source is glyphs(panels(sky)[0], "level").data_source
    assert {"x", "label"} <= set(sources["groups"].data)
    assert {"x0", "y1"} <= set(sources["pairs"].data)


def test_linked_sources_have_the_same_keys(session):
    sources = Sources()
    session.plot_footprints(sources=sources)
    session.plot_graph(sources=sources)
    assert set(sources["members"].data["group"]) == set(sources["groups"].data["group"])
    assert set(sources["overlaps"].data["pair"]) == set(sources["pairs"].data["pair"])
    callbacks = {name: source.selected.js_property_callbacks for name, source in sources.items()}
    assert all("change:indices" in found for found in callbacks.values())


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_everything_is_drawn_on_the_themes_paper(session, theme):
    paper = {"light": "#ffffff", "dark": "#15191f"}[theme]
    grids = [session.plot_sky(theme=theme), session.plot_residuals(theme=theme), session.plot_samples(0, theme=theme)]
    plots = [session.plot_graph(theme=theme), *(p for g in grids for p in panels(g))]
    for plot in plots:
        assert plot.background_fill_color == plot.border_fill_color == paper
        assert all(axis.major_label_text_color != paper for axis in plot.axis)
        assert all(leg.label_text_color != paper for leg in plot.above if isinstance(leg, Legend))


def test_one_exposure_alone_is_drawn(write_image):
    s = SkyMatchSession([write_image("a.fits")], skymethod="localmin", verbose=False)
    assert s.plot_graph().title.text == "1 group, 0 pairs"
    assert s.plot_footprints().title.text == "1 group, 1 member, 0 overlaps"
    assert panels(s.plot_residuals())[0].title.text == "No pairs"
    assert s.plot_sky().children
    assert s.plot_preview().children


def said_inside(plot):
    return [part.text for part in plot.center if isinstance(part, Label)]


def has_known_ranges(plot):
    """Whether a browser needs no marks to find a figure's ranges."""
    return not any(isinstance(r, DataRange1d) for r in (plot.x_range, plot.y_range))


@pytest.mark.parametrize("method", ["localmin", "globalmin+match"])
def test_without_pairs_figures_say_so_and_have_no_legends(write_image, method):
    s = SkyMatchSession([write_image("a.fits", level=5.0)], skymethod=method, verbose=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SkyMatchWarning)
        left, right = panels(s.plot_residuals())
    for plot in (left, right):
        assert said_inside(plot) == ["no overlapping pairs"]
        assert has_known_ranges(plot)
        assert not [part for part in plot.above if isinstance(part, Legend)]
    assert said_inside(panels(s.plot_sky())[0]) == []
    agreement = panels(s.plot_sky())[1]
    if method == "localmin":
        assert said_inside(agreement) == []
    else:
        assert said_inside(agreement) == ["no overlapping pairs"]
        assert has_known_ranges(agreement)
        assert not [part for part in agreement.above if isinstance(part, Legend)]
    assert any("no overlapping pairs" in text for text in texts(s.plot_graph()))


def test_without_a_level_figures_say_so(write_image):
    paths = [write_image("a.fits"), write_image("b.fits", ra=10.002)]
    masks = dict.fromkeys(["a.fits", "b.fits"], lambda pixels: pixels > 1e9)
    s = SkyMatchSession(paths, skymethod="localmin", masks=masks, verbose=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SkyMatchWarning)
        left, right = panels(s.plot_sky())
        shown = panels(s.plot_samples(s.members.index[0]))[0]
    assert said_inside(left) == ["no group has a level"]
    assert said_inside(right) == ["nothing to compare with"]
    assert has_known_ranges(left)
    assert has_known_ranges(right)
    assert any("2 groups without a level" in text for text in texts(left))
    assert said_inside(shown) == ["no good pixels"]


def test_a_figure_is_made_anew_where_its_groups_get_or_lose_their_levels(lonely):
    sources = Sources()
    grid = lonely.plot_sky(sources=sources)
    assert lonely.renew_figure(grid, sources)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SkyMatchWarning)
        lonely.configure(skymethod="globalmin+match", lower=1e6)
        lonely.solve()
    assert not lonely.renew_figure(grid, sources)

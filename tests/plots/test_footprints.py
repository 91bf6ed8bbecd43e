"""The footprint map, without a browser."""

import numpy as np
import pytest
from bokeh.models import ColorBar, HoverTool, Image, Legend, ScaleBar, Select
from bokeh.plotting import figure

from skymatch_nb import ParameterError, SkyMatchSession
from skymatch_nb.plots import mapdata
from skymatch_nb.plots.sources import Sources

from .conftest import glyphs, texts


def columns(plot, name):
    return glyphs(plot, name).data_source.data


def test_map_shows_every_member_and_overlap(session):
    plot = session.plot_footprints()
    assert isinstance(plot, figure)
    assert columns(plot, "member patches")["member"] == list(session.members.index)
    shown = columns(plot, "overlap patches")
    table = session.overlaps
    assert shown["member_a"] == table["member_a"].tolist()
    assert shown["member_b"] == table["member_b"].tolist()


def test_only_outlines_before_the_sky_is_known(mosaic):
    fresh = SkyMatchSession(mosaic.paths, skymethod="match", verbose=False)
    data = columns(fresh.plot_footprints(), "member patches")
    assert set(data["shown"]) == {"none"}
    assert set(data["status"]) == {"not solved"}
    assert fresh.fresh_result("solve") is None


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_excluded_and_included_regions_look_otherwise_and_are_told(mosaic, theme):
    s = SkyMatchSession(mosaic.paths, verbose=False)
    ra, dec = s.footprints[["ra", "dec"]].mean()
    s.exclude([[ra, dec], [ra + 0.002, dec], [ra, dec + 0.002]])
    plot = s.plot_footprints(theme=theme)
    legend = next(part for part in plot.below if isinstance(part, Legend))
    assert [item.label.value for item in legend.items if item.visible] == ["excluded region: its pixels are bad"]
    s.include([[ra, dec], [ra + 0.004, dec], [ra, dec + 0.004]])
    plot = s.plot_footprints(theme=theme)
    drawn = [glyphs(plot, f"regions {kind}") for kind in ("include", "exclude")]
    assert [len(one.data_source.data["xs"]) for one in drawn] == [1, 1]
    for look in ("line_color", "line_dash", "hatch_pattern"):
        one, other = (getattr(each.glyph, look) for each in drawn)
        assert one != other
    legend = next(part for part in plot.below if isinstance(part, Legend))
    assert [item.renderers[0] for item in legend.items if item.visible] == drawn


def test_sky_is_shown_once_it_is_known(session):
    plot = session.plot_footprints()
    data = columns(plot, "member patches")
    assert data["sky"] == session.sky["sky"].tolist()
    order = np.argsort(data["sky"])
    bar = next(b for b in plot.right if isinstance(b, ColorBar))
    palette = [color[:7] for color in bar.color_mapper.palette]
    (opacity,) = {int(color[7:], 16) / 255 for color in bar.color_mapper.palette}
    assert opacity == pytest.approx(glyphs(plot, "member patches").glyph.fill_alpha, abs=0.003)
    assert [palette.index(data["fill"][k]) for k in order] == sorted(palette.index(c) for c in data["fill"])
    assert (bar.color_mapper.low, bar.color_mapper.high) == (min(data["sky"]), max(data["sky"]))
    assert "electron / (s arcsec2)" in bar.title


def test_the_colour_bar_of_one_exposure_is_about_its_sky(mosaic):
    alone = SkyMatchSession(mosaic.paths[:1], skymethod="localmin", verbose=False)
    (sky,) = set(alone.sky["sky"])
    mapper = next(b for b in alone.plot_footprints().right if isinstance(b, ColorBar)).color_mapper
    assert mapper.high - mapper.low == pytest.approx(0.2 * abs(sky))
    assert 0.5 * (mapper.low + mapper.high) == pytest.approx(sky)


@pytest.mark.parametrize("color", ["sky", "group", "component", "status"])
def test_fill_is_what_was_asked_and_its_key_is_seen(session, color):
    plot = session.plot_footprints(color)
    data = columns(plot, "member patches")
    assert data["fill"] == data[f"by_{color}"]
    keys = {b.name: b.visible for b in plot.right if isinstance(b, ColorBar | Legend)}
    assert [name for name, seen in keys.items() if seen] == [f"key {color}"]
    selects = [s for s in plot.references() if isinstance(s, Select) and s.name == "fill by"]
    assert [s.value for s in selects] == [color]


def test_colours_tell_groups_apart(session):
    data = columns(session.plot_footprints("group"), "member patches")
    by_group = dict(zip(data["group"], data["fill"], strict=True))
    assert len(set(by_group.values())) == len(by_group) == 6


def test_unknown_fill_and_theme_are_named(session):
    with pytest.raises(ParameterError, match="color='flux'"):
        session.plot_footprints("flux")
    with pytest.raises(ParameterError, match="theme='blue'"):
        session.plot_footprints(theme="blue")


def test_ra_grows_to_the_left_and_scales_are_equal(session):
    plot = session.plot_footprints()
    assert plot.x_range.start > plot.x_range.end
    assert plot.y_range.start < plot.y_range.end
    scale = [
        abs(plot.x_range.start - plot.x_range.end) / plot.frame_width,
        abs(plot.y_range.end - plot.y_range.start) / plot.frame_height,
    ]
    assert scale[0] == pytest.approx(scale[1], rel=1e-6)


def test_shade_grows_with_what_is_left(session):
    shown = columns(session.plot_footprints(), "overlap patches")
    table, sky = session.overlaps, session.sky["sky"]
    left = table["difference"] - (sky[table["member_a"]].to_numpy() - sky[table["member_b"]].to_numpy())
    assert (np.argsort(shown["shade"]) == np.argsort(np.abs(left))).all()
    k = int(np.argmax(np.abs(left)))
    assert shown["after"][k].startswith(f"{left.iloc[k]:.6g} ± {table['difference_err'].iloc[k]:.2g}")
    assert shown["pixels"][k] == f"{table['npix_a'].iloc[k]:,} and {table['npix_b'].iloc[k]:,}"


def test_unmatched_members_stand_out(lonely):
    plot = lonely.plot_footprints()
    data = columns(plot, "member patches")
    marked = [m for m, hatch in zip(data["member"], data["hatch"], strict=True) if hatch != "blank"]
    assert {m.split("[")[0] for m in marked} == {"far.fits", "masked.fits"}
    assert any("not matched" in t and "far.fits" in t for t in texts(plot))
    assert len({e for e, m in zip(data["edge"], data["member"], strict=True) if m in marked}) == 1


def test_parts_of_a_field_can_be_chosen(lonely, session):
    selects = [s for s in lonely.plot_footprints().references() if isinstance(s, Select) and s.name == "view"]
    assert [len(s.options) for s in selects] == [3]
    assert not [s for s in session.plot_footprints().references() if isinstance(s, Select) and s.name == "view"]


def test_many_overlaps_are_thinned_to_the_largest(session, monkeypatch):
    monkeypatch.setattr(mapdata, "MOST_OVERLAPS", 4)
    plot = session.plot_footprints()
    shade = columns(plot, "overlap patches")["shade"]
    assert len(shade) == 4
    monkeypatch.undo()
    assert sorted(shade) == sorted(columns(session.plot_footprints(), "overlap patches")["shade"])[-4:]
    assert any("4 overlaps with the largest differences" in t for t in texts(plot))


def test_images_lie_below_the_outlines_where_the_members_are(session):
    plot = session.plot_footprints(images=True)
    image = glyphs(plot, "image")
    assert isinstance(image.glyph, Image)
    assert image.level == "image"
    data, members = image.data_source.data, columns(plot, "member patches")
    xs = np.concatenate(members["xs"])
    assert data["x"][0] == pytest.approx(xs.min(), abs=1e-6)
    assert data["x"][0] + data["dw"][0] == pytest.approx(xs.max(), rel=0.02)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_on_images_members_have_the_colours_of_the_legends(session, theme):
    """What is filled takes the colours of the pixels below; outlines do not."""
    plot = session.plot_footprints("status", images=True, theme=theme)
    outlines = glyphs(plot, "member patches")
    for glyph in (outlines.glyph, outlines.nonselection_glyph, outlines.selection_glyph, outlines.hover_glyph):
        assert glyph.fill_alpha == 0
    assert outlines.glyph.line_color == "fill"
    assert outlines.glyph.line_alpha == 1
    assert glyphs(plot, "seams").glyph.line_width > outlines.glyph.line_width
    bar = next(b for b in plot.right if isinstance(b, ColorBar))
    assert set(columns(plot, "member patches")["by_sky"]) <= set(bar.color_mapper.palette)
    legends = [b for b in plot.right if isinstance(b, Legend)]
    assert all(item.renderers == [outlines] for legend in legends for item in legend.items)


def test_statuses_have_colours_of_their_own(lonely):
    data = columns(lonely.plot_footprints("status"), "member patches")
    colors = dict(zip(data["status"], data["by_status"], strict=True))
    assert set(colors) == {"matched", "reference", "no overlap", "no good pixels"}
    assert len(set(colors.values())) == 4


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_angles_of_the_scale_bar_are_written_as_in_journals(session, theme):
    plot = session.plot_footprints(theme=theme)
    (bar,) = [part for part in plot.center if isinstance(part, ScaleBar)]
    assert bar.label == "@{value}@{unit}"
    sizes = {"1" + name: size for name, (size, *_) in bar.dimensional.basis.items()}
    arcsec = {"1°": 3600, "1′": 60, "1″": 1, "100 mas": 0.1, "10 mas": 0.01, "1 mas": 0.001}
    assert {name: 3600 * size for name, size in sizes.items()} == pytest.approx(arcsec)
    assert bar.background_fill_color == plot.background_fill_color
    assert bar.border_line_color is None


def test_hover_tells_pair_difference_error_and_pixels(session):
    tools = {
        t.name: [label for label, _ in t.tooltips] for t in session.plot_footprints().tools if isinstance(t, HoverTool)
    }
    assert tools["overlap hover"] == ["overlap", "and", "difference", "after", "pixels"]
    assert {"member", "sky", "status"} <= set(tools["member hover"])


def test_given_sources_are_filled_and_refilled(session):
    sources = Sources()
    plot = session.plot_footprints(sources=sources)
    assert glyphs(plot, "member patches").data_source is sources["members"]
    before = dict(sources["members"].data)
    again = session.plot_footprints("status", sources=sources)
    assert glyphs(again, "member patches").data_source is sources["members"]
    assert sources["members"].data["fill"] == before["by_status"]


def test_a_far_flung_field_opens_at_its_largest_part(lonely):
    plot = lonely.plot_footprints()
    data = columns(plot, "member patches")
    (view,) = [s for s in plot.references() if isinstance(s, Select) and s.name == "view"]
    assert view.value == "part 1 (3 members)"
    assert any("shown is part 1 (3 members)" in t for t in texts(plot))
    west, east = plot.x_range.end, plot.x_range.start
    inside = [west <= min(x) and max(x) <= east for x in data["xs"]]
    assert inside == [name != "far.fits" for name in data["file"]]


def test_compass_and_scale_bar_have_room_below_the_field(session):
    plot = session.plot_footprints()
    lowest = min(min(y) for y in columns(plot, "member patches")["ys"])
    per_pixel = (plot.y_range.end - plot.y_range.start) / plot.frame_height
    assert lowest > plot.y_range.start + 50 * per_pixel


@pytest.mark.parametrize(("color", "filled"), [("sky", "group"), ("component", "component")])
def test_before_solving_the_map_says_so(mosaic, color, filled):
    plot = SkyMatchSession(mosaic.paths, skymethod="match", verbose=False).plot_footprints(color)
    data = columns(plot, "member patches")
    assert data["fill"] == data[f"by_{filled}"]
    (told,) = [t for t in texts(plot) if "not solved yet" in t]
    assert ("colours tell groups apart" in told) == (filled == "group")


@pytest.mark.parametrize("bad", [3.5, None, [], "skies"])
def test_what_is_no_fill_and_no_theme_is_told(session, bad):
    with pytest.raises(ParameterError, match="color="):
        session.plot_footprints(bad)
    with pytest.raises(ParameterError, match="theme="):
        session.plot_footprints(theme=bad)
    with pytest.raises(ParameterError, match="size="):
        session.plot_preview(size=bad)

"""Histograms of samples: their pixels, limits and statistics."""

import numpy as np
import pytest
from bokeh.models import Span

from skymatch_nb import InputError, ParameterError, SkyMatchSession
from skymatch_nb.core.sample import sorted_samples
from skymatch_nb.params import SkyMatchParams
from skymatch_nb.plots.rows import LEGEND_MARK, LEGEND_SIZE
from skymatch_nb.plots.samples import Shown, histogram_data, limits_data, samples_figure, view_of
from skymatch_nb.plots.theme import LETTER, THEMES

from .conftest import glyphs, texts


def panels(grid):
    return [child[0] for child in grid.children]


def sources(plot):
    return {r.data_source.name: r.data_source.data for r in plot.renderers}


@pytest.fixture
def gaussian():
    rng = np.random.default_rng(1)
    values = np.concatenate([rng.normal(10, 2, 20000), np.full(50, 500.0)]).astype(np.float32)
    return Shown("noise", sorted_samples([np.zeros(3, np.float32), values]), 1, 4.0, 10.0)


def test_histogram_counts_every_pixel_of_the_view(gaussian):
    params = SkyMatchParams(nclip=5)
    limits = limits_data(gaussian, params)
    view = view_of([limits], [gaussian])
    columns = histogram_data(gaussian, view)
    values = gaussian.values
    assert columns["count"].sum() == ((values >= view[0]) & (values <= view[1])).sum()
    assert view[1] < 500 * 4
    assert limits["npix"][-1] < 20001
    assert limits["high"][0] == np.inf
    assert 40 + 3 * 8 < limits["high"][-1] < 40 + 5 * 8


def test_both_sides_of_an_overlap(session):
    plot, ladder = panels(session.plot_samples(2))
    row = session.overlaps.iloc[2]
    found, steps = sources(plot), sources(ladder)
    assert found["histogram 0"]["name"][0] == row["member_a"]
    assert found["histogram 1"]["name"][0] == row["member_b"]
    assert steps["limits 0"]["npix"][-1] == row["npix_a"]
    assert steps["limits 1"]["npix"][-1] == row["npix_b"]
    solid = [s.location for s in plot.center if isinstance(s, Span) and s.line_width == 2.5]
    assert solid == pytest.approx([row["sky_a"], row["sky_b"]])
    assert ladder.x_range is plot.x_range
    assert "electron / (s arcsec2)" in ladder.xaxis.axis_label


def test_an_overlap_is_found_by_members_or_groups(session):
    row = session.overlaps.iloc[2]
    by_members = panels(session.plot_samples((row["member_a"], row["member_b"])))[0]
    assert by_members.title.text == "Pixels of overlap 2"
    same = session.overlaps.query("group_a == @row.group_a and group_b == @row.group_b")
    largest = (same["npix_a"] + same["npix_b"]).idxmax()
    by_groups = panels(session.plot_samples([row["group_b"], row["group_a"]]))[0]
    assert by_groups.title.text == f"Pixels of overlap {largest}"


def test_whole_member(session):
    name = session.members.index[3]
    plot, ladder = panels(session.plot_samples(name))
    good = session.masks.loc[name, "good"]
    assert sources(ladder)["limits 0"]["npix"][0] == good
    assert plot.title.text == f"Pixels of {name}"


def test_unknown_names_are_told(session):
    with pytest.raises(InputError, match="'nothing' is no member"):
        session.plot_samples("nothing")
    with pytest.raises(InputError, match="'x' is no member and no group"):
        session.plot_samples(["x", session.members.index[0]])
    with pytest.raises(InputError, match="no overlap 99"):
        session.plot_samples(99)
    with pytest.raises(ParameterError, match="a pair of names"):
        session.plot_samples([session.members.index[0]])


def test_members_that_do_not_overlap(session):
    names = session.members.index
    with pytest.raises(InputError, match="do not overlap"):
        session.plot_samples([names[0], names[1]])


@pytest.mark.parametrize("values", [[], [5.0], [7.0] * 40])
def test_samples_of_nothing_one_or_equal_values(values):
    shown = Shown("few", sorted_samples([np.array(values, np.float32)]), 0, 1.0, values[0] if values else np.nan)
    plot, ladder = panels(samples_figure([shown], SkyMatchParams(), "", THEMES["light"], "few"))
    assert sources(plot)["histogram 0"]["count"].sum() == len(values)
    assert ladder.xaxis.axis_label == "brightness"


def test_given_limits_are_the_first_step(mosaic):
    s = SkyMatchSession(mosaic.paths, skymethod="match", lower=0.0, upper=0.5, nclip=0, verbose=False)
    _, ladder = panels(s.plot_samples(0))
    columns = sources(ladder)["limits 0"]
    factor = s.members["factor"].iloc[0]
    assert (columns["low"][0], columns["high"][0]) == pytest.approx((0.0, 0.5 * factor))
    assert len(columns["low"]) == 1
    assert ladder.yaxis.major_label_overrides[0] == "limits given"


def test_any_number_of_sets_can_be_shown(gaussian):
    grid = samples_figure([gaussian] * 3, SkyMatchParams(), "mJy", THEMES["dark"], "three", "a note")
    plot, ladder = panels(grid)
    assert [glyphs(p, p.renderers[0].name) is not None for p in (plot, ladder)] == [True, True]
    assert len(sources(plot)) == 3
    assert "a note" in texts(ladder)


@pytest.mark.parametrize("which", [None, True, 1.5, [], ["a", "b", "c"], [1, 2], {"a": "b"}])
def test_what_no_sample_is_asked_by_is_told(session, which):
    with pytest.raises(ParameterError, match="must be a row number of the overlaps table, a pair of names"):
        session.plot_samples(which)


def test_both_names_of_a_difference_are_told(mosaic):
    s = SkyMatchSession(mosaic.paths, skymethod="match", skystat="median", overlap_stat="difference", verbose=False)
    grid = s.plot_samples(2)
    row = s.overlaps.iloc[2]
    (name,) = {n for plot in panels(grid) for data in sources(plot).values() for n in data["name"]}
    assert name == f"{row.member_a} − {row.member_b}"
    legend = next(item for item in panels(grid)[0].above if hasattr(item, "items"))
    assert legend.items[0].label.value.startswith(f"{row.member_a} − {row.member_b}: median")


def test_long_names_are_told_in_full_inside_the_frame():
    """In lines of the legend that are no longer than the frame is wide."""
    one, other = "a_long_name_" * 8, "b_long_name_" * 8
    long = Shown(one, sorted_samples([np.zeros(3, np.float32)]), 0, 1.0, 0.0, less=other)
    plot = panels(samples_figure([long], SkyMatchParams(), "mJy", THEMES["light"], "long"))[0]
    (legend,) = (part for part in plot.above if hasattr(part, "items"))
    lines = [item.label["value"] if isinstance(item.label, dict) else item.label.value for item in legend.items]
    told = "".join(lines).replace(" ", "")
    assert one in told
    assert other in told
    assert "3of3goodpixelskept" in told
    assert all(LETTER * LEGEND_SIZE * len(line) + LEGEND_MARK <= plot.frame_width for line in lines)
    assert [bool(item.renderers) for item in legend.items] == [True, *[False] * (len(lines) - 1)]


def test_one_hover_tells_what_both_histograms_count(session):
    from bokeh.models import HoverTool

    plot = panels(session.plot_samples(0))[0]
    (tool,) = plot.select(HoverTool)
    columns = tool.renderers[0].data_source.data
    assert [label for label, _ in tool.tooltips] == ["brightness", "pixels", "pixels"]
    both = sources(plot)
    assert all(np.array_equal(columns[f"count {k}"], both[f"histogram {k}"]["count"]) for k in (0, 1))
    assert columns["name 0"] != columns["name 1"]

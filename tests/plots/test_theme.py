"""Names and colours."""

from itertools import combinations

import numpy as np
import pytest
from bokeh.models import DataRange1d
from bokeh.plotting import figure
from hypothesis import given
from hypothesis import strategies as st

from skymatch_nb.plots.graph import DIVERGING
from skymatch_nb.plots.theme import (
    THEMES,
    category_colors,
    level_text,
    plain,
    say_empty,
    sequential_colors,
    short,
    translucent,
)


@given(st.text(max_size=200), st.integers(5, 60))
def test_short_names_keep_both_ends(name, longest):
    shown = short(name, longest)
    assert len(shown) <= longest
    if len(name) > longest:
        head, tail = shown.split("…") if shown.count("…") == 1 else (shown[:2], shown[-2:])
        assert name.startswith(head)
        assert name.endswith(tail)
    else:
        assert shown == name


@given(st.text(alphabet="$\\()[]ab", max_size=20))
def test_no_text_is_taken_for_tex(text):
    shown = plain(text)
    assert not any(mark in shown for mark in ("$$", "\\[", "\\(", "\\]", "\\)"))
    assert shown.replace("\u200b", "") == text.replace("\u200b", "")


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_sequential_colours_run_from_smallest_to_largest(theme):
    palette = theme.sequential
    colors = sequential_colors(np.array([3.0, np.nan, 1.0, 2.0]), palette, missing="none")
    middle = palette[(len(palette) - 1) // 2]
    assert colors == [palette[-1], "none", palette[0], middle]
    assert sequential_colors(np.array([5.0, 5.0]), palette) == [middle] * 2
    assert sequential_colors(np.full(2, np.nan), palette, missing="none") == ["none", "none"]


def test_categories_that_are_none_have_their_colour():
    palette = ("a", "b", "c")
    assert category_colors([-1, 0, 1, 3], palette, "none") == ["none", "a", "b", "a"]


def test_translucent_colours_keep_their_hue():
    assert translucent(["#102030", "#ffffff"], 0.5) == ["#10203080", "#ffffff80"]


def test_levels_as_text():
    assert level_text(1.23456789, 0.0123, "mJy") == "1.23457 ± 0.012 mJy"
    assert level_text(np.nan, 1.0, "mJy") == "none"
    assert level_text(2.0, np.nan, "") == "2"


def linear(color):
    """Red, green and blue as amounts of light, from 0 to 1."""
    v = np.array([int(color[k : k + 2], 16) / 255 for k in (1, 3, 5)])
    return np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)


def contrast(one, other):
    """Contrast of two colours as WCAG 2 defines it."""
    low, high = sorted(float(linear(c) @ [0.2126, 0.7152, 0.0722]) for c in (one, other))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_texts_and_marks_stand_out_from_the_paper(theme):
    """WCAG 2 asks 4.5 of texts, 3 of graphics; the fills of maps have outlines in the colour of the text."""
    for text in (theme.ink, theme.icon, theme.accent):
        assert contrast(text, theme.paper) >= 4.5
    marks = [theme.plain, theme.alert, theme.before, theme.after, *theme.categories, *DIVERGING[theme.name]]
    marks += theme.sequential if theme.name == "dark" else []
    assert min(contrast(mark, theme.paper) for mark in marks) >= 3


EYES = {
    "any": np.eye(3),
    "without red cones": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
                          [-0.003882, -0.048116, 1.051998]],
    "without green cones": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                            [-0.011820, 0.042940, 0.968881]],
    "without blue cones": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
                           [0.004733, 0.691367, 0.303900]],
}  # fmt: skip
"""What eyes make of linear red, green and blue (Machado, Oliveira & Fernandes 2009, severity 1)."""


def as_seen(color, eyes):
    """CIE L*a*b* of a colour as some eyes see it."""
    to_xyz = np.array([[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750],
                       [0.0193339, 0.1191920, 0.9503041]])  # fmt: skip
    t = to_xyz @ np.clip(np.array(EYES[eyes]) @ linear(color), 0, 1) / to_xyz.sum(axis=1)
    x, y, z = np.where(t > 0.008856, np.cbrt(t), 7.787 * t + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("eyes", EYES)
@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_colours_can_be_told_apart(theme, eyes):
    def distance(one, other):
        return np.linalg.norm(as_seen(one, eyes) - as_seen(other, eyes))

    assert min(distance(a, b) for a, b in combinations(theme.categories, 2)) > 14
    assert distance(theme.before, theme.after) > 50
    assert distance(DIVERGING[theme.name][0], DIVERGING[theme.name][-1]) > 20


def test_empty_figures_say_so():
    plot = figure(frame_width=200, frame_height=100)
    say_empty(plot, THEMES["light"], "nothing here")
    assert plot.center[-1].text == "nothing here"
    assert not any(isinstance(r, DataRange1d) for r in (plot.x_range, plot.y_range))
    assert plot.xaxis[0].ticker.ticks == plot.yaxis[0].ticker.ticks == []

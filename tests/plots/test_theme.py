"""Names and colours."""

import numpy as np
import pytest
from bokeh.plotting import figure
from hypothesis import given
from hypothesis import strategies as st

from skymatch_nb.plots.theme import (
    SEQUENTIAL,
    THEMES,
    category_colors,
    level_text,
    plain,
    say_empty,
    sequential_colors,
    short,
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


def test_sequential_colours_run_from_smallest_to_largest():
    colors = sequential_colors(np.array([3.0, np.nan, 1.0, 2.0]), missing="none")
    assert colors == [SEQUENTIAL[255], "none", SEQUENTIAL[0], SEQUENTIAL[127]]
    assert sequential_colors(np.array([5.0, 5.0])) == [SEQUENTIAL[127]] * 2
    assert sequential_colors(np.full(2, np.nan), missing="none") == ["none", "none"]


def test_categories_that_are_none_have_their_colour():
    assert category_colors([-1, 0, 1, 8], "none") == ["none", category_colors([0], "")[0], category_colors([1], "")[0],
                                                      category_colors([0], "")[0]]  # fmt: skip


def test_levels_as_text():
    assert level_text(1.23456789, 0.0123, "mJy") == "1.23457 ± 0.012 mJy"
    assert level_text(np.nan, 1.0, "mJy") == "none"
    assert level_text(2.0, np.nan, "") == "2"


@pytest.mark.parametrize("name", THEMES)
def test_text_can_be_read_on_the_paper(name):
    theme = THEMES[name]

    def brightness(color):
        r, g, b = (int(color[k : k + 2], 16) / 255 for k in (1, 3, 5))
        return 0.2126 * r**2.2 + 0.7152 * g**2.2 + 0.0722 * b**2.2

    for color in (theme.ink, theme.alert, theme.after):
        high, low = sorted((brightness(theme.paper), brightness(color)), reverse=True)
        assert (high + 0.05) / (low + 0.05) > 3  # the contrast that WCAG 2 asks of graphics and large text


def test_empty_figures_say_so():
    plot = figure(frame_width=200, frame_height=100)
    say_empty(plot, THEMES["light"], "nothing here")
    assert plot.center[-1].text == "nothing here"

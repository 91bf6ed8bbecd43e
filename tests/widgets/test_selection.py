"""What is selected in one view is selected in all of them."""

import ipywidgets as widgets
import numpy as np
import pytest

from skymatch_nb.widgets.selection import (
    Field,
    Selected,
    Selection,
    after_click,
    followed,
    rows_selected,
    selected_rows,
)

from .conftest import press, settle, within

MEMBERS = {"member": ["a[1]", "a[2]", "b[1]"], "group": ["a", "a", "b"]}
PAIRS = {"group_a": ["b", "a"], "group_b": ["a", "c"]}
OVERLAPS = {"of_a": ["a", "b", "a"], "of_b": ["b", "a", "c"], "index": [7, 2, 4]}


@pytest.mark.parametrize(
    ("name", "data", "rows", "back"),
    [
        ("members", MEMBERS, [1], [0, 1]),  # all members of the group
        ("groups", MEMBERS, [2], [2]),
        ("pairs", PAIRS, [0], [0]),
        ("overlaps", OVERLAPS, [1], [0, 1]),  # all overlaps of the pair
        ("overlaps", OVERLAPS, [2], [2]),
    ],
)
def test_rows_become_names_and_rows_again(name, data, rows, back):
    assert rows_selected(name, data, selected_rows(name, data, rows)) == back


@pytest.mark.parametrize(
    ("before", "now", "groups"),
    [
        ([], [0], {"a"}),
        ([0, 1], [1], set()),  # a click on what is selected alone
        ([0, 1, 2], [1], {"a"}),  # one on what is selected with others
        ([0, 1, 2], [0, 2], {"b"}),  # one with Shift on a part of it
        ([0, 1], [0, 1, 2], {"a", "b"}),
        ([0, 1], [2], {"b"}),
    ],
)
def test_a_click_takes_and_leaves_whole_groups(before, now, groups):
    assert after_click("members", MEMBERS, before, now).groups == groups


def test_pairs_have_no_direction():
    assert selected_rows("pairs", PAIRS, [0]).pairs == {("a", "b")}
    assert selected_rows("overlaps", OVERLAPS, [1]) == Selection(pairs=frozenset({("a", "b")}), overlap=2)


def test_watchers_are_told_once_for_each_other_selection():
    seen = []
    selected = Selected(watchers=[seen.append])
    for _ in range(2):
        selected.set(Selection(groups=frozenset({"a"})))
    assert seen == [Selection(groups=frozenset({"a"}))]


def test_members_and_pairs_are_selected_beside_each_other():
    selected = Selected()
    selected.take("members", selected_rows("members", MEMBERS, [0]))
    selected.take("pairs", selected_rows("pairs", PAIRS, [1]))
    assert selected.selection == Selection(frozenset({"a"}), frozenset({("a", "c")}), member="a[1]")
    selected.take("members", selected_rows("members", MEMBERS, []))
    assert selected.selection == Selection(pairs=frozenset({("a", "c")}))


CHIPS = {"a1": "a[1]", "a2": "a[2]", "b1": "b[1]", "c1": "c[1]"}
EXPOSURES = {"a1": "a", "a2": "a", "b1": "b", "c1": "c"}
ENDS = (("a1", "b1"), ("b1", "c1"), ("a2", "c1"))


@pytest.mark.parametrize(
    ("groups", "selected", "wanted"),
    [
        (CHIPS, {"a"}, {"a[1]", "a[2]"}),
        (EXPOSURES | {"b1": "G", "c1": "G"}, {"b", "c"}, {"G"}),
        (EXPOSURES | {"b1": "G", "c1": "G"}, {"G"}, {"G"}),  # selected by its new name already
        ({"a1": "a"}, {"a", "b"}, {"a"}),
    ],
)
def test_a_selection_follows_its_members_into_other_groups(groups, selected, wanted):
    before = Field(EXPOSURES, ENDS)
    now = Field(groups, tuple(e for e in ENDS if groups.keys() >= set(e)))
    assert followed(Selection(frozenset(selected)), before, now).groups == wanted


def test_selected_pairs_and_overlaps_follow_their_members():
    before = Field(EXPOSURES, ENDS)
    pair = Selection(pairs=frozenset({("a", "c")}), overlap=2)
    by_chip = followed(pair, before, Field(CHIPS, ENDS[1:]))
    assert by_chip == Selection(pairs=frozenset({("a[2]", "c[1]")}), overlap=1)
    assert followed(by_chip, Field(CHIPS, ENDS[1:]), before) == pair
    one = Field(EXPOSURES | {"a1": "G", "a2": "G", "c1": "G"}, ENDS)
    assert followed(pair, before, one) == Selection()  # what it was between is one group now


@pytest.fixture
def views(panel):
    """Views of a solved panel, all of which have been looked at."""
    for figure in (panel.views.map, *(panel.views.figures[n] for n in ("Sky", "Residuals", "Graph"))):
        assert figure.view.document
    panel.views.tabs.selected_index = 5
    return panel.views


def test_a_tapped_member_is_selected_in_map_levels_graph_and_table(views, session):
    views.map.sources["members"].selected.indices = [2]
    member, group = session.members.index[2], session.members.group.iloc[2]
    assert views.selected.selection == Selection(frozenset({group}), member=member)
    together = [k for k, g in enumerate(session.members.group) if g == group]
    assert views.map.sources["members"].selected.indices == together == [2, 3]
    for name in ("Sky", "Graph"):
        source = views.figures[name].sources["groups"]
        assert [source.data["group"][k] for k in source.selected.indices] == [group]
    assert views.tables.view.selected == together
    views.map.sources["members"].selected.indices = [3]  # a second tap on what is selected alone takes it away
    assert views.selected.selection == Selection()
    assert views.map.sources["members"].selected.indices == []
    assert views.tables.view.selected == []


def test_a_tapped_overlap_is_selected_in_residuals_graph_samples_and_table(views, session):
    views.tables.which.value = "overlaps"
    source = views.map.sources["overlaps"]
    source.selected.indices = [3]
    row = int(source.data["index"][3])
    pair = {*session.overlaps.loc[row, ["group_a", "group_b"]]}
    for name in ("Residuals", "Graph"):
        pairs = views.figures[name].sources["pairs"]
        assert [{pairs.data["group_a"][k], pairs.data["group_b"][k]} for k in pairs.selected.indices] == [pair]
    table = session.overlaps.iloc[views.tables.view.selected]
    assert row in table.index
    assert all({a, b} == pair for a, b in zip(table.group_a, table.group_b, strict=True))
    assert views.figures["Samples"].stale
    views.tabs.selected_index = 3
    histogram = views.figures["Samples"].view.document.get_model_by_name("histogram 0")
    assert set(histogram.data["name"]) == {session.overlaps.member_a[row]}
    assert np.sum(histogram.data["count"]) > 0


def test_a_row_of_a_table_is_selected_in_the_figures(views, session):
    views.tables.which.value = "residuals"
    views.tables.view.selected = [1]
    pair = set(session.residuals.index[1])
    residuals = views.figures["Residuals"].sources["pairs"]
    assert [{residuals.data["group_a"][k], residuals.data["group_b"][k]} for k in residuals.selected.indices] == [pair]
    overlaps = views.map.sources["overlaps"]
    assert overlaps.selected.indices
    assert all({overlaps.data["of_a"][k], overlaps.data["of_b"][k]} == pair for k in overlaps.selected.indices)
    views.tables.view.selected = []
    assert overlaps.selected.indices == residuals.selected.indices == []


def buttons_that_do(panel):
    """Buttons for the selection that can be pressed; the others stay in their places."""
    buttons = [w for w in within(panel._select.widget) if isinstance(w, widgets.Button)]
    assert len(buttons) == 5
    assert all(button.layout.display != "none" for button in buttons)
    return {button.description for button in buttons if not button.disabled}


def test_buttons_keep_their_places_and_can_be_pressed_where_they_do_something(views, panel, session):
    assert buttons_that_do(panel) == set()
    views.select(Selection(pairs=frozenset({tuple(sorted(map(str, session.residuals.index[0])))})))
    assert buttons_that_do(panel) == {"Deselect"}
    views.select(Selection(frozenset({session.sky.group.iloc[0]})))
    assert buttons_that_do(panel) == {"One group", "Fix sky", "Leave out", "Deselect"}
    press(panel, "leave-out")
    assert "Bring back" in buttons_that_do(panel)
    settle(panel)


def test_pairs_of_a_selected_exposure_are_selected_in_residuals_and_graph(views, session):
    group = session.sky.group.iloc[0]
    views.select(Selection(frozenset({group})))
    found = names_selected(views)
    wanted = {tuple(sorted(map(str, pair))) for pair in session.residuals.index if group in pair}
    assert found == {"Residuals": wanted, "Graph": wanted, "map": set()}
    source = views.figures["Residuals"].sources["pairs"]
    source.selected.indices = [source.selected.indices[1]]  # a tap on one of them
    assert views.selected.selection.groups == {group}
    assert len(views.selected.selection.pairs) == len(names_selected(views)["Graph"]) == 1


def names_selected(views):
    """Pairs that are selected in each view, by its name, and what the panel says is selected."""
    found = {}
    for name in ("Residuals", "Graph"):
        data, rows = views.figures[name].sources["pairs"].data, views.figures[name].sources["pairs"].selected.indices
        found[name] = {tuple(sorted((data["group_a"][k], data["group_b"][k]))) for k in rows}
    source = views.map.sources["overlaps"]
    found["map"] = {tuple(sorted((source.data["of_a"][k], source.data["of_b"][k]))) for k in source.selected.indices}
    return found


def test_the_same_pair_stays_selected_where_rows_are_sorted_anew(views, panel, session):
    views.tabs.selected_index = 1
    source = views.figures["Residuals"].sources["pairs"]
    source.selected.indices = [len(source.data["row"]) - 1]
    pair = tuple(sorted(source.data[c][-1] for c in ("group_a", "group_b")))
    rows = set()
    for tab, stat in ((1, "mean"), (2, "midpt"), (1, "mode"), (2, "median")):
        views.tabs.selected_index = tab
        session.configure(skystat=stat)
        settle(panel)
        found = names_selected(views)
        assert found["map"] == found[("Residuals", "Graph")[tab - 1]] == {pair}
        rows.add(tuple(source.selected.indices))
    assert len(rows) > 1
    assert views.selected.selection.pairs == {pair}


def test_what_is_selected_is_what_there_is_after_a_regrouping(views, panel, session):
    first, second = session.sky.group.unique()[:2]
    views.select(
        Selection(frozenset({first, second}), frozenset({tuple(sorted(map(str, session.residuals.index[0])))}))
    )
    panel._select._name.value = "both"
    press(panel, "one-group")
    settle(panel)
    assert views.selected.selection.groups == {"both"}
    assert "1 exposure, both" in panel._select._text.value or "1 group, both" in panel._select._text.value
    source = views.map.sources["members"]
    assert {source.data["group"][k] for k in source.selected.indices} == {"both"}
    panel._select._value.value = "0.25"
    press(panel, "fix-sky")
    settle(panel)
    assert dict(session.params.fixed) == {"both": 0.25}
    session.configure(fixed=None, group_by="chip")
    settle(panel)
    there = set(session.sky.group)
    assert len(views.selected.selection.groups) == 4
    assert views.selected.selection.groups < there
    assert all(set(pair) <= there for pair in views.selected.selection.pairs)
    assert first not in panel._select._text.value.split(", ")


def test_the_selection_can_be_grouped_held_and_left_out(views, panel, session):
    first, second = session.sky.group.unique()[:2]
    members = list(session.members.index)
    views.map.sources["members"].selected.indices = [
        k for k, m in enumerate(members) if session.members.group.iloc[k] in (first, second)
    ]
    panel._select._name.value = "both"
    press(panel, "one-group")
    settle(panel)
    assert set(session.sky.group[session.members.group == "both"]) == {"both"}
    assert len(session.sky.group.unique()) == 5

    views.select(Selection(groups=frozenset({"both"})))
    panel._select._value.value = "0.25"
    press(panel, "fix-sky")
    settle(panel)
    assert dict(session.params.fixed) == {"both": 0.25}
    assert panel._select._value.value == "0.25"
    panel._select._value.value = "much"
    press(panel, "fix-sky")
    assert panel._select._wrong.value.startswith("sky: type a number in ")
    assert dict(session.params.fixed) == {"both": 0.25}
    panel._select._value.value = ""
    press(panel, "fix-sky")
    settle(panel)
    assert session.params.fixed is None
    assert panel.messages.error == ""

    press(panel, "leave-out")
    settle(panel)
    assert session.params.leave_out == ("both",)
    assert session.sky.sky[session.sky.group == "both"].isna().all()
    press(panel, "bring-back")
    assert session.params.leave_out is None
    press(panel, "deselect")
    assert not views.selected.selection
    assert buttons_that_do(panel) == set()
    settle(panel)


def test_the_field_for_a_sky_has_the_present_one_and_names_its_unit(views, panel, session):
    box, first, second = panel._select, *session.sky.group.unique()[:2]
    unit = session.sky.attrs["units"]["sky_data"]
    assert unit not in ("", "data unit")
    views.select(Selection(groups=frozenset({first})))
    assert box._value.placeholder == f"sky in {unit}"
    before = session.sky.sky_data[session.sky.group == first].iloc[0]
    assert float(box._value.value) == pytest.approx(before, rel=1e-5)
    session.configure(skystat="mean")  # follows the solution
    settle(panel)
    now = session.sky.sky_data[session.sky.group == first].iloc[0]
    assert now != pytest.approx(before, rel=1e-5)
    assert float(box._value.value) == pytest.approx(now, rel=1e-5)
    box._value.value = "0.5"  # unless something was typed
    session.configure(skystat="median")
    settle(panel)
    assert box._value.value == "0.5"
    views.select(Selection(groups=frozenset({first, second})))  # which have different skies
    assert box._value.value == ""


@pytest.mark.parametrize("text", ["", "abc", "nan", "inf", "1,5"])
def test_what_is_no_sky_is_told_beside_the_field(views, panel, session, text):
    views.select(Selection(groups=frozenset({session.sky.group.iloc[0]})))
    panel._select._value.value = text
    press(panel, "fix-sky")
    unit = session.sky.attrs["units"]["sky_data"]
    assert panel._select._wrong.value == f"sky: type a number in {unit}"
    assert panel._select._wrong.layout.display == ""
    assert session.params.fixed is None
    assert panel.messages.error == ""
    panel._select._value.value = "0.25"
    assert panel._select._wrong.layout.display == "none"
    press(panel, "fix-sky")
    assert list(session.params.fixed.values()) == [0.25]
    settle(panel)

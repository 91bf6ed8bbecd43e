"""Interactive tables and their selection."""

import sys

import pytest

from skymatch_nb import ParameterError, SkyMatchError


def test_unknown_table_and_missing_package_are_told(session, monkeypatch):
    with pytest.raises(ParameterError, match="no table 'pixels'; there are members"):
        session.show("pixels")
    monkeypatch.setitem(sys.modules, "itables.widget", None)
    with pytest.raises(SkyMatchError, match=r"skymatch_nb\[notebook\]"):
        session.show("sky")


@pytest.mark.parametrize("name", ["members", "masks", "footprints", "overlaps", "sky", "residuals", "applied"])
def test_every_table_is_a_widget_with_all_rows(session, name):
    pytest.importorskip("itables.widget")
    widget = session.show(name)
    assert widget.caption == name
    assert len(widget.df) == len(getattr(session, name))


def test_units_stand_in_the_header(session):
    pytest.importorskip("itables.widget")
    assert "sky (electron / (s arcsec2))" in session.show("sky").df.columns


@pytest.mark.parametrize(("table", "source"), [("overlaps", "overlaps"), ("residuals", "pairs"), ("sky", "members")])
def test_selection_goes_both_ways(session, table, source):
    pytest.importorskip("itables.widget")
    shown = session.show(table, with_map=True)
    widget, sources = shown.table, shown.sources
    assert shown.view.document.roots
    index = sources[source].data.get("index", range(len(session.members)))
    sources[source].selected.indices = [2, 0]
    assert widget.selected_rows == sorted([int(index[2]), int(index[0])])
    widget.selected_rows = [1]
    assert [int(index[k]) for k in sources[source].selected.indices] == [1]
    widget.selected_rows = []
    assert sources[source].selected.indices == []


def test_rows_that_are_selected_are_named(session):
    pytest.importorskip("itables.widget")
    shown = session.show("overlaps", with_map=True)
    assert "Click rows" in shown.children[1].value
    shown.table.selected_rows = [3]
    row = session.overlaps.iloc[3]
    assert f"{row.member_a} – {row.member_b}" in shown.children[1].value


@pytest.mark.parametrize("name", [3, None, ["sky"], "Sky"])
def test_what_is_no_table_is_told(session, name):
    with pytest.raises(ParameterError, match=r"no table .*there are members, masks"):
        session.show(name)

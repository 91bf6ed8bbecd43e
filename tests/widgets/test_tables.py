"""Tables of the panel: the numbers of the session, escaped, with rows that name what they are of."""

import pytest

from skymatch_nb import SkyMatchSession
from skymatch_nb.report_page import table_html
from skymatch_nb.widgets.selection import Selected, Selection
from skymatch_nb.widgets.tables import TABLES, Tables, in_view

from .conftest import settle


def test_nothing_is_computed_for_a_table(session, guard):
    tables = Tables(session, Selected(), guard)
    tables.refresh()
    assert "Nothing is solved yet" in tables.view.html
    assert set(session.status().state) <= {"not run", "not needed"}


@pytest.mark.parametrize("name", TABLES)
def test_it_shows_the_table_of_the_session(session, guard, errors, name):
    session.solve()
    tables = Tables(session, Selected(), guard)
    tables.refresh()
    tables.which.value = name
    table = getattr(session, name)
    shown = in_view(name, table)
    assert tables.view.html == table_html(shown)
    assert shown[table.columns].equals(table)
    assert shown.attrs == table.attrs
    assert errors == []


def test_sky_and_difference_come_right_after_the_names(session):
    assert list(in_view("sky", session.sky).columns[:3]) == ["sky", "sky_err", "status"]
    first = ["member_a", "member_b", "difference", "difference_err"]
    assert list(in_view("overlaps", session.overlaps).columns[:4]) == first


def test_a_table_follows_the_session(panel, session):
    panel.views.tabs.selected_index = 5
    before = panel.views.tables.view.html
    session.configure(skystat="mean")
    settle(panel)
    assert panel.views.tables.view.html == table_html(in_view("sky", session.sky)) != before


@pytest.mark.parametrize("name", TABLES)
def test_rows_are_those_of_the_selection(session, guard, name):
    session.solve()
    selected = Selected()
    tables = Tables(session, selected, guard)
    tables.refresh()
    tables.which.value = name
    tables.view.selected = [2]
    selection = selected.selection
    table = getattr(session, name).iloc[tables.view.selected]
    assert 2 in tables.view.selected
    if name == "residuals":
        assert [tuple(sorted(ends)) for ends in table.index] == list(selection.pairs)
    elif name == "overlaps":
        ends = {tuple(sorted(e)) for e in zip(table.group_a, table.group_b, strict=True)}
        assert ends == selection.pairs
        assert selection.overlap == session.overlaps.index[2]
    else:
        groups = session.members.group
        assert set(table.index) == {m for m in groups.index if groups[m] in selection.groups}
        assert selection.member == getattr(session, name).index[2]
    selected.set(Selection())
    assert tables.view.selected == []


def test_names_of_files_are_escaped(write_image, guard):
    evil = "<img src=x onerror=alert(1)>"
    paths = [write_image(f"{evil}.fits"), write_image("b.fits", ra=10.002, level=7.0)]
    s = SkyMatchSession(paths, skymethod="match", verbose=False)
    s.solve()
    tables = Tables(s, Selected(), guard)
    tables.refresh()
    for name in TABLES:
        tables.which.value = name
        assert evil not in tables.view.html
        assert "&lt;img src=x onerror=alert(1)&gt;" in tables.view.html


def test_a_table_that_cannot_be_made_is_told(session, guard, errors, monkeypatch):
    session.solve()
    tables = Tables(session, Selected(), guard)
    monkeypatch.setattr(type(session), "residuals", property(lambda _: session.configure(group_by="NONE").sky))
    tables.which.value = "residuals"
    assert "NONE" in str(errors[0])
    assert "could not be made" in tables.view.html

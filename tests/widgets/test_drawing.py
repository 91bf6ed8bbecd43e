"""What is drawn on the map becomes regions of the sky, at the place where it was drawn."""

import numpy as np
import pytest

from skymatch_nb.plots.mapdata import footprints_plane
from skymatch_nb.widgets.drawing import Drawing

from .conftest import press, settle


@pytest.fixture
def map_view(panel):
    assert panel.views.map.view.document
    return panel.views


def corners_of(session, x, y):
    plane = footprints_plane(session.fresh_result("footprint"))
    return np.column_stack(plane.radec(np.array(x), np.array(y)))


def drawn_in(views, kind="exclude"):
    return source_named(views, f"regions {kind}").data


def source_named(views, name):
    return next(drawn for drawn in views.map.view.document.roots[0].renderers if drawn.name == name).data_source


def test_a_box_becomes_an_exclude_region_there(map_view, panel, session):
    good = session.masks.good.sum()
    map_view._drawing.boxes.data = {"x": [0.001], "y": [-0.002], "width": [0.004], "height": [0.002]}
    settle(panel)
    (region,) = session.params.exclude_regions
    assert session.params.include_regions is None
    wanted = corners_of(session, [-0.001, 0.003, 0.003, -0.001], [-0.003, -0.003, -0.001, -0.001])
    numbers = [float(n) for n in region[region.index("(") + 1 : region.index(")")].split(",")]
    assert np.allclose(np.reshape(numbers, (-1, 2)), wanted, atol=1e-6)
    assert session.masks.good.sum() < good
    assert map_view._drawing.boxes.data["x"] == []
    xs, ys = (np.array(drawn_in(map_view)[c][0]) for c in ("xs", "ys"))
    assert np.allclose([xs.min(), xs.max(), ys.min(), ys.max()], [-0.001, 0.003, -0.003, -0.001], atol=1e-5)


def test_a_polygon_becomes_an_include_region_where_that_is_chosen(map_view, panel, session):
    panel._regions.draw_as.value = "include"
    map_view._drawing.polygons.data = {"xs": [[0.0, 0.003]], "ys": [[0.0, 0.0]]}
    map_view._drawing.polygons.data = {"xs": [[0.0, 0.003, 0.001]], "ys": [[0.0, 0.0, 0.001]]}
    assert session.params.include_regions is None  # it is not finished
    map_view._drawing.polygons.data = {"xs": [[0.0, 0.003, 0.0]], "ys": [[0.0, 0.0, 0.003]]}
    settle(panel)
    assert len(session.params.include_regions) == 1
    assert session.params.exclude_regions is None
    assert map_view._drawing.polygons.data["xs"] == []
    assert len(drawn_in(map_view, "include")["xs"]) == 1
    assert drawn_in(map_view)["xs"] == []
    press(panel, "clear")
    settle(panel)
    assert session.params.include_regions is None
    assert drawn_in(map_view, "include")["xs"] == []


def test_regions_that_code_makes_are_shown(map_view, panel, session):
    session.exclude(corners_of(session, [0.0, 0.002, 0.002], [0.0, 0.0, 0.002]))
    settle(panel)
    assert len(drawn_in(map_view)["xs"]) == 1


def test_the_last_region_is_taken_away_alone(map_view, panel, session):
    buttons = {"remove": panel._regions._last, "clear": panel._regions._all}
    assert all(button.disabled for button in buttons.values())
    for kind, x in (("exclude", 0.0), ("include", 0.001), ("exclude", 0.002)):
        panel._regions.draw_as.value = kind
        map_view._drawing.boxes.data = {"x": [x], "y": [0.0], "width": [0.001], "height": [0.001]}
        settle(panel)
    first = session.params.exclude_regions[0]
    left = []
    for _ in range(3):
        press(panel, "remove")
        settle(panel)
        left.append((session.params.exclude_regions, session.params.include_regions is not None))
    assert left == [((first,), True), ((first,), False), (None, False)]
    assert all(button.disabled for button in buttons.values())


def test_the_map_tells_excluded_from_included_regions(map_view, panel, session):
    assert not legend_of(map_view).visible
    session.exclude(corners_of(session, [0.0, 0.002, 0.002], [0.0, 0.0, 0.002]))
    assert [item.name for item in legend_of(map_view).items if item.visible] == ["exclude"]
    session.include(corners_of(session, [0.0, 0.004, 0.004], [0.0, 0.0, 0.004]))
    settle(panel)
    assert legend_of(map_view).visible
    assert all(item.visible for item in legend_of(map_view).items)
    for kind in ("exclude", "include"):
        assert len(source_named(map_view, f"regions {kind}").data["xs"]) == 1
    session.clear_regions()
    settle(panel)
    assert not legend_of(map_view).visible


def legend_of(views):
    return next(part for part in views.map.view.document.roots[0].below if part.name == "key regions")


def test_the_hint_tells_how_the_tool_in_use_is_used(map_view, panel):
    tool, hint = map_view._drawing.tool, panel._regions.hint
    assert "Tap" in hint.value
    tool.data = {"tool": ["draw box"]}
    assert "Shift" in hint.value
    assert "become bad" in hint.value
    panel._regions.draw_as.value = "include"
    assert "all that is used" in hint.value
    tool.data = {"tool": ["draw polygon"]}
    assert "Esc" in hint.value
    tool.data = {"tool": ["tap"]}
    assert "Tap" in hint.value


def test_a_map_made_anew_opens_with_the_tool_in_use(map_view, panel, session):
    def opens_with():
        toolbar = map_view.map.view.document.roots[0].toolbar
        return getattr(toolbar.active_multi, "name", toolbar.active_multi)

    assert opens_with() == "auto"
    for tool in ("draw polygon", "draw box"):
        map_view._drawing.tool.data = {"tool": [tool]}
        map_view.map.view.renew()
        assert opens_with() == tool
        assert panel._regions.hint.value.startswith("<small><b>Draw")
    map_view._drawing.tool.data = {"tool": ["tap"]}
    map_view.map.view.renew()
    assert opens_with() == "auto"


def test_no_tool_is_in_use_where_there_is_no_map(map_view, panel, monkeypatch):
    map_view._drawing.tool.data = {"tool": ["draw box"]}
    monkeypatch.setattr(map_view, "_has", lambda *_: False)
    map_view.map.view.renew()
    assert map_view.map.view.document.roots[0].name == "empty"
    assert "Tap" in panel._regions.hint.value
    assert map_view._drawing.plane is None


def test_empty_boxes_and_drawing_before_there_is_a_map_are_ignored():
    drawn = []
    drawing = Drawing(drawn.append)
    drawing.boxes.data = {"x": [0.0], "y": [0.0], "width": [0.1], "height": [0.1]}
    drawing.boxes.data = {"x": [0.0], "y": [0.0], "width": [0.0], "height": [0.1]}
    assert drawn == []

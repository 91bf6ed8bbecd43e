"""Panel and session are one: changes go both ways without echo, results show, errors stay with the last good result."""

import shutil
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from bokeh.models import FixedTicker, Legend, LinearColorMapper, Range1d, Title
from bokeh.plotting import figure

from skymatch_nb import SkyMatchSession
from skymatch_nb.params import specs
from skymatch_nb.plots.preview import UNSEEN
from skymatch_nb.plots.rows import names_at
from skymatch_nb.plots.sources import Sources
from skymatch_nb.widgets.fit import COLUMN, fit
from skymatch_nb.widgets.panel import Panel
from skymatch_nb.widgets.selection import Selection
from skymatch_nb.widgets.views import CELLS, TABS

from .conftest import given, press, settle, within


def told_of(model):
    """What a figure says: texts in the order of their parts, ranges, and the data of its marks."""
    plots = list(model.select({"type": figure}))
    texts = [[plot.title.text, *(part.text for part in plot.below if isinstance(part, Title) and part.visible)]
             for plot in plots]  # fmt: skip
    keys = [[item.label.value for item in legend.items] for legend in model.select({"type": Legend})]
    names = [names_at(axis) for plot in plots for axis in plot.yaxis]
    ranges = [(r.start, r.end) for plot in plots for r in (plot.x_range, plot.y_range) if isinstance(r, Range1d)]
    ticks = [list(t.ticks) for t in model.select({"type": FixedTicker})]
    heights = [plot.frame_height for plot in plots]
    mappers = [(m.low, m.high) for m in model.select({"type": LinearColorMapper})]
    data = {
        f"{plot.name} {renderer.name} {k}": {
            c: str([np.asarray(part).tolist() for part in v]) for c, v in renderer.data_source.data.items()
        }
        for plot in plots
        for k, renderer in enumerate(plot.renderers)
    }
    return {"texts": sorted(texts), "keys": sorted(keys), "names": sorted(map(str, names)), "ranges": sorted(ranges),
            "mappers": sorted(mappers), "data": data, "ticks": sorted(ticks), "heights": sorted(heights)}  # fmt: skip


@pytest.fixture
def configured(session, monkeypatch):
    """Every call of ``configure``, in order."""
    calls = []
    configure = SkyMatchSession.configure

    def kept(self, **params):
        calls.append(params)
        return configure(self, **params)

    monkeypatch.setattr(SkyMatchSession, "configure", kept)
    return calls


def steps_titles(panel):
    return [panel._steps.get_title(k) for k in range(5)]


def test_a_control_configures_the_session_once_and_results_follow(panel, session, configured, mosaic):
    before = session.sky
    given(panel.form.controls["lsigma"]._field, value="1.5")
    settle(panel)
    assert configured == [{"lsigma": 1.5}]
    assert session.params.lsigma == 1.5
    alone = SkyMatchSession(mosaic.paths, skymethod="match", skystat="median", lsigma=1.5, verbose=False)
    assert session.fresh_result("solve") is not None
    assert session.sky.equals(alone.sky)
    assert not session.sky.equals(before)
    skystat = panel.form.controls["skystat"].input
    given(skystat, index=skystat.options.index("mean"))
    panel.form.controls["lsigma"].reset()
    settle(panel)
    assert configured[1:] == [{"skystat": "mean"}, {"lsigma": 4.0}]


def test_a_change_in_code_shows_and_is_not_echoed(panel, session, configured):
    session.configure(nclip=2, skymethod="localmin", lower="-3 sigma", mask_sources=None, dq_bits=4)
    settle(panel)
    assert len(configured) == 1
    controls = panel.form.controls
    assert controls["nclip"]._slider.value == 2
    assert controls["skymethod"].input.value == "localmin"
    assert (controls["lower"]._on.value, controls["lower"]._field.value) == (True, "-3 sigma")
    assert controls["nclip"]._reset.layout.visibility == "visible"
    assert session.fresh_result("solve") is not None


def test_every_parameter_can_be_changed_and_reset(mosaic):
    s = SkyMatchSession(mosaic.paths)
    panel = s.panel(run=False)
    panel._live.value = False
    texts = {"group_by": "chip", "reference": mosaic.paths[0].name, "fixed": f"{mosaic.paths[0].name}=0.5"}
    texts |= {"leave_out": mosaic.paths[1].name, "exclude_regions": 'icrs; circle(10, 20, 3")', "wcs_key": "A"}
    texts |= {"include_regions": 'icrs; circle(10, 20, 3")', "units_kwd": "UNIT", "invsens_kwd": "PHOTFLAM"}
    texts |= {"skyuser_kwd": "MYSKY", "logfile": str(mosaic.paths[0].parent / "log.txt"), "dq_bits": "4+8"}
    texts |= {"lower": "1", "upper": "100", "mask_sources": "3", "min_overlap_pixels": "7"}
    texts |= {"binwidth": "0.2", "min_overlap_fraction": "0.5"}
    for parameter in specs():
        control = panel.form.controls[parameter.name]
        before = getattr(s.params, parameter.name)
        if parameter.kind == "choice":
            given(control.input, index=len(control.input.options) - 1 - control.input.index)
        elif parameter.kind == "flag":
            given(control.input, value=not before)
        else:
            field = control.input if hasattr(control.input, "continuous_update") else control._field
            given(field, value=texts.get(parameter.name, "2"))
        assert control._error.value == "", parameter.name
        assert getattr(s.params, parameter.name) != before, parameter.name
        assert control._reset.layout.visibility == "visible", parameter.name
        control._reset.click()
        assert getattr(s.params, parameter.name) == parameter.default, parameter.name
    assert panel.messages.error == ""


def test_bad_values_are_explained_and_the_last_good_result_stays(panel, session):
    sky = session.sky
    control = panel.form.controls["lsigma"]
    given(control._field, value="-2")
    settle(panel)
    assert "greater than 0" in control._error.value
    assert control._field.value == "-2.0"
    assert session.params.lsigma == 4.0
    assert session.sky.equals(sky)
    assert steps_titles(panel)[3].startswith("✓ 4 Solve · fresh · ⚠ 1 bad value")
    given(panel.form.controls["nclip"]._field, value="3")  # another change leaves what was typed
    assert steps_titles(panel)[3].endswith(" changed")
    assert control._field.value == "-2.0"
    given(control._field, value="2")
    assert control._error.value == ""
    settle(panel)
    assert session.params.lsigma == 2.0
    assert "bad value" not in " ".join(steps_titles(panel))


def test_a_step_that_fails_is_named_and_the_figures_stay(panel, session):
    document = panel.views.map.view.document
    levels = list(panel.views.map.sources["members"].data["sky"])
    session.configure(reference="nobody")
    settle(panel)
    assert "nobody" in panel.messages.error
    assert "nobody" in panel.messages.box.value
    assert steps_titles(panel)[3].startswith("✗ 4 Solve · failed")
    assert "nobody" in panel.form.controls["reference"]._error.value
    assert panel.views.map.view.document is document
    assert panel.views.map.sources["members"].data["sky"] == levels
    shown = panel._shown.widget
    told = (
        "; what figures still show is the last good result, of 12 members with match, median. Changed since: reference."
    )
    assert shown.value.endswith(told)
    assert shown.layout.display == ""
    session.configure(reference=None)
    settle(panel)
    assert shown.layout.display == "none"
    assert panel.messages.error == ""
    assert steps_titles(panel)[3].startswith("✓ 4 Solve · fresh")


def test_a_new_statistic_sends_only_what_is_new(panel, session):
    panel.views.tabs.selected_index = 1
    shown = [panel.views.map, panel.views.figures["Residuals"]]
    documents = [linked.view.document for linked in shown]
    sent = []
    for linked in shown:
        linked.view.send = lambda content, *_: sent.append(content)
    session.configure(skystat="mean")
    settle(panel)
    assert [linked.view.document for linked in shown] == documents
    assert {content["kind"] for content in sent} == {"patch"}
    assert not any('"xs"' in content["patch"] for content in sent)
    assert panel.views.map.sources["members"].data["sky"] == session.sky.sky.tolist()
    residuals = panel.views.figures["Residuals"].sources["pairs"].data
    order = [int(k) for k in residuals["index"]]
    assert residuals["before"].tolist() == session.residuals.before.iloc[order].tolist()
    assert f"{len(order)} pairs" in documents[1].roots[0].children[0][0].title.text


def test_figures_that_are_renewed_are_as_those_made_anew(panel, session, mosaic):
    for name in ("Residuals", "Graph", "Sky"):
        panel.views.tabs.selected_index = ("Sky", "Residuals", "Graph").index(name)
        linked = panel.views.figures[name]
        assert linked.view.document
        session.configure(skystat={"Residuals": "mean", "Graph": "mode", "Sky": "midpt"}[name])
        settle(panel)
        source = "groups" if name == "Sky" else "pairs"
        shown = linked.sources[source].data
        fresh = Panel(session, run=False).views.figures[name]
        assert fresh.view.document
        made = fresh.sources[source].data
        assert {c: list(map(str, v)) for c, v in shown.items()} == {c: list(map(str, v)) for c, v in made.items()}


@pytest.mark.parametrize("name", ["Sky", "Residuals", "Graph", "Samples", "Preview"])
def test_no_view_is_made_anew_for_a_statistic_or_weights(panel, session, name):
    """Whatever the order of pulls; and the figure is then the one that would be made, texts, ranges and data."""
    panel.views.select(Selection(pairs=frozenset({tuple(sorted(map(str, session.residuals.index[0])))})))
    panel.views.tabs.selected_index = TABS.index(name)
    settle(panel)
    linked = panel.views.figures[name]
    document, sent, orders = linked.view.document, [], set()
    linked.view.send = lambda content, *_: sent.append(content)
    changes = [{"skystat": stat} for stat in ("mean", "midpt", "mode")]
    for change in (*changes, {"weighting": "uniform"}, {"nclip": 1, "lsigma": 2.0}):
        session.configure(**change)
        settle(panel)
        assert linked.view.document is document
        assert {content["kind"] for content in sent} <= {"patch"}
        assert len(sent) <= 1 or name == "Samples"  # all in one message
        sent.clear()
        if name == "Residuals":
            orders.add(tuple(linked.sources["pairs"].data["pair"]))
        made = session.plot_preview(size=CELLS) if name == "Preview" else linked._draw("light", Sources())
        told, wanted = told_of(linked.view.shown), told_of(fit(made, COLUMN))
        if name == "Preview":
            for ends, new in zip(told.pop("mappers"), wanted.pop("mappers"), strict=True):
                assert ends == pytest.approx(new, abs=UNSEEN * (new[1] - new[0]))
        assert told == wanted
    assert name != "Residuals" or len(orders) > 1


@pytest.mark.parametrize("name", ["map", "Sky", "Residuals", "Graph", "Samples", "Preview"])
def test_other_groups_are_shown_as_in_a_figure_made_anew(panel, session, name):
    """Rows, their names and ranges: for other groups, a named one, one left out, and as it was."""
    first, second = map(str, session.members.index[[0, 2]])
    panel.views.select(Selection(pairs=frozenset({tuple(sorted(map(str, session.residuals.index[0])))})))
    linked = panel.views.map if name == "map" else panel.views.figures[name]
    if name != "map":
        panel.views.tabs.selected_index = TABS.index(name)
    assert linked.view.document
    settle(panel)
    out = session.members.group.iloc[0]
    names = set()
    for change in (
        lambda: session.configure(group_by="chip"),
        lambda: session.configure(group_by="exposure"),
        lambda: session.regroup({first: "G", second: "G"}),
        lambda: session.configure(group_by="exposure", leave_out=[out]),
        lambda: session.configure(leave_out=None),
    ):
        change()
        settle(panel)
        assert panel.messages.error == ""
        shown = linked.view.document.roots[0]
        made = session.plot_preview(size=CELLS) if name == "Preview" else linked._draw("light", Sources())
        told, wanted = told_of(shown), told_of(fit(made, COLUMN))
        assert told == wanted
        names.add(str(told["names"]))
    assert name not in ("Sky", "Residuals") or len(names) == 4


def test_views_that_nobody_looks_at_are_not_drawn(panel, session):
    session.configure(skystat="mean")
    settle(panel)
    assert panel.views.figures["Residuals"].stale
    panel.views.tabs.selected_index = 1
    assert not panel.views.figures["Residuals"].stale


def test_the_fill_that_a_user_chose_stays(panel, session):
    plot = panel.views.map.view.document.roots[0]
    plot.elements[0].elements[0].children[-1].value = "group"
    session.configure(skystat="mean")
    settle(panel)
    data = panel.views.map.sources["members"].data
    assert data["fill"] == data["by_group"]


def test_reading_tells_files_and_can_be_cancelled(session, monkeypatch):
    panel = session.panel(run=False)
    go, reading, told = threading.Event(), threading.Event(), []
    from skymatch_nb.steps import load

    opened = load.open_members

    def slow(*given):
        reading.set()
        go.wait(20)
        return opened(*given)

    monkeypatch.setattr(load, "open_members", slow)
    progress = panel.messages.progress
    panel.worker._tell = lambda *p: (told.append(p), progress(*p))
    press(panel, "solve")
    assert reading.wait(20)
    assert "load: 0 of 6" in panel.messages._status.value
    for _ in range(100):
        if not panel._cancel.disabled:
            break
        time.sleep(0.05)
    press(panel, "cancel")
    assert panel.messages._status.value == "cancelling ..."
    assert panel._cancel.disabled
    go.set()
    settle(panel)
    assert panel.messages._status.value == "cancelled"
    assert panel.messages.error == ""
    assert panel.messages._progress.layout.display == "none"
    assert session.fresh_result("load") is None
    assert [p for p in told if p[2] == "load"] == [(0, 6, "load")]
    press(panel, "solve")
    settle(panel)
    assert session.fresh_result("solve") is not None
    assert (6, 6, "load") in told
    assert (12, 12, "sample") in told


def until(true):
    end = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_what_is_asked_for_while_something_is_cancelled_can_be_cancelled_too(panel):
    first, second = threading.Event(), threading.Event()

    def task(go):
        go.wait(20)
        panel.worker.progress(0, 0, "read")

    panel.worker.request(lambda: task(first))
    until(lambda: not panel._cancel.disabled)
    press(panel, "cancel")
    panel.worker.request(lambda: task(second))
    assert panel._cancel.disabled
    first.set()
    until(lambda: not panel._cancel.disabled)
    press(panel, "cancel")
    second.set()
    settle(panel)
    assert panel.messages._status.value == "cancelled"
    assert panel._cancel.disabled


def test_a_cancel_that_came_too_late_is_told(panel):
    go = threading.Event()
    panel.worker.request(lambda: go.wait(20))
    until(lambda: not panel._cancel.disabled)
    press(panel, "cancel")
    assert panel.messages._status.value == "cancelling ..."
    go.set()
    settle(panel)
    assert panel.messages._status.value == "done before it could be cancelled"


def test_broken_files_are_told_and_other_input_helps(panel, session, mosaic, tmp_path):
    broken = tmp_path / "broken.fits"
    broken.write_bytes(b"no FITS file")
    panel._chooser.field.value = f"{mosaic.paths[0]}, {broken}"
    press(panel, "load")
    settle(panel)
    assert "broken.fits" in panel.messages.error
    assert steps_titles(panel)[0].startswith("✗ 1 Load · failed")
    panel._chooser.field.value = str(tmp_path / "none.fits")
    press(panel, "load")
    assert "none.fits" in panel.messages.error
    panel._chooser.field.value = ", ".join(map(str, mosaic.paths[:2]))
    press(panel, "load")
    settle(panel)
    assert panel.messages.error == ""
    assert len(session.sky) == 4


def test_warnings_are_shown(write_image):
    paths = [write_image("a.fits"), write_image("b.fits", ra=10.002), write_image("far.fits", ra=11.0)]
    panel = SkyMatchSession(paths, skymethod="match", verbose=False).panel()
    settle(panel)
    assert panel.session.notes
    assert all(note.split("<")[0][:30] in panel.messages.box.value for note in panel.session.notes)


def test_without_live_nothing_is_solved_until_it_is_asked_for(panel, session):
    panel._live.value = False
    session.configure(skystat="mean")
    settle(panel)
    assert session.fresh_result("solve") is None
    assert "stale" in steps_titles(panel)[3]
    assert panel._shown.widget.value.endswith("with match, median. Changed since: skystat.")
    session.set_inputs(session.inputs[:2])
    assert panel._shown.widget.value.endswith("of 12 members with match, median. Changed since: inputs, skystat.")
    assert panel._shown.widget.layout.display == ""
    press(panel, "solve")
    settle(panel)
    assert panel._shown.widget.layout.display == "none"
    assert session.fresh_result("solve") is not None


@pytest.fixture
def writable_folder(mosaic, tmp_path):
    """A folder with copies of two exposures, and these."""
    folder = tmp_path / "exposures"
    folder.mkdir()
    return folder, [Path(shutil.copy(path, folder)) for path in mosaic.paths[:2]]


def test_the_chooser_lists_fits_files_and_quotes_their_names(panel, tmp_path):
    (tmp_path / "sub").mkdir()
    fits.PrimaryHDU().writeto(tmp_path / "a, b.fits")
    (tmp_path / "notes.txt").write_text("")
    chooser = panel._chooser
    chooser._folder = tmp_path
    chooser._fill()
    assert chooser._list.options == ("../", "sub/", "a, b.fits")
    chooser._list.value = ("a, b.fits",)
    assert chooser.field.value == f"'{tmp_path}/a, b.fits'"
    chooser._list.value = ("sub/",)
    assert chooser._folder == tmp_path / "sub"
    assert chooser._list.options == ("../",)


def test_the_chooser_starts_at_the_inputs_and_lists_again_when_it_is_unfolded(writable_folder):
    folder, paths = writable_folder
    panel = SkyMatchSession(paths, verbose=False).panel(run=False)
    browse = next(w for w in within(panel) if "skymatch-browse" in w._dom_classes)
    given(browse, selected_index=0)
    assert panel._chooser._place.value == f"<small>{folder}</small>"
    names = [path.name for path in paths]
    assert panel._chooser._list.options == ("../", *names)
    given(panel._chooser._list, index=[1])
    (folder / "later").mkdir()
    given(browse, selected_index=None)
    given(browse, selected_index=0)
    assert panel._chooser._list.options == ("../", "later/", *names)
    assert panel._chooser.field.value == str(paths[0])


def test_faults_in_figures_callbacks_are_shown(panel, monkeypatch):
    view = panel.views.map.view
    assert view.document
    monkeypatch.setattr(panel.views, "_selection_changed", lambda: None)
    panel.views.selected.watchers.append(lambda _: 1 / 0)
    patch = '{"events": [{"kind": "ModelChanged", "model": {"id": "%s"}, "attr": "indices", "new": [0]}]}'
    source = panel.views.map.sources["members"]
    view._handle_custom_msg(
        {"kind": "patch", "origin": "page", "root": view.shown.id, "patch": patch % source.selected.id}, []
    )
    assert "ZeroDivisionError" in panel.messages.error


@pytest.mark.parametrize("name", ["Sky", "Residuals", "Graph"])
def test_views_are_made_anew_for_other_inputs(panel, mosaic, name):
    """Also those that were hidden when the inputs came."""
    settle(panel)
    linked = panel.views.figures[name]
    panel.views.tabs.selected_index = TABS.index(name)
    linked.view.document  # noqa: B018  as a page asks for it
    panel.views.tabs.selected_index = TABS.index("Tables")
    panel.session.set_inputs([str(path) for path in mosaic.paths[:2]])
    settle(panel)
    panel.views.tabs.selected_index = TABS.index(name)
    settle(panel)
    shown, fresh = told_of(linked.view.document.roots[0]), told_of(fit(linked._draw("light", Sources()), COLUMN))
    for what in ("texts", "keys", "names", "ranges"):
        assert shown[what] == fresh[what]

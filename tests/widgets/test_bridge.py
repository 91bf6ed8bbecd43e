"""A figure as a widget: fresh for every view, only changes sent, and errors told on both sides."""

import json
import threading

import numpy as np
import pytest
from bokeh.models import ColumnDataSource
from bokeh.plotting import figure

from skymatch_nb.widgets.bridge import FigureView

from .conftest import message


class Shown:
    """A figure of a number that can be changed, and what its widget sends."""

    def __init__(self, monkeypatch, renew=None, failed=None):
        self.number, self.sent, self.buffers, self.darks = 1, [], [], []
        self.asked = 0
        self.source = ColumnDataSource({"x": [1]}, name="numbers")
        self.view = FigureView(self.make, renew, failed)
        monkeypatch.setattr(self.view, "send", self.send)

    def send(self, content, buffers=()):
        self.sent.append(content)
        self.buffers.append(list(buffers))

    def make(self, dark):
        self.darks.append(dark)
        plot = figure(title=str(self.number))
        plot.scatter("x", "x", source=self.source)
        return plot

    def ask(self, dark=False):
        self.asked += 1
        message(self.view, {"kind": "document", "to": f"{self.asked}", "dark": dark, "width": 500})
        return json.loads(next(content["document"] for content in reversed(self.sent) if "document" in content))


def test_every_view_is_given_the_present_figure(monkeypatch):
    shown = Shown(monkeypatch)
    assert shown.view.shown is None
    assert json.dumps(shown.ask()["roots"]).count('"text": "1"') == 1
    shown.number = 2
    shown.view.refresh()
    assert [m["kind"] for m in shown.sent[1:]] == ["patch"]
    assert '"new": "2"' in shown.sent[1]["patch"]
    assert json.dumps(shown.ask()["roots"]).count('"text": "2"') == 1
    assert shown.view.width == 500


def test_a_dark_page_is_given_a_dark_figure(monkeypatch):
    shown = Shown(monkeypatch)
    shown.ask()
    shown.ask(dark=True)
    assert shown.darks == [False, True]
    assert shown.view.dark


def test_data_are_renewed_without_a_new_figure(monkeypatch):
    def renew(plot, dark):
        shown.source.data = {"x": [2]}
        return True

    shown = Shown(monkeypatch, renew)
    shown.ask()
    shown.view.refresh()
    assert len(shown.darks) == 1
    (event,) = json.loads(shown.sent[-1]["patch"])["events"]
    assert (event["kind"], event["attr"]) == ("ColumnDataChanged", "data")


def test_changes_that_are_held_are_one_message_with_the_last_values(monkeypatch):
    shown = Shown(monkeypatch)
    shown.ask()
    with shown.view.holding():
        shown.view.shown.title.text = "first"
        shown.source.data = {"x": [3]}
        shown.view.shown.title.text = "last"
        assert len(shown.sent) == 1
    text, data = json.loads(shown.sent[1]["patch"])["events"]
    assert len(shown.sent) == 2
    assert text["new"] == "last"
    assert data["kind"] == "ColumnDataChanged"
    with shown.view.holding():
        shown.view.shown.title.text = "in a figure that is gone"
        shown.view.renew()
    assert [m["kind"] for m in shown.sent[2:]] == ["renew"]


def test_arrays_are_sent_beside_the_message_as_they_are(monkeypatch):
    """A page reads them by the names that stand in their place, in documents as in patches."""
    values, others = np.linspace(0, 1, 5), np.arange(4, dtype=np.float32)
    shown = Shown(monkeypatch)
    shown.source.data = {"x": values}
    for sent, wanted in ((lambda: shown.ask(), values), (lambda: shown.source.data.update(x=others), others)):
        sent()
        (name,), (array,) = shown.sent[-1]["buffers"], shown.buffers[-1]
        assert f'{{"type": "bytes", "data": {{"id": "{name}"}}}}' in shown.sent[-1][shown.sent[-1]["kind"]]
        assert np.array_equal(np.frombuffer(array, wanted.dtype), wanted)


def test_a_page_that_asks_meanwhile_is_not_told_twice(monkeypatch):
    shown = Shown(monkeypatch)
    shown.ask()
    with shown.view.holding():
        shown.view.shown.title.text = "new"
        assert '"text": "new"' in json.dumps(shown.ask()["roots"])
    assert [m["kind"] for m in shown.sent] == ["document", "patch", "document"]


def test_another_structure_is_asked_for_anew(monkeypatch):
    shown = Shown(monkeypatch, lambda *_: False)
    shown.ask()
    shown.make = shown.view._make = lambda dark: figure(title="bare")
    shown.view.refresh()
    assert shown.sent[-1] == {"kind": "renew"}


def test_other_numbers_of_rows_are_a_new_figure(monkeypatch):
    """Nothing of them is sent to the figure that is shown."""

    def make(dark):
        shown.source.data = {"x": [1, 2, 3]}
        return Shown.make(shown, dark)

    shown = Shown(monkeypatch, lambda *_: False)
    shown.ask()
    shown.view._make = make
    shown.view.refresh()
    assert [m["kind"] for m in shown.sent[1:]] == ["renew"]


def test_what_the_page_selects_is_known_here(monkeypatch):
    shown = Shown(monkeypatch)
    shown.ask()
    chosen = []
    shown.source.selected.on_change("indices", lambda _a, _o, new: chosen.append(new))
    patch = {
        "events": [{"kind": "ModelChanged", "model": {"id": shown.source.selected.id}, "attr": "indices", "new": [0]}]
    }
    content = {"kind": "patch", "origin": "page", "root": shown.view.shown.id, "patch": json.dumps(patch)}
    message(shown.view, content)
    assert chosen == [[0]]
    assert shown.sent[-1]["origin"] == "page"  # so that the page that made it does not take it twice


def test_what_a_page_says_of_an_earlier_figure_is_not_taken(monkeypatch):
    failures = []
    shown = Shown(monkeypatch, failed=failures.append)
    shown.ask()
    patch = {"events": [{"kind": "ModelChanged", "model": {"id": shown.view.shown.id}, "attr": "tags", "new": ["old"]}]}
    content = {"kind": "patch", "origin": "page", "root": shown.view.shown.id, "patch": json.dumps(patch)}
    shown.view.renew()
    message(shown.view, content)  # nobody has asked for the new one yet
    shown.ask()
    message(shown.view, content)
    assert shown.view.shown.tags == []
    assert failures == []


@pytest.mark.parametrize("content", [{"kind": "document", "to": "7"}, {"kind": "patch", "origin": "x", "patch": "{"}])
def test_faults_are_told_to_the_page_and_reported(monkeypatch, content):
    failures = []
    shown = Shown(monkeypatch, failed=failures.append)
    assert shown.view.document
    message(shown.view, content | {"root": shown.view.shown.id})
    assert len(failures) == 1
    assert shown.sent[-1]["kind"] == "error"
    assert shown.sent[-1]["to"] == content.get("to")


def test_what_another_thread_changes_while_a_figure_is_sent_is_sent_after_it(monkeypatch):
    """Notebooks answer each widget in a thread of its own; a page would not know yet what the change is of."""
    shown = Shown(monkeypatch)
    shown.ask()
    threads = []

    def send(content, buffers=()):
        if content["kind"] == "document":
            threads.append(threading.Thread(target=lambda: shown.source.selected.update(indices=[0])))
            threads[0].start()
            threads[0].join(0.3)
        shown.send(content, buffers)

    monkeypatch.setattr(shown.view, "send", send)
    shown.ask()
    threads[0].join()
    assert [content["kind"] for content in shown.sent] == ["document", "document", "patch"]


def test_a_question_that_is_put_again_is_answered_with_the_same_figure(monkeypatch):
    """The first answer may have come after all."""
    shown = Shown(monkeypatch)
    for _ in range(2):
        message(shown.view, {"kind": "document", "to": "x", "dark": False, "width": 500, "fit": True, "origin": "o"})
    documents = [json.loads(content["document"]) for content in shown.sent if content["kind"] == "document"]
    assert documents[0]["roots"][0]["id"] == documents[1]["roots"][0]["id"]
    assert [content["kind"] for content in shown.sent] == ["document", "renew", "document"]
    assert shown.darks == [False]

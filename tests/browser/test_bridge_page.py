"""The page's side of a figure, in Chromium without a kernel: what it keeps of figures that were made anew."""

import json
from pathlib import Path

from bokeh import __version__ as version
from bokeh.document import Document
from bokeh.models import ColumnDataSource
from bokeh.plotting import figure

import skymatch_nb.widgets.bridge as bridge

WIDGET = """
  const { default: widget } = await import(URL.createObjectURL(new Blob([code], { type: "text/javascript" })));
  const heard = new Set(), tell = (content) => [...heard].forEach((hear) => hear(content));
  const model = { get: () => version, on: (_, hear) => heard.add(hear), off: (_, hear) => heard.delete(hear) };
  model.send = ({ kind, to }) => setTimeout(() => {
    if (kind === "bokehjs") tell({ to, sources });
    if (kind !== "document") return;
    tell({ to, document: documents.length > 1 ? documents.shift() : documents[0], width: 500 });
    answered?.();
  }, delay());
  const el = document.body.appendChild(document.createElement("div"));
  const end = widget.render({ model, el });
  const wait = (time) => new Promise((resolve) => setTimeout(resolve, time));
  while (!el.querySelector(".bk-Figure")) await wait(20);
  await wait(500);
"""
"""A widget whose kernel answers with the first of some documents, and from then on with the next ones."""

RUN = f"""async ([code, sources, documents, version]) => {{
  const delay = () => Math.random() * 3, answered = null;
  {WIDGET}
  const kept = () => [Bokeh.documents.length, [...Bokeh.index].length, el.querySelectorAll(".bk-Figure").length];
  const before = kept();
  for (let k = 0; k < 12; k++) {{ tell({{ kind: "renew" }}); await wait(k % 4); }}
  await wait(1500);
  const after = kept();
  end();
  await wait(100);
  return [before, after, kept()];
}}"""

PATCH = f"""async ([code, sources, documents, version, later, root, patch]) => {{
  let told = null, next = [];
  const delay = () => 0, answered = () => next.shift()?.();
  {WIDGET}
  const add = Bokeh.embed.add_document_standalone;
  const slow = {{ add_document_standalone: async (...all) => {{ await wait(50); return add(...all); }} }};
  window.Bokeh = Object.create(Bokeh, {{ embed: {{ value: slow }} }});
  const figures = () => Bokeh.documents.map((one) => one.roots()[0].id);
  documents.splice(0, 1, ...later);
  next = [
    () => setTimeout(() => tell({{ kind: "renew" }}), 0),
    () => setTimeout(() => {{ told = figures(); tell({{ kind: "patch", origin: null, root, patch }}); }}, 0),
  ];
  tell({{ kind: "renew" }});
  await wait(1500);
  return [told, figures(), Bokeh.documents[0].get_model_by_name("points").selected.indices];
}}"""
"""A change that is told right after its figure, which comes while the one before is being built: that takes a while."""


LOST = f"""async ([code, sources, documents, version]) => {{
  let lost = true;
  const delay = () => 0, answered = null, began = performance.now();
  {WIDGET}
  return (performance.now() - began) / 1000;
}}""".replace("setTimeout(() => {", "kind === 'document' && lost ? (lost = false) : setTimeout(() => {", 1)
"""Seconds until a figure is shown where the kernel does not hear the first question for it."""

UNKNOWN = f"""async ([code, sources, documents, version, later, root]) => {{
  let asked = 0;
  const delay = () => 0, answered = () => {{ asked++; }};
  {WIDGET}
  const first = Bokeh.documents[0].roots()[0].id, counts = [asked];
  documents.splice(0, 1, later);
  for (const of of [root, root, first]) {{
    tell({{ kind: "patch", origin: null, root: of, patch: '{{"events": []}}' }});
    await wait(500);
    counts.push(asked);
  }}
  return [counts.map((count) => count - counts[0]), Bokeh.documents.map((one) => one.roots()[0].id)];
}}"""
"""Changes of a figure that the page has not heard of, of the one that it shows then, and of the one before."""


def made():
    """A document with a figure that takes a moment to be built."""
    plot = figure(width=300, height=300)
    for k in range(30):
        plot.line([0, 1], [k, k])
    plot.scatter("x", "y", source=ColumnDataSource({"x": [1, 2, 3], "y": [1, 2, 3]}, name="points"))
    document = Document()
    document.add_root(plot)
    return document


def as_text(document):
    return json.dumps(document.to_json(deferred=False))


def code_of_the_page():
    return Path(bridge.__file__).with_name("bridge.js").read_text(encoding="utf-8")


def test_figures_asked_for_again_while_they_are_built_leave_nothing(page):
    """One document and its view, however fast figures are made anew, and none when the widget is closed."""
    page.goto("about:blank")
    given = [code_of_the_page(), bridge._bokeh_sources(), [as_text(made())], version]
    before, after, ended = page.evaluate(RUN, given)
    assert before[0] == 1
    assert before[2] == 1
    assert after == before
    assert ended[:1] + ended[2:] == [0, 0]
    assert page.problems == []


def test_what_changes_in_a_figure_that_is_still_to_be_built_is_shown_in_it(page):
    """The one before it is being built when the page hears of the change."""
    page.goto("about:blank")
    first, second, last = made(), made(), made()
    selected = last.get_model_by_name("points").selected
    event = {"kind": "ModelChanged", "model": {"id": selected.id}, "attr": "indices", "new": [1]}
    given = [code_of_the_page(), bridge._bokeh_sources(), [as_text(first)], version, [as_text(second), as_text(last)]]
    told, shown, indices = page.evaluate(PATCH, [*given, last.roots[0].id, json.dumps({"events": [event]})])
    assert last.roots[0].id not in told
    assert shown == [last.roots[0].id]
    assert indices == [1]
    assert page.problems == []


def test_a_change_of_a_figure_that_the_page_does_not_know_has_it_ask_for_that(page):
    page.goto("about:blank")
    first, later = made(), made()
    given = [code_of_the_page(), bridge._bokeh_sources(), [as_text(first)], version, as_text(later), later.roots[0].id]
    asked, shown = page.evaluate(UNKNOWN, given)
    assert asked == [0, 1, 1, 1]
    assert shown == [later.roots[0].id]
    assert page.problems == []


def test_a_question_that_is_lost_is_put_again(page):
    page.goto("about:blank")
    given = [code_of_the_page(), bridge._bokeh_sources(), [as_text(made())], version]
    assert 5 < page.evaluate(LOST, given) < 30
    assert page.problems == []

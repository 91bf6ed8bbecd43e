"""The page's side of a figure, in Chromium without a kernel: what it keeps of figures that were made anew."""

import json
from pathlib import Path

from bokeh import __version__ as version
from bokeh.document import Document
from bokeh.plotting import figure

import skymatch_nb.widgets.bridge as bridge

RUN = """async ([code, sources, document_, version]) => {
  const { default: widget } = await import(URL.createObjectURL(new Blob([code], { type: "text/javascript" })));
  const heard = new Set(), tell = (content) => [...heard].forEach((hear) => hear(content));
  const model = { get: () => version, on: (_, hear) => heard.add(hear), off: (_, hear) => heard.delete(hear) };
  model.send = ({ kind, to }) => setTimeout(() => {
    if (kind === "bokehjs") tell({ to, sources });
    if (kind === "document") tell({ to, document: document_, width: 500 });
  }, Math.random() * 3);
  const el = document.body.appendChild(document.createElement("div"));
  const end = widget.render({ model, el });
  const wait = (time) => new Promise((resolve) => setTimeout(resolve, time));
  const kept = () => [Bokeh.documents.length, [...Bokeh.index].length, el.querySelectorAll(".bk-Figure").length];
  while (!el.querySelector(".bk-Figure")) await wait(20);
  await wait(500);
  const before = kept();
  for (let k = 0; k < 12; k++) { tell({ kind: "renew" }); await wait(k % 4); }
  await wait(1500);
  const after = kept();
  end();
  await wait(100);
  return [before, after, kept()];
}"""


def test_figures_asked_for_again_while_they_are_built_leave_nothing(page):
    """One document and its view, however fast figures are made anew, and none when the widget is closed."""
    plot = figure(width=300, height=300)
    for k in range(30):
        plot.line([0, 1], [k, k])
    document = Document()
    document.add_root(plot)
    page.goto("about:blank")
    code = Path(bridge.__file__).with_name("bridge.js").read_text()
    given = [code, bridge._bokeh_sources(), json.dumps(document.to_json(deferred=False)), version]
    before, after, ended = page.evaluate(RUN, given)
    assert before[0] == 1
    assert before[2] == 1
    assert after == before
    assert ended[:1] + ended[2:] == [0, 0]
    assert page.problems == []

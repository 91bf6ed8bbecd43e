"""Time from a change in the panel to the new answer, as the browser sees it, in a real JupyterLab.

python tests/benchmarks/run_panel.py [--rounds N] [--views VIEW ...]
"""

import argparse
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "browser"))

from jupyter import lab, open_and_run, python, write_notebook
from panel_page import DATA, FIGURE
from playwright.sync_api import sync_playwright

from skymatch_nb.datasets import make_mosaic
from skymatch_nb.plots.export import installed_browser

SETUP = """from skymatch_nb import SkyMatchSession

s = SkyMatchSession("exposures/*.fits", skymethod="match", skystat="median", dq_bits=0, verbose=False)"""

SHOW = "p = s.panel()\np"

SELECT = """from skymatch_nb.widgets.selection import Selection

p.views.select(Selection(pairs=frozenset({tuple(sorted(map(str, s.residuals.index[0])))})))"""

CHANGE = f"""async ([parameter, option, view]) => {{ {FIGURE}
  const sum = (values) => values.reduce((total, v) => total + (Number.isFinite(v) ? v : 0), 0);
  const column = (...place) => () => sum(({DATA})([...place, 0]) ?? []);
  const parts = {{ map: column("footprints", "members", "sky", ".skymatch-map") }};
  const table = document.querySelector(".widget-tab .skymatch-table");
  const within = `.widget-tab .skymatch-${{view.toLowerCase()}}`;
  const after = () => figureView("preview after", within)?.model.renderers.find((r) => r.name == "image");
  const image = () => after()?.data_source.data.image[0];
  const legend = () => figureView("sample histogram", within)?.model.above.flatMap((part) => part.items ?? []);
  const figures = {{
    Tables: () => table.querySelector("tbody").textContent,
    Sky: column("sky levels", "groups", "sky", within),
    Residuals: column("pulls", "pairs", "after", within),
    Graph: column("graph", "pairs", "after", within),
    Samples: () => legend()?.map((item) => item.label.value).join(),
    Preview: image,
  }};
  if (!(view == "Samples" && parameter == "weighting")) parts.view = figures[view];
  const select = document.querySelector(`.skymatch-param-${{parameter}} select`);
  const before = Object.fromEntries(Object.entries(parts).map(([part, read]) => [part, read()])), times = {{}};
  select.value = option;
  const started = performance.now();
  select.dispatchEvent(new Event("change", {{ bubbles: true }}));
  while (performance.now() - started < 5000 && Object.keys(times).length < Object.keys(parts).length) {{
    await new Promise((resolve) => setTimeout(resolve, 8));
    for (const [part, read] of Object.entries(parts)) if (!(part in times) && read() !== before[part]) {{
      times[part] = performance.now() - started;
    }}
  }}
  await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
  times.painted = performance.now() - started;
  return times;
}}"""

CHANGES = (("skystat", ("mean", "median", "midpt", "mode")), ("weighting", ("npix", "pixels", "variance", "uniform")))


VIEWS = ("Tables", "Sky", "Residuals", "Graph", "Samples", "Preview")


def measure(page: Any, view: str, rounds: int) -> None:
    if view == "Samples":
        python(page, SELECT)
    page.get_by_role("tab", name=view, exact=True).click()
    page.wait_for_timeout(2000)
    for parameter, options in CHANGES:
        seen: dict[str, list[float]] = {}
        for k in range(rounds + 1):
            times = page.evaluate(CHANGE, [parameter, options[k % len(options)], view])
            page.wait_for_timeout(400)
            if k:  # the first one may compile and load
                for part, value in times.items():
                    seen.setdefault(part, []).append(value)
        told = ", ".join(
            f"{part} {statistics.median(v):.0f} ({min(v):.0f} to {max(v):.0f})" for part, v in seen.items()
        )
        print(f"{view}, {parameter}: {told} ms", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--side", type=int, default=6, help="exposures along each side of the mosaic")
    parser.add_argument("--views", nargs="+", default=VIEWS, choices=VIEWS)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        root = Path(scratch) / "root"
        make_mosaic(root / "exposures", rows=given.side, cols=given.side, shape=(512, 1024), seed=1)
        write_notebook(root / "panel.ipynb", [SETUP, SHOW])
        browser = playwright.chromium.launch(executable_path=installed_browser(), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1400, "height": 1150})
        with lab(root, Path(scratch) / "lab") as address:
            open_and_run(page, address, "panel.ipynb")
            for view in given.views:
                measure(page, view, given.rounds)
            page.evaluate("() => window.jupyterapp.serviceManager.sessions.shutdownAll()")
        browser.close()


if __name__ == "__main__":
    main()

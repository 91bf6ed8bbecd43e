"""How long the panel takes to answer, as seen from the browser.

    python tests/benchmarks/run_panel.py
    python tests/benchmarks/run_panel.py --rows 6 --cols 6 --nx 1024 --ny 512 --repeats 5

Opens JupyterLab in Chromium, shows the panel of simulated two-chip exposures, and changes parameters one by one.
Measured is the time from the change of the control on the page to the page's table and map holding the new levels.
"""

import argparse
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "browser"))

from desk import Desk
from jupyter import lab
from panel_page import DATA, control, open_tab
from playwright.sync_api import sync_playwright

from skymatch_nb.datasets import make_mosaic
from skymatch_nb.plots.export import installed_browser

CHANGES = (
    ("skystat", "median"),
    ("skystat", "mean"),
    ("skystat", "mode"),
    ("skymethod", "match"),
    ("weighting", "npix"),
)
"""Parameters that are chosen from a list, so that one event of the page is the change."""

MEASURE = f"""([select, option]) => new Promise((resolve, reject) => {{
  const map = () => JSON.stringify(({DATA})(["footprints", "members", "sky", ".skymatch-map", 0]));
  const table = () => document.querySelector(".widget-tab .skymatch-table").innerHTML;
  const before = [map(), table()], started = performance.now();
  select.value = [...select.options].find((o) => o.text === option).value;
  select.dispatchEvent(new Event("change", {{ bubbles: true }}));
  const seen = [0, 0];
  const look = () => {{
    const now = performance.now() - started;
    if (!seen[0] && map() !== before[0]) seen[0] = now;
    if (!seen[1] && table() !== before[1]) seen[1] = now;
    if (seen[0] && seen[1]) resolve(seen);
    else if (now > 120000) reject(new Error("the panel does not answer"));
    else setTimeout(look, 5);
  }};
  look();
}})"""


def measure(desk: Desk, name: str, option: str) -> tuple[float, float]:
    """Seconds until map and table show another answer."""
    select = control(desk.page, name).locator("select").element_handle()
    to_map, to_table = desk.page.evaluate(MEASURE, [select, option])
    desk.settle()
    return to_map / 1000, to_table / 1000


def report(desk: Desk, repeats: int) -> None:
    print(f"{'parameter':12} {'value':10} {'map':>7} {'table':>7}   seconds, median of {repeats}")
    for name, option in CHANGES:
        seen = []
        for _ in range(repeats):
            start(desk, name, option)
            seen.append(measure(desk, name, option))
        to_map, to_table = (statistics.median(column) for column in zip(*seen, strict=True))
        print(f"{name:12} {option:10} {to_map:7.3f} {to_table:7.3f}")


def start(desk: Desk, name: str, option: str) -> None:
    """Give the parameter another value than that which is measured, and wait until it is shown."""
    other = "biweight" if name == "skystat" else None
    desk.run(f"s.configure({name}={other!r})" if other else f"s.configure({name}=type(s.params)().{name})")
    desk.settle()
    time.sleep(0.5)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, value in (("rows", 6), ("cols", 6), ("nx", 1024), ("ny", 512), ("repeats", 5)):
        parser.add_argument(f"--{name}", type=int, default=value)
    options: Any = parser.parse_args()
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        shape = (options.ny, options.nx)
        mosaic = make_mosaic(scratch / "exposures", rows=options.rows, cols=options.cols, shape=shape, seed=1)
        (scratch / "root").mkdir()
        address = stack.enter_context(lab(scratch / "root", scratch / "lab"))
        browser = stack.enter_context(sync_playwright()).chromium.launch(
            executable_path=installed_browser(), args=["--no-sandbox"]
        )
        stack.callback(browser.close)
        page = browser.new_page(viewport={"width": 1400, "height": 1300})
        desk = Desk(page, address, scratch / "root", "panel", mosaic.paths, scratch)
        started = time.perf_counter()
        desk.open()
        print(f"{len(mosaic.paths)} exposures of 2 x {shape[1]} x {shape[0]}: shown after "
              f"{time.perf_counter() - started:.1f} s, starting JupyterLab's page and kernel included")  # fmt: skip
        open_tab(page, "Tables")
        report(desk, options.repeats)
        desk.end()


if __name__ == "__main__":
    main()

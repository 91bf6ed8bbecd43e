"""A notebook with a panel in JupyterLab, and the same calls in plain Python beside it."""

import json
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jupyter import PATIENCE, open_and_run, python, write_notebook
from panel_page import CELLS_OF_HTML, SHOWS_LEVELS, SHOWS_TABLE, open_tab

from skymatch_nb import SkyMatchSession
from skymatch_nb.errors import SkyMatchWarning
from skymatch_nb.report_page import table_html
from skymatch_nb.widgets.tables import in_view

SETUP = """import json
from skymatch_nb import SkyMatchSession
from skymatch_nb.widgets.selection import Selection
s = SkyMatchSession({paths!r}, verbose=False)
first = s.params.model_dump(), [spec.path for spec in s.inputs]"""

SHOW = "p = s.panel()\np"

RESET = """
if [spec.path for spec in s.inputs] != first[1]:
    s.set_inputs(first[1])
s.configure(**first[0])
p.views.select(Selection())
p.solve()
"""

HARMLESS = ("ResizeObserver loop",)
"""A layout that took two rounds: the browser says so, nothing is lost."""


class Desk:
    """A notebook whose kernel holds a session ``s`` and its panel ``p``, opened in JupyterLab."""

    def __init__(self, page: Any, address: str, root: Path, name: str, paths: Sequence[Path], pictures: Path) -> None:
        self.page, self.address, self.root, self.name = page, address, root, name
        self.paths, self.pictures = [str(path) for path in paths], pictures
        page.set_default_timeout(PATIENCE)

    def open(self, *cells: str) -> None:
        """Open the notebook, run it, and wait until the panel shows a solution."""
        write_notebook(self.root / f"{self.name}.ipynb", [SETUP.format(paths=self.paths), *(cells or [SHOW])])
        open_and_run(self.page, self.address, f"{self.name}.ipynb")
        self.settle()

    def end(self) -> None:
        """End the kernel."""
        self.page.evaluate("() => window.jupyterapp.serviceManager.sessions.shutdownAll()")

    def reset(self) -> None:
        """Put back files, parameters and selection as they were at first."""
        self.run(RESET)
        self.settle()
        self.page.problems.clear()

    def run(self, code: str) -> str:
        """Run code in the kernel; what it prints."""
        return python(self.page, code)

    def ask(self, expression: str) -> Any:
        """Value of an expression in the kernel, carried as JSON."""
        text = self.run(f"print(json.dumps({expression}))")
        try:
            return json.loads(text)
        except ValueError:
            raise AssertionError(text) from None

    def settle(self) -> None:
        """Wait until the panel has nothing to do."""
        for _ in range(PATIENCE // 10_000):
            if self.run("print(p.worker.wait(10))") == "True":
                return
        raise AssertionError("the panel is still at work")

    def params(self) -> dict[str, Any]:
        """The session's parameters."""
        values: dict[str, Any] = self.ask("s.params.model_dump(mode='json')")
        return values

    def wait_params(self, **wanted: Any) -> dict[str, Any]:
        """Wait until the session has these parameters."""
        end = time.monotonic() + PATIENCE / 1000
        while True:
            params = self.params()
            if all(params[name] == value for name, value in wanted.items()):
                return params
            found = {name: params[name] for name in wanted}
            assert time.monotonic() < end, f"{wanted} was wanted, but the session has {found}"
            time.sleep(0.1)

    def plain(self, **params: Any) -> SkyMatchSession:
        """A session of plain Python, by default with the parameters of the panel's."""
        chosen = (params or self.params()) | {"logfile": None, "verbose": False}
        return SkyMatchSession(self.paths, **chosen)

    def check(self, nth: int = 0, **wanted: Any) -> pd.DataFrame:
        """Map and sky table show what the same calls in plain Python give; return that table."""
        params = self.wait_params(**wanted)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SkyMatchWarning)
            table = self.plain(**params).sky
        self.wait_shown(table, nth)
        return table

    def wait_shown(self, table: pd.DataFrame, nth: int = 0) -> None:
        """Wait until the map and the open table of a panel show a sky table."""
        levels = [None if np.isnan(level) else level for level in table.sky]
        self.wait_for(SHOWS_LEVELS, [levels, nth])
        self.wait_table(in_view("sky", table), nth)

    def wait_table(self, table: pd.DataFrame, nth: int = 0) -> None:
        """Wait until the open table of a panel shows a table."""
        open_tab(self.page, "Tables", nth)
        self.wait_for(SHOWS_TABLE, [self.page.evaluate(CELLS_OF_HTML, table_html(table)), nth])

    def wait_for(self, script: str, arg: Any = None) -> None:
        self.page.wait_for_function(script, arg=arg)

    def picture(self, name: str) -> Path:
        """Keep a picture of the page."""
        path = self.pictures / f"{name}.png"
        self.page.screenshot(path=path)
        return path

    def problems(self) -> list[str]:
        """What went wrong on the page."""
        return [text for text in self.page.problems if not text.startswith(HARMLESS)]

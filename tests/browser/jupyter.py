"""Real Jupyter servers for browser tests, and ways to work in them as a user would."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

PATIENCE = 1000 * int(os.environ.get("SKYMATCH_PATIENCE", "180"))
"""Milliseconds after which a test gives up waiting: many times what a quiet machine needs, compiling included."""

SETTINGS = {
    "apputils-extension/notification": {"fetchNews": "false"},
    "notebook-extension/tracker": {"windowingMode": "none"},
}
"""No news from elsewhere; cells that are scrolled away are on the page even so."""

READY = """() => {
  const shown = window.jupyterapp && window.jupyterapp.shell.currentWidget;
  const session = shown && shown.sessionContext && shown.sessionContext.session;
  return session && session.kernel && session.kernel.status === "idle";
}"""

EXECUTE = """async (code) => {
  const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
  const future = kernel.requestExecute({code, store_history: false});
  let text = "";
  future.onIOPub = (message) => {
    if (message.header.msg_type === "stream") text += message.content.text;
    if (message.header.msg_type === "error") text += message.content.ename + ": " + message.content.evalue;
  };
  await future.done;
  return text;
}"""


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def write_notebook(path: Path, cells: Sequence[str]) -> Path:
    made = [
        {"cell_type": "code", "id": f"c{k}", "metadata": {}, "execution_count": None, "outputs": [], "source": source}
        for k, source in enumerate(cells)
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    document = {"cells": made, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(document))
    return path


@contextlib.contextmanager
def serving(command: Sequence[str], scratch: Path, url: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server with settings of its own until it answers; it is stopped at the end."""
    names = ("CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR")
    folders = {f"JUPYTER_{name}": str(scratch / name.lower()) for name in names}
    folders |= {f"JUPYTERLAB_{name}_DIR": str(scratch / name.lower()) for name in ("SETTINGS", "WORKSPACES")}
    for name, value in SETTINGS.items():
        path = scratch / f"settings/@jupyterlab/{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(value))
    environment = {**os.environ, **folders, "IPYTHONDIR": str(scratch / "ipython")}
    log = (scratch / "server.log").open("wb")
    process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        for _ in range(1800):
            with contextlib.suppress(OSError):
                urllib.request.urlopen(url, timeout=1).read()
                break
            time.sleep(0.1)
        else:
            raise AssertionError((scratch / "server.log").read_text())
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(20)
        log.close()


@contextlib.contextmanager
def lab(root: Path, scratch: Path) -> Iterator[str]:
    """JupyterLab that serves a folder; gives its address."""
    port = free_port()
    options = ["--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}", "--IdentityProvider.token="]
    options += [f"--ServerApp.root_dir={root}", "--LabApp.expose_app_in_browser=True"]
    options += [
        "--LabApp.extension_manager=readonly",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]
    command = [sys.executable, "-m", "jupyterlab", *options]
    with serving(command, scratch, f"http://127.0.0.1:{port}/api/status"):
        yield f"http://127.0.0.1:{port}"


def open_and_run(page: Any, address: str, notebook: str) -> None:
    """Open a notebook in JupyterLab and run all of its cells, and wait until the panel's solution is shown."""
    start_notebook(page, address, notebook)
    wait_for_status(page, "done in")
    page.wait_for_selector(".skymatch-map .bk-Figure", timeout=PATIENCE)


def start_notebook(page: Any, address: str, notebook: str) -> None:
    """Open a notebook in JupyterLab and have all of its cells run, whenever that will be done."""
    page.goto(f"{address}/lab/tree/{notebook}?reset", wait_until="domcontentloaded", timeout=PATIENCE)
    page.wait_for_function("window.jupyterapp && document.querySelector('.jp-Notebook')", timeout=PATIENCE)
    page.wait_for_function(READY, timeout=PATIENCE)
    page.evaluate("() => { window.jupyterapp.commands.execute('runmenu:run-all') }")


def wait_for_status(page: Any, text: str, timeout: float = PATIENCE) -> None:
    page.wait_for_function(
        "text => [...document.querySelectorAll('.skymatch-status')].some(e => e.innerText.includes(text))",
        arg=text,
        timeout=timeout,
    )


def python(page: Any, code: str) -> str:
    """What code prints in the notebook's kernel."""
    page.wait_for_function(READY, timeout=PATIENCE)
    return str(page.evaluate(EXECUTE, code)).strip()

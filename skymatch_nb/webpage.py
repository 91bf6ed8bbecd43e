"""The panel as a web page of this machine: a hidden notebook that shows it, served by Voila (extra ``app``)."""

import logging
import os
import secrets
import signal
import tempfile
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skymatch_nb.errors import ParameterError, installed_with
from skymatch_nb.saved import SOLVE_LINE

if TYPE_CHECKING:
    from skymatch_nb.session import SkyMatchSession

HOST = "127.0.0.1"
KERNEL = TEMPLATE = "skymatch_nb"

EXTENSIONS = (
    "@voila-dashboards/widgets-manager7",
    "@voila-dashboards/widgets-manager8",
    "@jupyter-widgets/jupyterlab-manager",
    "anywidget",
)
"""What the page needs of JupyterLab's extensions: Voila's own managers of widgets (it takes the one that fits the
ipywidgets that are installed), and anywidget. Others may ask for modules that only JupyterLab has.
"""

PAGE = """{% extends 'voila/templates/lab/index.html.j2' %}
{% block notebook_css %}
{{ resources.include_js("static/voila-style.js") }}
{{ spinner.css() }}
{{ super.super() }}
{% endblock %}
"""
"""Voila's page, which would load its icons from elsewhere; those of ipywidgets come with them."""


def require_voila() -> None:
    """Raise `ParameterError` where what serves the page is not installed."""
    missing = [name for name in ("voila", "ipykernel") if find_spec(name) is None]
    if missing:
        raise ParameterError(f"the panel as a web page needs {' and '.join(missing)}; {installed_with('app')}")


def serve_panel(session: "SkyMatchSession", port: int, open_browser: bool) -> None:
    """Serve the panel of a session's files and parameters until SIGINT or SIGTERM, and clean up.

    Every visit of the page has a session of its own, which ends when the page is closed.

    Parameters
    ----------
    session
        Nothing of it is computed.
    port
        Port to listen on; where it is taken, one nearby.
    open_browser
        Whether to open the page in the browser.

    Raises
    ------
    ParameterError
        Where Voila is not installed.
    InputError
        Where the session holds objects, arrays or functions.
    """
    require_voila()
    code = session.to_script().removesuffix(SOLVE_LINE) + "s.panel()"
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # until Voila handles it: clean up even so
    with tempfile.TemporaryDirectory(prefix="skymatch_nb_panel_") as scratch, _jupyter_path(Path(scratch)):
        _write_kernel_and_template(Path(scratch))
        _serve(_write_page(Path(scratch), code), port, open_browser)


def _write_page(folder: Path, code: str) -> Path:
    """Notebook of one cell, which works in the present folder."""
    from nbformat import v4, write

    source = f"import os\n\nos.chdir({str(Path.cwd())!r})\n{code}"
    notebook = v4.new_notebook(cells=[v4.new_code_cell(source)])
    notebook.metadata.update(title="skymatch_nb", kernelspec={"name": KERNEL, "display_name": KERNEL})
    path = folder / "panel.ipynb"
    write(notebook, path)
    return path


def _write_kernel_and_template(folder: Path) -> None:
    """A kernel that runs this very Python, whatever kernels the user has installed, and the page around the panel."""
    from ipykernel.kernelspec import write_kernel_spec

    write_kernel_spec(folder / "kernels" / KERNEL, extra_arguments=["--log-level=ERROR"])
    template = folder / "voila" / "templates" / TEMPLATE
    template.mkdir(parents=True)
    (template / "index.html.j2").write_text(PAGE)
    (template / "conf.json").write_text('{"base_template": "lab"}')


@contextmanager
def _jupyter_path(folder: Path) -> Iterator[None]:
    """Have Jupyter look for kernels and templates in a folder first."""
    before = os.environ.get("JUPYTER_PATH")
    os.environ["JUPYTER_PATH"] = os.pathsep.join(filter(None, (str(folder), before)))
    try:
        yield
    finally:
        if before is None:
            del os.environ["JUPYTER_PATH"]
        else:
            os.environ["JUPYTER_PATH"] = before


def _serve(page: Path, port: int, open_browser: bool) -> None:
    from tornado.ioloop import IOLoop
    from traitlets.config import Config
    from voila.app import Voila

    logging.getLogger("tornado").setLevel(logging.ERROR)  # else every refused request is told
    token = secrets.token_hex(24)
    server = Voila(
        ip=HOST,
        port=port,
        token=token,
        open_browser=False,  # it would open the page without the token
        root_dir=str(page.parent),
        connection_dir_root=str(page.parent),
        config_file_paths=[],
        log_level="ERROR",
        config=Config(VoilaConfiguration=_configuration()),
    )
    server.initialize([str(page)])
    loop = IOLoop.current()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: loop.add_callback_from_signal(loop.stop))
    loop.add_callback(_tell, server, token, open_browser)  # called once the server listens
    server.start()


def _configuration() -> dict[str, Any]:
    """Voila's configuration; files that it allows would need no token."""
    return {"template": TEMPLATE, "file_allowlist": [], "extension_allowlist": list(EXTENSIONS)}


def _tell(server: Any, token: str, open_browser: bool) -> None:
    address = f"http://{HOST}:{server.port}/?token={token}"
    print(f"The panel is at {address}\nCtrl-C ends it.", flush=True)
    if open_browser and not webbrowser.open(address):
        print("No browser was found: open the address in one.", flush=True)

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

from skymatch_nb.errors import ParameterError
from skymatch_nb.saved import SOLVE_LINE

if TYPE_CHECKING:
    from skymatch_nb.session import SkyMatchSession

HOST = "127.0.0.1"
KERNEL = TEMPLATE = "skymatch_nb"


def require_voila() -> None:
    """Raise `ParameterError` where what serves the page is not installed."""
    missing = [name for name in ("voila", "ipykernel") if find_spec(name) is None]
    if missing:
        raise ParameterError(f"the panel as a web page needs {' and '.join(missing)}: pip install 'skymatch_nb[app]'")


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
    with tempfile.TemporaryDirectory(prefix="skymatch_nb_panel_") as scratch, _kernel_in(Path(scratch)):
        _write_template(Path(scratch))
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


@contextmanager
def _kernel_in(folder: Path) -> Iterator[None]:
    """A kernel that runs this very Python, whatever kernels the user has installed."""
    from ipykernel.kernelspec import write_kernel_spec

    write_kernel_spec(folder / "kernels" / KERNEL, extra_arguments=["--log-level=ERROR"])
    before = os.environ.get("JUPYTER_PATH")
    os.environ["JUPYTER_PATH"] = os.pathsep.join(filter(None, (str(folder), before)))
    try:
        yield
    finally:
        if before is None:
            del os.environ["JUPYTER_PATH"]
        else:
            os.environ["JUPYTER_PATH"] = before


def _write_template(folder: Path) -> None:
    """Voila's own page without the style sheets that it asks of another server; icons come with JupyterLab's styles."""
    from jupyter_core.paths import jupyter_path

    places = (Path(place) / "index.html.j2" for place in jupyter_path("voila", "templates", "lab"))
    lines = next(place for place in places if place.is_file()).read_text(encoding="utf-8").splitlines(keepends=True)
    own = folder / "voila" / "templates" / TEMPLATE
    own.mkdir(parents=True)
    (own / "conf.json").write_text('{"base_template": "lab"}')
    (own / "index.html.j2").write_text("".join(line for line in lines if 'href="https://' not in line))


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
        config=Config(
            VoilaConfiguration={"file_allowlist": [], "template": TEMPLATE}
        ),  # such files are served to anybody
    )
    server.initialize([str(page)])
    loop = IOLoop.current()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: loop.add_callback_from_signal(loop.stop))
    loop.add_callback(_tell, server, token, open_browser)  # called once the server listens
    server.start()


def _tell(server: Any, token: str, open_browser: bool) -> None:
    address = f"http://{HOST}:{server.port}/?token={token}"
    print(f"The panel is at {address}\nCtrl-C ends it.", flush=True)
    if open_browser and not webbrowser.open(address):
        print("No browser was found: open the address in one.", flush=True)

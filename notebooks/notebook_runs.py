"""Pair, execute and publish the tutorials.

Each tutorial is a script in cells (``01_quickstart.py``, jupytext's percent form), which people review, and the
notebook made of it (``01_quickstart.ipynb``), which people open. ``python notebooks/notebook_runs.py --pair`` makes the
notebooks anew; without options the script executes those whose last execution does not belong to the present package
any more. Tests and the documentation share what was executed. Where drizzlepac is installed, the tutorial that uses it
drizzles; the documentation shows that execution where there is one, else the picture of it that ``--pictures`` stored.
"""

import argparse
import base64
import copy
import hashlib
import json
import os
import re
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import nbformat
from filelock import FileLock

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
LONGEST = 300
"""Seconds after which a cell is given up; far more than any takes, for busy machines."""

_WARNING = re.compile(r"^/tmp/ipykernel\S+ (\w+Warning: .*)\n  .*\n", re.MULTILINE)
"""A warning of a cell, with its place in a file that readers cannot look up."""

_DRIZZLED = "drizzlepac"
"""Folder of notebooks that were executed where drizzlepac is installed."""
_NOT_DRIZZLED, _PICTURE = "where-not-drizzled", "picture="
"""Tags of cells: superfluous where the notebook was drizzled; its picture is stored in docs/images under that name."""

_KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def scripts() -> list[Path]:
    """Sources of all tutorials, in their order."""
    return sorted(HERE.glob("[0-9][0-9]_*.py"))


def notebooks() -> list[Path]:
    """Notebooks of all tutorials, in their order."""
    return [path.with_suffix(".ipynb") for path in scripts()]


def paired(script: Path) -> str:
    """Text of the notebook that belongs to a script."""
    import jupytext

    book = jupytext.read(script)
    book.metadata = nbformat.from_dict({"kernelspec": _KERNEL, "language_info": {"name": "python"}})
    book.nbformat, book.nbformat_minor = 4, 5
    for number, cell in enumerate(book.cells):
        cell["id"] = f"cell-{number:02d}"
        cell["metadata"] = {k: v for k, v in cell["metadata"].items() if k == "tags"}
    return str(nbformat.writes(book)) + "\n"


def executed(notebook: Path) -> Path:
    """Path of the executed notebook; it is executed where it was not since it or the package changed.

    Processes that ask at the same time wait for one another.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        Where a cell fails.
    """
    folder = _folder() / _DRIZZLED if find_spec("drizzlepac") else _folder()
    folder.mkdir(parents=True, exist_ok=True)
    done, key = folder / notebook.name, _key(notebook)
    with FileLock(folder / f"{notebook.stem}.lock"):
        if not _is_fresh(done, key):
            _execute(notebook, done, key)
    return done


def shown(notebook: Path) -> Path:
    """Path of the executed notebook that readers see: the one that drizzled, where that was run."""
    drizzled = _folder() / _DRIZZLED / notebook.name
    return drizzled if _is_fresh(drizzled, _key(notebook)) else executed(notebook)


def pictures(done: Path) -> dict[str, bytes]:
    """PNG pictures of an executed notebook that the docs store, by name."""
    found = {}
    for cell in json.loads(done.read_text("utf-8"))["cells"]:
        names = [tag.removeprefix(_PICTURE) for tag in cell["metadata"].get("tags", ()) if tag.startswith(_PICTURE)]
        made = [o["data"]["image/png"] for o in cell.get("outputs", ()) if "image/png" in o.get("data", {})]
        found |= {name: base64.b64decode(text) for name, text in zip(names, made, strict=False)}
    return found


def _folder() -> Path:
    return Path(os.environ.get("SKYMATCH_EXECUTED", ROOT / "build" / "notebooks"))


def _is_fresh(done: Path, key: str) -> bool:
    return done.exists() and _about(done).get("key") == key


def _about(done: Path) -> dict[str, Any]:
    """What is noted in an executed notebook: its key, and how long it took."""
    return dict(json.loads(done.read_text(encoding="utf-8"))["metadata"].get("skymatch_nb", {}))


def _key(notebook: Path) -> str:
    """Hash of what the outputs of a notebook are made from."""
    digest = hashlib.sha256(f"{sys.version_info} {nbformat.__version__}".encode())
    package = ROOT / "skymatch_nb"
    for path in [Path(__file__), notebook, *sorted(p for kind in ("py", "js") for p in package.rglob(f"*.{kind}"))]:
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def _execute(notebook: Path, done: Path, key: str) -> None:
    from nbclient import NotebookClient

    book = nbformat.read(notebook, as_version=4)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="skymatch_nb_tutorial_") as scratch:
        client = NotebookClient(
            book,
            timeout=LONGEST,
            kernel_name="python3",
            resources={"metadata": {"path": scratch}},
            store_widget_state=False,
        )
        client.execute()
        sizes = _sizes(Path(scratch))
    book.metadata["skymatch_nb"] = {"key": key, "seconds": round(time.monotonic() - began, 1), "written": sizes}
    part = done.with_suffix(".part")
    text = str(nbformat.writes(book)).replace(scratch, "/home/you/notebooks")  # the same wherever it ran
    part.write_text(text + "\n", encoding="utf-8")
    part.replace(done)


def _sizes(folder: Path) -> dict[str, int]:
    """Bytes of each file and folder in a folder."""
    return {
        path.name + "/" * path.is_dir(): sum(p.stat().st_size for p in (path, *path.rglob("*")) if p.is_file())
        for path in sorted(folder.iterdir())
    }


def written(done: Path) -> dict[str, int]:
    """Bytes of each file and folder that an executed notebook left; a folder's name ends with a slash."""
    return dict(_about(done)["written"])


def for_site(done: Path, page: Path) -> None:
    """Write an executed notebook as a page of the site: BokehJS comes with the page, progress bars are left out."""
    book = nbformat.read(done, as_version=4)
    book.metadata = {"kernelspec": _KERNEL, "language_info": {"name": "python", "pygments_lexer": "ipython3"}}
    if done.parent.name == _DRIZZLED:
        book.cells = [cell for cell in book.cells if _NOT_DRIZZLED not in cell["metadata"].get("tags", ())]
    for cell in book.cells:
        cell["source"] = _with_site_links(cell["source"]) if cell["cell_type"] == "markdown" else cell["source"]
        if cell["cell_type"] == "code":
            cell["outputs"] = [kept for output in cell["outputs"] if (kept := _for_page(output)) is not None]
    text = str(nbformat.writes(book))
    if not page.exists() or page.read_text("utf-8") != text:
        page.parent.mkdir(exist_ok=True)
        page.write_text(text, encoding="utf-8")


def _for_page(output: Any) -> Any:
    """Output as a page shows it, or None."""
    data = output.get("data", {})
    if "application/vnd.bokehjs_load.v0+json" in data or "BokehJS is being loaded" in str(data.get("text/html", "")):
        return None
    if output.get("name") == "stderr" and re.search(r"\d+%\|", output["text"]):
        return None
    kept = copy.deepcopy(output)
    if "text" in kept:
        kept["text"] = _WARNING.sub(r"\1\n", kept["text"])
    for kind in ("application/vnd.jupyter.widget-view+json", "application/vnd.bokehjs_exec.v0+json"):
        kept.get("data", {}).pop(kind, None)
    return kept


def _with_site_links(text: str) -> str:
    """Links to pages and pictures of the docs folder, as the site has them."""
    return re.sub(r"\((?:\.\./)?docs/([^)]+)\)", r"(../\1)", text)


def main() -> None:
    """Pair, or execute what is stale."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pair", action="store_true", help="make the notebooks of the scripts")
    parser.add_argument("--pictures", action="store_true", help="store the pictures of what was executed in the docs")
    parser.add_argument("names", nargs="*", help="beginnings of names, 01 say; default: all")
    options = parser.parse_args()
    for script in scripts():
        if options.names and not script.name.startswith(tuple(options.names)):
            continue
        notebook = script.with_suffix(".ipynb")
        if options.pair:
            notebook.write_text(paired(script), encoding="utf-8")
            print(notebook.relative_to(ROOT))
            continue
        done = executed(notebook)
        print(f"{notebook.name}: {_about(done)['seconds']} s", flush=True)
        for name, picture in pictures(done).items() if options.pictures else ():
            (ROOT / "docs" / "images" / name).write_bytes(picture)
            print(f"docs/images/{name}")


if __name__ == "__main__":
    main()

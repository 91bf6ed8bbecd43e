"""Build the environment of this folder in a fresh virtual environment, and run every tutorial in it.

``python binder/check.py`` does what Binder does with requirements.txt and postBuild; ``python binder/check.py --pin``
renews requirements.txt from requirements.in first.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent


def python_of(folder: Path) -> Path:
    """A new environment's Python."""
    venv.create(folder, with_pip=True)
    return folder / ("Scripts" if os.name == "nt" else "bin") / "python"


def pin(scratch: Path) -> None:
    """Install what requirements.in asks for, and write down what that was."""
    python = python_of(scratch / "pin")
    run([python, "-m", "pip", "install", "--quiet", "-r", HERE / "requirements.in"])
    frozen = subprocess.run([python, "-m", "pip", "freeze", "--all"], check=True, capture_output=True, text=True).stdout
    kept = [line for line in frozen.splitlines() if not line.startswith(("skymatch_nb", "pip==", "setuptools=="))]
    (HERE / "requirements.txt").write_text("\n".join(kept) + "\n", encoding="utf-8")


def run(command: list[object], **options: object) -> None:
    """Run a command in the repository's folder; stop where it fails."""
    words = [str(word) for word in command]
    print("$", *words, flush=True)
    subprocess.run(words, cwd=ROOT, check=True, **options)  # type: ignore[call-overload]


def main() -> None:
    """Build and run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pin", action="store_true", help="renew requirements.txt first")
    options = parser.parse_args()
    wanted = (HERE / "runtime.txt").read_text(encoding="utf-8").strip().removeprefix("python-")
    if f"{sys.version_info.major}.{sys.version_info.minor}" != wanted:
        print(f"Binder runs Python {wanted}; this is {sys.version.split()[0]}", file=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="skymatch_nb_binder_") as folder:
        scratch = Path(folder)
        if options.pin:
            pin(scratch)
        python = python_of(scratch / "environment")
        run([python, "-m", "pip", "install", "--quiet", "-r", HERE / "requirements.txt"])
        path = f"{python.parent}{os.pathsep}{os.environ['PATH']}"
        clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {"PATH": path}
        run(["bash", HERE / "postBuild"], env=clean)
        executed = clean | {"SKYMATCH_EXECUTED": str(scratch / "executed"), "NUMBA_CACHE_DIR": str(scratch / "numba")}
        run([python, ROOT / "notebooks" / "notebook_runs.py"], env=executed)
    print("every tutorial runs in Binder's environment")


if __name__ == "__main__":
    main()

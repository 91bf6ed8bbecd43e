"""docs/dependencies.md has a row for every package that pyproject.toml asks for, and these are all that is imported."""

import ast
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PAGE = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
EXTRAS = PYPROJECT["project"]["optional-dependencies"]
ASKED = {"base": PYPROJECT["project"]["dependencies"], "build": PYPROJECT["build-system"]["requires"], **EXTRAS}


def names(requirements):
    """Names of packages, without those that are extras of ours."""
    found = {canonicalize_name(Requirement(text).name) for text in requirements}
    return found - {canonicalize_name(PYPROJECT["project"]["name"])}


def told():
    """For the base and each extra, the packages in its rows."""
    by_extra, extra = {}, "base"
    for line in PAGE.splitlines():
        if line.startswith("#"):
            extra = "base" if line == "## Base" else ""
        if not line.startswith("| ") or line.startswith(("| package", "| extra")):
            continue
        first, second = [cell.strip(" `") for cell in line.split("|")[1:3]]
        extra, cell = ("base", first) if extra == "base" else (first or extra, second)
        by_extra.setdefault(extra, set()).update(canonicalize_name(n) for n in cell.split(", ") if n)
    return by_extra


@pytest.mark.parametrize("extra", ASKED)
def test_every_package_has_its_row_and_every_row_its_package(extra):
    assert told().get(extra, set()) == names(ASKED[extra])


def test_no_row_is_of_an_extra_that_there_is_not():
    assert set(told()) == set(ASKED)


def test_whatever_the_package_imports_is_declared():
    imported = set()
    for path in (ROOT / "skymatch_nb").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                imported.add(node.module.partition(".")[0])
    of_module = packages_distributions()
    others = {
        name: {canonicalize_name(of) for of in of_module.get(name, [name])}
        for name in imported - sys.stdlib_module_names - {"skymatch_nb"}
    }
    declared = {n for extra, wanted in ASKED.items() if extra not in ("test", "docs", "bench") for n in names(wanted)}
    assert len(others) > 15
    assert {name for name, ours in others.items() if not ours & declared} == set()

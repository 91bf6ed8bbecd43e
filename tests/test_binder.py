"""Binder's environment has what the package asks for, in versions that it allows."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PINNED = dict(
    line.split("==") for line in (ROOT / "binder" / "requirements.txt").read_text(encoding="utf-8").splitlines()
)
EXTRAS = re.search(r"^\.\[(.*)\]$", (ROOT / "binder" / "requirements.in").read_text(encoding="utf-8"), re.MULTILINE)
WANTED = [*PROJECT["dependencies"], *(r for e in EXTRAS[1].split(",") for r in PROJECT["optional-dependencies"][e])]


@pytest.mark.parametrize("wanted", WANTED)
def test_pinned_versions_are_those_that_the_package_allows(wanted):
    requirement = Requirement(wanted)
    pinned = {canonicalize_name(name): version for name, version in PINNED.items()}
    assert canonicalize_name(requirement.name) in pinned, "python binder/check.py --pin renews binder/requirements.txt"
    assert requirement.specifier.contains(pinned[canonicalize_name(requirement.name)])

"""docs/install.md names every extra, and links of files that are read in the repository lead somewhere."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def test_every_extra_has_a_row():
    page = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert set(re.findall(r"^\| `([a-z]+)` \|", page, re.MULTILINE)) == set(project["optional-dependencies"])


PAGES = [
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    *sorted(p.relative_to(ROOT).as_posix() for p in ROOT.glob("docs/**/*.md") if "_build" not in p.parts),
    *sorted(p.relative_to(ROOT).as_posix() for p in ROOT.glob("notebooks/*.py")),
]


@pytest.mark.parametrize("name", PAGES)
def test_commands_install_from_the_clone(name):
    """Nothing is on PyPI: a command that names the package there would fail."""
    text = (ROOT / name).read_text(encoding="utf-8")
    assert re.findall(r"pip\s(?:# )?install\s(?:# )?(?:-\S+ )*[\"']?skymatch[-_]nb.*", text) == []


@pytest.mark.parametrize("name", PAGES)
def test_relative_links_lead_somewhere(name):
    page = ROOT / name
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8"))
    local = [link for link in links if "://" not in link]
    assert [link for link in local if not (page.parent / link).exists()] == []

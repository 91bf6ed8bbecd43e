"""Every example of docs/groups.md and docs/apply.md is run, in order, in a folder with the exposures that they name."""

import re
import shlex
import shutil
from pathlib import Path

import pandas as pd
import pytest

from skymatch_nb.cli import main

DOCS = Path(__file__).parents[1] / "docs"


def blocks(page, language):
    text = (DOCS / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


@pytest.fixture
def here(mosaic, tmp_path, monkeypatch):
    for path in mosaic.paths:
        shutil.copy(path, tmp_path / path.name)
        (tmp_path / path.name).chmod(0o644)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.fits"))}


@pytest.mark.filterwarnings("ignore::skymatch_nb.errors.SkyMatchWarning")
def test_groups(here):
    """Blocks share their names, as they do for a reader."""
    found = blocks("groups.md", "python")
    assert len(found) == 4
    names = {}
    exec(found[0], names)
    session = names["s"]
    assert session.members.group.nunique() == 6
    exec(found[1], names)
    exec(found[2], names)
    session.regroup({"demo_03_flt.fits": "demo_02_flt.fits"})
    assert session.members.group.nunique() == 5
    session.configure(group_by="exposure")
    exec(found[3], names)
    assert session.sky.loc["demo_01_flt.fits[SCI,1]", "sky_data"] == pytest.approx(0.12)


def test_apply(here):
    before = contents(here)
    (block,) = blocks("apply.md", "python")
    names = {}
    exec(block, names)
    assert contents(here) == before
    assert isinstance(names["s"].applied, pd.DataFrame)


@pytest.mark.parametrize("page", ["groups.md", "apply.md"])
def test_commands(page, here, capsys):
    before = contents(here)
    (block,) = blocks(page, "sh")
    for line in block.replace("\\\n", "").splitlines():
        words = shlex.split(line)
        assert words[0] == "skymatch-nb"
        assert main(words[1:]) == 0, capsys.readouterr().err
    assert contents(here) == before

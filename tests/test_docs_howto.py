"""Every example of docs/groups.md is run, in order, in a folder with the exposures that it names."""

import re
import shlex
import shutil
from pathlib import Path

import pytest

from skymatch_nb.cli import main

PAGE = (Path(__file__).parents[1] / "docs" / "groups.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def here(mosaic, tmp_path, monkeypatch):
    for path in mosaic.paths:
        shutil.copy(path, tmp_path / path.name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.filterwarnings("ignore::skymatch_nb.errors.SkyMatchWarning")
def test_blocks_in_python(here):
    """Blocks share their names, as they do for a reader; each setting is solved with."""
    first, compare, move, tie = blocks("python")
    names = {}
    groups = []
    for line in first.splitlines():
        exec(line, names)
        if line.startswith("s.configure"):
            groups.append(names["s"].sky.group.nunique())
    assert groups == [12, names["s"].members.exptime.nunique(), 6, 2, 6]
    assert list(eval(compare, names).index) == ["exposure", "chip"]
    one, other, back = move.splitlines()
    exec(one, names)
    assert names["s"].members.group.nunique() == 5
    exec(other, names)
    assert names["s"].members.group["demo_03_flt.fits[SCI,2]"] == "odd chip"
    exec(back, names)
    exec(tie, names)
    assert names["s"].sky.loc["demo_01_flt.fits[SCI,1]", "sky_data"] == pytest.approx(0.12)


def test_commands(here, capsys):
    (block,) = blocks("sh")
    for line in block.replace("\\\n", "").splitlines():
        words = shlex.split(line)
        assert words[0] == "skymatch-nb"
        assert main(words[1:]) == 0, capsys.readouterr().err

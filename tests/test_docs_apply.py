"""Every example of docs/apply.md is run, in its order."""

import re
import shlex
from pathlib import Path

import pytest
from astropy.io import fits

from skymatch_nb.cli import main

PAGE = (Path(__file__).parents[1] / "docs" / "apply.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(python|sh)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def here(write_image, tmp_path, monkeypatch):
    write_image("a.fits")
    write_image("b.fits", ra=10.002, seed=1)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_page_runs_and_leaves_the_files_as_they_were(here, capsys):
    assert [language for language, _ in BLOCKS].count("sh") == 2
    assert len(BLOCKS) == 6
    before = {name: (here / name).read_bytes() for name in ("a.fits", "b.fits")}
    for language, text in BLOCKS:
        if language == "python":
            exec(text, {})
            continue
        for line in text.splitlines():
            assert main(shlex.split(line)[1:]) == 0, line
    assert {name: (here / name).read_bytes() for name in before} == before
    assert capsys.readouterr().out.count("applied, 2 files") == 0 + 2
    assert (here / "match.log").read_text().count("*****") == 2
    assert [line.split()[0] for line in (here / "sky.txt").read_text().splitlines()] == ["a.fits", "b.fits"]


def test_the_companion_card_is_named_as_the_page_says(here):
    words = ["--skymethod", "match", "--skyuser-kwd", "MDRIZSKY", "--apply", "--quiet"]
    assert main(["match", "a.fits", "b.fits", *words]) == 0
    assert fits.getheader(here / "a.fits")["MDRIZSYM"] == "computed MDRIZSKY"

"""Every example of docs/regions.md is run."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest

from skymatch_nb import InputError, SkyMatchSession
from skymatch_nb.cli import main

pytest.importorskip("regions")
PAGE = (Path(__file__).parents[1] / "docs" / "regions.md").read_text(encoding="utf-8")
REFUSED = re.findall(r"^\| `([^`]+)` \| `([^`]+)` \|$", PAGE, re.MULTILINE)


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


COMMANDS = [line for block in blocks("sh") for line in block.splitlines()]


@pytest.fixture
def here(write_image, tmp_path, monkeypatch):
    write_image("a.fits")
    write_image("b.fits", ra=10.002, seed=1)
    (tmp_path / "nebula.reg").write_text(blocks("text")[0])
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_page_has_examples():
    assert (len(blocks("python")), len(blocks("text")), len(COMMANDS), len(REFUSED)) == (3, 1, 3, 4)


@pytest.mark.parametrize("block", blocks("python"), ids=["regions", "sources", "footprints"])
def test_python_blocks(here, block):
    if "mask_sources" in block:
        pytest.importorskip("photutils")
    exec(block, {})


def test_the_file_masks_what_its_shapes_say(here):
    """The circle without its inner part, and an ellipse beside it, at a pixel of one arcsec."""
    bad = SkyMatchSession("a.fits", exclude_regions="nebula.reg", verbose=False).masks.bad_region.iloc[0]
    assert bad == pytest.approx(np.pi * (25 - 4 + 8), abs=8)


@pytest.mark.parametrize("command", COMMANDS)
def test_commands(here, capsys, command):
    if "--mask-sources" in command:
        pytest.importorskip("photutils")
    program, *words = shlex.split(command)
    assert program == "skymatch-nb"
    assert main(words) == 0
    assert "b.fits[0]" in capsys.readouterr().out


@pytest.mark.parametrize(("text", "message"), REFUSED)
def test_refused(here, text, message):
    (here / "bad.reg").write_text(text)
    with pytest.raises(InputError) as error:
        SkyMatchSession("a.fits", exclude_regions="bad.reg", verbose=False).mask()
    assert message in str(error.value)
    assert str(here / "bad.reg") in str(error.value)

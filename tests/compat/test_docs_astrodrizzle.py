"""Every example of docs/howto/astrodrizzle.md is run, each on fresh exposures, and that of the README."""

import logging
import os
import re
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from drizzling import simulated

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "howto" / "astrodrizzle.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8").partition("## AstroDrizzle\n")[2].partition("\n## ")[0]
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)

pytestmark = pytest.mark.skipif(
    find_spec("drizzlepac") is None and os.environ.get("SKYMATCH_DRIZZLEPAC") != "required",
    reason="drizzlepac is not installed: python -m pip install -e '.[drizzlepac]'",
)


def test_the_page_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    planted = simulated(tmp_path)
    fresh = {path: path.read_bytes() for path in planted.paths}
    skies, mosaics = [], []
    for block in BLOCKS[1:]:
        for path, content in fresh.items():
            path.write_bytes(content)
        Path("mosaic_drz.fits").unlink(missing_ok=True)
        exec(block, {})
        logging.captureWarnings(False)
        mosaics.append(fits.getdata("mosaic_drz.fits", "SCI"))
        skies.append([fits.getheader(path, "SCI")["MDRIZSKY"] for path in planted.paths])
    matched, with_difference, fixed, without_seams, by_file, by_pixels, left_in = skies
    truth = np.array(list(planted.sky.values()))
    for levels in (matched, with_difference, without_seams, by_file, by_pixels, left_in):
        assert np.array(levels) == pytest.approx(truth, abs=0.2)
    assert np.array(fixed) - 30.6 == pytest.approx(truth - truth[0], abs=0.2)
    rate = truth.mean() / 500
    for mosaic in mosaics[:6]:
        assert abs(np.nanmedian(mosaic)) < 0.1 * rate
    assert np.nanmedian(mosaics[6]) > 0.8 * rate


def test_the_exposures_of_the_page_are_those_of_the_examples(tmp_path, monkeypatch):
    of_examples = simulated(tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(BLOCKS[0], names)
    assert names["planted"].sky == of_examples.sky
    for path in of_examples.paths:
        assert Path(path.name).read_bytes() == path.read_bytes()


def test_the_readme_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    planted = simulated(tmp_path)
    names = {}
    (block,) = re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    exec(block, names)
    logging.captureWarnings(False)
    truth = names["sky"].group.map(planted.sky)
    assert names["sky"].header_new.to_numpy() == pytest.approx(truth.to_numpy(), abs=0.2)
    assert fits.getdata("mosaic_drz_sci.fits").size

"""Loading, cancelling, broken files, applying and undoing, from the panel's page."""

import shutil
from hashlib import sha256

import pytest
from astropy.io import fits
from panel_page import REVEAL, choose, press, tick

from skymatch_nb import SkyMatchSession
from skymatch_nb.datasets import make_mosaic

pytestmark = pytest.mark.xdist_group("lab")

MANY = 600


def exposures(folder):
    return make_mosaic(folder, rows=2, cols=2, shape=(128, 256), overlap=0.3, seed=5).paths


def load(desk, words):
    """Write input words into the panel's field, and press the button below it."""
    field = desk.page.locator(".skymatch-inputs textarea").first
    field.evaluate(REVEAL)
    field.fill(words)
    field.press("Tab")
    press(desk.page, "load")


def step_title(desk, number):
    return desk.page.locator(".skymatch-steps > .jupyter-widget-Collapse > .jupyter-widget-Collapse-header").nth(number)


def copies(desk, folder):
    """Copies of the exposures, to be spoilt or written to."""
    folder.mkdir()
    return [folder / shutil.copy2(path, folder).rpartition("/")[2] for path in desk.paths]


def digests(paths):
    return [sha256(path.read_bytes()).hexdigest() for path in paths]


def test_a_long_load_is_cancelled_and_another_one_works(desk, tmp_path):
    before = desk.check()
    (tiny,) = make_mosaic(tmp_path / "tiny", rows=1, cols=1, shape=(32, 32), seed=5).paths
    for number in range(MANY):
        shutil.copyfile(tiny, tmp_path / f"many_{number:04d}_flt.fits")
    load(desk, f"{tmp_path}/many_*.fits")
    desk.wait_for(
        f"/[1-9]\\d* of {MANY}/.test(document.querySelector('.skymatch-status').innerText)"  # it has begun
    )
    desk.picture("lab_loading")
    press(desk.page, "cancel")
    desk.wait_for("document.querySelector('.skymatch-status').innerText.includes('cancelled')")
    desk.settle()
    assert desk.ask("[len(s.inputs), s.fresh_result('load') is None]") == [MANY, True]
    load(desk, ", ".join(desk.paths))
    assert desk.check().equals(before)


def test_a_broken_file_is_named_and_leaves_the_panel_alive(desk, tmp_path):
    before = desk.check()
    broken = copies(desk, tmp_path / "broken")
    content = broken[2].read_bytes()
    broken[2].write_bytes(content[: len(content) // 3])
    load(desk, f"{tmp_path}/broken/*.fits")
    message = desk.page.locator(".skymatch-message.failed")
    message.filter(has_text=broken[2].name).wait_for()
    desk.wait_for("document.querySelector('.skymatch-status').innerText.includes('failed')")
    assert "failed" in " ".join(step_title(desk, k).inner_text() for k in range(5))
    with pytest.raises(Exception, match=broken[2].name) as raised:
        SkyMatchSession(f"{tmp_path}/broken/*.fits", verbose=False).solve()
    assert message.inner_text().removeprefix("✗ ") == str(raised.value)
    desk.picture("lab_broken_file")

    load(desk, str(tmp_path / "missing_*.fits"))
    message.filter(has_text="missing_").wait_for()
    load(desk, ", ".join(desk.paths))
    assert desk.check().equals(before)
    assert message.count() == 0


def test_apply_asks_writes_at_the_second_click_and_is_undone(desk, tmp_path):
    paths = copies(desk, tmp_path / "written")
    before = digests(paths)
    load(desk, f"{tmp_path}/written/*.fits")
    choose(desk.page, "skymethod", "match")
    tick(desk.page, "subtractsky")
    desk.wait_params(skymethod="match", subtractsky=True)
    desk.settle()
    table = SkyMatchSession([str(path) for path in paths], skymethod="match", verbose=False).sky

    write = desk.page.locator("button.skymatch-write")
    assert write.is_disabled()
    press(desk.page, "preview")
    question = desk.page.locator(".skymatch-question")
    question.get_by_text("Nothing is written yet").wait_for()
    assert f"in {len(paths)} files" in question.inner_text()
    desk.settle()
    assert digests(paths) == before
    desk.picture("lab_apply_preview")

    assert write.is_disabled()
    assert "Untick readonly to write" in desk.page.locator(".skymatch-readonly").inner_text()
    tick(desk.page, "readonly")
    desk.wait_params(readonly=False)
    press(desk.page, "write")
    question.get_by_text(f"written to {len(paths)} files").wait_for()
    desk.settle()
    assert desk.page.locator(".skymatch-status").inner_text() == f"written to {len(paths)} files"
    for path, number in zip(paths, digests(paths), strict=True):
        assert number not in before
        with fits.open(path) as hdus:
            for version in (1, 2):
                level = table.sky_data[f"{path.name}[SCI,{version}]"]
                assert hdus["SCI", version].header["SKYUSER"] == pytest.approx(level, rel=1e-6, abs=1e-12)
    desk.picture("lab_applied")

    press(desk.page, "undo")
    question.get_by_text("restored").wait_for()
    assert digests(paths) == before

"""The report page: what it tells, that it is self-contained, and that it stays small."""

import re
import warnings

import numpy as np
import pandas as pd
import pytest
from astropy.wcs import WCS

from skymatch_nb import SkyMatchSession, SkyMatchWarning
from skymatch_nb.plots import mapdata, residuals
from skymatch_nb.report_page import LONGEST_TABLE, brief_table_html, made_or_missing, table_html, worst_first

EVIL = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def page(mosaic, tmp_path_factory):
    s = SkyMatchSession(mosaic.paths, skymethod="match", skystat="median", nclip=3, verbose=False)
    return s.report(tmp_path_factory.mktemp("report") / "r.html").read_text()


def body(page):
    return page[page.index("<body>") :]


def test_sections_are_in_order(page):
    titles = re.findall(r"<h2 id='s\d'>(.*?)</h2>", page)
    assert titles == ["Footprints", "Sky", "Pairs of exposures", "Overlaps", "Preview", "Parameters", "Images",
                      "Provenance", "To repeat this"]  # fmt: skip


def test_summary_is_in_words(page):
    text = body(page)
    assert "6 files" in text
    assert "Levels were found that make overlapping exposures agree (method match, statistic median)." in text
    assert re.search(r"The rms difference of 11 pairs: [\d.]+ before, [\d.]+ after \(electron", text)


def test_files_hashes_script_and_command(page, mosaic):
    import hashlib

    text = body(page)
    for path in mosaic.paths:
        assert str(path) in text
        assert hashlib.sha256(path.read_bytes()).hexdigest() in text
    assert "from skymatch_nb import SkyMatchSession" in text
    assert "skymatch-nb match" in text
    assert "--nclip 3" in text


def test_nothing_is_loaded_from_elsewhere(page):
    outside_scripts = re.sub(r"(<script[^>]*>).*?</script>", r"\1", page, flags=re.DOTALL)
    assert outside_scripts.count("<script") >= 3
    assert not re.findall(r"<(?:script|link|img|iframe)[^>]*(?:src|href)=", outside_scripts)


def test_warnings_come_first(write_image, tmp_path):
    paths = [write_image("a.fits"), write_image("b.fits"), write_image("far.fits", ra=20.0)]
    s = SkyMatchSession(paths, skymethod="match", verbose=False)
    with pytest.warns(SkyMatchWarning):
        text = body(s.report(tmp_path / "r.html").read_text())
    assert text.index("far.fits") < text.index("<h2")
    assert "Not matched, and without a level: far.fits (no overlap)." in text


def test_in_memory_inputs_say_why_there_is_no_script(tmp_path):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval, wcs.wcs.cdelt = ["RA---TAN", "DEC--TAN"], [10, 20], [-1e-4, 1e-4]
    rng = np.random.default_rng(1)
    images = [(rng.normal(level, 1, (40, 40)), wcs) for level in (5, 7)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SkyMatchWarning)
        text = body(SkyMatchSession(images, skymethod="match", verbose=False).report(tmp_path / "r.html").read_text())
    assert "is in memory: only sessions of files can be written as code" in text


def test_report_can_be_written_after_the_files_were(write_image, tmp_path):
    paths = [write_image("a.fits"), write_image("b.fits", level=7.0, ra=10.001)]
    s = SkyMatchSession(paths, skymethod="match", readonly=False, verbose=False)
    s.apply()
    text = body(s.report(tmp_path / "r.html").read_text())
    assert "Left out" in text
    assert "has changed since it was loaded" in text


@pytest.mark.parametrize("method", ["localmin", "globalmin", "globalmin+match"])
def test_every_method_has_a_report(mosaic, tmp_path, method):
    s = SkyMatchSession(mosaic.paths[:3], skymethod=method, skystat="median", verbose=False)
    assert f"method {method}" in body(s.report(tmp_path / "r.html", theme="dark").read_text())


def many_members(count):
    """Images on a grid, each overlapping its neighbours."""
    rng = np.random.default_rng(1)
    side = int(np.sqrt(count))
    for k in range(count):
        wcs = WCS(naxis=2)
        wcs.wcs.ctype, wcs.wcs.crpix = ["RA---TAN", "DEC--TAN"], [12.5, 12.5]
        wcs.wcs.crval, wcs.wcs.cdelt = [10 + 0.004 * (k % side), 0.004 * (k // side)], [-1 / 3600, 1 / 3600]
        yield rng.normal(k % 7, 1, (24, 24)), wcs


def test_a_thousand_members_stay_below_5_mb_and_say_what_is_left_out(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SkyMatchWarning)
        s = SkyMatchSession(
            list(many_members(1024)), skymethod="match", skystat="median", verbose=False,
            group_by=lambda member: f"{member.name} {'of a group with a long name' * 3}"[:80],
        )  # fmt: skip
        path = s.report(tmp_path / "r.html")
    assert len(s.overlaps) > mapdata.MOST_OVERLAPS
    assert len(s.residuals) > residuals.MOST_PAIRS
    text = body(path.read_text())
    assert path.stat().st_size < 5e6
    assert f"{1024 - LONGEST_TABLE} more rows are in the table files" in text
    page = path.read_text()
    assert f"shown are the {mapdata.MOST_OVERLAPS} overlaps with the largest differences" in page
    assert f"{len(s.residuals) - residuals.MOST_PAIRS} pairs with smaller pulls are not drawn" in page


def test_long_tables_show_the_worst_first(mosaic):
    s = SkyMatchSession(mosaic.paths, skymethod="match", skystat="median", verbose=False)
    table = s.residuals
    assert worst_first(table) is table
    longer = table.loc[np.repeat(table.index, 40)]
    ordered = worst_first(longer)
    assert (np.diff(ordered["pull"].abs()) <= 0).all()
    assert "more rows" in table_html(longer)


def test_cells_are_escaped_and_missing_values_are_dashes(mosaic):
    s = SkyMatchSession(mosaic.paths, skymethod="match", skystat="median", verbose=False)
    table = s.sky
    table["status"] = EVIL
    html = table_html(table)
    assert "<img" not in html
    assert "&lt;img" in html
    assert "&ndash;" in html


def test_errors_that_are_not_ours_are_not_hidden():
    def broken():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        made_or_missing({"broken": broken})


def test_columns_with_one_value_are_told_above_a_table():
    table = pd.DataFrame({"same": [1.5] * 3, "none": [None] * 3, "other": [1, 2, 3]}, index=["a", "b", "c"])
    table.attrs["units"] = {"same": "s", "other": "pixel"}
    html = brief_table_html(table)
    assert "The same in all rows: same 1.5 s." in html
    head = html[html.index("<thead>") : html.index("</thead>")]
    assert "other" in head
    assert "pixel" in head
    assert "same" not in head
    assert "none" not in html
    assert brief_table_html(table.iloc[:2]) == table_html(table.iloc[:2])


def test_outlier_pairs_are_among_the_first_warnings(mosaic, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SkyMatchWarning)
        free = SkyMatchSession(mosaic.paths, skymethod="match", skystat="median", verbose=False)
        level = free.sky.groupby("group")["sky_data"].first()
        fixed = {name: float(value) + (1.0 if k == 0 else 0.0) for k, (name, value) in enumerate(level.items())}
        text = body(free.configure(fixed=fixed).report(tmp_path / "r.html").read_text())
    opening = text[: text.index("<h2")]
    notes = re.findall(r"<p class='note'>(.*?)</p>", opening)
    assert any("pairs disagree after matching by far more than their errors" in note for note in notes)
    assert any("differ after matching by more than 5 standard errors" in note for note in notes)
    assert "(fixed, in data units)" in opening


@pytest.mark.filterwarnings("ignore::skymatch_nb.errors.SkyMatchWarning")
def test_images_grouped_by_chip_are_not_called_exposures(mosaic, tmp_path):
    s = SkyMatchSession(mosaic.paths, skymethod="match", skystat="median", group_by="chip", verbose=False)
    text = body(s.report(tmp_path / "r.html").read_text())
    assert "Pairs of chips" in text
    assert "of 12 chips have a level" in text[: text.index("<h2")]

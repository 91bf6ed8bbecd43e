"""The report: everything from outside is escaped, files are written whole or not at all."""

import pytest

from skymatch_nb import SkyMatchSession, SkyMatchWarning
from skymatch_nb.report import write_text

EVIL = "<img src=x onerror=alert(1)>"


def test_names_and_header_texts_do_nothing(write_image, tmp_path):
    paths = [write_image(f"{EVIL}.fits", FILTER="<script>x"), write_image("b.fits")]
    s = SkyMatchSession(paths, skymethod="match", verbose=False)
    with pytest.warns(SkyMatchWarning):
        page = s.report(tmp_path / "r.html").read_text()
    body = page[page.index("<body>") :]
    assert EVIL not in body
    assert "<script>x" not in body
    assert "&lt;img src=x" in body


def test_existing_file_survives_a_failed_write(tmp_path):
    path = tmp_path / "r.html"
    path.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        write_text(path, "new \ud800")
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["r.html"]


def test_report_names_warnings_tables_and_parameters(mosaic, tmp_path):
    s = SkyMatchSession(mosaic.paths, skymethod="match", nclip=3, verbose=False)
    page = s.report(tmp_path / "r.html").read_text()
    for text in ("6 files", "Pairs of exposures", "demo_01_flt.fits[SCI,2]", "nclip", "rms difference of"):
        assert text in page

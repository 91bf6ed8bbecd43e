"""The report: everything from outside is escaped, files are written whole or not at all."""

import hashlib
from html import escape

import pytest
from astropy.io import fits

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


def test_page_tells_where_it_comes_from(write_image, tmp_path):
    paths = [write_image(f"{EVIL}.fits"), write_image("b.fits", level=6.0)]
    s = SkyMatchSession(paths, skymethod="match", skystat="median", verbose=False)
    page = s.report(tmp_path / "r.html").read_text()
    section = page[page.index(">Provenance</h2>") :]
    told = s.provenance()
    assert told["program"] in section
    for record, path in zip(told["inputs"], paths, strict=True):
        assert record["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
        assert f"<td class='text'>{record['sha256']}</td>" in section
        assert f"<td>{path.stat().st_size}</td>" in section
        assert f"<td class='text'>{escape(str(path))}</td>" in section
    assert f"<pre>{escape(s.to_script())}</pre>" in section
    assert f"<pre>{escape(s.to_command())}</pre>" in section
    assert EVIL not in section


def test_page_of_objects_in_memory_says_so(write_image, tmp_path):
    first = write_image("a.fits")
    with fits.open(write_image("b.fits", level=6.0)) as hdus:
        hdus[0].header["FILENAME"] = EVIL
        hdus = fits.HDUList([hdus[0].copy()])
    page = SkyMatchSession([first, hdus], skymethod="match", verbose=False).report(tmp_path / "r.html").read_text()
    section = page[page.index(">Provenance</h2>") :]
    assert f"<td class='text'>{escape(str(first))}</td>" in section
    assert "<td>&ndash;</td><td class='text'>in memory</td>" in section
    assert "is in memory: only sessions of files can be written as code" in section
    assert "is in memory: only sessions of files can be written as a command" in section
    assert EVIL not in section


def test_page_tells_that_a_file_has_changed(write_image, tmp_path):
    paths = [write_image("a.fits"), write_image("b.fits", level=6.0)]
    s = SkyMatchSession(paths, skymethod="match", verbose=False)
    s.solve()
    paths[0].write_bytes(paths[0].read_bytes() + bytes(2880))
    page = s.report(tmp_path / "r.html").read_text()
    assert f"{paths[0]}: the file has changed since it was loaded" in page


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

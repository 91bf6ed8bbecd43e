"""Figures as files."""

import shutil
import sys

import pytest

from skymatch_nb import ParameterError, SkyMatchError
from skymatch_nb.plots import export
from skymatch_nb.plots.theme import THEMES


def test_page_holds_everything(session, tmp_path):
    path = session.save_figure(session.plot_footprints(), tmp_path / "map.html")
    page = path.read_text()
    assert path == tmp_path / "map.html"
    assert "src=" not in page.split("<body>")[0].replace("data-src=", "")[:2000]
    assert "demo_01_flt.fits[SCI,1]" in page
    assert [p.name for p in tmp_path.iterdir()] == ["map.html"]


def test_names_that_cannot_be_written_are_told(session, tmp_path):
    figure = session.plot_footprints()
    with pytest.raises(ParameterError, match=r"must end in \.html or \.png"):
        session.save_figure(figure, tmp_path / "map.svg")
    with pytest.raises(ParameterError, match="there is no folder"):
        session.save_figure(figure, tmp_path / "none" / "map.png")


@pytest.mark.parametrize("shown", [3, None, "map", ["figure"]])
def test_what_is_no_figure_is_told(session, tmp_path, shown):
    with pytest.raises(ParameterError, match="is no figure"):
        session.save_figure(shown, tmp_path / "map.html")


@pytest.mark.parametrize("path", [3, None, b"map.html"])
def test_what_is_no_name_is_told(session, path):
    with pytest.raises(ParameterError, match="must be the name of a file"):
        session.save_figure(session.plot_footprints(), path)
    with pytest.raises(ParameterError, match="must be the name of a file"):
        session.report(path)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_page_has_the_paper_of_its_figure(session, theme):
    page = export.figure_page(session.plot_residuals(theme=theme))
    assert f"background: {THEMES[theme].paper}" in page
    assert page.count("<html") == 1


def test_missing_extra_is_named(session, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "playwright.sync_api", None)
    with pytest.raises(SkyMatchError, match=r"skymatch_nb\[export\]"):
        session.save_figure(session.plot_footprints(), tmp_path / "map.png")
    assert not list(tmp_path.iterdir())


def test_missing_browser_is_told(session, tmp_path, monkeypatch):
    monkeypatch.setattr(export, "BROWSERS", ("no-such-browser",))
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path / "none"))
    with pytest.raises(SkyMatchError, match="need Chromium or Chrome"):
        session.save_figure(session.plot_footprints(), tmp_path / "map.png")


@pytest.mark.skipif(not any(map(shutil.which, export.BROWSERS)), reason="no Chromium on this machine")
def test_picture_shows_the_figure(session, tmp_path):
    import struct

    path = session.save_figure(session.plot_sky(theme="dark"), tmp_path / "sky.png")
    content = path.read_bytes()
    assert content.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", content[16:24])
    assert 1200 < width < 2600
    assert 400 < height < 1200

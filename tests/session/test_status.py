"""How a session tells its state."""

import pytest

from skymatch_nb import SkyMatchSession, SkyMatchWarning


def test_text_and_html_tell_the_state(session):
    assert "solve      not run" in repr(session)
    session.solve()
    session.configure(nclip=1)
    assert "solve      stale" in repr(session)
    assert "nclip=1" in repr(session)
    html = session._repr_html_()
    assert "stale" in html
    assert "<script" not in html


def test_names_are_escaped_in_html(write_image):
    paths = [write_image("<b>&'x.fits", FILTER="<i>"), write_image("b.fits")]
    s = SkyMatchSession(paths, skymethod="match", verbose=False)
    with pytest.warns(SkyMatchWarning, match="<i>"):
        s.solve()
    assert "<i>" not in s._repr_html_()

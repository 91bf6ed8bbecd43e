"""Logs of a session."""

import pytest

from skymatch_nb import ParameterError


def test_log_gets_every_solution(session, tmp_path):
    log = tmp_path / "sky.log"
    session.configure(logfile=str(log)).solve()
    session.configure(nclip=3).solve()
    text = log.read_text()
    assert text.count("skymethod = 'match'") == 2
    assert "nclip = 3" in text
    assert "DQ [DQ,2], ELECTRONS/S (rate: BUNIT)" in text


def test_log_gets_a_solution_that_is_fresh_once_per_file(session, tmp_path):
    first, second = tmp_path / "a.log", tmp_path / "b.log"
    session.solve()
    session.configure(logfile=str(first))
    assert not first.exists()
    levels = session.sky.sky_data
    session.solve()
    session.residuals  # noqa: B018 - asking is what is tested
    session.report(tmp_path / "r.html")
    text = first.read_text()
    assert text.count("***** skymatch_nb") == 1
    assert all(f"{name}: " in text and f"{level:.8g}" in text for name, level in levels.items())
    session.configure(logfile=str(second)).run()
    session.configure(logfile=str(first), nclip=3).solve()
    session.configure(nclip=5).solve()
    assert (first.read_text().count("*****"), second.read_text().count("*****")) == (4, 2)


def test_log_that_cannot_be_written_is_tried_again(session, tmp_path):
    log = tmp_path / "logs" / "sky.log"
    log.parent.mkdir()
    session.configure(logfile=str(log))
    log.parent.rmdir()
    with pytest.raises(ParameterError, match="there is no folder"):
        session.solve()
    log.parent.mkdir()
    session.solve()
    assert log.read_text().count("***** skymatch_nb") == 1

"""Kill the writer twenty times; the script does it as often as asked."""

import importlib.util
import os
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="processes cannot be forked here")


def _script():
    path = Path(__file__).parents[1] / "kill_writer.py"
    spec = importlib.util.spec_from_file_location("kill_writer", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["kill_writer"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("command", [False, True], ids=["writer", "command line"])
def test_every_file_is_old_or_new_and_can_be_restored(tmp_path, command, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    trial = _script().kill_many(tmp_path, 20, seed=7, command=command)
    assert trial.kills == 20
    assert trial.inside >= 10

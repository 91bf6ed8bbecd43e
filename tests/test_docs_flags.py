"""The example of docs/flags.md is run; tests/params/test_flags.py compares its tables with the module."""

import re
from pathlib import Path

PAGE = (Path(__file__).parents[1] / "docs" / "flags.md").read_text(encoding="utf-8")


def test_the_python_block(mosaic, monkeypatch):
    """Two flags are good, then all but two, then hot pixels alone, then none."""
    (block,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    monkeypatch.chdir(mosaic.paths[0].parent)
    names = {}
    exec(block, names)
    assert set(names["s"].masks.dq_good) == {"none (default)"}

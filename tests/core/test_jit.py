"""Machine code is taken from the disk only while the sources of all kernels are those that it was made from."""

import importlib.util
import sys

import pytest

from skymatch_nb.core import jit

SOURCE = """from skymatch_nb.core.jit import kernel


@kernel
def doubled(x: float) -> float:
    return 2.0 * x
"""


@pytest.fixture
def doubled(tmp_path, monkeypatch):
    """What makes the kernel anew, as another process would, from a cache of its own."""
    monkeypatch.setattr("numba.config.CACHE_DIR", str(tmp_path / "cache"))
    path = tmp_path / "kernels_of_a_test.py"
    path.write_text(SOURCE)

    def make():
        spec = importlib.util.spec_from_file_location(path.stem, path)
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, path.stem, module)
        spec.loader.exec_module(module)
        assert module.doubled(4.0) == 8.0
        return module.doubled

    return make


def hits(function):
    return sum(function.stats.cache_hits.values())


def test_kernels_come_from_the_disk_the_second_time(doubled):
    assert hits(doubled()) == 0
    assert hits(doubled()) == 1


def test_kernels_are_made_anew_when_a_module_has_changed(doubled, monkeypatch):
    """What a kernel calls in another module is part of its machine code."""
    doubled()
    monkeypatch.setattr(jit, "FINGERPRINT", "of other sources")
    assert hits(doubled()) == 0
    assert hits(doubled()) == 1


def test_the_fingerprint_is_that_of_all_sources(tmp_path, monkeypatch):
    for name in ("one", "two"):
        (tmp_path / f"{name}.py").write_text("x = 1")
    monkeypatch.setattr(jit, "__file__", str(tmp_path / "one.py"))
    before = jit._fingerprint()
    (tmp_path / "two.py").write_text("x = 2")
    assert jit._fingerprint() != before

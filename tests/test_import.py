"""Importing the package is light."""

import subprocess
import sys

import pytest

HEAVY = ("bokeh", "ipywidgets", "IPython", "jupyter_client", "dask", "distributed", "numba", "astropy", "pandas")
HEAVY += ("regions", "photutils", "asdf", "gwcs")


def loaded_after(code: str) -> set[str]:
    script = f"import sys; {code}; print(' '.join(sys.modules))"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(run.stdout.split())


def test_import_loads_nothing_heavy():
    assert not loaded_after("import skymatch_nb").intersection(HEAVY)


def test_a_solution_needs_no_bokeh_jupyter_or_dask(mosaic):
    paths = [str(p) for p in mosaic.paths]
    code = (
        f"import skymatch_nb as s; x = s.SkyMatchSession({paths!r}, verbose=False); x.solve(); repr(x); x._repr_html_()"
    )
    assert not loaded_after(code).intersection(
        ("bokeh", "ipywidgets", "IPython", "dask", "distributed", "regions", "photutils", "gwcs")
    )


def test_a_plain_match_imports_no_more_than_it_needs(mosaic):
    paths = [str(p) for p in mosaic.paths]
    run = f"from skymatch_nb.cli import main; main(['match', '--quiet', '--skystat', 'median', *{paths!r}])"
    assert "skymatch_nb.steps.solve" in (loaded := loaded_after(run))
    unused = {
        "stwcs",
        "scipy.spatial",
        "scipy.ndimage",
        "scipy.optimize",
        "astropy.nddata",
        "filelock",
        "bokeh",
        "gwcs",
    }
    assert not loaded & unused


def test_without_asdf_and_gwcs_everything_else_runs(mosaic):
    paths = [str(p) for p in mosaic.paths]
    block = "sys.modules.update({name: None for name in ('asdf', 'asdf_astropy', 'gwcs', 'lz4')})"
    run = f"import skymatch_nb as s; x = s.SkyMatchSession({paths!r}, skymethod='match', verbose=False); x.solve()"
    assert "skymatch_nb.steps.solve" in loaded_after(f"{block}; {run}")


def test_every_public_name_is_there():
    import skymatch_nb

    for name in skymatch_nb.__all__:
        assert getattr(skymatch_nb, name) is not None
    with pytest.raises(AttributeError, match="nothing_here"):
        skymatch_nb.nothing_here  # noqa: B018

"""Every public name is described, and examples in docstrings give what they say."""

import doctest
import inspect
import pkgutil
import re
import sys
from importlib import import_module
from pathlib import Path

import pytest

import skymatch_nb

MODULES = sorted(
    m.name for m in pkgutil.walk_packages(skymatch_nb.__path__, "skymatch_nb.") if "__main__" not in m.name
)


def public_names():
    """Every public name of the package, and every public method of its classes, with the object."""
    for name in skymatch_nb.__all__:
        thing = getattr(skymatch_nb, name)
        if name.startswith("__"):
            continue
        yield name, thing
        if inspect.isclass(thing):
            for attribute, _ in inspect.getmembers(thing):
                described = inspect.getattr_static(thing, attribute)
                own = getattr(inspect.unwrap(getattr(thing, attribute)), "__module__", "") or ""
                if not attribute.startswith("_") and (isinstance(described, property) or own.startswith("skymatch_nb")):
                    yield f"{name}.{attribute}", getattr(thing, attribute)


DESCRIBED = dict(public_names())


def test_the_session_is_among_them():
    assert {"SkyMatchSession", "SkyMatchSession.solve", "SkyMatchSession.sky", "SkyMatchSession.plot_sky"} <= set(
        DESCRIBED
    )


def test_the_api_page_has_every_method_of_the_session():
    page = (Path(__file__).parents[1] / "docs" / "api.md").read_text("utf-8").splitlines()
    shown = {line.split(":: skymatch_nb.")[1] for line in page if line.startswith((".. automethod", ".. autoproperty"))}
    assert {name for name in DESCRIBED if name.startswith("SkyMatchSession.")} == shown


@pytest.mark.parametrize("name", DESCRIBED)
def test_public_name_has_a_docstring(name):
    text = inspect.getdoc(DESCRIBED[name]) or ""
    assert text.split("\n")[0].rstrip().endswith((".", ":")), f"{name} has no summary line"


@pytest.mark.parametrize("name", [name for name, thing in DESCRIBED.items() if inspect.isroutine(thing)])
def test_arguments_are_named_in_the_docstring(name):
    """One argument may go without saying; several are told apart by their names, there or for the whole class."""
    home = DESCRIBED[name].__qualname__.rpartition(".")[0]
    whole = getattr(sys.modules[DESCRIBED[name].__module__], home, None) if home else None
    text = f"{inspect.getdoc(DESCRIBED[name])} {whole and inspect.getdoc(whole)}"
    given = inspect.signature(DESCRIBED[name]).parameters.values()
    named = [p.name for p in given if p.name not in ("self", "cls") and p.kind is not p.VAR_KEYWORD]
    missing = [argument for argument in named if not re.search(rf"\b{argument}\b", text)]
    assert len(named) < 2 or not missing or "published signature" in text


def test_examples_in_docstrings(mosaic, monkeypatch):
    """Examples are run where the exposures are that they name."""
    monkeypatch.chdir(mosaic.paths[0].parent)
    run = failed = 0
    for name in MODULES:
        outcome = doctest.testmod(import_module(name), optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
        run, failed = run + outcome.attempted, failed + outcome.failed
    assert failed == 0
    assert run >= 4

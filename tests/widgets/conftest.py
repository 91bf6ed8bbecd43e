"""What tests of the panel share: a session of planted exposures, and a panel that has solved it."""

import pytest

from skymatch_nb import SkyMatchSession
from skymatch_nb.widgets.guard import Guard


@pytest.fixture
def session(mosaic):
    return SkyMatchSession(mosaic.paths, skymethod="match", skystat="median", verbose=False)


@pytest.fixture
def panel(session):
    made = session.panel()
    settle(made)
    assert made.messages.error == ""
    yield made
    made.worker.cancel()
    made.worker.wait()


@pytest.fixture
def errors():
    """What was reported to the guard."""
    return []


@pytest.fixture
def guard(errors):
    return Guard(errors.append, lambda: None)


def settle(panel):
    assert panel.worker.wait(60)


def within(widget):
    """A widget and all that are in it."""
    yield widget
    for child in getattr(widget, "children", ()):
        yield from within(child)


def press(widget, name):
    """Press the button whose class is ``skymatch-name``, as the page does."""
    button = next(w for w in within(widget) if f"skymatch-{name}" in w._dom_classes)
    assert not button.disabled
    button._handle_button_msg(button, {"event": "click"}, [])


def message(widget, content):
    """Let a widget hear what the page sends."""
    widget._handle_custom_msg(content, [])


def given(widget, **state):
    """Let the page change traits of a widget."""
    widget.set_state(state)

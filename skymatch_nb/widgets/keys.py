"""What a panel's page does for the keyboard and for screen readers."""

from pathlib import Path

import anywidget


class Keys(anywidget.AnyWidget):
    """Lets the folds of the panel that it is part of be reached by Tab, and opened by Enter or space.

    Besides it gives every part of a parameter's control the parameter's name and unit, and its help and what is wrong
    with it as its description: ipywidgets has no place for these.
    """

    _esm = Path(__file__).with_name("keys.js")

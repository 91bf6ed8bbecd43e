"""What a panel's page does with keys."""

from pathlib import Path

import anywidget


class Keys(anywidget.AnyWidget):
    """Lets the folds of the panel that it is part of be reached by Tab, and opened by Enter or space."""

    _esm = Path(__file__).with_name("keys.js")

"""Progress on the screen: one bar for the step that runs, in a terminal or a notebook."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from skymatch_nb.executor import Progress

DELAY = 1.0
"""Seconds before a bar is shown, so that quick steps show none."""


@contextmanager
def progress_bar(callback: Progress | None, shown: bool) -> Iterator[Progress | None]:
    """Give the callback itself where there is one, else one that draws a bar where it is ``shown``."""
    if callback is not None or not (shown and _watched()):
        yield callback
        return
    from tqdm.auto import tqdm

    with tqdm(total=0, delay=DELAY, leave=False) as bar:

        def update(done: int, total: int, message: str) -> None:
            if bar.total != total:
                bar.total = total
            bar.set_description_str(message, refresh=False)
            bar.update(done - bar.n)

        yield update


def _watched() -> bool:
    """Whether somebody can see a bar: on a terminal, or in a notebook."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return sys.stderr.isatty() or type(shell).__name__ == "ZMQInteractiveShell"

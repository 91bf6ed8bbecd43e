"""What users do, kept from failing silently: ipywidgets and Bokeh only log what handlers raise, where nobody looks."""

import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

Report = Callable[[BaseException], None]
"""Shows an error to the user."""

THREADS = "skymatch_nb"
"""How the names of the panel's own threads begin, and those of the threads that work for it."""


class Guard:
    """Does things that may fail.

    Parameters
    ----------
    report
        Shows what was raised.
    well
        Called after something that a user asked for was done.
    """

    def __init__(self, report: Report, well: Callable[[], None]) -> None:
        self.report, self._well = report, well

    def attempt(self, do: Callable[[], Any]) -> Any:
        """Do something that a user asked for; its result, None where it failed."""
        try:
            result = do()
        except Exception as error:
            self.report(error)
            return None
        self._well()
        return result

    def handler(self, do: Callable[..., Any]) -> Callable[..., None]:
        """Return a function for ``on_click``, ``observe`` and the like that reports what ``do`` raises."""

        def handle(*given: Any) -> None:
            try:
                do(*given)
            except Exception as error:
                self.report(error)

        return handle


@contextmanager
def warnings_told(tell: Callable[[str], None]) -> Iterator[None]:
    """Hand to a function the warnings of threads that work for a panel; those of other threads are shown as ever."""
    before = warnings.showwarning

    def show(message: Any, category: type[Warning], *place: Any) -> None:
        if threading.current_thread().name.startswith(THREADS):
            tell(f"{category.__name__}: {message}")
        else:
            before(message, category, *place)

    warnings.showwarning = show  # type: ignore[assignment]  # it hands on whatever it is given
    try:
        yield
    finally:
        if warnings.showwarning is show:
            warnings.showwarning = before

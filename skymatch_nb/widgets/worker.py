"""Work in the background of a panel: one task at a time, the latest request served, progress told, cancel heard."""

import threading
import time
from collections.abc import Callable

from skymatch_nb.executor import Progress

DELAY = 0.005
"""Seconds for which a request waits for another one; those that come while a task runs are one more anyway."""

NOTICED = 0.15
"""Seconds after which a task is told to be at work: what is done before is not worth a page's drawing it."""

TELL_EVERY = 0.1
"""Seconds between two reports of progress."""


class CancelledError(Exception):
    """The work was stopped because a user asked for it."""


class Worker:
    """A thread that does a task when it is requested; requests that come while it waits or works are one more.

    Parameters
    ----------
    failed
        Called with what a task raised, `CancelledError` included.
    tell
        Called with items done, their number, and what is being done.
    busy
        Called with whether there is something to do when that changes, where it takes longer than `NOTICED`.
    """

    def __init__(
        self,
        failed: Callable[[BaseException], None],
        tell: Progress,
        busy: Callable[[bool], None] = lambda _: None,
    ) -> None:
        self._failed, self._tell, self._tell_busy = failed, tell, busy
        self._condition = threading.Condition()
        self._task: Callable[[], None] | None = None
        self._working = False
        self._stop = threading.Event()
        self._told = 0.0
        self._told_busy = False
        self._thread: threading.Thread | None = None

    @property
    def busy(self) -> bool:
        """Whether a task runs or waits."""
        return self._working or self._task is not None

    def request(self, task: Callable[[], None]) -> None:
        """Have a task done soon, in place of one that still waits."""
        with self._condition:
            self._task = task
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="skymatch_nb panel", daemon=True)
                self._thread.start()
            self._condition.notify_all()

    def offer(self, task: Callable[[], None]) -> None:
        """Have a task done soon where nothing else waits."""
        if self._task is None:
            self.request(task)

    def cancel(self) -> bool:
        """Stop the task that runs at its next step of progress, and forget one that waits; whether one runs."""
        with self._condition:
            self._task = None
            if self._working:
                self._stop.set()
            return self._working

    def wait(self, timeout: float = 60.0) -> bool:
        """Wait until there is nothing to do; whether that came within ``timeout`` seconds."""
        with self._condition:
            return self._condition.wait_for(lambda: not self.busy, timeout)

    def progress(self, done: int, total: int, message: str) -> None:
        """Report progress of the task that runs.

        Raises
        ------
        CancelledError
            Where the task is to stop.
        """
        if self._stop.is_set():
            raise CancelledError
        now = time.monotonic()
        if now - self._told >= TELL_EVERY or done in (0, total):
            self._told = now
            self._tell(done, total, message)

    def _run(self) -> None:
        while True:
            with self._condition:
                if not self._condition.wait_for(lambda: self._task is not None, timeout=30):
                    self._thread = None
                    return
            time.sleep(DELAY)
            with self._condition:
                task, self._task = self._task, None
                self._working = task is not None
                self._stop.clear()
            if task is None:
                continue
            slow = threading.Timer(NOTICED, self._slow)
            slow.start()
            try:
                self._do(task)
            finally:
                slow.cancel()
                with self._condition:
                    self._working = False
                    if self._told_busy and self._task is None:
                        self._told_busy = False
                        self._tell_busy(False)
                    self._condition.notify_all()

    def _slow(self) -> None:
        """Tell that there is something to do, where it is not done yet."""
        with self._condition:
            if self._working and not self._told_busy:
                self._told_busy = True
                self._tell_busy(True)

    def _do(self, task: Callable[[], None]) -> None:
        try:
            task()
        except BaseException as error:
            self._failed(error)

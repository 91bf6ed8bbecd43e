"""An ordered map over independent items: in this thread or over several. Algorithms do not know which."""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

T = TypeVar("T")
R = TypeVar("R")

Progress: TypeAlias = Callable[[int, int, str], None]
"""Called with the items done, their total number, and what is being done; it may raise to stop the work."""


def available_cores() -> int:
    """Return the number of processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True)
class Work:
    """How to run a step: over how many threads, and whom to tell of its progress."""

    workers: int = 1
    progress: Progress | None = None

    def map(self, function: Callable[[T], R], items: Iterable[T], message: str, threads: bool = True) -> list[R]:
        """Results of ``function`` for every item, in order; the first error is raised and ends the rest.

        ``threads`` False keeps it in this thread, for functions that hold the GIL.
        """
        todo = list(items)
        self.tell(0, len(todo), message)
        if not threads or self.workers < 2 or len(todo) < 2:
            results = []
            for item in todo:
                results.append(function(item))
                self.tell(len(results), len(todo), message)
            return results
        results = []
        with ThreadPoolExecutor(min(self.workers, len(todo)), thread_name_prefix="skymatch_nb") as pool:
            futures = [pool.submit(function, item) for item in todo]
            try:
                for future in futures:
                    results.append(future.result())
                    self.tell(len(results), len(todo), message)
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
        return results

    def tell(self, done: int, total: int, message: str) -> None:
        """Report progress, where somebody listens."""
        if self.progress is not None:
            self.progress(done, total, message)

"""An ordered map over independent items: in a thread, in several, or on a cluster. Algorithms do not know which."""

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, TypeVar

T = TypeVar("T")
R = TypeVar("R")

Progress: TypeAlias = Callable[[int, int, str], None]
"""Called with the items done, their total number, and what is being done; it may raise to stop the work."""


class Cluster(Protocol):
    """Other processes that items can be sent to."""

    def run(
        self,
        function: Callable[[Any], Any],
        items: Sequence[Any],
        message: str,
        done: Callable[[int, Any], None],
        waiting: Callable[[], None],
        alone: bool,
    ) -> None:
        """Call ``done`` with the number and the result of every item, as they come, and ``waiting`` meanwhile.

        Both may raise, which ends the work, as the first error of an item does. With ``alone`` no process works at two
        items at a time.
        """


def available_cores() -> int:
    """Return the number of processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True)
class Work:
    """How to run a step: over how many threads, whom to tell of its progress, and on which cluster, if any.

    ``stayed`` is called with the number of items that could not be sent to it.
    """

    workers: int = 1
    progress: Progress | None = None
    cluster: Cluster | None = None
    stayed: Callable[[int], None] | None = None

    def map(
        self,
        function: Callable[[T], Any],
        items: Iterable[T],
        message: str,
        threads: bool = True,
        keep: Callable[[Any], Any] | None = None,
        sent: Callable[[T], bool] | None = None,
        here: Callable[[T], Any] | None = None,
    ) -> list[Any]:
        """Results of ``function`` for every item, in order; the first error is raised and ends the rest.

        Parameters
        ----------
        threads
            False keeps it in one thread of a process, for functions that hold the GIL.
        keep
            What is done to every result, in this process, as soon as it is there.
        sent
            Which items can be sent to a cluster, the function being one of a module; None for none.
        here
            What does both, ``function`` and ``keep``, to the items of this process, where there is a better way.
        """
        todo = list(items)
        results: list[Any] = [None] * len(todo)
        count = 0
        self.tell(0, len(todo), message)

        def done(k: int, result: Any) -> None:
            nonlocal count
            results[k] = result
            count += 1
            self.tell(count, len(todo), message)

        away = [k for k, item in enumerate(todo) if sent(item)] if sent and self.cluster else []
        if away and self.cluster:
            self.cluster.run(
                function,
                [todo[k] for k in away],
                message,
                lambda k, result: done(away[k], result if keep is None else keep(result)),
                lambda: self.tell(count, len(todo), message),
                not threads,
            )
        stay = sorted(set(range(len(todo))) - set(away))
        if sent and self.cluster and stay and self.stayed:
            self.stayed(len(stay))
        kept = here or (function if keep is None else lambda item: keep(function(item)))
        self._here(kept, [(k, todo[k]) for k in stay], done, threads)
        return results

    def _here(
        self, function: Callable[[T], Any], items: list[tuple[int, T]], done: Callable[[int, Any], None], threads: bool
    ) -> None:
        if not threads or self.workers < 2 or len(items) < 2:
            for k, item in items:
                done(k, function(item))
            return
        with ThreadPoolExecutor(min(self.workers, len(items)), thread_name_prefix="skymatch_nb") as pool:
            futures = [(k, pool.submit(function, item)) for k, item in items]
            try:
                for k, future in futures:
                    done(k, future.result())
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise

    def tell(self, done: int, total: int, message: str) -> None:
        """Report progress, where somebody listens."""
        if self.progress is not None:
            self.progress(done, total, message)

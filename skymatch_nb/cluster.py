"""Work on Dask: batches of items go to workers as a few kilobytes each, results come back. The only door to Dask."""

import math
import pickle
import signal
import time
import traceback
import uuid
import weakref
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError
from contextlib import nullcontext
from importlib import import_module
from importlib.metadata import version
from threading import RLock
from typing import Any, TypeAlias

from skymatch_nb.errors import ParameterError, SkyMatchError, installed_with

MOST_IMAGES, MOST_HEADERS = 16, 128
"""Items of a batch at most, of those whose pixels are read and of others: a worker holds their results until they are
fetched, and nobody hears of progress meanwhile. A task costs some milliseconds, whatever it does."""

BATCHES = 4
"""Batches for each thread of the cluster, where there are items enough: who is done early takes more of them."""

POLL = 0.005
"""Seconds between two looks at what is done."""

_ALONE = RLock()

Outcome: TypeAlias = tuple[list[Any], Exception | None]
"""Results of a batch up to the first error, and that error."""


class DaskCluster:
    """A Dask cluster: the given client's, else that of the client that is active, else that of Dask's configuration.

    The last is the scheduler that ``scheduler-address`` (DASK_SCHEDULER_ADDRESS) names. Where there is none of these,
    it is a local cluster of ``workers`` processes of one thread each. What it makes itself is made when it is first
    needed, and ended by `close` or with this object.
    """

    def __init__(self, given: Any, workers: int) -> None:
        self._given, self._workers = given, workers
        self._own: Any = None
        self._lock = RLock()

    def client(self) -> Any:
        """Return the client to work with.

        Raises
        ------
        ParameterError
            Where distributed is not installed, or the client is closed or asynchronous.
        SkyMatchError
            Where a local cluster cannot be started, or no scheduler answers at the address of Dask's configuration.
        """
        distributed = _distributed()
        with self._lock:
            client = self._given if self._given is not None else _active(distributed)
            if client is None:
                self._own = self._own or self._configured(distributed) or self._local(distributed)
                return self._own
        if client.status != "running" or client.asynchronous:
            state = "asynchronous" if client.asynchronous else client.status
            raise ParameterError(
                f"parameter executor={client!r}: the client is {state}, not connected to a scheduler; give another "
                "client, or executor='threads'"
            )
        return client

    def close(self) -> None:
        """End the local cluster, where one was made; clients of others stay."""
        with self._lock:
            own, self._own = self._own, None
        if own is not None:
            own.skymatch_end()

    def run(
        self,
        function: Callable[[Any], Any],
        items: Sequence[Any],
        message: str,
        done: Callable[[int, Any], None],
        waiting: Callable[[], None],
        alone: bool,
    ) -> None:
        """See `skymatch_nb.executor.Cluster`.

        Tasks whose worker was lost are done by another. None is tied to a worker: Dask leaves those that are tied to a
        lost one waiting where all others are lost, too, even when new ones come.

        Raises
        ------
        SkyMatchError
            Where workers were lost over the same batch again and again, run another version, or the scheduler is lost.
        """
        distributed, client = _distributed(), self.client()
        threads = sum(client.nthreads().values())
        most = MOST_HEADERS if alone else MOST_IMAGES
        size = max(1, min(most, math.ceil(len(items) / (BATCHES * max(1, threads)))))
        starts = range(0, len(items), size)
        payloads = [payload(function, items[start : start + size], alone) for start in starts]
        futures = {self._submit(client, body, message): k for k, body in enumerate(payloads)}
        try:
            with client.as_current():
                completed = distributed.as_completed(list(futures))
            self._collect(completed, futures, starts, done, waiting)
        except distributed.KilledWorker as error:
            raise SkyMatchError(
                f"executor: workers were lost again and again while they did {message!r}; do they have memory enough? "
                f"({str(error).splitlines()[0]})"
            ) from error
        except (CancelledError, import_module("distributed.comm").CommClosedError) as error:
            raise SkyMatchError(f"executor: the Dask scheduler was lost during {message!r} ({error})") from error
        finally:
            client.cancel([future for future in futures if not future.done()])

    @staticmethod
    def _submit(client: Any, body: bytes, message: str) -> Any:
        key = f"skymatch_{message.replace(' ', '_')}-{uuid.uuid4().hex}"
        return client.submit(run_batch, body, key=key, pure=False)

    @staticmethod
    def _collect(
        completed: Any,
        futures: dict[Any, int],
        starts: range,
        done: Callable[[int, Any], None],
        waiting: Callable[[], None],
    ) -> None:
        """Hand on results as they come; of several errors, that of the first item is raised, as without a cluster."""
        left = set(futures.values())
        error: Exception | None = None
        while left:
            ready = completed.next_batch(block=False)
            if not ready:
                waiting()
                time.sleep(POLL)
            for future in ready:
                k = futures.pop(future)
                if k not in left:
                    continue
                results, failed = future.result()
                left.discard(k)
                if failed is not None:
                    error, left = failed, {other for other in left if other < k}
                for number, result in enumerate(results if error is None else ()):
                    done(starts[k] + number, result)
        if error is not None:
            raise error

    def _configured(self, distributed: Any) -> Any:
        address = import_module("dask").config.get("scheduler-address", None)
        if address is None:
            return None
        try:
            client = distributed.Client(address, set_as_default=False)
        except (OSError, TimeoutError, ValueError) as error:
            raise SkyMatchError(
                f"executor='dask': no scheduler answers at {address!r}, which Dask's configuration "
                f"(DASK_SCHEDULER_ADDRESS) names ({error})"
            ) from error
        client.skymatch_end = weakref.finalize(self, _end, client)
        return client

    def _local(self, distributed: Any) -> Any:
        try:
            cluster = distributed.LocalCluster(
                n_workers=self._workers, threads_per_worker=1, dashboard_address="127.0.0.1:0",
                scheduler_kwargs={"dashboard": False}, silence_logs="ERROR", preload=[__name__],
            )  # fmt: skip
        except Exception as error:  # of many types, as they come from other processes
            raise SkyMatchError(
                f"executor='dask': the local cluster did not start ({error}); a script that starts one needs the line "
                "if __name__ == '__main__': before what it does"
            ) from error
        client = distributed.Client(cluster, set_as_default=False)
        client.skymatch_end = weakref.finalize(self, _end, client, cluster)
        return client


def _end(client: Any, cluster: Any = None) -> None:
    client.close()
    if cluster is not None:
        cluster.close()


def dask_setup(_worker: Any) -> None:
    """Leave Ctrl-C to the session; Dask calls this in the processes of a local cluster, whose terminal is the same."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _distributed() -> Any:
    try:
        return import_module("distributed")
    except ImportError as error:
        raise ParameterError(
            "parameter executor='dask': it needs the package 'distributed', which is not installed; "
            + installed_with("dask")
        ) from error


def _active(distributed: Any) -> Any:
    try:
        return distributed.get_client()
    except ValueError:  # there is none
        return None


def payload(function: Callable[[Any], Any], items: Sequence[Any], alone: bool) -> bytes:
    """All that a task carries."""
    return pickle.dumps((version("skymatch_nb"), function, list(items), alone), protocol=5)


def run_batch(body: bytes) -> Outcome:
    """Do the items of a `payload`, on a worker. Errors are results, so that workers do not log what we report.

    Raises
    ------
    SkyMatchError
        Where the worker has another version of this package.
    """
    sent_by, function, items, alone = pickle.loads(body)
    if sent_by != version("skymatch_nb"):
        return [], SkyMatchError(
            f"executor: the session runs skymatch_nb {sent_by}, a worker {version('skymatch_nb')}: install the same"
        )
    results = []
    with _ALONE if alone else nullcontext():
        for item in items:
            try:
                results.append(function(item))
            except Exception as error:
                return results, _portable(error)
    return results, None


def _portable(error: Exception) -> Exception:
    """Return the error, with the traceback of the worker as a note; one that cannot be pickled as its text."""
    where = "".join(traceback.format_exception(error))
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        error = SkyMatchError(f"{type(error).__name__}: {error}")
    error.__traceback__ = None
    if not isinstance(error, SkyMatchError):
        error.add_note(f"on a worker:\n{where}")
    return error

"""The worker: one task at a time, the latest request, progress, and cancel."""

import threading

import pytest

from skymatch_nb.widgets.worker import CancelledError, Worker


@pytest.fixture
def failures():
    return []


@pytest.fixture
def told():
    return []


@pytest.fixture
def worker(failures, told):
    return Worker(failures.append, lambda *progress: told.append(progress))


def test_a_task_is_done_in_another_thread(worker, failures):
    names = []
    worker.request(lambda: names.append(threading.current_thread()))
    assert worker.wait(10)
    assert names[0] is not threading.current_thread()
    assert failures == []


def test_requests_that_wait_are_one_more(worker):
    started, go = threading.Event(), threading.Event()
    done = []

    def first():
        started.set()
        go.wait(10)
        done.append("first")

    worker.request(first)
    assert started.wait(10)
    for name in ("second", "third", "last"):
        worker.request(lambda name=name: done.append(name))
    assert worker.busy
    go.set()
    assert worker.wait(10)
    assert done == ["first", "last"]


def test_cancel_stops_at_the_next_step(worker, failures, told):
    started, go = threading.Event(), threading.Event()
    done = []

    def task():
        for k in range(1000):
            worker.progress(k, 1000, "read")
            done.append(k)
            started.set()
            go.wait(10)

    worker.request(task)
    assert started.wait(10)
    worker.cancel()
    go.set()
    assert worker.wait(10)
    assert done == [0]
    assert [type(f) for f in failures] == [CancelledError]
    assert told == [(0, 1000, "read")]

    worker.request(lambda: done.append("after"))
    assert worker.wait(10)
    assert done == [0, "after"]
    assert len(failures) == 1


def test_cancel_forgets_what_waits(worker, failures):
    started, go = threading.Event(), threading.Event()
    done = []
    worker.request(lambda: (started.set(), go.wait(10)))
    assert started.wait(10)
    worker.request(lambda: done.append("waited"))
    worker.cancel()
    go.set()
    assert worker.wait(10)
    assert done == []
    assert failures == []  # the first one told no progress, and came to its end


def test_the_last_progress_is_always_told(worker, told):
    worker.request(lambda: [worker.progress(k, 500, "read") for k in range(501)])
    assert worker.wait(10)
    assert told[0] == (0, 500, "read")
    assert told[-1] == (500, 500, "read")
    assert len(told) < 100


def test_errors_are_handed_on_and_work_goes_on(worker, failures):
    worker.request(lambda: 1 / 0)
    assert worker.wait(10)
    assert [type(f) for f in failures] == [ZeroDivisionError]
    done = []
    worker.request(lambda: done.append(1))
    assert worker.wait(10)
    assert done == [1]


def test_only_what_takes_long_is_told_to_be_at_work(monkeypatch, failures):
    monkeypatch.setattr("skymatch_nb.widgets.worker.NOTICED", 0.05)
    told, go = [], threading.Event()
    noticed = threading.Event()
    worker = Worker(failures.append, lambda *_: None, lambda busy: (told.append(busy), noticed.set()))
    worker.request(lambda: None)
    assert worker.wait(10)
    assert told == []
    worker.request(lambda: go.wait(10))
    assert noticed.wait(10)
    assert told == [True]
    go.set()
    assert worker.wait(10)
    assert told == [True, False]

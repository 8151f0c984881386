"""The worker threads: their limit, abandoned calls and priorities."""

import queue
import threading
from functools import partial
from typing import Any

from backupctl.scheduler.workers import DoneCallback, ThreadWorkers
from tests.support.workers import Gate


def collector() -> tuple["queue.SimpleQueue[Any]", DoneCallback]:
    outcomes: queue.SimpleQueue[Any] = queue.SimpleQueue()
    return outcomes, lambda result, error: outcomes.put(result if error is None else error)


def test_threads_stay_within_their_limit() -> None:
    workers, gate = ThreadWorkers(limit=3), Gate()
    outcomes, on_done = collector()
    for _ in range(9):
        workers.submit(gate, on_done)
    for _ in range(3):
        gate.entered.get(timeout=5)
    gate.open()
    assert [outcomes.get(timeout=5) for _ in range(9)] == ["through"] * 9
    assert gate.most == 3


def test_threads_are_reused() -> None:
    workers = ThreadWorkers(limit=4)
    outcomes, on_done = collector()
    threads = set()
    for _ in range(20):
        workers.submit(threading.current_thread, on_done)
        threads.add(outcomes.get(timeout=5))
    (thread,) = threads
    assert (thread.name, thread.daemon) == ("worker", True)


def test_thread_of_an_abandoned_call_is_not_replaced_while_the_queue_is_empty() -> None:
    workers, gate = ThreadWorkers(limit=4), Gate()
    outcomes, on_done = collector()
    abandon = workers.submit(gate, on_done)
    gate.entered.get(timeout=5)
    abandon()
    abandon()
    assert workers._threads == 0
    gate.open()
    assert outcomes.get(timeout=5) == "through"


def test_abandoning_a_finished_call_keeps_its_thread() -> None:
    workers = ThreadWorkers(limit=1)
    outcomes, on_done = collector()
    abandon = workers.submit(partial(str, "done"), on_done)
    assert outcomes.get(timeout=5) == "done"
    abandon()
    assert workers._threads == 1


def test_exceptions_of_every_kind_reach_the_callback() -> None:
    workers = ThreadWorkers()
    outcomes, on_done = collector()

    def fails() -> None:
        raise SystemExit(3)

    workers.submit(fails, on_done)
    assert isinstance(outcomes.get(timeout=5), SystemExit)


def test_thread_that_hangs_in_an_abandoned_call_is_replaced_for_a_queued_one() -> None:
    workers, gate = ThreadWorkers(limit=1), Gate()
    outcomes, on_done = collector()
    abandon = workers.submit(gate, on_done)
    gate.entered.get(timeout=5)
    workers.submit(lambda: "next", on_done)
    abandon()
    assert outcomes.get(timeout=5) == "next"
    gate.open()
    assert outcomes.get(timeout=5) == "through"


def test_thread_that_hangs_in_an_abandoned_call_is_replaced_for_a_later_one() -> None:
    workers, gate = ThreadWorkers(limit=1), Gate()
    outcomes, on_done = collector()
    for word in ("first", "second"):
        workers.submit(partial(str, word), on_done)
    assert [outcomes.get(timeout=5) for _ in range(2)] == ["first", "second"]
    abandon = workers.submit(gate, on_done)
    gate.entered.get(timeout=5)
    abandon()
    workers.submit(lambda: "third", on_done)
    assert outcomes.get(timeout=5) == "third"
    gate.open()


def test_threads_that_return_late_stay_within_the_limit() -> None:
    workers, gate = ThreadWorkers(limit=2), Gate()
    outcomes, on_done = collector()
    late = [workers.submit(gate, on_done) for _ in range(2)]
    for _ in late:
        gate.entered.get(timeout=5)
    for abandon in late:
        abandon()
    gate.open()
    for _ in late:
        outcomes.get(timeout=5)
    again = Gate()
    for _ in range(6):
        workers.submit(again, on_done)
    for _ in range(2):
        again.entered.get(timeout=5)
    again.open()
    for _ in range(6):
        outcomes.get(timeout=5)
    assert again.most == 2


def test_replaced_thread_ends_when_its_call_returns() -> None:
    workers, stuck, busy = ThreadWorkers(limit=1), Gate(), Gate()
    outcomes, on_done = collector()
    abandon = workers.submit(stuck, on_done)
    stuck.entered.get(timeout=5)
    abandon()
    workers.submit(busy, on_done)
    busy.entered.get(timeout=5)
    stuck.open()
    assert outcomes.get(timeout=5) == "through"
    assert workers._threads == 1
    busy.open()
    assert outcomes.get(timeout=5) == "through"


def test_queued_call_that_is_abandoned_is_never_made() -> None:
    workers, gate, made = ThreadWorkers(limit=1), Gate(), list[str]()
    outcomes, on_done = collector()
    workers.submit(gate, on_done)
    gate.entered.get(timeout=5)
    abandon = workers.submit(lambda: made.append("abandoned"), on_done)
    workers.submit(lambda: "after it", on_done)
    abandon()
    gate.open()
    assert [outcomes.get(timeout=5) for _ in range(2)] == ["through", "after it"]
    assert made == []


def test_low_priority_calls_start_after_all_others() -> None:
    workers, gate = ThreadWorkers(limit=1), Gate()
    outcomes, on_done = collector()
    workers.submit(gate, on_done)
    gate.entered.get(timeout=5)
    for word, low_priority in (("poll", True), ("start", False), ("another poll", True)):
        workers.submit(partial(str, word), on_done, low_priority=low_priority)
    gate.open()
    assert [outcomes.get(timeout=5) for _ in range(4)] == ["through", "start", "poll", "another poll"]

"""Workers for the fake clock, and a call that blocks a real thread."""

import queue
import threading
from collections.abc import Callable
from typing import Any

from backupctl.scheduler.workers import DoneCallback
from tests.support.clock import FakeClock


class TimedWorkers:
    """Workers that run each call at once in the same thread, and deliver its result after the time that it took.

    So calls overlap in time as on threads, and the scheduler abandons a call that takes longer than its ``until``;
    but an abandoned call has already had all its effects.
    """

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock

    def submit(
        self, function: Callable[[], Any], on_done: DoneCallback, *, low_priority: bool = False
    ) -> Callable[[], None]:
        (result, error), seconds = self._clock.aside(lambda: _outcome(function))
        callbacks = [on_done]

        def finish() -> None:
            for callback in callbacks:
                callback(result, error)

        self._clock.at(self._clock.elapsed + seconds, finish)
        return callbacks.clear


def _outcome(function: Callable[[], Any]) -> tuple[Any, BaseException | None]:
    try:
        return function(), None
    except BaseException as error:  # noqa: BLE001 - raised again in the task that made the call
        return None, error


class Gate:
    """A call that blocks until ``open``, and counts concurrent calls."""

    def __init__(self) -> None:
        self.entered: queue.SimpleQueue[int] = queue.SimpleQueue()
        self.most = 0
        self._inside = 0
        self._lock = threading.Lock()
        self._open = threading.Event()

    def __call__(self) -> str:
        with self._lock:
            self._inside += 1
            self.most = max(self.most, self._inside)
            self.entered.put(self._inside)
        assert self._open.wait(5)
        with self._lock:
            self._inside -= 1
        return "through"

    def open(self) -> None:
        self._open.set()

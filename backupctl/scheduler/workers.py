"""Worker threads: run the blocking calls of tasks."""

import itertools
import queue
import threading
from collections.abc import Callable
from functools import partial
from typing import Any, Final, Protocol

import msgspec

MAX_WORKERS: Final = 128
"""How many calls run at once.

A thousand appliances that are polled every 10 s and answer at once need far fewer. The limit matters when appliances
hang, each for 30 s or more: with 50 of 500 hanging, the others were polled 12 s late with 32 threads, and 0.4 s late
with 128. Threads are started only when they are needed.
"""

DoneCallback = Callable[[Any, BaseException | None], None]
"""Takes the result of a call, or the exception that it raised."""


class Workers(Protocol):
    """Run calls outside the thread of the scheduler."""

    def submit(
        self, function: Callable[[], Any], on_done: DoneCallback, *, low_priority: bool = False
    ) -> Callable[[], None]:
        """Call ``function`` and pass its result or exception to ``on_done``, from any thread.

        ``low_priority`` calls start after all others. Returns a function that abandons the call: a queued call is
        dropped, and a running call no longer counts towards the limit.
        """
        ...


class _WorkItem(msgspec.Struct, eq=False):
    """A submitted call."""

    function: Callable[[], Any]
    on_done: DoneCallback
    started: bool = False
    done: bool = False
    abandoned: bool = False


class ThreadWorkers:
    """Run calls on at most ``limit`` daemon threads, started on demand.

    The threads are daemons because an abandoned call, such as a read from a dead host, must not keep the process alive.
    A thread that is stuck in an abandoned call is replaced. When that call returns, the thread ends if the limit is
    reached without it.
    """

    def __init__(self, limit: int = MAX_WORKERS) -> None:
        self._limit = limit
        self._threads = 0
        self._unfinished = 0
        self._lock = threading.Lock()
        self._order = itertools.count()
        self._queue: queue.PriorityQueue[tuple[bool, int, _WorkItem]] = queue.PriorityQueue()

    def submit(
        self, function: Callable[[], Any], on_done: DoneCallback, *, low_priority: bool = False
    ) -> Callable[[], None]:
        """Run ``function`` on the next free thread."""
        item = _WorkItem(function, on_done)
        with self._lock:
            self._unfinished += 1
            self._queue.put((low_priority, next(self._order), item))
            self._spawn()
        return partial(self._abandon, item)

    def _spawn(self) -> None:
        """Start a thread if there are fewer than calls and the limit allow."""
        if self._threads < min(self._limit, self._unfinished):
            self._threads += 1
            threading.Thread(target=self._run_worker, name="worker", daemon=True).start()

    def _abandon(self, item: _WorkItem) -> None:
        with self._lock:
            if item.done or item.abandoned:
                return
            item.abandoned = True
            self._unfinished -= 1
            if item.started:
                self._threads -= 1
                self._spawn()

    def _run_worker(self) -> None:
        keep = True
        while keep:
            _, _, item = self._queue.get()
            with self._lock:
                item.started = not item.abandoned
            if item.started:
                result = error = None
                try:  # Not in a function of its own: without memory to call it, the call would never end.
                    result = item.function()
                except BaseException as raised:  # noqa: BLE001 - raised again in the task that made the call
                    error = raised
                keep = self._finish(item)
                item.on_done(result, error)

    def _finish(self, item: _WorkItem) -> bool:
        """Mark a call as done and return whether its thread is still needed."""
        with self._lock:
            item.done = True
            if not item.abandoned:
                self._unfinished -= 1
                return True
            if self._threads >= self._limit:
                return False
            self._threads += 1
            return True

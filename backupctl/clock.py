"""The clock: the only place that reads time or spends it.

Everything that needs time gets a ``Clock``, so that a day of backups is one millisecond in a test.
"""

import queue
import time
from datetime import UTC, datetime
from typing import Protocol, TypeVar

T = TypeVar("T")

_LOOK_UP_SECONDS = 0.5

_LATEST = datetime(9999, 1, 1, tzinfo=UTC)
"""The time of a clock that is beyond the calendar of Python, with room to add to it."""


class Clock(Protocol):
    """What the program may ask of time."""

    def now(self) -> datetime:
        """Return the wall-clock time, aware, in UTC; it may jump."""
        ...

    def monotonic(self) -> float:
        """Return seconds from some fixed point; it never goes back."""
        ...

    def sleep(self, seconds: float) -> None:
        """Spend ``seconds``; for worker threads and servers, as it cannot be interrupted."""
        ...

    def wait(self, mailbox: "queue.SimpleQueue[T]", seconds: float | None) -> T | None:
        """Return the next item of ``mailbox``, or None after ``seconds`` (None: no limit) without one."""
        ...


class SystemClock:
    """The real time of this machine."""

    def now(self) -> datetime:
        """Return the wall-clock time in UTC."""
        try:
            return min(datetime.now(UTC), _LATEST)
        except (ValueError, OverflowError, OSError):
            return _LATEST

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Block this thread for ``seconds``."""
        time.sleep(seconds)

    def wait(self, mailbox: "queue.SimpleQueue[T]", seconds: float | None) -> T | None:
        """Wait for an item; a signal handler that puts one in wakes it within ``_LOOK_UP_SECONDS``.

        ``SimpleQueue.put`` is reentrant, which ``Event.set`` is not: a handler may call it while this waits
        (https://docs.python.org/3/library/queue.html#queue.SimpleQueue.put). But a handler runs only when the
        interpreter is back from the wait, and a signal that comes just before the wait begins does not end it.
        """
        deadline = None if seconds is None else self.monotonic() + seconds
        while True:
            left = _LOOK_UP_SECONDS if deadline is None else deadline - self.monotonic()
            try:
                return mailbox.get(timeout=min(_LOOK_UP_SECONDS, max(0.0, left)))
            except queue.Empty:
                if left <= 0:
                    return None

"""The clock: the only place that reads time or spends it.

Everything that needs time gets a ``Clock``, so that a day of backups is one millisecond in a test.
"""

import queue
import time
from datetime import UTC, datetime
from typing import Protocol, TypeVar

T = TypeVar("T")


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
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Block this thread for ``seconds``."""
        time.sleep(seconds)

    def wait(self, mailbox: "queue.SimpleQueue[T]", seconds: float | None) -> T | None:
        """Wait for an item; a signal handler that puts one in wakes it at once.

        ``SimpleQueue.put`` is reentrant, which ``Event.set`` is not: a handler may call it while this waits
        (https://docs.python.org/3/library/queue.html#queue.SimpleQueue.put).
        """
        try:
            return mailbox.get(timeout=seconds)
        except queue.Empty:
            return None

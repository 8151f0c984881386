"""The clock: the only place that reads the time or waits.

Everything that needs time gets a ``Clock``, so that a test runs a day of backups in a millisecond.
"""

import queue
import time
from datetime import UTC, datetime
from typing import Protocol, TypeVar

T = TypeVar("T")

_SIGNAL_CHECK_SECONDS = 0.1
"""Well below ``DEBOUNCE_SECONDS``, so that a signal received by another thread does not count as a second one."""

_LATEST = datetime(9999, 1, 1, tzinfo=UTC)
"""Used for a clock beyond the range of ``datetime``, with room to add durations to it."""


class Clock(Protocol):
    """The operations on time."""

    def now(self) -> datetime:
        """Return the wall-clock time in UTC, as an aware datetime; it may jump."""
        ...

    def monotonic(self) -> float:
        """Return seconds since a fixed point; never decreases."""
        ...

    def sleep(self, seconds: float) -> None:
        """Block this thread; only for worker threads and servers, as it cannot be interrupted."""
        ...

    def wait(self, mailbox: "queue.SimpleQueue[T]", seconds: float | None) -> T | None:
        """Return the next item of ``mailbox``, None after ``seconds`` without one (None: no limit)."""
        ...


class SystemClock:
    """The clock of this machine."""

    def now(self) -> datetime:
        """Return the wall-clock time in UTC."""
        try:
            return min(datetime.now(UTC), _LATEST)
        except (ValueError, OverflowError, OSError):
            return _LATEST

    def monotonic(self) -> float:
        """Return seconds since a fixed point; never decreases."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Block this thread."""
        time.sleep(seconds)

    def wait(self, mailbox: "queue.SimpleQueue[T]", seconds: float | None) -> T | None:
        """Wait for an item; one that a signal handler puts arrives within ``_SIGNAL_CHECK_SECONDS``.

        A handler may call ``SimpleQueue.put`` while this waits, because it is reentrant; ``Event.set`` is not
        (https://docs.python.org/3/library/queue.html#queue.SimpleQueue.put). A handler runs only after the wait
        returns, and a signal that arrives just before the wait does not end it, hence the short waits.
        """
        deadline = None if seconds is None else self.monotonic() + seconds
        while True:
            left = _SIGNAL_CHECK_SECONDS if deadline is None else deadline - self.monotonic()
            try:
                return mailbox.get(timeout=min(_SIGNAL_CHECK_SECONDS, max(0.0, left)))
            except queue.Empty:
                if left <= 0:
                    return None

"""A fake clock: time passes only while the program waits, and then at once."""

import heapq
import itertools
import queue
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

T = TypeVar("T")

START = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)


class FakeClock:
    """A ``backupctl.clock.Clock``; ``at`` schedules an action, such as a signal."""

    def __init__(self, start: datetime = START) -> None:
        self._start = start
        self._elapsed = 0.0
        self._aside = False
        self._wall_moved = timedelta()
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()

    @property
    def elapsed(self) -> float:
        return self._elapsed

    def now(self) -> datetime:
        return self._start + self._wall_moved + timedelta(seconds=self._elapsed)

    def monotonic(self) -> float:
        return 1000.0 + self._elapsed

    def move_wall(self, seconds: float) -> None:
        """Move the wall clock forward or back, as an admin or NTP does; ``monotonic`` is unaffected."""
        self._wall_moved += timedelta(seconds=seconds)

    def at(self, seconds: float, action: Callable[[], None]) -> None:
        """Call ``action`` ``seconds`` after the start."""
        heapq.heappush(self._due, (seconds, next(self._order), action))

    def sleep(self, seconds: float) -> None:
        if self._aside:
            self._elapsed += max(0.0, seconds)
        else:
            self._advance(self._elapsed + max(0.0, seconds))

    def aside(self, action: Callable[[], T]) -> tuple[T, float]:
        """Run ``action`` and return its result and its duration in seconds, without advancing the clock.

        So a slow worker does not delay the others. Scheduled actions run later, when the program waits.
        """
        before, self._aside = self._elapsed, True
        try:
            result = action()
            return result, self._elapsed - before
        finally:
            self._elapsed, self._aside = before, False

    def wait(self, mailbox: "queue.SimpleQueue[T]", seconds: float | None) -> T | None:
        deadline = float("inf") if seconds is None else self._elapsed + max(0.0, seconds)
        while mailbox.empty() and self._due and self._due[0][0] <= deadline:
            self._advance(self._due[0][0])
        if mailbox.empty():
            if deadline == float("inf"):
                raise AssertionError("waiting for ever: nothing will put anything into the mailbox")
            self._advance(deadline)
            return None
        return mailbox.get_nowait()

    def _advance(self, to: float) -> None:
        while self._due and self._due[0][0] <= to:
            due, _, action = heapq.heappop(self._due)
            self._elapsed = max(self._elapsed, due)
            action()
        self._elapsed = max(self._elapsed, to)


class MinuteClock(FakeClock):
    """A clock that advances one minute whenever it is read, so that timeouts end at once."""

    def monotonic(self) -> float:
        self.sleep(60)
        return super().monotonic()

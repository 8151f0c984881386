"""Permits: how many backups run at once; who wants one more waits for its turn, in the order of asking."""

from collections import deque

from backupctl.scheduler.task import Event, Task, Wait


class Semaphore:
    """At most ``limit`` permits are out at once, any number where it is None."""

    def __init__(self, limit: int | None) -> None:
        self._left = float("inf") if limit is None else limit
        self._waiters: deque[Event] = deque()

    @property
    def locked(self) -> bool:
        """Whether who wants one now has to wait."""
        return self._left <= 0

    def acquire(self) -> Task[None]:
        """Wait for a permit and take it; who is interrupted meanwhile has none, and need not give one back."""
        if not self.locked:
            self._left -= 1
            return
        event = Event()
        self._waiters.append(event)
        try:
            yield Wait(None, event=event)
        except BaseException:
            if event.is_set:
                self.release()
            else:
                self._waiters.remove(event)
            raise

    def release(self) -> None:
        """Give a permit back, to the one who has waited longest."""
        if self._waiters:
            self._waiters.popleft().set()
        else:
            self._left += 1

"""Semaphore: limit how many backups run at once."""

from collections import deque

from backupctl.scheduler.task import Event, Task, Wait


class Semaphore:
    """A semaphore that ``limit`` tasks can hold at once, None for any number; tasks acquire it in FIFO order."""

    def __init__(self, limit: int | None) -> None:
        self._free = float("inf") if limit is None else limit
        self._waiters: deque[Event] = deque()

    @property
    def locked(self) -> bool:
        """Whether ``acquire`` would wait."""
        return self._free <= 0

    def acquire(self) -> Task[None]:
        """Wait until the semaphore is free and acquire it; a task that is interrupted meanwhile does not hold it."""
        if not self.locked:
            self._free -= 1
            return
        acquired = Event()
        self._waiters.append(acquired)
        try:
            yield Wait(None, event=acquired)
        except BaseException:
            if acquired.is_set:
                self.release()
            else:
                self._waiters.remove(acquired)
            raise

    def release(self) -> None:
        """Release the semaphore; the task that has waited longest acquires it."""
        if self._waiters:
            self._waiters.popleft().set()
        else:
            self._free += 1

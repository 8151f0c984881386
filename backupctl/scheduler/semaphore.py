"""Permits: how many backups run at once; who wants one more waits for its turn, in the order of asking."""

from collections import deque

from backupctl.scheduler.task import Latch, Task, Wait


class Permits:
    """At most ``limit`` permits are out at once, any number where it is None."""

    def __init__(self, limit: int | None) -> None:
        self._left = float("inf") if limit is None else limit
        self._queue: deque[Latch] = deque()

    @property
    def all_out(self) -> bool:
        """Whether who wants one now has to wait."""
        return self._left <= 0

    def take(self) -> Task[None]:
        """Wait for a permit and take it; who is interrupted meanwhile has none, and need not give one back."""
        if not self.all_out:
            self._left -= 1
            return
        turn = Latch()
        self._queue.append(turn)
        try:
            yield Wait(None, latch=turn)
        except BaseException:
            if turn.is_open:
                self.give_back()
            else:
                self._queue.remove(turn)
            raise

    def give_back(self) -> None:
        """Give a permit back, to the one who has waited longest."""
        if self._queue:
            self._queue.popleft().open()
        else:
            self._left += 1

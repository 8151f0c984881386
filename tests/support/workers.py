"""Workers for a clock that costs nothing."""

from collections.abc import Callable
from typing import Any

from backupctl.scheduler.scheduler import DoneCallback
from tests.support.clock import FakeClock


class TimedWorkers:
    """Runs each call at once in the same thread, and delivers its outcome when the time that it spent has passed.

    So calls overlap in time as on threads, and the scheduler gives up one that takes longer than its ``until``. But a
    call that is given up has already done all that it does.
    """

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock

    def submit(
        self, function: Callable[[], Any], deliver: DoneCallback, *, low_priority: bool = False
    ) -> Callable[[], None]:
        (result, error), seconds = self._clock.aside(lambda: _outcome(function))
        awaited = [True]

        def arrive() -> None:
            if awaited:
                deliver(result, error)

        self._clock.at(self._clock.elapsed + seconds, arrive)
        return awaited.clear


def _outcome(function: Callable[[], Any]) -> tuple[Any, BaseException | None]:
    try:
        return function(), None
    except BaseException as error:  # noqa: BLE001 - handed over to whoever asked
        return None, error

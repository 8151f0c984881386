"""Retry a call while the appliance may recover, with growing pauses."""

from collections.abc import Callable
from typing import Final, TypeVar

from backupctl.errors import ApplianceUnreachableError, BackupctlError, CertificateError
from backupctl.results.events import Recovered, Retrying
from backupctl.scheduler.appliance import Appliance
from backupctl.scheduler.task import Task, Wait, attempt

T = TypeVar("T")

RETRY_SECONDS: Final = 30.0
"""How long a safe request is retried before a backup is started."""


def retry(
    appliance: Appliance,
    function: Callable[[], T],
    *,
    retry_seconds: float = RETRY_SECONDS,
    unreachable_grace: float = 0.0,
    until: float | None = None,
) -> Task[T]:
    """Call ``function``, which must be safe to repeat, and retry with backoff for ``retry_seconds``.

    An appliance may be unreachable for ``unreachable_grace`` seconds, if that is longer, as while it restarts in a
    restore. No call begins after ``until`` (monotonic seconds). Raises the last error, at once when it is not
    retryable.
    """
    clock = appliance.clock
    began = clock.monotonic()
    backoff = Backoff()
    while True:
        answer = yield from attempt(function, until=until)
        if not isinstance(answer, BackupctlError):
            if backoff.failures:
                appliance.emit(Recovered())
            return answer
        next_attempt = clock.monotonic() + backoff.next_seconds()
        unreachable = isinstance(answer, ApplianceUnreachableError) and not isinstance(answer, CertificateError)
        longest = max(retry_seconds if answer.retryable else 0.0, unreachable_grace if unreachable else 0.0)
        if next_attempt > began + longest or (until is not None and next_attempt >= until):
            raise answer
        if backoff.failures == 1:
            appliance.emit(Retrying(error=answer))
        yield Wait(next_attempt)


class Backoff:
    """Exponential backoff: 1, 2, 4, ... seconds after each failure in a row, at most ``max_seconds``."""

    def __init__(self, max_seconds: float = 30.0) -> None:
        self.failures = 0
        self._max_seconds = max_seconds

    def next_seconds(self) -> float:
        """Count a failure and return how long to wait."""
        self.failures += 1
        return min(self._max_seconds, 2.0 ** min(self.failures - 1, 10))

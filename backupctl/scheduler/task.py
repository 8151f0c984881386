"""Tasks: what is done with one appliance, written as a generator that never blocks and never sleeps.

A task yields what it needs, a ``Call`` of the API or a ``Wait``, and gets the answer back from the scheduler
(``fleet.py``). So one scheduler drives one task or a thousand, a signal reaches a task at once whatever it waits for,
and with a fake clock a day of backups runs in milliseconds. All tasks of a run live in one thread, so what they share,
such as a ``Event``, needs no locks.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, TypeVar

from backupctl.errors import ApplianceUnreachableError, BackupctlError, CertificateError, InterruptedRunError
from backupctl.results.events import Recovered, Troubled
from backupctl.results.result import ErrorInfo
from backupctl.scheduler.appliance import Appliance

T = TypeVar("T")

RETRY_SECONDS = 30.0
"""How long requests that are safe to repeat are repeated before a backup is started."""

MIN_RESPONSE_SECONDS = 10.0
"""How long an answer is waited for at least, even where a deadline is near or over."""


class Event:
    """What one task waits for and another brings about; once open, it stays open."""

    def __init__(self) -> None:
        self.is_set = False
        self._wake: list[Callable[[], None]] = []

    def set(self) -> None:
        """Let those who wait go on, in their order."""
        self.is_set = True
        waiting, self._wake = self._wake, []
        for wake in waiting:
            wake()

    def add_callback(self, wake: Callable[[], None]) -> None:
        """Call ``wake`` once it is open, or now if it is."""
        if self.is_set:
            wake()
        else:
            self._wake.append(wake)


@dataclass(frozen=True)
class Call:
    """Call ``function`` on a worker and send its result, or throw its error, into the task.

    After ``until`` (monotonic seconds) the call is given up with ApplianceUnreachableError. ``shielded`` keeps an
    interruption away until the call is answered, for some seconds. A ``low_priority`` one lets those go first that are
    not. A call that is made ``once`` is not repeated after a new login.
    """

    function: Callable[[], Any]
    until: float | None = None
    shielded: bool = False
    low_priority: bool = False
    once: bool = False


@dataclass(frozen=True)
class Wait:
    """Do nothing until ``until`` (monotonic seconds; None: without limit), or until ``event`` is open."""

    until: float | None
    shielded: bool = False
    event: Event | None = None


Effect = Call | Wait
Task = Generator[Effect, Any, T]


def call(
    function: Callable[[], T],
    *,
    until: float | None = None,
    shielded: bool = False,
    low_priority: bool = False,
    once: bool = False,
) -> Task[T]:
    """Call ``function`` on a worker and return its result."""
    result: T = yield Call(function, until, shielded, low_priority, once)
    return result


def attempt(
    function: Callable[[], T],
    *,
    until: float | None = None,
    shielded: bool = False,
    low_priority: bool = False,
    once: bool = False,
) -> Task[T | BackupctlError]:
    """Call ``function`` and return its result or the error that it raised."""
    try:
        return (yield from call(function, until=until, shielded=shielded, low_priority=low_priority, once=once))
    except InterruptedRunError:
        raise
    except BackupctlError as error:
        return error


def retry(
    appliance: Appliance,
    function: Callable[[], T],
    *,
    patience: float = RETRY_SECONDS,
    silence: float = 0.0,
    until: float | None = None,
) -> Task[T]:
    """Call ``function``, which must be safe to repeat, again with backoff while that may help, for ``patience``.

    For ``silence`` seconds, if that is longer, nobody may be there at all, as while services restart in a restore.
    All that ends ``until`` then (monotonic seconds).
    """
    clock = appliance.clock
    began = clock.monotonic()
    backoff = Backoff()
    while True:
        answer = yield from attempt(function, until=until)
        if not isinstance(answer, BackupctlError):
            if backoff.failures:
                appliance.emit(Recovered(time=clock.now(), server=appliance.name))
            return answer
        again = clock.monotonic() + backoff.next_seconds()
        silent = isinstance(answer, ApplianceUnreachableError) and not isinstance(answer, CertificateError)
        longest = max(patience if answer.retryable else 0.0, silence if silent else 0.0)
        if again > began + longest or (until is not None and again >= until):
            raise answer
        if backoff.failures == 1:
            appliance.emit(Troubled(time=clock.now(), server=appliance.name, error=ErrorInfo.of(answer)))
        yield Wait(again)


class Backoff:
    """How long to wait after each failure in a row: 1, 2, 4, ... seconds, at most ``longest``."""

    def __init__(self, longest: float = 30.0) -> None:
        self.failures = 0
        self._longest = longest

    def next_seconds(self) -> float:
        """Count a failure and return how long to wait."""
        self.failures += 1
        return min(self._longest, 2.0 ** min(self.failures - 1, 10))

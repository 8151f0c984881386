"""Tasks: the work on one appliance as a generator that never blocks and never sleeps.

A task yields an effect, a ``Call`` or a ``Wait``, and the scheduler (``scheduler.py``) resumes it with the result. So
one scheduler runs one task or thousands, an interruption reaches a task wherever it waits, and with a fake clock a day
of backups runs in milliseconds. All tasks of a run share one thread, so what they share, such as an ``Event``, needs no
lock.
"""

from collections.abc import Callable, Generator
from typing import Any, Final, TypeVar

import msgspec

from backupctl.errors import BackupctlError, InterruptedRunError

T = TypeVar("T")


MIN_RESPONSE_SECONDS: Final = 10.0
"""How long a request may take at least, even when its deadline is near or over."""


def response_deadline(now: float, deadline: float) -> float:
    """Return when to abandon a request that is sent at ``now``: at ``deadline``, or later to leave it some time."""
    return max(deadline, now + MIN_RESPONSE_SECONDS)


class Event:
    """A flag that one task sets and others wait for; it is never cleared."""

    def __init__(self) -> None:
        self.is_set = False
        self._callbacks: list[Callable[[], None]] = []

    def set(self) -> None:
        """Set the flag and resume the waiting tasks, in the order in which they began to wait."""
        self.is_set = True
        callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()

    def add_callback(self, callback: Callable[[], None]) -> None:
        """Call ``callback`` when the flag is set, or now if it is."""
        if self.is_set:
            callback()
        else:
            self._callbacks.append(callback)


class Call(msgspec.Struct, frozen=True):
    """An effect that calls ``function`` on a worker thread; the task gets its result, or the exception that it raised.

    After ``until`` (monotonic seconds) the call is abandoned and raises ApplianceUnreachableError. A ``shielded`` call
    ends before an interruption cancels the task, within ``SHIELD_SECONDS``. A ``low_priority`` call starts after all
    others. A call that is made ``once`` is not repeated after a new login.
    """

    function: Callable[[], Any]
    until: float | None = None
    shielded: bool = False
    low_priority: bool = False
    once: bool = False


class Wait(msgspec.Struct, frozen=True):
    """An effect that waits until ``until`` (monotonic seconds, None for no limit), or until ``event`` is set."""

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
    """Return the result of ``function``, called as a ``Call``."""
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
    """Return the result of ``function``, or the error that it raised; an interruption is raised."""
    try:
        return (yield from call(function, until=until, shielded=shielded, low_priority=low_priority, once=once))
    except InterruptedRunError:
        raise
    except BackupctlError as error:
        return error

"""Renewal: when a session has expired, log in again, at one's turn, and repeat what was asked for.

Sessions that expire may expire together, as in a restart of linked appliances, and the password may have been changed
before. So logging in again passes the same gate as the first login (``logins.py``).
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from backupctl.errors import BackupctlError, InterruptedRunError, SessionExpiredError
from backupctl.scheduler.appliance import Appliance
from backupctl.scheduler.coordinator import Slot
from backupctl.scheduler.task import MIN_RESPONSE_SECONDS, Call, Effect, Task, call

T = TypeVar("T")


def with_reauth(appliance: Appliance, slot: Slot, work: Task[T]) -> Task[T]:
    """Do ``work``; each call of it that finds the session expired is made once more after a new login.

    What the login raises, the call raises. Where the call is held, the login is. A call that is made ``once`` raises
    SessionExpiredError: the next one logs in.
    """
    advance: Callable[[Any], Effect] = work.send
    answer: Any = None
    while True:
        try:
            effect = advance(answer)
        except StopIteration as end:
            result: T = end.value
            return result
        try:
            advance, answer = work.send, (yield from _answered(appliance, slot, effect))
        except BaseException as error:  # noqa: BLE001 - the work decides what it does about it
            advance, answer = work.throw, error


def _answered(appliance: Appliance, slot: Slot, effect: Effect) -> Task[Any]:
    """Return the answer to what the work yielded."""
    try:
        return (yield effect)
    except SessionExpiredError:
        if not isinstance(effect, Call) or effect.once:
            raise
    yield from _log_in(appliance, slot, effect)
    return (yield replace(effect, until=_in_time(appliance, effect)))


def _log_in(appliance: Appliance, slot: Slot, request: Call) -> Task[None]:
    """Log in for a call that was not made; what goes wrong with it leaves no doubt about that call."""

    def log_in() -> Task[None]:
        yield from call(appliance.api.log_in, until=_in_time(appliance, request), shielded=request.shielded)

    try:
        yield from slot.log_in(log_in(), until=request.until, shielded=request.shielded)
    except InterruptedRunError:
        raise
    except BackupctlError as error:
        error.certain = True
        raise


def _in_time(appliance: Appliance, request: Call) -> float | None:
    """Return until when an answer is waited for now, behind the turns of others."""
    soon = appliance.clock.monotonic() + MIN_RESPONSE_SECONDS
    return None if request.until is None else max(request.until, soon)

"""Reauthentication: log in again when a session has expired, and repeat the call that found it expired.

Sessions may expire together, for example when linked appliances restart, and the password may have changed since the
first login. So each new login passes the login limiter again (``login_limiter.py``).
"""

from collections.abc import Callable
from typing import Any, TypeVar

from msgspec.structs import replace

from backupctl.errors import BackupctlError, InterruptedRunError, SessionExpiredError
from backupctl.scheduler.appliance import Appliance
from backupctl.scheduler.coordinator import Slot
from backupctl.scheduler.task import Call, Effect, Task, call, response_deadline

T = TypeVar("T")


def with_reauth(appliance: Appliance, slot: Slot, work: Task[T]) -> Task[T]:
    """Run ``work``; each of its calls that finds the session expired is repeated after a new login.

    The call raises what the login raises, and the login of a shielded call is shielded. A call that is made ``once``
    raises SessionExpiredError instead, and the call after it logs in.
    """
    resume: Callable[[Any], Effect] = work.send
    answer: Any = None
    while True:
        try:
            effect = resume(answer)
        except StopIteration as end:
            result: T = end.value
            return result
        try:
            resume, answer = work.send, (yield from _perform(appliance, slot, effect))
        except BaseException as error:  # noqa: BLE001 - the work decides what to do about it
            resume, answer = work.throw, error


def _perform(appliance: Appliance, slot: Slot, effect: Effect) -> Task[Any]:
    """Return the result of an effect, after a new login if the session has expired."""
    try:
        return (yield effect)
    except SessionExpiredError:
        if not isinstance(effect, Call) or effect.once:
            raise
    yield from _log_in(appliance, slot, effect)
    return (yield replace(effect, until=_extended_deadline(appliance, effect)))


def _log_in(appliance: Appliance, slot: Slot, request: Call) -> Task[None]:
    """Log in to repeat ``request``.

    An error of the login is certain, because the request itself has had no effect.
    """

    def log_in() -> Task[None]:
        yield from call(appliance.api.log_in, until=_extended_deadline(appliance, request), shielded=request.shielded)

    try:
        yield from slot.log_in(log_in(), until=request.until, shielded=request.shielded)
    except InterruptedRunError:
        raise
    except BackupctlError as error:
        raise error.with_facts(certain=True) from error


def _extended_deadline(appliance: Appliance, request: Call) -> float | None:
    """Return the deadline of a request; other logins may have been first, so it may be extended."""
    return None if request.until is None else response_deadline(appliance.clock.monotonic(), request.until)

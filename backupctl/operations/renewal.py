"""Renewal: when a session has expired, log in again, at one's turn, and repeat what was asked for.

Sessions that expire may expire together, as in a restart of linked appliances, and the password may have been changed
before. So logging in again passes the same gate as the first login (``logins.py``).
"""

from collections.abc import Callable
from typing import Any, TypeVar

from backupctl.errors import SessionExpiredError
from backupctl.operations.appliance import Appliance
from backupctl.operations.group import Turn
from backupctl.operations.task import Call, Effect, Task, call

T = TypeVar("T")


def renewing(appliance: Appliance, turn: Turn, work: Task[T]) -> Task[T]:
    """Do ``work``; each call of it that finds the session expired is made once more after a new login.

    Even a call that starts a backup: the appliance did nothing. What the login raises, the call raises; so does an
    interruption, as nothing of it is held before the call is made again.
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
            advance, answer = work.send, (yield from _answered(appliance, turn, effect))
        except BaseException as error:  # noqa: BLE001 - the work decides what it does about it
            advance, answer = work.throw, error


def _answered(appliance: Appliance, turn: Turn, effect: Effect) -> Task[Any]:
    """Return the answer to what the work yielded."""
    try:
        return (yield effect)
    except SessionExpiredError:
        if not isinstance(effect, Call):
            raise
    yield from turn.log_in(call(appliance.api.log_in, until=effect.until, patient=effect.patient))
    return (yield effect)

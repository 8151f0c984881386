"""Login limiter: few logins at once, so that a wrong password does not lock the account.

vCenter locks an account after five failed logins by default, and linked appliances count them together. So the first
login of an account runs alone, and again when a session has expired, because the password may have changed. When it has
succeeded, at most ``MAX_CONCURRENT_LOGINS`` with the same user and password run at once. When an appliance has rejected
them, the API sends them to no other (``api/credential_state.py``). An appliance that does not respond delays the
others for some seconds only.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from backupctl.errors import ApplianceUnreachableError
from backupctl.scheduler.appliance import Appliance
from backupctl.scheduler.task import Event, Task, Wait

if TYPE_CHECKING:
    from backupctl.api.credential_state import CredentialState

T = TypeVar("T")

MAX_CONCURRENT_LOGINS: Final = 4
"""One less than the failures after which vCenter locks an account by default, in case all of them are rejected."""

CONNECT_SECONDS: Final = 1.0
"""How long a login that is still connecting delays the others; the appliance has not seen the password yet."""

ANSWER_SECONDS: Final = 10.0
"""How long a login delays the others after it sent the password.

A login may take 40 s, so at most four are unanswered at once.
"""

ACCEPTED_ANSWER_SECONDS: Final = 3.0
"""The same after a login of the account has succeeded: no answer then means a slow appliance, not a wrong password."""


class _Login(msgspec.Struct, eq=False):
    """A login that is running or waiting; ``wakeup`` makes a waiting one check again."""

    appliance: Appliance
    started: float = 0.0
    wakeup: Event = msgspec.field(default_factory=Event)

    @property
    def blocks_until(self) -> float:
        """When it stops delaying the others, by its current state (monotonic seconds)."""
        api = self.appliance.api
        if not api.is_logging_in:
            return self.started + CONNECT_SECONDS
        return self.started + (ACCEPTED_ANSWER_SECONDS if api.credential_state.accepted else ANSWER_SECONDS)


class _Queue(msgspec.Struct, eq=False):
    """The logins of one account."""

    running: list[_Login] = msgspec.field(default_factory=list)
    waiting: deque[_Login] = msgspec.field(default_factory=deque)

    def opens_at(self, state: CredentialState, now: float) -> float:
        """Return when the next login may run, by the current state; ``now`` or earlier if at once."""
        if state.rejected:
            return now
        limit = MAX_CONCURRENT_LOGINS if state.accepted else 1
        ends = sorted(end for login in self.running if (end := login.blocks_until) > now)
        return ends[-limit] if len(ends) >= limit else now

    def wake_first(self) -> None:
        """Let the first waiting login look again."""
        if self.waiting:
            self.waiting[0].wakeup.set()


class LoginLimiter:
    """Limits the concurrent logins of each account of a run; other accounts do not wait for them."""

    def __init__(self) -> None:
        self._queues: dict[CredentialState, _Queue] = {}

    def run(
        self, appliance: Appliance, log_in: Task[T], *, until: float | None = None, shielded: bool = False
    ) -> Task[T]:
        """Run ``log_in``, which logs in and may do more, when the limit allows it.

        Raises ApplianceUnreachableError when it could not begin before ``until`` (monotonic seconds).
        """
        queue = self._queues.setdefault(appliance.api.credential_state, _Queue())
        login = _Login(appliance)
        queue.waiting.append(login)
        try:
            yield from self._wait(login, queue, until, shielded=shielded)
        except BaseException:
            queue.waiting.remove(login)
            queue.wake_first()
            raise
        queue.waiting.popleft()
        login.started = appliance.clock.monotonic()
        queue.running.append(login)
        queue.wake_first()
        try:
            return (yield from log_in)
        finally:
            if not appliance.api.is_logging_in:  # an abandoned login may still fail, so it keeps its place
                queue.running.remove(login)
            queue.wake_first()

    @staticmethod
    def _wait(login: _Login, queue: _Queue, until: float | None, *, shielded: bool) -> Task[None]:
        """Wait until a login is the first in its queue and the limit allows it."""
        clock, state = login.appliance.clock, login.appliance.api.credential_state
        while True:
            now, is_first = clock.monotonic(), queue.waiting[0] is login
            opens_at = queue.opens_at(state, now) if is_first else float("inf")
            if opens_at <= now:
                return
            if until is not None and until <= now:
                raise ApplianceUnreachableError(
                    "timed out waiting for other logins with the same password",
                    server=login.appliance.name,
                    retryable=True,
                )
            login.wakeup = Event()
            ends = min(opens_at, float("inf") if until is None else until)
            yield Wait(None if ends == float("inf") else ends, shielded, login.wakeup)

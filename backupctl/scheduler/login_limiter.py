"""Logins: few at a time, so that a wrong password is refused once or twice in a run and not by everybody.

vCenter locks an account after about five failures, and linked appliances count together. So one appliance is asked
first, and again where a session has expired, as the password may have been changed; once one let us in, at most
``MAX_CONCURRENT_LOGINS`` logins with the same user and password are under way; once any appliance has refused, the API
sends no more of them (``api/account.py``). Who cannot be reached keeps nobody waiting.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Final, TypeVar

from backupctl.errors import ApplianceUnreachableError
from backupctl.scheduler.appliance import Account, Appliance
from backupctl.scheduler.task import Event, Task, Wait

T = TypeVar("T")

MAX_CONCURRENT_LOGINS: Final = 4
"""One less than the failures after which vCenter locks an account by default, should all of them be refused."""

CONNECT_SECONDS: Final = 1.0
"""How long the others wait for one whose connection is not there yet: that nobody has seen the password so far."""

ANSWER_SECONDS: Final = 10.0
"""How long the others wait for one that was sent the password: with the 40 s that a login may take, four are out."""

PROVEN_ANSWER_SECONDS: Final = 3.0
"""The same once an appliance has let us in: another one that does not answer is ill, rather than about to refuse."""


@dataclass(eq=False)
class _Login:
    """A login under way, or the wish for one."""

    appliance: Appliance
    began: float = 0.0
    event: Event = field(default_factory=Event)

    @property
    def counts_until(self) -> float:
        """Return until when the others wait for it, as things are now."""
        api = self.appliance.api
        if not api.is_logging_in:
            return self.began + CONNECT_SECONDS
        return self.began + (PROVEN_ANSWER_SECONDS if api.account.proven else ANSWER_SECONDS)


@dataclass(eq=False)
class _Gate:
    """The logins with one user and password."""

    under_way: list[_Login] = field(default_factory=list)
    waiting: deque[_Login] = field(default_factory=deque)

    def opens_at(self, account: Account, now: float) -> float:
        """Return when one more may log in, as things are now; a moment that has passed means now."""
        if account.refused:
            return now
        most = MAX_CONCURRENT_LOGINS if account.proven else 1
        ends = sorted(end for login in self.under_way if (end := login.counts_until) > now)
        return ends[-most] if len(ends) >= most else now

    def call_next(self) -> None:
        """Let the first of those who wait look again."""
        if self.waiting:
            self.waiting[0].event.set()


class LoginLimiter:
    """The logins of a run; those with different users or passwords have nothing to do with each other."""

    def __init__(self) -> None:
        self._gates: dict[Account, _Gate] = {}

    def run(
        self, appliance: Appliance, log_in: Task[T], *, until: float | None = None, shielded: bool = False
    ) -> Task[T]:
        """Do ``log_in``, which logs in and may do more, once few enough others with the same password do.

        Raises ApplianceUnreachableError where it is not its turn ``until`` then (monotonic seconds).
        """
        gate = self._gates.setdefault(appliance.api.account, _Gate())
        login = _Login(appliance)
        gate.waiting.append(login)
        try:
            yield from self._turn_of(login, gate, until, shielded=shielded)
        except BaseException:
            gate.waiting.remove(login)
            gate.call_next()
            raise
        gate.waiting.popleft()
        login.began = appliance.clock.monotonic()
        gate.under_way.append(login)
        gate.call_next()
        try:
            return (yield from log_in)
        finally:
            if not appliance.api.is_logging_in:  # else it was given up, and may yet be a failed one
                gate.under_way.remove(login)
            gate.call_next()

    @staticmethod
    def _turn_of(login: _Login, gate: _Gate, until: float | None, *, shielded: bool) -> Task[None]:
        """Wait until it is the turn of one of those who wait."""
        clock, account = login.appliance.clock, login.appliance.api.account
        while True:
            now, is_first = clock.monotonic(), gate.waiting[0] is login
            opens_at = gate.opens_at(account, now) if is_first else float("inf")
            if opens_at <= now:
                return
            if until is not None and until <= now:
                raise ApplianceUnreachableError(
                    f"{login.appliance.host}: no new login in time: others with the same password were under way",
                    retryable=True,
                )
            login.event = Event()
            ends = min(opens_at, float("inf") if until is None else until)
            yield Wait(None if ends == float("inf") else ends, shielded, login.event)

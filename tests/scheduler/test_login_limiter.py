"""The login limiter: one login first, then few at once, and no long wait for an unreachable appliance."""

import queue
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from backupctl.errors import ApplianceUnreachableError, AuthenticationError, BackupctlError
from backupctl.scheduler.appliance import Appliance
from backupctl.scheduler.login_limiter import (
    ACCEPTED_ANSWER_SECONDS,
    ANSWER_SECONDS,
    CONNECT_SECONDS,
    MAX_CONCURRENT_LOGINS,
    LoginLimiter,
)
from backupctl.scheduler.scheduler import Interruption, Mailbox, Scheduler
from backupctl.scheduler.task import Task, Wait
from tests.support.clock import FakeClock
from tests.support.workers import TimedWorkers


@dataclass(eq=False)
class CredentialState:
    accepted: bool = False
    rejected: bool = False


@dataclass
class FakeApi:
    """An API that connects for ``connects`` seconds, answers after ``answers`` more, and raises ``error``."""

    credential_state: CredentialState
    connects: float = 0.0
    answers: float = 1.0
    error: BackupctlError | None = None
    abandoned: bool = False
    is_logging_in: bool = False


@dataclass
class Fleet:
    clock: FakeClock
    credential_state: CredentialState = field(default_factory=CredentialState)
    limiter: LoginLimiter = field(default_factory=LoginLimiter)
    mailbox: Mailbox = field(default_factory=queue.SimpleQueue)
    max_concurrent: int = 0
    sent: int = 0
    _concurrent: int = 0

    def run(self, *apis: FakeApi, until: float | None = None) -> list[float | BackupctlError]:
        """Log in everywhere; return when each login succeeded, or its error. None begins after ``until`` seconds."""
        scheduler: Scheduler[float | BackupctlError] = Scheduler(self.clock, TimedWorkers(self.clock), self.mailbox)
        return scheduler.run([self._log_in_to(api, until) for api in apis])

    def api(self, **behaviour: Any) -> FakeApi:
        return FakeApi(self.credential_state, **behaviour)

    def _log_in_to(self, api: FakeApi, until: float | None) -> Task[float | BackupctlError]:
        appliance = cast("Appliance", FakeAppliance(self.clock, api))
        try:
            moment = None if until is None else self.clock.monotonic() + until
            yield from self.limiter.run(appliance, self._log_in(api), until=moment)
        except BackupctlError as error:
            return error
        return self.clock.elapsed

    def _log_in(self, api: FakeApi) -> Task[None]:
        if api.credential_state.rejected:
            raise AuthenticationError("not tried")
        if api.connects:
            yield Wait(self.clock.monotonic() + api.connects)
        api.is_logging_in = True
        self.sent += 1
        self._concurrent += 1
        self.max_concurrent = max(self.max_concurrent, self._concurrent)
        try:
            yield Wait(self.clock.monotonic() + api.answers)
        finally:
            self._concurrent -= 1
            api.is_logging_in = api.abandoned
        if isinstance(api.error, AuthenticationError):
            api.credential_state.rejected = True
        if api.error is not None:
            raise api.error
        api.credential_state.accepted = True


@dataclass
class FakeAppliance:
    clock: FakeClock
    api: FakeApi
    name: str = "vc01"


REJECTED = AuthenticationError("rejected")
UNREACHABLE = ApplianceUnreachableError("no connection")


def test_first_login_runs_alone_and_the_others_few_at_once(clock: FakeClock) -> None:
    fleet = Fleet(clock)
    outcomes = fleet.run(*(fleet.api() for _ in range(9)))
    assert outcomes == [1, 2, 2, 2, 2, 3, 3, 3, 3]
    assert fleet.max_concurrent == MAX_CONCURRENT_LOGINS


def test_rejected_password_is_sent_once(clock: FakeClock) -> None:
    fleet = Fleet(clock)
    errors = fleet.run(*(fleet.api(error=REJECTED) for _ in range(100)))
    assert {type(error) for error in errors} == {AuthenticationError}
    assert (fleet.sent, clock.elapsed) == (1, 1)


def test_password_that_is_rejected_after_a_success_is_sent_less_than_five_times(clock: FakeClock) -> None:
    fleet = Fleet(clock)
    fleet.run(fleet.api(), *(fleet.api(error=REJECTED) for _ in range(50)))
    assert fleet.sent - 1 <= MAX_CONCURRENT_LOGINS < 5


def test_unreachable_appliance_delays_the_others_for_a_second(clock: FakeClock) -> None:
    fleet = Fleet(clock)
    unreachable, *reachable = fleet.run(
        fleet.api(connects=10, error=UNREACHABLE), *(fleet.api(answers=0.5) for _ in range(5))
    )
    assert unreachable is UNREACHABLE
    assert reachable == [CONNECT_SECONDS + 0.5, *[CONNECT_SECONDS + 1.0] * 4]


def test_unanswered_login_delays_the_others_for_some_seconds(clock: FakeClock) -> None:
    fleet = Fleet(clock)
    outcomes = fleet.run(fleet.api(answers=40, error=UNREACHABLE), fleet.api(answers=0.5))
    assert outcomes == [UNREACHABLE, ANSWER_SECONDS + 0.5]


def test_unanswered_logins_delay_the_others_for_less_after_a_success(clock: FakeClock) -> None:
    fleet = Fleet(clock)
    hanging = [fleet.api(answers=40, error=UNREACHABLE) for _ in range(MAX_CONCURRENT_LOGINS)]
    first, *unreachable, last = fleet.run(fleet.api(), *hanging, fleet.api())
    assert (first, unreachable, last) == (1, [UNREACHABLE] * MAX_CONCURRENT_LOGINS, 1 + ACCEPTED_ANSWER_SECONDS + 1)


def test_hanging_logins_are_at_most_four(clock: FakeClock) -> None:
    fleet = Fleet(clock)
    fleet.run(*(fleet.api(answers=40, error=REJECTED) for _ in range(20)))
    assert fleet.sent == fleet.max_concurrent == 4


def test_abandoned_login_delays_the_others_while_it_may_still_fail(clock: FakeClock) -> None:
    fleet = Fleet(clock)
    outcomes = fleet.run(fleet.api(answers=2, error=UNREACHABLE, abandoned=True), fleet.api(answers=0.5))
    assert outcomes == [UNREACHABLE, ANSWER_SECONDS + 0.5]


def test_login_that_cannot_begin_before_its_deadline_fails(clock: FakeClock) -> None:
    fleet = Fleet(clock)
    hanging, late = fleet.run(fleet.api(answers=40), fleet.api(), until=3)
    assert (hanging, fleet.sent, clock.elapsed) == (40, 1, 40)
    assert isinstance(late, ApplianceUnreachableError)
    assert late.retryable


def test_logins_of_another_account_do_not_wait(clock: FakeClock) -> None:
    fleet, other = Fleet(clock), CredentialState()
    assert fleet.run(fleet.api(answers=5), FakeApi(other), fleet.api()) == [5, 1, 6]


@pytest.mark.parametrize("moment", [0.5, 1.5])
def test_interruption_ends_all_waiting_logins_at_once(moment: float, clock: FakeClock) -> None:
    fleet = Fleet(clock)
    clock.at(moment, lambda: fleet.mailbox.put(Interruption()))
    ended = fleet.run(*(fleet.api() for _ in range(9)))
    assert [type(end).__name__ for end in ended if isinstance(end, BackupctlError)] == ["InterruptedRunError"] * (
        9 if moment < 1 else 8
    )
    assert clock.elapsed == moment

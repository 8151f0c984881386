"""First logins: one before all, then few at a time, and nobody waits for one who cannot be reached."""

import queue
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from backupctl.errors import ApplianceUnreachableError, AuthenticationError, BackupctlError
from backupctl.scheduler.appliance import Appliance
from backupctl.scheduler.login_limiter import (
    ANSWER_SECONDS,
    CONNECT_SECONDS,
    MAX_CONCURRENT_LOGINS,
    PROVEN_ANSWER_SECONDS,
    LoginLimiter,
)
from backupctl.scheduler.scheduler import Interruption, Mailbox, Scheduler
from backupctl.scheduler.task import Task, Wait
from tests.support.clock import FakeClock
from tests.support.workers import TimedWorkers


@dataclass(eq=False)
class Account:
    proven: bool = False
    refused: bool = False


@dataclass
class Door:
    """What an appliance does with a login: ``connects`` seconds, then ``answers`` seconds, then it lets in or not."""

    account: Account
    connects: float = 0.0
    answers: float = 1.0
    says: BackupctlError | None = None
    given_up: bool = False
    is_logging_in: bool = False


@dataclass
class Doors:
    clock: FakeClock
    account: Account = field(default_factory=Account)
    limiter: LoginLimiter = field(default_factory=LoginLimiter)
    mailbox: Mailbox = field(default_factory=queue.SimpleQueue)
    most: int = 0
    shown: int = 0
    _inside: int = 0

    def run(self, *doors: Door, until: float | None = None) -> list[float | BackupctlError]:
        """Log in everywhere; return when each was in, or what kept it out. After ``until`` nobody waits any more."""
        scheduler: Scheduler[float | BackupctlError] = Scheduler(self.clock, TimedWorkers(self.clock), self.mailbox)
        return scheduler.run([self._enter(door, until) for door in doors])

    def door(self, **behaviour: Any) -> Door:
        return Door(self.account, **behaviour)

    def _enter(self, door: Door, until: float | None) -> Task[float | BackupctlError]:
        appliance = cast("Appliance", _Standing(self.clock, door))
        try:
            moment = None if until is None else self.clock.monotonic() + until
            yield from self.limiter.run(appliance, self._log_in(door), until=moment)
        except BackupctlError as error:
            return error
        return self.clock.elapsed

    def _log_in(self, door: Door) -> Task[None]:
        if door.account.refused:
            raise AuthenticationError("not tried")
        if door.connects:
            yield Wait(self.clock.monotonic() + door.connects)
        door.is_logging_in = True
        self.shown += 1
        self._inside += 1
        self.most = max(self.most, self._inside)
        try:
            yield Wait(self.clock.monotonic() + door.answers)
        finally:
            self._inside -= 1
            door.is_logging_in = door.given_up
        if isinstance(door.says, AuthenticationError):
            door.account.refused = True
        if door.says is not None:
            raise door.says
        door.account.proven = True


@dataclass
class _Standing:
    clock: FakeClock
    api: Door
    host: str = "vc01.example.com"


REFUSED = AuthenticationError("refused")
DEAD = ApplianceUnreachableError("no connection")


def test_login_goes_first_at_one_appliance_and_then_at_few_at_once(clock: FakeClock) -> None:
    doors = Doors(clock)
    entered = doors.run(*(doors.door() for _ in range(9)))
    assert entered == [1, 2, 2, 2, 2, 3, 3, 3, 3]
    assert doors.most == MAX_CONCURRENT_LOGINS


def test_login_that_is_refused_is_shown_to_one_appliance_only(clock: FakeClock) -> None:
    doors = Doors(clock)
    errors = doors.run(*(doors.door(says=REFUSED) for _ in range(100)))
    assert {type(error) for error in errors} == {AuthenticationError}
    assert (doors.shown, clock.elapsed) == (1, 1)


def test_login_that_is_refused_after_others_were_let_in_fails_less_than_five_times(clock: FakeClock) -> None:
    doors = Doors(clock)
    doors.run(doors.door(), *(doors.door(says=REFUSED) for _ in range(50)))
    assert doors.shown - 1 <= MAX_CONCURRENT_LOGINS < 5


def test_login_at_an_appliance_that_cannot_be_reached_keeps_the_others_for_a_second(clock: FakeClock) -> None:
    doors = Doors(clock)
    dead, *alive = doors.run(doors.door(connects=10, says=DEAD), *(doors.door(answers=0.5) for _ in range(5)))
    assert dead is DEAD
    assert alive == [CONNECT_SECONDS + 0.5, *[CONNECT_SECONDS + 1.0] * 4]


def test_login_that_is_not_answered_keeps_the_others_for_a_while_only(clock: FakeClock) -> None:
    doors = Doors(clock)
    entered = doors.run(doors.door(answers=40, says=DEAD), doors.door(answers=0.5))
    assert entered == [DEAD, ANSWER_SECONDS + 0.5]


def test_logins_that_are_not_answered_keep_the_others_for_less_once_one_was_let_in(clock: FakeClock) -> None:
    doors = Doors(clock)
    hanging = [doors.door(answers=40, says=DEAD) for _ in range(MAX_CONCURRENT_LOGINS)]
    first, *dead, last = doors.run(doors.door(), *hanging, doors.door())
    assert (first, dead, last) == (1, [DEAD] * MAX_CONCURRENT_LOGINS, 1 + PROVEN_ANSWER_SECONDS + 1)


def test_logins_that_all_hang_never_become_five(clock: FakeClock) -> None:
    doors = Doors(clock)
    doors.run(*(doors.door(answers=40, says=REFUSED) for _ in range(20)))
    assert doors.shown == doors.most == 4


def test_login_that_was_given_up_counts_for_as_long_as_it_may_be_a_failed_one(clock: FakeClock) -> None:
    doors = Doors(clock)
    entered = doors.run(doors.door(answers=2, says=DEAD, given_up=True), doors.door(answers=0.5))
    assert entered == [DEAD, ANSWER_SECONDS + 0.5]


def test_login_that_has_no_turn_in_time_is_not_begun(clock: FakeClock) -> None:
    doors = Doors(clock)
    hanging, late = doors.run(doors.door(answers=40), doors.door(), until=3)
    assert (hanging, doors.shown, clock.elapsed) == (40, 1, 40)
    assert isinstance(late, ApplianceUnreachableError)
    assert "others with the same password were under way" in late.message


def test_logins_with_another_password_do_not_wait(clock: FakeClock) -> None:
    doors, other = Doors(clock), Account()
    assert doors.run(doors.door(answers=5), Door(other), doors.door()) == [5, 1, 6]


@pytest.mark.parametrize("moment", [0.5, 1.5])
def test_login_that_is_interrupted_while_it_waits_lets_the_others_tidy_up(moment: float, clock: FakeClock) -> None:
    doors = Doors(clock)
    clock.at(moment, lambda: doors.mailbox.put(Interruption()))
    ended = doors.run(*(doors.door() for _ in range(9)))
    assert [type(end).__name__ for end in ended if isinstance(end, BackupctlError)] == ["InterruptedRunError"] * (
        9 if moment < 1 else 8
    )
    assert clock.elapsed == moment

"""The coordinator: how many backups run at once, and what starts when an appliance fails."""

import pytest

from backupctl.error_facts import ErrorFacts, error_on
from backupctl.errors import InterruptedRunError
from backupctl.exit_codes import COMMAND_CODES
from backupctl.results.events import Ended, Queued
from backupctl.scheduler.coordinator import Coordinator
from backupctl.scheduler.semaphore import Semaphore
from backupctl.scheduler.task import Wait
from tests import wording
from tests.support.clock import FakeClock
from tests.support.simulated_fleet import JOB_SECONDS, SimulatedFleet

# Parallel


def test_parallel_starts_the_next_backup_when_one_ends(clock: FakeClock) -> None:
    fleet = SimulatedFleet(clock, 6)
    results = fleet.run(Coordinator(fleet.appliances, parallel=2))
    assert {result.exit_code for result in results.values()} == {0}
    started = sorted(fleet.started_at().values())
    assert started[1] - started[0] < 1
    assert JOB_SECONDS <= started[2] - started[1] <= JOB_SECONDS + 11
    assert JOB_SECONDS <= started[4] - started[3] <= JOB_SECONDS + 11


@pytest.mark.parametrize("size", [5, pytest.param(50, marks=pytest.mark.exhaustive)])
def test_parallel_none_starts_all_backups_at_once(size: int, clock: FakeClock) -> None:
    fleet = SimulatedFleet(clock, size)
    fleet.run(Coordinator(fleet.appliances))
    started = fleet.started_at().values()
    assert (len(started), max(started) - min(started) < 1) == (size, True)


def test_parallel_sends_nothing_to_a_queued_appliance(clock: FakeClock) -> None:
    fleet = SimulatedFleet(clock, 3)
    seen = list[int]()
    clock.at(JOB_SECONDS / 2, lambda: seen.extend(fleet.requests.values()))
    fleet.run(Coordinator(fleet.appliances, parallel=1))
    assert seen[0] > 0
    assert seen[1:] == [0, 0]


def test_parallel_starts_the_next_backup_when_an_appliance_fails(clock: FakeClock) -> None:
    fleet = SimulatedFleet(clock, 3, faults={"vc1": ["forbidden"]})
    results = fleet.run(Coordinator(fleet.appliances, parallel=1))
    assert [result.exit_code for result in results.values()] == [4, 0, 0]
    assert fleet.started_at()["vc2"] < 1


def test_interruption_of_a_queued_appliance_sends_nothing_to_it(clock: FakeClock) -> None:
    fleet = SimulatedFleet(clock, 3)
    results = fleet.run(Coordinator(fleet.appliances, parallel=1), interrupt_at=50)
    assert clock.elapsed == 50
    assert {result.exit_code for result in results.values()} == {130}
    assert [result.error.message for result in results.values() if result.error][1:] == [
        wording.INTERRUPTED(wording.NO_BACKUP_STARTED)
    ] * 2
    assert [count > 0 for count in fleet.requests.values()] == [True, False, False]
    assert (fleet.jobs, fleet.total(lambda state: state.open_sessions)) == (1, 0)


def test_semaphore_that_is_acquired_during_an_interruption_is_released_to_the_next_waiter() -> None:
    semaphore = Semaphore(1)
    assert list(semaphore.acquire()) == []
    first, second = semaphore.acquire(), semaphore.acquire()
    next(first)
    wait = next(second)
    semaphore.release()
    with pytest.raises(InterruptedRunError):
        first.throw(InterruptedRunError("interrupted"))
    assert isinstance(wait, Wait)
    assert wait.event is not None
    assert wait.event.is_set


def test_events_report_queued_and_ended_appliances(clock: FakeClock) -> None:
    fleet = SimulatedFleet(clock, 3, faults={"vc2": ["fail-at=20"]})
    fleet.run(Coordinator(fleet.appliances, parallel=1))
    assert [event.server for event in fleet.events if isinstance(event, Queued)] == ["vc2", "vc3"]
    ended = [event for event in fleet.events if isinstance(event, Ended)]
    assert [(event.server, event.exit_code, event.error and event.error.slug) for event in ended] == [
        ("vc1", 0, None),
        ("vc2", 7, "backup-failed"),
        ("vc3", 0, None),
    ]


def test_single_appliance_emits_no_queued_and_ended_events(clock: FakeClock) -> None:
    fleet = SimulatedFleet(clock, 1)
    fleet.run(Coordinator(fleet.appliances, parallel=1))
    assert not [event for event in fleet.events if isinstance(event, Queued | Ended)]


# Fail fast


def test_fail_fast_starts_no_backup_after_the_first_failure(clock: FakeClock) -> None:
    fleet = SimulatedFleet(clock, 5, faults={"vc2": ["fail-at=20"]})
    results = fleet.run(Coordinator(fleet.appliances, parallel=2, fail_fast=True))
    assert [result.exit_code for result in results.values()] == [0, 7, 7, 7, 7]
    slugs = [result.error and result.error.slug for result in results.values()]
    assert slugs == [None, "backup-failed", "not-tried", "not-tried", "not-tried"]
    assert fleet.jobs == 2
    assert [count > 0 for count in fleet.requests.values()] == [True, True, False, False, False]
    error = results["vc5"].error
    assert error is not None
    assert [each.server for each in error.facts.details if isinstance(each, ErrorFacts)] == ["vc2"]


def test_failure_does_not_stop_the_others_without_fail_fast(clock: FakeClock) -> None:
    fleet = SimulatedFleet(clock, 4, faults={"vc2": ["fail-at=20"]})
    results = fleet.run(Coordinator(fleet.appliances, parallel=2))
    assert [result.exit_code for result in results.values()] == [0, 7, 0, 0]


# Together


def test_together_starts_all_backups_when_the_last_appliance_is_ready(clock: FakeClock) -> None:
    fleet = SimulatedFleet(clock, 4, faults={"vc3": ["http-503=2@list"]})
    results = fleet.run(Coordinator(fleet.appliances, parallel=1, together=True), preflight=True)
    assert {result.exit_code for result in results.values()} == {0}
    started = fleet.started_at().values()
    assert min(started) >= 1
    assert max(started) - min(started) < 1


@pytest.mark.parametrize(
    ("fault", "code"),
    [("forbidden", 4), ("validate-fail", 7), ("busy", 9), ("drop=99@login", 5), ("redirect=99", 6)],
)
def test_together_starts_no_backup_when_an_appliance_fails_before(fault: str, code: int, clock: FakeClock) -> None:
    fleet = SimulatedFleet(clock, 3, faults={"vc2": [fault]})
    results = fleet.run(Coordinator(fleet.appliances, together=True), preflight=True)
    assert fleet.started_at() == {}
    assert [result.exit_code for result in results.values()] == [code] * 3
    assert COMMAND_CODES.overall(result.exit_code for result in results.values()) == code
    kept = results["vc1"].error
    assert kept is not None
    assert results["vc2"].error
    assert (kept.slug, kept.facts.details) == ("not-together", (error_on("vc2", results["vc2"].error.facts),))
    assert fleet.total(lambda state: state.open_sessions) == 0


def test_together_names_all_failed_appliances_and_exits_with_the_gravest_code(clock: FakeClock) -> None:
    fleet = SimulatedFleet(clock, 4, faults={"vc1": ["forbidden"], "vc3": ["validate-fail"]})
    results = fleet.run(Coordinator(fleet.appliances, together=True), preflight=True)
    assert [result.exit_code for result in results.values()] == [4, 7, 7, 7]
    assert results["vc4"].error
    details = results["vc4"].error.facts.details
    assert [each.server for each in details if isinstance(each, ErrorFacts)] == ["vc1", "vc3"]


def test_together_does_not_stop_running_backups_when_one_fails(clock: FakeClock) -> None:
    fleet = SimulatedFleet(clock, 3, faults={"vc2": ["fail-at=20"]})
    results = fleet.run(Coordinator(fleet.appliances, together=True, fail_fast=True), preflight=True)
    assert [result.exit_code for result in results.values()] == [0, 7, 0]


def test_interruption_before_all_are_ready_starts_no_backup(clock: FakeClock) -> None:
    fleet = SimulatedFleet(clock, 3, faults={"vc2": ["http-503=3@list"]})
    results = fleet.run(Coordinator(fleet.appliances, together=True), preflight=True, interrupt_at=1.5)
    assert {result.exit_code for result in results.values()} == {130}
    assert (fleet.jobs, fleet.total(lambda state: state.open_sessions)) == (0, 0)


# Passwords


@pytest.mark.parametrize("size", [2, 30])
def test_rejected_password_is_not_sent_to_other_appliances(size: int, clock: FakeClock) -> None:
    fleet = SimulatedFleet(clock, size, password="another")
    results = fleet.run(Coordinator(fleet.appliances))
    assert {result.exit_code for result in results.values()} == {4}
    assert fleet.total(lambda state: state.failed_logins) == 1
    assert sum(count > 0 for count in fleet.requests.values()) == 1
    error = results["vc2"].error
    assert error is not None
    assert (error.facts.server, error.facts.cause) == ("vc2.example.com", "vc1.example.com")

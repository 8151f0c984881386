"""Clocks that jump and processes that are suspended: the appliance is asked again before a deadline ends a wait."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from backupctl.errors import ApplianceUnreachableError, AuthorizationError, BackupctlError, StalledError, TimedOutError
from backupctl.models import BackupJobStatus, JobDetails
from backupctl.operations import job_conversion
from backupctl.operations.follow import Timeouts, follow
from backupctl.operations.outcome import Outcome
from backupctl.results.job import Job
from tests import wording
from tests.support.clock import FakeClock
from tests.support.command_line import CommandLine
from tests.support.operation_bench import ScriptedRecovery, scripted

ID = "20260301-020000-1"
HOUR = 3600.0
STANDING = BackupJobStatus(id=ID, state="INPROGRESS", progress=10)
RUNNING = BackupJobStatus(id=ID, state="INPROGRESS", progress=40)
DONE = BackupJobStatus(id=ID, state="SUCCEEDED", progress=100)
NO_ANSWER = ApplianceUnreachableError(wording.NO_RESPONSE_IN_TIME, certain=False, retryable=True)


def after(clock: FakeClock, seconds: float, answer: Any) -> Callable[..., Any]:
    """Return a response that takes so many seconds; an error is raised."""

    def respond(*_: object) -> Any:
        clock.sleep(seconds)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    return respond


def follow_job(clock: FakeClock, answers: list[Any], **timeouts: Any) -> tuple[Outcome[Job], ScriptedRecovery]:
    bench, api = scripted(clock, job=answers, job_details={})
    chosen = Timeouts(**{"interval": 10.0, **timeouts})
    return bench.run(follow(bench.appliance, Job(id=ID, state="INPROGRESS", progress=10), chosen)), api


def kind(ended: Outcome[Job]) -> type[BackupctlError] | None:
    return None if ended.error is None else type(ended.error)


@pytest.mark.parametrize(
    ("timeouts", "then", "expected"),
    [
        ({"timeout": HOUR}, DONE, None),
        ({"timeout": HOUR}, RUNNING, TimedOutError),
        ({"timeout": HOUR}, NO_ANSWER, ApplianceUnreachableError),
        ({"stall_timeout": HOUR}, DONE, None),
        ({"stall_timeout": HOUR}, STANDING, StalledError),
        ({"stall_timeout": HOUR}, NO_ANSWER, ApplianceUnreachableError),
    ],
)
def test_suspension_during_a_poll_repeats_the_poll(
    clock: FakeClock, timeouts: dict[str, float], then: Any, expected: type[BackupctlError] | None
) -> None:
    clock.at(12, lambda: clock.sleep(3 * HOUR))
    ended, api = follow_job(clock, [after(clock, 5, NO_ANSWER), then], **timeouts)
    assert kind(ended) is expected
    assert api.names().count("job") == 2
    assert clock.elapsed == pytest.approx(3 * HOUR + 12)


@pytest.mark.parametrize(("then", "expected"), [(DONE, None), (RUNNING, TimedOutError)])
def test_suspension_between_two_polls_polls_before_the_deadline_counts(
    clock: FakeClock, then: Any, expected: type[BackupctlError] | None
) -> None:
    clock.at(5, lambda: clock.sleep(3 * HOUR))
    ended, api = follow_job(clock, [then], timeout=HOUR)
    assert kind(ended) is expected
    assert api.names().count("job") == 1


def test_appliance_that_is_always_slow_does_not_extend_the_deadline(clock: FakeClock) -> None:
    ended, _ = follow_job(clock, [after(clock, 100, NO_ANSWER)], timeout=HOUR)
    assert kind(ended) is ApplianceUnreachableError
    assert clock.elapsed < HOUR + 300


def test_final_error_after_a_suspension_ends_following(clock: FakeClock) -> None:
    refused = AuthorizationError("refused")
    clock.at(12, lambda: clock.sleep(3 * HOUR))
    ended, _ = follow_job(clock, [after(clock, 5, refused)], timeout=HOUR)
    assert ended.error is not None
    assert ended.error.slug == refused.slug


# The wall clock


@pytest.mark.parametrize(("seconds", "moment"), [(-7200.0, 1.0), (86400.0, 30.0), (-400 * 86400.0, 59.0)])
def test_wall_clock_set_during_a_run_changes_no_outcome(backupctl: CommandLine, seconds: float, moment: float) -> None:
    backupctl.clock.at(moment, lambda: backupctl.clock.move_wall(seconds))
    created = backupctl.create("-o", "json", "--timeout", "1h")
    assert created.code == 0
    assert created.result["job"]["state"] == "SUCCEEDED"
    assert 0 <= created.result["job"]["duration_seconds"] <= 60
    assert backupctl.clock.elapsed < 120


@pytest.mark.parametrize("seconds", [-7200.0, 86400.0])
def test_wall_clock_set_during_a_run_moves_no_deadline(clock: FakeClock, seconds: float) -> None:
    backupctl = CommandLine(clock=clock, faults=["stall-at=40"])
    clock.at(30, lambda: clock.move_wall(seconds))
    created = backupctl.create("--timeout", "10m")
    assert created.code == 8
    assert clock.elapsed == pytest.approx(600, abs=15)


def test_json_lines_contain_the_wall_clock_time(backupctl: CommandLine) -> None:
    backupctl.clock.at(10, lambda: backupctl.clock.move_wall(-86400.0))
    created = backupctl.create("-o", "jsonl")
    days = [json.loads(line)["time"][:10] for line in created.out.splitlines()]
    assert (days[0], days[-1]) == ("2026-03-01", "2026-02-28")


@pytest.mark.parametrize(("seconds", "shown"), [(-3600, None), (0, 0), (90, 90)])
def test_duration_is_unknown_if_the_clock_was_set_back(seconds: int, shown: int | None) -> None:
    start = datetime(2026, 3, 1, 2, tzinfo=UTC)
    end = datetime.fromtimestamp(start.timestamp() + seconds, UTC)
    status = BackupJobStatus(id=ID, state="SUCCEEDED", progress=100, start_time=start, end_time=end)
    assert job_conversion.from_status(status, Job(id=ID, state="")).duration_seconds == shown
    details = JobDetails(status="SUCCEEDED", type="MANUAL", duration=seconds)
    assert job_conversion.from_details(details, Job(id=ID, state="")).duration_seconds == shown

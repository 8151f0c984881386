"""The reading of the history that monitoring, audits and reports judge."""

import pytest

from backupctl.errors import ApplianceAnswerError, ApplianceUnreachableError, AuthorizationError, BackupctlError
from backupctl.models import JobDetails, Schedule, UnreadableEntry
from backupctl.operations.read_history import read_history
from tests import wording
from tests.support.clock import FakeClock
from tests.support.operation_bench import scripted, simulated

JOB = {"20260101-020000-1": JobDetails(status="SUCCEEDED", type="SCHEDULED")}


@pytest.mark.parametrize(("release", "schedules"), [("6.5", None), ("6.7", 1), ("8.0", 1), ("9.1", 1)])
def test_history_of_each_release_is_read(release: str, schedules: int | None, clock: FakeClock) -> None:
    bench, simulator = simulated(clock, release=release, history=True)
    history = bench.run(read_history(bench.appliance))
    assert len(history.jobs) == len(simulator.jobs)
    assert (None if history.schedules is None else len(history.schedules)) == schedules
    assert history.has_details is (release != "6.5")
    assert (history.read_at, history.unreadable, history.schedules_error) == (clock.now(), (), None)


def test_history_takes_three_requests(clock: FakeClock) -> None:
    bench, api = scripted(clock, job_details=JOB, schedules={"default": Schedule(parts=None)})
    bench.run(read_history(bench.appliance))
    assert api.names() == ["job_details", "schedules"]  # and the time zone, for a schedule with a time


@pytest.mark.parametrize("error", [ApplianceAnswerError("odd"), AuthorizationError("denied")])
def test_schedules_that_cannot_be_read_do_not_hide_the_jobs(error: BackupctlError, clock: FakeClock) -> None:
    bench, _ = scripted(clock, job_details=JOB, schedules=error)
    history = bench.run(read_history(bench.appliance))
    assert [job.id for job in history.jobs] == list(JOB)
    assert (history.schedules, history.schedules_error) == (None, error.message)


def test_unreadable_schedule_is_counted(clock: FakeClock) -> None:
    bench, _ = scripted(clock, job_details=JOB, schedules={"default": UnreadableEntry(name="default", why="odd")})
    history = bench.run(read_history(bench.appliance))
    assert (history.schedules, history.schedules_error) == ((), f"1 schedules {wording.UNREADABLE}")


def test_unreachable_appliance_has_no_history(clock: FakeClock) -> None:
    bench, _ = scripted(clock, job_details=JOB, schedules=ApplianceUnreachableError("gone"))
    with pytest.raises(ApplianceUnreachableError):
        bench.run(read_history(bench.appliance))

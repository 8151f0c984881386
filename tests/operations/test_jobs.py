"""The reading of jobs: all, the latest and the running one."""

from datetime import datetime
from typing import Any

import pytest

from backupctl.errors import (
    ApplianceAnswerError,
    ApplianceUnreachableError,
    NotFoundError,
    NotSupportedError,
    ServerFaultError,
)
from backupctl.models import BackupJobStatus, JobDetails
from backupctl.operations import jobs
from backupctl.results.job import Job
from tests.support.clock import START, FakeClock
from tests.support.operation_bench import scripted, simulated

A, B, C = "20260101-020000-1", "20260102-020000-1", "20260103-020000-1"
KNOWN = Job(id=A, state="INPROGRESS", progress=30)
LOST = ApplianceUnreachableError("dropped", certain=False, retryable=True)


def status(**fields: Any) -> BackupJobStatus:
    return BackupJobStatus(**{"id": A, "state": "INPROGRESS", **fields})


def details(**fields: Any) -> JobDetails:
    return JobDetails(**{"status": "RUNNING", **fields})


def test_secrets_in_listed_locations_are_masked(clock: FakeClock) -> None:
    found = {A: details(location="ftp://u:hunter2@h/d"), B: details(location="ftp://u:hunter2%40@h")}
    bench, _ = scripted(clock, job_details=found)
    assert "hunter2" not in repr(bench.run(jobs.read_all(bench.appliance)))


def test_all_jobs_with_details_are_read_in_one_request(clock: FakeClock) -> None:
    bench, api = scripted(clock, job_details={A: details(status="SUCCEEDED"), C: details(), B: details()})
    listed, _ = bench.run(jobs.read_all(bench.appliance))
    assert [(job.id, job.state) for job in listed] == [
        (C, "INPROGRESS"),
        (B, "INPROGRESS"),
        (A, "SUCCEEDED"),
    ]
    assert api.names() == ["job_details"]


@pytest.mark.parametrize("release", ["6.5", "6.7", "8.0"])
def test_all_jobs_of_each_release_are_listed_newest_first(release: str, clock: FakeClock) -> None:
    bench, simulator = simulated(clock, release=release, history=True)
    listed, _ = bench.run(jobs.read_all(bench.appliance))
    expected = [job.job_id for job in sorted(simulator.jobs, key=lambda job: job.start_time, reverse=True)]
    assert [job.id for job in listed] == expected
    assert len(expected) > 2


def test_only_latest_is_resolved_with_a_request(clock: FakeClock) -> None:
    bench, api = scripted(clock, jobs=[[A, C, B]])
    assert bench.run(jobs.resolve(bench.appliance, "latest")) == C
    assert bench.run(jobs.resolve(bench.appliance, B)) == B
    assert api.names() == ["jobs"]


def test_latest_is_not_found_without_jobs(clock: FakeClock) -> None:
    bench, _ = scripted(clock, jobs=[[]])
    with pytest.raises(NotFoundError, match="has no backup jobs yet"):
        bench.run(jobs.resolve(bench.appliance, "latest"))


@pytest.mark.parametrize(
    ("state", "end", "runs"),
    [("INPROGRESS", None, True), ("NONE", None, True), ("SUCCEEDED", START, False), ("FAILED", START, False)],
)
def test_running_job_is_the_newest_if_it_has_not_ended(
    state: str, end: datetime | None, runs: bool, clock: FakeClock
) -> None:
    bench, api = scripted(clock, jobs=[[A, B]], job=status(id=B, state=state, end_time=end))
    found = bench.run(jobs.find_running(bench.appliance))
    assert (found is not None) == runs
    assert api.calls == [("jobs",), ("job", B)]


def test_running_job_is_an_error_if_the_list_cannot_be_read(clock: FakeClock) -> None:
    bench, _ = scripted(clock, jobs=ServerFaultError("500"))
    with pytest.raises(ServerFaultError):
        bench.run(jobs.find_running(bench.appliance))


@pytest.mark.parametrize("answer", [NotSupportedError("6.5"), LOST, {}, {B: details()}])
def test_job_without_details_is_unchanged(answer: Any, clock: FakeClock) -> None:
    bench, api = scripted(clock, job_details=answer)
    assert bench.run(jobs.with_details(bench.appliance, KNOWN)) == KNOWN
    assert api.calls == [("job_details", [A])]


def test_list_without_a_readable_job_is_an_error(clock: FakeClock) -> None:
    page = ApplianceAnswerError("a page", certain=False)
    bench, _ = scripted(clock, job_details=page, jobs=["20260301-020000-1"], job=page)
    with pytest.raises(ApplianceAnswerError, match="a page"):
        bench.run(jobs.read_all(bench.appliance))

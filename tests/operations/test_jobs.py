"""Jobs as values: what status and details say put together, and the questions about several jobs."""

import math
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from backupctl.errors import (
    ApplianceAnswerError,
    ApplianceUnreachableError,
    NotFoundError,
    NotSupportedError,
    ServerFaultError,
)
from backupctl.location import Location
from backupctl.models import (
    BackupJobStatus,
    BackupRequest,
    BuildInfo,
    DetailsProgress,
    JobDetails,
    LocalizableMessage,
    as_utc,
)
from backupctl.operations import job_conversion, job_selection, jobs
from backupctl.operations.follow import Timeouts
from backupctl.operations.watch import status as look
from backupctl.operations.watch import watch
from backupctl.results.job import Job, Message
from backupctl.secrets.secret import Secret
from tests.support.clock import START, FakeClock
from tests.support.operation_bench import scripted, simulated

A, B, C = "20260101-020000-1", "20260102-020000-1", "20260103-020000-1"
BEGAN = datetime(2026, 3, 1, 2, tzinfo=UTC)
KNOWN = Job(id=A, state="INPROGRESS", progress=30)
LOST = ApplianceUnreachableError("dropped", certain=False, retryable=True)


def status(**fields: Any) -> BackupJobStatus:
    return BackupJobStatus(**{"id": A, "state": "INPROGRESS", **fields})


def details(**fields: Any) -> JobDetails:
    return JobDetails(**{"status": "RUNNING", **fields})


# Status


@pytest.mark.parametrize(
    ("said", "shown"),
    [(40, 40), (20, 30), (0, 30), (None, 30), (40.9, 40), (1e30, 100), (-5, 30), (math.nan, 30), (math.inf, 30)],
)
def test_progress_never_goes_back_nor_beyond_the_whole(said: float | None, shown: int) -> None:
    assert job_conversion.from_status(status(progress=said), KNOWN).progress == shown


def test_status_without_progress_of_an_unknown_job_is_unknown() -> None:
    assert job_conversion.from_status(status(), Job(id=A, state="")).progress is None


def test_status_fills_in_what_it_tells_and_keeps_the_rest() -> None:
    message = LocalizableMessage(id="m", default_message="", localized="Langsam.", args=[1, "x"])
    known = Job(id=A, state="INPROGRESS", location="sftp://h/d", comment="c", encrypted=True)
    end = BEGAN + timedelta(seconds=90)
    job = job_conversion.from_status(
        status(state="SUCCEEDED", start_time=BEGAN, end_time=end, messages=[message]), known
    )
    assert (job.state, job.start_time, job.end_time, job.duration_seconds) == ("SUCCEEDED", BEGAN, end, 90)
    assert job.messages == (Message(id="m", default_message="Langsam.", args=("1", "x")),)
    assert (job.location, job.comment, job.encrypted) == ("sftp://h/d", "c", True)


def test_status_without_an_id_is_of_the_job_that_was_asked_for() -> None:
    assert job_conversion.from_status(status(id=""), KNOWN).id == A


@pytest.mark.parametrize("hours", [-8, 0, 2])
def test_times_of_any_zone_or_none_are_utc(hours: int) -> None:
    moment = as_utc(BEGAN.astimezone(timezone(timedelta(hours=hours))))
    assert moment is not None
    assert (moment, moment.tzinfo) == (BEGAN, UTC)
    assert as_utc(BEGAN.replace(tzinfo=None)) == BEGAN
    assert as_utc(None) is None


# Details


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ("PENDING", "NONE"),
        ("RUNNING", "INPROGRESS"),
        ("BLOCKED", "INPROGRESS"),
        ("SUCCEEDED", "SUCCEEDED"),
        ("FAILED", "FAILED"),
        ("SOMETHING_NEW", "SOMETHING_NEW"),
    ],
)
def test_details_speak_the_vocabulary_of_the_job(said: str, state: str) -> None:
    assert job_conversion.from_details(details(status=said), Job(id=A, state="")).state == state


def test_details_never_overrule_the_state_that_the_job_itself_told() -> None:
    assert job_conversion.from_details(details(status="SUCCEEDED"), KNOWN).state == "INPROGRESS"


def test_details_add_what_only_they_know() -> None:
    said = details(
        type="MANUAL",
        location="sftp://h/d",
        location_user="backup",
        size=1.5e9,
        duration=61.7,
        user="VSPHERE.LOCAL\\Administrator",
        progress=DetailsProgress(total=200, completed=90),
        build=BuildInfo(version="8.0.2.00100", build_number="22617221"),
    )
    job = job_conversion.from_details(said, KNOWN)
    assert (job.type, job.location, job.location_user, job.size_bytes) == ("MANUAL", "sftp://h/d", "backup", 1500000000)
    assert (job.duration_seconds, job.progress, job.build) == (61, 45, "8.0.2.00100 build 22617221")
    assert job.user == "VSPHERE.LOCAL\\Administrator"


@pytest.mark.parametrize(
    ("fields", "name", "value"),
    [
        ({"progress": DetailsProgress(total=0, completed=0)}, "progress", 30),
        ({"progress": DetailsProgress(total=math.nan, completed=1)}, "progress", 30),
        ({"progress": DetailsProgress(total=100)}, "progress", 30),
        ({"size": math.inf}, "size_bytes", None),
        ({"size": 1e300}, "size_bytes", None),
        ({"size": -1.0}, "size_bytes", None),
        ({"duration": 2.0**63}, "duration_seconds", None),
        ({"duration": math.nan}, "duration_seconds", None),
        ({"build": BuildInfo(version_name="VC-8.0.2a")}, "build", "VC-8.0.2a"),
        ({"build": BuildInfo(build_number="1")}, "build", "1"),
        ({"build": BuildInfo()}, "build", None),
        ({"location": "sftp://user:secret@h/d"}, "location", "sftp://user:***@h/d"),
    ],
)
def test_details_that_are_odd_stay_harmless(fields: dict[str, Any], name: str, value: object) -> None:
    assert getattr(job_conversion.from_details(details(**fields), KNOWN), name) == value


def test_message_with_nested_arguments_keeps_the_plain_ones() -> None:
    odd = LocalizableMessage(id="m", args=["text", 7, [["nested"]], {"more": {}}, None, 0.5])
    assert job_conversion.messages_of([odd])[0].args == ("text", "7", "0.5")


def test_secret_in_a_location_of_the_appliance_is_masked_in_every_list(clock: FakeClock) -> None:
    found = {A: details(location="ftp://u:hunter2@h/d"), B: details(location="ftp://u:hunter2%40@h")}
    bench, _ = scripted(clock, job_details=found)
    assert "hunter2" not in repr(bench.run(jobs.read_all(bench.appliance)))


def test_job_of_a_request_knows_what_was_asked_for() -> None:
    request = BackupRequest(
        parts=("seat",),
        location_type="FTP",
        location=Location.parse("ftp://h/d"),
        comment="c",
        backup_password=Secret("x"),
    )
    job = job_conversion.from_request(request)
    assert (job.parts, job.location, job.comment, job.encrypted) == (("seat",), "ftp://h/d", "c", True)


# Several jobs


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        ([], None),
        ([A], A),
        ([C, B, A], C),
        ([A, B, C], C),
        ([B, C, A], C),
        (["job-1", C], "job-1"),
        (["b", "a"], "b"),
        (["20260101-020000-1x", C], "20260101-020000-1x"),
    ],
)
def test_newest_id_is_the_latest_time_or_where_there_is_none_the_first(ids: list[str], expected: str | None) -> None:
    assert job_selection.newest(ids) == expected


def test_newest_first_sorts_by_start_time_then_id_whatever_the_order() -> None:
    at = [
        Job(id=C, state="NONE"),
        Job(id="x2", state="", start_time=datetime(2026, 1, 2, 12, tzinfo=UTC)),
        Job(id="x1", state="", start_time=datetime(2026, 1, 2, 12, tzinfo=UTC)),
        Job(id=B, state="", start_time=datetime(2026, 1, 2, 2, 0, 0, 500, tzinfo=UTC)),
        Job(id=A, state="", start_time=datetime(2026, 1, 2, 2, tzinfo=UTC)),
        Job(id="odd", state=""),
    ]
    for order in (at, at[::-1], at[3:] + at[:3]):
        assert [job.id for job in job_selection.newest_first(order)] == [C, "x2", "x1", B, A, "odd"]


def test_all_jobs_are_read_in_one_request_where_there_are_details(clock: FakeClock) -> None:
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


def test_latest_is_resolved_only_where_it_is_asked_for(clock: FakeClock) -> None:
    bench, api = scripted(clock, jobs=[[A, C, B]])
    assert bench.run(jobs.resolve(bench.appliance, "latest")) == C
    assert bench.run(jobs.resolve(bench.appliance, B)) == B
    assert api.names() == ["jobs"]


def test_latest_of_none_is_not_found(clock: FakeClock) -> None:
    bench, _ = scripted(clock, jobs=[[]])
    with pytest.raises(NotFoundError, match="has no backup job yet"):
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


def test_running_job_that_cannot_be_asked_for_is_an_error_and_not_none(clock: FakeClock) -> None:
    bench, _ = scripted(clock, jobs=ServerFaultError("500"))
    with pytest.raises(ServerFaultError):
        bench.run(jobs.find_running(bench.appliance))


@pytest.mark.parametrize("answer", [NotSupportedError("6.5"), LOST, {}, {B: details()}])
def test_job_without_details_stays_as_it_is(answer: Any, clock: FakeClock) -> None:
    bench, api = scripted(clock, job_details=answer)
    assert bench.run(jobs.with_details(bench.appliance, KNOWN)) == KNOWN
    assert api.calls == [("job_details", [A])]


# Looking and watching


@pytest.mark.parametrize(
    ("state", "code"), [("SUCCEEDED", 0), ("FAILED", 7), ("INPROGRESS", 8), ("NONE", 8), ("PAUSED", 8)]
)
def test_status_of_a_job_has_the_code_of_its_state(state: str, code: int, clock: FakeClock) -> None:
    bench, api = scripted(clock, job=status(state=state), job_details={})
    for task in (look(bench.appliance, A), watch(bench.appliance, A, Timeouts(timeout=0))):
        ended = bench.run(task)
        assert (ended.error.exit_code if ended.error else 0) == code
    assert (clock.elapsed, bench.events) == (0, [])
    assert api.names() == ["job", "job_details"] * 2


def test_watch_follows_a_running_job_to_its_end(clock: FakeClock) -> None:
    bench, _ = simulated(clock, job_duration=120)
    bench.appliance.api.create_job(
        BackupRequest(
            parts=("common",), location_type="FTP", location=Location.parse("ftp://backup.example.com/vcenter")
        )
    )
    clock.sleep(60)
    ended = bench.run(watch(bench.appliance, "latest", Timeouts()))
    assert (ended.error, ended.value.state, bench.kinds[0]) == (None, "SUCCEEDED", "Attached")


def test_watch_of_a_job_that_has_ended_does_not_attach(clock: FakeClock) -> None:
    bench, _ = simulated(clock, history=True)
    assert bench.run(watch(bench.appliance, "latest", Timeouts())).value.ended
    assert (bench.kinds, clock.elapsed) == ([], 0)


def test_list_of_which_nothing_can_be_read_is_an_error_and_not_an_empty_one(clock: FakeClock) -> None:
    page = ApplianceAnswerError("a page", certain=False)
    bench, _ = scripted(clock, job_details=page, jobs=["20260301-020000-1"], job=page)
    with pytest.raises(ApplianceAnswerError, match="a page"):
        bench.run(jobs.read_all(bench.appliance))

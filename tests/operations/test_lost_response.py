"""The search for a job after a lost response: its duration, interruptions, and the errors that it raises."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from msgspec import structs

from backupctl.error_facts import ErrorFacts, render_message
from backupctl.errors import (
    ApplianceAnswerError,
    ApplianceUnreachableError,
    AuthenticationError,
    BackupctlError,
    BusyError,
    InterruptedRunError,
    NotStartedNoAnswerError,
    NotSupportedError,
    OperationFailedError,
    OutcomeUnknownError,
    ServerFaultError,
    SessionExpiredError,
)
from backupctl.location import Location
from backupctl.models import BackupJobStatus, BackupRequest, JobDetails, ReturnResult
from backupctl.operations.create import BackupPlan, create
from backupctl.operations.follow import Timeouts
from backupctl.operations.outcome import Outcome
from backupctl.results.events import Adopted, Warned
from backupctl.results.job import Job
from tests import wording
from tests.support.clock import START, FakeClock
from tests.support.operation_bench import NAME, Bench, scripted

OLD, NEW, NEWER = "20260228-020000-1", "20260301-020000-1", "20260301-020001-1"
OURS = "sftp://backup.example.com/vcenter"
FOLDER = f"{OURS}/vCenter/sn_vc01.example.com/M_8.0.2.00100_20260301-020000_"
LOST = ApplianceUnreachableError("dropped", certain=False, retryable=True, details=("evidence",))
UNREADABLE = ApplianceAnswerError("odd JSON", certain=False, retryable=True)
BROKEN = ServerFaultError("broken", retryable=False)
EXPIRED = SessionExpiredError("401")
FREE = ReturnResult(status="OK")
STATUS = BackupJobStatus(id=NEW, state="INPROGRESS", progress=0)
DETAILS = JobDetails(status="RUNNING", type="MANUAL", location=OURS, user="VSPHERE.LOCAL\\ADMINISTRATOR")


def start(bench: Bench, *interrupt_at: float, timeout: float = 3600) -> Outcome[Job]:
    request = BackupRequest(parts=("common",), location_type="SFTP", location=Location.parse(OURS))
    plan = BackupPlan(request, Timeouts(timeout=timeout), wait=False)
    return bench.run(create(bench.appliance, plan), interrupt_at=interrupt_at)


def error_of(bench: Bench, *interrupt_at: float, timeout: float = 3600) -> BackupctlError:
    with pytest.raises(BackupctlError) as caught:
        start(bench, *interrupt_at, timeout=timeout)
    return caught.value


def after(clock: FakeClock, seconds: float, answer: Any) -> Callable[..., Any]:
    """Return a response that takes so many seconds; an error is raised."""

    def respond(*_: object) -> Any:
        clock.sleep(seconds)
        return answer

    return respond


def hanging(clock: FakeClock) -> Callable[..., Any]:
    return after(clock, 305, LOST)


def moments_of(api: Any, name: str) -> list[float]:
    return [moment for called, moment in zip(api.names(), api.moments, strict=True) if called == name]


# Duration


@pytest.mark.parametrize(
    ("answers", "timeout", "sent_at", "error"),
    [
        pytest.param([UNREADABLE], 3600, [60, 61, 63, 67, 75, 90], OutcomeUnknownError, id="unreadable"),
        pytest.param([UNREADABLE], 65, [60, 61, 63, 67, 70], OutcomeUnknownError, id="near the deadline"),
        pytest.param([UNREADABLE, FREE], 3600, [60, 61], NotStartedNoAnswerError, id="free at last"),
        pytest.param([AuthenticationError("401")], 3600, [60], OutcomeUnknownError, id="refused"),
    ],
)
def test_validation_is_retried_until_its_result_can_be_read(
    answers: list[Any], timeout: float, sent_at: list[float], error: type[BackupctlError], clock: FakeClock
) -> None:
    bench, api = scripted(clock, jobs=[[OLD]], create_job=LOST, validate=answers)
    assert type(error_of(bench, timeout=timeout)) is error
    assert moments_of(api, "validate") == sent_at


@pytest.mark.parametrize(("unreadable", "seconds"), [(0, 90), (5, 100)])
def test_validation_that_hangs_is_abandoned(unreadable: int, seconds: float, clock: FakeClock) -> None:
    answers = [UNREADABLE] * unreadable
    bench, _ = scripted(clock, jobs=[[OLD]], create_job=LOST, validate=[*answers, hanging(clock)])
    assert type(error_of(bench)) is OutcomeUnknownError
    assert clock.elapsed == seconds


@pytest.mark.parametrize("hangs", ["job_details", "job"])
def test_reading_a_new_job_that_hangs_is_abandoned_at_the_end_of_the_search(hangs: str, clock: FakeClock) -> None:
    answers: dict[str, Any] = {"job_details": {NEW: DETAILS}, "job": STATUS, hangs: hanging(clock)}
    bench, _ = scripted(clock, jobs=[[OLD], [NEW, OLD]], create_job=LOST, **answers)
    assert type(error_of(bench)) is OutcomeUnknownError
    assert clock.elapsed == 60


def test_new_job_is_adopted_once_the_other_new_job_is_known_to_be_foreign(clock: FakeClock) -> None:
    bench, _ = scripted(
        clock,
        jobs=[[OLD], [NEWER, NEW, OLD]],
        create_job=LOST,
        job_details=lambda ids: {
            NEWER: {NEWER: DETAILS},
            NEW: {NEW: structs.replace(DETAILS, type="SCHEDULED")} if clock.elapsed > 5 else {},
        }[ids[0]],
        job=BackupJobStatus(id=NEWER, state="INPROGRESS"),
    )
    assert start(bench).value.id == NEWER
    assert clock.elapsed == 7


def test_new_job_is_not_adopted_while_another_new_job_may_be_ours(clock: FakeClock) -> None:
    bench, _ = scripted(
        clock,
        jobs=[[OLD], [NEWER, NEW, OLD]],
        create_job=LOST,
        job_details={NEWER: DETAILS},
        job=BackupJobStatus(id=NEWER, state="INPROGRESS"),
    )
    error = error_of(bench)
    assert (type(error), error.attach, clock.elapsed) == (OutcomeUnknownError, "watch latest", 60)


@pytest.mark.parametrize(("hours", "adopted"), [(14, True), (16, False)])
def test_old_job_is_not_adopted_even_without_a_server_time(hours: int, adopted: bool, clock: FakeClock) -> None:
    status = BackupJobStatus(id=NEW, state="SUCCEEDED", start_time=START - timedelta(hours=hours))
    bench, _ = scripted(clock, jobs=[[OLD], [NEW, OLD]], create_job=LOST, job_details={NEW: DETAILS}, job=status)
    if adopted:
        assert start(bench).value.id == NEW
    else:
        assert wording.STARTED_BEFORE_THE_REQUEST in error_of(bench).message


def test_search_among_countless_new_jobs_sends_no_request_after_its_end(clock: FakeClock) -> None:
    scheduled = JobDetails(status="RUNNING", type="SCHEDULED", location=OURS)
    countless = [f"{number:03}" for number in range(200)]
    bench, api = scripted(
        clock,
        jobs=[[OLD], [*countless, OLD]],
        create_job=LOST,
        job_details=lambda ids: after(clock, 7, {ids[0]: scheduled})(),
    )
    error = error_of(bench)
    assert (type(error), error.facts.server, error.facts.cause) == (OutcomeUnknownError, NAME, LOST.facts)
    assert (moments_of(api, "job_details"), clock.elapsed) == ([0, 7, 14, 21, 28, 35, 42, 49, 56], 60)


@pytest.mark.parametrize("refusal", [EXPIRED, OperationFailedError("error")])
@pytest.mark.parametrize(
    ("timeout", "listed", "sent_at"),
    [
        pytest.param(3600, [UNREADABLE], [0, 0, 1, 3, 7, 15, 15, 16, 18, 22, 30, 40, 50, 60, 70, 75], id="unreadable"),
        pytest.param(15, [UNREADABLE], [0, 0, 1, 3, 7, 15, 15], id="unreadable until the deadline"),
        pytest.param(3600, [BROKEN], [0, 0, 0, 1, 3, 7, 15, 25, 35, 45, 55, 60], id="broken"),
    ],
)
def test_list_after_a_weak_refusal_is_retried_for_half_a_minute_before_the_search(
    refusal: BackupctlError, timeout: float, listed: list[Any], sent_at: list[float], clock: FakeClock
) -> None:
    bench, api = scripted(clock, jobs=[[OLD], *listed], create_job=refusal)
    assert type(error_of(bench, timeout=timeout)) is OutcomeUnknownError
    assert moments_of(api, "jobs") == sent_at
    assert api.names().count("create_job") == 1


def test_list_after_a_refusal_is_abandoned_if_it_hangs(clock: FakeClock) -> None:
    bench, _ = scripted(clock, jobs=[[OLD], UNREADABLE, hanging(clock), []], create_job=EXPIRED, validate=FREE)
    error_of(bench, timeout=2)
    assert clock.elapsed == 11


def test_list_after_a_certain_refusal_is_read_once(clock: FakeClock) -> None:
    refusal = ApplianceAnswerError("400")
    bench, api = scripted(clock, jobs=[[OLD], UNREADABLE], create_job=refusal)
    assert error_of(bench) is refusal
    assert moments_of(api, "jobs") == [0, 0]


def test_new_job_after_a_refusal_is_read_at_once(clock: FakeClock) -> None:
    bench, _ = scripted(
        clock, jobs=[[OLD], [NEW, OLD]], create_job=EXPIRED, job_details=[UNREADABLE, {NEW: DETAILS}], job=STATUS
    )
    assert start(bench).value.id == NEW
    assert clock.elapsed == 0


# Interruptions


@pytest.mark.parametrize(("busy", "moment"), [([UNREADABLE, FREE], 60.5), ("slow", 61)])
def test_interruption_waits_for_the_result_of_the_validation(busy: Any, moment: float, clock: FakeClock) -> None:
    answers = after(clock, 3, FREE) if busy == "slow" else busy
    bench, _ = scripted(clock, jobs=[[OLD]], create_job=LOST, validate=answers)
    assert type(error_of(bench, moment)) is NotStartedNoAnswerError


def test_interruption_waits_for_a_readable_list(clock: FakeClock) -> None:
    refusal = OperationFailedError("error")
    bench, api = scripted(clock, jobs=[[OLD], UNREADABLE, [OLD]], create_job=refusal)
    assert error_of(bench, 0.5) is refusal
    assert moments_of(api, "jobs") == [0, 0, 1]


# Errors and events


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        ({"validate": BusyError("x")}, "no new job is listed, but a backup or restore is running"),
        ({"validate": UNREADABLE}, "odd JSON"),
        (
            {"job_details": NotSupportedError("x")},
            f"backup job {NEW} is new, but this release does not report the owner of a job",
        ),
        ({"job_details": {}}, wording.NEW_WITHOUT_DETAILS(NEW)),
        (
            {"job_details": {NEW: JobDetails(status="RUNNING", type="MANUAL", location="ftp://elsewhere/x")}},
            f"backup job {NEW} is new, but goes to ftp://elsewhere/x",
        ),
        (
            {"job_details": {NEW: JobDetails(status="RUNNING", type="MANUAL")}},
            f"backup job {NEW} is new, but goes to an unknown location",
        ),
        (
            {"job": BackupJobStatus(id=NEW, state="INPROGRESS", start_time=START - timedelta(hours=1))},
            f"backup job {NEW} is new, but {wording.STARTED_BEFORE_THE_REQUEST}",
        ),
    ],
    ids=str,
)
def test_unknown_outcome_has_a_reason(answers: dict[str, Any], why: str, clock: FakeClock) -> None:
    defaults: dict[str, Any] = {"job_details": {NEW: DETAILS}, "job": STATUS}
    later = [OLD] if "validate" in answers else [NEW, OLD]
    bench, api = scripted(clock, jobs=[[OLD], later], create_job=LOST, **defaults | answers)
    api.server_time = START
    error = error_of(bench)
    assert isinstance(error.facts.then, ErrorFacts)
    assert (error.facts.server, error.facts.cause, render_message(error.facts.then)) == (NAME, LOST.facts, why)
    assert error.details == ("evidence",)


def test_new_job_with_an_older_id_names_the_newest_known_job(clock: FakeClock) -> None:
    known = ["20260302-020000-1", "20260303-020000-1"]
    bench, _ = scripted(clock, jobs=[known, [NEW, *known]], create_job=LOST, job_details={NEW: DETAILS}, job=STATUS)
    assert error_of(bench).message.endswith("is not newer than 20260303-020000-1 by its id")


def test_two_matching_jobs_are_reported_as_such(clock: FakeClock) -> None:
    bench, _ = scripted(
        clock,
        jobs=[[OLD], [NEWER, NEW, OLD]],
        create_job=LOST,
        job_details=lambda ids: dict.fromkeys(ids, DETAILS),
        job=lambda job_id: BackupJobStatus(id=job_id, state="INPROGRESS"),
    )
    assert error_of(bench).facts.then == ErrorFacts("2 new backup jobs match")


def test_new_job_of_unknown_age_is_reported_as_such(clock: FakeClock) -> None:
    bench, _ = scripted(clock, jobs=[[], [NEW]], create_job=LOST, job_details={NEW: DETAILS}, job=STATUS)
    assert error_of(bench).message.endswith(
        "may be an older job: the job list was empty, and its start time is unknown"
    )


def test_new_job_that_disappears_leaves_the_outcome_unknown(clock: FakeClock) -> None:
    bench, _ = scripted(clock, jobs=[[OLD], [NEW, OLD], [OLD]], create_job=LOST, job_details=UNREADABLE, validate=FREE)
    error = error_of(bench)
    assert (type(error), error.attach) == (OutcomeUnknownError, f"watch {NEW}")
    assert error.facts.then == ErrorFacts("a new backup job appeared and disappeared")


def test_not_started_hints_that_a_retry_is_safe(clock: FakeClock) -> None:
    bench, api = scripted(clock, jobs=[[OLD]], create_job=LOST, validate=FREE)
    error = error_of(bench)
    assert (error.slug, error.facts.server, error.facts.cause) == ("not-started", NAME, LOST.facts)
    assert error.hint == f"it is {wording.SAFE_TO_TRY_AGAIN}: no new job appeared, and nothing is running"
    (_, request) = api.calls[-1]
    assert request.location.text == OURS
    assert error.details == ("evidence",)


def test_timeout_during_the_search_is_the_reason_of_the_unknown_outcome(clock: FakeClock) -> None:
    bench, _ = scripted(clock, jobs=[[OLD]], create_job=LOST)
    assert error_of(bench, timeout=20).facts.then == ErrorFacts("the search for the job timed out (--timeout)")


def test_timeout_during_the_request_leaves_the_outcome_unknown_without_a_search(clock: FakeClock) -> None:
    bench, _ = scripted(clock, jobs=[[OLD]], create_job=hanging(clock))
    error = error_of(bench, timeout=5)
    assert (type(error), error.facts.server, error.facts.then) == (OutcomeUnknownError, NAME, None)


def test_interruption_during_the_search_leaves_the_outcome_unknown(clock: FakeClock) -> None:
    bench, _ = scripted(clock, jobs=[[OLD]], create_job=LOST)
    error = error_of(bench, 3)
    assert (type(error), error.certain, error.attach) == (InterruptedRunError, False, "watch latest")


@pytest.mark.parametrize("job_id", [NEW, ""])
def test_adopted_job_is_shown_with_the_reason(job_id: str, clock: FakeClock) -> None:
    status = BackupJobStatus(id=job_id, state="INPROGRESS", progress=0)
    bench, _ = scripted(clock, jobs=[[OLD], [NEW, OLD]], create_job=LOST, job_details={NEW: DETAILS}, job=status)
    assert start(bench).value.id == NEW
    (checking,) = bench.events_of(Warned)
    assert checking.message == ("no valid response to the start request (dropped); checking whether the backup started")
    (adopted,) = bench.events_of(Adopted)
    assert adopted.reason == f"it is new and {wording.OTHER_LOCATION} (encryption unknown)"

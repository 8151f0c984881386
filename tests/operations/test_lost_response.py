"""The search for a job whose answer was lost: how long it takes, what a signal does to it, and what is said then."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from msgspec import structs

from backupctl.error_facts import ErrorFacts
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


def started(bench: Bench, *interrupt_at: float, timeout: float = 3600) -> Outcome[Job]:
    request = BackupRequest(parts=("common",), location_type="SFTP", location=Location.parse(OURS))
    plan = BackupPlan(request, Timeouts(timeout=timeout), wait=False)
    return bench.run(create(bench.appliance, plan), interrupt_at=interrupt_at)


def refused(bench: Bench, *interrupt_at: float, timeout: float = 3600) -> BackupctlError:
    with pytest.raises(BackupctlError) as caught:
        started(bench, *interrupt_at, timeout=timeout)
    return caught.value


def after(clock: FakeClock, seconds: float, answer: Any) -> Callable[..., Any]:
    """Return an answer that comes when so much time has passed; an error is raised."""

    def tell(*_: object) -> Any:
        clock.sleep(seconds)
        return answer

    return tell


def hanging(clock: FakeClock) -> Callable[..., Any]:
    return after(clock, 305, LOST)


def moments_of(api: Any, name: str) -> list[float]:
    return [moment for called, moment in zip(api.names(), api.moments, strict=True) if called == name]


# How long it takes


@pytest.mark.parametrize(
    ("answers", "timeout", "asked_at", "error"),
    [
        pytest.param([UNREADABLE], 3600, [60, 61, 63, 67, 75, 90], OutcomeUnknownError, id="unreadable"),
        pytest.param([UNREADABLE], 65, [60, 61, 63, 67, 70], OutcomeUnknownError, id="near the deadline"),
        pytest.param([UNREADABLE, FREE], 3600, [60, 61], NotStartedNoAnswerError, id="free at last"),
        pytest.param([AuthenticationError("401")], 3600, [60], OutcomeUnknownError, id="refused"),
    ],
)
def test_appliance_is_asked_whether_it_is_busy_until_it_says_so(
    answers: list[Any], timeout: float, asked_at: list[float], error: type[BackupctlError], clock: FakeClock
) -> None:
    bench, api = scripted(clock, jobs=[[OLD]], create_job=LOST, validate=answers)
    assert type(refused(bench, timeout=timeout)) is error
    assert moments_of(api, "validate") == asked_at


@pytest.mark.parametrize(("unreadable", "seconds"), [(0, 90), (5, 100)])
def test_validation_that_hangs_is_given_up(unreadable: int, seconds: float, clock: FakeClock) -> None:
    answers = [UNREADABLE] * unreadable
    bench, _ = scripted(clock, jobs=[[OLD]], create_job=LOST, validate=[*answers, hanging(clock)])
    assert type(refused(bench)) is OutcomeUnknownError
    assert clock.elapsed == seconds


@pytest.mark.parametrize("hangs", ["job_details", "job"])
def test_look_at_a_new_job_that_hangs_is_given_up_with_the_search(hangs: str, clock: FakeClock) -> None:
    answers: dict[str, Any] = {"job_details": {NEW: DETAILS}, "job": STATUS, hangs: hanging(clock)}
    bench, _ = scripted(clock, jobs=[[OLD], [NEW, OLD]], create_job=LOST, **answers)
    assert type(refused(bench)) is OutcomeUnknownError
    assert clock.elapsed == 60


def test_new_job_beside_one_that_cannot_be_judged_is_ours_once_that_is_known_not_to_be(clock: FakeClock) -> None:
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
    assert started(bench).value.id == NEWER
    assert clock.elapsed == 7


def test_new_job_beside_one_that_cannot_be_judged_stays_unknown(clock: FakeClock) -> None:
    bench, _ = scripted(
        clock,
        jobs=[[OLD], [NEWER, NEW, OLD]],
        create_job=LOST,
        job_details={NEWER: DETAILS},
        job=BackupJobStatus(id=NEWER, state="INPROGRESS"),
    )
    error = refused(bench)
    assert (type(error), error.attach, clock.elapsed) == (OutcomeUnknownError, "watch latest", 60)


@pytest.mark.parametrize(("hours", "adopted"), [(14, True), (16, False)])
def test_job_of_long_ago_is_not_ours_even_without_a_time_of_the_appliance(
    hours: int, adopted: bool, clock: FakeClock
) -> None:
    status = BackupJobStatus(id=NEW, state="SUCCEEDED", start_time=START - timedelta(hours=hours))
    bench, _ = scripted(clock, jobs=[[OLD], [NEW, OLD]], create_job=LOST, job_details={NEW: DETAILS}, job=status)
    if adopted:
        assert started(bench).value.id == NEW
    else:
        assert "was started before the request" in refused(bench).message


def test_search_among_countless_new_jobs_asks_nothing_more_once_its_time_is_over(clock: FakeClock) -> None:
    scheduled = JobDetails(status="RUNNING", type="SCHEDULED", location=OURS)
    countless = [f"{number:03}" for number in range(200)]
    bench, api = scripted(
        clock,
        jobs=[[OLD], [*countless, OLD]],
        create_job=LOST,
        job_details=lambda ids: after(clock, 7, {ids[0]: scheduled})(),
    )
    error = refused(bench)
    assert (type(error), error.facts.server, error.facts.cause) == (OutcomeUnknownError, NAME, LOST.facts)
    assert (moments_of(api, "job_details"), clock.elapsed) == ([0, 7, 14, 21, 28, 35, 42, 49, 56], 60)


@pytest.mark.parametrize("refusal", [EXPIRED, OperationFailedError("error")])
@pytest.mark.parametrize(
    ("timeout", "listed", "asked_at"),
    [
        pytest.param(3600, [UNREADABLE], [0, 0, 1, 3, 7, 15, 15, 16, 18, 22, 30, 40, 50, 60, 70, 75], id="unreadable"),
        pytest.param(15, [UNREADABLE], [0, 0, 1, 3, 7, 15, 15], id="unreadable until the deadline"),
        pytest.param(3600, [BROKEN], [0, 0, 0, 1, 3, 7, 15, 25, 35, 45, 55, 60], id="broken"),
    ],
)
def test_list_behind_a_refusal_that_may_be_none_is_read_for_half_a_minute_before_the_search(
    refusal: BackupctlError, timeout: float, listed: list[Any], asked_at: list[float], clock: FakeClock
) -> None:
    bench, api = scripted(clock, jobs=[[OLD], *listed], create_job=refusal)
    assert type(refused(bench, timeout=timeout)) is OutcomeUnknownError
    assert moments_of(api, "jobs") == asked_at
    assert api.names().count("create_job") == 1


def test_list_behind_a_refusal_that_hangs_is_given_up(clock: FakeClock) -> None:
    bench, _ = scripted(clock, jobs=[[OLD], UNREADABLE, hanging(clock), []], create_job=EXPIRED, validate=FREE)
    refused(bench, timeout=2)
    assert clock.elapsed == 11


def test_list_behind_a_refusal_that_is_certain_is_read_once(clock: FakeClock) -> None:
    refusal = ApplianceAnswerError("400")
    bench, api = scripted(clock, jobs=[[OLD], UNREADABLE], create_job=refusal)
    assert refused(bench) is refusal
    assert moments_of(api, "jobs") == [0, 0]


def test_new_job_behind_a_refusal_is_looked_at_at_once(clock: FakeClock) -> None:
    bench, _ = scripted(
        clock, jobs=[[OLD], [NEW, OLD]], create_job=EXPIRED, job_details=[UNREADABLE, {NEW: DETAILS}], job=STATUS
    )
    assert started(bench).value.id == NEW
    assert clock.elapsed == 0


# What a signal does to it


@pytest.mark.parametrize(("busy", "moment"), [([UNREADABLE, FREE], 60.5), ("slow", 61)])
def test_signal_waits_for_the_answer_whether_the_appliance_is_busy(busy: Any, moment: float, clock: FakeClock) -> None:
    answers = after(clock, 3, FREE) if busy == "slow" else busy
    bench, _ = scripted(clock, jobs=[[OLD]], create_job=LOST, validate=answers)
    assert type(refused(bench, moment)) is NotStartedNoAnswerError


def test_signal_waits_for_a_list_that_can_be_read(clock: FakeClock) -> None:
    refusal = OperationFailedError("error")
    bench, api = scripted(clock, jobs=[[OLD], UNREADABLE, [OLD]], create_job=refusal)
    assert refused(bench, 0.5) is refusal
    assert moments_of(api, "jobs") == [0, 0, 1]


# What is said then


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        ({"validate": BusyError("x")}, "no new job is listed, but a backup or restore is running"),
        ({"validate": UNREADABLE}, "odd JSON"),
        (
            {"job_details": NotSupportedError("x")},
            f"backup job {NEW} is new, and this release does not report the owner of a job",
        ),
        ({"job_details": {}}, f"backup job {NEW} is new, and has no details yet"),
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
            f"backup job {NEW} is new, but was started before the request",
        ),
    ],
    ids=str,
)
def test_outcome_that_is_unknown_says_why(answers: dict[str, Any], why: str, clock: FakeClock) -> None:
    told: dict[str, Any] = {"job_details": {NEW: DETAILS}, "job": STATUS}
    later = [OLD] if "validate" in answers else [NEW, OLD]
    bench, api = scripted(clock, jobs=[[OLD], later], create_job=LOST, **told | answers)
    api.server_time = START
    error = refused(bench)
    assert isinstance(error.facts.then, ErrorFacts)
    assert (error.facts.server, error.facts.cause, error.facts.then.message) == (NAME, LOST.facts, why)
    assert error.details == ("evidence",)


def test_new_job_with_an_older_id_names_the_newest_that_was_known(clock: FakeClock) -> None:
    known = ["20260302-020000-1", "20260303-020000-1"]
    bench, _ = scripted(clock, jobs=[known, [NEW, *known]], create_job=LOST, job_details={NEW: DETAILS}, job=STATUS)
    assert refused(bench).message.endswith("is not newer than 20260303-020000-1 by its id")


def test_two_new_jobs_that_look_alike_are_said_to_be_that(clock: FakeClock) -> None:
    bench, _ = scripted(
        clock,
        jobs=[[OLD], [NEWER, NEW, OLD]],
        create_job=LOST,
        job_details=lambda ids: dict.fromkeys(ids, DETAILS),
        job=lambda job_id: BackupJobStatus(id=job_id, state="INPROGRESS"),
    )
    assert refused(bench).facts.then == ErrorFacts("2 new backup jobs look alike")


def test_new_job_without_anything_to_tell_its_age_is_said_to_be_that(clock: FakeClock) -> None:
    bench, _ = scripted(clock, jobs=[[], [NEW]], create_job=LOST, job_details={NEW: DETAILS}, job=STATUS)
    assert refused(bench).message.endswith("may be an older job: the job list was empty, and its start time is unknown")


def test_new_job_that_is_gone_before_it_could_be_judged_leaves_the_outcome_unknown(clock: FakeClock) -> None:
    bench, _ = scripted(clock, jobs=[[OLD], [NEW, OLD], [OLD]], create_job=LOST, job_details=UNREADABLE, validate=FREE)
    error = refused(bench)
    assert (type(error), error.attach) == (OutcomeUnknownError, f"watch {NEW}")
    assert error.facts.then == ErrorFacts("a new backup job appeared and disappeared")


def test_backup_that_was_not_started_says_that_it_is_safe_to_try_again(clock: FakeClock) -> None:
    bench, api = scripted(clock, jobs=[[OLD]], create_job=LOST, validate=FREE)
    error = refused(bench)
    assert (error.slug, error.facts.server, error.facts.cause) == ("not-started", NAME, LOST.facts)
    assert error.hint == "no new job appeared and nothing is running: it is safe to try again"
    (_, request) = api.calls[-1]
    assert request.location.text == OURS
    assert error.details == ("evidence",)


def test_timeout_during_the_search_says_that_there_was_no_time_to_look(clock: FakeClock) -> None:
    bench, _ = scripted(clock, jobs=[[OLD]], create_job=LOST)
    assert refused(bench, timeout=20).facts.then == ErrorFacts("--timeout ended the search for the job")


def test_timeout_during_the_request_says_no_more_than_that_the_outcome_is_unknown(clock: FakeClock) -> None:
    bench, _ = scripted(clock, jobs=[[OLD]], create_job=hanging(clock))
    error = refused(bench, timeout=5)
    assert (type(error), error.facts.server, error.facts.then) == (OutcomeUnknownError, NAME, None)


def test_signal_during_the_search_says_that_the_outcome_is_unknown(clock: FakeClock) -> None:
    bench, _ = scripted(clock, jobs=[[OLD]], create_job=LOST)
    error = refused(bench, 3)
    assert (type(error), error.certain, error.attach) == (InterruptedRunError, False, "watch latest")


@pytest.mark.parametrize("job_id", [NEW, ""])
def test_job_that_is_adopted_is_told_with_the_reason(job_id: str, clock: FakeClock) -> None:
    status = BackupJobStatus(id=job_id, state="INPROGRESS", progress=0)
    bench, _ = scripted(clock, jobs=[[OLD], [NEW, OLD]], create_job=LOST, job_details={NEW: DETAILS}, job=status)
    assert started(bench).value.id == NEW
    (checking,) = bench.events_of(Warned)
    assert checking.message == (
        "no usable answer to the request to start the backup (dropped); checking whether it started"
    )
    (adopted,) = bench.events_of(Adopted)
    assert adopted.reason == "it is new and goes to the requested location; whether it is encrypted is not known"

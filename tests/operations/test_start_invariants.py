"""The four invariants of starting a job, with scripted responses.

A job is reported as ours only if it is; NotStartedError is raised only if nothing runs; a request is processed at most
once; and all else is unknown.
"""

from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec import structs

from backupctl.error_facts import ErrorFacts
from backupctl.errors import (
    ApplianceAnswerError,
    ApplianceUnreachableError,
    AuthenticationError,
    AuthorizationError,
    BackupctlError,
    BugError,
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
from backupctl.models import (
    BackupJobStatus,
    BackupRequest,
    JobDetails,
    Part,
    ReconciliationSpec,
    ReconciliationStatus,
    RestoreJobStatus,
    RestoreRequest,
    ReturnResult,
    UnreadableEntry,
)
from backupctl.operations.cancel import cancel
from backupctl.operations.create import BackupPlan, create
from backupctl.operations.follow import Timeouts
from backupctl.operations.outcome import Outcome
from backupctl.operations.restore import create_restore, reconcile
from backupctl.operations.watch import status as read_once
from backupctl.results.events import Adopted
from backupctl.results.job import Job
from backupctl.secrets.secret import Secret
from tests import wording
from tests.support.clock import START, FakeClock
from tests.support.operation_bench import Bench, scripted

OLD, NEW, NEWER = "20260228-020000-1", "20260301-020000-1", "20260301-020001-1"
OURS = "sftp://backup.example.com/vcenter"
FOLDER = f"{OURS}/vCenter/sn_vc01.example.com/M_8.0.2.00100_20260301-020000_"
REQUEST = BackupRequest(
    parts=("common",),
    location_type="SFTP",
    location=Location.parse(OURS),
    location_user="backup",
    location_password=Secret("x"),
)
LOST = ApplianceUnreachableError("dropped", certain=False, retryable=True)
UNREADABLE = ApplianceAnswerError("odd JSON", certain=False, retryable=True)
BUSY = BusyError("another one runs")
FREE = ReturnResult(status="OK")


def status(job_id: str = NEW, state: str = "INPROGRESS", start_time: datetime | None = None) -> BackupJobStatus:
    return BackupJobStatus(id=job_id, state=state, progress=0, start_time=start_time)


def details(**fields: Any) -> JobDetails:
    ours: dict[str, Any] = {
        "status": "RUNNING",
        "type": "MANUAL",
        "location": OURS,
        "location_user": "backup",
        "user": "VSPHERE.LOCAL\\Administrator",
    }
    return JobDetails(**ours | fields)


def plan(**options: Any) -> BackupPlan:
    timeout = options.pop("timeout", 3600)
    return BackupPlan(REQUEST, Timeouts(timeout=timeout, interval=10), **{"wait": False, **options})


def run(bench: Bench, backup: BackupPlan, *interrupt_at: float) -> Outcome[Job]:
    task = create(bench.appliance, backup)
    return bench.run(task, interrupt_at=interrupt_at)


def error_of(bench: Bench, backup: BackupPlan | None = None, *interrupt_at: float) -> BackupctlError:
    with pytest.raises(BackupctlError) as caught:
        run(bench, backup or plan(), *interrupt_at)
    return caught.value


# 1. Exit code 0 only for our own job


@pytest.mark.parametrize(
    ("first", "later", "found"),
    [
        pytest.param([], [OLD], status(OLD, "SUCCEEDED", START - timedelta(days=700)), id="empty at first"),
        pytest.param([NEW], [NEW, OLD], status(OLD, "SUCCEEDED", START), id="one was missing"),
        pytest.param([OLD], [NEW, OLD], status(NEW, "SUCCEEDED", START - timedelta(seconds=1)), id="began before"),
    ],
)
def test_old_job_that_is_listed_again_is_not_adopted(
    first: list[str], later: list[str], found: BackupJobStatus, clock: FakeClock
) -> None:
    bench, api = scripted(
        clock,
        jobs=[first, later],
        create_job=LOST,
        job_details=lambda ids: {each: details(status="SUCCEEDED") for each in ids},
        job=found,
        validate=FREE,
    )
    api.server_time = START
    assert type(error_of(bench)) is OutcomeUnknownError
    assert bench.events_of(Adopted) == []


@pytest.mark.parametrize(
    ("first", "server_time", "start_time", "adopted"),
    [
        ([OLD], START, START, True),
        ([OLD], None, START, True),
        ([OLD], START, None, True),
        ([], START, START, True),
        ([], None, START, False),
        ([], START, None, False),
        (["not-a-time"], START, START, False),
    ],
)
def test_new_job_is_adopted_only_if_its_age_is_known(
    first: list[str], server_time: datetime | None, start_time: datetime | None, adopted: bool, clock: FakeClock
) -> None:
    found = status(start_time=start_time)
    bench, api = scripted(
        clock, jobs=[first, [NEW, *first]], create_job=LOST, job_details={NEW: details()}, job=found, validate=FREE
    )
    api.server_time = server_time
    if adopted:
        assert run(bench, plan()).value.id == NEW
    else:
        assert type(error_of(bench)) is OutcomeUnknownError


def test_adopted_job_contains_only_what_was_read(clock: FakeClock) -> None:
    bench, _ = scripted(clock, jobs=[[OLD], [NEW, OLD]], create_job=LOST, job_details={NEW: details()}, job=status())
    job = run(bench, plan()).value
    assert (job.location, job.location_user, job.type) == (OURS, "backup", "MANUAL")
    assert (job.encrypted, job.parts, job.comment) == (None, None, None)


def test_job_without_details_is_not_adopted(clock: FakeClock) -> None:
    bench, _ = scripted(
        clock,
        jobs=[[OLD], [NEW, OLD]],
        create_job=LOST,
        job_details=NotSupportedError("not in 6.5"),
        job=status(state="SUCCEEDED", start_time=START),
        validate=FREE,
    )
    error = error_of(bench)
    assert type(error) is OutcomeUnknownError
    assert error.attach == f"watch {NEW}"


def test_two_matching_jobs_are_not_adopted(clock: FakeClock) -> None:
    bench, _ = scripted(
        clock,
        jobs=[[OLD], [NEWER, NEW, OLD]],
        create_job=LOST,
        job_details=lambda ids: {each: details() for each in ids},
        job=lambda job_id: status(job_id),  # noqa: PLW0108 - its argument has a default
        validate=FREE,
    )
    error = error_of(bench)
    assert (type(error), error.attach) == (OutcomeUnknownError, "watch latest")


@pytest.mark.parametrize(
    ("responses", "code"),
    [
        pytest.param([details(status="FAILED")], 6, id="failed for good"),
        pytest.param([details(status="FAILED"), UNREADABLE], 6, id="failed and unreadable then"),
        pytest.param([details(status="FAILED"), None], 6, id="failed and absent then"),
        pytest.param([details(status="FAILED"), details(status="SUCCEEDED")], 0, id="failed at first"),
        pytest.param([details(status="RUNNING")], 0, id="lagging"),
        pytest.param([None], 0, id="absent"),
    ],
)
@pytest.mark.parametrize("command", ["create", "status"])
def test_success_that_the_details_contradict_is_an_error(
    responses: list[Any], code: int, command: str, clock: FakeClock
) -> None:
    answers = [{NEW: each} if isinstance(each, JobDetails) else each or {} for each in responses]
    bench, _ = scripted(clock, jobs=[[OLD]], create_job=status(), job=status(state="SUCCEEDED"), job_details=answers)
    task = (
        create(bench.appliance, plan(wait=True, timeout=10)) if command == "create" else read_once(bench.appliance, NEW)
    )
    ended = bench.run(task)
    assert (0 if ended.error is None else ended.error.exit_code) == code
    assert ended.value.state == "SUCCEEDED"
    if code:
        assert 30 <= clock.elapsed < 80


def test_interruption_does_not_turn_a_contradicted_success_into_one(clock: FakeClock) -> None:
    bench, _ = scripted(
        clock,
        jobs=[[OLD]],
        create_job=status(),
        job=status(state="SUCCEEDED"),
        job_details={NEW: details(status="FAILED")},
    )
    ended = bench.run(read_once(bench.appliance, NEW), interrupt_at=[5])
    assert (clock.elapsed, ended.error is not None and ended.error.exit_code) == (5, 6)


def test_success_whose_status_is_taken_back_is_followed(clock: FakeClock) -> None:
    bench, _ = scripted(
        clock,
        jobs=[[OLD]],
        create_job=status(),
        job=[status(state="SUCCEEDED"), status(), status(state="FAILED")],
        job_details={NEW: details(status="FAILED")},
    )
    ended = run(bench, plan(wait=True))
    assert (ended.value.state, ended.error is not None and ended.error.exit_code) == ("FAILED", 7)


# 2. NotStartedError only if nothing runs


@pytest.mark.parametrize(
    "spelling",
    [
        {"user": "root"},
        {"user": "vsphere.local/administrator"},
        {"user": "CN=Administrator,CN=Users,DC=vsphere,DC=local"},
        {"user": "S-1-5-21-3623811015-3361044348-30300820-1013"},
        {"user": ""},
        {"user": None},
        {"location_user": "somebody"},
        {"location_user": None},
        {"location": FOLDER},
        {"location": f"{OURS}/sn_vc01.example.com/S_8.0.2.00100_20260301-020000_MFRGG==="},
        {"location": FOLDER, "user": "root", "location_user": ""},
    ],
    ids=str,
)
def test_job_is_adopted_with_any_spelling_of_user_and_folder(spelling: dict[str, Any], clock: FakeClock) -> None:
    bench, _ = scripted(
        clock, jobs=[[OLD], [NEW, OLD]], create_job=LOST, job_details={NEW: details(**spelling)}, job=status()
    )
    assert run(bench, plan()).value.id == NEW


@pytest.mark.parametrize(
    "fields",
    [
        {"location": "sftp://192.0.2.9/vcenter"},
        {"location": None},
        {"location": f"{OURS}/elsewhere"},
        {"location": f"{FOLDER}/below"},
        {"location": f"{OURS}-2/vCenter/sn_vc01.example.com/M_8.0.2.00100_20260301-020000_"},
        {"type": "A_NEW_TYPE", "location": "sftp://192.0.2.9/vcenter"},
    ],
    ids=str,
)
def test_new_job_that_may_be_ours_makes_the_outcome_unknown(fields: dict[str, Any], clock: FakeClock) -> None:
    bench, _ = scripted(
        clock,
        jobs=[[OLD], [NEW, OLD]],
        create_job=LOST,
        job_details={NEW: details(**fields)},
        job=status(),
        validate=FREE,
    )
    error = error_of(bench)
    assert (type(error), error.attach) == (OutcomeUnknownError, f"watch {NEW}")


@pytest.mark.parametrize(
    "fields",
    [{"type": "SCHEDULED"}, {"type": "LOCAL_BACKUP"}, {"user": "other@vsphere.local", "location": "ftp://elsewhere/x"}],
    ids=str,
)
def test_foreign_job_is_ignored(fields: dict[str, Any], clock: FakeClock) -> None:
    bench, _ = scripted(
        clock,
        jobs=[[OLD], [NEW, OLD]],
        create_job=LOST,
        job_details={NEW: details(**fields)},
        job=status(),
        validate=FREE,
    )
    assert type(error_of(bench)) is NotStartedNoAnswerError


@pytest.mark.parametrize(
    ("answers", "error", "seconds"),
    [
        pytest.param([FREE], NotStartedNoAnswerError, 60, id="free"),
        pytest.param([ReturnResult(status="FAIL")], NotStartedNoAnswerError, 60, id="would fail"),
        pytest.param([UNREADABLE, FREE], NotStartedNoAnswerError, 61, id="free at the second time"),
        pytest.param([BUSY], OutcomeUnknownError, 60, id="busy"),
        pytest.param([UNREADABLE], OutcomeUnknownError, 90, id="unreadable"),
    ],
)
def test_not_started_requires_a_validation(
    answers: list[Any], error: type[BackupctlError], seconds: float, clock: FakeClock
) -> None:
    bench, api = scripted(clock, jobs=[[OLD]], create_job=LOST, validate=answers)
    assert type(error_of(bench)) is error
    assert api.names()[-1] == "validate"
    assert seconds - 2 < clock.elapsed <= seconds


def test_search_that_the_timeout_ends_leaves_the_outcome_unknown(clock: FakeClock) -> None:
    bench, _ = scripted(clock, jobs=[[OLD]], create_job=LOST, validate=FREE)
    assert type(error_of(bench, plan(timeout=20))) is OutcomeUnknownError
    assert clock.elapsed == 20


def test_attach_succeeds_if_the_details_name_the_archive_folder(clock: FakeClock) -> None:
    bench, _ = scripted(
        clock,
        jobs=[[NEW, OLD]],
        create_job=BUSY,
        job=[status(), status(state="SUCCEEDED")],
        job_details={NEW: details(status="SUCCEEDED", location=FOLDER)},
    )
    assert run(bench, plan(wait=True, if_running="attach")).error is None


# 3. A request is processed at most once


@pytest.mark.parametrize("certain", [True, False], ids=["vAPI", "HTML"])
def test_post_with_an_expired_session_is_not_repeated_if_a_job_appeared(certain: bool, clock: FakeClock) -> None:
    bench, api = scripted(
        clock,
        jobs=[[OLD], [NEW, OLD]],
        create_job=SessionExpiredError("401", certain=certain),
        job_details={NEW: details()},
        job=status(),
    )
    assert run(bench, plan()).value.id == NEW
    assert api.names().count("create_job") == 1


def test_post_with_an_expired_session_is_repeated_after_reading_the_list(clock: FakeClock) -> None:
    bench, api = scripted(clock, jobs=[[OLD]], create_job=[SessionExpiredError("401"), status()])
    assert run(bench, plan()).value.id == NEW
    assert api.names() == ["jobs", "create_job", "jobs", "create_job"]


def test_post_with_an_expired_session_is_repeated_only_once(clock: FakeClock) -> None:
    bench, api = scripted(clock, jobs=[[OLD]], create_job=SessionExpiredError("401"))
    error = error_of(bench)
    assert (isinstance(error, AuthenticationError), error.exit_code) == (True, 4)
    assert api.names().count("create_job") == 2


def test_post_is_not_repeated_after_an_interruption(clock: FakeClock) -> None:
    def slow(*_: object) -> list[str]:
        clock.sleep(2)
        return [OLD]

    bench, api = scripted(clock, jobs=slow, create_job=[SessionExpiredError("401"), status()])
    error = error_of(bench, plan(), 3)
    assert (type(error), error.certain, error.attach) == (InterruptedRunError, True, None)
    assert api.names() == ["jobs", "create_job", "jobs"]


def test_post_that_an_html_page_refuses_is_not_repeated(clock: FakeClock) -> None:
    refusal = SessionExpiredError("401", certain=False)
    bench, api = scripted(clock, jobs=[[OLD]], create_job=refusal, validate=FREE)
    assert error_of(bench).slug == "not-started"
    assert api.names().count("create_job") == 1


# 4. All else is unknown


def test_restore_with_a_fault_response_is_unknown(clock: FakeClock) -> None:
    fault = ServerFaultError("504 TIMED_OUT", certain=False)
    bench, _ = scripted(clock, restore_job=ServerFaultError("none"), create_restore=fault)
    request = RestoreRequest(
        location_type="SFTP", location=Location.parse(OURS), sso_admin_user_name="administrator@vsphere.local"
    )
    with pytest.raises(OutcomeUnknownError):
        bench.run(create_restore(bench.appliance, request, Timeouts(), wait=True))


def hang(clock: FakeClock) -> Any:
    def respond(*_: object) -> BackupJobStatus:
        clock.sleep(305)
        raise LOST

    return respond


def test_post_that_hangs_ends_at_the_timeout(clock: FakeClock) -> None:
    bench, api = scripted(clock, jobs=[[OLD]], create_job=hang(clock))
    error = error_of(bench, plan(timeout=5))
    assert (type(error), error.exit_code, clock.elapsed) == (OutcomeUnknownError, 5, 5)
    assert (error.attach, api.names()) == ("watch latest", ["jobs", "create_job"])


def test_interruption_ends_a_post_that_hangs_within_ten_seconds(clock: FakeClock) -> None:
    bench, _ = scripted(clock, jobs=[[OLD]], create_job=hang(clock))
    error = error_of(bench, plan(), 3)
    assert (type(error), error.exit_code, clock.elapsed) == (InterruptedRunError, 130, 13)
    assert (error.certain, error.attach) == (False, "watch latest")


def test_interruption_ends_the_search_within_ten_seconds(clock: FakeClock) -> None:
    bench, _ = scripted(clock, jobs=[[OLD]], create_job=LOST, validate=FREE)
    error = error_of(bench, plan(), 3)
    assert (type(error), error.certain, clock.elapsed) == (InterruptedRunError, False, 13)


def test_interruption_ends_a_restore_that_hangs_within_ten_seconds(clock: FakeClock) -> None:
    bench, _ = scripted(clock, restore_job=ServerFaultError("none"), create_restore=hang(clock))
    request = RestoreRequest(
        location_type="SFTP", location=Location.parse(OURS), sso_admin_user_name="administrator@vsphere.local"
    )
    task = create_restore(bench.appliance, request, Timeouts(), wait=True)
    with pytest.raises(InterruptedRunError) as caught:
        bench.run(task, interrupt_at=[3])
    assert (clock.elapsed, caught.value.certain, caught.value.attach) == (13, False, "watch restore")


def test_timeout_of_a_restore_starts_before_its_request(clock: FakeClock) -> None:
    def slow(*_: object) -> RestoreJobStatus:
        clock.sleep(200)
        return RestoreJobStatus(state="INPROGRESS")

    running = RestoreJobStatus(state="INPROGRESS")
    bench, _ = scripted(clock, restore_job=running, create_restore=slow)
    request = RestoreRequest(
        location_type="SFTP", location=Location.parse(OURS), sso_admin_user_name="administrator@vsphere.local"
    )
    ended = bench.run(create_restore(bench.appliance, request, Timeouts(timeout=300), wait=True))
    assert (ended.error is not None and ended.error.exit_code, clock.elapsed) == (8, 300)


@pytest.mark.parametrize("seconds", [5, 8])
def test_nothing_is_sent_after_the_timeout(seconds: float, clock: FakeClock) -> None:
    def slow(*_: object) -> list[str]:
        clock.sleep(seconds)
        return [OLD]

    bench, api = scripted(clock, jobs=slow, create_job=status())
    error = error_of(bench, plan(timeout=5))
    assert (error.exit_code, error.slug, api.names()) == (5, "not-started", ["jobs"])
    assert error.hint == f"use {wording.LONGER_TIMEOUT}"


# Further cases


@pytest.mark.parametrize("flag", [None, "yes"])
def test_unreadable_part_starts_no_backup(flag: str | None, clock: FakeClock) -> None:
    listed = [Part(id="common", selected_by_default=True), UnreadableEntry(name="#2", why=f"{flag} is no truth value")]
    bench, api = scripted(clock, parts=[listed], jobs=[[OLD]], create_job=status())
    error = error_of(bench, BackupPlan(structs.replace(REQUEST, parts=()), Timeouts()))
    assert (error.exit_code, "--part" in str(error.hint), api.names()) == (6, True, ["parts"])


def test_job_is_not_adopted_if_a_known_id_has_no_time(clock: FakeClock) -> None:
    bench, _ = scripted(
        clock,
        jobs=[["20260302-020000-1", "odd"], [NEW, "20260302-020000-1", "odd"]],
        create_job=LOST,
        job_details={NEW: details()},
        job=status(),
        validate=FREE,
    )
    assert type(error_of(bench)) is OutcomeUnknownError


def test_job_that_appeared_while_waiting_is_not_adopted(clock: FakeClock) -> None:
    bench, _ = scripted(
        clock,
        jobs=[[OLD], [OLD], [NEW, OLD]],
        create_job=[BUSY, LOST],
        job=status(OLD, "SUCCEEDED"),
        job_details={NEW: details()},
        validate=FREE,
    )
    assert type(error_of(bench, plan(if_running="wait"))) is NotStartedNoAnswerError


@pytest.mark.parametrize("state", ["SUCCEEDED", "FAILED"])
def test_cancelled_job_that_succeeded_is_an_error_with_any_details(state: str, clock: FakeClock) -> None:
    bench, _ = scripted(
        clock,
        job=[status(), status(state=state)],
        cancel_job=ReturnResult(status="OK"),
        job_details={NEW: details(status="FAILED")},
    )
    ended = bench.run(cancel(bench.appliance, NEW))
    assert (ended.error is not None and ended.error.exit_code) == (6 if state == "SUCCEEDED" else False)


def test_backup_starts_after_a_job_that_ended_in_contradiction(clock: FakeClock) -> None:
    bench, _ = scripted(
        clock,
        jobs=[[OLD]],
        create_job=[BUSY, status()],
        job=[status(OLD), status(OLD, "SUCCEEDED")],
        job_details=lambda ids: {each: details(status="FAILED") for each in ids},
    )
    assert run(bench, plan(if_running="wait")).value.id == NEW


def test_attached_job_that_ended_in_contradiction_is_busy(clock: FakeClock) -> None:
    bench, _ = scripted(
        clock,
        jobs=[[OLD]],
        create_job=BUSY,
        job=[status(OLD), status(OLD, "SUCCEEDED")],
        job_details={OLD: details(status="FAILED")},
    )
    ended = run(bench, plan(if_running="attach", wait=True))
    assert ended.error is not None
    assert ended.error.exit_code == 9


@pytest.mark.parametrize(
    "refusal",
    [
        ApplianceAnswerError("400 INVALID_ARGUMENT"),
        ApplianceAnswerError("400 TIMED_OUT"),
        AuthorizationError("403"),
        OperationFailedError("500 ERROR"),
    ],
)
def test_refusal_is_ignored_if_a_job_appears(refusal: BackupctlError, clock: FakeClock) -> None:
    bench, api = scripted(
        clock, jobs=[[OLD], [NEW, OLD]], create_job=refusal, job_details={NEW: details()}, job=status()
    )
    assert run(bench, plan()).value.id == NEW
    assert api.names().count("create_job") == 1


@pytest.mark.parametrize(
    ("refusal", "listed", "error"),
    [
        (OperationFailedError("500"), AuthenticationError("401"), OutcomeUnknownError),
        (OperationFailedError("500"), LOST, OutcomeUnknownError),
        (SessionExpiredError("401"), AuthenticationError("401"), AuthenticationError),
        (SessionExpiredError("401"), LOST, OutcomeUnknownError),
        (ApplianceAnswerError("400"), LOST, ApplianceAnswerError),
        (ApplianceUnreachableError("refused"), None, ApplianceUnreachableError),
    ],
)
def test_refusal_with_an_unreadable_list(
    refusal: BackupctlError, listed: Any, error: type[BackupctlError], clock: FakeClock
) -> None:
    bench, api = scripted(clock, jobs=[[OLD], listed], create_job=refusal)
    assert type(error_of(bench)) is error
    assert api.names().count("jobs") == 1 or listed is not None


@pytest.mark.parametrize("answer", [ReturnResult(status="UP"), ReturnResult(status="")])
def test_validation_with_an_unknown_status_proves_nothing(answer: ReturnResult, clock: FakeClock) -> None:
    bench, _ = scripted(clock, jobs=[[OLD]], create_job=LOST, validate=answer)
    error = error_of(bench)
    assert type(error) is OutcomeUnknownError
    assert error.facts.then == ErrorFacts("unreadable response to the validation")


def test_one_readable_list_is_not_enough(clock: FakeClock) -> None:
    bench, _ = scripted(clock, jobs=[[OLD], *[LOST] * 9, [OLD]], create_job=LOST, validate=FREE)
    error = error_of(bench)
    assert type(error) is OutcomeUnknownError
    assert error.facts.then == ErrorFacts("the job list could be read only once")


def test_two_readable_lists_are_enough(clock: FakeClock) -> None:
    bench, _ = scripted(clock, jobs=[[OLD], *[LOST] * 8, [OLD]], create_job=LOST, validate=FREE)
    assert type(error_of(bench)) is NotStartedNoAnswerError


def test_list_that_lacks_known_jobs_proves_nothing(clock: FakeClock) -> None:
    bench, _ = scripted(clock, jobs=[[OLD], []], create_job=LOST, validate=FREE)
    error = error_of(bench)
    assert type(error) is OutcomeUnknownError
    assert error.facts.then == ErrorFacts("jobs are missing from the job list")


def test_job_in_the_response_is_ours_with_any_start_time(clock: FakeClock) -> None:
    answered = status(start_time=START - timedelta(days=700))
    bench, api = scripted(clock, jobs=[[OLD]], create_job=answered)
    api.server_time = START
    assert run(bench, plan()).value.id == NEW


def test_required_encryption_adopts_nothing(clock: FakeClock) -> None:
    bench, _ = scripted(
        clock, jobs=[[OLD], [NEW, OLD]], create_job=LOST, job_details={NEW: details()}, job=status(), validate=FREE
    )
    error = error_of(bench, plan(require_encryption=True))
    assert (type(error), error.attach) == (OutcomeUnknownError, f"watch {NEW}")


def test_unknown_outcome_hints_at_older_jobs(clock: FakeClock) -> None:
    bench, api = scripted(clock, jobs=[[OLD]], create_job=LOST, validate=BUSY)
    api.server_time = START
    assert error_of(bench).hint == "ignore older jobs: the request was sent at 2026-03-01 02:00:00 UTC"


@pytest.mark.parametrize(
    "spelling",
    [
        "sftp://backup@backup.example.com/vcenter",
        "sftp://backup.example.com.//vcenter",
        "\\\\backup.example.com\\vcenter",
    ],
)
def test_other_spelling_of_the_location_matches(spelling: str, clock: FakeClock) -> None:
    found = {NEW: details(location=spelling, user="root")}
    bench, _ = scripted(clock, jobs=[[OLD], [NEW, OLD]], create_job=LOST, job_details=found, job=status())
    assert run(bench, plan()).value.id == NEW


RESTORE = RestoreRequest(
    location_type="SFTP", location=Location.parse(OURS), sso_admin_user_name="administrator@vsphere.local"
)
RESTORING = RestoreJobStatus(state="INPROGRESS")


@pytest.mark.parametrize(
    ("response", "posts"),
    [
        (OperationFailedError("none ever ran"), 2),
        (RestoreJobStatus(state="NONE"), 2),
        (RestoreJobStatus(state="FAILED"), 2),
        (RESTORING, 1),
        (AuthorizationError("403"), 1),
        (LOST, 1),
    ],
    ids=str,
)
def test_restore_is_repeated_only_if_the_appliance_says_that_none_runs(
    response: Any, posts: int, clock: FakeClock
) -> None:
    bench, api = scripted(clock, restore_job=response, create_restore=[SessionExpiredError("401"), RESTORING])
    task = create_restore(bench.appliance, RESTORE, Timeouts(), wait=False)
    if posts == 1:
        with pytest.raises(OutcomeUnknownError):
            bench.run(task)
    else:
        assert bench.run(task).value.state == "INPROGRESS"
    assert api.names().count("create_restore") == posts


def test_restore_is_not_repeated_after_an_html_refusal(clock: FakeClock) -> None:
    page = SessionExpiredError("401", certain=False)
    bench, api = scripted(clock, restore_job=OperationFailedError("none"), create_restore=page)
    with pytest.raises(OutcomeUnknownError):
        bench.run(create_restore(bench.appliance, RESTORE, Timeouts(), wait=False))
    assert api.names().count("create_restore") == 1


def test_restore_is_not_sent_after_the_timeout(clock: FakeClock) -> None:
    def slow(*_: object) -> RestoreJobStatus:
        clock.sleep(8)
        raise OperationFailedError("none")

    bench, api = scripted(clock, restore_job=slow, create_restore=RESTORING)
    with pytest.raises(ApplianceUnreachableError, match="it was not started"):
        bench.run(create_restore(bench.appliance, RESTORE, Timeouts(timeout=5), wait=True))
    assert "create_restore" not in api.names()


def test_reconciliation_of_yesterday_is_not_followed_as_ours(clock: FakeClock) -> None:
    def reconciling(state: str, hours: float) -> ReconciliationStatus:
        return ReconciliationStatus(status=state, start_time=START + timedelta(hours=hours))

    bench, _ = scripted(
        clock,
        create_reconciliation=reconciling("RUNNING", 0),
        reconciliation=[reconciling("SUCCEEDED", -24), reconciling("FAILED", 0)],
    )
    ended = bench.run(reconcile(bench.appliance, ReconciliationSpec(), Timeouts(interval=5), wait=True))
    assert (ended.value.state, ended.error is not None and ended.error.exit_code) == ("FAILED", 7)


def test_bug_while_the_request_is_sent_names_the_command_that_follows_the_job(clock: FakeClock) -> None:
    bench, _ = scripted(clock, jobs=[[OLD]], create_job=KeyError("bug"))
    error = error_of(bench)
    assert (type(error), error.exit_code, error.certain, error.attach) == (BugError, 1, False, "watch latest")


def test_bug_before_the_request_names_no_job_to_follow(clock: FakeClock) -> None:
    bench, _ = scripted(clock, jobs=KeyError("bug"))
    with pytest.raises(KeyError):
        run(bench, plan())

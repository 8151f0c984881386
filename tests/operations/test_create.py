"""Create: one backup is started, or the error says that none was, or that this is unknown."""

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
    AuthorizationError,
    BackupctlError,
    BackupFailedError,
    BusyError,
    InterruptedRunError,
    NotFoundError,
    NotStartedError,
    NotStartedNoAnswerError,
    NotSupportedError,
    OutcomeUnknownError,
    ServerFaultError,
    TimedOutError,
)
from backupctl.location import Location
from backupctl.models import BackupJobStatus, BackupRequest, JobDetails, Part, ReturnResult, UnreadableEntry
from backupctl.operations.create import BackupPlan, create
from backupctl.operations.follow import Timeouts
from backupctl.operations.outcome import Outcome
from backupctl.results.events import Adopted, Attached, PartsSelected, Progressed, Started, Waiting, Warned
from backupctl.results.job import Job
from backupctl.secrets.secret import Secret
from tests import wording
from tests.support.clock import FakeClock
from tests.support.operation_bench import NAME, Bench, scripted, simulated

OLD, NEW, THIRD = "20260228-020000-1", "20260301-020000-1", "20260301-020001-1"
REQUEST = BackupRequest(
    parts=("common",),
    location_type="SFTP",
    location=Location.parse("sftp://backup.example.com/vcenter"),
    location_user="backup",
    location_password=Secret("x"),
)
LOST = ApplianceUnreachableError("dropped", certain=False, retryable=True)
BUSY = BusyError("another one runs")


def plan(request: BackupRequest = REQUEST, *, timeout: float = 3600, **options: Any) -> BackupPlan:
    return BackupPlan(request, Timeouts(timeout=timeout, interval=10), **options)


def request_to(location: str, **fields: Any) -> BackupRequest:
    return BackupRequest(
        parts=("common",), location_type=location.partition(":")[0].upper(), location=Location.parse(location), **fields
    )


def status(job_id: str = NEW, state: str = "INPROGRESS", progress: float = 0) -> BackupJobStatus:
    return BackupJobStatus(id=job_id, state=state, progress=progress)


def details(**fields: Any) -> JobDetails:
    ours: dict[str, Any] = {
        "status": "RUNNING",
        "type": "MANUAL",
        "location": REQUEST.location.text,
        "location_user": "backup",
        "user": "VSPHERE.LOCAL\\Administrator",
    }
    return JobDetails(**ours | fields)


def after(clock: FakeClock, seconds: float, answer: Any) -> Callable[..., Any]:
    """Return a response that takes so many seconds."""

    def respond(*_: object) -> Any:
        clock.sleep(seconds)
        return answer

    return respond


def run(bench: Bench, backup: BackupPlan, *interrupt_at: float) -> Outcome[Job]:
    return bench.run(create(bench.appliance, backup), interrupt_at=interrupt_at)


def error_of(bench: Bench, backup: BackupPlan, *interrupt_at: float) -> BackupctlError:
    with pytest.raises(BackupctlError) as caught:
        run(bench, backup, *interrupt_at)
    return caught.value


# Without faults


def test_create_starts_one_job_and_follows_it_to_success(clock: FakeClock) -> None:
    bench, simulator = simulated(clock, job_duration=60)
    ended = run(bench, plan())
    assert ended.error is None
    assert (ended.value.state, ended.value.location, ended.value.parts) == (
        "SUCCEEDED",
        REQUEST.location.text,
        ("common",),
    )
    assert ended.value.encrypted is False
    assert ended.value.size_bytes
    assert len(simulator.jobs) == 1
    assert (bench.kinds[0], bench.kinds[-1]) == ("Started", "Progressed")
    assert 60 <= clock.elapsed <= 70


def test_create_reports_a_failed_job(clock: FakeClock) -> None:
    bench, _ = simulated(clock, job_duration=60, faults=["fail-at=40"])
    ended = run(bench, plan())
    assert (type(ended.error), ended.value.state) == (BackupFailedError, "FAILED")
    assert ended.value.messages


def test_create_without_waiting_returns_the_started_job(clock: FakeClock) -> None:
    bench, simulator = simulated(clock)
    ended = run(bench, plan(wait=False))
    assert [event.job for event in bench.events_of(Started)] == [ended.value]
    assert (ended.error, ended.value.id, ended.value.state) == (None, simulator.jobs[0].job_id, "INPROGRESS")
    assert (clock.elapsed, bench.kinds) == (0, ["Started", "Detached"])


def test_create_without_parts_selects_the_default_parts(clock: FakeClock) -> None:
    bench, simulator = simulated(clock)
    ended = run(bench, plan(structs.replace(REQUEST, parts=(), comment="c"), wait=False))
    (selected,) = bench.events_of(PartsSelected)
    assert selected.parts == ended.value.parts == simulator.jobs[0].spec.parts == ("common", "seat")
    assert ended.value.comment == simulator.jobs[0].spec.comment == "c"


def test_create_fails_if_the_default_parts_cannot_be_read(clock: FakeClock) -> None:
    listed = [Part(id="common", selected_by_default=True), UnreadableEntry(name="#2", why="odd")]
    bench, _ = scripted(clock, parts=[listed], jobs=[[OLD]], create_job=status())
    error = error_of(bench, plan(structs.replace(REQUEST, parts=())))
    assert (type(error), error.facts.server) == (ApplianceAnswerError, NAME)
    assert error.hint == "choose parts with --part; `backupctl parts` lists the readable ones"
    assert [event.message for event in bench.events_of(Warned)] == [
        f"{wording.UNREADABLE_ENTRIES(1, 2, 'parts', '#2')} (odd)"
    ]


@pytest.mark.parametrize(
    ("seconds", "requests", "slug", "elapsed"),
    [(8, ["parts", "jobs"], "not-started", 8), (305, ["parts"], "connection", 10)],
)
def test_create_waits_ten_seconds_for_the_default_parts(
    seconds: float, requests: list[str], slug: str, elapsed: float, clock: FakeClock
) -> None:
    parts = [Part(id="common", selected_by_default=True)]
    bench, api = scripted(clock, parts=after(clock, seconds, parts), jobs=[[OLD]], create_job=status())
    error = error_of(bench, plan(structs.replace(REQUEST, parts=()), timeout=5))
    assert (error.slug, error.exit_code) == (slug, 5)
    assert (api.names(), clock.elapsed) == (requests, elapsed)


def test_create_abandons_a_job_list_that_hangs(clock: FakeClock) -> None:
    bench, api = scripted(clock, jobs=after(clock, 305, [OLD]), create_job=status())
    assert type(error_of(bench, plan(timeout=5))) is ApplianceUnreachableError
    assert (api.names(), clock.elapsed) == (["jobs"], 10)


def test_create_with_parts_does_not_read_the_default_parts(clock: FakeClock) -> None:
    bench, simulator = simulated(clock)
    run(bench, plan(wait=False))
    assert not [request.path for request in simulator.requests if request.path.endswith("/parts")]
    assert bench.events_of(PartsSelected) == []


def test_create_raises_a_certain_refusal_without_a_search(clock: FakeClock) -> None:
    refusal = ServerFaultError("500 ERROR: no space")
    bench, api = scripted(clock, jobs=[[OLD]], create_job=refusal)
    assert error_of(bench, plan()) is refusal
    assert (api.names(), clock.elapsed) == (["jobs", "create_job", "jobs"], 0)


def test_create_retries_reading_the_list_but_never_the_post(clock: FakeClock) -> None:
    bench, api = scripted(clock, jobs=[LOST, [OLD]], create_job=status())
    run(bench, plan(wait=False))
    assert api.names() == ["jobs", "jobs", "create_job"]
    assert bench.kinds == ["Retrying", "Recovered", "Started", "Detached"]


@pytest.mark.parametrize("seconds", [0, 15])
def test_create_leaves_the_job_running_after_its_timeout(seconds: float, clock: FakeClock) -> None:
    bench, _ = scripted(clock, jobs=[[OLD]], create_job=after(clock, seconds, status()), job=status(), job_details={})
    ended = run(bench, plan(timeout=100))
    assert type(ended.error) is TimedOutError
    assert (clock.elapsed, ended.value.state) == (100, "INPROGRESS")


# Lost responses


@pytest.mark.parametrize("fault", ["lost-create-answer", "empty=1@create", "bad-json=1@create"])
@pytest.mark.parametrize("release", ["6.7", "8.0U3"])
def test_create_adopts_its_job_after_a_lost_response(fault: str, release: str, clock: FakeClock) -> None:
    bench, simulator = simulated(clock, release=release, job_duration=60, faults=[fault])
    ended = run(bench, plan(request_to("ftp://backup.example.com/vcenter", location_user="backup")))
    assert ended.error is None
    assert [job.job_id for job in simulator.jobs] == [ended.value.id]
    (adopted,) = bench.events_of(Adopted)
    assert wording.OTHER_LOCATION in adopted.reason
    assert (adopted.job.type, adopted.job.parts, bench.events_of(Started)) == ("MANUAL", None, [])


@pytest.mark.parametrize(
    ("fault", "error", "code"),
    [
        ("lost-create-request", NotStartedNoAnswerError, 5),
        ("drop=1@create", NotStartedNoAnswerError, 5),
        ("html-503=1@create", NotStartedError, 6),
        ("redirect=1@create", NotStartedError, 6),
    ],
)
def test_create_reports_not_started_after_a_lost_request(
    fault: str, error: type[BackupctlError], code: int, clock: FakeClock
) -> None:
    bench, simulator = simulated(clock, faults=[fault])
    caught = error_of(bench, plan())
    assert (type(caught), caught.exit_code, caught.slug) == (error, code, "not-started")
    assert caught.facts.server == NAME
    assert wording.SAFE_TO_TRY_AGAIN in (caught.hint or "")
    assert list(simulator.jobs) == []
    assert 60 <= clock.elapsed < 61


def test_create_reads_the_list_again_until_its_job_appears(clock: FakeClock) -> None:
    bench, api = scripted(
        clock,
        jobs=[[OLD], [OLD], [OLD], [OLD], [NEW, OLD]],
        create_job=LOST,
        job_details={NEW: details()},
        job=status(),
    )
    assert run(bench, plan(wait=False)).value.id == NEW
    assert (api.names().count("create_job"), clock.elapsed) == (1, 7)


def test_create_does_not_follow_a_job_that_existed_before_the_request(clock: FakeClock) -> None:
    done = status(OLD, "SUCCEEDED")
    bench, api = scripted(clock, jobs=[[OLD]], create_job=done, job=done, validate=ReturnResult(status="OK"))
    error = error_of(bench, plan())
    assert type(error) is NotStartedError
    assert isinstance(error.facts.cause, ErrorFacts)
    assert (error.facts.cause.server, OLD in error.message) == (NAME, True)
    assert api.names().count("create_job") == 1


def test_create_ends_the_search_in_time_with_countless_new_jobs(clock: FakeClock) -> None:
    def slow(*_: object) -> dict[str, JobDetails]:
        clock.sleep(1)
        return {}

    countless = [str(number) for number in range(20_000)]
    bench, _ = scripted(clock, jobs=[[OLD], countless], create_job=LOST, job_details=slow)
    assert type(error_of(bench, plan())) is OutcomeUnknownError
    assert clock.elapsed < 70


@pytest.mark.parametrize(
    "ours",
    [
        {"type": None},
        {"location": "backup.example.com/vcenter"},
        {"location": "sftp://backup.example.com/vcenter/"},
        {"location": "sftp://Backup.Example.COM/vcenter"},
        {"location": "sftp://backup.example.com:/vcenter"},
        {"location": "sftp://backup.example.com:22/vcenter"},
        {"location": "sftp://backup.example.com/v%63enter"},
    ],
    ids=str,
)
def test_create_adopts_its_job_with_any_spelling_of_its_location(ours: dict[str, Any], clock: FakeClock) -> None:
    bench, _ = scripted(
        clock, jobs=[[OLD], [NEW, OLD]], create_job=LOST, job_details={NEW: details(**ours)}, job=status()
    )
    assert run(bench, plan(wait=False)).value.id == NEW


def test_create_finds_its_job_among_several_new_ones(clock: FakeClock) -> None:
    found = {NEW: details(type="SCHEDULED"), THIRD: details()}
    bench, _ = scripted(
        clock,
        jobs=[[OLD], [THIRD, NEW, OLD]],
        create_job=LOST,
        job_details=lambda ids: {job_id: found[job_id] for job_id in ids},
        job=lambda job_id: status(job_id),  # noqa: PLW0108 - its argument has a default
    )
    assert run(bench, plan(wait=False)).value.id == THIRD


UNREADABLE = ApplianceAnswerError("odd JSON", certain=False, retryable=True)


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        ({"jobs": [[OLD], LOST]}, "dropped"),
        ({"jobs": [[OLD], [OLD], LOST]}, "dropped"),
        ({"jobs": [[OLD], [NEW, OLD]], "job_details": UNREADABLE}, "odd JSON"),
        ({"jobs": [[OLD], [NEW, OLD]], "job_details": {}}, wording.NEW_WITHOUT_DETAILS(NEW)),
        (
            {"jobs": [[OLD], [NEW, OLD]], "job_details": NotSupportedError("404 by a proxy", certain=False)},
            "by a proxy",
        ),
        ({"jobs": [[OLD], [NEW, OLD]], "job_details": {NEW: details()}, "job": UNREADABLE}, "odd JSON"),
    ],
)
def test_create_reports_an_unknown_outcome_if_the_search_fails(answers: Any, why: str, clock: FakeClock) -> None:
    bench, _ = scripted(clock, create_job=LOST, **answers)
    error = error_of(bench, plan())
    assert (type(error), error.exit_code, error.slug) == (OutcomeUnknownError, 5, "outcome-unknown")
    assert why in error.message
    assert error.attach == ("watch latest" if answers["jobs"][-1] is LOST else f"watch {NEW}")
    assert clock.elapsed == 60


def test_create_reads_a_new_job_again_until_it_can_be_matched(clock: FakeClock) -> None:
    bench, _ = scripted(
        clock, jobs=[[OLD], [NEW, OLD]], create_job=LOST, job_details=[UNREADABLE, {}, {NEW: details()}], job=status()
    )
    assert run(bench, plan(wait=False)).value.id == NEW
    assert clock.elapsed == 3


def test_create_ends_the_search_when_a_login_is_refused(clock: FakeClock) -> None:
    bench, api = scripted(clock, jobs=[[OLD], AuthenticationError("401")], create_job=LOST)
    assert type(error_of(bench, plan())) is OutcomeUnknownError
    assert (api.names(), clock.elapsed) == (["jobs", "create_job", "jobs"], 0)


# Signals


def test_create_interrupted_before_the_post_starts_nothing(clock: FakeClock) -> None:
    bench, api = scripted(clock, jobs=LOST, create_job=status())
    assert type(error_of(bench, plan(), 0.5)) is InterruptedRunError
    assert "create_job" not in api.names()


def test_create_interrupted_during_the_search_completes_the_search_first(clock: FakeClock) -> None:
    bench, _ = scripted(
        clock, jobs=[[OLD], [OLD], [OLD], [NEW, OLD]], create_job=LOST, job_details={NEW: details()}, job=status()
    )
    ended = run(bench, plan(), 0.5)
    assert (type(ended.error), ended.value.id, clock.elapsed) == (InterruptedRunError, NEW, 3)
    assert f"Backup {NEW} is still running" in str(ended.error)


def test_create_interrupted_during_the_request_without_waiting_succeeds(clock: FakeClock) -> None:
    def slow(_: object) -> BackupJobStatus:
        clock.sleep(5)
        return status()

    bench, _ = scripted(clock, jobs=[[OLD]], create_job=slow)
    ended = run(bench, plan(wait=False), 3)
    assert (ended.error, ended.value.id) == (None, NEW)


def test_create_interrupted_leaves_the_backup_running(clock: FakeClock) -> None:
    bench, simulator = simulated(clock, job_duration=60)
    ended = run(bench, plan(), 25)
    assert type(ended.error) is InterruptedRunError
    assert ended.error.attach == f"watch {ended.value.id}"
    clock.sleep(60)
    simulator.advance()
    assert bench.appliance.api.job(ended.value.id).state == "SUCCEEDED"


def test_create_interrupted_with_cancel_on_interrupt_cancels_the_job(clock: FakeClock) -> None:
    bench, _ = simulated(clock, job_duration=60)
    ended = run(bench, plan(cancel_on_interrupt=True), 25)
    assert type(ended.error) is InterruptedRunError
    assert (ended.error.facts.job, ended.error.attach, ended.value.state) == (ended.value.id, None, "FAILED")


def test_create_interrupted_detaches_if_it_cannot_cancel(clock: FakeClock) -> None:
    bench, _ = scripted(clock, jobs=[[OLD]], create_job=status(), job=status(), cancel_job=ServerFaultError("500"))
    ended = run(bench, plan(cancel_on_interrupt=True), 5)
    assert type(ended.error) is InterruptedRunError
    assert ended.error.attach == f"watch {ended.value.id}"
    assert [getattr(each, "cause", None) for each in ended.error.facts.details] == [ErrorFacts("500")]


def test_create_interrupted_keeps_the_attach_command_if_the_cancelled_job_may_be_running(clock: FakeClock) -> None:
    answers = [status(), *[ApplianceUnreachableError("no answer", retryable=True)] * 99]
    done = ReturnResult(status="SUCCESS")
    bench, _ = scripted(clock, jobs=[[OLD]], create_job=status(), job=answers, cancel_job=done)
    ended = run(bench, plan(cancel_on_interrupt=True), 5)
    assert type(ended.error) is InterruptedRunError
    assert (ended.error.facts.job, ended.error.attach) == (ended.value.id, f"watch {ended.value.id}")


def test_create_interrupted_keeps_the_hint_if_the_cancelled_job_cannot_be_read(clock: FakeClock) -> None:
    answers = [status(), AuthorizationError("403", hint="ask an admin")]
    done = ReturnResult(status="SUCCESS")
    bench, _ = scripted(clock, jobs=[[OLD]], create_job=status(), job=answers, job_details={}, cancel_job=done)
    ended = run(bench, plan(cancel_on_interrupt=True), 15)
    assert ended.error is not None
    assert (ended.error.facts.job, ended.error.hint, "403" in ended.error.message) == (NEW, "ask an admin", True)


def test_create_interrupted_reports_a_cancel_request_that_may_be_lost(clock: FakeClock) -> None:
    bench, _ = scripted(clock, jobs=[[OLD]], create_job=status(), job=status(), job_details={}, cancel_job=LOST)
    ended = run(bench, plan(cancel_on_interrupt=True), 5)
    assert type(ended.error) is InterruptedRunError
    assert [getattr(each, "cause", None) for each in ended.error.facts.details] == [LOST.facts]


# Busy


def test_create_on_a_busy_appliance_fails_and_names_the_job(clock: FakeClock) -> None:
    bench, simulator = simulated(clock, faults=["busy"])
    error = error_of(bench, plan())
    assert (type(error), clock.elapsed) == (BusyError, 0)
    assert error.message.startswith(f"vc01: backup job {simulator.jobs[0].job_id} is running (16 %), started ")
    assert error.hint == f"{WAITS}, or attach to follow it"


def test_create_that_requires_encryption_does_not_offer_to_attach(clock: FakeClock) -> None:
    bench, _ = simulated(clock, faults=["busy"])
    assert error_of(bench, plan(require_encryption=True)).hint == WAITS


WAITS = "use --if-running wait to start after it finishes"


def busy_since(seconds: float, clock: FakeClock, if_running: str) -> BusyError:
    """Return the error of a backup while a job is running that was started so many seconds ago."""
    started = clock.now() - timedelta(seconds=seconds)
    job = BackupJobStatus(id=OLD, state="INPROGRESS", progress=10, start_time=started)
    bench, _ = scripted(clock, jobs=[[OLD]], create_job=BUSY, job=job, job_details={})
    error = error_of(bench, plan(if_running=if_running, timeout=0.5))
    assert isinstance(error, BusyError)
    return error


@pytest.mark.parametrize(
    ("seconds", "since"),
    [
        (0, "started just now (2026-03-01 02:00 UTC)"),
        (119, "started 1 min ago (2026-03-01 01:58 UTC)"),
        (120, "started 2 min ago (2026-03-01 01:58 UTC)"),
        (7199, "started 119 min ago (2026-03-01 00:00 UTC)"),
        (7200, "started 2 h ago (2026-03-01 00:00 UTC)"),
        (86_400, "started 24 h ago (2026-02-28 02:00 UTC)"),
        (86_401, "started 24 h ago (2026-02-28 01:59 UTC)"),
        (48 * 3600, "started 2 days ago (2026-02-27 02:00 UTC)"),
        (50 * 86_400, "started 50 days ago (2026-01-10 02:00 UTC)"),
        (-60, "started 2026-03-01 02:01 UTC"),
    ],
)
def test_create_reports_since_when_another_backup_is_running(seconds: int, since: str, clock: FakeClock) -> None:
    error = busy_since(seconds, clock, "fail")
    assert error.message == f"vc01: backup job {OLD} is running (10 %), {since}"
    assert (f"backupctl cancel {OLD}" in str(error.hint)) == (seconds > 86_400)
    assert ("--if-running wait" in str(error.hint)) == (seconds <= 86_400)


def test_create_advises_to_cancel_a_backup_that_runs_for_over_a_day(clock: FakeClock) -> None:
    hint = busy_since(86_401, clock, "wait").hint or ""
    assert f"backupctl cancel {OLD}" in hint
    assert "service-control --restart applmgmt" in hint


@pytest.mark.parametrize("listed", [[], LOST, [OLD]])
def test_create_on_a_busy_appliance_without_a_running_job_names_none(listed: Any, clock: FakeClock) -> None:
    bench, _ = scripted(clock, jobs=[[OLD], listed], create_job=BUSY, job=status(OLD, "SUCCEEDED", 100))
    error = error_of(bench, plan())
    assert (error.message, error.hint) == (f"vc01: {wording.ANOTHER_JOB_RUNNING}", WAITS)


def test_create_keeps_the_response_details_if_the_running_job_is_unknown(clock: FakeClock) -> None:
    bench, _ = scripted(clock, jobs=[[OLD], LOST], create_job=BusyError("busy", details=("evidence",)))
    assert error_of(bench, plan()).details == ("evidence", f"{wording.RUNNING_BACKUP_UNREADABLE}dropped")
    assert clock.elapsed == 0


def test_create_starts_after_the_running_job_has_ended(clock: FakeClock) -> None:
    bench, simulator = simulated(clock, job_duration=60, faults=["busy=300"])
    ended = run(bench, plan(if_running="wait"))
    assert ended.error is None
    assert [job.job_id for job in simulator.jobs][1:] == [ended.value.id]
    (waiting,) = bench.events_of(Waiting)
    assert waiting.job.id == simulator.jobs[0].job_id
    assert 360 <= clock.elapsed < 400


def test_create_tries_again_every_30_s_while_a_restore_is_running(clock: FakeClock) -> None:
    bench, api = scripted(clock, jobs=[[]], create_job=[BUSY, BUSY, status()])
    assert run(bench, plan(if_running="wait", wait=False)).value.id == NEW
    assert [event.job for event in bench.events_of(Waiting)] == [None]
    assert (api.names().count("create_job"), clock.elapsed) == (3, 60)


@pytest.mark.parametrize("outcome", ["FAILED", "SUCCEEDED"])
def test_create_starts_after_a_foreign_job_with_any_result(outcome: str, clock: FakeClock) -> None:
    bench, _ = scripted(
        clock,
        jobs=[[OLD]],
        create_job=[BUSY, status()],
        job=[status(OLD), status(OLD, outcome)],
        job_details={},
    )
    assert run(bench, plan(if_running="wait", wait=False)).value.id == NEW


def test_create_starts_its_own_job_if_there_is_none_to_attach_to(clock: FakeClock) -> None:
    bench, _ = scripted(clock, jobs=[[]], create_job=[BUSY, status()])
    assert run(bench, plan(if_running="attach", wait=False)).value.id == NEW
    assert ([event.job for event in bench.events_of(Waiting)], clock.elapsed) == ([None], 30)


def test_create_shows_each_job_that_it_waits_for_once(clock: FakeClock) -> None:
    flapping = [status(OLD), status(OLD, "SUCCEEDED"), status(OLD), status(OLD, "SUCCEEDED")]
    bench, _ = scripted(clock, jobs=[[OLD]], create_job=[BUSY, BUSY, BUSY, status()], job=flapping, job_details={})
    assert run(bench, plan(if_running="wait", wait=False)).value.id == NEW
    assert [event.job and event.job.id for event in bench.events_of(Waiting)] == [OLD, None]


def test_create_never_adopts_the_job_that_it_waited_for(clock: FakeClock) -> None:
    states = iter(["INPROGRESS", "SUCCEEDED"])
    bench, _ = scripted(
        clock,
        jobs=[[NEW, OLD], [NEW, OLD], [OLD], [NEW, OLD]],
        create_job=[BUSY, LOST],
        job=lambda job_id: status(job_id, next(states, "SUCCEEDED")),
        job_details=lambda ids: {job_id: details() for job_id in ids},
        validate=ReturnResult(status="OK"),
    )
    assert type(error_of(bench, plan(if_running="wait"))) is NotStartedNoAnswerError
    assert bench.events_of(Adopted) == []


@pytest.mark.parametrize("seconds", [0, 5])
def test_create_starts_nothing_if_the_other_job_ends_after_the_timeout(seconds: float, clock: FakeClock) -> None:
    answers = [status(OLD), after(clock, seconds, status(OLD, "SUCCEEDED"))]
    bench, api = scripted(clock, jobs=[[OLD]], create_job=BUSY, job=answers, job_details={})
    error = error_of(bench, BackupPlan(REQUEST, Timeouts(timeout=10, interval=10), if_running="wait"))
    assert (error.facts.job, error.facts.server) == (OLD, NAME)
    assert (error.exit_code, error.hint, clock.elapsed) == (
        9,
        f"use {wording.LONGER_TIMEOUT} to wait longer",
        10 + seconds,
    )
    assert api.names().count("create_job") == 1


@pytest.mark.parametrize("unseen", [True, False])
def test_create_stops_waiting_at_its_timeout_and_starts_nothing(unseen: bool, clock: FakeClock) -> None:
    listed = [] if unseen else [OLD]
    bench, _ = scripted(
        clock, jobs=[after(clock, 15, listed), listed], create_job=BUSY, job=status(OLD), job_details={}
    )
    error = error_of(bench, plan(if_running="wait", timeout=100))
    assert (type(error), error.exit_code, clock.elapsed) == (BusyError, 9, 100)
    assert wording.LONGER_TIMEOUT in str(error.hint)


def test_create_does_not_advise_a_longer_timeout_for_a_stalled_job(clock: FakeClock) -> None:
    bench, _ = scripted(clock, jobs=[[OLD]], create_job=BUSY, job=status(OLD), job_details={})
    error = error_of(bench, BackupPlan(REQUEST, Timeouts(stall_timeout=60, interval=10), if_running="wait"))
    assert (type(error), error.hint, clock.elapsed) == (BusyError, None, 60)


def test_create_raises_a_refused_login_while_it_waits(clock: FakeClock) -> None:
    refusal = AuthenticationError("401")
    bench, _ = scripted(clock, jobs=[[OLD]], create_job=BUSY, job=[status(OLD), refusal])
    assert error_of(bench, plan(if_running="wait")).slug == refusal.slug


def test_create_reports_an_unreachable_appliance_while_it_waits(clock: FakeClock) -> None:
    bench, _ = scripted(clock, jobs=[[OLD]], create_job=BUSY, job=[status(OLD), LOST])
    error = error_of(bench, plan(if_running="wait", timeout=100))
    assert (type(error), error.exit_code) == (ApplianceUnreachableError, 5)


def test_create_interrupted_while_it_waits_starts_nothing(clock: FakeClock) -> None:
    bench, simulator = simulated(clock, faults=["busy"])
    error = error_of(bench, plan(if_running="wait"), 30)
    assert (type(error), error.certain, error.attach) == (InterruptedRunError, True, None)
    assert len(simulator.jobs) == 1


def test_create_attaches_to_a_job_with_the_requested_location(clock: FakeClock) -> None:
    bench, simulator = simulated(clock, faults=["busy=60"])
    ended = run(bench, plan(request_to("sftp://other.example.com/vcenter"), if_running="attach"))
    assert (ended.error, ended.value.id, ended.value.state) == (None, simulator.jobs[0].job_id, "SUCCEEDED")
    assert [event.server for event in bench.events_of(Attached)] == [NAME]
    assert [event.job.id for event in bench.events_of(Attached)] == [ended.value.id]
    assert len(simulator.jobs) == 1


def test_create_retries_finding_the_job_to_attach_to(clock: FakeClock) -> None:
    bench, api = scripted(
        clock,
        jobs=[[OLD], LOST, [OLD]],
        create_job=BUSY,
        job=[status(OLD), status(OLD, "SUCCEEDED")],
        job_details={OLD: details()},
    )
    assert run(bench, plan(if_running="attach")).error is None
    assert api.names().count("create_job") == 1


def test_create_attached_to_a_job_ends_at_its_timeout(clock: FakeClock) -> None:
    bench, _ = scripted(clock, jobs=[after(clock, 15, [OLD]), [OLD]], create_job=BUSY, job=status(OLD), job_details={})
    ended = run(bench, plan(if_running="attach", timeout=100))
    assert (type(ended.error), clock.elapsed) == (TimedOutError, 100)


@pytest.mark.parametrize(
    ("release", "place"), [("6.5", "an unknown location"), ("8.0", "sftp://other.example.com/vcenter")]
)
def test_create_attached_to_a_job_with_another_location_is_busy(release: str, place: str, clock: FakeClock) -> None:
    bench, _ = simulated(clock, release=release, faults=["busy=60"])
    ended = run(bench, plan(request_to("ftp://backup.example.com/vcenter"), if_running="attach"))
    assert (type(ended.error), ended.value.state) == (BusyError, "SUCCEEDED")
    assert (
        str(ended.error)
        == f"vc01: backup job {ended.value.id} succeeded, but went to {place}, not to the requested location"
    )


def test_create_attached_to_a_job_that_fails_is_busy(clock: FakeClock) -> None:
    bench, _ = scripted(
        clock, jobs=[[OLD]], create_job=BUSY, job=[status(OLD), status(OLD, "FAILED")], job_details={OLD: details()}
    )
    ended = run(bench, plan(if_running="attach"))
    assert (type(ended.error), ended.value.id, ended.value.state) == (BusyError, OLD, "FAILED")
    message = f"backup job {OLD} on {NAME} ended as FAILED; the requested backup was not started"
    assert str(ended.error) == message
    assert ended.error is not None
    assert "backup.log" in (ended.error.hint or "")
    assert (len(bench.events_of(Attached)), len(bench.events_of(Progressed))) == (1, 1)


def test_create_attached_to_a_lost_job_keeps_the_response_details(clock: FakeClock) -> None:
    answers = [status(OLD), NotFoundError("unknown job", details=("evidence",))]
    bench, _ = scripted(clock, jobs=[[OLD]], create_job=BUSY, job=answers)
    ended = run(bench, plan(if_running="attach"))
    assert ended.error is not None
    assert (ended.error.exit_code, ended.error.details) == (9, ("evidence",))

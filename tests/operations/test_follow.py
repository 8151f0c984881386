"""Following a job: its state decides, errors are survived, and each way to end has its own error."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from backupctl.errors import (
    ApplianceAnswerError,
    ApplianceUnreachableError,
    AuthenticationError,
    AuthorizationError,
    BackupctlError,
    BackupFailedError,
    BugError,
    CertificateError,
    InterruptedRunError,
    NotFoundError,
    NotSupportedError,
    PinMismatchError,
    ServerFaultError,
    StalledError,
    TimedOutError,
)
from backupctl.models import BackupJobStatus, JobDetails
from backupctl.operations.follow import Follower, Timeouts, Update, follow, job_failure
from backupctl.operations.poll_interval import PollSchedule
from backupctl.results.events import Progressed, Recovered, Retrying
from backupctl.results.job import RECONCILIATION_ID, RESTORE_ID, Job, Message
from backupctl.scheduler.workers import DoneCallback
from tests import wording
from tests.support.clock import START, FakeClock
from tests.support.operation_bench import NAME, scripted
from tests.support.workers import TimedWorkers

ID = "20260301-020000-1"
END = datetime(2026, 3, 1, 3, tzinfo=UTC)
DROPPED = ApplianceUnreachableError("dropped", certain=False, retryable=True)
FAULT = ServerFaultError("html 503", certain=False, retryable=True)
GONE = NotFoundError("unknown job", details=("evidence",))
NO_ROUTE = NotSupportedError("no such path", certain=False)
DENIED = AuthorizationError("403")


def job(state: str = "INPROGRESS", progress: int | None = 10, **fields: Any) -> Job:
    return Job(id=ID, state=state, progress=progress, **fields)


class Following:
    """A follower that handles responses at given times (seconds from its start)."""

    def __init__(self, first: Job | None = None, **timeouts: Any) -> None:
        chosen = Timeouts(**timeouts)
        self.follower = Follower(NAME, first or job(), chosen, deadline=chosen.timeout, now=0.0)

    def handle(self, now: float, answer: Job | BackupctlError) -> Update:
        return self.follower.update(now, START + timedelta(seconds=now), answer)

    def ends(self, now: float, answer: Job | BackupctlError) -> type[BackupctlError] | None:
        step = self.handle(now, answer)
        assert step.end is not None
        return None if step.end.error is None else type(step.end.error)

    @property
    def next_poll_at(self) -> float:
        return self.follower.next_poll_at


def kinds(step: Update) -> list[type]:
    return [type(event) for event in step.events]


# The state decides


@pytest.mark.parametrize(
    ("seen", "ends", "error"),
    [
        (job("SUCCEEDED", 100, end_time=END), True, None),
        (job("SUCCEEDED", 40), True, None),
        (job("FAILED", 40), True, BackupFailedError),
        (job("FAILED", 100), True, BackupFailedError),
        (job("INPROGRESS", 100), False, None),
        (job("INPROGRESS", 100, end_time=END), False, None),
        (job("NONE", None), False, None),
        (job("NONE", 100), False, None),
        (job("NONE", 100, end_time=END), True, BackupFailedError),
        (job("PAUSED", 100), False, None),
        (job("PAUSED", 50, end_time=END), True, BackupFailedError),
        (job("", 50), False, None),
    ],
    ids=lambda value: f"{value.state}-{value.progress}" if isinstance(value, Job) else "",
)
def test_state_decides_whether_and_how_following_ends(
    seen: Job, ends: bool, error: type[BackupctlError] | None
) -> None:
    step = Following().handle(10, seen)
    assert (step.end is not None) == ends
    if step.end is not None:
        assert step.end.value == seen
        assert (type(step.end.error) if step.end.error else None) is error


def test_error_of_a_failed_job_names_its_id_its_state_and_the_log() -> None:
    end = Following().handle(10, job("FAILED")).end
    assert end is not None
    assert end.error is not None
    assert (end.error.facts.server, end.error.facts.job, "FAILED" in end.error.message) == (NAME, ID, True)
    assert "backup.log" in (end.error.hint or "")


@pytest.mark.parametrize(("percent", "cause"), [(10, "failing at 10 % often means"), (11, "does not say why")])
def test_error_of_a_failed_job_hints_at_the_cause_for_its_progress(percent: int, cause: str) -> None:
    message = Message(id="m", default_message="BackupManager encountered an exception.")
    assert cause in (job_failure(NAME, job("FAILED", percent, messages=(message,))).hint or "")


@pytest.mark.parametrize("job_id", [RESTORE_ID, RECONCILIATION_ID])
def test_error_of_a_failed_restore_names_the_log_folder(job_id: str) -> None:
    hint = job_failure(NAME, Job(id=job_id, state="FAILED")).hint
    assert hint == "see the logs in /var/log/vmware/applmgmt on the appliance"


# Events


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        ({}, False),
        ({"progress": 11}, True),
        ({"state": "PAUSED"}, True),
        ({"size_bytes": 5}, True),
        ({"messages": (Message(id="m", default_message="Slow."),)}, True),
        ({"duration_seconds": 7}, False),
    ],
)
def test_job_is_shown_when_it_changes(change: dict[str, Any], shown: bool) -> None:
    assert (kinds(Following().handle(5, job(**{"progress": 10, **change}))) == [Progressed]) == shown


def test_unchanged_job_is_shown_every_five_minutes() -> None:
    following = Following()
    shown = [now for now in range(10, 1000, 10) if Progressed in kinds(following.handle(now, job()))]
    assert shown == [300, 600, 900]


def test_change_restarts_the_five_minutes() -> None:
    following = Following()
    following.handle(200, job(progress=20))
    shown = [now for now in range(210, 600, 10) if Progressed in kinds(following.handle(now, job(progress=20)))]
    assert shown == [500]


def test_error_is_shown_once_for_each_type_in_fifteen_minutes() -> None:
    following = Following()
    answers: list[Job | BackupctlError] = [DROPPED, DROPPED, FAULT, DROPPED, FAULT, job(), job(), DROPPED, job()]
    steps = [following.handle(now, answer) for now, answer in enumerate(answers)]
    shown = [kinds(step) for step in steps]
    troubles = [event.error.message for step in steps for event in step.events if isinstance(event, Retrying)]
    assert troubles == ["dropped", "html 503"]
    assert shown == [[Retrying], [], [Retrying], [], [], [Recovered], [], [], []]
    assert kinds(following.handle(7 + 900, DROPPED)) == [Retrying]
    assert Recovered in kinds(following.handle(7 + 901, job()))


def test_recovery_is_shown_before_the_end() -> None:
    following = Following()
    following.handle(5, DROPPED)
    step = following.handle(6, job("SUCCEEDED", 100))
    assert (kinds(step), step.end is not None) == ([Recovered, Progressed], True)


# Polls


def test_polls_follow_the_interval() -> None:
    following = Following(interval=30)
    assert following.next_poll_at == 30
    following.handle(31, job(progress=50))
    assert following.next_poll_at == 61


def test_polls_follow_the_poll_schedule() -> None:
    following, schedule = Following(), PollSchedule()
    schedule.observe(0, 10)
    for now, progress in ((60, 30), (120, 50), (180, 70)):
        following.handle(now, job(progress=progress))
        schedule.observe(now, progress)
        assert following.next_poll_at == now + schedule.next_interval(now)


def test_polls_back_off_after_errors_and_return_to_the_interval() -> None:
    following, now, intervals = Following(interval=10), 0.0, []
    for _ in range(8):
        following.handle(now, DROPPED)
        intervals.append(following.next_poll_at - now)
        now = following.next_poll_at
    following.handle(now, job())
    assert intervals == [10, 10, 10, 10, 16, 30, 30, 30]
    assert following.next_poll_at - now == 10
    following.handle(now, DROPPED)
    assert following.next_poll_at - now == 10


def test_next_poll_is_never_after_the_deadline_or_the_stall_timeout() -> None:
    assert Following(interval=600, timeout=100).next_poll_at == 100
    assert Following(interval=600, stall_timeout=50).next_poll_at == 50


# Timeouts


@pytest.mark.parametrize(
    ("last", "error", "code"),
    [
        (job(), TimedOutError, 8),
        (job("NONE"), TimedOutError, 8),
        (DROPPED, ApplianceUnreachableError, 5),
        (FAULT, ApplianceUnreachableError, 5),
        (GONE, ApplianceUnreachableError, 5),
    ],
)
def test_deadline_is_timed_out_after_a_response_and_unreachable_after_an_error(
    last: Job | BackupctlError, error: type[BackupctlError], code: int
) -> None:
    following = Following(timeout=100)
    assert following.handle(99, last).end is None
    assert following.ends(100, last) is error
    assert error.exit_code == code


def test_success_after_the_deadline_is_a_success() -> None:
    assert Following(timeout=100).ends(500, job("SUCCEEDED")) is None


def test_stall_is_counted_from_the_last_change() -> None:
    following = Following(stall_timeout=100)
    following.handle(90, job(progress=11))
    assert following.handle(189, job(progress=11)).end is None
    end = following.handle(190, job(progress=11)).end
    assert end is not None
    assert type(end.error) is StalledError
    assert (end.error.facts.server, end.error.facts.job, "11 %" in end.error.message) == (NAME, ID, True)


def test_stall_without_responses_is_unreachable() -> None:
    following = Following(stall_timeout=100)
    assert following.handle(99, DROPPED).end is None
    assert following.ends(100, DROPPED) is ApplianceUnreachableError


def test_stall_is_a_timeout_with_a_slug_of_its_own() -> None:
    assert (StalledError.exit_code, StalledError.slug, TimedOutError.slug) == (8, "stalled", "timed-out")


# A job that is not found


def test_job_that_is_not_found_for_five_minutes_is_lost() -> None:
    following = Following()
    assert following.handle(1000, GONE).end is None
    assert following.handle(1299, GONE).end is None
    end = following.handle(1300, GONE).end
    assert end is not None
    assert (type(end.error), end.value) == (BackupFailedError, job())
    assert str(end.error) == f"backup job {ID} disappeared from {NAME}, perhaps in a reboot"
    assert end.error is not None
    assert end.error.details == GONE.details == ("evidence",)


@pytest.mark.parametrize("outage", [NO_ROUTE, NotFoundError("a proxy does not know it", certain=False)])
def test_uncertain_not_found_does_not_end_following(outage: BackupctlError) -> None:
    following = Following()
    assert following.handle(1000, outage).end is None
    assert following.handle(1300, outage).end is None


@pytest.mark.parametrize("between", [job(), DROPPED, FAULT])
def test_job_that_is_found_in_between_is_not_lost(between: Job | BackupctlError) -> None:
    following = Following()
    following.handle(1000, GONE)
    following.handle(1200, between)
    assert following.handle(1400, GONE).end is None
    assert following.handle(1699, GONE).end is None
    assert following.ends(1700, GONE) is BackupFailedError


# Final and temporary errors


@pytest.mark.parametrize(
    ("error", "final"),
    [
        (AuthenticationError("401"), True),
        (CertificateError("another certificate"), True),
        (DENIED, True),
        (AuthorizationError("an HTML 403", certain=False), False),
        (ApplianceAnswerError("400"), True),
        (ApplianceAnswerError("429", retryable=True), False),
        (ApplianceAnswerError("odd JSON", certain=False, retryable=True), False),
        (ApplianceAnswerError("a redirect", certain=False), False),
        (ServerFaultError("500 ERROR"), False),
        (FAULT, False),
        (DROPPED, False),
        (ApplianceUnreachableError("refused"), False),
        (GONE, False),
        (NO_ROUTE, False),
    ],
    ids=lambda value: value.message if isinstance(value, BackupctlError) else "",
)
def test_error_ends_following_only_if_polling_again_is_useless(error: BackupctlError, final: bool) -> None:
    step = Following().handle(10, error)
    assert (step.end is not None) == final
    if step.end is not None:
        assert (type(step.end.error), step.end.value) == (type(error), job())


# The task


def status(state: str = "INPROGRESS", progress: float = 10, **fields: Any) -> BackupJobStatus:
    return BackupJobStatus(id=ID, state=state, progress=progress, **fields)


def hanging(clock: FakeClock) -> Callable[..., BackupctlError]:
    """Return a response that is abandoned before it arrives."""

    def hang(*_: object) -> BackupctlError:
        clock.sleep(305)
        return DROPPED

    return hang


class RecordingWorkers(TimedWorkers):
    """Workers that note which calls let others go first."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock)
        self.low_priority: list[bool] = []

    def submit(
        self, function: Callable[[], Any], on_done: DoneCallback, *, low_priority: bool = False
    ) -> Callable[[], None]:
        self.low_priority.append(low_priority)
        return super().submit(function, on_done, low_priority=low_priority)


DETAILS = {ID: JobDetails(status="SUCCEEDED", type="MANUAL", location="sftp://h/d", size=7)}


def test_follow_polls_until_the_end_and_reads_the_details(clock: FakeClock) -> None:
    bench, api = scripted(clock, job=[status(), status(), status("SUCCEEDED", 100)], job_details=DETAILS)
    ended = bench.run(follow(bench.appliance, job(), Timeouts(interval=10)))
    assert ended.error is None
    assert (ended.value.state, ended.value.size_bytes, ended.value.location) == ("SUCCEEDED", 7, "sftp://h/d")
    assert list(zip(api.names(), api.moments, strict=True)) == [
        ("job", 10),
        ("job_details", 10),
        ("job", 20),
        ("job", 30),
        ("job_details", 30),
    ]


def test_follow_reads_the_details_of_a_running_job_once_a_minute(clock: FakeClock) -> None:
    bench, api = scripted(clock, job=[*[status()] * 19, status("SUCCEEDED", 100)], job_details=DETAILS)
    bench.run(follow(bench.appliance, job(), Timeouts(interval=10)))
    moments = [moment for name, moment in zip(api.names(), api.moments, strict=True) if name == "job_details"]
    assert moments == [10, 70, 130, 190, 200]


def test_follow_retries_the_final_details(clock: FakeClock) -> None:
    bench, _ = scripted(clock, job=status("SUCCEEDED", 100), job_details=[DROPPED, FAULT, DETAILS])
    ended = bench.run(follow(bench.appliance, job(), Timeouts(interval=10)))
    assert (ended.error, ended.value.size_bytes, clock.elapsed) == (None, 7, 13)


@pytest.mark.parametrize("missing", [NotSupportedError("6.5"), ServerFaultError("500"), DROPPED, {}])
def test_follow_ends_without_details_if_there_are_none(missing: Any, clock: FakeClock) -> None:
    bench, _ = scripted(clock, job=status("SUCCEEDED", 100), job_details=missing)
    ended = bench.run(follow(bench.appliance, job(), Timeouts(interval=10)))
    assert (ended.error, ended.value.state, ended.value.size_bytes) == (None, "SUCCEEDED", None)
    assert clock.elapsed < 30


def test_follow_has_no_attach_command_for_a_failed_job(clock: FakeClock) -> None:
    bench, _ = scripted(clock, job=status("FAILED"), job_details={})
    ended = bench.run(follow(bench.appliance, job(), Timeouts(interval=10)))
    assert ended.error is not None
    assert (ended.error.exit_code, ended.error.attach) == (7, None)


def test_follow_interrupted_during_the_final_details_reports_the_end(clock: FakeClock) -> None:
    bench, _ = scripted(clock, job=status("SUCCEEDED", 100), job_details=DROPPED)
    ended = bench.run(follow(bench.appliance, job(), Timeouts(interval=10)), interrupt_at=[10.5])
    assert (ended.error, ended.value.state, clock.elapsed) == (None, "SUCCEEDED", 10.5)


def test_follow_interrupted_detaches_with_an_attach_command(clock: FakeClock) -> None:
    bench, _ = scripted(clock, job=status(progress=33), job_details=DETAILS)
    ended = bench.run(follow(bench.appliance, job(), Timeouts(interval=10)), interrupt_at=[25])
    assert isinstance(ended.error, InterruptedRunError)
    assert (ended.error.facts.job, ended.error.facts.server, ended.error.attach) == (ID, NAME, f"watch {ID}")
    assert (ended.value.progress, clock.elapsed) == (33, 25)


SEEN_RUNNING = wording.STILL_RUNNING(ID, NAME)


@pytest.mark.parametrize(
    ("answers", "error", "said"),
    [
        ([status()], TimedOutError, wording.TIMED_OUT(ID, NAME)),
        ([DROPPED], ApplianceUnreachableError, f"cannot read the state of backup job {ID} on {NAME}: dropped"),
        ([DENIED], AuthorizationError, SEEN_RUNNING),
        (
            [PinMismatchError.of(NAME, "sha256:00", "sha256:11", selector=("-s", "vc01"))],
            PinMismatchError,
            SEEN_RUNNING,
        ),
        ([KeyError("bug")], BugError, SEEN_RUNNING),
    ],
)
def test_follow_that_gives_up_reports_a_running_job_and_its_attach_command(
    answers: list[Any], error: type[BackupctlError], said: str, clock: FakeClock
) -> None:
    bench, _ = scripted(clock, job=answers, job_details={})
    ended = bench.run(follow(bench.appliance, job(), Timeouts(timeout=60)))
    assert type(ended.error) is error
    assert said in (ended.error.message, *ended.error.details)
    assert ended.error.attach == f"watch {ID}"


@pytest.mark.parametrize("kind", [AuthorizationError, ServerFaultError])
def test_follow_that_gives_up_keeps_the_response_details(kind: type[BackupctlError], clock: FakeClock) -> None:
    bench, _ = scripted(clock, job=kind("403", details=("evidence",)))
    ended = bench.run(follow(bench.appliance, job(), Timeouts(timeout=60, interval=10)))
    assert ended.error is not None
    assert ended.error.details[0] == "evidence"


def test_follow_never_loses_progress_or_messages(clock: FakeClock) -> None:
    bench, _ = scripted(clock, job=[status(progress=60), status(progress=0), status("FAILED", 0)], job_details={})
    first = job(progress=10, messages=(Message(id="m", default_message="Slow."),))
    ended = bench.run(follow(bench.appliance, first, Timeouts(interval=10)))
    assert (ended.value.progress, ended.value.messages) == (60, first.messages)
    assert [event.job.progress for event in bench.events_of(Progressed)] == [60, 60]


@pytest.mark.parametrize(("seconds", "expected"), [(0, [10, 20]), (40, [10, 60]), (90, [10, 110]), (91, [10, 101])])
def test_follow_polls_again_at_once_only_after_a_suspension(
    seconds: float, expected: list[float], clock: FakeClock
) -> None:
    answers = iter((seconds, 0.0))

    def slow(*_: object) -> BackupJobStatus:
        waited = next(answers)
        clock.sleep(waited)
        if waited == seconds and len(api.moments) == 1:
            raise DROPPED
        return status("SUCCEEDED", 100)

    bench, api = scripted(clock, job=slow, job_details={})
    bench.run(follow(bench.appliance, job(), Timeouts(interval=10)))
    sent_at = [moment for name, moment in zip(api.names(), api.moments, strict=True) if name == "job"]
    assert sent_at == expected


def test_follow_waits_for_a_slow_response(clock: FakeClock) -> None:
    def slow(*_: object) -> BackupJobStatus:
        clock.sleep(25)
        return status("SUCCEEDED", 100)

    bench, _ = scripted(clock, job=slow, job_details={})
    ended = bench.run(follow(bench.appliance, job(), Timeouts(interval=10)))
    assert (ended.error, clock.elapsed, bench.events_of(Retrying)) == (None, 35, [])


def test_follow_abandons_each_request_at_the_deadline(clock: FakeClock) -> None:
    bench, _ = scripted(clock, job=hanging(clock))
    ended = bench.run(follow(bench.appliance, job(), Timeouts(timeout=100, interval=10)))
    assert type(ended.error) is ApplianceUnreachableError
    assert clock.elapsed == 100


@pytest.mark.parametrize(("state", "code"), [("INPROGRESS", 8), ("SUCCEEDED", 0)])
def test_follow_abandons_details_that_hang_at_the_deadline(state: str, code: int, clock: FakeClock) -> None:
    bench, api = scripted(clock, job=status(state), job_details=hanging(clock))
    ended = bench.run(follow(bench.appliance, job(), Timeouts(timeout=100, interval=60)))
    assert (ended.error.exit_code if ended.error else 0, clock.elapsed) == (code, 100)
    last_poll = ["job"] if state == "INPROGRESS" else []  # details that are no longer needed do not hold it up
    assert api.names() == ["job", "job_details", *last_poll]


def test_follow_polls_with_low_priority(clock: FakeClock) -> None:
    workers = RecordingWorkers(clock)
    bench, api = scripted(clock, job=[status(), status("SUCCEEDED")], job_details=DETAILS)
    bench.run(follow(bench.appliance, job(), Timeouts(interval=10)), workers=workers)
    requests = list(zip(api.names(), workers.low_priority, strict=True))
    assert requests == [("job", True), ("job_details", True), ("job", True), ("job_details", False)]

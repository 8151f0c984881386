"""One appliance from login to logout: errors become results, and the session is always logged out."""

import queue
from collections.abc import Callable
from typing import Any, TypeVar

import pytest
from msgspec import structs

from backupctl.errors import (
    ApplianceAnswerError,
    ApplianceUnreachableError,
    AuthenticationError,
    AuthorizationError,
    BackupctlError,
    BackupFailedError,
    NotSupportedError,
    ServerFaultError,
)
from backupctl.location import Location
from backupctl.models import BackupRequest, SystemVersion
from backupctl.operations.appliance_run import run_on
from backupctl.operations.create import BackupPlan, create
from backupctl.operations.follow import Timeouts
from backupctl.operations.outcome import Outcome
from backupctl.operations.watch import watch
from backupctl.results.backup_results import JobResult, JobsResult
from backupctl.results.events import Connected, RunEvent
from backupctl.results.job import Job
from backupctl.results.result import Result
from backupctl.scheduler.scheduler import Interruption, Scheduler
from backupctl.scheduler.task import Call, Task, Wait
from tests import wording
from tests.support.clock import FakeClock
from tests.support.operation_bench import Bench, ScriptedRecovery, scripted, simulated
from tests.support.scripted_transport import HOST
from tests.support.workers import TimedWorkers

R = TypeVar("R", bound=Result)

CONNECTION_LOST = ApplianceUnreachableError("dropped", certain=False, retryable=True)
JOB = Job(id="20260301-020000-1", state="SUCCEEDED")
VERSION = SystemVersion(version="8.0.2.00100")


def scripted_bench(clock: FakeClock, **answers: Any) -> tuple[Bench, ScriptedRecovery]:
    return scripted(clock, **{"version": VERSION, "log_out": None} | answers)


def done(result: R) -> Task[Outcome[R]]:
    yield from ()
    return Outcome(result)


def raising(error: BaseException) -> Task[Outcome[R]]:
    yield from ()
    raise error


def waiting(clock: FakeClock, seconds: float) -> Task[Outcome[Result]]:
    yield Wait(clock.monotonic() + seconds)
    return Outcome(Result())


def shielded(clock: FakeClock, seconds: float) -> Task[Outcome[Result]]:
    yield Call(lambda: clock.sleep(seconds), shielded=True)
    return Outcome(Result())


class HangingWorkers:
    """Workers that never complete a call."""

    def submit(self, function: object, on_done: object, *, low_priority: bool = False) -> Callable[[], None]:
        return lambda: None


@pytest.mark.parametrize(("timeout", "seconds"), [(60, 60), (0, 10)])
def test_run_waits_for_the_first_response_until_its_timeout(timeout: float, seconds: float, clock: FakeClock) -> None:
    bench, _ = scripted_bench(clock)
    scheduler: Scheduler[JobResult] = Scheduler(clock, HangingWorkers(), queue.SimpleQueue())
    (result,) = scheduler.run([run_on(bench.appliance, JobResult, done(JobResult()), timeout=timeout)])
    assert (result.exit_code, clock.elapsed) == (5, seconds + 5)


@pytest.mark.parametrize("job_id", ["latest", JOB.id])
@pytest.mark.parametrize(("timeout", "seconds"), [(60, 60), (0, 10)])
def test_watch_waits_for_the_first_response_until_its_timeout(
    job_id: str, timeout: float, seconds: float, clock: FakeClock
) -> None:
    bench, _ = scripted_bench(clock)
    scheduler: Scheduler[Outcome[Job]] = Scheduler(clock, HangingWorkers(), queue.SimpleQueue())
    with pytest.raises(ApplianceUnreachableError, match=wording.NO_RESPONSE_IN_TIME):
        scheduler.run([watch(bench.appliance, job_id, Timeouts(timeout=timeout))])
    assert clock.elapsed == seconds


def test_watch_with_refused_connections_ends_at_its_timeout(clock: FakeClock) -> None:
    bench, _ = scripted_bench(clock, jobs=CONNECTION_LOST)
    with pytest.raises(ApplianceUnreachableError, match="dropped"):
        bench.run(watch(bench.appliance, "latest", Timeouts(timeout=12)))
    assert clock.elapsed <= 12


def test_run_returns_the_result_of_the_work_and_logs_out(clock: FakeClock) -> None:
    bench, api = scripted_bench(clock)
    result = bench.run(run_on(bench.appliance, JobsResult, done(JobsResult(jobs=(JOB,)))))
    assert result == JobsResult(server="vc01", host=HOST, api="api", release="8.0.2.00100", jobs=(JOB,))
    assert api.names() == ["version", "log_out", "close"]
    (connected,) = bench.events_of(Connected)
    assert (connected.host, connected.api, connected.release) == (HOST, "api", "8.0.2.00100")


@pytest.mark.parametrize(
    "error", [BackupFailedError("failed", hint="h", details=["d"]), CONNECTION_LOST, AuthorizationError("403")]
)
def test_run_returns_an_error_in_the_result_and_logs_out(error: BackupctlError, clock: FakeClock) -> None:
    bench, api = scripted_bench(clock)
    result = bench.run(run_on(bench.appliance, JobResult, raising(error)))
    assert (result.exit_code, result.error, result.job) == (error.exit_code, error, None)
    assert api.names()[-2:] == ["log_out", "close"]


def test_run_returns_the_job_with_its_error(clock: FakeClock) -> None:
    bench, _ = scripted_bench(clock)
    failed = BackupFailedError("failed")

    def work() -> Task[Outcome[JobResult]]:
        yield from ()
        return Outcome(JobResult(job=JOB), failed)

    result = bench.run(run_on(bench.appliance, JobResult, work()))
    assert (result.job, result.exit_code, result.error) == (JOB, 7, failed)


def test_run_with_a_bug_logs_out_and_returns_exit_code_1(clock: FakeClock) -> None:
    bench, api = scripted_bench(clock)
    result = bench.run(run_on(bench.appliance, Result, raising(ZeroDivisionError("secret"))))
    assert (result.exit_code, result.error and result.error.slug) == (1, "bug")
    assert "ZeroDivisionError" in str(result.error)
    assert "secret" not in str(result.error)
    assert api.names()[-2:] == ["log_out", "close"]


@pytest.mark.parametrize("work", [waiting, shielded])
def test_run_interrupted_logs_out(work: Callable[[FakeClock, float], Task[Outcome[Result]]], clock: FakeClock) -> None:
    bench, api = scripted_bench(clock)
    result = bench.run(run_on(bench.appliance, Result, work(clock, 8)), interrupt_at=[3])
    assert api.names()[-2:] == ["log_out", "close"]
    assert result.exit_code == (130 if work is waiting else 0)


def test_run_interrupted_during_logout_completes_the_logout(clock: FakeClock) -> None:
    bench, api = scripted_bench(clock, log_out=lambda: clock.sleep(3))
    result = bench.run(run_on(bench.appliance, Result, done(Result())), interrupt_at=[1])
    assert (api.names()[-2:], result.exit_code) == (["log_out", "close"], 0)


def test_run_interrupted_during_login_returns_exit_code_130(clock: FakeClock) -> None:
    bench, api = scripted_bench(clock, version=CONNECTION_LOST)
    result = bench.run(run_on(bench.appliance, Result, done(Result())), interrupt_at=[0.5])
    assert (result.exit_code, api.names()[-2:]) == (130, ["log_out", "close"])


@pytest.mark.parametrize(
    "error", [CONNECTION_LOST, ServerFaultError("503", retryable=True), AuthenticationError("401")]
)
def test_run_with_a_failed_logout_still_succeeds(error: BackupctlError, clock: FakeClock) -> None:
    bench, api = scripted_bench(clock, log_out=error)
    result = bench.run(run_on(bench.appliance, Result, done(Result())))
    assert (result.exit_code, result.error) == (0, None)
    assert api.names()[-2:] == ["log_out", "close"]


def test_run_with_a_bug_in_the_logout_keeps_its_result(clock: FakeClock) -> None:
    bench, _ = scripted_bench(clock, log_out=RuntimeError("a bug"))
    assert bench.run(run_on(bench.appliance, JobsResult, done(JobsResult()))).exit_code == 0


def test_run_waits_five_seconds_for_a_hanging_logout(clock: FakeClock) -> None:
    class HangingLogout(TimedWorkers):
        def submit(
            self, function: Callable[[], Any], on_done: Any, *, low_priority: bool = False
        ) -> Callable[[], None]:
            if "log_out" in getattr(function, "__qualname__", ""):
                return lambda: None
            return super().submit(function, on_done, low_priority=low_priority)

    bench, _ = scripted_bench(clock)
    scheduler: Scheduler[Result] = Scheduler(clock, HangingLogout(clock), queue.SimpleQueue[Any]())
    (result,) = scheduler.run([run_on(bench.appliance, Result, done(Result()))])
    assert (result.exit_code, clock.elapsed) == (0, 5)


@pytest.mark.parametrize(
    "error",
    [
        AuthorizationError("403"),
        NotSupportedError("404"),
        ApplianceAnswerError("400"),
        ApplianceAnswerError("no version in it", certain=False, retryable=True),
        ServerFaultError("500"),
    ],
)
def test_run_continues_if_the_release_cannot_be_read(error: BackupctlError, clock: FakeClock) -> None:
    bench, _ = scripted_bench(clock, version=error)
    result = bench.run(run_on(bench.appliance, JobResult, done(JobResult(job=JOB))))
    assert (result.exit_code, result.release, result.job) == (0, None, JOB)
    assert bench.kinds[-1] == "Connected"


@pytest.mark.parametrize(
    ("error", "code"),
    [(AuthenticationError("401"), 4), (CONNECTION_LOST, 5), (ServerFaultError("503", retryable=True), 6)],
)
def test_run_ends_if_the_login_fails(error: BackupctlError, code: int, clock: FakeClock) -> None:
    bench, api = scripted_bench(clock, version=error)
    result = bench.run(run_on(bench.appliance, Result, raising(AssertionError("work was started"))))
    assert (result.exit_code, bench.events_of(Connected)) == (code, [])
    assert api.names()[-2:] == ["log_out", "close"]
    assert clock.elapsed <= 30


@pytest.mark.parametrize(
    "error", [NotSupportedError("no login here"), AuthorizationError("403"), ServerFaultError("500")]
)
def test_run_without_login_emits_no_connected_event(error: BackupctlError, clock: FakeClock) -> None:
    bench, api = scripted_bench(clock, version=error)
    api.family = None
    result = bench.run(run_on(bench.appliance, Result, raising(AssertionError("work was started"))))
    assert (result.error, bench.kinds) == (error, [])


REQUEST = BackupRequest(
    parts=("common",), location_type="SFTP", location=Location.parse("sftp://backup.example.com/vcenter")
)


@pytest.mark.parametrize(
    ("faults", "interrupt_at", "code"),
    [
        ([], [], 0),
        (["fail-at=40"], [], 7),
        (["busy"], [], 9),
        (["forbidden"], [], 4),
        (["lost-create-request"], [], 5),
        (["lost-create-answer"], [], 0),
        (["drop=%3@poll"], [], 0),
        (["html-503=%4@poll"], [], 0),
        (["session-expires-after=20s"], [], 0),
        (["reboot-at=50:60s"], [], 0),
        ([], [20], 130),
        (["lost-create-request"], [20], 130),
        (["lost-create-request"], [55], 5),
        (["slow=3s"], [1], 130),
    ],
    ids=str,
)
def test_run_leaves_no_session_open(faults: list[str], interrupt_at: list[float], code: int, clock: FakeClock) -> None:
    bench, simulator = simulated(clock, job_duration=60, faults=faults)

    def work() -> Task[Outcome[JobResult]]:
        ended = yield from create(bench.appliance, BackupPlan(REQUEST, Timeouts()))
        return Outcome(JobResult(job=ended.value), ended.error)

    result = bench.run(run_on(bench.appliance, JobResult, work()), interrupt_at=interrupt_at)
    assert (result.exit_code, simulator.open_sessions) == (code, 0)


def test_run_on_many_appliances_is_interrupted_on_all_at_once(clock: FakeClock) -> None:
    benches = [simulated(clock, job_duration=600) for _ in range(5)]

    def work(bench: Bench) -> Task[Outcome[JobResult]]:
        ended = yield from create(bench.appliance, BackupPlan(REQUEST, Timeouts()))
        return Outcome(JobResult(job=ended.value), ended.error)

    mailbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
    clock.at(100, lambda: mailbox.put(Interruption()))
    scheduler: Scheduler[JobResult] = Scheduler(clock, TimedWorkers(clock), mailbox)
    results = scheduler.run([run_on(bench.appliance, JobResult, work(bench)) for bench, _ in benches])
    assert [result.exit_code for result in results] == [130] * 5
    assert [simulator.open_sessions for _, simulator in benches] == [0] * 5
    assert clock.elapsed == 100


def test_bug_while_showing_an_event_keeps_result_and_logout(clock: FakeClock) -> None:
    def show(_: RunEvent) -> None:
        raise ZeroDivisionError

    bench, api = scripted_bench(clock)
    appliance = structs.replace(bench.appliance, show=show)
    result = bench.run(run_on(appliance, JobResult, done(JobResult(job=JOB))))
    assert (result.exit_code, result.job) == (0, JOB)
    assert api.names()[-2:] == ["log_out", "close"]


def test_bug_while_masking_a_result_is_its_error(clock: FakeClock) -> None:
    def redact(text: str, *, skip_common_words: bool = False) -> str:
        raise ZeroDivisionError

    bench, api = scripted_bench(clock)
    api.redact = redact  # type: ignore[method-assign]
    result = bench.run(run_on(bench.appliance, JobResult, done(JobResult(job=JOB))))
    assert (result.server, result.exit_code, result.job) == (bench.appliance.name, 1, None)
    assert "ZeroDivisionError" in str(result.error and result.error.message)

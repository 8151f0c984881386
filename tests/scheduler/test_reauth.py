"""Reauthentication: one new login after a session has expired, and the same request again."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from msgspec import structs

from backupctl.api.recovery_api import RecoveryApi
from backupctl.errors import ApplianceUnreachableError, SessionExpiredError
from backupctl.models import BackupJobStatus, BackupRequest, SystemVersion
from backupctl.operations.appliance_run import run_on
from backupctl.operations.outcome import Outcome
from backupctl.results.backup_results import JobResult, JobsResult
from backupctl.results.job import Job
from backupctl.scheduler.coordinator import Coordinator
from backupctl.scheduler.login_limiter import MAX_CONCURRENT_LOGINS
from backupctl.scheduler.task import Task, call
from backupctl.scheduler.workers import DoneCallback
from backupctl.simulator.simulated_appliance import SimulatedAppliance
from tests.support.clock import FakeClock
from tests.support.operation_bench import scripted
from tests.support.simulated_fleet import SimulatedFleet
from tests.support.workers import TimedWorkers

EXPIRED = SessionExpiredError(
    "vc01.example.com accepted the login but denied the request to list the backup jobs (401)"
)

A_FEW_AND_FORTY = pytest.mark.parametrize("size", [3, pytest.param(40, marks=pytest.mark.exhaustive)])


def expire(simulated: SimulatedAppliance, password: str | None = None) -> None:
    """End all sessions of an appliance, and change its password."""
    simulated.sessions.close_before(float("inf"))
    simulated.sessions.password = password or simulated.sessions.password


def jobs_of(api: RecoveryApi) -> Task[Outcome[JobsResult]]:
    return Outcome(JobsResult(jobs=tuple(Job(id=each, state="") for each in (yield from call(api.jobs)))))


def test_start_in_an_expired_session_is_repeated_with_the_same_body(clock: FakeClock) -> None:
    fleet = SimulatedFleet(clock, 1)
    simulated, asked = fleet.simulated["vc1"], list[BackupRequest]()

    def start(api: RecoveryApi, request: BackupRequest) -> BackupJobStatus:
        if not asked:
            expire(simulated)
        asked.append(request)
        return api.create_job(request)

    fleet.plan = structs.replace(fleet.plan, start=start)
    assert fleet.run(Coordinator(fleet.appliances))["vc1"].exit_code == 0
    assert (fleet.jobs, len(asked), asked[0] is asked[1]) == (1, 2, True)
    assert [(each.phase, each.status) for each in simulated.requests if each.phase in {"login", "create"}] == [
        ("login", 201),
        ("create", 401),
        ("login", 201),
        ("create", 201),
    ]


def test_session_that_is_rejected_right_after_its_login_is_not_opened_again(clock: FakeClock) -> None:
    bench, api = scripted(clock, version=SystemVersion(version="8.0.2.00100"), jobs=EXPIRED, log_out=None)
    result = bench.run(run_on(bench.appliance, JobsResult, jobs_of(bench.appliance.api)))
    assert (result.exit_code, result.error) == (4, EXPIRED)
    assert api.names().count("jobs") == 2


def test_interruption_during_a_start_in_an_expired_session_starts_no_backup(clock: FakeClock) -> None:
    fleet = SimulatedFleet(clock, 1)
    simulated = fleet.simulated["vc1"]

    def start(api: RecoveryApi, request: BackupRequest) -> BackupJobStatus:
        if clock.elapsed < 5:
            expire(simulated)
            clock.sleep(10)
        return api.create_job(request)

    fleet.plan = structs.replace(fleet.plan, start=start)
    result = fleet.run(Coordinator(fleet.appliances), interrupt_at=5)["vc1"]
    assert (result.exit_code, result.error and result.error.certain) == (130, True)
    assert (fleet.jobs, simulated.open_sessions) == (0, 0)


@pytest.mark.parametrize("moment", [0.5, 2.5, 3, 4.5, 5, 8])
def test_interruption_during_the_search_for_a_lost_job_in_a_new_session_names_the_job(
    moment: float, clock: FakeClock
) -> None:
    fleet = SimulatedFleet(clock, 1, faults={"vc1": ["slow=2s@login"]})
    simulated = fleet.simulated["vc1"]

    def start(api: RecoveryApi, request: BackupRequest) -> BackupJobStatus:
        api.create_job(request)
        expire(simulated)
        raise ApplianceUnreachableError("the answer was lost", certain=False, retryable=True)

    fleet.plan = structs.replace(fleet.plan, start=start)
    result = fleet.run(Coordinator(fleet.appliances), interrupt_at=moment, workers=TimedWorkers(clock))["vc1"]
    assert result.error is not None
    attach = f"watch {simulated.jobs[0].job_id}" if moment > 2 else None
    assert (result.exit_code, result.error.attach, fleet.jobs) == (130, attach, int(moment > 2))
    assert simulated.open_sessions == 0


@pytest.mark.parametrize(
    ("fault", "code", "posts"), [("drop=1@login", 0, 2), ("drop@login", 5, 1), ("http-401=1@login", 4, 1)]
)
def test_start_in_an_expired_session_is_repeated_only_after_a_login_and_a_list(
    fault: str, code: int, posts: int, clock: FakeClock
) -> None:
    fleet = SimulatedFleet(clock, 1)
    simulated = fleet.simulated["vc1"]
    expired: list[str] = []

    def start(api: RecoveryApi, request: BackupRequest) -> BackupJobStatus:
        if not expired:
            expired.append("once")
            expire(simulated)
            simulated.inject(fault)
        return api.create_job(request)

    fleet.plan = structs.replace(fleet.plan, start=start)
    result = fleet.run(Coordinator(fleet.appliances))["vc1"]
    slug = {0: None, 4: "auth", 5: "outcome-unknown"}[code]
    assert (result.exit_code, result.error and result.error.slug) == (code, slug)
    phases = [request.phase for request in simulated.requests]
    assert (phases.count("create"), fleet.jobs) == (posts, int(code == 0))
    assert phases.count("list") == posts


class LateWorkers(TimedWorkers):
    """Delays each login after ``after`` seconds by half a second, and records its start and end."""

    def __init__(self, clock: FakeClock, after: float) -> None:
        super().__init__(clock)
        self.logins: list[tuple[float, float]] = []
        self._time, self._after = clock, after

    def submit(
        self, function: Callable[[], Any], on_done: DoneCallback, *, low_priority: bool = False
    ) -> Callable[[], None]:
        began = self._time.elapsed
        if began < self._after or getattr(function, "__name__", "") != "log_in":
            return super().submit(function, on_done, low_priority=low_priority)
        ends = began + 0.5
        self.logins.append((began, ends))
        begin = super().submit

        def take_effect() -> None:
            begin(function, on_done, low_priority=low_priority)

        self._time.at(ends, take_effect)
        return lambda: None


@A_FEW_AND_FORTY
def test_changed_password_fails_one_login_when_all_sessions_expire(size: int, clock: FakeClock) -> None:
    fleet, workers = SimulatedFleet(clock, size), LateWorkers(clock, after=80)
    for simulated in fleet.simulated.values():
        clock.at(80, partial(expire, simulated, "changed"))
    results = fleet.run(Coordinator(fleet.appliances), workers=workers)
    assert {result.exit_code for result in results.values()} == {4}
    assert fleet.total(lambda state: state.failed_logins) == 1
    assert {result.job.state for result in results.values() if result.job} == {"INPROGRESS"}
    first, *others = workers.logins
    assert len(others) == size - 1
    assert all(began >= first[1] for began, _ in others)


@A_FEW_AND_FORTY
def test_expired_sessions_are_opened_again_few_at_once(size: int, clock: FakeClock) -> None:
    fleet, workers = SimulatedFleet(clock, size), LateWorkers(clock, after=80)
    for simulated in fleet.simulated.values():
        clock.at(80, partial(expire, simulated))
    results = fleet.run(Coordinator(fleet.appliances), workers=workers)
    assert {result.exit_code for result in results.values()} == {0}
    again = workers.logins
    assert (len(again), fleet.jobs, fleet.total(lambda state: state.open_sessions)) == (size, size, 0)
    assert max(sum(began <= at < ended for began, ended in again) for at, _ in again) <= MAX_CONCURRENT_LOGINS
    assert sum(began < again[0][1] for began, _ in again) == 1


def test_result_names_the_running_job_when_the_new_login_is_rejected(clock: FakeClock) -> None:
    fleet = SimulatedFleet(clock, 1)
    clock.at(50, partial(expire, fleet.simulated["vc1"], "changed"))
    (result,) = fleet.run(Coordinator(fleet.appliances)).values()
    assert isinstance(result, JobResult)
    assert result.job is not None
    assert (result.exit_code, result.job.id) == (4, fleet.simulated["vc1"].jobs[0].job_id)

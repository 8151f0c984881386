"""A session that has expired: one new login, at its turn, and what was asked for once more."""

import dataclasses
from functools import partial

import pytest

from backupctl.errors import SessionExpiredError
from backupctl.models import BackupJobStatus, BackupRequest, SystemVersion
from backupctl.operations.appliance import RecoveryOperations
from backupctl.operations.create import BackupPlan
from backupctl.operations.group import Group
from backupctl.operations.run import Outcome, run_on
from backupctl.operations.task import Task, call
from backupctl.results.backup import JobResult, JobsResult
from backupctl.simulator.appliance import Appliance as Simulated
from tests.support.appliance import scripted
from tests.support.clock import FakeClock
from tests.support.fleet import SimulatedGroup
from tests.support.workers import TimedWorkers

EXPIRED = SessionExpiredError("vc01.example.com let us in, but refuses to list the backup jobs (401)")

A_FEW_AND_FORTY = pytest.mark.parametrize("size", [3, pytest.param(40, marks=pytest.mark.exhaustive)])


def expire(simulated: Simulated, password: str | None = None) -> None:
    """End all sessions of an appliance, and change its password."""
    simulated.sessions.close_before(float("inf"))
    simulated.sessions.password = password or simulated.sessions.password


def jobs_of(api: RecoveryOperations) -> Task[Outcome]:
    return Outcome({"jobs": tuple((yield from call(api.jobs)))})


def test_session_that_expires_at_the_start_of_a_backup_repeats_it_with_its_body(clock: FakeClock) -> None:
    fleet = SimulatedGroup(clock, 1)
    simulated, asked = fleet.simulated["vc1"], list[BackupRequest]()

    def start(api: RecoveryOperations, request: BackupRequest) -> BackupJobStatus:
        if not asked:
            expire(simulated)
        asked.append(request)
        return api.create_job(request)

    fleet.plan = dataclasses.replace(fleet.plan, start=start)
    assert fleet.run(Group(fleet.appliances))["vc1"].exit_code == 0
    assert (fleet.jobs, len(asked), asked[0] is asked[1]) == (1, 2, True)
    assert [(each.phase, each.status) for each in simulated.requests if each.phase in {"login", "create"}] == [
        ("login", 201),
        ("create", 401),
        ("login", 201),
        ("create", 200),
    ]


def test_session_that_is_refused_behind_its_login_is_not_opened_a_third_time(clock: FakeClock) -> None:
    bench, api = scripted(clock, version=SystemVersion(version="8.0.2.00100"), jobs=EXPIRED, log_out=None)
    result = bench.run(run_on(bench.appliance, JobsResult, jobs_of(bench.appliance.api)))
    assert (result.exit_code, result.error and result.error.message) == (4, EXPIRED.message)
    assert api.names().count("jobs") == 2


def test_interruption_that_comes_before_the_new_login_leaves_the_request_undone(clock: FakeClock) -> None:
    fleet = SimulatedGroup(clock, 1)
    simulated = fleet.simulated["vc1"]

    def start(api: RecoveryOperations, request: BackupRequest) -> BackupJobStatus:
        expire(simulated)
        clock.sleep(10)
        return api.create_job(request)

    fleet.plan = BackupPlan(fleet.plan.request, fleet.plan.patience, start=start)
    result = fleet.run(Group(fleet.appliances), interrupt_at=5)["vc1"]
    assert result.error is not None
    assert (result.exit_code, result.error.message) == (130, "interrupted (SIGINT): no backup of ours was started")
    assert (fleet.jobs, simulated.open_sessions) == (0, 0)


@A_FEW_AND_FORTY
def test_password_changed_while_all_sessions_expire_is_one_failed_login_of_the_whole_group(
    size: int, clock: FakeClock
) -> None:
    fleet = SimulatedGroup(clock, size, faults={f"vc{number}": ["slow=0.2s@login"] for number in range(1, size + 1)})
    for simulated in fleet.simulated.values():
        clock.at(50, partial(expire, simulated, "changed"))
    results = fleet.run(Group(fleet.appliances), workers=TimedWorkers(clock))
    assert {result.exit_code for result in results.values()} == {4}
    assert fleet.each(lambda state: state.failed_logins) == 1
    assert {result.job.state for result in results.values() if result.job} == {"INPROGRESS"}


@A_FEW_AND_FORTY
def test_sessions_that_expire_together_are_opened_again_and_every_backup_is_followed(
    size: int, clock: FakeClock
) -> None:
    fleet = SimulatedGroup(clock, size, faults={f"vc{number}": ["slow=0.2s@login"] for number in range(1, size + 1)})
    for simulated in fleet.simulated.values():
        clock.at(50, partial(expire, simulated))
    results = fleet.run(Group(fleet.appliances), workers=TimedWorkers(clock))
    assert {result.exit_code for result in results.values()} == {0}
    logins = fleet.each(lambda state: sum(request.phase == "login" for request in state.requests))
    assert (logins, fleet.jobs, fleet.each(lambda state: state.open_sessions)) == (2 * size, size, 0)


def test_result_names_the_job_that_goes_on_where_nobody_is_let_in_any_more(clock: FakeClock) -> None:
    fleet = SimulatedGroup(clock, 1)
    clock.at(50, partial(expire, fleet.simulated["vc1"], "changed"))
    (result,) = fleet.run(Group(fleet.appliances)).values()
    assert isinstance(result, JobResult)
    assert result.job is not None
    assert (result.exit_code, result.job.id) == (4, fleet.simulated["vc1"].jobs[0].job_id)

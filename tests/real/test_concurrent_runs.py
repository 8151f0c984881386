"""Two runs at once against one appliance: each reports the real result of the one job that can run at a time."""

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress

import pytest

from tests.support.command_line import Run
from tests.support.http_relay import HttpRelay, Moment, http_relay, jobs_of
from tests.support.processes import Program, ServedAppliance, Simulators, run_in_parallel

pytestmark = pytest.mark.real

ROUNDS = 4
BARRIER_SECONDS = 3.0
"""Seconds that a request waits for the same request of the other run."""
CREATE = "POST /api/appliance/recovery/backup/job"

MeetsAt = Callable[[HttpRelay, Moment], bool]


def at_create(relay: HttpRelay, moment: Moment) -> bool:
    return moment.stage == 0 and relay.requests[moment.number] == CREATE


def at_login(relay: HttpRelay, moment: Moment) -> bool:
    return moment.stage == 0 and relay.requests[moment.number] == "POST /api/session"


def both(program: Program, served: ServedAppliance, lines: Sequence[Sequence[str]], meets_at: MeetsAt) -> list[Run]:
    """Run two command lines that wait for each other at one request, which the relay then sends on at the same time."""
    barrier = threading.Barrier(2)
    waiting: set[int] = set()

    def act(moment: Moment) -> None:
        if len(waiting) < 2 and meets_at(relay, moment):
            waiting.add(moment.number)
            with suppress(threading.BrokenBarrierError):
                barrier.wait(BARRIER_SECONDS)

    with http_relay(served, act) as relay:
        started = [program.start(*line, environ=relay.environ) for line in lines]
        runs = [process.wait() for process in started]
    assert relay.sessions_left == 0
    return runs


@pytest.mark.parametrize(
    ("options", "codes", "jobs"),
    [((), [0, 9], 1), (("--if-running", "wait"), [0, 0], 2), (("--if-running", "attach"), [0, 0], 1)],
    ids=["fail", "wait", "attach"],
)
def test_two_concurrent_creates_start_the_requested_jobs(
    program: Program, serve: Simulators, options: tuple[str, ...], codes: list[int], jobs: int
) -> None:
    def once(served: ServedAppliance) -> tuple[object, ...]:
        runs = both(program, served, [("create", *options)] * 2, at_create)
        return (*sorted(run.code for run in runs), *(job["status"] for job in jobs_of(served)))

    outcomes = run_in_parallel(once, serve.many(ROUNDS, "--no-tls", seconds="0.8s"))
    assert outcomes == [(*codes, *["SUCCEEDED"] * jobs)] * ROUNDS


def test_run_that_finds_the_appliance_busy_names_the_job_of_the_other(program: Program, serve: Simulators) -> None:
    served = serve("--no-tls", seconds="2s")
    runs = both(program, served, [("create",)] * 2, at_create)
    (job,) = jobs_of(served)
    assert sorted(run.code for run in runs) == [0, 9]
    assert all(job["id"] in run.out + run.err for run in runs)


def test_create_concurrent_with_a_cancel_reports_the_result_of_its_job(program: Program, serve: Simulators) -> None:
    def once(served: ServedAppliance) -> None:
        creating, cancelling = both(program, served, [("create",), ("cancel", "latest", "--yes")], at_login)
        (job,) = jobs_of(served)
        cancelled = job["status"] == "FAILED"
        assert (creating.code, cancelling.code) in ({(7, 0)} if cancelled else {(0, 10), (0, 6)})

    run_in_parallel(once, serve.many(ROUNDS, "--no-tls", seconds="2.5s"))


def test_two_concurrent_cancels_end_one_job(program: Program, serve: Simulators) -> None:
    def once(served: ServedAppliance) -> None:
        assert program.run("create", "--no-wait", environ=served.environ).code == 0
        runs = both(program, served, [("cancel", "latest", "--yes")] * 2, at_login)
        (job,) = jobs_of(served)
        assert job["status"] == "FAILED"
        assert sorted(run.code for run in runs) in ([0, 0], [0, 6])

    run_in_parallel(once, serve.many(ROUNDS, "--no-tls", seconds="30s"))


@pytest.mark.parametrize(("fault", "codes"), [("lost-create-answer=1", [0, 9]), ("lost-create-request=1", [0, 0])])
def test_lost_create_concurrent_with_another_starts_one_job_and_reports_it(
    program: Program, serve: Simulators, fault: str, codes: list[int]
) -> None:
    """When the request is lost, both runs follow the job of the other run, as they cannot be told apart."""

    def once(served: ServedAppliance) -> None:
        runs = both(program, served, [("create",)] * 2, at_create)
        (job,) = jobs_of(served)
        assert job["status"] == "SUCCEEDED"
        assert sorted(run.code for run in runs) == codes
        assert all(job["id"] in run.out for run in runs if run.code == 0)

    run_in_parallel(once, serve.many(ROUNDS, "--no-tls", faults=[fault], seconds="1.5s"))


@pytest.mark.parametrize("fault", ["lost-create-answer=1", "lost-create-request=1"])
def test_lost_create_does_not_adopt_a_concurrent_job_to_another_location(
    program: Program, serve: Simulators, fault: str
) -> None:
    here = ("create", "--timeout", "12s")  # a run that lost its request searches for its job until then
    elsewhere = (*here, "--location", "sftp://other.example.com/elsewhere")

    def once(served: ServedAppliance) -> None:
        ours, theirs = both(program, served, [here, elsewhere], at_create)
        (job,) = jobs_of(served)
        is_ours = "elsewhere" not in job["location"]
        assert (ours.code == 0, theirs.code == 0) == (is_ours, not is_ours), (ours, theirs)
        assert {ours.code, theirs.code} <= {0, 5, 9}

    run_in_parallel(once, serve.many(ROUNDS, "--no-tls", faults=[fault], seconds="1.2s"))

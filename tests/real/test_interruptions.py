"""Signals at any moment: the right code, no unrequested job, no session left, no noise, no hang.

``pytest -m real -s tests/real/test_interruptions.py --moments 1000`` is the long sweep; it prints what it counted.
"""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from tests import wording
from tests.support.http_relay import HttpRelay, Moment, http_relay, jobs_of
from tests.support.processes import CLOCK, Program, ServedAppliance, Simulators, wait_until
from tests.support.signal_sweep import (
    SIGNALLED_COMMANDS,
    SIGNALS,
    SignalCounts,
    SignalledCommand,
    SignalTiming,
    run_with_signals,
    sample,
    sweep,
    timings_in_seconds,
    timings_on_the_wire,
)

pytestmark = pytest.mark.real

KINDS = [*((number,) for number in SIGNALS), (signal.SIGINT, signal.SIGINT), (signal.SIGTERM, signal.SIGHUP)]
KILLED = [(signal.SIGKILL,)]
SEED = 20261124


def appliances(serve: Simulators, command: SignalledCommand) -> Iterator[ServedAppliance]:
    """Yield appliances, each to be used once."""
    while True:
        yield from serve.many(40, "--no-tls", seconds=f"{command.job_seconds}s")


@pytest.mark.parametrize("name", SIGNALLED_COMMANDS)
def test_signal_at_any_moment_ends_with_the_real_result(
    program: Program, serve: Simulators, name: str, pytestconfig: pytest.Config
) -> None:
    count, command, counts = pytestconfig.getoption("moments"), SIGNALLED_COMMANDS[name], SignalCounts()
    fresh = appliances(serve, command)
    undisturbed = run_with_signals(program, next(fresh), command)
    assert (undisturbed.run.code, undisturbed.sessions_left) == (0, 0)
    timings = sample(timings_on_the_wire(undisturbed, KINDS), count // 2)
    timings += timings_in_seconds(undisturbed, KINDS, count - len(timings), SEED)
    sweep(program, fresh, command, timings, counts)
    sys.stdout.write(f"\n{name}: {counts}\n")
    assert counts.problems == []
    assert counts.counts["code 130"] > 0


@pytest.mark.parametrize("name", ["create", "schedule-run"])
def test_kill_at_any_moment_leaves_a_complete_job_that_the_next_run_finds(
    program: Program, serve: Simulators, name: str, pytestconfig: pytest.Config
) -> None:
    count, command, counts = pytestconfig.getoption("moments"), SIGNALLED_COMMANDS[name], SignalCounts()
    fresh = appliances(serve, command)
    undisturbed = run_with_signals(program, next(fresh), command)
    timings = sample(timings_on_the_wire(undisturbed, KILLED), count // 2)
    timings += timings_in_seconds(undisturbed, KILLED, count - len(timings), SEED)
    for index, follow_up in enumerate((_watch, _attach, _create_anew)):
        sweep(program, fresh, command, timings[index::3], counts, then=follow_up)
    sys.stdout.write(f"\n{name}, killed: {counts}\n")
    assert counts.problems == []
    assert counts.counts["code -9"] > 0


def _watch(program: Program, served: ServedAppliance) -> Iterator[str]:
    there = jobs_of(served)
    run = program.run("watch", "latest", environ=served.environ)
    if run.code != (0 if there else 10):
        yield f"watch ended with {run.code} where there were {len(there)} jobs"
    if there and there[0]["id"] not in run.out:
        yield "watch found another job"
    yield from _whole(served, len(there))


def _attach(program: Program, served: ServedAppliance) -> Iterator[str]:
    run = program.run("create", "--if-running", "attach", environ=served.environ)
    if run.code != 0:
        yield f"create --if-running attach ended with {run.code}: {run.err}"
    yield from _whole(served, None)


def _create_anew(program: Program, served: ServedAppliance) -> Iterator[str]:
    there = jobs_of(served)
    wait_until(lambda: all(job["status"] != "RUNNING" for job in jobs_of(served)), "the end of the job")
    run = program.run("create", environ=served.environ)
    if run.code != 0:
        yield f"the next create ended with {run.code}: {run.err}"
    yield from _whole(served, len(there) + 1)


def _whole(served: ServedAppliance, count: int | None) -> Iterator[str]:
    states = [job["status"] for job in jobs_of(served)]
    if set(states) - {"SUCCEEDED"} or (count is not None and len(states) != count):
        yield f"the appliance has the jobs {states}"


def test_signal_during_a_login_without_a_response_ends_in_time(program: Program, serve: Simulators) -> None:
    """The limits of the logout and of the write coincide, which once caused an endless wait."""
    command, counts = SIGNALLED_COMMANDS["create"], SignalCounts()
    silent = serve.many(4, "--no-tls", faults=["slow=7s@login"])
    sweep(program, iter(silent), command, [SignalTiming(kind, Moment(0, 1)) for kind in KINDS[: len(silent)]], counts)
    assert counts.problems == []
    assert counts.counts["code 130"] == len(silent)


# A second signal


def interrupted_twice(program: Program, relay: HttpRelay) -> tuple[int, str]:
    """Interrupt a create twice, one second apart, while its request is pending."""
    process = program.start("create", environ=relay.environ)
    wait_until(lambda: "POST /api/appliance/recovery/backup/job" in relay.requests, "the request")
    process.signal(signal.SIGTERM)
    process.wait_for_stderr(wording.INTERRUPT_AGAIN)
    CLOCK.sleep(1.0)
    assert process.running
    process.signal(signal.SIGTERM)
    run = process.wait(2.0)
    return run.code, run.err


def test_second_signal_while_the_backup_is_started_reports_an_unknown_outcome(
    program: Program, serve: Simulators
) -> None:
    served = serve("--no-tls", faults=["slow=30s@create"], seconds="30s")
    with http_relay(served) as relay:
        code, said = interrupted_twice(program, relay)
    assert code == 130
    assert wording.UNKNOWN_WHETHER_STARTED in said
    assert "backupctl watch latest" in said


def test_second_signal_while_the_backup_runs_reports_its_id(program: Program, serve: Simulators) -> None:
    served = serve("--no-tls", faults=["slow=30s@logout"], seconds="30s")
    with http_relay(served) as relay:
        process = program.start("create", "-o", "json", environ=relay.environ)
        wait_until(lambda: any("/job/2" in request for request in relay.requests), "a poll")
        process.signal(signal.SIGINT)
        wait_until(lambda: "DELETE /api/session" in relay.requests, "the logout")
        CLOCK.sleep(0.5)
        assert process.running
        process.signal(signal.SIGINT)
        run = process.wait(2.0)
    (job,) = jobs_of(served)
    assert (run.code, run.result["job"]["id"]) == (130, job["id"])
    assert job["id"] in run.result["error"]["hint"]


def test_signals_to_the_process_and_to_its_group_count_once(program: Program, serve: Simulators) -> None:
    """``timeout`` signals its child and then its whole process group."""
    served = serve("--no-tls", faults=["slow=2s@create"], seconds="30s")
    with http_relay(served) as relay:
        process = program.start("create", "-o", "json", environ=relay.environ)
        wait_until(lambda: "POST /api/appliance/recovery/backup/job" in relay.requests, "the request")
        for number in (signal.SIGTERM, signal.SIGTERM, signal.SIGHUP, signal.SIGCONT):
            process.signal(number)
        run = process.wait()
    (job,) = jobs_of(served)
    assert (run.code, run.result["job"]["id"], relay.sessions_left) == (130, job["id"], 0)


# A reader that stops reading


@contextmanager
def full_pipe() -> Iterator[int]:
    """Yield a full pipe whose reader stays open."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with suppress(BlockingIOError):
        while True:
            os.write(writing, b"x" * 4096)
    os.set_blocking(writing, True)
    try:
        yield writing
    finally:
        os.close(reading)
        os.close(writing)


@pytest.mark.parametrize("words", [("create", "-o", "jsonl"), ("list",)], ids=["create", "list"])
def test_signal_ends_a_run_whose_reader_has_stopped_reading(
    program: Program, serve: Simulators, words: tuple[str, ...]
) -> None:
    served = serve("--no-tls", seconds="30s")
    with http_relay(served) as relay, full_pipe() as pipe:
        process = program.start(*words, environ=relay.environ, stdout=pipe, stderr=pipe)
        wait_until(lambda: len(relay.exchanges) >= 2, "the first output")
        CLOCK.sleep(0.5)
        assert process.running
        process.signal(signal.SIGTERM)
        assert process.wait_unchecked(6.5).code == 130

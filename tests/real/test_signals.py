"""Signals to a running program: the backup keeps running, the code is 130, and no timeout delays the exit."""

import signal
import sys

import pytest

from tests.support.processes import CLOCK, Process, Program, Programs, ServedAppliance, Simulators, wait_until
from tests.support.tcp_relay import TcpRelay, tcp_relay

pytestmark = pytest.mark.real

AT_ONCE = 1.0
"""Seconds from a signal to the exit."""
LOGOUT = 5.0
"""Additional seconds for a logout."""


def seconds_to_end(process: Process) -> float:
    began = CLOCK.monotonic()
    process.wait()
    return CLOCK.monotonic() - began


def jobs(program: Program, served: ServedAppliance) -> list[dict[str, object]]:
    found: list[dict[str, object]] = program.run("list", "-o", "json", environ=served.environ).result["jobs"]
    return found


def wait_for_request(wire: TcpRelay, request: str) -> None:
    wait_until(lambda: any(each.startswith(request) for each in wire.requests), request)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_first_signal_detaches_with_130_and_watch_attaches(
    program: Program, serve: Simulators, number: signal.Signals
) -> None:
    served = serve(seconds="5s")
    creating = program.start("create", environ=served.environ)
    job_id = creating.wait_for_stderr(r"backup started: (\S+)")[1]
    creating.signal(number)
    assert seconds_to_end(creating) < AT_ONCE
    left = creating.wait()
    assert left.code == 130
    assert f"backupctl watch {job_id}" in left.err
    assert program.run("status", job_id, environ=served.environ).code == 8
    watched = program.run("watch", job_id, environ=served.environ)
    assert (watched.code, "succeeded" in watched.out) == (0, True)


def test_interrupted_create_as_json_names_the_running_job(program: Program, serve: Simulators) -> None:
    served = serve(seconds="30s")
    creating = program.start("create", "-o", "jsonl", environ=served.environ)
    creating.wait_for_stdout('"event":"started"')
    creating.signal(signal.SIGINT)
    result = creating.wait().events[-1]
    assert (result["event"], result["exit_code"]) == ("result", 130)
    assert result["results"][0]["job"]["id"] == jobs(program, served)[0]["id"]


def test_ignored_hangup_stays_ignored(program: Program, serve: Simulators) -> None:
    creating = program.start("create", environ=serve(seconds="2s").environ, ignoring=[signal.SIGHUP])
    creating.wait_for_stderr("backup started")
    creating.signal(signal.SIGHUP)
    assert creating.wait().code == 0


def test_cancel_on_interrupt_ends_the_job(program: Program, serve: Simulators) -> None:
    served = serve(seconds="30s")
    creating = program.start("create", "--cancel-on-interrupt", environ=served.environ)
    job_id = creating.wait_for_stderr(r"backup started: (\S+)")[1]
    creating.signal(signal.SIGINT)
    assert creating.wait().code == 130
    status = program.run("status", job_id, "-o", "json", environ=served.environ)
    assert (status.code, status.result["job"]["state"]) == (7, "FAILED")


def test_signal_during_the_post_waits_until_the_job_is_known(program: Program, serve: Simulators) -> None:
    served = serve("--no-tls", faults=["slow=2s@create"], seconds="30s")
    with tcp_relay(served.port) as wire:
        creating = program.start("create", "-o", "json", environ=served.at(wire.port).environ)
        wait_for_request(wire, "POST /api/appliance/recovery/backup/job")
        posted = CLOCK.monotonic()
        creating.signal(signal.SIGINT)
        left = creating.wait()
        held = CLOCK.monotonic() - posted
    assert 1.5 < held < 2.0 + AT_ONCE
    assert left.code == 130
    assert left.result["job"]["id"] == jobs(program, served)[0]["id"]
    assert wire.requests[-1] == "DELETE /api/session"


def test_second_signal_ends_at_once(program: Program, serve: Simulators) -> None:
    served = serve("--no-tls", faults=["slow=30s@create"], seconds="30s")
    with tcp_relay(served.port) as wire:
        creating = program.start("create", environ=served.at(wire.port).environ)
        wait_for_request(wire, "POST /api/appliance/recovery/backup/job")
        creating.signal(signal.SIGINT)
        with pytest.raises(AssertionError):
            creating.wait_for_stderr("interrupted", seconds=0.5)
        assert creating.running
        creating.signal(signal.SIGINT)
        assert seconds_to_end(creating) < AT_ONCE
    left = creating.wait()
    assert left.code == 130
    assert "interrupted twice" in left.err


def test_signal_during_a_slow_login_waits_for_five_seconds_at_most(program: Program, serve: Simulators) -> None:
    served = serve("--no-tls", faults=["slow=60s@login"])
    with tcp_relay(served.port) as wire:
        creating = program.start("create", environ=served.at(wire.port).environ)
        wait_for_request(wire, "POST /api/session")
        creating.signal(signal.SIGINT)
        assert seconds_to_end(creating) < LOGOUT + AT_ONCE
    assert creating.wait().code == 130


@pytest.mark.parametrize(
    ("phase", "request_seen"),
    [("list", "GET /api/appliance/recovery/backup/job"), ("poll", "GET /api/appliance/recovery/backup/job/")],
)
def test_signal_during_a_slow_read_ends_at_once_and_logs_out(
    program: Program, serve: Simulators, phase: str, request_seen: str
) -> None:
    served = serve("--no-tls", faults=[f"slow=60s@{phase}"], seconds="60s")
    with tcp_relay(served.port) as wire:
        creating = program.start("create", environ=served.at(wire.port).environ)
        wait_for_request(wire, request_seen)
        creating.signal(signal.SIGINT)
        assert seconds_to_end(creating) < AT_ONCE
        assert creating.wait().code == 130
        assert wire.requests[-1] == "DELETE /api/session"


def test_signal_with_a_slow_logout_waits_for_five_seconds(program: Program, serve: Simulators) -> None:
    creating = program.start("create", environ=serve(faults=["slow=60s@logout"], seconds="30s").environ)
    creating.wait_for_stderr("backup started")
    creating.signal(signal.SIGINT)
    assert LOGOUT - 1.0 < seconds_to_end(creating) < LOGOUT + AT_ONCE
    assert creating.wait().code == 130


def test_simulator_ends_with_0_by_interrupt_and_by_term(program: Program) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        serving = program.start("simulator", "serve")
        serving.wait_for_stdout("appliances")
        serving.signal(number)
        assert serving.wait().code == 0


WHILE_LOADING = """
import importlib.abc, os, sys

class Interrupting(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            os.kill(os.getpid(), {number})

sys.meta_path.insert(0, Interrupting())
from backupctl.__main__ import main
main()
"""
"""A program that interrupts itself before it loads a module."""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize(
    "module",
    [
        "backupctl.cli.signals",
        "backupctl.cli.context",
        "click",
        "backupctl.cli.root",
        "backupctl.cli.commands.create",
        "httpx",
    ],
)
def test_signal_while_the_program_loads_prints_a_document(
    programs: Programs, serve: Simulators, module: str, number: signal.Signals
) -> None:
    served = serve("--no-tls")
    code = WHILE_LOADING.format(module=module, number=int(number))
    words = [sys.executable, "-c", code, "create", "-o", "json"]
    ended = programs.start(words, programs.environ(served.environ)).wait()
    assert (ended.code, ended.json["exit_code"], ended.json["error"]["slug"]) == (130, 130, "interrupted")
    assert "interrupted" in ended.json["error"]["message"]

"""Exit codes of the program as a process, with an appliance in another process, over TLS."""

import json
from pathlib import Path

import pytest

from tests.support.processes import Program, Simulators
from tests.support.tcp_relay import tcp_relay

pytestmark = pytest.mark.real


def test_create_over_tls_succeeds_with_0(program: Program, serve: Simulators) -> None:
    served = serve()
    created = program.run("create", environ=served.environ)
    assert created.code == 0
    assert "succeeded" in created.out
    assert "backup started" in created.err


def test_create_as_json_prints_one_document(program: Program, serve: Simulators) -> None:
    created = program.run("create", "-o", "json", environ=serve().environ)
    assert created.code == created.json["exit_code"] == 0
    assert created.result["job"]["state"] == "SUCCEEDED"


def test_create_as_jsonl_prints_the_result_last(program: Program, serve: Simulators) -> None:
    created = program.run("create", "-o", "jsonl", environ=serve().environ)
    names = [event["event"] for event in created.events]
    assert created.code == 0
    assert names[0] == "connected"
    assert "progress" in names
    assert names.index("result") == len(names) - 1
    assert created.err == ""


def test_create_as_jsonl_prints_each_event_when_it_happens(program: Program, serve: Simulators) -> None:
    running = program.start("create", "-o", "jsonl", environ=serve(seconds="2s").environ)
    running.wait_for_stdout('"event":"progress"')
    assert running.running
    assert running.wait().code == 0


def test_wrong_password_ends_with_4_after_one_attempt(program: Program, serve: Simulators) -> None:
    served = serve("--no-tls")
    with tcp_relay(served.port) as wire:
        wrong = {**served.at(wire.port).environ, "BACKUPCTL_PASSWORD": "wrong"}
        refused = program.run("create", "-o", "json", environ=wrong)
    assert (refused.code, refused.result["error"]["slug"]) == (4, "auth")
    assert wire.requests == ["POST /api/session"]


def test_unknown_ca_ends_with_5(program: Program, serve: Simulators) -> None:
    environ = serve().environ
    del environ["BACKUPCTL_CA_FILE"]
    refused = program.run("create", environ=environ)
    assert refused.code == 5
    assert "certificate" in refused.err


def test_ca_of_another_appliance_ends_with_5(program: Program, serve: Simulators) -> None:
    ours, other = serve(), serve()
    refused = program.run("list", environ={**ours.environ, "BACKUPCTL_CA_FILE": other.ca_file or ""})
    assert refused.code == 5


def test_insecure_reaches_an_unknown_ca_and_warns(program: Program, serve: Simulators) -> None:
    environ = serve().environ
    del environ["BACKUPCTL_CA_FILE"]
    listed = program.run("list", "--insecure", environ=environ)
    assert listed.code == 0
    assert "--insecure" in listed.err


def test_closed_port_ends_with_5(program: Program, serve: Simulators) -> None:
    with tcp_relay() as wire:
        port = wire.port
    refused = program.run("create", environ=serve().at(port).environ, seconds=60)
    assert refused.code == 5


def test_failing_backup_ends_with_7(program: Program, serve: Simulators) -> None:
    failed = program.run("create", "-o", "json", environ=serve(faults=["fail-at=40"]).environ)
    assert (failed.code, failed.result["error"]["slug"], failed.result["job"]["state"]) == (
        7,
        "backup-failed",
        "FAILED",
    )


@pytest.mark.parametrize("options", [("--timeout", "1.5s"), ("--stall-timeout", "1s")])
def test_stalled_backup_ends_with_8_and_keeps_running(
    program: Program, serve: Simulators, options: tuple[str, str]
) -> None:
    environ = serve(faults=["stall-at=60"], seconds="1s").environ
    stalled = program.run("create", *options, "-o", "json", environ=environ)
    assert stalled.code == 8
    assert "backupctl watch" in stalled.result["error"]["hint"]
    assert program.run("status", environ=environ).code == 8


def test_busy_appliance_ends_with_9(program: Program, serve: Simulators) -> None:
    busy = program.run("create", "-o", "json", environ=serve(faults=["busy"]).environ)
    assert (busy.code, busy.result["error"]["slug"]) == (9, "busy")


@pytest.mark.parametrize("command", ["watch", "status", "cancel"])
def test_unknown_job_ends_with_10(program: Program, serve: Simulators, command: str) -> None:
    missing = program.run(command, "20200101-000000-1234", "-o", "json", environ=serve("--history").environ)
    assert (missing.code, missing.result["error"]["slug"]) == (10, "not-found")


@pytest.mark.parametrize(
    ("words", "environ"),
    [(["--backup-password-command", "echo short"], {}), ([], {"BACKUPCTL_BACKUP_PASSWORD": "short"})],
    ids=["typed", "set"],
)
def test_invalid_backup_password_ends_with_2_without_a_connection(
    program: Program, serve: Simulators, words: list[str], environ: dict[str, str]
) -> None:
    with tcp_relay() as wire:
        refused = program.run("create", "-o", "json", *words, environ={**serve().at(wire.port).environ, **environ})
    assert (refused.code, refused.json["error"]["slug"]) == (2, "usage")
    assert wire.connections == 0


def test_relay_counts_connections(program: Program, serve: Simulators) -> None:
    """Check the relay, as the test above would pass with one that does not count."""
    with tcp_relay() as wire:
        program.run("list", environ=serve().at(wire.port).environ, seconds=60)
    assert wire.connections > 0


def test_no_wait_quiet_prints_the_id_only(program: Program, serve: Simulators) -> None:
    environ = serve().environ
    started = program.run("create", "--no-wait", "-q", environ=environ)
    (job,) = program.run("list", "-o", "json", environ=environ).result["jobs"]
    assert (started.code, started.out, started.err) == (0, f"{job['id']}\n", "")


def test_password_file_and_standard_input_are_read(program: Program, serve: Simulators, tmp_path: Path) -> None:
    served = serve()
    environ = {name: value for name, value in served.environ.items() if name != "BACKUPCTL_PASSWORD"}
    secret = tmp_path / "password"
    secret.touch(mode=0o600)
    secret.write_text(f"{served.password}\n")
    with secret.open("rb") as stream:
        by_input = program.run("list", "--password-file", "-", environ=environ, stdin=stream)
    assert program.run("list", "--password-file", str(secret), environ=environ).code == by_input.code == 0


def test_unencrypted_backup_is_reported(program: Program, serve: Simulators) -> None:
    environ = {**serve().environ, "BACKUPCTL_BACKUP_PASSWORD": "Correct-Horse1"}
    encrypted = program.run("create", "-o", "json", environ=environ)
    assert encrypted.result["job"]["encrypted"] is True
    assert "Correct-Horse1" not in json.dumps(encrypted.json) + encrypted.err

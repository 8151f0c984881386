"""Connections of a run: one connection, one handshake, one session that is logged out."""

import subprocess
from pathlib import Path

import pytest

from tests.support.processes import Program, Programs, Simulators, require_program
from tests.support.tcp_relay import tcp_relay

pytestmark = pytest.mark.real


def test_create_takes_one_connection_and_one_handshake(program: Program, serve: Simulators) -> None:
    served = serve()
    with tcp_relay(served.port) as wire:
        assert program.run("create", environ=served.at(wire.port).environ).code == 0
    assert (wire.connections, wire.handshakes) == (1, 1)


@pytest.mark.parametrize(
    ("release", "login"), [("8.0", "/api/session"), ("6.7", "/rest/com/vmware/cis/session")], ids=["api", "rest"]
)
def test_create_logs_its_session_out(program: Program, serve: Simulators, release: str, login: str) -> None:
    served = serve("--no-tls", "--release", release)
    with tcp_relay(served.port) as wire:
        location = ("--location", "ftps://backup.example.com/vcenter")
        assert program.run("create", *location, environ=served.at(wire.port).environ).code == 0
    assert wire.requests.count(f"POST {login}") == 1
    assert wire.requests[-1] == f"DELETE {login}"


def test_failing_command_logs_its_session_out(program: Program, serve: Simulators) -> None:
    served = serve("--no-tls")
    with tcp_relay(served.port) as wire:
        assert program.run("status", "20200101-000000-1", environ=served.at(wire.port).environ).code == 10
    assert wire.requests[-1] == "DELETE /api/session"


def test_served_certificate_has_the_fingerprint_that_is_printed(
    programs: Programs, serve: Simulators, tmp_path: Path
) -> None:
    openssl = require_program("openssl")
    served = serve()
    assert served.ca_file is not None
    connecting = [openssl, "s_client", "-connect", f"127.0.0.1:{served.port}", "-CAfile", served.ca_file]
    shown = programs.start([*connecting, "-verify_return_error"], programs.environ({})).wait()
    assert shown.code == 0
    chain = tmp_path / "chain.pem"
    chain.write_text(shown.out)
    reading = [openssl, "x509", "-noout", "-fingerprint", "-sha256", "-in", str(chain)]
    fingerprint = programs.start(reading, programs.environ({}), stdin=subprocess.DEVNULL).wait().out
    assert fingerprint.partition("=")[2].strip().replace(":", "").lower() == (served.fingerprint or "")[7:]

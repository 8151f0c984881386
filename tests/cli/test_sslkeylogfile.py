"""``SSLKEYLOGFILE`` exposes TLS keys, so its use gives a warning."""

import pytest

from tests import wording
from tests.support.command_line import HOST, PASSWORD, TO_APPLIANCE, USER, CommandLine


@pytest.mark.parametrize("quiet", [[], ["-q"]])
@pytest.mark.parametrize("fleet", [False, True])
def test_key_log_warns_once(quiet: list[str], fleet: bool) -> None:
    environ = {**TO_APPLIANCE, "SSLKEYLOGFILE": "/tmp/keys.log"}
    servers = ["-s", HOST, "-s", "vc02.example.com"] if fleet else []
    run = CommandLine(others={"vc02.example.com": {}})("list", *servers, *quiet, environ=environ)
    warnings = [line for line in run.err.splitlines() if "SSLKEYLOGFILE" in line]
    assert run.code == 0
    assert warnings == [f"warning: {wording.KEY_LOG_IN_USE('/tmp/keys.log')}"]
    assert run.err.count("hint: ") == 1


@pytest.mark.parametrize("words", [["--simulate"], ["-s", "http://127.0.0.1:1"]])
def test_key_log_without_tls_does_not_warn(words: list[str]) -> None:
    environ = {"BACKUPCTL_USERNAME": USER, "BACKUPCTL_PASSWORD": PASSWORD, "SSLKEYLOGFILE": "/tmp/keys.log"}
    run = CommandLine()("list", *words, environ=environ)
    assert run.code == 0
    assert "SSLKEYLOGFILE" not in run.err

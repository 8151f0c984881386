"""First contact at a terminal: a certificate that nobody knows, wrong answers, and how many connections it takes."""

import tomllib
from pathlib import Path

import pytest

from tests import wording
from tests.support.processes import Program, Simulators
from tests.support.served_fleet import serve_fleet
from tests.support.tcp_relay import tcp_relay
from tests.support.terminal import Open

pytestmark = pytest.mark.real

BACKUP_PASSWORD = "Correct-Horse1"
LOCATION = "sftp://backup.example.com/vcenter"
TRUST = r"Trust this certificate and pin it for [^\n]*\? \[y/N\]: *\Z"
NEVER = {"CI": "true"}
"""No live display, so that the screen holds lines only."""


def test_first_backup_with_an_unknown_certificate_and_wrong_answers(
    open_terminal: Open, serve: Simulators, program: Program, tmp_path: Path
) -> None:
    served = serve("--tls")
    with tcp_relay(served.port) as relay:
        server = f"127.0.0.1:{relay.port}"
        with open_terminal("create", environ=NEVER, rows=60) as terminal:
            questions = [
                (r"Server[^\n]*: *\Z", server),
                (TRUST, "y"),
                (r"User name[^\n]*: *\Z", ""),
                (r"Password for administrator[^\n]*: *\Z", "wrong"),
                (r"User name[^\n]*: *\Z", ""),
                (r"Password for administrator[^\n]*: *\Z", served.password),
                (r"Location, [^\n]*: *\Z", "backup.example.com"),
                (r"Location, [^\n]*: *\Z", LOCATION),
                (r"User at [^\n]*: *\Z", "backup"),
                (r"Password for backup at[^:]*: *\Z", "l0cation"),
                (r"Backup password \(leave[^\n]*: *\Z", BACKUP_PASSWORD),
                (r"Backup password again[^\n]*: *\Z", BACKUP_PASSWORD),
            ]
            for question, text in questions:
                terminal.answer(question, text)
            terminal.wait_for("EXIT=0")
            assert wording.LOCKOUT in terminal.screen
            assert terminal.find_all(r"(?:[0-9A-F]{2}:){16}$")
        # The check of the certificate, the certificate to show, and one for each password.
        assert relay.handshakes == 4
        path = tmp_path / "home" / ".config" / "backupctl" / "config.toml"
        (table,) = tomllib.loads(path.read_text())["servers"].values()
        assert table == {"host": server, "fingerprint": served.fingerprint}
        login = {"BACKUPCTL_USERNAME": served.username, "BACKUPCTL_PASSWORD": served.password}
        assert program.run("list", "-s", server, environ=login).code == 0


@pytest.mark.parametrize(
    ("trust", "typed", "handshakes"), [("pin", False, 1), ("pin", True, 1), ("store", False, 1), ("store", True, 2)]
)
def test_trusted_certificate_takes_one_handshake(
    open_terminal: Open, serve: Simulators, trust: str, typed: bool, handshakes: int
) -> None:
    served = serve("--tls")
    environ = {"BACKUPCTL_USERNAME": served.username, "BACKUPCTL_LOCATION": "nfs://h/x"}
    environ |= {"BACKUPCTL_REQUIRE_ENCRYPTION": "no", "BACKUPCTL_INTERVAL": "0.2s", **NEVER}
    environ |= (
        {"BACKUPCTL_FINGERPRINT": str(served.fingerprint)} if trust == "pin" else {"SSL_CERT_FILE": str(served.ca_file)}
    )
    environ |= {} if typed else {"BACKUPCTL_PASSWORD": served.password}
    with tcp_relay(served.port) as relay:
        with open_terminal("create", "-s", f"127.0.0.1:{relay.port}", environ=environ) as terminal:
            if typed:
                terminal.answer(r"Password for[^\n]*: *\Z", served.password)
            terminal.wait_for("EXIT=0")
        assert relay.handshakes == handshakes


@pytest.mark.parametrize("answer", ["", "n"])
def test_certificate_that_is_not_trusted_ends_the_run(
    open_terminal: Open, serve: Simulators, tmp_path: Path, answer: str
) -> None:
    served = serve("--tls")
    environ = {**served.environ, **NEVER}
    del environ["BACKUPCTL_CA_FILE"]
    with open_terminal("list", environ=environ, rows=40) as terminal:
        terminal.answer(TRUST, answer)
        terminal.wait_for("EXIT=5")
    assert not (tmp_path / "home" / ".config").exists()


@pytest.mark.parametrize(("parallel", "keys", "code"), [(1, "n", 5), (2, "n", 5), (2, "C-c", 130)])
def test_certificate_that_is_not_trusted_leaves_no_session_on_the_others(
    open_terminal: Open, tmp_path: Path, parallel: int, keys: str, code: int
) -> None:
    with serve_fleet(tmp_path, appliances=2, tls=True, job_duration=0.5) as served:
        text = served.config.read_text().replace("ca-file", "# ca-file")
        pinned = f'[servers.vc1]\nfingerprint = "{served.server.appliances[0].fingerprint}"'
        served.config.write_text(text.replace("[servers.vc1]", pinned))
        words = ["create", "--all", "--parallel", str(parallel), "--no-require-encryption", "--interval", "0.2s"]
        with open_terminal(*words, environ={**served.environ, **NEVER}, rows=60) as terminal:
            terminal.wait_for(TRUST)
            assert served.open_sessions == parallel - 1
            terminal.press(keys, "Enter")
            terminal.wait_for(f"EXIT={code}")
        assert (served.open_sessions, served.jobs) == (0, 1 if code == 5 else 0)


def test_changed_certificate_is_never_offered(open_terminal: Open, serve: Simulators) -> None:
    served = serve("--tls")
    environ = {**served.environ, **NEVER, "BACKUPCTL_FINGERPRINT": "a" * 64}
    del environ["BACKUPCTL_CA_FILE"]
    with open_terminal("list", environ=environ) as terminal:
        terminal.wait_for("EXIT=5")
        assert wording.PIN_NOT_PRESENTED in terminal.screen


def test_certificates_of_several_come_before_the_password(open_terminal: Open, serve: Simulators) -> None:
    first, second = serve.many(2, "--tls")
    environ = {"BACKUPCTL_USERNAME": first.username, **NEVER}
    with open_terminal("list", "-s", first.url, "-s", second.url, environ=environ, rows=60) as terminal:
        terminal.answer(TRUST, "y")
        terminal.answer(TRUST.replace("[^\\n]*", f"127.0.0.1:{second.port}"), "y")
        terminal.answer(r"Password for[^\n]*: *\Z", first.password)
        terminal.wait_for("EXIT=0")


def test_untrusted_certificate_off_a_terminal_is_5_with_its_fingerprint(serve: Simulators, program: Program) -> None:
    served = serve("--tls")
    run = program.run("create", environ=served.environ, without=["BACKUPCTL_CA_FILE"])
    assert run.code == 5
    assert f"SHA-256 fingerprint  {str(served.fingerprint)[7:9].upper()}:" in run.err
    assert f"backupctl trust pin -s 127.0.0.1:{served.port}" in run.err

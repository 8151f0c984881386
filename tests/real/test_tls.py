"""Certificate checks on real connections, and the messages about untrusted certificates."""

import ipaddress
import json
import ssl
import tomllib
from collections.abc import Iterator
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from backupctl.clock import SystemClock
from backupctl.formatting import colon_form
from backupctl.rules.fingerprint import fingerprint_of
from backupctl.simulator.server_certificate import ServerCertificate
from backupctl.simulator.server_options import ServerOptions
from backupctl.simulator.simulator_server import SimulatorServer
from tests import wording
from tests.support.command_line import PASSWORD, USER, CommandLine, Run
from tests.support.processes import Program, Programs, ServedAppliance, wait_until
from tests.support.tls_server import ca_file, der, server_context, tls_proxy, tls_server

pytestmark = pytest.mark.real

NOW = SystemClock().now()
DAY = timedelta(days=1)
WRONG = f"sha256:{'0' * 64}"


@pytest.fixture
def server() -> Iterator[SimulatorServer]:
    with SimulatorServer(ServerOptions(), SystemClock()) as server:
        yield server


@pytest.fixture
def certificate(server: SimulatorServer) -> ServerCertificate:
    assert server.certificate is not None
    return server.certificate


def untrusting(server: SimulatorServer, **more: str) -> dict[str, str]:
    """Return an environment with the address and the password of the appliance, without its CA."""
    environ = ServedAppliance(**asdict(server.appliances[0])).environ
    del environ["BACKUPCTL_CA_FILE"]
    return {**environ, **more}


def result_of(run: Run) -> Any:
    (result,) = json.loads(run.out)["results"]
    return result


# Pin


def test_matching_pin_is_trusted_whoever_signed_the_certificate(
    program: Program, server: SimulatorServer, certificate: ServerCertificate
) -> None:
    certificate.renew("other.example.com", not_after=NOW - DAY)
    pin = certificate.fingerprint.removeprefix("sha256:").upper()
    written = ":".join(pin[index : index + 2] for index in range(0, 64, 2))
    listed = program.run("list", "--fingerprint", written, environ=untrusting(server))
    assert (listed.code, listed.err) == (0, f"{wording.NO_JOBS(server.appliances[0].url[8:])}\n")
    assert server.simulated[0].open_sessions == 0


def test_pin_mismatch_sends_no_http(program: Program, programs: Programs) -> None:
    leaf = trustme.CA().issue_cert("127.0.0.1")
    with tls_server(server_context(leaf)) as listener:
        environ = {"BACKUPCTL_SERVER": listener.url, "BACKUPCTL_USERNAME": USER, "BACKUPCTL_PASSWORD": PASSWORD}
        environ["BACKUPCTL_FINGERPRINT"] = WRONG
        (programs.home / "q r.toml").touch(0o600)
        refused = program.run("list", "-o", "json", "--config", "q r.toml", environ=environ)
    assert (refused.code, listener.handshakes, bytes(listener.received)) == (5, 1, b"")
    error, presented = result_of(refused)["error"], fingerprint_of(der(leaf))
    assert error["slug"] == "pin-mismatch"
    assert error["details"] == [f"expected   {colon_form(WRONG)}", f"presented  {colon_form(presented)}"]
    assert f"`backupctl trust pin -s 127.0.0.1:{listener.port} --config 'q r.toml'`" in error["hint"]


def test_counting_server_counts_what_an_unverified_client_sends(program: Program) -> None:
    with tls_server(server_context(trustme.CA().issue_cert("127.0.0.1"))) as listener:
        environ = {"BACKUPCTL_SERVER": listener.url, "BACKUPCTL_USERNAME": USER, "BACKUPCTL_PASSWORD": PASSWORD}
        running = program.start("list", "--insecure", environ=environ)
        wait_until(lambda: bool(listener.received), "a request")
        running.kill()
    assert b"Authorization: Basic" in listener.received


def test_pin_is_checked_on_each_connection_of_a_run(
    program: Program, server: SimulatorServer, certificate: ServerCertificate
) -> None:
    environ = untrusting(server, BACKUPCTL_FINGERPRINT=certificate.fingerprint)
    running = program.start("create", environ=environ)
    running.wait_for_stderr("backup started")
    certificate.renew("127.0.0.1")
    for each in server._servers:
        each.close_connections()
    before = len(server.simulated[0].requests)
    ended = running.wait()
    assert ended.code == 5
    assert wording.PIN_NOT_PRESENTED in ended.err
    assert len(server.simulated[0].requests) == before


@pytest.mark.parametrize(("pin_fits", "ca_fits"), [(True, True), (False, True), (True, False)])
def test_pin_and_ca_file_must_both_hold(
    program: Program, server: SimulatorServer, tmp_path: Path, pin_fits: bool, ca_fits: bool
) -> None:
    served = server.appliances[0]
    authority = served.ca_file if ca_fits else ca_file(trustme.CA(), tmp_path)
    pin = str(served.fingerprint) if pin_fits else WRONG
    environ = untrusting(server, BACKUPCTL_CA_FILE=str(authority), BACKUPCTL_FINGERPRINT=pin)
    listed = program.run("list", "-o", "json", environ=environ)
    if pin_fits and ca_fits:
        assert listed.code == 0
        return
    assert result_of(listed)["error"]["slug"] == ("tls" if pin_fits else "pin-mismatch")
    assert not server.simulated[0].requests


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (
            ("--insecure", "--fingerprint", WRONG),
            f"--insecure and --fingerprint: {wording.UNCHECKED_CERTIFICATE}",
        ),
        (("--server", "http://127.0.0.1:1", "--fingerprint", WRONG), "has no TLS certificate"),
        (("--fingerprint", "ab:cd"), wording.INVALID_FINGERPRINT),
        (("--fingerprint", "ab" * 20), wording.FINGERPRINT_OF_ANOTHER_HASH("SHA-1")),
    ],
)
def test_invalid_pin_ends_with_2(program: Program, words: tuple[str, ...], why: str) -> None:
    environ = {"BACKUPCTL_USERNAME": USER, "BACKUPCTL_PASSWORD": PASSWORD}
    at = () if "--server" in words else ("--server", "127.0.0.1:1")
    refused = program.run("list", *at, *words, environ=environ)
    assert refused.code == 2
    assert why in refused.err


# Through a proxy with TLS of its own


def test_pin_applies_to_the_appliance_and_not_to_the_proxy(
    program: Program, server: SimulatorServer, certificate: ServerCertificate, tmp_path: Path
) -> None:
    authority = trustme.CA()
    leaf = authority.issue_cert("127.0.0.1")
    with tls_proxy(server_context(leaf)) as proxy:
        environ = untrusting(server, BACKUPCTL_PROXY=proxy.url, SSL_CERT_FILE=str(ca_file(authority, tmp_path)))
        fits = program.run("list", "--fingerprint", certificate.fingerprint, environ=environ)
        before = len(server.simulated[0].requests)
        of_the_proxy = program.run("list", "--fingerprint", fingerprint_of(der(leaf)), environ=environ)
    assert (fits.code, of_the_proxy.code) == (0, 5)
    assert f"presented  {colon_form(str(certificate.fingerprint))}" in of_the_proxy.err
    assert len(server.simulated[0].requests) == before > 0
    assert bytes(proxy.received).count(b"CONNECT ") == 2


def test_proxy_that_is_not_trusted_is_named_and_gets_no_request(program: Program, server: SimulatorServer) -> None:
    with tls_proxy(server_context(trustme.CA().issue_cert("127.0.0.1"))) as proxy:
        environ = untrusting(server, BACKUPCTL_PROXY=proxy.url)
        refused = program.run("list", "--fingerprint", WRONG, environ=environ)
    assert (refused.code, bytes(proxy.received)) == (5, b"")
    assert "the certificate of the proxy 127.0.0.1 is not trusted" in refused.err


def test_certificate_behind_a_proxy_is_shown_and_explained(
    program: Program, server: SimulatorServer, certificate: ServerCertificate, tmp_path: Path
) -> None:
    authority = trustme.CA()
    with tls_proxy(server_context(authority.issue_cert("127.0.0.1"))) as proxy:
        environ = untrusting(server, BACKUPCTL_PROXY=proxy.url, SSL_CERT_FILE=str(ca_file(authority, tmp_path)))
        shown = result_of(program.run("trust", "show", "-o", "json", environ=environ))
    assert shown["certificate"]["fingerprint"] == certificate.fingerprint
    assert "unknown CA (O=backupctl simulator" in shown["reason"]


# Error messages


SENTENCES: dict[str, tuple[dict[str, Any], str, str]] = {
    "expired": (
        {"not_before": NOW - 90 * DAY, "not_after": NOW - 12 * DAY},
        f"the certificate expired on {NOW - 12 * DAY:%Y-%m-%d}",
        wording.CHECK_THE_CLOCK,
    ),
    "not yet valid": (
        {"not_before": NOW + 12 * DAY, "not_after": NOW + 90 * DAY},
        f"the certificate is not valid before {NOW + 12 * DAY:%Y-%m-%d}",
        wording.CHECK_THE_CLOCK,
    ),
}


@pytest.mark.parametrize("case", SENTENCES)
def test_expired_certificate_error_names_the_date(
    program: Program, server: SimulatorServer, certificate: ServerCertificate, case: str
) -> None:
    times, sentence, hint = SENTENCES[case]
    certificate.renew("127.0.0.1", **times)
    environ = untrusting(server, BACKUPCTL_CA_FILE=str(certificate.ca_file))
    refused = program.run("list", environ=environ)
    assert refused.code == 5
    assert f": {sentence}" in refused.err
    assert hint in refused.err
    assert not server.simulated[0].requests


def test_certificate_of_another_name_error_lists_its_names(
    program: Program, server: SimulatorServer, certificate: ServerCertificate
) -> None:
    certificate.renew("vc01.example.com", "10.0.0.7")
    environ = untrusting(server, BACKUPCTL_CA_FILE=str(certificate.ca_file))
    by_address = program.run("list", environ=environ)
    at = environ["BACKUPCTL_SERVER"].replace("127.0.0.1", "localhost")
    by_name = program.run("list", environ={**environ, "BACKUPCTL_SERVER": at})
    assert wording.CERTIFICATE_OF_OTHER_HOSTS("vc01.example.com, 10.0.0.7", "127.0.0.1") in by_address.err
    assert wording.CERTIFICATE_OF_OTHER_HOSTS("vc01.example.com, 10.0.0.7", "localhost") in by_name.err
    assert (by_address.code, by_name.code) == (5, 5)


def test_certificate_of_an_unknown_authority_error_names_it_and_a_remedy(
    program: Program, server: SimulatorServer
) -> None:
    refused = program.run("list", environ=untrusting(server))
    assert refused.code == 5
    assert f"{wording.CERTIFICATE_SIGNED_BY('O=backupctl')} simulator" in refused.err
    assert "not in the system's CA store" in refused.err
    assert f"backupctl trust pin -s {server.appliances[0].url[8:]}" in refused.err


def test_self_signed_certificate_is_reported_as_such(program: Program, tmp_path: Path) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    both = tmp_path / "self.pem"
    both.write_bytes(authority.private_key_pem.bytes() + authority.cert_pem.bytes())
    context.load_cert_chain(both)
    with tls_server(context) as listener:
        environ = {"BACKUPCTL_SERVER": listener.url, "BACKUPCTL_USERNAME": USER, "BACKUPCTL_PASSWORD": PASSWORD}
        refused = program.run("list", environ=environ)
    assert (refused.code, bytes(listener.received)) == (5, b"")
    assert wording.CERTIFICATE_SELF_SIGNED("O=trustme") in refused.err


def test_insecure_warns_even_with_q(program: Program, server: SimulatorServer) -> None:
    listed = program.run("list", "--insecure", "-q", environ=untrusting(server))
    assert (listed.code, listed.out) == (0, "")
    assert "warning: --insecure: the certificate of" in listed.err


@pytest.mark.parametrize("trust", [[], ["--insecure"]])
def test_key_log_is_written_and_warned_about(
    program: Program, server: SimulatorServer, certificate: ServerCertificate, tmp_path: Path, trust: list[str]
) -> None:
    keys = tmp_path / "keys.log"
    environ = untrusting(server, BACKUPCTL_CA_FILE=str(certificate.ca_file), SSLKEYLOGFILE=str(keys))
    listed = program.run("list", "-q", *trust, environ=environ)
    assert listed.code == 0
    assert "CLIENT_TRAFFIC_SECRET_0" in keys.read_text()
    assert f"warning: SSLKEYLOGFILE: TLS keys are written to {keys}; anyone who reads it" in listed.err


@pytest.mark.parametrize("words", [["list"], ["list", "--insecure"], ["trust", "show"]])
def test_key_log_that_cannot_be_written_is_an_invalid_setting(
    program: Program, server: SimulatorServer, tmp_path: Path, words: list[str]
) -> None:
    keys = tmp_path / "missing" / "keys.log"
    refused = program.run(*words, environ=untrusting(server, SSLKEYLOGFILE=str(keys)))
    assert refused.code == 3
    assert f"error: SSLKEYLOGFILE: cannot write {keys}: No such file or directory" in refused.err


# The trust commands


def test_trust_show_sends_no_http_and_needs_no_user(program: Program) -> None:
    leaf = trustme.CA().issue_cert("127.0.0.1", "vc01.example.com")
    with tls_server(server_context(leaf)) as listener:
        shown = program.run("trust", "show", "-s", listener.url, "-o", "json")
    assert (shown.code, shown.err, bytes(listener.received)) == (0, "", b"")
    result = result_of(shown)
    assert result["certificate"]["names"] == ["127.0.0.1", "vc01.example.com"]
    assert result["certificate"]["fingerprint"] == fingerprint_of(der(leaf))
    assert (result["trusted"], result["chain_complete"]) == (False, True)


def test_trust_show_prints_the_whole_chain_as_presented(program: Program) -> None:
    root = trustme.CA()
    middle = root.create_child_ca()
    leaf = middle.issue_cert("127.0.0.1")
    with tls_server(server_context(leaf)) as listener:
        result = result_of(program.run("trust", "show", "-s", listener.url, "-o", "json"))
    own, above = result["chain"]
    assert (own["issuer"], own["authority"], above["authority"]) == (above["subject"], False, True)


def test_trust_show_reports_trust_by_a_ca_file(program: Program, server: SimulatorServer) -> None:
    url, authority = server.appliances[0].url, str(server.appliances[0].ca_file)
    shown = program.run("trust", "show", "-s", url, "--ca-file", authority)
    assert f"the certificate is trusted by {authority}" in shown.out
    quiet = program.run("trust", "show", "-s", url, "-q")
    assert (quiet.code, quiet.out) == (0, f"{server.appliances[0].fingerprint}\n")


def test_trust_show_of_several_prints_each_and_the_error_of_an_unreachable_one(
    program: Program, server: SimulatorServer
) -> None:
    shown = program.run("trust", "show", "-s", server.appliances[0].url, "-s", "127.0.0.1:1", "-o", "json")
    alive, dead = json.loads(shown.out)["results"]
    assert (shown.code, alive["exit_code"], dead["exit_code"]) == (5, 0, 5)
    assert dead["error"]["message"] == "127.0.0.1:1: connection failed: Connection refused"


def test_trust_show_with_a_pin_mismatch_ends_with_5(program: Program, server: SimulatorServer) -> None:
    shown = program.run("trust", "show", "-s", server.appliances[0].url, "--fingerprint", WRONG, "-o", "json")
    result = result_of(shown)
    assert (shown.code, result["error"]["slug"], result["pinned"]) == (5, "pin-mismatch", WRONG)
    assert result["certificate"]["fingerprint"] == server.appliances[0].fingerprint


def test_trust_of_a_server_without_tls_ends_with_2(program: Program) -> None:
    assert program.run("trust", "show", "-s", "http://127.0.0.1:1").code == 2
    assert program.run("trust", "show", "--simulate").code == 2


def test_trust_pin_stores_the_pin_that_later_runs_check(
    program: Program, programs: Programs, server: SimulatorServer, certificate: ServerCertificate
) -> None:
    url = server.appliances[0].url
    pinned = program.run("trust", "pin", "-s", url, "--yes", "-o", "json")
    path = programs.home / ".config/backupctl/config.toml"
    result = result_of(pinned)
    assert (pinned.code, result["file"], result["replaced"]) == (0, str(path), None)
    table = tomllib.loads(path.read_text())["servers"][result["profile"]]
    assert table == {"host": url[8:], "fingerprint": certificate.fingerprint}
    assert program.run("list", environ=untrusting(server)).code == 0
    assert path.stat().st_mode & 0o777 == 0o600
    before = certificate.fingerprint
    certificate.renew("127.0.0.1")
    requests = len(server.simulated[0].requests)
    refused = program.run("list", environ=untrusting(server))
    assert (refused.code, len(server.simulated[0].requests)) == (5, requests)
    for each in (f"expected   {colon_form(before)}", f"presented  {colon_form(certificate.fingerprint)}"):
        assert each in refused.err
    assert f"`backupctl trust pin -s {result['profile']}`" in refused.err
    again = result_of(program.run("trust", "pin", "-s", result["profile"], "--yes", "-o", "json"))
    assert (again["profile"], again["replaced"]) == (result["profile"], before)
    assert certificate.fingerprint in path.read_text()
    third = program.run("trust", "pin", "-s", result["profile"])
    assert (third.code, third.err) == (0, "")
    assert "is already pinned" in third.out
    assert len(server.simulated[0].requests) == requests


def test_trust_pin_creates_the_file_that_an_option_names(
    program: Program, server: SimulatorServer, tmp_path: Path
) -> None:
    url, path = server.appliances[0].url, tmp_path / "new.toml"
    assert program.run("trust", "show", "-s", url, "--config", str(path)).code == 3
    assert program.run("trust", "pin", "-s", url, "--yes", "--config", str(path)).code == 0
    assert program.run("list", "-s", url, "--config", str(path), environ=untrusting(server)).code == 0


def test_trust_pin_without_a_terminal_ends_with_2(
    program: Program, programs: Programs, server: SimulatorServer
) -> None:
    url = server.appliances[0].url
    assert program.run("trust", "pin", "-s", url).code == 2
    other = program.run("trust", "pin", "-s", url, "--fingerprint", WRONG)
    assert other.code == 5
    assert wording.DIFFERS_FROM_THE_GIVEN_FINGERPRINT in other.err
    assert not (programs.home / ".config").exists()
    expected = program.run("trust", "pin", "-s", url, "--fingerprint", str(server.appliances[0].fingerprint), "-q")
    assert (expected.code, expected.out, expected.err) == (0, "", "")


def test_trust_fetch_stores_the_authority_that_later_runs_trust(
    program: Program, server: SimulatorServer, tmp_path: Path
) -> None:
    url, path = server.appliances[0].url, tmp_path / "vc01-ca.pem"
    fetched = program.run("trust", "fetch", "-s", url, "--to", str(path), "-o", "json")
    result = result_of(fetched)
    assert fetched.code == 0
    assert (result["verified"], result["vouches"], len(result["authorities"])) == (False, True, 1)
    assert "the certificates were downloaded over an unverified connection" in fetched.err
    assert {request.path for request in server.simulated[0].requests} == {"/certs/download.zip"}
    assert program.run("list", environ=untrusting(server, BACKUPCTL_CA_FILE=str(path))).code == 0
    with_pin = ("--fingerprint", str(server.appliances[0].fingerprint), "--force", "-o", "json")
    pinned = program.run("trust", "fetch", "-s", url, "--to", str(path), *with_pin)
    assert (result_of(pinned)["verified"], pinned.err) == (True, "")


def test_trust_fetch_overwrites_nothing_without_force(
    program: Program, server: SimulatorServer, tmp_path: Path
) -> None:
    path = tmp_path / "ca.pem"
    path.write_text("mine")
    words = ("trust", "fetch", "-s", server.appliances[0].url, "--to", str(path))
    refused = program.run(*words)
    assert (refused.code, path.read_text(), len(server.simulated[0].requests)) == (3, "mine", 0)
    assert "--force" in refused.err
    assert program.run(*words, "--force").code == 0
    assert path.read_text().startswith("-----BEGIN CERTIFICATE-----")
    assert program.run("trust", "fetch", "-s", server.appliances[0].url, "--to", str(tmp_path / "a/b")).code == 11


# At a terminal, in this process


def test_trust_pin_prompts_on_a_terminal_and_escapes_control_characters(tmp_path: Path) -> None:
    leaf = trustme.CA(organization_name="\x1b[2Jevil").issue_cert("127.0.0.1")
    path = tmp_path / "backupctl" / "config.toml"
    with tls_server(server_context(leaf)) as listener:
        backupctl = CommandLine(environ={"BACKUPCTL_SERVER": listener.url, "XDG_CONFIG_HOME": str(tmp_path)})
        refused = backupctl("trust", "pin", answers=["perhaps", "no"])
        asked, there = backupctl.prompter.questions, path.exists()
        stored = backupctl("trust", "pin", answers=["yes"])
        again = backupctl("trust", "pin", answers=[])
    assert (refused.code, there, stored.code, again.code) == (2, False, 0, 0)
    assert colon_form(fingerprint_of(der(leaf)))[:48] in "".join(asked)
    assert "\x1b" not in "".join([*asked, refused.err, stored.out])
    (table,) = tomllib.loads(path.read_text())["servers"].values()
    assert table["fingerprint"] == fingerprint_of(der(leaf))
    assert bytes(listener.received) == b""


def test_ca_file_that_violates_rfc_5280_is_trusted(program: Program, tmp_path: Path) -> None:
    """A CA without key identifiers and with non-critical basic constraints, which Python 3.13 rejects by default."""
    key, now = ec.generate_private_key(ec.SECP256R1()), NOW - DAY
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "CA")])
    own = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "vc01")])

    def signed(subject: x509.Name, extension: x509.ExtensionType) -> bytes:
        builder = x509.CertificateBuilder().issuer_name(name).subject_name(subject).public_key(key.public_key())
        builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now).not_valid_after(NOW + DAY)
        return builder.add_extension(extension, critical=False).sign(key, SHA256()).public_bytes(Encoding.PEM)

    (tmp_path / "ca.pem").write_bytes(signed(name, x509.BasicConstraints(ca=True, path_length=None)))
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    own_pem = signed(own, x509.SubjectAlternativeName([address]))
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "own.pem").write_bytes(own_pem + private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "own.pem")
    with tls_server(context) as listener:
        shown = program.run("trust", "show", "-s", listener.url, "--ca-file", str(tmp_path / "ca.pem"), "-o", "json")
    result = result_of(shown)
    assert (result["trusted"], result["reason"]) == (True, None)

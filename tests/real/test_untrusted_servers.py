"""The trust commands against hostile servers: the right code, and nothing stored."""

import io
import random
import socket
import threading
import zipfile
from pathlib import Path
from typing import Final

import pytest
import trustme

from backupctl.api.certificate_probe import CertificateProbe
from backupctl.api.connect import connection_to
from backupctl.errors import ApplianceUnreachableError
from backupctl.tls.trust_settings import TrustSettings
from tests import wording
from tests.support.command_line import CommandLine, Run
from tests.support.malformed_servers import SERVERS, SLOW_SERVERS, TLS_SERVERS, FastClock, read_head, says
from tests.support.socket_server import Serve, serve_connections
from tests.support.tls_server import server_context

pytestmark = pytest.mark.real

AUTHORITY: Final = trustme.CA()
CONTEXT: Final = server_context(AUTHORITY.issue_cert("127.0.0.1"))
COMMANDS: Final = {
    "show": ("trust", "show"),
    "pin": ("trust", "pin", "--yes"),
    "fetch": ("trust", "fetch", "--to", "ca.pem"),
}
ANSWERS: Final = {
    b"200 OK": f"6 api: {wording.NOT_A_ZIP_FILE}",
    b"204 No Content": f"6 api: {wording.NOT_A_ZIP_FILE}",
    b"301 Moved": "6 api: redirects to",
    b"401 Unauthorized": "4 auth: requires a login for its CA certificates (401)",
    b"403 Forbidden": "4 forbidden: requires a login for its CA certificates (403)",
    b"404 Not Found": "6 not-supported: has no /certs/download.zip",
    b"418 Teapot": "6 api: 418",
    b"500 Error": "6 api: 500",
    b"503 Unavailable": "6 api: 503",
}
"""The result of fetch by the status of an HTML response: exit code, slug, and a word of the message."""

TAMPERED: Final = 150


def over_tls(hostile: Serve) -> Serve:
    """Complete the handshake, and serve a request as ``hostile`` does."""

    def serve(connection: socket.socket, over: threading.Event) -> None:
        with CONTEXT.wrap_socket(connection, server_side=True) as tls:
            if read_head(tls):
                hostile(tls, over)

    return serve


def ask(words: tuple[str, ...], address: str, folder: Path) -> Run:
    """Run a command in this process against the server at ``address``; it writes files to ``folder``."""
    given = tuple(str(folder / word) if word.endswith(".pem") else word for word in words)
    environ = {"BACKUPCTL_SERVER": f"https://{address}", "XDG_CONFIG_HOME": str(folder)}
    return CommandLine(environ=environ)(*given, "-o", "json")


def ended(run: Run, folder: Path) -> tuple[int, str, str]:
    """Return code, slug and message of a failed run; check that nothing was stored."""
    assert run.code == run.json["exit_code"] == run.result["exit_code"]
    assert "Traceback" not in run.out + run.err
    assert list(folder.iterdir()) == []
    return run.code, run.result["error"]["slug"], run.result["error"]["message"]


@pytest.mark.parametrize("name", TLS_SERVERS)
@pytest.mark.parametrize("command", COMMANDS)
def test_trust_after_a_failed_handshake_is_5_and_stores_nothing(command: str, name: str, tmp_path: Path) -> None:
    def serve(connection: socket.socket, over: threading.Event) -> None:
        connection.recv(65536)
        SERVERS[name](connection, over)

    with serve_connections(serve) as (address, _):
        code, slug, sentence = ended(ask(COMMANDS[command], address, tmp_path), tmp_path)
    assert (code, slug) == (5, "connection" if name in {"nothing", "reset", "http/0.9"} else "tls")
    assert sentence.startswith("127.0.0.1")


@pytest.mark.parametrize("command", COMMANDS)
def test_trust_of_a_closed_port_is_5_and_reports_it(command: str, tmp_path: Path) -> None:
    assert ended(ask(COMMANDS[command], "127.0.0.1:1", tmp_path), tmp_path) == (
        5,
        "connection",
        "127.0.0.1:1: connection failed: Connection refused",
    )


@pytest.mark.parametrize("name", SERVERS)
def test_trust_fetch_from_a_hostile_server_is_5_or_6_and_stores_nothing(name: str, tmp_path: Path) -> None:
    with serve_connections(over_tls(SERVERS[name])) as (address, _):
        code, slug, _ = ended(ask(COMMANDS["fetch"], address, tmp_path), tmp_path)
    assert (code, slug) in {(5, "connection"), (6, "api")}


@pytest.mark.parametrize("hostile", SLOW_SERVERS.values(), ids=SLOW_SERVERS)
def test_trust_fetch_of_an_endless_response_is_abandoned_in_time(hostile: Serve) -> None:
    with serve_connections(over_tls(hostile)) as (address, _):
        probe = CertificateProbe(
            connection_to(f"https://{address}", None, FastClock()), TrustSettings(), lambda _: None
        )
        with pytest.raises(ApplianceUnreachableError, match="timed out"):
            probe.fetch_cas()


@pytest.mark.parametrize("status", ANSWERS, ids=bytes.decode)
def test_trust_fetch_of_an_html_response_has_the_code_for_its_status(status: bytes, tmp_path: Path) -> None:
    page = b"<html>\x1b[2J</html>"
    head = b"HTTP/1.1 %b\r\nContent-Type: text/html\r\nLocation: https://other.example.com/\r\n" % status
    body = b"Connection: close\r\n\r\n" if status[:3] == b"204" else b"Content-Length: %d\r\n\r\n%b" % (len(page), page)
    with serve_connections(over_tls(says(head + body))) as (address, _):
        code, slug, sentence = ended(ask(COMMANDS["fetch"], address, tmp_path), tmp_path)
    outcome, _, word = ANSWERS[status].partition(": ")
    assert (f"{code} {slug}", word in sentence) == (outcome, True), sentence


def offered() -> bytes:
    """Return the ZIP file of CA certificates of an appliance."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("certs/lin/0123abcd.0", AUTHORITY.cert_pem.bytes())
        archive.writestr("certs/win/0123abcd.0.crt", AUTHORITY.cert_pem.bytes())
    return file.getvalue()


def tampered(whole: bytes, chance: random.Random) -> bytes:
    """Return the file with some bytes changed, removed or doubled."""
    changed = bytearray(whole)
    for _ in range(chance.choice((1, 1, 3, 30))):
        at = chance.randrange(len(changed))
        match chance.randrange(3):
            case 0:
                changed[at] = chance.randrange(256)
            case 1:
                del changed[at : at + chance.choice((1, 50, 500))]
            case _:
                changed[at:at] = changed[at : at + chance.choice((1, 50))]
        changed = changed or bytearray(b"x")
    return bytes(changed)


def test_trust_fetch_of_a_corrupted_file_stores_only_certificates(tmp_path: Path) -> None:
    chance, whole, codes = random.Random("trust fetch"), offered(), set[int]()

    def serve(connection: socket.socket, over: threading.Event) -> None:
        file = tampered(whole, chance)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(file) + file)

    with serve_connections(over_tls(serve)) as (address, _):
        for _ in range(TAMPERED):
            run = ask(COMMANDS["fetch"], address, tmp_path)
            codes.add(run.code)
            if run.code == 0:
                written = (tmp_path / "ca.pem").read_text()
                assert len(run.result["authorities"]) == written.count("BEGIN") == 1
                (tmp_path / "ca.pem").unlink()
            else:
                assert ended(run, tmp_path)[:2] == (6, "api")
    assert codes == {0, 6}

"""Servers that send malformed HTTP: each causes a BackupctlError soon, and costs little memory."""

import re
import socket
import threading
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from backupctl.api.connect import Login, connect
from backupctl.clock import SystemClock
from backupctl.errors import ApplianceAnswerError, ApplianceUnreachableError, BackupctlError
from backupctl.secrets.secret import Secret
from backupctl.tls.trust_settings import TrustSettings
from tests import wording
from tests.support.fuzz_answers import large
from tests.support.malformed_servers import OK, SERVERS, SLOW_SERVERS, TLS_SERVERS, FastClock, read_head, repeats, says
from tests.support.resource_usage import measure
from tests.support.scripted_transport import PASSWORD, TOKEN, USER
from tests.support.socket_server import Serve, serve_connections

pytestmark = pytest.mark.real

CLOCK: Final = SystemClock()
MAX_SECONDS: Final = 10.0
"""On an idle machine none takes two seconds."""
MEMORY_MIB: Final = 48
"""A body of 8 MiB, read, joined and decoded, and some reserve; all responses are larger than that."""
PROGRAM_MIB: Final = 160


def at_login(hostile: Serve) -> Serve:
    """Serve the first request as ``hostile`` does."""

    def serve(connection: socket.socket, over: threading.Event) -> None:
        if read_head(connection):
            hostile(connection, over)

    return serve


def after_login(hostile: Serve) -> Serve:
    """Accept the login, and serve the next request as ``hostile`` does."""

    def serve(connection: socket.socket, over: threading.Event) -> None:
        while (head := read_head(connection)).startswith((b"POST /api/session", b"DELETE /api/session")):
            connection.sendall(b"HTTP/1.1 201 Created\r\nContent-Length: 34\r\n\r\n" + f'"{TOKEN}"'.encode())
        if head:
            hostile(connection, over)

    return serve


def refusal(url: str, clock: SystemClock = CLOCK) -> BackupctlError:
    """Return the error of an operation; check its time and memory."""
    api = connect(
        url, Login(USER, Secret(PASSWORD)), clock=clock, observe=lambda _: None, trust=TrustSettings(insecure=True)
    )
    large("gzip-bomb")  # created before the memory of the client is measured
    began = CLOCK.monotonic()
    tracemalloc.start()
    try:
        with pytest.raises(BackupctlError) as caught:
            api.jobs()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        api.close()
    assert CLOCK.monotonic() - began < MAX_SECONDS
    assert peak < MEMORY_MIB << 20, f"{peak >> 20} MiB"
    return caught.value


@pytest.mark.parametrize("place", [at_login, after_login])
@pytest.mark.parametrize("hostile", SERVERS.values(), ids=SERVERS)
def test_real_malformed_response_is_a_backupctl_error(hostile: Serve, place: Callable[[Serve], Serve]) -> None:
    with serve_connections(place(hostile)) as (address, _):
        error = refusal(f"http://{address}")
    assert isinstance(error, ApplianceUnreachableError | ApplianceAnswerError)
    assert not error.certain


@pytest.mark.parametrize("place", [at_login, after_login])
@pytest.mark.parametrize("hostile", SLOW_SERVERS.values(), ids=SLOW_SERVERS)
def test_real_endless_response_is_abandoned_in_time(hostile: Serve, place: Callable[[Serve], Serve]) -> None:
    with serve_connections(place(hostile)) as (address, _):
        error = refusal(f"http://{address}", FastClock())
    assert isinstance(error, ApplianceUnreachableError)
    assert "timed out" in error.message


@pytest.mark.parametrize("name", TLS_SERVERS)
def test_real_failed_handshake_is_a_backupctl_error(name: str) -> None:
    def serve(connection: socket.socket, over: threading.Event) -> None:
        connection.recv(65536)
        SERVERS[name](connection, over)

    with serve_connections(serve) as (address, _):
        assert isinstance(refusal(f"https://{address}"), ApplianceUnreachableError)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("place", [at_login, after_login])
def test_real_redirect_sends_nothing_to_another_host(status: int, place: Callable[[Serve], Serve]) -> None:
    with serve_connections(says(OK + b"Content-Length: 2\r\n\r\n[]")) as (other, reached):
        away = b"HTTP/1.1 %d Away\r\nLocation: http://%b/api/session\r\nContent-Length: 0\r\n\r\n" % (
            status,
            other.encode(),
        )
        with serve_connections(place(repeats(away))) as (address, _):
            error = refusal(f"http://{address}")
    assert re.search(rf"redirects to 'http://{other}/api/session' \({status}\)", error.message)
    assert reached == []


@pytest.mark.parametrize("name", ["content-length of 100 GB", "gzip bomb", "body without end", "chunks without end"])
def test_real_program_ends_soon_with_little_memory_on_malformed_http(name: str, tmp_path: Path) -> None:
    with serve_connections(after_login(SERVERS[name])) as (address, _):
        environ = {"BACKUPCTL_SERVER": f"http://{address}", "BACKUPCTL_USERNAME": USER, "BACKUPCTL_PASSWORD": PASSWORD}
        run = measure(["list"], tmp_path, environ)
    assert (run.code, run.out) == (6, "")
    # The details fail, so the job list is read, which is just as large.
    sent = f"{address} sent more than 8 MiB for GET /api/appliance/recovery/backup/job"
    warning, *_, error, _ = run.err.splitlines()
    assert f"warning: {wording.NO_JOB_DETAILS}: {sent}/details" in warning
    assert error == f"error: {sent}"
    assert run.wall < MAX_SECONDS
    assert run.memory < PROGRAM_MIB, f"{run.memory} MiB"

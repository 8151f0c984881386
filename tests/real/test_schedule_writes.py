"""Schedule writes against a server that is not the simulator: a portal responds with an HTML page."""

import io
import json
import socket
import threading
from typing import Any, Final

import pytest

from backupctl.cli.context import Context
from backupctl.cli.root import run
from tests.support.clock import FakeClock
from tests.support.command_line import PASSWORD, USER, Run, ScriptedPrompter
from tests.support.scripted_transport import TOKEN
from tests.support.socket_server import Serve, serve_connections
from tests.support.workers import TimedWorkers

pytestmark = pytest.mark.real

SCHEDULES: Final = b"/api/appliance/recovery/backup/schedules"
PAGE: Final = b"<html><body>Please log in to the portal.</body></html>"
STORED: Final = {
    "parts": ["common", "seat"],
    "location": "sftp://192.0.2.5/media/backups/",
    "location_user": "root",
    "enable": True,
    "recurrence_info": {"hour": 23, "minute": 0, "days": []},
    "retention_info": {"max_count": 3},
}
NOT_FOUND: Final = {"error_type": "NOT_FOUND", "messages": [{"id": "x", "default_message": "No such.", "args": []}]}


def read_request(connection: socket.socket) -> tuple[bytes, bytes]:
    """Read a request; return its method and path, empty when none arrives."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            return b"", b""
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    length = next((line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), b":0")
    while len(body) < int(length.partition(b":")[2]):
        body += connection.recv(65536)
    method, path, _ = head.split(b" ", 2)
    return method, path


def says(status: int, body: bytes, kind: bytes = b"application/json") -> bytes:
    return b"HTTP/1.1 %d X\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s" % (status, kind, len(body), body)


class Portal:
    """A server with one schedule or none, which responds to each write with ``status`` and a page; nothing changes."""

    def __init__(self, status: int, stored: dict[str, Any] | None) -> None:
        self.asked: list[tuple[bytes, bytes]] = []
        self._status = status
        self._schedule = (
            says(404, json.dumps(NOT_FOUND).encode()) if stored is None else says(200, json.dumps(stored).encode())
        )

    @property
    def serve(self) -> Serve:
        def serve(connection: socket.socket, over: threading.Event) -> None:
            while (request := read_request(connection)) != (b"", b""):
                self.asked.append(request)
                connection.sendall(self._answer(*request))

        return serve

    def _answer(self, method: bytes, path: bytes) -> bytes:
        if path == b"/api/session":
            return says(201, f'"{TOKEN}"'.encode()) if method == b"POST" else says(200, b"")
        if path == b"/api/appliance/system/version":
            return says(200, b'{"version": "8.0.2.00100", "build": "22617221"}')
        if path.startswith(SCHEDULES) and method == b"GET":
            return self._schedule
        if path.startswith(SCHEDULES):
            return says(self._status, PAGE, b"text/html")
        return says(404, json.dumps(NOT_FOUND).encode())


def schedule(address: str, clock: FakeClock, *words: str, **environ: str) -> Run:
    """Run a command line over real sockets; only the waits between polls use the fake clock."""
    stdout, stderr = io.StringIO(), io.StringIO()
    app = Context(
        argv=["schedule", *words, "-s", f"http://{address}", "-o", "json"],
        stdin=io.TextIOWrapper(io.BytesIO(), encoding="utf-8"),
        stdout=stdout,
        stderr=stderr,
        environ={"BACKUPCTL_USERNAME": USER, "BACKUPCTL_PASSWORD": PASSWORD, **environ},
        clock=clock,
        prompter=ScriptedPrompter(),
        workers=TimedWorkers(clock),
    )
    return Run(run(app), stdout.getvalue(), stderr.getvalue())


@pytest.mark.parametrize("status", [200, 204])
@pytest.mark.parametrize(
    ("words", "stored", "write"),
    [
        (["delete", "default", "--yes"], STORED, b"DELETE"),
        (["disable"], STORED, b"PATCH"),
        (["set", "--retain", "5"], STORED, b"PATCH"),
        (["set", "--location", "sftp://192.0.2.5/x", "--at", "23:00"], None, b"POST"),
    ],
    ids=["delete", "disable", "change", "create"],
)
def test_real_page_as_response_to_a_schedule_write_is_6(
    words: list[str], stored: dict[str, Any] | None, write: bytes, status: int, clock: FakeClock
) -> None:
    portal = Portal(status, stored)
    with serve_connections(portal.serve) as (address, _):
        result = schedule(address, clock, *words)
    assert (result.code, result.result["error"]["slug"], result.result["changes"]) == (6, "api", [])
    on_schedules = [method for method, path in portal.asked if path.startswith(SCHEDULES)]
    assert on_schedules == [b"GET", write, b"GET", b"GET", b"GET"]
    assert clock.elapsed <= 11


def test_real_page_as_response_to_a_schedule_password_is_unknown(clock: FakeClock) -> None:
    with serve_connections(Portal(200, STORED).serve) as (address, _):
        result = schedule(address, clock, "set", BACKUPCTL_BACKUP_PASSWORD="VMw@re123")
    assert (result.code, result.result["error"]["slug"]) == (5, "outcome-unknown")


def test_real_schedule_that_is_up_to_date_is_not_written(clock: FakeClock) -> None:
    portal = Portal(200, STORED)
    week = [word for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun") for word in ("--day", day)]
    with serve_connections(portal.serve) as (address, _):
        result = schedule(address, clock, "set", "--at", "23:00", "--retain", "3", *week)
    assert (result.code, result.result["changes"]) == (0, [])
    assert [method for method, path in portal.asked if path.startswith(SCHEDULES)] == [b"GET"]

"""An HTTP relay without TLS: parses each request and response, and can act between any two of them.

It tracks which sessions were opened and ended. ``jobs_of`` asks the appliance itself about its jobs.
"""

import base64
import contextlib
import http.client
import io
import json
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.support.processes import ServedAppliance
from tests.support.socket_server import run_server

SESSIONS = ("/api/session", "/rest/com/vmware/cis/session")
SESSION_HEADER = "vmware-api-session-id"


@dataclass
class RelayedExchange:
    """A relayed request; ``status`` is None until the appliance responds."""

    request: str
    token: str | None = None
    status: int | None = None
    opened: str | None = None

    @property
    def path(self) -> str:
        return self.request.partition(" ")[2].partition("?")[0]


@dataclass(frozen=True)
class Moment:
    """A stage of a request: 0 before the appliance gets it, 1 after, 2 before the response goes back, 3 after."""

    number: int
    stage: int


STAGES = 4


@dataclass
class HttpRelay:
    """The relayed exchanges in order; ``act`` is called at each stage, in the relaying thread."""

    served: ServedAppliance
    act: Callable[[Moment], None] = lambda _: None
    exchanges: list[RelayedExchange] = field(default_factory=list)
    port: int = 0
    _noting: threading.Lock = field(default_factory=threading.Lock)

    @property
    def environ(self) -> dict[str, str]:
        """The environment with which a client connects through the relay."""
        return self.served.at(self.port).environ

    @property
    def requests(self) -> list[str]:
        return [exchange.request for exchange in self.exchanges]

    @property
    def sessions_left(self) -> int:
        """The number of sessions that were opened and never ended."""
        opened = {exchange.opened for exchange in self.exchanges if exchange.opened}
        ended = {each.token for each in self.exchanges if each.request.startswith("DELETE ") and each.path in SESSIONS}
        return len(opened - ended)

    def note(self, request: str, token: str | None) -> tuple[int, RelayedExchange]:
        with self._noting:
            exchange = RelayedExchange(request, token)
            self.exchanges.append(exchange)
            return len(self.exchanges) - 1, exchange


def jobs_of(served: ServedAppliance) -> list[dict[str, Any]]:
    """Return the jobs that the appliance lists, oldest first."""
    details = ask(served, "GET", "/api/appliance/recovery/backup/job/details")
    return [{"id": job_id, **details[job_id]} for job_id in sorted(details)]


def ask(served: ServedAppliance, method: str, path: str, content: Any = None) -> Any:
    """Send a request to the appliance itself, with basic authentication, so that no session is opened."""
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=20)
    with contextlib.closing(connection):
        credentials = base64.b64encode(f"{served.username}:{served.password}".encode()).decode()
        headers = {"Authorization": f"Basic {credentials}", "Content-Type": "application/json"}
        connection.request(method, path, json.dumps(content) if content is not None else None, headers)
        answer = connection.getresponse()
        body = answer.read()
        assert answer.status < 300, (answer.status, body)
        return json.loads(body) if body else None


@contextlib.contextmanager
def http_relay(served: ServedAppliance, act: Callable[[Moment], None] = lambda _: None) -> Iterator[HttpRelay]:
    """Relay between a client and the appliance while the block runs."""
    relay = HttpRelay(served, act)
    with run_server(_Server(relay), poll_seconds=0.02) as server:
        relay.port = int(server.server_address[1])
        yield relay


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True

    def __init__(self, relay: HttpRelay) -> None:
        super().__init__(("127.0.0.1", 0), _Relayed)
        self.relay = relay

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore errors: broken connections are part of the tests."""


@dataclass(frozen=True)
class _Message:
    """An HTTP message: the first line, its headers by lower-case name, and all of its bytes."""

    first: str
    headers: dict[str, str]
    body: bytes
    raw: bytes


class _Relayed(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with (
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", self.server.relay.served.port)) as upstream,
            upstream.makefile("rb") as answers,
        ):
            upstream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while (request := _read(self.rfile)) is not None:
                if not self._exchange(request, upstream, answers):
                    return

    def _exchange(self, request: _Message, upstream: socket.socket, answers: io.BufferedIOBase) -> bool:
        """Relay one request and its response; return False when there is no response."""
        relay, method = self.server.relay, request.first.partition(" ")[0]
        number, exchange = relay.note(request.first.rpartition(" ")[0], request.headers.get(SESSION_HEADER))
        relay.act(Moment(number, 0))
        upstream.sendall(request.raw)
        relay.act(Moment(number, 1))
        answer = _read(answers)
        if answer is None:
            return False
        exchange.status = int(answer.first.split()[1])
        if method == "POST" and exchange.path in SESSIONS and exchange.status < 300:
            token = json.loads(answer.body)
            exchange.opened = token["value"] if isinstance(token, dict) else token
        relay.act(Moment(number, 2))
        self.wfile.write(answer.raw)
        relay.act(Moment(number, 3))
        return True


def _read(stream: io.BufferedIOBase) -> _Message | None:
    """Return the next message, None at the end of the stream; all bodies here have a length."""
    lines = []
    while line := stream.readline(65536):
        lines.append(line)
        if not line.strip():
            break
    else:
        return None
    fields = [line.decode("latin-1").partition(":") for line in lines[1:-1]]
    headers = {name.strip().lower(): value.strip() for name, _, value in fields}
    length = int(headers.get("content-length", 0))
    body = stream.read(length) if length else b""
    return _Message(lines[0].decode("latin-1").strip(), headers, body, b"".join(lines) + body)

"""The appliance's sockets: HTTP as bytes, optional TLS, in threads that sleep in virtual time."""

import contextlib
import functools
import socket
import ssl
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Final

import trustme

from tests.adversary.clock import GUARD_SECONDS, ConnectionState, ConnectionStates, SharedClock
from tests.adversary.faults import FAULT_HANDLERS, Exchange, Fault, ObservedRequest, cut_off, cut_request
from tests.adversary.protocol import Answer, Request, read_request
from tests.adversary.service import Service

REASONS: Final = {200: "OK", 201: "Created", 204: "No Content", 401: "Unauthorized", 503: "Service Unavailable"}
STARTS_BACKUP: Final = {"create", "run"}


@dataclass
class Wire:
    """All that went over the wire, for the oracle."""

    requests: list[ObservedRequest] = field(default_factory=list)
    last_date: datetime | None = None
    date_before_start: datetime | None = None
    starts: int = 0
    tokens_delivered: set[str] = field(default_factory=set)
    failures: list[str] = field(default_factory=list)


@functools.lru_cache
def tls() -> tuple[ssl.SSLContext, Path]:
    """Return the server's TLS context and its CA file, created once per process."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    path = Path(tempfile.mkdtemp(prefix="adversary-")) / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return context, path


class Server:
    """Serves one appliance on loopback; ``on_start`` is called at the first request that starts a backup."""

    def __init__(
        self,
        service: Service,
        clock: SharedClock,
        faults: Sequence[Fault],
        *,
        plain: bool = False,
        on_start: Callable[[bool], None] = lambda _: None,
    ) -> None:
        self.service = service
        self.wire = Wire()
        self.lines = ConnectionStates()
        self.over = False
        self._clock = clock
        self._faults = faults
        self._plain = plain
        self._on_start = on_start
        self._counts: Counter[str] = Counter()
        self._lock = threading.RLock()
        self._connections: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=16)
        self._address = f"127.0.0.1:{self._listener.getsockname()[1]}"

    @property
    def url(self) -> str:
        return f"{'http' if self._plain else 'https'}://{self._address}"

    @contextlib.contextmanager
    def serving(self, *, refuse_connections: bool = False) -> Iterator["Server"]:
        """Serve while the block runs, or refuse all connections."""
        if refuse_connections:
            self._listener.close()
        self._start_thread(self._accept)
        try:
            yield self
        finally:
            self._stop()

    def _start_thread(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _stop(self) -> None:
        self.over = True
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._threads[0].join()
        for connection in self._connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.lines.close()
        for thread in self._threads[1:]:
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                connection, (_, port) = self._listener.accept()
            except OSError:
                return
            connection.settimeout(GUARD_SECONDS)
            self._connections.append(connection)
            line = ConnectionState()
            self.lines.add(port, line)
            self._start_thread(functools.partial(self._serve_connection, connection, line))

    def _serve_connection(self, connection: socket.socket, line: ConnectionState) -> None:
        try:
            self._handle_connection(connection, line)
        except OSError:  # the client closed the connection or rejected the certificate
            pass
        except Exception as error:  # noqa: BLE001 - the oracle reports that the adversary is broken
            self.wire.failures.append(f"{type(error).__name__}: {error}")
        finally:
            connection.close()

    def _handle_connection(self, connection: socket.socket, line: ConnectionState) -> None:
        fault = self._next_fault("connect")
        if fault is not None:
            if fault.kind == "hang":
                line.sleep_until_resumed(float("inf"))
            elif fault.reset:  # a RST before the first byte looks different each time
                connection.recv(1, socket.MSG_PEEK)
            cut_off(connection, reset=fault.reset)
            return
        with connection if self._plain else tls()[0].wrap_socket(connection, server_side=True) as stream:
            self._connections.append(stream)
            rest: bytes | None = b""
            while rest is not None:
                rest = self._handle_request(stream, line, rest)

    def _next_fault(self, label: str) -> Fault | None:
        with self._lock:
            self._counts[label] += 1
            number = self._counts[label]
            return next((fault for fault in self._faults if fault.matches(label, number)), None)

    def _handle_request(self, stream: socket.socket, line: ConnectionState, data: bytes) -> bytes | None:
        """Read and answer one request that begins with ``data``.

        Return the bytes of the next request that have arrived, None when the connection is over.
        """
        while b"\r\n" not in data:
            more = stream.recv(65536)
            if not more:
                return None
            data += more
        method, target, _ = data.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
        begun = read_request(method, target, {}, b"")
        fault = self._next_fault(begun.label)
        if fault is not None and fault.kind == "cut request":
            self._note_start(begun.label, processed=False)
            self.wire.requests.append(ObservedRequest(self._clock.elapsed, begun, fault, delivered=False))
            cut_request(stream, data, fault)
            return None
        request, rest = _whole_request(stream, data, method, target)
        return rest if request is not None and self._respond(stream, line, request, fault) else None

    def _note_start(self, label: str, *, processed: bool) -> None:
        if label in STARTS_BACKUP:
            with self._lock:
                self.wire.starts += 1
                if self.wire.starts == 1:
                    self.wire.date_before_start = self.wire.last_date
                    self.service.truth.advance(self._clock.elapsed)
                    self._on_start(processed)

    def _respond(self, stream: socket.socket, line: ConnectionState, request: Request, fault: Fault | None) -> bool:
        works = "yes" if fault is None else fault.works
        self._note_start(request.label, processed=works == "yes")
        observed = ObservedRequest(self._clock.elapsed, request, fault)
        with self._lock:
            self.wire.requests.append(observed)
        answer = self._process(request, observed) if works == "yes" else None
        if fault is None:
            assert answer is not None
            self._send(stream, request, observed, answer)
            return True
        if works == "late":
            with self._lock:
                self.service.truth.later(
                    self._clock.elapsed + fault.seconds, lambda: self._carry_out(request, observed)
                )
        exchange = Exchange(
            stream,
            request,
            observed,
            fault,
            answer,
            bytes_of=self._bytes_of,
            note=lambda answer: self._note(request, observed, answer),
            send=lambda answer, more: self._send(stream, request, observed, answer, more),
            process=lambda: self._process(request, observed),
            sleep=lambda seconds: self._sleep(line, seconds),
            oldest_job_answer=lambda: self._oldest_job_answer(request),
        )
        return FAULT_HANDLERS[fault.kind](exchange)

    def _oldest_job_answer(self, request: Request) -> Answer:
        with self._lock:
            oldest = min(self.service.truth.jobs, key=lambda job: job.start)
            status = self.service.status_of(oldest)
        return Answer(200, status if request.family == "api" else {"value": status})

    def _sleep(self, line: ConnectionState, seconds: float) -> bool:
        line.sleep_until_resumed(self._clock.elapsed + seconds)
        return not self.over

    def _process(self, request: Request, observed: ObservedRequest) -> Answer:
        with self._lock:
            self.service.truth.advance(self._clock.elapsed)
            return self._carry_out(request, observed)

    def _carry_out(self, request: Request, observed: ObservedRequest) -> Answer:
        """Process the request at the current time of the appliance."""
        before = len(self.service.truth.jobs)
        answer = self.service.answer(request)
        observed.processed, observed.started_job = True, len(self.service.truth.jobs) > before
        if request.label == "list" and answer.status == 200:
            observed.ids = tuple(answer.body if request.family == "api" else answer.body["value"])
        if request.label == "details" and answer.status == 200:
            body = answer.body
            observed.details = (
                body if request.family == "api" else {each["key"]: each["value"] for each in body["value"]}
            )
        return answer

    def _bytes_of(self, answer: Answer) -> bytes:
        """Return the bytes of a response, with the date of the appliance's clock if it sends one."""
        lines = [f"HTTP/1.1 {answer.status} {REASONS.get(answer.status, 'Status')}", f"content-type: {answer.type}"]
        date = None
        if self.service.habits.date:
            date = self.service.truth.clocks.wall(self._clock.elapsed)
            lines.append(f"date: {format_datetime(date, usegmt=True)}")
        self.wire.last_date = date.replace(microsecond=0) if date else None
        if answer.status == 204:
            return "\r\n".join([*lines, "", ""]).encode()
        if answer.status in {302, 307}:  # a client that follows sends its request twice
            lines.append(f"location: {self.url}/api/appliance/recovery/backup/job")
        if self.service.habits.chunked:
            return "\r\n".join([*lines, "transfer-encoding: chunked", "", ""]).encode() + _chunks(answer.payload)
        return "\r\n".join([*lines, f"content-length: {len(answer.payload)}", "", ""]).encode() + answer.payload

    def _send(
        self, stream: socket.socket, request: Request, observed: ObservedRequest, answer: Answer, more: bytes = b""
    ) -> None:
        self._note(request, observed, answer)
        stream.sendall(self._bytes_of(answer) + more)

    def _note(self, request: Request, observed: ObservedRequest, answer: Answer) -> None:
        observed.status = answer.status
        observed.vapi = isinstance(answer.body, dict) and bool({"error_type", "type"} & set(answer.body))
        if request.label == "login" and observed.readable and answer.status in {200, 201}:
            body = answer.body
            if isinstance(body, str | dict):
                self.wire.tokens_delivered.add(body if isinstance(body, str) else body["value"])


def _chunks(payload: bytes) -> bytes:
    pieces = (payload[start : start + 100] for start in range(0, len(payload), 100))
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def _whole_request(stream: socket.socket, data: bytes, method: str, target: str) -> tuple[Request | None, bytes]:
    """Read the rest of a request (None when it ends too early), and return it with the bytes after it."""
    while b"\r\n\r\n" not in data:
        more = stream.recv(65536)
        if not more:
            return None, b""
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    fields = (line.partition(":") for line in head.decode("latin-1").split("\r\n")[1:])
    headers = {name.strip().lower(): value.strip() for name, _, value in fields}
    length = int(headers.get("content-length", "0"))
    while len(body) < length:
        more = stream.recv(65536)
        if not more:
            return None, b""
        body += more
    return read_request(method, target, headers, body[:length]), body[length:]

"""The appliance's sockets: HTTP written byte by byte, TLS where it is wanted, in threads that sleep in virtual time."""

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

from tests.adversary.clock import GUARD_SECONDS, Line, Lines, SharedClock
from tests.adversary.faults import SPOIL, Exchange, Fault, Seen, cut_off, cut_request
from tests.adversary.protocol import Answer, Request, read_request
from tests.adversary.service import Service

REASONS: Final = {200: "OK", 201: "Created", 204: "No Content", 401: "Unauthorized", 503: "Service Unavailable"}
STARTS_BACKUP: Final = {"create", "run"}


@dataclass
class Wire:
    """What went over the wire, for the oracle."""

    seen: list[Seen] = field(default_factory=list)
    last_date: datetime | None = None
    date_before_start: datetime | None = None
    starts: int = 0
    tokens_delivered: set[str] = field(default_factory=set)
    failures: list[str] = field(default_factory=list)


@functools.lru_cache
def tls() -> tuple[ssl.SSLContext, Path]:
    """Return the server's context and the file of its CA, made once for a process."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    path = Path(tempfile.mkdtemp(prefix="adversary-")) / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return context, path


class Server:
    """Serves one appliance on loopback; ``on_start`` is told of the first request to start a backup."""

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
        self.lines = Lines()
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
    def serving(self, *, nobody: bool = False) -> Iterator["Server"]:
        """Serve while the block runs; with ``nobody`` there, connections are refused."""
        if nobody:
            self._listener.close()
        self._begin(self._accept)
        try:
            yield self
        finally:
            self._end()

    def _begin(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _end(self) -> None:
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
            line = Line()
            self.lines.add(port, line)
            self._begin(functools.partial(self._each, connection, line))

    def _each(self, connection: socket.socket, line: Line) -> None:
        try:
            self._connection(connection, line)
        except OSError:  # the client hung up, or does not like us
            pass
        except Exception as error:  # noqa: BLE001 - told by the oracle: the adversary itself is broken
            self.wire.failures.append(f"{type(error).__name__}: {error}")
        finally:
            connection.close()

    def _connection(self, connection: socket.socket, line: Line) -> None:
        fault = self._fault_of("connect")
        if fault is not None:
            if fault.kind == "hang":
                line.rest_until(float("inf"))
            elif fault.reset:  # before it has said something, it depends on chance what the client sees
                connection.recv(1, socket.MSG_PEEK)
            cut_off(connection, reset=fault.reset)
            return
        with connection if self._plain else tls()[0].wrap_socket(connection, server_side=True) as stream:
            self._connections.append(stream)
            rest: bytes | None = b""
            while rest is not None:
                rest = self._one(stream, line, rest)

    def _fault_of(self, label: str) -> Fault | None:
        with self._lock:
            self._counts[label] += 1
            number = self._counts[label]
            return next((fault for fault in self._faults if fault.strikes(label, number)), None)

    def _one(self, stream: socket.socket, line: Line, data: bytes) -> bytes | None:
        """Read one request, of which ``data`` came already, and answer it; return what came of the next one.

        That is None where the connection is over.
        """
        while b"\r\n" not in data:
            more = stream.recv(65536)
            if not more:
                return None
            data += more
        method, target, _ = data.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
        begun = read_request(method, target, {}, b"")
        fault = self._fault_of(begun.label)
        if fault is not None and fault.kind == "cut request":
            self._note_start(begun.label, processed=False)
            self.wire.seen.append(Seen(self._clock.elapsed, begun, fault, delivered=False))
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

    def _respond(self, stream: socket.socket, line: Line, request: Request, fault: Fault | None) -> bool:
        works = "yes" if fault is None else fault.works
        self._note_start(request.label, processed=works == "yes")
        seen = Seen(self._clock.elapsed, request, fault)
        with self._lock:
            self.wire.seen.append(seen)
        answer = self._process(request, seen) if works == "yes" else None
        if fault is None:
            assert answer is not None
            self._send(stream, request, seen, answer)
            return True
        if works == "late":
            with self._lock:
                self.service.truth.later(self._clock.elapsed + fault.seconds, lambda: self._do(request, seen))
        exchange = Exchange(
            stream,
            request,
            seen,
            fault,
            answer,
            bytes_of=self._bytes_of,
            note=lambda answer: self._note(request, seen, answer),
            send=lambda answer, more: self._send(stream, request, seen, answer, more),
            process=lambda: self._process(request, seen),
            rest=lambda seconds: self._rest(line, seconds),
            another=lambda: self._another(request),
        )
        return SPOIL[fault.kind](exchange)

    def _another(self, request: Request) -> Answer:
        with self._lock:
            oldest = min(self.service.truth.jobs, key=lambda job: job.start)
            status = self.service.status_of(oldest)
        return Answer(200, status if request.family == "api" else {"value": status})

    def _rest(self, line: Line, seconds: float) -> bool:
        line.rest_until(self._clock.elapsed + seconds)
        return not self.over

    def _process(self, request: Request, seen: Seen) -> Answer:
        with self._lock:
            self.service.truth.advance(self._clock.elapsed)
            return self._do(request, seen)

    def _do(self, request: Request, seen: Seen) -> Answer:
        """Carry out the request at the present time of the appliance."""
        before = len(self.service.truth.jobs)
        answer = self.service.answer(request)
        seen.done, seen.began = True, len(self.service.truth.jobs) > before
        if request.label == "list" and answer.status == 200:
            seen.ids = tuple(answer.body if request.family == "api" else answer.body["value"])
        if request.label == "details" and answer.status == 200:
            body = answer.body
            seen.details = body if request.family == "api" else {each["key"]: each["value"] for each in body["value"]}
        return answer

    def _bytes_of(self, answer: Answer) -> bytes:
        """Return the bytes of an answer, with the date by the appliance's clock where it tells it."""
        lines = [f"HTTP/1.1 {answer.status} {REASONS.get(answer.status, 'Status')}", f"content-type: {answer.type}"]
        date = None
        if self.service.habits.date:
            date = self.service.truth.clocks.wall(self._clock.elapsed)
            lines.append(f"date: {format_datetime(date, usegmt=True)}")
        self.wire.last_date = date.replace(microsecond=0) if date else None
        if answer.status == 204:
            return "\r\n".join([*lines, "", ""]).encode()
        if answer.status in {302, 307}:  # to the same place: who follows asks twice
            lines.append(f"location: {self.url}/api/appliance/recovery/backup/job")
        if self.service.habits.chunked:
            return "\r\n".join([*lines, "transfer-encoding: chunked", "", ""]).encode() + _chunks(answer.payload)
        return "\r\n".join([*lines, f"content-length: {len(answer.payload)}", "", ""]).encode() + answer.payload

    def _send(self, stream: socket.socket, request: Request, seen: Seen, answer: Answer, more: bytes = b"") -> None:
        self._note(request, seen, answer)
        stream.sendall(self._bytes_of(answer) + more)

    def _note(self, request: Request, seen: Seen, answer: Answer) -> None:
        seen.status = answer.status
        seen.vapi = isinstance(answer.body, dict) and bool({"error_type", "type"} & set(answer.body))
        if request.label == "login" and seen.readable and answer.status in {200, 201}:
            body = answer.body
            if isinstance(body, str | dict):
                self.wire.tokens_delivered.add(body if isinstance(body, str) else body["value"])


def _chunks(payload: bytes) -> bytes:
    pieces = (payload[start : start + 100] for start in range(0, len(payload), 100))
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def _whole_request(stream: socket.socket, data: bytes, method: str, target: str) -> tuple[Request | None, bytes]:
    """Read the rest of a request, None where it ends too early, and return what came behind it."""
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

"""One appliance behind a real socket: HTTP/1.1, with or without TLS, and the ways in which a connection can die."""

import contextlib
import errno
import http.server
import socket
import socketserver
import ssl
import struct
import threading
from http import HTTPStatus

from backupctl.clock import Clock
from backupctl.simulator.http_messages import Request, Response, http_date, with_date
from backupctl.simulator.simulated_appliance import SimulatedAppliance

MOST_BODY_BYTES = 8 * 1024 * 1024
"""A longer request body is refused with 413."""

READ_TIMEOUT_SECONDS = 65.0
"""How long a connection may be silent, within a request or between two."""

HANDSHAKE_SECONDS = 10.0
"""How long a TLS handshake may take."""

GOODBYE_SECONDS = 1.0
"""How long a server that stops waits for the threads of its connections, which were cut."""

MOST_BYTES_DRAINED = 64 * 1024 * 1024
"""How much of a refused body is still read, so that the client gets to see the refusal and not a reset."""

_EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})

_RESET = struct.pack("ii", 1, 0)


class BodyTooLongError(Exception):
    """A request announces or sends more than ``MOST_BODY_BYTES``."""


class ApplianceServer(socketserver.ThreadingTCPServer):
    """Serves one appliance on one port, a thread for each connection; the appliance itself sees one call at a time."""

    allow_reuse_address = True
    request_queue_size = 128
    timeout = 0  # handle_request is called when a connection is there

    def __init__(
        self, address: tuple[str, int], appliance: SimulatedAppliance, clock: Clock, context: ssl.SSLContext | None
    ) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.appliance = appliance
        self.clock = clock
        self.lock = threading.Lock()
        self._context = context
        self._connections: set[socket.socket] = set()
        self._busy: set[threading.Thread] = set()
        self._exhausted = False
        super().__init__(address, _Handler)

    def answer(self, request: Request) -> Response:
        """Return the appliance's answer."""
        with self.lock:
            return self.appliance.handle(request)

    @property
    def connections(self) -> int:
        """How many connections are open, each with a thread of its own."""
        return len(self._busy)

    def accept(self) -> bool:
        """Accept a connection that waits; False where the system has nothing left for one more."""
        self._exhausted = False
        self.handle_request()
        return not self._exhausted

    def get_request(self) -> tuple[socket.socket, object]:
        """Accept a connection, and note where that fails for want of descriptors or memory."""
        try:
            return super().get_request()
        except OSError as error:
            self._exhausted = error.errno in _EXHAUSTED
            raise

    def process_request(self, request: socket.socket, client_address: object) -> None:  # type: ignore[override]
        """Give a connection a thread, counted from now on."""
        thread = threading.Thread(target=self.process_request_thread, args=(request, client_address), daemon=True)
        self._busy.add(thread)
        try:
            thread.start()
        except RuntimeError:  # the system has no thread left
            self._busy.discard(thread)
            self._exhausted = True
            request.close()

    def process_request_thread(self, request: socket.socket, client_address: object) -> None:  # type: ignore[override]
        """Shake hands in the connection's own thread, so that a silent client keeps nobody waiting."""
        connection = request
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._context is not None:
                connection = self._context.wrap_socket(request, server_side=True, do_handshake_on_connect=False)
            self._connections.add(connection)
            if isinstance(connection, ssl.SSLSocket):
                connection.settimeout(HANDSHAKE_SECONDS)
                connection.do_handshake()
            connection.settimeout(READ_TIMEOUT_SECONDS)
            super().process_request_thread(connection, client_address)
        except (OSError, ValueError):  # cut; ValueError where TLS was unwrapped by that
            connection.close()
        finally:
            self._connections.discard(connection)
            self._busy.discard(threading.current_thread())

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that went away; a defect of the simulator is still worth its traceback."""
        import sys

        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]

    def close_connections(self) -> None:
        """Cut what clients keep open, so that nothing outlives the server but an answer that is slow on purpose."""
        for connection in list(self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        ends = self.clock.monotonic() + GOODBYE_SECONDS
        for thread in list(self._busy):
            thread.join(max(0.0, ends - self.clock.monotonic()))


class _Handler(http.server.BaseHTTPRequestHandler):
    """Translates between HTTP on a socket and the appliance's neutral request and answer."""

    server: ApplianceServer
    protocol_version = "HTTP/1.1"
    server_version = "envoy"
    sys_version = ""
    wbufsize = 65536  # head and body leave in one packet

    def handle_one_request(self) -> None:
        """Serve whatever method the request line names."""
        try:
            self.raw_requestline = self.rfile.readline(65537)
            if len(self.raw_requestline) > 65536:
                self.requestline = self.request_version = self.command = ""
                self.send_error(HTTPStatus.REQUEST_URI_TOO_LONG)
            elif not self.raw_requestline:
                self.close_connection = True
            elif self.parse_request():
                self._serve()
        except OSError:
            self.close_connection = True

    def _serve(self) -> None:
        try:
            body = self._read_body()
        except BodyTooLongError:
            self._refuse(413, b"body too long\n")
            self._drain()
            return
        except ValueError:
            self._refuse(400, b"bad request\n")
            return
        path, _, query = self.path.partition("?")
        answer = self.server.answer(Request(self.command, path, query, self._headers(), body))
        if answer.delivery.delay:
            self.server.clock.sleep(answer.delivery.delay)
        if answer.delivery.lost or answer.delivery.refused:
            self._reset()
        else:
            self._send(answer)

    def _headers(self) -> dict[str, str]:
        headers: dict[str, str] = {}
        for name, value in self.headers.items():
            key = name.lower()
            headers[key] = f"{headers[key]}{'; ' if key == 'cookie' else ', '}{value}" if key in headers else value
        return headers

    def _read_body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return self._read_chunks()
        length = int(self.headers.get("Content-Length") or 0)
        if length < 0:
            raise ValueError
        if length > MOST_BODY_BYTES:
            raise BodyTooLongError
        body = self.rfile.read(length)
        if len(body) < length:
            raise ConnectionAbortedError
        return body

    def _read_chunks(self) -> bytes:
        body = bytearray()
        while size := int(self.rfile.readline(1024).partition(b";")[0], 16):
            if size < 0 or len(body) + size > MOST_BODY_BYTES:
                raise BodyTooLongError
            body += self.rfile.read(size)
            self.rfile.readline(1024)
        while self.rfile.readline(65537).strip():
            pass
        return bytes(body)

    def _drain(self) -> None:
        left = MOST_BYTES_DRAINED
        while left > 0 and (chunk := self.rfile.read1(65536)):
            left -= len(chunk)

    def _refuse(self, status: int, text: bytes) -> None:
        """Answer a request that the appliance never sees, and read no other behind it."""
        self.close_connection = True
        headers = (("Content-Type", "text/plain"), ("Connection", "close"))
        self._send(with_date(Response(status, headers, text), self.server.clock.now()))

    def date_time_string(self, timestamp: float | None = None) -> str:  # noqa: ARG002 - the base class's
        """Return the Date of what the base class answers by itself, by the same clock as all other answers."""
        return http_date(self.server.clock.now())

    def _send(self, answer: Response) -> None:
        self.send_response_only(answer.status)
        self.send_header("Server", self.version_string())
        for name, value in answer.headers:
            self.send_header(name, value)
        if answer.status != 204:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        pause = answer.delivery.seconds_per_byte
        body = b"" if self.command == "HEAD" else answer.body
        if not pause:
            self.wfile.write(body)
            self.wfile.flush()
            return
        self.wfile.flush()
        for index in range(len(body)):
            self.server.clock.sleep(pause)
            self.wfile.write(body[index : index + 1])
            self.wfile.flush()

    def _reset(self) -> None:
        """Cut the connection without a word: the client sees a reset or an end of file."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.connection.close()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Log nothing: paths may hold secrets, and stdout belongs to the command."""

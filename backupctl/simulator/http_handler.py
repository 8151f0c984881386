"""HTTP/1.1 on one connection: reads requests, sends responses, and applies the faults of their delivery."""

import http.server
import socket
import struct
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from backupctl.clock import Clock
from backupctl.simulator.http_messages import Request, Response, http_date, join_headers, with_date

MAX_BODY_BYTES = 8 * 1024 * 1024
"""A longer request body gets a 413."""

MAX_DRAINED_BYTES = 64 * 1024 * 1024
"""How much of a refused body is read, so the client receives the response and not a reset."""

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""``SO_LINGER`` with a timeout of 0."""


class BodyTooLongError(Exception):
    """A request body is longer than ``MAX_BODY_BYTES``."""


class HttpHandler(http.server.BaseHTTPRequestHandler):
    """Reads each request on a connection and sends the response that ``respond`` returns."""

    protocol_version = "HTTP/1.1"
    server_version = "envoy"
    sys_version = ""
    wbufsize = 65536  # head and body leave in one packet

    def __init__(self, respond: Callable[[Request], Response], clock: Clock, *connection: Any) -> None:  # noqa: ANN401 - as the base class
        self._respond = respond
        self._clock = clock
        super().__init__(*connection)

    def handle_one_request(self) -> None:
        """Read one request with any method, and respond."""
        try:
            self.raw_requestline = self.rfile.readline(65537)
            if len(self.raw_requestline) > 65536:
                self.requestline = self.request_version = self.command = ""
                self.send_error(HTTPStatus.REQUEST_URI_TOO_LONG)
            elif not self.raw_requestline:
                self.close_connection = True
            elif self.parse_request():
                self._handle()
        except OSError:
            self.close_connection = True

    def date_time_string(self, timestamp: float | None = None) -> str:  # noqa: ARG002 - the base class's
        """Return the Date header of the base class's own responses, by the clock of all other responses."""
        return http_date(self._clock.now())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Log nothing: a path may contain secrets, and stdout belongs to the command."""

    def _handle(self) -> None:
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
        response = self._respond(Request(self.command, path, query, join_headers(self.headers.items()), body))
        if response.delivery.delay:
            self._clock.sleep(response.delivery.delay)
        if response.delivery.lost or response.delivery.refused:
            self._reset()
        else:
            self._send(response)

    def _read_body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return self._read_chunks()
        length = int(self.headers.get("Content-Length") or 0)
        if length < 0:
            raise ValueError
        if length > MAX_BODY_BYTES:
            raise BodyTooLongError
        body = self.rfile.read(length)
        if len(body) < length:
            raise ConnectionAbortedError
        return body

    def _read_chunks(self) -> bytes:
        body = bytearray()
        while size := int(self.rfile.readline(1024).partition(b";")[0], 16):
            if size < 0 or len(body) + size > MAX_BODY_BYTES:
                raise BodyTooLongError
            body += self.rfile.read(size)
            self.rfile.readline(1024)
        while self.rfile.readline(65537).strip():
            pass
        return bytes(body)

    def _refuse(self, status: int, text: bytes) -> None:
        """Respond to a request that the appliance never gets, and close the connection."""
        self.close_connection = True
        headers = (("Content-Type", "text/plain"), ("Connection", "close"))
        self._send(with_date(Response(status, headers, text), self._clock.now()))

    def _drain(self) -> None:
        left = MAX_DRAINED_BYTES
        while left > 0 and (chunk := self.rfile.read1(65536)):
            left -= len(chunk)

    def _send(self, response: Response) -> None:
        self.send_response_only(response.status)
        self.send_header("Server", self.version_string())
        for name, value in response.headers:
            self.send_header(name, value)
        if response.status != 204:
            self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        body = b"" if self.command == "HEAD" else response.body
        pause = response.delivery.seconds_per_byte
        if not pause:
            self.wfile.write(body)
        self.wfile.flush()
        if pause:
            for index in range(len(body)):
                self._clock.sleep(pause)
                self.wfile.write(body[index : index + 1])
                self.wfile.flush()

    def _reset(self) -> None:
        """Close the connection without a response: the client sees a reset or an end of file."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self.connection.close()

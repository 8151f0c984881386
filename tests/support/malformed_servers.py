"""Servers that send malformed HTTP."""

import random
import socket
import struct
import threading
from typing import Final

from backupctl.clock import SystemClock
from tests.support.fuzz_answers import large
from tests.support.socket_server import Serve

BLOCK: Final = b"a" * 65536
OK: Final = b"HTTP/1.1 200 OK\r\n"


class FastClock(SystemClock):
    """A clock that runs 40 times as fast, so that the 40 s limit of a response takes one second."""

    def monotonic(self) -> float:
        return super().monotonic() * 40


def read_head(connection: socket.socket) -> bytes:
    """Return the head of a request without a body, empty when none arrives."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        data = connection.recv(65536)
        if not data:
            return b""
        head += data
    return head


def says(*pieces: bytes) -> Serve:
    """Send the pieces, and close the connection."""

    def serve(connection: socket.socket, over: threading.Event) -> None:
        for piece in pieces:
            connection.sendall(piece)

    return serve


def repeats(answer: bytes) -> Serve:
    """Send the same response to every request on the connection."""

    def serve(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(answer)
        while read_head(connection):
            connection.sendall(answer)

    return serve


def floods(start: bytes, block: bytes = BLOCK) -> Serve:
    """Send endlessly, as fast as the client reads."""

    def serve(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(start)
        while not over.is_set():
            connection.sendall(block)

    return serve


def trickles(start: bytes, block: bytes) -> Serve:
    """Send endlessly, a few bytes at a time."""

    def serve(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(start)
        while not over.wait(0.05):
            connection.sendall(block)

    return serve


def resets(start: bytes) -> Serve:
    """Send the start, and reset the connection."""

    def serve(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(start)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return serve


def explodes(connection: socket.socket, over: threading.Event) -> None:
    """Send a gzip bomb of 64 MiB."""
    connection.sendall(OK + b"Content-Encoding: gzip\r\nConnection: close\r\n\r\n" + large("gzip-bomb"))


SERVERS: Final[dict[str, Serve]] = {
    "garbage": says(random.Random(1).randbytes(5000)),
    "nothing": says(),
    "reset": resets(b""),
    "reset in the status": resets(b"HTTP/1.1 2"),
    "reset in the body": resets(OK + b"Content-Length: 99\r\n\r\n[1, 2"),
    "body too short": says(OK + b"Content-Length: 99\r\n\r\n[1, 2"),
    "content-length of 100 GB": floods(OK + b"Content-Length: 100000000000\r\n\r\n"),
    "content-length of 5000 digits": says(OK + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n"),
    "content-length below zero": says(OK + b"Content-Length: -1\r\n\r\n[]"),
    "two content-lengths": says(OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n[]x"),
    "body without end": floods(OK + b"Connection: close\r\n\r\n"),
    "chunks without end": floods(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + BLOCK + b"\r\n"),
    "chunk of no size": says(OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n[]\r\n0\r\n\r\n"),
    "chunk of 20 digits": floods(OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 20 + b"\r\n"),
    "chunk extension without end": floods(OK + b"Transfer-Encoding: chunked\r\n\r\n2;"),
    "trailers without end": floods(OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X-Trailer: x\r\n" * 1000),
    "unknown transfer encoding": says(OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
    "gzip bomb": explodes,
    "10,000 headers": says(OK, b"X-Header: of many\r\n" * 10_000, b"Content-Length: 2\r\n\r\n[]"),
    "header of 1 MB": says(OK, b"X-Long: " + b"x" * 1_000_000 + b"\r\nContent-Length: 2\r\n\r\n[]"),
    "headers without end": floods(OK, b"X-Header: of many\r\n" * 1000),
    "status line without end": floods(b"HTTP/1.1 200 "),
    "no status": says(b"HTTP/1.1 \r\n\r\n"),
    "status of a thousand": says(b"HTTP/1.1 1000 OK\r\n\r\n"),
    "http/0.9": says(b"[]\r\n"),
    "http/2": says(b"\x00\x00\x12\x04\x00\x00\x00\x00\x00" + b"\x00" * 18, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "tls alert": says(b"\x15\x03\x01\x00\x02\x02\x28"),
    "ssh": says(b"SSH-2.0-OpenSSH_9.6\r\n"),
    "switching protocols": says(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n", b"\x81\x02hi"),
    "zeros": floods(b"", b"\x00" * 65536),
}
SLOW_SERVERS: Final[dict[str, Serve]] = {
    "status line": trickles(b"HTTP/1.1 200 ", b"O"),
    "headers": trickles(OK, b"X: y\r\n"),
    "body": trickles(OK + b"Content-Length: 99999\r\n\r\n", b" "),
    "chunks": trickles(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "continue": trickles(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "continue without end": floods(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100),
}
TLS_SERVERS: Final = ("garbage", "nothing", "reset", "http/2", "tls alert", "ssh", "zeros", "http/0.9")
"""The servers that also make sense before a TLS handshake."""

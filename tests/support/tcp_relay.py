"""A TCP relay that records what the clients send."""

import contextlib
import re
import socket
import socketserver
import threading

from tests.support.socket_server import run_server

_REQUEST = re.compile(rb"((?:GET|POST|PUT|PATCH|DELETE) /[^ ?\r\n]*)[^ \r\n]* HTTP/1\.1\r\n")
"""A request line; it may directly follow the body of the previous request."""


class TcpRelay(socketserver.ThreadingTCPServer):
    """Relays TCP connections to ``port`` on this machine, and records what the clients send.

    Without a port it counts and closes all connections.
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, port: int | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.upstream = port
        self.sent: list[bytearray] = []

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    @property
    def connections(self) -> int:
        return len(self.sent)

    @property
    def handshakes(self) -> int:
        """The number of connections that began with a TLS ClientHello (RFC 8446: record type 22, message type 1)."""
        return sum(sent[:1] == b"\x16" and sent[5:6] == b"\x01" for sent in self.sent)

    @property
    def requests(self) -> list[str]:
        """The method and path of each request without TLS."""
        found = [_REQUEST.findall(bytes(sent)) for sent in self.sent]
        return [request.decode() for requests in found for request in requests]

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore errors: broken connections are part of the tests."""


class _Connection(socketserver.BaseRequestHandler):
    server: TcpRelay
    request: socket.socket

    def handle(self) -> None:
        sent = bytearray()
        self.server.sent.append(sent)
        if self.server.upstream is None:
            return
        with socket.create_connection(("127.0.0.1", self.server.upstream)) as upstream:
            answers = threading.Thread(target=pump, args=(upstream, self.request), daemon=True)
            answers.start()
            with contextlib.suppress(OSError):
                while data := self.request.recv(65536):
                    sent += data
                    upstream.sendall(data)
            with contextlib.suppress(OSError):
                upstream.shutdown(socket.SHUT_RDWR)
            answers.join()


def pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_RDWR)


def tcp_relay(port: int | None = None) -> contextlib.AbstractContextManager[TcpRelay]:
    """Relay to ``port`` while the block runs."""
    return run_server(TcpRelay(port))

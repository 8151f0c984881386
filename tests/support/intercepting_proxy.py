"""An HTTP proxy that intercepts TLS and records everything; every host leads to one appliance."""

import contextlib
import socket
import socketserver
import ssl
import threading

import trustme

from tests.support.socket_server import run_server


class InterceptingProxy(socketserver.ThreadingTCPServer):
    """Accepts CONNECT, presents a certificate of ``authority`` for the requested host, and relays to ``port``.

    ``heads`` has the requests to the proxy itself, ``inner`` the bytes within the tunnels. Once ``refusal`` is set,
    every CONNECT is refused with that reason.
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, port: int, authority: trustme.CA) -> None:
        super().__init__(("127.0.0.1", 0), _Tunnel)
        self.upstream = port
        self.authority = authority
        self.refusal: str | None = None
        self.heads: list[str] = []
        self.inner: list[bytearray] = []

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore errors: broken connections are part of the tests."""


class _Tunnel(socketserver.BaseRequestHandler):
    server: InterceptingProxy
    request: socket.socket

    def handle(self) -> None:
        head = bytearray()
        while b"\r\n\r\n" not in head:
            head += self.request.recv(1)
        self.server.heads.append(head.decode())
        if self.server.refusal is not None:
            self.request.sendall(f"HTTP/1.1 407 {self.server.refusal}\r\ncontent-length: 0\r\n\r\n".encode())
            return
        self.request.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        host = head.decode().split()[1].rpartition(":")[0]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.server.authority.issue_cert(host).configure_cert(context)
        with (
            contextlib.suppress(OSError),
            context.wrap_socket(self.request, server_side=True) as client,
            socket.create_connection(("127.0.0.1", self.server.upstream)) as upstream,
        ):
            self._relay(client, upstream)

    def _relay(self, client: ssl.SSLSocket, upstream: socket.socket) -> None:
        """Relay both directions; the program never pipelines requests."""
        said = bytearray()
        self.server.inner.append(said)
        answers = threading.Thread(target=_pump, args=(upstream, client), daemon=True)
        answers.start()
        while data := client.recv(65536):
            said += data
            upstream.sendall(data)
        upstream.shutdown(socket.SHUT_RDWR)
        answers.join()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)


def intercepting_proxy(port: int, authority: trustme.CA) -> contextlib.AbstractContextManager[InterceptingProxy]:
    """Serve while the block runs."""
    return run_server(InterceptingProxy(port, authority))

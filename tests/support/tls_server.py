"""Certificates for servers, and TLS servers that count handshakes and record bytes, one of them a proxy."""

import contextlib
import socket
import socketserver
import ssl
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import trustme

from tests.support.processes import CLOCK
from tests.support.socket_server import run_server
from tests.support.tcp_relay import pump


def server_context(leaf: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    leaf.configure_cert(context)
    return context


def ca_file(authority: trustme.CA, folder: Path, name: str = "ca.pem") -> Path:
    path = folder / name
    authority.cert_pem.write_to_path(path)
    return path


def der(leaf: trustme.LeafCert) -> bytes:
    return ssl.PEM_cert_to_DER_cert(leaf.cert_chain_pems[0].bytes().decode())


def write_certificates(folder: Path, good: str) -> dict[str, bytes]:
    """Write ``ca.pem``, and certificates for 127.0.0.1 with their keys, a good one and three bad ones.

    Return the certificates in DER form by their names; ``good`` is that of the good one.
    """
    authority, stranger = trustme.CA(), trustme.CA()
    ca_file(authority, folder)
    past = CLOCK.now() - timedelta(days=3)
    leaves = {
        good: authority.issue_cert("127.0.0.1"),
        "expired": authority.issue_cert("127.0.0.1", not_before=past - timedelta(days=9), not_after=past),
        "unknown": stranger.issue_cert("127.0.0.1"),
        "other-name": authority.issue_cert("elsewhere.example.com"),
    }
    for name, leaf in leaves.items():
        leaf.private_key_and_cert_chain_pem.write_to_path(folder / f"{name}.pem")
    return {name: der(leaf) for name, leaf in leaves.items()}


class TlsServer(socketserver.ThreadingTCPServer):
    """Completes handshakes, records the received bytes, and never responds."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, context: ssl.SSLContext, handler: type[socketserver.BaseRequestHandler] | None = None) -> None:
        super().__init__(("127.0.0.1", 0), handler or _Counting)
        self.context = context
        self.handshakes = 0
        self.received = bytearray()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def finish_request(self, request: Any, client_address: Any) -> None:
        with self.context.wrap_socket(request, server_side=True) as connection:
            self.handshakes += 1
            super().finish_request(connection, client_address)

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore errors: disconnecting clients are part of the tests."""


class _Counting(socketserver.BaseRequestHandler):
    server: TlsServer
    request: ssl.SSLSocket

    def handle(self) -> None:
        self.request.settimeout(5)
        while data := self.request.recv(65536):
            self.server.received += data


class _Tunnel(socketserver.BaseRequestHandler):
    """A CONNECT tunnel (RFC 9110)."""

    server: TlsServer
    request: ssl.SSLSocket

    def handle(self) -> None:
        asked = bytearray()
        while not asked.endswith(b"\r\n\r\n"):
            asked += self.request.recv(1)
        self.server.received += asked
        host, _, port = asked.split()[1].decode().rpartition(":")
        with socket.create_connection((host, int(port))) as upstream:
            self.request.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            threading.Thread(target=pump, args=(upstream, self.request), daemon=True).start()
            with contextlib.suppress(OSError):
                while data := self.request.recv(65536):
                    upstream.sendall(data)


def tls_server(context: ssl.SSLContext) -> contextlib.AbstractContextManager[TlsServer]:
    """Listen while the block runs."""
    return run_server(TlsServer(context))


def tls_proxy(context: ssl.SSLContext) -> contextlib.AbstractContextManager[TlsServer]:
    """Run an https:// proxy while the block runs."""
    return run_server(TlsServer(context, _Tunnel))

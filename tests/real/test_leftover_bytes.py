"""Bytes after a response are never read as the response to the next request."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from typing import Final

import httpx
import pytest
import trustme

from backupctl.api.connect import Login, connect
from backupctl.api.transport import BoundedTransport, timeout_for
from backupctl.clock import SystemClock
from backupctl.network.http_transport import network_transport
from backupctl.secrets.secret import Secret
from backupctl.tls.trust_settings import TrustSettings, unverified_context
from tests.support.intercepting_proxy import intercepting_proxy
from tests.support.malformed_servers import read_head
from tests.support.scripted_transport import PASSWORD, TOKEN, USER
from tests.support.socket_server import serve_connections
from tests.support.tls_server import server_context, tls_proxy

pytestmark = pytest.mark.real

AUTHORITY: Final = trustme.CA()
CONTEXT: Final = server_context(AUTHORITY.issue_cert("127.0.0.1"))


def answer(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


STRAY: Final = answer(b"stray")
LEFT_OVER: Final = {
    "an answer": STRAY,
    "half an answer": STRAY[:20],
    "the rest of a body": b"x" * 10,
    "an interim answer": b"HTTP/1.1 100 Continue\r\n\r\n",
    "an empty line": b"\r\n",
}
CHUNKED: Final = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n"
BOTH: Final = CHUNKED.replace(b"Transfer", b"Content-Length: 3\r\nTransfer")


class Server:
    """Responds to each request with its path, and sends extra bytes after the first response of a connection.

    With ``late`` they follow separately, before the next request; ``sent`` is released once they are sent.
    """

    def __init__(self, left_over: bytes, *, tls: bool = False, late: bool = False, form: bytes | None = None) -> None:
        self.requests: list[int] = []
        self.sent = threading.Semaphore(0)
        self._left_over, self._late, self._tls, self._form = left_over, late, tls, form

    def __call__(self, connection: socket.socket, over: threading.Event) -> None:
        """Serve one connection."""
        self.requests.append(0)
        number = len(self.requests) - 1
        with (
            CONTEXT.wrap_socket(connection, server_side=True) if self._tls else contextlib.nullcontext(connection) as it
        ):
            while head := read_head(it):
                path = head.split()[1]
                self.requests[number] += 1
                stray = b"" if self.requests[number] > 1 else self._left_over
                self._answer(it, self._form % (len(path), path) if self._form else answer(path), stray)
                self.sent.release()

    def _answer(self, connection: socket.socket, wanted: bytes, stray: bytes) -> None:
        """Send both, in one segment unless ``late``; over TLS in separate records."""
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, not self._late)
        for piece in filter(None, (wanted, stray)):
            connection.sendall(piece)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 0)


@contextlib.contextmanager
def reached(server: Server, way: str) -> Iterator[httpx.Client]:
    """Yield a client that connects to the server directly, by TLS or through a proxy."""
    with contextlib.ExitStack() as stack:
        address, _ = stack.enter_context(serve_connections(server))
        via = None
        if way == "tunnel":
            between = stack.enter_context(intercepting_proxy(int(address.rpartition(":")[2]), AUTHORITY))
            via = httpx.Proxy(f"http://{between.address}")
        elif way == "tunnel through a proxy with TLS":
            within = stack.enter_context(tls_proxy(CONTEXT))
            trusting = ssl.create_default_context()
            AUTHORITY.configure_trust(trusting)
            via = httpx.Proxy(within.url, ssl_context=trusting)
        inner = network_transport(tls=unverified_context(), proxy=via, clock=SystemClock())
        transport = BoundedTransport(inner, SystemClock(), lambda _: None)
        scheme = "http" if way == "plain" else "https"
        yield stack.enter_context(httpx.Client(transport=transport, trust_env=False, base_url=f"{scheme}://{address}"))


WAYS: Final = ("plain", "tls", "tunnel", "tunnel through a proxy with TLS")
TLS_AT_THE_END: Final = {"tls", "tunnel through a proxy with TLS"}


@pytest.mark.parametrize("late", [False, True], ids=["at once", "late"])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("left_over", LEFT_OVER.values(), ids=LEFT_OVER)
def test_real_bytes_after_a_response_close_the_connection(left_over: bytes, way: str, late: bool) -> None:
    server = Server(left_over, tls=way in TLS_AT_THE_END, late=late)
    with reached(server, way) as client:
        for path in ("/first", "/second", "/third"):
            assert client.get(path, timeout=timeout_for("GET")).text == path
            assert server.sent.acquire(timeout=5)
    assert server.requests == [1, 1, 1]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("form", [None, CHUNKED], ids=["length", "chunked"])
def test_real_connection_without_leftover_bytes_is_kept(form: bytes | None, way: str) -> None:
    server = Server(b"", tls=way in TLS_AT_THE_END, form=form)
    with reached(server, way) as client:
        for number in range(20):
            assert client.get(f"/{number}", timeout=timeout_for("GET")).text == f"/{number}"
    assert server.requests == [20]


@pytest.mark.parametrize("left_over", LEFT_OVER.values(), ids=LEFT_OVER)
def test_real_bytes_after_a_chunked_response_close_the_connection(left_over: bytes) -> None:
    server = Server(left_over, form=CHUNKED)
    with reached(server, "plain") as client:
        for path in ("/first", "/second"):
            assert client.get(path, timeout=timeout_for("GET")).text == path
    assert server.requests == [1, 1]


def test_real_response_with_two_lengths_closes_the_connection() -> None:
    server = Server(b"", form=BOTH)
    with reached(server, "plain") as client:
        for path in ("/first", "/second"):
            assert client.get(path, timeout=timeout_for("GET")).text == path
    assert server.requests == [1, 1]


def test_real_interim_responses_are_skipped() -> None:
    server = Server(b"", form=b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + CHUNKED)
    with reached(server, "plain") as client:
        for path in ("/first", "/second"):
            assert client.get(path, timeout=timeout_for("GET")).text == path
    assert server.requests == [2]


NOT_FOUND: Final = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
APPLIANCE: Final = {
    b"POST /api/session": NOT_FOUND * 2,
    b"POST /rest/com/vmware/cis/session": answer(b'{"value": "%b"}' % TOKEN.encode()),
    b"GET /rest/appliance/recovery/backup/job": answer(b'{"value": []}'),
    b"DELETE /rest/com/vmware/cis/session": answer(b""),
}


def test_real_doubled_404_of_a_login_is_not_read_as_the_response_to_the_next_login() -> None:
    asked: list[bytes] = []

    def serve(connection: socket.socket, over: threading.Event) -> None:
        while head := read_head(connection):
            asked.append(b" ".join(head.split()[:2]))
            connection.sendall(APPLIANCE[asked[-1]])

    with serve_connections(serve) as (address, _):
        login = Login(USER, Secret(PASSWORD))
        api = connect(f"http://{address}", login, clock=SystemClock(), observe=lambda _: None, trust=TrustSettings())
        assert api.jobs() == []
        api.log_out()
        api.close()
    assert asked == list(APPLIANCE)

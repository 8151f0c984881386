"""The limits for the size of a body and the time of a request, the trust settings, and the network."""

import gzip
import socket
import ssl
import threading
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
import trustme

from backupctl.api.connect import Login, connect
from backupctl.api.recovery_api import RecoveryApi
from backupctl.api.transport import MAX_BODY_BYTES, BoundedTransport, Exchange, timeout_for
from backupctl.clock import SystemClock
from backupctl.errors import (
    ApplianceAnswerError,
    ApplianceUnreachableError,
    BackupctlError,
    CertificateError,
    ConfigError,
    UnknownHostError,
    UsageError,
)
from backupctl.network.http_transport import network_transport
from backupctl.secrets.secret import Secret
from backupctl.simulator.server_options import ServerOptions
from backupctl.simulator.simulator_server import SimulatorServer
from backupctl.tls.trust_settings import TrustSettings, tls_context
from tests import wording
from tests.support.clock import FakeClock
from tests.support.scripted_transport import API_LOGIN, HOST, Reply, ScriptedTransport, api_over
from tests.support.socket_server import serve_connections

URL = f"https://{HOST}/api/x"
MIB = 1024 * 1024
SYSTEM, INSECURE = TrustSettings(), TrustSettings(insecure=True)


class Stream(httpx.SyncByteStream):
    """A body in chunks, each ``seconds`` after the one before."""

    def __init__(self, chunks: Iterator[bytes], clock: FakeClock, seconds: float = 0.0) -> None:
        self._chunks, self._clock, self._seconds = chunks, clock, seconds
        self.sent = 0
        self.closed = False

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            self._clock.sleep(self._seconds)
            self.sent += len(chunk)
            yield chunk

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize(
    ("proxy", "expected"),
    [
        ("http://u:S3cret@127.0.0.1:{port}", "cannot reach the proxy 127.0.0.1:{port}: Connection refused"),
        ("http://u:S3cret@[::1]:{port}", "cannot reach the proxy [::1]:{port}: "),
        ("http://u:S3cret@nope.invalid:3128", "cannot reach the proxy nope.invalid:3128: unknown host name"),
    ],
)
def test_unreachable_proxy_is_named_instead_of_the_appliance(proxy: str, expected: str) -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]  # there is no listener
        with proxy_client(proxy.format(port=port)) as client, pytest.raises(ApplianceUnreachableError) as caught:
            client.get(URL)
    assert caught.value.message.startswith(expected.format(port=port))
    assert "--proxy" in str(caught.value.hint)
    assert "S3cret" not in f"{caught.value.message}{caught.value.hint}"


def proxy_client(url: str) -> httpx.Client:
    transport = network_transport(tls=tls_context(INSECURE), proxy=httpx.Proxy(url), clock=SystemClock())
    return httpx.Client(transport=transport)


def fetch(
    clock: FakeClock,
    stream: httpx.SyncByteStream,
    headers: dict[str, str] | None = None,
    exchanges: list[Exchange] | None = None,
    method: str = "GET",
) -> httpx.Response:
    inner = httpx.MockTransport(lambda _: httpx.Response(200, headers=headers, stream=stream))
    seen = [] if exchanges is None else exchanges
    with httpx.Client(transport=BoundedTransport(inner, clock, seen.append)) as client:
        return client.request(method, URL, timeout=timeout_for(method))


def endless(chunk: bytes) -> Iterator[bytes]:
    while True:
        yield chunk


def raw_deflate(data: bytes) -> bytes:
    return zlib.compress(data, wbits=-15)


def test_error_of_the_observer_does_not_lose_the_response(clock: FakeClock) -> None:
    def observe(_: Exchange) -> None:
        raise ZeroDivisionError

    inner = httpx.MockTransport(lambda _: httpx.Response(201, content=b"started"))
    with httpx.Client(transport=BoundedTransport(inner, clock, observe)) as client:
        assert client.post(URL).content == b"started"


# The size


def test_body_of_the_maximum_size_is_read(clock: FakeClock) -> None:
    assert len(fetch(clock, Stream(iter([bytes(MIB)] * 8), clock)).content) == MAX_BODY_BYTES


def test_endless_body_is_closed_at_the_limit(clock: FakeClock) -> None:
    stream = Stream(endless(bytes(MIB)), clock)
    with pytest.raises(ApplianceAnswerError, match=f"{HOST} sent more than 8 MiB for GET /api/x") as caught:
        fetch(clock, stream)
    assert (stream.sent, stream.closed, caught.value.certain) == (9 * MIB, True, False)


@pytest.mark.parametrize(
    ("encoding", "compress"),
    [
        ("gzip", gzip.compress),
        ("x-gzip", gzip.compress),
        ("GZIP", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", raw_deflate),
        ("identity", bytes),
        ("", bytes),
    ],
)
def test_compressed_body_is_decompressed(encoding: str, compress: Callable[[bytes], bytes], clock: FakeClock) -> None:
    response = fetch(clock, Stream(iter([compress(b'["job"]')]), clock), {"content-encoding": encoding})
    assert response.json() == ["job"]
    assert "content-encoding" not in response.headers
    assert response.headers["content-length"] == "7"


@pytest.mark.parametrize(("encoding", "compress"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_decompression_stops_at_the_limit(encoding: str, compress: Callable[[bytes], bytes], clock: FakeClock) -> None:
    bomb = compress(bytes(9 * MIB))
    assert len(bomb) < MIB
    with pytest.raises(ApplianceAnswerError, match="more than 8 MiB"):
        fetch(clock, Stream(iter([bomb]), clock), {"content-encoding": encoding})


@pytest.mark.parametrize(
    ("encoding", "body", "expected"),
    [
        ("br", b"x", "encoding 'br'"),
        ("gzip, gzip", gzip.compress(b"x", mtime=0), "encoding 'gzip, gzip'"),
        ("gzip", b"[]", "not valid gzip"),
        ("gzip", gzip.compress(b"[1, 2, 3]", mtime=0)[:-9], "is truncated"),
        ("gzip", gzip.compress(b"[1, 2, 3]", mtime=0) + b"[]", "extra bytes"),
        ("deflate", b"\xff\xff\xff", "not valid deflate"),
    ],
)
def test_body_that_cannot_be_decompressed_is_unusable(
    encoding: str, body: bytes, expected: str, clock: FakeClock
) -> None:
    jobs = Reply(200, body, {"content-encoding": encoding})
    api = api_over(ScriptedTransport({**API_LOGIN, "GET /api/appliance/recovery/backup/job": jobs}), clock)
    with pytest.raises(ApplianceAnswerError, match=expected) as caught:
        api.jobs()
    assert (caught.value.certain, caught.value.retryable) == (False, True)
    assert caught.value.message.startswith(HOST)


def test_empty_body_is_not_decompressed(clock: FakeClock) -> None:
    assert fetch(clock, Stream(iter([]), clock), {"content-encoding": "gzip"}).content == b""


# The time


@pytest.mark.parametrize(("method", "limit"), [("GET", 40), ("POST", 310)])
def test_slow_body_ends_at_the_time_limit_of_its_method(method: str, limit: int, clock: FakeClock) -> None:
    stream = Stream(endless(b" "), clock, seconds=1)
    with pytest.raises(httpx.ReadTimeout):
        fetch(clock, stream, method=method)
    assert (clock.elapsed, stream.closed) == (limit + 1, True)


def test_slow_body_within_the_time_limit_is_read(clock: FakeClock) -> None:
    assert fetch(clock, Stream(iter([b" "] * 39), clock, seconds=1)).content == b" " * 39


def test_each_request_has_its_own_time_limit(clock: FakeClock) -> None:
    for _ in range(5):
        assert fetch(clock, Stream(iter([b"x"]), clock, seconds=39)).content == b"x"
    assert clock.elapsed == 5 * 39


def test_observer_gets_requests_with_and_without_a_response(clock: FakeClock) -> None:
    seen: list[Exchange] = []
    fetch(clock, Stream(iter([b"x"]), clock, seconds=2), exchanges=seen)
    with pytest.raises(httpx.ReadTimeout):
        fetch(clock, Stream(endless(b"x"), clock, seconds=1), exchanges=seen)
    wire = ScriptedTransport({"GET /api/x": Reply(error=httpx.ReadError)})
    client = httpx.Client(transport=BoundedTransport(wire, clock, seen.append))
    with client, pytest.raises(httpx.ReadError):
        client.get(f"{URL}?secret=1", timeout=timeout_for("GET"))
    assert seen == [
        Exchange("GET", "/api/x", 200, 2.0),
        Exchange("GET", "/api/x", 200, 41.0),
        Exchange("GET", "/api/x", None, 0.0),
    ]


# Trust


def test_tls_context_is_shared_for_equal_trust_settings(tmp_path: Path) -> None:
    ca_file = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(ca_file)
    assert tls_context(TrustSettings(ca_file)) is tls_context(TrustSettings(ca_file))
    assert tls_context(TrustSettings(ca_file)) is not tls_context(TrustSettings())
    assert tls_context(TrustSettings(ca_file)).verify_mode is ssl.CERT_REQUIRED
    assert tls_context(TrustSettings(ca_file)).check_hostname


def test_insecure_tls_context_checks_nothing() -> None:
    context = tls_context(TrustSettings(insecure=True))
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_NONE, False)


def test_a_thousand_pins_share_one_tls_context(tmp_path: Path) -> None:
    ca_file = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(ca_file)
    pins = [f"sha256:{number:064x}" for number in range(1000)]
    assert {tls_context(TrustSettings(fingerprint=pin)) for pin in pins} == {tls_context(INSECURE)}
    assert {tls_context(TrustSettings(ca_file, fingerprint=pin)) for pin in pins} == {
        tls_context(TrustSettings(ca_file))
    }


def test_tls_context_of_a_ca_file_is_without_strict_checks(tmp_path: Path) -> None:
    ca_file = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(ca_file)
    assert not tls_context(TrustSettings(ca_file)).verify_flags & ssl.VERIFY_X509_STRICT


def test_pin_with_insecure_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match=wording.UNCHECKED_CERTIFICATE):
        TrustSettings(insecure=True, fingerprint="sha256:00")


def test_unusable_ca_file_is_reported_with_the_reason(tmp_path: Path) -> None:
    no_pem = tmp_path / "words.pem"
    no_pem.write_text("no certificate")
    for ca_file, reason in [
        (tmp_path / "missing.pem", "No such file"),
        (no_pem, wording.NOT_A_PEM_FILE),
        (tmp_path, wording.NOT_A_PEM_FILE),
    ]:
        with pytest.raises(ConfigError, match=reason) as caught:
            tls_context(TrustSettings(ca_file))
        assert str(ca_file) in caught.value.message


# Real sockets


def respond_slowly(start: bytes, byte: bytes) -> Callable[[socket.socket, threading.Event], None]:
    def serve(connection: socket.socket, stop: threading.Event) -> None:
        connection.recv(65536)
        connection.sendall(start)
        while not stop.wait(0.05):
            connection.sendall(byte)

    return serve


def respond_to_all(connection: socket.socket, stop: threading.Event) -> None:
    while connection.recv(65536):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]")


def close_at_once(connection: socket.socket, stop: threading.Event) -> None:
    connection.recv(1)


def stay_silent(connection: socket.socket, stop: threading.Event) -> None:
    stop.wait(5)


def network_client() -> httpx.Client:
    clock = SystemClock()
    inner = network_transport(tls=tls_context(INSECURE), proxy=None, clock=clock)
    return httpx.Client(transport=BoundedTransport(inner, clock, lambda _: None), trust_env=False)


BODY, HEADERS = b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n", b"HTTP/1.1 200 OK\r\nX-Slow: "


@pytest.mark.real
@pytest.mark.parametrize("start", [BODY, HEADERS, b"HTTP/1.1 "], ids=["body", "headers", "status"])
def test_real_slow_response_ends_at_the_time_limit(start: bytes) -> None:
    clock, seconds = SystemClock(), httpx.Timeout(0.3, connect=0.2)
    with serve_connections(respond_slowly(start, b"1")) as (address, _), network_client() as client:
        started = clock.monotonic()
        with pytest.raises(httpx.ReadTimeout):
            client.get(f"http://{address}/", timeout=seconds)
        assert 0.4 < clock.monotonic() - started < 1.5


@pytest.mark.real
def test_real_hanging_handshake_ends_at_the_time_limit() -> None:
    clock = SystemClock()
    with serve_connections(stay_silent) as (address, _), network_client() as client:
        started = clock.monotonic()
        with pytest.raises(httpx.ConnectTimeout):
            client.get(f"https://{address}/", timeout=httpx.Timeout(0.2, connect=0.2))
        assert clock.monotonic() - started < 1.5


@pytest.mark.real
def test_real_connection_is_not_opened_after_the_time_limit() -> None:
    no_time = httpx.Timeout(0.0, connect=0.0)
    with (
        serve_connections(respond_to_all) as (address, connections),
        network_client() as client,
        pytest.raises(httpx.ConnectTimeout),
    ):
        client.get(f"http://{address}/", timeout=no_time)
    assert connections == []


@pytest.mark.real
def test_real_requests_share_one_connection() -> None:
    with serve_connections(respond_to_all) as (address, connections), network_client() as client:
        for _ in range(20):
            assert client.get(f"http://{address}/", timeout=timeout_for("GET")).json() == []
    assert len(connections) == 1


def connect_to(url: str, trust: TrustSettings = SYSTEM) -> RecoveryApi:
    login = Login("administrator@vsphere.local", Secret("VMware1!"))
    return connect(url, login, clock=SystemClock(), observe=lambda _: None, trust=trust)


def connection_error(url: str, trust: TrustSettings = SYSTEM) -> BackupctlError:
    api = connect_to(url, trust)
    with pytest.raises(BackupctlError) as caught:
        api.jobs()
    api.close()
    return caught.value


@pytest.fixture(scope="module")
def https_server() -> Iterator[SimulatorServer]:
    with SimulatorServer(ServerOptions(), SystemClock()) as server:
        yield server


@pytest.mark.real
def test_real_tls_with_a_trusted_ca_connects(https_server: SimulatorServer) -> None:
    (served,) = https_server.appliances
    for trust in (TrustSettings(Path(served.ca_file or "")), TrustSettings(insecure=True)):
        api = connect_to(served.url, trust)
        assert api.jobs() == []
        api.log_out()
        api.close()
    assert https_server.simulated[0].open_sessions == 0


@pytest.mark.real
def test_real_tls_error_is_explained_by_the_failed_handshake() -> None:
    ca, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.create_child_ca().issue_cert("127.0.0.1").configure_cert(context)

    def perform_handshake(connection: socket.socket, stop: threading.Event) -> None:
        context.wrap_socket(connection, server_side=True).close()

    with serve_connections(perform_handshake) as (address, connections):
        error = connection_error(f"https://{address}")
    assert (type(error), error.retryable, len(connections)) == (CertificateError, False, 1)
    assert error.message.startswith(f"{address}: {wording.CERTIFICATE_SIGNED_BY('O=trustme')} v")


@pytest.mark.real
def test_real_tls_to_an_http_port_gets_a_hint() -> None:
    with SimulatorServer(ServerOptions(tls=False), SystemClock()) as server:
        error = connection_error(server.appliances[0].url.replace("http:", "https:"))
    assert type(error) is CertificateError
    assert ": TLS handshake failed" in error.message
    assert error.hint == "check that this is an HTTPS port"


@pytest.mark.real
def test_real_tls_handshake_that_is_cut_off_is_unreachable() -> None:
    with serve_connections(close_at_once) as (address, _):
        error = connection_error(f"https://{address}")
    assert type(error) is ApplianceUnreachableError


@pytest.mark.real
def test_real_dropped_connection_leaves_the_outcome_uncertain() -> None:
    with serve_connections(close_at_once) as (address, _):
        error = connection_error(f"http://{address}")
    assert (type(error), error.certain, error.retryable) == (ApplianceUnreachableError, False, True)
    assert wording.CONNECTION_DROPPED in error.message


@pytest.mark.real
def test_real_port_without_a_listener_refuses_the_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    error = connection_error(f"https://127.0.0.1:{port}")
    assert (type(error), error.certain) == (ApplianceUnreachableError, True)
    assert error.message == f"127.0.0.1:{port}: connection failed: Connection refused"


@pytest.mark.real
def test_real_unknown_host_name_is_named() -> None:
    error = connection_error("https://vc01.invalid")
    assert type(error) is UnknownHostError
    assert error.message == f"vc01.invalid: {wording.UNKNOWN_HOST_NAME} vc01.invalid"
